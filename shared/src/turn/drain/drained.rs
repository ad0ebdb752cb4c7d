//! One instance in the care of an invocation: what it was told, what it has seen and done, and when.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::error::Error;
use crate::execute::drain::ExecuteDrain;
use crate::ids::{GroupName, InstanceId, ServiceName};
use crate::observe::drain::{GroupAndHooks, Registration};
use crate::plan::drain::empty::{Emptiness, emptiness};
use crate::plan::drain::reason::DrainReason;
use crate::plan::drain::record::{DrainRecord, record_of};
use crate::plan::drain::seen::{DrainView, InstanceSnapshot, Policy};
use crate::plan::drain::step::{Decision, Progress, Step};
use crate::report::drain::{InstanceReport, Stage, StageClock};
use crate::report::{Action, ActionOutcome};
use crate::snapshot::Known;
use crate::timestamp::Timestamp;

/// One instance in the care of this invocation.
#[derive(Debug)]
pub struct Drained {
    /// Which.
    pub instance: InstanceId,
    /// Why, as far as this invocation was told or has read; `None` where only its attribute can say.
    pub record: Option<DrainRecord>,
    /// What was done.
    pub actions: Vec<Action>,
    /// What is not done, as of the last look.
    pub reasons: Vec<DrainReason>,
    pub(super) registration: Option<Registration>,
    pub(super) stage: Stage,
    tasks: Option<usize>,
    pub(super) clock: StageClock,
    /// Services that had tasks on it at the first look.
    pub(super) services: BTreeSet<ServiceName>,
    /// Instances of its group at the first look.
    pub(super) members: Option<BTreeSet<InstanceId>>,
    /// How its group and the hooks stood when they were last read.
    group_seen: Option<GroupAndHooks>,
    /// What an outlook foretold of it; `None` as long as none was read that is to be.
    pub(super) foreseen: Option<Vec<DrainReason>>,
    /// A call is to be made again soon.
    is_pressing: bool,
    /// Since when its host is gone, if it is.
    pub(super) terminated_at: Option<Timestamp>,
    empty_since: Option<Timestamp>,
    seen_at: Option<Timestamp>,
    heartbeat_at: Option<Timestamp>,
    pub(super) is_over: bool,
    error: Option<Error>,
}

impl Drained {
    /// An instance that is to be drained.
    pub fn new(instance: InstanceId, record: DrainRecord) -> Self {
        let clock = StageClock { event_at: Some(record.noticed_at), ..StageClock::default() };
        Self { record: Some(record), clock, foreseen: None, ..Self::found(instance) }
    }

    /// An instance that was found under way. Nothing is foreseen of it, as it is found anew every minute.
    pub(super) fn found(instance: InstanceId) -> Self {
        Self {
            instance,
            record: None,
            actions: Vec::new(),
            reasons: Vec::new(),
            registration: None,
            stage: Stage::Unknown,
            tasks: None,
            clock: StageClock::default(),
            services: BTreeSet::new(),
            members: None,
            group_seen: None,
            foreseen: Some(Vec::new()),
            is_pressing: false,
            terminated_at: None,
            empty_since: None,
            seen_at: None,
            heartbeat_at: None,
            is_over: false,
            error: None,
        }
    }

    /// An instance whose host is gone.
    pub fn terminated(instance: InstanceId, at: Timestamp) -> Self {
        let clock = StageClock { event_at: Some(at), ..StageClock::default() };
        Self { terminated_at: Some(at), clock, ..Self::found(instance) }
    }

    /// An instance about which nothing is to be done.
    pub fn left_alone(instance: InstanceId, reason: DrainReason) -> Self {
        let mut drained = Self::found(instance);
        drained.leave_alone(reason);
        drained
    }

    /// How far it is.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Whether nothing is left to do about it in this invocation.
    pub fn is_over(&self) -> bool {
        self.is_over || self.error.as_ref().is_some_and(|error| !error.is_retryable())
    }

