//! How tasks come into being: their ids, their fate, their ports.
//!
//! Fate and pace are drawn once, when the task is created, from the account's dice. Dynamic host ports are
//! taken from 49153-65535, the range the agent uses on EC2 (API Reference, `PortMapping`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{events, targets};
use crate::account::{Account, HealthStatus, Task, TaskDefinition, TaskStatus};
use crate::placement;
use crate::timeline::short;

/// First dynamic host port on EC2.
const FIRST_DYNAMIC_PORT: u16 = 49_153;

/// What is asked of a new task.
#[derive(Clone, Debug)]
pub(crate) struct NewTask {
    pub group: String,
    pub started_by: Option<String>,
    pub task_definition: String,
    pub container_instance: Option<String>,
    pub capacity_provider: Option<String>,
}

/// Creates a task in PENDING, or in PROVISIONING if it has no container instance yet; `None` if the cluster
/// or the task definition does not exist.
pub(crate) fn create(account: &mut Account, cluster: &str, new: NewTask) -> Option<String> {
    let definition = account.task_definitions.get(&new.task_definition)?.clone();
    let cluster_name = account.clusters.get(cluster)?.name.clone();
    let id = account.next_id();
    let arn = format!("arn:aws:ecs:{}:{}:task/{cluster_name}/{id}", account.region, account.account_id);
    let task = new_task(account, arn.clone(), &definition, new);
    let (subject, place) = (short(&task), place_of(account, cluster, &task));
    account.clusters.get_mut(cluster)?.tasks.insert(arn.clone(), task);
    events::note(account, "scheduler", &subject, &format!("created {place}"));
    Some(arn)
}

fn new_task(account: &mut Account, arn: String, definition: &TaskDefinition, new: NewTask) -> Task {
    let placed = new.container_instance.is_some();
    Task {
        arn,
        group: new.group,
        started_by: new.started_by,
        task_definition: new.task_definition,
        container_instance: new.container_instance,
        capacity_provider: new.capacity_provider,
        last_status: if placed { TaskStatus::Pending } else { TaskStatus::Provisioning },
        desired_status: TaskStatus::Running,
        status_since: account.now,
        health: HealthStatus::Unknown,
        created_at: account.now,
        started_at: None,
        stopping_at: None,
        stopped_at: None,
        stop_code: None,
        stopped_reason: None,
        stop_cause: None,
        undrained_kill: false,
        host_ports: BTreeMap::new(),
        protected_until: None,
        gets_healthy: !account.draw_percent(definition.sick_percent),
        starts: !account.draw_percent(definition.fails_to_start_percent),
        pace: account.draw_pace(definition.typical),
        tags: BTreeMap::new(),
        version: 1,
    }
}

fn place_of(account: &Account, cluster: &str, task: &Task) -> String {
    let instances = &account.clusters[cluster].container_instances;
    let instance = task.container_instance.as_ref().and_then(|arn| instances.get(arn));
    instance
        .map_or_else(|| "without a place".to_owned(), |instance| format!("on {}", instance.ec2_instance_id))
}

/// Starts a standalone task, as `RunTask` (no container instance given: it is placed by the default rule) and
/// `StartTask` do. The group defaults to `family:` and the family. `None` if it cannot be placed or something
/// that it names does not exist.
pub fn create_standalone(
    account: &mut Account,
    cluster: &str,
    task_definition_arn: &str,
    container_instance: Option<&str>,
    group: Option<&str>,
) -> Option<String> {
    let definition = account.task_definitions.get(task_definition_arn)?.clone();
    let group = group.map_or_else(|| format!("family:{}", definition.family), str::to_owned);
    let container_instance =
        placement::choose_for_group(account, cluster, &group, &definition, container_instance)?;
    let new = NewTask {
        group,
        started_by: None,
        task_definition: definition.arn,
        container_instance: Some(container_instance),
        capacity_provider: None,
    };
    create(account, cluster, new)
}

/// ACTIVATING: the containers are created, their ports bound and the targets registered.
pub(crate) fn activate(account: &mut Account, cluster: &str, task_arn: &str) {
    let ports = bind_ports(account, cluster, task_arn);
    if let Some(task) = account.clusters.get_mut(cluster).and_then(|cluster| cluster.tasks.get_mut(task_arn))
    {
        task.host_ports = ports;
        targets::register(account, cluster, task_arn);
    }
}

/// The task starts to run.
pub(crate) fn begin_running(account: &mut Account, cluster: &str, task_arn: &str) {
    let now = account.now;
    let Some(task) = account.clusters.get_mut(cluster).and_then(|cluster| cluster.tasks.get_mut(task_arn))
    else {
        return;
    };
    task.started_at = Some(now);
    let (subject, service) = (short(task), task.service().map(str::to_owned));
    if let Some(service) = service.and_then(|name| account.clusters.get_mut(cluster)?.services.get_mut(&name))
    {
        service.failed_starts = 0;
    }
    events::note(account, "agent", &subject, "RUNNING");
}

fn bind_ports(account: &mut Account, cluster: &str, task_arn: &str) -> BTreeMap<u16, u16> {
    let task = &account.clusters[cluster].tasks[task_arn];
    let Some(definition) = account.task_definitions.get(&task.task_definition) else {
        return BTreeMap::new();
    };
    let mappings = definition.port_mappings.clone();
    let mut taken = ports_on(account, cluster, task.container_instance.as_deref());
    let mut bound = BTreeMap::new();
    for (container_port, host_port) in mappings {
        let port = if host_port == 0 { free_port(account, &taken) } else { host_port };
        taken.insert(port);
        bound.insert(port, container_port);
    }
    bound
}

fn ports_on(account: &Account, cluster: &str, instance: Option<&str>) -> BTreeSet<u16> {
    let tasks = account.clusters[cluster].tasks.values();
    let there = tasks.filter(|task| {
        task.container_instance.as_deref() == instance && task.last_status != TaskStatus::Stopped
    });
    there.flat_map(|task| task.host_ports.keys().copied()).collect()
}

fn free_port(account: &mut Account, taken: &BTreeSet<u16>) -> u16 {
    let range = u16::MAX - FIRST_DYNAMIC_PORT;
    let mut port = FIRST_DYNAMIC_PORT + (account.draw() % u64::from(range)) as u16;
    while taken.contains(&port) {
        port = if port == u16::MAX { FIRST_DYNAMIC_PORT } else { port + 1 };
    }
    port
}

/// Puts a task there that has been RUNNING and healthy for `age`, as if it had always been.
pub(crate) fn settle(account: &mut Account, cluster: &str, task_arn: &str, age: Duration) {
    activate(account, cluster, task_arn);
    begin_running(account, cluster, task_arn);
    let started = account.now - age;
    let Account { clusters, target_groups, task_definitions, .. } = account;
    let Some(task) = clusters.get_mut(cluster).and_then(|cluster| cluster.tasks.get_mut(task_arn)) else {
        return;
    };
    task.last_status = TaskStatus::Running;
    (task.created_at, task.status_since, task.started_at) = (started, started, Some(started));
    (task.gets_healthy, task.starts) = (true, true);
    if task_definitions[&task.task_definition].has_health_check {
        task.health = HealthStatus::Healthy;
    }
    for target in target_groups.values_mut().flat_map(|group| &mut group.targets) {
        if target.task_arn == task_arn {
            (target.state, target.since) = (crate::account::TargetState::Healthy, started);
        }
    }
}
