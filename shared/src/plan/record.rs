//! The record of a move in flight: a tag on the ECS service, written before anything changes.
//!
//! It is all that outlives a turn. ECS tag values hold at most 256 characters of letters, digits, space and
//! `_.:/=+-@` (API: `Tag`), so a record is a few short fields joined by colons:
//!
//! ```text
//! 1:raise:6:1:3:4:0123456789abcdef0123456789abcdef:-:1767323045:30
//! | |     | | | | |                                | |          minutes that a task protection lasts
//! | |     | | | | |                                | start of the move, seconds since 1970
//! | |     | | | | |                                new task that takes over, once it is known
//! | |     | | | | chosen task, which leaves
//! | |     | | | sequence number: rises with each write, so that a stale read is recognised
//! | |     | | most tasks that may be added on the way (announced before the first)
//! | |     | tasks added so far: desired count is the count before plus this
//! | |     desired count before the move
//! | phase
//! version
//! ```
//!
//! The record of a move that missed has one field more at its end: the code of what was observed ([`Miss`]).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::plan::rest::Miss;
use crate::snapshot::Service;
use crate::timestamp::Timestamp;

/// Key of the tag on the service.
pub const MOVE_TAG: &str = "evenkeel:move";
/// Key of the tag on the cluster that keeps `surge` off until the moment in its value (seconds since 1970).
pub const SURGE_OFF_TAG: &str = "evenkeel:surge-off";
/// Key of the tag on a cluster that stops new work.
pub const PAUSE_TAG: &str = "evenkeel:pause";
/// Attribute of container instances that a rollout replaces, or lets go.
pub const ROLLOUT_ATTRIBUTE: &str = "evenkeel.rollout";

/// A task protection is renewed before less than this is left of it: a lowered desired count must find every keeper
/// protected until ECS has chosen, which takes it seconds; minutes leave room for a throttled scheduler.
pub const PROTECTION_MARGIN: Duration = Duration::from_mins(5);

/// How far an expiry may lie behind the moment we asked for: `expiresInMinutes` takes whole minutes, rounded up,
/// counted from when ECS received the call. A few seconds before it are allowed for too, should the clocks differ.
const EXPIRY_SLACK: Duration = Duration::from_secs(90);

/// Where a move is. Each phase is written before the change that it announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// Every task but the chosen one is being protected; desired count is untouched.
    Guard,
    /// Desired count is being raised; then the new task is awaited.
    Raise,
    /// The new task has proved itself; desired count is being lowered and the chosen task leaves.
    Lower,
    /// The move failed; the new tasks leave again.
    Undo,
    /// Somebody else deploys: protection is off, and the increment is taken back when they are done.
    Yield,
    /// Desired count is back after a move; protections are taken off.
    Settle,
    /// Desired count is back without a move; protections are taken off.
    Undone,
    /// Desired count is back, and any task may have left for it: a deployment came, or the chosen task died.
    Yielded,
    /// By `stop`: the chosen task is being stopped, then its replacement is awaited. Desired count is never written.
    Stop,
}

const PHASES: [(Phase, &str); 9] = [
    (Phase::Guard, "guard"),
    (Phase::Raise, "raise"),
    (Phase::Lower, "lower"),
    (Phase::Undo, "undo"),
    (Phase::Yield, "yield"),
    (Phase::Settle, "settle"),
    (Phase::Undone, "undone"),
    (Phase::Yielded, "yielded"),
    (Phase::Stop, "stop"),
];

impl Phase {
    /// The word in the record.
    pub fn word(self) -> &'static str {
        PHASES.iter().find(|(phase, _)| *phase == self).map_or("", |(_, word)| word)
    }

    /// Whether desired count is no longer ours to change.
    pub fn is_closing(self) -> bool {
        matches!(self, Self::Settle | Self::Undone | Self::Yielded)
    }
}

