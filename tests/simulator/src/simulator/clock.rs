//! The account's clock: tokio's time, from a starting moment, at a multiple.
//!
//! On a paused runtime it stands still until somebody sleeps and is moved by tokio; over TCP it runs with the
//! wall clock, faster by the multiple, and can be moved forward by hand.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::time::SimTime;

/// Account time as a function of tokio's time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    base: SimTime,
    since: Instant,
    multiple: f64,
}

impl Clock {
    /// A clock that shows `base` now and runs with tokio's.
    pub(super) fn starting_at(base: SimTime) -> Self {
        Self { base, since: Instant::now(), multiple: 1.0 }
    }

    /// The account's present.
    pub(super) fn now(&self) -> SimTime {
        self.base + self.since.elapsed().mul_f64(self.multiple)
    }

    /// The same present, running at another multiple from here on.
    pub(super) fn at_multiple(&self, multiple: f64) -> Self {
        Self { base: self.now(), since: Instant::now(), multiple }
    }

    /// A present later by `by`.
    pub(super) fn skipped(&self, by: Duration) -> Self {
        Self { base: self.base + by, ..*self }
    }

    /// How long a stretch of account time lasts in tokio's time.
    pub(super) fn in_runtime_time(&self, account_time: Duration) -> Duration {
        account_time.div_f64(self.multiple)
    }
}

/// A moment of account time as the standard library writes it.
pub(super) fn system_time(at: SimTime) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(at.0.max(0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_runs_with_tokio_times_the_multiple() {
        let clock = Clock::starting_at(SimTime(1_000));
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(clock.now(), SimTime(3_000));
        let fast = clock.at_multiple(60.0);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(fast.now(), SimTime(63_000));
        assert_eq!(fast.skipped(Duration::from_secs(7)).now(), SimTime(70_000));
        assert_eq!(fast.in_runtime_time(Duration::from_mins(1)), Duration::from_secs(1));
    }
}
