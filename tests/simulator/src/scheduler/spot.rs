//! Spot notices and reclaims.
//!
//! From the EC2 User Guide, "Spot Instance interruptions" and "Spot Instance interruption notices": a warning goes out
//! two minutes ahead on a best-effort basis; hibernation begins at once. The machine runs until its moment, and EC2
//! waits for nothing and nobody. From the ECS Developer Guide, "Amazon ECS Spot Instances": an agent told to
//! (`ECS_ENABLE_SPOT_INSTANCE_DRAINING`) looks at the instance metadata every second and sets its own container
//! instance DRAINING, once.
//!
//! Nothing here asks whether the machine is a Spot one: whoever interrupts it has decided that it is.

use std::time::Duration;

use super::{emission, events, machines};
use crate::account::{
    Account, ContainerInstanceStatus, Interruption, InterruptionAction, Machine, MachineState, StateReason,
};
use crate::time::SimTime;

/// How long before its reclaim a machine is warned.
pub const NOTICE: Duration = Duration::from_mins(2);

const TERMINATION: StateReason = StateReason {
    code: "Server.SpotInstanceTermination",
    message: "Server.SpotInstanceTermination: Spot instance termination",
};

const STOP: StateReason = StateReason {
    code: "Server.SpotInstanceShutdown",
    message: "Server.SpotInstanceShutdown: Spot instance shutdown",
};

/// Warns of an interruption two minutes ahead; hibernation begins at once.
pub fn interrupt(account: &mut Account, id: &str, action: InterruptionAction) {
    interrupt_within(account, id, action, NOTICE.as_secs());
}

/// Warns only this many seconds ahead, as happens: the event's own time is the present, and nothing in it tells that
/// the two minutes are short.
pub fn interrupt_within(account: &mut Account, id: &str, action: InterruptionAction, seconds_left: u64) {
    let now = account.now;
    let Some(machine) = account.machines.get_mut(id).filter(|machine| is_up(machine)) else { return };
    let ahead = if action == InterruptionAction::Hibernate { 0 } else { seconds_left };
    let at = now + Duration::from_secs(ahead);
    machine.interruption = Some(Interruption { noticed_at: now, action, at, agent_acted: false });
    let what = format!("Spot interruption noticed, to {} in {ahead} s", action.name());
    events::note(account, "ec2", id, &what);
    emission::interruption_warning(account, id);
}

/// Recommends to replace the machine, because it is at elevated risk of interruption; nothing else happens to it.
pub fn recommend(account: &mut Account, id: &str) {
    let now = account.now;
    let Some(machine) = account.machines.get_mut(id).filter(|machine| is_up(machine)) else { return };
    machine.rebalance_recommended_at.get_or_insert(now);
    events::note(account, "ec2", id, "rebalance recommended");
    emission::rebalance_recommendation(account, id);
}

/// Takes the machine back now, without any notice.
pub fn reclaim(account: &mut Account, id: &str) {
    machines::terminate_because(account, id, "ec2", TERMINATION);
}

/// Lets agents drain themselves, and carries out the interruptions that are due.
pub(crate) fn tick(account: &mut Account) {
    for id in ids_where(account, agent_acts_now) {
        drain_itself(account, &id);
    }
    for id in ids_where(account, is_due) {
        carry_out(account, &id);
    }
}

fn ids_where(account: &Account, applies: fn(&Machine, SimTime) -> bool) -> Vec<String> {
    let machines = account.machines.values().filter(|machine| applies(machine, account.now));
    machines.map(|machine| machine.id.clone()).collect()
}

fn is_up(machine: &Machine) -> bool {
    matches!(machine.state, MachineState::Pending | MachineState::Running)
}

fn is_due(machine: &Machine, now: SimTime) -> bool {
    is_up(machine) && machine.interruption.is_some_and(|it| it.at <= now)
}

/// Two seconds after the notice at the latest the agent has seen it.
fn agent_acts_now(machine: &Machine, now: SimTime) -> bool {
    let unseen = |it: Interruption| !it.agent_acted && now.since(it.noticed_at) >= Duration::from_secs(2);
    machine.agent_drains_on_spot
        && machine.state == MachineState::Running
        && machine.interruption.is_some_and(unseen)
}

/// The agent asks for its own DRAINING, for which it must be connected and ACTIVE; it tries until it has got it.
fn drain_itself(account: &mut Account, id: &str) {
    let instances =
        account.clusters.values_mut().flat_map(|cluster| cluster.container_instances.values_mut());
    let own = instances.filter(|it| it.ec2_instance_id == id && it.agent_connected && it.host_alive);
    let mut acted = false;
    let mut changed = false;
    for instance in own {
        acted |=
            matches!(instance.status, ContainerInstanceStatus::Active | ContainerInstanceStatus::Draining);
        if instance.status == ContainerInstanceStatus::Active {
            instance.status = ContainerInstanceStatus::Draining;
            instance.version += 1;
            changed = true;
        }
    }
    if changed {
        events::note(account, "agent", id, "set DRAINING by its own agent after a Spot notice");
    }
    let interruption = account.machines.get_mut(id).and_then(|machine| machine.interruption.as_mut());
    if let Some(interruption) = interruption {
        interruption.agent_acted = acted;
    }
}

fn carry_out(account: &mut Account, id: &str) {
    let Some(interruption) = account.machines[id].interruption else { return };
    match interruption.action {
        InterruptionAction::Terminate => machines::terminate_because(account, id, "ec2", TERMINATION),
        InterruptionAction::Stop | InterruptionAction::Hibernate => {
            machines::stop_because(account, id, "ec2", STOP);
        }
    }
}

#[cfg(test)]
mod tests;
