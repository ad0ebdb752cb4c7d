//! EC2 instances from launch to termination, and the container agent on them.
//!
//! From the EC2 User Guide, "Amazon EC2 instance state changes", and the ECS Developer Guide, "Amazon ECS container
//! instances" (life cycle): a stopped instance stays ACTIVE, its agent is seen as disconnected within minutes and its
//! tasks stop; started again it connects again. A terminated one goes the way of `hosts`. How long booting and the
//! start of the agent take is drawn from the account's dice when a machine is launched or started, and only then.
//!
//! Simplified: containers die at the moment a machine begins to shut down or stop, without a signal, while a real
//! operating system gives them some seconds; hibernation keeps no memory, so that its tasks are gone too; shutting
//! down and stopping take fixed times.

mod launch;

use std::time::Duration;

use super::{MEMORY, emission, events, hosts};
use crate::account::{Account, ContainerInstance, ContainerInstanceStatus, MachineState, StateReason};
use crate::builder;

pub use launch::{Boot, LaunchRequest, launch};

/// How long shutting down and stopping take. AWS gives no number.
const GOING: Duration = Duration::from_secs(30);

/// How long an agent takes to connect again on a machine that was built as a running one.
const AGENT_START: Duration = Duration::from_secs(15);

/// From a stop to the moment ECS sees the agent as disconnected; AWS says "within minutes".
const LOSS_SEEN: Duration = Duration::from_secs(90);

const USER_SHUTDOWN: StateReason = StateReason {
    code: "Client.UserInitiatedShutdown",
    message: "Client.UserInitiatedShutdown: User initiated shutdown",
};

/// `TerminateInstances`: the machine shuts down from now on. `who` is the actor the timeline names.
pub fn terminate(account: &mut Account, id: &str, who: &str) {
    terminate_because(account, id, who, USER_SHUTDOWN);
}

/// `terminate` for a reason other than a user's wish.
pub(crate) fn terminate_because(account: &mut Account, id: &str, who: &str, reason: StateReason) {
    let Some(machine) = account.machines.get_mut(id) else { return };
    if matches!(machine.state, MachineState::ShuttingDown | MachineState::Terminated) {
        return;
    }
    machine.state_reason = Some(reason);
    machine.ended_by = Some(who.to_owned());
    events::note(account, who, id, "is to be terminated");
    hosts::end(account, id);
}

/// `StopInstances`: the machine stops and keeps its disk and its registration. `who` is the actor the timeline names.
pub fn stop(account: &mut Account, id: &str, who: &str) {
    stop_because(account, id, who, USER_SHUTDOWN);
}

/// `stop` for a reason other than a user's wish.
pub(crate) fn stop_because(account: &mut Account, id: &str, who: &str, reason: StateReason) {
    let now = account.now;
    let Some(machine) = account.machines.get_mut(id) else { return };
    if machine.state != MachineState::Running {
        return;
    }
    machine.state_reason = Some(reason);
    machine.agent_due = Some(now + LOSS_SEEN);
    events::note(account, who, id, "is to be stopped");
    enter(account, id, MachineState::Stopping);
    hosts::cut_off(account, id);
}

/// `StartInstances`: a stopped machine boots again. `who` is the actor the timeline names.
pub fn start(account: &mut Account, id: &str, who: &str) {
    if account.machines.get(id).is_none_or(|machine| machine.state != MachineState::Stopped) {
        return;
    }
    let booted = account.now + account.draw_around(Boot::default().machine);
    let Some(machine) = account.machines.get_mut(id) else { return };
    (machine.launched_at, machine.state_reason, machine.interruption) = (account.now, None, None);
    machine.rebalance_recommended_at = None;
    events::note(account, who, id, "is to be started");
    enter(account, id, MachineState::Pending);
    if let Some(machine) = account.machines.get_mut(id) {
        machine.state_until = Some(booted);
    }
}

/// Puts the machine into a state, which it leaves by itself after `GOING` if it is on its way out.
pub(crate) fn enter(account: &mut Account, id: &str, state: MachineState) {
    let now = account.now;
    let Some(machine) = account.machines.get_mut(id) else { return };
    let passing = matches!(state, MachineState::ShuttingDown | MachineState::Stopping);
    machine.state = state;
    machine.state_since = now;
    machine.state_until = passing.then_some(now + GOING);
    emission::state_change(account, id);
}

