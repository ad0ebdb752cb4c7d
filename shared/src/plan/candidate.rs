//! May this service be moved at all? The checks that come before any arithmetic of moves, each with its reason.
//!
//! They fall into three groups. *What it is*: services this version never moves. *How it is*: work of others that has
//! the right of way. *Whether it is worth it*: skew, excess, cooldown. All of these need only the base snapshot, so that
//! they also choose which services are read closely; the last group, *details*, needs what that reading brought.

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::percent::Percent;
use crate::plan::case::Case;
use crate::plan::eligible::Survey;
use crate::plan::reason::{Blocked, Reason, Subject, SubjectKind, Unevenness};
use crate::plan::record::ROLLOUT_ATTRIBUTE;
use crate::plan::rest::rest_of;
use crate::plan::spread::Layout;
use crate::snapshot::{
    ClusterSnapshot, ContainerInstanceStatus, DeploymentController, Known, RolloutState, SchedulingStrategy,
    Service, TaskStatus, UnreadableKind,
};

/// Starting a task takes image pulls and health checks; past this, something is wrong and worth a line in the report.
/// A larger value would only tell later, a smaller one would cry over big images.
const PENDING_MAX: Duration = Duration::from_mins(10);

/// The verdict of the checks on worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Worth {
    /// A move helps, and enough to be made.
    Moving,
    /// Nothing to do and nothing to explain.
    Nothing,
    /// Left alone, and an operator who sees the skew will ask why.
    Blocked(Reason),
}

/// Why a service is never moved, whatever its state.
pub fn reason_never(service: &Service) -> Option<Reason> {
    let provider_launch = service.capacity_providers.iter().find(|name| name.starts_with("FARGATE"));
    let launch_type = service.launch_type.as_ref().filter(|_| service.capacity_providers.is_empty());
    if service.scheduling_strategy == SchedulingStrategy::Daemon {
        return Some(Reason::Daemon);
    }
    if service.scheduling_strategy == SchedulingStrategy::Other {
        return Some(Reason::CannotTell {
            what: "its scheduling strategy is unknown to this version".to_owned(),
        });
    }
    if service.deployment_controller != DeploymentController::Ecs {
        let controller = format!("{:?}", service.deployment_controller);
        return Some(Reason::UnsupportedController { controller });
    }
    if let Some(launch_type) = provider_launch.or(launch_type.filter(|name| *name != "EC2")) {
        return Some(Reason::UnsupportedLaunchType { launch_type: launch_type.clone() });
    }
    if service.capacity_providers.len() > 1 {
        return Some(Reason::SeveralCapacityProviders { providers: service.capacity_providers.clone() });
    }
    if service.capacity_providers.is_empty() && launch_type.is_none() {
        return Some(Reason::CannotTell {
            what: "neither launch type nor capacity provider is known".to_owned(),
        });
    }
    service.load_balancers.iter().any(|lb| lb.target_group.is_none()).then_some(Reason::ClassicLoadBalancer)
}

/// Why a service is left alone at this moment.
pub fn reason_not_now(case: &Case<'_>) -> Option<Reason> {
    let (limits, service) = (case.limits, case.service);
    if let Some(reason) = limits.set_aside.get(&service.name) {
        return Some(reason.clone());
    }
    if service.status != "ACTIVE" {
        return Some(Reason::NotInService { state: service.status.clone() });
    }
    if is_opted_out(service) {
        return Some(Reason::OptedOut);
    }
    if let Some(reason) = reason_after_misses(case) {
        return Some(reason);
    }
    if limits.in_flight.contains(&service.name) {
        return Some(Reason::MoveInFlight);
    }
    reason_unreadable(case.snapshot)
        .or_else(|| reason_rolled_out(case.snapshot))
        .or_else(|| reason_deploying(service))
        .or_else(|| reason_unsteady(case))
        .or_else(|| reason_foreign_drain(case))
}

/// The operator's tag: nothing is moved, and nothing written.
pub fn is_opted_out(service: &Service) -> bool {
    service.tags.get("evenkeel:rebalance").is_some_and(|value| value == "off")
}