    /// When its invocation began, on AWS's clock, which only an answer of AWS tells.
    pub fn received_at(&mut self, at: Timestamp) {
        self.clock.received_at = Some(at);
    }

    /// Whether it is DRAINING and its substitute is on its way, by this invocation's own calls.
    pub fn is_asked_for(&self) -> bool {
        self.clock.draining_at.is_some() && self.clock.replacement_requested_at.is_some()
    }

    /// Whether the next look is not to be put off: a call has failed, or one look more may confirm that it is empty.
    pub fn is_pressing(&self) -> bool {
        !self.is_over() && (self.is_pressing || self.error.is_some() || self.empty_since.is_some())
    }

    /// Whether it was found empty, and not yet for so long that two looks agree.
    pub fn is_confirming(&self, empty_after: Duration) -> bool {
        let since = self.seen_at.zip(self.empty_since);
        !self.is_over() && since.is_some_and(|(seen_at, since)| seen_at.since(since) < empty_after)
    }

    /// When it has to be empty.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.record?.deadline
    }

    /// Whether the last look failed.
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// The error that keeps it from being looked at, given away.
    pub fn take_error(&mut self) -> Option<Error> {
        self.error.take()
    }

    /// Keeps what came of a turn.
    pub fn note(&mut self, result: Result<(), Error>) {
        self.error = result.err();
        // What was not seen in between may have been otherwise.
        self.empty_since = self.empty_since.filter(|_| self.error.is_none());
        if let Some(error) = &self.error {
            tracing::warn!(instance = %self.instance, error = error.chain(), "turn failed");
        }
    }

    /// What is said about it at the end.
    pub fn report(&self) -> InstanceReport {
        InstanceReport {
            instance_id: self.instance.clone(),
            cluster: self.registration.as_ref().map(|it| it.cluster.clone()),
            container_instance: self.registration.as_ref().map(|it| it.arn.clone()),
            cause: self.record.map(|record| record.cause),
            deadline: self.deadline(),
            stage: self.stage,
            replacement: self.record.and_then(|record| record.asked),
            tasks: self.tasks,
            clock: self.clock,
            error: self.error.as_ref().map(Error::chain),
        }
    }

    /// Ends the matter with a reason.
    pub(super) fn leave_alone(&mut self, reason: DrainReason) {
        (self.reasons, self.stage, self.is_over) = (vec![reason], Stage::LeftAlone, true);
    }
}

impl Drained {
    /// What this turn goes by: what the event said, joined with what its attribute says.
    pub(super) fn record_with(&mut self, seen: &InstanceSnapshot) -> Option<DrainRecord> {
        match (record_of(&seen.instance), self.record) {
            (Some(Ok(marked)), None) => Some(marked),
            (Some(Ok(marked)), Some(told)) => Some(marked.joined(told)),
            (_, Some(told)) => Some(told),
            (Some(Err(error)), None) => {
                self.leave_alone(DrainReason::UnreadableRecord { value: error.0 });
                None
            }
            (None, None) => {
                self.leave_alone(DrainReason::ForeignDrain);
                None
            }
        }
    }

    /// Once the substitute is on its way nothing hangs on the group any more but what is read of the instance itself, and
    /// the account's buckets are left to others.
    pub(super) fn known_group(&self) -> Option<GroupAndHooks> {
        self.group_seen.clone().filter(|_| self.is_asked_for())
    }

    /// The name of its group, as long as it was seen in one.
    pub(super) fn group(&self) -> Option<&GroupName> {
        let (group, _) = self.group_seen.as_ref()?;
        group.known().map(|group| &group.name)
    }

    pub(super) fn note_group(&mut self, seen: &InstanceSnapshot) {
        if let (Known::Known(_), Known::Known(_)) = (&seen.group, &seen.hooks) {
            self.group_seen = Some((seen.group.clone(), seen.hooks.clone()));
        }
    }

