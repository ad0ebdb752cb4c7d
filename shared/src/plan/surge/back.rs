//! The way back: undo, make way for a deployment, take the increment back, drop the record.

use crate::ids::TaskArn;
use crate::plan::health::{Health, all_of};
use crate::plan::record::{MoveRecord, Phase};
use crate::plan::rest::Miss;
use crate::snapshot::Task;

use super::seen::Seen;
use super::{Outcome, Step, Waiting};

impl<'a> Seen<'a> {
    /// Turns back: without an increment there is nothing to take back but protections, and nothing was tried that could
    /// have missed.
    pub(super) fn give_up(&self, missed: Option<Miss>) -> Step {
        if self.record().starts == 0 {
            return self.drop_with(Outcome::RolledBack);
        }
        Step::Record(MoveRecord { missed, ..self.record().then(Phase::Undo) })
    }

    /// By what the move misses if its time is up now. Where somebody else's protection is in the way it yields to them.
    pub(super) fn miss(&self) -> Option<Miss> {
        if self.foreign_protection(self.wanted()).is_some() {
            return None;
        }
        let since = self.record().started_at;
        let has_come = self.stopped().any(|task| task.created_at >= Some(since)) || !self.new.is_empty();
        let is_placed = self.new.iter().all(|task| task.container_instance.is_some());
        let is_sick = self.new.iter().any(|task| self.health(task) == Health::NotHealthy);
        match () {
            () if !has_come || !is_placed => Some(Miss::Placement),
            () if self.new.is_empty() || is_sick => Some(Miss::Unhealthy),
            () => Some(Miss::Timeout),
        }
    }

    /// The chosen task went by itself: ECS has replaced or will replace it, so only the increment is taken back. If a
    /// lowered count took it, somebody has written the desired count twice meanwhile, and it is theirs.
    pub(super) fn without_chosen(&self) -> Step {
        if self.stopped_by_scale_in().any(|task| self.is_chosen(task)) {
            return self.drop_with(Outcome::DesiredChanged);
        }
        Step::Record(self.record().then(Phase::Yield))
    }

    pub(super) fn undo(&self) -> Step {
        if self.desired() == self.record().tasks_desired_before {
            let undone = || Step::Record(self.record().then(Phase::Undone));
            return self.stop_substitutes().unwrap_or_else(undone);
        }
        let leaving = self.leaving_on_undo();
        self.lower_when_safe(&leaving, || self.stop_or_lower(&leaving))
    }

    /// A new task that does not serve is no replacement for a keeper, so ECS must not be the one to choose between them:
    /// should `UpdateService` ignore protection, which AWS does not document, it might take the keeper. It is stopped by
    /// name, and at once desired count follows what is wanted, so that nobody is left to be chosen. New tasks that serve
    /// leave by the lowering alone, which drains them.
    fn stop_or_lower(&self, leaving: &[&Task]) -> Step {
        let sick = self.not_serving(leaving);
        if !sick.is_empty() {
            return Step::Stop {
                tasks: sick,
                lower: Some((self.desired(), self.record().tasks_desired_before)),
            };
        }
        match all_of(leaving.iter().map(|task| self.health(task))) {
            Health::CannotTell(what) => Step::Wait(Waiting::CannotTell(what)),
            _ => self.lower_now(),
        }
    }

    /// What ECS started in place of a stopped task before the lowering reached it goes the same way, as long as more
    /// tasks are wanted than the count asks for. To be asked only while nobody deploys and the count is as it was: the tasks
    /// of a deployment are new, too, and none of ours. Nothing is stopped while a protection could not be read, nor where
    /// somebody, the task itself perhaps, has set one.
    pub(super) fn stop_substitutes(&self) -> Option<Step> {
        let leaving = self.leaving_on_undo();
        if self.unread_protection().is_some() || self.foreign_protection(leaving.iter().copied()).is_some() {
            return None;
        }
        let surplus = self.tasks_wanted().saturating_sub(self.desired()) as usize;
        let mut sick = self.not_serving(&leaving);
        sick.truncate(surplus);
        (!sick.is_empty()).then_some(Step::Stop { tasks: sick, lower: None })
    }

    fn not_serving(&self, tasks: &[&Task]) -> Vec<TaskArn> {
        let is_sick = |task: &&&Task| self.health(task) == Health::NotHealthy;
        tasks.iter().filter(is_sick).map(|task| task.arn.clone()).collect()
    }

    /// The tasks that leave when a move is undone: every new one, also those by which ECS tries to replace a new one
    /// that does not get healthy. Where an old task died meanwhile, the oldest healthy new one stays in its place.
    pub(super) fn leaving_on_undo(&self) -> Vec<&'a Task> {
        let missing = (self.record().tasks_desired_before as usize).saturating_sub(self.old.len());
        let is_healthy = |task: &&&Task| self.health(task) == Health::Healthy;
        let staying: Vec<&Task> = self.new.iter().filter(is_healthy).take(missing).copied().collect();
        let leaves = |task: &&Task| staying.iter().all(|other| other.arn != task.arn);
        self.new.iter().copied().filter(leaves).collect()
    }

    /// After a foreign deployment, or when the chosen task died: whichever task leaves, enough healthy ones stay.
    pub(super) fn take_back(&self) -> Step {
        if self.desired() == self.record().tasks_desired_before {
            return Step::Record(self.record().then(Phase::Yielded));
        }
        if self.tasks_wanted() == self.record().tasks_desired_before {
            return self.lower_when_safe(&[], || self.lower_now());
        }
        if let Some(step) = self.unprotect() {
            return step;
        }
        if self.tasks_wanted() != self.desired() {
            return Step::Wait(Waiting::Count);
        }
        match all_of(self.wanted().map(|task| self.health(task))) {
            Health::Healthy => self.lower_now(),
            Health::NotHealthy => Step::Wait(Waiting::Healthy),
            Health::CannotTell(what) => Step::Wait(Waiting::CannotTell(what)),
        }
    }

    /// A foreign deployment must not be held up by our protections (ECS Developer Guide, task scale-in protection).
    pub(super) fn make_way(&self) -> Step {
        if self.desired() == self.record().tasks_desired_before && self.record().phase <= Phase::Raise {
            return self.drop_with(Outcome::Yielded);
        }
        if let Some(step) = self.unprotect() {
            return step;
        }
        if self.record().phase != Phase::Yield {
            return Step::Record(self.record().then(Phase::Yield));
        }
        Step::Wait(Waiting::Deployment)
    }

    /// Gives the service back as it is: our protections off, then the record.
    pub(super) fn drop_with(&self, outcome: Outcome) -> Step {
        match (self.unprotect(), self.unread_protection()) {
            (Some(step), _) => step,
            (None, Some(what)) if !self.is_overdue() => Step::Wait(Waiting::CannotTell(what)),
            (None, _) => Step::Finish(outcome),
        }
    }

    pub(super) fn wait_or_undo(&self, waiting: Waiting) -> Step {
        let may_turn_back = matches!(self.record().phase, Phase::Raise | Phase::Lower);
        if may_turn_back && self.is_timed_out() { self.give_up(self.miss()) } else { Step::Wait(waiting) }
    }
}
