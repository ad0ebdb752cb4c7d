//! Substitutes that were launched first: when one is in service, the instance it replaces leaves.
//!
//! Capacity rebalancing and zone rebalancing both launch before they terminate. An instance that goes another way, or a
//! substitute that does not arrive, ends the exchange; what is too much then leaves by scale-in, what is missing is
//! launched. With `Terminate` suspended the old one stays, and the group is larger than desired ("Suspend and resume").

use super::{departures, group_mut};
use crate::account::{Account, GroupInstance, LifecycleState, Substitute};

pub(super) fn tick(account: &mut Account, group: &str) {
    let Some(described) = account.auto_scaling_groups.get(group) else { return };
    let under_way: Vec<(String, Substitute)> =
        described.mind.substitutes.iter().map(|(id, it)| (id.clone(), it.clone())).collect();
    for (old, substitute) in under_way {
        step(account, group, &old, &substitute);
    }
}

fn step(account: &mut Account, group: &str, old: &str, substitute: &Substitute) {
    let counts = |it: &&GroupInstance| it.state.counts();
    let new = super::instance(account, group, &substitute.id).filter(counts);
    let old_stays = super::instance(account, group, old).as_ref().is_some_and(counts);
    match new.map(|it| it.state) {
        Some(LifecycleState::InService) => {}
        Some(_) if old_stays => return,
        _ => return end(account, group, old),
    }
    end(account, group, old);
    let may_leave = super::instance(account, group, old).is_some_and(|it| !it.protected);
    if old_stays && may_leave && !account.auto_scaling_groups[group].suspends("Terminate") {
        departures::begin(account, group, old, &substitute.cause);
    }
}

fn end(account: &mut Account, group: &str, old: &str) {
    if let Some(group) = group_mut(account, group) {
        group.mind.substitutes.remove(old);
    }
}
