//! One turn of the rebalance of one cluster: observe, plan, execute, and say whether another turn is worth while.
//!
//! Turns share nothing but [`Memory`], and a turn that is lost, repeated or overlapped does no harm: what is under way
//! stands in the records on the services.

mod memory;

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::Aws;
use crate::error::Error;
use crate::execute::{Begun, Execute, execute_surge_on};
use crate::ids::{ClusterName, ServiceName, TaskArn};
use crate::observe;
use crate::percent::Percent;
use crate::plan::reason::{Blocked, Reason, Subject, SubjectKind};
use crate::plan::rebalance::{Limits, Move, RebalancePlan, candidates, plan_rebalance};
use crate::plan::record::{MoveRecord, PAUSE_TAG, record_of};
use crate::plan::surge::{MoveView, Step, next_step, surge_off_until};
use crate::report::{Action, ActionOutcome, report_states};
use crate::settings::Settings;
use crate::snapshot::{ClusterSnapshot, Known};

pub use memory::Memory;
use memory::RecordSight;

/// Moves under way at the same time in one cluster. Each holds one surplus task and costs about ten calls a turn of the
/// account's buckets; five level a large cluster in minutes and stay below a fifth of the 5 `UpdateService` a second.
const MOVES_AT_ONCE: u32 = 5;

/// What a rebalance is asked to do, after settings and command are joined.
#[derive(Clone, Debug)]
pub struct Rebalance<'a> {
    /// AWS.
    pub aws: &'a Aws,
    /// Settings.
    pub settings: &'a Settings,
    /// The cluster.
    pub cluster: ClusterName,
    /// Plan and report only.
    pub dry_run: bool,
    /// Threshold of this invocation.
    pub skew_threshold: Percent,
    /// Move budget of this invocation.
    pub max_moves: u32,
}

/// What one turn found and did.
#[derive(Debug)]
pub struct Turn {
    /// Whether there is something to go on with after a pause.
    pub goes_on: bool,
    /// Why candidates were left alone, as of this turn.
    pub blocked: Vec<Blocked>,
    /// The moves the plan asks for.
    pub planned: Vec<Move>,
    /// Services above the threshold that could be improved and are not being moved.
    pub is_held_up: bool,
    /// The cluster as a whole takes no new moves, and some are wanted.
    pub is_obstructed: bool,
}

