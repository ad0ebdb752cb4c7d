//! The stations of a task's life, from PROVISIONING to STOPPED.
//!
//! From "Amazon ECS task lifecycle": targets are registered in ACTIVATING; DEACTIVATING lasts until they have left
//! draining, STOPPING until the container has exited after SIGTERM, at most the stop timeout. Whether `StopTask` and drains keep that order
//! is disputed (users measured errors), so switches can turn it round: SIGTERM first, deregistration after it.

use std::time::Duration;

use super::{events, targets, tasks};
use crate::account::{Account, HealthStatus, StopCause, StopCode, Task, TaskStatus};
use crate::placement;
use crate::time::SimTime;
use crate::timeline::short;

/// Asks a task to stop: its desired status turns STOPPED now, the agent follows from the next tick on.
pub fn begin_stop(account: &mut Account, cluster: &str, task_arn: &str, code: StopCode, reason: &str) {
    let cause = match code {
        StopCode::UserInitiated => StopCause::Api,
        StopCode::ServiceSchedulerInitiated => StopCause::ScaleIn,
        StopCode::EssentialContainerExited => StopCause::ContainerExited,
        StopCode::TaskFailedToStart => StopCause::FailedToStart,
        StopCode::SpotInterruption | StopCode::TerminationNotice => StopCause::HostLost,
    };
    stop_because(account, cluster, task_arn, (code, cause), reason);
}

/// The essential container of a task exits by itself, as when its program crashes.
pub fn container_exits(account: &mut Account, cluster: &str, task_arn: &str) {
    let code = StopCode::EssentialContainerExited;
    begin_stop(account, cluster, task_arn, code, "Essential container in task exited");
}

/// `begin_stop` with the cause that the checkers see.
pub(crate) fn stop_because(
    account: &mut Account,
    cluster: &str,
    task_arn: &str,
    (code, cause): (StopCode, StopCause),
    reason: &str,
) {
    let now = account.now;
    let Some(task) = task_mut(account, cluster, task_arn) else { return };
    if !task.is_wanted() {
        return;
    }
    task.desired_status = TaskStatus::Stopped;
    task.stopping_at = Some(now);
    task.stop_code = Some(code);
    task.stop_cause = Some(cause);
    task.stopped_reason = Some(reason.to_owned());
    task.version += 1;
    let subject = short(task);
    events::note(account, actor(cause), &subject, &format!("is to stop: {reason}"));
}

fn actor(cause: StopCause) -> &'static str {
    match cause {
        StopCause::Api => "api",
        StopCause::ZoneRebalancing => "az-rebalancing",
        StopCause::ContainerExited | StopCause::FailedToStart => "agent",
        _ => "scheduler",
    }
}

/// Moves every task on that is due.
pub(crate) fn tick(account: &mut Account) {
    let mut due = Vec::new();
    for cluster in account.clusters.values() {
        let ready = cluster.tasks.values().filter(|task| next_status(account, &cluster.name, task).is_some());
        due.extend(ready.map(|task| (cluster.name.clone(), task.arn.clone())));
    }
    for (cluster, task_arn) in due {
        // Asked again, because an earlier task of the same tick may have taken the room this one waits for.
        let task = &account.clusters[&cluster].tasks[&task_arn];
        if let Some(status) = next_status(account, &cluster, task) {
            enter(account, &cluster, &task_arn, status);
        }
    }
    follow_health(account);
}

/// The status a task enters now, if it leaves the one it has.
fn next_status(account: &Account, cluster: &str, task: &Task) -> Option<TaskStatus> {
    let stayed = account.now.since(task.status_since);
    let moves = |when: bool, status| when.then_some(status);
    match (task.last_status, task.is_wanted()) {
        (TaskStatus::Stopped, _) | (TaskStatus::Provisioning | TaskStatus::Running, true) => None,
        (TaskStatus::Provisioning | TaskStatus::Pending, false) => Some(TaskStatus::Stopped),
        (TaskStatus::Pending, true) => {
            let picked_up = stayed >= task.pace.pending && agent_listens(account, cluster, task);
            moves(picked_up && placement::host_has_room(account, cluster, task), TaskStatus::Activating)
        }
        (TaskStatus::Activating, true) => {
            let next = if task.starts { TaskStatus::Running } else { TaskStatus::Deprovisioning };
            moves(stayed >= task.pace.activating, next)
        }
        (TaskStatus::Activating | TaskStatus::Running, false) => {
            let exited = task.stop_cause == Some(StopCause::ContainerExited);
            moves(exited || agent_listens(account, cluster, task), first_stop_station(account, task))
        }
        (TaskStatus::Deactivating, _) => moves(!targets::has_any(account, &task.arn), TaskStatus::Stopping),
        (TaskStatus::Stopping, _) => moves(stayed >= exit_time(account, task), TaskStatus::Deprovisioning),
        (TaskStatus::Deprovisioning, _) => moves(stayed >= Duration::from_secs(1), TaskStatus::Stopped),
    }
}

