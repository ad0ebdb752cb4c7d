//! `DescribeLifecycleHooks`.

use serde::Deserialize;
use serde_json::Value;

use super::super::Answer;
use super::input;
use crate::account::{Account, LifecycleHook};
use crate::wire::query::Xml;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct DescribeInput {
    auto_scaling_group_name: Option<String>,
    #[serde(deserialize_with = "input::list")]
    lifecycle_hook_names: Vec<String>,
}

pub(super) fn describe(account: &Account, value: &Value) -> Answer {
    let input: DescribeInput = input::read(value)?;
    let group = super::group(account, input.auto_scaling_group_name.as_deref())?;
    let names = &input.lifecycle_hook_names;
    let asked = group.hooks.values().filter(|hook| names.is_empty() || names.contains(&hook.name));
    let mut xml = Xml::default();
    xml.list("LifecycleHooks", asked, |xml, hook| write(xml, &group.name, hook));
    Ok(xml.into_bytes())
}

fn write(xml: &mut Xml, group: &str, hook: &LifecycleHook) {
    xml.text("LifecycleHookName", &hook.name);
    xml.text("AutoScalingGroupName", group);
    xml.text("LifecycleTransition", hook.transition.name());
    xml.maybe("NotificationTargetARN", hook.notification_target_arn.as_deref());
    xml.maybe("RoleARN", hook.role_arn.as_deref());
    xml.maybe("NotificationMetadata", hook.metadata.as_deref());
    xml.text("HeartbeatTimeout", &hook.heartbeat_timeout.as_secs().to_string());
    xml.text("GlobalTimeout", &hook.global_timeout().as_secs().to_string());
    xml.text("DefaultResult", hook.default_result.name());
}
