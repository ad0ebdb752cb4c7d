//! Whole plans: every edge case of one service by name, the same bytes from the same snapshot.

use std::time::Duration;

use proptest::prelude::*;

use crate::plan::proposal::Witness;

use super::*;
use crate::plan::testing::{Cluster, arn, chain, cluster, codes, limits, now};
use crate::snapshot::{ContainerInstanceStatus, Known, PlacementConstraint, SchedulingStrategy};

/// Moves and reason codes of a service whose counts are these.
fn verdict(zones: &[&[u32]]) -> (usize, Vec<String>) {
    let plan = cluster(zones).web_plan();
    assert_eq!(plan.excess as usize, plan.moves.len().max(plan.excess as usize));
    (plan.moves.len(), codes(&plan))
}

fn silent(code: &str) -> (usize, Vec<String>) {
    (0, vec![code.to_owned()])
}

#[test]
fn one_eligible_instance_is_silent() {
    assert_eq!(verdict(&[&[5]]), silent("singleInstance"));
}

#[test]
fn no_eligible_instance_is_reported() {
    let mut cluster = cluster(&[&[3, 0]]);
    cluster.instance("a", 0).agent_connected = false;
    cluster.instance("a", 1).agent_connected = false;
    assert!(cluster.codes().contains(&"noEligibleInstance".to_owned()));
}

#[test]
fn three_tasks_on_two_instances_are_silent_for_ever() {
    let plan = cluster(&[&[2, 1]]).web_plan();
    assert_eq!(codes(&plan), ["alreadyOptimal"]);
    assert!(plan.blocked[0].reason.sentence().contains("cannot be divided"));
}

#[test]
fn three_and_none_move_one() {
    assert_eq!(verdict(&[&[3, 0]]), (1, Vec::new()));
}

#[test]
fn fewer_tasks_than_instances_are_silent_when_apart() {
    assert_eq!(verdict(&[&[1, 1, 1, 0, 0]]), silent("alreadyOptimal"));
}

#[test]
fn fewer_tasks_than_instances_move_one_when_together() {
    assert_eq!(verdict(&[&[2, 1, 0, 0, 0]]), (1, Vec::new()));
}

#[test]
fn a_single_task_is_silent() {
    assert_eq!(verdict(&[&[1, 0, 0]]), silent("alreadyOptimal"));
}

#[test]
fn two_two_none_move_one() {
    assert_eq!(verdict(&[&[2, 2, 0]]), (1, Vec::new()));
}

#[test]
fn a_new_instance_among_four_full_ones_takes_eight() {
    assert_eq!(verdict(&[&[10, 10, 10, 10, 0]]), (8, Vec::new()));
}

#[test]
fn below_the_threshold_nothing_moves_until_triggered() {
    let cluster = cluster(&[&[11, 10, 9, 10]]);
    assert_eq!(cluster.codes(), ["belowThreshold"]);
    let triggered = Limits { triggered: ["web".into()].into(), ..limits() };
    assert_eq!(cluster.web_plan_under(&triggered).moves.len(), 1);
}

#[test]
fn six_five_five_four_move_one() {
    assert_eq!(verdict(&[&[6, 5, 5, 4]]), (1, Vec::new()));
}

#[test]
fn uneven_zones_are_silent_and_the_operator_learns_why() {
    for zones in [&[&[1, 2][..], &[3]][..], &[&[2, 3], &[4]], &[&[2, 2, 2], &[6]]] {
        let plan = cluster(zones).web_plan();
        assert_eq!((plan.moves.len(), codes(&plan)), (0, vec!["alreadyOptimal".to_owned()]), "{zones:?}");
        assert!(plan.blocked[0].reason.sentence().contains("zone sizes differ"), "{plan:?}");
    }
}

#[test]
fn uneven_zones_without_zone_rebalancing_are_levelled_together_with_instances() {
    assert_eq!(verdict(&[&[4, 2], &[0, 0]]).0, 3);
}

#[test]
fn zone_spread_then_binpack_levels_zones_only() {
    let mut packed = cluster(&[&[3, 0], &[3, 0]]);
    packed.web().placement_strategy = chain(&["zone", "memory"]);
    assert_eq!((packed.web_plan().moves.len(), packed.codes()), (0, Vec::new()));
    let mut uneven = cluster(&[&[4, 0], &[2, 0]]);
    uneven.web().placement_strategy = chain(&["zone", "memory"]);
    assert_eq!(uneven.web_plan().moves.len(), 1);
}

#[test]
fn distinct_instances_and_host_ports_are_silent() {
    let mut distinct = cluster(&[&[1, 1, 0]]);
    distinct.web().placement_constraints = vec![PlacementConstraint::DistinctInstance];
    assert_eq!(distinct.codes(), ["alreadyOptimal"]);
    let mut ports = cluster(&[&[1, 1, 0]]);
    ports.definition().host_ports = vec![80];
    assert_eq!(ports.codes(), ["alreadyOptimal"]);
}

