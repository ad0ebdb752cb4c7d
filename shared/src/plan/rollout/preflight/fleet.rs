//! Whether what runs on the old instances has a place on those that come: new ones are imagined as the old ones are, with
//! another id, the AMI and the instance types that the group launches now, and no task.
//!
//! A service that wants each task on another instance, or a host port to itself, needs no word: beside every old instance
//! comes a new one.

use std::collections::{BTreeMap, BTreeSet};

use super::{PreflightSnapshot, concerned};
use crate::ids::{ImageId, InstanceId};
use crate::plan::eligible::Requirements;
use crate::plan::reason::Reason;
use crate::plan::rollout::gate::is_judged;
use crate::plan::rollout::reason::RolloutReason;
use crate::snapshot::{AutoScalingInstance, ContainerInstance, ContainerInstanceStatus, Resources, Service};

/// What a new instance would register with as attributes (Amazon ECS Developer Guide, "Amazon ECS container instance
/// attributes").
const AMI_ID: &str = "ecs.ami-id";
const INSTANCE_TYPE: &str = "ecs.instance-type";

/// Services whose constraints admit none of the new instances, and none of those that stay: their tasks would never leave.
/// Only what a new instance is known to bring can exclude it: what admits no old instance either was changed by somebody.
pub(super) fn excluded(snapshot: &PreflightSnapshot, old: &[&AutoScalingInstance]) -> Vec<RolloutReason> {
    let Some(cluster) = snapshot.seen.services.known() else { return Vec::new() };
    let stay = staying(snapshot, old);
    let models: Vec<&ContainerInstance> =
        old.iter().filter_map(|it| snapshot.seen.container_instance(&it.id)).collect();
    let reason = |service: &Service| {
        let definition = cluster.task_definitions.get(&service.task_definition)?.known();
        let requirements = Requirements::read(service, definition).ok()?;
        let admits = |it: &ContainerInstance| requirements.reason_not_admitted(it);
        let takes = |it: &ContainerInstance| !matches!(admits(it), Ok(Some(_)));
        if stay.iter().copied().any(takes) {
            return None;
        }
        let mut excluded = None;
        for model in models.iter().copied().filter(|it| takes(it)) {
            for new in imagined(snapshot, model) {
                let Ok(Some(Reason::ConstraintNotMet { expression })) = admits(&new) else { return None };
                excluded = Some(expression);
            }
        }
        Some(RolloutReason::ExcludesNew { service: service.name.clone(), expression: excluded? })
    };
    let concerned = concerned(cluster, &snapshot.seen, old).into_iter();
    concerned.filter(|it| is_judged(it)).filter_map(reason).collect()
}

/// Instances that take tasks and are not replaced.
fn staying<'s>(snapshot: &'s PreflightSnapshot, old: &[&AutoScalingInstance]) -> Vec<&'s ContainerInstance> {
    let is_old = |id: &InstanceId| old.iter().any(|it| it.id == *id);
    let stay = snapshot.seen.registered.iter().filter(|(id, _)| !is_old(id)).flat_map(|(_, all)| all);
    stay.filter(|it| it.status == ContainerInstanceStatus::Active).collect()
}

/// What may come in place of an old one: one for each type that may be launched.
fn imagined(snapshot: &PreflightSnapshot, old: &ContainerInstance) -> Vec<ContainerInstance> {
    let image = image(snapshot);
    let types = launched_types(snapshot).unwrap_or_default();
    if types.is_empty() {
        return vec![new_like(old, image, None)];
    }
    types.iter().map(|it| new_like(old, image, Some(it))).collect()
}

fn new_like(
    old: &ContainerInstance,
    image: Option<&ImageId>,
    instance_type: Option<&str>,
) -> ContainerInstance {
    let mut new = ContainerInstance {
        instance_id: Some(InstanceId::new("i-new")),
        status: ContainerInstanceStatus::Active,
        agent_connected: true,
        agent_version: None,
        registered_at: None,
        ..old.clone()
    };
    let values = [(AMI_ID, image.map(ImageId::as_str)), (INSTANCE_TYPE, instance_type)];
    for (name, value) in values.into_iter().filter(|(_, value)| value.is_some()) {
        new.attributes.insert(name.to_owned(), value.map(str::to_owned));
    }
    new
}

/// The AMI of new instances, where it is known and one.
fn image(snapshot: &PreflightSnapshot) -> Option<&ImageId> {
    snapshot.seen.images.known()?.meant.as_ref()
}

/// The types that the group may launch; `None` where attributes choose them.
fn launched_types(snapshot: &PreflightSnapshot) -> Option<BTreeSet<&str>> {
    let of_template = snapshot.target.known()?.as_ref()?.instance_type.as_deref();
    snapshot.seen.group.launch_source.instance_types(of_template)
}

/// Types of which nothing is known, and old instances that hold more than a new one may have room for.
pub(super) fn room(snapshot: &PreflightSnapshot, old: &[&AutoScalingInstance]) -> Vec<RolloutReason> {
    if snapshot.target.known().is_none_or(Option::is_none) {
        return Vec::new();
    }
    let Some(types) = launched_types(snapshot) else {
        let what =
            "which instance types come, since attributes choose them: whether all tasks fit is not foreseen";
        return vec![RolloutReason::CannotTell { what: what.to_owned() }];
    };
    let sizes = sizes(snapshot);
    let own: BTreeSet<&str> = old.iter().map(|it| it.instance_type.as_str()).collect();
    let unknown: Vec<&str> = types.iter().copied().filter(|it| !sizes.contains_key(it)).collect();
    let joined = |types: &mut dyn Iterator<Item = &str>| types.collect::<Vec<_>>().join(", ");
    let mut reasons = Vec::new();
    if !unknown.is_empty() && !old.is_empty() {
        let from = joined(&mut own.into_iter());
        reasons.push(RolloutReason::OtherInstanceType { from, to: joined(&mut unknown.into_iter()) });
    }
    let too_small = |(name, size): (&&str, &&Resources)| {
        let instances = old.iter().filter(|it| holds_more(snapshot, it, size)).count();
        (instances > 0 && types.contains(*name)).then_some((instances, (*name).to_owned()))
    };
    let worst = sizes.iter().filter_map(too_small).max();
    reasons.extend(worst.map(|(instances, to)| RolloutReason::MayNotFit { instances, to }));
    reasons
}

/// What instances of a type registered with, by those that the group has.
fn sizes(snapshot: &PreflightSnapshot) -> BTreeMap<&str, &Resources> {
    let seen = &snapshot.seen;
    let size = |it: &'_ AutoScalingInstance| seen.container_instance(&it.id).map(|found| &found.registered);
    let all = seen.group.instances.values();
    all.filter_map(|it| Some((it.instance_type.as_str(), size(it)?))).collect()
}

fn holds_more(snapshot: &PreflightSnapshot, instance: &AutoScalingInstance, size: &Resources) -> bool {
    snapshot.seen.container_instance(&instance.id).is_some_and(|it| {
        let cpu = it.registered.cpu.saturating_sub(it.remaining.cpu);
        let memory = it.registered.memory.saturating_sub(it.remaining.memory);
        cpu > size.cpu || memory > size.memory
    })
}

/// A shortage in the only zone leaves the group nowhere to go.
pub(super) fn one_zone(snapshot: &PreflightSnapshot) -> Option<RolloutReason> {
    match snapshot.seen.group.zones.as_slice() {
        [only] => Some(RolloutReason::OneZone { zone: only.clone() }),
        _ => None,
    }
}
