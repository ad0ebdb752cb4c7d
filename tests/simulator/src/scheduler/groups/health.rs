//! Instances whose machines no longer run are noticed and replaced.
//!
//! From "Health checks for instances in an Auto Scaling group": an instance in any state other than running is
//! unhealthy and is replaced at once. From "How suspended processes affect other processes": with `HealthCheck` suspended
//! nobody is marked; with `ReplaceUnhealthy` or `Terminate` suspended nobody is replaced until it is resumed; with `Launch`
//! alone suspended the unhealthy are terminated all the same, and replaced once it is resumed.

use std::time::Duration;

use super::{activities, departures, ids_where, instance_mut, machine_state};
use crate::account::{Account, AutoScalingGroup, GroupInstance, LifecycleState, MachineState};
use crate::scheduler::events::note;
use crate::time::SimTime;

/// Seconds from the end of a machine until its group knows; "a minute or two" is what users see.
const NOTICED_AFTER: (u64, usize) = (60, 61);

pub(super) fn tick(account: &mut Account, group: &str) {
    let is_suspect = |it: &GroupInstance| {
        let runs = machine_state(account, &it.id) == MachineState::Running;
        it.state == LifecycleState::InService && (!runs || it.unhealthy_at.is_some())
    };
    for id in ids_where(account, group, is_suspect) {
        watch(account, group, &id);
    }
    let Some(described) = account.auto_scaling_groups.get(group) else { return };
    if !ends_unhealthy(described) {
        return;
    }
    let unhealthy = |it: &GroupInstance| it.state == LifecycleState::InService && !it.healthy;
    for id in ids_where(account, group, unhealthy) {
        let what = "an instance was taken out of service in response to an EC2 health check indicating it has been \
                    terminated or stopped";
        let cause = activities::at(account, what);
        departures::begin(account, group, &id, &cause);
    }
}

fn ends_unhealthy(group: &AutoScalingGroup) -> bool {
    !["ReplaceUnhealthy", "Terminate"].iter().any(|process| group.suspends(process))
}

fn watch(account: &mut Account, group: &str, id: &str) {
    let runs = machine_state(account, id) == MachineState::Running;
    let Some(instance) = super::instance(account, group, id) else { return };
    match (runs, instance.unhealthy_at) {
        (true, Some(_)) => remember(account, group, id, None),
        (false, None) => {
            let (at_least, spread) = NOTICED_AFTER;
            let seconds = at_least + account.draw_below(spread) as u64;
            let noticed = account.now + Duration::from_secs(seconds);
            remember(account, group, id, Some(noticed));
        }
        (false, Some(at)) if at <= account.now && instance.healthy => mark(account, group, id),
        (true, None) | (false, Some(_)) => {}
    }
}

fn remember(account: &mut Account, group: &str, id: &str, at: Option<SimTime>) {
    if let Some(instance) = instance_mut(account, group, id) {
        instance.unhealthy_at = at;
    }
}

fn mark(account: &mut Account, group: &str, id: &str) {
    if account.auto_scaling_groups.get(group).is_some_and(|group| group.suspends("HealthCheck")) {
        return;
    }
    if let Some(instance) = instance_mut(account, group, id) {
        instance.healthy = false;
    }
    note(account, "auto-scaling", id, "is unhealthy: its machine does not run");
}
