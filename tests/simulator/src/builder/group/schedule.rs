//! What else changes a group or is attached to it, as a test wants it: schedules, instance refreshes, target groups.

use std::time::Duration;

use super::GroupBuilder;
use crate::account::{InstanceRefresh, RefreshStatus, ScheduledAction};
use crate::scheduler::groups;
use crate::time::SimTime;

const DAY: Duration = Duration::from_hours(24);

impl GroupBuilder {
    /// A scheduled action that sets the desired capacity once, so long after the group was built.
    #[must_use]
    pub fn scheduled_action(self, name: &str, after: Duration, desired: u32) -> Self {
        let start = self.built_at() + after;
        self.with_action(name, start, None, desired)
    }

    /// A scheduled action that sets the desired capacity every day, for the first time so long after the group was
    /// built.
    #[must_use]
    pub fn scheduled_daily(self, name: &str, after: Duration, desired: u32) -> Self {
        let start = self.built_at() + after;
        self.with_action(name, start, Some(DAY), desired)
    }

    fn with_action(mut self, name: &str, start: SimTime, every: Option<Duration>, desired: u32) -> Self {
        let action = ScheduledAction {
            name: name.to_owned(),
            start,
            every,
            recurrence: every.map(|_| daily(start)),
            min_size: None,
            max_size: None,
            desired_capacity: Some(desired),
        };
        self.group.scheduled_actions.insert(name.to_owned(), action);
        self
    }

    /// An instance refresh in this status, newer than those given before.
    #[must_use]
    pub fn instance_refresh(mut self, status: RefreshStatus) -> Self {
        let number = self.group.instance_refreshes.len() + 1;
        let began = (status != RefreshStatus::Pending).then(|| self.built_at());
        let refresh = InstanceRefresh {
            id: groups::uuid(&format!("{number:032x}")),
            status,
            start: began,
            end: began.filter(|_| status.is_final()),
            percentage_complete: if status == RefreshStatus::Successful { 100 } else { 0 },
        };
        self.group.instance_refreshes.insert(0, refresh);
        self
    }

    /// The age at which AWS would replace an instance.
    #[must_use]
    pub fn max_instance_lifetime(mut self, age: Duration) -> Self {
        self.group.max_instance_lifetime = u32::try_from(age.as_secs()).ok();
        self
    }

    /// Target groups that the machines themselves are registered with, by ARN.
    #[must_use]
    pub fn target_groups(mut self, arns: &[&str]) -> Self {
        self.group.target_group_arns = arns.iter().map(|&arn| arn.to_owned()).collect();
        self
    }

    /// The account's present while it is built; groups are a day old then.
    fn built_at(&self) -> SimTime {
        self.group.created_at + DAY
    }
}

/// The cron expression of a moment of each day.
fn daily(at: SimTime) -> String {
    let minutes = at.0.div_euclid(60_000);
    format!("{} {} * * *", minutes.rem_euclid(60), minutes.div_euclid(60).rem_euclid(24))
}
