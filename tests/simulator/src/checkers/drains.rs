//! What became of every machine that was warned, held or ended: the stage clock of a drain, seen from outside.
//!
//! The clock of a machine starts with the first sign of its end, and again with a stronger one as long as it is not
//! DRAINING. Substitutes are told by their group only: a machine launched after the sign belongs to the one that has
//! waited longest.

use std::collections::{BTreeMap, BTreeSet};

use super::survey::Survey;
use crate::account::{
    Account, ContainerInstance, ContainerInstanceStatus, LifecycleState, Machine, MachineState, Task,
    TaskStatus,
};
use crate::scheduler::health::{TargetIndex, service_of};
use crate::scheduler::machines::container_instance;
use crate::time::SimTime;

/// What announced the end of a machine, from weak to strong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// A rebalance recommendation.
    Recommendation,
    /// A terminate hook.
    Hook,
    /// A Spot interruption warning.
    Warning,
    /// Nothing: it ended, and that was that.
    End,
}

/// One machine on its way out; seconds count from `since`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drain {
    /// The strongest sign so far.
    pub sign: Sign,
    /// When the clock started.
    pub since: SimTime,
    /// Its group at that moment.
    pub group: Option<String>,
    /// Tasks of REPLICA services meant to run on it at that moment, by `cluster/service`.
    pub tasks: BTreeMap<String, u32>,
    /// Until its container instance was DRAINING.
    pub draining_after: Option<u64>,
    /// Until every task on it was STOPPED.
    pub empty_after: Option<u64>,
    /// The machine that came for it.
    pub substitute: Option<String>,
    /// Until that was launched.
    pub substitute_launched_after: Option<u64>,
    /// Until that was a container instance.
    pub substitute_registered_after: Option<u64>,
    /// Until it ended.
    pub ended_after: Option<u64>,
    /// Whether Spot ended it.
    pub reclaimed: bool,
    /// Tasks that ended with it, and how far each had come.
    pub killed: BTreeMap<String, TaskStatus>,
    /// Of `tasks`, how many were missing elsewhere when it ended: their services then had fewer healthy tasks on
    /// other, living machines than they were owed.
    pub missing: u32,
}

/// All drains of a run, by EC2 instance id.
#[derive(Clone, Debug, Default)]
pub struct Drains {
    /// By EC2 instance id.
    pub machines: BTreeMap<String, Drain>,
    /// Machines launched for groups in which no drain waited for a substitute, in the order of their ids.
    pub surplus: BTreeSet<String>,
    /// Machines there were at the last look.
    known: BTreeSet<String>,
    /// Machines that had ended when the watch began.
    gone: BTreeSet<String>,
}

impl Drains {
    /// Begins to watch; a machine that has ended by now is no drain.
    pub(super) fn new(account: &Account) -> Self {
        let known = account.machines.keys().cloned().collect();
        let gone = account.machines.values().filter(|machine| !runs(machine));
        let gone = gone.map(|machine| machine.id.clone()).collect();
        Self { machines: BTreeMap::new(), surplus: BTreeSet::new(), known, gone }
    }

    /// The drain of one machine, if it was ever to end.
    pub fn of(&self, ec2_instance_id: &str) -> Option<&Drain> {
        self.machines.get(ec2_instance_id)
    }

    /// Tasks that were RUNNING when their machine was taken from under them by Spot.
    pub fn killed_running(&self) -> usize {
        let reclaimed = self.machines.values().filter(|drain| drain.reclaimed);
        reclaimed.flat_map(|drain| drain.killed.values()).filter(|it| **it == TaskStatus::Running).count()
    }

    pub(super) fn look(&mut self, account: &Account, survey: &Survey) {
        for machine in account.machines.values() {
            self.note_sign(account, machine);
        }
        self.assign_substitutes(account);
        let mut ended = Vec::new();
        for (id, drain) in &mut self.machines {
            let Some(machine) = account.machines.get(id).filter(|_| drain.ended_after.is_none()) else {
                continue;
            };
            drain.progress(account, machine);
            if drain.ended_after.is_some() {
                ended.push(id.clone());
            }
        }
        for id in ended {
            self.count_missing(account, survey, &id);
        }
        for drain in self.machines.values_mut() {
            drain.follow_substitute(account);
        }
    }

    fn note_sign(&mut self, account: &Account, machine: &Machine) {
        let Some((sign, at)) = sign(account, machine) else { return };
        if self.gone.contains(&machine.id) {
            return;
        }
        match self.machines.get_mut(&machine.id) {
            None => {
                self.machines.insert(machine.id.clone(), Drain::new(account, machine, (sign, at)));
            }
            Some(drain) if drain.sign < sign && sign != Sign::End && drain.draining_after.is_none() => {
                (drain.sign, drain.since) = (sign, at);
            }
            Some(_) => {}
        }
    }

