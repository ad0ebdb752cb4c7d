//! A service as the API writes it.
//!
//! Simplified: no task sets, service registries or revisions; `deploymentConfiguration` is the two
//! percentages.

use serde::Serialize;

use super::placement_members::{ConstraintMember, LoadBalancerMember, ProviderMember, StrategyMember};
use super::tags::TagShape;
use crate::account::{
    Cluster, Deployment, DeploymentController, DeploymentStatus, RolloutState, SchedulingStrategy, Service,
    Task, TaskStatus,
};
use crate::wire::json::timestamp;

/// API shape `Service`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServiceShape<'a> {
    service_arn: &'a str,
    service_name: &'a str,
    cluster_arn: &'a str,
    load_balancers: Vec<LoadBalancerMember>,
    service_registries: [(); 0],
    status: &'a str,
    desired_count: u32,
    running_count: usize,
    pending_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    launch_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    capacity_provider_strategy: Vec<ProviderMember>,
    task_definition: &'a str,
    deployment_configuration: ConfigurationShape,
    deployments: Vec<DeploymentShape<'a>>,
    events: Vec<EventShape<'a>>,
    created_at: f64,
    placement_constraints: Vec<ConstraintMember>,
    placement_strategy: Vec<StrategyMember>,
    #[serde(skip_serializing_if = "Option::is_none")]
    health_check_grace_period_seconds: Option<u64>,
    scheduling_strategy: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment_controller: Option<ControllerShape>,
    tags: Vec<TagShape<'a>>,
    #[serde(rename = "enableECSManagedTags")]
    enable_ecs_managed_tags: bool,
    propagate_tags: &'static str,
    enable_execute_command: bool,
    availability_zone_rebalancing: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConfigurationShape {
    maximum_percent: u32,
    minimum_healthy_percent: u32,
}

#[derive(Serialize)]
struct ControllerShape {
    r#type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventShape<'a> {
    id: &'a str,
    created_at: f64,
    message: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeploymentShape<'a> {
    id: &'a str,
    status: &'static str,
    task_definition: &'a str,
    desired_count: u32,
    pending_count: usize,
    running_count: usize,
    failed_tasks: u32,
    created_at: f64,
    updated_at: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    launch_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rollout_state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rollout_state_reason: Option<String>,
}

impl<'a> ServiceShape<'a> {
    /// The shape of one service.
    pub(super) fn new(cluster: &'a Cluster, service: &'a Service, with_tags: bool) -> Self {
        let tasks: Vec<&Task> = wanted_tasks(cluster, service);
        let launch_type = service.capacity_provider_strategy.is_empty().then_some("EC2");
        let deployments = service.deployments.iter();
        let deployments = deployments.map(|of| deployment(service, of, &tasks, launch_type)).collect();
        Self {
            service_arn: &service.arn,
            service_name: &service.name,
            cluster_arn: &cluster.arn,
            load_balancers: service.load_balancers.iter().map(LoadBalancerMember::new).collect(),
            service_registries: [],
            status: status(cluster, service),
            desired_count: service.desired_count,
            running_count: running(&tasks),
            pending_count: tasks.len() - running(&tasks),
            launch_type,
            capacity_provider_strategy: service
                .capacity_provider_strategy
                .iter()
                .map(ProviderMember::new)
                .collect(),
            task_definition: &service.task_definition,
            deployment_configuration: ConfigurationShape {
                maximum_percent: service.maximum_percent,
                minimum_healthy_percent: service.minimum_healthy_percent,
            },
            deployments,
            events: events(service),
            created_at: timestamp(service.created_at),
            placement_constraints: service.placement_constraints.iter().map(ConstraintMember::new).collect(),
            placement_strategy: service.placement_strategy.iter().map(StrategyMember::new).collect(),
            health_check_grace_period_seconds: grace_period(service),
            scheduling_strategy: scheduling_strategy(service.scheduling_strategy),
            deployment_controller: Some(ControllerShape {
                r#type: controller(service.deployment_controller),
            }),
            tags: TagShape::list(&service.tags, with_tags),
            enable_ecs_managed_tags: false,
            propagate_tags: "NONE",
            enable_execute_command: false,
            availability_zone_rebalancing: on_off(service.availability_zone_rebalancing),
        }
    }
}

