//! One turn of the rollout of one group: observe, decide, execute.
//!
//! [`Rollout::start`] looks before it leaps and writes the first record; [`Rollout::look`] is a turn of what a record
//! announces; [`Rollout::abort`] has it end. Any number of invocations may do so, one after the other or at the same
//! time.

use std::collections::BTreeMap;

use crate::aws::Aws;
use crate::error::Error;
use crate::execute::rollout::ExecuteRollout;
use crate::ids::{ClusterName, GroupName, InstanceId};
use crate::observe::rollout as observe;
use crate::plan::drain::empty::Emptiness;
use crate::plan::rollout::back_from_lost as lost_record;
use crate::plan::rollout::decision::{Decision, Outcome, Step, outcome};
use crate::plan::rollout::phase::Phase;
use crate::plan::rollout::preflight::{Preflight, preflight, unsteady_text};
use crate::plan::rollout::reason::RolloutReason;
use crate::plan::rollout::record::{Ending, ROLLOUT_TAG, RolloutRecord, Terms, UNSTEADY_TAG};
use crate::plan::rollout::seen::{Policy, RolloutSnapshot, RolloutView};
use crate::plan::rollout::step::decide;
use crate::report::rollout::GroupReport;
use crate::report::{Action, Status};
use crate::settings::Settings;
use crate::snapshot::AutoScalingGroup;
use crate::timestamp::Timestamp;

/// What rollouts work with.
#[derive(Clone, Copy, Debug)]
pub struct Rollout<'a> {
    /// AWS.
    pub aws: &'a Aws,
    /// Settings.
    pub settings: &'a Settings,
    /// Report only.
    pub dry_run: bool,
}

/// One group in the care of an invocation.
#[derive(Debug)]
pub struct Rolled {
    /// Which.
    pub group: GroupName,
    /// What was done.
    pub actions: Vec<Action>,
    /// What is waited for, as of the last look.
    pub reasons: Vec<RolloutReason>,
    /// What is said about it at the end.
    pub report: GroupReport,
    /// Nothing is left to do in this invocation.
    pub is_over: bool,
    /// The last turn began a phase: the next need not wait.
    pub is_moving: bool,
    /// The first record was not accepted; an answer that was lost may hide that it is there.
    has_failed_to_start: bool,
    empty_since: BTreeMap<InstanceId, Timestamp>,
    error: Option<Error>,
}

impl Rolled {
    /// A group that nothing is known of yet.
    pub fn new(group: GroupName) -> Self {
        Self {
            report: GroupReport::new(group.clone()),
            group,
            actions: Vec::new(),
            reasons: Vec::new(),
            is_over: false,
            is_moving: false,
            has_failed_to_start: false,
            empty_since: BTreeMap::new(),
            error: None,
        }
    }

    /// Why the last look failed.
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// The error that keeps it from being looked at, given away.
    pub fn take_error(&mut self) -> Option<Error> {
        self.error.take()
    }

    /// Keeps what came of a turn. What was not seen in between may have been otherwise.
    pub fn note(&mut self, result: Result<(), Error>) {
        self.error = result.err();
        self.is_moving &= self.error.is_none();
        self.report.error = self.error.as_ref().map(Error::chain);
        if let Some(error) = &self.error {
            self.empty_since.clear();
            self.is_over |= !error.is_retryable();
            tracing::warn!(group = %self.group, error = error.chain(), "turn failed");
        }
    }

    fn end(&mut self, status: Status, summary: impl Into<String>) {
        (self.report.status, self.report.summary, self.is_over) = (status, summary.into(), true);
    }
}

