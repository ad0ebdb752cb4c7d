//! Moves in a row: strict progress under any tie-break, every prefix the best of its length.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::ids::{ContainerInstanceArn, ServiceName, TaskArn};
use crate::percent::Percent;
use crate::plan::proposal::Limits;
use crate::plan::rebalance::{excess_without, landing_helps, next_landings};
use crate::plan::testing::{Cluster, arn, chain, cluster, limits, now, task_arn};
use crate::settings::MoveStrategy;

fn web() -> ServiceName {
    "web".into()
}

fn triggered() -> Limits {
    Limits { triggered: BTreeSet::from([web()]), cooldown: std::time::Duration::ZERO, ..limits() }
}

fn ends(arns: &[ContainerInstanceArn]) -> Vec<&str> {
    arns.iter().map(ContainerInstanceArn::short).collect()
}

fn counts(cluster: &Cluster) -> Vec<u32> {
    let on = |arn| {
        cluster.0.wanted_tasks(&web()).filter(|task| task.container_instance.as_ref() == Some(arn)).count()
    };
    cluster.0.container_instances.keys().map(|arn| on(arn) as u32).collect()
}

#[test]
fn a_new_instance_is_filled_from_each_of_the_others_in_turn() {
    let plan = cluster(&[&[10, 10, 10, 10, 0]]).web_plan();
    assert_eq!((plan.excess, plan.lower_bound, plan.moves.len()), (8, 8, 8));
    let from: Vec<ContainerInstanceArn> = plan.moves.iter().map(|step| step.from.clone()).collect();
    assert_eq!(ends(&from), ["a00", "a01", "a02", "a03", "a00", "a01", "a02", "a03"]);
    assert!(plan.moves.iter().all(|step| step.to == arn("a", 4) && step.starts_max == 1));
    assert_eq!(plan.moves.iter().map(|step| step.excess_after).collect::<Vec<_>>(), [7, 6, 5, 4, 3, 2, 1, 0]);
    assert_eq!(plan.skew_after, plan.best_skew);
}

#[test]
fn the_youngest_task_leaves_unless_a_move_of_ours_started_it() {
    let cluster = cluster(&[&[3, 0]]);
    assert_eq!(cluster.web_plan().moves[0].task, task_arn("web", 2));
    let own = Limits { own_tasks: BTreeSet::from([task_arn("web", 2)]), ..limits() };
    assert_eq!(cluster.web_plan_under(&own).moves[0].task, task_arn("web", 1));
}

#[test]
fn tasks_of_the_same_age_go_by_arn() {
    let mut cluster = cluster(&[&[3, 0]]);
    for number in 0..3 {
        cluster.task(number).created_at = Some(now() - std::time::Duration::from_hours(1));
    }
    assert_eq!(cluster.web_plan().moves[0].task, task_arn("web", 0));
}

#[test]
fn a_zone_and_its_instances_are_levelled_in_one_plan() {
    let plan = cluster(&[&[4, 2], &[0, 0]]).web_plan();
    assert_eq!((plan.excess, plan.moves.len()), (3, 3));
    assert_eq!(plan.moves.last().map(|step| step.excess_after), Some(0));
}

/// All vectors that at most `k` moves can make of `start`.
fn reachable(start: &[u32], k: usize) -> BTreeSet<Vec<u32>> {
    let mut all = BTreeSet::from([start.to_vec()]);
    for _ in 0..k {
        for vector in all.clone() {
            for from in (0..vector.len()).filter(|from| vector[*from] > 0) {
                for to in 0..vector.len() {
                    let mut next = vector.clone();
                    next[from] -= 1;
                    next[to] += 1;
                    all.insert(next);
                }
            }
        }
    }
    all
}

fn assert_every_prefix_is_best(start: &[u32]) {
    let mut cluster = cluster(&[start]);
    cluster.web().placement_strategy = chain(&["instance"]);
    let squares = |vector: &Vec<u32>| vector.iter().map(|x| x * x).sum::<u32>();
    for (k, step) in cluster.web_plan_under(&triggered()).moves.into_iter().enumerate() {
        cluster.start("web", &step.to);
        cluster.stop(&step.task);
        let (is, all) = (counts(&cluster), reachable(start, k + 1));
        assert_eq!(Some(squares(&is)), all.iter().map(squares).min(), "{start:?} after {}", k + 1);
        assert_eq!(is.iter().max(), all.iter().map(|v| v.iter().max().unwrap()).min());
        assert_eq!(is.iter().min(), all.iter().map(|v| v.iter().min().unwrap()).max());
    }
}

#[test]
fn every_prefix_is_the_best_of_its_length() {
    for start in
        [&[5, 0, 0][..], &[4, 1, 0], &[3, 3, 0], &[6, 2, 1, 0], &[4, 4, 0, 0], &[5, 3, 0], &[7, 0, 0, 0]]
    {
        assert_every_prefix_is_best(start);
    }
}

/// Carries one move out against an adversary that breaks every tie by the next of `choices`; returns the starts.
fn carry_out(cluster: &mut Cluster, limits: &Limits, choices: &mut impl Iterator<Item = usize>) -> u32 {
    let step = cluster.web_plan_under(limits).moves.remove(0);
    let before = excess_without(&cluster.0, limits, &web(), &BTreeSet::new()).unwrap();
    let mut ballast: BTreeSet<TaskArn> = BTreeSet::new();
    let mut starts = 0;
    loop {
        let ties = next_landings(&cluster.0, limits, &web()).unwrap();
        assert!(starts > 0 || ties == step.landings);
        let number = cluster.0.tasks.len();
        cluster.start("web", &ties[choices.next().unwrap() % ties.len()]);
        starts += 1;
        assert!(starts <= step.starts_max, "more starts than foreseen");
        let started = task_arn("web", number);
        if landing_helps(&cluster.0, limits, &web(), &step.task, &started, &ballast).unwrap() {
            break;
        }
        ballast.insert(started);
    }
    ballast.iter().chain([&step.task]).for_each(|arn| cluster.stop(arn));
    assert_eq!(excess_without(&cluster.0, limits, &web(), &BTreeSet::new()), Some(before - 1));
    starts
}

