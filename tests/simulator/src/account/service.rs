//! A service: what it wants, where its tasks may go, and its deployments.

use std::time::Duration;

use super::Tags;
use crate::time::SimTime;

/// `SchedulingStrategy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum SchedulingStrategy {
    Replica,
    Daemon,
}

/// `PlacementStrategyType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum PlacementStrategyType {
    Random,
    Spread,
    Binpack,
}

/// One link of a placement strategy chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacementStrategy {
    /// Type.
    pub kind: PlacementStrategyType,
    /// `attribute:ecs.availability-zone`, `instanceId`, `cpu`, `memory`; empty for random.
    pub field: String,
}

/// A placement constraint of a service or task definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlacementConstraint {
    /// Each task on another instance.
    DistinctInstance,
    /// A cluster query language expression that must hold for the instance.
    MemberOf(String),
}

/// `DeploymentController.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum DeploymentController {
    Ecs,
    CodeDeploy,
    External,
}

/// `Deployment.status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum DeploymentStatus {
    Primary,
    Active,
    Inactive,
}

/// `Deployment.rolloutState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum RolloutState {
    InProgress,
    Completed,
    Failed,
}

/// One deployment of a service.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// `ecs-svc/<19 digits>`; tasks carry it as `startedBy`.
    pub id: String,
    /// Status.
    pub status: DeploymentStatus,
    /// Progress.
    pub rollout_state: RolloutState,
    /// Task definition ARN.
    pub task_definition: String,
    /// Desired count of this deployment.
    pub desired_count: u32,
    /// Tasks of it that stopped without ever running.
    pub failed_tasks: u32,
    /// Created.
    pub created_at: SimTime,
    /// Last change.
    pub updated_at: SimTime,
}

/// A service's link to a target group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBalancer {
    /// Target group ARN; absent for a Classic Load Balancer.
    pub target_group_arn: Option<String>,
    /// Classic Load Balancer name.
    pub load_balancer_name: Option<String>,
    /// Container that serves it.
    pub container_name: String,
    /// Its port.
    pub container_port: u16,
}

/// One line of a service's event list (the last 100 are kept).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceEvent {
    /// UUID-like id.
    pub id: String,
    /// When.
    pub created_at: SimTime,
    /// AWS's wording.
    pub message: String,
}

/// A service's share in a capacity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapacityProviderStrategyItem {
    /// Provider name.
    pub capacity_provider: String,
    /// Tasks that go here first.
    pub base: u32,
    /// Relative share of the rest.
    pub weight: u32,
}

/// An ECS service.
#[derive(Clone, Debug)]
pub struct Service {
    /// Name.
    pub name: String,
    /// ARN (`arn:aws:ecs:…:service/<cluster>/<name>`).
    pub arn: String,
    /// ACTIVE, DRAINING or INACTIVE, spelled as the API does.
    pub status: String,
    /// REPLICA or DAEMON.
    pub scheduling_strategy: SchedulingStrategy,
    /// Desired count; meaningless for DAEMON.
    pub desired_count: u32,
    /// `minimumHealthyPercent`.
    pub minimum_healthy_percent: u32,
    /// `maximumPercent`.
    pub maximum_percent: u32,
    /// Chain of placement strategies; empty = the scheduler's own rule (zone, then instance).
    pub placement_strategy: Vec<PlacementStrategy>,
    /// Constraints of the service (the task definition may add more).
    pub placement_constraints: Vec<PlacementConstraint>,
    /// Capacity provider strategy; empty = launch type EC2.
    pub capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    /// Current task definition ARN.
    pub task_definition: String,
    /// Newest first.
    pub deployments: Vec<Deployment>,
    /// Controller.
    pub deployment_controller: DeploymentController,
    /// Load balancers.
    pub load_balancers: Vec<LoadBalancer>,
    /// `healthCheckGracePeriodSeconds`.
    pub health_check_grace_period: Duration,
    /// `availabilityZoneRebalancing` ENABLED.
    pub availability_zone_rebalancing: bool,
    /// Newest first.
    pub events: Vec<ServiceEvent>,
    /// Created.
    pub created_at: SimTime,
    /// Tags.
    pub tags: Tags,
    /// Not before this moment does the scheduler start another task for this service (throttle logic).
    pub start_not_before: SimTime,
    /// Starts in a row that never reached RUNNING.
    pub failed_starts: u32,
}
