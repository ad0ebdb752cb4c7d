//! A task as the API writes it. Borrowed and typed: `DescribeTasks` of a hundred tasks is the busiest call
//! there is.
//!
//! Simplified: a task has one container, named like the task definition's family; image digests, runtime ids
//! and pull times are left out.

use serde::Serialize;

use super::names;
use super::tags::TagShape;
use crate::account::{Account, Cluster, HealthStatus, StopCode, Task, TaskDefinition, TaskStatus};
use crate::time::SimTime;
use crate::wire::json::timestamp;

/// API shape `Task`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TaskShape<'a> {
    task_arn: &'a str,
    cluster_arn: &'a str,
    task_definition_arn: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    container_instance_arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    availability_zone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity_provider_name: Option<&'a str>,
    group: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_by: Option<&'a str>,
    launch_type: &'static str,
    last_status: &'static str,
    desired_status: &'static str,
    health_status: &'static str,
    cpu: String,
    memory: String,
    created_at: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopping_at: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped_at: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_stopped_at: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connectivity: Option<&'static str>,
    enable_execute_command: bool,
    version: u64,
    attachments: Vec<AttachmentShape>,
    containers: Vec<ContainerShape<'a>>,
    tags: Vec<TagShape<'a>>,
}

#[derive(Serialize)]
struct AttachmentShape {
    id: String,
    r#type: &'static str,
    status: &'static str,
    details: Vec<DetailShape>,
}

#[derive(Serialize)]
struct DetailShape {
    name: &'static str,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ContainerShape<'a> {
    container_arn: String,
    task_arn: &'a str,
    name: &'a str,
    image: &'a str,
    last_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    network_bindings: Vec<BindingShape>,
    network_interfaces: Vec<InterfaceShape>,
    health_status: &'static str,
    cpu: String,
    memory: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BindingShape {
    #[serde(rename = "bindIP")]
    bind_ip: &'static str,
    container_port: u16,
    host_port: u16,
    protocol: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InterfaceShape {
    attachment_id: String,
    private_ipv4_address: String,
}

impl<'a> TaskShape<'a> {
    /// The shape of one task.
    pub(super) fn new(account: &'a Account, cluster: &'a Cluster, task: &'a Task, with_tags: bool) -> Self {
        let instance = task.container_instance.as_deref();
        let host = instance.and_then(|arn| cluster.container_instances.get(arn));
        let definition = account.task_definitions.get(&task.task_definition);
        let size = |size: fn(&TaskDefinition) -> u64| definition.map_or(0, size).to_string();
        let address = definition.filter(|definition| definition.network_mode == "awsvpc");
        let address = address.and_then(|_| private_address(task));
        Self {
            task_arn: &task.arn,
            cluster_arn: &cluster.arn,
            task_definition_arn: &task.task_definition,
            container_instance_arn: instance,
            availability_zone: host.map(crate::account::ContainerInstance::zone),
            capacity_provider_name: task.capacity_provider.as_deref(),
            group: &task.group,
            started_by: task.started_by.as_deref(),
            launch_type: "EC2",
            last_status: status(task.last_status),
            desired_status: status(task.desired_status),
            health_status: health(task.health),
            cpu: size(|definition| definition.cpu),
            memory: size(|definition| definition.memory),
            created_at: timestamp(task.created_at),
            started_at: task.started_at.map(timestamp),
            stopping_at: task.stopping_at.map(timestamp),
            stopped_at: task.stopped_at.map(timestamp),
            execution_stopped_at: execution_stopped_at(task).map(timestamp),
            stop_code: task.stop_code.map(stop_code),
            stopped_reason: task.stopped_reason.as_deref(),
            connectivity: task.started_at.map(|_| "CONNECTED"),
            enable_execute_command: false,
            version: task.version,
            attachments: address.iter().map(|address| attachment(task, address)).collect(),
            containers: definition.iter().map(|of| container(task, of, address.as_deref())).collect(),
            tags: TagShape::list(&task.tags, with_tags),
        }
    }
}

fn container<'a>(
    task: &'a Task,
    definition: &'a TaskDefinition,
    address: Option<&str>,
) -> ContainerShape<'a> {
    let interface = |address: &str| InterfaceShape {
        attachment_id: attachment_id(task),
        private_ipv4_address: address.to_owned(),
    };
    ContainerShape {
        container_arn: format!("{}/container-0", task.arn.replacen(":task/", ":container/", 1)),
        task_arn: &task.arn,
        name: &definition.family,
        image: &definition.image,
        last_status: container_status(task.last_status),
        exit_code: (task.last_status == TaskStatus::Stopped && task.started_at.is_some()).then_some(0),
        network_bindings: bindings(task),
        network_interfaces: address.map(interface).into_iter().collect(),
        health_status: health(task.health),
        cpu: definition.cpu.to_string(),
        memory: definition.memory.to_string(),
    }
}

/// The agent reports them with the running container.
fn bindings(task: &Task) -> Vec<BindingShape> {
    let binding = |(&host_port, &container_port): (&u16, &u16)| BindingShape {
        bind_ip: "0.0.0.0",
        container_port,
        host_port,
        protocol: "tcp",
    };
    task.host_ports.iter().filter(|_| task.started_at.is_some()).map(binding).collect()
}

fn attachment(task: &Task, address: &str) -> AttachmentShape {
    let detail = |name, value: String| DetailShape { name, value };
    AttachmentShape {
        id: attachment_id(task),
        r#type: "ElasticNetworkInterface",
        status: if task.last_status == TaskStatus::Stopped { "DELETED" } else { "ATTACHED" },
        details: vec![
            detail("networkInterfaceId", format!("eni-{}", names::short(&task.arn))),
            detail("privateIPv4Address", address.to_owned()),
        ],
    }
}

fn attachment_id(task: &Task) -> String {
    format!("attachment-{}", names::short(&task.arn))
}

/// The address of a task's own network interface, which is also the id of its targets; drawn from the task's
/// id, so that it is known before the first target is registered and after the last one is gone.
fn private_address(task: &Task) -> Option<String> {
    task.container_instance.as_ref()?;
    let id = names::short(&task.arn);
    let number = u64::from_str_radix(id.get(16..)?, 16).unwrap_or(0);
    Some(format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255))
}

