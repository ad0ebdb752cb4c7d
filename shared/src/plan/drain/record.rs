//! The record of a drain: custom attributes on the container instance, which say why it is being emptied and until when,
//! and how a substitute was asked for.
//!
//! It tells our drains from everybody else's, and a later turn goes by it whatever became of the event. Attribute values
//! hold at most 128 letters, digits, spaces and `-_./\@:` (API: `Attribute`):
//!
//! ```text
//! 1:terminate:1767323045:1767323165
//! | |         |          when it has to be empty at the latest, seconds since 1970, or `-`
//! | |         when that became known: the time in the event
//! | why
//! version
//! ```
//!
//! The second attribute is a word of its own, so that a notice that comes twice, and is recorded before anything was read,
//! does not wipe it out.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::snapshot::ContainerInstance;
use crate::timestamp::Timestamp;

/// Name of the attribute that says why and until when.
pub const DRAIN_ATTRIBUTE: &str = "evenkeel.drain";
/// Name of the attribute that says how a substitute was asked for.
pub const SUBSTITUTE_ATTRIBUTE: &str = "evenkeel.substitute";

/// Why an instance is to be emptied, the most pressing last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// Somebody asked for it.
    Manual,
    /// EC2 sees an elevated risk of interruption.
    Recommendation,
    /// Its group terminates it, and a lifecycle hook of ours holds it.
    Hook,
    /// A Spot interruption that stops it.
    Stop,
    /// A Spot interruption that hibernates it, which begins at once.
    Hibernate,
    /// A Spot interruption that terminates it.
    Terminate,
}

const CAUSES: [(Cause, &str); 6] = [
    (Cause::Manual, "manual"),
    (Cause::Recommendation, "recommendation"),
    (Cause::Hook, "hook"),
    (Cause::Stop, "stop"),
    (Cause::Hibernate, "hibernate"),
    (Cause::Terminate, "terminate"),
];

impl Cause {
    /// The word in the record, which for an interruption is EC2's own `instance-action`.
    pub fn word(self) -> &'static str {
        CAUSES.iter().find(|(cause, _)| *cause == self).map_or("", |(_, word)| word)
    }

    /// Whether EC2 takes the instance away, whatever anybody does.
    pub fn is_interruption(self) -> bool {
        self >= Self::Stop
    }
}

/// How a substitute was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Asked {
    /// `TerminateInstanceInAutoScalingGroup` without decrement, while a lifecycle hook holds the instance.
    Terminate,
    /// `DetachInstances` without decrement.
    Detach,
    /// `EnterStandby` without decrement: it is ended by name once it is empty.
    Surge,
}

const ASKED: [(Asked, &str); 3] =
    [(Asked::Terminate, "terminate"), (Asked::Detach, "detach"), (Asked::Surge, "surge")];

impl Asked {
    /// The word in the attribute.
    pub fn word(self) -> &'static str {
        ASKED.iter().find(|(asked, _)| *asked == self).map_or("", |(_, word)| word)
    }

    fn of_word(text: &str) -> Option<Self> {
        ASKED.iter().find(|(_, word)| *word == text).map(|(asked, _)| *asked)
    }
}

/// The record of a drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DrainRecord {
    /// Why.
    pub cause: Cause,
    /// Since when that is known: the time in the event, not that of its arrival.
    pub noticed_at: Timestamp,
    /// When the instance has to be empty at the latest.
    pub deadline: Option<Timestamp>,
    /// How a substitute was asked for; `None` before that.
    pub asked: Option<Asked>,
}

impl DrainRecord {
    /// Whether an instance that is on standby is there by us, as far as can be told: the call for a substitute of one that EC2
    /// takes goes out beside the attribute that says so, and may have come through without it. One that somebody else put
    /// there ends with the interruption as well.
    pub fn explains_standby(self) -> bool {
        self.asked == Some(Asked::Surge) || self.cause == Cause::Terminate
    }

    /// What is known from two sources: the more pressing cause and the nearer deadline; what was asked for once stays asked
    /// for. What became known after the other's deadline replaces it: that one did not come true.
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        let is_outlived = |one: Self, by: Self| one.deadline.is_some_and(|deadline| by.noticed_at > deadline);
        if is_outlived(self, other) {
            return other;
        }
        if is_outlived(other, self) {
            return self;
        }
        let pressing =
            if (other.cause, self.noticed_at) > (self.cause, other.noticed_at) { other } else { self };
        let deadline = [self.deadline, other.deadline].into_iter().flatten().min();
        Self { deadline, asked: self.asked.or(other.asked), ..pressing }
    }
}

