//! What will keep an instance from getting empty, told before it is too late.
//!
//! ECS replaces the tasks of a draining instance within its service's own percentages: it starts first as far as
//! maximumPercent allows, rounded down, and stops first as far as minimumHealthyPercent allows, rounded up. Where neither
//! leaves a step, the drain never ends (Amazon ECS Developer Guide, "Draining Amazon ECS container instances").
//!
//! That is seen of the instance itself. What takes an [`Outlook`] beside it: `late` tells whose tasks may take longer to leave
//! than there is time, `room` whose may find no place elsewhere.

mod late;
mod room;
#[cfg(test)]
mod tests;

use crate::ids::ServiceName;
use crate::plan::drain::reason::DrainReason;
use crate::plan::drain::record::DrainRecord;
use crate::plan::drain::seen::{InstanceSnapshot, Outlook};
use crate::snapshot::{DeploymentController, Known, SchedulingStrategy, Service, Task, TaskStatus};

pub use room::no_room;

/// The services whose tasks ECS cannot move off this instance.
pub fn foresight(seen: &InstanceSnapshot) -> Vec<DrainReason> {
    let services = seen.wanted().into_keys().filter_map(|name| seen.services.get(name)?.known());
    services.filter(|service| is_stuck(service)).map(reason).collect()
}

/// What an outlook foretells of this instance.
pub fn foreseen(seen: &InstanceSnapshot, record: &DrainRecord, outlook: &Outlook) -> Vec<DrainReason> {
    late::too_late(seen, record, outlook).into_iter().chain(no_room(seen, outlook)).collect()
}

/// Whether what an outlook foretold may still come true: tasks that it is about are still there. Tasks that cannot be seen
/// may be.
pub fn stands(reason: &DrainReason, seen: &InstanceSnapshot) -> bool {
    let Known::Known(tasks) = &seen.tasks else { return true };
    let of = |service: &ServiceName, is: fn(&Task) -> bool| {
        tasks.iter().any(|task| task.service.as_ref() == Some(service) && is(task))
    };
    match reason {
        DrainReason::LeavesTooLate { service, .. } => {
            of(service, |task| task.last_status != TaskStatus::Stopped)
        }
        DrainReason::NoRoomElsewhere { services, .. } => services.iter().any(|it| of(it, Task::is_wanted)),
        _ => true,
    }
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
