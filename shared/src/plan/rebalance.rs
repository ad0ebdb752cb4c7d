//! The rebalance plan of one cluster: which tasks to move, in which order, why these, and why not others.
//!
//! Two layers. The first levels each service by itself, zones first, then instances. Once it has nothing left to do, the
//! second (`relief`) levels the load of the instances with what the first leaves open. `candidates` says from cheap data
//! which services are worth reading closely; `plan_rebalance` decides.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::ids::{ContainerInstanceArn, ServiceName, TaskArn};
use crate::plan::candidate::{self, Worth};
use crate::plan::case::Case;
use crate::plan::curve::curve;
use crate::plan::eligible::{Survey, survey};
use crate::plan::placement;
use crate::plan::proposal::{Limits, LoadPlan, Move, RebalancePlan, ServicePlan};
use crate::plan::reason::{Blocked, Reason, Subject, SubjectKind};
use crate::plan::record::record_of;
use crate::plan::relief;
use crate::plan::sequence::sequence;
use crate::plan::shortlist::Shortlist;
use crate::plan::starts::Gate;
use crate::plan::verdict::{Planned, judge_service};
use crate::snapshot::ClusterSnapshot;

/// Moves times instances that are foreseen in one plan: 500 moves among 200 instances, 20 among 5,000. What begins now is
/// at most a few; the rest is foresight, and the next turn has its own.
const FORESEEN_MAX: usize = 100_000;

/// The services for which the base snapshot cannot rule out a move: only these are worth reading closely (task
/// definition, protections, target health).
pub fn candidates(snapshot: &ClusterSnapshot, limits: &Limits) -> BTreeSet<ServiceName> {
    let is_open = |case: &Case<'_>| {
        let refused = candidate::reason_never(case.service).or_else(|| candidate::reason_not_now(case));
        refused.is_none()
            && survey(case, None).is_ok_and(|survey| candidate::worth(case, &survey) == Worth::Moving)
    };
    let cases = Case::all(snapshot, limits);
    let shortlist = Shortlist::of(&cases);
    let open = cases
        .iter()
        .filter(|case| shortlist.has_uneven(case) && is_open(case))
        .map(|case| case.service.name.clone());
    open.chain(relief::candidates(snapshot, limits)).collect()
}

/// Decides what to move in a cluster whose candidates have been read closely.
pub fn plan_rebalance(snapshot: &ClusterSnapshot, limits: &Limits) -> RebalancePlan {
    let cases = Case::all(snapshot, limits);
    let shortlist = Shortlist::of(&cases);
    let mut planned = plan_services(snapshot, &cases, &shortlist);
    let is_level = planned.iter().all(|planned| planned.plan.moves.is_empty());
    let mut load = if is_level {
        relief::plan_relief(snapshot, limits)
    } else if shortlist.is_whole() {
        let foreseen = relief::foresee(&after(snapshot, &planned), &with_own(limits, &planned));
        foreseen.measured_as(&relief::measure(snapshot, limits))
    } else {
        relief::measure(snapshot, limits)
    };
    let starts = if is_level && !is_any_levelling(snapshot, limits) {
        load_starts(snapshot, limits, &mut load)
    } else {
        starts(snapshot, limits, &mut planned)
    };
    let services: Vec<ServicePlan> = planned.into_iter().map(|planned| planned.plan).collect();
    let curve = curve(snapshot, limits, &services, &load.moves);
    RebalancePlan { services, load, starts, curve, blocked: looked_at_later(snapshot, &shortlist) }
}

/// Says how many services of a large cluster have to wait to be looked at.
fn looked_at_later(snapshot: &ClusterSnapshot, shortlist: &Shortlist<'_>) -> Vec<Blocked> {
    let services = shortlist.later();
    let subject = Subject::new(SubjectKind::Cluster, &snapshot.cluster);
    let blocked = (services > 0).then(|| subject.blocked(Reason::LookedAtLater { services }));
    blocked.into_iter().collect()
}

