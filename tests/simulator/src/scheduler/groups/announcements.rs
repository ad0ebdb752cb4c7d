//! What Auto Scaling tells EventBridge.
//!
//! From "Amazon EC2 Auto Scaling event reference": lifecycle actions, and launches and terminations that succeeded or
//! failed. A success has `InProgress` as its status code there.

use serde_json::{Value, json};

use crate::account::{Account, LifecycleAction, StatusCode, Transition};
use crate::scheduler::emission::{self, emit};

/// "EC2 Instance-launch Lifecycle Action" or "EC2 Instance-terminate Lifecycle Action".
pub(super) fn lifecycle_action(account: &mut Account, group: &str, id: &str, action: &LifecycleAction) {
    let Some(group) = account.auto_scaling_groups.get(group) else { return };
    let Some(hook) = group.hooks.get(&action.hook) else { return };
    let (kind, origin, destination) = match hook.transition {
        Transition::Launching => ("EC2 Instance-launch Lifecycle Action", "EC2", "AutoScalingGroup"),
        Transition::Terminating => ("EC2 Instance-terminate Lifecycle Action", "AutoScalingGroup", "EC2"),
    };
    let mut detail = json!({
        "LifecycleActionToken": action.token,
        "AutoScalingGroupName": group.name,
        "LifecycleHookName": hook.name,
        "EC2InstanceId": id,
        "LifecycleTransition": hook.transition.name(),
        "Origin": origin,
        "Destination": destination,
    });
    if let Some(metadata) = &hook.metadata {
        detail["NotificationMetadata"] = Value::from(metadata.as_str());
    }
    let resources = [group.arn.clone()];
    emit(account, kind, "aws.autoscaling", &resources, &detail);
}

/// "EC2 Instance Launch Successful" and its three siblings, about an activity that is over.
pub(super) fn outcome(account: &mut Account, group: &str, activity: &str, is_launch: bool) {
    let Some(group) = account.auto_scaling_groups.get(group) else { return };
    let Some(activity) = group.activities.iter().find(|it| it.id == activity) else { return };
    let succeeded = activity.status == StatusCode::Successful;
    let kind = match (is_launch, succeeded) {
        (true, true) => "EC2 Instance Launch Successful",
        (true, false) => "EC2 Instance Launch Unsuccessful",
        (false, true) => "EC2 Instance Terminate Successful",
        (false, false) => "EC2 Instance Terminate Unsuccessful",
    };
    let details: Value = serde_json::from_str(&activity.details).unwrap_or_default();
    let id = activity.instance.clone().unwrap_or_default();
    let detail = json!({
        "StatusCode": if succeeded { "InProgress" } else { "Failed" },
        "Description": activity.description,
        "AutoScalingGroupName": group.name,
        "ActivityId": activity.id,
        "Details": details,
        "RequestId": activity.id,
        "StatusMessage": activity.status_message.clone().unwrap_or_default(),
        "EndTime": emission::written(account.now),
        "EC2InstanceId": id,
        "StartTime": emission::written(activity.start),
        "Cause": activity.cause,
    });
    let mut resources = vec![group.arn.clone()];
    if !id.is_empty() {
        resources.push(emission::instance_arn(account, &id));
    }
    emit(account, kind, "aws.autoscaling", &resources, &detail);
}