impl Rebalance<'_> {
    /// Runs one turn.
    pub async fn turn(&self, memory: &mut Memory) -> Result<Turn, Error> {
        let mut snapshot = observe::cluster(self.aws, &self.cluster).await?;
        let records = records(&snapshot);
        let in_flight: BTreeSet<ServiceName> = records.keys().cloned().collect();
        let look_at = candidates(&snapshot, &self.limits(memory, &in_flight));
        observe::details(self.aws, &mut snapshot, &look_at, &in_flight, &mut memory.definitions).await;

        let mut blocked = self.go_on_with_moves(&snapshot, &records, memory).await;
        let is_moving = records.values().any(Option::is_some) || blocked.iter().any(is_stale_read);
        let plan = plan_rebalance(&snapshot, &self.limits(memory, &in_flight));
        self.note_states(memory, &plan);
        blocked.extend(plan.services.iter().flat_map(|it| it.blocked.clone()));
        let obstacle = self.obstacle(&snapshot, memory).await;
        let is_obstructed = obstacle.is_some() && !plan.starts.is_empty();
        let starts = self.start_moves(&snapshot, &plan, obstacle.as_ref(), memory).await;
        blocked.extend(obstacle.filter(|_| is_obstructed || !in_flight.is_empty()));
        blocked.extend(starts.blocked);

        memory.moves.in_flight = self.count_in_flight(&records, memory) + starts.begun;
        Ok(Turn {
            goes_on: !self.dry_run && (is_moving || starts.begun > 0 || starts.waits),
            is_held_up: self.is_held_up(&plan),
            is_obstructed,
            planned: plan.services.into_iter().flat_map(|it| it.moves).collect(),
            blocked,
        })
    }

    fn limits(&self, memory: &Memory, in_flight: &BTreeSet<ServiceName>) -> Limits {
        let free = MOVES_AT_ONCE.saturating_sub(in_flight.len() as u32);
        Limits {
            skew_threshold: self.skew_threshold,
            warm_up: self.settings.warm_up,
            cooldown: self.settings.cooldown,
            moves_max: self.max_moves.saturating_sub(memory.moves.started).min(free),
            moves_at_once: MOVES_AT_ONCE,
            triggered: memory.triggered.clone(),
            own_tasks: memory.own_tasks.clone(),
            in_flight: in_flight.clone(),
            set_aside: memory.set_aside.clone(),
        }
    }

    /// Takes every move on record one step further.
    async fn go_on_with_moves(
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

    async fn go_on_with_move(
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
        let execute = Execute { aws: self.aws, snapshot, service: snapshot.services.get(service)? };
        let actions = execute.execute_step(&step, &decide).await;
        self.note_step(snapshot, service, record, &step, &actions, memory);
        memory.actions.extend(actions);
        waiting_reason(&step).map(|reason| subject.blocked(reason))
    }

    /// The step that a fresh snapshot asks for, unless its record has gone back behind the one acted on.
    fn decide(
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

    fn decide_on(
        &self,
        snapshot: &ClusterSnapshot,
        service: &ServiceName,
        record: &MoveRecord,
        limits: &Limits,
    ) -> Option<Step> {
        let paused = snapshot.tags.known().is_some_and(|tags| tags.contains_key(PAUSE_TAG));
        let view = MoveView {
            snapshot,
            limits,
            service: snapshot.services.get(service)?,
            record,
            healthy_after: self.settings.healthy_after,
            move_timeout: self.settings.move_timeout,
            paused,
        };
        Some(next_step(&view))
    }

    fn note_step(
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
            Step::Finish(outcome) if is_done => {
                let new = new_tasks(snapshot, service, record);
                memory.end(service, record, *outcome, new);
                if *outcome != crate::plan::surge::Outcome::Moved {
                    let until = snapshot.observed_at + self.settings.cooldown;
                    memory.set_aside.insert(service.clone(), Reason::RestingAfterRollback { until });
                }
            }
            _ => {}
        }
    }

    /// What keeps any new move in this cluster from beginning.
    async fn obstacle(&self, snapshot: &ClusterSnapshot, memory: &mut Memory) -> Option<Blocked> {
        let subject = Subject::new(SubjectKind::Cluster, &self.cluster);
        let tags = match &snapshot.tags {
            Known::Known(tags) => tags,
            Known::Unknown(why) => {
                let what = format!("whether the cluster is paused: {why}");
                return Some(subject.blocked(Reason::CannotTell { what }));
            }
            Known::NotAsked => return None,
        };
        if tags.contains_key(PAUSE_TAG) {
            return Some(subject.blocked(Reason::Paused));
        }
        match surge_off_until(tags) {
            Some(until) if until > snapshot.observed_at => Some(subject.blocked(Reason::SurgeOff { until })),
            Some(_) if !self.dry_run => {
                let action = execute_surge_on(self.aws, &self.cluster).await;
                memory.actions.push(action);
                None
            }
            _ => None,
        }
    }

    /// Begins the planned moves that two observations agree on.
    async fn start_moves(
        &self,
        snapshot: &ClusterSnapshot,
        plan: &RebalancePlan,
        obstacle: Option<&Blocked>,
        memory: &mut Memory,
    ) -> Starts {
        let mut starts = Starts::default();
        if obstacle.is_some() || self.dry_run {
            return starts;
        }
        let confirmed = memory.confirm(plan, snapshot.observed_at, self.settings.confirm_after);
        starts.waits = plan.starts.iter().any(|it| !confirmed.contains(&it.service));
        for planned in &plan.starts {
            let subject = Subject::new(SubjectKind::Service, &planned.service);
            if !confirmed.contains(&planned.service) {
                starts.blocked.push(subject.blocked(Reason::NotConfirmed));
                continue;
            }
            let excess =
                plan.services.iter().find(|it| it.service == planned.service).map_or(0, |it| it.lower_bound);
            match self.start_move(snapshot, planned, excess, memory).await {
                None => starts.begun += 1,
                Some(error) => starts.blocked.push(subject.blocked(Reason::RecordRefused { error })),
            }
        }
        starts
    }

    /// Begins one move; the text says why it was not begun.
    async fn start_move(
        &self,
        snapshot: &ClusterSnapshot,
        planned: &Move,
        lower_bound: u32,
        memory: &mut Memory,
    ) -> Option<String> {
        let Some(service) = snapshot.services.get(&planned.service) else {
            return Some("the service is not in the snapshot".to_owned());
        };
        let execute = Execute { aws: self.aws, snapshot, service };
        let (begun, actions) = execute.execute_begin(planned, self.settings.move_timeout).await;
        memory.actions.extend(actions);
        match begun {
            Begun::Recorded(record) => {
                memory.remember(&planned.service, &record);
                memory.moves.started += 1;
                memory.begun.push(planned.clone());
                if memory.triggered.insert(planned.service.clone()) {
                    memory.moves.lower_bound += lower_bound;
                }
                None
            }
            Begun::Refused(why) => Some(why),
        }
    }

    fn note_states(&self, memory: &mut Memory, plan: &RebalancePlan) {
        memory.after = report_states(plan, self.skew_threshold, &memory.before);
        for state in &memory.after {
            if memory.before.iter().all(|known| known.service != state.service) {
                memory.before.push(state.clone());
            }
        }
    }

    fn count_in_flight(&self, records: &BTreeMap<ServiceName, Option<MoveRecord>>, memory: &Memory) -> u32 {
        if self.dry_run {
            return records.len() as u32;
        }
        let running =
            |(name, record): &(&ServiceName, &Option<MoveRecord>)| record.is_some() && !memory.is_over(name);
        records.iter().filter(running).count() as u32
    }

    fn is_held_up(&self, plan: &RebalancePlan) -> bool {
        plan.services.iter().any(|it| {
            let is_past = it.raw_skew > Some(self.skew_threshold);
            let is_quiet = |blocked: &Blocked| {
                matches!(
                    blocked.reason,
                    Reason::AlreadyOptimal { .. } | Reason::BelowThreshold { .. } | Reason::Daemon
                )
            };
            is_past && it.moves.is_empty() && !it.blocked.is_empty() && !it.blocked.iter().any(is_quiet)
        })
    }
}

