//! `DescribeCapacityProviders`, drawn from those built and from the names that instances and services use.
//!
//! Up to 100 can be named, and at most ten are answered in a page.
//!
//! Simplified: every provider is ACTIVE and without tags, one that was only named has no Auto Scaling group, and pages
//! follow the names.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::page::Page;
use super::{Answer, Failure, names};
use crate::account::{Account, CapacityProvider, Cluster};
use crate::wire::{ApiError, json as wire_json};

const PAGE: Page = Page { operation: "DescribeCapacityProviders", default: 10, max: 10 };

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Input {
    capacity_providers: Vec<String>,
    cluster: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output<'a> {
    capacity_providers: Vec<Shape<'a>>,
    failures: Vec<Failure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shape<'a> {
    capacity_provider_arn: String,
    name: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_scaling_group_provider: Option<Value>,
    tags: [(); 0],
}

pub(super) fn describe(account: &Account, input: &Value) -> Answer {
    let input: Input = wire_json::input(input)?;
    if input.capacity_providers.len() > 100 {
        return Err(ApiError::invalid_parameter("Capacity providers can have at most 100 items."));
    }
    let known = known(account, input.cluster.as_deref())?;
    let asked: BTreeSet<&str> = match input.capacity_providers.as_slice() {
        [] => known.clone(),
        references => references.iter().map(|reference| names::short(reference)).collect(),
    };
    let (asked, next_token) =
        PAGE.cut(asked.into_iter(), |name| name, input.next_token.as_deref(), input.max_results)?;
    let (found, missing): (Vec<&str>, Vec<&str>) = asked.into_iter().partition(|name| known.contains(name));
    let provider = |name| Shape {
        capacity_provider_arn: arn(account, name),
        name,
        status: "ACTIVE",
        auto_scaling_group_provider: account.capacity_providers.get(name).map(|it| group_of(account, it)),
        tags: [],
    };
    Ok(wire_json::output(&Output {
        capacity_providers: found.into_iter().map(provider).collect(),
        failures: missing.into_iter().map(|name| Failure::new(arn(account, name), "MISSING")).collect(),
        next_token,
    }))
}

/// `AutoScalingGroupProvider`.
fn group_of(account: &Account, provider: &CapacityProvider) -> Value {
    let enabled = |is_on: bool| if is_on { "ENABLED" } else { "DISABLED" };
    let group = account.auto_scaling_groups.get(&provider.group);
    json!({
        "autoScalingGroupArn": group.map_or(&provider.group, |group| &group.arn),
        "managedScaling": {
            "status": enabled(provider.managed_scaling.is_some()),
            "targetCapacity": provider.managed_scaling.map_or(100, |scaling| scaling.target_capacity),
            "minimumScalingStepSize": 1,
            "maximumScalingStepSize": 10_000,
            "instanceWarmupPeriod": 300,
        },
        "managedTerminationProtection": enabled(provider.managed_termination_protection),
        "managedDraining": enabled(provider.managed_draining),
    })
}

fn arn(account: &Account, name: &str) -> String {
    format!("arn:aws:ecs:{}:{}:capacity-provider/{name}", account.region, account.account_id)
}

fn known<'a>(account: &'a Account, cluster: Option<&str>) -> Result<BTreeSet<&'a str>, ApiError> {
    if let Some(cluster) = cluster {
        return Ok(of_cluster(names::cluster(account, Some(cluster))?).collect());
    }
    let built = account.capacity_providers.keys().map(String::as_str);
    Ok(account.clusters.values().flat_map(of_cluster).chain(built).collect())
}

fn of_cluster(cluster: &Cluster) -> impl Iterator<Item = &str> {
    let instances = cluster.container_instances.values();
    let strategies = cluster.services.values().flat_map(|service| &service.capacity_provider_strategy);
    let of_instances = instances.filter_map(|instance| instance.capacity_provider.as_deref());
    of_instances.chain(strategies.map(|item| item.capacity_provider.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::{AccountBuilder, CapacityProviderBuilder};

    #[test]
    fn a_built_provider_shows_its_group_and_what_ecs_manages_there() {
        let account = AccountBuilder::new(1)
            .cluster("web")
            .launch_template("web", |t| t)
            .auto_scaling_group("web-asg", |g| g.size(0, 1, 2))
            .capacity_provider("cp", "web-asg", CapacityProviderBuilder::managed_draining)
            .build();
        let body = describe(&account, &json!({ "capacityProviders": ["cp"] })).expect("an answer");
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        let group = &body["capacityProviders"][0]["autoScalingGroupProvider"];
        assert_eq!(group["autoScalingGroupArn"], account.auto_scaling_groups["web-asg"].arn.as_str());
        assert_eq!(
            (&group["managedDraining"], &group["managedTerminationProtection"]),
            (&json!("ENABLED"), &json!("DISABLED"))
        );
        assert_eq!(group["managedScaling"]["status"], "DISABLED");
        let instances = &account.clusters["web"].container_instances;
        assert!(instances.values().all(|instance| instance.capacity_provider.as_deref() == Some("cp")));
    }
}
