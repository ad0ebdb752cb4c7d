//! Median, 95th percentile and worst of what several plays came to.

use crate::measures::Measure;

/// What several values of one measure come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) median: u64,
    /// By nearest rank, counted from the best: of fewer than twenty values it is the worst.
    pub(crate) p95: u64,
    pub(crate) worst: u64,
}

impl Summary {
    /// `None` of no values.
    pub(crate) fn of(measure: Measure, values: impl IntoIterator<Item = u64>) -> Option<Self> {
        let mut values: Vec<u64> = values.into_iter().collect();
        values.sort_unstable();
        if measure.is_more_better() {
            values.reverse();
        }
        let rank = |percent: usize| (values.len() * percent).div_ceil(100).checked_sub(1);
        let at = |percent| values.get(rank(percent)?).copied();
        Some(Self { median: at(50)?, p95: at(95)?, worst: at(100)? })
    }

    /// `median / p95 / worst`, or one number where all three are the same.
    pub(crate) fn written(self, measure: Measure) -> String {
        let all = [self.median, self.p95, self.worst].map(|value| measure.written(value));
        if all.iter().all(|it| *it == all[0]) {
            return all[0].clone();
        }
        all.join(" / ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[u64]) -> Option<[u64; 3]> {
        let summary = Summary::of(Measure::Starts, values.iter().copied());
        summary.map(|it| [it.median, it.p95, it.worst])
    }

    #[test]
    fn ranks_are_the_nearest() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[7]), Some([7, 7, 7]));
        assert_eq!(of(&[5, 1, 3]), Some([3, 5, 5]));
        let twenty: Vec<u64> = (1..=20).rev().collect();
        assert_eq!(of(&twenty), Some([10, 19, 20]));
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!(of(&hundred), Some([50, 95, 100]));
    }

    #[test]
    fn where_more_is_better_the_least_is_the_worst() {
        let summary = Summary::of(Measure::InTime, [100, 33, 100]);
        assert_eq!(summary, Some(Summary { median: 100, p95: 33, worst: 33 }));
    }

    #[test]
    fn three_equal_numbers_are_written_once() {
        let written = |values: [u64; 3]| Summary::of(Measure::Dip, values).map(|it| it.written(Measure::Dip));
        assert_eq!(written([4, 4, 4]).as_deref(), Some("4 %"));
        assert_eq!(written([4, 5, 9]).as_deref(), Some("5 % / 9 % / 9 %"));
    }
}