/// Why a service whose moves missed is not moved again yet. A memory that cannot be read may speak of any time.
pub fn reason_after_misses(case: &Case<'_>) -> Option<Reason> {
    match rest_of(case.service)? {
        Ok(rest) => rest.lasts_at(case.snapshot.observed_at).then_some(Reason::RestingAfterMisses {
            misses: rest.misses,
            observed: rest.observed,
            until: rest.until,
        }),
        Err(unreadable) => Some(Reason::RestUnreadable { value: unreadable.0 }),
    }
}

/// Which service an unreadable task belongs to cannot be told, nor where ECS would place tasks if it knows an instance
/// that we do not: either defers every service.
pub fn reason_unreadable(snapshot: &ClusterSnapshot) -> Option<Reason> {
    let first = snapshot.unknown.iter().find(|unknown| unknown.kind != UnreadableKind::Service)?;
    let kind = if first.kind == UnreadableKind::Task { "task" } else { "container instance" };
    Some(Reason::CannotTell { what: format!("{kind} {} could not be read: {}", first.arn, first.reason) })
}

/// A rollout moves every task once; a rebalance beside it would move some of them twice.
fn reason_rolled_out(snapshot: &ClusterSnapshot) -> Option<Reason> {
    let mut instances = snapshot.container_instances.values();
    let marked = instances.find(|it| it.attributes.contains_key(ROLLOUT_ATTRIBUTE))?;
    Some(Reason::RolloutInProgress { instance: marked.arn.clone() })
}

fn reason_deploying(service: &Service) -> Option<Reason> {
    let [deployment] = service.deployments.as_slice() else { return Some(Reason::Deploying) };
    (deployment.rollout_state != Some(RolloutState::Completed)).then_some(Reason::Deploying)
}

fn reason_unsteady(case: &Case<'_>) -> Option<Reason> {
    let service = case.service;
    let (desired, running, pending) = (service.tasks_desired, service.tasks_running, service.tasks_pending);
    if running != desired || pending != 0 {
        return Some(Reason::Unsteady { desired, running, pending });
    }
    let wanted = case.tasks.len();
    if wanted != desired as usize {
        return Some(Reason::StaleRead { what: format!("{wanted} tasks listed, {desired} counted") });
    }
    let stray = case.tasks.iter().find(|task| {
        task.last_status != TaskStatus::Running
            || task.container_instance.is_none()
            || task.task_definition != service.task_definition
    })?;
    Some(Reason::StaleRead {
        what: format!("task {} contradicts the service's steady counts", stray.arn.short()),
    })
}

fn reason_foreign_drain(case: &Case<'_>) -> Option<Reason> {
    let is_draining = |arn: &&_| {
        let instance = case.snapshot.container_instances.get(*arn);
        instance.is_some_and(|instance| instance.status != ContainerInstanceStatus::Active)
    };
    let mut instances = case.tasks.iter().filter_map(|task| task.container_instance.as_ref());
    instances.find(is_draining).map(|instance| Reason::ForeignDrain { instance: instance.clone() })
}

/// Whether moving is worth it, as far as the survey knows. A survey without the task definition allows at least every
/// split that one with it does, and its skew is at least as large: what it rules out is ruled out.
pub fn worth(case: &Case<'_>, survey: &Survey<'_>) -> Worth {
    let layout = survey.layout();
    let skew = layout.skew();
    let threshold = case.limits.skew_threshold;
    if survey.tasks.iter().all(Vec::is_empty) {
        return Worth::Nothing;
    }
    match survey.eligible().count() {
        0 => return Worth::Blocked(Reason::NoEligibleInstance),
        1 => return Worth::Blocked(Reason::SingleInstance),
        _ => {}
    }
    if layout.excess() == 0 {
        let is_asked = skew_to_explain(&layout) > threshold;
        return if is_asked { Worth::Blocked(reason_optimal(survey, &layout)) } else { Worth::Nothing };
    }
    if skew <= threshold && !case.is_triggered() {
        return Worth::Blocked(Reason::BelowThreshold { skew, threshold });
    }
    let reason = reason_zones_are_levelled(case.service, &layout).or_else(|| reason_resting(case));
    reason.map_or(Worth::Moving, Worth::Blocked)
}

