//! Instances on their way out: Terminating, held by hooks, ended, forgotten.
//!
//! From "Amazon EC2 Auto Scaling instance lifecycle" and "Retain instances": an abandoned hook ends the wait of all, and
//! in a group that retains such instances it leaves the machine running outside the group's capacity.

use std::time::Duration;

use super::{activities, announcements, enter, group_mut, holds, ids_where, instance_mut, machine_state};
use crate::account::{
    Account, ActionResult, GROUP_TAG, GroupInstance, LifecycleState, MachineState, StatusCode, Transition,
};
use crate::scheduler::events::note;
use crate::scheduler::machines;

/// How long the move to standby takes in runs where it is slow: as long as a target is deregistered by default.
const SLOW_MOVE: Duration = Duration::from_mins(5);

/// Takes an instance out of service; the id of the activity is returned, if the group has such an instance.
pub(crate) fn begin(account: &mut Account, group: &str, id: &str, cause: &str) -> Option<String> {
    let zone = super::instance(account, group, id)?.zone.clone();
    let what = (format!("Terminating EC2 instance: {id}"), cause.to_owned());
    let activity = activities::open(account, group, Some(id), &zone, what);
    let left = instance_mut(account, group, id)?.activity.replace(activity.clone());
    if let Some(launch) = left {
        let message = "Instance was terminated before it was in service";
        activities::close(account, group, &launch, StatusCode::Cancelled, Some(message));
    }
    enter(account, group, id, LifecycleState::Terminating);
    instance_mut(account, group, id)?.actions.clear();
    note(account, "auto-scaling", id, "is taken out of service");
    Some(activity)
}

pub(super) fn tick(account: &mut Account, group: &str) {
    for id in ids_where(account, group, |instance| instance.state.is_terminating()) {
        step(account, group, &id);
    }
    for id in ids_where(account, group, |it| it.state == LifecycleState::TerminatingRetained) {
        if machine_state(account, &id) == MachineState::Terminated {
            forget(account, group, &id);
        }
    }
    for id in ids_where(account, group, |it| it.state == LifecycleState::Detaching) {
        detach(account, group, &id);
    }
    let move_time = if account.switches.standby_takes_minutes { SLOW_MOVE } else { Duration::ZERO };
    let has_moved = |it: &GroupInstance| account.now.since(it.since) >= move_time;
    let arrived = |it: &GroupInstance| it.state == LifecycleState::EnteringStandby && has_moved(it);
    for id in ids_where(account, group, arrived) {
        enter(account, group, &id, LifecycleState::Standby);
        finish(account, group, &id);
    }
}

/// The machine lives on without the tag that names its group, and the group forgets it.
fn detach(account: &mut Account, group: &str, id: &str) {
    finish(account, group, id);
    if let Some(machine) = account.machines.get_mut(id) {
        machine.group = None;
        machine.tags.remove(GROUP_TAG);
    }
    forget(account, group, id);
}

/// The activity about the instance has succeeded.
fn finish(account: &mut Account, group: &str, id: &str) {
    let activity = instance_mut(account, group, id).and_then(|instance| instance.activity.take());
    if let Some(activity) = activity {
        activities::close(account, group, &activity, StatusCode::Successful, None);
    }
}

fn step(account: &mut Account, group: &str, id: &str) {
    let Some(instance) = super::instance(account, group, id) else { return };
    match (instance.state, holds::verdict(instance)) {
        (LifecycleState::Terminating, _) => hold(account, group, id, instance.passes_hooks),
        (LifecycleState::TerminatingWait, Some(result)) => release(account, group, id, result),
        (LifecycleState::TerminatingProceed, _) => end(account, group, id),
        _ => {}
    }
}

fn hold(account: &mut Account, group: &str, id: &str, passes_hooks: bool) {
    if passes_hooks || !holds::begin(account, group, id, Transition::Terminating) {
        return enter(account, group, id, LifecycleState::TerminatingProceed);
    }
    enter(account, group, id, LifecycleState::TerminatingWait);
    if let Some(activity) = activity(account, group, id) {
        activities::advance(account, group, &activity, StatusCode::MidLifecycleAction, 60);
    }
}

/// The wait is over for every hook, also for those that an abandoned action has cut short.
fn release(account: &mut Account, group: &str, id: &str, result: ActionResult) {
    let message = holds::abandonment(account, group, id);
    let retains = account.auto_scaling_groups.get(group).is_some_and(|group| group.retains_abandoned);
    let actions = instance_mut(account, group, id).into_iter().flat_map(|instance| &mut instance.actions);
    for action in actions.filter(|action| action.result.is_none()) {
        (action.result, action.timed_out) = (Some(result), true);
    }
    if result == ActionResult::Continue || !retains {
        return enter(account, group, id, LifecycleState::TerminatingProceed);
    }
    enter(account, group, id, LifecycleState::TerminatingRetained);
    note(account, "auto-scaling", id, "is retained, because its lifecycle action was abandoned");
    let activity = instance_mut(account, group, id).and_then(|instance| instance.activity.take());
    if let Some(activity) = activity {
        activities::close(account, group, &activity, StatusCode::Cancelled, Some(&message));
    }
}

/// Ends the machine, and forgets the instance once the machine is gone.
fn end(account: &mut Account, group: &str, id: &str) {
    machines::terminate(account, id, "auto-scaling");
    if machine_state(account, id) != MachineState::Terminated {
        return;
    }
    if let Some(activity) = activity(account, group, id) {
        activities::close(account, group, &activity, StatusCode::Successful, None);
        announcements::outcome(account, group, &activity, false);
    }
    forget(account, group, id);
}

fn forget(account: &mut Account, group: &str, id: &str) {
    if let Some(group) = group_mut(account, group) {
        group.instances.remove(id);
    }
    note(account, "auto-scaling", id, "left the group");
}

fn activity(account: &Account, group: &str, id: &str) -> Option<String> {
    super::instance(account, group, id)?.activity.clone()
}
