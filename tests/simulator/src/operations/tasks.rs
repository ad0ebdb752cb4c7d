//! `ListTasks` and `DescribeTasks`.
//!
//! `ListTasks` answers by desired status, RUNNING unless told otherwise: a task that is being stopped is
//! already in the STOPPED list, and a stopped one stays in it for an hour.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::page::Page;
use super::task_shape::TaskShape;
use super::{Answer, Failure, names};
use crate::account::{Account, Cluster, Task};
use crate::wire::{ApiError, json};

const LIST: Page = Page { operation: "ListTasks", default: 100, max: 100 };

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ListInput {
    cluster: Option<String>,
    container_instance: Option<String>,
    family: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
    started_by: Option<String>,
    service_name: Option<String>,
    desired_status: Option<String>,
    launch_type: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListOutput<'a> {
    task_arns: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) fn list(account: &Account, input: &Value) -> Answer {
    let input: ListInput = json::input(input)?;
    let cluster = names::cluster(account, input.cluster.as_deref())?;
    let filter = Filter::new(cluster, &input)?;
    let tasks = cluster.tasks.values().filter(|task| filter.admits(task)).map(|task| task.arn.as_str());
    let (task_arns, next_token) =
        LIST.cut(tasks, |arn| arn, input.next_token.as_deref(), input.max_results)?;
    Ok(json::output(&ListOutput { task_arns, next_token }))
}

/// The filters of a `ListTasks`, resolved.
struct Filter<'a> {
    wanted: Option<bool>,
    instance: Option<String>,
    group: Option<String>,
    family: Option<String>,
    started_by: Option<&'a str>,
}

impl<'a> Filter<'a> {
    fn new(cluster: &Cluster, input: &'a ListInput) -> Result<Self, ApiError> {
        input.check_started_by()?;
        let instance = input.container_instance.as_deref().map(|id| names::container_instance(cluster, id));
        let service = input.service_name.as_deref().map(|name| names::service(cluster, name));
        Ok(Self {
            wanted: input.wanted()?,
            instance: instance.transpose()?,
            group: service.transpose()?.map(|service| format!("service:{}", service.name)),
            family: input.family.as_deref().map(|family| format!("task-definition/{family}")),
            started_by: input.started_by.as_deref(),
        })
    }

    fn admits(&self, task: &Task) -> bool {
        let is = |filter: Option<&str>, value: Option<&str>| filter.is_none() || filter == value;
        let family = task.task_definition.rsplit_once(':').map_or("", |(family, _)| family);
        self.wanted == Some(task.is_wanted())
            && is(self.instance.as_deref(), task.container_instance.as_deref())
            && is(self.group.as_deref(), Some(&task.group))
            && is(self.started_by, task.started_by.as_deref())
            && self.family.as_deref().is_none_or(|wanted| family.ends_with(wanted))
    }
}

impl ListInput {
    /// Whether wanted tasks are asked for, or unwanted ones, or none that could exist: ECS never sets a
    /// desired status of PENDING, and this account has EC2 tasks only.
    fn wanted(&self) -> Result<Option<bool>, ApiError> {
        let launch_type = self.launch_type.as_deref().unwrap_or("EC2");
        match (self.desired_status.as_deref(), launch_type) {
            (_, other) if other != "EC2" => Ok(None),
            (None | Some("RUNNING"), _) => Ok(Some(true)),
            (Some("STOPPED"), _) => Ok(Some(false)),
            (Some("PENDING"), _) => Ok(None),
            (Some(other), _) => Err(ApiError::invalid_parameter(format!("Unknown desiredStatus {other}."))),
        }
    }

    fn check_started_by(&self) -> Result<(), ApiError> {
        let others = [
            &self.container_instance,
            &self.family,
            &self.service_name,
            &self.desired_status,
            &self.launch_type,
        ];
        if self.started_by.is_some() && others.iter().any(|filter| filter.is_some()) {
            return Err(ApiError::invalid_parameter("startedBy must be the only filter."));
        }
        Ok(())
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DescribeInput {
    cluster: Option<String>,
    tasks: Vec<String>,
    include: Vec<String>,
}

#[derive(Serialize)]
struct DescribeOutput<'a> {
    tasks: Vec<TaskShape<'a>>,
    failures: Vec<Failure>,
}

pub(super) fn describe(account: &Account, input: &Value) -> Answer {
    let input: DescribeInput = json::input(input)?;
    let cluster = names::cluster(account, input.cluster.as_deref())?;
    names::check_count("Tasks", input.tasks.len(), 100)?;
    let with_tags = input.include.iter().any(|field| field == "TAGS");
    let mut output = DescribeOutput { tasks: Vec::new(), failures: Vec::new() };
    for reference in &input.tasks {
        let arn = names::arn_in(cluster, "task", reference)?;
        match cluster.tasks.get(&arn) {
            Some(task) => output.tasks.push(TaskShape::new(account, cluster, task, with_tags)),
            None => output.failures.push(Failure::new(arn, "MISSING")),
        }
    }
    Ok(json::output(&output))
}
