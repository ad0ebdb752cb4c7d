//! The second layer on whole clusters: as few moves as the flow proves, each service still at its best, and no circles.

use proptest::prelude::*;

use crate::ids::ContainerInstanceArn;
use crate::plan::eligible::survey;
use crate::plan::testing::{Cluster, arn, cluster, limits, resources};

use super::*;

/// A cluster of these zones whose services have these counts; the service `web` stays empty. Ten tasks fill an instance.
fn services(zones: &[usize], counts: &[Vec<Vec<u32>>]) -> Cluster {
    let empty: Vec<Vec<u32>> = zones.iter().map(|width| vec![0; *width]).collect();
    let mut cluster = cluster(&empty.iter().map(Vec::as_slice).collect::<Vec<_>>());
    for (at, counts) in counts.iter().enumerate() {
        cluster.add(&format!("s{at:02}"), &counts.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
    for instance in cluster.0.container_instances.values_mut() {
        let used = resources(10_000 - instance.remaining.cpu, 10_000 - instance.remaining.memory);
        instance.registered = resources(2_500, 2_500);
        instance.remaining = resources(2_500 - used.cpu, 2_500 - used.memory);
    }
    cluster
}

/// Single tasks: as many on each instance of one zone.
fn singles(counts: &[u32]) -> Cluster {
    let mut all = Vec::new();
    for (at, count) in counts.iter().enumerate() {
        for _ in 0..*count {
            let mut one = vec![0; counts.len()];
            one[at] = 1;
            all.push(vec![one]);
        }
    }
    services(&[counts.len()], &all)
}

fn relief(cluster: &Cluster) -> LoadPlan {
    plan_relief(&cluster.0, &limits())
}

/// Carries the planned moves out on the snapshot.
fn carry_out(cluster: &mut Cluster, moves: &[Move]) {
    for planned in moves {
        cluster.0.tasks.get_mut(&planned.task).unwrap().container_instance = Some(planned.to.clone());
    }
}

fn excess(cluster: &Cluster) -> u32 {
    let limits = limits();
    let cases = Case::all(&cluster.0, &limits);
    cases.iter().map(|case| survey(case, case.definition().ok()).unwrap().layout().excess()).sum()
}

#[test]
fn a_new_instance_beside_two_full_of_single_tasks_takes_its_share() {
    let mut cluster = singles(&[12, 12, 0]);
    let plan = relief(&cluster);
    let group = &plan.groups[0];
    assert_eq!((group.skew.get(), group.lower_bound, group.is_exact), (150, 7, true));
    assert_eq!(plan.moves.len(), 7, "{:#?}", plan.moves);
    assert!(group.skew_after.get() <= 30, "{group:?}");
    carry_out(&mut cluster, &plan.moves);
    assert_eq!(relief(&cluster).moves, [], "the end is an end");
}

#[test]
fn a_start_that_may_land_on_the_other_full_instance_is_announced() {
    let plan = relief(&singles(&[12, 12, 0]));
    let first = &plan.moves[0];
    assert_eq!((first.starts_max, first.landings.len()), (2, 2));
    assert_eq!(first.to, arn("a", 2));
}

#[test]
fn an_even_cluster_is_left_alone() {
    assert_eq!(relief(&singles(&[8, 8, 7])).moves, []);
}

#[test]
fn a_service_not_at_its_best_is_left_to_the_first_layer() {
    let mut cluster = singles(&[12, 12, 0]);
    cluster.add("wide", &[&[3, 0, 0]]);
    assert!(relief(&cluster).moves.iter().all(|planned| planned.service.as_str() != "wide"));
}

#[test]
fn a_task_that_has_just_come_is_not_moved_again() {
    let mut cluster = singles(&[12, 12, 0]);
    for task in cluster.0.tasks.values_mut() {
        task.created_at = Some(cluster.0.observed_at - std::time::Duration::from_mins(59));
    }
    let plan = relief(&cluster);
    assert_eq!(plan.moves, []);
    assert!(plan.blocked.iter().any(|it| matches!(it.reason, Reason::LoadStays { .. })));
}

#[test]
fn many_ties_are_too_many_starts_and_the_operator_learns_why() {
    let plan = relief(&singles(&[12, 12, 12, 12, 12, 12, 12, 0]));
    assert_eq!(plan.moves, []);
    assert!(plan.blocked.iter().any(|it| matches!(it.reason, Reason::LandingElsewhere { .. })), "{plan:#?}");
}

#[test]
fn different_sizes_are_evened_by_share_with_a_bound_below() {
    let mut cluster = singles(&[10, 10, 0]);
    let mut large = 0;
    for task in cluster.0.tasks.values_mut().filter(|task| task.arn.short() < "s06") {
        (task.cpu, task.memory) = (Some(300), Some(300));
        large += 1;
    }
    for service in cluster.0.services.values().filter(|service| service.name.as_str() < "s06") {
        if let Some(crate::snapshot::Known::Known(definition)) =
            cluster.0.task_definitions.get_mut(&service.task_definition)
        {
            (definition.cpu, definition.memory) = (300, 300);
        }
    }
    cluster.instance("a", 0).remaining = resources(300, 300);
    let plan = relief(&cluster);
    let group = &plan.groups[0];
    assert_eq!(large, 6);
    assert!(!group.is_exact && group.skew_after.get() <= 30, "{group:?}");
    assert!(group.lower_bound as usize <= plan.moves.len() && plan.moves.len() <= 4, "{:#?}", plan.moves);
}

/// The closed form for single tasks in one zone (design notes E.2.3): the band that needs fewest moves, each of which takes
/// one from above it or brings one to below it.
fn closed_form(counts: &[u32], width: u32) -> u32 {
    let moves = |low: u32| {
        let over: u32 = counts.iter().map(|count| count.saturating_sub(low + width)).sum();
        let under: u32 = counts.iter().map(|count| low.saturating_sub(*count)).sum();
        over.max(under)
    };
    let (total, places) = (counts.iter().sum::<u32>(), counts.len() as u32);
    let is_possible = |low: &u32| low * places <= total && total <= (low + width) * places;
    (0..=total).filter(is_possible).map(moves).min().unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_flow_agrees_with_the_closed_form_where_there_is_one(counts in prop::collection::vec(0_u32..20, 2..6)) {
        let plan = relief(&singles(&counts));
        let shares: Vec<u64> = counts.iter().map(|count| u64::from(*count) * 40_000).collect();
        let width = (shares.iter().sum::<u64>() * 30 / (100 * shares.len() as u64)).max(99_999);
        let is_past = shares.iter().max().unwrap() - shares.iter().min().unwrap() > width;
        let expected = if is_past { closed_form(&counts, (width / 40_000) as u32) } else { 0 };
        prop_assert_eq!(plan.groups[0].lower_bound, expected);
    }

    #[test]
    fn every_plan_relieves_step_by_step_and_keeps_every_service_at_its_best(
        seats in prop::collection::vec(prop::collection::vec(0_usize..6, 1..4), 4..16),
        is_zoned in any::<bool>(),
    ) {
        let (zones, width) = if is_zoned { (2, 3) } else { (1, 6) };
        let counts: Vec<Vec<Vec<u32>>> = seats.iter().map(|tasks| {
            let mut counts = vec![vec![0; width]; zones];
            for seat in tasks {
                counts[seat / width][seat % width] += 1;
            }
            counts
        }).collect();
        let mut cluster = services(&vec![width; zones], &counts);
        let before = excess(&cluster);
        let plan = relief(&cluster);
        let bound = plan.groups[0].lower_bound as usize;
        prop_assert!(plan.groups[0].skew_after.get() > 30 || plan.moves.len() >= bound);
        let mut fullest = u64::MAX;
        for planned in &plan.moves {
            let shares = |cluster: &Cluster, arn: &ContainerInstanceArn| {
                let loads = Loads::of(&cluster.0, &limits(), &BTreeSet::new());
                loads.hosts.iter().find(|host| host.instance.arn == *arn).unwrap().share()
            };
            let (from, to) = (shares(&cluster, &planned.from), shares(&cluster, &planned.to));
            carry_out(&mut cluster, std::slice::from_ref(planned));
            let (from_after, to_after) = (shares(&cluster, &planned.from), shares(&cluster, &planned.to));
            prop_assert!(to_after <= from_after && from_after < from && to < to_after);
            fullest = fullest.min(from);
        }
        prop_assert_eq!(excess(&cluster), before);
    }
}
