//! What the job `rollout` says when it ends.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ids::{ClusterName, GroupName, InstanceId};
use crate::plan::rollout::phase::Phase;
use crate::plan::rollout::preflight::Preflight;
use crate::plan::rollout::reason::RolloutReason;
use crate::plan::rollout::record::{Ending, RolloutRecord};
use crate::report::metrics::{self, Series};
use crate::report::{Action, JobReport, Status};
use crate::timestamp::Timestamp;

/// The report of one invocation.
#[must_use]
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutReport {
    /// `rollout`.
    pub job: &'static str,
    /// How it ended.
    pub status: Status,
    /// Whether writing was off.
    pub dry_run: bool,
    /// One entry a group.
    pub groups: Vec<GroupReport>,
    /// Every call that changed, or was to change, something.
    pub actions: Vec<Action>,
    /// What a start was refused for, and what is waited for.
    pub blocked: Vec<RolloutBlocked>,
    /// What could not be looked at, with the causes.
    pub errors: Vec<String>,
    /// Attempted calls by operation.
    pub api_calls: BTreeMap<String, u64>,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupReport {
    /// Which.
    pub auto_scaling_group: GroupName,
    /// In which cluster its instances are registered.
    pub cluster: Option<ClusterName>,
    /// How it stands.
    pub status: Status,
    /// Where it stands, what it waits on, and what comes next, in words.
    pub summary: String,
    /// In which phase it is.
    pub phase: Option<Phase>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// How much of the old instances is replaced, in percent.
    pub percent_done: Option<u32>,
    /// Why it ends before its time.
    pub ending: Option<Ending>,
    /// Minimum, desired capacity and maximum at the last look.
    pub sizes: Option<(u32, u32, u32)>,
    /// Old instances in service.
    pub waiting: Vec<InstanceId>,
    /// Old instances on standby.
    pub on_standby: Vec<InstanceId>,
    /// New instances in service.
    pub new: Vec<InstanceId>,
    /// What was found before the start.
    pub preflight: Option<Preflight>,
    /// When which phase began, as far as this invocation saw it.
    pub phases: Vec<PhaseBegun>,
    /// Why it could not be looked at, with its causes.
    pub error: Option<String>,
}

/// The begin of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PhaseBegun {
    /// Which.
    pub phase: Phase,
    /// When.
    pub at: Timestamp,
}

impl GroupReport {
    /// A group about which nothing is known yet.
    pub fn new(group: GroupName) -> Self {
        Self {
            auto_scaling_group: group,
            cluster: None,
            status: Status::NothingToDo,
            summary: String::new(),
            phase: None,
            since: None,
            started_at: None,
            percent_done: None,
            ending: None,
            sizes: None,
            waiting: Vec::new(),
            on_standby: Vec::new(),
            new: Vec::new(),
            preflight: None,
            phases: Vec::new(),
            error: None,
        }
    }

    /// Takes over what the record says.
    pub fn note_record(&mut self, record: &RolloutRecord) {
        self.phase = Some(record.phase);
        self.since = Some(record.since);
        self.started_at = Some(record.started_at);
        self.ending = record.ending;
        if self.phases.last().is_none_or(|last| last.phase != record.phase) {
            self.phases.push(PhaseBegun { phase: record.phase, at: record.since });
        }
    }
}

/// Something that is not done, or not yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutBlocked {
    /// Which group.
    pub auto_scaling_group: GroupName,
    /// Why, with its code and values.
    #[serde(flatten)]
    pub reason: RolloutReason,
    /// The reason as a sentence.
    pub sentence: String,
}

impl RolloutBlocked {
    /// A reason with its sentence.
    pub fn new(group: &GroupName, reason: RolloutReason) -> Self {
        let sentence = format!("group {group}: {}", reason.sentence());
        Self { auto_scaling_group: group.clone(), reason, sentence }
    }
}

impl JobReport for RolloutReport {
    fn headline(&self) -> (&'static str, Status, bool) {
        (self.job, self.status, self.dry_run)
    }

    fn metrics(&self, at: Timestamp) -> Vec<Series> {
        let blocked = self.blocked.len();
        let own = metrics::of_function("rollout", self.status, &self.actions, blocked, &self.api_calls);
        [vec![own], metrics::of_rollout(self, at)].concat()
    }
}
