//! What is level at one glance, and what is not.

use super::*;
use crate::plan::testing::{cluster, limits};

fn is_level(zones: &[&[u32]]) -> bool {
    let cluster = cluster(zones);
    let limits = limits();
    let cases = Case::all(&cluster.0, &limits);
    Zones::of(&cluster.0).is_level(&cases[0])
}

#[test]
fn what_is_level_over_zones_and_instances_alike_is_seen_at_a_glance() {
    assert!(is_level(&[&[2, 1], &[1, 1]]) && is_level(&[&[1, 0, 0]]) && is_level(&[&[0, 1], &[0, 0]]));
}

#[test]
fn everything_else_is_looked_at_closely() {
    assert!(!is_level(&[&[2, 0]]), "inside the zone");
    assert!(!is_level(&[&[1, 1], &[0, 0]]), "between zones");
    assert!(!is_level(&[&[1, 2], &[3]]), "over all instances, though zones may demand it");
}
