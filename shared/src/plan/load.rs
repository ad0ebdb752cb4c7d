//! How full each container instance is, and how unevenly: the second layer's measure.
//!
//! The load of an instance is its *dominant share*: of CPU and memory the one of which more is reserved, by every task
//! that ECS means to run there, daemons and standalone tasks included (design notes D.2, layer 2). Instances are
//! compared inside a *group*: those of one capacity provider, over all zones if each zone has as many of them, else zone
//! by zone, since services that spread over zones load the instances of a small zone more and nothing can change that.
//! Only instances that can take tasks count: ACTIVE, agent connected, past the warm-up.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{ContainerInstanceArn, InstanceId, TaskArn, ZoneName};
use crate::percent::Percent;
use crate::plan::proposal::Limits;
use crate::snapshot::{ClusterSnapshot, ContainerInstance, ContainerInstanceStatus, Known, Task};

/// Loads closer than this are left alone, whatever their ratio: a tenth of an instance.
pub const APART_MIN: u64 = 100_000;

/// Reserved CPU units and MiB of memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size {
    /// CPU units.
    pub cpu: u64,
    /// MiB.
    pub memory: u64,
}

/// One container instance and what is reserved on it.
#[derive(Clone, Debug)]
pub struct Host<'a> {
    /// The container instance.
    pub instance: &'a ContainerInstance,
    /// What the tasks that ECS means to run there reserve.
    pub reserved: Size,
    /// Whether it can take tasks.
    pub is_open: bool,
}

/// Instances that are compared with one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Their capacity provider.
    pub capacity_provider: Option<String>,
    /// Their zone, unless the group goes over all zones.
    pub zone: Option<ZoneName>,
    /// Positions among the hosts.
    pub members: Vec<usize>,
}

/// Every container instance of a cluster with its load.
#[derive(Clone, Debug)]
pub struct Loads<'a> {
    /// In order of ARN, as in the snapshot.
    pub hosts: Vec<Host<'a>>,
    /// The groups, in order of provider and zone.
    pub groups: Vec<Group>,
    /// The group of each host.
    group_at: Vec<Option<usize>>,
    /// The sum of each group's shares, kept up to date.
    sums: Vec<u64>,
}

impl Host<'_> {
    /// The dominant share in parts per million.
    pub fn share(&self) -> u64 {
        self.share_with(Size::default(), Size::default())
    }

    /// The dominant share if `more` came and `less` left.
    pub fn share_with(&self, more: Size, less: Size) -> u64 {
        let registered = &self.instance.registered;
        let part = |reserved: u64, more: u64, less: u64, registered: u64| {
            ((reserved + more).saturating_sub(less) * 1_000_000).checked_div(registered).unwrap_or(0)
        };
        part(self.reserved.cpu, more.cpu, less.cpu, registered.cpu).max(part(
            self.reserved.memory,
            more.memory,
            less.memory,
            registered.memory,
        ))
    }

    /// As an operator knows it: `i-0123 (eu-west-1a) is 82 % full`.
    pub fn words(&self) -> String {
        let name = self.instance.instance_id.as_ref().map_or(self.instance.arn.short(), InstanceId::as_str);
        let zone = self.instance.zone.as_ref().map_or("no zone", ZoneName::as_str);
        format!("{name} ({zone}) is {} % full", self.share().div_ceil(10_000))
    }
}

