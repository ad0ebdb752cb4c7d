//! What was seen of one cluster, and when: the only input of a plan.
//!
//! Plain data, `Serialize + Deserialize`, so that any production decision can be saved and replayed. Every map is
//! ordered. What could not be read is `Known::Unknown`, never absent: "cannot tell" is an answer of its own, and a
//! plan defers whatever depends on it. Names of members and states are those of the ECS API reference.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{
    ClusterName, ContainerInstanceArn, InstanceId, ServiceArn, ServiceName, TargetGroupArn, TaskArn,
    TaskDefinitionArn, ZoneName,
};
use crate::percent::Percent;
use crate::timestamp::Timestamp;

/// Tag keys to tag values.
pub type Tags = BTreeMap<String, String>;

/// The answer to a question that may have failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Known<T> {
    /// It was read.
    Known(T),
    /// It was asked and could not be read; the text says why.
    Unknown(String),
    /// Nobody asked, because nothing so far depended on it.
    NotAsked,
}

impl<T> Known<T> {
    /// The value, if it was read.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) | Self::NotAsked => None,
        }
    }
}

/// One cluster at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterSnapshot {
    /// Which cluster.
    pub cluster: ClusterName,
    /// When the reading began, on AWS's clock.
    pub observed_at: Timestamp,
    /// Tags of the cluster (`DescribeClusters`), asked only once there is something to write.
    pub tags: Known<Tags>,
    /// By name.
    pub services: BTreeMap<ServiceName, Service>,
    /// By ARN: every task whose desiredStatus is RUNNING, and the stopped ones that a move in flight names.
    pub tasks: BTreeMap<TaskArn, Task>,
    /// By ARN: ACTIVE and DRAINING ones alike.
    pub container_instances: BTreeMap<ContainerInstanceArn, ContainerInstance>,
    /// By ARN, for the services that a plan looks at closely (`DescribeTaskDefinition`).
    pub task_definitions: BTreeMap<TaskDefinitionArn, Known<TaskDefinition>>,
    /// By task (`GetTaskProtection`), for the services that a plan looks at closely.
    pub protections: BTreeMap<TaskArn, Known<Protection>>,
    /// By target group (`DescribeTargetHealth`), for the services that a plan looks at closely.
    pub target_health: BTreeMap<TargetGroupArn, Known<Vec<Target>>>,
    /// Listed, but not described (`failures[]`, an error): any service they may belong to is deferred.
    pub unknown: Vec<Unreadable>,
}

/// Something that exists but could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unreadable {
    /// What kind of thing.
    pub kind: UnreadableKind,
    /// Its ARN.
    pub arn: String,
    /// AWS's reason, or the error.
    pub reason: String,
}

/// What kind of thing could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub enum UnreadableKind {
    Service,
    Task,
    ContainerInstance,
}

/// `SchedulingStrategy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)]
pub enum SchedulingStrategy {
    Replica,
    Daemon,
    /// A value this version does not know; treated as not ours to touch.
    Other,
}

/// `DeploymentController.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)]
pub enum DeploymentController {
    Ecs,
    CodeDeploy,
    External,
    /// A value this version does not know; treated as not ours to touch.
    Other,
}

/// `Deployment.rolloutState`; ECS leaves it out behind a Classic Load Balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)]
pub enum RolloutState {
    Completed,
    InProgress,
    Failed,
    /// A value this version does not know; never taken for COMPLETED.
    Other,
}

/// One deployment of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// `ecs-svc/…`.
    pub id: String,
    /// `PRIMARY`, `ACTIVE` or `INACTIVE`.
    pub status: String,
    /// Progress, where ECS reports it.
    pub rollout_state: Option<RolloutState>,
}

/// One link of a placement strategy chain (API: `PlacementStrategy`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PlacementStrategy {
    /// Any instance.
    Random,
    /// Fewest of the service's tasks over the values of a field: `attribute:NAME` or `instanceId`.
    Spread(String),
    /// Least of `cpu` or `memory` left.
    Binpack(String),
    /// A type this version does not know.
    Other(String),
}

