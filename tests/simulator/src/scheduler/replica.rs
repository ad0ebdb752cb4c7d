//! The service scheduler for REPLICA services: one look at a service, and what follows from it.
//!
//! Drains, deployments and unhealthy tasks are one problem to it: some tasks are to be replaced, within the
//! bounds of the deployment configuration ("Draining Amazon ECS container instances", "Amazon ECS services").
//! What may stop stops first, what is too many goes by scale-in, then what is missing starts as far as the
//! upper bound allows.

use super::deployments::{self, Bounds};
use super::health::TargetIndex;
use super::{events, lifecycle, protection, scale_in, starts};
use crate::account::{
    Account, Cluster, ContainerInstance, ContainerInstanceStatus, Service, StopCause, StopCode, Task,
    TaskStatus,
};

/// The most tasks one look starts.
const STARTS_PER_LOOK: u32 = 30;

/// A wanted task as the scheduler sees it.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub arn: String,
    pub instance: Option<String>,
    pub zone: String,
    pub deployment: Option<String>,
    pub standing: Standing,
    pub healthy: bool,
    pub protected: bool,
}

/// Whether a task is as it should be, and if not, the weightiest reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// As it should be.
    Current,
    /// Of the newest deployment, but it fails its checks.
    Failing,
    /// Of an older deployment.
    Outdated,
    /// On a container instance that is DRAINING.
    Drained,
}

impl Member {
    /// Whether this task is as it should be and may stay.
    pub(crate) fn stays(&self) -> bool {
        self.standing == Standing::Current
    }

    /// Why a task that does not stay has to go.
    fn cause(&self) -> StopCause {
        match self.standing {
            Standing::Drained => StopCause::Drain,
            Standing::Outdated => StopCause::Deployment,
            Standing::Current | Standing::Failing => StopCause::Unhealthy,
        }
    }
}

/// One service, counted at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Census {
    pub desired: u32,
    pub bounds: Bounds,
    /// Tasks that are RUNNING or not yet, wanted or not: what the upper bound covers.
    pub live: u32,
    pub members: Vec<Member>,
}

impl Census {
    pub(crate) fn take(account: &Account, cluster: &str, service: &str) -> Self {
        let cluster = &account.clusters[cluster];
        let service = &cluster.services[service];
        let index = TargetIndex::of_service(account, service);
        let of_service = || cluster.tasks.values().filter(|task| task.service() == Some(&service.name));
        let wanted = of_service().filter(|task| task.is_wanted());
        Self {
            desired: service.desired_count,
            bounds: Bounds::of(service),
            live: of_service().filter(|task| task.last_status <= TaskStatus::Running).count() as u32,
            members: wanted.map(|task| member(account, cluster, service, &index, task)).collect(),
        }
    }

    pub(crate) fn staying(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.stays())
    }

    fn leaving(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| !member.stays())
    }

    fn healthy(&self) -> u32 {
        self.members.iter().filter(|member| member.healthy).count() as u32
    }

    /// Everything as desired: the right tasks, all healthy, none still on its way out.
    pub(crate) fn is_complete(&self) -> bool {
        let whole = self.staying().count() as u32 == self.desired && self.live == self.desired;
        whole && self.members.len() as u32 == self.desired && self.healthy() == self.desired
    }

    pub(crate) fn has_tasks_of(&self, deployment: &str) -> bool {
        self.tasks_of(deployment) > 0
    }

    pub(crate) fn tasks_of(&self, deployment: &str) -> u32 {
        let of_it = self.members.iter().filter(|member| member.deployment.as_deref() == Some(deployment));
        of_it.count() as u32
    }
}

fn member(
    account: &Account,
    cluster: &Cluster,
    service: &Service,
    index: &TargetIndex<'_>,
    task: &Task,
) -> Member {
    let instance = task.container_instance.as_ref().and_then(|arn| cluster.container_instances.get(arn));
    Member {
        arn: task.arn.clone(),
        instance: task.container_instance.clone(),
        zone: instance.map(|instance| instance.zone().to_owned()).unwrap_or_default(),
        deployment: task.started_by.clone(),
        standing: standing(account, service, instance, index, task),
        healthy: index.is_healthy(account, Some(service), task),
        protected: protection::is_protected(task, account.now),
    }
}

fn standing(
    account: &Account,
    service: &Service,
    instance: Option<&ContainerInstance>,
    index: &TargetIndex<'_>,
    task: &Task,
) -> Standing {
    let primary = service.deployments.first().map(|deployment| &deployment.id);
    // Whether a drain stops a protected task is not documented; where it does not, the task stays as it is.
    let spared = protection::is_protected(task, account.now) && !account.switches.drain_stops_protected;
    if !spared && instance.is_some_and(|instance| instance.status == ContainerInstanceStatus::Draining) {
        Standing::Drained
    } else if task.started_by.as_ref() != primary {
        Standing::Outdated
    } else if index.is_failing(account.now, service, task) {
        Standing::Failing
    } else {
        Standing::Current
    }
}

