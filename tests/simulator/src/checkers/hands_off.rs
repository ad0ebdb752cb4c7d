//! Promise: hands off what is not Evenkeel's to move.
//!
//! Never stopped by `StopTask` or scale-in: tasks that somebody else protected, daemon tasks, standalone tasks unless
//! Spot is about to take their machine, tasks on a container instance that somebody else drains. Never touched: that
//! protection and that DRAINING state themselves.

use std::collections::BTreeMap;

use super::Violation;
use super::survey::{Stop, Survey};
use crate::account::{Account, ContainerInstanceStatus, StopCause, Task};
use crate::time::SimTime;

/// What belongs to others.
#[derive(Clone, Debug, Default)]
pub(super) struct HandsOff {
    /// End of each foreign protection, by task ARN.
    protected_until: BTreeMap<String, SimTime>,
    /// Foreign drains by container instance ARN, and whether the end of one has been reported.
    drained: BTreeMap<String, bool>,
}

impl HandsOff {
    pub(super) fn new(account: &Account) -> Self {
        let mut hands_off = Self::default();
        for cluster in account.clusters.values() {
            let protected =
                cluster.tasks.values().filter_map(|task| Some((task.arn.clone(), task.protected_until?)));
            hands_off.protected_until.extend(protected);
            let instances = cluster.container_instances.values();
            let draining = instances.filter(|instance| instance.status == ContainerInstanceStatus::Draining);
            hands_off.drained.extend(draining.map(|instance| (instance.arn.clone(), false)));
        }
        hands_off
    }

    pub(super) fn protected_by_others(&mut self, account: &Account, task_arn: &str) {
        match task(account, task_arn).and_then(|task| task.protected_until) {
            Some(until) => self.protected_until.insert(task_arn.to_owned(), until),
            None => self.protected_until.remove(task_arn),
        };
    }

    pub(super) fn drained_by_others(&mut self, container_instance_arn: &str) {
        self.drained.insert(container_instance_arn.to_owned(), false);
    }

    pub(super) fn drain_ended_by_others(&mut self, container_instance_arn: &str) {
        self.drained.remove(container_instance_arn);
    }

    pub(super) fn check(&mut self, account: &Account, survey: &Survey) -> Vec<Violation> {
        let stops = survey
            .stops
            .iter()
            .filter_map(|stop| Some((stop.task_arn.clone(), self.reason_off_limits(account, stop)?)));
        let mut found: Vec<_> = stops.collect();
        found.extend(self.changed_protections(account));
        found.extend(self.ended_drains(account));
        let violation = |(subject, what): (String, &str)| Violation {
            at: survey.at,
            checker: "hands_off",
            subject,
            what: what.to_owned(),
        };
        found.into_iter().map(violation).collect()
    }

    /// Why this stop was not Evenkeel's to ask for.
    fn reason_off_limits(&self, account: &Account, stop: &Stop) -> Option<&'static str> {
        let by_api = stop.cause == Some(StopCause::Api);
        if !by_api && stop.cause != Some(StopCause::ScaleIn) {
            return None;
        }
        let drained = stop.container_instance.as_ref().is_some_and(|arn| self.drained.contains_key(arn));
        if stop.was_protected && self.protected_until.contains_key(&stop.task_arn) {
            Some("stopped although somebody else had protected it")
        } else if stop.service.is_none() && !is_interrupted(account, stop) {
            Some("stopped although it is a standalone task")
        } else if stop.daemon {
            Some("stopped although it is a daemon task")
        } else if drained && by_api {
            Some("stopped although somebody else drains its container instance")
        } else {
            None
        }
    }

    /// Foreign protections that ended early or were moved; each is reported once.
    fn changed_protections(&mut self, account: &Account) -> Vec<(String, &'static str)> {
        let mut found = Vec::new();
        self.protected_until.retain(|arn, until| {
            let Some(task) = task(account, arn).filter(|task| task.is_wanted()) else { return false };
            let kept = task.protected_until == Some(*until);
            if !kept && account.now < *until {
                found.push((arn.clone(), "its protection, which is somebody else's, was changed"));
            }
            kept
        });
        found
    }

    fn ended_drains(&mut self, account: &Account) -> Vec<(String, &'static str)> {
        let mut found = Vec::new();
        for (arn, told) in &mut self.drained {
            let instance = account.clusters.values().find_map(|cluster| cluster.container_instances.get(arn));
            if !*told && instance.is_some_and(|instance| instance.status == ContainerInstanceStatus::Active) {
                *told = true;
                found.push((arn.clone(), "set ACTIVE although somebody else drains it"));
            }
        }
        found
    }
}

