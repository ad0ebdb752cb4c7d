//! How the service scheduler starts the tasks a service lacks, and how it slows down when they keep failing.
//!
//! From "Amazon ECS service throttle logic": only tasks that stop before they ever run slow the scheduler
//! down, by a delay that grows to 27 minutes and is reset by a changed service. From "Amazon ECS capacity
//! providers": tasks of a service with a capacity provider strategy wait in PROVISIONING when nothing fits;
//! others are tried again later.

use std::time::Duration;

use super::{events, tasks};
use crate::account::{Account, Service, Task, TaskDefinition, TaskStatus};
use crate::placement;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_mins(27);

/// The pause after the first failure; it doubles. AWS does not give this number.
const FIRST_PAUSE: Duration = Duration::from_secs(10);

/// From this many failures in a row the service says so. AWS does not give this number.
const FAILURES_TOLD: u32 = 3;

/// Starts up to `count` tasks of the service's PRIMARY deployment and tells about it.
pub(crate) fn start(account: &mut Account, cluster: &str, service: &str, count: u32) {
    if account.clusters[cluster].services[service].start_not_before > account.now {
        return;
    }
    let mut started = Vec::new();
    for _ in 0..count {
        match start_one(account, cluster, service, None) {
            Ok(task_arn) => started.push(task_arn),
            Err(reason) => {
                events::say(account, cluster, service, &reason);
                break;
            }
        }
    }
    if !started.is_empty() {
        let what = format!("has started {} tasks: {}.", started.len(), events::task_list(&started));
        events::say(account, cluster, service, &what);
    }
}

/// Starts one task where placement wants it, only in `zone` if that is given; on failure the reason in AWS's
/// words.
pub(crate) fn start_one(
    account: &mut Account,
    cluster: &str,
    service: &str,
    zone: Option<&str>,
) -> Result<String, String> {
    let service = account.clusters[cluster].services[service].clone();
    let Some(definition) = account.task_definitions.get(&service.task_definition).cloned() else {
        return Err("was unable to place a task. Reason: Internal error.".to_owned());
    };
    let provider = next_provider(account, cluster, &service);
    let wanted = placement::Wanted {
        cluster,
        service: &service,
        definition: &definition,
        provider: provider.as_deref(),
        zone,
    };
    let place = placement::choose_wanted(account, &wanted);
    if place.is_none() && (provider.is_none() || zone.is_some()) {
        return Err(placement::reason_not_placed(account, &wanted));
    }
    let new = tasks::NewTask {
        group: format!("service:{}", service.name),
        started_by: service.deployments.first().map(|deployment| deployment.id.clone()),
        task_definition: service.task_definition.clone(),
        container_instance: place,
        capacity_provider: provider,
    };
    tasks::create(account, cluster, new)
        .ok_or_else(|| "was unable to place a task. Reason: Internal error.".to_owned())
}

/// The capacity provider of the next task: the base first, then the one furthest behind its weight.
fn next_provider(account: &Account, cluster: &str, service: &Service) -> Option<String> {
    let count = |provider: &str| {
        let tasks = account.clusters[cluster].tasks.values();
        let of_service = tasks.filter(|task| task.service() == Some(&service.name) && task.is_wanted());
        of_service.filter(|task| task.capacity_provider.as_deref() == Some(provider)).count() as u32
    };
    let items = &service.capacity_provider_strategy;
    let base = items.iter().find(|item| count(&item.capacity_provider) < item.base);
    let behind = || {
        let weighted = items.iter().filter(|item| item.weight > 0);
        weighted.min_by_key(|item| {
            u64::from(count(&item.capacity_provider).saturating_sub(item.base) + 1) * 1_000_000
                / u64::from(item.weight)
        })
    };
    base.or_else(behind).map(|item| item.capacity_provider.clone())
}

/// Gives every task of the service that waits in PROVISIONING another try.
pub(crate) fn place_waiting(account: &mut Account, cluster: &str, service: &str) {
    let waiting = |task: &&Task| {
        task.last_status == TaskStatus::Provisioning && task.is_wanted() && task.service() == Some(service)
    };
    let tasks = account.clusters[cluster].tasks.values().filter(waiting);
    let waiting: Vec<_> = tasks.map(|task| (task.arn.clone(), task.task_definition.clone())).collect();
    for (task_arn, definition) in waiting {
        if let Some(definition) = account.task_definitions.get(&definition).cloned() {
            place(account, (cluster, service), &task_arn, &definition);
        }
    }
}

