//! The freed slot is a landing like any other, and there is no second try.

use super::super::tests::survey_of;
use super::*;
use crate::plan::testing::{self, Cluster, chain, cluster};

fn stop_first(cluster: &Cluster, zone: &str, number: usize) -> Result<Outlook, Stuck> {
    survey_of(cluster, zone, number, |survey, from| Lookout::new(survey).outlook_stop_first(from))
}

fn surge(cluster: &Cluster, zone: &str, number: usize) -> Result<Outlook, Stuck> {
    survey_of(cluster, zone, number, |survey, from| Lookout::new(survey).outlook(from))
}

#[test]
fn a_certain_landing_is_foreseen() {
    let outlook = stop_first(&cluster(&[&[3, 0]]), "a", 0).unwrap();
    assert_eq!((outlook.strategy, outlook.starts_max, outlook.to), (MoveStrategy::Stop, 1, 1));
    assert_eq!((outlook.landings, outlook.reach), (vec![1], [1].into()));
}

#[test]
fn nothing_is_changed_by_looking() {
    let mut ports = cluster(&[&[1, 0], &[0, 0]]);
    ports.definition().host_ports = vec![80];
    ports.instance("a", 0).remaining.ports = vec![22, 80];
    survey_of(&ports, "a", 0, |survey, from| {
        let mut lookout = Lookout::new(survey);
        let first = lookout.outlook_stop_first(from);
        assert!(first.is_err() && lookout.outlook_stop_first(from) == first, "{first:?}");
    });
}

#[test]
fn the_zone_that_lost_the_task_is_the_thinnest_and_takes_its_replacement() {
    let even = cluster(&[&[3, 0], &[2, 1]]);
    assert_eq!(stop_first(&even, "a", 0).unwrap().landings, [1]);
    assert_eq!(surge(&even, "a", 0).unwrap().starts_max, 2, "start-first needs ballast here");
}

#[test]
fn every_tied_landing_has_to_help() {
    // Without one of a's tasks both zones have four; on b, which is level, it would not help.
    let tied = cluster(&[&[4, 1], &[2, 2]]);
    assert_eq!(stop_first(&tied, "a", 0), Err(Stuck::Elsewhere(2)));
    assert!(surge(&tied, "a", 0).is_ok(), "start-first has its ballast");
}

#[test]
fn the_freed_slot_may_attract_the_task_back() {
    let mut packed = cluster(&[&[2, 1]]);
    packed.web().placement_strategy = chain(&["zone"]);
    assert_eq!(stop_first(&packed, "a", 0), Err(Stuck::Elsewhere(0)));
    let mut open = cluster(&[&[3, 0]]);
    open.web().placement_strategy = chain(&["zone"]);
    assert_eq!(stop_first(&open, "a", 0), Err(Stuck::Elsewhere(0)));
}

#[test]
fn on_a_full_cluster_the_freed_slot_is_the_only_one() {
    let mut full = cluster(&[&[3, 0]]);
    full.room("a", 0, 0);
    full.room("a", 1, 0);
    assert_eq!(surge(&full, "a", 0), Err(Stuck::NoRoom));
    assert_eq!(stop_first(&full, "a", 0), Err(Stuck::Elsewhere(0)));
}

#[test]
fn a_slot_freed_by_distinct_instance_is_a_landing_too() {
    let mut distinct = cluster(&[&[1, 0]]);
    distinct.web().placement_constraints.push(crate::snapshot::PlacementConstraint::DistinctInstance);
    assert_eq!(stop_first(&distinct, "a", 0), Err(Stuck::Elsewhere(0)));
}

#[test]
fn a_warming_instance_in_another_zone_is_no_tie_any_more() {
    let mut warming = cluster(&[&[3, 0], &[2, 1, 0]]);
    warming.instance("b", 2).registered_at = Some(testing::now());
    assert_eq!(surge(&warming, "a", 0), Err(Stuck::Warming(4)));
    assert_eq!(stop_first(&warming, "a", 0).unwrap().landings, [1]);
    warming.instance("a", 1).registered_at = Some(testing::now());
    assert_eq!(stop_first(&warming, "a", 0), Err(Stuck::Warming(1)));
}

/// A stop adds nothing but the slot that it frees, and whoever lands there has not moved: so it never finds room where
/// start-first finds none.
#[test]
fn there_is_never_room_where_start_first_has_none() {
    let counts =
        |mut code: u32| -> Vec<u32> { std::iter::repeat_with(|| (code % 4, code /= 4).0).take(4).collect() };
    for code in 0..256 {
        for full in 0..16_u32 {
            let counts = counts(code);
            let mut crowded = cluster(&[&counts[..2], &counts[2..]]);
            let seats = [("a", 0), ("a", 1), ("b", 0), ("b", 1)];
            for (at, (zone, number)) in seats.into_iter().enumerate() {
                crowded.room(zone, number, u64::from(full >> at & 1));
            }
            for (_, (zone, number)) in (0..).zip(seats).filter(|(at, _)| counts[*at as usize] > 0) {
                let has_no_room = surge(&crowded, zone, number) == Err(Stuck::NoRoom);
                let is_foreseen = stop_first(&crowded, zone, number).is_ok();
                assert!(!(has_no_room && is_foreseen), "{counts:?} with room {full:04b} from {zone}{number}");
            }
        }
    }
}
