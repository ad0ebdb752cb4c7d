//! The rebalance plan of one cluster: which tasks to move, in which order, why these, and why not others.
//!
//! Layer 1 only: each service by itself, zones first, then instances. `candidates` says from cheap data which services
//! are worth reading closely; `plan_rebalance` decides. Layer 2 (the load of whole instances, several services in one
//! exact flow) would enter between the two halves of `plan_rebalance`: it needs the same per-service measures and adds
//! moves that keep every measure optimal.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use crate::ids::{ContainerInstanceArn, ServiceName, TaskArn, ZoneName};
use crate::percent::Percent;
use crate::plan::candidate::{self, Worth, reason_not_now, worth};
use crate::plan::eligible::{Survey, survey};
use crate::plan::placement;
use crate::plan::reason::{Blocked, Reason, Subject, SubjectKind};
use crate::plan::sequence::sequence;
use crate::snapshot::{ClusterSnapshot, Service};

/// What a plan may do, and what it has to leave alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Raw skew must exceed this to trigger a rebalance.
    pub skew_threshold: Percent,
    /// Age before a newly registered container instance counts as a target.
    pub warm_up: Duration,
    /// Least age of a service's youngest task before the service is moved again.
    pub cooldown: Duration,
    /// Moves that may be started now over the cluster.
    pub moves_max: u32,
    /// Moves that may be under way at the same time, those in flight included.
    pub moves_at_once: u32,
    /// Services whose rebalance has begun in this invocation: they go on to excess 0 whatever their raw skew.
    pub triggered: BTreeSet<ServiceName>,
    /// Tasks that our own finished moves started; the cooldown does not count them.
    pub own_tasks: BTreeSet<TaskArn>,
    /// Services with a move on record; they get no second one.
    pub in_flight: BTreeSet<ServiceName>,
    /// Services to leave alone, with the reason to report.
    pub set_aside: BTreeMap<ServiceName, Reason>,
}

/// What to do about one cluster.
#[must_use]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RebalancePlan {
    /// Every service, the neediest first: those a move would help, by raw skew, then excess, then name.
    pub services: Vec<ServicePlan>,
    /// The moves to begin now: at most one per service, each with room reserved against those before it.
    pub starts: Vec<Move>,
}

/// What to do about one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePlan {
    /// Which service.
    pub service: ServiceName,
    /// Raw skew now; absent if it cannot be told or means nothing (a daemon, say).
    pub raw_skew: Option<Percent>,
    /// Raw skew of the best split that can be reached.
    pub best_skew: Option<Percent>,
    /// Raw skew after `moves`.
    pub skew_after: Option<Percent>,
    /// The bare (max - min) / max over all instances, for comparison with simpler tools; nothing is decided by it.
    pub article_skew: Option<Percent>,
    /// Least number of moves to the best split.
    pub excess: u32,
    /// Proven lower bound on the moves of any plan that reaches the best split.
    pub lower_bound: u32,
    /// The bound's proof: on each instance, the tasks there and how many the nearest best split has.
    pub witness: Vec<Witness>,
    /// The whole sequence to excess 0, as far as it can be foreseen.
    pub moves: Vec<Move>,
    /// Why nothing, or not everything, is done.
    pub blocked: Vec<Blocked>,
}

/// One container instance in the proof of a bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Witness {
    /// Which container instance.
    pub container_instance: ContainerInstanceArn,
    /// Its zone.
    pub zone: Option<ZoneName>,
    /// Tasks of the service there.
    pub tasks: u32,
    /// Tasks of the service there in the nearest best split.
    pub target: u32,
}

/// One task to be moved: ECS starts one more, then the chosen one leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Move {
    /// Whose task.
    pub service: ServiceName,
    /// The chosen task, which leaves in the end.
    pub task: TaskArn,
    /// Where it is.
    pub from: ContainerInstanceArn,
    /// Where the new task is meant to land.
    pub to: ContainerInstanceArn,
    /// Every container instance that ECS may choose for the first start: its ties are open.
    pub landings: Vec<ContainerInstanceArn>,
    /// Starts that are enough however ECS breaks its ties. Beyond one, the earlier ones are ballast: each stays only
    /// until one landed where it helps, then leaves together with the chosen task.
    pub starts_max: u32,
    /// Raw skew once it is done.
    pub skew_after: Percent,
    /// Excess once it is done.
    pub excess_after: u32,
}

/// The services for which the base snapshot cannot rule out a move: only these are worth reading closely (task
/// definition, protections, target health).
pub fn candidates(snapshot: &ClusterSnapshot, limits: &Limits) -> BTreeSet<ServiceName> {
    let is_open = |service: &&Service| {
        let refused = candidate::reason_never(service).or_else(|| reason_not_now(snapshot, limits, service));
        refused.is_none()
            && survey(snapshot, limits, service, None)
                .is_ok_and(|survey| worth(snapshot, limits, service, &survey) == Worth::Moving)
    };
    snapshot.services.values().filter(is_open).map(|service| service.name.clone()).collect()
}

