//! Whether the services are as they were, once the old instances are empty.
//!
//! Judged are the services that were steady at the start: one that was not is nobody's measure. Steady is: one deployment,
//! as many tasks healthy as desired, their targets included. What cannot be told is not steady.
//!
//! The same is asked on the way back, of the tasks that came in place of old ones: while one of them does not serve yet, the
//! old ones must not be taken for surplus.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::ids::ContainerInstanceArn;
use crate::plan::health::{Health, health_of};
use crate::plan::rollout::reason::RolloutReason;
use crate::plan::rollout::seen::RolloutView;
use crate::snapshot::{ClusterSnapshot, Known, SchedulingStrategy, Service, Task};

/// What keeps the gate shut.
pub fn not_steady(view: &RolloutView<'_>) -> Vec<RolloutReason> {
    each_judged(view, |snapshot, service| lacking(snapshot, service, view.policy.healthy_after))
}

/// Services with a task that does not serve yet, elsewhere than on `going`, where ECS stops what is too much first: were
/// nothing to drain any more, ECS would have one task too many for it, and might stop one that serves.
pub fn substitutes_on_their_way(
    view: &RolloutView<'_>,
    going: &BTreeSet<ContainerInstanceArn>,
) -> Vec<RolloutReason> {
    let is_elsewhere = |task: &&Task| task.container_instance.as_ref().is_none_or(|arn| !going.contains(arn));
    each_judged(view, |snapshot, service| {
        let tasks = snapshot.wanted_tasks(&service.name).filter(is_elsewhere);
        let waits = tasks
            .filter(|task| health_of(snapshot, service, task, view.policy.healthy_after) != Health::Healthy);
        let count = waits.count();
        (count > 0).then(|| format!("{count} tasks that ECS has started do not serve yet"))
    })
}

/// What is said of the services that are judged; one reason for all if they cannot be told.
fn each_judged(
    view: &RolloutView<'_>,
    say: impl Fn(&ClusterSnapshot, &Service) -> Option<String>,
) -> Vec<RolloutReason> {
    let snapshot = match &view.seen.services {
        Known::Known(snapshot) => snapshot,
        Known::Unknown(why) => {
            return vec![RolloutReason::CannotTell { what: format!("how the services stand: {why}") }];
        }
        Known::NotAsked => {
            return vec![RolloutReason::CannotTell { what: "how the services stand".to_owned() }];
        }
    };
    if let Some(unread) = snapshot.unknown.first() {
        let what = format!("how the services stand: {}: {}", unread.arn, unread.reason);
        return vec![RolloutReason::CannotTell { what }];
    }
    let judged = snapshot.services.values().filter(|it| is_judged(it));
    let judged = judged.filter(|it| !view.unsteady.iter().any(|name| name == it.name.as_str()));
    let said = judged.filter_map(|it| {
        Some(RolloutReason::NotSteady { service: it.name.clone(), what: say(snapshot, it)? })
    });
    said.collect()
}

/// Services that keep a number of tasks by themselves; daemons come and go with their instances.
pub fn is_judged(service: &Service) -> bool {
    service.status == "ACTIVE" && service.scheduling_strategy == SchedulingStrategy::Replica
}

/// Whether a service has what it wants, without a look at each task.
pub fn is_at_rest(service: &Service) -> bool {
    service.deployments.len() == 1
        && service.tasks_pending == 0
        && service.tasks_running >= service.tasks_desired
}

fn lacking(snapshot: &ClusterSnapshot, service: &Service, healthy_after: Duration) -> Option<String> {
    if service.deployments.len() > 1 {
        return Some(format!("{} deployments are under way", service.deployments.len()));
    }
    let (mut healthy, mut unknown) = (0, None);
    for task in snapshot.wanted_tasks(&service.name) {
        match health_of(snapshot, service, task, healthy_after) {
            Health::Healthy => healthy += 1,
            Health::NotHealthy => {}
            Health::CannotTell(why) => unknown = Some(why),
        }
    }
    let desired = service.tasks_desired;
    match unknown {
        _ if healthy >= desired => None,
        Some(why) => Some(format!("health of its tasks cannot be told: {why}")),
        None => Some(format!("{healthy} of {desired} tasks are healthy")),
    }
}
