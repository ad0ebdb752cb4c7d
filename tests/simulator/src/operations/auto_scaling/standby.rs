//! `EnterStandby` and `ExitStandby`.
//!
//! From "Temporarily remove instances": an instance on standby keeps running and does not count; its group launches a
//! substitute unless the desired capacity falls with it. Coming back raises the desired capacity, and nobody comes back while
//! Launch is suspended ("Suspend and resume Amazon EC2 Auto Scaling processes"); the words of the refusal are made up. Hooks
//! are asked in neither direction here. ECS knows nothing of it: tasks go on.

use serde_json::Value;

use super::super::{Answer, Change};
use super::membership::{Input, MAX, Way, leave_all, shown, sizes, takes_in};
use super::{count, group, group_mut, input, invalid, member};
use crate::account::{GroupInstance, LifecycleState};
use crate::scheduler::groups::{at, enter as put_into, instance_mut, open};
use crate::wire::ApiError;

pub(super) fn enter(change: &mut Change<'_>, value: &Value) -> Answer {
    let way = Way {
        to: LifecycleState::EnteringStandby,
        may: |state| state == LifecycleState::InService,
        states: "InService",
        what: "put into standby",
        words: ("Moving EC2 instance to Standby", "was moved to standby"),
    };
    leave_all(change, value, &way)
}

pub(super) fn exit(change: &mut Change<'_>, value: &Value) -> Answer {
    let input: Input = input::read(value)?;
    let found = group(change.account, input.auto_scaling_group_name.as_deref())?;
    let name = found.name.clone();
    count(&input.instance_ids, MAX)?;
    takes_in(found)?;
    let mut units = 0;
    for id in &input.instance_ids {
        let instance = member(found, id)?;
        units += instance.units();
        if instance.state != LifecycleState::Standby {
            return Err(invalid(format!("The instance {id} is not in Standby.")));
        }
    }
    if found.desired_capacity + units > found.max_size {
        return Err(invalid(sizes(found, "move out of standby", input.instance_ids.len())));
    }
    let mut begun = Vec::new();
    for id in &input.instance_ids {
        begun.push(come_back(change, &name, id)?);
    }
    Ok(shown(group(change.account, Some(&name))?, &begun))
}

fn come_back(change: &mut Change<'_>, name: &str, id: &str) -> Result<String, ApiError> {
    let found = group(change.account, Some(name))?;
    let (instance, from): (&GroupInstance, u32) = (member(found, id)?, found.desired_capacity);
    let (zone, to) = (instance.zone.clone(), from + instance.units());
    let what = format!(
        "instance {id} was moved out of standby in response to a user request, increasing the capacity from {from} to \
         {to}"
    );
    let what = (format!("Moving EC2 instance out of Standby: {id}"), at(change.account, &what));
    group_mut(change, Some(name))?.desired_capacity = to;
    let activity = open(change.account, name, Some(id), &zone, what);
    put_into(change.account, name, id, LifecycleState::PendingProceed);
    if let Some(instance) = instance_mut(change.account, name, id) {
        instance.activity = Some(activity.clone());
    }
    change.note(id, "ExitStandby");
    Ok(activity)
}
