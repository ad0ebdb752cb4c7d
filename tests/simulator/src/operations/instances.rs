//! `ListContainerInstances` and `DescribeContainerInstances`.
//!
//! Without a status filter everything but INACTIVE is listed, DRAINING instances included. An INACTIVE
//! instance can be described for about an hour after its deregistration.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::instance_shape::{self, InstanceShape};
use super::page::Page;
use super::placement_members;
use super::{Answer, Failure, names};
use crate::account::{Account, Cluster, ContainerInstance, ContainerInstanceStatus};
use crate::constraint::{self, Subject};
use crate::wire::{ApiError, json};

const LIST: Page = Page { operation: "ListContainerInstances", default: 100, max: 100 };

/// What `status` may be asked for; INACTIVE instances are in no list.
const LISTED: [ContainerInstanceStatus; 5] = [
    ContainerInstanceStatus::Active,
    ContainerInstanceStatus::Draining,
    ContainerInstanceStatus::Registering,
    ContainerInstanceStatus::Deregistering,
    ContainerInstanceStatus::RegistrationFailed,
];

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ListInput {
    cluster: Option<String>,
    filter: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
    status: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListOutput<'a> {
    container_instance_arns: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) fn list(account: &Account, input: &Value) -> Answer {
    let input: ListInput = json::input(input)?;
    let cluster = names::cluster(account, input.cluster.as_deref())?;
    let status = input.status.as_deref().map(listed_status).transpose()?;
    input.filter.as_deref().map(placement_members::check_expression).transpose()?;
    let admits = |instance: &&ContainerInstance| {
        let listed =
            status.map_or(instance.status != ContainerInstanceStatus::Inactive, |s| s == instance.status);
        listed && input.filter.as_deref().is_none_or(|filter| matches(filter, account, cluster, instance))
    };
    let arns = cluster.container_instances.values().filter(admits).map(|instance| instance.arn.as_str());
    let (container_instance_arns, next_token) =
        LIST.cut(arns, |arn| arn, input.next_token.as_deref(), input.max_results)?;
    Ok(json::output(&ListOutput { container_instance_arns, next_token }))
}

fn listed_status(name: &str) -> Result<ContainerInstanceStatus, ApiError> {
    let found = LISTED.into_iter().find(|status| instance_shape::status(*status) == name);
    found.ok_or_else(|| ApiError::invalid_parameter(format!("Unknown status {name}.")))
}

fn matches(filter: &str, account: &Account, cluster: &Cluster, instance: &ContainerInstance) -> bool {
    constraint::holds(filter, &Subject::of(account, &cluster.name, instance)).unwrap_or(false)
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct DescribeInput {
    cluster: Option<String>,
    container_instances: Vec<String>,
    include: Vec<String>,
}

/// Also the answer of `UpdateContainerInstancesState`.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output<'a> {
    pub(super) container_instances: Vec<InstanceShape<'a>>,
    pub(super) failures: Vec<Failure>,
}

pub(super) fn describe(account: &Account, input: &Value) -> Answer {
    let input: DescribeInput = json::input(input)?;
    let cluster = names::cluster(account, input.cluster.as_deref())?;
    names::check_count("Container instances", input.container_instances.len(), 100)?;
    let with_tags = input.include.iter().any(|field| field == "TAGS");
    let mut output = Output::default();
    for reference in &input.container_instances {
        let arn = names::arn_in(cluster, "container-instance", reference)?;
        match cluster.container_instances.get(&arn) {
            Some(instance) => {
                let shape = InstanceShape::new(account, &cluster.name, instance, with_tags);
                output.container_instances.push(shape);
            }
            None => output.failures.push(Failure::new(arn, "MISSING")),
        }
    }
    Ok(json::output(&output))
}
