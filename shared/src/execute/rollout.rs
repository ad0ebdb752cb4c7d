//! Carrying out one step of a rollout. Every step may be done twice; what is written as a number is checked anew right
//! before, as is the record.

use std::collections::BTreeSet;

use futures::{StreamExt, stream};

use crate::aws::Aws;
use crate::error::Error;
use crate::ids::{ClusterName, ContainerInstanceArn, GroupName, InstanceId};
use crate::observe;
use crate::plan::rollout::decision::Step;
use crate::plan::rollout::record::{
    CLUSTER_TAG, Mark, Process, REJECTED_TAG, ROLLOUT_ATTRIBUTE, ROLLOUT_TAG, RolloutRecord, UNSTEADY_TAG,
};
use crate::plan::rollout::seen::RolloutSnapshot;
use crate::report::{Action, ActionOutcome};
use crate::snapshot::{AutoScalingGroup, LifecycleState};

use super::outcome;

/// Attributes that are written at the same time.
const AT_ONCE: usize = 10;

/// What one step works on.
#[derive(Clone, Copy, Debug)]
pub struct ExecuteRollout<'a> {
    /// AWS.
    pub aws: &'a Aws,
    /// Which group.
    pub group: &'a GroupName,
    /// In which cluster.
    pub cluster: &'a ClusterName,
    /// Writes nothing, says what would be called.
    pub dry_run: bool,
}

