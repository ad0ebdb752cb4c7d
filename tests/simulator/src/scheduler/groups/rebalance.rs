//! Capacity rebalancing: an instance at elevated risk of interruption is substituted before it is interrupted.
//!
//! From "Capacity Rebalancing in Auto Scaling to replace at-risk Spot Instances": on a recommendation the group launches
//! a substitute, and once that one is in service terminates the instance at risk, through its hooks; it may exceed its
//! maximum by up to a tenth of the desired capacity, and one is always allowed here. It launches only where it finds
//! capacity, tries again otherwise, and terminates no protected instance. What EC2 does meanwhile it does not wait for.

use std::collections::BTreeSet;

use super::{activities, group_mut, ids_where, launches, size};
use crate::account::{Account, AutoScalingGroup, GroupInstance, LifecycleState, Market, Substitute};

pub(super) fn tick(account: &mut Account, group: &str) {
    let Some(described) = account.auto_scaling_groups.get(group) else { return };
    if !described.capacity_rebalance || described.suspends("Launch") {
        return;
    }
    let at_risk = ids_where(account, group, |instance| is_at_risk(account, instance));
    for id in at_risk {
        let described = &account.auto_scaling_groups[group];
        if !described.mind.substitutes.contains_key(&id) && has_room(described) {
            substitute(account, group, &id);
        }
    }
}

fn is_at_risk(account: &Account, instance: &GroupInstance) -> bool {
    let machine = account.machines.get(&instance.id);
    let recommended = machine.is_some_and(|machine| machine.rebalance_recommended_at.is_some());
    recommended && instance.state == LifecycleState::InService && !instance.protected
}

fn has_room(group: &AutoScalingGroup) -> bool {
    let bound = group.max_size + (group.desired_capacity / 10).max(1);
    group.capacity() < bound && group.capacity() <= size::wanted(group)
}

fn substitute(account: &mut Account, group: &str, id: &str) {
    let market = account.auto_scaling_groups[group].instances[id].market;
    let Some(zone) = best_zone(account, group, market) else { return };
    let what = "an instance was launched in response to an EC2 instance rebalance recommendation";
    let cause = activities::at(account, what);
    let launched = launches::launch(account, group, &[zone], Some(market), &cause, &mut BTreeSet::new());
    let Some(new) = launched else { return };
    let what = "an instance was taken out of service in response to an EC2 instance rebalance recommendation";
    let cause = activities::at(account, what);
    if let Some(group) = group_mut(account, group) {
        group.mind.substitutes.insert(id.to_owned(), Substitute { id: new, cause });
    }
}

/// The emptiest zone that has capacity.
fn best_zone(account: &Account, group: &str, market: Market) -> Option<String> {
    let group = &account.auto_scaling_groups[group];
    let zones = group.zones.iter().filter(|zone| account.has_capacity(zone, market));
    zones.min_by_key(|zone| launches::in_zone(group, zone)).cloned()
}