/// A move in flight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MoveRecord {
    /// Where it is.
    pub phase: Phase,
    /// Desired count before the move.
    pub tasks_desired_before: u32,
    /// Tasks added so far.
    pub starts: u32,
    /// Most tasks that may be added.
    pub starts_max: u32,
    /// Rises with each write.
    pub sequence: u32,
    /// Short id of the task that leaves.
    pub chosen: String,
    /// Short id of the task that takes over, once known.
    pub new: Option<String>,
    /// When the move began.
    pub started_at: Timestamp,
    /// How long one task protection lasts, in minutes.
    pub protection_minutes: u32,
    /// By what it missed, once it is undone for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<Miss>,
}

impl MoveRecord {
    /// The record that follows this one in another phase.
    #[must_use]
    pub fn then(&self, phase: Phase) -> Self {
        Self { phase, sequence: self.sequence + 1, ..self.clone() }
    }

    /// Desired count while the increment stands.
    pub fn tasks_desired_raised(&self) -> u32 {
        self.tasks_desired_before + self.starts
    }

    /// The expiry that every protection of this move has at `now`: the first of a fixed series that still leaves
    /// [`PROTECTION_MARGIN`]. Being derived from the record alone, it tells our protections from everybody else's
    /// without another write.
    pub fn expiry_at(&self, now: Timestamp) -> Timestamp {
        let needed = (now + PROTECTION_MARGIN + EXPIRY_SLACK).since(self.started_at).as_secs();
        let periods = needed.div_ceil(self.period().as_secs()).max(1);
        self.started_at + self.period() * u32::try_from(periods).unwrap_or(u32::MAX)
    }

    /// Whether a protection that expires at `expires` was set by this move at some time up to `now`.
    pub fn is_our_expiry(&self, expires: Timestamp, now: Timestamp) -> bool {
        let early = Duration::from_secs(5);
        if expires > self.expiry_at(now) + EXPIRY_SLACK {
            return false;
        }
        let since_start = (expires + early).since(self.started_at).as_secs();
        since_start >= self.period().as_secs()
            && since_start % self.period().as_secs() <= (EXPIRY_SLACK + early).as_secs()
    }

    /// Whether the move should have ended long ago, so that an end that never shows is not awaited for ever.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        now.since(self.started_at) >= 2 * self.period()
    }

    /// Bounds far beyond anything that occurs, so that a value somebody typed cannot be calculated with: ECS allows
    /// 5,000 tasks a service, and no move began before ECS existed.
    fn is_plausible(&self) -> bool {
        let counts = [self.tasks_desired_before, self.starts, self.starts_max];
        let is_small = counts.iter().all(|count| *count <= 100_000) && self.sequence <= 1_000_000_000;
        let are_named = !self.chosen.is_empty() && self.new.as_deref() != Some("");
        is_small && are_named && self.starts <= self.starts_max && self.started_at.is_plausible()
    }

    fn period(&self) -> Duration {
        Duration::from_secs(60 * u64::from(self.protection_minutes.max(1)))
    }
}

/// Minutes a protection has to last so that one whole move fits in: twice the time-out (once for the move, once for
/// undoing it) and ten minutes for the margin. The API takes 1 to 2,880 (API: `UpdateTaskProtection`).
pub fn protection_minutes(move_timeout: Duration) -> u32 {
    u32::try_from(move_timeout.as_secs().div_ceil(60) * 2 + 10).unwrap_or(u32::MAX).min(2880)
}

impl fmt::Display for MoveRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "1:{}:{}:{}:{}:{}:{}:{}:{}:{}",
            self.phase.word(),
            self.tasks_desired_before,
            self.starts,
            self.starts_max,
            self.sequence,
            self.chosen,
            self.new.as_deref().unwrap_or("-"),
            self.started_at.as_secs(),
            self.protection_minutes
        )?;
        self.missed.map_or(Ok(()), |missed| write!(f, ":{}", missed.code()))
    }
}

/// A tag value that is not a record of this version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not the record of a move")]
pub struct NotARecord(pub String);

impl FromStr for MoveRecord {
    type Err = NotARecord;

