//! Amazon EC2 Auto Scaling, API 2011-01-01: the operations on groups, their instances, hooks and activities.
//!
//! Shapes follow botocore's service model, texts of errors what users report, and otherwise ours. `ValidationError` is
//! the code for all that is wrong with a request, a group or an instance that does not exist included; the model does
//! not list it.
//!
//! Simplified:
//! - Groups, launch templates, schedules and instance refreshes are built, not created, changed or deleted by calls;
//!   there are no policies and notifications.
//! - Launch configurations, zone ids, metrics, traffic sources and zonal shift do not exist.
//! - `IncludeManagedResources` and `IncludeDeletedGroups` are ignored.
//! - Operations without output answer an empty result element, which clients do not read.

mod actions;
mod activities;
mod empty_lists;
mod group_shape;
mod groups;
mod hooks;
mod input;
mod instances;
mod membership;
mod mixed;
mod processes;
mod protection;
mod refreshes;
mod schedules;
mod sizes;
mod standby;
mod tags;
mod terminations;
mod updates;

use serde_json::Value;

use super::{Answer, Change};
use crate::account::{Account, AutoScalingGroup, GroupInstance};
use crate::wire::ApiError;

pub(super) fn read(account: &Account, operation: &str, input: &Value) -> Option<Answer> {
    let read = match operation {
        "DescribeAutoScalingGroups" => groups::describe,
        "DescribeAutoScalingInstances" => instances::describe,
        "DescribeInstanceRefreshes" => refreshes::describe,
        "DescribeLifecycleHooks" => hooks::describe,
        "DescribePolicies" => empty_lists::policies,
        "DescribeScalingActivities" => activities::describe,
        "DescribeScheduledActions" => schedules::describe,
        "DescribeTags" => tags::describe,
        "DescribeWarmPool" => empty_lists::warm_pool,
        _ => return None,
    };
    Some(read(account, input))
}

pub(super) fn write(change: &mut Change<'_>, operation: &str, input: &Value) -> Option<Answer> {
    let write = match operation {
        "AttachInstances" => membership::attach,
        "CompleteLifecycleAction" => actions::complete,
        "CreateOrUpdateTags" => tags::create_or_update,
        "DeleteLifecycleHook" => hooks::delete,
        "DeleteTags" => tags::delete,
        "DetachInstances" => membership::detach,
        "EnterStandby" => standby::enter,
        "ExitStandby" => standby::exit,
        "PutLifecycleHook" => hooks::put,
        "RecordLifecycleActionHeartbeat" => actions::heartbeat,
        "ResumeProcesses" => processes::resume,
        "SetDesiredCapacity" => sizes::set_desired_capacity,
        "SetInstanceProtection" => protection::set,
        "SuspendProcesses" => processes::suspend,
        "TerminateInstanceInAutoScalingGroup" => terminations::terminate,
        "UpdateAutoScalingGroup" => updates::update,
        _ => return None,
    };
    Some(write(change, input))
}

/// The code for nearly everything that is wrong with a request.
fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationError", message)
}

/// A required member that the caller left out.
fn required<T>(member: Option<T>, name: &str) -> Result<T, ApiError> {
    member.ok_or_else(|| {
        let constraint = "failed to satisfy constraint: Member must not be null";
        invalid(format!("1 validation error detected: Value null at '{name}' {constraint}"))
    })
}

/// The group of this name or ARN.
fn group<'a>(account: &'a Account, name: Option<&str>) -> Result<&'a AutoScalingGroup, ApiError> {
    let name = required(name, "autoScalingGroupName")?;
    let groups = &account.auto_scaling_groups;
    let group = groups.get(name).or_else(|| groups.values().find(|group| group.arn == name));
    group.ok_or_else(|| {
        invalid(format!("AutoScalingGroup name not found - AutoScalingGroup '{name}' not found"))
    })
}

/// The same, to be changed.
fn group_mut<'a>(
    change: &'a mut Change<'_>,
    name: Option<&str>,
) -> Result<&'a mut AutoScalingGroup, ApiError> {
    let name = group(change.account, name)?.name.clone();
    let group = change.account.auto_scaling_groups.get_mut(&name);
    Ok(group.expect("it was found above"))
}

/// An instance that must belong to the group.
fn member<'a>(group: &'a AutoScalingGroup, id: &str) -> Result<&'a GroupInstance, ApiError> {
    let missing = || invalid(format!("The instance {id} is not part of Auto Scaling group {}.", group.name));
    group.instances.get(id).ok_or_else(missing)
}

/// Refuses a change of size while an activity is under way, if this run has it so.
fn unblocked(account: &Account, group: &AutoScalingGroup) -> Result<(), ApiError> {
    let open = group.activities.iter().find(|activity| !activity.status.is_final());
    match open.filter(|_| account.switches.activity_blocks_size_changes) {
        Some(activity) => Err(ApiError::activity_in_progress(&activity.id)),
        None => Ok(()),
    }
}

/// Checks how many ids a call names.
fn count(ids: &[String], max: usize) -> Result<(), ApiError> {
    let text = format!("The number of instance ids must be between 1 and {max}");
    if (1..=max).contains(&ids.len()) { Ok(()) } else { Err(invalid(text)) }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
