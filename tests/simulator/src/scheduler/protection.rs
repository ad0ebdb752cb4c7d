//! Task scale-in protection: who is protected, and when it ends.
//!
//! From "Protect your Amazon ECS tasks from being terminated by scale-in events": protection has an expiry,
//! holds against scale-in, deployments and zone rebalancing, and ends by itself.

use super::events::note;
use crate::account::{Account, Task};
use crate::time::SimTime;
use crate::timeline::short;

/// Whether the task is protected at `now`.
pub fn is_protected(task: &Task, now: SimTime) -> bool {
    task.protected_until.is_some_and(|until| until > now)
}

/// How many tasks of the service are wanted and protected; more than the desired count is
/// `DEPLOYMENT_BLOCKED`.
pub fn protected_count(account: &Account, cluster: &str, service: &str) -> u32 {
    let Some(cluster) = account.clusters.get(cluster) else { return 0 };
    let of_service = cluster.tasks.values().filter(|task| task.service() == Some(service));
    of_service.filter(|task| task.is_wanted() && is_protected(task, account.now)).count() as u32
}

/// Ends every protection whose time is up.
pub(crate) fn expire(account: &mut Account) {
    let now = account.now;
    let mut ended = Vec::new();
    for task in account.clusters.values_mut().flat_map(|cluster| cluster.tasks.values_mut()) {
        if task.protected_until.is_some_and(|until| until <= now) {
            task.protected_until = None;
            task.version += 1;
            ended.push(short(task));
        }
    }
    for subject in ended {
        note(account, "scheduler", &subject, "task protection expired");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::builder::AccountBuilder;
    use crate::scheduler::Engine;

    #[test]
    fn protection_ends_by_itself() {
        let mut account = AccountBuilder::new(1)
            .cluster("web")
            .instance("i-a1", "a", |i| i)
            .task_definition("web", |t| t)
            .service("web", |s| s.on(&["i-a1", "i-a1"]))
            .build();
        let until = account.now + Duration::from_mins(1);
        let tasks = &mut account.clusters.get_mut("web").expect("built").tasks;
        tasks.values_mut().next().expect("built").protected_until = Some(until);
        let mut engine = Engine::new(1);
        engine.advance(&mut account, until - Duration::from_secs(1), &mut |_| ());
        assert_eq!(protected_count(&account, "web", "web"), 1);
        engine.tick(&mut account);
        assert_eq!(protected_count(&account, "web", "web"), 0);
    }
}
