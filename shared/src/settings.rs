//! Settings: read once at cold start from the environment into types, with every fault named in one error.
//!
//! [`SETTINGS`] is the one table of names, defaults and meanings; the README's table is compared with it by a test.
//! An unknown name that begins with `EVENKEEL_` is a fault: a misspelt safety setting must not be ignored.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::error::{Error, Fault};
use crate::percent::Percent;

/// One setting as people see it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Environment variable.
    pub name: &'static str,
    /// Default, or `required`.
    pub default: &'static str,
    /// What it decides, and its bounds.
    pub meaning: &'static str,
}

/// Every setting the functions read.
pub const SETTINGS: &[Setting] = &[
    Setting {
        name: "EVENKEEL_CLUSTERS",
        default: "required",
        meaning: "names or ARNs, comma separated; `*` = every cluster of the Region",
    },
    Setting { name: "EVENKEEL_DRY_RUN", default: "false", meaning: "`true`: plan and report, write nothing" },
    Setting {
        name: "EVENKEEL_POLL_INTERVAL",
        default: "5s",
        meaning: "pause between the turns of one invocation; 100ms to 5m",
    },
    Setting {
        name: "EVENKEEL_SKEW_THRESHOLD",
        default: "30",
        meaning: "percent of skew above which a service is rebalanced; 1 to 1000",
    },
    Setting {
        name: "EVENKEEL_MAX_MOVES",
        default: "20",
        meaning: "moves started per cluster and invocation, those found in flight included; 1 to 1000",
    },
    Setting {
        name: "EVENKEEL_MOVE_STRATEGY",
        default: "surge",
        meaning: "`surge`: start first, then stop; `stop`: stop first where the service allows it, else `surge`",
    },
    Setting {
        name: "EVENKEEL_MOVE_TIMEOUT",
        default: "10m",
        meaning: "for the new task of a move to become healthy, then the move is undone; 1s to 12h",
    },
    Setting {
        name: "EVENKEEL_WARM_UP",
        default: "5m",
        meaning: "age of a container instance before it counts as a target; 0s to 24h",
    },
    Setting {
        name: "EVENKEEL_COOLDOWN",
        default: "10m",
        meaning: "least age of a service's youngest task before it is moved again; 0s to 24h",
    },
    Setting {
        name: "EVENKEEL_CONFIRM_AFTER",
        default: "30s",
        meaning: "between the two snapshots that must agree before a rebalance starts; 0s to 10m",
    },
    Setting {
        name: "EVENKEEL_HEALTHY_AFTER",
        default: "40s",
        meaning: "RUNNING for so long counts as healthy where nothing reports health; 0s to 1h",
    },
];

/// Which clusters an invocation without a command is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clusters {
    /// Every cluster of the Region.
    All,
    /// These names or ARNs.
    Named(Vec<String>),
}

/// How a task is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum MoveStrategy {
    /// One more task first; then the chosen one leaves by scale-in.
    Surge,
    /// The chosen task is stopped and ECS replaces it, where the service allows that; elsewhere as above.
    Stop,
}

/// The parsed settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `EVENKEEL_CLUSTERS`.
    pub clusters: Clusters,
    /// `EVENKEEL_DRY_RUN`.
    pub dry_run: bool,
    /// `EVENKEEL_POLL_INTERVAL`.
    pub poll_interval: Duration,
    /// `EVENKEEL_SKEW_THRESHOLD`.
    pub skew_threshold: Percent,
    /// `EVENKEEL_MAX_MOVES`.
    pub max_moves: u32,
    /// `EVENKEEL_MOVE_STRATEGY`.
    pub strategy: MoveStrategy,
    /// `EVENKEEL_MOVE_TIMEOUT`.
    pub move_timeout: Duration,
    /// `EVENKEEL_WARM_UP`.
    pub warm_up: Duration,
    /// `EVENKEEL_COOLDOWN`.
    pub cooldown: Duration,
    /// `EVENKEEL_CONFIRM_AFTER`.
    pub confirm_after: Duration,
    /// `EVENKEEL_HEALTHY_AFTER`.
    pub healthy_after: Duration,
}

