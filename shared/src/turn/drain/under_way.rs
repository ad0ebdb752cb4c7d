//! Instances whose event was lost, or whose invocation died: they are found by how they stand.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::ids::{ClusterName, GroupName, InstanceId};
use crate::observe;
use crate::observe::drain::Registration;
use crate::plan::drain::reason::DrainReason;
use crate::plan::drain::record::{Cause, DrainRecord, record_of};
use crate::plan::record::ROLLOUT_ATTRIBUTE;
use crate::snapshot::{ContainerInstance, Known, LifecycleHook, LifecycleState, Member, Transition};
use crate::timestamp::Timestamp;

use super::{Drain, Drained};

type Hooks = BTreeMap<GroupName, Known<Vec<LifecycleHook>>>;

impl Drain<'_> {
    /// Every instance that is being drained or held, the nearest deadline first, and what could not be looked at.
    pub async fn under_way(&self) -> Result<(Vec<Drained>, Vec<Error>), Error> {
        let (held, clusters) = observe::drain::under_way(self.aws, &self.clusters).await?;
        let (mut found, mut errors) = (Vec::new(), Vec::new());
        for cluster in clusters {
            match cluster {
                Ok(instances) => found.extend(instances),
                Err(error) => errors.push(error),
            }
        }
        let held: BTreeMap<InstanceId, Member> =
            held.into_iter().map(|member| (member.instance.clone(), member)).collect();
        let hooks = self.hooks(&held).await;
        if !errors.is_empty() {
            self.hold_unseen(&held, &found, &hooks).await;
        }
        let mut all: Vec<Drained> = Vec::new();
        for (cluster, instance) in found {
            let Some(id) = instance.instance_id.clone() else { continue };
            let registration = Registration { cluster, arn: instance.arn.clone() };
            let mut drained = Drained::found(id.clone());
            drained.registration = Some(registration);
            match self.told(&instance, held.get(&id), &hooks) {
                Ok(record) => drained.record = Some(record),
                Err(reason) => drained.leave_alone(reason),
            }
            all.push(drained);
        }
        all.sort_by_key(|it| (it.deadline().is_none(), it.deadline(), it.instance.clone()));
        Ok((all, errors))
    }

    /// Where a cluster cannot be read, an instance that a hook of ours holds may be in it: it is held, until it can be seen.
    async fn hold_unseen(
        &self,
        held: &BTreeMap<InstanceId, Member>,
        found: &[(ClusterName, ContainerInstance)],
        hooks: &Hooks,
    ) {
        let hook = self.settings.lifecycle_hook.as_str();
        let is_seen = |id: &InstanceId| found.iter().any(|(_, it)| it.instance_id.as_ref() == Some(id));
        for member in held.values().filter(|member| !is_seen(&member.instance) && !self.dry_run) {
            let hooks = hooks.get(&member.group).and_then(Known::known);
            if hooks.is_some_and(|hooks| hooks.iter().any(|it| it.is_terminating(hook)))
                && let Err(error) = self.aws.heartbeat(&member.group, hook, &member.instance).await
            {
                tracing::warn!(instance = %member.instance, error = error.chain(), "no heartbeat");
            }
        }
    }

    /// The hooks of the groups that hold instances which carry no record.
    async fn hooks(&self, members: &BTreeMap<InstanceId, Member>) -> Hooks {
        let mut hooks = Hooks::new();
        for member in members.values().filter(|member| member.state == LifecycleState::TerminatingWait) {
            if !hooks.contains_key(&member.group) {
                let (_, read) = observe::drain::group_of(self.aws, &Known::Known(Some(member.clone()))).await;
                hooks.insert(member.group.clone(), read);
            }
        }
        hooks
    }

    /// Why an instance is being drained: by its record, or because a hook of ours holds it; anything else is somebody
    /// else's.
    fn told(
        &self,
        instance: &ContainerInstance,
        member: Option<&Member>,
        hooks: &Hooks,
    ) -> Result<DrainRecord, DrainReason> {
        match record_of(instance) {
            Some(Ok(record)) => return Ok(record),
            Some(Err(error)) => return Err(DrainReason::UnreadableRecord { value: error.0 }),
            None => {}
        }
        let held = member.filter(|member| member.state == LifecycleState::TerminatingWait);
        match held.and_then(|member| hooks.get(&member.group)) {
            Some(Known::Known(hooks)) => self.told_by_hooks(hooks),
            Some(Known::Unknown(why)) => {
                Err(DrainReason::CannotTell { what: format!("which lifecycle hook holds it: {why}") })
            }
            Some(Known::NotAsked) | None if instance.attributes.contains_key(ROLLOUT_ATTRIBUTE) => {
                Err(DrainReason::InRollout)
            }
            Some(Known::NotAsked) | None => Err(DrainReason::ForeignDrain),
        }
    }

    fn told_by_hooks(&self, hooks: &[LifecycleHook]) -> Result<DrainRecord, DrainReason> {
        if hooks.iter().any(|hook| hook.is_terminating(&self.settings.lifecycle_hook)) {
            return Ok(self.held_since(self.aws.now()));
        }
        let other = hooks.iter().find(|hook| hook.transition == Transition::Terminating);
        let of_others = |hook: &LifecycleHook| DrainReason::HookOfOthers { hook: hook.name.clone() };
        Err(other.map_or(DrainReason::ForeignDrain, of_others))
    }

    /// The record of an instance that our hook holds; Auto Scaling does not say since when.
    pub fn held_since(&self, at: Timestamp) -> DrainRecord {
        let deadline = Some(at + self.settings.hook_timeout);
        DrainRecord { cause: Cause::Hook, noticed_at: at, deadline, asked: None }
    }
}
