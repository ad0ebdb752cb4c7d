//! Targets of Elastic Load Balancing: registered while a task is ACTIVATING, drained before it ends.
//!
//! From "Target groups for your Application Load Balancers": a new target is `initial` until its health
//! checks pass, a deregistered one is `draining` for the deregistration delay and then gone. The containers answer
//! the checks from the middle of ACTIVATING on, when the image is there; AWS gives no moment.

use std::collections::BTreeMap;
use std::time::Duration;

use super::events;
use crate::account::{Account, Cluster, Target, TargetGroup, TargetState, Task, TaskStatus};
use crate::time::SimTime;

/// How often a target that is healthy or unhealthy is checked again; the shortest interval that Elastic Load
/// Balancing allows. A new target is looked at every second, because its task's pace already contains its
/// first checks.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// Registers a task that is ACTIVATING with the target groups of its service.
pub(crate) fn register(account: &mut Account, cluster: &str, task_arn: &str) {
    let Some(task) = account.clusters.get(cluster).and_then(|cluster| cluster.tasks.get(task_arn)) else {
        return;
    };
    let new = targets_of(account, &account.clusters[cluster], task);
    let service = task.service().map(str::to_owned);
    for (group_arn, target) in new {
        let Some(group) = account.target_groups.get_mut(&group_arn) else { continue };
        group.targets.push(target);
        if let Some(service) = &service {
            let what = format!("registered 1 targets in (target-group {group_arn})");
            events::say(account, cluster, service, &what);
        }
    }
}

/// The targets a task should have, one for each target group of its service.
fn targets_of(account: &Account, cluster: &Cluster, task: &Task) -> Vec<(String, Target)> {
    let Some(service) = super::health::service_of(cluster, task) else { return Vec::new() };
    let mut targets = Vec::new();
    for balancer in &service.load_balancers {
        let Some(group) = &balancer.target_group_arn else { continue };
        let target = Target {
            id: target_id(account, cluster, task),
            port: target_port(account, task, balancer.container_port),
            task_arn: task.arn.clone(),
            state: TargetState::Initial,
            since: account.now,
        };
        targets.push((group.clone(), target));
    }
    targets
}

/// The instance id, or in `awsvpc` mode an address of the task's own.
fn target_id(account: &Account, cluster: &Cluster, task: &Task) -> String {
    if is_awsvpc(account, task) {
        let number = u64::from_str_radix(&events::last_segment(&task.arn)[16..], 16).unwrap_or(0);
        return format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255);
    }
    let instance = task.container_instance.as_ref().and_then(|arn| cluster.container_instances.get(arn));
    instance.map(|instance| instance.ec2_instance_id.clone()).unwrap_or_default()
}

fn target_port(account: &Account, task: &Task, container_port: u16) -> u16 {
    if is_awsvpc(account, task) {
        return container_port;
    }
    let mut bindings = task.host_ports.iter();
    bindings.find(|(_, container)| **container == container_port).map_or(container_port, |(host, _)| *host)
}

fn is_awsvpc(account: &Account, task: &Task) -> bool {
    let definition = account.task_definitions.get(&task.task_definition);
    definition.is_some_and(|definition| definition.network_mode == "awsvpc")
}

/// Begins to drain every target of the task; true if there was one to drain.
pub(crate) fn deregister(account: &mut Account, task_arn: &str) -> bool {
    let now = account.now;
    let mut any = false;
    for target in account.target_groups.values_mut().flat_map(|group| &mut group.targets) {
        if target.task_arn == task_arn && target.state != TargetState::Draining {
            (target.state, target.since) = (TargetState::Draining, now);
            any = true;
        }
    }
    any
}

/// Whether a target of the task still gets new connections.
pub(crate) fn is_registered(account: &Account, task_arn: &str) -> bool {
    targets(account, task_arn).any(|target| target.state != TargetState::Draining)
}

/// Whether a target of the task is still there, draining or not.
pub(crate) fn has_any(account: &Account, task_arn: &str) -> bool {
    targets(account, task_arn).next().is_some()
}

fn targets<'a>(account: &'a Account, task_arn: &str) -> impl Iterator<Item = &'a Target> {
    let all = account.target_groups.values().flat_map(|group| &group.targets);
    all.filter(move |target| target.task_arn == task_arn)
}

/// Moves every target on: health checks that pass or fail, and drained targets that go.
pub(crate) fn tick(account: &mut Account) {
    let now = account.now;
    let settled_too = now.0.rem_euclid(CHECK_INTERVAL.as_millis() as i64) < super::TICK.as_millis() as i64;
    let Account { clusters, target_groups, .. } = account;
    for group in target_groups.values_mut() {
        remove_drained(group, now);
        let is_due = |target: &&mut Target| {
            target.state == TargetState::Initial || settled_too && target.state != TargetState::Draining
        };
        for target in group.targets.iter_mut().filter(is_due) {
            let state = checked_state(clusters, target, now);
            if state != target.state {
                (target.state, target.since) = (state, now);
            }
        }
    }
}

fn remove_drained(group: &mut TargetGroup, now: SimTime) {
    let delay = group.deregistration_delay;
    group.targets.retain(|target| target.state != TargetState::Draining || now.since(target.since) < delay);
}

/// What the health checks of the load balancer say about a registered target.
fn checked_state(clusters: &BTreeMap<String, Cluster>, target: &Target, now: SimTime) -> TargetState {
    let Some((cluster, task)) = find(clusters, &target.task_arn) else { return target.state };
    let instance = task.container_instance.as_ref().and_then(|arn| cluster.container_instances.get(arn));
    let is_checked = is_checked(task, now);
    if instance.is_some_and(|instance| !instance.host_alive) || !task.gets_healthy && is_checked {
        return TargetState::Unhealthy;
    }
    if is_checked { TargetState::Healthy } else { target.state }
}

/// Whether the first checks are through, which the containers answer from the middle of ACTIVATING on.
fn is_checked(task: &Task, now: SimTime) -> bool {
    let lead = task.pace.activating / 2;
    match (task.last_status, task.started_at) {
        (_, Some(started)) => now.since(started) + lead >= task.pace.health,
        (TaskStatus::Activating, None) => now.since(task.status_since) >= lead + task.pace.health,
        (_, None) => false,
    }
}

/// A task and its cluster, whose name is part of the task's ARN.
pub(crate) fn find<'a>(
    clusters: &'a BTreeMap<String, Cluster>,
    task_arn: &str,
) -> Option<(&'a Cluster, &'a Task)> {
    let cluster = clusters.get(task_arn.split('/').nth(1)?)?;
    Some((cluster, cluster.tasks.get(task_arn)?))
}
