//! The memory of moves that missed: a tag on the ECS service, written before the record of the missed move goes.
//!
//! A move misses when the new task cannot be placed, lands where it does not help, or does not get healthy in time. The
//! next move would fare no better, so the service rests, longer after each miss in a row, and the memory outlives the
//! invocation:
//!
//! ```text
//! 1:3:1767325445:unhealthy:1767323045
//! | | |          |         start of the move that missed last: one move is never counted twice
//! | | |          what was observed of it
//! | | end of the rest, seconds since 1970
//! | misses in a row
//! version
//! ```

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::snapshot::Service;
use crate::timestamp::Timestamp;

/// Key of the tag on the service.
pub const REST_TAG: &str = "evenkeel:rest";

/// The longest rest. A service is tried again each day, since what made its moves miss may have been mended.
const REST_MAX: Duration = Duration::from_hours(24);

/// For so long after its rest a service's misses are remembered. Shorter than a day, and a service that is moved only
/// now and then would begin anew each time; longer, and an old fault would weigh on moves that have nothing to do with it.
const REMEMBERED_FOR: Duration = Duration::from_hours(24);

/// By what a move missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Miss {
    /// The new task landed where it does not help, as often as was announced.
    Landing,
    /// The new task came and did not get healthy.
    Unhealthy,
    /// The new task found no place.
    Placement,
    /// Time was up for anything else.
    Timeout,
}

const MISSES: [(Miss, &str, &str); 4] = [
    (Miss::Landing, "landing", "ECS started the new task where it does not help, however often it was tried"),
    (Miss::Unhealthy, "unhealthy", "the new task did not get healthy in time"),
    (Miss::Placement, "placement", "the new task could not be placed"),
    (Miss::Timeout, "timeout", "the move was not ready in time"),
];

impl Miss {
    /// The code in a tag.
    pub fn code(self) -> &'static str {
        MISSES.iter().find(|(miss, ..)| *miss == self).map_or("", |(_, code, _)| code)
    }

    /// What was observed, as half a sentence.
    pub fn words(self) -> &'static str {
        MISSES.iter().find(|(miss, ..)| *miss == self).map_or("", |(.., words)| words)
    }

    /// The miss of a code.
    pub fn of_code(code: &str) -> Option<Self> {
        MISSES.iter().find(|(_, known, _)| *known == code).map(|(miss, ..)| *miss)
    }
}

/// What a service remembers of the moves that missed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rest {
    /// Misses in a row.
    pub misses: u32,
    /// Until when it is not moved.
    pub until: Timestamp,
    /// What was observed of the last.
    pub observed: Miss,
    /// When the last of these moves began.
    pub move_started_at: Timestamp,
}

impl Rest {
    /// The memory of one more miss: each in a row doubles the rest.
    #[must_use]
    pub fn after(
        earlier: Option<&Self>,
        observed: Miss,
        move_started_at: Timestamp,
        now: Timestamp,
        cooldown: Duration,
    ) -> Self {
        let misses = earlier.map_or(0, |rest| rest.misses).saturating_add(1);
        let times = 1_u32.checked_shl(misses - 1).unwrap_or(u32::MAX);
        let until = now + cooldown.saturating_mul(times).min(REST_MAX);
        Self { misses, until: Timestamp::from_secs(until.as_secs()), observed, move_started_at }
    }

    /// Whether the service is not to be moved yet.
    pub fn lasts_at(&self, now: Timestamp) -> bool {
        now < self.until
    }

    /// Whether the misses lie so far back that they no longer count.
    pub fn is_forgotten_at(&self, now: Timestamp) -> bool {
        now > self.until + REMEMBERED_FOR
    }

    /// Bounds far beyond anything that occurs, so that a value somebody typed cannot be calculated with.
    fn is_plausible(&self) -> bool {
        let are_times = self.until.is_plausible() && self.move_started_at.is_plausible();
        (1..=1_000_000).contains(&self.misses) && are_times
    }
}

impl fmt::Display for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (until, started_at) = (self.until.as_secs(), self.move_started_at.as_secs());
        write!(f, "1:{}:{until}:{}:{started_at}", self.misses, self.observed.code())
    }
}

/// A tag value that is not a memory of this version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not the memory of a miss")]
pub struct NotARest(pub String);

impl FromStr for Rest {
    type Err = NotARest;

    fn from_str(text: &str) -> Result<Self, NotARest> {
        parse(text).filter(|it| it.to_string() == text).ok_or_else(|| NotARest(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Rest> {
    let fields: Vec<&str> = text.split(':').collect();
    let &["1", misses, until, observed, move_started_at] = fields.as_slice() else { return None };
    let rest = Rest {
        misses: misses.parse().ok()?,
        until: Timestamp::from_secs(until.parse().ok()?),
        observed: Miss::of_code(observed)?,
        move_started_at: Timestamp::from_secs(move_started_at.parse().ok()?),
    };
    rest.is_plausible().then_some(rest)
}

/// The memory a service carries: none, one, or something under our key that this version cannot read.
pub fn rest_of(service: &Service) -> Option<Result<Rest, NotARest>> {
    service.tags.get(REST_TAG).map(|value| value.parse())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_secs(1_767_323_045)
    }

    fn after(earlier: Option<&Rest>) -> Rest {
        Rest::after(earlier, Miss::Unhealthy, now(), now(), Duration::from_mins(10))
    }

    #[test]
    fn a_memory_survives_the_tag() {
        for (observed, ..) in MISSES {
            let rest = Rest { observed, ..after(None) };
            let text = rest.to_string();
            assert_eq!(text.parse::<Rest>().unwrap(), rest);
            assert!(
                text.len() <= 256 && text.chars().all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c))
            );
        }
    }

    #[test]
    fn foreign_text_is_not_a_memory() {
        for text in [
            "",
            "off",
            "2:1:1767325445:unhealthy:1767323045",
            "1:0:1767325445:unhealthy:1767323045",
            "1:-1:1767325445:unhealthy:1767323045",
            "1:1:soon:unhealthy:1767323045",
            "1:1:5:unhealthy:1767323045",
            "1:1:1767325445:bored:1767323045",
            "1:1:1767325445:unhealthy",
            "1:1:1767325445:unhealthy:1767323045:more",
            "1:+1:1767325445:unhealthy:1767323045",
            "1:01:1767325445:unhealthy:1767323045",
        ] {
            assert!(text.parse::<Rest>().is_err(), "{text}");
        }
    }

    #[test]
    fn each_miss_in_a_row_doubles_the_rest_up_to_a_day() {
        let mut rest = after(None);
        for minutes in [10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440] {
            assert_eq!(rest.until, now() + Duration::from_mins(minutes));
            rest = after(Some(&rest));
        }
        assert_eq!(rest.misses, 11);
        let ancient = Rest { misses: 1_000_000, ..rest };
        assert_eq!(after(Some(&ancient)).until, now() + REST_MAX);
    }

    #[test]
    fn a_rest_ends_and_a_day_later_is_forgotten() {
        let rest = after(None);
        assert!(rest.lasts_at(now()) && !rest.lasts_at(rest.until));
        assert!(!rest.is_forgotten_at(rest.until + REMEMBERED_FOR));
        assert!(rest.is_forgotten_at(rest.until + REMEMBERED_FOR + Duration::from_secs(1)));
    }
}
