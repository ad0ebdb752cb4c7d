//! Hosts that die and agents that lose their connection.
//!
//! From `DeregisterContainerInstance` in the API Reference: terminating an instance whose agent is connected
//! deregisters it by itself; if the agent was not connected, the instance stays registered as a ghost. From
//! "Amazon ECS container instance state change events": the agent's connection breaks several times an hour
//! in normal operation.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

use super::{MEMORY, events, lifecycle, machines};
use crate::account::{
    Account, ContainerInstance, ContainerInstanceStatus, MachineState, StopCause, StopCode, Task, TaskStatus,
};
use crate::time::SimTime;

/// Seconds from the death of a host to its deregistration, or to ECS's notice of it. AWS gives no number.
const NOTICED_AFTER: std::ops::RangeInclusive<u64> = 10..=30;

/// Seconds a flapping agent is away.
const AWAY: std::ops::RangeInclusive<u64> = 1..=20;

/// What is remembered about hosts, by container instance ARN.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    pub(crate) flaps_per_hour: u32,
    /// When the end of a dead host will be noticed.
    noticed_at: BTreeMap<String, SimTime>,
    /// When a flapping agent comes back.
    back_at: BTreeMap<String, SimTime>,
    /// When an instance was first seen INACTIVE.
    inactive_since: BTreeMap<String, SimTime>,
}

/// The EC2 instance is gone from this moment on; ECS will notice in its own time.
pub fn terminate(account: &mut Account, ec2_instance_id: &str) {
    end(account, ec2_instance_id);
    events::note(account, "fault", ec2_instance_id, "host terminated");
}

/// The machine shuts down for good, and everything on it is dead from this moment on.
pub(crate) fn end(account: &mut Account, ec2_instance_id: &str) {
    machines::enter(account, ec2_instance_id, MachineState::ShuttingDown);
    cut_off(account, ec2_instance_id);
}

/// Ends whatever runs on the machine, and keeps what that was for the checkers.
pub(crate) fn cut_off(account: &mut Account, ec2_instance_id: &str) {
    let mut killed = Vec::new();
    for cluster in account.clusters.values_mut() {
        let instances = cluster.container_instances.values_mut();
        for instance in instances.filter(|instance| instance.ec2_instance_id == ec2_instance_id) {
            if std::mem::replace(&mut instance.host_alive, false) {
                let here = tasks_here(&cluster.tasks, &instance.arn);
                killed.extend(here.map(|task| (task.arn.clone(), task.last_status)));
            }
        }
    }
    if let Some(machine) = account.machines.get_mut(ec2_instance_id) {
        machine.killed.extend(killed);
    }
}

/// ECS notices that the machine below a container instance is stopped: the instance stays registered.
pub(crate) fn see_stopped(account: &mut Account, ec2_instance_id: &str) {
    let mut stopped = Vec::new();
    for cluster in account.clusters.values_mut() {
        let instances = cluster.container_instances.values_mut();
        for instance in instances.filter(|instance| instance.ec2_instance_id == ec2_instance_id) {
            instance.agent_connected = false;
            instance.version += 1;
            stopped.push((cluster.name.clone(), instance.arn.clone()));
        }
    }
    events::note(account, "agent", ec2_instance_id, "disconnected, because its machine is stopped");
    for (cluster, arn) in stopped {
        let reason = format!("Host EC2 (instance {ec2_instance_id}) stopped.");
        end_tasks(account, &cluster, &arn, &reason);
    }
}

impl Hosts {
    pub(crate) fn tick(&mut self, account: &mut Account, rng: &mut StdRng) {
        self.flap(account, rng);
        for (cluster, arn) in self.lost(account, rng) {
            lose(account, &cluster, &arn);
        }
        self.forget_inactive(account);
    }

    /// Breaks and restores connections.
    fn flap(&mut self, account: &mut Account, rng: &mut StdRng) {
        let now = account.now;
        if self.flaps_per_hour == 0 && self.back_at.is_empty() {
            return;
        }
        for instance in
            account.clusters.values_mut().flat_map(|cluster| cluster.container_instances.values_mut())
        {
            if self.back_at.get(&instance.arn).is_some_and(|at| *at <= now) {
                self.back_at.remove(&instance.arn);
                instance.agent_connected = instance.host_alive;
                instance.version += 1;
            } else if instance.agent_connected && rng.random_range(0..3600) < self.flaps_per_hour {
                let away = Duration::from_secs(rng.random_range(AWAY));
                self.back_at.insert(instance.arn.clone(), now + away);
                instance.agent_connected = false;
                instance.version += 1;
            }
        }
    }

