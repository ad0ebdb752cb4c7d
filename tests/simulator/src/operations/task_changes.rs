//! `StopTask`, `RunTask` and `StartTask`.
//!
//! `StopTask` asks nobody: neither minimumHealthyPercent nor task protection is documented to hold it up.
//! `RunTask` and `StartTask` ignore `overrides`, `networkConfiguration` and capacity provider strategies.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::tags::{self, TagInput};
use super::task_shape::TaskShape;
use super::{Answer, Change, Failure, names};
use crate::account::{Account, ContainerInstanceStatus, StopCode, Tags, TaskDefinition};
use crate::placement;
use crate::scheduler::{lifecycle, tasks};
use crate::wire::{ApiError, json};

#[derive(Default, Deserialize)]
#[serde(default)]
struct StopInput {
    cluster: Option<String>,
    task: String,
    reason: Option<String>,
}

#[derive(Serialize)]
struct StopOutput<'a> {
    task: TaskShape<'a>,
}

pub(super) fn stop(change: &mut Change<'_>, input: &Value) -> Answer {
    let input: StopInput = json::input(input)?;
    let cluster = names::cluster(change.account, input.cluster.as_deref())?;
    let task = names::task(cluster, &input.task)?;
    let (name, arn, was_wanted) = (cluster.name.clone(), task.arn.clone(), task.is_wanted());
    if was_wanted {
        let reason = input.reason.as_deref().unwrap_or("Task stopped by user");
        change.note_task(&name, &arn, "StopTask");
        lifecycle::begin_stop(change.account, &name, &arn, StopCode::UserInitiated, reason);
        forget_tags(change.account, &name, &arn);
    }
    let cluster = &change.account.clusters[&name];
    Ok(json::output(&StopOutput {
        task: TaskShape::new(change.account, cluster, &cluster.tasks[&arn], false),
    }))
}

/// The API reference: "Any tags associated with the task will be deleted."
fn forget_tags(account: &mut Account, cluster: &str, arn: &str) {
    let cluster = account.clusters.get_mut(cluster);
    if let Some(task) = cluster.and_then(|cluster| cluster.tasks.get_mut(arn)) {
        task.tags.clear();
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct StartInput {
    cluster: Option<String>,
    container_instances: Vec<String>,
    count: Option<i64>,
    group: Option<String>,
    started_by: Option<String>,
    tags: Vec<TagInput>,
    task_definition: String,
}

#[derive(Serialize)]
struct StartOutput<'a> {
    tasks: Vec<TaskShape<'a>>,
    failures: Vec<Failure>,
}

pub(super) fn run(change: &mut Change<'_>, input: &Value) -> Answer {
    let input: StartInput = json::input(input)?;
    let count = input.count.unwrap_or(1);
    if !(1..=10).contains(&count) {
        return Err(ApiError::invalid_parameter("count must be between 1 and 10."));
    }
    place(change, input, &vec![None; count as usize], "RunTask")
}

pub(super) fn start(change: &mut Change<'_>, input: &Value) -> Answer {
    let input: StartInput = json::input(input)?;
    names::check_count("Container instances", input.container_instances.len(), 10)?;
    let cluster = names::cluster(change.account, input.cluster.as_deref())?;
    let instances = input.container_instances.iter();
    let instances: Vec<Option<String>> = instances
        .map(|reference| names::arn_in(cluster, "container-instance", reference).map(Some))
        .collect::<Result<_, _>>()?;
    place(change, input, &instances, "StartTask")
}

/// Starts one task for each entry, on that instance or wherever there is room.
fn place(change: &mut Change<'_>, input: StartInput, on: &[Option<String>], operation: &str) -> Answer {
    let cluster = names::cluster(change.account, input.cluster.as_deref())?.name.clone();
    let definition = names::task_definition(&change.account.task_definitions, &input.task_definition)
        .ok_or_else(|| ApiError::new("ClientException", "TaskDefinition not found."))?;
    let tags = tags::checked(input.tags)?;
    let (mut started, mut failures) = (Vec::new(), Vec::new());
    for instance in on {
        let instance = instance.as_deref();
        let (account, group) = (&mut *change.account, input.group.as_deref());
        match tasks::create_standalone(account, &cluster, &definition, instance, group) {
            Some(arn) => {
                mark(account, &cluster, &arn, input.started_by.as_deref(), &tags);
                change.note_task(&cluster, &arn, operation);
                started.push(arn);
            }
            None => failures.push(reason_not_placed(account, &cluster, instance, &definition)),
        }
    }
    let (account, cluster) = (&*change.account, &change.account.clusters[&cluster]);
    let tasks =
        started.iter().map(|arn| TaskShape::new(account, cluster, &cluster.tasks[arn], true)).collect();
    Ok(json::output(&StartOutput { tasks, failures }))
}

fn mark(account: &mut Account, cluster: &str, arn: &str, started_by: Option<&str>, tags: &Tags) {
    let cluster = account.clusters.get_mut(cluster);
    if let Some(task) = cluster.and_then(|cluster| cluster.tasks.get_mut(arn)) {
        task.started_by = started_by.map(str::to_owned);
        task.tags.clone_from(tags);
    }
}

/// Why no task was started, in the reasons of the page "API failure reasons"; looked for on the named
/// instance or, as `RunTask` does, on each one until a reason is found.
fn reason_not_placed(account: &Account, cluster: &str, instance: Option<&str>, definition: &str) -> Failure {
    let definition = &account.task_definitions[definition];
    let instances = account.clusters[cluster].container_instances.keys().map(String::as_str);
    let mut candidates = instances.filter(|arn| instance.is_none_or(|named| named == *arn));
    match candidates.next() {
        None => Failure::new(
            instance.unwrap_or_default(),
            if instance.is_some() { "MISSING" } else { "RESOURCE" },
        ),
        Some(first) => Failure::new(first, shortage(account, cluster, first, definition)),
    }
}

fn shortage(account: &Account, cluster: &str, arn: &str, definition: &TaskDefinition) -> &'static str {
    let instance = &account.clusters[cluster].container_instances[arn];
    let remaining = placement::remaining(account, cluster, arn);
    match () {
        () if instance.status != ContainerInstanceStatus::Active => "INACTIVE",
        () if !instance.agent_connected => "AGENT",
        () if remaining.cpu < definition.cpu => "RESOURCE:CPU",
        () if remaining.memory < definition.memory => "RESOURCE:MEMORY",
        () if definition.port_mappings.values().any(|port| *port != 0) => "RESOURCE:PORTS",
        () => "ATTRIBUTE",
    }
}
