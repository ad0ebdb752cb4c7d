//! Families in which instances came, went, or came late. All tasks are alike, and so are all instances.

use simulator::account::Account;
use simulator::switches::Switches;

use super::draw::{dice, unit_services};
use super::past::Past;
use crate::clusters;

/// A cluster with `per_zone` instances that runs six to twelve services.
fn calm(seed: u64, per_zone: &[u32]) -> Past {
    let mut dice = dice(seed);
    let count = dice.u32(6..=12);
    Past::of(unit_services(clusters::instances(seed, per_zone), &mut dice, count, 16), seed)
}

pub(super) fn one_new(seed: u64) -> Account {
    calm(seed, &[2, 2, 1]).join(&["i-c2"]).end()
}

pub(super) fn two_new_of_ten(seed: u64) -> Account {
    calm(seed, &[3, 3, 2]).join(&["i-a4", "i-c3"]).end()
}

pub(super) fn lost_and_returned(seed: u64) -> Account {
    calm(seed, &[2, 2, 2]).lose(&["i-b2"]).join(&["i-b3"]).end()
}

pub(super) fn zone_lost_and_returned(seed: u64) -> Account {
    calm(seed, &[2, 2, 2]).lose(&["i-c1", "i-c2"]).join(&["i-c3", "i-c4"]).end()
}

/// How a rolling replacement ends: the first new hosts took everything, the later ones came to nothing.
pub(super) fn first_hosts(seed: u64) -> Account {
    calm(seed, &[1, 1]).join(&["i-c1", "i-a2", "i-b2", "i-c2"]).end()
}

/// Old tasks count while the new are placed, so that the new instance gets more than its share.
pub(super) fn deployment_pile_up(seed: u64) -> Account {
    calm(seed, &[2, 2, 1]).join(&["i-c2"]).redeploy().end()
}

/// One zone has fewer instances than the others; one instance of a larger zone was lost and came back.
pub(super) fn uneven_zones(seed: u64) -> Account {
    let per_zone: &[u32] = if seed.is_multiple_of(2) { &[2, 1] } else { &[3, 1] };
    calm(seed, per_zone).lose(&["i-a1"]).join(&["i-a9"]).end()
}

/// The choices that AWS leaves open fall the awkward way.
pub(super) fn adversarial_ties(seed: u64) -> Account {
    let mut account = calm(seed, &[2, 2, 2]).lose(&["i-a1"]).join(&["i-a9"]).end();
    account.switches = Switches {
        zone_tie_is_settled_at_once: true,
        scale_in_takes_fullest_instance: !seed.is_multiple_of(2),
        ..Switches::default()
    };
    account
}
