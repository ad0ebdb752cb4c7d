//! `TerminateInstanceInAutoScalingGroup`.
//!
//! From its page and "Manual scaling": one instance by its id, or up to a hundred of one group, all or none; lifecycle
//! hooks hold each; scale-in protection and a suspended `Terminate` do not stop it; the desired capacity falls with it or
//! a substitute is launched. What becomes of an instance that is being terminated already is a switch, and so is whether one
//! on standby may be terminated at all; the words of that refusal are made up.

use serde::Deserialize;
use serde_json::Value;

use super::super::{Answer, Change};
use super::{activities, count, group, group_mut, input, invalid, member, required, unblocked};
use crate::account::{Account, AutoScalingGroup, GroupInstance, LifecycleState};
use crate::scheduler::groups::{at, departures, enter, instance_mut};
use crate::switches::TerminatingAgain;
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
        terminable(change.account, described, member(described, id)?)?;
    }
    let again = change.account.switches.terminating_again;
    if decrements {
        keeps_minimum(described, &ids, again)?;
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

fn terminable(account: &Account, group: &AutoScalingGroup, instance: &GroupInstance) -> Result<(), ApiError> {
    let is_refused = account.switches.terminating_again == TerminatingAgain::Refused;
    match instance.state {
        state if state.is_terminating() && is_refused => {
            let activity = instance.activity.as_deref().unwrap_or_default();
            Err(ApiError::activity_in_progress(activity))
        }
        LifecycleState::Detaching => Err(invalid(format!(
            "The instance {} is leaving Auto Scaling group {}.",
            instance.id, group.name
        ))),
        LifecycleState::EnteringStandby if account.switches.standby_takes_minutes => {
            Err(ApiError::activity_in_progress(instance.activity.as_deref().unwrap_or_default()))
        }
        LifecycleState::Standby if account.switches.standby_refuses_termination => {
            Err(invalid(format!("The instance {} is in Standby.", instance.id)))
        }
        _ => Ok(()),
    }
}

/// Units by which the desired capacity falls when this instance leaves with a decrement: also by those of one on standby,
/// which do not count in it ("Detach or attach instances" warns of it; of terminations no page says otherwise).
fn units_off(instance: &GroupInstance, again: TerminatingAgain) -> u32 {
    match instance.state {
        LifecycleState::TerminatingRetained => 0,
        state if state.is_terminating() && again != TerminatingAgain::Decremented => 0,
        _ => instance.units(),
    }
}

fn keeps_minimum(group: &AutoScalingGroup, ids: &[String], again: TerminatingAgain) -> Result<(), ApiError> {
    let leaving = ids.iter().filter_map(|id| group.instances.get(id));
    let units: u32 = leaving.map(|instance| units_off(instance, again)).sum();
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
    let again = change.account.switches.terminating_again;
    let fewer = if decrements { units_off(instance, again) } else { 0 };
    let under_way = instance.activity.clone().filter(|_| instance.state.is_terminating());
    let shrinking =
        (fewer > 0).then(|| format!(", shrinking the capacity from {desired} to {}", desired - fewer));
    let what = format!("instance {id} was taken out of service in response to a user request")
        + &shrinking.unwrap_or_default();
    let cause = at(change.account, &what);
    group_mut(change, Some(name))?.desired_capacity -= fewer;
    change.note(id, if decrements { "TerminateInstance, with decrement" } else { "TerminateInstance" });
    if under_way.is_some() {
        return Ok(under_way);
    }
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
