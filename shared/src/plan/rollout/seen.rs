//! What was seen of a group that is rolled out, and which of its instances are which.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::ids::{ClusterName, ImageId, InstanceId};
use crate::plan::drain::empty::{Emptiness, emptiness_of};
use crate::plan::drain::record::record_of;
use crate::plan::rollout::record::{Mark, ROLLOUT_ATTRIBUTE, RolloutRecord};
use crate::settings::OnDrainTimeout;
use crate::snapshot::{
    AutoScalingGroup, AutoScalingInstance, ClusterSnapshot, ContainerInstance, ContainerInstanceStatus,
    Known, LifecycleState, Task,
};
use crate::timestamp::Timestamp;

/// What the settings say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// `EVENKEEL_LAUNCH_TIMEOUT`.
    pub launch_timeout: Duration,
    /// `EVENKEEL_DRAIN_TIMEOUT`.
    pub drain_timeout: Duration,
    /// `EVENKEEL_ON_DRAIN_TIMEOUT`.
    pub on_drain_timeout: OnDrainTimeout,
    /// `EVENKEEL_ROLLOUT_TIMEOUT`.
    pub rollout_timeout: Duration,
    /// `EVENKEEL_HEALTHY_AFTER`.
    pub healthy_after: Duration,
    /// `EVENKEEL_EMPTY_AFTER`: what was seen for as long is no flap.
    pub empty_after: Duration,
}

/// One group at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutSnapshot {
    /// When the reading began, on AWS's clock.
    pub observed_at: Timestamp,
    /// The group.
    pub group: AutoScalingGroup,
    /// Where its instances are registered.
    pub cluster: ClusterName,
    /// The cluster's container instances by EC2 instance: those registered twice have two.
    pub registered: BTreeMap<InstanceId, Vec<ContainerInstance>>,
    /// Every task of instances on which ECS counts none, where that was asked.
    pub tasks: BTreeMap<InstanceId, Known<Vec<Task>>>,
    /// Which AMIs they run, where what is old depends on that.
    pub images: Known<Images>,
    /// What EC2 says of instances that are registered nowhere, where that was asked.
    pub machines: BTreeMap<InstanceId, Known<Outside>>,
    /// Services, tasks and targets, where they were asked for.
    pub services: Known<ClusterSnapshot>,
    /// Daemon services that have yet to run somewhere, where that was asked.
    pub daemons_missing: Known<u32>,
    /// AWS's words about the latest launch that failed since the phase began.
    pub last_failure: Option<String>,
    /// Whether cluster or group is paused by its tag.
    pub paused: Known<bool>,
}

/// AMIs: one and the same launch template version may stand for several, if a parameter names its AMI.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Images {
    /// What an instance launched now would run; none if the launch template does not decide that alone.
    pub meant: Option<ImageId>,
    /// What those run that are of the right version.
    pub running: BTreeMap<InstanceId, ImageId>,
}

/// An instance that ECS does not know, as EC2 has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outside {
    /// Whether EC2 has ended it.
    pub is_ended: bool,
    /// When it was launched.
    pub launched_at: Option<Timestamp>,
}

/// What a turn is decided from.
#[derive(Clone, Copy, Debug)]
pub struct RolloutView<'a> {
    /// What was seen.
    pub seen: &'a RolloutSnapshot,
    /// Where it stands.
    pub record: &'a RolloutRecord,
    /// Services that were not steady at the start.
    pub unsteady: &'a [String],
    /// What the settings say.
    pub policy: &'a Policy,
    /// Since when which instances were seen empty, or registered nowhere, at every look, in this invocation.
    pub empty_since: &'a BTreeMap<InstanceId, Timestamp>,
}

impl RolloutSnapshot {
    /// What its attribute says of an instance, in any of its registrations.
    pub fn mark(&self, instance: &InstanceId) -> Option<Mark> {
        let all = self.registered.get(instance)?;
        let value = all.iter().find_map(|it| it.attributes.get(ROLLOUT_ATTRIBUTE))?;
        Some(Mark::of_word(value.as_deref().unwrap_or_default()))
    }

    /// The one container instance of an instance; none if it is registered nowhere, or twice.
    pub fn container_instance(&self, instance: &InstanceId) -> Option<&ContainerInstance> {
        match self.registered.get(instance).map(Vec::as_slice) {
            Some([only]) => Some(only),
            _ => None,
        }
    }

    /// Whether ECS places nothing on it any more.
    pub fn is_draining(&self, instance: &InstanceId) -> bool {
        let draining = |it: &ContainerInstance| it.status == ContainerInstanceStatus::Draining;
        self.registered.get(instance).is_some_and(|all| all.iter().all(draining))
    }

    /// How many tasks run on an instance, or are to, in all of its registrations.
    pub fn tasks_on(&self, instance: &InstanceId) -> u32 {
        let all = self.registered.get(instance).into_iter().flatten();
        all.map(|it| it.tasks_running + it.tasks_pending).sum()
    }

    /// Whether an old instance is being emptied, and is not empty yet.
    pub fn is_any_old_occupied(&self) -> bool {
        let mut old = self.registered.keys().filter(|id| self.mark(id) == Some(Mark::Old));
        old.any(|id| self.is_draining(id) && self.tasks_on(id) > 0)
    }