/// Least and greatest skew threshold in percent. Above 1,000 nothing would ever be moved unseen.
const SKEW_THRESHOLDS: (u32, u32) = (1, 1000);
/// Least and greatest move budget; the upper bound keeps one invocation from restarting a whole account.
const MOVES: (u32, u32) = (1, 1000);

impl Settings {
    /// Reads the process environment: the only place that does.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_pairs(std::env::vars())
    }

    /// Reads name-value pairs, which tests inject. Names that do not begin with `EVENKEEL_` are not ours.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, Error> {
        let ours = pairs.into_iter().filter(|(name, _)| name.starts_with("EVENKEEL_")).collect();
        let mut reader = Reader { given: ours, faults: Vec::new() };
        reader.refuse_unknown_names();
        let settings = reader.read();
        if reader.faults.is_empty() { Ok(settings) } else { Err(Error::Settings(reader.faults)) }
    }
}

struct Reader {
    given: BTreeMap<String, String>,
    faults: Vec<Fault>,
}

impl Reader {
    fn read(&mut self) -> Settings {
        Settings {
            clusters: self.clusters(),
            dry_run: self.flag("EVENKEEL_DRY_RUN"),
            poll_interval: self.duration("EVENKEEL_POLL_INTERVAL", "100ms", "5m"),
            skew_threshold: Percent::new(self.number("EVENKEEL_SKEW_THRESHOLD", SKEW_THRESHOLDS)),
            max_moves: self.number("EVENKEEL_MAX_MOVES", MOVES),
            strategy: self.strategy(),
            move_timeout: self.duration("EVENKEEL_MOVE_TIMEOUT", "1s", "12h"),
            warm_up: self.duration("EVENKEEL_WARM_UP", "0s", "24h"),
            cooldown: self.duration("EVENKEEL_COOLDOWN", "0s", "24h"),
            confirm_after: self.duration("EVENKEEL_CONFIRM_AFTER", "0s", "10m"),
            healthy_after: self.duration("EVENKEEL_HEALTHY_AFTER", "0s", "1h"),
        }
    }

    fn refuse_unknown_names(&mut self) {
        let unknown = self.given.keys().filter(|name| SETTINGS.iter().all(|setting| setting.name != *name));
        for name in unknown.cloned().collect::<Vec<_>>() {
            self.fault(&name, "there is no such setting".to_owned());
        }
    }

    fn fault(&mut self, at: &str, what: String) {
        self.faults.push(Fault { at: at.to_owned(), what });
    }

    /// What was given, else the default from the table; the two take the same way, so a default is checked too.
    fn text(&self, name: &str) -> String {
        let default =
            || SETTINGS.iter().find(|setting| setting.name == name).map_or("", |setting| setting.default);
        self.given.get(name).map_or_else(default, String::as_str).trim().to_owned()
    }

    fn clusters(&mut self) -> Clusters {
        let text = self.given.get("EVENKEEL_CLUSTERS").cloned().unwrap_or_default();
        let named: Vec<String> =
            text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
        if named.is_empty() {
            self.fault("EVENKEEL_CLUSTERS", "is required: cluster names or ARNs, or *".to_owned());
        }
        if named == ["*"] { Clusters::All } else { Clusters::Named(named) }
    }

    fn flag(&mut self, name: &str) -> bool {
        match self.text(name).as_str() {
            "true" => true,
            "false" => false,
            other => {
                self.fault(name, format!("is '{other}', expected true or false"));
                true
            }
        }
    }

    fn strategy(&mut self) -> MoveStrategy {
        let name = "EVENKEEL_MOVE_STRATEGY";
        match self.text(name).as_str() {
            "surge" => MoveStrategy::Surge,
            "stop" => MoveStrategy::Stop,
            other => {
                self.fault(name, format!("is '{other}', expected surge or stop"));
                MoveStrategy::Surge
            }
        }
    }

