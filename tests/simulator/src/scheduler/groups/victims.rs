//! Who is terminated at scale-in.
//!
//! From "Configure termination policies for Amazon EC2 Auto Scaling", in this order: instances that are unhealthy
//! already; the purchase option that brings a mixed group towards its ratio; the zone with the most instances, of those
//! that have an unprotected candidate, whatever the policy; no protected instances; the termination policies in their
//! order; and by lot among those that are left.

use super::choice::units_of;
use super::{launches, policies};
use crate::account::{Account, AutoScalingGroup, GroupInstance, LifecycleState, Market};

/// The instance that leaves next if `surplus` units are too much; nothing if none may.
pub(super) fn choose(account: &mut Account, group: &str, surplus: u32) -> Option<String> {
    let described = account.auto_scaling_groups.get(group)?;
    let takes_pending = account.switches.scale_in_takes_pending;
    let may_leave =
        |it: &&GroupInstance| it.state == LifecycleState::InService || takes_pending && it.state.is_pending();
    let small: Vec<&GroupInstance> =
        described.instances.values().filter(may_leave).filter(|it| it.units() <= surplus).collect();
    if let Some(unhealthy) = small.iter().find(|it| !it.healthy) {
        return Some(unhealthy.id.clone());
    }
    let open: Vec<&GroupInstance> = small.into_iter().filter(|it| !it.protected).collect();
    let of_market = of_purchase_option(described, open);
    let in_zones = of_fullest_zones(described, of_market);
    lot(account, group, &ids(&in_zones))
}

/// The same with the zone given, as rebalancing has it.
pub(super) fn choose_in(account: &mut Account, group: &str, zone: &str) -> Option<String> {
    let described = account.auto_scaling_groups.get(group)?;
    let serving = described.instances.values().filter(|it| it.state == LifecycleState::InService);
    let open: Vec<&GroupInstance> = serving.filter(|it| !it.protected && it.zone == zone).collect();
    lot(account, group, &ids(&open))
}

fn ids(instances: &[&GroupInstance]) -> Vec<String> {
    instances.iter().map(|instance| instance.id.clone()).collect()
}

/// The purchase option of which the group has more than its share, if any of it may leave.
fn of_purchase_option<'a>(group: &AutoScalingGroup, open: Vec<&'a GroupInstance>) -> Vec<&'a GroupInstance> {
    let Some(policy) = &group.mixed_instances else { return open };
    let share = policy.distribution.on_demand_of(group.desired_capacity);
    let too_much = if units_of(group, Market::OnDemand) > share { Market::OnDemand } else { Market::Spot };
    let chosen: Vec<_> = open.iter().copied().filter(|it| it.market == too_much).collect();
    if chosen.is_empty() { open } else { chosen }
}

/// The candidates in the zones that have the most instances of all zones with a candidate.
fn of_fullest_zones<'a>(group: &AutoScalingGroup, open: Vec<&'a GroupInstance>) -> Vec<&'a GroupInstance> {
    let fullest = open.iter().map(|it| launches::in_zone(group, &it.zone)).max();
    open.into_iter().filter(|it| Some(launches::in_zone(group, &it.zone)) == fullest).collect()
}

/// Lets the policies narrow the candidates, and draws among those that are left.
fn lot(account: &mut Account, group: &str, candidates: &[String]) -> Option<String> {
    let described = account.auto_scaling_groups.get(group)?;
    let mut left: Vec<&GroupInstance> =
        candidates.iter().filter_map(|id| described.instances.get(id)).collect();
    for policy in &described.termination_policies {
        left = policies::narrow(account, described, policy, left);
    }
    let left = ids(&left);
    match left.len() {
        0 | 1 => left.into_iter().next(),
        several => Some(left[account.draw_below(several)].clone()),
    }
}
