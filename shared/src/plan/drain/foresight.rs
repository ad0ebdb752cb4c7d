//! What will keep an instance from getting empty, told before it is too late.
//!
//! ECS replaces the tasks of a draining instance within its service's own percentages: it starts first as far as
//! maximumPercent allows, rounded down, and stops first as far as minimumHealthyPercent allows, rounded up. Where neither
//! leaves a step, the drain never ends (Amazon ECS Developer Guide, "Draining Amazon ECS container instances").

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::ids::ServiceName;
use crate::plan::drain::reason::DrainReason;
use crate::plan::drain::seen::InstanceSnapshot;
use crate::snapshot::{DeploymentController, Known, SchedulingStrategy, Service};

/// The services whose tasks ECS cannot move off this instance.
pub fn foresight(seen: &InstanceSnapshot) -> Vec<DrainReason> {
    let Known::Known(tasks) = &seen.tasks else { return Vec::new() };
    let names: BTreeSet<&ServiceName> =
        tasks.iter().filter(|task| task.is_wanted()).filter_map(|task| task.service.as_ref()).collect();
    let services = names.into_iter().filter_map(|name| seen.services.get(name)?.known());
    services.filter(|service| is_stuck(service)).map(reason).collect()
}

fn reason(service: &Service) -> DrainReason {
    DrainReason::NoStep {
        service: service.name.clone(),
        minimum: service.minimum_healthy_percent.get(),
        maximum: service.maximum_percent.get(),
        desired: service.tasks_desired,
    }
}

/// Other controllers have their percentages fixed at 100 and 200 (API: `DeploymentConfiguration`), which leave a step;
/// daemons are stopped without a substitute.
pub(crate) fn is_stuck(service: &Service) -> bool {
    let is_rolling = service.deployment_controller == DeploymentController::Ecs;
    let is_replica = service.scheduling_strategy == SchedulingStrategy::Replica;
    let desired = u64::from(service.tasks_desired);
    let ceiling = desired * u64::from(service.maximum_percent.get()) / 100;
    let floor = (desired * u64::from(service.minimum_healthy_percent.get())).div_ceil(100);
    is_rolling && is_replica && desired > 0 && ceiling <= desired && floor >= desired
}