/// A deleted service is DRAINING until all of its tasks are STOPPING or further, and INACTIVE from then on.
pub(super) fn status<'a>(cluster: &Cluster, service: &'a Service) -> &'a str {
    let mut own = cluster.tasks.values().filter(|task| task.service() == Some(&service.name));
    let is_over = service.status == "DRAINING" && own.all(|task| task.last_status >= TaskStatus::Stopping);
    if is_over { "INACTIVE" } else { &service.status }
}

/// The tasks that count as running or pending: a task being stopped is in neither number.
fn wanted_tasks<'a>(cluster: &'a Cluster, service: &Service) -> Vec<&'a Task> {
    let own = cluster.tasks.values().filter(|task| task.service() == Some(&service.name));
    own.filter(|task| task.is_wanted() && task.last_status <= TaskStatus::Running).collect()
}

fn running(tasks: &[&Task]) -> usize {
    tasks.iter().filter(|task| task.last_status == TaskStatus::Running).count()
}

fn grace_period(service: &Service) -> Option<u64> {
    (!service.load_balancers.is_empty()).then_some(service.health_check_grace_period.as_secs())
}

fn events(service: &Service) -> Vec<EventShape<'_>> {
    let events = service.events.iter().take(100);
    let shape = |(id, at, message)| EventShape { id, created_at: timestamp(at), message };
    events.map(|event| shape((event.id.as_str(), event.created_at, event.message.as_str()))).collect()
}

fn deployment<'a>(
    service: &Service,
    deployment: &'a Deployment,
    tasks: &[&Task],
    launch_type: Option<&'static str>,
) -> DeploymentShape<'a> {
    let own = tasks.iter().filter(|task| task.started_by.as_deref() == Some(&deployment.id)).copied();
    let own: Vec<&Task> = own.collect();
    let rollout_state = has_rollout_state(service).then(|| rollout_state(deployment.rollout_state));
    DeploymentShape {
        id: &deployment.id,
        status: deployment_status(deployment.status),
        task_definition: &deployment.task_definition,
        desired_count: deployment.desired_count,
        pending_count: own.len() - running(&own),
        running_count: running(&own),
        failed_tasks: deployment.failed_tasks,
        created_at: timestamp(deployment.created_at),
        updated_at: timestamp(deployment.updated_at),
        launch_type,
        rollout_state,
        rollout_state_reason: rollout_state.map(|state| reason(&deployment.id, state)),
    }
}

/// "Only returned for services that use the rolling update deployment type and aren't behind a Classic Load
/// Balancer."
fn has_rollout_state(service: &Service) -> bool {
    let is_rolling = service.deployment_controller == DeploymentController::Ecs;
    is_rolling && service.load_balancers.iter().all(|balancer| balancer.load_balancer_name.is_none())
}

fn reason(deployment: &str, state: &str) -> String {
    let words = match state {
        "COMPLETED" => "completed",
        "FAILED" => "failed",
        _ => "in progress",
    };
    format!("ECS deployment {deployment} {words}.")
}

fn deployment_status(status: DeploymentStatus) -> &'static str {
    match status {
        DeploymentStatus::Primary => "PRIMARY",
        DeploymentStatus::Active => "ACTIVE",
        DeploymentStatus::Inactive => "INACTIVE",
    }
}

fn rollout_state(state: RolloutState) -> &'static str {
    match state {
        RolloutState::InProgress => "IN_PROGRESS",
        RolloutState::Completed => "COMPLETED",
        RolloutState::Failed => "FAILED",
    }
}

/// `schedulingStrategy` as the API spells it.
pub(super) fn scheduling_strategy(strategy: SchedulingStrategy) -> &'static str {
    match strategy {
        SchedulingStrategy::Replica => "REPLICA",
        SchedulingStrategy::Daemon => "DAEMON",
    }
}

fn controller(controller: DeploymentController) -> &'static str {
    match controller {
        DeploymentController::Ecs => "ECS",
        DeploymentController::CodeDeploy => "CODE_DEPLOY",
        DeploymentController::External => "EXTERNAL",
    }
}

fn on_off(enabled: bool) -> &'static str {
    if enabled { "ENABLED" } else { "DISABLED" }
}
