//! The phases of a rollout in one table, from which the README's is made.

use serde::Serialize;

/// Where a rollout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// The old instances are marked.
    Mark,
    /// Old ones go on standby, new ones come.
    Surge,
    /// Old ones get empty.
    Drain,
    /// The services have to be steady on the new ones.
    Gate,
    /// Empty old ones are terminated by name.
    Retire,
    /// Old ones come back into service.
    Undo,
    /// New ones that are too many go.
    Dismiss,
    /// Everything of Evenkeel's is taken away.
    Restore,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Which phase.
    pub phase: Phase,
    /// Its word in the record.
    pub word: &'static str,
    /// What is done in it.
    pub does: &'static str,
    /// When the next one begins, and which.
    pub until: &'static str,
    /// What an abort or a time-out leads to.
    pub way_back: &'static str,
}

/// All phases, in their order.
pub const PHASES: &[Line] = &[
    Line {
        phase: Phase::Mark,
        word: "mark",
        does: "suspends AZRebalance, AlarmNotification and ScheduledActions; marks every old instance",
        until: "every mark was read back: `surge`",
        way_back: "`restore`",
    },
    Line {
        phase: Phase::Surge,
        word: "surge",
        does: "puts the old instances of the wave on standby without decrement, so that the group launches as many new ones",
        until: "as many as desired are ready: `drain`; after `EVENKEEL_LAUNCH_TIMEOUT` with fewer: `drain` for as many; with none: the way back",
        way_back: "`undo`",
    },
    Line {
        phase: Phase::Drain,
        word: "drain",
        does: "sets the wave DRAINING, batches of ten",
        until: "every task on it was seen STOPPED, twice: `gate`; after `EVENKEEL_DRAIN_TIMEOUT`: `EVENKEEL_ON_DRAIN_TIMEOUT`",
        way_back: "`undo`",
    },
    Line {
        phase: Phase::Gate,
        word: "gate",
        does: "looks at the services and their targets; keeps the empty old ones in reserve for the bake time",
        until: "all that were steady at the start are steady: `retire`",
        way_back: "`undo`",
    },
    Line {
        phase: Phase::Retire,
        word: "retire",
        does: "terminates the old instances of the wave by name, without decrement: on standby they do not count",
        until: "all have gone: `surge` for the next wave, or `restore`",
        way_back: "none: the wave is finished, then `restore`",
    },
    Line {
        phase: Phase::Undo,
        word: "undo",
        does: "sets the old ones ACTIVE; while tasks are on both, the new ones DRAINING before that, and then once every task that came in place of one serves, or after `EVENKEEL_LAUNCH_TIMEOUT`; suspends Terminate; raises the maximum if needed; takes the old ones off standby",
        until: "all old ones are in service: `dismiss`",
        way_back: "goes on",
    },
    Line {
        phase: Phase::Dismiss,
        word: "dismiss",
        does: "suspends Launch; marks, drains and terminates by name as many new ones as are too many; then desired capacity and maximum as found",
        until: "the sizes are as found: `restore`",
        way_back: "goes on",
    },
    Line {
        phase: Phase::Restore,
        word: "restore",
        does: "resumes what was suspended, takes the marks off, then the record",
        until: "nothing of Evenkeel's is left",
        way_back: "goes on",
    },
];

impl Phase {
    fn line(self) -> &'static Line {
        PHASES.iter().find(|line| line.phase == self).unwrap_or(&PHASES[0])
    }

    /// Its word in the record.
    pub fn word(self) -> &'static str {
        self.line().word
    }

    /// What is done in it, in words.
    pub fn does(self) -> &'static str {
        self.line().does
    }

    /// When it ends, in words.
    pub fn until(self) -> &'static str {
        self.line().until
    }

    /// The phase of a word.
    pub fn of_word(text: &str) -> Option<Self> {
        PHASES.iter().find(|line| line.word == text).map(|line| line.phase)
    }

    /// Whether the rollout is on its way to new instances, and may still be taken back.
    pub fn may_turn_back(self) -> bool {
        matches!(self, Self::Mark | Self::Surge | Self::Drain | Self::Gate)
    }
}

/// The table as Markdown, as the README has it.
pub fn as_markdown() -> String {
    let head = "| phase | what is done | until | way back |\n|---|---|---|---|\n".to_owned();
    let line = |line: &Line| {
        let Line { word, does, until, way_back, .. } = line;
        format!("| `{word}` | {does} | {until} | {way_back} |\n")
    };
    std::iter::once(head).chain(PHASES.iter().map(line)).collect()
}
