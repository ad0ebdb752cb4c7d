//! ECS as the adversary: how many starts it can make a move take.

use super::*;
use crate::plan::testing::{self, Cluster, arn, chain, cluster, limits};

/// The outlook of taking a task of `web` from an instance.
fn from(cluster: &Cluster, zone: &str, number: usize) -> Result<Outlook, Stuck> {
    survey_of(cluster, zone, number, |survey, seat| Lookout::new(survey).outlook(seat))
}

/// What `look` says of an instance as `web` sees the cluster.
pub(super) fn survey_of<T>(
    cluster: &Cluster,
    zone: &str,
    number: usize,
    look: impl FnOnce(&Survey<'_>, usize) -> T,
) -> T {
    let limits = testing::limits();
    let case = crate::plan::case::Case::of(&cluster.0, &limits, &"web".into()).unwrap();
    let survey = crate::plan::eligible::survey(&case, Some(case.definition().unwrap())).unwrap();
    let seat =
        (0..survey.placement.seats.len()).find(|seat| *survey.arn(*seat) == arn(zone, number)).unwrap();
    look(&survey, seat)
}

#[test]
fn a_certain_landing_takes_one_start() {
    let outlook = from(&cluster(&[&[3, 0]]), "a", 0).unwrap();
    assert_eq!((outlook.starts_max, outlook.to, outlook.landings), (1, 1, vec![1]));
}

#[test]
fn a_tie_between_zones_may_take_ballast() {
    let outlook = from(&cluster(&[&[3, 0], &[2, 1]]), "a", 0).unwrap();
    assert_eq!((outlook.starts_max, outlook.to), (2, 1));
    assert_eq!(outlook.landings, [1, 3]);
    assert_eq!(outlook.reach, BTreeSet::from([1, 3]));
}

#[test]
fn a_thinner_zone_is_filled_before_the_wanted_one() {
    // One start makes the zones level, the next may still go to b, the third cannot.
    let outlook = from(&cluster(&[&[3, 0], &[1, 1]]), "a", 0).unwrap();
    assert_eq!((outlook.starts_max, outlook.to), (3, 1));
    assert_eq!(outlook.landings, [2, 3]);
}

#[test]
fn three_zones_take_five_starts_at_worst() {
    let outlook = from(&cluster(&[&[3, 0], &[1, 1], &[1, 1]]), "a", 0).unwrap();
    assert_eq!(outlook.starts_max, 5);
}

#[test]
fn ballast_needs_room_of_its_own() {
    let mut crowded = cluster(&[&[3, 0], &[2, 1]]);
    crowded.room("b", 0, 0);
    crowded.room("b", 1, 1);
    assert_eq!(from(&crowded, "a", 0).unwrap().starts_max, 2);
    crowded.room("b", 1, 0);
    assert_eq!(from(&crowded, "a", 0).unwrap().starts_max, 1, "a full zone is no tie");
}

#[test]
fn an_open_choice_inside_the_zone_cannot_be_steered() {
    let mut open = cluster(&[&[3, 0]]);
    open.web().placement_strategy = chain(&["zone"]);
    assert_eq!(from(&open, "a", 0), Err(Stuck::Elsewhere(0)));
}

#[test]
fn a_warming_instance_would_swallow_the_start() {
    let mut warming = cluster(&[&[3, 1, 0]]);
    warming.instance("a", 2).registered_at = Some(testing::now());
    assert_eq!(from(&warming, "a", 0), Err(Stuck::Warming(2)));
    assert!(limits().warm_up > std::time::Duration::ZERO);
}

#[test]
fn no_slot_is_no_move() {
    let mut full = cluster(&[&[3, 0]]);
    full.room("a", 0, 0);
    full.room("a", 1, 0);
    assert_eq!(from(&full, "a", 0), Err(Stuck::NoRoom));
}

#[test]
fn zones_are_never_driven_apart() {
    // Taking the task from zone a would leave 2 and 4 where the zones were 3 and 3.
    let outlook = from(&cluster(&[&[2, 1], &[3, 0], &[1, 1]]), "a", 0);
    assert!(outlook.is_err() || outlook.unwrap().to != 3);
}
