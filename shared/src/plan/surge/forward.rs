//! The way forward: guard, raise, judge the landing, hand over, lower.

use std::collections::BTreeSet;

use crate::ids::TaskArn;
use crate::plan::health::{Health, all_of};
use crate::plan::rebalance::{landing_helps, next_landings};
use crate::plan::record::{MoveRecord, Phase};
use crate::plan::rest::Miss;
use crate::snapshot::Task;

use super::seen::Seen;
use super::{Outcome, Step, Waiting};

impl<'a> Seen<'a> {
    pub(super) fn guard(&self) -> Step {
        let untouched = self.desired() == self.record().tasks_desired_before;
        if !untouched {
            return self.drop_with(Outcome::DesiredChanged);
        }
        match self.view.paused {
            Some(false) => {}
            Some(true) => return self.drop_with(Outcome::Yielded),
            None => return Step::Wait(Waiting::CannotTell("whether the cluster is paused".to_owned())),
        }
        let as_found = self.new.is_empty() && self.tasks_wanted() == self.desired();
        if self.is_timed_out() || self.chosen.is_none() || !as_found {
            return self.drop_with(Outcome::RolledBack);
        }
        let keepers: Vec<&Task> = self.old.iter().copied().filter(|task| !self.is_chosen(task)).collect();
        if let Some(what) = self.unread_protection() {
            return Step::Wait(Waiting::CannotTell(what));
        }
        if self.foreign_protection(self.wanted()).is_some() {
            return self.drop_with(Outcome::Yielded);
        }
        match all_of(self.wanted().map(|task| self.health(task))) {
            Health::NotHealthy => return self.drop_with(Outcome::RolledBack),
            Health::CannotTell(what) => return Step::Wait(Waiting::CannotTell(what)),
            Health::Healthy => {}
        }
        self.protect(&keepers).unwrap_or_else(|| self.start_another())
    }

    /// Raises desired count by one more start, if there is room where ECS would place it.
    pub(super) fn start_another(&self) -> Step {
        match next_landings(self.view.snapshot, self.view.limits, self.name()) {
            None => Step::Wait(Waiting::CannotTell("where the new task would be placed".to_owned())),
            Some(landings) if landings.is_empty() => self.give_up(Some(Miss::Placement)),
            Some(_) => {
                let from = self.record().tasks_desired_raised();
                let record =
                    MoveRecord { starts: self.record().starts + 1, ..self.record().then(Phase::Raise) };
                Step::Raise { record, from, to: from + 1 }
            }
        }
    }

    pub(super) fn raise(&self) -> Step {
        if self.chosen.is_none() {
            return self.without_chosen();
        }
        if self.view.paused == Some(true) {
            return self.give_up(None);
        }
        if self.desired() < self.record().tasks_desired_raised() {
            return if self.is_timed_out() { self.give_up(self.miss()) } else { self.raise_again() };
        }
        if self.tasks_wanted() < self.desired() {
            return self.wait_or_undo(Waiting::NewTask);
        }
        if self.tasks_wanted() > self.desired() {
            return self.wait_or_undo(Waiting::Count);
        }
        self.judge_landing()
    }

    /// The record announces an increment that is not there: either the write was lost and comes now, or somebody has
    /// taken it back, which shows in the tasks that came or went with it. Where ECS has replaced tasks meanwhile, those that
    /// came tell nothing: the move is undone, and a count that stands as it was before is not written again.
    pub(super) fn raise_again(&self) -> Step {
        let record = self.record();
        let since = |task: &Task| task.created_at >= Some(record.started_at);
        let came = self.stopped().filter(|task| since(task)).count() + self.new.len();
        let gone = self.stopped().filter(|task| since(task) || self.has_gone_since(task)).count();
        let was_taken_back = self.stopped_by_scale_in().any(|task| self.has_gone_since(task));
        let starts = record.starts as usize;
        match () {
            () if was_taken_back || self.desired() + 1 != record.tasks_desired_raised() => {
                self.drop_with(Outcome::DesiredChanged)
            }
            () if came < starts => {
                let record = MoveRecord { sequence: record.sequence + 1, ..record.clone() };
                Step::Raise { from: self.desired(), to: self.desired() + 1, record }
            }
            () if came.saturating_sub(gone) < starts => self.give_up(self.miss()),
            () => self.drop_with(Outcome::DesiredChanged),
        }
    }

