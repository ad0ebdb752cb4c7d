//! Going on with the moves that stand in the records: each one step a turn.

use std::collections::{BTreeMap, BTreeSet};

use crate::execute::Execute;
use crate::ids::{ContainerInstanceArn, ServiceName, TaskArn};
use crate::plan::proposal::Limits;
use crate::plan::reason::{Blocked, Reason, Subject, SubjectKind};
use crate::plan::record::{MoveRecord, PAUSE_TAG, record_of};
use crate::plan::rest::rest_of;
use crate::plan::stop::next_step;
use crate::plan::surge::{MoveView, Outcome, Step, Waiting};
use crate::report::{Action, ActionOutcome, Landing};
use crate::snapshot::{ClusterSnapshot, Task};
use crate::timestamp::Timestamp;

use super::memory::RecordSight;
use super::{Job, Memory, Rebalance};

impl Rebalance<'_> {
    /// Takes every move on record one step further.
    pub(super) async fn go_on_with_moves(
        &self,
        snapshot: &ClusterSnapshot,
        records: &BTreeMap<ServiceName, Option<MoveRecord>>,
        memory: &mut Memory,
    ) -> Vec<Blocked> {
        let present = records.keys().cloned().collect();
        let mut blocked: Vec<Blocked> = memory
            .missing(snapshot, &present)
            .into_iter()
            .map(|(service, reason)| Subject::new(SubjectKind::Service, service).blocked(reason))
            .collect();
        for (service, record) in records {
            blocked.extend(self.go_on_with_move(snapshot, service, record.as_ref(), memory).await);
        }
        blocked
    }

    pub(super) async fn go_on_with_move(
        &self,
        snapshot: &ClusterSnapshot,
        service: &ServiceName,
        record: Option<&MoveRecord>,
        memory: &mut Memory,
    ) -> Option<Blocked> {
        let subject = Subject::new(SubjectKind::Service, service);
        let Some(record) = record else {
            let what = "the tag evenkeel:move does not hold the record of a move; look at it and remove it"
                .to_owned();
            return Some(subject.blocked(Reason::CannotTell { what }));
        };
        if memory.see(service, record) == RecordSight::Stale {
            let what = "the record of its move is older than one already seen".to_owned();
            return Some(subject.blocked(Reason::StaleRead { what }));
        }
        let limits = self.limits(memory, &BTreeSet::new());
        let decide = |fresh: &ClusterSnapshot| self.decide(fresh, service, record, &limits);
        let step = self.decide_on(snapshot, service, record, &limits)?;
        if self.dry_run {
            return Some(subject.blocked(Reason::MoveInFlight));
        }
        let service_seen = snapshot.services.get(service)?;
        let execute = Execute { aws: self.aws, snapshot, service: service_seen, record: Some(record) };
        let actions = execute.execute_step(&step, &decide).await;
        self.note_step(snapshot, service, record, &step, &actions, memory);
        memory.actions.extend(actions);
        waiting_reason(&step).map(|reason| subject.blocked(reason))
    }

    /// The step that a fresh snapshot asks for, unless its record has gone back behind the one acted on.
    pub(super) fn decide(
        &self,
        fresh: &ClusterSnapshot,
        service: &ServiceName,
        acted_on: &MoveRecord,
        limits: &Limits,
    ) -> Option<Step> {
        let record = record_of(fresh.services.get(service)?)?.ok()?;
        let is_same_move = record.started_at == acted_on.started_at && record.chosen == acted_on.chosen;
        (is_same_move && record.sequence >= acted_on.sequence).then_some(())?;
        self.decide_on(fresh, service, &record, limits)
    }

    pub(super) fn decide_on(
        &self,
        snapshot: &ClusterSnapshot,
        service: &ServiceName,
        record: &MoveRecord,
        limits: &Limits,
    ) -> Option<Step> {
        let is_release = self.job == Job::Release;
        let paused = snapshot.tags.known().map(|tags| tags.contains_key(PAUSE_TAG));
        let paused = if is_release { Some(true) } else { paused };
        let view = MoveView {
            snapshot,
            limits,
            service: snapshot.services.get(service)?,
            record,
            healthy_after: self.settings.healthy_after,
            move_timeout: self.settings.move_timeout,
            paused,
            remembers: !is_release,
        };
        Some(next_step(&view))
    }

    pub(super) fn note_step(
        &self,
        snapshot: &ClusterSnapshot,
        service: &ServiceName,
        record: &MoveRecord,
        step: &Step,
        actions: &[Action],
        memory: &mut Memory,
    ) {
        let is_done = actions.iter().all(|action| action.outcome == ActionOutcome::Done);
        let was_recorded = actions.first().is_some_and(|action| action.outcome == ActionOutcome::Done);
        match step {
            Step::Record(next) | Step::Raise { record: next, .. } if was_recorded => {
                memory.remember(service, next);
            }
            Step::Lower { closing, .. } if is_done => memory.remember(service, closing),
            Step::Finish(outcome) if is_done => {
                let foreseen = memory.foreseen(service, &record.chosen);
                memory.landings.push(landing(snapshot, service, record, *outcome, foreseen));
                memory.end(service, record, *outcome, new_tasks(snapshot, service, record));
                if *outcome != Outcome::Moved {
                    let reason = self.reason_to_rest(snapshot, service, record, *outcome);
                    memory.set_aside.insert(service.clone(), reason);
                }
            }
            _ => {}
        }
    }

    /// Why a service whose move came to nothing is left alone for the rest of the invocation.
    fn reason_to_rest(
        &self,
        snapshot: &ClusterSnapshot,
        service: &ServiceName,
        record: &MoveRecord,
        outcome: Outcome,
    ) -> Reason {
        let until = snapshot.observed_at + self.settings.cooldown;
        let rest = snapshot.services.get(service).and_then(rest_of).and_then(Result::ok);
        match rest.filter(|rest| rest.move_started_at == record.started_at) {
            Some(rest) => {
                Reason::RestingAfterMisses { misses: rest.misses, observed: rest.observed, until: rest.until }
            }
            None => resting_reason(outcome, until),
        }
    }
}

