//! The words in which records and marks speak of a rollout: what was asked for, what was suspended, why it ends.

use std::time::Duration;

use serde::Serialize;

/// What the attribute says of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Mark {
    /// It is to be replaced.
    Old,
    /// It is new, and goes because the rollout is taken back.
    Dismissed,
}

impl Mark {
    /// The value of the attribute.
    pub fn word(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::Dismissed => "dismissed",
        }
    }

    /// What a value says; a value nobody wrote counts as old, which is never ended unless it is on standby.
    pub fn of_word(text: &str) -> Self {
        if text == Self::Dismissed.word() { Self::Dismissed } else { Self::Old }
    }
}

/// Which instances are old.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Selection {
    /// All that were in service at the start.
    All,
    /// Those that were not launched from the version that is meant to run.
    Drifted,
}

/// Why a rollout ends before every old instance is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Ending {
    /// By command.
    Aborted,
    /// No new instance got ready in time.
    LaunchTimeout,
    /// An old instance did not get empty in time.
    DrainTimeout,
    /// The services did not get steady in time.
    GateTimeout,
    /// It took longer than a rollout may.
    RolloutTimeout,
    /// What is old could not be told in time: no fault of the version.
    CannotTell,
}

/// A process of Auto Scaling that a rollout may suspend (EC2 Auto Scaling User Guide, "Suspend and resume processes").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Process {
    /// It would even out what a wave leaves uneven for a while.
    AZRebalance,
    /// Alarms would take the fleet for idle while it is doubled.
    AlarmNotification,
    /// It would resize the group on the way.
    ScheduledActions,
    /// On the way back only: what is dismissed must not be replaced.
    Launch,
    /// On the way back only: while more count than are to be kept, nobody's lower size may choose who goes.
    Terminate,
}

/// A word in the record for each value.
pub(super) trait Word: Copy + PartialEq + 'static {
    const WORDS: &'static [(Self, &'static str)];

    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(value, _)| *value == self).map_or("", |(_, word)| word)
    }

    fn of_word(text: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, word)| *word == text).map(|(value, _)| *value)
    }
}

impl Word for Selection {
    const WORDS: &'static [(Self, &'static str)] = &[(Self::All, "all"), (Self::Drifted, "drifted")];
}

impl Word for Ending {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Aborted, "aborted"),
        (Self::LaunchTimeout, "launchTimeout"),
        (Self::DrainTimeout, "drainTimeout"),
        (Self::GateTimeout, "gateTimeout"),
        (Self::RolloutTimeout, "rolloutTimeout"),
        (Self::CannotTell, "cannotTell"),
    ];
}

impl Word for Process {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::AZRebalance, "z"),
        (Self::AlarmNotification, "a"),
        (Self::ScheduledActions, "s"),
        (Self::Launch, "l"),
        (Self::Terminate, "t"),
    ];
}

impl Ending {
    /// The word in the record and in reports.
    pub fn word(self) -> &'static str {
        Word::word(self)
    }
}

impl Process {
    /// What a rollout suspends as long as it goes forward.
    pub const FORWARD: [Self; 3] = [Self::AZRebalance, Self::AlarmNotification, Self::ScheduledActions];

    /// What is suspended on the way back besides. A termination by name goes through all the same (EC2 Auto Scaling User
    /// Guide, "Design your applications to gracefully handle instance termination").
    pub const BACK: [Self; 2] = [Self::Launch, Self::Terminate];

    /// AWS's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::AZRebalance => "AZRebalance",
            Self::AlarmNotification => "AlarmNotification",
            Self::ScheduledActions => "ScheduledActions",
            Self::Launch => "Launch",
            Self::Terminate => "Terminate",
        }
    }
}

/// What a start asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    /// How much of the group is replaced at once, in percent; 100 doubles it.
    pub surge_percent: u32,
    /// Instances of a first wave of their own; 0 = none.
    pub canary: u32,
    /// How long the empty old instances are kept in reserve.
    pub bake_time: Duration,
    /// Which instances are old.
    pub selection: Selection,
}
