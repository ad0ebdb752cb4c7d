//! From the Auto Scaling SDK's types to snapshot types, for what a rollout reads.
//!
//! Where the API has a default for what is absent, the default is written here: `$Default` for a version, On-Demand base
//! 0 and percentage 100, `units` for the type of the desired capacity.

use std::time::Duration;

use aws_sdk_autoscaling::types as sdk;

use super::auto_scaling::state_of;
use super::convert::timestamp;
use crate::ids::{GroupName, ImageId, InstanceId, LaunchTemplateId, ZoneName};
use crate::snapshot::{
    AutoScalingGroup, AutoScalingInstance, InstanceRefresh, LaunchSource, LaunchTemplateOverride,
    LaunchTemplateSpecification, MixedInstancesPolicy, ScalingActivity, ScheduledAction,
};

pub(super) fn group(group: &sdk::AutoScalingGroup) -> Option<AutoScalingGroup> {
    let suspended = group.suspended_processes().iter().filter_map(|it| {
        Some((it.process_name()?.to_owned(), it.suspension_reason().unwrap_or_default().to_owned()))
    });
    let tags = group
        .tags()
        .iter()
        .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())));
    Some(AutoScalingGroup {
        name: GroupName::new(group.auto_scaling_group_name()?),
        arn: group.auto_scaling_group_arn().unwrap_or_default().to_owned(),
        min: size(group.min_size()).unwrap_or(0),
        max: size(group.max_size()).unwrap_or(0),
        desired: size(group.desired_capacity()).unwrap_or(0),
        desired_capacity_type: group.desired_capacity_type().unwrap_or("units").to_owned(),
        launch_source: launch_source(group),
        zones: group.availability_zones().iter().map(ZoneName::new).collect(),
        waits_for_zones: waits_for_zones(group),
        suspended: suspended.collect(),
        termination_policies: group.termination_policies().to_vec(),
        protects_new_instances: group.new_instances_protected_from_scale_in().unwrap_or(false),
        capacity_rebalance: group.capacity_rebalance().unwrap_or(false),
        has_warm_pool: group.warm_pool_configuration().is_some(),
        max_instance_lifetime: max_instance_lifetime(group),
        retains_abandoned: retains_abandoned(group),
        operator: group.operator().and_then(|it| it.principal()).map(str::to_owned),
        status: group.status().map(str::to_owned),
        traffic_sources: traffic_sources(group).collect(),
        tags: tags.collect(),
        instances: group.instances().iter().filter_map(instance).map(|it| (it.id.clone(), it)).collect(),
    })
}

fn size(number: Option<i32>) -> Option<u32> {
    number.and_then(|number| u32::try_from(number).ok())
}

fn launch_source(group: &sdk::AutoScalingGroup) -> LaunchSource {
    if let Some(policy) = group.mixed_instances_policy() {
        return LaunchSource::MixedInstancesPolicy(mixed_instances_policy(policy));
    }
    match (group.launch_template(), group.launch_configuration_name()) {
        (Some(template), _) => LaunchSource::LaunchTemplate(specification(template)),
        (None, Some(name)) => LaunchSource::LaunchConfiguration(name.to_owned()),
        (None, None) => LaunchSource::Other,
    }
}

fn mixed_instances_policy(policy: &sdk::MixedInstancesPolicy) -> MixedInstancesPolicy {
    let template = policy.launch_template();
    let none = sdk::LaunchTemplateSpecification::builder().build();
    let own = template.and_then(|it| it.launch_template_specification()).unwrap_or(&none);
    let overrides = template.map_or(&[][..], |it| it.overrides());
    let distribution = policy.instances_distribution();
    let base = distribution.and_then(sdk::InstancesDistribution::on_demand_base_capacity);
    let percentage =
        distribution.and_then(sdk::InstancesDistribution::on_demand_percentage_above_base_capacity);
    MixedInstancesPolicy {
        launch_template: specification(own),
        overrides: overrides.iter().map(launch_template_override).collect(),
        on_demand_base: size(base).unwrap_or(0),
        on_demand_percentage: size(percentage).unwrap_or(100),
    }
}

