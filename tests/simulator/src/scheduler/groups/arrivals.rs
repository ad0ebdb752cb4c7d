//! Instances on their way in: pending, held by hooks, in service.

use super::{activities, announcements, departures, enter, holds, ids_where, instance_mut, machine_state};
use crate::account::{Account, ActionResult, LifecycleState, Machine, MachineState, StatusCode, Transition};
use crate::scheduler::events::note;

pub(super) fn tick(account: &mut Account, group: &str) {
    for id in ids_where(account, group, |instance| instance.state.is_pending()) {
        match machine_state(account, &id) {
            MachineState::Pending => {}
            MachineState::Running => step(account, group, &id),
            _ => fail(account, group, &id),
        }
    }
}

fn step(account: &mut Account, group: &str, id: &str) {
    let Some(instance) = super::instance(account, group, id) else { return };
    match (instance.state, holds::verdict(instance)) {
        (LifecycleState::Pending, _) => arrive(account, group, id),
        (LifecycleState::PendingWait, Some(ActionResult::Continue)) => {
            enter(account, group, id, LifecycleState::PendingProceed);
        }
        (LifecycleState::PendingWait, Some(ActionResult::Abandon)) => abandon(account, group, id),
        (LifecycleState::PendingProceed, _) => serve(account, group, id),
        _ => {}
    }
}

/// The machine runs: hooks hold the instance, or it serves.
fn arrive(account: &mut Account, group: &str, id: &str) {
    if !holds::begin(account, group, id, Transition::Launching) {
        return serve(account, group, id);
    }
    enter(account, group, id, LifecycleState::PendingWait);
    if let Some(activity) = activity(account, group, id) {
        activities::advance(account, group, &activity, StatusCode::MidLifecycleAction, 60);
    }
}

/// Scale-in protection counts from here on ("Use instance scale-in protection").
fn serve(account: &mut Account, group: &str, id: &str) {
    enter(account, group, id, LifecycleState::InService);
    let protects = account.auto_scaling_groups.get(group).is_some_and(|group| group.protects_new_instances);
    if let Some(instance) = instance_mut(account, group, id) {
        if !std::mem::replace(&mut instance.has_served, true) {
            instance.protected = protects;
        }
        instance.actions.clear();
    }
    note(account, "auto-scaling", id, "InService");
    if let Some(activity) = take_activity(account, group, id) {
        activities::close(account, group, &activity, StatusCode::Successful, None);
        announcements::outcome(account, group, &activity, true);
    }
}

/// A hook has refused the instance: its launch is cancelled, and it leaves without asking the hooks on the way out.
fn abandon(account: &mut Account, group: &str, id: &str) {
    let message = holds::abandonment(account, group, id);
    leave(account, group, id, StatusCode::Cancelled, &message);
}

/// The machine ended before it was in service.
fn fail(account: &mut Account, group: &str, id: &str) {
    let reason = account.machines.get(id).and_then(|machine: &Machine| machine.state_reason);
    let reason = reason.map_or("Client.InstanceTerminated", |reason| reason.message);
    let message = format!(
        "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: {reason}"
    );
    if let Some(instance) = instance_mut(account, group, id) {
        instance.healthy = false;
    }
    leave(account, group, id, StatusCode::Failed, &message);
}

fn leave(account: &mut Account, group: &str, id: &str, status: StatusCode, message: &str) {
    if let Some(activity) = take_activity(account, group, id) {
        activities::close(account, group, &activity, status, Some(message));
        announcements::outcome(account, group, &activity, true);
    }
    if let Some(instance) = instance_mut(account, group, id) {
        instance.passes_hooks = true;
    }
    let cause = activities::at(account, "an instance was taken out of service because it failed to launch");
    departures::begin(account, group, id, &cause);
}

fn activity(account: &Account, group: &str, id: &str) -> Option<String> {
    super::instance(account, group, id)?.activity.clone()
}

fn take_activity(account: &mut Account, group: &str, id: &str) -> Option<String> {
    instance_mut(account, group, id)?.activity.take()
}