impl fmt::Display for DrainRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cause, noticed) = (self.cause.word(), self.noticed_at.as_secs());
        let deadline = self.deadline.map_or_else(|| "-".to_owned(), |at| at.as_secs().to_string());
        write!(f, "1:{cause}:{noticed}:{deadline}")
    }
}

/// An attribute value that is not a record of this version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not the record of a drain")]
pub struct NotARecord(pub String);

impl FromStr for DrainRecord {
    type Err = NotARecord;

    fn from_str(text: &str) -> Result<Self, NotARecord> {
        parse(text).filter(|it| it.to_string() == text).ok_or_else(|| NotARecord(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<DrainRecord> {
    let fields: Vec<&str> = text.split(':').collect();
    let &["1", cause, noticed, deadline] = fields.as_slice() else { return None };
    let deadline = Some(deadline).filter(|text| *text != "-").map(moment);
    Some(DrainRecord {
        cause: CAUSES.iter().find(|(_, word)| *word == cause)?.0,
        noticed_at: moment(noticed)?,
        deadline: deadline.map_or(Some(None), |at| at.map(Some))?,
        asked: None,
    })
}

/// A plausible second since 1970.
fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(Timestamp::from_secs).filter(|at| at.is_plausible())
}

/// The record a container instance carries: none, one, or something under our name that this version cannot read.
pub fn record_of(instance: &ContainerInstance) -> Option<Result<DrainRecord, NotARecord>> {
    let text = |name| instance.attributes.get(name).map(|value| value.as_deref().unwrap_or_default());
    let record = text(DRAIN_ATTRIBUTE)?.parse::<DrainRecord>();
    let asked = text(SUBSTITUTE_ATTRIBUTE).and_then(Asked::of_word);
    Some(record.map(|record| DrainRecord { asked, ..record }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(cause: Cause, at: i64, deadline: Option<i64>) -> DrainRecord {
        let moment = |seconds| Timestamp::from_secs(1_767_323_045 + seconds);
        DrainRecord { cause, noticed_at: moment(at), deadline: deadline.map(moment), asked: None }
    }

    #[test]
    fn a_record_survives_the_attribute() {
        for (cause, deadline) in CAUSES.iter().flat_map(|(cause, _)| [(*cause, None), (*cause, Some(120))]) {
            let record = record(cause, 0, deadline);
            let text = record.to_string();
            assert_eq!(text.parse::<DrainRecord>().unwrap(), record);
            let is_allowed = |c: char| c.is_ascii_alphanumeric() || " -_./@:".contains(c);
            assert!(text.len() <= 128 && text.chars().all(is_allowed));
        }
    }

    #[test]
    fn foreign_text_is_not_a_record() {
        assert!("1:stop:1767323045:-".parse::<DrainRecord>().is_ok());
        for text in [
            "",
            "1",
            "2:stop:1767323045:-",
            "1:fly:1767323045:-",
            "1:stop:5:-",
            "1:stop:1767323045:soon",
            "1:stop:1767323045:-:more",
            "1:stop:+1767323045:-",
            "1:stop:1767323045:01767323165",
        ] {
            assert!(text.parse::<DrainRecord>().is_err(), "{text}");
        }
    }

    #[test]
    fn of_two_notices_the_more_pressing_counts_whichever_came_first() {
        let (recommended, interrupted) =
            (record(Cause::Recommendation, 0, None), record(Cause::Terminate, 60, Some(180)));
        for joined in [recommended.joined(interrupted), interrupted.joined(recommended)] {
            assert_eq!(joined, interrupted);
        }
        let held = record(Cause::Hook, 0, Some(1800));
        assert_eq!(held.joined(interrupted), interrupted);
        let asked = DrainRecord { asked: Some(Asked::Detach), ..interrupted };
        assert_eq!(asked.joined(held).asked, Some(Asked::Detach));
        assert_eq!(held.joined(asked).asked, Some(Asked::Detach));
    }

    #[test]
    fn a_notice_after_the_others_deadline_replaces_it() {
        let (old, new) = (record(Cause::Terminate, 0, Some(120)), record(Cause::Hook, 900, Some(2700)));
        assert_eq!((old.joined(new), new.joined(old)), (new, new));
    }

    #[test]
    fn a_notice_that_comes_twice_counts_from_the_first() {
        let (first, again) = (record(Cause::Terminate, 0, Some(120)), record(Cause::Terminate, 5, Some(125)));
        assert_eq!(first.joined(again), first);
        assert_eq!(again.joined(first), first);
    }
}
