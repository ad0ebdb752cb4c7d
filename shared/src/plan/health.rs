//! Whether a task is healthy, as ECS itself would count it before it lets another go.
//!
//! Source: API `DeploymentConfiguration` (minimumHealthyPercent): behind a load balancer the targets must be healthy,
//! with a container health check the task must be HEALTHY, with both, both; with neither a task counts a while after
//! RUNNING. ECS does not report target health, so it is read from Elastic Load Balancing, and no answer is
//! [`Health::CannotTell`], on which nothing is ever lowered.

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::snapshot::{
    ClusterSnapshot, HealthStatus, Known, LoadBalancer, Service, Target, Task, TaskStatus,
};

/// The three answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It serves.
    Healthy,
    /// It does not, or not yet.
    NotHealthy,
    /// Something that decides it could not be read.
    CannotTell(String),
}

/// Health of one task of `service`; `healthy_after` applies where nothing reports health.
pub fn health_of(
    snapshot: &ClusterSnapshot,
    service: &Service,
    task: &Task,
    healthy_after: Duration,
) -> Health {
    if !task.is_wanted() || task.last_status != TaskStatus::Running {
        return Health::NotHealthy;
    }
    let container = container_health(snapshot, task);
    let targets = service.load_balancers.iter().map(|balancer| target_health(snapshot, task, balancer));
    let reports: Vec<Health> = container.into_iter().chain(targets).collect();
    if reports.is_empty() {
        return running_long_enough(snapshot, task, healthy_after);
    }
    all_of(reports)
}

/// Whether every task is healthy: one that is not decides, then one that cannot be told.
pub fn all_of(reports: impl IntoIterator<Item = Health>) -> Health {
    let mut all = Health::Healthy;
    for report in reports {
        match report {
            Health::NotHealthy => return Health::NotHealthy,
            Health::CannotTell(_) if all == Health::Healthy => all = report,
            Health::CannotTell(_) | Health::Healthy => {}
        }
    }
    all
}

/// The container health check's word; `None` where the task definition has none.
fn container_health(snapshot: &ClusterSnapshot, task: &Task) -> Option<Health> {
    let Some(Known::Known(definition)) = snapshot.task_definitions.get(&task.task_definition) else {
        return Some(Health::CannotTell(format!("task definition {}", task.task_definition.short())));
    };
    let reported = match task.health_status {
        HealthStatus::Healthy => Health::Healthy,
        HealthStatus::Unhealthy | HealthStatus::Unknown => Health::NotHealthy,
    };
    definition.has_health_check.then_some(reported)
}

fn target_health(snapshot: &ClusterSnapshot, task: &Task, balancer: &LoadBalancer) -> Health {
    let Some(group) = &balancer.target_group else {
        return Health::CannotTell("health behind a Classic Load Balancer".to_owned());
    };
    let targets = match snapshot.target_health.get(group) {
        Some(Known::Known(targets)) => targets,
        Some(Known::Unknown(why)) => return Health::CannotTell(format!("target group {group}: {why}")),
        Some(Known::NotAsked) | None => return Health::CannotTell(format!("target group {group}")),
    };
    let addresses = addresses_of(snapshot, task, balancer);
    if targets.iter().any(|target| is_at(target, &addresses) && target.is_healthy) {
        Health::Healthy
    } else {
        Health::NotHealthy
    }
}

fn is_at(target: &Target, addresses: &[(String, u16)]) -> bool {
    addresses.iter().any(|(id, port)| *port != 0 && target.id == *id && target.port == *port)
}

/// Where the target group finds this task: its own address and the container port (awsvpc, target type `ip`), or the
/// EC2 instance and the host port (bridge and host networking, target type `instance`).
fn addresses_of(snapshot: &ClusterSnapshot, task: &Task, balancer: &LoadBalancer) -> Vec<(String, u16)> {
    let own = task.private_ips.iter().map(|ip| (ip.clone(), balancer.container_port));
    let instance = task
        .container_instance
        .as_ref()
        .and_then(|arn| snapshot.container_instances.get(arn))
        .and_then(|instance| instance.instance_id.as_ref());
    let on_instance = instance.into_iter().flat_map(|id| {
        let serving = |binding: &&crate::snapshot::NetworkBinding| {
            binding.container_name == balancer.container_name
                && binding.container_port == balancer.container_port
        };
        let bindings = task.network_bindings.iter().filter(serving);
        bindings.map(|binding| (id.as_str().to_owned(), binding.host_port))
    });
    own.chain(on_instance).collect()
}

fn running_long_enough(snapshot: &ClusterSnapshot, task: &Task, healthy_after: Duration) -> Health {
    match task.started_at {
        Some(started) if snapshot.observed_at.since(started) >= healthy_after => Health::Healthy,
        _ => Health::NotHealthy,
    }
}
