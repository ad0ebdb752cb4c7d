//! SDK types to snapshot types. A value this version does not know becomes `Other`, never something we act on.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_ecs::types as sdk;
use aws_smithy_types::DateTime;

use crate::ids::{
    ContainerInstanceArn, InstanceId, ServiceArn, ServiceName, TargetGroupArn, TaskArn, TaskDefinitionArn,
    ZoneName,
};
use crate::percent::Percent;
use crate::snapshot::{
    ContainerInstance, ContainerInstanceStatus, Deployment, DeploymentController, HealthStatus, LoadBalancer,
    NetworkBinding, PlacementConstraint, PlacementStrategy, Protection, Resources, RolloutState,
    SchedulingStrategy, Service, Tags, Task, TaskDefinition, TaskStatus, Unreadable, UnreadableKind,
};
use crate::timestamp::Timestamp;

pub(super) fn unreadable(kind: UnreadableKind, failure: &sdk::Failure) -> Unreadable {
    Unreadable {
        kind,
        arn: failure.arn().unwrap_or_default().to_owned(),
        reason: failure.reason().unwrap_or("no reason given").to_owned(),
    }
}

pub(super) fn tags(tags: &[sdk::Tag]) -> Tags {
    let pair = |tag: &sdk::Tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()));
    tags.iter().filter_map(pair).collect()
}

pub(super) fn timestamp(time: Option<&DateTime>) -> Option<Timestamp> {
    time.and_then(|time| time.to_millis().ok()).map(Timestamp::from_millis)
}

fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn port(number: Option<i32>) -> u16 {
    number.and_then(|port| u16::try_from(port).ok()).unwrap_or(0)
}

/// A service; `None` if it lacks a name or ARN, which no answer of ECS does.
pub(super) fn service(service: &sdk::Service) -> Option<Service> {
    let percents = service.deployment_configuration();
    let minimum = percents.and_then(sdk::DeploymentConfiguration::minimum_healthy_percent).unwrap_or(100);
    let maximum = percents.and_then(sdk::DeploymentConfiguration::maximum_percent).unwrap_or(200);
    let providers = service.capacity_provider_strategy().iter();
    Some(Service {
        name: ServiceName::new(service.service_name()?),
        arn: ServiceArn::new(service.service_arn()?),
        status: service.status().unwrap_or_default().to_owned(),
        scheduling_strategy: scheduling_strategy(service.scheduling_strategy()),
        tasks_desired: count(service.desired_count()),
        tasks_running: count(service.running_count()),
        tasks_pending: count(service.pending_count()),
        deployment_controller: controller(service),
        deployments: service.deployments().iter().map(deployment).collect(),
        task_definition: TaskDefinitionArn::new(service.task_definition().unwrap_or_default()),
        capacity_providers: providers.map(|item| item.capacity_provider().to_owned()).collect(),
        launch_type: service.launch_type().map(|kind| kind.as_str().to_owned()),
        placement_strategy: service.placement_strategy().iter().map(placement_strategy).collect(),
        placement_constraints: service.placement_constraints().iter().map(placement_constraint).collect(),
        availability_zone_rebalancing: service.availability_zone_rebalancing()
            == Some(&sdk::AvailabilityZoneRebalancing::Enabled),
        minimum_healthy_percent: Percent::new(count(minimum)),
        maximum_percent: Percent::new(count(maximum)),
        load_balancers: service.load_balancers().iter().map(load_balancer).collect(),
        tags: tags(service.tags()),
        last_start_event_at: service
            .events()
            .iter()
            .filter(|event| tells_of_a_start(event))
            .filter_map(event_at)
            .max(),
    })
}

fn event_at(event: &sdk::ServiceEvent) -> Option<Timestamp> {
    timestamp(event.created_at())
}