/// Moves every machine and every agent on that is due.
pub(crate) fn tick(account: &mut Account) {
    let now = account.now;
    let is_due = |at: Option<crate::time::SimTime>| at.is_some_and(|at| at <= now);
    let due = account.machines.values().filter(|machine| is_due(machine.state_until));
    for id in due.map(|machine| machine.id.clone()).collect::<Vec<_>>() {
        pass(account, &id);
    }
    let due = account.machines.values().filter(|machine| is_due(machine.agent_due));
    for id in due.map(|machine| machine.id.clone()).collect::<Vec<_>>() {
        turn_agent(account, &id);
    }
    account.machines.retain(|_, machine| {
        machine.state != MachineState::Terminated || now.since(machine.state_since) < MEMORY
    });
}

/// Leaves a state of passage.
fn pass(account: &mut Account, id: &str) {
    match account.machines[id].state {
        MachineState::Pending => run(account, id),
        MachineState::ShuttingDown => enter(account, id, MachineState::Terminated),
        MachineState::Stopping => enter(account, id, MachineState::Stopped),
        MachineState::Running | MachineState::Terminated | MachineState::Stopped => {}
    }
}

fn run(account: &mut Account, id: &str) {
    enter(account, id, MachineState::Running);
    events::note(account, "ec2", id, "running");
    let registered = container_instance(account, id).is_some();
    let now = account.now;
    let Some(machine) = account.machines.get_mut(id) else { return };
    let after = machine.joins.as_ref().map_or(registered.then_some(AGENT_START), |joins| joins.after);
    machine.agent_due = after.map(|after| now + after);
}

/// The agent of a running machine registers or connects again; that of a stopped one is seen as lost.
fn turn_agent(account: &mut Account, id: &str) {
    let Some(machine) = account.machines.get_mut(id) else { return };
    machine.agent_due = None;
    match (machine.state, container_instance(account, id)) {
        (MachineState::Running, None) => register(account, id),
        (MachineState::Running, Some(_)) => connect(account, id),
        (MachineState::Stopping | MachineState::Stopped, Some(_)) => hosts::see_stopped(account, id),
        _ => {}
    }
}

fn register(account: &mut Account, id: &str) {
    let machine = account.machines[id].clone();
    let Some(joins) = machine.joins.filter(|joins| account.clusters.contains_key(&joins.cluster)) else {
        return;
    };
    let mut providers = account.capacity_providers.values();
    let own = providers.find(|provider| machine.group.as_ref() == Some(&provider.group));
    let provider = own.map(|provider| provider.name.clone());
    builder::register(account, &joins.cluster, id, &machine.zone, |instance| {
        let instance = instance.cpu(joins.cpu).memory(joins.memory);
        let instance = instance.attribute("ecs.instance-type", &machine.instance_type);
        let instance = instance.attribute("ecs.ami-id", &machine.image_id);
        let instance =
            joins.attributes.iter().fold(instance, |instance, (name, value)| instance.attribute(name, value));
        match joins.capacity_provider.as_ref().or(provider.as_ref()) {
            Some(provider) => instance.capacity_provider(provider),
            None => instance,
        }
    });
}

fn connect(account: &mut Account, id: &str) {
    let instances =
        account.clusters.values_mut().flat_map(|cluster| cluster.container_instances.values_mut());
    for instance in instances.filter(|instance| instance.ec2_instance_id == id) {
        (instance.host_alive, instance.agent_connected) = (true, true);
        instance.version += 1;
    }
    events::note(account, "agent", id, "connected again");
}

/// The registration of a machine, as long as it has one.
pub fn container_instance<'a>(account: &'a Account, id: &str) -> Option<(&'a str, &'a ContainerInstance)> {
    account.clusters.values().find_map(|cluster| {
        let mut instances = cluster.container_instances.values();
        let own = instances.find(|instance| {
            instance.ec2_instance_id == id && instance.status != ContainerInstanceStatus::Inactive
        });
        own.map(|instance| (cluster.name.as_str(), instance))
    })
}

#[cfg(test)]
mod tests;
