//! `DescribeAutoScalingInstances`, and an instance of a group as XML.
//!
//! Only instances that belong to a group are answered; ids of others are simply absent. The health status is in upper
//! case here and in mixed case inside a group, as AWS has it.

use serde::Deserialize;
use serde_json::Value;

use super::super::Answer;
use super::super::page::Page;
use super::input::{self, Paging};
use super::invalid;
use crate::account::{Account, AutoScalingGroup, GroupInstance};
use crate::wire::query::Xml;

const PAGE: Page = Page { operation: "DescribeAutoScalingInstances", default: 50, max: 50 };

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Input {
    #[serde(deserialize_with = "input::list")]
    instance_ids: Vec<String>,
}

pub(super) fn describe(account: &Account, value: &Value) -> Answer {
    let (input, paging): (Input, Paging) = (input::read(value)?, input::read(value)?);
    let asked = &input.instance_ids;
    if asked.len() > PAGE.max {
        return Err(invalid("The number of instance ids that may be passed in is limited to 50"));
    }
    let mut found: Vec<(&AutoScalingGroup, &GroupInstance)> = account
        .auto_scaling_groups
        .values()
        .flat_map(|group| group.instances.values().map(move |instance| (group, instance)))
        .filter(|(_, instance)| asked.is_empty() || asked.contains(&instance.id))
        .collect();
    found.sort_by_key(|(_, instance)| &instance.id);
    let (page, next) = paging.cut(&PAGE, found.into_iter(), |(_, instance)| &instance.id)?;
    let mut xml = Xml::default();
    xml.list("AutoScalingInstances", page, |xml, (group, instance)| {
        xml.text("AutoScalingGroupName", &group.name);
        write(xml, account, instance, false);
    });
    xml.maybe("NextToken", next.as_deref());
    Ok(xml.into_bytes())
}

/// The members that `Instance` and `AutoScalingInstanceDetails` share.
pub(super) fn write(xml: &mut Xml, account: &Account, instance: &GroupInstance, inside_group: bool) {
    xml.text("InstanceId", &instance.id);
    xml.text("InstanceType", &instance.instance_type);
    xml.text("AvailabilityZone", &instance.zone);
    xml.text("LifecycleState", instance.state.name());
    let health = if instance.healthy { "Healthy" } else { "Unhealthy" };
    xml.text("HealthStatus", &if inside_group { health.to_owned() } else { health.to_uppercase() });
    xml.element("LaunchTemplate", |xml| {
        template_id(xml, account, &instance.launch_template);
        xml.text("LaunchTemplateName", &instance.launch_template);
        xml.text("Version", &instance.version.to_string());
    });
    xml.text("ImageId", &instance.image_id);
    xml.text("ProtectedFromScaleIn", &instance.protected.to_string());
    xml.maybe("WeightedCapacity", instance.weight.map(|weight| weight.to_string()).as_deref());
}

/// The id of a launch template, as long as it exists.
pub(super) fn template_id(xml: &mut Xml, account: &Account, name: &str) {
    xml.maybe("LaunchTemplateId", account.launch_templates.get(name).map(|template| template.id.as_str()));
}
