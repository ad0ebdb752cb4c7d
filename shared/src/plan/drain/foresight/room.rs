//! Tasks that may find no place elsewhere: what is left on the other instances now, packed first-fit, the largest task first.
//!
//! Room and constraints bind ECS's placement, strategies do not (Amazon ECS Developer Guide, "How Amazon ECS places tasks on
//! container instances"). A packing that fails is no proof that none succeeds, the instances' room is everybody's, and a
//! substitute may still come: hence "may". Whatever cannot be told counts for the task, which then has its place.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::ids::ServiceName;
use crate::plan::drain::reason::DrainReason;
use crate::plan::drain::seen::{InstanceSnapshot, Outlook};
use crate::plan::eligible::Requirements;
use crate::plan::placement;
use crate::snapshot::{ContainerInstance, Resources, SchedulingStrategy, Service, Task, TaskDefinition};

/// An instance that is not going away, as the packing finds it.
struct Seat<'a> {
    instance: &'a ContainerInstance,
    free: Resources,
    /// Whose tasks were put there.
    services: BTreeSet<&'a ServiceName>,
}

/// A task that needs another place.
struct Mover<'a> {
    service: &'a ServiceName,
    need: Resources,
    requirements: Requirements<'a>,
}

/// The tasks on this instance for which the others have no room, as one reason.
pub fn no_room(seen: &InstanceSnapshot, outlook: &Outlook) -> Option<DrainReason> {
    let others = outlook.instances.known()?.iter().filter(|it| it.arn != seen.instance.arn);
    let seat = |instance| Seat { instance, free: instance.remaining.clone(), services: BTreeSet::new() };
    let mut seats: Vec<Seat<'_>> = others.map(seat).collect();
    let mut movers = movers(seen, outlook);
    movers.sort_by_key(|mover| Reverse((mover.need.memory, mover.need.cpu)));
    let homeless: Vec<&Mover<'_>> = movers.iter().filter(|mover| !mover.sits_down(&mut seats)).collect();
    let services: BTreeSet<&ServiceName> = homeless.iter().map(|mover| mover.service).collect();
    (!homeless.is_empty()).then(|| DrainReason::NoRoomElsewhere {
        tasks: homeless.len(),
        services: services.into_iter().cloned().collect(),
    })
}

fn movers<'a>(seen: &'a InstanceSnapshot, outlook: &'a Outlook) -> Vec<Mover<'a>> {
    let of_service = |(name, tasks): (&ServiceName, Vec<&'a Task>)| {
        let service = outlook.services.get(name)?.known()?;
        let missing = missing_elsewhere(service, tasks.len());
        Some(tasks.into_iter().take(missing).filter_map(|task| Mover::new(service, task, outlook)))
    };
    seen.wanted().into_iter().filter_map(of_service).flatten().collect()
}

/// So many of a service's tasks here have no substitute elsewhere yet. A daemon's get none.
fn missing_elsewhere(service: &Service, here: usize) -> usize {
    if service.scheduling_strategy != SchedulingStrategy::Replica {
        return 0;
    }
    let elsewhere = ((service.tasks_running + service.tasks_pending) as usize).saturating_sub(here);
    here.min((service.tasks_desired as usize).saturating_sub(elsewhere))
}

impl<'a> Mover<'a> {
    /// `None` if its needs, or the constraints of its service, cannot be told. ECS starts a substitute from the service's
    /// own revision, which is this task's but for a deployment.
    fn new(service: &'a Service, task: &'a Task, outlook: &'a Outlook) -> Option<Self> {
        let definition = outlook.task_definitions.get(&task.task_definition)?.known()?;
        let requirements = Requirements::read(service, Some(definition)).ok()?;
        Some(Self { service: &service.name, need: need(definition), requirements })
    }

    /// Takes the first seat where it fits.
    fn sits_down(&self, seats: &mut [Seat<'a>]) -> bool {
        let Some(seat) = seats.iter_mut().find(|seat| self.fits(seat)) else { return false };
        placement::take(&mut seat.free, &self.need);
        seat.services.insert(self.service);
        true
    }

    fn fits(&self, seat: &Seat<'_>) -> bool {
        let is_refused = matches!(self.requirements.reason_not_admitted(seat.instance), Ok(Some(_)));
        let is_taken = self.requirements.is_distinct && seat.services.contains(self.service);
        !is_refused && !is_taken && placement::times_fitting(&self.need, &seat.free) > 0
    }
}

/// A task with a network interface of its own takes no port of the host.
fn need(definition: &TaskDefinition) -> Resources {
    let need = placement::need(definition);
    if definition.network_mode == "awsvpc" { Resources { ports: Vec::new(), ..need } } else { need }
}
