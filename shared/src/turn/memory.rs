//! What one invocation remembers from turn to turn. Losing it costs a confirmation or a cooldown, never correctness.

mod confirmed;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::ids::{ContainerInstanceArn, ServiceName, TaskArn};
use crate::observe::TaskDefinitions;
use crate::plan::proposal::{CurvePoint, GroupPlan, Heading, Layer, Move, RebalancePlan};
use crate::plan::reason::Reason;
use crate::plan::record::MoveRecord;
use crate::plan::surge::Outcome;
use crate::plan::trace::Trace;
use crate::report::{Action, Landing, MoveCounts, ServiceState, report_states};
use crate::snapshot::ClusterSnapshot;
use crate::timestamp::Timestamp;

/// A record that was there and is not seen any more is given this long to turn up: AWS's reads lag by seconds (API:
/// `RunTask` speaks of eventual consistency), and a lost record is only reported, so nothing is gained by haste.
const RECORD_LOST_AFTER: Duration = Duration::from_mins(1);

/// How often a move is tried to be recorded in one invocation.
const TRIES: u32 = 3;

/// Memory of the work on one cluster.
#[derive(Debug, Default)]
pub struct Memory {
    /// Since when each service has looked worth a move, without interruption.
    pub(super) seen_since: BTreeMap<ServiceName, Timestamp>,
    /// Services whose rebalance has begun.
    pub(super) triggered: BTreeSet<ServiceName>,
    /// Tasks that our finished moves started.
    pub(super) own_tasks: BTreeSet<TaskArn>,
    /// How often a planned move could not be begun.
    tries: BTreeMap<ServiceName, u32>,
    /// Services read closely for the second layer in vain.
    pub(super) passed_over: BTreeSet<ServiceName>,
    /// Services to leave alone for the rest of the invocation.
    pub(super) set_aside: BTreeMap<ServiceName, Reason>,
    /// The newest record known of each service.
    records: BTreeMap<ServiceName, LastRecord>,
    /// What was moved so far.
    pub(super) moves: MoveCounts,
    /// Whether any move ended because somebody else came first.
    pub(super) is_aborted: bool,
    /// The moves begun, in order.
    pub(super) begun: Vec<Move>,
    /// Task definitions read so far.
    pub(super) definitions: TaskDefinitions,
    /// Services at the first look.
    pub(super) before: Vec<ServiceState>,
    /// Services at the last look.
    pub(super) after: Vec<ServiceState>,
    /// Groups of instances at the first look.
    pub(super) load_before: Vec<GroupPlan>,
    /// The same at the last look.
    pub(super) load_after: Vec<GroupPlan>,
    /// What any number of moves would reach, at the first look.
    pub(super) curve: Vec<CurvePoint>,
    /// Since when the load of the instances has looked worth a move, without interruption.
    load_seen_since: Option<Timestamp>,
    /// Whether the second layer has begun.
    is_load_triggered: bool,
    /// Every action so far.
    pub(super) actions: Vec<Action>,
    /// The moves that ended, in order.
    pub(super) landings: Vec<Landing>,
    /// What a release found, each trace as it was first seen.
    found: BTreeMap<(String, &'static str), String>,
    /// For how many turns on end a release has been held up.
    pub(super) turns_held_up: u32,
}

#[derive(Debug)]
struct LastRecord {
    started_at: Timestamp,
    sequence: u32,
    is_finished: bool,
    missing_since: Option<Timestamp>,
}

/// What a service's record looks like beside what is remembered of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecordSight {
    /// It can be acted on.
    Fresh,
    /// It is older than one already seen: the read lags behind.
    Stale,
}

impl Memory {
    /// What was moved so far.
    pub fn moves(&self) -> MoveCounts {
        self.moves
    }

    /// Whether any move ended because somebody else came first.
    pub fn is_aborted(&self) -> bool {
        self.is_aborted
    }

    /// Services past the threshold or worth a move, as first seen.
    pub fn before(&self) -> &[ServiceState] {
        &self.before
    }

    /// The same services as last seen.
    pub fn after(&self) -> &[ServiceState] {
        &self.after
    }

    /// The moves begun so far, in order.
    pub fn begun(&self) -> &[Move] {
        &self.begun
    }

    /// Every action so far.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// The moves that ended so far, in order.
    pub fn landings(&self) -> &[Landing] {
        &self.landings
    }

    /// What a release found, one line each.
    pub fn found(&self) -> Vec<String> {
        self.found.values().cloned().collect()
    }

    pub(super) fn note_found(&mut self, found: &[Trace], snapshot: &ClusterSnapshot) {
        for trace in found {
            self.found.entry(trace.place(snapshot)).or_insert_with(|| trace.line(snapshot));
        }
    }

    /// Where the new task of a move is meant to land, if this invocation planned it.
    pub(super) fn foreseen(&self, service: &ServiceName, chosen: &str) -> Option<ContainerInstanceArn> {
        let is_it = |planned: &&Move| planned.service == *service && planned.task.short() == chosen;
        self.begun.iter().rev().find(is_it).map(|planned| planned.to.clone())
    }

    /// Compares a record as read with the newest known, and remembers it if it is news.
    pub(super) fn see(&mut self, service: &ServiceName, record: &MoveRecord) -> RecordSight {
        let known = self.records.get(service).filter(|known| known.started_at >= record.started_at);
        match known {
            Some(known) if known.started_at > record.started_at => RecordSight::Stale,
            Some(known) if known.is_finished || known.sequence > record.sequence => RecordSight::Stale,
            Some(_) => {
                self.remember(service, record);
                RecordSight::Fresh
            }
            None => {
                self.moves.started += 1;
                self.remember(service, record);
                RecordSight::Fresh
            }
        }
    }

