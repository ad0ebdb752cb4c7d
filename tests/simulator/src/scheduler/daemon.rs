//! The service scheduler for DAEMON services: one task on each ACTIVE container instance that qualifies.
//!
//! From "Amazon ECS services" (daemon) and `DeploymentConfiguration`: no desired count, never two on one
//! instance (maximum 100 %), and on a DRAINING instance the daemon goes last, once no service task there is
//! RUNNING any more (amazon-ecs-agent issue 3829).

use std::collections::BTreeSet;

use super::replica::{self, Census, Standing};
use super::{deployments, events, lifecycle, tasks};
use crate::account::{
    Account, Cluster, ContainerInstance, ContainerInstanceStatus, SchedulingStrategy, Service, StopCause,
    StopCode, Task, TaskStatus,
};
use crate::placement::{self, room::Occupancy};

/// Looks at the service once.
pub(crate) fn reconcile(account: &mut Account, cluster: &str, service: &str) {
    let homes = eligible(account, cluster, service);
    set_desired(account, cluster, service, homes.len() as u32);
    let census = Census::take(account, cluster, service);
    stop_misplaced(account, (cluster, service), &homes);
    stop_outdated(account, (cluster, service), &census);
    start_missing(account, (cluster, service), &homes);
    if deployments::follow(account, cluster, service, &census) && !replica::retire(account, cluster, service)
    {
        events::say(account, cluster, service, "has reached a steady state.");
    }
}

fn set_desired(account: &mut Account, cluster: &str, service: &str, count: u32) {
    let cluster = account.clusters.get_mut(cluster).expect("the service's cluster exists");
    if let Some(service) = cluster.services.get_mut(service) {
        service.desired_count = count;
    }
}

/// ARNs of the instances that should carry a task of the service.
fn eligible(account: &Account, cluster: &str, service: &str) -> BTreeSet<String> {
    let cluster = &account.clusters[cluster];
    let service = &cluster.services[service];
    let instances = cluster.container_instances.values();
    instances
        .filter(|instance| qualifies(account, cluster, service, instance))
        .map(|i| i.arn.clone())
        .collect()
}

fn qualifies(account: &Account, cluster: &Cluster, service: &Service, instance: &ContainerInstance) -> bool {
    let group = format!("service:{}", service.name);
    let definition = account.task_definitions.get(&service.task_definition);
    let of_definition = definition.map_or(&[][..], |definition| &definition.placement_constraints);
    instance.status == ContainerInstanceStatus::Active
        && service.status == "ACTIVE"
        && placement::allows(account, cluster, &service.placement_constraints, &group, instance)
        && placement::allows(account, cluster, of_definition, &group, instance)
}

fn stop_misplaced(account: &mut Account, (cluster, service): (&str, &str), homes: &BTreeSet<String>) {
    let here = &account.clusters[cluster];
    let misplaced = |task: &&Task| {
        task.service() == Some(service)
            && task.is_wanted()
            && task.container_instance.as_ref().is_some_and(|arn| !homes.contains(arn))
            && !replicas_run_beside(here, task)
    };
    let arns: Vec<_> = here.tasks.values().filter(misplaced).map(|task| task.arn.clone()).collect();
    for arn in &arns {
        stop(account, (cluster, service), arn, StopCause::DaemonPlacement);
    }
}

/// Whether a task of a replica service is still up on the same instance.
fn replicas_run_beside(cluster: &Cluster, daemon: &Task) -> bool {
    let is_replica = |task: &Task| {
        let service = super::health::service_of(cluster, task);
        service.is_some_and(|service| service.scheduling_strategy == SchedulingStrategy::Replica)
    };
    let mut beside =
        cluster.tasks.values().filter(|task| task.container_instance == daemon.container_instance);
    beside.any(|task| task.last_status <= TaskStatus::Running && is_replica(task))
}

fn stop_outdated(account: &mut Account, (cluster, service): (&str, &str), census: &Census) {
    let healthy = census.members.iter().filter(|member| member.healthy).count() as u32;
    let mut budget = healthy.saturating_sub(census.bounds.floor);
    for member in census.members.iter().filter(|member| member.standing == Standing::Outdated) {
        if member.healthy && budget == 0 {
            continue;
        }
        budget -= u32::from(member.healthy);
        stop(account, (cluster, service), &member.arn, StopCause::Deployment);
    }
}