#[test]
fn instances_outside_the_constraint_are_not_empty_ones() {
    let mut cluster = cluster(&[&[2, 2, 0]]);
    cluster.instance("a", 2).attributes.insert("gpu".to_owned(), None);
    cluster.web().placement_constraints =
        vec![PlacementConstraint::MemberOf("attribute:gpu !exists".to_owned())];
    assert_eq!((cluster.web_plan().moves.len(), cluster.codes()), (0, Vec::new()));
}

#[test]
fn standalone_tasks_and_daemons_are_not_counted() {
    let mut cluster = cluster(&[&[2, 2]]);
    cluster.add("agent", &[&[1, 1]]);
    cluster.0.services.get_mut(&"agent".into()).unwrap().scheduling_strategy = SchedulingStrategy::Daemon;
    cluster.add("job", &[&[5, 0]]);
    cluster.0.services.remove(&"job".into());
    for task in cluster.0.tasks.values_mut().filter(|task| task.arn.short().starts_with("job")) {
        task.service = None;
    }
    let plan = cluster.plan();
    assert!(plan.starts.is_empty());
    assert_eq!(plan.services.len(), 2);
}

#[test]
fn a_warming_instance_is_waited_for_and_the_time_is_told() {
    let mut cluster = cluster(&[&[3, 1, 0]]);
    cluster.instance("a", 2).registered_at = Some(now() - Duration::from_secs(100));
    let plan = cluster.web_plan();
    assert!(plan.moves.is_empty());
    let until = now() + Duration::from_secs(200);
    assert!(plan.blocked.iter().any(|blocked| blocked.reason == Reason::WarmingUp { until }), "{plan:?}");
}

#[test]
fn tasks_behind_a_disconnected_agent_stay_and_are_counted() {
    let mut cluster = cluster(&[&[5, 2, 0]]);
    cluster.instance("a", 0).agent_connected = false;
    let plan = cluster.web_plan();
    assert_eq!(plan.moves.len(), 1);
    assert_eq!(plan.moves[0].from, arn("a", 1));
    assert_eq!(codes(&plan), ["agentDisconnected"]);
}

#[test]
fn a_draining_instance_without_its_tasks_does_not_concern_a_service() {
    let mut cluster = cluster(&[&[3, 0, 0]]);
    cluster.instance("a", 2).status = ContainerInstanceStatus::Draining;
    assert_eq!(cluster.web_plan().moves.len(), 1);
}

#[test]
fn unequal_sizes_are_levelled_by_count_as_far_as_there_is_room() {
    let mut cluster = cluster(&[&[6, 0]]);
    cluster.instance("a", 1).registered = crate::plan::testing::resources(200, 200);
    cluster.room("a", 1, 2);
    let plan = cluster.web_plan();
    assert_eq!((plan.excess, plan.moves.len()), (2, 2));
}

#[test]
fn full_instances_need_a_free_slot() {
    let mut cluster = cluster(&[&[3, 0]]);
    cluster.room("a", 1, 0);
    assert_eq!(cluster.codes(), ["noRoom"]);
}

#[test]
fn no_optimal_state_is_touched() {
    for m in 1..=10 {
        let zones = [vec![0_u32; m], vec![0; 10 - m]];
        let mut cluster = cluster(&[&zones[0], &zones[1]]);
        for _ in 0..50 {
            let landings = next_landings(&cluster.0, &limits(), &"web".into()).unwrap();
            cluster.start("web", landings.last().unwrap());
            let plan = cluster.web_plan();
            assert_eq!((plan.excess, plan.moves.len()), (0, 0), "{m}: {plan:?}");
            assert!(candidates(&cluster.0, &limits()).is_empty());
        }
    }
}

/// Two lopsided services over one empty instance with room for `room` tasks.
fn two_services(room: u64) -> Cluster {
    let mut cluster = cluster(&[&[3, 0]]);
    cluster.add("api", &[&[4, 0]]);
    cluster.room("a", 1, room);
    cluster
}

#[test]
fn one_move_begins_at_a_time_and_the_rest_waits_for_the_budget() {
    let plan = plan_rebalance(&two_services(50).0, &limits());
    assert_eq!(plan.starts.len(), 1);
    assert_eq!(plan.starts[0].service.as_str(), "api", "equal skew, larger excess");
    assert_eq!(codes(&plan.services[1]), ["budget"]);
    let none = plan_rebalance(&two_services(50).0, &Limits { moves_max: 0, ..limits() });
    assert!(none.starts.is_empty());
}

