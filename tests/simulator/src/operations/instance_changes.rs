//! `UpdateContainerInstancesState` and `DeregisterContainerInstance`.
//!
//! Setting DRAINING only sets the state; what it does to tasks is the scheduler's work. Whether DRAINING may
//! be set again, and whether a forced deregistration stops or orphans tasks, AWS leaves open: `switches.rs`
//! decides. An orphaned task keeps its containers on a real host; here ECS's view is all there is, so it is
//! STOPPED at once.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::instance_shape::{InstanceShape, status};
use super::instances::Output;
use super::{Answer, Change, Failure, names};
use crate::account::{Account, Cluster, ContainerInstanceStatus, StopCode, Task, TaskStatus};
use crate::scheduler::lifecycle;
use crate::wire::{ApiError, json};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct UpdateInput {
    cluster: Option<String>,
    container_instances: Vec<String>,
    status: String,
}

pub(super) fn update_state(change: &mut Change<'_>, input: &Value) -> Answer {
    let input: UpdateInput = json::input(input)?;
    let new = settable_status(&input.status)?;
    let cluster = names::cluster(change.account, input.cluster.as_deref())?;
    names::check_count("Container instances", input.container_instances.len(), 10)?;
    let arns = resolve(cluster, &input.container_instances)?;
    check_states(cluster, &arns)?;
    let (name, again) = (cluster.name.clone(), change.account.switches.draining_again_succeeds);
    let (mut updated, mut failures) = (Vec::new(), Vec::new());
    for arn in arns {
        match set_state(change, &name, &arn, new, again) {
            Ok(()) => updated.push(arn),
            Err(reason) => failures.push(Failure::new(arn, reason)),
        }
    }
    let (account, cluster) = (&*change.account, &change.account.clusters[&name]);
    let instances = updated.iter().map(|arn| &cluster.container_instances[arn]);
    let container_instances =
        instances.map(|instance| InstanceShape::new(account, &name, instance, false)).collect();
    Ok(json::output(&Output { container_instances, failures }))
}

fn settable_status(name: &str) -> Result<ContainerInstanceStatus, ApiError> {
    match name {
        "ACTIVE" => Ok(ContainerInstanceStatus::Active),
        "DRAINING" => Ok(ContainerInstanceStatus::Draining),
        _ => {
            Err(ApiError::invalid_parameter("Container instance status should be one of [ACTIVE,DRAINING]."))
        }
    }
}

fn resolve(cluster: &Cluster, references: &[String]) -> Result<Vec<String>, ApiError> {
    references.iter().map(|reference| names::arn_in(cluster, "container-instance", reference)).collect()
}

/// An instance that is still registering, or leaving, makes the whole call an error.
fn check_states(cluster: &Cluster, arns: &[String]) -> Result<(), ApiError> {
    use ContainerInstanceStatus::{Deregistering, Registering, RegistrationFailed};
    let known = arns.iter().filter_map(|arn| cluster.container_instances.get(arn));
    let unsettled = |status| matches!(status, Registering | Deregistering | RegistrationFailed);
    match known.clone().find(|instance| unsettled(instance.status)) {
        None => Ok(()),
        Some(instance) => Err(ApiError::invalid_parameter(format!(
            "Container instance {} is in {} status.",
            names::short(&instance.arn),
            status(instance.status)
        ))),
    }
}

fn set_state(
    change: &mut Change<'_>,
    cluster: &str,
    arn: &str,
    new: ContainerInstanceStatus,
    draining_again_succeeds: bool,
) -> Result<(), &'static str> {
    let cluster = change.account.clusters.get_mut(cluster).expect("the cluster was found by name");
    let instance = cluster.container_instances.get_mut(arn).ok_or("MISSING")?;
    match instance.status {
        ContainerInstanceStatus::Inactive => Err("INACTIVE"),
        old if old == new => match new {
            ContainerInstanceStatus::Draining if !draining_again_succeeds => Err("DRAINING"),
            _ => Ok(()),
        },
        _ => {
            instance.status = new;
            instance.version += 1;
            let subject = instance.ec2_instance_id.clone();
            change.note(subject, format!("set {}", status(new)));
            Ok(())
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct DeregisterInput {
    cluster: Option<String>,
    container_instance: String,
    force: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeregisterOutput<'a> {
    container_instance: InstanceShape<'a>,
}

pub(super) fn deregister(change: &mut Change<'_>, input: &Value) -> Answer {
    let input: DeregisterInput = json::input(input)?;
    let cluster = names::cluster(change.account, input.cluster.as_deref())?;
    let arn = names::container_instance(cluster, &input.container_instance)?;
    let (name, tasks) = (cluster.name.clone(), tasks_on(cluster, &arn));
    if !tasks.is_empty() && !input.force {
        return Err(ApiError::invalid_parameter("Found running tasks on the instance."));
    }
    for task in &tasks {
        end_task(change.account, &name, task);
    }
    let cluster = change.account.clusters.get_mut(&name).expect("the cluster was found by name");
    let instance = cluster.container_instances.get_mut(&arn).expect("the instance was found above");
    instance.status = ContainerInstanceStatus::Inactive;
    instance.version += 1;
    let subject = instance.ec2_instance_id.clone();
    change.note(subject, format!("deregistered with {} tasks on it", tasks.len()));
    let (account, cluster) = (&*change.account, &change.account.clusters[&name]);
    let container_instance = InstanceShape::new(account, &name, &cluster.container_instances[&arn], false);
    Ok(json::output(&DeregisterOutput { container_instance }))
}

fn tasks_on(cluster: &Cluster, instance: &str) -> Vec<String> {
    let here = |task: &&Task| task.container_instance.as_deref() == Some(instance);
    let alive = cluster.tasks.values().filter(here).filter(|task| task.last_status != TaskStatus::Stopped);
    alive.map(|task| task.arn.clone()).collect()
}

fn end_task(account: &mut Account, cluster: &str, arn: &str) {
    let reason = "Container instance deregistration forced by user";
    lifecycle::begin_stop(account, cluster, arn, StopCode::UserInitiated, reason);
    if account.switches.force_deregister_stops_tasks {
        return;
    }
    lifecycle::stopped(account, cluster, arn);
}