fn stop(account: &mut Account, (cluster, service): (&str, &str), task_arn: &str, cause: StopCause) {
    let reason = replica::reason(account, (cluster, service), cause);
    let code = StopCode::ServiceSchedulerInitiated;
    lifecycle::stop_because(account, cluster, task_arn, (code, cause), &reason);
}

fn start_missing(account: &mut Account, (cluster, service): (&str, &str), homes: &BTreeSet<String>) {
    if account.clusters[cluster].services[service].start_not_before > account.now {
        return;
    }
    let mut started = Vec::new();
    for arn in homes {
        if has_room(account, (cluster, service), arn) {
            started.extend(start_on(account, (cluster, service), arn));
        }
    }
    if !started.is_empty() {
        let what = format!("has started {} tasks: {}.", started.len(), events::task_list(&started));
        events::say(account, cluster, service, &what);
    }
}

/// Whether the instance lacks its task, listens, and can take it.
fn has_room(account: &Account, (cluster, service): (&str, &str), instance_arn: &str) -> bool {
    let here = &account.clusters[cluster];
    let instance = &here.container_instances[instance_arn];
    let there = |task: &Task| {
        task.service() == Some(service)
            && task.container_instance.as_ref() == Some(&instance.arn)
            && task.last_status <= TaskStatus::Running
    };
    if here.tasks.values().any(there) || !instance.agent_connected {
        return false;
    }
    let Some(definition) = account.task_definitions.get(&here.services[service].task_definition) else {
        return false;
    };
    Occupancy::new(account, here).lack(instance, definition, &format!("service:{service}")).is_none()
}

fn start_on(account: &mut Account, (cluster, service): (&str, &str), instance_arn: &str) -> Option<String> {
    let service = &account.clusters[cluster].services[service];
    let new = tasks::NewTask {
        group: format!("service:{}", service.name),
        started_by: service.deployments.first().map(|deployment| deployment.id.clone()),
        task_definition: service.task_definition.clone(),
        container_instance: Some(instance_arn.to_owned()),
        capacity_provider: None,
    };
    tasks::create(account, cluster, new)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::builder::{self, AccountBuilder};
    use crate::scheduler::Engine;

    fn account() -> Account {
        AccountBuilder::new(2)
            .cluster("web")
            .instance("i-a1", "a", |i| i)
            .instance("i-b1", "b", |i| i)
            .task_definition("log", |t| t)
            .task_definition("web", |t| t.stop_timeout(Duration::from_secs(30)))
            .service("log", |s| s.daemon().on(&["i-a1", "i-b1"]))
            .service("web", |s| s.on(&["i-a1", "i-b1"]))
            .build()
    }

    fn on<'a>(account: &'a Account, service: &str, id: &str) -> Vec<&'a Task> {
        let cluster = &account.clusters["web"];
        let tasks = cluster.tasks.values().filter(|task| task.service() == Some(service) && task.is_wanted());
        tasks
            .filter(|t| {
                cluster.container_instances[t.container_instance.as_ref().unwrap()].ec2_instance_id == id
            })
            .collect()
    }

    #[test]
    fn a_new_instance_gets_its_daemon() {
        let mut account = account();
        builder::register(&mut account, "web", "i-a2", "a", |i| i);
        let until = account.now + Duration::from_mins(1);
        Engine::new(2).advance(&mut account, until, &mut |_| ());
        assert_eq!(on(&account, "log", "i-a2").len(), 1);
        assert_eq!(account.clusters["web"].services["log"].desired_count, 3);
    }

    #[test]
    fn on_a_draining_instance_the_daemon_goes_last() {
        let mut account = account();
        let instances = &mut account.clusters.get_mut("web").expect("built").container_instances;
        let instance =
            instances.values_mut().find(|instance| instance.ec2_instance_id == "i-a1").expect("built");
        instance.status = ContainerInstanceStatus::Draining;
        let until = account.now + Duration::from_mins(5);
        Engine::new(2).advance(&mut account, until, &mut |account| {
            if on(account, "log", "i-a1").is_empty() {
                assert!(on(account, "web", "i-a1").is_empty(), "the replica task went first");
            }
        });
        assert!(on(&account, "log", "i-a1").is_empty());
        assert_eq!(on(&account, "web", "i-b1").len(), 2);
    }
}
