//! When a task counts as healthy, as `DeploymentConfiguration` in the API Reference defines it.
//!
//! Container health and target health are two things: ECS shows the first in `healthStatus`, the second only
//! Elastic Load Balancing shows. A task with neither check counts as healthy 40 seconds after it started to
//! run.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::account::{Account, Cluster, HealthStatus, Service, TargetGroup, TargetState, Task, TaskStatus};
use crate::time::SimTime;

/// How long a task without any health check has to run before it counts as healthy. The drain page asks for
/// RUNNING only; the API text is the later and stricter one.
pub const HEALTHY_AFTER: Duration = Duration::from_secs(40);

/// The targets of every task of the account, counted by state in one pass.
#[derive(Debug, Default)]
pub struct TargetIndex<'a> {
    by_task: BTreeMap<&'a str, Counted>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    healthy: usize,
    unhealthy: usize,
}

impl<'a> TargetIndex<'a> {
    /// Counts the targets of the whole account.
    pub fn new(account: &'a Account) -> Self {
        Self::of(account.target_groups.values())
    }

    /// Counts the targets of one service only.
    pub fn of_service(account: &'a Account, service: &Service) -> Self {
        let arns = service.load_balancers.iter().filter_map(|balancer| balancer.target_group_arn.as_ref());
        Self::of(arns.filter_map(|arn| account.target_groups.get(arn)))
    }

    fn of(groups: impl Iterator<Item = &'a TargetGroup>) -> Self {
        let mut by_task: BTreeMap<&str, Counted> = BTreeMap::new();
        for target in groups.flat_map(|group| &group.targets) {
            let counted = by_task.entry(&target.task_arn).or_default();
            counted.healthy += usize::from(target.state == TargetState::Healthy);
            counted.unhealthy += usize::from(target.state == TargetState::Unhealthy);
        }
        Self { by_task }
    }

    /// Whether every health check that this task has says healthy.
    pub fn is_healthy(&self, account: &Account, service: Option<&Service>, task: &Task) -> bool {
        if task.last_status != TaskStatus::Running {
            return false;
        }
        let target_groups = service.map_or(0, target_group_count);
        match (has_health_check(account, task), target_groups) {
            (false, 0) => has_run_for(task, account.now, HEALTHY_AFTER),
            (check, groups) => {
                (!check || task.health == HealthStatus::Healthy) && self.counted(task).healthy >= groups
            }
        }
    }

    /// Whether a health check says unhealthy and the service's grace period is over.
    pub fn is_failing(&self, now: SimTime, service: &Service, task: &Task) -> bool {
        task.last_status == TaskStatus::Running
            && has_run_for(task, now, service.health_check_grace_period)
            && (task.health == HealthStatus::Unhealthy || self.counted(task).unhealthy > 0)
    }

    fn counted(&self, task: &Task) -> Counted {
        self.by_task.get(task.arn.as_str()).copied().unwrap_or_default()
    }
}

/// Whether this task counts as healthy now; for many tasks build one `TargetIndex` instead.
pub fn is_healthy(account: &Account, cluster: &str, task: &Task) -> bool {
    let service = account.clusters.get(cluster).and_then(|cluster| service_of(cluster, task));
    TargetIndex::new(account).is_healthy(account, service, task)
}

/// The service a task belongs to.
pub fn service_of<'a>(cluster: &'a Cluster, task: &Task) -> Option<&'a Service> {
    cluster.services.get(task.service()?)
}

fn has_health_check(account: &Account, task: &Task) -> bool {
    account.task_definitions.get(&task.task_definition).is_some_and(|definition| definition.has_health_check)
}

fn target_group_count(service: &Service) -> usize {
    service.load_balancers.iter().filter(|balancer| balancer.target_group_arn.is_some()).count()
}

fn has_run_for(task: &Task, now: SimTime, time: Duration) -> bool {
    task.started_at.is_some_and(|started| now.since(started) >= time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::{AccountBuilder, ServiceBuilder, TaskDefinitionBuilder};

    fn account(
        definition: fn(TaskDefinitionBuilder) -> TaskDefinitionBuilder,
        service: fn(ServiceBuilder) -> ServiceBuilder,
    ) -> Account {
        AccountBuilder::new(1)
            .cluster("web")
            .instance("i-a1", "a", |i| i)
            .task_definition("web", definition)
            .target_group("web", |t| t)
            .service("web", |s| service(s.on(&["i-a1"])))
            .build()
    }

    fn healthy(account: &Account) -> bool {
        let task = account.clusters["web"].tasks.values().next().expect("built");
        is_healthy(account, "web", task)
    }

    #[test]
    fn without_any_check_forty_seconds_of_running_are_asked() {
        for (age, expected) in [(39, false), (40, true)] {
            let mut account = account(|t| t, |s| s);
            account.now = SimTime(0) + Duration::from_hours(1);
            let started = account.now - Duration::from_secs(age);
            let tasks = &mut account.clusters.get_mut("web").expect("built").tasks;
            tasks.values_mut().next().expect("built").started_at = Some(started);
            assert_eq!(healthy(&account), expected, "after {age} s");
        }
    }

    #[test]
    fn a_check_and_a_target_group_must_both_agree() {
        let mut account = account(TaskDefinitionBuilder::health_check, |s| s.target_group("web"));
        assert!(healthy(&account));
        for group in account.target_groups.values_mut() {
            group.targets.iter_mut().for_each(|target| target.state = TargetState::Initial);
        }
        assert!(!healthy(&account), "the target is not healthy yet");
    }
}
