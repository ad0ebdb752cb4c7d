//! `DescribeCapacityProviders`, drawn from the names that instances and services use.
//!
//! Simplified: every provider is ACTIVE, without its Auto Scaling group or tags, and there is one page.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answer, Failure, names};
use crate::account::{Account, Cluster};
use crate::wire::{ApiError, json};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Input {
    capacity_providers: Vec<String>,
    cluster: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output<'a> {
    capacity_providers: Vec<Provider<'a>>,
    failures: Vec<Failure>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Provider<'a> {
    capacity_provider_arn: String,
    name: &'a str,
    status: &'static str,
    tags: [(); 0],
}

pub(super) fn describe(account: &Account, input: &Value) -> Answer {
    let input: Input = json::input(input)?;
    if input.capacity_providers.len() > 100 {
        return Err(ApiError::invalid_parameter("Capacity providers can have at most 100 items."));
    }
    let known = known(account, input.cluster.as_deref())?;
    let asked: Vec<&str> = match input.capacity_providers.as_slice() {
        [] => known.iter().copied().collect(),
        references => references.iter().map(|reference| names::short(reference)).collect(),
    };
    let (found, missing): (Vec<&str>, Vec<&str>) = asked.into_iter().partition(|name| known.contains(name));
    let provider =
        |name| Provider { capacity_provider_arn: arn(account, name), name, status: "ACTIVE", tags: [] };
    Ok(json::output(&Output {
        capacity_providers: found.into_iter().map(provider).collect(),
        failures: missing.into_iter().map(|name| Failure::new(arn(account, name), "MISSING")).collect(),
    }))
}

fn arn(account: &Account, name: &str) -> String {
    format!("arn:aws:ecs:{}:{}:capacity-provider/{name}", account.region, account.account_id)
}

fn known<'a>(account: &'a Account, cluster: Option<&str>) -> Result<BTreeSet<&'a str>, ApiError> {
    match cluster {
        Some(cluster) => Ok(of_cluster(names::cluster(account, Some(cluster))?).collect()),
        None => Ok(account.clusters.values().flat_map(of_cluster).collect()),
    }
}

fn of_cluster(cluster: &Cluster) -> impl Iterator<Item = &str> {
    let instances = cluster.container_instances.values();
    let strategies = cluster.services.values().flat_map(|service| &service.capacity_provider_strategy);
    let of_instances = instances.filter_map(|instance| instance.capacity_provider.as_deref());
    of_instances.chain(strategies.map(|item| item.capacity_provider.as_str()))
}
