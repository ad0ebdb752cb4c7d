//! Desired against actual capacity: what is missing is launched, what is too much is terminated.
//!
//! From "Suspend and resume": `Launch` and `Terminate` suspended mean no scale-out and no scale-in, however it was asked
//! for. From "Use instance scale-in protection": if all instances are protected, the desired capacity is lowered and
//! nothing is terminated.

use std::time::Duration;

use super::{activities, departures, group_mut, launches, victims};
use crate::account::{Account, AutoScalingGroup, GroupInstance, StatusCode};

/// Sets the desired capacity within its bounds, by whomever, and remembers why (`a user request …`) for the causes of
/// the activities that follow.
pub fn set_desired(account: &mut Account, group: &str, desired: u32, why: &str) {
    let Some(described) = account.auto_scaling_groups.get(group) else { return };
    let from = described.desired_capacity;
    let desired = desired.clamp(described.min_size, described.max_size.max(described.min_size));
    let what = format!("{why} changing the desired capacity from {from} to {desired}");
    let (wish, now) = (activities::at(account, &what), account.now);
    let Some(described) = group_mut(account, group).filter(|_| desired != from) else { return };
    described.desired_capacity = desired;
    described.mind.wish = wish;
    (described.mind.retry_at, described.mind.said_protected) = (now, false);
}

pub(super) fn tick(account: &mut Account, group: &str) {
    let Some(described) = account.auto_scaling_groups.get(group) else { return };
    if described.mind.look_at > account.now {
        return;
    }
    let wait = Duration::from_secs(2 + account.draw_below(5) as u64);
    let at = account.now + wait;
    if let Some(group) = group_mut(account, group) {
        group.mind.look_at = at;
    }
    look(account, group);
}

fn look(account: &mut Account, group: &str) {
    let described = &account.auto_scaling_groups[group];
    let (capacity, wanted) = (described.capacity(), wanted(described));
    let held = if account.switches.substitute_waits_for_hook { held(described) } else { 0 };
    if capacity > wanted && !described.suspends("Terminate") {
        shrink(account, group);
    } else if capacity + held < wanted && !described.suspends("Launch") {
        launches::grow(account, group, wanted - held);
    } else if capacity == wanted {
        rest(account, group);
    }
}

/// The desired capacity and, while a substitute is there beside the instance it replaces, that much more.
pub(super) fn wanted(group: &AutoScalingGroup) -> u32 {
    let doubled = group.mind.substitutes.keys().filter_map(|id| group.instances.get(id));
    let extra: u32 = doubled.filter(|it| it.state.counts()).map(GroupInstance::units).sum();
    group.desired_capacity + extra
}

/// Units on their way out.
fn held(group: &AutoScalingGroup) -> u32 {
    let leaving = group.instances.values().filter(|instance| instance.state.is_terminating());
    leaving.map(GroupInstance::units).sum()
}

/// Nothing is missing and nothing too much: what explained the last change explains no further one.
fn rest(account: &mut Account, group: &str) {
    if let Some(group) = group_mut(account, group) {
        group.mind.wish.clear();
        (group.mind.failures, group.mind.said_protected) = (0, false);
    }
}

fn shrink(account: &mut Account, group: &str) {
    loop {
        let described = &account.auto_scaling_groups[group];
        let (capacity, surplus) =
            (described.capacity(), described.capacity().saturating_sub(wanted(described)));
        if surplus == 0 {
            return cool_down(account, group);
        }
        let Some(id) = victims::choose(account, group, surplus) else { return say_protected(account, group) };
        let units = account.auto_scaling_groups[group].instances[&id].units();
        let shrinking = format!(
            "an instance was taken out of service in response to a difference between desired and actual capacity, \
             shrinking the capacity from {capacity} to {}",
            capacity - units
        );
        let selected = activities::at(account, &format!("instance {id} was selected for termination"));
        let cause = format!("{}  {selected}", explained(account, group, &shrinking));
        departures::begin(account, group, &id, &cause);
    }
}

/// The sentence about the wish, if there is one, and this sentence after it.
pub(super) fn explained(account: &Account, group: &str, what: &str) -> String {
    let wish = &account.auto_scaling_groups[group].mind.wish;
    let sentence = activities::at(account, what);
    if wish.is_empty() { sentence } else { format!("{wish}  {sentence}") }
}

pub(super) fn cool_down(account: &mut Account, group: &str) {
    let now = account.now;
    if let Some(group) = group_mut(account, group) {
        group.mind.cooled_at = now + Duration::from_secs(u64::from(group.default_cooldown));
    }
}

/// Said once until the group is at rest again.
fn say_protected(account: &mut Account, group: &str) {
    let Some(described) = group_mut(account, group) else { return };
    let all_protected = described.instances.values().filter(|it| it.state.counts()).all(|it| it.protected);
    if !all_protected || std::mem::replace(&mut described.mind.said_protected, true) {
        return;
    }
    let zone = described.zones.first().cloned().unwrap_or_default();
    let message =
        "Could not scale to desired capacity because all remaining instances are protected from scale-in.";
    let cause = explained(account, group, "the group could not scale to its desired capacity");
    let what = (format!("Could not scale to desired capacity of {group}"), cause);
    let activity = activities::open(account, group, None, &zone, what);
    activities::close(account, group, &activity, StatusCode::Cancelled, Some(message));
}