/// Plans each service of the shortlist by itself, the neediest first; moves are foreseen for the neediest only.
fn plan_services(snapshot: &ClusterSnapshot, cases: &[Case<'_>], shortlist: &Shortlist<'_>) -> Vec<Planned> {
    let instances = snapshot.container_instances.len();
    let judge = |case: &Case<'_>| {
        if shortlist.has(case) { judge_service(case) } else { Planned::quiet(&case.service.name) }
    };
    let mut planned: Vec<(usize, Planned)> = cases.iter().map(judge).enumerate().collect();
    planned.sort_by_cached_key(|(_, planned)| {
        let plan = &planned.plan;
        (Reverse(plan.excess > 0), Reverse(plan.raw_skew), Reverse(plan.excess), plan.service.clone())
    });
    let mut left = FORESEEN_MAX / instances.max(1);
    for (at, planned) in planned.iter_mut().filter(|(_, planned)| planned.is_open) {
        if left == 0 {
            planned.plan.block(Reason::Budget);
            continue;
        }
        planned.foresee(&cases[*at], left);
        left -= planned.plan.moves.len().max(1).min(left);
    }
    planned.into_iter().map(|(_, planned)| planned).collect()
}

/// The cluster as the planned moves of the first layer would leave it.
fn after(snapshot: &ClusterSnapshot, planned: &[Planned]) -> ClusterSnapshot {
    let mut after = snapshot.clone();
    for planned in planned.iter().flat_map(|planned| &planned.plan.moves) {
        if let Some(task) = after.tasks.get_mut(&planned.task) {
            task.container_instance = Some(planned.to.clone());
            task.created_at = Some(snapshot.observed_at);
        }
    }
    after
}

fn with_own(limits: &Limits, planned: &[Planned]) -> Limits {
    let mut limits = limits.clone();
    let moves = planned.iter().flat_map(|planned| &planned.plan.moves);
    limits.own_tasks.extend(moves.map(|planned| planned.task.clone()));
    limits
}

/// Whether a move in flight levels its service: the second layer waits for it.
fn is_any_levelling(snapshot: &ClusterSnapshot, limits: &Limits) -> bool {
    let is_levelling = |service: &ServiceName| {
        let Some(case) = Case::of(snapshot, limits, service) else { return true };
        let Some(Ok(record)) = record_of(case.service) else { return false };
        let started = case.tasks.iter().filter(|task| task.created_at >= Some(record.started_at));
        let started: BTreeSet<TaskArn> = started.map(|task| task.arn.clone()).collect();
        survey_closely(&case).is_none_or(|survey| survey.layout_without(&started).excess() > 0)
    };
    limits.in_flight.iter().any(is_levelling)
}

/// The excess of a service if the `leaving` tasks were gone; only wanted tasks that are placed count, and room is taken
/// to be enough for those present. `None` = cannot tell.
#[cfg(test)]
pub(crate) fn excess_without(
    snapshot: &ClusterSnapshot,
    limits: &Limits,
    service: &ServiceName,
    leaving: &BTreeSet<TaskArn>,
) -> Option<u32> {
    let case = Case::of(snapshot, limits, service)?;
    Some(survey_closely(&case)?.layout_without(leaving).excess())
}

/// Whether the task that a move started landed where it helps: once the chosen task and all ballast have left, the
/// excess is lower than it was before the move, and no zone has drawn away from another; or, where the service was at its
/// best split already, it still is and the load has gone to an emptier instance. `None` = cannot tell.
pub fn landing_helps(
    snapshot: &ClusterSnapshot,
    limits: &Limits,
    service: &ServiceName,
    chosen: &TaskArn,
    started: &TaskArn,
    ballast: &BTreeSet<TaskArn>,
) -> Option<bool> {
    let case = Case::of(snapshot, limits, service)?;
    let survey = survey_closely(&case)?;
    let without = |task: &TaskArn| {
        let leaving = ballast.iter().chain([task]).cloned().collect();
        survey.layout_without(&leaving)
    };
    let (before, after) = (without(started), without(chosen));
    if before.excess() > 0 {
        return Some(after.excess() < before.excess() && after.keeps_zones_of(&before));
    }
    let relieves = relief::landing_relieves(snapshot, limits, &survey, service, (chosen, started), ballast)?;
    Some(relieves && after.excess() == 0)
}

