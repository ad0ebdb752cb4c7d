//! The check before any lowering, and the protections it rests on.

use crate::ids::TaskArn;
use crate::plan::health::{Health, all_of};
use crate::plan::record::PROTECTION_MARGIN;
use crate::snapshot::Task;

use super::seen::Seen;
use super::{Step, Waiting};

impl<'a> Seen<'a> {
    /// The check before any lowering: exactly the leaving tasks unprotected, and as many healthy, protected keepers as
    /// the count before. `then` is the step once all of it is seen.
    pub(super) fn lower_when_safe(&self, leaving: &[&'a Task], then: impl FnOnce() -> Step) -> Step {
        let is_leaving = |task: &Task| leaving.iter().any(|other| other.arn == task.arn);
        let keepers: Vec<&Task> = self.wanted().filter(|task| !is_leaving(task)).collect();
        if keepers.len() != self.record().tasks_desired_before as usize {
            return self.wait_or_undo(Waiting::Count);
        }
        match all_of(keepers.iter().map(|task| self.health(task))) {
            Health::NotHealthy => return self.wait_or_undo(Waiting::Healthy),
            Health::CannotTell(what) => return self.wait_or_undo(Waiting::CannotTell(what)),
            Health::Healthy => {}
        }
        if self.foreign_protection(leaving.iter().copied()).is_some() {
            return self.wait_or_undo(Waiting::CannotTell(
                "which task is free to leave: another protects it".to_owned(),
            ));
        }
        let ours: Vec<TaskArn> = self.ours(leaving.iter().copied());
        if !ours.is_empty() {
            return Step::Unprotect { tasks: ours };
        }
        self.protect(&keepers).unwrap_or_else(then)
    }

    pub(super) fn lower_now(&self) -> Step {
        Step::Lower { from: self.desired(), to: self.record().tasks_desired_before }
    }

    /// Protects those keepers whose protection is missing or runs out too soon.
    pub(super) fn protect(&self, keepers: &[&Task]) -> Option<Step> {
        let now = self.view.snapshot.observed_at;
        let lasting =
            |task: &&&Task| self.expiry(task).is_none_or(|expires| expires < now + PROTECTION_MARGIN);
        let tasks: Vec<TaskArn> = keepers.iter().filter(lasting).map(|task| task.arn.clone()).collect();
        (!tasks.is_empty()).then(|| Step::Protect { tasks, until: self.record().expiry_at(now) })
    }

    pub(super) fn unprotect(&self) -> Option<Step> {
        let tasks = self.ours(self.wanted());
        (!tasks.is_empty()).then_some(Step::Unprotect { tasks })
    }

    pub(super) fn surplus(&self) -> usize {
        self.desired().saturating_sub(self.record().tasks_desired_before) as usize
    }
}
