//! What goes wrong between an event and the function it is meant for, and how often.

use std::ops::RangeInclusive;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

/// Delays and mishaps of deliveries; by default every event arrives once, within a second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mishaps {
    /// Milliseconds an ordinary delivery takes; AWS names about half a second as typical.
    pub usual_millis: RangeInclusive<u64>,
    /// How many in a hundred are late.
    pub late_percent: u32,
    /// By how many seconds they are late.
    pub late_seconds: RangeInclusive<u64>,
    /// How many in a hundred come a second time.
    pub twice_percent: u32,
    /// How many seconds after the first time.
    pub twice_seconds: RangeInclusive<u64>,
    /// How many in a hundred are overtaken by the next event of the same rule.
    pub reordered_percent: u32,
    /// How many in a hundred of those that may be lost are lost.
    pub lost_percent: u32,
}

impl Default for Mishaps {
    fn default() -> Self {
        Self {
            usual_millis: 300..=900,
            late_percent: 0,
            late_seconds: 30..=90,
            twice_percent: 0,
            twice_seconds: 0..=60,
            reordered_percent: 0,
            lost_percent: 0,
        }
    }
}

/// What becomes of one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) delay: Duration,
    pub(super) lost: bool,
    pub(super) again_after: Option<Duration>,
    pub(super) overtaken: bool,
}

impl Mishaps {
    /// Draws as many numbers for each delivery, whatever comes of it, so that one mishap more leaves the others where
    /// they were.
    pub(super) fn draw(&self, rng: &mut StdRng) -> Fate {
        let usual = Duration::from_millis(rng.random_range(self.usual_millis.clone()));
        let late = Duration::from_secs(rng.random_range(self.late_seconds.clone()));
        let again = Duration::from_secs(rng.random_range(self.twice_seconds.clone()));
        let mut strikes = |percent: u32| rng.random_range(0..100) < percent;
        Fate {
            delay: if strikes(self.late_percent) { usual + late } else { usual },
            lost: strikes(self.lost_percent),
            again_after: strikes(self.twice_percent).then_some(again),
            overtaken: strikes(self.reordered_percent),
        }
    }
}

/// How Lambda treats an asynchronous event on which its function failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// `MaximumRetryAttempts`, 0 to 2.
    pub maximum_retry_attempts: u32,
    /// `MaximumEventAgeInSeconds`.
    pub maximum_event_age: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self { maximum_retry_attempts: 2, maximum_event_age: Duration::from_hours(6) }
    }
}