/// Where ECS would place one more task of a service right now: every tied container instance, in order of ARN; empty
/// if there is no room. `None` = cannot tell.
pub fn next_landings(
    snapshot: &ClusterSnapshot,
    limits: &Limits,
    service: &ServiceName,
) -> Option<Vec<ContainerInstanceArn>> {
    let case = Case::of(snapshot, limits, service)?;
    let survey = survey_closely(&case)?;
    Some(survey.placement.landings().into_iter().map(|seat| survey.arn(seat).clone()).collect())
}

fn survey_closely<'a>(case: &Case<'a>) -> Option<Survey<'a>> {
    let definition = case.definition().ok()?;
    let refused =
        candidate::reason_never(case.service).or_else(|| candidate::reason_unreadable(case.snapshot));
    if refused.is_some() { None } else { survey(case, Some(definition)).ok() }
}

/// The first moves that may begin now. Room is reserved on every instance where a start of an earlier move may land; a
/// move is begun only if it is foreseen alike with and without these reservations, since which of them come true is
/// open.
fn starts(snapshot: &ClusterSnapshot, limits: &Limits, planned: &mut [Planned]) -> Vec<Move> {
    let mut gate = Gate::new(snapshot, limits);
    let mut crowded: Option<ClusterSnapshot> = None;
    for planned in planned {
        let Some(first) = planned.plan.moves.first().cloned() else { continue };
        if let Err(reason) = gate.reason_not_open(&first) {
            planned.plan.blocked.push(reason);
        } else if crowded.as_ref().is_some_and(|crowded| !is_unmoved(crowded, limits, &first)) {
            planned.plan.block(Reason::RoomReserved);
        } else {
            reserve(crowded.get_or_insert_with(|| snapshot.clone()), &first, &planned.reach);
            gate.pass(first);
        }
    }
    gate.passed
}

/// The moves of the second layer that may begin now: each was foreseen with room reserved for those before it, so that
/// they begin in their order, one per service.
fn load_starts(snapshot: &ClusterSnapshot, limits: &Limits, load: &mut LoadPlan) -> Vec<Move> {
    let mut gate = Gate::new(snapshot, limits);
    let mut seen = BTreeSet::new();
    for planned in &load.moves {
        if !seen.insert(&planned.service) {
            break;
        }
        if let Err(reason) = gate.reason_not_open(planned) {
            load.blocked.push(reason);
            break;
        }
        gate.pass(planned.clone());
    }
    gate.passed
}

/// Whether a move is foreseen just so although others have reserved room.
fn is_unmoved(crowded: &ClusterSnapshot, limits: &Limits, planned: &Move) -> bool {
    let case = Case::of(crowded, limits, &planned.service);
    let Some(survey) = case.as_ref().and_then(survey_closely) else { return false };
    let again = sequence(survey, limits, &planned.service, 1).moves;
    again.first().is_some_and(|again| {
        (&again.task, &again.to, &again.landings, again.starts_max)
            == (&planned.task, &planned.to, &planned.landings, planned.starts_max)
    })
}

fn reserve(crowded: &mut ClusterSnapshot, planned: &Move, reach: &BTreeSet<ContainerInstanceArn>) {
    let definition = crowded.services.get(&planned.service).map(|service| &service.task_definition);
    let known = definition.and_then(|name| crowded.task_definitions.get(name)?.known());
    let Some(need) = known.map(placement::need) else { return };
    for arn in reach {
        for _ in 0..planned.starts_max {
            if let Some(instance) = crowded.container_instances.get_mut(arn) {
                placement::take(&mut instance.remaining, &need);
            }
        }
    }
}