    fn has_gone_since(&self, task: &Task) -> bool {
        task.stopping_at.is_some_and(|at| at >= self.record().started_at)
    }

    /// However late the look comes, a new task that serves where it helps is handed over to: the time-out is for those that
    /// do not.
    pub(super) fn judge_landing(&self) -> Step {
        if self.new.iter().any(|task| task.container_instance.is_none()) {
            return self.wait_or_undo(Waiting::NewTask);
        }
        let may_go_on = self.record().starts < self.record().starts_max && !self.is_timed_out();
        match self.helpful() {
            Err(what) => self.wait_or_undo(Waiting::CannotTell(what)),
            Ok(Some(new)) => self.hand_over(new),
            Ok(None) if may_go_on => self.start_another(),
            Ok(None) => self.give_up(Some(Miss::Landing)),
        }
    }

    /// The new task in whose favour the chosen one may leave: with it, and without every other new one, the movable
    /// excess is smaller than it was and no zone drifts from another.
    pub(super) fn helpful(&self) -> Result<Option<&'a Task>, String> {
        let Some(chosen) = self.chosen else { return Ok(None) };
        for started in &self.new {
            let others = self.new.iter().filter(|task| task.arn != started.arn);
            let ballast: BTreeSet<TaskArn> = others.map(|task| task.arn.clone()).collect();
            let view = self.view;
            match landing_helps(view.snapshot, view.limits, self.name(), &chosen.arn, &started.arn, &ballast)
            {
                None => return Err("how the tasks are spread".to_owned()),
                Some(true) => return Ok(Some(started)),
                Some(false) => {}
            }
        }
        Ok(None)
    }

    pub(super) fn hand_over(&self, new: &'a Task) -> Step {
        let leaving = self.leaving(Some(new));
        self.lower_when_safe(&leaving, || {
            let record = self.record().then(Phase::Lower);
            Step::Record(MoveRecord { new: Some(new.arn.short().to_owned()), ..record })
        })
    }

    /// The tasks that leave on a hand-over: the chosen one and the ballast, youngest first.
    pub(super) fn leaving(&self, new: Option<&Task>) -> Vec<&'a Task> {
        let surplus = self.surplus();
        let ballast =
            self.new.iter().rev().copied().filter(|task| Some(&task.arn) != new.map(|new| &new.arn));
        self.chosen.into_iter().chain(ballast).take(surplus).collect()
    }

    pub(super) fn lower(&self) -> Step {
        if self.desired() == self.record().tasks_desired_before {
            return Step::Record(self.record().then(Phase::Settle));
        }
        let new =
            self.new.iter().copied().find(|task| Some(task.arn.short()) == self.record().new.as_deref());
        if self.chosen.is_none() {
            return self.after_scale_in();
        }
        if new.is_none() || self.is_timed_out() && !self.is_ready(new) {
            return Step::Record(self.record().then(Phase::Raise));
        }
        let leaving = self.leaving(new);
        self.lower_when_safe(&leaving, || self.lower_now())
    }

    /// The chosen task is leaving although desired count stands at the raised value: if the scheduler stopped it, our
    /// lowering took effect and somebody has since raised the count for their own reasons; else it died by itself.
    pub(super) fn after_scale_in(&self) -> Step {
        if self.stopped_by_scale_in().any(|task| task.arn.short() == self.record().chosen) {
            return Step::Record(self.record().then(Phase::Settle));
        }
        self.without_chosen()
    }

    pub(super) fn is_ready(&self, task: Option<&Task>) -> bool {
        task.is_some_and(|task| self.health(task) == Health::Healthy)
    }
}