/// The container has ended when the task enters DEPROVISIONING; the account keeps the moment of STOPPED only.
fn execution_stopped_at(task: &Task) -> Option<SimTime> {
    task.stopped_at.filter(|_| task.started_at.is_some())
}

/// A container's own status knows only four of the task's eight.
fn container_status(of_task: TaskStatus) -> &'static str {
    match of_task {
        TaskStatus::Provisioning | TaskStatus::Pending | TaskStatus::Activating => "PENDING",
        TaskStatus::Running | TaskStatus::Deactivating | TaskStatus::Stopping => "RUNNING",
        TaskStatus::Deprovisioning | TaskStatus::Stopped => "STOPPED",
    }
}

fn status(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Provisioning => "PROVISIONING",
        TaskStatus::Pending => "PENDING",
        TaskStatus::Activating => "ACTIVATING",
        TaskStatus::Running => "RUNNING",
        TaskStatus::Deactivating => "DEACTIVATING",
        TaskStatus::Stopping => "STOPPING",
        TaskStatus::Deprovisioning => "DEPROVISIONING",
        TaskStatus::Stopped => "STOPPED",
    }
}

fn health(health: HealthStatus) -> &'static str {
    match health {
        HealthStatus::Healthy => "HEALTHY",
        HealthStatus::Unhealthy => "UNHEALTHY",
        HealthStatus::Unknown => "UNKNOWN",
    }
}

fn stop_code(code: StopCode) -> &'static str {
    match code {
        StopCode::TaskFailedToStart => "TaskFailedToStart",
        StopCode::EssentialContainerExited => "EssentialContainerExited",
        StopCode::UserInitiated => "UserInitiated",
        StopCode::ServiceSchedulerInitiated => "ServiceSchedulerInitiated",
        StopCode::SpotInterruption => "SpotInterruption",
        StopCode::TerminationNotice => "TerminationNotice",
    }
}