impl Rollout<'_> {
    fn policy(&self) -> Policy {
        Policy {
            launch_timeout: self.settings.launch_timeout,
            drain_timeout: self.settings.drain_timeout,
            on_drain_timeout: self.settings.on_drain_timeout,
            rollout_timeout: self.settings.rollout_timeout,
            healthy_after: self.settings.healthy_after,
            empty_after: self.settings.empty_after,
        }
    }

    /// Judges a start, and writes the first record unless something speaks against it, or there is one: then it is joined.
    pub async fn start(&self, rolled: &mut Rolled, cluster: &ClusterName, terms: Terms) -> Result<(), Error> {
        let group = self.group(&rolled.group).await?;
        rolled.report.cluster = Some(cluster.clone());
        if group.tags.contains_key(ROLLOUT_TAG) {
            return Ok(());
        }
        let snapshot = Box::pin(observe::before_start(self.aws, group, cluster)).await?;
        let found = preflight(&snapshot, terms, &self.settings.lifecycle_hook, self.settings.rollout_timeout);
        rolled.reasons.clone_from(&found.blockers);
        rolled.report.sizes = Some(found.sizes);
        rolled.report.preflight = Some(found.clone());
        if found.old.is_empty() && found.blockers.is_empty() {
            rolled.end(Status::NothingToDo, "every instance runs the target already");
        } else if !found.blockers.is_empty() {
            rolled.end(Status::Blocked, "it does not start: see blocked");
        } else {
            self.begin(rolled, cluster, &found).await;
        }
        Ok(())
    }

    async fn begin(&self, rolled: &mut Rolled, cluster: &ClusterName, found: &Preflight) {
        let group = rolled.group.clone();
        let execute = self.execute(&group, cluster);
        let action = execute.start(&found.record, &unsteady_text(&found.unsteady)).await;
        rolled.has_failed_to_start = !action.outcome.is_accepted();
        rolled.actions.push(action);
        if self.dry_run {
            let olds = found.old.len();
            rolled.end(Status::InProgress, format!("a dry run: it would replace {olds} instances"));
        }
    }

    /// Has the rollout end: back where there is a way back.
    pub async fn abort(&self, rolled: &mut Rolled) -> Result<(), Error> {
        let group = self.group(&rolled.group).await?;
        if !group.tags.contains_key(ROLLOUT_TAG) {
            return self.abort_lost(rolled, group).await;
        }
        let Some(record) = Self::record(rolled, &group) else { return Ok(()) };
        let Some(cluster) = observe::cluster_of(&group) else { return Ok(()) };
        if record.ending.is_none() {
            let aborted = RolloutRecord { ending: Some(Ending::Aborted), ..record.clone() };
            let name = rolled.group.clone();
            let action = self.execute(&name, &cluster).record(&record, &aborted).await;
            rolled.actions.push(action);
        }
        Ok(())
    }

    /// Marks without a record are taken back by this command only: the size that is found is kept, and what was suspended,
    /// and by whom, nobody knows any more.
    async fn abort_lost(&self, rolled: &mut Rolled, group: AutoScalingGroup) -> Result<(), Error> {
        for cluster in crate::observe::clusters(self.aws, self.settings).await? {
            let marked = observe::marked(self.aws, &cluster).await?;
            if !marked.iter().any(|id| group.instances.contains_key(id)) {
                continue;
            }
            let name = rolled.group.clone();
            let record = lost_record(&group, marked.len() as u32, self.aws.now());
            let action = self.execute(&name, &cluster).start(&record, "").await;
            rolled.has_failed_to_start = !action.outcome.is_accepted();
            rolled.actions.push(action);
            return Ok(());
        }
        Ok(())
    }

    async fn group(&self, name: &GroupName) -> Result<AutoScalingGroup, Error> {
        let found = observe::group(self.aws, name).await?;
        found.ok_or_else(|| {
            Error::event("autoScalingGroup", format!("is '{name}', and there is no such group"))
        })
    }

    /// The record of the group, if it has one that can be read.
    fn record(rolled: &mut Rolled, group: &AutoScalingGroup) -> Option<RolloutRecord> {
        match group.tags.get(ROLLOUT_TAG).map(|text| text.parse::<RolloutRecord>()) {
            Some(Ok(record)) => Some(record),
            Some(Err(error)) => {
                rolled.reasons = vec![RolloutReason::UnreadableRecord { value: error.0 }];
                rolled.end(Status::Blocked, "its record cannot be read: nothing is done");
                None
            }
            None if rolled.has_failed_to_start => {
                rolled.end(Status::Failed, "its record could not be written: nothing was begun");
                None
            }
            None => {
                rolled.end(Status::NothingToDo, "there is no rollout of this group");
                None
            }
        }
    }

    /// One turn; `writes` is false for a look at where it stands.
    pub async fn look(&self, rolled: &mut Rolled, writes: bool) -> Result<(), Error> {
        rolled.is_moving = false;
        let group = self.group(&rolled.group).await?;
        let Some(record) = Self::record(rolled, &group) else { return Ok(()) };
        let Some(cluster) = observe::cluster_of(&group) else {
            rolled.reasons = vec![RolloutReason::UnreadableRecord { value: "no cluster".to_owned() }];
            rolled.end(Status::Blocked, "the tag evenkeel:rollout-cluster is gone: nothing is done");
            return Ok(());
        };
        rolled.report.cluster = Some(cluster.clone());
        let unsteady: Vec<String> = group
            .tags
            .get(UNSTEADY_TAG)
            .into_iter()
            .flat_map(|it| it.split(' '))
            .map(str::to_owned)
            .collect();
        let seen = Box::pin(observe::look(self.aws, group, &cluster, &record)).await?;
        note_emptiness(&mut rolled.empty_since, &seen);
        let policy = self.policy();
        let view = RolloutView {
            seen: &seen,
            record: &record,
            unsteady: &unsteady,
            policy: &policy,
            empty_since: &rolled.empty_since,
        };
        let decision = decide(&view);
        describe(&mut rolled.report, &view, &decision);
        rolled.reasons.clone_from(&decision.reasons);
        if writes {
            self.carry_out(rolled, &cluster, &seen, &record, decision).await;
        }
        Ok(())
    }

    async fn carry_out(
        &self,
        rolled: &mut Rolled,
        cluster: &ClusterName,
        seen: &RolloutSnapshot,
        record: &RolloutRecord,
        decision: Decision,
    ) {
        let group = rolled.group.clone();
        let execute = self.execute(&group, cluster);
        let rejected = crate::plan::rollout::rejected(record);
        for step in &decision.steps {
            let actions = execute.execute_rollout(step, seen, rejected.as_deref()).await;
            let is_done = actions.iter().all(|it| it.outcome.is_accepted());
            rolled.actions.extend(actions);
            if !is_done {
                return;
            }
            if *step == Step::Forget && !self.dry_run {
                end_of(rolled, record);
            }
        }
        if let Some(next) = &decision.next {
            let action = execute.record(record, next).await;
            rolled.is_moving = action.outcome.is_accepted() && !self.dry_run;
            rolled.actions.push(action);
        }
    }

    fn execute<'e>(&'e self, group: &'e GroupName, cluster: &'e ClusterName) -> ExecuteRollout<'e> {
        ExecuteRollout { aws: self.aws, group, cluster, dry_run: self.dry_run }
    }
}