    /// Gives each machine that is new in a group to the drain of that group that has waited longest.
    fn assign_substitutes(&mut self, account: &Account) {
        for machine in account.machines.values() {
            if self.known.contains(&machine.id) {
                continue;
            }
            self.known.insert(machine.id.clone());
            let waits = |drain: &&mut Drain| {
                drain.substitute.is_none() && drain.group.is_some() && drain.group == machine.group
            };
            let waiting = self.machines.values_mut().filter(waits);
            if let Some(drain) = waiting.min_by_key(|drain| drain.since) {
                drain.substitute = Some(machine.id.clone());
                drain.substitute_launched_after = Some(machine.launched_at.since(drain.since).as_secs());
            } else if machine.group.is_some() {
                self.surplus.insert(machine.id.clone());
            }
        }
    }

    /// How many of the machine's tasks are not healthy elsewhere at its end.
    fn count_missing(&mut self, account: &Account, survey: &Survey, id: &str) {
        let index = TargetIndex::new(account);
        let Some(drain) = self.machines.get_mut(id) else { return };
        let short = drain.tasks.iter().map(|(name, tasks)| {
            let owed = survey.services.get(name).map_or(0, super::survey::ServiceNow::owed);
            (*tasks).min(owed.saturating_sub(healthy_on_living_hosts(account, &index, name)))
        });
        drain.missing = short.sum();
    }
}

impl Drain {
    fn new(account: &Account, machine: &Machine, (sign, since): (Sign, SimTime)) -> Self {
        Self {
            sign,
            since,
            group: machine.group.clone(),
            tasks: wanted_on(account, &machine.id),
            draining_after: None,
            empty_after: None,
            substitute: None,
            substitute_launched_after: None,
            substitute_registered_after: None,
            ended_after: None,
            reclaimed: false,
            killed: BTreeMap::new(),
            missing: 0,
        }
    }

    fn progress(&mut self, account: &Account, machine: &Machine) {
        let seconds = account.now.since(self.since).as_secs();
        if !runs(machine) {
            self.ended_after = Some(machine.state_since.since(self.since).as_secs());
            self.killed = machine.killed.clone();
            self.reclaimed = machine.ended_by.as_deref() == Some("ec2")
                || machine.interruption.is_some_and(|interruption| interruption.at <= account.now);
            return;
        }
        let Some((cluster, instance)) = container_instance(account, &machine.id) else { return };
        if instance.status == ContainerInstanceStatus::Draining {
            self.draining_after.get_or_insert(seconds);
            if !tasks_on(account, cluster, instance).any(|task| task.last_status != TaskStatus::Stopped) {
                self.empty_after.get_or_insert(seconds);
            }
        }
    }

    fn follow_substitute(&mut self, account: &Account) {
        let Some(id) = self.substitute.as_ref().filter(|_| self.substitute_registered_after.is_none()) else {
            return;
        };
        if container_instance(account, id).is_some() {
            self.substitute_registered_after = Some(account.now.since(self.since).as_secs());
        }
    }
}

fn runs(machine: &Machine) -> bool {
    matches!(machine.state, MachineState::Pending | MachineState::Running)
}

/// The strongest sign there is for the end of a machine now, and since when.
fn sign(account: &Account, machine: &Machine) -> Option<(Sign, SimTime)> {
    let group = machine.group.as_ref().and_then(|name| account.auto_scaling_groups.get(name));
    let instance = group.and_then(|group| group.instances.get(&machine.id));
    let held = instance.filter(|instance| instance.state == LifecycleState::TerminatingWait);
    let recommended = machine.rebalance_recommended_at.map(|at| (Sign::Recommendation, at));
    let ended = (!runs(machine)).then_some((Sign::End, machine.state_since));
    let warned = machine.interruption.map(|interruption| (Sign::Warning, interruption.noticed_at));
    warned.or(ended).or(held.map(|instance| (Sign::Hook, instance.since))).or(recommended)
}

fn tasks_on<'a>(
    account: &'a Account,
    cluster: &str,
    instance: &'a ContainerInstance,
) -> impl Iterator<Item = &'a Task> {
    let tasks = account.clusters.get(cluster).into_iter().flat_map(|cluster| cluster.tasks.values());
    tasks.filter(move |task| task.container_instance.as_ref() == Some(&instance.arn))
}

/// Wanted tasks of services on a machine, by `cluster/service`.
fn wanted_on(account: &Account, id: &str) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    let Some((cluster, instance)) = container_instance(account, id) else { return counts };
    for task in tasks_on(account, cluster, instance).filter(|task| task.is_wanted()) {
        if let Some(service) = task.service() {
            *counts.entry(format!("{cluster}/{service}")).or_default() += 1;
        }
    }
    counts
}

fn healthy_on_living_hosts(account: &Account, index: &TargetIndex<'_>, name: &str) -> u32 {
    let Some((cluster, service)) = name.split_once('/') else { return 0 };
    let Some(cluster) = account.clusters.get(cluster) else { return 0 };
    let lives = |task: &&Task| {
        let instance = task.container_instance.as_ref().and_then(|arn| cluster.container_instances.get(arn));
        instance.is_some_and(|instance| instance.host_alive)
    };
    let own = cluster.tasks.values().filter(|task| task.service() == Some(service) && task.is_wanted());
    own.filter(lives).filter(|task| index.is_healthy(account, service_of(cluster, task), task)).count() as u32
}

#[cfg(test)]
mod tests;
