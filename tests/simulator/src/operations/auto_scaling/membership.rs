//! `DetachInstances` and `AttachInstances`.
//!
//! From "Detach or attach instances": a detached machine lives on outside the group, without hooks and without its
//! protection; the desired capacity falls with it or substitutes are launched. It falls also with one on standby, which did
//! not count, so that others may be terminated; what is retained leaves only without decrement. An attached one raises the
//! desired capacity, and must be in a zone of the group. From "How suspended processes affect other processes": nobody comes
//! in while `Launch` is suspended.

use serde::Deserialize;
use serde_json::Value;

use super::super::{Answer, Change};
use super::{activities, count, group, group_mut, input, invalid, member, required};
use crate::account::{AutoScalingGroup, GroupInstance, LifecycleState, Machine, MachineState};
use crate::scheduler::groups::{admit, at, enter, instance_mut, open};
use crate::wire::ApiError;
use crate::wire::query::Xml;

/// How many instances a call may name.
pub(super) const MAX: usize = 20;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Input {
    pub auto_scaling_group_name: Option<String>,
    #[serde(deserialize_with = "input::list")]
    pub instance_ids: Vec<String>,
    #[serde(deserialize_with = "input::flag")]
    pub should_decrement_desired_capacity: Option<bool>,
}

/// How instances leave the count of a group.
pub(super) struct Way {
    /// What they become.
    pub(super) to: LifecycleState,
    /// Which states they may be in.
    pub(super) may: fn(LifecycleState) -> bool,
    /// Those states, as the refusal names them.
    pub(super) states: &'static str,
    /// What is done to them, as the refusal of a decrement names it.
    pub(super) what: &'static str,
    /// The activity, and the same once it is done.
    pub(super) words: (&'static str, &'static str),
}

pub(super) fn detach(change: &mut Change<'_>, value: &Value) -> Answer {
    let may = |state| {
        use LifecycleState::{InService, Standby, TerminatingRetained};
        matches!(state, InService | Standby | TerminatingRetained)
    };
    let way = Way {
        to: LifecycleState::Detaching,
        may,
        states: "InService or Standby",
        what: "detach",
        words: ("Detaching EC2 instance", "was detached"),
    };
    leave_all(change, value, &way)
}

/// Takes every instance that is named out of the count, or none of them.
pub(super) fn leave_all(change: &mut Change<'_>, value: &Value, way: &Way) -> Answer {
    let input: Input = input::read(value)?;
    let decrements = required(input.should_decrement_desired_capacity, "shouldDecrementDesiredCapacity")?;
    let found = group(change.account, input.auto_scaling_group_name.as_deref())?;
    let name = found.name.clone();
    count(&input.instance_ids, MAX)?;
    for id in &input.instance_ids {
        if !(way.may)(member(found, id)?.state) {
            return Err(invalid(format!("The instance {id} is not in {}.", way.states)));
        }
    }
    if decrements {
        refuse_retained(found, &input.instance_ids)?;
        keeps_minimum(found, &input.instance_ids, way.what)?;
    }
    let mut begun = Vec::new();
    for id in &input.instance_ids {
        begun.push(leave(change, &name, id, way.to, decrements, way.words)?);
    }
    Ok(shown(group(change.account, Some(&name))?, &begun))
}

/// The activities of these ids, in this order.
pub(super) fn shown(group: &AutoScalingGroup, ids: &[String]) -> Vec<u8> {
    let begun = ids.iter().filter_map(|id| group.activities.iter().find(|it| it.id == *id));
    let mut xml = Xml::default();
    xml.list("Activities", begun, |xml, it| activities::write(xml, group, it));
    xml.into_bytes()
}

/// The desired capacity does not fall for what is retained; the words are made up.
fn refuse_retained(group: &AutoScalingGroup, ids: &[String]) -> Result<(), ApiError> {
    let mut instances = ids.iter().filter_map(|id| group.instances.get(id));
    match instances.find(|it| it.state == LifecycleState::TerminatingRetained) {
        Some(it) => {
            Err(invalid(format!("The instance {} is retained and leaves only without decrement.", it.id)))
        }
        None => Ok(()),
    }
}

