//! The rebalance plan of one cluster: which tasks to move, in which order, why these, and why not others.
//!
//! Layer 1 only: each service by itself, zones first, then instances. `candidates` says from cheap data which services
//! are worth reading closely; `plan_rebalance` decides. Layer 2 (the load of whole instances, several services in one
//! exact flow) would enter between the two halves of `plan_rebalance`: it needs the same per-service measures and adds
//! moves that keep every measure optimal.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::ids::{ContainerInstanceArn, ServiceName, TaskArn};
use crate::plan::candidate::{self, Worth};
use crate::plan::case::Case;
use crate::plan::eligible::{Survey, survey};
use crate::plan::placement;
use crate::plan::proposal::{Limits, Move, RebalancePlan};
use crate::plan::reason::{Reason, Subject, SubjectKind};
use crate::plan::sequence::sequence;
use crate::plan::verdict::{Planned, plan_service};
use crate::snapshot::ClusterSnapshot;

/// The services for which the base snapshot cannot rule out a move: only these are worth reading closely (task
/// definition, protections, target health).
pub fn candidates(snapshot: &ClusterSnapshot, limits: &Limits) -> BTreeSet<ServiceName> {
    let is_open = |case: &Case<'_>| {
        let refused = candidate::reason_never(case.service).or_else(|| candidate::reason_not_now(case));
        refused.is_none()
            && survey(case, None).is_ok_and(|survey| candidate::worth(case, &survey) == Worth::Moving)
    };
    Case::all(snapshot, limits)
        .iter()
        .filter(|case| is_open(case))
        .map(|case| case.service.name.clone())
        .collect()
}

/// Decides what to move in a cluster whose candidates have been read closely.
pub fn plan_rebalance(snapshot: &ClusterSnapshot, limits: &Limits) -> RebalancePlan {
    let mut planned: Vec<Planned> = Case::all(snapshot, limits).iter().map(plan_service).collect();
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
    let case = Case::of(snapshot, limits, service)?;
    Some(survey_closely(&case)?.layout_without(leaving).excess())
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
    let case = Case::of(snapshot, limits, service)?;
    let survey = survey_closely(&case)?;
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
