//! Promise: no kill on doubt. Nobody's call ends a machine while a task on it is not STOPPED.
//!
//! Three calls can do it: `CompleteLifecycleAction`, `TerminateInstanceInAutoScalingGroup` where no hook holds the
//! machine, and EC2's `TerminateInstances`. A fourth makes ECS forget it: `DeregisterContainerInstance` is for those
//! whose machine is gone, not for those that run or may be started again. Excused is who had no time left: the moment
//! of a Spot reclaim has come (or is as near as the test allows), the global timeout of the hook is up, or a deadline
//! the test states. What Spot, a timed-out hook, a scale-in or ECS's own hook ends is nobody's call.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Violation;
use crate::account::{
    Account, AutoScalingGroup, ContainerInstanceStatus, GroupInstance, LifecycleAction, Machine,
    MachineState, Task, TaskStatus,
};
use crate::scheduler::managed_draining::HOOK as MANAGED_HOOK;
use crate::time::SimTime;
use crate::timeline::short;

/// Who ends machines without having been called upon.
const NO_CALLERS: [&str; 4] = ["auto-scaling", "ec2", "fault", "person"];

/// What has been seen, and what the test allows.
#[derive(Clone, Debug, Default)]
pub(super) struct KillOnDoubt {
    /// How long before a reclaim a machine may be ended in any case.
    pub(super) margin: Duration,
    /// Deadlines the test states, by machine.
    pub(super) deadlines: BTreeMap<String, SimTime>,
    /// Hooks that others complete, by name.
    pub(super) foreign_hooks: BTreeSet<String>,
    /// Tokens of completed lifecycle actions.
    completed: BTreeSet<String>,
    /// Machines whose end has been looked at.
    ended: BTreeSet<String>,
    /// Container instances whose deregistration has been looked at.
    deregistered: BTreeSet<String>,
}

impl KillOnDoubt {
    /// What has ended or been completed by now is not looked at again.
    pub(super) fn new(account: &Account) -> Self {
        let mut checker = Self::default();
        checker.check(account);
        checker
    }

    pub(super) fn check(&mut self, account: &Account) -> Vec<Violation> {
        let mut found = self.completions(account);
        found.extend(self.ends(account));
        found.extend(self.deregistrations(account));
        found
    }

    /// Container instances that became INACTIVE since the look before although their machine is not gone.
    fn deregistrations(&mut self, account: &Account) -> Vec<Violation> {
        let mut found = Vec::new();
        for instance in account.clusters.values().flat_map(|cluster| cluster.container_instances.values()) {
            if instance.status != ContainerInstanceStatus::Inactive
                || self.deregistered.contains(&instance.arn)
            {
                continue;
            }
            self.deregistered.insert(instance.arn.clone());
            let machine = account.machines.get(&instance.ec2_instance_id);
            if machine.is_some_and(|machine| !is_gone(machine)) {
                let what = "it was deregistered, and its machine is not gone";
                found.push(violation(account, &instance.ec2_instance_id, what, &[]));
            }
        }
        found
    }

    /// Lifecycle actions that a caller has completed since the look before.
    fn completions(&mut self, account: &Account) -> Vec<Violation> {
        let mut found = Vec::new();
        for instance in account.auto_scaling_groups.values().flat_map(|group| group.instances.values()) {
            for action in instance.actions.iter().filter(|action| is_completed(action)) {
                if self.completed.insert(action.token.clone()) {
                    found.extend(self.judge_completion(account, instance, action));
                }
            }
        }
        found
    }

    fn judge_completion(
        &self,
        account: &Account,
        instance: &GroupInstance,
        action: &LifecycleAction,
    ) -> Option<Violation> {
        let machine = account.machines.get(&instance.id)?;
        let is_foreign = action.hook == MANAGED_HOOK || self.foreign_hooks.contains(&action.hook);
        let had_time = action.ends_at > account.now && !self.is_over(account, machine);
        let tasks = tasks_on(account, &machine.id);
        if is_foreign || !had_time || !instance.state.is_terminating() || tasks.is_empty() {
            return None;
        }
        (machine.state == MachineState::Running)
            .then(|| violation(account, &machine.id, &format!("hook {} was completed", action.hook), &tasks))
    }

