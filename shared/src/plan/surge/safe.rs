//! The check before any lowering, and the protections it rests on.

use crate::ids::TaskArn;
use crate::plan::health::{Health, all_of};
use crate::plan::record::{PROTECTION_MARGIN, Phase};
use crate::snapshot::Task;

use super::seen::Seen;
use super::{Step, Waiting};

impl<'a> Seen<'a> {
    /// The check before any lowering: exactly the leaving tasks unprotected, and as many healthy, protected keepers as
    /// the count before. `then` is the step once all of it is seen.
    pub(super) fn lower_when_safe(&self, leaving: &[&'a Task], then: impl FnOnce() -> Step) -> Step {
        let is_leaving = |task: &Task| leaving.iter().any(|other| other.arn == task.arn);
        let keepers: Vec<&'a Task> = self.wanted().filter(|task| !is_leaving(task)).collect();
        if keepers.len() != self.record().tasks_desired_before as usize {
            return self.wait_or_undo(Waiting::Count);
        }
        if let Some(waiting) = self.reason_not_serving(&keepers, leaving) {
            return self.wait_or_undo(waiting);
        }
        if let Some(what) = self.unread_protection() {
            return self.wait_or_undo(Waiting::CannotTell(what));
        }
        if self.foreign_protection(leaving.iter().copied()).is_some()
            || self.is_any_foreign_one_short(&keepers)
        {
            let what = "which task is free to leave: another protects one of them".to_owned();
            return self.wait_or_undo(Waiting::CannotTell(what));
        }
        let ours: Vec<TaskArn> = self.ours(leaving.iter().copied());
        if !ours.is_empty() {
            return Step::Unprotect { tasks: ours };
        }
        self.protect(&keepers).unwrap_or_else(then)
    }

    /// Why the keepers cannot carry the service alone. When a move is undone and none of the leaving tasks serves, letting
    /// them go cannot make it worse, whatever the keepers' health. On a hand-over those that leave must serve as well:
    /// then it costs nothing if `UpdateService` should ignore protection and take others.
    fn reason_not_serving(&self, keepers: &[&'a Task], leaving: &[&'a Task]) -> Option<Waiting> {
        let serves = |task: &&Task| self.health(task) != Health::NotHealthy;
        let is_undone = self.record().phase == Phase::Undo;
        if is_undone && !leaving.iter().any(serves) {
            return None;
        }
        let must_serve = keepers.iter().chain(leaving.iter().filter(|_| !is_undone));
        match all_of(must_serve.map(|task| self.health(task))) {
            Health::Healthy => None,
            Health::NotHealthy => Some(Waiting::Healthy),
            Health::CannotTell(what) => Some(Waiting::CannotTell(what)),
        }
    }

    /// A keeper whose protection is somebody else's and ends too soon: it must neither be relied on nor overwritten.
    fn is_any_foreign_one_short(&self, keepers: &[&'a Task]) -> bool {
        let now = self.view.snapshot.observed_at;
        let is_short =
            |task: &&Task| self.expiry(task).is_some_and(|expires| expires < now + PROTECTION_MARGIN);
        self.foreign_protection(keepers.iter().copied().filter(is_short)).is_some()
    }

    pub(super) fn lower_now(&self) -> Step {
        let closing = match self.record().phase {
            Phase::Lower => Phase::Settle,
            Phase::Yield => Phase::Yielded,
            _ => Phase::Undone,
        };
        let to = self.record().tasks_desired_before;
        Step::Lower { from: self.desired(), to, closing: self.record().then(closing) }
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
