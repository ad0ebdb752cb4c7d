//! Zone rebalancing (process `AZRebalance`): launch in the emptier zone first, then terminate in the fuller one.
//!
//! From "Distribute instances across Availability Zones": it may exceed the maximum by a tenth or by one, whichever is
//! more. From "Suspend and resume": it does nothing while `Launch` is suspended, and grows the group up to that bound
//! while only `Terminate` is.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{activities, group_mut, launches, size, victims};
use crate::account::{Account, AutoScalingGroup, Substitute};

/// Seconds between two looks, about. AWS gives no number.
const EVERY: Duration = Duration::from_mins(1);

pub(super) fn tick(account: &mut Account, group: &str) {
    let Some(described) = account.auto_scaling_groups.get(group) else { return };
    if described.mind.balance_at > account.now {
        return;
    }
    let is_first = described.mind.balance_at.0 == 0;
    let at = account.now + account.draw_around(EVERY);
    if let Some(group) = group_mut(account, group) {
        group.mind.balance_at = at;
    }
    if !is_first && is_calm(&account.auto_scaling_groups[group]) {
        move_one(account, group);
    }
}

/// Whether nothing else is going on, and one more instance keeps to the bound.
fn is_calm(group: &AutoScalingGroup) -> bool {
    let is_suspended = ["AZRebalance", "Launch"].iter().any(|process| group.suspends(process));
    let (capacity, wanted) = (group.capacity(), size::wanted(group));
    let at_size = capacity == wanted || capacity > wanted && group.suspends("Terminate");
    let exchanges = !group.mind.substitutes.is_empty();
    let arriving = group.instances.values().any(|instance| instance.state.is_pending());
    let bound = group.max_size + (group.max_size / 10).max(1);
    !is_suspended && at_size && !exchanges && !arriving && capacity < bound
}

fn move_one(account: &mut Account, group: &str) {
    let Some((fullest, emptiest)) = imbalance(&account.auto_scaling_groups[group]) else { return };
    let Some(old) = victims::choose_in(account, group, &fullest) else { return };
    let market = account.auto_scaling_groups[group].instances[&old].market;
    if !account.has_capacity(&emptiest, market) {
        return;
    }
    let what = format!(
        "instances were launched to balance instances in zones {emptiest} with other zones resulting in more than \
         desired number of instances in the group"
    );
    let cause = activities::at(account, &what);
    let zones = [emptiest];
    let Some(id) = launches::launch(account, group, &zones, Some(market), &cause, &mut BTreeSet::new())
    else {
        return;
    };
    if let Some(group) = group_mut(account, group) {
        group.mind.substitutes.insert(old, Substitute { id, cause });
    }
}

/// The fullest and the emptiest zone, if moving one instance brings them closer; a zone that the group has left is
/// fuller than all others.
fn imbalance(group: &AutoScalingGroup) -> Option<(String, String)> {
    let emptiest = group.zones.iter().min_by_key(|zone| launches::in_zone(group, zone))?;
    let occupied: BTreeSet<&String> = group.instances.values().map(|instance| &instance.zone).collect();
    let left =
        occupied.into_iter().find(|zone| !group.zones.contains(zone) && launches::in_zone(group, zone) > 0);
    if let Some(left) = left {
        return Some((left.clone(), emptiest.clone()));
    }
    let fullest = group.zones.iter().max_by_key(|zone| launches::in_zone(group, zone))?;
    let apart = launches::in_zone(group, fullest) - launches::in_zone(group, emptiest);
    (apart > 1).then(|| (fullest.clone(), emptiest.clone()))
}
