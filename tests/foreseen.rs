//! What Evenkeel's own planner says about a simulated cluster, read through the API as the function reads it.

use std::collections::{BTreeMap, BTreeSet};

use evenkeel::aws::Aws;
use evenkeel::ids::ClusterName;
use evenkeel::observe;
use evenkeel::plan::proposal::{Limits, RebalancePlan};
use evenkeel::plan::rebalance::{candidates, plan_rebalance};
use evenkeel::settings::Settings;
use evenkeel::snapshot::ClusterSnapshot;
use evenkeel::turn::MOVES_AT_ONCE;

/// The limits of a turn with the settings' defaults.
pub fn limits() -> Limits {
    let settings = Settings::from_pairs([("EVENKEEL_CLUSTERS".to_owned(), "web".to_owned())]);
    Limits::of(&settings.expect("the settings are right"), MOVES_AT_ONCE)
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
