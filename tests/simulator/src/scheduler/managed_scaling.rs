//! Managed scaling: ECS sizes the group of a capacity provider by what its tasks need.
//!
//! From the ECS Developer Guide, "How Amazon ECS managed scaling works": once a minute the metric
//! `CapacityProviderReservation` is published as M / N x 100, where N is the size of the group and M what its tasks
//! need, waiting ones (PROVISIONING) included; no instances and no tasks make 100, no instances and some tasks 200. A
//! target tracking policy grows the group at once, from nothing to two, and shrinks it after 15 low points, by less
//! than half. With `AlarmNotification` suspended alarms have no effect ("Suspend and resume").
//!
//! Simplified: what waits is measured against the size of the group's machines, CPU and memory only; there is no
//! warm-up, as growth goes to the size needed and not by steps; each step of shrinking waits for 15 low points anew.

use std::collections::BTreeSet;
use std::time::Duration;

use super::groups;
use super::health::service_of;
use crate::account::{
    Account, AutoScalingGroup, CapacityProvider, Cluster, ContainerInstanceStatus, ManagedScaling,
    SchedulingStrategy, Task, TaskStatus,
};

/// How often the metric is published.
const PERIOD: Duration = Duration::from_mins(1);

/// How many low points in a row it takes to shrink.
const LOW_POINTS: u32 = 15;

/// Publishes the metrics that are due, and lets the policies follow them.
pub(crate) fn tick(account: &mut Account) {
    let now = account.now;
    for provider in account.capacity_providers.values().cloned().collect::<Vec<_>>() {
        if let Some(scaling) = provider.managed_scaling.filter(|scaling| scaling.published_at <= now) {
            let low = publish(account, &provider, scaling);
            let scaling = ManagedScaling { published_at: now + PERIOD, low, ..scaling };
            if let Some(provider) = account.capacity_providers.get_mut(&provider.name) {
                provider.managed_scaling = Some(scaling);
            }
        }
    }
}

/// Sets the desired capacity if an alarm says so; returns how many low points in a row there have been.
fn publish(account: &mut Account, provider: &CapacityProvider, scaling: ManagedScaling) -> u32 {
    let Some(group) = account.auto_scaling_groups.get(&provider.group) else { return 0 };
    let (there, needed) = (size(account, group), needed(account, provider));
    let desired = group.desired_capacity;
    let wanted = if there == 0 && needed > 0 {
        needed.max(2)
    } else {
        (needed * 100).div_ceil(scaling.target_capacity.max(1))
    };
    let low = if wanted < there { scaling.low + 1 } else { 0 };
    let may_act = !group.suspends("AlarmNotification");
    if wanted > there && wanted > desired && may_act {
        set(account, provider, "AlarmHigh", wanted);
    } else if low >= LOW_POINTS && may_act {
        let step = (there - wanted).min((there.saturating_sub(1) / 2).max(1));
        set(account, provider, "AlarmLow", desired.saturating_sub(step));
        return 0;
    }
    low
}

fn set(account: &mut Account, provider: &CapacityProvider, alarm: &str, desired: u32) {
    let name = format!("TargetTracking-{}-{alarm}", provider.group);
    let why = format!(
        "a monitor alarm {name} in state ALARM triggered policy ECSManagedAutoScalingPolicy-{}",
        provider.name
    );
    groups::set_desired(account, &provider.group, desired, &why);
}

/// N: the group's instances, those that are DRAINING only if a switch says so.
fn size(account: &Account, group: &AutoScalingGroup) -> u32 {
    let drained = |id: &str| {
        let registered = super::machines::container_instance(account, id);
        registered.is_some_and(|(_, it)| it.status == ContainerInstanceStatus::Draining)
    };
    let all = group.instances.values().filter(|instance| instance.state.counts());
    let counted = all.filter(|it| account.switches.reservation_counts_draining || !drained(&it.id));
    counted.count() as u32
}

/// M: instances with a task other than a daemon's, and what those that wait need beside them.
fn needed(account: &Account, provider: &CapacityProvider) -> u32 {
    let clusters = account.clusters.values();
    clusters.map(|cluster| in_use(account, cluster, provider) + waiting(account, cluster, provider)).sum()
}

fn in_use(account: &Account, cluster: &Cluster, provider: &CapacityProvider) -> u32 {
    let at_work = at_work(cluster);
    let own = cluster.container_instances.values().filter(|instance| {
        let counted = account.switches.reservation_counts_draining
            || instance.status != ContainerInstanceStatus::Draining;
        counted && instance.host_alive && instance.capacity_provider.as_ref() == Some(&provider.name)
    });
    own.filter(|instance| at_work.contains(instance.arn.as_str())).count() as u32
}

/// ARNs of the instances with a task other than a daemon's that is not STOPPED.
pub(crate) fn at_work(cluster: &Cluster) -> BTreeSet<&str> {
    let is_work = |task: &&Task| {
        let service = service_of(cluster, task);
        task.last_status != TaskStatus::Stopped
            && service.is_none_or(|service| service.scheduling_strategy != SchedulingStrategy::Daemon)
    };
    let tasks = cluster.tasks.values().filter(is_work);
    tasks.filter_map(|task| task.container_instance.as_deref()).collect()
}

/// Machines that the waiting tasks of the provider would fill.
fn waiting(account: &Account, cluster: &Cluster, provider: &CapacityProvider) -> u32 {
    let waits = |task: &&Task| {
        task.last_status == TaskStatus::Provisioning
            && task.is_wanted()
            && task.capacity_provider.as_ref() == Some(&provider.name)
    };
    let definitions = cluster.tasks.values().filter(waits);
    let definitions = definitions.filter_map(|task| account.task_definitions.get(&task.task_definition));
    let (cpu, memory) = definitions.fold((0, 0), |(cpu, memory), it| (cpu + it.cpu, memory + it.memory));
    let (machine_cpu, machine_memory) = machine_size(account, provider);
    cpu.div_ceil(machine_cpu.max(1)).max(memory.div_ceil(machine_memory.max(1))) as u32
}

/// CPU units and MiB of the machines the group launches.
fn machine_size(account: &Account, provider: &CapacityProvider) -> (u64, u64) {
    let group = account.auto_scaling_groups.get(&provider.group);
    let choice = group.and_then(|group| groups::choose(account, group, None));
    let joins = choice.and_then(|choice| choice.template.joins.clone());
    joins.map_or((1, 1), |joins| (joins.cpu, joins.memory))
}

#[cfg(test)]
mod tests;
