//! What happens to an Auto Scaling group: scaling activities, instance refreshes, scheduled actions.

use serde::{Deserialize, Serialize};

use crate::timestamp::Timestamp;

/// A scaling activity (`DescribeScalingActivities`): one launch, one termination and the like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScalingActivity {
    /// Id.
    pub id: String,
    /// `StatusCode`, such as `InProgress` or `Failed`.
    pub status_code: String,
    /// What went wrong, in AWS's words.
    pub status_message: Option<String>,
    /// What is done, such as `Launching a new EC2 instance: i-…`.
    pub description: String,
    /// Why.
    pub cause: String,
    /// Began.
    pub started_at: Option<Timestamp>,
    /// Ended.
    pub ended_at: Option<Timestamp>,
}

impl ScalingActivity {
    /// Whether nothing more comes of it.
    pub fn is_over(&self) -> bool {
        matches!(self.status_code.as_str(), "Successful" | "Failed" | "Cancelled")
    }

    /// Whether it failed, as a launch does for which there is no capacity; the group tries again with another activity.
    pub fn has_failed(&self) -> bool {
        self.status_code == "Failed"
    }
}

/// An instance refresh (`DescribeInstanceRefreshes`): the group's own way to replace its instances, one at a time per
/// group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceRefresh {
    /// Id.
    pub id: String,
    /// `Status`, such as `InProgress`.
    pub status: String,
    /// Began; absent while it is `Pending`.
    pub started_at: Option<Timestamp>,
    /// `PercentageComplete`.
    pub percentage_complete: u32,
}

impl InstanceRefresh {
    /// Whether nothing more comes of it. A status that is not known here counts as one that goes on.
    pub fn is_over(&self) -> bool {
        matches!(
            self.status.as_str(),
            "Successful" | "Failed" | "Cancelled" | "RollbackFailed" | "RollbackSuccessful"
        )
    }
}

/// A change of size at a set time (`DescribeScheduledActions`); a size that is absent stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledAction {
    /// Name, unique in the group.
    pub name: String,
    /// When it acts next, or for the first time.
    pub starts_at: Option<Timestamp>,
    /// When a recurring one ends.
    pub ends_at: Option<Timestamp>,
    /// Cron expression of a recurring one.
    pub recurrence: Option<String>,
    /// Time zone of that expression; UTC if absent.
    pub time_zone: Option<String>,
    /// `MinSize`.
    pub min: Option<u32>,
    /// `MaxSize`.
    pub max: Option<u32>,
    /// `DesiredCapacity`.
    pub desired: Option<u32>,
}
