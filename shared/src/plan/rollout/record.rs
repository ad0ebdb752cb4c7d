//! The record of a rollout: one tag on the Auto Scaling group, written before the change that it announces.
//!
//! It says which way the rollout goes on, whatever became of the invocation that began it. Values of Auto Scaling tags hold
//! at most 256 characters (API: `Tag`):
//!
//! ```text
//! 1:drain:1767323045:1767323165:0:6:6:6/9/9:zas:100/0/0:7:all:-:-
//! | |     |          |          | | | | | | |   | | |  | |   | `forced` once the drain of this wave took too long
//! | |     |          |          | | | | | | |   | | |  | |   why it ends before its time, or `-`
//! | |     |          |          | | | | | | |   | | |  | which instances are old: `all`, or those that have `drifted`
//! | |     |          |          | | | | | | |   | | |  version of the launch template that is meant to run
//! | |     |          |          | | | | | | |   percent of the group at once, instances of the first wave, seconds of the bake
//! | |     |          |          | | | | | | processes that Evenkeel suspended, a letter each
//! | |     |          |          | | | desired capacity to end with, maximum as found, maximum for the way back
//! | |     |          |          | | instances that were old at the start
//! | |     |          |          | instances of this wave
//! | |     |          |          waves whose old instances are terminated
//! | |     |          since when it is in this phase
//! | phase            start
//! version
//! ```
//!
//! Each old container instance carries the attribute `evenkeel.rollout`. Neither tag nor attribute says which instance
//! is new: what came later is.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;

use crate::plan::rollout::phase::Phase;
use crate::plan::rollout::words::Word;
use crate::timestamp::Timestamp;

/// Tag of the group: the record.
pub const ROLLOUT_TAG: &str = "evenkeel:rollout";
/// Tag of the group: the cluster in which its instances are registered.
pub const CLUSTER_TAG: &str = "evenkeel:rollout-cluster";
/// Tag of the group: services that were not steady at the start, and are not waited for.
pub const UNSTEADY_TAG: &str = "evenkeel:rollout-unsteady";
/// Tag of the group that stays: the launch template version that was rolled back last, and why.
pub const REJECTED_TAG: &str = "evenkeel:rollout-rejected";
pub use crate::plan::record::ROLLOUT_ATTRIBUTE;
pub use crate::plan::rollout::words::{Ending, Mark, Process, Selection, Terms};

const FORCED: &str = "forced";
/// The longest that settings and commands may ask for.
const BAKE_MAX: Duration = Duration::from_hours(24);

/// The record of a rollout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutRecord {
    /// Where it stands.
    pub phase: Phase,
    /// When it began.
    pub started_at: Timestamp,
    /// Since when it is in this phase.
    pub since: Timestamp,
    /// Waves whose old instances are terminated.
    pub waves_done: u32,
    /// Instances of this wave.
    pub wave_size: u32,
    /// Instances that were old at the start.
    pub olds: u32,
    /// Desired capacity to end with; on the way forward it is nobody's but the group's own.
    pub keep: u32,
    /// Maximum as found.
    pub max: u32,
    /// Maximum that lets the old instances back in; as found where that is enough.
    pub raised_max: u32,
    /// Processes that Evenkeel suspended.
    pub suspended: BTreeSet<Process>,
    /// What was asked for.
    pub terms: Terms,
    /// Version of the launch template that is meant to run; 0 where there is none.
    pub target: u64,
    /// Why it ends before its time.
    pub ending: Option<Ending>,
    /// Whether this wave's old instances go with what is left on them: its drain took too long, and a setting says so.
    pub is_forced: bool,
}

impl RolloutRecord {
    /// The same in another phase.
    #[must_use]
    pub fn in_phase(&self, phase: Phase, now: Timestamp) -> Self {
        Self { phase, since: now, ..self.clone() }
    }

    /// Bounds that the sum of any two, and a share of a group, can be calculated within, should somebody have typed it.
    fn is_plausible(&self) -> bool {
        let sizes = [self.wave_size, self.olds, self.keep, self.max, self.raised_max, self.waves_done];
        let Terms { surge_percent, canary, bake_time, .. } = self.terms;
        let are_terms = (1..=100).contains(&surge_percent) && canary <= 100 && bake_time <= BAKE_MAX;
        let are_times = self.started_at.is_plausible() && self.since.is_plausible();
        sizes.iter().all(|size| *size <= 1_000_000_000) && are_terms && are_times
    }
}

impl fmt::Display for RolloutRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Terms { surge_percent, canary, bake_time, selection } = self.terms;
        let suspended: String = self.suspended.iter().map(|it| Word::word(*it)).collect();
        write!(
            f,
            "1:{}:{}:{}:{}:{}:{}:{}/{}/{}:{suspended}:{surge_percent}/{canary}/{}:{}:{}:{}:{}",
            self.phase.word(),
            self.started_at.as_secs(),
            self.since.as_secs(),
            self.waves_done,
            self.wave_size,
            self.olds,
            self.keep,
            self.max,
            self.raised_max,
            bake_time.as_secs(),
            self.target,
            Word::word(selection),
            self.ending.map_or("-", Ending::word),
            if self.is_forced { FORCED } else { "-" },
        )
    }
}

/// A tag value that is not a record of this version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not the record of a rollout")]
pub struct NotARecord(pub String);

impl FromStr for RolloutRecord {
    type Err = NotARecord;

    fn from_str(text: &str) -> Result<Self, NotARecord> {
        let read = parse(text).filter(|record| record.is_plausible() && record.to_string() == text);
        read.ok_or_else(|| NotARecord(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<RolloutRecord> {
    let fields: Vec<&str> = text.split(':').collect();
    let &[
        "1",
        phase,
        started,
        since,
        done,
        size,
        olds,
        sizes,
        suspended,
        terms,
        target,
        selection,
        ending,
        forced,
    ] = fields.as_slice()
    else {
        return None;
    };
    let [keep, max, raised_max] = three(sizes)?;
    let [surge_percent, canary, bake] = three(terms)?;
    let ending = if ending == "-" { None } else { Some(<Ending as Word>::of_word(ending)?) };
    let letters = suspended.chars().map(|letter| <Process as Word>::of_word(&letter.to_string()));
    Some(RolloutRecord {
        phase: Phase::of_word(phase)?,
        started_at: moment(started)?,
        since: moment(since)?,
        waves_done: done.parse().ok()?,
        wave_size: size.parse().ok()?,
        olds: olds.parse().ok()?,
        keep,
        max,
        raised_max,
        suspended: letters.collect::<Option<BTreeSet<Process>>>()?,
        terms: Terms {
            surge_percent,
            canary,
            bake_time: Duration::from_secs(u64::from(bake)),
            selection: <Selection as Word>::of_word(selection)?,
        },
        target: target.parse().ok()?,
        ending,
        is_forced: [("-", false), (FORCED, true)].into_iter().find(|(word, _)| *word == forced)?.1,
    })
}

fn three(text: &str) -> Option<[u32; 3]> {
    let numbers: Option<Vec<u32>> = text.split('/').map(|number| number.parse().ok()).collect();
    numbers?.try_into().ok()
}

fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(Timestamp::from_secs)
}
