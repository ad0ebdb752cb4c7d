//! Target groups of Elastic Load Balancing and the targets registered in them.

use std::time::Duration;

use crate::time::SimTime;

/// State of one target, as `DescribeTargetHealth` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TargetState {
    Initial,
    Healthy,
    Unhealthy,
    Unused,
    Draining,
}

/// One registered target.
#[derive(Clone, Debug)]
pub struct Target {
    /// Instance id (bridge, host) or IP (awsvpc).
    pub id: String,
    /// Port.
    pub port: u16,
    /// Owning task ARN.
    pub task_arn: String,
    /// State.
    pub state: TargetState,
    /// When the state was entered.
    pub since: SimTime,
}

/// A target group.
#[derive(Clone, Debug)]
pub struct TargetGroup {
    /// ARN.
    pub arn: String,
    /// Name.
    pub name: String,
    /// `deregistration_delay.timeout_seconds`; AWS's default is 300 s.
    pub deregistration_delay: Duration,
    /// Registered targets.
    pub targets: Vec<Target>,
}
