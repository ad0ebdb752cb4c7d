//! The stages that only other readings show: the substitute, and the tasks elsewhere. They decide nothing.

use std::collections::BTreeSet;

use crate::ids::{InstanceId, ServiceName};
use crate::plan::drain::seen::InstanceSnapshot;
use crate::snapshot::{Group, Known, LifecycleState, Service, Target, Task, TaskStatus};

use super::{Drain, Drained};

impl Drained {
    /// What the first looks find is what later ones are compared with.
    pub(super) fn watch_first(&mut self, seen: &InstanceSnapshot) {
        self.note_group(seen);
        if let Some(group) = seen.group.known().filter(|_| self.members.is_none()) {
            self.members = Some(group.members.keys().cloned().collect());
        }
        if let Some(tasks) = seen.tasks.known().filter(|_| self.services.is_empty()) {
            let wanted = tasks.iter().filter(|task| task.is_wanted());
            self.services = wanted.filter_map(|task| task.service.clone()).collect();
        }
    }

    /// Instances that are in service and were not in the group at the first look.
    fn newcomers(&self, group: &Group) -> Vec<InstanceId> {
        let Some(before) = &self.members else { return Vec::new() };
        let new = group
            .members
            .iter()
            .filter(|(id, member)| !before.contains(*id) && member.state == LifecycleState::InService);
        new.map(|(id, _)| id.clone()).collect()
    }
}

impl Drain<'_> {
    /// Looks at what the stage clock still waits for.
    pub(super) async fn watch(&self, drained: &mut Drained, seen: &InstanceSnapshot) {
        if drained.clock.registered_at.is_none() {
            self.watch_for_substitute(drained, seen).await;
        }
        if drained.clock.tasks_elsewhere_at.is_none() && !drained.services.is_empty() {
            let is_elsewhere = self.are_elsewhere(&drained.services, seen).await;
            drained.clock.tasks_elsewhere_at = is_elsewhere.then(|| self.aws.now());
        }
    }

    /// A detached instance is in its group no longer, and the group is asked by its name.
    async fn watch_for_substitute(&self, drained: &mut Drained, seen: &InstanceSnapshot) {
        let group = match (&seen.group, drained.group()) {
            (Known::Known(group), _) if !drained.is_asked_for() => Some(group.clone()),
            (_, Some(name)) => {
                self.aws.groups(std::slice::from_ref(name)).await.ok().and_then(|it| it.into_iter().next())
            }
            _ => None,
        };
        let newcomers = group.map(|group| drained.newcomers(&group)).unwrap_or_default();
        if newcomers.is_empty() {
            return;
        }
        let now = Some(self.aws.now());
        drained.clock.in_service_at = drained.clock.in_service_at.or(now);
        let registered = self.aws.registrations(&seen.cluster, &newcomers).await;
        drained.clock.registered_at = registered.ok().filter(|arns| !arns.is_empty()).and(now);
    }

    /// Whether every one of these services has as many tasks running elsewhere as it wants.
    async fn are_elsewhere(&self, services: &BTreeSet<ServiceName>, seen: &InstanceSnapshot) -> bool {
        let names: Vec<String> = services.iter().map(ToString::to_string).collect();
        for batch in names.chunks(10) {
            let Ok(read) = self.aws.describe_services(&seen.cluster, batch.to_vec()).await else {
                return false;
            };
            if read.items.len() < batch.len() || !read.items.iter().all(|service| is_elsewhere(service, seen))
            {
                return false;
            }
            for service in &read.items {
                if !self.serves_elsewhere(service, seen).await {
                    return false;
                }
            }
        }
        true
    }

    /// Whether each target group of a service has as many healthy targets elsewhere as it wants tasks; what cannot be told
    /// does not count.
    async fn serves_elsewhere(&self, service: &Service, seen: &InstanceSnapshot) -> bool {
        let tasks = seen.tasks.known().into_iter().flatten();
        let own: BTreeSet<&str> = tasks.flat_map(|it| it.private_ips.iter().map(String::as_str)).collect();
        let is_here =
            |target: &Target| target.id == seen.instance_id.as_str() || own.contains(target.id.as_str());
        for group in service.load_balancers.iter().filter_map(|it| it.target_group.as_ref()) {
            let Ok(targets) = self.aws.target_health(group).await else { return false };
            let healthy = targets.iter().filter(|it| it.is_healthy && !is_here(it)).count();
            if healthy < service.tasks_desired as usize {
                return false;
            }
        }
        true
    }
}

/// `runningCount` includes the tasks that still run here.
fn is_elsewhere(service: &Service, seen: &InstanceSnapshot) -> bool {
    let Some(tasks) = seen.tasks.known() else { return false };
    let is_running_here = |task: &&Task| {
        task.service.as_ref() == Some(&service.name)
            && task.is_wanted()
            && task.last_status == TaskStatus::Running
    };
    let here = tasks.iter().filter(is_running_here).count() as u32;
    service.tasks_running.saturating_sub(here) >= service.tasks_desired
}