#[test]
fn moves_in_flight_count_against_those_at_once() {
    let in_flight = Limits { moves_at_once: 2, in_flight: ["api".into()].into(), ..limits() };
    let plan = plan_rebalance(&two_services(50).0, &in_flight);
    assert_eq!(plan.starts.len(), 1);
    let full = Limits { moves_at_once: 1, ..in_flight };
    assert!(plan_rebalance(&two_services(50).0, &full).starts.is_empty());
}

#[test]
fn room_for_one_begins_one() {
    let two = Limits { moves_at_once: 2, ..limits() };
    assert_eq!(plan_rebalance(&two_services(2).0, &two).starts.len(), 2);
    let plan = plan_rebalance(&two_services(1).0, &two);
    assert_eq!(plan.starts.len(), 1);
    assert!(codes(&plan.services[1]).contains(&"roomReserved".to_owned()), "{plan:?}");
}

#[test]
fn the_witness_adds_up_to_the_bound() {
    let plan = cluster(&[&[5, 1], &[0, 0]]).web_plan();
    let moved: u32 = plan.witness.iter().map(|witness| witness.tasks.saturating_sub(witness.target)).sum();
    assert_eq!((moved, plan.lower_bound), (plan.excess, plan.excess));
    let sum = |of: fn(&Witness) -> u32| plan.witness.iter().map(of).sum::<u32>();
    assert_eq!(sum(|witness| witness.tasks), sum(|witness| witness.target));
}

#[test]
fn an_executor_can_verify_a_landing() {
    let mut cluster = cluster(&[&[3, 0]]);
    let (limits, web) = (limits(), ServiceName::new("web"));
    let leaving = BTreeSet::from([cluster.web_plan().moves[0].task.clone()]);
    assert_eq!(excess_without(&cluster.0, &limits, &web, &BTreeSet::new()), Some(1));
    cluster.start("web", &arn("a", 1));
    assert_eq!(excess_without(&cluster.0, &limits, &web, &leaving), Some(0));
    cluster.0.task_definitions.insert("web:1".into(), Known::Unknown("throttled".to_owned()));
    assert_eq!(excess_without(&cluster.0, &limits, &web, &leaving), None);
    assert_eq!(next_landings(&cluster.0, &limits, &"none".into()), None);
}

#[test]
fn members_are_camel_case() {
    let json = serde_json::to_value(cluster(&[&[3, 0]]).plan()).unwrap();
    assert_eq!(json["services"][0]["rawSkew"], 200);
    assert_eq!(json["services"][0]["witness"][0]["containerInstance"], arn("a", 0).as_str());
    assert_eq!(json["starts"][0]["startsMax"], 1);
}

/// The same cluster whose lists come in another order.
fn shuffled(cluster: &Cluster) -> Cluster {
    let mut other = cluster.clone();
    for instance in other.0.container_instances.values_mut() {
        instance.remaining.ports.reverse();
    }
    for service in other.0.services.values_mut() {
        service.placement_constraints.reverse();
    }
    other
}

fn zones() -> impl Strategy<Value = Vec<Vec<u32>>> {
    prop::collection::vec(prop::collection::vec(0..5_u32, 1..4), 1..4)
}

fn build(zones: &[Vec<u32>]) -> Cluster {
    let zones: Vec<&[u32]> = zones.iter().map(Vec::as_slice).collect();
    let mut cluster = cluster(&zones);
    cluster.web().placement_constraints = ["attribute:none !exists", "agentConnected == true"]
        .map(|text| PlacementConstraint::MemberOf(text.to_owned()))
        .to_vec();
    for instance in cluster.0.container_instances.values_mut() {
        instance.remaining.ports = vec![22, 2376];
    }
    cluster
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn the_same_cluster_gives_the_same_bytes(zones in zones()) {
        let cluster = build(&zones);
        let bytes = |cluster: &Cluster| serde_json::to_string(&cluster.plan()).unwrap();
        prop_assert_eq!(bytes(&cluster), bytes(&shuffled(&cluster)));
    }

    #[test]
    fn whatever_moves_is_a_candidate(
        zones in zones(),
        rooms in prop::collection::vec(0..4_u64, 9),
        gates in prop::collection::vec(0..4_u32, 9),
    ) {
        let mut cluster = build(&zones);
        let constraint = PlacementConstraint::MemberOf("attribute:gate !exists".to_owned());
        cluster.definition().placement_constraints = vec![constraint];
        for ((instance, room), gate) in cluster.0.container_instances.values_mut().zip(rooms).zip(gates) {
            instance.remaining = crate::plan::testing::resources(room * 100, room * 100);
            if gate == 0 {
                instance.attributes.insert("gate".to_owned(), None);
            }
        }
        let moving = !cluster.web_plan().moves.is_empty();
        prop_assert!(!moving || candidates(&cluster.0, &limits()).contains(&"web".into()));
    }
}