/// Decides what to move in a cluster whose candidates have been read closely.
pub fn plan_rebalance(snapshot: &ClusterSnapshot, limits: &Limits) -> RebalancePlan {
    let mut planned: Vec<Planned> =
        snapshot.services.values().map(|service| plan_service(snapshot, limits, service)).collect();
    planned.sort_by_cached_key(|planned| {
        let plan = &planned.plan;
        (Reverse(plan.excess > 0), Reverse(plan.raw_skew), Reverse(plan.excess), plan.service.clone())
    });
    let starts = starts(snapshot, limits, &mut planned);
    RebalancePlan { services: planned.into_iter().map(|planned| planned.plan).collect(), starts }
}

/// The excess of a service if the `leaving` tasks were gone; only wanted tasks that are placed count, and room is taken
/// to be enough for those present. `None` = cannot tell.
pub fn excess_without(
    snapshot: &ClusterSnapshot,
    limits: &Limits,
    service: &ServiceName,
    leaving: &BTreeSet<TaskArn>,
) -> Option<u32> {
    Some(survey_closely(snapshot, limits, service)?.layout_without(leaving).excess())
}

/// Whether the task that a move started landed where it helps: once the chosen task and all ballast have left, the
/// excess is lower than it was before the move, and no zone has drawn away from another. `None` = cannot tell.
pub fn landing_helps(
    snapshot: &ClusterSnapshot,
    limits: &Limits,
    service: &ServiceName,
    chosen: &TaskArn,
    started: &TaskArn,
    ballast: &BTreeSet<TaskArn>,
) -> Option<bool> {
    let survey = survey_closely(snapshot, limits, service)?;
    let without = |task: &TaskArn| {
        let leaving = ballast.iter().chain([task]).cloned().collect();
        survey.layout_without(&leaving)
    };
    let (before, after) = (without(started), without(chosen));
    Some(after.excess() < before.excess() && after.keeps_zones_of(&before))
}

/// Where ECS would place one more task of a service right now: every tied container instance, in order of ARN; empty
/// if there is no room. `None` = cannot tell.
pub fn next_landings(
    snapshot: &ClusterSnapshot,
    limits: &Limits,
    service: &ServiceName,
) -> Option<Vec<ContainerInstanceArn>> {
    let survey = survey_closely(snapshot, limits, service)?;
    Some(survey.placement.landings().into_iter().map(|seat| survey.arn(seat).clone()).collect())
}

fn survey_closely<'a>(
    snapshot: &'a ClusterSnapshot,
    limits: &Limits,
    service: &ServiceName,
) -> Option<Survey<'a>> {
    let service = snapshot.services.get(service)?;
    let definition = candidate::definition(snapshot, service).ok()?;
    let refused = candidate::reason_never(service).or_else(|| candidate::reason_unreadable(snapshot));
    if refused.is_some() { None } else { survey(snapshot, limits, service, Some(definition)).ok() }
}

/// A service's plan and what the choice of starts needs beside it.
struct Planned {
    plan: ServicePlan,
    /// Where the starts of the first move may land.
    reach: BTreeSet<ContainerInstanceArn>,
}

fn plan_service(snapshot: &ClusterSnapshot, limits: &Limits, service: &Service) -> Planned {
    let mut planned = Planned { plan: ServicePlan::quiet(&service.name), reach: BTreeSet::new() };
    if let Err(reason) = decide(&mut planned, snapshot, limits, service) {
        planned.plan.block(reason);
    }
    planned
}

/// The checks in their order; the first that fails ends the matter.
fn decide(
    planned: &mut Planned,
    snapshot: &ClusterSnapshot,
    limits: &Limits,
    service: &Service,
) -> Result<(), Reason> {
    let plan = &mut planned.plan;
    refuse(candidate::reason_never(service))?;
    plan.blocked = candidate::pending_too_long(snapshot, service);
    let definition = candidate::definition(snapshot, service);
    let survey = survey(snapshot, limits, service, definition.as_ref().ok().copied());
    if let Ok(survey) = &survey {
        plan.measure(survey);
    }
    refuse(reason_not_now(snapshot, limits, service))?;
    let survey = survey?;
    let worth = worth(snapshot, limits, service, &survey);
    if worth != Worth::Nothing {
        plan.tell_of_instances(&survey);
    }
    match worth {
        Worth::Nothing => return Ok(()),
        Worth::Blocked(reason) => return Err(reason),
        Worth::Moving => definition?,
    };
    refuse(candidate::reason_protected(snapshot, service))?;
    planned.foresee(survey, limits)
}

fn refuse(reason: Option<Reason>) -> Result<(), Reason> {
    reason.map_or(Ok(()), Err)
}

