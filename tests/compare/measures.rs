//! What is measured of a play, in one shape for all three jobs: not every measure applies to each.

use std::collections::BTreeMap;

/// The value of what did not come about: it sorts behind every number, and is written `never`.
pub(crate) const NEVER: u64 = u64::MAX;

/// One thing that is measured. Of every one less is better, but for [`Measure::InTime`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Measure {
    Starts,
    Bound,
    Ratio,
    Below,
    Dip,
    Killed,
    CutOff,
    MovesLeft,
    AboveBest,
    LoadLeft,
    LoadSkew,
    InTime,
    SubstituteAfter,
    SurplusInstances,
    OldLeft,
    SizesChanged,
    SurplusTaskSeconds,
    SurplusInstanceSeconds,
    ApiCalls,
    Seconds,
    OverFloor,
}

/// What a number of a measure stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Count,
    Percent,
    Hundredths,
    Seconds,
    /// Counted in seconds, written in hours.
    Hours,
}

/// What a play came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome(BTreeMap<Measure, u64>);

impl Outcome {
    /// The same with one measure more.
    #[must_use]
    pub(crate) fn with(mut self, measure: Measure, value: u64) -> Self {
        self.0.insert(measure, value);
        self
    }

    /// The same with starts, their bound and what the one is of the other; where nothing had to move, of one move.
    #[must_use]
    pub(crate) fn with_starts(self, starts: u64, bound: u64) -> Self {
        let ratio = starts * 100 / bound.max(1);
        self.with(Measure::Starts, starts).with(Measure::Bound, bound).with(Measure::Ratio, ratio)
    }

    pub(crate) fn get(&self, measure: Measure) -> Option<u64> {
        self.0.get(&measure).copied()
    }
}

impl Measure {
    /// The head of its column.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Starts => "tasks started",
            Self::Bound => "least",
            Self::Ratio => "started / least",
            Self::Below => "task-seconds below desired",
            Self::Dip => "deepest dip",
            Self::Killed => "killed running",
            Self::CutOff => "cut off while stopping",
            Self::MovesLeft => "moves left",
            Self::AboveBest => "service skew above best",
            Self::LoadLeft => "skew of instances past the threshold",
            Self::LoadSkew => "skew of instances",
            Self::InTime => "left in time",
            Self::SubstituteAfter => "substitute launched after",
            Self::SurplusInstances => "surplus instances",
            Self::OldLeft => "old instances left",
            Self::SizesChanged => "sizes not put back",
            Self::SurplusTaskSeconds => "surplus task-hours",
            Self::SurplusInstanceSeconds => "surplus instance-hours",
            Self::ApiCalls => "API calls",
            Self::Seconds => "time",
            Self::OverFloor => "time / floor",
        }
    }

    /// What exactly is counted.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Starts => "Tasks of services that were started, whatever for.",
            Self::Bound => {
                "The least number of moves: of a rebalance the proven bound of its first layer, of a drain or a rollout the tasks that lay on the instances that go."
            }
            Self::Ratio => "The one over the other; where nothing had to move, over one.",
            Self::Below => "Seconds times healthy tasks short of the desired count, over all services.",
            Self::Dip => {
                "The most healthy tasks that one service lacked at one moment, in percent of its desired count."
            }
            Self::Killed => {
                "Healthy tasks that somebody stopped by a call, which neither waits for a replacement nor is ECS's own order, and tasks that still ran when their instance went."
            }
            Self::CutOff => {
                "Tasks that ECS had told to stop and that were not through with it when their instance went."
            }
            Self::MovesLeft => {
                "Moves inside services that would still help, as Evenkeel's planner counts them."
            }
            Self::AboveBest => {
                "The service furthest above the skew of the best split that it can reach, in points of percent."
            }
            Self::LoadLeft => {
                "The worst skew of comparable instances that are more than 30 % and a tenth of an instance apart; 0 if none are."
            }
            Self::LoadSkew => {
                "(max - min) / mean of what is reserved on the instances, of the worst capacity provider."
            }
            Self::InTime => "Tasks of the interrupted instances that were not killed with them.",
            Self::SubstituteAfter => {
                "From the notice to the launch of the substitute, median of the interrupted instances."
            }
            Self::SurplusInstances => {
                "Instances in service beyond the size of the group, or short of it, in the end."
            }
            Self::OldLeft => "Old instances that still run in the end.",
            Self::SizesChanged => "Whether minimum, desired or maximum size differ in the end.",
            Self::SurplusTaskSeconds => "Tasks above the desired count, times hours.",
            Self::SurplusInstanceSeconds => "Running instances above the size of the group, times hours.",
            Self::ApiCalls => "Calls to AWS, reads included, until the work was done.",
            Self::Seconds => {
                "From the begin to the last start or stop of a task; of a rollout until every instance was new."
            }
            Self::OverFloor => {
                "The time over the slowest launch until registration and the slowest drain of the same play."
            }
        }
    }

    pub(crate) fn unit(self) -> Unit {
        match self {
            Self::Ratio | Self::OverFloor => Unit::Hundredths,
            Self::Dip | Self::LoadSkew | Self::LoadLeft | Self::AboveBest | Self::InTime => Unit::Percent,
            Self::SubstituteAfter | Self::Seconds => Unit::Seconds,
            Self::SurplusTaskSeconds | Self::SurplusInstanceSeconds => Unit::Hours,
            _ => Unit::Count,
        }
    }

    /// How many of what is counted are one of what is written.
    pub(crate) fn one(self) -> u64 {
        match self.unit() {
            Unit::Hundredths => 100,
            Unit::Hours => 3_600,
            Unit::Count | Unit::Percent | Unit::Seconds => 1,
        }
    }

    /// Whether the largest value is the best one.
    pub(crate) fn is_more_better(self) -> bool {
        self == Self::InTime
    }

    /// A value as it is written.
    pub(crate) fn written(self, value: u64) -> String {
        if value == NEVER {
            return "never".to_owned();
        }
        match self.unit() {
            Unit::Count => value.to_string(),
            Unit::Percent => format!("{value} %"),
            Unit::Seconds => format!("{value} s"),
            Unit::Hundredths | Unit::Hours => format!("{:.2}", value as f64 / self.one() as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_in_their_unit() {
        let written = [
            (Measure::Starts, 12, "12"),
            (Measure::Ratio, 125, "1.25"),
            (Measure::Dip, 40, "40 %"),
            (Measure::Seconds, 90, "90 s"),
            (Measure::SurplusInstanceSeconds, 5_400, "1.50"),
            (Measure::Seconds, NEVER, "never"),
        ];
        for (measure, value, words) in written {
            assert_eq!(measure.written(value), words, "{measure:?}");
        }
    }

    #[test]
    fn starts_are_compared_with_one_where_nothing_had_to_move() {
        let ratio = |starts, bound| Outcome::default().with_starts(starts, bound).get(Measure::Ratio);
        assert_eq!([ratio(9, 4), ratio(7, 0), ratio(0, 0)], [Some(225), Some(700), Some(0)]);
    }
}
