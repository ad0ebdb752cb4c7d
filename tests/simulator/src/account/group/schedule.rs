//! What changes a group at a set time or bit by bit: scheduled actions and instance refreshes.

use std::time::Duration;

use crate::time::SimTime;

/// A scheduled action (`ScheduledUpdateGroupAction`); a size that is absent stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledAction {
    /// Name, unique in the group.
    pub name: String,
    /// When it acts next.
    pub start: SimTime,
    /// How often it acts again; one without acts once and is gone.
    pub every: Option<Duration>,
    /// The same as a cron expression, which is only shown.
    pub recurrence: Option<String>,
    /// `MinSize`.
    pub min_size: Option<u32>,
    /// `MaxSize`.
    pub max_size: Option<u32>,
    /// `DesiredCapacity`.
    pub desired_capacity: Option<u32>,
}

/// The values of API enum `InstanceRefreshStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum RefreshStatus {
    Pending,
    InProgress,
    Successful,
    Failed,
    Cancelling,
    Cancelled,
    RollbackInProgress,
    RollbackFailed,
    RollbackSuccessful,
    Baking,
}

impl RefreshStatus {
    /// As the API spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Successful => "Successful",
            Self::Failed => "Failed",
            Self::Cancelling => "Cancelling",
            Self::Cancelled => "Cancelled",
            Self::RollbackInProgress => "RollbackInProgress",
            Self::RollbackFailed => "RollbackFailed",
            Self::RollbackSuccessful => "RollbackSuccessful",
            Self::Baking => "Baking",
        }
    }

    /// Whether the refresh is over.
    pub fn is_final(self) -> bool {
        let failed = matches!(self, Self::Failed | Self::Cancelled | Self::RollbackFailed);
        failed || matches!(self, Self::Successful | Self::RollbackSuccessful)
    }
}

/// An instance refresh. It is a record: nothing here replaces instances for it, and a test ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceRefresh {
    /// Id in the form of a UUID.
    pub id: String,
    /// How far it is.
    pub status: RefreshStatus,
    /// When it began; absent while it is pending.
    pub start: Option<SimTime>,
    /// When it ended.
    pub end: Option<SimTime>,
    /// 0 to 100.
    pub percentage_complete: u32,
}
