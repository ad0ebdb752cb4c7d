//! An EC2 instance as EC2 itself knows it, whether or not it is in a group or in a cluster.

use serde::{Deserialize, Serialize};

use crate::ids::{ImageId, InstanceId, ZoneName};
use crate::timestamp::Timestamp;

/// `InstanceState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum MachineState {
    Pending,
    Running,
    ShuttingDown,
    /// EC2 describes it for about an hour more.
    Terminated,
    Stopping,
    Stopped,
    /// A state that is not known here.
    Other,
}

/// An EC2 instance (`DescribeInstances`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    /// Id.
    pub id: InstanceId,
    /// The AMI it was launched with.
    pub image: Option<ImageId>,
    /// Instance type.
    pub instance_type: String,
    /// In which state.
    pub state: MachineState,
    /// Launched, or last started.
    pub launched_at: Option<Timestamp>,
    /// Where.
    pub zone: ZoneName,
    /// Whether it is a Spot instance (`InstanceLifecycle`).
    pub is_spot: bool,
}
