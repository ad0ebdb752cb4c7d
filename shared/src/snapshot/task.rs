//! A task, its protection and its targets, as `DescribeTasks`, `GetTaskProtection` and `DescribeTargetHealth` tell of them.

use serde::{Deserialize, Serialize};

use crate::ids::{ContainerInstanceArn, ServiceName, TaskArn, TaskDefinitionArn};
use crate::timestamp::Timestamp;

/// `Task.lastStatus` and `Task.desiredStatus`, in order of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)]
pub enum TaskStatus {
    Provisioning,
    Pending,
    Activating,
    Running,
    Deactivating,
    Stopping,
    Deprovisioning,
    Stopped,
    /// A value this version does not know: neither running nor stopped.
    Other,
}

/// `Task.healthStatus`: what the container health checks say; UNKNOWN where none is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)]
pub enum HealthStatus {
    Healthy,
    Unhealthy,
    Unknown,
}

/// A container port and the host port it is reachable at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkBinding {
    /// Container.
    pub container_name: String,
    /// Port inside.
    pub container_port: u16,
    /// Port on the container instance.
    pub host_port: u16,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// ARN.
    pub arn: TaskArn,
    /// The service it belongs to (`group` = `service:NAME`); a standalone task has none.
    pub service: Option<ServiceName>,
    /// Where it is placed; absent before placement.
    pub container_instance: Option<ContainerInstanceArn>,
    /// `lastStatus`.
    pub last_status: TaskStatus,
    /// `desiredStatus`: RUNNING or STOPPED.
    pub desired_status: TaskStatus,
    /// Container health.
    pub health_status: HealthStatus,
    /// Created.
    pub created_at: Option<Timestamp>,
    /// RUNNING since.
    pub started_at: Option<Timestamp>,
    /// Task definition it runs.
    pub task_definition: TaskDefinitionArn,
    /// Deployment that started it.
    pub started_by: Option<String>,
    /// Capacity provider.
    pub capacity_provider: Option<String>,
    /// Host ports in use.
    pub network_bindings: Vec<NetworkBinding>,
    /// Addresses of its own (awsvpc).
    pub private_ips: Vec<String>,
    /// `stopCode`, once stopping.
    pub stop_code: Option<String>,
    /// `stoppedReason`, once stopping.
    pub stopped_reason: Option<String>,
    /// When stopping began.
    pub stopping_at: Option<Timestamp>,
    /// Reserved CPU units and MiB of memory, as the task reports them.
    pub cpu: Option<u64>,
    /// MiB of memory.
    pub memory: Option<u64>,
}

impl Task {
    /// Whether ECS means it to run. Placement and counts go by this, not by `lastStatus`.
    pub fn is_wanted(&self) -> bool {
        self.desired_status == TaskStatus::Running
    }
}

/// Scale-in protection of a task (API: `ProtectedTask`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Protection {
    /// Whether it is on.
    pub enabled: bool,
    /// Until when.
    pub expires_at: Option<Timestamp>,
}

/// `TargetHealth.State` of one target (API: Elastic Load Balancing v2 `DescribeTargetHealth`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Instance id or IP address.
    pub id: String,
    /// Port.
    pub port: u16,
    /// Whether its state is `healthy`; every other state is not.
    pub is_healthy: bool,
}
