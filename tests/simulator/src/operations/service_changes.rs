//! `UpdateService`, `CreateService` and `DeleteService`.
//!
//! A deployment is started by another task definition, other load balancers, or `forceNewDeployment`; every
//! other member changes the service in place (the API reference says so member by member).
//!
//! Simplified: members this account does not model (network, service registries, volumes, Service Connect)
//! are ignored; the deployment circuit breaker is not there.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::placement_members::{self, ConstraintMember, LoadBalancerMember, ProviderMember, StrategyMember};
use super::service_shape::{ServiceShape, status};
use super::tags::{self, TagInput};
use super::{Answer, Change, names};
use crate::account::{Account, DeploymentController, DeploymentStatus, SchedulingStrategy, Service, Tags};
use crate::scheduler::deployments;
use crate::time::SimTime;
use crate::wire::{ApiError, json};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Configuration {
    minimum_healthy_percent: Option<u32>,
    maximum_percent: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Controller {
    r#type: String,
}

/// The members `CreateService` and `UpdateService` share, and the few that only one of them has.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Input {
    cluster: Option<String>,
    service: String,
    service_name: String,
    desired_count: Option<u32>,
    task_definition: Option<String>,
    capacity_provider_strategy: Option<Vec<ProviderMember>>,
    deployment_configuration: Option<Configuration>,
    deployment_controller: Option<Controller>,
    availability_zone_rebalancing: Option<String>,
    placement_constraints: Option<Vec<ConstraintMember>>,
    placement_strategy: Option<Vec<StrategyMember>>,
    scheduling_strategy: Option<String>,
    force_new_deployment: bool,
    health_check_grace_period_seconds: Option<u64>,
    load_balancers: Option<Vec<LoadBalancerMember>>,
    tags: Vec<TagInput>,
    force: bool,
}

#[derive(Serialize)]
struct Output<'a> {
    service: ServiceShape<'a>,
}

fn output(account: &Account, cluster: &str, service: &str) -> Vec<u8> {
    let cluster = &account.clusters[cluster];
    json::output(&Output { service: ServiceShape::new(cluster, &cluster.services[service], true) })
}

pub(super) fn update(change: &mut Change<'_>, input: &Value) -> Answer {
    let input: Input = json::input(input)?;
    let definition = definition(change.account, input.task_definition.as_deref())?;
    let now = change.account.now;
    let cluster = names::cluster_mut(change.account, input.cluster.as_deref())?;
    let (cluster_name, reference) = (cluster.name.clone(), input.service.clone());
    let service = names::active_service(cluster, &reference)?;
    let (name, before) = (service.name.clone(), service.desired_count);
    let starts_deployment =
        input.force_new_deployment || definition.is_some() || input.load_balancers.is_some();
    let definition = definition.unwrap_or_else(|| service.task_definition.clone());
    let mut changed = service.clone();
    apply(&mut changed, input, now)?;
    let after = changed.desired_count;
    *service = changed;
    if before != after {
        change.note(&name, format!("desired count {before} -> {after}"));
    }
    if starts_deployment {
        deployments::start_deployment(change.account, &cluster_name, &name, &definition);
    }
    Ok(output(change.account, &cluster_name, &name))
}

fn definition(account: &Account, reference: Option<&str>) -> Result<Option<String>, ApiError> {
    let Some(reference) = reference else { return Ok(None) };
    let found = names::task_definition(&account.task_definitions, reference);
    found.map(Some).ok_or_else(|| ApiError::new("ClientException", "TaskDefinition not found."))
}

/// Writes the members of a request into a service.
fn apply(service: &mut Service, input: Input, now: SimTime) -> Result<(), ApiError> {
    if let Some(count) = input.desired_count {
        set_desired_count(service, count, now)?;
    }
    if let Some(configuration) = input.deployment_configuration {
        set_percentages(service, &configuration)?;
    }
    if let Some(members) = input.placement_strategy {
        service.placement_strategy = placement_members::strategies(members)?;
    }
    if let Some(members) = input.placement_constraints {
        service.placement_constraints = placement_members::constraints(members)?;
    }
    if let Some(members) = input.capacity_provider_strategy {
        service.capacity_provider_strategy = members.into_iter().map(ProviderMember::read).collect();
    }
    if let Some(members) = input.load_balancers {
        service.load_balancers = members.into_iter().map(LoadBalancerMember::read).collect();
    }
    if let Some(seconds) = input.health_check_grace_period_seconds {
        service.health_check_grace_period = Duration::from_secs(seconds);
    }
    if let Some(setting) = input.availability_zone_rebalancing {
        set_zone_rebalancing(service, &setting)?;
    }
    Ok(())
}

fn set_desired_count(service: &mut Service, count: u32, now: SimTime) -> Result<(), ApiError> {
    if service.scheduling_strategy == SchedulingStrategy::Daemon {
        return Err(ApiError::invalid_parameter(
            "The daemon scheduling strategy does not support a desired count for services. \
             Remove the desired count value and try again",
        ));
    }
    service.desired_count = count;
    let primary = |status| status == DeploymentStatus::Primary;
    if let Some(deployment) = service.deployments.iter_mut().find(|deployment| primary(deployment.status)) {
        deployment.desired_count = count;
        deployment.updated_at = now;
    }
    Ok(())
}

fn set_percentages(service: &mut Service, configuration: &Configuration) -> Result<(), ApiError> {
    let minimum = configuration.minimum_healthy_percent.unwrap_or(service.minimum_healthy_percent);
    let maximum = configuration.maximum_percent.unwrap_or(service.maximum_percent);
    if maximum < minimum.max(1) {
        return Err(ApiError::invalid_parameter("maximumPercent must not be below minimumHealthyPercent."));
    }
    (service.minimum_healthy_percent, service.maximum_percent) = (minimum, maximum);
    Ok(())
}

