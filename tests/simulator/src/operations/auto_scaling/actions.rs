//! `CompleteLifecycleAction` and `RecordLifecycleActionHeartbeat`.
//!
//! An action is named by its hook and either its token or the instance it holds. One that is over, by completion or by
//! time, cannot be named any more.

use serde::Deserialize;
use serde_json::Value;

use super::super::{Answer, Change};
use super::{group, input, invalid, required};
use crate::account::{Account, ActionResult};
use crate::scheduler::groups::holds::{self, Named};
use crate::wire::ApiError;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Input {
    auto_scaling_group_name: Option<String>,
    lifecycle_hook_name: Option<String>,
    lifecycle_action_token: Option<String>,
    lifecycle_action_result: Option<String>,
    instance_id: Option<String>,
}

/// An open action: its group, its hook and the instance it holds.
struct Found {
    group: String,
    hook: String,
    id: String,
}

pub(super) fn complete(change: &mut Change<'_>, value: &Value) -> Answer {
    let input: Input = input::read(value)?;
    let result = required(input.lifecycle_action_result.as_deref(), "lifecycleActionResult")?;
    let result = ActionResult::from_name(result)
        .ok_or_else(|| invalid("Lifecycle action result must be one of CONTINUE, ABANDON"))?;
    let Found { group, hook, id } = find(change.account, &input)?;
    holds::complete(change.account, &group, &hook, &id, result);
    change.note(id, format!("lifecycle action of {hook} completed: {}", result.name()));
    Ok(Vec::new())
}

pub(super) fn heartbeat(change: &mut Change<'_>, value: &Value) -> Answer {
    let input: Input = input::read(value)?;
    let Found { group, hook, id } = find(change.account, &input)?;
    holds::heartbeat(change.account, &group, &hook, &id);
    change.note(id, format!("heartbeat for {hook}"));
    Ok(Vec::new())
}

fn find(account: &Account, input: &Input) -> Result<Found, ApiError> {
    let group = group(account, input.auto_scaling_group_name.as_deref())?.name.clone();
    let hook = required(input.lifecycle_hook_name.clone(), "lifecycleHookName")?;
    let (named, what) = match (input.lifecycle_action_token.as_deref(), input.instance_id.as_deref()) {
        (Some(token), _) => (Named::Token(token), format!("with token {token}")),
        (None, Some(id)) => (Named::Instance(id), format!("with instance ID {id}")),
        (None, None) => return Err(invalid("Either LifecycleActionToken or InstanceId must be specified")),
    };
    let id = holds::held(account, &group, &hook, named);
    let id = id.ok_or_else(|| invalid(format!("No active Lifecycle Action found {what}")))?;
    Ok(Found { group, hook, id })
}