fn zone_gap(cluster: &Cluster, sizes: &[usize]) -> u32 {
    let mut counts = counts(cluster).into_iter();
    let totals: Vec<u32> = sizes.iter().map(|size| counts.by_ref().take(*size).sum()).collect();
    totals.iter().max().unwrap() - totals.iter().min().unwrap()
}

fn zones() -> impl Strategy<Value = Vec<Vec<u32>>> {
    prop::collection::vec(prop::collection::vec(0..5_u32, 1..4), 1..4)
}

fn build(zones: &[Vec<u32>]) -> Cluster {
    cluster(&zones.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_bound_is_met_however_ecs_breaks_its_ties(
        zones in zones(),
        choices in prop::collection::vec(0..12_usize, 300),
    ) {
        let mut cluster = build(&zones);
        let sizes: Vec<usize> = zones.iter().map(Vec::len).collect();
        let (limits, mut choices) = (triggered(), choices.into_iter().cycle());
        let bound = cluster.web_plan_under(&limits).lower_bound;
        for done in 0..bound {
            let gap = zone_gap(&cluster, &sizes);
            let plan = cluster.web_plan_under(&limits);
            prop_assert_eq!(plan.excess, bound - done);
            prop_assert_eq!(plan.moves.len(), plan.excess as usize, "{:?}", plan.blocked);
            carry_out(&mut cluster, &limits, &mut choices);
            prop_assert!(zone_gap(&cluster, &sizes) <= gap.max(1));
        }
        prop_assert_eq!(cluster.web_plan_under(&limits).excess, 0);
    }

    #[test]
    fn with_little_room_every_move_that_is_planned_still_succeeds(
        zones in zones(),
        rooms in prop::collection::vec(0..4_u64, 9),
        choices in prop::collection::vec(0..12_usize, 300),
    ) {
        let mut cluster = build(&zones);
        let arns: Vec<ContainerInstanceArn> = cluster.0.container_instances.keys().cloned().collect();
        for (arn, room) in arns.iter().zip(rooms) {
            let remaining = crate::plan::testing::resources(room * 100, room * 100);
            cluster.0.container_instances.get_mut(arn).unwrap().remaining = remaining;
        }
        let (limits, mut choices) = (triggered(), choices.into_iter().cycle());
        while let plan = cluster.web_plan_under(&limits) && !plan.moves.is_empty() {
            carry_out(&mut cluster, &limits, &mut choices);
            prop_assert_eq!(cluster.web_plan_under(&limits).excess, plan.excess - 1);
        }
    }
}

/// Least number of moves to an even split by E.2's first closed form: the fullest keep one more.
fn least_moves(counts: &[u32]) -> u32 {
    let (tasks, instances) = (counts.iter().sum::<u32>(), counts.len() as u32);
    let mut sorted = counts.to_vec();
    sorted.sort_unstable_by_key(|count| std::cmp::Reverse(*count));
    let target = |place: u32| tasks / instances + u32::from(place < tasks % instances);
    (0..).zip(sorted).map(|(place, count)| count.saturating_sub(target(place))).sum()
}

#[test]
fn every_one_empty_instance_of_ten_and_fifty_tasks_is_planned_in_exactly_its_bound() {
    for full in 1..=9_u32 {
        for tasks in 1..=50_u32 {
            let mut counts: Vec<u32> =
                (0..full).map(|i| tasks / full + u32::from(i < tasks % full)).collect();
            counts.push(0);
            let plan = crate::plan::testing::cluster(&[&counts]).web_plan();
            assert_eq!(plan.lower_bound, least_moves(&counts), "{counts:?}");
            assert_eq!(plan.moves.len() as u32, plan.lower_bound, "{counts:?}");
            assert!(plan.moves.last().is_none_or(|last| last.excess_after == 0), "{counts:?}");
        }
    }
}

fn by_stop(zones: &[&[u32]], minimum: u32) -> Vec<(MoveStrategy, u32)> {
    let mut cluster = cluster(zones);
    cluster.web().minimum_healthy_percent = Percent::new(minimum);
    let plan = cluster.web_plan_under(&Limits { strategy: MoveStrategy::Stop, ..limits() });
    assert_eq!(plan.moves.len(), plan.lower_bound as usize, "{plan:#?}");
    plan.moves.iter().map(|step| (step.strategy, step.starts_max)).collect()
}

#[test]
fn moves_by_stop_need_one_start_each() {
    assert_eq!(by_stop(&[&[2, 2], &[2, 2], &[4, 0]], 50), [(MoveStrategy::Stop, 1); 2]);
}

#[test]
fn where_no_task_can_be_spared_moves_start_first() {
    assert_eq!(by_stop(&[&[3, 0]], 67), [(MoveStrategy::Surge, 1)]);
}

#[test]
fn where_a_stop_might_not_help_the_move_starts_first() {
    assert_eq!(by_stop(&[&[4, 1], &[2, 2]], 50), [(MoveStrategy::Surge, 3)]);
}
