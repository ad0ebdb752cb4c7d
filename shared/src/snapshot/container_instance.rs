//! A container instance as `DescribeContainerInstances` tells of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{ContainerInstanceArn, InstanceId, ZoneName};
use crate::timestamp::Timestamp;

/// `ContainerInstance.status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)]
pub enum ContainerInstanceStatus {
    Active,
    Draining,
    /// Registered no longer; ECS still describes it for about an hour.
    Inactive,
    /// REGISTERING, DEREGISTERING or unknown: takes no tasks.
    Other,
}

/// CPU units, MiB of memory and TCP host ports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    /// CPU units (1,024 = one vCPU).
    pub cpu: u64,
    /// MiB.
    pub memory: u64,
    /// GPUs by count.
    pub gpus: u32,
    /// Reserved TCP ports (`PORTS` lists what is *taken*, in registered and in remaining resources alike).
    pub ports: Vec<u16>,
}

/// A container instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerInstance {
    /// ARN.
    pub arn: ContainerInstanceArn,
    /// EC2 instance.
    pub instance_id: Option<InstanceId>,
    /// Zone, from the attribute `ecs.availability-zone`.
    pub zone: Option<ZoneName>,
    /// Capacity provider.
    pub capacity_provider: Option<String>,
    /// State.
    pub status: ContainerInstanceStatus,
    /// Whether its agent is connected; without it, it gets no new task.
    pub agent_connected: bool,
    /// Agent version, for constraints.
    pub agent_version: Option<String>,
    /// Registered.
    pub registered_at: Option<Timestamp>,
    /// Attributes; the value may be absent.
    pub attributes: BTreeMap<String, Option<String>>,
    /// What it has in all.
    pub registered: Resources,
    /// What is left.
    pub remaining: Resources,
    /// `runningTasksCount`.
    pub tasks_running: u32,
    /// `pendingTasksCount`.
    pub tasks_pending: u32,
}
