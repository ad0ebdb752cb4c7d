//! `DescribeLifecycleHooks`, `PutLifecycleHook` and `DeleteLifecycleHook`.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::super::{Answer, Change};
use super::{group_mut, input, invalid, required};
use crate::account::{Account, ActionResult, LifecycleHook, Transition};
use crate::wire::ApiError;
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

/// How long a hook may wait for a heartbeat, in seconds.
const HEARTBEAT: std::ops::RangeInclusive<u64> = 30..=7200;

/// Hooks of one group at most.
const HOOKS_MAX: usize = 50;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct PutInput {
    auto_scaling_group_name: Option<String>,
    lifecycle_hook_name: Option<String>,
    lifecycle_transition: Option<String>,
    #[serde(deserialize_with = "input::number")]
    heartbeat_timeout: Option<i64>,
    default_result: Option<String>,
    notification_metadata: Option<String>,
    #[serde(rename = "NotificationTargetARN")]
    notification_target_arn: Option<String>,
    #[serde(rename = "RoleARN")]
    role_arn: Option<String>,
}

/// Creates a hook, or changes what is given of one; actions that it has opened already stay as they are.
pub(super) fn put(change: &mut Change<'_>, value: &Value) -> Answer {
    let input: PutInput = input::read(value)?;
    let name = required(input.lifecycle_hook_name.clone(), "lifecycleHookName")?;
    let group = group_mut(change, input.auto_scaling_group_name.as_deref())?;
    if group.hooks.len() >= HOOKS_MAX && !group.hooks.contains_key(&name) {
        let text = "You have already reached the limit of 50 lifecycle hooks for the AutoScalingGroup.";
        return Err(ApiError::new("LimitExceeded", text));
    }
    let hook = input.onto(group.hooks.get(&name).cloned(), &name)?;
    group.hooks.insert(name.clone(), hook);
    let group = group.name.clone();
    change.note(group, format!("PutLifecycleHook {name}"));
    Ok(Vec::new())
}

impl PutInput {
    fn onto(self, present: Option<LifecycleHook>, name: &str) -> Result<LifecycleHook, ApiError> {
        let transition = self.lifecycle_transition.as_deref().map(|it| {
            Transition::from_name(it).ok_or_else(|| invalid(format!("Invalid lifecycle transition: {it}")))
        });
        let transition = transition.transpose()?.or(present.as_ref().map(|it| it.transition));
        let transition = required(transition, "lifecycleTransition")?;
        let result = self.default_result.as_deref().map(|it| {
            ActionResult::from_name(it)
                .ok_or_else(|| invalid(format!("Invalid lifecycle action result: {it}")))
        });
        let heartbeat = self.heartbeat_timeout.map(seconds).transpose()?;
        let present = present.unwrap_or_else(|| LifecycleHook {
            name: name.to_owned(),
            transition,
            heartbeat_timeout: Duration::from_hours(1),
            default_result: ActionResult::Abandon,
            metadata: None,
            notification_target_arn: None,
            role_arn: None,
        });
        Ok(LifecycleHook {
            transition,
            heartbeat_timeout: heartbeat.unwrap_or(present.heartbeat_timeout),
            default_result: result.transpose()?.unwrap_or(present.default_result),
            metadata: self.notification_metadata.or(present.metadata),
            notification_target_arn: self.notification_target_arn.or(present.notification_target_arn),
            role_arn: self.role_arn.or(present.role_arn),
            ..present
        })
    }
}

fn seconds(given: i64) -> Result<Duration, ApiError> {
    let seconds = u64::try_from(given).ok().filter(|it| HEARTBEAT.contains(it));
    let text = "HeartbeatTimeout must be between 30 and 7200 seconds";
    seconds.map(Duration::from_secs).ok_or_else(|| invalid(text))
}

/// Deletes a hook. Its open actions are completed first: abandoned on the way in, continued on the way out.
pub(super) fn delete(change: &mut Change<'_>, value: &Value) -> Answer {
    let input: PutInput = input::read(value)?;
    let name = required(input.lifecycle_hook_name, "lifecycleHookName")?;
    let group = group_mut(change, input.auto_scaling_group_name.as_deref())?;
    let missing = || invalid(format!("No Lifecycle Hook found with name: {name}"));
    let hook = group.hooks.remove(&name).ok_or_else(missing)?;
    let result = match hook.transition {
        Transition::Launching => ActionResult::Abandon,
        Transition::Terminating => ActionResult::Continue,
    };
    let actions = group.instances.values_mut().flat_map(|instance| &mut instance.actions);
    for action in actions.filter(|action| action.hook == name && action.result.is_none()) {
        action.result = Some(result);
    }
    let group = group.name.clone();
    change.note(group, format!("DeleteLifecycleHook {name}"));
    Ok(Vec::new())
}
