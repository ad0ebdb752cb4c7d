//! One group in the care of an invocation: what was done, what is waited for, and what is said about it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::Error;
use crate::ids::{GroupName, InstanceId};
use crate::plan::drain::empty::Emptiness;
use crate::plan::rollout::decision::{Decision, Outcome, outcome};
use crate::plan::rollout::phase::Phase;
use crate::plan::rollout::reason::RolloutReason;
use crate::plan::rollout::record::RolloutRecord;
use crate::plan::rollout::seen::{RolloutSnapshot, RolloutView};
use crate::report::rollout::GroupReport;
use crate::report::{Action, Status};
use crate::timestamp::Timestamp;

/// What an invocation is to do about a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Go on with what the record says.
    GoOn,
    /// The same, and the first record was not accepted; an answer that was lost may hide that it is there.
    GoOnIfBegun,
    /// Have it end.
    End,
}

/// One group in the care of an invocation.
#[derive(Debug)]
pub struct Rolled {
    /// Which.
    pub group: GroupName,
    /// What was done.
    pub actions: Vec<Action>,
    /// What is waited for, as of the last look.
    pub reasons: Vec<RolloutReason>,
    /// What is said about it at the end.
    pub report: GroupReport,
    /// Nothing is left to do in this invocation.
    pub is_over: bool,
    /// The last turn began a phase: the next need not wait.
    pub is_moving: bool,
    pub(super) told: Told,
    pub(super) empty_since: BTreeMap<InstanceId, Timestamp>,
    seen_at: Option<Timestamp>,
    pub(super) error: Option<Error>,
}

impl Rolled {
    /// A group that nothing is known of yet.
    pub fn new(group: GroupName) -> Self {
        Self {
            report: GroupReport::new(group.clone()),
            group,
            actions: Vec::new(),
            reasons: Vec::new(),
            is_over: false,
            is_moving: false,
            told: Told::GoOn,
            empty_since: BTreeMap::new(),
            seen_at: None,
            error: None,
        }
    }

    /// Why the last look failed.
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// The error that keeps it from being looked at, given away.
    pub fn take_error(&mut self) -> Option<Error> {
        self.error.take()
    }

    /// Keeps what came of a turn. What was not seen in between may have been otherwise.
    pub fn note(&mut self, result: Result<(), Error>) {
        self.error = result.err();
        self.is_moving &= self.error.is_none();
        self.report.error = self.error.as_ref().map(Error::chain);
        if let Some(error) = &self.error {
            self.empty_since.clear();
            self.is_over |= !error.is_retryable();
            tracing::warn!(group = %self.group, error = error.chain(), "turn failed");
        }
    }

    pub(super) fn end(&mut self, status: Status, summary: impl Into<String>) {
        (self.report.status, self.report.summary, self.is_over) = (status, summary.into(), true);
    }

    /// Whether some instance was found empty, and not yet for so long that two looks agree.
    pub fn is_confirming(&self, empty_after: Duration) -> bool {
        let is_young = |since: &Timestamp| self.seen_at.is_some_and(|at| at.since(*since) < empty_after);
        !self.is_over && self.empty_since.values().any(is_young)
    }

    /// An instance is empty, or registered nowhere, since the first of the looks that all found it so.
    pub(super) fn note_emptiness(&mut self, seen: &RolloutSnapshot) {
        let is_empty =
            |id: &InstanceId| seen.emptiness(id) == Emptiness::Empty || !seen.registered.contains_key(id);
        self.empty_since.retain(|id, _| seen.group.instances.contains_key(id) && is_empty(id));
        self.seen_at = Some(seen.observed_at);
        for id in seen.group.instances.keys().filter(|id| is_empty(id)) {
            self.empty_since.entry(id.clone()).or_insert(seen.observed_at);
        }
    }

    /// The record is gone: how it ended.
    pub(super) fn end_of(&mut self, record: &RolloutRecord) {
        let (status, summary) = match outcome(record) {
            Outcome::Done => {
                (Status::Done, "every old instance is replaced, and everything is as found".to_owned())
            }
            Outcome::Aborted(ending) => {
                let why = format!("{}: the waves that were done stay, the rest stays old", ending.word());
                (Status::Aborted, why)
            }
            Outcome::RolledBack(ending) => {
                (Status::RolledBack, format!("{}: the group is as it was before", ending.word()))
            }
        };
        if record.ending.is_none() {
            self.report.percent_done = Some(100);
        }
        self.end(status, summary);
    }
}

/// Where it stands, what it waits on, and what comes next.
pub(super) fn describe(report: &mut GroupReport, view: &RolloutView<'_>, decision: &Decision) {
    let ids = |all: Vec<&crate::snapshot::AutoScalingInstance>| all.iter().map(|it| it.id.clone()).collect();
    let (record, group) = (view.record, &view.seen.group);
    report.note_record(record);
    if let Some(next) = &decision.next {
        report.note_record(next);
    }
    report.sizes = Some((group.min, group.desired, group.max));
    // Until all marks are there, who is new cannot be told.
    let news = if record.phase == Phase::Mark { Vec::new() } else { view.news() };
    (report.waiting, report.on_standby, report.new) =
        (ids(view.waiting()), ids(view.on_standby()), ids(news));
    let left = (report.waiting.len() + report.on_standby.len()) as u32;
    let replaced = if record.phase == Phase::Mark { 0 } else { record.olds.saturating_sub(left) };
    report.percent_done = Some((replaced * 100).checked_div(record.olds).unwrap_or(100));
    report.status = Status::InProgress;
    let phase = record.phase;
    let waits =
        decision.reasons.first().map_or_else(String::new, |it| format!("; it waits: {}", it.sentence()));
    report.summary =
        format!("{} since {}: {}{waits}; until {}", phase.word(), record.since, phase.does(), phase.until());
}
