//! One turn of the drain of one instance: observe, decide, execute, and keep the stage clock.
//!
//! [`Drain::interrupt`] is the short way for a Spot interruption: what is not needed to send DRAINING and to ask for a
//! substitute is read afterwards. [`Drain::look`] is the whole turn, and all there is for every other cause;
//! [`Drain::under_way`] finds the instances whose event was lost or whose invocation died.

mod clock;
mod drained;
mod under_way;

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::{join, join4};

use crate::aws::Aws;
use crate::error::Error;
use crate::execute::drain::ExecuteDrain;
use crate::ids::{ClusterName, GroupName, InstanceId};
use crate::observe::drain::{Registration, group_of, instance, is_paused, locate, member};
use crate::plan::drain::reason::DrainReason;
use crate::plan::drain::record::DrainRecord;
use crate::plan::drain::seen::{InstanceSnapshot, Policy};
use crate::plan::drain::step::{Step, after_termination, decide, first_steps};
use crate::report::Action;
use crate::report::drain::Stage;
use crate::settings::Settings;
use crate::snapshot::{ContainerInstance, ContainerInstanceStatus, Known};
use crate::timestamp::Timestamp;

pub use drained::Drained;

/// How long ECS is given to notice by itself that a host is gone.
const NOTICED_WITHIN: Duration = Duration::from_mins(3);

/// What drains work with.
#[derive(Clone, Debug)]
pub struct Drain<'a> {
    /// AWS.
    pub aws: &'a Aws,
    /// Settings.
    pub settings: &'a Settings,
    /// The clusters in which an instance may be registered.
    pub clusters: Vec<ClusterName>,
    /// Report only.
    pub dry_run: bool,
}

impl Drain<'_> {
    fn policy(&self) -> Policy {
        Policy {
            replacement: self.settings.replacement,
            hook: self.settings.lifecycle_hook.clone(),
            standalone_tasks: self.settings.standalone_tasks,
            empty_after: self.settings.empty_after,
        }
    }

    /// The short way for an interruption, in three round trips: where it is; DRAINING and the record, and how its group
    /// stands; the substitute. What fails here is seen by the whole look that follows, and done then.
    pub async fn interrupt(&self, drained: &mut Drained) -> Result<(), Error> {
        let Some(record) = drained.record else { return Ok(()) };
        let (found, member) =
            join(locate(self.aws, &self.clusters, &drained.instance), member(self.aws, &drained.instance))
                .await;
        let Some(registration) = found?.into_iter().next() else {
            drained.leave_alone(DrainReason::NotInCluster);
            return Ok(());
        };
        drained.registration = Some(registration.clone());
        let group_name = member.known().and_then(Option::as_ref).map(|it| it.group.clone());
        let instance_id = drained.instance.clone();
        let execute = self.execute(&registration, &instance_id, group_name.as_ref(), true);
        let arns = std::slice::from_ref(&registration.arn);
        let (done, (group, hooks), described, tags) = join4(
            send_first(&execute, record),
            group_of(self.aws, &member),
            self.aws.describe_instances(&registration.cluster, arns),
            self.aws.cluster_tags(&registration.cluster),
        )
        .await;
        drained.note_first(record, done);
        let Some(instance) = described?.items.into_iter().next() else { return Ok(()) };
        let seen = InstanceSnapshot {
            cluster: registration.cluster.clone(),
            instance_id: instance_id.clone(),
            observed_at: self.aws.now(),
            instance,
            tasks: Known::NotAsked,
            paused: is_paused(tags, &group),
            member,
            group,
            hooks,
            protections: BTreeMap::new(),
            services: BTreeMap::new(),
        };
        drained.watch_first(&seen);
        let policy = self.policy();
        let steps = first_steps(&drained.view(&seen, &record, &policy));
        drained.carry_out(&execute, &steps).await;
        Ok(())
    }

    /// One whole turn.
    pub async fn look(&self, drained: &mut Drained) -> Result<(), Error> {
        let Some(registration) = self.registration(drained).await? else {
            return Ok(());
        };
        if let Some(at) = drained.terminated_at {
            return self.after_termination(drained, &registration, at).await;
        }
        let Some(seen) = instance(self.aws, &registration, &drained.instance).await? else {
            (drained.stage, drained.is_over) = (Stage::Gone, true);
            return Ok(());
        };
        let Some(record) = drained.record_with(&seen) else { return Ok(()) };
        drained.record = Some(record);
        drained.watch_first(&seen);
        drained.note_emptiness(&seen);
        let policy = self.policy();
        let decision = decide(&drained.view(&seen, &record, &policy));
        let group = seen.member().map(|member| member.group.clone());
        let instance_id = drained.instance.clone();
        let execute =
            self.execute(&registration, &instance_id, group.as_ref(), record.cause.is_interruption());
        drained.carry_out(&execute, &decision.steps).await;
        self.watch(drained, &seen).await;
        drained.conclude(decision, self.aws.now());
        Ok(())
    }

    /// One turn of an instance whose host is gone.
    async fn after_termination(
        &self,
        drained: &mut Drained,
        registration: &Registration,
        at: Timestamp,
    ) -> Result<(), Error> {
        let arns = std::slice::from_ref(&registration.arn);
        let described = self.aws.describe_instances(&registration.cluster, arns).await?;
        let is_there = |it: &ContainerInstance| it.status != ContainerInstanceStatus::Inactive;
        let Some(instance) = described.items.into_iter().find(is_there) else {
            (drained.stage, drained.is_over) = (Stage::Gone, true);
            return Ok(());
        };
        match after_termination(&instance) {
            Ok(step) => {
                let instance_id = drained.instance.clone();
                drained.carry_out(&self.execute(registration, &instance_id, None, false), &[step]).await;
            }
            Err(reason) => {
                drained.reasons = vec![reason];
                drained.is_over = self.aws.now().since(at) >= NOTICED_WITHIN;
            }
        }
        Ok(())
    }

    /// Where it is registered; looked up once.
    async fn registration(&self, drained: &mut Drained) -> Result<Option<Registration>, Error> {
        if drained.registration.is_none() {
            let found = locate(self.aws, &self.clusters, &drained.instance).await?;
            drained.registration = found.into_iter().next();
        }
        if drained.registration.is_none() {
            drained.leave_alone(DrainReason::NotInCluster);
        }
        Ok(drained.registration.clone())
    }

    fn execute<'e>(
        &'e self,
        registration: &'e Registration,
        instance: &'e InstanceId,
        group: Option<&'e GroupName>,
        is_urgent: bool,
    ) -> ExecuteDrain<'e> {
        let (aws, hook, dry_run) = (self.aws, self.settings.lifecycle_hook.as_str(), self.dry_run);
        ExecuteDrain { aws, registration, instance, group, hook, dry_run, is_urgent }
    }
}

/// DRAINING, and the record beside it.
async fn send_first(execute: &ExecuteDrain<'_>, record: DrainRecord) -> (Vec<Action>, Vec<Action>) {
    let (drain, mark) = (Step::Drain, Step::Record(record));
    join(execute.execute_drain(&drain), execute.execute_drain(&mark)).await
}