/// What came of beginning moves.
#[derive(Debug, Default)]
struct Starts {
    begun: u32,
    /// Some wait for a second observation.
    waits: bool,
    blocked: Vec<Blocked>,
}

/// The records in a snapshot; `None` for a tag of ours that holds something else.
fn records(snapshot: &ClusterSnapshot) -> BTreeMap<ServiceName, Option<MoveRecord>> {
    let of = |(name, service): (&ServiceName, _)| Some((name.clone(), record_of(service)?.ok()));
    snapshot.services.iter().filter_map(of).collect()
}

/// Wanted tasks of a service that came with the move.
fn new_tasks(snapshot: &ClusterSnapshot, service: &ServiceName, record: &MoveRecord) -> Vec<TaskArn> {
    let since_start = |task: &&crate::snapshot::Task| task.created_at >= Some(record.started_at);
    snapshot.wanted_tasks(service).filter(since_start).map(|task| task.arn.clone()).collect()
}

fn is_stale_read(blocked: &Blocked) -> bool {
    matches!(blocked.reason, Reason::StaleRead { .. })
}

/// A wait that an operator should know of, as a reason.
fn waiting_reason(step: &Step) -> Option<Reason> {
    match step {
        Step::Wait(crate::plan::surge::Waiting::CannotTell(what)) => {
            Some(Reason::CannotTell { what: what.clone() })
        }
        Step::Wait(_) => Some(Reason::MoveInFlight),
        _ => None,
    }
}