    fn number(&mut self, name: &str, (least, most): (u32, u32)) -> u32 {
        let text = self.text(name);
        match text.parse::<u32>() {
            Ok(number) if (least..=most).contains(&number) => number,
            _ => {
                self.fault(name, format!("is '{text}', expected a whole number from {least} to {most}"));
                least
            }
        }
    }

    fn duration(&mut self, name: &str, least: &str, most: &str) -> Duration {
        let text = self.text(name);
        let bound = |written| humantime::parse_duration(written).unwrap_or_default();
        match humantime::parse_duration(&text) {
            Ok(duration) if (bound(least)..=bound(most)).contains(&duration) => duration,
            _ => {
                self.fault(
                    name,
                    format!(
                        "is '{text}', expected a duration from {least} to {most}, such as 250ms, 5s or 10m"
                    ),
                );
                Duration::ZERO
            }
        }
    }
}

/// Checks a threshold given by a command against the same bounds as the setting.
pub fn skew_threshold(percent: i64) -> Result<Percent, Fault> {
    bounded(percent, SKEW_THRESHOLDS, "skewThreshold").map(Percent::new)
}

/// Checks a move budget given by a command against the same bounds as the setting.
pub fn max_moves(moves: i64) -> Result<u32, Fault> {
    bounded(moves, MOVES, "maxMoves")
}

fn bounded(number: i64, (least, most): (u32, u32), at: &str) -> Result<u32, Fault> {
    u32::try_from(number).ok().filter(|number| (least..=most).contains(number)).ok_or_else(|| Fault {
        at: at.to_owned(),
        what: format!("is {number}, expected a whole number from {least} to {most}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Result<Settings, Error> {
        Settings::from_pairs(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn defaults_are_those_of_the_table() {
        let settings = settings(&[("EVENKEEL_CLUSTERS", "web, batch"), ("PATH", "/bin")]).unwrap();
        assert_eq!(settings.clusters, Clusters::Named(vec!["web".to_owned(), "batch".to_owned()]));
        assert_eq!(settings.skew_threshold, Percent::new(30));
        assert_eq!(settings.move_timeout, Duration::from_mins(10));
        assert!(!settings.dry_run && settings.strategy == MoveStrategy::Surge);
    }

    #[test]
    fn every_fault_is_named_in_one_error() {
        let pairs = [
            ("EVENKEEL_DRY_RUN", "yes"),
            ("EVENKEEL_SKEW_THRESHOLD", "-1"),
            ("EVENKEEL_COOLDOWN", "soon"),
            ("EVENKEEL_MOVE_STRATEGY", "Stop"),
            ("EVENKEEL_SKEW_TRESHOLD", "30"),
        ];
        let text = settings(&pairs).unwrap_err().to_string();
        for expected in
            ["EVENKEEL_CLUSTERS", "EVENKEEL_DRY_RUN", "'-1'", "'soon'", "'Stop'", "EVENKEEL_SKEW_TRESHOLD"]
        {
            assert!(text.contains(expected), "{expected} is missing in: {text}");
        }
    }

    #[test]
    fn a_strategy_is_one_of_two_words() {
        let pairs = [("EVENKEEL_CLUSTERS", "*"), ("EVENKEEL_MOVE_STRATEGY", "stop")];
        assert_eq!(settings(&pairs).unwrap().strategy, MoveStrategy::Stop);
    }

    #[test]
    fn a_star_stands_for_every_cluster() {
        assert_eq!(settings(&[("EVENKEEL_CLUSTERS", "*")]).unwrap().clusters, Clusters::All);
    }

    #[test]
    fn a_command_is_held_to_the_same_bounds() {
        assert!(skew_threshold(-1).is_err() && skew_threshold(3000).is_err());
        assert_eq!(skew_threshold(30).unwrap(), Percent::new(30));
        assert!(max_moves(0).is_err());
    }
}