impl ExecuteRollout<'_> {
    /// Carries out `step`, decided from `seen`, and returns what was done, one entry a kind of call; nothing, if the record is
    /// another by now. `rejected` is remembered when the record goes.
    pub async fn execute_rollout(
        &self,
        step: &Step,
        seen: &RolloutSnapshot,
        record: &RolloutRecord,
        rejected: Option<&str>,
    ) -> Vec<Action> {
        if let Err(outcome) = self.if_record_is(Some(record)).await {
            let why = format!("{step:?}");
            return vec![self.action("DescribeAutoScalingGroups", why, outcome)];
        }
        match step {
            Step::Mark(ids, mark) => vec![self.mark(&arns(seen, ids), Some(*mark)).await],
            Step::Unmark(ids) => vec![self.mark(&arns(seen, ids), None).await],
            Step::Suspend(processes) => vec![self.suspend(processes).await],
            Step::Resume(processes) => vec![self.resume(processes).await],
            Step::EnterStandby(ids) => vec![self.enter_standby(ids).await],
            Step::ExitStandby(ids) => vec![self.exit_standby(ids).await],
            Step::Drain(ids) => vec![self.set_draining(&arns(seen, ids), true).await],
            Step::Activate(ids) => vec![self.set_draining(&arns(seen, ids), false).await],
            Step::Terminate(ids) => self.terminate(seen, ids).await,
            Step::SetMax(max) => vec![self.set_max(*max).await],
            Step::SetDesired(desired) => vec![self.set_desired(*desired).await],
            Step::Forget => self.forget(seen, record, rejected).await,
        }
    }

    /// Writes the first record of a rollout, unless there is one by now.
    pub async fn start(&self, record: &RolloutRecord, unsteady: &str) -> Action {
        let text = record.to_string();
        let mut tags = vec![(ROLLOUT_TAG, text.as_str()), (CLUSTER_TAG, self.cluster.as_str())];
        tags.extend((!unsteady.is_empty()).then_some((UNSTEADY_TAG, unsteady)));
        let why = format!("{ROLLOUT_TAG}={text}");
        let outcome = match self.if_record_is(None).await {
            Ok(()) => self.done(self.aws.tag_group(self.group, &tags)).await,
            Err(outcome) => outcome,
        };
        self.action("CreateOrUpdateTags", why, outcome)
    }

    /// Writes the record of the next phase, unless somebody else has written one since `before`.
    pub async fn record(&self, before: &RolloutRecord, next: &RolloutRecord) -> Action {
        let text = next.to_string();
        let outcome = match self.if_record_is(Some(before)).await {
            Ok(()) => self.done(self.aws.tag_group(self.group, &[(ROLLOUT_TAG, &text)])).await,
            Err(outcome) => outcome,
        };
        self.action("CreateOrUpdateTags", format!("{ROLLOUT_TAG}={text}"), outcome)
    }

    async fn if_record_is(&self, expected: Option<&RolloutRecord>) -> Result<(), ActionOutcome> {
        if self.dry_run {
            return Ok(());
        }
        let group = self.fresh().await?;
        let found = group.tags.get(ROLLOUT_TAG);
        if found.map(String::as_str) == expected.map(ToString::to_string).as_deref() {
            return Ok(());
        }
        Err(ActionOutcome::Refused("its record has changed meanwhile".to_owned()))
    }

    async fn fresh(&self) -> Result<AutoScalingGroup, ActionOutcome> {
        match observe::rollout::group(self.aws, self.group).await {
            Ok(Some(group)) => Ok(group),
            Ok(None) => Err(ActionOutcome::Refused("the group is gone".to_owned())),
            Err(error) => Err(ActionOutcome::Failed(error.chain())),
        }
    }

    async fn mark(&self, instances: &[ContainerInstanceArn], mark: Option<Mark>) -> Action {
        let (operation, what) = match mark {
            Some(mark) => ("PutAttributes", format!("{ROLLOUT_ATTRIBUTE}={}", mark.word())),
            None => ("DeleteAttributes", ROLLOUT_ATTRIBUTE.to_owned()),
        };
        let why = format!("{what} on {}", counted(instances.len()));
        if self.dry_run {
            return self.action(operation, why, ActionOutcome::Planned);
        }
        let write = async |instance: &ContainerInstanceArn| match mark {
            Some(mark) => {
                self.aws.put_attribute(self.cluster, instance, ROLLOUT_ATTRIBUTE, mark.word()).await
            }
            None => self.aws.delete_attribute(self.cluster, instance, ROLLOUT_ATTRIBUTE).await,
        };
        let answers: Vec<Result<(), Error>> =
            stream::iter(instances).map(|it| Box::pin(write(it))).buffer_unordered(AT_ONCE).collect().await;
        let outcome = outcome(answers.into_iter().collect());
        self.action(operation, why, outcome)
    }

    async fn suspend(&self, processes: &BTreeSet<Process>) -> Action {
        let names: Vec<&str> = processes.iter().map(|it| it.name()).collect();
        let outcome = self.done(self.aws.suspend_processes(self.group, &names)).await;
        self.action("SuspendProcesses", names.join(", "), outcome)
    }

    async fn resume(&self, processes: &BTreeSet<Process>) -> Action {
        let names: Vec<&str> = processes.iter().map(|it| it.name()).collect();
        let outcome = self.done(self.aws.resume_processes(self.group, &names)).await;
        self.action("ResumeProcesses", names.join(", "), outcome)
    }

    async fn enter_standby(&self, ids: &[InstanceId]) -> Action {
        let why = format!("{}: they serve on, and as many new ones are launched", listed(ids));
        let outcome = self.done(self.aws.enter_standby(self.group, ids)).await;
        self.action("EnterStandby", why, outcome)
    }

    async fn exit_standby(&self, ids: &[InstanceId]) -> Action {
        let why = format!("{}: back into service", listed(ids));
        let outcome = self.done(self.aws.exit_standby(self.group, ids)).await;
        self.action("ExitStandby", why, outcome)
    }

    async fn set_draining(&self, instances: &[ContainerInstanceArn], is_draining: bool) -> Action {
        let state = if is_draining { "DRAINING" } else { "ACTIVE" };
        let why = format!("{state}: {}", counted(instances.len()));
        let outcome = if self.dry_run {
            ActionOutcome::Planned
        } else {
            match Box::pin(self.aws.set_all_draining(self.cluster, instances, is_draining)).await {
                Ok(refused) if refused.is_empty() => ActionOutcome::Done,
                Ok(refused) => ActionOutcome::Refused(refused.join(", ")),
                Err(error) => ActionOutcome::Failed(error.chain()),
            }
        };
        self.action("UpdateContainerInstancesState", why, outcome)
    }

    async fn terminate(&self, seen: &RolloutSnapshot, ids: &[InstanceId]) -> Vec<Action> {
        let operation = "TerminateInstanceInAutoScalingGroup";
        let action = |id: &InstanceId, outcome| {
            let why = format!("{id}, by name; the group's size stays");
            self.action(operation, why, outcome)
        };
        if self.dry_run {
            return ids.iter().map(|id| action(id, ActionOutcome::Planned)).collect();
        }
        if let Err(refused) = self.if_unregistered_still(seen, ids).await {
            return ids.iter().map(|id| action(id, refused.clone())).collect();
        }
        let answers = Box::pin(self.aws.terminate_members(ids)).await;
        answers.into_iter().map(|(id, answer)| action(&id, outcome(answer))).collect()
    }

    /// One below the desired capacity would lower that too (API: `UpdateAutoScalingGroup`).
    async fn set_max(&self, max: u32) -> Action {
        let outcome = match self.fresh().await {
            Ok(group) if group.desired <= max => self.done(self.aws.set_max_size(self.group, max)).await,
            Ok(_) => ActionOutcome::Refused("the group has changed meanwhile".to_owned()),
            Err(outcome) => outcome,
        };
        self.action("UpdateAutoScalingGroup", format!("maximum {max}"), outcome)
    }

    /// Nobody is to be terminated for it: no more instances may count than are to be desired, and none may be launched.
    async fn set_desired(&self, desired: u32) -> Action {
        let why = format!("desired capacity {desired}, as many as count");
        let fits = |group: &AutoScalingGroup| {
            let is_still = group.instances.values().all(|it| it.state != LifecycleState::Pending);
            group.capacity() <= desired && is_still && group.suspended.contains_key(Process::Launch.name())
        };
        let outcome = match self.fresh().await {
            Ok(group) if fits(&group) => self.done(self.aws.set_desired_capacity(self.group, desired)).await,
            Ok(_) => ActionOutcome::Refused("the group has changed meanwhile".to_owned()),
            Err(outcome) => outcome,
        };
        self.action("SetDesiredCapacity", why, outcome)
    }

    /// An instance that ECS did not list is asked for by its id right before it ends, or the record goes: a list may lag or
    /// skip an entry between two of its pages, and a new one may have come meanwhile.
    async fn if_unregistered_still(
        &self,
        seen: &RolloutSnapshot,
        ids: &[InstanceId],
    ) -> Result<(), ActionOutcome> {
        let unlisted = ids.iter().filter(|id| !seen.registered.contains_key(*id));
        let unlisted: Vec<InstanceId> = unlisted.cloned().collect();
        for some in unlisted.chunks(AT_ONCE) {
            match self.aws.registrations(self.cluster, some).await {
                Ok(found) if found.is_empty() => {}
                Ok(_) => {
                    let why = "ECS knows an instance that it did not list before";
                    return Err(ActionOutcome::Refused(why.to_owned()));
                }
                Err(error) => return Err(ActionOutcome::Failed(error.chain())),
            }
        }
        Ok(())
    }

    async fn forget(
        &self,
        seen: &RolloutSnapshot,
        record: &RolloutRecord,
        rejected: Option<&str>,
    ) -> Vec<Action> {
        // A mark on an instance that a list has left out would outlive the record.
        let present = seen.group.instances.values().filter(|it| !it.state.is_leaving());
        let present: Vec<InstanceId> = present.map(|it| it.id.clone()).collect();
        if let Err(refused) = self.if_unregistered_still(seen, &present).await {
            return vec![self.action("DeleteTags", ROLLOUT_TAG.to_owned(), refused)];
        }
        let mut actions = Vec::new();
        if let Some(rejected) = rejected {
            let outcome = self.done(self.aws.tag_group(self.group, &[(REJECTED_TAG, rejected)])).await;
            actions.push(self.action("CreateOrUpdateTags", format!("{REJECTED_TAG}={rejected}"), outcome));
        }
        let ours = [ROLLOUT_TAG, CLUSTER_TAG, UNSTEADY_TAG];
        // What was rejected before is over once a rollout has come through.
        let obsolete = record.ending.is_none().then_some(REJECTED_TAG);
        let all = ours.into_iter().chain(obsolete);
        let keys: Vec<&str> = all.filter(|key| seen.group.tags.contains_key(*key)).collect();
        let outcome = self.done(self.aws.untag_group(self.group, &keys)).await;
        actions.push(self.action("DeleteTags", keys.join(", "), outcome));
        actions
    }

    /// Makes a call unless this is a dry run.
    async fn done(&self, call: impl Future<Output = Result<(), Error>>) -> ActionOutcome {
        if self.dry_run { ActionOutcome::Planned } else { outcome(Box::pin(call).await) }
    }

    fn action(&self, operation: &'static str, why: String, outcome: ActionOutcome) -> Action {
        let (at, cluster, resource) = (self.aws.now(), self.cluster.clone(), self.group.to_string());
        Action { at, cluster, operation, resource, why, outcome }
    }
}

/// Every registration of these instances.
fn arns(seen: &RolloutSnapshot, ids: &[InstanceId]) -> Vec<ContainerInstanceArn> {
    ids.iter().flat_map(|id| seen.registered.get(id).into_iter().flatten()).map(|it| it.arn.clone()).collect()
}

fn counted(number: usize) -> String {
    if number == 1 { "1 instance".to_owned() } else { format!("{number} instances") }
}

fn listed(ids: &[InstanceId]) -> String {
    match ids {
        [] => "nobody".to_owned(),
        few if few.len() <= 4 => few.iter().map(InstanceId::as_str).collect::<Vec<_>>().join(", "),
        many => counted(many.len()),
    }
}
