//! What Evenkeel's own planner says about a simulated cluster, read through the API as the function reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use evenkeel::aws::Aws;
use evenkeel::ids::ClusterName;
use evenkeel::observe;
use evenkeel::percent::Percent;
use evenkeel::plan::proposal::{Limits, RebalancePlan};
use evenkeel::plan::rebalance::{candidates, plan_rebalance};
use evenkeel::snapshot::ClusterSnapshot;

/// The limits of a turn with the settings' defaults.
pub fn limits() -> Limits {
    Limits {
        skew_threshold: Percent::new(30),
        warm_up: Duration::from_mins(5),
        cooldown: Duration::from_mins(10),
        moves_max: 20,
        moves_at_once: 5,
        triggered: BTreeSet::new(),
        own_tasks: BTreeSet::new(),
        in_flight: BTreeSet::new(),
        set_aside: BTreeMap::new(),
    }
}

/// The cluster `web`, its candidates read closely.
pub async fn observed(aws: &Aws) -> ClusterSnapshot {
    let cluster = ClusterName::new("web");
    let mut snapshot = observe::cluster(aws, &cluster).await.expect("nothing goes wrong here");
    let services = candidates(&snapshot, &limits());
    observe::details(aws, &mut snapshot, &services, &BTreeSet::new(), &mut BTreeMap::new()).await;
    snapshot
}

/// The plan for the cluster `web` as it is now.
pub async fn plan(aws: &Aws) -> RebalancePlan {
    plan_rebalance(&observed(aws).await, &limits())
}