/// Whether a service event says that tasks were started or could not be placed (ECS Developer Guide, "Viewing Amazon
/// ECS service event messages").
fn tells_of_a_start(event: &sdk::ServiceEvent) -> bool {
    let message = event.message().unwrap_or_default();
    ["has started", "was unable to place a task", "unable to consistently start tasks"]
        .iter()
        .any(|words| message.contains(words))
}

fn scheduling_strategy(strategy: Option<&sdk::SchedulingStrategy>) -> SchedulingStrategy {
    match strategy {
        Some(sdk::SchedulingStrategy::Replica) | None => SchedulingStrategy::Replica,
        Some(sdk::SchedulingStrategy::Daemon) => SchedulingStrategy::Daemon,
        Some(_) => SchedulingStrategy::Other,
    }
}

/// Blue/green and its kin swap target groups, and VPC Lattice reports health where this version does not look: neither
/// counts as the rolling deployment that moves rest on.
fn controller(service: &sdk::Service) -> DeploymentController {
    let strategy = service.deployment_configuration().and_then(sdk::DeploymentConfiguration::strategy);
    let is_rolling = matches!(strategy, None | Some(sdk::DeploymentStrategy::Rolling));
    let has_lattice = service.deployments().iter().any(|it| !it.vpc_lattice_configurations().is_empty());
    if !is_rolling || has_lattice {
        return DeploymentController::Other;
    }
    match service.deployment_controller().map(sdk::DeploymentController::r#type) {
        Some(sdk::DeploymentControllerType::Ecs) | None => DeploymentController::Ecs,
        Some(sdk::DeploymentControllerType::CodeDeploy) => DeploymentController::CodeDeploy,
        Some(sdk::DeploymentControllerType::External) => DeploymentController::External,
        Some(_) => DeploymentController::Other,
    }
}

fn deployment(deployment: &sdk::Deployment) -> Deployment {
    Deployment {
        id: deployment.id().unwrap_or_default().to_owned(),
        status: deployment.status().unwrap_or_default().to_owned(),
        rollout_state: deployment.rollout_state().map(|state| match state {
            sdk::DeploymentRolloutState::Completed => RolloutState::Completed,
            sdk::DeploymentRolloutState::InProgress => RolloutState::InProgress,
            sdk::DeploymentRolloutState::Failed => RolloutState::Failed,
            _ => RolloutState::Other,
        }),
    }
}

fn placement_strategy(strategy: &sdk::PlacementStrategy) -> PlacementStrategy {
    let field = strategy.field().unwrap_or_default().to_owned();
    match strategy.r#type() {
        Some(sdk::PlacementStrategyType::Random) => PlacementStrategy::Random,
        Some(sdk::PlacementStrategyType::Spread) => PlacementStrategy::Spread(field),
        Some(sdk::PlacementStrategyType::Binpack) => PlacementStrategy::Binpack(field),
        other => PlacementStrategy::Other(other.map_or_else(String::new, |kind| kind.as_str().to_owned())),
    }
}

fn placement_constraint(constraint: &sdk::PlacementConstraint) -> PlacementConstraint {
    match constraint.r#type() {
        Some(sdk::PlacementConstraintType::DistinctInstance) => PlacementConstraint::DistinctInstance,
        Some(sdk::PlacementConstraintType::MemberOf) => member_of(constraint.expression()),
        other => PlacementConstraint::Other(other.map_or_else(String::new, |kind| kind.as_str().to_owned())),
    }
}

fn member_of(expression: Option<&str>) -> PlacementConstraint {
    PlacementConstraint::MemberOf(expression.unwrap_or_default().to_owned())
}

fn load_balancer(balancer: &sdk::LoadBalancer) -> LoadBalancer {
    LoadBalancer {
        target_group: balancer.target_group_arn().map(TargetGroupArn::new),
        container_name: balancer.container_name().unwrap_or_default().to_owned(),
        container_port: port(balancer.container_port()),
    }
}