fn landing(
    snapshot: &ClusterSnapshot,
    service: &ServiceName,
    record: &MoveRecord,
    outcome: Outcome,
    foreseen: Option<ContainerInstanceArn>,
) -> Landing {
    let came = snapshot
        .tasks
        .values()
        .filter(|task| task.service.as_ref() == Some(service) && task.created_at >= Some(record.started_at));
    let task = match &record.new {
        Some(new) => came.into_iter().find(|task| task.arn.short() == new),
        None => came.min_by_key(|task| (task.created_at, &task.arn)),
    };
    Landing {
        service: service.clone(),
        task: record.chosen.clone(),
        foreseen,
        landed: task.and_then(|task| task.container_instance.clone()),
        helped: outcome == Outcome::Moved,
        outcome,
        missed: record.missed,
    }
}

/// Wanted tasks of a service that came with the move.
fn new_tasks(snapshot: &ClusterSnapshot, service: &ServiceName, record: &MoveRecord) -> Vec<TaskArn> {
    let since_start = |task: &&Task| task.created_at >= Some(record.started_at);
    snapshot.wanted_tasks(service).filter(since_start).map(|task| task.arn.clone()).collect()
}

/// Why a service rests after a move that did not end as it should.
fn resting_reason(outcome: Outcome, until: Timestamp) -> Reason {
    match outcome {
        Outcome::NoBetter | Outcome::NotReplaced => Reason::RestingAfterStop { until },
        _ => Reason::RestingAfterRollback { until },
    }
}

/// A wait that an operator should know of, as a reason.
fn waiting_reason(step: &Step) -> Option<Reason> {
    match step {
        Step::Wait(Waiting::CannotTell(what)) => Some(Reason::CannotTell { what: what.clone() }),
        Step::Wait(Waiting::Deployment) => Some(Reason::Deploying),
        Step::Wait(_) => Some(Reason::MoveInFlight),
        _ => None,
    }
}