/// Refused where "Balancing an Amazon ECS service across Availability Zones" says that it cannot work.
fn set_zone_rebalancing(service: &mut Service, setting: &str) -> Result<(), ApiError> {
    let enabled = match setting {
        "ENABLED" => true,
        "DISABLED" => false,
        other => {
            return Err(ApiError::invalid_parameter(format!("Unknown availabilityZoneRebalancing {other}.")));
        }
    };
    if enabled && !may_rebalance_zones(service) {
        return Err(ApiError::invalid_parameter(
            "The service does not support Availability Zone rebalancing.",
        ));
    }
    service.availability_zone_rebalancing = enabled;
    Ok(())
}

fn may_rebalance_zones(service: &Service) -> bool {
    let first = service.placement_strategy.first().map(|strategy| strategy.field.as_str());
    service.scheduling_strategy == SchedulingStrategy::Replica
        && service.maximum_percent > 100
        && first.is_none_or(|field| field == "attribute:ecs.availability-zone")
        && service.load_balancers.iter().all(|balancer| balancer.load_balancer_name.is_none())
}

pub(super) fn create(change: &mut Change<'_>, input: &Value) -> Answer {
    let input: Input = json::input(input)?;
    let definition = definition(change.account, input.task_definition.as_deref())?
        .ok_or_else(|| ApiError::invalid_parameter("TaskDefinition is required."))?;
    let now = change.account.now;
    let cluster = names::cluster_mut(change.account, input.cluster.as_deref())?;
    let (cluster_name, name) = (cluster.name.clone(), input.service_name.clone());
    let existing = cluster.services.get(&name).is_some_and(|service| status(cluster, service) != "INACTIVE");
    if name.is_empty() || existing {
        return Err(ApiError::invalid_parameter("Creation of service was not idempotent."));
    }
    let arn = names::arn_in(cluster, "service", &name)?;
    let mut service = blank(&name, arn, &definition, &input, now)?;
    let zones_by_default = input.availability_zone_rebalancing.is_none();
    service.tags = tags::checked(input.tags.clone())?;
    apply(&mut service, input, now)?;
    service.availability_zone_rebalancing |= zones_by_default && may_rebalance_zones(&service);
    let desired = service.desired_count;
    cluster.services.insert(name.clone(), service);
    change.note(&name, format!("created with desired count {desired}"));
    deployments::start_deployment(change.account, &cluster_name, &name, &definition);
    Ok(output(change.account, &cluster_name, &name))
}

/// A service with the defaults of its scheduling strategy.
fn blank(
    name: &str,
    arn: String,
    definition: &str,
    input: &Input,
    now: SimTime,
) -> Result<Service, ApiError> {
    let strategy = strategy(input.scheduling_strategy.as_deref())?;
    let (minimum, maximum) = if strategy == SchedulingStrategy::Daemon { (0, 100) } else { (100, 200) };
    Ok(Service {
        name: name.to_owned(),
        arn,
        status: "ACTIVE".to_owned(),
        scheduling_strategy: strategy,
        desired_count: 0,
        minimum_healthy_percent: minimum,
        maximum_percent: maximum,
        placement_strategy: Vec::new(),
        placement_constraints: Vec::new(),
        capacity_provider_strategy: Vec::new(),
        task_definition: definition.to_owned(),
        deployments: Vec::new(),
        deployment_controller: controller(input.deployment_controller.as_ref())?,
        load_balancers: Vec::new(),
        health_check_grace_period: Duration::ZERO,
        availability_zone_rebalancing: false,
        events: Vec::new(),
        created_at: now,
        tags: Tags::new(),
        start_not_before: now,
        failed_starts: 0,
    })
}

fn strategy(name: Option<&str>) -> Result<SchedulingStrategy, ApiError> {
    match name {
        None | Some("REPLICA") => Ok(SchedulingStrategy::Replica),
        Some("DAEMON") => Ok(SchedulingStrategy::Daemon),
        Some(other) => Err(ApiError::invalid_parameter(format!("Unknown schedulingStrategy {other}."))),
    }
}

fn controller(controller: Option<&Controller>) -> Result<DeploymentController, ApiError> {
    match controller.map(|controller| controller.r#type.as_str()) {
        None | Some("ECS") => Ok(DeploymentController::Ecs),
        Some("CODE_DEPLOY") => Ok(DeploymentController::CodeDeploy),
        Some("EXTERNAL") => Ok(DeploymentController::External),
        Some(other) => Err(ApiError::invalid_parameter(format!("Unknown deployment controller {other}."))),
    }
}

pub(super) fn delete(change: &mut Change<'_>, input: &Value) -> Answer {
    let input: Input = json::input(input)?;
    let cluster = names::cluster_mut(change.account, input.cluster.as_deref())?;
    let cluster_name = cluster.name.clone();
    names::service(cluster, &input.service)?;
    let service = names::active_service(cluster, &input.service)?;
    let is_replica = service.scheduling_strategy == SchedulingStrategy::Replica;
    if is_replica && service.desired_count > 0 && !input.force {
        return Err(ApiError::invalid_parameter("The service cannot be stopped while it is scaled above 0."));
    }
    "DRAINING".clone_into(&mut service.status);
    service.desired_count = 0;
    service.deployments.iter_mut().for_each(|deployment| deployment.desired_count = 0);
    let name = service.name.clone();
    change.note(&name, "deleted");
    Ok(output(change.account, &cluster_name, &name))
}