/// A task; `None` if it lacks an ARN, which no answer of ECS does.
pub(super) fn task(task: &sdk::Task) -> Option<Task> {
    Some(Task {
        arn: TaskArn::new(task.task_arn()?),
        service: task.group().and_then(|group| group.strip_prefix("service:")).map(ServiceName::new),
        container_instance: task.container_instance_arn().map(ContainerInstanceArn::new),
        last_status: task_status(task.last_status()),
        desired_status: task_status(task.desired_status()),
        health_status: match task.health_status() {
            Some(sdk::HealthStatus::Healthy) => HealthStatus::Healthy,
            Some(sdk::HealthStatus::Unhealthy) => HealthStatus::Unhealthy,
            _ => HealthStatus::Unknown,
        },
        created_at: timestamp(task.created_at()),
        started_at: timestamp(task.started_at()),
        task_definition: TaskDefinitionArn::new(task.task_definition_arn().unwrap_or_default()),
        started_by: task.started_by().map(str::to_owned),
        capacity_provider: task.capacity_provider_name().map(str::to_owned),
        network_bindings: task.containers().iter().flat_map(bindings).collect(),
        private_ips: task.containers().iter().flat_map(private_ips).collect(),
        stop_code: task.stop_code().map(|code| code.as_str().to_owned()),
        stopped_reason: task.stopped_reason().map(str::to_owned),
        stopping_at: timestamp(task.stopping_at()),
        cpu: task.cpu().and_then(|cpu| cpu.parse().ok()),
        memory: task.memory().and_then(|memory| memory.parse().ok()),
    })
}

fn task_status(status: Option<&str>) -> TaskStatus {
    match status.unwrap_or_default() {
        "PROVISIONING" => TaskStatus::Provisioning,
        "PENDING" => TaskStatus::Pending,
        "ACTIVATING" => TaskStatus::Activating,
        "RUNNING" => TaskStatus::Running,
        "DEACTIVATING" => TaskStatus::Deactivating,
        "STOPPING" => TaskStatus::Stopping,
        "DEPROVISIONING" => TaskStatus::Deprovisioning,
        "STOPPED" => TaskStatus::Stopped,
        _ => TaskStatus::Other,
    }
}

fn bindings(container: &sdk::Container) -> Vec<NetworkBinding> {
    let binding = |binding: &sdk::NetworkBinding| NetworkBinding {
        container_name: container.name().unwrap_or_default().to_owned(),
        container_port: port(binding.container_port()),
        host_port: port(binding.host_port()),
    };
    container.network_bindings().iter().map(binding).collect()
}

fn private_ips(container: &sdk::Container) -> Vec<String> {
    let address = |interface: &sdk::NetworkInterface| interface.private_ipv4_address().map(str::to_owned);
    container.network_interfaces().iter().filter_map(address).collect()
}

/// A container instance; `None` if it lacks an ARN, which no answer of ECS does.
pub(super) fn container_instance(instance: &sdk::ContainerInstance) -> Option<ContainerInstance> {
    let attributes: BTreeMap<String, Option<String>> = instance
        .attributes()
        .iter()
        .map(|it| (it.name().to_owned(), it.value().map(str::to_owned)))
        .collect();
    Some(ContainerInstance {
        arn: ContainerInstanceArn::new(instance.container_instance_arn()?),
        instance_id: instance.ec2_instance_id().map(InstanceId::new),
        zone: attributes.get("ecs.availability-zone").cloned().flatten().map(ZoneName::new),
        capacity_provider: instance.capacity_provider_name().map(str::to_owned),
        status: match instance.status() {
            Some("ACTIVE") => ContainerInstanceStatus::Active,
            Some("DRAINING") => ContainerInstanceStatus::Draining,
            Some("INACTIVE") => ContainerInstanceStatus::Inactive,
            _ => ContainerInstanceStatus::Other,
        },
        agent_connected: instance.agent_connected(),
        agent_version: instance.version_info().and_then(|info| info.agent_version()).map(str::to_owned),
        registered_at: timestamp(instance.registered_at()),
        attributes,
        registered: resources(instance.registered_resources()),
        remaining: resources(instance.remaining_resources()),
        tasks_running: count(instance.running_tasks_count()),
        tasks_pending: count(instance.pending_tasks_count()),
    })
}