/// Where the way down begins.
fn first_stop_station(account: &Account, task: &Task) -> TaskStatus {
    let switches = account.switches;
    match (task.stop_cause, task.last_status) {
        (Some(StopCause::ContainerExited), _) => TaskStatus::Deprovisioning,
        (Some(StopCause::Api), _) if !switches.stop_task_deregisters_first => TaskStatus::Stopping,
        (Some(StopCause::Drain), _) if !switches.drain_deregisters_first => TaskStatus::Stopping,
        (_, TaskStatus::Running) => TaskStatus::Deactivating,
        _ if targets::has_any(account, &task.arn) => TaskStatus::Deactivating,
        _ => TaskStatus::Stopping,
    }
}

/// How long the container takes to exit after SIGTERM; the agent kills it at the stop timeout, by default 30
/// seconds.
fn exit_time(account: &Account, task: &Task) -> Duration {
    let definition = account.task_definitions.get(&task.task_definition);
    let timeout =
        definition.and_then(|definition| definition.stop_timeout).unwrap_or(Duration::from_secs(30));
    task.pace.stopping.min(timeout)
}

fn agent_listens(account: &Account, cluster: &str, task: &Task) -> bool {
    let instances = &account.clusters[cluster].container_instances;
    let instance = task.container_instance.as_ref().and_then(|arn| instances.get(arn));
    instance.is_some_and(|instance| instance.agent_connected && instance.host_alive)
}

fn enter(account: &mut Account, cluster: &str, task_arn: &str, status: TaskStatus) {
    match status {
        TaskStatus::Activating => tasks::activate(account, cluster, task_arn),
        TaskStatus::Running => tasks::begin_running(account, cluster, task_arn),
        TaskStatus::Deactivating => drain_targets(account, cluster, task_arn),
        TaskStatus::Stopping => signal(account, cluster, task_arn),
        TaskStatus::Deprovisioning => exited(account, cluster, task_arn),
        _ => {}
    }
    if status == TaskStatus::Stopped {
        return stopped(account, cluster, task_arn);
    }
    set_status(account, cluster, task_arn, status);
}

fn set_status(account: &mut Account, cluster: &str, task_arn: &str, status: TaskStatus) {
    let now = account.now;
    let Some(task) = task_mut(account, cluster, task_arn) else { return };
    task.last_status = status;
    task.status_since = now;
    task.version += 1;
}

/// DEACTIVATING: the targets stop getting new connections.
fn drain_targets(account: &mut Account, cluster: &str, task_arn: &str) {
    if !targets::deregister(account, task_arn) {
        return;
    }
    let task = &account.clusters[cluster].tasks[task_arn];
    if let Some(service) = task.service().map(str::to_owned) {
        events::say(account, cluster, &service, "has begun draining connections on 1 tasks.");
    }
}

/// STOPPING: SIGTERM. If a target is still registered then clients see errors, which is recorded.
fn signal(account: &mut Account, cluster: &str, task_arn: &str) {
    let undrained = targets::is_registered(account, task_arn);
    let Some(task) = task_mut(account, cluster, task_arn) else { return };
    task.undrained_kill = undrained;
    let subject = short(task);
    if undrained {
        events::note(account, "agent", &subject, "got SIGTERM while a target of it was still registered");
    }
}

/// DEPROVISIONING: the container is gone; a target that was not drained before is drained now.
fn exited(account: &mut Account, cluster: &str, task_arn: &str) {
    targets::deregister(account, task_arn);
    let Some(task) = task_mut(account, cluster, task_arn) else { return };
    if task.is_wanted() {
        let reason = (StopCode::TaskFailedToStart, StopCause::FailedToStart);
        stop_because(account, cluster, task_arn, reason, "Task failed to start");
    }
}

/// STOPPED, from wherever the task was.
pub(crate) fn stopped(account: &mut Account, cluster: &str, task_arn: &str) {
    let now = account.now;
    targets::deregister(account, task_arn);
    set_status(account, cluster, task_arn, TaskStatus::Stopped);
    let Some(task) = task_mut(account, cluster, task_arn) else { return };
    task.stopped_at = Some(now);
    task.protected_until = None;
    let (subject, failed) = (short(task), task.stop_cause == Some(StopCause::FailedToStart));
    events::note(account, "agent", &subject, "STOPPED");
    if failed {
        super::starts::count_failure(account, cluster, task_arn);
    }
}

/// Container health follows the task's fate once its first checks are through.
fn follow_health(account: &mut Account) {
    let Account { clusters, task_definitions, now, .. } = account;
    for task in clusters.values_mut().flat_map(|cluster| cluster.tasks.values_mut()) {
        let checked =
            task_definitions.get(&task.task_definition).is_some_and(|definition| definition.has_health_check);
        if !checked || task.last_status != TaskStatus::Running {
            continue;
        }
        let health = health_of(task, *now);
        if health != task.health {
            task.health = health;
            task.version += 1;
        }
    }
}

fn health_of(task: &Task, now: SimTime) -> HealthStatus {
    let known = task.started_at.is_some_and(|started| now.since(started) >= task.pace.health);
    match (known, task.gets_healthy) {
        (false, _) => HealthStatus::Unknown,
        (true, true) => HealthStatus::Healthy,
        (true, false) => HealthStatus::Unhealthy,
    }
}

fn task_mut<'a>(account: &'a mut Account, cluster: &str, task_arn: &str) -> Option<&'a mut Task> {
    account.clusters.get_mut(cluster)?.tasks.get_mut(task_arn)
}

#[cfg(test)]
mod tests;
