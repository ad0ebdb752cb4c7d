//! How much of a container instance is left, as ECS reports it and as it truly is.
//!
//! `remainingResources` counts tasks from PENDING to RUNNING; a task on its way down has already given its
//! share back (containers-roadmap issue 2171). The host itself is only free of a task when that is STOPPED,
//! and since agent 1.73 the agent keeps a new task in PENDING until then. Daemon tasks that are still missing
//! have their share kept free ("Amazon ECS services", daemon).

use std::collections::{BTreeMap, BTreeSet};

use crate::account::{
    Account, Cluster, ContainerInstance, SchedulingStrategy, Task, TaskDefinition, TaskStatus,
};

/// What is left of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remaining {
    /// CPU units.
    pub cpu: u64,
    /// Memory in MiB.
    pub memory: u64,
    /// TCP host ports in use or reserved; `remainingResources` lists these, not the free ones.
    pub ports: BTreeSet<u16>,
}

/// `remainingResources` of the instance as ECS reports them.
pub fn remaining(account: &Account, cluster: &str, instance_arn: &str) -> Remaining {
    left(account, cluster, instance_arn, is_counted).unwrap_or_default()
}

/// What is truly free on the host.
pub fn host_free(account: &Account, cluster: &str, instance_arn: &str) -> Remaining {
    left(account, cluster, instance_arn, |task| task.last_status != TaskStatus::Stopped).unwrap_or_default()
}

/// Whether the agent can start this PENDING task now: what is already on the host leaves room for it.
pub fn host_has_room(account: &Account, cluster: &str, task: &Task) -> bool {
    let Some(instance) = &task.container_instance else { return false };
    let Some(definition) = account.task_definitions.get(&task.task_definition) else { return false };
    let there =
        |other: &Task| other.last_status > TaskStatus::Pending && other.last_status != TaskStatus::Stopped;
    left(account, cluster, instance, there).is_some_and(|free| {
        free.cpu >= definition.cpu
            && free.memory >= definition.memory
            && fixed_ports(definition).all(|port| !free.ports.contains(&port))
    })
}

/// `runningTasksCount` and `pendingTasksCount`: by desired status, so that a task being stopped is in
/// neither.
pub fn counts(account: &Account, cluster: &str, instance_arn: &str) -> (u32, u32) {
    let Some(cluster) = account.clusters.get(cluster) else { return (0, 0) };
    let there = cluster
        .tasks
        .values()
        .filter(|task| task.is_wanted() && task.container_instance.as_deref() == Some(instance_arn));
    let (running, pending): (Vec<_>, Vec<_>) =
        there.partition(|task| task.last_status == TaskStatus::Running);
    (running.len() as u32, pending.len() as u32)
}

fn left(
    account: &Account,
    cluster: &str,
    instance_arn: &str,
    counts: impl Fn(&Task) -> bool,
) -> Option<Remaining> {
    let cluster = account.clusters.get(cluster)?;
    let instance = cluster.container_instances.get(instance_arn)?;
    let mut used = Remaining::default();
    for task in cluster.tasks.values() {
        if task.container_instance.as_deref() == Some(instance_arn) && counts(task) {
            add(account, &mut used, task);
        }
    }
    Some(subtract(instance, &used))
}

/// Whether ECS counts the task against its instance.
fn is_counted(task: &Task) -> bool {
    task.last_status <= TaskStatus::Running
}

fn add(account: &Account, used: &mut Remaining, task: &Task) {
    let Some(definition) = account.task_definitions.get(&task.task_definition) else { return };
    used.cpu += definition.cpu;
    used.memory += definition.memory;
    used.ports.extend(fixed_ports(definition));
    used.ports.extend(task.host_ports.keys());
}

fn subtract(instance: &ContainerInstance, used: &Remaining) -> Remaining {
    Remaining {
        cpu: instance.cpu.saturating_sub(used.cpu),
        memory: instance.memory.saturating_sub(used.memory),
        ports: instance.ports.union(&used.ports).copied().collect(),
    }
}

/// The host ports a task of this definition insists on.
fn fixed_ports(definition: &TaskDefinition) -> impl Iterator<Item = u16> {
    let bound_to_host = definition.network_mode != "awsvpc";
    definition.port_mappings.values().copied().filter(move |port| bound_to_host && *port != 0)
}

/// The room on every instance of a cluster, counted in one pass.
#[derive(Debug)]
pub(crate) struct Occupancy<'a> {
    account: &'a Account,
    cluster: &'a Cluster,
    used: BTreeMap<&'a str, Remaining>,
    /// Instance ARN and group of each counted task.
    groups: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Occupancy<'a> {
    pub(crate) fn new(account: &'a Account, cluster: &'a Cluster) -> Self {
        let mut used: BTreeMap<&str, Remaining> = BTreeMap::new();
        let mut groups = BTreeSet::new();
        for task in cluster.tasks.values().filter(|task| is_counted(task)) {
            let Some(instance) = &task.container_instance else { continue };
            add(account, used.entry(instance).or_default(), task);
            groups.insert((instance.as_str(), task.group.as_str()));
        }
        Self { account, cluster, used, groups }
    }

    /// What ECS would report as remaining.
    pub(crate) fn remaining(&self, instance: &ContainerInstance) -> Remaining {
        subtract(instance, self.used.get(instance.arn.as_str()).unwrap_or(&Remaining::default()))
    }

    /// What the instance lacks for a task of `group`, in the words of the service event; `None` if it fits.
    pub(crate) fn lack(
        &self,
        instance: &ContainerInstance,
        definition: &TaskDefinition,
        group: &str,
    ) -> Option<&'static str> {
        let free = self.remaining(instance);
        let kept = self.kept_for_daemons(instance, group);
        let no_port =
            fixed_ports(definition).any(|port| free.ports.contains(&port) || kept.ports.contains(&port));
        if free.cpu < definition.cpu + kept.cpu {
            Some("has insufficient CPU units available")
        } else if free.memory < definition.memory + kept.memory {
            Some("has insufficient memory available")
        } else if no_port {
            Some("is already using a port required by your task")
        } else {
            None
        }
    }

    /// What daemon services need that have no task on the instance yet; nothing if `group` is itself a
    /// daemon.
    fn kept_for_daemons(&self, instance: &ContainerInstance, group: &str) -> Remaining {
        let mut kept = Remaining::default();
        for service in self.cluster.services.values() {
            if service.scheduling_strategy != SchedulingStrategy::Daemon {
                continue;
            }
            let own = format!("service:{}", service.name);
            if own == group {
                return Remaining::default();
            }
            let Some(definition) = self.account.task_definitions.get(&service.task_definition) else {
                continue;
            };
            let missing = !self.groups.contains(&(instance.arn.as_str(), own.as_str()));
            let allowed =
                || super::allows(self.account, self.cluster, &service.placement_constraints, &own, instance);
            if missing && allowed() {
                kept.cpu += definition.cpu;
                kept.memory += definition.memory;
                kept.ports.extend(fixed_ports(definition));
            }
        }
        kept
    }
}
