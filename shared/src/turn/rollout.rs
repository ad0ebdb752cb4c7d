//! One turn of the rollout of one group: observe, decide, execute.
//!
//! [`Rollout::start`] looks before it leaps and writes the first record; [`Rollout::look`] is a turn of what a record
//! announces; [`Rollout::abort`] has it end. Any number of invocations may do so, one after the other or at the same
//! time.

mod rolled;

use crate::aws::Aws;
use crate::error::Error;
use crate::execute::rollout::ExecuteRollout;
use crate::ids::{ClusterName, GroupName};
use crate::observe::rollout as observe;
use crate::plan::rollout::back_from_lost;
use crate::plan::rollout::decision::{Decision, Step};
use crate::plan::rollout::phase::Phase;
use crate::plan::rollout::preflight::{Preflight, preflight, unsteady_text};
use crate::plan::rollout::reason::RolloutReason;
use crate::plan::rollout::record::{Ending, ROLLOUT_TAG, RolloutRecord, Terms};
use crate::plan::rollout::seen::{Policy, RolloutSnapshot, RolloutView};
use crate::plan::rollout::step::decide;
use crate::report::Status;
use crate::settings::{Clusters, Settings};
use crate::snapshot::AutoScalingGroup;

pub use rolled::Rolled;
use rolled::Told;

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
        let snapshot = Box::pin(observe::before_start(self.aws, group, cluster, terms.selection)).await?;
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
        rolled.told = if action.outcome.is_accepted() { Told::GoOn } else { Told::GoOnIfBegun };
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
        rolled.told = Told::End;
        Ok(())
    }

    /// Writes that it ends; until that stands, nothing else is done.
    async fn note_end(&self, rolled: &mut Rolled, cluster: &ClusterName, record: &RolloutRecord) {
        let aborted = RolloutRecord { ending: Some(Ending::Aborted), ..record.clone() };
        let name = rolled.group.clone();
        let action = self.execute(&name, cluster).record(record, &aborted).await;
        rolled.is_moving = action.outcome.is_accepted();
        rolled.report.status = Status::Failed;
        "the abort is not recorded yet: send it again".clone_into(&mut rolled.report.summary);
        rolled.actions.push(action);
    }

    /// Marks without a record are taken back by this command only: the size that is found is kept, and what was suspended,
    /// and by whom, nobody knows any more.
    async fn abort_lost(&self, rolled: &mut Rolled, group: AutoScalingGroup) -> Result<(), Error> {
        for cluster in crate::observe::clusters(self.aws, self.settings).await? {
            let mut marked = observe::marked(self.aws, &cluster).await?;
            marked.retain(|id| group.instances.get(id).is_some_and(|it| !it.state.is_leaving()));
            if marked.is_empty() {
                continue;
            }
            let name = rolled.group.clone();
            let record = back_from_lost(&group, marked.len() as u32, self.aws.now());
            let action = self.execute(&name, &cluster).start(&record, "").await;
            rolled.told = if action.outcome.is_accepted() { Told::GoOn } else { Told::GoOnIfBegun };
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
            None if rolled.told == Told::GoOnIfBegun => {
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
        // Whatever keeps it from going on: how old it is stays known.
        rolled.report.note_record(&record);
        let Some(cluster) = observe::cluster_of(&group) else {
            rolled.reasons = vec![RolloutReason::UnreadableRecord { value: "no cluster".to_owned() }];
            rolled.end(Status::Blocked, "the tag evenkeel:rollout-cluster is gone: nothing is done");
            return Ok(());
        };
        rolled.report.cluster = Some(cluster.clone());
        if !self.is_configured(&cluster) {
            let what =
                format!("the tag evenkeel:rollout-cluster names {cluster}, which EVENKEEL_CLUSTERS does not");
            rolled.end(Status::Blocked, what);
            return Ok(());
        }
        // Of what only waits to be put back there is nothing left to end.
        let may_end = record.ending.is_none() && record.phase != Phase::Restore;
        if rolled.told == Told::End && may_end && !self.dry_run {
            self.note_end(rolled, &cluster, &record).await;
            return Ok(());
        }
        let unsteady = observe::unsteady(&group);
        let seen = Box::pin(observe::look(self.aws, group, &cluster, &record)).await?;
        rolled.note_emptiness(&seen);
        let policy = self.policy();
        let view = RolloutView {
            seen: &seen,
            record: &record,
            unsteady: &unsteady,
            policy: &policy,
            empty_since: &rolled.empty_since,
        };
        let decision = decide(&view);
        rolled::describe(&mut rolled.report, &view, &decision);
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
            let actions = execute.execute_rollout(step, seen, record, rejected.as_deref()).await;
            let is_done = actions.iter().all(|it| it.outcome.is_accepted());
            rolled.actions.extend(actions);
            if !is_done {
                return;
            }
            // There may be more to enter than one call takes.
            rolled.is_moving |= matches!(step, Step::EnterStandby(_)) && !self.dry_run;
            if *step == Step::Forget && !self.dry_run {
                rolled.end_of(record);
            }
        }
        if let Some(next) = &decision.next {
            let action = execute.record(record, next).await;
            rolled.is_moving = action.outcome.is_accepted() && !self.dry_run;
            rolled.actions.push(action);
        }
    }

    /// Whoever may tag a group must not have the function work elsewhere than it is installed for.
    fn is_configured(&self, cluster: &ClusterName) -> bool {
        let is_it =
            |text: &String| ClusterName::parse(text, self.aws.region()).is_ok_and(|it| it == *cluster);
        match &self.settings.clusters {
            Clusters::All => true,
            Clusters::Named(named) => named.iter().any(is_it),
        }
    }

    fn execute<'e>(&'e self, group: &'e GroupName, cluster: &'e ClusterName) -> ExecuteRollout<'e> {
        ExecuteRollout { aws: self.aws, group, cluster, dry_run: self.dry_run }
    }
}