    /// What one look says of the tasks on an instance.
    pub fn emptiness(&self, instance: &InstanceId) -> Emptiness {
        match self.registered.get(instance).map(Vec::as_slice) {
            Some([only]) => emptiness_of(only, self.tasks.get(instance).unwrap_or(&Known::NotAsked)),
            Some(several) => Emptiness::CannotTell(format!("it is registered {} times", several.len())),
            None => match self.outside(instance) {
                Some(machine) if machine.is_ended => Emptiness::Empty,
                _ => Emptiness::CannotTell("it is registered no longer".to_owned()),
            },
        }
    }

    /// What EC2 says of an instance that ECS does not know.
    pub fn outside(&self, instance: &InstanceId) -> Option<Outside> {
        self.machines.get(instance)?.known().copied()
    }

    /// Instances of the group in a state.
    fn members(&self, state: LifecycleState) -> impl Iterator<Item = &AutoScalingInstance> {
        self.group.instances.values().filter(move |it| it.state == state)
    }
}

impl<'a> RolloutView<'a> {
    /// How long it is in this phase.
    pub fn time_in_phase(&self) -> Duration {
        self.seen.observed_at.since(self.record.since)
    }

    /// Whether nothing new may be begun; what cannot be told counts as a pause.
    pub fn is_paused(&self) -> bool {
        self.seen.paused != Known::Known(false)
    }

    /// Old instances in service: their turn is yet to come.
    pub fn waiting(&self) -> Vec<&'a AutoScalingInstance> {
        let seen = self.seen;
        seen.members(LifecycleState::InService).filter(|it| seen.mark(&it.id) == Some(Mark::Old)).collect()
    }

    /// Old instances on standby: the wave. At the start there was no other on standby; of one that is registered no longer
    /// the mark is gone too, and a new one that somebody puts there is theirs.
    pub fn on_standby(&self) -> Vec<&'a AutoScalingInstance> {
        let seen = self.seen;
        let is_ours = |it: &&AutoScalingInstance| {
            seen.mark(&it.id) == Some(Mark::Old) || !seen.registered.contains_key(&it.id)
        };
        seen.members(LifecycleState::Standby).filter(is_ours).collect()
    }

    /// Old instances on their way back into service.
    pub fn coming_back(&self) -> usize {
        let seen = self.seen;
        seen.members(LifecycleState::Pending).filter(|it| seen.mark(&it.id) == Some(Mark::Old)).count()
    }

    /// Instances in service that are not old.
    pub fn news(&self) -> Vec<&'a AutoScalingInstance> {
        let seen = self.seen;
        seen.members(LifecycleState::InService).filter(|it| seen.mark(&it.id) != Some(Mark::Old)).collect()
    }

    /// New instances on their way.
    pub fn pending(&self) -> usize {
        self.seen.members(LifecycleState::Pending).count()
    }

    /// How many of the desired instances do not serve yet.
    pub fn missing(&self) -> u32 {
        let ready = self.news().into_iter().filter(|it| self.is_ready(it)).count() + self.waiting().len();
        let missing = self.seen.group.desired.saturating_sub(ready as u32);
        let daemons = match self.seen.daemons_missing {
            Known::Known(missing) => missing,
            // Cannot tell is not ready.
            Known::Unknown(_) => 1,
            Known::NotAsked => 0,
        };
        missing.max(daemons.min(self.on_standby().len() as u32))
    }

    /// Registered, ACTIVE, and its agent connected for longer than a flap: the agent drops its connection several times an
    /// hour as a matter of course (Amazon ECS Developer Guide, "Container instance state change events").
    fn is_ready(&self, instance: &AutoScalingInstance) -> bool {
        let now = self.seen.observed_at;
        let is_old_enough = |at: Timestamp| now.since(at) >= self.policy.empty_after;
        instance.is_healthy
            && self.seen.container_instance(&instance.id).is_some_and(|it| {
                it.status == ContainerInstanceStatus::Active
                    && it.agent_connected
                    && it.registered_at.is_some_and(is_old_enough)
            })
    }

    /// Whether two looks far enough apart found it empty, and none between them otherwise.
    pub fn is_confirmed_empty(&self, instance: &InstanceId) -> bool {
        self.seen.emptiness(instance) == Emptiness::Empty && self.is_confirmed(instance)
    }

    /// Whether an instance is known to be new and never came to ECS, at two looks as well: then it has no task of ECS's.
    pub fn never_registered(&self, instance: &InstanceId) -> bool {
        let launched_at = self.seen.outside(instance).and_then(|it| it.launched_at);
        !self.seen.registered.contains_key(instance)
            && launched_at.is_some_and(|at| at >= self.record.started_at)
            && self.is_confirmed(instance)
    }

    fn is_confirmed(&self, instance: &InstanceId) -> bool {
        let now = self.seen.observed_at;
        let is_old = |since: &Timestamp| now > *since && now.since(*since) >= self.policy.empty_after;
        self.empty_since.get(instance).is_some_and(is_old)
    }

    /// Whether EC2 is about to take it, or a drain of its own has it.
    pub fn is_drained_by_itself(&self, instance: &InstanceId) -> bool {
        self.seen.registered.get(instance).into_iter().flatten().any(|it| record_of(it).is_some())
    }
}
