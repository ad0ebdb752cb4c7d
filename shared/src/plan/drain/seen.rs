//! What was seen of one instance that is to be emptied, and what the settings say about such.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::ids::{ClusterName, InstanceId, ServiceName, TargetGroupArn, TaskArn, TaskDefinitionArn};
use crate::plan::drain::record::DrainRecord;
use crate::settings::{Replacement, StandaloneTasks};
use crate::snapshot::{
    ContainerInstance, ContainerInstanceStatus, Group, Known, LifecycleHook, Member, Protection, Service,
    Task, TaskDefinition,
};
use crate::timestamp::Timestamp;

/// What the settings say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// `EVENKEEL_REPLACEMENT`.
    pub replacement: Replacement,
    /// `EVENKEEL_LIFECYCLE_HOOK`.
    pub hook: String,
    /// `EVENKEEL_STANDALONE_TASKS`.
    pub standalone_tasks: StandaloneTasks,
    /// `EVENKEEL_EMPTY_AFTER`.
    pub empty_after: Duration,
}

/// One instance at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceSnapshot {
    /// In which cluster.
    pub cluster: ClusterName,
    /// Which instance.
    pub instance_id: InstanceId,
    /// When the reading began, on AWS's clock.
    pub observed_at: Timestamp,
    /// As ECS has it.
    pub instance: ContainerInstance,
    /// Every task placed there, those on their way out and the recently stopped ones too. Known only if both lists were
    /// read to their end and every task in them could be described.
    pub tasks: Known<Vec<Task>>,
    /// Its place in its group; known to be none where it is in no group.
    pub member: Known<Option<Member>>,
    /// The group.
    pub group: Known<Group>,
    /// The group's lifecycle hooks.
    pub hooks: Known<Vec<LifecycleHook>>,
    /// Of its tasks, if they were asked for.
    pub protections: BTreeMap<TaskArn, Known<Protection>>,
    /// Of its tasks, if they were asked for.
    pub services: BTreeMap<ServiceName, Known<Service>>,
    /// Whether the cluster or the group is paused by its tag.
    pub paused: Known<bool>,
}

/// What is read beside an instance to foresee how its drain will go. No step is decided from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// Of the tasks of services on it (`DescribeTaskDefinition`).
    pub task_definitions: BTreeMap<TaskDefinitionArn, Known<TaskDefinition>>,
    /// Of the target groups of these services, where there is a deadline to compare them with: how long they drain a target
    /// (`DescribeTargetGroupAttributes`).
    pub deregistration_delays: BTreeMap<TargetGroupArn, Known<Duration>>,
    /// ACTIVE container instances of its cluster: all of them, or enough of them for its tasks.
    pub instances: Known<Vec<ContainerInstance>>,
    /// These services once more, read after the instances: a task that started elsewhere in between is then counted, and
    /// nobody looks for room for it a second time.
    pub services: BTreeMap<ServiceName, Known<Service>>,
}

/// What a step is decided from.
#[derive(Clone, Copy, Debug)]
pub struct DrainView<'a> {
    /// What was seen.
    pub seen: &'a InstanceSnapshot,
    /// Why it is to be emptied, from the event and from its attribute.
    pub record: &'a DrainRecord,
    /// What the settings say.
    pub policy: &'a Policy,
    /// Since when it was seen empty at every look, in this invocation.
    pub empty_since: Option<Timestamp>,
    /// The latest heartbeat of this invocation.
    pub heartbeat_at: Option<Timestamp>,
}

impl InstanceSnapshot {
    /// Whether ECS places nothing there any more.
    pub fn is_draining(&self) -> bool {
        self.instance.status == ContainerInstanceStatus::Draining
    }

    /// Its place in its group, if it has one.
    pub fn member(&self) -> Option<&Member> {
        self.member.known().and_then(Option::as_ref)
    }

    /// The tasks of services that ECS means to run here, by service; none where they could not be read.
    pub fn wanted(&self) -> BTreeMap<&ServiceName, Vec<&Task>> {
        let mut wanted: BTreeMap<&ServiceName, Vec<&Task>> = BTreeMap::new();
        for task in self.tasks.known().into_iter().flatten().filter(|task| task.is_wanted()) {
            if let Some(service) = &task.service {
                wanted.entry(service).or_default().push(task);
            }
        }
        wanted
    }

    /// The tasks that were not seen STOPPED; `None` = cannot tell.
    pub fn unstopped(&self) -> Option<Vec<&Task>> {
        let stopped = crate::snapshot::TaskStatus::Stopped;
        let tasks = self.tasks.known()?;
        Some(tasks.iter().filter(|task| task.last_status != stopped).collect())
    }
}

impl DrainView<'_> {
    /// Whether the hard deadline is up.
    pub fn is_expired(&self) -> bool {
        self.record.deadline.is_some_and(|deadline| self.seen.observed_at >= deadline)
    }
}
