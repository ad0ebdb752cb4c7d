//! Nothing is permitted in vain: scenarios that together ask for every action in `infra/permissions.json`.

use std::collections::BTreeSet;
use std::time::Duration;

use evenkeel_tests::drains::{bare_fleet, bus};
use evenkeel_tests::permissions::{allowed, asked};
use evenkeel_tests::rollouts::{outdated, start};
use evenkeel_tests::{clusters, play};
use serde_json::json;
use simulator::event_bridge::Mishaps;

/// EC2 resolves the parameter that names an AMI in the name of its caller, who never calls that operation.
const ASKED_BY_EC2: &str = "ssm:GetParameters";

fn assert_all_used(function: &str) {
    let mut unused: BTreeSet<String> = allowed(function).difference(&asked(function)).cloned().collect();
    unused.remove(ASKED_BY_EC2);
    assert!(unused.is_empty(), "{function} is permitted what it never asks for: {unused:?}");
}

#[test]
fn rebalance_asks_for_all_that_it_may() {
    super::edges::a_new_task_that_never_gets_healthy_is_taken_back();
    play(1, clusters::lost_and_returned(1), async |stage| {
        let _ = stage.with("EVENKEEL_CLUSTERS", "*").scheduled().await;
    });
    assert_all_used("rebalance");
}

#[test]
fn drain_asks_for_all_that_it_may() {
    use super::drain::{foresight, hook, interruption, lost, others, standby};
    hook::an_instance_that_its_group_gives_up_is_let_go_once_it_is_empty();
    hook::a_standalone_task_may_be_stopped_by_setting();
    hook::heartbeats_hold_it_until_the_time_out_and_then_it_is_said();
    interruption::an_interrupted_instance_is_detached_and_its_substitute_comes_at_once();
    lost::a_ghost_is_deregistered_once_its_host_is_known_to_be_gone();
    lost::an_instance_that_was_not_taken_is_given_back();
    others::the_protections_of_a_move_in_flight_give_way();
    standby::a_person_drains_an_instance_without_a_hook_and_gets_another_for_it();
    foresight::tasks_that_take_longer_than_the_notice_to_leave_are_told();
    play(1, bare_fleet(1), async |stage| {
        let stage = stage.with("EVENKEEL_CLUSTERS", "*");
        stage.live(&mut bus(1, Mishaps::default()), Duration::from_mins(2)).await;
    });
    assert_all_used("drain");
}

#[test]
fn rollout_asks_for_all_that_it_may() {
    use super::rollout::{neighbours, others, timeouts};
    others::a_group_at_its_maximum_and_minimum_is_rolled_out_as_any();
    timeouts::new_instances_that_never_register_are_taken_back();
    neighbours::what_a_capacity_provider_manages_is_said_and_does_no_harm();
    play(1, outdated(1, |it| it), async |stage| {
        let stage = stage.with("EVENKEEL_CLUSTERS", "*");
        let _ = stage.rollout(start()).await.unwrap();
        let _ = stage.rollout(json!({})).await.unwrap();
    });
    assert_all_used("rollout");
}
