//! Elastic Load Balancing: `DescribeTargetHealth`, `DescribeTargetGroups` and `DescribeTargetGroupAttributes`.
//!
//! Simplified: of the attributes only the deregistration delay and stickiness, which is off; targets speak HTTP, `HealthCheckPort` is the traffic port, and a target group has no load
//! balancer ARN. A target asked for by id that is not registered is answered `unused` with
//! `Target.NotRegistered`.

use serde::Deserialize;
use serde_json::Value;

use super::{Answer, names};
use crate::account::{Account, Target, TargetGroup, TargetState};
use crate::wire::query::Xml;
use crate::wire::{ApiError, json};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct HealthInput {
    target_group_arn: String,
    targets: Vec<TargetInput>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct TargetInput {
    id: String,
    port: Option<String>,
}

pub(super) fn describe(account: &Account, input: &Value) -> Answer {
    let input: HealthInput = json::input(input)?;
    if input.target_group_arn.is_empty() {
        return Err(ApiError::new("ValidationError", "A target group ARN must be specified"));
    }
    let group = account.target_groups.get(&input.target_group_arn).ok_or_else(not_found)?;
    let mut xml = Xml::default();
    xml.element("TargetHealthDescriptions", |xml| {
        for target in group.targets.iter().filter(|_| input.targets.is_empty()) {
            member(xml, &target.id, target.port, health(target.state));
        }
        for asked in &input.targets {
            let found = group.targets.iter().find(|target| asked.means(target));
            let port = found.map_or_else(|| asked.port(), |target| target.port);
            member(xml, &asked.id, port, found.map_or(NOT_REGISTERED, |target| health(target.state)));
        }
    });
    Ok(xml.into_bytes())
}

impl TargetInput {
    fn means(&self, target: &Target) -> bool {
        self.id == target.id && self.port.as_deref().is_none_or(|port| port == target.port.to_string())
    }

    fn port(&self) -> u16 {
        self.port.as_deref().and_then(|port| port.parse().ok()).unwrap_or(80)
    }
}

fn not_found() -> ApiError {
    ApiError::new("TargetGroupNotFound", "One or more target groups not found")
}

/// State, reason and description of a target.
type Health = (&'static str, Option<(&'static str, &'static str)>);

const NOT_REGISTERED: Health =
    ("unused", Some(("Target.NotRegistered", "Target is not registered to the target group")));

fn health(state: TargetState) -> Health {
    match state {
        TargetState::Healthy => ("healthy", None),
        TargetState::Initial => {
            ("initial", Some(("Elb.RegistrationInProgress", "Target registration is in progress")))
        }
        TargetState::Unhealthy => ("unhealthy", Some(("Target.FailedHealthChecks", "Health checks failed"))),
        TargetState::Draining => {
            ("draining", Some(("Target.DeregistrationInProgress", "Target deregistration is in progress")))
        }
        TargetState::Unused => {
            let text = "Target group is not configured to receive traffic from the load balancer";
            ("unused", Some(("Target.NotInUse", text)))
        }
    }
}

fn member(xml: &mut Xml, id: &str, port: u16, (state, reason): Health) {
    xml.element("member", |xml| {
        xml.element("Target", |xml| {
            xml.text("Id", id);
            xml.text("Port", &port.to_string());
        });
        xml.text("HealthCheckPort", "traffic-port");
        xml.element("TargetHealth", |xml| {
            xml.text("State", state);
            if let Some((reason, description)) = reason {
                xml.text("Reason", reason);
                xml.text("Description", description);
            }
        });
    });
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct GroupsInput {
    target_group_arns: Vec<String>,
    names: Vec<String>,
    marker: Option<String>,
    page_size: Option<String>,
}

impl GroupsInput {
    fn asks_for(&self, group: &TargetGroup) -> bool {
        let unnamed = self.target_group_arns.is_empty() && self.names.is_empty();
        unnamed || self.target_group_arns.contains(&group.arn) || self.names.contains(&group.name)
    }

    /// Naming a group that does not exist is an error, not a gap.
    fn check_named(&self, account: &Account) -> Result<(), ApiError> {
        let has_name = |name: &String| account.target_groups.values().any(|group| group.name == *name);
        let arns_known = self.target_group_arns.iter().all(|arn| account.target_groups.contains_key(arn));
        if arns_known && self.names.iter().all(has_name) { Ok(()) } else { Err(not_found()) }
    }

    fn page_size(&self) -> Result<usize, ApiError> {
        let size = self.page_size.as_deref().map_or(Ok(400), str::parse);
        size.ok()
            .filter(|size| (1..=400).contains(size))
            .ok_or_else(|| ApiError::new("ValidationError", "PageSize must be between 1 and 400"))
    }
}

pub(super) fn describe_groups(account: &Account, input: &Value) -> Answer {
    let input: GroupsInput = json::input(input)?;
    input.check_named(account)?;
    let size = input.page_size()?;
    let is_ahead = |group: &&TargetGroup| input.marker.as_ref().is_none_or(|marker| group.arn > *marker);
    let groups = account.target_groups.values().filter(|group| input.asks_for(group)).filter(is_ahead);
    let groups: Vec<&TargetGroup> = groups.take(size + 1).collect();
    let page = &groups[..groups.len().min(size)];
    let mut xml = Xml::default();
    xml.element("TargetGroups", |xml| page.iter().for_each(|group| group_member(account, xml, group)));
    if let Some(last) = page.last().filter(|_| groups.len() > size) {
        xml.text("NextMarker", &last.arn);
    }
    Ok(xml.into_bytes())
}

fn group_member(account: &Account, xml: &mut Xml, group: &TargetGroup) {
    xml.element("member", |xml| {
        xml.text("TargetGroupArn", &group.arn);
        xml.text("TargetGroupName", &group.name);
        xml.text("Protocol", "HTTP");
        xml.text("Port", "80");
        xml.text("TargetType", if is_by_address(account, group) { "ip" } else { "instance" });
        xml.text("HealthCheckProtocol", "HTTP");
        xml.text("HealthCheckPort", "traffic-port");
        xml.text("HealthCheckEnabled", "true");
    });
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct AttributesInput {
    target_group_arn: String,
}

pub(super) fn describe_attributes(account: &Account, input: &Value) -> Answer {
    let input: AttributesInput = json::input(input)?;
    let group = account.target_groups.get(&input.target_group_arn).ok_or_else(not_found)?;
    let delay = group.deregistration_delay.as_secs().to_string();
    let attributes = [
        ("stickiness.enabled", "false"),
        ("deregistration_delay.timeout_seconds", delay.as_str()),
        ("stickiness.type", "lb_cookie"),
    ];
    let mut xml = Xml::default();
    xml.list("Attributes", attributes, |xml, (key, value)| {
        xml.text("Key", key);
        xml.text("Value", value);
    });
    Ok(xml.into_bytes())
}

/// A group takes addresses if the tasks behind it have network interfaces of their own.
fn is_by_address(account: &Account, group: &TargetGroup) -> bool {
    let services = account.clusters.values().flat_map(|cluster| cluster.services.values());
    let mut own = services.filter(|service| {
        service.load_balancers.iter().any(|balancer| balancer.target_group_arn.as_ref() == Some(&group.arn))
    });
    let definition = own.next().and_then(|service| account.task_definitions.get(&service.task_definition));
    definition.is_some_and(|definition| definition.network_mode == "awsvpc")
        || group.targets.iter().any(|target| !names::short(&target.id).starts_with("i-"))
}
