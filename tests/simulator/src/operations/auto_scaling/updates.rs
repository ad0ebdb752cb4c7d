//! `UpdateAutoScalingGroup`.
//!
//! From its page: a `MinSize` above the present size without a `DesiredCapacity` raises the desired capacity to it, and
//! a `MaxSize` below it lowers the desired capacity to it. Members not listed in `Input` are accepted and ignored. Subnets
//! are told from the names that this account gives the subnets of its zones.

use serde::Deserialize;
use serde_json::Value;

use super::super::{Answer, Change};
use super::mixed::{MixedInput, TemplateInput};
use super::{group, group_mut, input, invalid, unblocked};
use crate::account::{Account, AutoScalingGroup};
use crate::scheduler::groups::{set_desired, subnet};
use crate::wire::ApiError;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Input {
    auto_scaling_group_name: Option<String>,
    #[serde(deserialize_with = "input::number")]
    min_size: Option<i64>,
    #[serde(deserialize_with = "input::number")]
    max_size: Option<i64>,
    #[serde(deserialize_with = "input::number")]
    desired_capacity: Option<i64>,
    launch_template: Option<TemplateInput>,
    mixed_instances_policy: Option<MixedInput>,
    #[serde(deserialize_with = "input::list")]
    availability_zones: Vec<String>,
    #[serde(rename = "VPCZoneIdentifier")]
    vpc_zone_identifier: Option<String>,
    #[serde(deserialize_with = "input::list")]
    termination_policies: Vec<String>,
    #[serde(deserialize_with = "input::flag")]
    new_instances_protected_from_scale_in: Option<bool>,
    #[serde(deserialize_with = "input::flag")]
    capacity_rebalance: Option<bool>,
    #[serde(deserialize_with = "input::number")]
    default_cooldown: Option<i64>,
    #[serde(deserialize_with = "input::number")]
    health_check_grace_period: Option<i64>,
    availability_zone_distribution: Option<Distribution>,
    instance_lifecycle_policy: Option<LifecyclePolicy>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LifecyclePolicy {
    retention_triggers: RetentionTriggers,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RetentionTriggers {
    terminate_hook_abandon: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Distribution {
    capacity_distribution_strategy: String,
}

pub(super) fn update(change: &mut Change<'_>, value: &Value) -> Answer {
    let input: Input = input::read(value)?;
    let found = group(change.account, input.auto_scaling_group_name.as_deref())?;
    let name = found.name.clone();
    unblocked(change.account, found)?;
    let (min, max, desired) = bounds(found, &input)?;
    let mut updated = found.clone();
    (updated.min_size, updated.max_size) = (min, max);
    from_template(change.account, &mut updated, &input)?;
    places(change.account, &mut updated, &input)?;
    policies(&mut updated, input)?;
    *group_mut(change, Some(&name))? = updated;
    let what = format!(
        "a user request update of AutoScalingGroup constraints to min: {min}, max: {max}, desired: {desired}"
    );
    set_desired(change.account, &name, desired, &what);
    change.note(name, format!("UpdateAutoScalingGroup: min {min}, max {max}, desired {desired}"));
    Ok(Vec::new())
}

/// Minimum, maximum and desired capacity after the update.
fn bounds(group: &AutoScalingGroup, input: &Input) -> Result<(u32, u32, u32), ApiError> {
    let size = |given: Option<i64>, present: u32| match given {
        Some(size) => u32::try_from(size).map_err(|_| invalid("Sizes must not be negative")),
        None => Ok(present),
    };
    let (min, max) = (size(input.min_size, group.min_size)?, size(input.max_size, group.max_size)?);
    if min > max {
        return Err(invalid(format!("Max bound, {max}, must be greater than or equal to min bound, {min}")));
    }
    let desired = size(input.desired_capacity, group.desired_capacity.clamp(min, max))?;
    if !(min..=max).contains(&desired) {
        let between = format!("the specified min size:{min} and max size:{max}");
        return Err(invalid(format!("Desired capacity:{desired} must be between {between}")));
    }
    Ok((min, max, desired))
}

fn from_template(account: &Account, group: &mut AutoScalingGroup, input: &Input) -> Result<(), ApiError> {
    match (&input.launch_template, &input.mixed_instances_policy) {
        (Some(_), Some(_)) => Err(invalid(
            "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or \
             MixedInstancesPolicy parameter.",
        )),
        (Some(template), None) => {
            group.mixed_instances = None;
            template.apply(account, group)
        }
        (None, Some(policy)) => policy.apply(account, group),
        (None, None) => Ok(()),
    }
}

fn places(account: &Account, group: &mut AutoScalingGroup, input: &Input) -> Result<(), ApiError> {
    if !input.availability_zones.is_empty() {
        group.zones.clone_from(&input.availability_zones);
    }
    let Some(subnets) = &input.vpc_zone_identifier else { return Ok(()) };
    let known = account.auto_scaling_groups.values().flat_map(|group| &group.zones);
    let known: Vec<&String> = known.chain(&input.availability_zones).collect();
    let zone_of = |name: &str| known.iter().find(|zone| subnet(zone) == name).map(|zone| (*zone).clone());
    let zones = subnets.split(',').map(|name| {
        zone_of(name.trim()).ok_or_else(|| invalid(format!("The subnet ID '{name}' does not exist")))
    });
    group.zones = zones.collect::<Result<_, _>>()?;
    Ok(())
}

const POLICIES: [&str; 7] = [
    "AllocationStrategy",
    "ClosestToNextInstanceHour",
    "Default",
    "NewestInstance",
    "OldestInstance",
    "OldestLaunchConfiguration",
    "OldestLaunchTemplate",
];

fn policies(group: &mut AutoScalingGroup, input: Input) -> Result<(), ApiError> {
    if let Some(unknown) = input.termination_policies.iter().find(|it| !POLICIES.contains(&it.as_str())) {
        return Err(invalid(format!("Invalid termination policy: {unknown}")));
    }
    if !input.termination_policies.is_empty() {
        group.termination_policies = input.termination_policies;
    }
    group.protects_new_instances =
        input.new_instances_protected_from_scale_in.unwrap_or(group.protects_new_instances);
    group.capacity_rebalance = input.capacity_rebalance.unwrap_or(group.capacity_rebalance);
    let seconds =
        |given: Option<i64>, present: u32| given.and_then(|it| it.try_into().ok()).unwrap_or(present);
    group.default_cooldown = seconds(input.default_cooldown, group.default_cooldown);
    group.health_check_grace_period =
        seconds(input.health_check_grace_period, group.health_check_grace_period);
    if let Some(policy) = input.instance_lifecycle_policy {
        group.retains_abandoned = policy.retention_triggers.terminate_hook_abandon == "retain";
    }
    if let Some(distribution) = input.availability_zone_distribution {
        group.passes_over_zones = distribution.capacity_distribution_strategy != "balanced-only";
    }
    Ok(())
}
