//! Amazon EC2 Auto Scaling, API 2011-01-01: the operations on groups, their instances, hooks and activities.
//!
//! Shapes follow botocore's service model, texts of errors what users report, and otherwise ours. `ValidationError` is
//! the code for all that is wrong with a request, a group or an instance that does not exist included; the model does
//! not list it.
//!
//! Simplified:
//! - Groups and launch templates are built, not created or deleted; there are no policies, schedules, notifications or
//!   instance refreshes, whose lists are empty.
//! - Launch configurations, zone ids, metrics, traffic sources and zonal shift do not exist.
//! - `IncludeManagedResources` and `IncludeDeletedGroups` are ignored.
//! - Operations without output answer an empty result element, which clients do not read.

mod activities;
mod empty_lists;
mod group_shape;
mod groups;
mod hooks;
mod input;
mod instances;
mod tags;

use serde_json::Value;

use super::{Answer, Change};
use crate::account::{Account, AutoScalingGroup};
use crate::wire::ApiError;

pub(super) fn read(account: &Account, operation: &str, input: &Value) -> Option<Answer> {
    let read = match operation {
        "DescribeAutoScalingGroups" => groups::describe,
        "DescribeAutoScalingInstances" => instances::describe,
        "DescribeInstanceRefreshes" => empty_lists::instance_refreshes,
        "DescribeLifecycleHooks" => hooks::describe,
        "DescribePolicies" => empty_lists::policies,
        "DescribeScalingActivities" => activities::describe,
        "DescribeScheduledActions" => empty_lists::scheduled_actions,
        "DescribeTags" => tags::describe,
        "DescribeWarmPool" => empty_lists::warm_pool,
        _ => return None,
    };
    Some(read(account, input))
}

pub(super) fn write(_change: &mut Change<'_>, _operation: &str, _input: &Value) -> Option<Answer> {
    None
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

#[cfg(test)]
mod tests;
