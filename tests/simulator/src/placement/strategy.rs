//! The chain of placement strategies: each link keeps only the instances that are best by its own measure.
//!
//! From "Use strategies to define Amazon ECS task placement". Without any strategy the scheduler's own rule
//! holds ("Amazon ECS services"): the zone with the fewest tasks of the service, in it the instance with the
//! fewest.

use std::collections::{BTreeMap, BTreeSet};

use super::Wanted;
use super::room::Occupancy;
use crate::account::{
    Account, Cluster, ContainerInstance, PlacementStrategy, PlacementStrategyType, Service, Task,
};

/// Name of the attribute that holds the zone.
pub(crate) const ZONE: &str = "attribute:ecs.availability-zone";

/// The candidates that are left after the last link; equals by every measure.
pub(crate) fn best<'a>(
    account: &'a Account,
    wanted: &Wanted<'_>,
    candidates: Vec<&'a ContainerInstance>,
) -> Vec<&'a ContainerInstance> {
    let Some(cluster) = account.clusters.get(wanted.cluster) else { return candidates };
    let occupancy = Occupancy::new(account, cluster);
    chain(wanted.service).iter().fold(candidates, |left, link| match link.kind {
        PlacementStrategyType::Random => left,
        PlacementStrategyType::Spread => {
            let left = spread(account, cluster, wanted.service, &link.field, left);
            if link.field == ZONE { settle(account, left) } else { left }
        }
        PlacementStrategyType::Binpack => binpack(&occupancy, &link.field, left),
    })
}

/// The service's chain, or the scheduler's own rule.
pub(crate) fn chain(service: &Service) -> Vec<PlacementStrategy> {
    let spread =
        |field: &str| PlacementStrategy { kind: PlacementStrategyType::Spread, field: field.to_owned() };
    if service.placement_strategy.is_empty() {
        return vec![spread(ZONE), spread("instanceId")];
    }
    service.placement_strategy.clone()
}

fn spread<'a>(
    account: &Account,
    cluster: &Cluster,
    service: &Service,
    field: &str,
    candidates: Vec<&'a ContainerInstance>,
) -> Vec<&'a ContainerInstance> {
    let mut tasks_by_value: BTreeMap<&str, usize> = BTreeMap::new();
    for task in cluster.tasks.values().filter(|task| is_counted(account, service, task)) {
        let instance = task.container_instance.as_ref().and_then(|arn| cluster.container_instances.get(arn));
        if let Some(value) = instance.and_then(|instance| value(instance, field)) {
            *tasks_by_value.entry(value).or_default() += 1;
        }
    }
    let count = |instance: &ContainerInstance| {
        value(instance, field).map(|value| tasks_by_value.get(value).copied().unwrap_or(0))
    };
    // An instance without the attribute has no place in the spread and comes last.
    keep_least(candidates, |instance| count(instance).unwrap_or(usize::MAX))
}

/// Leaves one of several zones that are equal so far, if the run has it so.
fn settle<'a>(account: &Account, candidates: Vec<&'a ContainerInstance>) -> Vec<&'a ContainerInstance> {
    if !account.switches.zone_tie_is_settled_at_once {
        return candidates;
    }
    let zones: BTreeSet<&str> = candidates.iter().map(|instance| instance.zone()).collect();
    let lot = (account.dice >> 33) as usize % zones.len().max(1);
    let drawn = zones.into_iter().nth(lot);
    candidates.into_iter().filter(|instance| Some(instance.zone()) == drawn).collect()
}

/// Whether a spread of the service counts this task.
fn is_counted(account: &Account, service: &Service, task: &Task) -> bool {
    let of_service = task.is_wanted() && task.service() == Some(&service.name);
    let primary = service.deployments.first().map(|deployment| &deployment.id);
    of_service && (account.switches.placement_counts_old_deployments || task.started_by.as_ref() == primary)
}

/// The value of a spread's field: an attribute, or the instance itself (`instanceId` and `host` are the
/// same).
pub(crate) fn value<'a>(instance: &'a ContainerInstance, field: &str) -> Option<&'a str> {
    match field.strip_prefix("attribute:") {
        Some(name) => instance.attributes.get(name)?.as_deref(),
        None => Some(&instance.ec2_instance_id),
    }
}

fn binpack<'a>(
    occupancy: &Occupancy<'_>,
    field: &str,
    candidates: Vec<&'a ContainerInstance>,
) -> Vec<&'a ContainerInstance> {
    keep_least(candidates, |instance| {
        let remaining = occupancy.remaining(instance);
        if field.eq_ignore_ascii_case("cpu") { remaining.cpu } else { remaining.memory }
    })
}

fn keep_least<T: Ord>(
    candidates: Vec<&ContainerInstance>,
    measure: impl Fn(&ContainerInstance) -> T,
) -> Vec<&ContainerInstance> {
    let Some(least) = candidates.iter().map(|instance| measure(instance)).min() else { return candidates };
    candidates.into_iter().filter(|instance| measure(instance) == least).collect()
}