fn launch_template_override(it: &sdk::LaunchTemplateOverrides) -> LaunchTemplateOverride {
    LaunchTemplateOverride {
        instance_type: it.instance_type().map(str::to_owned),
        has_requirements: it.instance_requirements().is_some(),
        weighted_capacity: weight(it.weighted_capacity()),
        launch_template: it.launch_template_specification().map(specification),
        image: it.image_id().map(ImageId::new),
    }
}

/// Weights travel as text.
fn weight(text: Option<&str>) -> Option<u32> {
    text.and_then(|text| text.parse().ok())
}

fn specification(template: &sdk::LaunchTemplateSpecification) -> LaunchTemplateSpecification {
    LaunchTemplateSpecification {
        id: template.launch_template_id().map(LaunchTemplateId::new),
        name: template.launch_template_name().map(str::to_owned),
        version: template.version().unwrap_or("$Default").to_owned(),
    }
}

fn waits_for_zones(group: &sdk::AutoScalingGroup) -> bool {
    let distribution = group.availability_zone_distribution();
    let strategy = distribution.and_then(|it| it.capacity_distribution_strategy());
    strategy == Some(&sdk::CapacityDistributionStrategy::BalancedOnly)
}

/// Zero means that there is none.
fn max_instance_lifetime(group: &sdk::AutoScalingGroup) -> Option<Duration> {
    let seconds = size(group.max_instance_lifetime()).filter(|seconds| *seconds > 0)?;
    Some(Duration::from_secs(u64::from(seconds)))
}

fn retains_abandoned(group: &sdk::AutoScalingGroup) -> bool {
    let triggers = group.instance_lifecycle_policy().and_then(|it| it.retention_triggers());
    let action = triggers.and_then(|it| it.terminate_hook_abandon());
    action == Some(&sdk::RetentionAction::Retain)
}

/// A target group may be in two of the lists; the set has it once.
fn traffic_sources(group: &sdk::AutoScalingGroup) -> impl Iterator<Item = String> {
    let named = group.load_balancer_names().iter().chain(group.target_group_arns()).cloned();
    named.chain(group.traffic_sources().iter().filter_map(|it| it.identifier().map(str::to_owned)))
}

fn instance(instance: &sdk::Instance) -> Option<AutoScalingInstance> {
    let state = instance.lifecycle_state().map_or("", sdk::LifecycleState::as_str);
    let health = instance.health_status().unwrap_or_default();
    Some(AutoScalingInstance {
        id: InstanceId::new(instance.instance_id()?),
        instance_type: instance.instance_type().unwrap_or_default().to_owned(),
        zone: ZoneName::new(instance.availability_zone().unwrap_or_default()),
        state: state_of(state),
        is_healthy: health.eq_ignore_ascii_case("healthy"),
        is_protected: instance.protected_from_scale_in().unwrap_or(false),
        launch_template: instance.launch_template().map(specification),
        image: instance.image_id().map(ImageId::new),
        weighted_capacity: weight(instance.weighted_capacity()),
    })
}

pub(super) fn scaling_activity(activity: &sdk::Activity) -> Option<ScalingActivity> {
    Some(ScalingActivity {
        id: activity.activity_id()?.to_owned(),
        status_code: activity.status_code().map(|code| code.as_str().to_owned()).unwrap_or_default(),
        status_message: activity.status_message().map(str::to_owned),
        description: activity.description().unwrap_or_default().to_owned(),
        cause: activity.cause().unwrap_or_default().to_owned(),
        started_at: timestamp(activity.start_time()),
        ended_at: timestamp(activity.end_time()),
    })
}

pub(super) fn instance_refresh(refresh: &sdk::InstanceRefresh) -> Option<InstanceRefresh> {
    Some(InstanceRefresh {
        id: refresh.instance_refresh_id()?.to_owned(),
        status: refresh.status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        started_at: timestamp(refresh.start_time()),
        percentage_complete: size(refresh.percentage_complete()).unwrap_or(0),
    })
}

pub(super) fn scheduled_action(action: &sdk::ScheduledUpdateGroupAction) -> Option<ScheduledAction> {
    Some(ScheduledAction {
        name: action.scheduled_action_name()?.to_owned(),
        starts_at: timestamp(action.start_time()),
        ends_at: timestamp(action.end_time()),
        recurrence: action.recurrence().map(str::to_owned),
        time_zone: action.time_zone().map(str::to_owned),
        min: size(action.min_size()),
        max: size(action.max_size()),
        desired: size(action.desired_capacity()),
    })
}
