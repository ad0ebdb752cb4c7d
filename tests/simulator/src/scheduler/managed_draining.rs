//! Managed instance draining: ECS empties the instances of a capacity provider before they end.
//!
//! From the ECS Developer Guide, "Safely drain Amazon ECS container instances running on EC2" (managed instance
//! draining): ECS has a terminate hook of its own on the group, sets the instance DRAINING, and lets it go when all its
//! tasks have stopped or 48 hours have passed; daemon tasks go last and standalone tasks are left to finish. It also
//! drains on a Spot warning, which makes `ECS_ENABLE_SPOT_INSTANCE_DRAINING` superfluous.
//!
//! Simplified: ECS reacts five seconds after the event, always, and gives its hook a heartbeat half-way. Timeout and
//! default result of the hook are guesses: AWS documents its name, its prefix and the 48 hours only.

use std::time::Duration;

use super::groups::holds;
use super::{events, machines};
use crate::account::{
    Account, ActionResult, CapacityProvider, ContainerInstance, ContainerInstanceStatus, GroupInstance,
    LifecycleAction, LifecycleHook, LifecycleState, Machine, MachineState, TaskStatus, Transition,
};

/// Name of the hook that belongs to ECS.
pub const HOOK: &str = "ecs-managed-draining-termination-hook";

/// How long after an event ECS acts on it. AWS gives no number.
const REACTION: Duration = Duration::from_secs(5);

/// The hook ECS puts on the group of a provider with managed draining.
pub(crate) fn hook() -> LifecycleHook {
    LifecycleHook {
        name: HOOK.to_owned(),
        transition: Transition::Terminating,
        heartbeat_timeout: Duration::from_hours(1),
        default_result: ActionResult::Continue,
        metadata: None,
        notification_target_arn: None,
        role_arn: None,
    }
}

/// Drains what is to be drained, and lets go what is empty.
pub(crate) fn tick(account: &mut Account) {
    let providers = account.capacity_providers.values().filter(|provider| provider.managed_draining);
    for provider in providers.cloned().collect::<Vec<_>>() {
        for id in announced(account, &provider) {
            drain(account, &provider.name, &id);
        }
        for id in held(account, &provider) {
            attend(account, &provider, &id);
        }
    }
}

/// Machines of the group whose end has just been announced, by Spot or by the hook.
fn announced(account: &Account, provider: &CapacityProvider) -> Vec<String> {
    let is_new = |machine: &&Machine| {
        machine.group.as_ref() == Some(&provider.group)
            && machine.interruption.is_some_and(|it| it.noticed_at + REACTION == account.now)
    };
    let warned = account.machines.values().filter(is_new).map(|machine| machine.id.clone());
    let is_newly_held = |action: &LifecycleAction| action.started_at + REACTION == account.now;
    warned.chain(held_by(account, provider, is_newly_held)).collect()
}

/// Instances that ECS's hook has held for long enough to be noticed.
fn held(account: &Account, provider: &CapacityProvider) -> Vec<String> {
    held_by(account, provider, |action| action.started_at + REACTION <= account.now)
}

/// Instances held by an open action of ECS's hook of which this holds.
fn held_by(
    account: &Account,
    provider: &CapacityProvider,
    applies: impl Fn(&LifecycleAction) -> bool,
) -> Vec<String> {
    let group = account.auto_scaling_groups.get(&provider.group);
    let waiting = group.into_iter().flat_map(|group| group.instances.values());
    let waiting = waiting.filter(|instance| instance.state == LifecycleState::TerminatingWait);
    let held = waiting.filter(|instance| own_action(instance).is_some_and(&applies));
    held.map(|instance| instance.id.clone()).collect()
}

fn own_action(instance: &GroupInstance) -> Option<&LifecycleAction> {
    instance.actions.iter().find(|action| action.hook == HOOK && action.result.is_none())
}

/// Sets the container instance DRAINING, if it is one of the provider's and ACTIVE.
fn drain(account: &mut Account, provider: &str, id: &str) {
    let mut drained = false;
    for instance in account.clusters.values_mut().flat_map(|it| it.container_instances.values_mut()) {
        let is_own =
            instance.ec2_instance_id == id && instance.capacity_provider.as_deref() == Some(provider);
        if is_own && instance.status == ContainerInstanceStatus::Active {
            instance.status = ContainerInstanceStatus::Draining;
            instance.version += 1;
            drained = true;
        }
    }
    if drained {
        events::note(account, "ecs", id, "set DRAINING by managed instance draining");
    }
}

/// Completes ECS's own hook for an empty instance, and keeps it alive for any other.
fn attend(account: &mut Account, provider: &CapacityProvider, id: &str) {
    let runs = account.machines.get(id).is_some_and(|machine| machine.state == MachineState::Running);
    let empty = machines::container_instance(account, id)
        .is_none_or(|(cluster, instance)| is_empty(account, cluster, instance));
    if empty || !runs {
        holds::complete(account, &provider.group, HOOK, id, ActionResult::Continue);
        return events::note(account, "ecs", id, "let go by managed instance draining");
    }
    let group = account.auto_scaling_groups.get(&provider.group);
    let action = group.and_then(|group| own_action(group.instances.get(id)?));
    if action.is_some_and(|action| account.now + action.heartbeat_timeout / 2 >= action.expires_at) {
        holds::heartbeat(account, &provider.group, HOOK, id);
    }
}

/// Whether every task on the instance has STOPPED.
fn is_empty(account: &Account, cluster: &str, instance: &ContainerInstance) -> bool {
    let mut tasks = account.clusters[cluster].tasks.values();
    tasks.all(|task| {
        task.container_instance.as_ref() != Some(&instance.arn) || task.last_status == TaskStatus::Stopped
    })
}

#[cfg(test)]
mod tests;
