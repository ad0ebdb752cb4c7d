//! What is said before a start and does not refuse it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{PreflightSnapshot, concerned, container_instances, fleet};
use crate::ids::ServiceName;
use crate::plan::rollout::gate::is_judged;
use crate::plan::rollout::reason::RolloutReason;
use crate::plan::rollout::record::REJECTED_TAG;
use crate::plan::rollout::seen::RolloutSnapshot;
use crate::snapshot::{AutoScalingInstance, CapacityProvider, ClusterSnapshot, Known, Service, Transition};

/// Everything that people should know beforehand; `hook` is the lifecycle hook that is ours.
pub(super) fn warnings(
    snapshot: &PreflightSnapshot,
    old: &[&AutoScalingInstance],
    unsteady: &[ServiceName],
    hook: &str,
    rollout_timeout: Duration,
) -> Vec<RolloutReason> {
    let seen = &snapshot.seen;
    let mut warnings = unsteady_reasons(seen.services.known(), unsteady);
    warnings.extend(dips(seen, old));
    warnings.extend(standalone(seen, old));
    warnings.extend(protected(snapshot));
    warnings.extend(of_others(snapshot, hook, rollout_timeout));
    warnings.extend(providers(snapshot));
    warnings.extend(fleet::room(snapshot, old));
    warnings.extend(fleet::one_zone(snapshot));
    warnings.extend(rejected_before(snapshot));
    warnings
}

/// AWS does not document whether a drain stops protected tasks.
fn protected(snapshot: &PreflightSnapshot) -> Option<RolloutReason> {
    match snapshot.protected {
        Known::Known(0) | Known::NotAsked => None,
        Known::Known(tasks) => Some(RolloutReason::ProtectedTasks { tasks }),
        Known::Unknown(ref why) => {
            let what = format!("which tasks are protected: {why}");
            Some(RolloutReason::CannotTell { what })
        }
    }
}

/// What ECS itself does to the group.
fn providers(snapshot: &PreflightSnapshot) -> Vec<RolloutReason> {
    let reason = |provider: &CapacityProvider| {
        let manages = [
            (provider.managed_scaling.is_some(), "its size"),
            (provider.manages_termination_protection, "scale-in protection"),
            (provider.manages_draining, "a terminate hook"),
        ];
        let manages: Vec<&str> =
            manages.into_iter().filter(|(does, _)| *does).map(|(_, what)| what).collect();
        let (name, manages) = (provider.name.clone(), manages.join(", "));
        (!manages.is_empty()).then_some(RolloutReason::ManagedByEcs { provider: name, manages })
    };
    snapshot.providers.known().into_iter().flatten().filter_map(reason).collect()
}

fn dips(seen: &RolloutSnapshot, old: &[&AutoScalingInstance]) -> Vec<RolloutReason> {
    let Some(snapshot) = seen.services.known() else { return Vec::new() };
    let concerned = concerned(snapshot, seen, old).into_iter().filter(|it| is_judged(it));
    let dip = |service: &Service| {
        let (minimum, desired) = (service.minimum_healthy_percent.get(), service.tasks_desired);
        let floor = (desired * minimum).div_ceil(100);
        let service = service.name.clone();
        (floor < desired).then_some(RolloutReason::Dips { service, minimum, floor, desired })
    };
    concerned.filter_map(dip).collect()
}

fn standalone(seen: &RolloutSnapshot, old: &[&AutoScalingInstance]) -> Option<RolloutReason> {
    let on = container_instances(seen, old);
    let tasks = seen.services.known()?.tasks.values().filter(|it| it.is_wanted() && it.service.is_none());
    let tasks = tasks.filter(|it| it.container_instance.as_ref().is_some_and(|arn| on.contains(arn))).count();
    (tasks > 0).then_some(RolloutReason::StandaloneTasks { tasks })
}

fn unsteady_reasons(snapshot: Option<&ClusterSnapshot>, unsteady: &[ServiceName]) -> Vec<RolloutReason> {
    let services = snapshot.map(|it| &it.services);
    let found = |name: &ServiceName| services.and_then(|it: &BTreeMap<_, Service>| it.get(name));
    let reason = |service: &Service| RolloutReason::Unsteady {
        service: service.name.clone(),
        running: service.tasks_running,
        desired: service.tasks_desired,
        deployments: service.deployments.len(),
    };
    unsteady.iter().filter_map(found).map(reason).collect()
}

fn of_others(snapshot: &PreflightSnapshot, hook: &str, rollout_timeout: Duration) -> Vec<RolloutReason> {
    let group = &snapshot.seen.group;
    let mut reasons = Vec::new();
    let hooks = snapshot.hooks.known().into_iter().flatten();
    let foreign = hooks.filter(|it| it.transition == Transition::Terminating && it.name != hook);
    reasons.extend(foreign.map(|it| RolloutReason::ForeignHook { hook: it.name.clone() }));
    reasons.extend(group.max_instance_lifetime.map(|age| RolloutReason::MaxInstanceLifetime { age }));
    reasons.extend(group.waits_for_zones.then_some(RolloutReason::WaitsForZones));
    reasons.extend(group.retains_abandoned.then_some(RolloutReason::RetainsAbandoned));
    let now = snapshot.seen.observed_at;
    for action in snapshot.scheduled.known().into_iter().flatten() {
        if let Some(at) = action.starts_at.filter(|at| *at >= now && *at <= now + rollout_timeout) {
            reasons.push(RolloutReason::ScheduledAction { name: action.name.clone(), at });
        }
    }
    reasons
}

pub(super) fn rejected_before(snapshot: &PreflightSnapshot) -> Option<RolloutReason> {
    let version = snapshot.target.known()?.as_ref()?.version;
    let seen = &snapshot.seen;
    let (rejected, why) = seen.group.tags.get(REJECTED_TAG)?.split_once(':')?;
    (rejected == version.to_string()).then(|| RolloutReason::Rejected { version, why: why.to_owned() })
}
