//! `ListClusters` and `DescribeClusters`.
//!
//! Simplified: every cluster is ACTIVE, and `include` knows TAGS only.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::page::Page;
use super::tags::TagShape;
use super::{Answer, Failure, names};
use crate::account::{Account, Cluster, ContainerInstanceStatus, TaskStatus};
use crate::wire::json;

const LIST: Page = Page { operation: "ListClusters", default: 100, max: 100 };

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ListInput {
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListOutput<'a> {
    cluster_arns: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) fn list(account: &Account, input: &Value) -> Answer {
    let input: ListInput = json::input(input)?;
    let arns = account.clusters.values().map(|cluster| cluster.arn.as_str());
    let (cluster_arns, next_token) =
        LIST.cut(arns, |arn| arn, input.next_token.as_deref(), input.max_results)?;
    Ok(json::output(&ListOutput { cluster_arns, next_token }))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DescribeInput {
    clusters: Vec<String>,
    include: Vec<String>,
}

#[derive(Serialize)]
struct DescribeOutput<'a> {
    clusters: Vec<ClusterShape<'a>>,
    failures: Vec<Failure>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClusterShape<'a> {
    cluster_arn: &'a str,
    cluster_name: &'a str,
    status: &'static str,
    registered_container_instances_count: usize,
    running_tasks_count: usize,
    pending_tasks_count: usize,
    active_services_count: usize,
    tags: Vec<TagShape<'a>>,
    capacity_providers: Vec<&'a str>,
}

pub(super) fn describe(account: &Account, input: &Value) -> Answer {
    let mut input: DescribeInput = json::input(input)?;
    if input.clusters.is_empty() {
        input.clusters.push("default".to_owned());
    }
    names::check_count("Clusters", input.clusters.len(), 100)?;
    let with_tags = input.include.iter().any(|field| field == "TAGS");
    let mut output = DescribeOutput { clusters: Vec::new(), failures: Vec::new() };
    for reference in &input.clusters {
        match names::cluster(account, Some(reference)) {
            Ok(cluster) => output.clusters.push(shape(cluster, with_tags)),
            Err(_) => output.failures.push(Failure::new(cluster_arn(account, reference), "MISSING")),
        }
    }
    Ok(json::output(&output))
}

fn cluster_arn(account: &Account, reference: &str) -> String {
    if reference.starts_with("arn:") {
        return reference.to_owned();
    }
    format!("arn:aws:ecs:{}:{}:cluster/{reference}", account.region, account.account_id)
}

fn shape(cluster: &Cluster, with_tags: bool) -> ClusterShape<'_> {
    let wanted = |running: bool| {
        let tasks = cluster.tasks.values().filter(|task| task.is_wanted());
        tasks.filter(|task| (task.last_status == TaskStatus::Running) == running).count()
    };
    let mut instances = cluster.container_instances.values();
    let registered =
        instances.clone().filter(|instance| instance.status != ContainerInstanceStatus::Inactive).count();
    let mut capacity_providers: Vec<&str> =
        instances.by_ref().filter_map(|instance| instance.capacity_provider.as_deref()).collect();
    capacity_providers.sort_unstable();
    capacity_providers.dedup();
    ClusterShape {
        cluster_arn: &cluster.arn,
        cluster_name: &cluster.name,
        status: "ACTIVE",
        registered_container_instances_count: registered,
        running_tasks_count: wanted(true),
        pending_tasks_count: wanted(false),
        active_services_count: cluster.services.values().filter(|service| service.status == "ACTIVE").count(),
        tags: TagShape::list(&cluster.tags, with_tags),
        capacity_providers,
    }
}
