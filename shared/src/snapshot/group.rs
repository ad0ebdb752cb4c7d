//! An Auto Scaling group, its instances and its lifecycle hooks, as far as a drain or a rollout looks at them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::{GroupName, InstanceId, ZoneName};
use crate::snapshot::Tags;

/// `LifecycleState` of an instance in a group, as far as it makes a difference here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LifecycleState {
    /// `Pending`, `Pending:Wait`, `Pending:Proceed`.
    Pending,
    /// `InService`.
    InService,
    /// `Terminating`, `Terminating:Proceed`.
    Terminating,
    /// `Terminating:Wait`: a lifecycle hook holds it.
    TerminatingWait,
    /// `Detaching`.
    Detaching,
    /// `Standby`, `EnteringStandby`.
    Standby,
    /// Any other, such as those of a warm pool: neither serving nor leaving.
    Other,
}

impl LifecycleState {
    /// Whether it is on its way out of its group.
    pub fn is_leaving(self) -> bool {
        matches!(self, Self::Terminating | Self::TerminatingWait | Self::Detaching)
    }
}

/// An instance in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// Which instance.
    pub instance: InstanceId,
    /// In which group.
    pub group: GroupName,
    /// Where.
    pub zone: ZoneName,
    /// In which state.
    pub state: LifecycleState,
    /// `ProtectedFromScaleIn`.
    pub is_protected: bool,
}

/// Which way a lifecycle hook looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Transition {
    /// `autoscaling:EC2_INSTANCE_LAUNCHING`.
    Launching,
    /// `autoscaling:EC2_INSTANCE_TERMINATING`.
    Terminating,
    /// Any other.
    Other,
}

/// A lifecycle hook (`DescribeLifecycleHooks`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LifecycleHook {
    /// Name, unique in the group.
    pub name: String,
    /// When it holds an instance.
    pub transition: Transition,
    /// How long it holds one without a heartbeat.
    pub heartbeat_timeout: Duration,
}

impl LifecycleHook {
    /// Whether it is the terminate hook of this name.
    pub fn is_terminating(&self, name: &str) -> bool {
        self.transition == Transition::Terminating && self.name == name
    }
}

/// An Auto Scaling group (`DescribeAutoScalingGroups`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// Name, unique in the Region.
    pub name: GroupName,
    /// `MinSize`.
    pub min: u32,
    /// `MaxSize`.
    pub max: u32,
    /// `DesiredCapacity`.
    pub desired: u32,
    /// Whether the group itself replaces Spot instances at elevated risk (`CapacityRebalance`).
    pub capacity_rebalance: bool,
    /// Suspended processes by name.
    pub suspended: BTreeSet<String>,
    /// By id. Terminating ones remain listed while hooks hold them.
    pub members: BTreeMap<InstanceId, Member>,
    /// Tags.
    pub tags: Tags,
}