fn resources(resources: &[sdk::Resource]) -> Resources {
    let find = |name: &str| resources.iter().find(|resource| resource.name() == Some(name));
    let number = |name: &str| find(name).map_or(0, |it| u64::try_from(it.integer_value()).unwrap_or(0));
    let set = |name: &str| find(name).map(sdk::Resource::string_set_value).unwrap_or_default();
    Resources {
        cpu: number("CPU"),
        memory: number("MEMORY"),
        gpus: set("GPU").len() as u32,
        ports: set("PORTS").iter().filter_map(|port| port.parse().ok()).collect(),
    }
}

/// `stopTimeout` of a container that has none: the agent's own default. An agent may be given another in its
/// `ECS_CONTAINER_STOP_TIMEOUT`, which no call tells (ECS Developer Guide, "Amazon ECS container agent configuration").
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

fn stop_timeout(container: &sdk::ContainerDefinition) -> Duration {
    let seconds = container.stop_timeout().and_then(|seconds| u64::try_from(seconds).ok());
    seconds.map_or(STOP_TIMEOUT, Duration::from_secs)
}

/// Reads what a task definition asks of an instance.
pub(super) fn task_definition(definition: &sdk::TaskDefinition) -> TaskDefinition {
    let containers = definition.container_definitions();
    let sum = |of: fn(&sdk::ContainerDefinition) -> u64| containers.iter().map(of).sum::<u64>();
    let whole = |text: Option<&str>| text.and_then(|text| text.parse::<u64>().ok());
    let memory = |it: &sdk::ContainerDefinition| positive(it.memory_reservation().or(it.memory()));
    let ports = containers.iter().flat_map(sdk::ContainerDefinition::port_mappings);
    let constraints = definition.placement_constraints().iter();
    let attributes = definition.requires_attributes().iter();
    TaskDefinition {
        cpu: whole(definition.cpu()).unwrap_or_else(|| sum(|it| positive(Some(it.cpu())))),
        memory: whole(definition.memory()).unwrap_or_else(|| sum(memory)),
        gpus: containers.iter().map(gpus).sum(),
        host_ports: ports.map(|mapping| port(mapping.host_port())).filter(|port| *port != 0).collect(),
        has_health_check: containers
            .iter()
            .any(|it| it.health_check().is_some() && it.essential() != Some(false)),
        stop_timeout: containers.iter().map(stop_timeout).max().unwrap_or(STOP_TIMEOUT),
        network_mode: definition.network_mode().map_or_else(String::new, |mode| mode.as_str().to_owned()),
        placement_constraints: constraints.map(|it| member_of(it.expression())).collect(),
        requires_attributes: attributes
            .map(|it| (it.name().to_owned(), it.value().map(str::to_owned)))
            .collect(),
    }
}

fn positive(number: Option<i32>) -> u64 {
    number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0)
}

fn gpus(container: &sdk::ContainerDefinition) -> u32 {
    let gpu = |it: &&sdk::ResourceRequirement| it.r#type() == &sdk::ResourceType::Gpu;
    container.resource_requirements().iter().filter(gpu).filter_map(|it| it.value().parse::<u32>().ok()).sum()
}

/// One answer of `GetTaskProtection`.
pub(super) fn protection(task: &sdk::ProtectedTask) -> Option<(TaskArn, Protection)> {
    let protection =
        Protection { enabled: task.protection_enabled(), expires_at: timestamp(task.expiration_date()) };
    Some((TaskArn::new(task.task_arn()?), protection))
}