    /// Machines that a caller has ended since the look before.
    fn ends(&mut self, account: &Account) -> Vec<Violation> {
        let mut found = Vec::new();
        for machine in account.machines.values().filter(|machine| is_gone(machine)) {
            if self.ended.insert(machine.id.clone()) && !machine.killed.is_empty() {
                found.extend(self.judge_end(account, machine));
            }
        }
        found
    }

    fn judge_end(&self, account: &Account, machine: &Machine) -> Option<Violation> {
        let by = machine.ended_by.as_deref()?;
        let call = if NO_CALLERS.contains(&by) {
            named_in_group(account, &machine.id)
                .then_some("it was terminated by name, and no hook held it")?
        } else {
            "it was terminated"
        };
        let all = account.clusters.values().flat_map(|cluster| cluster.tasks.values());
        let tasks: Vec<&Task> = all.filter(|task| machine.killed.contains_key(&task.arn)).collect();
        (!self.is_over(account, machine)).then(|| violation(account, &machine.id, call, &tasks))
    }

    /// Whether the machine's time was up when the look was taken.
    fn is_over(&self, account: &Account, machine: &Machine) -> bool {
        let reclaimed = machine.interruption.is_some_and(|it| it.at - self.margin <= account.now);
        reclaimed || self.deadlines.get(&machine.id).is_some_and(|at| *at <= account.now)
    }
}

fn is_gone(machine: &Machine) -> bool {
    matches!(machine.state, MachineState::ShuttingDown | MachineState::Terminated)
}

/// Whether a call, and not the clock, has ended the action.
fn is_completed(action: &LifecycleAction) -> bool {
    action.result.is_some() && !action.timed_out
}

/// Whether the instance was terminated by name in a group without a hook, as its activity tells.
fn named_in_group(account: &Account, id: &str) -> bool {
    let asked = |group: &AutoScalingGroup, instance: &GroupInstance| {
        let mut activities = group.activities.iter();
        let own = activities.find(|activity| Some(&activity.id) == instance.activity.as_ref());
        own.is_some_and(|activity| activity.cause.contains("in response to a user request"))
    };
    let groups = account.auto_scaling_groups.values();
    let mut found = groups.filter_map(|group| Some((group, group.instances.get(id)?)));
    found.any(|(group, instance)| instance.actions.is_empty() && asked(group, instance))
}

/// Tasks on the machine that are not STOPPED.
fn tasks_on<'a>(account: &'a Account, id: &str) -> Vec<&'a Task> {
    let mut found = Vec::new();
    for cluster in account.clusters.values() {
        let here = cluster.container_instances.values().filter(|instance| instance.ec2_instance_id == id);
        let arns: BTreeSet<&str> = here.map(|instance| instance.arn.as_str()).collect();
        let is_here = |task: &&Task| task.container_instance.as_deref().is_some_and(|arn| arns.contains(arn));
        let tasks = cluster.tasks.values().filter(is_here);
        found.extend(tasks.filter(|task| task.last_status != TaskStatus::Stopped));
    }
    found
}

fn violation(account: &Account, machine: &str, what: &str, tasks: &[&Task]) -> Violation {
    let names: Vec<String> = tasks.iter().map(|task| short(task)).collect();
    Violation {
        at: account.now,
        checker: "kill_on_doubt",
        subject: machine.to_owned(),
        what: if names.is_empty() {
            what.to_owned()
        } else {
            format!("{what} while not STOPPED: {}", names.join(", "))
        },
    }
}

#[cfg(test)]
mod tests;
