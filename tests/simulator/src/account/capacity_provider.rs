//! ECS capacity providers that stand for an Auto Scaling group.

use crate::time::SimTime;

/// A capacity provider with an Auto Scaling group (`AutoScalingGroupProvider`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapacityProvider {
    /// Name, unique in the Region.
    pub name: String,
    /// Name of its Auto Scaling group.
    pub group: String,
    /// `managedDraining`.
    pub managed_draining: bool,
    /// `managedTerminationProtection`.
    pub managed_termination_protection: bool,
    /// `managedScaling`, if it is enabled.
    pub managed_scaling: Option<ManagedScaling>,
}

/// Managed scaling and what its alarms remember.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ManagedScaling {
    /// `targetCapacity`, 1 to 100.
    pub target_capacity: u32,
    /// When `CapacityProviderReservation` is published next.
    pub published_at: SimTime,
    /// How many times in a row it has been below the target.
    pub low: u32,
}
