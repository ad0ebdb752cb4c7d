//! What was seen of one cluster, and when: the only input of a plan.
//!
//! Plain data, `Serialize + Deserialize`, so that any production decision can be saved and replayed. Every map is
//! ordered. What could not be read is `Known::Unknown`, never absent: "cannot tell" is an answer of its own, and a
//! plan defers whatever depends on it. Names of members and states are those of the ECS API reference.

mod auto_scaling_group;
mod capacity_provider;
mod container_instance;
mod group;
mod launch_template;
mod machine;
mod scaling;
mod service;
mod task;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{
    ClusterName, ContainerInstanceArn, ServiceName, TargetGroupArn, TaskArn, TaskDefinitionArn,
};
use crate::timestamp::Timestamp;

pub use auto_scaling_group::{AutoScalingGroup, AutoScalingInstance};
pub use capacity_provider::CapacityProvider;
pub use container_instance::{ContainerInstance, ContainerInstanceStatus, Resources};
pub use group::{Group, LifecycleHook, LifecycleState, Member, Transition};
pub use launch_template::{
    LaunchSource, LaunchTemplateOverride, LaunchTemplateSpecification, LaunchTemplateVersion,
    MixedInstancesPolicy,
};
pub use machine::{Machine, MachineState};
pub use scaling::{InstanceRefresh, ScalingActivity, ScheduledAction};
pub use service::{
    Deployment, DeploymentController, LoadBalancer, PlacementConstraint, PlacementStrategy, RolloutState,
    SchedulingStrategy, Service, TaskDefinition,
};
pub use task::{HealthStatus, NetworkBinding, Protection, Target, Task, TaskStatus};

/// Tag keys to tag values.
pub type Tags = BTreeMap<String, String>;

/// The answer to a question that may have failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Known<T> {
    /// It was read.
    Known(T),
    /// It was asked and could not be read; the text says why.
    Unknown(String),
    /// Nobody asked, because nothing so far depended on it.
    NotAsked,
}

impl<T> Known<T> {
    /// The value, if it was read.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) | Self::NotAsked => None,
        }
    }
}

/// One cluster at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterSnapshot {
    /// Which cluster.
    pub cluster: ClusterName,
    /// When the reading began, on AWS's clock: ages come out too small by at most what the reading took.
    pub observed_at: Timestamp,
    /// Tags of the cluster (`DescribeClusters`), asked only once there is something to write.
    pub tags: Known<Tags>,
    /// By name.
    pub services: BTreeMap<ServiceName, Service>,
    /// By ARN: every task whose desiredStatus is RUNNING, and the stopped ones that a move in flight names.
    pub tasks: BTreeMap<TaskArn, Task>,
    /// By ARN: ACTIVE and DRAINING ones alike.
    pub container_instances: BTreeMap<ContainerInstanceArn, ContainerInstance>,
    /// By ARN, for the services that a plan looks at closely (`DescribeTaskDefinition`).
    pub task_definitions: BTreeMap<TaskDefinitionArn, Known<TaskDefinition>>,
    /// By task (`GetTaskProtection`), for the services that a plan looks at closely.
    pub protections: BTreeMap<TaskArn, Known<Protection>>,
    /// By target group (`DescribeTargetHealth`), for the services that a plan looks at closely.
    pub target_health: BTreeMap<TargetGroupArn, Known<Vec<Target>>>,
    /// Listed, but not described (`failures[]`, an error): any service they may belong to is deferred.
    pub unknown: Vec<Unreadable>,
}

/// Something that exists but could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unreadable {
    /// What kind of thing.
    pub kind: UnreadableKind,
    /// Its ARN.
    pub arn: String,
    /// AWS's reason, or the error.
    pub reason: String,
}

/// What kind of thing could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub enum UnreadableKind {
    Service,
    Task,
    ContainerInstance,
}

impl ClusterSnapshot {
    /// The tasks of a service that ECS means to run, in order of ARN.
    pub fn wanted_tasks<'a>(&'a self, service: &'a ServiceName) -> impl Iterator<Item = &'a Task> {
        self.tasks.values().filter(move |task| task.is_wanted() && task.service.as_ref() == Some(service))
    }
}