/// The skew an operator sees: over all instances at once, unless the service is uneven inside its zones on purpose.
fn skew_to_explain(layout: &Layout) -> Percent {
    let flat = Layout::flat(layout.zones.concat());
    if layout.is_level_inside { layout.skew().max(flat.skew()) } else { layout.skew() }
}

/// What keeps the best split uneven: room, if more of it would help, else zones, fixed tasks, or plain arithmetic.
fn reason_optimal(survey: &Survey<'_>, layout: &Layout) -> Reason {
    if survey.layout_with_all_room().excess() > 0 {
        return Reason::NoRoom;
    }
    let flat = Layout::flat(layout.zones.concat());
    let skew = skew_to_explain(layout);
    let is_fixed = layout.zones.iter().flatten().any(|place| place.least > 0);
    let cause = match (layout.zones.len() > 1 && flat.excess() > 0, is_fixed) {
        (true, _) => Unevenness::ZoneSizesDiffer,
        (false, true) => Unevenness::FixedTasks,
        (false, false) => Unevenness::CannotBeDivided,
    };
    Reason::AlreadyOptimal { skew, cause }
}

fn reason_zones_are_levelled(service: &Service, layout: &Layout) -> Option<Reason> {
    let totals = || layout.zones.iter().map(|zone| zone.iter().map(|place| place.tasks).sum::<u32>());
    let apart = totals().max()? - totals().min()?;
    (service.availability_zone_rebalancing && apart > 1).then_some(Reason::AvailabilityZoneRebalancing)
}

/// Cooldown: the youngest task that others started, and for a rebalance not yet begun also the newest event of a start,
/// which tells of tasks that have come and gone.
pub fn reason_resting(case: &Case<'_>) -> Option<Reason> {
    let mut starts = Vec::new();
    for task in case.tasks.iter().filter(|task| !case.limits.own_tasks.contains(&task.arn)) {
        let Some(at) = task.created_at.or(task.started_at) else {
            return Some(Reason::CannotTell {
                what: format!("the age of task {} is not known", task.arn.short()),
            });
        };
        starts.push(at);
    }
    starts.extend(case.service.last_start_event_at.filter(|_| !case.is_triggered()));
    let age = case.snapshot.observed_at.since(starts.into_iter().max()?);
    let wait = case.limits.cooldown.checked_sub(age).filter(|wait| !wait.is_zero())?;
    Some(Reason::Cooldown { wait })
}

/// Why the tasks' protections stand in the way of moving any of them.
pub fn reason_protected(case: &Case<'_>) -> Option<Reason> {
    case.tasks.iter().find_map(|task| {
        let what = || format!("protection of task {}", task.arn.short());
        match case.snapshot.protections.get(&task.arn) {
            Some(Known::Known(protection)) => {
                let is_on = protection.enabled
                    && protection.expires_at.is_none_or(|at| at > case.snapshot.observed_at);
                is_on.then(|| Reason::ForeignProtection { task: task.arn.clone() })
            }
            Some(Known::Unknown(error)) => Some(Reason::CannotTell { what: format!("{}: {error}", what()) }),
            Some(Known::NotAsked) | None => {
                Some(Reason::CannotTell { what: format!("{}: not read", what()) })
            }
        }
    })
}

/// Why a cluster gets no new move; its tags are read only once there is something to write.
pub fn reason_paused(snapshot: &ClusterSnapshot) -> Option<Reason> {
    match &snapshot.tags {
        Known::Known(tags) => tags.contains_key("evenkeel:pause").then_some(Reason::Paused),
        Known::Unknown(error) => Some(Reason::CannotTell { what: format!("the cluster's tags: {error}") }),
        Known::NotAsked => None,
    }
}

/// Tasks that have been pending for too long.
pub fn pending_too_long(case: &Case<'_>) -> Vec<Blocked> {
    let waiting = case.tasks.iter().filter(|task| task.last_status < TaskStatus::Running);
    let late = waiting.filter_map(|task| {
        let since = case.snapshot.observed_at.since(task.created_at?);
        let subject = Subject::new(SubjectKind::Task, &task.arn);
        (since > PENDING_MAX).then(|| subject.blocked(Reason::PendingTooLong { since }))
    });
    late.collect()
}
