//! Amazon EC2: `DescribeInstances`, `TerminateInstances` and `DescribeLaunchTemplateVersions` (version 2016-11-15).
//!
//! One unknown id makes the whole call an error (API Reference, "Error codes", `InvalidInstanceID.NotFound`); a
//! terminated instance stays visible for about an hour. Tags that begin with `aws:` are those Auto Scaling and launch
//! templates set.
//!
//! Simplified: each instance is a reservation of its own; networks, disks and addresses are left out; ids of any form
//! are taken, as accounts here have short ones; other filters than those of `Filter::matches` are refused; there is no
//! termination protection.

mod filter;
mod launch_templates;
mod shape;

use serde::Deserialize;
use serde_json::Value;

use super::{Answer, Change};
use crate::account::{Account, Machine, MachineState};
use crate::scheduler::machines;
use crate::wire::query::Xml;
use crate::wire::{ApiError, json};

use filter::Filter;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct DescribeInput {
    #[serde(rename = "InstanceId")]
    instance_ids: Vec<String>,
    #[serde(rename = "Filter")]
    filters: Vec<Filter>,
    max_results: Option<String>,
    next_token: Option<String>,
    dry_run: Option<String>,
}

/// What a call that was only tried is answered with (Amazon EC2 API Reference, "Common query parameters").
fn check_dry_run(dry_run: Option<&str>) -> Result<(), ApiError> {
    let message = "Request would have succeeded, but DryRun flag is set.";
    if dry_run == Some("true") { Err(ApiError::new("DryRunOperation", message)) } else { Ok(()) }
}

pub(super) fn read(account: &Account, operation: &str, input: &Value) -> Option<Answer> {
    match operation {
        "DescribeInstances" => Some(describe(account, input)),
        "DescribeLaunchTemplateVersions" => Some(launch_templates::describe_versions(account, input)),
        _ => None,
    }
}

pub(super) fn write(change: &mut Change<'_>, operation: &str, input: &Value) -> Option<Answer> {
    (operation == "TerminateInstances").then(|| terminate(change, input))
}

fn describe(account: &Account, input: &Value) -> Answer {
    let input: DescribeInput = json::input(input)?;
    check_known(account, &input.instance_ids)?;
    let size = page_size(&input)?;
    input.filters.iter().try_for_each(Filter::check)?;
    if input.next_token.as_ref().is_some_and(|token| !account.machines.contains_key(token)) {
        return Err(ApiError::new("InvalidNextToken", "The token is not valid."));
    }
    check_dry_run(input.dry_run.as_deref())?;
    let asked = |machine: &&Machine| {
        let named = input.instance_ids.is_empty() || input.instance_ids.contains(&machine.id);
        let ahead = input.next_token.as_ref().is_none_or(|token| machine.id > *token);
        named && ahead && input.filters.iter().all(|filter| filter.matches(machine))
    };
    let found: Vec<&Machine> = account.machines.values().filter(asked).take(size + 1).collect();
    let page = &found[..found.len().min(size)];
    let mut xml = Xml::default();
    xml.element("reservationSet", |xml| {
        for machine in page {
            shape::reservation(xml, account, machine);
        }
    });
    if let Some(last) = page.last().filter(|_| found.len() > size) {
        xml.text("nextToken", &last.id);
    }
    Ok(xml.into_bytes())
}

/// `MaxResults`, which must not come with ids.
fn page_size(input: &DescribeInput) -> Result<usize, ApiError> {
    let Some(text) = &input.max_results else { return Ok(1000) };
    if !input.instance_ids.is_empty() {
        let text = "The parameter instancesSet cannot be used with the parameter maxResults";
        return Err(ApiError::new("InvalidParameterCombination", text));
    }
    let size = text.parse().ok().filter(|size| (5..=1000).contains(size));
    let message =
        format!("Value ( {text} ) for parameter maxResults is invalid. Expecting a value from 5 to 1000.");
    size.ok_or_else(|| ApiError::new("InvalidParameterValue", message))
}

fn check_known(account: &Account, ids: &[String]) -> Result<(), ApiError> {
    let unknown: Vec<&str> =
        ids.iter().filter(|id| !account.machines.contains_key(*id)).map(String::as_str).collect();
    let message = match unknown.as_slice() {
        [] => return Ok(()),
        [only] => format!("The instance ID '{only}' does not exist"),
        several => format!("The instance IDs '{}' do not exist", several.join(", ")),
    };
    Err(ApiError::new("InvalidInstanceID.NotFound", message))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TerminateInput {
    #[serde(rename = "InstanceId")]
    instance_ids: Vec<String>,
    #[serde(rename = "DryRun")]
    dry_run: Option<String>,
}

fn terminate(change: &mut Change<'_>, input: &Value) -> Answer {
    let input: TerminateInput = json::input(input)?;
    if input.instance_ids.is_empty() {
        let message = "The request must contain the parameter InstanceId";
        return Err(ApiError::new("MissingParameter", message));
    }
    check_known(change.account, &input.instance_ids)?;
    check_dry_run(input.dry_run.as_deref())?;
    let mut xml = Xml::default();
    xml.element("instancesSet", |xml| {
        for id in &input.instance_ids {
            let before = change.account.machines[id].state;
            machines::terminate(change.account, id, change.actor);
            change_item(xml, id, before, change.account.machines[id].state);
        }
    });
    Ok(xml.into_bytes())
}

fn change_item(xml: &mut Xml, id: &str, before: MachineState, now: MachineState) {
    xml.element("item", |xml| {
        xml.text("instanceId", id);
        shape::state(xml, "currentState", now);
        shape::state(xml, "previousState", before);
    });
}

#[cfg(test)]
mod tests;
