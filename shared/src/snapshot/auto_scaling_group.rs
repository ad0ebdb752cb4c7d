//! An Auto Scaling group as a rollout has to know it before it starts: sizes, what it launches from, who else changes it.
//!
//! A drain gets by with less ([`super::Group`]).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{LaunchSource, LaunchTemplateSpecification, LifecycleState, MixedInstancesPolicy, Tags};
use crate::ids::{GroupName, ImageId, InstanceId, ZoneName};

/// An Auto Scaling group (`DescribeAutoScalingGroups`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::struct_excessive_bools)] // Each is a setting of its own in the API.
pub struct AutoScalingGroup {
    /// Name, unique in the Region.
    pub name: GroupName,
    /// ARN; a group created anew under the same name has another.
    pub arn: String,
    /// `MinSize`, in units.
    pub min: u32,
    /// `MaxSize`, in units.
    pub max: u32,
    /// `DesiredCapacity`, in units.
    pub desired: u32,
    /// `DesiredCapacityType`: `units`, `vcpu` or `memory-mib`.
    pub desired_capacity_type: String,
    /// What instances are launched from.
    pub launch_source: LaunchSource,
    /// Where they are launched.
    pub zones: Vec<ZoneName>,
    /// Whether a zone without capacity is waited for (`balanced-only`) instead of passed over.
    pub waits_for_zones: bool,
    /// Suspended processes to the reason of the suspension.
    pub suspended: BTreeMap<String, String>,
    /// In the order they are applied.
    pub termination_policies: Vec<String>,
    /// `NewInstancesProtectedFromScaleIn`.
    pub protects_new_instances: bool,
    /// Whether the group itself replaces Spot instances at elevated risk (`CapacityRebalance`).
    pub capacity_rebalance: bool,
    /// Whether there is a warm pool, which a larger `MaxSize` may enlarge (`WarmPoolConfiguration`).
    pub has_warm_pool: bool,
    /// The age at which the group itself replaces an instance (`MaxInstanceLifetime`).
    pub max_instance_lifetime: Option<Duration>,
    /// Whether an instance whose terminate hook is abandoned is retained (`InstanceLifecyclePolicy`).
    pub retains_abandoned: bool,
    /// The AWS service that manages the group (`Operator`).
    pub operator: Option<String>,
    /// `Delete in progress`, or nothing.
    pub status: Option<String>,
    /// Load balancers and target groups that instances themselves are registered with, by name or ARN
    /// (`LoadBalancerNames`, `TargetGroupARNs`, `TrafficSources`).
    pub traffic_sources: BTreeSet<String>,
    /// Tags.
    pub tags: Tags,
    /// By id. Terminating ones remain listed while hooks hold them, so there may be more than `desired`.
    pub instances: BTreeMap<InstanceId, AutoScalingInstance>,
}

impl AutoScalingGroup {
    /// Whether sizes count something else than instances: weights, vCPUs or memory.
    pub fn counts_units(&self) -> bool {
        let has_weights = match &self.launch_source {
            LaunchSource::MixedInstancesPolicy(policy) => MixedInstancesPolicy::has_weights(policy),
            _ => false,
        };
        has_weights || self.desired_capacity_type != "units"
    }

    /// Units of the instances that count towards `desired`: those pending and those in service.
    pub fn capacity(&self) -> u32 {
        let counts = |it: &&AutoScalingInstance| {
            matches!(it.state, LifecycleState::Pending | LifecycleState::InService)
        };
        self.instances.values().filter(counts).map(AutoScalingInstance::units).sum()
    }
}

/// An instance of a group as the group sees it (`Instance`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoScalingInstance {
    /// EC2 instance id.
    pub id: InstanceId,
    /// Instance type.
    pub instance_type: String,
    /// Where.
    pub zone: ZoneName,
    /// In which state.
    pub state: LifecycleState,
    /// Whether `HealthStatus` is `Healthy`.
    pub is_healthy: bool,
    /// `ProtectedFromScaleIn`.
    pub is_protected: bool,
    /// What it was launched from, with the concrete version; absent for a launch configuration, and once the template
    /// is deleted.
    pub launch_template: Option<LaunchTemplateSpecification>,
    /// The AMI it was launched with.
    pub image: Option<ImageId>,
    /// Units it counts for, where its group gives weights.
    pub weighted_capacity: Option<u32>,
}

impl AutoScalingInstance {
    /// Units it counts for.
    pub fn units(&self) -> u32 {
        self.weighted_capacity.unwrap_or(1)
    }
}
