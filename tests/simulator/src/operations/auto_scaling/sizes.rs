//! `SetDesiredCapacity`.
//!
//! Asynchronous: the new desired capacity shows at once, instances follow. The texts of the refusals are those users
//! report. With `HonorCooldown` the call is refused until the default cooldown after the last scaling has passed.

use serde::Deserialize;
use serde_json::Value;

use super::super::{Answer, Change};
use super::{group, input, invalid, required, unblocked};
use crate::account::AutoScalingGroup;
use crate::scheduler::groups::set_desired;
use crate::wire::ApiError;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Input {
    auto_scaling_group_name: Option<String>,
    #[serde(deserialize_with = "input::number")]
    desired_capacity: Option<i64>,
    #[serde(deserialize_with = "input::flag")]
    honor_cooldown: Option<bool>,
}

pub(super) fn set_desired_capacity(change: &mut Change<'_>, value: &Value) -> Answer {
    let input: Input = input::read(value)?;
    let name = input.auto_scaling_group_name.as_deref();
    let found = group(change.account, name)?;
    let desired = within(found, required(input.desired_capacity, "desiredCapacity")?)?;
    unblocked(change.account, found)?;
    if input.honor_cooldown == Some(true) && found.mind.cooled_at > change.account.now {
        let last = found.activities.first().map_or("", |activity| activity.id.as_str());
        return Err(ApiError::activity_in_progress(last));
    }
    let (name, from) = (found.name.clone(), found.desired_capacity);
    let what = "a user request explicitly set group desired capacity";
    set_desired(change.account, &name, desired, what);
    change.note(name, format!("SetDesiredCapacity: {from} -> {desired}"));
    Ok(Vec::new())
}

fn within(group: &AutoScalingGroup, desired: i64) -> Result<u32, ApiError> {
    let refuse = |side: &str, bound: u32| {
        let what = format!("New SetDesiredCapacity value {desired} is {side} value {bound}");
        Err(invalid(format!("{what} for the AutoScalingGroup.")))
    };
    match u32::try_from(desired).map_err(|_| invalid("DesiredCapacity must not be negative"))? {
        desired if desired > group.max_size => refuse("above max", group.max_size),
        desired if desired < group.min_size => refuse("below min", group.min_size),
        desired => Ok(desired),
    }
}
