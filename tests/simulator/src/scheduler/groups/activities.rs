//! Scaling activities: one for each launch, termination, detachment or move, from its start to its end.
//!
//! Wording from "Verify a scaling activity for an Auto Scaling group" and the examples of the API Reference.

use serde_json::json;

use super::{group_mut, subnet, uuid};
use crate::account::{Account, Activity, StatusCode};
use crate::scheduler::emission::written;

/// A sentence of a cause, with the moment in front as AWS has it.
pub(crate) fn at(account: &Account, what: &str) -> String {
    format!("At {} {what}.", written(account.now))
}

/// Begins an activity, about an instance if there is one already; its id is returned.
pub(crate) fn open(
    account: &mut Account,
    group: &str,
    instance: Option<&str>,
    zone: &str,
    (description, cause): (String, String),
) -> String {
    let (id, start) = (uuid(&account.next_id()), account.now);
    let details = json!({ "Subnet ID": subnet(zone), "Availability Zone": zone }).to_string();
    let activity = Activity {
        id: id.clone(),
        instance: instance.map(str::to_owned),
        description,
        cause,
        start,
        end: None,
        status: StatusCode::InProgress,
        status_message: None,
        progress: 0,
        details,
    };
    if let Some(group) = group_mut(account, group) {
        group.activities.insert(0, activity);
    }
    id
}

/// Takes an activity further.
pub(super) fn advance(account: &mut Account, group: &str, id: &str, status: StatusCode, progress: u32) {
    if let Some(activity) = activity_mut(account, group, id) {
        (activity.status, activity.progress) = (status, progress);
    }
}

/// Ends an activity.
pub(super) fn close(account: &mut Account, group: &str, id: &str, status: StatusCode, message: Option<&str>) {
    let now = account.now;
    if let Some(activity) = activity_mut(account, group, id) {
        (activity.status, activity.progress, activity.end) = (status, 100, Some(now));
        activity.status_message = message.map(|message| message.chars().take(255).collect());
    }
}

fn activity_mut<'a>(account: &'a mut Account, group: &str, id: &str) -> Option<&'a mut Activity> {
    group_mut(account, group)?.activities.iter_mut().find(|activity| activity.id == id)
}
