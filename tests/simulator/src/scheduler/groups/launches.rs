//! Launches: where, what, and what becomes of those that fail.
//!
//! From "Distribute instances across Availability Zones": the zone with the fewest instances is tried first; with
//! `balanced-best-effort` a zone without capacity is passed over, with `balanced-only` it is waited for. From
//! "Troubleshoot Amazon EC2 Auto Scaling: EC2 instance launch failures": each failed attempt is an activity of its own,
//! and attempts go on, at longer intervals, for ever. AWS gives no intervals.

use std::collections::BTreeSet;
use std::time::Duration;

use super::choice::{Choice, choose};
use super::{activities, announcements, group_mut, size};
use crate::account::{
    Account, AutoScalingGroup, GROUP_TAG, GroupInstance, LifecycleState, Market, StatusCode, Tags,
};
use crate::scheduler::machines::{self, LaunchRequest};

/// The first interval after a failure; each further one is twice as long.
const BACK_OFF: Duration = Duration::from_secs(20);

/// No interval is longer.
const BACK_OFF_MAX: Duration = Duration::from_mins(5);

/// Launches until the capacity reaches `wanted`, or a launch fails in every zone it may go to.
pub(super) fn grow(account: &mut Account, group: &str, wanted: u32) {
    let mut exhausted = BTreeSet::new();
    while account.auto_scaling_groups[group].capacity() < wanted {
        let described = &account.auto_scaling_groups[group];
        if described.mind.retry_at > account.now {
            return;
        }
        let growing = format!(
            "an instance was started in response to a difference between desired and actual capacity, increasing the \
             capacity from {} to {wanted}",
            described.capacity()
        );
        let cause = size::explained(account, group, &growing);
        let zones = by_need(account, group);
        if launch(account, group, &zones, None, &cause, &mut exhausted).is_none() {
            return back_off(account, group);
        }
    }
    size::cool_down(account, group);
}

/// The group's zones, those with the fewest instances first; equal ones by lot.
fn by_need(account: &mut Account, group: &str) -> Vec<String> {
    let zones = account.auto_scaling_groups[group].zones.clone();
    let mut drawn: Vec<(usize, u64, String)> = Vec::new();
    for zone in zones {
        let lot = account.draw();
        drawn.push((in_zone(&account.auto_scaling_groups[group], &zone), lot, zone));
    }
    drawn.sort();
    drawn.into_iter().map(|(_, _, zone)| zone).collect()
}

/// How many instances of a zone count towards the desired capacity.
pub(super) fn in_zone(group: &AutoScalingGroup, zone: &str) -> usize {
    group.instances.values().filter(|instance| instance.state.counts() && instance.zone == zone).count()
}

/// Launches one instance in the first of the zones that has capacity and is not known to be `exhausted`.
pub(super) fn launch(
    account: &mut Account,
    group: &str,
    zones: &[String],
    market: Option<Market>,
    cause: &str,
    exhausted: &mut BTreeSet<(String, Market)>,
) -> Option<String> {
    let described = &account.auto_scaling_groups[group];
    let passes_over = described.passes_over_zones;
    let Some(choice) = choose(account, described, market) else {
        let message = "You must use a valid fully-formed launch template. Launching EC2 instance failed.";
        fail(account, group, zones.first()?, cause, message);
        return None;
    };
    for zone in zones {
        let place = (zone.clone(), choice.market);
        if exhausted.contains(&place) {
            continue;
        }
        if take_capacity(account, zone, choice.market) {
            return Some(start(account, group, zone, &choice, cause));
        }
        let message = shortage(&choice, zone, &account.auto_scaling_groups[group].zones);
        fail(account, group, zone, cause, &message);
        exhausted.insert(place);
        if !passes_over {
            return None;
        }
    }
    None
}