/// Looks at the service once. `extra` is how many tasks above the desired count zone rebalancing holds for a
/// while.
pub(crate) fn reconcile(account: &mut Account, cluster: &str, service: &str, extra: u32) {
    starts::place_waiting(account, cluster, service);
    let census = Census::take(account, cluster, service);
    let stops = replacement_stops(account, &census);
    stop_all(account, (cluster, service), &stops);
    let surplus = (census.staying().count() as u32).saturating_sub(census.desired + extra);
    scale_in::run(account, cluster, service, &census, surplus);
    let missing = census.desired.saturating_sub(census.staying().count() as u32);
    let room = census.bounds.ceiling.saturating_sub(census.live);
    if missing > 0 && room > 0 {
        starts::start(account, cluster, service, missing.min(room).min(STARTS_PER_LOOK));
    }
    let settled = deployments::follow(account, cluster, service, &census);
    if settled && retire(account, cluster, service) {
        return;
    }
    if settled {
        events::say(account, cluster, service, "has reached a steady state.");
    } else if missing > 0
        && room == 0
        && stops.is_empty()
        && is_deadlocked(account, (cluster, service), &census)
    {
        deployments::say_stuck(account, cluster, service);
    }
}

/// A deleted service turns INACTIVE once its last task is gone; false for every other service.
pub(crate) fn retire(account: &mut Account, cluster: &str, service: &str) -> bool {
    let here = account.clusters.get_mut(cluster).expect("the service's cluster exists");
    let lives = here.tasks.values().any(|task| task.service() == Some(service) && task.stopped_at.is_none());
    let Some(service) = here.services.get_mut(service).filter(|service| service.status == "DRAINING") else {
        return false;
    };
    if !lives {
        "INACTIVE".clone_into(&mut service.status);
    }
    true
}

/// Whether a deployment waits although nothing is on its way up or down.
fn is_deadlocked(account: &Account, (cluster, service): (&str, &str), census: &Census) -> bool {
    let deploying = account.clusters[cluster].services[service].deployments.len() > 1;
    let at_rest =
        census.live == census.members.len() as u32 && census.members.iter().all(|member| member.healthy);
    deploying && at_rest
}

/// Which tasks that do not stay are stopped now, and why.
fn replacement_stops(account: &mut Account, census: &Census) -> Vec<(String, StopCause)> {
    let mut stops = Vec::new();
    // A healthy task goes only while enough healthy ones remain.
    let mut budget = census.healthy().saturating_sub(census.bounds.floor);
    for member in census.leaving().filter(|member| is_replaced_in_bounds(member) && may_stop(member)) {
        if !member.healthy {
            stops.push((member.arn.clone(), member.cause()));
        } else if budget > 0 {
            budget -= 1;
            stops.push((member.arn.clone(), member.cause()));
        }
    }
    stops.extend(failing_stops(account, census));
    stops
}

/// Drained and outdated tasks follow the bounds; a current task that only fails its checks has a rule of its
/// own.
fn is_replaced_in_bounds(member: &Member) -> bool {
    matches!(member.standing, Standing::Drained | Standing::Outdated)
}

/// Protection holds up a deployment; a task that counts as drained is not spared by it.
fn may_stop(member: &Member) -> bool {
    !member.protected || member.standing == Standing::Drained
}

/// An unhealthy task goes once its replacement is healthy. Where the upper bound forbids to start that first,
/// one at a time is stopped, drawn at random, to make room.
fn failing_stops(account: &mut Account, census: &Census) -> Vec<(String, StopCause)> {
    let mut failing: Vec<_> = census.leaving().filter(|member| !is_replaced_in_bounds(member)).collect();
    let healthy = census.staying().filter(|member| member.healthy).count() as u32;
    if healthy < census.desired {
        let blocked = census.live >= census.bounds.ceiling && census.live == census.members.len() as u32;
        if !blocked || failing.is_empty() {
            return Vec::new();
        }
        let drawn = account.draw_below(failing.len());
        failing = vec![failing[drawn]];
    }
    failing.into_iter().map(|member| (member.arn.clone(), StopCause::Unhealthy)).collect()
}

/// Stops tasks by the scheduler's own will and tells about it.
fn stop_all(account: &mut Account, (cluster, service): (&str, &str), stops: &[(String, StopCause)]) {
    if stops.is_empty() {
        return;
    }
    for (task_arn, cause) in stops {
        let reason = reason(account, (cluster, service), *cause);
        let cause = (StopCode::ServiceSchedulerInitiated, *cause);
        lifecycle::stop_because(account, cluster, task_arn, cause, &reason);
    }
    let arns: Vec<_> = stops.iter().map(|(arn, _)| arn.clone()).collect();
    say_stopped(account, (cluster, service), &arns);
}

/// The `stoppedReason` of a task that the scheduler stops.
pub(crate) fn reason(account: &Account, (cluster, service): (&str, &str), cause: StopCause) -> String {
    let deployments = &account.clusters[cluster].services[service].deployments;
    let deployment = deployments.first().map_or("", |deployment| deployment.id.as_str());
    match cause {
        StopCause::Unhealthy => "Task failed health checks".to_owned(),
        StopCause::ZoneRebalancing => {
            format!("Availability-zone rebalancing initiated by (deployment {deployment})")
        }
        _ => format!("Scaling activity initiated by (deployment {deployment})"),
    }
}

/// The service event about tasks that were told to stop.
pub(crate) fn say_stopped(account: &mut Account, (cluster, service): (&str, &str), task_arns: &[String]) {
    let what = format!("has stopped {} running tasks: {}.", task_arns.len(), events::task_list(task_arns));
    events::say(account, cluster, service, &what);
}

#[cfg(test)]
mod tests;
