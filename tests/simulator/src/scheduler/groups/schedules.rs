//! Scheduled actions: at their time the group gets the sizes that they name.
//!
//! From "Scheduled scaling for Amazon EC2 Auto Scaling" and "Suspend and resume": an action whose time comes while
//! `ScheduledActions` is suspended is not made up for later; a single one is then gone, a recurring one waits for its
//! next time.

use super::{group_mut, set_desired};
use crate::account::{Account, AutoScalingGroup, ScheduledAction};
use crate::scheduler::events::note;

pub(super) fn tick(account: &mut Account, group: &str) {
    let now = account.now;
    let Some(described) = group_mut(account, group) else { return };
    let due: Vec<ScheduledAction> =
        described.scheduled_actions.values().filter(|action| action.start <= now).cloned().collect();
    for action in due {
        let missed = account.auto_scaling_groups[group].suspends("ScheduledActions");
        if !missed {
            act(account, group, &action);
        }
        if let Some(described) = group_mut(account, group) {
            plan_next(described, &action);
        }
        let what = if missed { "is missed, because schedules are suspended" } else { "acts" };
        note(account, "auto-scaling", group, &format!("scheduled action {} {what}", action.name));
    }
}

fn act(account: &mut Account, group: &str, action: &ScheduledAction) {
    let Some(described) = group_mut(account, group) else { return };
    described.min_size = action.min_size.unwrap_or(described.min_size);
    described.max_size = action.max_size.unwrap_or(described.max_size);
    let (min, max) = (described.min_size, described.max_size);
    let desired = action.desired_capacity.unwrap_or(described.desired_capacity);
    let constraints = format!("min: {min}, max: {max}, desired: {desired}");
    let why = format!("a scheduled action update of AutoScalingGroup constraints to {constraints}");
    set_desired(account, group, desired, &why);
}

fn plan_next(group: &mut AutoScalingGroup, action: &ScheduledAction) {
    match (action.every, group.scheduled_actions.get_mut(&action.name)) {
        (Some(every), Some(planned)) => planned.start = action.start + every,
        _ => drop(group.scheduled_actions.remove(&action.name)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::operations::auto_scaling::testing::{account_with, done, texts, wait};

    fn desired(account: &crate::account::Account) -> u32 {
        account.auto_scaling_groups["web"].desired_capacity
    }

    #[test]
    fn a_single_action_sets_the_desired_capacity_at_its_time_and_is_gone() {
        let mut account = account_with(|it| it.scheduled_action("out", Duration::from_secs(30), 5));
        wait(&mut account, 29);
        assert_eq!(desired(&account), 3);
        wait(&mut account, 60);
        assert_eq!((desired(&account), account.auto_scaling_groups["web"].capacity()), (5, 5));
        let body = done(&mut account, "DescribeScheduledActions", "AutoScalingGroupName=web");
        assert!(texts(&body, "ScheduledActionName").is_empty(), "{body}");
        let body = done(&mut account, "DescribeScalingActivities", "AutoScalingGroupName=web");
        let cause = "a scheduled action update of AutoScalingGroup constraints to min: 1, max: 5, desired: 5 changing \
                     the desired capacity from 3 to 5";
        assert!(texts(&body, "Cause")[0].contains(cause), "{body}");
    }

    #[test]
    fn a_daily_action_acts_each_day_and_not_while_schedules_are_suspended() {
        let mut account = account_with(|it| it.scheduled_daily("out", Duration::from_secs(30), 5));
        done(
            &mut account,
            "SuspendProcesses",
            "AutoScalingGroupName=web&ScalingProcesses.member.1=ScheduledActions",
        );
        wait(&mut account, 60);
        done(
            &mut account,
            "ResumeProcesses",
            "AutoScalingGroupName=web&ScalingProcesses.member.1=ScheduledActions",
        );
        wait(&mut account, 60);
        assert_eq!(desired(&account), 3, "what was missed is not made up for");
        let body = done(&mut account, "DescribeScheduledActions", "AutoScalingGroupName=web");
        assert_eq!(texts(&body, "StartTime"), ["2026-01-03T03:04:35Z"]);
        assert_eq!(texts(&body, "Recurrence"), ["4 3 * * *"]);
        wait(&mut account, 24 * 3600);
        assert_eq!(desired(&account), 5);
    }
}