/// Takes a machine from what a zone still has; false if it is out of them.
fn take_capacity(account: &mut Account, zone: &str, market: Market) -> bool {
    let now = account.now;
    let Some(shortage) = account.shortages.get_mut(&(zone.to_owned(), market)) else { return true };
    if shortage.until <= now {
        account.shortages.remove(&(zone.to_owned(), market));
        return true;
    }
    let has = shortage.left > 0;
    shortage.left = shortage.left.saturating_sub(1);
    has
}

fn start(account: &mut Account, group: &str, zone: &str, choice: &Choice, cause: &str) -> String {
    let request = request(&account.auto_scaling_groups[group], zone, choice);
    let id = machines::launch(account, request);
    let what = (format!("Launching a new EC2 instance: {id}"), cause.to_owned());
    let activity = activities::open(account, group, Some(&id), zone, what);
    activities::advance(account, group, &activity, StatusCode::PreInService, 30);
    let now = account.now;
    if let Some(group) = group_mut(account, group) {
        group.mind.failures = 0;
        let instance = GroupInstance {
            id: id.clone(),
            instance_type: choice.instance_type.clone(),
            zone: zone.to_owned(),
            market: choice.market,
            state: LifecycleState::Pending,
            since: now,
            launched_at: now,
            healthy: true,
            protected: false,
            weight: choice.weight,
            launch_template: group.launch_template.clone(),
            version: choice.version,
            image_id: choice.template.image_id.clone(),
            actions: Vec::new(),
            activity: Some(activity),
            unhealthy_at: None,
            passes_hooks: false,
            has_served: false,
        };
        group.instances.insert(id.clone(), instance);
    }
    id
}

fn request(group: &AutoScalingGroup, zone: &str, choice: &Choice) -> LaunchRequest {
    let propagated = group.tags.iter().filter(|(_, tag)| tag.propagate_at_launch);
    let mut tags: Tags = propagated.map(|(key, tag)| (key.clone(), tag.value.clone())).collect();
    tags.insert(GROUP_TAG.to_owned(), group.name.clone());
    LaunchRequest {
        zone: zone.to_owned(),
        instance_type: choice.instance_type.clone(),
        image_id: choice.template.image_id.clone(),
        market: choice.market,
        group: Some(group.name.clone()),
        launch_template: Some((choice.template_id.clone(), choice.version)),
        joins: choice.template.joins.clone(),
        boot: choice.template.boot,
        agent_drains_on_spot: choice.template.agent_drains_on_spot,
        tags,
    }
}

fn shortage(choice: &Choice, zone: &str, zones: &[String]) -> String {
    if choice.market == Market::Spot {
        return "Could not launch Spot Instances. InsufficientInstanceCapacity - There is no Spot capacity available \
                that matches your request. Launching EC2 instance failed."
            .to_owned();
    }
    let others: Vec<&str> = zones.iter().map(String::as_str).filter(|it| *it != zone).collect();
    let kind = &choice.instance_type;
    format!(
        "We currently do not have sufficient {kind} capacity in the Availability Zone you requested ({zone}). You can \
         currently get {kind} capacity by choosing {}. Launching EC2 instance failed.",
        others.join(", ")
    )
}

fn fail(account: &mut Account, group: &str, zone: &str, cause: &str, message: &str) {
    let description = format!("Launching a new EC2 instance.  Status Reason: {message}");
    let activity = activities::open(account, group, None, zone, (description, cause.to_owned()));
    activities::close(account, group, &activity, StatusCode::Failed, Some(message));
    announcements::outcome(account, group, &activity, true);
}

fn back_off(account: &mut Account, group: &str) {
    let failures = account.auto_scaling_groups[group].mind.failures;
    let wait = account.draw_around((BACK_OFF * 2_u32.pow(failures.min(8))).min(BACK_OFF_MAX));
    let at = account.now + wait;
    if let Some(group) = group_mut(account, group) {
        (group.mind.retry_at, group.mind.failures) = (at, failures + 1);
    }
}
