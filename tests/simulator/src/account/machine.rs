//! An EC2 instance, whether or not it has joined a cluster.
//!
//! The members are those of `DescribeInstances` that anybody here reads, and beside them what is bound to happen to
//! the machine: when it has booted, when its container agent registers, when Spot takes it back.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Tags, TaskStatus};
use crate::time::SimTime;

/// The tag by which a machine tells its group; Auto Scaling sets it, and takes it away from what is detached.
pub const GROUP_TAG: &str = "aws:autoscaling:groupName";

/// `InstanceLifecycle`, and Auto Scaling's purchase options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Market {
    OnDemand,
    Spot,
}

/// `InstanceStateName`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum MachineState {
    Pending,
    Running,
    ShuttingDown,
    Terminated,
    Stopping,
    Stopped,
}

impl MachineState {
    /// The name and the code the API gives it.
    pub fn name_and_code(self) -> (&'static str, u16) {
        match self {
            Self::Pending => ("pending", 0),
            Self::Running => ("running", 16),
            Self::ShuttingDown => ("shutting-down", 32),
            Self::Terminated => ("terminated", 48),
            Self::Stopping => ("stopping", 64),
            Self::Stopped => ("stopped", 80),
        }
    }
}

/// `InstanceInterruptionBehavior`, which is also the `instance-action` of a Spot notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum InterruptionAction {
    Terminate,
    Stop,
    Hibernate,
}

impl InterruptionAction {
    /// The word the notice carries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Terminate => "terminate",
            Self::Stop => "stop",
            Self::Hibernate => "hibernate",
        }
    }
}

/// A Spot interruption that EC2 has decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interruption {
    /// When the notice went out.
    pub noticed_at: SimTime,
    /// What will be done to the machine.
    pub action: InterruptionAction,
    /// When it will be done; the machine runs until then.
    pub at: SimTime,
    /// Whether the machine's own agent has acted on it.
    pub agent_acted: bool,
}

/// How a machine joins a cluster once it runs: what its user data and its size decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joining {
    /// Name of the cluster its agent registers with.
    pub cluster: String,
    /// Capacity provider of its group, if there is one.
    pub capacity_provider: Option<String>,
    /// CPU units it will register.
    pub cpu: u64,
    /// Memory in MiB it will register.
    pub memory: u64,
    /// Attributes its agent sets beside the built-in ones (`ECS_INSTANCE_ATTRIBUTES`).
    pub attributes: BTreeMap<String, String>,
    /// From running to registered; absent if the agent never gets that far.
    pub after: Option<Duration>,
}

/// `StateReason`: why the machine is in its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateReason {
    /// Code, such as `Server.SpotInstanceTermination`.
    pub code: &'static str,
    /// The same in words.
    pub message: &'static str,
}

/// An EC2 instance.
#[derive(Clone, Debug)]
pub struct Machine {
    /// `i-…`.
    pub id: String,
    /// Availability Zone.
    pub zone: String,
    /// Instance type, such as `m5.large`.
    pub instance_type: String,
    /// AMI it was started from.
    pub image_id: String,
    /// How it is paid for.
    pub market: Market,
    /// State in EC2.
    pub state: MachineState,
    /// When it entered that state.
    pub state_since: SimTime,
    /// When it leaves that state by itself, if it is one of passage.
    pub state_until: Option<SimTime>,
    /// Why it is shutting down, stopped or terminated.
    pub state_reason: Option<StateReason>,
    /// Who had it terminated, as the timeline names actors; absent if it died by itself.
    pub ended_by: Option<String>,
    /// When it was launched, or last started.
    pub launched_at: SimTime,
    /// Auto Scaling group it belongs to.
    pub group: Option<String>,
    /// Launch template id and version it was launched from.
    pub launch_template: Option<(String, u64)>,
    /// Spot interruption that lies ahead of it or has been carried out.
    pub interruption: Option<Interruption>,
    /// When EC2 first recommended to replace it.
    pub rebalance_recommended_at: Option<SimTime>,
    /// How it joins a cluster; absent if no agent runs on it, or if it was registered from the start.
    pub joins: Option<Joining>,
    /// When its agent registers or connects again, or when ECS notices that it is stopped.
    pub agent_due: Option<SimTime>,
    /// Whether its agent runs with `ECS_ENABLE_SPOT_INSTANCE_DRAINING=true`.
    pub agent_drains_on_spot: bool,
    /// Tasks that had not STOPPED when it ended under them, each with the status it had; for the checkers.
    pub killed: BTreeMap<String, TaskStatus>,
    /// Tags.
    pub tags: Tags,
}