    /// Remembers a record as the newest.
    pub(super) fn remember(&mut self, service: &ServiceName, record: &MoveRecord) {
        let last = LastRecord {
            started_at: record.started_at,
            sequence: record.sequence,
            is_finished: false,
            missing_since: None,
        };
        self.records.insert(service.clone(), last);
    }

    /// Whether another turn is worth while after a move that could not be begun: when the service was seen to change, or AWS
    /// refused, a few times for itself; else it is set aside, and the turn is for those that it stood in the way of.
    pub(super) fn is_worth_another_try(&mut self, service: &ServiceName, reason: &Reason) -> bool {
        let may_pass = matches!(reason, Reason::StaleRead { .. } | Reason::RecordRefused { .. });
        let tries = self.tries.entry(service.clone()).or_default();
        *tries += 1;
        if may_pass && *tries < TRIES {
            return true;
        }
        self.set_aside.insert(service.clone(), reason.clone());
        !may_pass
    }

    /// Remembers a move just begun.
    pub(super) fn begin(&mut self, planned: &Move, record: &MoveRecord, lower_bound: u32) {
        self.remember(&planned.service, record);
        self.moves.started += 1;
        self.begun.push(planned.clone());
        let is_first = match planned.layer {
            Layer::Service => self.triggered.insert(planned.service.clone()),
            Layer::Cluster => !std::mem::replace(&mut self.is_load_triggered, true),
        };
        if is_first {
            self.moves.lower_bound += lower_bound;
        }
    }

    /// Where the moves in flight that this invocation began mean to bring their task.
    pub(super) fn heading(&self) -> BTreeMap<ServiceName, Heading> {
        let running = self.begun.iter().filter(|begun| !self.is_over(&begun.service));
        running.map(|begun| (begun.service.clone(), Heading::of(begun))).collect()
    }

    /// Passes over the services that were read closely where that led to no move at all, so that the next turn reads others.
    /// Whether there is anything new to pass over.
    pub(super) fn pass_over(&mut self, plan: &RebalancePlan, read: BTreeSet<ServiceName>) -> bool {
        let is_in_vain = plan.load.moves.is_empty() && plan.services.iter().all(|it| it.moves.is_empty());
        let known = self.passed_over.len();
        self.passed_over.extend(read.into_iter().filter(|_| is_in_vain));
        self.passed_over.len() > known
    }

    /// Notes how services and instances stand.
    pub(super) fn note_states(&mut self, plan: &RebalancePlan) {
        if self.load_before.is_empty() {
            self.load_before.clone_from(&plan.load.groups);
            self.curve.clone_from(&plan.curve);
        }
        self.load_after.clone_from(&plan.load.groups);
        self.after = report_states(plan, &self.before);
        for state in &self.after {
            if self.before.iter().all(|known| known.service != state.service) {
                self.before.push(state.clone());
            }
        }
    }

    /// Groups of instances, as first and as last seen.
    pub fn load(&self) -> (&[GroupPlan], &[GroupPlan]) {
        (&self.load_before, &self.load_after)
    }

    /// What any number of moves would have reached, as first seen.
    pub fn curve(&self) -> &[CurvePoint] {
        &self.curve
    }

    /// Whether the record of a move got lost in this invocation.
    pub fn has_lost_record(&self) -> bool {
        self.set_aside.values().any(|reason| *reason == Reason::RecordLost)
    }

    /// Remembers how a move ended.
    pub(super) fn end(
        &mut self,
        service: &ServiceName,
        record: &MoveRecord,
        outcome: Outcome,
        new: Vec<TaskArn>,
    ) {
        if let Some(last) = self.records.get_mut(service) {
            last.is_finished = true;
        }
        self.moves.extra_starts += record.starts.saturating_sub(1);
        match outcome {
            Outcome::Moved => {
                self.moves.completed += 1;
                self.own_tasks.extend(new);
            }
            Outcome::RolledBack | Outcome::AnotherTaskStopped | Outcome::NoBetter | Outcome::NotReplaced => {
                self.moves.undone += 1;
            }
            Outcome::DesiredChanged | Outcome::Yielded => {
                self.moves.undone += 1;
                self.is_aborted = true;
            }
        }
    }

    /// Whether the last known move of a service has ended.
    pub(super) fn is_over(&self, service: &ServiceName) -> bool {
        self.records.get(service).is_some_and(|last| last.is_finished)
    }

    /// Services whose record was known and is not in this snapshot: for a while a stale read, then lost.
    pub(super) fn missing(
        &mut self,
        snapshot: &ClusterSnapshot,
        present: &BTreeSet<ServiceName>,
    ) -> Vec<(ServiceName, Reason)> {
        let mut missing = Vec::new();
        for (service, last) in &mut self.records {
            if last.is_finished || present.contains(service) {
                last.missing_since = None;
                continue;
            }
            let since = *last.missing_since.get_or_insert(snapshot.observed_at);
            let is_lost = snapshot.observed_at.since(since) >= RECORD_LOST_AFTER;
            let stale =
                || Reason::StaleRead { what: "the record of its move is not in this answer".to_owned() };
            missing.push((service.clone(), if is_lost { Reason::RecordLost } else { stale() }));
        }
        for (service, _) in missing.iter().filter(|(_, reason)| *reason == Reason::RecordLost) {
            self.records.remove(service);
            self.set_aside.insert(service.clone(), Reason::RecordLost);
        }
        missing
    }
}
