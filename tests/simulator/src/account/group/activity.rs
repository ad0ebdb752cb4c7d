//! Scaling activities.

use crate::time::SimTime;

/// The values of API enum `ScalingActivityStatusCode` that occur here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum StatusCode {
    PreInService,
    InProgress,
    MidLifecycleAction,
    Successful,
    Failed,
    Cancelled,
}

impl StatusCode {
    /// As the API spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreInService => "PreInService",
            Self::InProgress => "InProgress",
            Self::MidLifecycleAction => "MidLifecycleAction",
            Self::Successful => "Successful",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }

    /// Whether the activity is over.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Successful | Self::Failed | Self::Cancelled)
    }
}

/// A scaling activity: one launch, one termination, one detachment and so on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Id in the form of a UUID.
    pub id: String,
    /// The instance, once there is one.
    pub instance: Option<String>,
    /// What is done, such as `Terminating EC2 instance: i-…`.
    pub description: String,
    /// Why.
    pub cause: String,
    /// When it began.
    pub start: SimTime,
    /// When it ended.
    pub end: Option<SimTime>,
    /// How far it is.
    pub status: StatusCode,
    /// What went wrong; at most 255 characters.
    pub status_message: Option<String>,
    /// 0 to 100.
    pub progress: u32,
    /// Zone and subnet, as a JSON text.
    pub details: String,
}
