//! `AutoScalingGroup` as XML, in the order of the API reference.

use super::instances;
use crate::account::{Account, AutoScalingGroup, GroupTag, MixedInstancesPolicy};
use crate::wire::query::{Xml, timestamp};

pub(super) fn write(xml: &mut Xml, account: &Account, group: &AutoScalingGroup, with_instances: bool) {
    xml.text("AutoScalingGroupName", &group.name);
    xml.text("AutoScalingGroupARN", &group.arn);
    match &group.mixed_instances {
        Some(policy) => xml.element("MixedInstancesPolicy", |xml| mixed(xml, account, group, policy)),
        None => xml.element("LaunchTemplate", |xml| template(xml, account, group)),
    }
    sizes(xml, group);
    xml.list("AvailabilityZones", &group.zones, |xml, zone| xml.words(zone));
    xml.element("LoadBalancerNames", |_| ());
    xml.list("TargetGroupARNs", &group.target_group_arns, |xml, arn| xml.words(arn));
    xml.text("HealthCheckType", "EC2");
    xml.text("HealthCheckGracePeriod", &group.health_check_grace_period.to_string());
    if with_instances {
        xml.list("Instances", group.instances.values(), |xml, it| instances::write(xml, account, it, true));
    }
    xml.text("CreatedTime", &timestamp(group.created_at));
    xml.list("SuspendedProcesses", &group.suspended, |xml, (process, reason)| {
        xml.text("ProcessName", process);
        xml.text("SuspensionReason", reason);
    });
    xml.text("VPCZoneIdentifier", &subnets(group));
    xml.element("EnabledMetrics", |_| ());
    xml.maybe("Status", group.status.as_deref());
    xml.list("Tags", &group.tags, |xml, (key, it)| tag(xml, &group.name, key, it));
    xml.list("TerminationPolicies", &group.termination_policies, |xml, policy| xml.words(policy));
    policies(xml, group);
}

fn sizes(xml: &mut Xml, group: &AutoScalingGroup) {
    xml.text("MinSize", &group.min_size.to_string());
    xml.text("MaxSize", &group.max_size.to_string());
    xml.text("DesiredCapacity", &group.desired_capacity.to_string());
    xml.text("DefaultCooldown", &group.default_cooldown.to_string());
}

fn policies(xml: &mut Xml, group: &AutoScalingGroup) {
    xml.text("NewInstancesProtectedFromScaleIn", &group.protects_new_instances.to_string());
    xml.text("ServiceLinkedRoleARN", &service_linked_role(group));
    xml.maybe("MaxInstanceLifetime", group.max_instance_lifetime.map(|it| it.to_string()).as_deref());
    xml.text("CapacityRebalance", &group.capacity_rebalance.to_string());
    if let Some(pool) = &group.warm_pool {
        xml.element("WarmPoolConfiguration", |xml| super::empty_lists::warm_pool_configuration(xml, pool));
        xml.text("WarmPoolSize", &group.warm_pool_size().to_string());
    }
    xml.list("TrafficSources", &group.target_group_arns, |xml, arn| {
        xml.text("Identifier", arn);
        xml.text("Type", "elbv2");
    });
    xml.text("DeletionProtection", "none");
    xml.element("AvailabilityZoneDistribution", |xml| {
        let strategy = if group.passes_over_zones { "balanced-best-effort" } else { "balanced-only" };
        xml.text("CapacityDistributionStrategy", strategy);
    });
    if group.retains_abandoned {
        xml.element("InstanceLifecyclePolicy", |xml| {
            xml.element("RetentionTriggers", |xml| xml.text("TerminateHookAbandon", "retain"));
        });
    }
}

fn template(xml: &mut Xml, account: &Account, group: &AutoScalingGroup) {
    instances::template_id(xml, account, &group.launch_template);
    xml.text("LaunchTemplateName", &group.launch_template);
    xml.text("Version", &group.version.name());
}

fn mixed(xml: &mut Xml, account: &Account, group: &AutoScalingGroup, policy: &MixedInstancesPolicy) {
    xml.element("LaunchTemplate", |xml| {
        xml.element("LaunchTemplateSpecification", |xml| template(xml, account, group));
        xml.list("Overrides", &policy.overrides, |xml, it| {
            xml.text("InstanceType", &it.instance_type);
            xml.maybe("WeightedCapacity", it.weight.map(|weight| weight.to_string()).as_deref());
        });
    });
    xml.element("InstancesDistribution", |xml| {
        let it = &policy.distribution;
        xml.text("OnDemandAllocationStrategy", "prioritized");
        xml.text("OnDemandBaseCapacity", &it.on_demand_base.to_string());
        xml.text("OnDemandPercentageAboveBaseCapacity", &it.on_demand_percentage.to_string());
        xml.text("SpotAllocationStrategy", &it.spot_allocation_strategy);
    });
}

/// `TagDescription`.
pub(super) fn tag(xml: &mut Xml, group: &str, key: &str, tag: &GroupTag) {
    xml.text("ResourceId", group);
    xml.text("ResourceType", "auto-scaling-group");
    xml.text("Key", key);
    xml.text("Value", &tag.value);
    xml.text("PropagateAtLaunch", &tag.propagate_at_launch.to_string());
}

/// One subnet a zone.
fn subnets(group: &AutoScalingGroup) -> String {
    let subnets: Vec<String> =
        group.zones.iter().map(|zone| crate::scheduler::groups::subnet(zone)).collect();
    subnets.join(",")
}

fn service_linked_role(group: &AutoScalingGroup) -> String {
    let account = group.arn.split(':').nth(4).unwrap_or_default();
    format!(
        "arn:aws:iam::{account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    )
}