    /// What a step is decided from.
    pub(super) fn view<'v>(
        &self,
        seen: &'v InstanceSnapshot,
        record: &'v DrainRecord,
        policy: &'v Policy,
    ) -> DrainView<'v> {
        let (empty_since, heartbeat_at) = (self.empty_since, self.heartbeat_at);
        DrainView { seen, record, policy, empty_since, heartbeat_at }
    }

    pub(super) fn note_emptiness(&mut self, seen: &InstanceSnapshot) {
        let is_empty = emptiness(seen) == Emptiness::Empty;
        self.empty_since = is_empty.then(|| self.empty_since.unwrap_or(seen.observed_at));
        self.seen_at = Some(seen.observed_at);
        self.tasks = seen.unstopped().map(|tasks| tasks.len());
    }

    pub(super) async fn carry_out(&mut self, execute: &ExecuteDrain<'_>, steps: &[Step]) {
        self.is_pressing = false;
        for step in steps {
            let actions = execute.execute_drain(step).await;
            let is_recorded = actions.iter().all(|it| it.outcome.is_accepted());
            self.note_step(step, actions);
            if matches!(step, Step::Record(_)) && !is_recorded && !execute.is_urgent {
                // What could not be recorded is not done.
                break;
            }
        }
    }

    pub(super) fn note_first(
        &mut self,
        record: DrainRecord,
        (drained, recorded): (Vec<Action>, Vec<Action>),
    ) {
        self.note_step(&Step::Drain, drained);
        self.note_step(&Step::Record(record), recorded);
    }

    fn note_step(&mut self, step: &Step, actions: Vec<Action>) {
        let last = actions.last().map(|action| (action.outcome.clone(), action.at));
        self.actions.extend(actions);
        let Some((outcome, at)) = last else { return };
        let is_done = outcome == ActionOutcome::Done;
        match step {
            Step::Drain if is_done => self.clock.draining_at = self.clock.draining_at.or(Some(at)),
            Step::Replace { asked, .. } if is_done => {
                let requested = &mut self.clock.replacement_requested_at;
                *requested = requested.or(Some(at));
                self.heartbeat_at = Some(at);
                self.record = self.record.map(|record| DrainRecord { asked: Some(*asked), ..record });
            }
            Step::Replace { .. } => self.is_pressing = outcome != ActionOutcome::Planned,
            Step::Heartbeat if is_done => self.heartbeat_at = Some(at),
            Step::Complete(_) => {
                self.is_over = matches!(outcome, ActionOutcome::Done | ActionOutcome::Refused(_));
            }
            Step::Deregister if is_done => (self.stage, self.is_over) = (Stage::Gone, true),
            Step::GiveBack if is_done => (self.stage, self.is_over) = (Stage::GivenBack, true),
            _ => {}
        }
    }

    /// How far it is after this turn. Where a lifecycle action is to be completed, only that ends the matter.
    pub(super) fn conclude(&mut self, decision: Decision, now: Timestamp) {
        self.reasons = decision.reasons;
        let is_untold = |reason: &DrainReason| matches!(reason, DrainReason::CannotTell { .. });
        self.is_pressing |= !self.is_asked_for() && self.reasons.iter().any(is_untold);
        let is_pending = decision
            .steps
            .iter()
            .any(|step| matches!(step, Step::Complete(_) | Step::Retire(_) | Step::GiveBack));
        let is_asking = self.is_pressing && decision.progress == Progress::Empty;
        self.is_over |= decision.progress != Progress::Draining && !is_pending && !is_asking;
        self.stage = match decision.progress {
            Progress::Draining => Stage::Draining,
            Progress::Empty => Stage::Empty,
            Progress::Expired => Stage::DeadlineExpired,
            Progress::Over if self.stage == Stage::GivenBack => Stage::GivenBack,
            Progress::Over => Stage::LeftAlone,
        };
        if decision.progress == Progress::Empty {
            self.clock.empty_at = self.clock.empty_at.or(Some(now));
        }
    }
}