    /// Dead hosts whose end is noticed now.
    fn lost(&mut self, account: &Account, rng: &mut StdRng) -> Vec<(String, String)> {
        let mut lost = Vec::new();
        for cluster in account.clusters.values() {
            let dead = |instance: &&ContainerInstance| is_dead(account, instance);
            for instance in cluster.container_instances.values().filter(dead) {
                let noticed = self.noticed_at.entry(instance.arn.clone());
                let at = noticed
                    .or_insert_with(|| account.now + Duration::from_secs(rng.random_range(NOTICED_AFTER)));
                if *at == account.now {
                    lost.push((cluster.name.clone(), instance.arn.clone()));
                }
            }
        }
        lost
    }

    fn forget_inactive(&mut self, account: &mut Account) {
        let now = account.now;
        for cluster in account.clusters.values_mut() {
            cluster.container_instances.retain(|arn, instance| {
                instance.status != ContainerInstanceStatus::Inactive
                    || now.since(*self.inactive_since.entry(arn.clone()).or_insert(now)) < MEMORY
            });
        }
    }
}

/// Whether the machine is gone for good; a stopped one is not.
fn is_dead(account: &Account, instance: &ContainerInstance) -> bool {
    let machine = account.machines.get(&instance.ec2_instance_id);
    let comes_back = |state| !matches!(state, MachineState::ShuttingDown | MachineState::Terminated);
    !instance.host_alive
        && instance.status != ContainerInstanceStatus::Inactive
        && !machine.is_some_and(|machine| comes_back(machine.state))
}

/// Stops the tasks of a dead host, and deregisters the instance if its agent had been connected.
fn lose(account: &mut Account, cluster: &str, instance_arn: &str) {
    let cluster_data = account.clusters.get_mut(cluster).expect("the instance's cluster exists");
    let Some(instance) = cluster_data.container_instances.get_mut(instance_arn) else { return };
    let id = instance.ec2_instance_id.clone();
    if instance.agent_connected {
        instance.status = ContainerInstanceStatus::Inactive;
        instance.agent_connected = false;
        instance.version += 1;
        events::note(account, "agent", &id, "deregistered, because its host was terminated");
    } else {
        events::note(
            account,
            "agent",
            &id,
            "stays registered as a ghost: its agent was not connected when it died",
        );
    }
    let reason = format!("Host EC2 (instance {id}) terminated.");
    end_tasks(account, cluster, instance_arn, &reason);
}

fn end_tasks(account: &mut Account, cluster: &str, instance_arn: &str, reason: &str) {
    let here = tasks_here(&account.clusters[cluster].tasks, instance_arn);
    for task_arn in here.map(|task| task.arn.clone()).collect::<Vec<_>>() {
        let cause = (StopCode::TerminationNotice, StopCause::HostLost);
        lifecycle::stop_because(account, cluster, &task_arn, cause, reason);
        lifecycle::stopped(account, cluster, &task_arn);
    }
}

fn tasks_here<'a>(
    tasks: &'a BTreeMap<String, Task>,
    instance_arn: &'a str,
) -> impl Iterator<Item = &'a Task> {
    tasks.values().filter(move |task| {
        task.container_instance.as_deref() == Some(instance_arn) && task.last_status != TaskStatus::Stopped
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::{AccountBuilder, InstanceBuilder};
    use crate::scheduler::Engine;

    fn after_death(instance: fn(InstanceBuilder) -> InstanceBuilder) -> Account {
        let mut account = AccountBuilder::new(6)
            .cluster("web")
            .instance("i-a1", "a", instance)
            .instance("i-b1", "b", |i| i)
            .task_definition("web", |t| t)
            .service("web", |s| s.on(&["i-a1", "i-b1"]))
            .build();
        terminate(&mut account, "i-a1");
        let until = account.now + Duration::from_mins(3);
        Engine::new(6).advance(&mut account, until, &mut |_| ());
        account
    }

    fn dead(account: &Account) -> &ContainerInstance {
        let mut instances = account.clusters["web"].container_instances.values();
        instances.find(|instance| instance.ec2_instance_id == "i-a1").expect("still describable")
    }

    #[test]
    fn a_connected_instance_is_deregistered_when_its_host_dies() {
        let account = after_death(|i| i);
        assert_eq!(dead(&account).status, ContainerInstanceStatus::Inactive);
        let running = account.clusters["web"].tasks.values().filter(|task| task.is_wanted()).count();
        assert_eq!(running, 2, "the service has replaced the lost task");
    }

    #[test]
    fn a_disconnected_instance_stays_as_a_ghost() {
        let account = after_death(InstanceBuilder::disconnected);
        assert_eq!(dead(&account).status, ContainerInstanceStatus::Active);
        assert!(!dead(&account).agent_connected);
    }

    #[test]
    fn flapping_agents_come_back() {
        let mut account = AccountBuilder::new(6).cluster("web").instance("i-a1", "a", |i| i).build();
        let until = account.now + Duration::from_hours(3);
        let mut away = 0;
        Engine::new(6).flapping(6).advance(&mut account, until, &mut |account| {
            away +=
                u32::from(!account.clusters["web"].container_instances.values().all(|i| i.agent_connected));
        });
        assert!((20..600).contains(&away), "away for {away} s in three hours");
    }
}
