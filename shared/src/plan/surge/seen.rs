//! The view of a move, sorted: what is wanted, what came with the move, what protects what, what has left.

use crate::ids::{ServiceName, TaskArn};
use crate::plan::health::{Health, health_of};
use crate::plan::record::MoveRecord;
use crate::snapshot::{ContainerInstanceStatus, Known, Task};
use crate::timestamp::Timestamp;

use super::MoveView;

/// The view, sorted: which tasks are wanted, which of them came with the move, what protects each.
pub(in crate::plan) struct Seen<'a> {
    pub(in crate::plan) view: &'a MoveView<'a>,
    /// Wanted tasks that were there before the move, the chosen one among them while it lives.
    pub(super) old: Vec<&'a Task>,
    /// Wanted tasks that came since, oldest first.
    pub(in crate::plan) new: Vec<&'a Task>,
    /// The chosen task, while ECS still wants it.
    pub(in crate::plan) chosen: Option<&'a Task>,
}

/// How ECS begins the `stoppedReason` of a task that a lowered desired count took (ECS Developer Guide, "Amazon ECS
/// stopped tasks error messages").
const SCALE_IN: &str = "Scaling activity initiated by";

impl<'a> Seen<'a> {
    pub(in crate::plan) fn of(view: &'a MoveView<'a>) -> Result<Self, String> {
        let name = &view.service.name;
        let wanted: Vec<&Task> = view.snapshot.wanted_tasks(name).collect();
        if let Some(task) = wanted.iter().find(|task| task.created_at.is_none()) {
            return Err(format!("creation time of task {}", task.arn.short()));
        }
        let since = view.record.started_at;
        let (mut new, old): (Vec<_>, Vec<_>) =
            wanted.into_iter().partition(|task| task.created_at >= Some(since));
        new.sort_by_key(|task| (task.created_at, task.arn.clone()));
        let chosen = old.iter().copied().find(|task| task.arn.short() == view.record.chosen);
        Ok(Self { view, old, new, chosen })
    }

    /// A wanted task whose protection was not read: nothing may rest on it.
    pub(super) fn unread_protection(&self) -> Option<String> {
        let unread =
            |task: &&Task| !matches!(self.view.snapshot.protections.get(&task.arn), Some(Known::Known(_)));
        self.wanted().find(unread).map(|task| format!("protection of task {}", task.arn.short()))
    }

    /// Whether a wanted task is on an instance that is being drained: ECS is to take it away, and must not be held up.
    pub(in crate::plan) fn is_drained(&self) -> bool {
        let instances = &self.view.snapshot.container_instances;
        self.wanted()
            .filter_map(|task| instances.get(task.container_instance.as_ref()?))
            .any(|instance| instance.status == ContainerInstanceStatus::Draining)
    }

    pub(in crate::plan) fn record(&self) -> &'a MoveRecord {
        self.view.record
    }

    pub(in crate::plan) fn name(&self) -> &'a ServiceName {
        &self.view.service.name
    }

    pub(in crate::plan) fn desired(&self) -> u32 {
        self.view.service.tasks_desired
    }

    pub(in crate::plan) fn wanted(&self) -> impl Iterator<Item = &'a Task> + '_ {
        self.old.iter().chain(&self.new).copied()
    }

    pub(in crate::plan) fn tasks_wanted(&self) -> u32 {
        self.wanted().count() as u32
    }

    pub(in crate::plan) fn is_timed_out(&self) -> bool {
        self.view.snapshot.observed_at.since(self.record().started_at) >= self.view.move_timeout
    }

    pub(in crate::plan) fn health(&self, task: &Task) -> Health {
        health_of(self.view.snapshot, self.view.service, task, self.view.healthy_after)
    }

    pub(in crate::plan) fn is_chosen(&self, task: &Task) -> bool {
        task.arn.short() == self.record().chosen
    }

    /// Until when a task is protected; `None` when it is not. Without an expiry it is taken to last.
    pub(super) fn expiry(&self, task: &Task) -> Option<Timestamp> {
        let protection = self.view.snapshot.protections.get(&task.arn).and_then(Known::known)?;
        let now = self.view.snapshot.observed_at;
        let expires = protection.expires_at.unwrap_or(Timestamp::from_millis(i64::MAX));
        (protection.enabled && expires > now).then_some(expires)
    }

    pub(super) fn ours(&self, tasks: impl Iterator<Item = &'a Task>) -> Vec<TaskArn> {
        let now = self.view.snapshot.observed_at;
        let ours =
            |task: &&Task| self.expiry(task).is_some_and(|expires| self.record().is_our_expiry(expires, now));
        tasks.filter(ours).map(|task| task.arn.clone()).collect()
    }

    pub(super) fn foreign_protection(&self, tasks: impl Iterator<Item = &'a Task>) -> Option<&'a Task> {
        let now = self.view.snapshot.observed_at;
        let foreign = |task: &&Task| {
            self.expiry(task).is_some_and(|expires| !self.record().is_our_expiry(expires, now))
        };
        tasks.into_iter().find(foreign)
    }

    /// Tasks of the service on their way out or gone, as far as ECS still lists them.
    pub(in crate::plan) fn stopped(&self) -> impl Iterator<Item = &'a Task> {
        let name = self.name();
        self.view
            .snapshot
            .tasks
            .values()
            .filter(move |task| !task.is_wanted() && task.service.as_ref() == Some(name))
    }

    /// Those that a lowered desired count took. A deployment stops tasks with the same words, but only tasks of an
    /// older deployment than the one that is left; and so does ECS on an instance that is being drained, once another
    /// task serves in their place (ECS Developer Guide, "Draining Amazon ECS container instances").
    pub(super) fn stopped_by_scale_in(&self) -> impl Iterator<Item = &'a Task> {
        let deployments: Vec<&str> = self.view.service.deployments.iter().map(|it| it.id.as_str()).collect();
        self.stopped().filter(move |task| {
            let reason = task.stopped_reason.as_deref().unwrap_or_default();
            task.stop_code.as_deref() == Some("ServiceSchedulerInitiated")
                && reason.starts_with(SCALE_IN)
                && task.started_by.as_deref().is_none_or(|id| deployments.contains(&id))
                && !self.may_have_been_drained(task)
        })
    }

    /// Whether the instance of a task is being drained, or is no longer known.
    fn may_have_been_drained(&self, task: &Task) -> bool {
        let instances = &self.view.snapshot.container_instances;
        let instance = task.container_instance.as_ref().and_then(|arn| instances.get(arn));
        instance.is_none_or(|it| it.status == ContainerInstanceStatus::Draining)
    }
}
