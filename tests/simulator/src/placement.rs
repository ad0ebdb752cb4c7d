//! Where a task goes: what fits, what the constraints allow, what the strategies prefer.
//!
//! From "How Amazon ECS places tasks on container instances", in its order: CPU, memory and ports;
//! constraints; the strategies, each a filter over what the one before left; and a draw among equals. A
//! spread counts the tasks of the service itself, not of the cluster. Room is counted as ECS reports it,
//! where a task gives its share back as soon as it leaves RUNNING (containers-roadmap issue 2171); the agent
//! holds a new task back until the room is truly free.

pub mod room;
pub mod strategy;

use crate::account::PlacementConstraint;
use crate::account::{Account, Cluster, ContainerInstance, ContainerInstanceStatus, Service, TaskDefinition};
use crate::constraint::{self, Subject};
use room::Occupancy;

pub use room::{Remaining, counts, host_has_room, remaining};

/// A task that looks for a place.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Name of the cluster.
    pub cluster: &'a str,
    /// The service it belongs to.
    pub service: &'a Service,
    /// What it runs.
    pub definition: &'a TaskDefinition,
    /// Only instances of this capacity provider.
    pub provider: Option<&'a str>,
    /// Only instances in this zone.
    pub zone: Option<&'a str>,
}

/// The instances a task of the service could be placed on now: ACTIVE, agent connected, enough room,
/// constraints met.
pub fn candidates<'a>(
    account: &'a Account,
    cluster: &str,
    service: &Service,
    task_definition: &TaskDefinition,
) -> Vec<&'a ContainerInstance> {
    let wanted = Wanted { cluster, service, definition: task_definition, provider: None, zone: None };
    candidates_for(account, &wanted)
}

/// The instance the next task of the service goes to; `None` if it cannot be placed.
pub fn choose(
    account: &mut Account,
    cluster: &str,
    service: &Service,
    task_definition: &TaskDefinition,
) -> Option<String> {
    let wanted = Wanted { cluster, service, definition: task_definition, provider: None, zone: None };
    choose_wanted(account, &wanted)
}

/// `choose`, within a capacity provider or a zone.
pub(crate) fn choose_wanted(account: &mut Account, wanted: &Wanted<'_>) -> Option<String> {
    let best = strategy::best(account, wanted, candidates_for(account, wanted));
    let arns: Vec<_> = best.into_iter().map(|instance| instance.arn.clone()).collect();
    pick(account, arns)
}

/// The instance a standalone task goes to: anything that fits, for `RunTask` without a strategy places at
/// random; or `only` that one, for `StartTask` names it, and then no constraint is asked.
pub(crate) fn choose_for_group(
    account: &mut Account,
    cluster: &str,
    group: &str,
    definition: &TaskDefinition,
    only: Option<&str>,
) -> Option<String> {
    let here = account.clusters.get(cluster)?;
    let occupancy = Occupancy::new(account, here);
    let named =
        here.container_instances.values().filter(|instance| only.is_none_or(|arn| arn == instance.arn));
    let usable = named.filter(|instance| is_open(instance));
    let fitting = usable.filter(|instance| occupancy.lack(instance, definition, group).is_none());
    let constraints = &definition.placement_constraints;
    let allowed =
        fitting.filter(|instance| only.is_some() || allows(account, here, constraints, group, instance));
    let arns: Vec<_> = allowed.map(|instance| instance.arn.clone()).collect();
    pick(account, arns)
}

fn pick(account: &mut Account, mut arns: Vec<String>) -> Option<String> {
    if arns.is_empty() {
        return None;
    }
    let drawn = account.draw_below(arns.len());
    Some(arns.swap_remove(drawn))
}

fn candidates_for<'a>(account: &'a Account, wanted: &Wanted<'_>) -> Vec<&'a ContainerInstance> {
    let Some(cluster) = account.clusters.get(wanted.cluster) else { return Vec::new() };
    let occupancy = Occupancy::new(account, cluster);
    let group = format!("service:{}", wanted.service.name);
    let instances = cluster.container_instances.values();
    let fits = |instance: &&ContainerInstance| {
        is_open(instance)
            && is_in(instance, wanted)
            && occupancy.lack(instance, wanted.definition, &group).is_none()
            && meets_constraints(account, cluster, wanted, instance)
    };
    instances.filter(fits).collect()
}

/// Whether new tasks may go there at all.
fn is_open(instance: &ContainerInstance) -> bool {
    instance.status == ContainerInstanceStatus::Active && instance.agent_connected
}

fn is_in(instance: &ContainerInstance, wanted: &Wanted<'_>) -> bool {
    let provider = wanted.provider.is_none_or(|name| instance.capacity_provider.as_deref() == Some(name));
    provider && wanted.zone.is_none_or(|zone| instance.zone() == zone)
}

fn meets_constraints(
    account: &Account,
    cluster: &Cluster,
    wanted: &Wanted<'_>,
    instance: &ContainerInstance,
) -> bool {
    let group = format!("service:{}", wanted.service.name);
    allows(account, cluster, &wanted.service.placement_constraints, &group, instance)
        && allows(account, cluster, &wanted.definition.placement_constraints, &group, instance)
}

/// Whether the constraints allow a task of `group` on the instance. An expression that cannot be read allows
/// nothing; ECS would have refused it when the service was created.
pub(crate) fn allows(
    account: &Account,
    cluster: &Cluster,
    constraints: &[PlacementConstraint],
    group: &str,
    instance: &ContainerInstance,
) -> bool {
    constraints.iter().all(|constraint| match constraint {
        PlacementConstraint::DistinctInstance => !cluster.tasks.values().any(|task| {
            task.is_wanted() && task.group == group && task.container_instance.as_ref() == Some(&instance.arn)
        }),
        PlacementConstraint::MemberOf(expression) => {
            constraint::holds(expression, &Subject::of(account, &cluster.name, instance)).unwrap_or(false)
        }
    })
}

/// Why a task could not be placed, in the words of "View Amazon ECS service event messages".
pub(crate) fn reason_not_placed(account: &Account, wanted: &Wanted<'_>) -> String {
    let base = match wanted.zone {
        None => {
            "was unable to place a task because no container instance met all of its requirements.".to_owned()
        }
        Some(zone) => format!(
            "is unable to place a task in {zone} because no container instance met all of its requirements."
        ),
    };
    let closest = closest(account, wanted).map(|(instance, lack)| {
        let id = crate::scheduler::events::last_segment(&instance.arn);
        format!(" The closest matching (container-instance {id}) {lack}.")
    });
    let hint = " For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.";
    format!("{base}{}{hint}", closest.unwrap_or_default())
}

/// The first instance that would do but for one thing, and that thing.
fn closest<'a>(account: &'a Account, wanted: &Wanted<'_>) -> Option<(&'a ContainerInstance, &'static str)> {
    let cluster = account.clusters.get(wanted.cluster)?;
    let occupancy = Occupancy::new(account, cluster);
    let group = format!("service:{}", wanted.service.name);
    let mut active = cluster
        .container_instances
        .values()
        .filter(|instance| instance.status == ContainerInstanceStatus::Active && is_in(instance, wanted));
    active.next().map(|instance| {
        let lack = match occupancy.lack(instance, wanted.definition, &group) {
            None if !instance.agent_connected => "encountered error \"AGENT\"",
            None => "is missing an attribute required by your task",
            Some(lack) => lack,
        };
        (instance, lack)
    })
}

#[cfg(test)]
mod tests;