/// An instance is empty since the first of the looks that all found it so.
fn note_emptiness(empty_since: &mut BTreeMap<InstanceId, Timestamp>, seen: &RolloutSnapshot) {
    let is_empty = |id: &InstanceId| seen.emptiness(id) == Emptiness::Empty;
    empty_since.retain(|id, _| seen.group.instances.contains_key(id) && is_empty(id));
    for id in seen.group.instances.keys().filter(|id| is_empty(id)) {
        empty_since.entry(id.clone()).or_insert(seen.observed_at);
    }
}

fn end_of(rolled: &mut Rolled, record: &RolloutRecord) {
    let (status, summary) = match outcome(record) {
        Outcome::Done => {
            (Status::Done, "every old instance is replaced, and everything is as found".to_owned())
        }
        Outcome::Aborted(ending) => {
            let why = format!("{}: the waves that were done stay, the rest stays old", ending.word());
            (Status::Aborted, why)
        }
        Outcome::RolledBack(ending) => {
            (Status::RolledBack, format!("{}: the group is as it was before", ending.word()))
        }
    };
    if record.ending.is_none() {
        rolled.report.percent_done = Some(100);
    }
    rolled.end(status, summary);
}

fn describe(report: &mut GroupReport, view: &RolloutView<'_>, decision: &Decision) {
    let ids = |all: Vec<&crate::snapshot::AutoScalingInstance>| all.iter().map(|it| it.id.clone()).collect();
    let (record, group) = (view.record, &view.seen.group);
    report.note_record(record);
    if let Some(next) = &decision.next {
        report.note_record(next);
    }
    report.sizes = Some((group.min, group.desired, group.max));
    (report.waiting, report.on_standby, report.new) =
        (ids(view.waiting()), ids(view.on_standby()), ids(view.news()));
    let left = (report.waiting.len() + report.on_standby.len()) as u32;
    let replaced = if record.phase == Phase::Mark { 0 } else { record.olds.saturating_sub(left) };
    report.percent_done = Some((replaced * 100).checked_div(record.olds).unwrap_or(100));
    report.status = Status::InProgress;
    let phase = record.phase;
    let waits =
        decision.reasons.first().map_or_else(String::new, |it| format!("; it waits: {}", it.sentence()));
    report.summary =
        format!("{} since {}: {}{waits}; until {}", phase.word(), record.since, phase.does(), phase.until());
}