impl<'a> Loads<'a> {
    /// Measures a cluster. Tasks in `leaving` do not count: they are about to.
    pub fn of(snapshot: &'a ClusterSnapshot, limits: &Limits, leaving: &BTreeSet<TaskArn>) -> Self {
        let mut reserved: BTreeMap<&ContainerInstanceArn, Size> = BTreeMap::new();
        let mut untold: BTreeSet<&ContainerInstanceArn> = BTreeSet::new();
        for task in snapshot.tasks.values().filter(|task| task.is_wanted() && !leaving.contains(&task.arn)) {
            let Some(instance) = &task.container_instance else { continue };
            let Some(size) = size_of(snapshot, task) else {
                untold.insert(instance);
                continue;
            };
            let sum = reserved.entry(instance).or_default();
            sum.cpu += size.cpu;
            sum.memory += size.memory;
        }
        let host = |instance: &'a ContainerInstance| {
            let told = reserved.get(&instance.arn).copied().unwrap_or_default();
            let reserved = if untold.contains(&instance.arn) { at_least(told, instance) } else { told };
            Host { instance, reserved, is_open: is_open(snapshot, limits, instance) }
        };
        let hosts: Vec<Host<'a>> = snapshot.container_instances.values().map(host).collect();
        let groups = groups(&hosts);
        let mut group_at = vec![None; hosts.len()];
        for (at, group) in groups.iter().enumerate() {
            group.members.iter().for_each(|host| group_at[*host] = Some(at));
        }
        let sum = |group: &Group| group.members.iter().map(|at| hosts[*at].share()).sum();
        let sums = groups.iter().map(sum).collect();
        Self { hosts, groups, group_at, sums }
    }

    /// (max - min) / mean of a group's shares, rounded up.
    pub fn skew(&self, group: &Group) -> Percent {
        let shares = || group.members.iter().map(|at| self.hosts[*at].share());
        let (most, least) = (shares().max().unwrap_or(0), shares().min().unwrap_or(0));
        let (sum, count) = (shares().sum::<u64>(), group.members.len() as u64);
        let percent = ((most - least) * count * 100).checked_div(sum).unwrap_or(0);
        let is_exact = percent * sum == (most - least) * count * 100;
        Percent::new(u32::try_from(percent).unwrap_or(u32::MAX - 1) + u32::from(!is_exact))
    }

    /// Whether a group is more uneven than `threshold` by more than the least difference that matters.
    pub fn is_uneven(&self, group: &Group, threshold: Percent) -> bool {
        let shares = || group.members.iter().map(|at| self.hosts[*at].share());
        let apart = shares().max().unwrap_or(0) - shares().min().unwrap_or(0);
        apart >= APART_MIN && self.skew(group) > threshold
    }

    /// Whether a task of this size leaves both instances better off on `to` than on `from`: one above the mean of its group
    /// gives to one below, and neither ends above what the fuller one was ([`Loads::cools`]).
    pub fn relieves(&self, size: Size, from: usize, to: usize) -> bool {
        self.cools(size, from, to)
            && self.is_above_mean(from) == Some(Ordering::Greater)
            && self.is_above_mean(to) == Some(Ordering::Less)
    }

    /// Whether the source gets cooler and is afterwards still not below the target. The larger of the two then strictly
    /// falls with every move, so that moves can never go round in a circle.
    pub fn cools(&self, size: Size, from: usize, to: usize) -> bool {
        let (source, target) = (&self.hosts[from], &self.hosts[to]);
        let after = source.share_with(Size::default(), size);
        from != to && after < source.share() && target.share_with(size, Size::default()) <= after
    }

    /// How a host's share compares with the mean of its group.
    fn is_above_mean(&self, host: usize) -> Option<Ordering> {
        let group = self.group_at[host]?;
        let count = self.groups[group].members.len() as u64;
        Some((self.hosts[host].share() * count).cmp(&self.sums[group]))
    }

    /// The mean share of a group, rounded down.
    pub fn mean(&self, group: &Group) -> u64 {
        let sum: u64 = group.members.iter().map(|at| self.hosts[*at].share()).sum();
        sum / (group.members.len() as u64).max(1)
    }

    /// Adds a task that is to come.
    pub fn add(&mut self, to: &ContainerInstanceArn, size: Size) {
        let found = self.hosts.binary_search_by(|host| host.instance.arn.cmp(to));
        if let Ok(host) = found {
            self.change(host, |reserved| (reserved.cpu + size.cpu, reserved.memory + size.memory));
        }
    }

    /// Moves the reservation of one task.
    pub fn shift(&mut self, size: Size, from: usize, to: usize) {
        self.change(from, |it| (it.cpu.saturating_sub(size.cpu), it.memory.saturating_sub(size.memory)));
        self.change(to, |it| (it.cpu + size.cpu, it.memory + size.memory));
    }

    fn change(&mut self, host: usize, change: impl FnOnce(Size) -> (u64, u64)) {
        let before = self.hosts[host].share();
        let (cpu, memory) = change(self.hosts[host].reserved);
        self.hosts[host].reserved = Size { cpu, memory };
        if let Some(group) = self.group_at[host] {
            self.sums[group] = self.sums[group] + self.hosts[host].share() - before;
        }
    }
}

/// What a task reserves: its own figures (API: `Task`), else those of its task definition, if that was read.
pub fn size_of(snapshot: &ClusterSnapshot, task: &Task) -> Option<Size> {
    if let (Some(cpu), Some(memory)) = (task.cpu, task.memory) {
        return Some(Size { cpu, memory });
    }
    let definition = snapshot.task_definitions.get(&task.task_definition).and_then(Known::known)?;
    Some(Size { cpu: definition.cpu, memory: definition.memory })
}

/// What is reserved on an instance by its own word, where not every task on it tells: tasks that are about to leave count,
/// so that it may look fuller than it will be, never emptier.
fn at_least(told: Size, instance: &ContainerInstance) -> Size {
    let (registered, remaining) = (&instance.registered, &instance.remaining);
    Size {
        cpu: told.cpu.max(registered.cpu.saturating_sub(remaining.cpu)),
        memory: told.memory.max(registered.memory.saturating_sub(remaining.memory)),
    }
}

fn is_open(snapshot: &ClusterSnapshot, limits: &Limits, instance: &ContainerInstance) -> bool {
    let is_warm = instance.registered_at.is_some_and(|at| snapshot.observed_at.since(at) >= limits.warm_up);
    instance.status == ContainerInstanceStatus::Active && instance.agent_connected && is_warm
}

fn groups(hosts: &[Host<'_>]) -> Vec<Group> {
    let mut by_provider: BTreeMap<Option<&String>, BTreeMap<Option<&ZoneName>, Vec<usize>>> = BTreeMap::new();
    for (at, host) in hosts.iter().enumerate().filter(|(_, host)| host.is_open) {
        let zones = by_provider.entry(host.instance.capacity_provider.as_ref()).or_default();
        zones.entry(host.instance.zone.as_ref()).or_default().push(at);
    }
    by_provider.into_iter().flat_map(|(provider, zones)| groups_of(provider, zones)).collect()
}

fn groups_of(provider: Option<&String>, zones: BTreeMap<Option<&ZoneName>, Vec<usize>>) -> Vec<Group> {
    let capacity_provider = provider.cloned();
    let sizes: BTreeSet<usize> = zones.values().map(Vec::len).collect();
    if sizes.len() == 1 {
        let mut members = zones.into_values().flatten().collect::<Vec<usize>>();
        members.sort_unstable();
        return vec![Group { capacity_provider, zone: None, members }];
    }
    let group = |(zone, members): (Option<&ZoneName>, Vec<usize>)| Group {
        capacity_provider: capacity_provider.clone(),
        zone: zone.cloned(),
        members,
    };
    zones.into_iter().map(group).collect()
}
