//! The API operations: each reads or changes the account at one moment, as its page of the API reference
//! says.
//!
//! Shapes, members and errors follow the service models that AWS publishes with its SDKs (ECS 2014-11-13,
//! Elastic Load Balancing 2015-12-01, EC2 2016-11-15); texts of errors are AWS's where known and otherwise our own.
//!
//! Simplified:
//! - Only members this account can have are answered; absent ones (`serviceRegistries`, `overrides`, …) are
//!   left out.
//! - Identifiers that are neither a known id nor an ARN are reported MISSING; ECS also checks their length.
//! - There is no `CreateCluster`, `RegisterTaskDefinition` or `RegisterContainerInstance`: accounts are
//!   built.
//! - `clientToken` and `propagateTags` are accepted and ignored; there is no IAM (`faults::Rule::deny`
//!   refuses).

mod attributes;
pub(crate) mod auto_scaling;
mod capacity_providers;
mod clusters;
mod ec2;
mod instance_changes;
mod instance_shape;
mod instances;
mod names;
mod page;
mod placement_members;
mod protection;
mod service_changes;
mod service_deployments;
mod service_shape;
mod services;
mod tags;
mod target_health;
mod task_changes;
mod task_definitions;
mod task_shape;
mod tasks;
#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::Value;

use crate::account::{Account, Happening};
use crate::timeline;
use crate::wire::{ApiError, Request, Service};

/// What an operation answers: the body in its service's protocol, or an error.
pub type Answer = Result<Vec<u8>, ApiError>;

/// An entry of `failures[]`.
#[derive(Debug, Serialize)]
struct Failure {
    arn: String,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl Failure {
    fn new(arn: impl Into<String>, reason: &'static str) -> Self {
        Self { arn: arn.into(), reason, detail: None }
    }
}

/// The account under change, and who changes it.
struct Change<'a> {
    account: &'a mut Account,
    actor: &'a str,
}

impl Change<'_> {
    /// Writes what was done into the account's history.
    fn note(&mut self, subject: impl Into<String>, what: impl Into<String>) {
        let happening = Happening {
            at: self.account.now,
            actor: self.actor.to_owned(),
            subject: subject.into(),
            what: what.into(),
        };
        self.account.happenings.push(happening);
    }

    /// The same for a task, under the short name the scheduler gives it.
    fn note_task(&mut self, cluster: &str, arn: &str, what: impl Into<String>) {
        let task = self.account.clusters.get(cluster).and_then(|cluster| cluster.tasks.get(arn));
        let subject = task.map_or_else(|| names::short(arn).to_owned(), timeline::short);
        self.note(subject, what);
    }
}

/// Whether this operation only reads.
pub fn is_read(operation: &str) -> bool {
    operation.starts_with("List") || operation.starts_with("Describe") || operation.starts_with("Get")
}

/// Answers a call; `actor` is who the history shall name for a change.
pub fn answer(account: &mut Account, request: &Request, actor: &str) -> Answer {
    match read(account, request) {
        Some(answer) => answer,
        None => write(&mut Change { account, actor }, request).unwrap_or_else(|| Err(unknown(request))),
    }
}

/// Answers a call if it is one that only reads.
pub fn read(account: &Account, request: &Request) -> Option<Answer> {
    match request.service {
        Service::Ecs => read_ecs(account, &request.operation, &request.input),
        Service::ElasticLoadBalancing => match request.operation.as_str() {
            "DescribeTargetHealth" => Some(target_health::describe(account, &request.input)),
            "DescribeTargetGroupAttributes" => {
                Some(target_health::describe_attributes(account, &request.input))
            }
            "DescribeTargetGroups" => Some(target_health::describe_groups(account, &request.input)),
            _ => None,
        },
        Service::AutoScaling => auto_scaling::read(account, &request.operation, &request.input),
        Service::Ec2 => ec2::read(account, &request.operation, &request.input),
    }
}

fn read_ecs(account: &Account, operation: &str, input: &Value) -> Option<Answer> {
    let read = match operation {
        "DescribeCapacityProviders" => capacity_providers::describe,
        "DescribeClusters" => clusters::describe,
        "DescribeContainerInstances" => instances::describe,
        "DescribeServices" => services::describe,
        "DescribeTaskDefinition" => task_definitions::describe,
        "DescribeTasks" => tasks::describe,
        "GetTaskProtection" => protection::get,
        "ListAttributes" => attributes::list,
        "ListClusters" => clusters::list,
        "ListContainerInstances" => instances::list,
        "ListServiceDeployments" => service_deployments::list,
        "ListServices" => services::list,
        "ListTagsForResource" => tags::list,
        "ListTasks" => tasks::list,
        _ => return None,
    };
    Some(read(account, input))
}

fn write(change: &mut Change<'_>, request: &Request) -> Option<Answer> {
    match request.service {
        Service::ElasticLoadBalancing => return None,
        Service::AutoScaling => return auto_scaling::write(change, &request.operation, &request.input),
        Service::Ec2 => return ec2::write(change, &request.operation, &request.input),
        Service::Ecs => {}
    }
    let write = match request.operation.as_str() {
        "CreateService" => service_changes::create,
        "DeleteAttributes" => attributes::delete,
        "DeleteService" => service_changes::delete,
        "DeregisterContainerInstance" => instance_changes::deregister,
        "PutAttributes" => attributes::put,
        "RunTask" => task_changes::run,
        "StartTask" => task_changes::start,
        "StopTask" => task_changes::stop,
        "TagResource" => tags::tag,
        "UntagResource" => tags::untag,
        "UpdateContainerInstancesState" => instance_changes::update_state,
        "UpdateService" => service_changes::update,
        "UpdateTaskProtection" => protection::update,
        _ => return None,
    };
    Some(write(change, &request.input))
}

fn unknown(request: &Request) -> ApiError {
    let message = format!("{} has no operation {} here", request.service.name(), request.operation);
    match request.service {
        Service::Ecs => ApiError::new("UnknownOperationException", message),
        Service::ElasticLoadBalancing | Service::Ec2 | Service::AutoScaling => {
            ApiError::new("InvalidAction", message)
        }
    }
}

/// The thing a call is about, in short form, for logs: the most specific member that names something.
pub fn resource(input: &Value) -> String {
    const NAMING: [&str; 17] = [
        "task",
        "tasks",
        "containerInstance",
        "containerInstances",
        "service",
        "services",
        "serviceName",
        "resourceArn",
        "taskDefinition",
        "TargetGroupArn",
        "cluster",
        "clusters",
        "capacityProviders",
        "InstanceId",
        "InstanceIds",
        "AutoScalingGroupName",
        "AutoScalingGroupNames",
    ];
    let Some(member) = NAMING.iter().find_map(|name| input.get(name)) else { return String::new() };
    match member {
        Value::String(name) => names::short(name).to_owned(),
        Value::Array(list) => match list.as_slice() {
            [Value::String(only)] => names::short(only).to_owned(),
            list => format!("{} of them", list.len()),
        },
        _ => String::new(),
    }
}

/// A container instance's status as the API spells it.
pub fn status_of(instance: &crate::account::ContainerInstance) -> &'static str {
    instance_shape::status(instance.status)
}