/// A placement constraint (API: `PlacementConstraint`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PlacementConstraint {
    /// Each task on another container instance.
    DistinctInstance,
    /// The cluster query language expression must hold.
    MemberOf(String),
    /// A type this version does not know.
    Other(String),
}

/// A service's link to a load balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadBalancer {
    /// Target group; absent behind a Classic Load Balancer, whose health Evenkeel cannot read.
    pub target_group: Option<TargetGroupArn>,
    /// Container that serves it.
    pub container_name: String,
    /// Container port that serves it.
    pub container_port: u16,
}

/// An ECS service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Name.
    pub name: ServiceName,
    /// ARN.
    pub arn: ServiceArn,
    /// `ACTIVE`, `DRAINING` or `INACTIVE`.
    pub status: String,
    /// REPLICA or DAEMON.
    pub scheduling_strategy: SchedulingStrategy,
    /// `desiredCount`.
    pub tasks_desired: u32,
    /// `runningCount`.
    pub tasks_running: u32,
    /// `pendingCount`.
    pub tasks_pending: u32,
    /// Who deploys it.
    pub deployment_controller: DeploymentController,
    /// All deployments; a steady service has one.
    pub deployments: Vec<Deployment>,
    /// Current task definition.
    pub task_definition: TaskDefinitionArn,
    /// Names of its capacity providers; empty = launch type.
    pub capacity_providers: Vec<String>,
    /// `EC2`, `FARGATE`, `EXTERNAL`; absent with capacity providers.
    pub launch_type: Option<String>,
    /// Chain of strategies; empty = the scheduler's own rule: zone with fewest, then instance with fewest.
    pub placement_strategy: Vec<PlacementStrategy>,
    /// Constraints of the service; its task definition may add more.
    pub placement_constraints: Vec<PlacementConstraint>,
    /// `availabilityZoneRebalancing` is ENABLED.
    pub availability_zone_rebalancing: bool,
    /// `minimumHealthyPercent`.
    pub minimum_healthy_percent: Percent,
    /// `maximumPercent`.
    pub maximum_percent: Percent,
    /// Load balancers.
    pub load_balancers: Vec<LoadBalancer>,
    /// Tags.
    pub tags: Tags,
    /// Newest service event that tells of a started task or of one that could not be placed: with the age of the
    /// youngest task it says how long the service has been at rest.
    pub last_start_event_at: Option<Timestamp>,
}

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

/// `ContainerInstance.status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)]
pub enum ContainerInstanceStatus {
    Active,
    Draining,
    /// REGISTERING, DEREGISTERING, INACTIVE or unknown: takes no tasks.
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

/// What a task definition asks of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskDefinition {
    /// CPU units the task reserves: the task's own figure, else the sum over its containers.
    pub cpu: u64,
    /// MiB of memory: the task's own figure, else the sum of `memoryReservation` or `memory` over its containers.
    pub memory: u64,
    /// GPUs.
    pub gpus: u32,
    /// Fixed TCP host ports: at most one such task fits on an instance.
    pub host_ports: Vec<u16>,
    /// Whether an essential container has a health check.
    pub has_health_check: bool,
    /// `awsvpc`, `bridge`, `host` or `none`.
    pub network_mode: String,
    /// Constraints (memberOf).
    pub placement_constraints: Vec<PlacementConstraint>,
    /// Attribute names (with values) that an instance must carry (`requiresAttributes`).
    pub requires_attributes: BTreeMap<String, Option<String>>,
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

impl ClusterSnapshot {
    /// The tasks of a service that ECS means to run, in order of ARN.
    pub fn wanted_tasks<'a>(&'a self, service: &'a ServiceName) -> impl Iterator<Item = &'a Task> {
        self.tasks.values().filter(move |task| task.is_wanted() && task.service.as_ref() == Some(service))
    }
}
