//! One instance of an Auto Scaling group, in the words of the API.

use super::super::Market;
use super::LifecycleAction;
use crate::time::SimTime;

/// The values of API enum `LifecycleState` that occur here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum LifecycleState {
    Pending,
    PendingWait,
    PendingProceed,
    InService,
    Terminating,
    TerminatingWait,
    TerminatingProceed,
    TerminatingRetained,
    Detaching,
    EnteringStandby,
    Standby,
}

impl LifecycleState {
    /// As the API spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::PendingWait => "Pending:Wait",
            Self::PendingProceed => "Pending:Proceed",
            Self::InService => "InService",
            Self::Terminating => "Terminating",
            Self::TerminatingWait => "Terminating:Wait",
            Self::TerminatingProceed => "Terminating:Proceed",
            Self::TerminatingRetained => "Terminating:Retained",
            Self::Detaching => "Detaching",
            Self::EnteringStandby => "EnteringStandby",
            Self::Standby => "Standby",
        }
    }

    /// Whether an instance in this state counts towards the desired capacity.
    pub fn counts(self) -> bool {
        self.is_pending() || self == Self::InService
    }

    /// On its way in.
    pub fn is_pending(self) -> bool {
        matches!(self, Self::Pending | Self::PendingWait | Self::PendingProceed)
    }

    /// On its way out by termination; a retained instance waits for somebody to end it.
    pub fn is_terminating(self) -> bool {
        matches!(self, Self::Terminating | Self::TerminatingWait | Self::TerminatingProceed)
    }
}

/// An instance of a group.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // Each is a fact of its own.
pub struct GroupInstance {
    /// EC2 instance id.
    pub id: String,
    /// Instance type.
    pub instance_type: String,
    /// Zone.
    pub zone: String,
    /// Purchase option.
    pub market: Market,
    /// Where it is in its life.
    pub state: LifecycleState,
    /// When it entered that state.
    pub since: SimTime,
    /// When its machine was launched, which termination policies go by.
    pub launched_at: SimTime,
    /// `HealthStatus`: false is `Unhealthy`.
    pub healthy: bool,
    /// Whether scale-in passes it over.
    pub protected: bool,
    /// Units it counts for, if its group gives weights.
    pub weight: Option<u32>,
    /// Name of the launch template it was launched from.
    pub launch_template: String,
    /// The concrete version it was launched from.
    pub version: u64,
    /// AMI.
    pub image_id: String,
    /// Lifecycle actions that hold it, or held it in this transition.
    pub actions: Vec<LifecycleAction>,
    /// The activity under way for it.
    pub activity: Option<String>,
    /// When its machine was first seen not to run, and when that is acted on.
    pub unhealthy_at: Option<SimTime>,
    /// Whether hooks are passed over on its way out, because the launch itself was abandoned.
    pub passes_hooks: bool,
    /// Whether it has been in service before, so that its protection is its own.
    pub has_served: bool,
}

impl GroupInstance {
    /// Units it counts for.
    pub fn units(&self) -> u32 {
        self.weight.unwrap_or(1).max(1)
    }
}
