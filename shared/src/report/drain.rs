//! What the job `drain` says when it ends.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ids::{ClusterName, ContainerInstanceArn, InstanceId};
use crate::plan::drain::reason::DrainReason;
use crate::plan::drain::record::{Asked, Cause};
use crate::report::metrics::{self, Series};
use crate::report::{Action, JobReport, Status};
use crate::timestamp::Timestamp;

/// The report of one invocation.
#[must_use]
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DrainReport {
    /// `drain`.
    pub job: &'static str,
    /// How it ended.
    pub status: Status,
    /// Whether writing was off.
    pub dry_run: bool,
    /// One entry an instance.
    pub instances: Vec<InstanceReport>,
    /// Every call that changed, or was to change, something.
    pub actions: Vec<Action>,
    /// Everything that was not done, and why.
    pub blocked: Vec<DrainBlocked>,
    /// What could not be looked at, with the causes: there may be more to do.
    pub errors: Vec<String>,
    /// Attempted calls by operation.
    pub api_calls: BTreeMap<String, u64>,
}

/// How far the drain of an instance has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// Nothing is done about it.
    LeftAlone,
    /// Tasks are on it, or may be.
    Draining,
    /// All its tasks were seen STOPPED.
    Empty,
    /// Its deadline came first.
    DeadlineExpired,
    /// It is registered no longer.
    Gone,
    /// What was announced never came: it takes tasks again.
    GivenBack,
    /// It could not be seen.
    Unknown,
}

/// One instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceReport {
    /// Which.
    pub instance_id: InstanceId,
    /// In which cluster.
    pub cluster: Option<ClusterName>,
    /// As what.
    pub container_instance: Option<ContainerInstanceArn>,
    /// Why it is drained.
    pub cause: Option<Cause>,
    /// When it has to be empty at the latest.
    pub deadline: Option<Timestamp>,
    /// How far it is.
    pub stage: Stage,
    /// How a substitute was asked for.
    pub replacement: Option<Asked>,
    /// Tasks on it that were not seen STOPPED at the last look, if that could be told.
    pub tasks: Option<usize>,
    /// When what was seen.
    pub clock: StageClock,
    /// Why it could not be looked at, with its causes.
    pub error: Option<String>,
}

/// The stages of a drain, each as it was first seen by this invocation, on AWS's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StageClock {
    /// The event's own time.
    pub event_at: Option<Timestamp>,
    /// This invocation began.
    pub received_at: Option<Timestamp>,
    /// ECS accepted DRAINING.
    pub draining_at: Option<Timestamp>,
    /// Auto Scaling accepted the call for a substitute.
    pub replacement_requested_at: Option<Timestamp>,
    /// The group had one more instance in service than at the first look.
    pub in_service_at: Option<Timestamp>,
    /// One that is new in the group had registered with the cluster.
    pub registered_at: Option<Timestamp>,
    /// The services of its tasks had as many tasks running elsewhere as they want, and as many healthy targets.
    pub tasks_elsewhere_at: Option<Timestamp>,
    /// Empty, at two looks.
    pub empty_at: Option<Timestamp>,
}

/// Something that was not done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DrainBlocked {
    /// Which instance.
    pub instance_id: InstanceId,
    /// Why, with its code and values.
    #[serde(flatten)]
    pub reason: DrainReason,
    /// The reason as a sentence.
    pub sentence: String,
}

impl DrainBlocked {
    /// A reason with its sentence.
    pub fn new(instance_id: &InstanceId, reason: DrainReason) -> Self {
        let sentence = format!("instance {instance_id}: {}", reason.sentence());
        Self { instance_id: instance_id.clone(), reason, sentence }
    }
}

impl JobReport for DrainReport {
    fn headline(&self) -> (&'static str, Status, bool) {
        (self.job, self.status, self.dry_run)
    }

    fn metrics(&self, _: Timestamp) -> Vec<Series> {
        let blocked = self.blocked.len();
        let own = metrics::of_function("drain", self.status, &self.actions, blocked, &self.api_calls);
        [vec![own], metrics::of_drain(self)].concat()
    }
}
