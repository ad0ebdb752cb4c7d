//! A container instance as the API writes it.
//!
//! Simplified: the agent's and Docker's versions are constants, UDP ports are never in use, and there is no
//! `healthStatus`.

use std::collections::BTreeSet;

use serde::Serialize;

use super::tags::TagShape;
use crate::account::{AGENT_VERSION, Account, ContainerInstance, ContainerInstanceStatus};
use crate::placement;
use crate::wire::json::timestamp;

/// API shape `ContainerInstance`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InstanceShape<'a> {
    container_instance_arn: &'a str,
    ec2_instance_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity_provider_name: Option<&'a str>,
    version: u64,
    version_info: VersionInfo,
    remaining_resources: [ResourceShape; 4],
    registered_resources: [ResourceShape; 4],
    status: &'static str,
    agent_connected: bool,
    running_tasks_count: u32,
    pending_tasks_count: u32,
    attributes: Vec<AttributeShape<'a>>,
    registered_at: f64,
    attachments: [(); 0],
    tags: Vec<TagShape<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VersionInfo {
    agent_version: &'static str,
    agent_hash: &'static str,
    docker_version: &'static str,
}

/// API shape `Attribute`; the target is named only by the attribute operations.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AttributeShape<'a> {
    /// Name.
    pub name: &'a str,
    /// Value, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<&'a str>,
    /// Always `container-instance`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_type: Option<&'static str>,
    /// ARN of the container instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_id: Option<&'a str>,
}

impl<'a> AttributeShape<'a> {
    fn plain(name: &'a str, value: Option<&'a str>) -> Self {
        Self { name, value, target_type: None, target_id: None }
    }
}

/// API shape `Resource`: the members of the other types are zero, as ECS writes them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceShape {
    name: &'static str,
    r#type: &'static str,
    double_value: f64,
    long_value: i64,
    integer_value: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    string_set_value: Option<Vec<String>>,
}

impl<'a> InstanceShape<'a> {
    /// The shape of one container instance.
    pub(super) fn new(
        account: &Account,
        cluster: &str,
        instance: &'a ContainerInstance,
        with_tags: bool,
    ) -> Self {
        let (running, pending) = placement::counts(account, cluster, &instance.arn);
        let left = placement::remaining(account, cluster, &instance.arn);
        Self {
            container_instance_arn: &instance.arn,
            ec2_instance_id: &instance.ec2_instance_id,
            capacity_provider_name: instance.capacity_provider.as_deref(),
            version: instance.version,
            version_info: VersionInfo {
                agent_version: AGENT_VERSION,
                agent_hash: "00000000",
                docker_version: "DockerVersion: 25.0.8",
            },
            remaining_resources: resources(left.cpu, left.memory, &left.ports),
            registered_resources: resources(instance.cpu, instance.memory, &instance.ports),
            status: status(instance.status),
            agent_connected: instance.agent_connected,
            running_tasks_count: running,
            pending_tasks_count: pending,
            attributes: attributes(instance),
            registered_at: timestamp(instance.registered_at),
            attachments: [],
            tags: TagShape::list(&instance.tags, with_tags),
        }
    }
}

fn attributes(instance: &ContainerInstance) -> Vec<AttributeShape<'_>> {
    let pairs = instance.attributes.iter();
    pairs.map(|(name, value)| AttributeShape::plain(name, value.as_deref())).collect()
}

fn resources(cpu: u64, memory: u64, ports: &BTreeSet<u16>) -> [ResourceShape; 4] {
    let resource = |name, r#type, integer_value, string_set_value| ResourceShape {
        name,
        r#type,
        double_value: 0.0,
        long_value: 0,
        integer_value,
        string_set_value,
    };
    let ports = ports.iter().map(u16::to_string).collect();
    [
        resource("CPU", "INTEGER", cpu as i64, None),
        resource("MEMORY", "INTEGER", memory as i64, None),
        resource("PORTS", "STRINGSET", 0, Some(ports)),
        resource("PORTS_UDP", "STRINGSET", 0, Some(Vec::new())),
    ]
}

/// A status as the API spells it.
pub(super) fn status(status: ContainerInstanceStatus) -> &'static str {
    match status {
        ContainerInstanceStatus::Registering => "REGISTERING",
        ContainerInstanceStatus::RegistrationFailed => "REGISTRATION_FAILED",
        ContainerInstanceStatus::Active => "ACTIVE",
        ContainerInstanceStatus::Inactive => "INACTIVE",
        ContainerInstanceStatus::Deregistering => "DEREGISTERING",
        ContainerInstanceStatus::Draining => "DRAINING",
    }
}