fn place(
    account: &mut Account,
    (cluster, service): (&str, &str),
    task_arn: &str,
    definition: &TaskDefinition,
) {
    let now = account.now;
    let service = account.clusters[cluster].services[service].clone();
    let provider = account.clusters[cluster].tasks[task_arn].capacity_provider.clone();
    let wanted = placement::Wanted {
        cluster,
        service: &service,
        definition,
        provider: provider.as_deref(),
        zone: None,
    };
    let Some(instance) = placement::choose_wanted(account, &wanted) else { return };
    let tasks = &mut account.clusters.get_mut(cluster).expect("the cluster was just read").tasks;
    let Some(task) = tasks.get_mut(task_arn) else { return };
    task.container_instance = Some(instance);
    (task.last_status, task.status_since) = (TaskStatus::Pending, now);
    task.version += 1;
}

/// Counts a task that stopped without ever running, and puts off the next start.
pub(crate) fn count_failure(account: &mut Account, cluster: &str, task_arn: &str) {
    let task = &account.clusters[cluster].tasks[task_arn];
    let (started_by, Some(name)) = (task.started_by.clone(), task.service().map(str::to_owned)) else {
        return;
    };
    let now = account.now;
    let services = &mut account.clusters.get_mut(cluster).expect("the task's cluster exists").services;
    let Some(service) = services.get_mut(&name) else { return };
    service.failed_starts += 1;
    service.start_not_before = now + pause(service.failed_starts);
    let mut deployments = service.deployments.iter_mut();
    if let Some(deployment) = deployments.find(|deployment| Some(&deployment.id) == started_by.as_ref()) {
        deployment.failed_tasks += 1;
    }
    if service.failed_starts >= FAILURES_TOLD {
        events::say(account, cluster, &name, "is unable to consistently start tasks successfully.");
    }
}

fn pause(failures: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(20)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::AccountBuilder;
    use crate::scheduler::Engine;

    #[test]
    fn the_pause_doubles_up_to_twenty_seven_minutes() {
        assert_eq!(pause(1), Duration::from_secs(10));
        assert_eq!(pause(4), Duration::from_secs(80));
        assert_eq!(pause(60), LONGEST_PAUSE);
    }

    #[test]
    fn tasks_that_never_run_are_started_ever_more_slowly() {
        let mut account = AccountBuilder::new(3)
            .cluster("web")
            .instance("i-a1", "a", |i| i)
            .task_definition("web", |t| t.fails_to_start_percent(100))
            .service("web", |s| s.on(&[]).desired(1))
            .build();
        let until = account.now + Duration::from_hours(2);
        Engine::new(3).advance(&mut account, until, &mut |_| ());
        let service = &account.clusters["web"].services["web"];
        assert!((9..15).contains(&service.failed_starts), "{} starts in two hours", service.failed_starts);
        assert!(service.events.iter().any(|event| event.message.contains("unable to consistently start")));
        assert_eq!(service.deployments[0].failed_tasks, service.failed_starts);
    }

    #[test]
    fn with_a_capacity_provider_a_task_waits_in_provisioning_for_room() {
        let mut account = AccountBuilder::new(3)
            .cluster("web")
            .instance("i-a1", "a", |i| i.cpu(256).capacity_provider("spot"))
            .task_definition("web", |t| t.cpu(256))
            .service("web", |s| s.on(&["i-a1"]).desired(2).capacity_provider("spot", 0, 1))
            .build();
        let mut engine = Engine::new(3);
        let until = account.now + Duration::from_mins(2);
        engine.advance(&mut account, until, &mut |_| ());
        let statuses = |account: &Account| -> Vec<_> {
            account.clusters["web"].tasks.values().map(|task| task.last_status).collect()
        };
        assert_eq!(statuses(&account), [TaskStatus::Running, TaskStatus::Provisioning]);
        crate::builder::register(&mut account, "web", "i-a2", "a", |i| i.capacity_provider("spot"));
        engine.advance(&mut account, until + Duration::from_mins(2), &mut |_| ());
        assert_eq!(statuses(&account), [TaskStatus::Running, TaskStatus::Running]);
    }
}
