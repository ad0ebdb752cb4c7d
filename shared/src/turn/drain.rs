//! One turn of the drain of one instance: observe, decide, execute, and keep the stage clock.
//!
//! [`Drain::interrupt`] is the short way for a Spot interruption: what is not needed to send DRAINING and to ask for a
//! substitute is read afterwards. [`Drain::look`] is the whole turn, and all there is for every other cause;
//! [`Drain::under_way`] finds the instances whose event was lost or whose invocation died.

mod clock;
mod drained;
mod foresee;
mod under_way;

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::{join, join_all, join4};

use crate::aws::Aws;
use crate::error::Error;
use crate::execute::drain::ExecuteDrain;
use crate::ids::{ClusterName, GroupName, InstanceId};
use crate::observe::drain::{Registration, group_of, instance, is_paused, locate, member, registered};
use crate::plan::drain::reason::DrainReason;
use crate::plan::drain::record::{DrainRecord, record_of};
use crate::plan::drain::seen::{InstanceSnapshot, Policy};
use crate::plan::drain::step::{
    Completion, Decision, Progress, Step, after_termination, decide, first_steps,
};
use crate::report::Action;
use crate::report::drain::Stage;
use crate::settings::Settings;
use crate::snapshot::{Known, LifecycleHook, LifecycleState, Member};
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
        let Some((found, member)) = self.first_round_trip(drained, record).await? else { return Ok(()) };
        let registration = found[0].clone();
        drained.registration = Some(registration.clone());
        let group_name = member.known().and_then(Option::as_ref).map(|it| it.group.clone());
        let instance_id = drained.instance.clone();
        let execute = self.execute(&registration, &instance_id, group_name.as_ref(), true);
        let others = found[1..].iter().map(|other| self.execute(other, &instance_id, None, true));
        let others: Vec<ExecuteDrain<'_>> = others.collect();
        let everywhere = join(
            send_first(&execute, record),
            join_all(others.iter().map(|other| send_first(other, record))),
        );
        let ((done, _), (group, hooks), described, tags) = join4(
            everywhere,
            Box::pin(group_of(self.aws, &member)),
            Box::pin(registered(self.aws, &registration)),
            self.aws.cluster_tags(&registration.cluster),
        )
        .await;
        drained.note_first(record, done);
        let Some(instance) = described? else { return Ok(()) };
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

    /// Where the instance is registered, once at least, and where it stands in its group; `None` if it is not for the short
    /// way: registered nowhere, or past its deadline, of which the whole look knows more.
    async fn first_round_trip(
        &self,
        drained: &mut Drained,
        record: DrainRecord,
    ) -> Result<Option<(Vec<Registration>, Known<Option<Member>>)>, Error> {
        let (found, member) =
            join(locate(self.aws, &self.clusters, &drained.instance), member(self.aws, &drained.instance))
                .await;
        let found = found?;
        if found.is_empty() {
            drained.leave_alone(DrainReason::NotInCluster);
            return Ok(None);
        }
        let is_late = record.deadline.is_some_and(|deadline| self.aws.now() >= deadline);
        Ok((!is_late).then_some((found, member)))
    }

    /// Whether an interruption that has yet to come has this instance in its care already: its own invocation watches it, or
    /// the schedule does. A lifecycle event then adds nothing but calls, and fifty come at a time.
    pub async fn leave_to_interruption(&self, drained: &mut Drained) -> Result<(), Error> {
        let Some(registration) = self.registration(drained).await? else { return Ok(()) };
        let instance = registered(self.aws, &registration).await?;
        let marked = instance.as_ref().and_then(record_of).and_then(Result::ok);
        let is_pressing = |record: &DrainRecord| {
            record.cause.is_interruption() && record.deadline.is_some_and(|at| at > self.aws.now())
        };
        if let Some(record) = marked.filter(is_pressing) {
            drained.leave_alone(DrainReason::InOtherHands { cause: record.cause });
            (drained.record, drained.stage) = (Some(record), Stage::Draining);
        }
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
        let known_group = drained.known_group();
        let seen = instance(self.aws, &registration, &drained.instance, known_group).await;
        if seen.is_err() {
            self.hold_blindly(drained, &registration).await;
        }
        let Some(seen) = seen? else {
            self.after_the_end(drained, &registration).await;
            return Ok(());
        };
        let Some(record) = drained.record_with(&seen) else { return Ok(()) };
        let record = self.with_hook_timeout(record, &seen);
        drained.record = Some(record);
        drained.watch_first(&seen);
        drained.note_emptiness(&seen);
        let policy = self.policy();
        let decision = decide(&drained.view(&seen, &record, &policy));
        let group = seen.member().map(|member| member.group.clone());
        let instance_id = drained.instance.clone();
        let execute =
            self.execute(&registration, &instance_id, group.as_ref(), record.cause.is_interruption());
        let decision = self.checked(decision, drained, &registration).await;
        drained.carry_out(&execute, &decision.steps).await;
        self.watch(drained, &seen).await;
        drained.conclude(decision, self.aws.now());
        self.foresee(drained, &seen).await;
        Ok(())
    }

    /// A hook of ours that holds an instance has a time-out, whatever made its group take the instance out.
    fn with_hook_timeout(&self, record: DrainRecord, seen: &InstanceSnapshot) -> DrainRecord {
        let is_held = seen.member().is_some_and(|member| member.state == LifecycleState::TerminatingWait);
        if record.deadline.is_none() && is_held && self.has_our_hook(&seen.hooks) {
            let held = self.held_since(seen.observed_at);
            return DrainRecord { deadline: held.deadline, ..record };
        }
        record
    }

    /// Nothing is completed as empty while the instance is registered a second time, or may be: an agent that lost its data
    /// registers anew, and what is empty then is the ghost.
    async fn checked(
        &self,
        mut decision: Decision,
        drained: &Drained,
        registration: &Registration,
    ) -> Decision {
        let lets_go =
            |step: &Step| matches!(step, Step::Complete(Completion::Empty) | Step::Retire(Completion::Empty));
        if !decision.steps.iter().any(lets_go) {
            return decision;
        }
        let clusters = self.clusters.iter().map(|cluster| {
            let ids = std::slice::from_ref(&drained.instance);
            async move { self.aws.registrations(cluster, ids).await }
        });
        let found: Result<Vec<Vec<_>>, Error> = join_all(clusters).await.into_iter().collect();
        let what = match found.map(|found| found.concat()) {
            Ok(arns) if arns == [registration.arn.clone()] => return decision,
            Ok(arns) => format!("whether it is empty: it is registered {} times", arns.len()),
            Err(error) => format!("whether it is registered elsewhere: {}", error.chain()),
        };
        let is_held = decision.steps.contains(&Step::Complete(Completion::Empty));
        decision.steps.retain(|step| !lets_go(step));
        decision.steps.extend(is_held.then_some(Step::Heartbeat));
        decision.reasons.push(DrainReason::CannotTell { what });
        decision.progress = Progress::Draining;
        decision
    }

    fn has_our_hook(&self, hooks: &Known<Vec<LifecycleHook>>) -> bool {
        let is_ours = |hook: &LifecycleHook| hook.is_terminating(&self.settings.lifecycle_hook);
        hooks.known().is_some_and(|hooks| hooks.iter().any(is_ours))
    }

    /// What cannot be seen is held, if a hook of ours holds it.
    async fn hold_blindly(&self, drained: &mut Drained, registration: &Registration) {
        let member = member(self.aws, &drained.instance).await;
        let (_, hooks) = group_of(self.aws, &member).await;
        let member = member.known().and_then(Option::as_ref);
        let held = member.filter(|member| member.state == LifecycleState::TerminatingWait);
        if let Some(member) = held.filter(|_| self.has_our_hook(&hooks)) {
            let (instance, group) = (drained.instance.clone(), member.group.clone());
            let execute = self.execute(registration, &instance, Some(&group), false);
            drained.carry_out(&execute, &[Step::Heartbeat]).await;
        }
    }

    /// An instance that ECS has lost is over; but its group looks after none that is on standby, even if EC2 took it. Ended it
    /// is only past its deadline: who deregisters one by force leaves its containers running.
    async fn after_the_end(&self, drained: &mut Drained, registration: &Registration) {
        (drained.stage, drained.is_over) = (Stage::Gone, true);
        let member = member(self.aws, &drained.instance).await;
        let on_standby = member.known().and_then(Option::as_ref);
        let on_standby = on_standby.filter(|member| member.state == LifecycleState::Standby);
        let Some(record) = drained.record.filter(|it| it.explains_standby() && on_standby.is_some()) else {
            return;
        };
        match record.deadline {
            None => drained.reasons = vec![DrainReason::LeftOnStandby],
            Some(deadline) if self.aws.now() < deadline => drained.is_over = false,
            Some(_) => {
                let (instance, group) = (drained.instance.clone(), drained.group().cloned());
                let execute = self.execute(registration, &instance, group.as_ref(), false);
                drained.carry_out(&execute, &[Step::Retire(Completion::Gone)]).await;
                drained.is_over = self.dry_run;
            }
        }
    }

    /// One turn of an instance whose host is gone.
    async fn after_termination(
        &self,
        drained: &mut Drained,
        registration: &Registration,
        at: Timestamp,
    ) -> Result<(), Error> {
        let Some(instance) = registered(self.aws, registration).await? else {
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
