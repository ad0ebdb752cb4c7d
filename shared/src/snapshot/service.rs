//! A service as `DescribeServices` tells of it, and what a task definition asks of an instance.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Tags;
use crate::ids::{ServiceArn, ServiceName, TargetGroupArn, TaskDefinitionArn};
use crate::percent::Percent;
use crate::timestamp::Timestamp;

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
    /// The longest `stopTimeout` of its containers: so much later than SIGTERM comes SIGKILL.
    pub stop_timeout: Duration,
    /// `awsvpc`, `bridge`, `host` or `none`.
    pub network_mode: String,
    /// Constraints (memberOf).
    pub placement_constraints: Vec<PlacementConstraint>,
    /// Attribute names (with values) that an instance must carry (`requiresAttributes`).
    pub requires_attributes: BTreeMap<String, Option<String>>,
}
