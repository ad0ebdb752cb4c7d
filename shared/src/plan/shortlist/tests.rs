//! Who is on the list of a cluster too large to be looked at as a whole.

use super::*;
use crate::plan::proposal::Limits;
use crate::plan::testing::{cluster, limits, now};
use crate::snapshot::ClusterSnapshot;

/// Twelve services, each lopsided by its number, beside a level `web`; room for four.
fn chosen_under(limits: &Limits, at: Timestamp) -> (Vec<String>, usize) {
    let mut cluster = cluster(&[&[1, 1, 1]]);
    for number in 1..=12 {
        cluster.add(&format!("s{number:02}"), &[&[number + 1, 1, 1]]);
    }
    listed(&cluster.0, limits, at)
}

fn listed(snapshot: &ClusterSnapshot, limits: &Limits, at: Timestamp) -> (Vec<String>, usize) {
    let (cases, zones) = (Case::all(snapshot, limits), Zones::of(snapshot));
    let open = cases.iter().filter(|case| case.service.name.as_str() != "web").collect();
    let (chosen, later) = choose(&zones, open, 4, at);
    (chosen.into_iter().map(ToString::to_string).collect(), later)
}

#[test]
fn half_of_the_room_is_for_the_worst_off_and_half_goes_round() {
    let of_turn = |turn: u32| chosen_under(&limits(), now() + DRAWN_FOR * turn);
    let mut seen = BTreeSet::new();
    for turn in 0..5 {
        let (chosen, later) = of_turn(turn);
        assert_eq!((chosen.len(), later), (4, 8));
        assert!(chosen.contains(&"s12".to_owned()) && chosen.contains(&"s11".to_owned()), "{chosen:?}");
        seen.extend(chosen);
    }
    assert_eq!(seen.len(), 12, "five turns of two each reach the other ten: {seen:?}");
}

#[test]
fn two_observations_of_one_invocation_have_the_same_list() {
    let start = Timestamp::from_secs(now().as_secs() / 600 * 600);
    let later = start + DRAWN_FOR - Duration::from_secs(1);
    assert_eq!(chosen_under(&limits(), start), chosen_under(&limits(), later));
}

#[test]
fn what_has_begun_is_always_on_the_list() {
    let mut limits = limits();
    limits.triggered.insert("s01".into());
    limits.in_flight.insert("s02".into());
    let lists = (0..5).map(|turn| chosen_under(&limits, now() + DRAWN_FOR * turn).0);
    for list in lists {
        assert!(list.contains(&"s01".to_owned()) && list.contains(&"s02".to_owned()), "{list:?}");
    }
}

#[test]
fn a_small_cluster_is_looked_at_as_a_whole() {
    let (cluster, limits) = (cluster(&[&[1, 1]]), limits());
    let cases = Case::all(&cluster.0, &limits);
    let shortlist = Shortlist::of(&cases);
    assert!(shortlist.is_whole() && shortlist.has(&cases[0]) && !shortlist.has_uneven(&cases[0]));
    assert_eq!(shortlist.later(), 0);
}

#[test]
fn no_service_makes_an_empty_list() {
    assert_eq!(Shortlist::of(&[]).later(), 0);
}

#[test]
fn a_large_cluster_has_a_list_and_says_who_waits() {
    let mut cluster = cluster(&[&[1, 1]]);
    let model = cluster.instance("a", 0).clone();
    for number in 0..2_000 {
        let arn = crate::plan::testing::arn("b", number);
        let instance = crate::snapshot::ContainerInstance { arn: arn.clone(), ..model.clone() };
        cluster.0.container_instances.insert(arn, instance);
    }
    for number in 0..250 {
        cluster.add(&format!("s{number:03}"), &[&[2, 0]]);
    }
    let plan = cluster.plan();
    let later = 250 - SEATS_MAX / 2_002;
    let codes: Vec<_> = plan.blocked.iter().map(|it| it.reason.clone()).collect();
    assert_eq!(codes, [crate::plan::reason::Reason::LookedAtLater { services: later }]);
    let measured = plan.services.iter().filter(|it| it.raw_skew.is_some()).count();
    assert_eq!(measured, SEATS_MAX / 2_002);
}
