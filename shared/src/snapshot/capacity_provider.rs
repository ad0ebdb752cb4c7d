//! An ECS capacity provider with an Auto Scaling group: what ECS itself does to that group.

use serde::{Deserialize, Serialize};

/// A capacity provider (`DescribeCapacityProviders`); of one without an Auto Scaling group, such as FARGATE, only the name
/// is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CapacityProvider {
    /// Name, unique in the Region.
    pub name: String,
    /// The target capacity in percent, if ECS sizes the group (`ManagedScaling`).
    pub managed_scaling: Option<u32>,
    /// Whether ECS protects instances with tasks from scale-in (`ManagedTerminationProtection`).
    pub manages_termination_protection: bool,
    /// Whether ECS drains instances that are about to end, through a terminate hook of its own (`ManagedDraining`).
    pub manages_draining: bool,
}
