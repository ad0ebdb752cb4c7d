//! The end of a move: protections off once ECS has chosen who leaves, the record off once they have stopped.

use crate::plan::record::Phase;
use crate::plan::rest::{Miss, Rest, rest_of};
use crate::snapshot::{Task, TaskStatus};

use super::seen::Seen;
use super::{Outcome, Step, Waiting, is_deploying, surge_off_until};

impl Seen<'_> {
    /// Desired count is back. Protections stay until ECS has chosen who leaves, the record until they have stopped.
    pub(super) fn close(&self) -> Step {
        let is_undecided = self.tasks_wanted() > self.desired();
        let is_untouched = self.desired() == self.record().tasks_desired_before;
        let is_ours = is_untouched && !is_deploying(self.view.service);
        let is_open = self.record().phase == Phase::Undone && is_ours && !self.is_overdue();
        if let Some(step) = is_open.then(|| self.stop_substitutes()).flatten() {
            return step;
        }
        if is_undecided && !is_deploying(self.view.service) && !self.is_overdue() {
            return Step::Wait(Waiting::Stopped);
        }
        if let Some(step) = self.unprotect() {
            return step;
        }
        if self.has_taken_another() && !self.is_surge_off() && !self.is_overdue() {
            return Step::SurgeOff;
        }
        if let Some(what) = self.unread_protection().filter(|_| !self.is_overdue()) {
            return Step::Wait(Waiting::CannotTell(what));
        }
        if self.is_any_leaving_still_stopping() && !self.is_overdue() {
            return Step::Wait(Waiting::Stopped);
        }
        self.finish(self.outcome(), self.record().missed)
    }

    /// The end of the record, after what the service has to remember of it.
    pub(in crate::plan) fn finish(&self, outcome: Outcome, missed: Option<Miss>) -> Step {
        let memory = self.remember(outcome, missed).filter(|_| !self.is_overdue());
        memory.unwrap_or(Step::Finish(outcome))
    }

    /// What the service has to remember, or may forget, before the record goes: its tag names the move that it counted
    /// last, so that the same miss is not counted again. A value that cannot be read is left: it keeps the service at rest.
    fn remember(&self, outcome: Outcome, missed: Option<Miss>) -> Option<Step> {
        let earlier = rest_of(self.view.service).transpose().ok()?;
        match (outcome, missed.filter(|_| self.view.remembers), earlier) {
            (Outcome::Moved, _, Some(_)) => Some(Step::EndRest),
            (Outcome::RolledBack | Outcome::NoBetter | Outcome::NotReplaced, Some(observed), earlier) => {
                let (started_at, now) = (self.record().started_at, self.view.snapshot.observed_at);
                let is_counted = earlier.as_ref().is_some_and(|rest| rest.move_started_at == started_at);
                let rest =
                    Rest::after(earlier.as_ref(), observed, started_at, now, self.view.limits.cooldown);
                (!is_counted).then_some(Step::Rest(rest))
            }
            _ => None,
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        match self.record().phase {
            _ if self.has_taken_another() => Outcome::AnotherTaskStopped,
            Phase::Settle if self.chosen.is_none() => Outcome::Moved,
            Phase::Yielded => Outcome::Yielded,
            _ => Outcome::RolledBack,
        }
    }

    /// Nothing is written any more in a closing phase, so an end that never shows is not awaited for ever.
    pub(super) fn is_overdue(&self) -> bool {
        self.record().is_overdue(self.view.snapshot.observed_at)
    }

    pub(super) fn is_any_leaving_still_stopping(&self) -> bool {
        let since = self.record().started_at;
        self.stopped()
            .filter(|task| self.is_chosen(task) || task.created_at >= Some(since))
            .any(|task| task.last_status != TaskStatus::Stopped)
    }

    /// Whether ECS stopped a task that was to stay. AWS does not document that lowering the desired count by
    /// `UpdateService` spares protected tasks, so it is watched every time.
    pub(super) fn has_taken_another(&self) -> bool {
        let since = self.record().started_at;
        let leaves_rightly = |task: &Task| match self.record().phase {
            Phase::Settle => self.is_chosen(task) || self.is_ballast(task),
            _ => task.created_at >= Some(since),
        };
        let since_start = |task: &&Task| task.stopping_at.is_some_and(|at| at >= since);
        let is_untouched = self.desired() == self.record().tasks_desired_before;
        let is_watched = match self.record().phase {
            Phase::Settle => self.chosen.is_some(),
            phase => phase == Phase::Undone && is_untouched,
        };
        is_watched && self.stopped_by_scale_in().filter(since_start).any(|task| !leaves_rightly(task))
    }

    pub(super) fn is_ballast(&self, task: &Task) -> bool {
        task.created_at >= Some(self.record().started_at)
            && Some(task.arn.short()) != self.record().new.as_deref()
    }

    pub(super) fn is_surge_off(&self) -> bool {
        let tags = self.view.snapshot.tags.known();
        tags.is_some_and(|tags| {
            surge_off_until(tags).is_some_and(|until| until > self.view.snapshot.observed_at)
        })
    }
}