    fn from_str(text: &str) -> Result<Self, NotARecord> {
        parse(text).filter(|it| it.to_string() == text).ok_or_else(|| NotARecord(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<MoveRecord> {
    let fields: Vec<&str> = text.split(':').collect();
    let &[
        "1",
        phase,
        before,
        starts,
        starts_max,
        sequence,
        chosen,
        new,
        started_at,
        minutes,
        ref missed @ ..,
    ] = fields.as_slice()
    else {
        return None;
    };
    let record = MoveRecord {
        phase: PHASES.iter().find(|(_, word)| *word == phase)?.0,
        tasks_desired_before: before.parse().ok()?,
        starts: starts.parse().ok()?,
        starts_max: starts_max.parse().ok()?,
        sequence: sequence.parse().ok()?,
        chosen: chosen.to_owned(),
        new: Some(new).filter(|id| *id != "-").map(str::to_owned),
        started_at: Timestamp::from_secs(started_at.parse().ok()?),
        protection_minutes: minutes.parse().ok().filter(|minutes| (1..=2880).contains(minutes))?,
        missed: parse_missed(missed).ok()?,
    };
    record.is_plausible().then_some(record)
}

/// The last field, which most records lack; an error if it cannot be read.
fn parse_missed(fields: &[&str]) -> Result<Option<Miss>, ()> {
    match fields {
        [] => Ok(None),
        [code] => Miss::of_code(code).map(Some).ok_or(()),
        _ => Err(()),
    }
}

/// The record a service carries: none, one, or something under our key that this version cannot read.
pub fn record_of(service: &Service) -> Option<Result<MoveRecord, NotARecord>> {
    service.tags.get(MOVE_TAG).map(|value| value.parse())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> MoveRecord {
        MoveRecord {
            phase: Phase::Raise,
            tasks_desired_before: 6,
            starts: 1,
            starts_max: 3,
            sequence: 4,
            chosen: "0123456789abcdef0123456789abcdef".to_owned(),
            new: None,
            started_at: Timestamp::from_secs(1_767_323_045),
            protection_minutes: 30,
            missed: None,
        }
    }

    #[test]
    fn a_record_survives_the_tag() {
        let misses = [None, Some(Miss::Unhealthy)];
        for (phase, missed) in PHASES.into_iter().flat_map(|(phase, _)| misses.map(|missed| (phase, missed)))
        {
            let record = MoveRecord { phase, new: Some("f".repeat(32)), missed, ..record() };
            let text = record.to_string();
            assert_eq!(text.parse::<MoveRecord>().unwrap(), record);
            assert!(
                text.len() <= 256 && text.chars().all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c))
            );
        }
    }

    #[test]
    fn foreign_text_is_not_a_record() {
        assert!("1:raise:6:1:3:4:a:-:1767323045:30".parse::<MoveRecord>().is_ok());
        for text in [
            "",
            "1",
            "2:raise:6:1:3:4:a:-:1767323045:30",
            "1:fly:6:1:3:4:a:-:1767323045:30",
            "1:raise:-6:1:3:4:a:-:1767323045:30",
            "1:raise:6:1:3:4:a:-:5:30",
            "1:raise:6:1:3:4:a::1767323045:30",
            "1:raise:+6:1:3:4:a:-:1767323045:30",
            "1:undo:6:1:3:4:a:-:1767323045:30:bored",
            "1:undo:6:1:3:4:a:-:1767323045:30:landing:more",
        ] {
            assert!(text.parse::<MoveRecord>().is_err(), "{text}");
        }
    }

    #[test]
    fn our_protections_are_told_by_their_expiry() {
        let record = record();
        let start = record.started_at;
        let minutes = |n: u64| Duration::from_secs(60 * n);
        assert_eq!(record.expiry_at(start), start + minutes(30));
        assert_eq!(
            record.expiry_at(start + minutes(25)),
            start + minutes(60),
            "renewed before the margin is used up"
        );
        assert!(record.is_our_expiry(start + minutes(30) + Duration::from_secs(59), start));
        assert!(
            !record.is_our_expiry(start + minutes(120), start),
            "the default of other people's protection"
        );
        assert!(!record.is_our_expiry(start + minutes(60), start), "not a moment we have reached");
    }
}