/// Whether Spot has announced the end of the machine below the task.
fn is_interrupted(account: &Account, stop: &Stop) -> bool {
    let arn = stop.container_instance.as_ref();
    let mut clusters = account.clusters.values();
    let instance = arn.and_then(|arn| clusters.find_map(|cluster| cluster.container_instances.get(arn)));
    let machine = instance.and_then(|instance| account.machines.get(&instance.ec2_instance_id));
    machine.is_some_and(|machine| machine.interruption.is_some())
}

fn task<'a>(account: &'a Account, task_arn: &str) -> Option<&'a Task> {
    account.clusters.values().find_map(|cluster| cluster.tasks.get(task_arn))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::account::{InterruptionAction, StopCode};
    use crate::builder::AccountBuilder;
    use crate::checkers::Checkers;
    use crate::scheduler::{Engine, lifecycle, spot};

    fn account() -> Account {
        let mut account = AccountBuilder::new(9)
            .cluster("web")
            .instance("i-a1", "a", |i| i)
            .instance("i-b1", "b", InstanceBuilder::draining)
            .task_definition("web", |t| t)
            .task_definition("log", |t| t)
            .service("web", |s| s.on(&["i-a1", "i-a1"]).desired(1))
            .service("log", |s| s.on(&["i-a1"]).daemon())
            .standalone("log", "i-a1")
            .build();
        let until = account.now + Duration::from_hours(1);
        let tasks = account.clusters.get_mut("web").expect("built").tasks.values_mut();
        let of_web = tasks.filter(|task| task.service() == Some("web"));
        of_web.for_each(|task| task.protected_until = Some(until));
        account
    }

    use crate::builder::InstanceBuilder;

    fn violations(change: impl FnOnce(&mut Account)) -> Vec<String> {
        let mut account = account();
        let mut checkers = Checkers::new(&account);
        change(&mut account);
        let until = account.now + Duration::from_secs(10);
        Engine::new(9).advance(&mut account, until, &mut |account| checkers.check(account));
        let found = checkers.violations().iter().filter(|violation| violation.checker == "hands_off");
        found.map(|violation| violation.what.clone()).collect()
    }

    fn stop(account: &mut Account, group: &str) {
        let arn = account.clusters["web"]
            .tasks
            .values()
            .find(|task| task.group == group)
            .expect("built")
            .arn
            .clone();
        lifecycle::begin_stop(account, "web", &arn, StopCode::UserInitiated, "test");
    }

    #[test]
    fn what_is_left_alone_is_fine() {
        assert_eq!(violations(|_| ()), Vec::<String>::new());
    }

    #[test]
    fn foreign_tasks_must_not_be_stopped() {
        let table = [("service:web", "protected"), ("service:log", "daemon"), ("family:log", "standalone")];
        for (group, word) in table {
            let found = violations(|account| stop(account, group));
            assert!(found.len() == 1 && found[0].contains(word), "{group}: {found:?}");
        }
    }

    #[test]
    fn a_standalone_task_may_be_stopped_before_spot_takes_its_machine() {
        let found = violations(|account| {
            spot::interrupt(account, "i-a1", InterruptionAction::Terminate);
            stop(account, "family:log");
        });
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn foreign_protections_and_drains_must_not_be_changed() {
        let found = violations(|account| {
            let cluster = account.clusters.get_mut("web").expect("built");
            let mut tasks = cluster.tasks.values_mut();
            tasks.find(|task| task.protected_until.is_some()).expect("built").protected_until = None;
            let instances = cluster.container_instances.values_mut();
            instances.for_each(|instance| instance.status = ContainerInstanceStatus::Active);
        });
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
