//! A snapshot is data: saved and read back, it gives the same plan, byte for byte.

use std::collections::{BTreeMap, BTreeSet};

use evenkeel::ids::ClusterName;
use evenkeel::observe;
use evenkeel::plan::rebalance::{candidates, plan_rebalance};
use evenkeel::snapshot::{ClusterSnapshot, Known};
use evenkeel_tests::foreseen::limits;
use evenkeel_tests::{Stage, clusters, play};
use simulator::faults::Rule;

async fn observed(stage: &Stage) -> ClusterSnapshot {
    let aws = stage.aws();
    let mut snapshot = observe::cluster(&aws, &ClusterName::new("web")).await.unwrap();
    let services = candidates(&snapshot, &limits());
    observe::details(&aws, &mut snapshot, &services, &BTreeSet::new(), &mut BTreeMap::new()).await;
    snapshot
}

#[test]
fn a_saved_snapshot_gives_the_same_plan() {
    play(131, clusters::lost_and_returned(131), async |stage| {
        let snapshot = observed(&stage).await;
        let saved = serde_json::to_string(&snapshot).unwrap();
        let read: ClusterSnapshot = serde_json::from_str(&saved).unwrap();
        assert_eq!(read, snapshot);
        let plans =
            [&snapshot, &read].map(|it| serde_json::to_string(&plan_rebalance(it, &limits())).unwrap());
        assert_eq!(plans[0], plans[1]);
        assert!(!plan_rebalance(&read, &limits()).starts.is_empty(), "the plan moves something");
    });
}

#[test]
fn what_could_not_be_read_is_unknown_and_not_absent() {
    play(132, clusters::lost_and_returned(132), async |stage| {
        stage.simulator.rule(Rule::deny("GetTaskProtection"));
        let snapshot = observed(&stage).await;
        assert!(!snapshot.protections.is_empty());
        assert!(snapshot.protections.values().all(|it| matches!(it, Known::Unknown(_))), "{snapshot:#?}");
        assert!(plan_rebalance(&snapshot, &limits()).starts.is_empty());
    });
}

#[test]
fn a_task_that_is_listed_but_not_described_defers_every_service() {
    play(133, clusters::lost_and_returned(133), async |stage| {
        stage.simulator.rule(Rule::missing_entry(1.0).on(&["DescribeTasks"]));
        let snapshot = observed(&stage).await;
        assert_eq!(snapshot.unknown.len(), 1, "{:?}", snapshot.unknown);
        assert!(plan_rebalance(&snapshot, &limits()).starts.is_empty());
    });
}
