//! `TerminateInstanceInAutoScalingGroup`.
//!
//! From its page and "Manual scaling": one instance by its id, or up to a hundred of one group, all or none; lifecycle
//! hooks hold each; scale-in protection and a suspended `Terminate` do not stop it; the desired capacity falls with it or
//! a substitute is launched. An instance that is being terminated already is refused with the activity that does so.

use serde::Deserialize;
use serde_json::Value;

use super::super::{Answer, Change};
use super::{activities, count, group, group_mut, input, invalid, member, required, unblocked};
use crate::account::{Account, AutoScalingGroup, GroupInstance, LifecycleState};
use crate::scheduler::groups::{at, departures, enter, instance_mut};
use crate::wire::ApiError;
use crate::wire::query::Xml;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Input {
    instance_id: Option<String>,
    #[serde(deserialize_with = "input::list")]
    instance_ids: Vec<String>,
    auto_scaling_group_name: Option<String>,
    #[serde(deserialize_with = "input::flag")]
    should_decrement_desired_capacity: Option<bool>,
}

pub(super) fn terminate(change: &mut Change<'_>, value: &Value) -> Answer {
    let input: Input = input::read(value)?;
    let decrements = required(input.should_decrement_desired_capacity, "shouldDecrementDesiredCapacity")?;
    let (name, ids) = targets(change.account, &input)?;
    let described = group(change.account, Some(&name))?;
    unblocked(change.account, described)?;
    for id in &ids {
        terminable(described, member(described, id)?)?;
    }
    if decrements {
        keeps_minimum(described, &ids)?;
    }
    let mut begun = Vec::new();
    for id in &ids {
        begun.extend(end(change, &name, id, decrements)?);
    }
    let described = group(change.account, Some(&name))?;
    let shown: Vec<_> = described.activities.iter().rev().filter(|it| begun.contains(&it.id)).collect();
    let mut xml = Xml::default();
    match (&input.instance_id, shown.first()) {
        (Some(_), Some(activity)) => {
            xml.element("Activity", |xml| activities::write(xml, described, activity));
        }
        _ => xml.list("Activities", shown, |xml, it| activities::write(xml, described, it)),
    }
    Ok(xml.into_bytes())
}

/// The group and the instances that are meant.
fn targets(account: &Account, input: &Input) -> Result<(String, Vec<String>), ApiError> {
    let Some(id) = &input.instance_id else {
        count(&input.instance_ids, 100)?;
        let found = group(account, input.auto_scaling_group_name.as_deref())?;
        return Ok((found.name.clone(), input.instance_ids.clone()));
    };
    if !input.instance_ids.is_empty() || input.auto_scaling_group_name.is_some() {
        return Err(invalid("Either InstanceId, or AutoScalingGroupName and InstanceIds must be given"));
    }
    let mut groups = account.auto_scaling_groups.values();
    let found = groups.find(|group| group.instances.contains_key(id));
    let missing =
        || invalid(format!("Instance Id not found - No managed instance found for instance ID: {id}"));
    Ok((found.ok_or_else(missing)?.name.clone(), vec![id.clone()]))
}

fn terminable(group: &AutoScalingGroup, instance: &GroupInstance) -> Result<(), ApiError> {
    let leaves = instance.state.is_terminating() || instance.state == LifecycleState::Detaching;
    if !leaves {
        return Ok(());
    }
    let of_instance = |it: &&crate::account::Activity| it.instance.as_ref() == Some(&instance.id);
    let activity = group.activities.iter().find(of_instance).map_or("", |it| it.id.as_str());
    Err(ApiError::activity_in_progress(activity))
}

fn keeps_minimum(group: &AutoScalingGroup, ids: &[String]) -> Result<(), ApiError> {
    let leaving = ids.iter().filter_map(|id| group.instances.get(id)).filter(|it| it.state.counts());
    let units: u32 = leaving.map(GroupInstance::units).sum();
    if group.desired_capacity >= group.min_size + units {
        return Ok(());
    }
    Err(invalid(format!(
        "Currently, desiredSize equals minSize ({}). Terminating instance without replacement will violate group's min \
         size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.",
        group.min_size
    )))
}

fn end(change: &mut Change<'_>, name: &str, id: &str, decrements: bool) -> Result<Option<String>, ApiError> {
    let found = group(change.account, Some(name))?;
    let (desired, instance) = (found.desired_capacity, member(found, id)?);
    let is_retained = instance.state == LifecycleState::TerminatingRetained;
    let fewer = if decrements && instance.state.counts() { instance.units() } else { 0 };
    let shrinking =
        (fewer > 0).then(|| format!(", shrinking the capacity from {desired} to {}", desired - fewer));
    let what = format!("instance {id} was taken out of service in response to a user request")
        + &shrinking.unwrap_or_default();
    let cause = at(change.account, &what);
    group_mut(change, Some(name))?.desired_capacity -= fewer;
    change.note(id, if decrements { "TerminateInstance, with decrement" } else { "TerminateInstance" });
    let activity = departures::begin(change.account, name, id, &cause);
    if is_retained {
        // Its hooks have had their turn.
        enter(change.account, name, id, LifecycleState::TerminatingProceed);
        if let Some(instance) = instance_mut(change.account, name, id) {
            instance.passes_hooks = true;
        }
    }
    Ok(activity)
}
