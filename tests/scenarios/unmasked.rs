//! Checks that no other story asks for: with each of them taken out, all the others still passed (`make mutations`).

mod drain;
mod moves;
mod rollout;

use std::collections::{BTreeMap, BTreeSet};

use evenkeel::ids::{ClusterName, ServiceName, TaskArn};
use evenkeel::observe;
use evenkeel::plan::rebalance::plan_rebalance;
use evenkeel::snapshot::{ClusterSnapshot, Known};
use evenkeel_tests::foreseen::{limits, observed};
use evenkeel_tests::{Stage, clusters, play};
use simulator::faults::Rule;

fn front() -> ServiceName {
    ServiceName::new("front")
}

/// The cluster with everything that a move of `front` in flight is decided from.
async fn in_flight(stage: &Stage) -> ClusterSnapshot {
    let aws = stage.aws();
    let mut snapshot = observe::cluster(&aws, &ClusterName::new("web")).await.unwrap();
    let services = BTreeSet::from([front()]);
    observe::details(&aws, &mut snapshot, &BTreeSet::new(), &services, &mut BTreeMap::new()).await;
    snapshot
}

#[test]
fn the_look_before_a_change_relies_on_no_earlier_answer() {
    play(3001, clusters::lost_and_returned(3001), async |stage| {
        let before = in_flight(&stage).await;
        assert!(before.target_health.values().all(|it| matches!(it, Known::Known(_))), "{before:#?}");
        stage.simulator.rule(Rule::deny("GetTaskProtection"));
        stage.simulator.rule(Rule::deny("DescribeTargetHealth"));
        let fresh = observe::service(&stage.aws(), &before, &front()).await.unwrap();
        assert!(fresh.target_health.values().all(|it| matches!(it, Known::Unknown(_))), "{fresh:#?}");
        for task in fresh.wanted_tasks(&front()) {
            assert!(matches!(fresh.protections[&task.arn], Known::Unknown(_)), "{fresh:#?}");
        }
    });
}

#[test]
fn a_task_that_get_task_protection_leaves_out_is_not_taken_for_free() {
    let calls: Vec<String> = play(3002, clusters::one_zone(3002, &[3, 0]), async |stage| {
        let _ = observed(&stage.aws()).await;
        stage.simulator.calls().into_iter().map(|call| call.operation).collect()
    });
    let asked = calls.iter().position(|it| it == "GetTaskProtection").unwrap() as u64 + 1;
    play(3002, clusters::one_zone(3002, &[3, 0]), async |stage| {
        let first = stage.simulator.account(|account| account.clusters["web"].tasks.keys().next().cloned());
        let first = first.unwrap();
        let gone = first.clone();
        let change = move |account: &mut simulator::account::Account| {
            account.clusters.get_mut("web").unwrap().tasks.remove(&gone);
        };
        stage.simulator.before_call(asked, Box::new(change));
        let snapshot = observed(&stage.aws()).await;
        let protection = &snapshot.protections[&TaskArn::new(first.as_str())];
        assert!(matches!(protection, Known::Unknown(_)), "{protection:?}");
        assert!(plan_rebalance(&snapshot, &limits()).starts.is_empty());
    });
}

#[test]
fn a_dry_run_begins_nothing_even_if_one_look_is_enough() {
    play(3003, clusters::one_zone(3003, &[3, 0]), async |stage| {
        let stage = stage.with("EVENKEEL_CONFIRM_AFTER", "0s").with("EVENKEEL_DRY_RUN", "true");
        let report = stage.scheduled().await;
        assert!(!report.clusters[0].planned.is_empty(), "{report:#?}");
        assert_eq!(stage.writes(), 0, "{report:#?}");
    });
}

#[test]
fn a_second_look_that_is_waited_for_is_said() {
    play(3005, clusters::one_zone(3005, &[3, 0]), async |stage| {
        let report = stage.with("EVENKEEL_CONFIRM_AFTER", "10m").scheduled().await;
        let blocked = serde_json::to_string(&report.blocked).unwrap();
        assert!(blocked.contains("notConfirmed"), "{report:#?}");
    });
}