/// Nobody comes into a group whose process `Launch` is suspended; the words are made up.
pub(super) fn takes_in(group: &AutoScalingGroup) -> Result<(), ApiError> {
    let refusal = || invalid(format!("The Launch process of {} is suspended.", group.name));
    if group.suspends("Launch") { Err(refusal()) } else { Ok(()) }
}

/// The desired capacity may not fall below the minimum.
fn keeps_minimum(group: &AutoScalingGroup, ids: &[String], what: &str) -> Result<(), ApiError> {
    let units: u32 = ids.iter().filter_map(|id| group.instances.get(id)).map(GroupInstance::units).sum();
    if group.desired_capacity >= group.min_size + units {
        return Ok(());
    }
    Err(invalid(sizes(group, what, ids.len())))
}

/// How the API refuses to leave the bounds here.
pub(super) fn sizes(group: &AutoScalingGroup, what: &str, count: usize) -> String {
    format!(
        "AutoScalingGroup {} has min-size={}, max-size={}, and desired-size={}. To {what} {count} instance{}, please \
         update the AutoScalingGroup sizes appropriately.",
        group.name,
        group.min_size,
        group.max_size,
        group.desired_capacity,
        if count == 1 { "" } else { "s" }
    )
}

/// Takes an instance out of the group's capacity without ending it; the id of the activity is returned.
pub(super) fn leave(
    change: &mut Change<'_>,
    name: &str,
    id: &str,
    state: LifecycleState,
    decrements: bool,
    (doing, done): (&str, &str),
) -> Result<String, ApiError> {
    let found = group(change.account, Some(name))?;
    let (instance, desired) = (member(found, id)?, found.desired_capacity);
    let fewer = if decrements { instance.units() } else { 0 };
    let zone = instance.zone.clone();
    let shrinking =
        (fewer > 0).then(|| format!(", shrinking the capacity from {desired} to {}", desired - fewer));
    let what = format!("instance {id} {done} in response to a user request") + &shrinking.unwrap_or_default();
    let cause = at(change.account, &what);
    group_mut(change, Some(name))?.desired_capacity -= fewer;
    let activity = open(change.account, name, Some(id), &zone, (format!("{doing}: {id}"), cause));
    enter(change.account, name, id, state);
    if let Some(instance) = instance_mut(change.account, name, id) {
        instance.activity = Some(activity.clone());
    }
    change.note(id, if decrements { format!("{doing}, with decrement") } else { doing.to_owned() });
    Ok(activity)
}

pub(super) fn attach(change: &mut Change<'_>, value: &Value) -> Answer {
    let input: Input = input::read(value)?;
    let found = group(change.account, input.auto_scaling_group_name.as_deref())?;
    let name = found.name.clone();
    count(&input.instance_ids, MAX)?;
    takes_in(found)?;
    for id in &input.instance_ids {
        let machine = change.account.machines.get(id);
        let is_free = |it: &&Machine| it.group.is_none() && it.state == MachineState::Running;
        let machine = machine.filter(is_free).ok_or_else(|| {
            invalid(format!("Invalid Instance ID: {id}, or it belongs to a group already."))
        })?;
        if !found.zones.contains(&machine.zone) {
            return Err(invalid(format!("The instance {id} is in a zone that {name} does not use.")));
        }
    }
    let more = input.instance_ids.len() as u32;
    if found.desired_capacity + more > found.max_size {
        return Err(invalid(sizes(found, "attach", input.instance_ids.len())));
    }
    for id in &input.instance_ids {
        join(change, &name, id)?;
    }
    Ok(Vec::new())
}

fn join(change: &mut Change<'_>, name: &str, id: &str) -> Result<(), ApiError> {
    admit(change.account, name, id, None);
    let found = group_mut(change, Some(name))?;
    let (from, zone) = (found.desired_capacity, member(found, id)?.zone.clone());
    found.desired_capacity += 1;
    let to = from + 1;
    let what = format!(
        "an instance was attached in response to a user request, increasing the capacity from {from} to {to}"
    );
    let what = (format!("Attaching an existing EC2 instance: {id}"), at(change.account, &what));
    let activity = open(change.account, name, Some(id), &zone, what);
    enter(change.account, name, id, LifecycleState::PendingProceed);
    if let Some(instance) = instance_mut(change.account, name, id) {
        instance.activity = Some(activity);
    }
    change.note(id, "AttachInstances");
    Ok(())
}