impl Planned {
    fn foresee(&mut self, survey: Survey<'_>, limits: &Limits) -> Result<(), Reason> {
        let arns: Vec<ContainerInstanceArn> =
            survey.placement.seats.iter().map(|seat| seat.instance.arn.clone()).collect();
        let sequence = sequence(survey, limits, &self.plan.service, usize::MAX);
        self.reach = sequence.reach.into_iter().map(|seat| arns[seat].clone()).collect();
        self.plan.skew_after = sequence.moves.last().map(|last| last.skew_after).or(self.plan.raw_skew);
        self.plan.moves = sequence.moves;
        refuse(sequence.stuck)
    }
}

impl ServicePlan {
    fn quiet(service: &ServiceName) -> Self {
        Self {
            service: service.clone(),
            raw_skew: None,
            best_skew: None,
            skew_after: None,
            article_skew: None,
            excess: 0,
            lower_bound: 0,
            witness: Vec::new(),
            moves: Vec::new(),
            blocked: Vec::new(),
        }
    }

    fn block(&mut self, reason: Reason) {
        self.blocked.push(Subject::new(SubjectKind::Service, &self.service).blocked(reason));
    }

    fn measure(&mut self, survey: &Survey<'_>) {
        let layout = survey.layout();
        let nearest = layout.nearest();
        self.raw_skew = Some(layout.skew());
        self.skew_after = self.raw_skew;
        self.best_skew = Some(layout.skew_of(&nearest));
        self.article_skew = Some(layout.article_skew());
        self.excess = layout.excess();
        self.lower_bound = self.excess;
        if self.excess > 0 {
            self.witness = witness(survey, &nearest);
        }
    }

    /// Instances whose state an operator may wonder about: those with tasks that stay where they are, and those that
    /// will or would be targets.
    fn tell_of_instances(&mut self, survey: &Survey<'_>) {
        for (seat, reason) in survey.placement.seats.iter().zip(&survey.ineligible) {
            let is_coming = matches!(reason, Some(Reason::WarmingUp { .. } | Reason::AgentDisconnected));
            if let Some(reason) = reason.as_ref().filter(|_| is_coming || seat.tasks > 0) {
                let subject = Subject::new(SubjectKind::ContainerInstance, &seat.instance.arn);
                self.blocked.push(subject.blocked(reason.clone()));
            }
        }
    }
}

/// Places without a task now and then prove nothing and are left out.
fn witness(survey: &Survey<'_>, nearest: &[Vec<u32>]) -> Vec<Witness> {
    let targets = survey.zones.iter().flatten().zip(nearest.iter().flatten());
    let witnesses = targets.map(|(at, target)| {
        let seat = &survey.placement.seats[*at];
        let (container_instance, zone) = (seat.instance.arn.clone(), seat.instance.zone.clone());
        Witness { container_instance, zone, tasks: seat.tasks, target: *target }
    });
    witnesses.filter(|witness| witness.tasks + witness.target > 0).collect()
}

/// The first moves that may begin now. Room is reserved on every instance where a start of an earlier move may land; a
/// move is begun only if it is foreseen alike with and without these reservations, since which of them come true is
/// open.
fn starts(snapshot: &ClusterSnapshot, limits: &Limits, planned: &mut [Planned]) -> Vec<Move> {
    let paused = candidate::reason_paused(snapshot);
    let at_once = limits.moves_at_once.saturating_sub(limits.in_flight.len() as u32);
    let mut left = limits.moves_max.min(at_once);
    let mut crowded: Option<ClusterSnapshot> = None;
    let mut starts = Vec::new();
    for planned in planned {
        let Some(first) = planned.plan.moves.first().cloned() else { continue };
        if let Some(reason) = &paused {
            let subject = Subject::new(SubjectKind::Cluster, &snapshot.cluster);
            planned.plan.blocked.push(subject.blocked(reason.clone()));
        } else if left == 0 {
            planned.plan.block(Reason::Budget);
        } else if crowded.as_ref().is_some_and(|crowded| !is_unmoved(crowded, limits, &first)) {
            planned.plan.block(Reason::RoomReserved);
        } else {
            reserve(crowded.get_or_insert_with(|| snapshot.clone()), &first, &planned.reach);
            starts.push(first);
            left -= 1;
        }
    }
    starts
}

/// Whether a move is foreseen just so although others have reserved room.
fn is_unmoved(crowded: &ClusterSnapshot, limits: &Limits, planned: &Move) -> bool {
    let Some(survey) = survey_closely(crowded, limits, &planned.service) else { return false };
    let again = sequence(survey, limits, &planned.service, 1).moves;
    again.first().is_some_and(|again| {
        (&again.task, &again.to, &again.landings, again.starts_max)
            == (&planned.task, &planned.to, &planned.landings, planned.starts_max)
    })
}

fn reserve(crowded: &mut ClusterSnapshot, planned: &Move, reach: &BTreeSet<ContainerInstanceArn>) {
    let service = crowded.services.get(&planned.service);
    let definition = service.and_then(|service| candidate::definition(crowded, service).ok());
    let Some(need) = definition.map(placement::need) else { return };
    for arn in reach {
        for _ in 0..planned.starts_max {
            if let Some(instance) = crowded.container_instances.get_mut(arn) {
                placement::take(&mut instance.remaining, &need);
            }
        }
    }
}
