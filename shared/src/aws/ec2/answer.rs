//! What EC2 answers, from its XML: results, and errors as `<Response><Errors><Error><Code>…`.
//!
//! An answer that breaks off is an error, never a shorter list.

#[cfg(test)]
mod arbitrary;

use std::error::Error as StdError;
use std::fmt;

use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use roxmltree::{Document, Node};

use crate::ids::{ImageId, InstanceId, LaunchTemplateId, ZoneName};
use crate::snapshot::{LaunchTemplateVersion, Machine, MachineState};
use crate::timestamp::Timestamp;

/// An answer that is no XML, or lacks what every answer has.
#[derive(Debug, thiserror::Error)]
pub(super) enum Malformed {
    #[error("the answer is not well-formed XML: {0}")]
    Xml(#[from] roxmltree::Error),
    #[error("the answer has no {0}")]
    Missing(&'static str),
}

/// An error that EC2 answers with.
#[derive(Debug)]
pub(super) struct Refusal(ErrorMetadata);

impl Refusal {
    /// Reads code and message; without any, as a load balancer before EC2 may answer, the status stands for the message.
    pub(super) fn of(status: u16, body: &str) -> Self {
        let document = Document::parse(body).ok();
        let error = document.as_ref().and_then(|it| descendant(it.root_element(), "Error"));
        let found = |name| error.and_then(|error| text(error, name));
        let message = found("Message").map_or_else(|| format!("HTTP status {status}"), str::to_owned);
        let mut metadata = ErrorMetadata::builder().message(message);
        if let Some(code) = found("Code") {
            metadata = metadata.code(code);
        }
        Self(metadata.build())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Refusal {}

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

/// A page of `DescribeInstances`.
#[derive(Debug)]
pub(super) struct Machines {
    pub(super) items: Vec<Machine>,
    pub(super) next_token: Option<String>,
}

/// The answer of `DescribeLaunchTemplateVersions`.
pub(super) fn launch_template_versions(body: &str) -> Result<Vec<LaunchTemplateVersion>, Malformed> {
    let document = Document::parse(body)?;
    let set = "launchTemplateVersionSet";
    let set = child(document.root_element(), set).ok_or(Malformed::Missing(set))?;
    items(set).map(launch_template_version).collect()
}

fn launch_template_version(item: Node<'_, '_>) -> Result<LaunchTemplateVersion, Malformed> {
    let data = child(item, "launchTemplateData");
    let in_data = |name| data.and_then(|data| text(data, name));
    let number = required(item, "versionNumber")?.parse().ok();
    Ok(LaunchTemplateVersion {
        id: LaunchTemplateId::new(required(item, "launchTemplateId")?),
        name: required(item, "launchTemplateName")?.to_owned(),
        version: number.ok_or(Malformed::Missing("number as versionNumber"))?,
        image: in_data("imageId").map(ImageId::new),
        instance_type: in_data("instanceType").map(str::to_owned),
    })
}

/// The answer of `DescribeInstances`, its reservations taken apart.
pub(super) fn machines(body: &str) -> Result<Machines, Malformed> {
    let document = Document::parse(body)?;
    let set = "reservationSet";
    let reservations = child(document.root_element(), set).ok_or(Malformed::Missing(set))?;
    let set = "instancesSet";
    let sets = items(reservations).map(|it| child(it, set).ok_or(Malformed::Missing(set)));
    let sets = sets.collect::<Result<Vec<_>, _>>()?;
    Ok(Machines {
        items: sets.into_iter().flat_map(items).map(machine).collect::<Result<_, _>>()?,
        next_token: text(document.root_element(), "nextToken").map(str::to_owned),
    })
}

fn machine(item: Node<'_, '_>) -> Result<Machine, Malformed> {
    let zone = child(item, "placement").and_then(|it| text(it, "availabilityZone"));
    let state = child(item, "instanceState").and_then(|it| text(it, "name"));
    Ok(Machine {
        id: InstanceId::new(required(item, "instanceId")?),
        image: text(item, "imageId").map(ImageId::new),
        instance_type: text(item, "instanceType").unwrap_or_default().to_owned(),
        state: state_of(state.unwrap_or_default()),
        launched_at: text(item, "launchTime").and_then(Timestamp::parse),
        zone: ZoneName::new(zone.unwrap_or_default()),
        is_spot: text(item, "instanceLifecycle") == Some("spot"),
    })
}

/// The states by their names in the API reference (`InstanceState`).
fn state_of(name: &str) -> MachineState {
    match name {
        "pending" => MachineState::Pending,
        "running" => MachineState::Running,
        "shutting-down" => MachineState::ShuttingDown,
        "terminated" => MachineState::Terminated,
        "stopping" => MachineState::Stopping,
        "stopped" => MachineState::Stopped,
        _ => MachineState::Other,
    }
}

fn items<'a, 'input>(set: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    set.children().filter(|node| node.tag_name().name() == "item")
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|it| it.tag_name().name() == name)
}

fn descendant<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.descendants().find(|it| it.tag_name().name() == name)
}

/// The text of a child; an empty element has none.
fn text<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    child(node, name).and_then(|it| it.text()).filter(|text| !text.is_empty())
}

fn required<'a>(node: Node<'a, '_>, name: &'static str) -> Result<&'a str, Malformed> {
    text(node, name).ok_or(Malformed::Missing(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
        <requestId>id</requestId><reservationSet><item><reservationId>r-1</reservationId><instancesSet>\
        <item><instanceId>i-1</instanceId><imageId>ami-1</imageId><instanceState><code>16</code><name>running</name>\
        </instanceState><instanceType>m5.large</instanceType><launchTime>2026-01-02T03:04:05.000Z</launchTime>\
        <placement><availabilityZone>eu-west-1a</availabilityZone><groupName/></placement></item>\
        <item><instanceId>i-2</instanceId><instanceLifecycle>spot</instanceLifecycle></item></instancesSet></item>\
        </reservationSet><nextToken>next</nextToken></DescribeInstancesResponse>";

    #[test]
    fn instances_of_one_reservation_are_read_apart() {
        let page = machines(PAGE).unwrap();
        let [first, second] = page.items.as_slice() else { panic!("{page:?}") };
        assert_eq!((first.id.as_str(), first.state), ("i-1", MachineState::Running));
        assert_eq!(first.launched_at, Timestamp::parse("2026-01-02T03:04:05Z"));
        assert_eq!((first.zone.as_str(), first.is_spot), ("eu-west-1a", false));
        assert_eq!((second.image.as_ref(), second.state, second.is_spot), (None, MachineState::Other, true));
        assert_eq!(page.next_token.as_deref(), Some("next"));
    }

    #[test]
    fn an_answer_that_breaks_off_is_an_error_at_any_place() {
        for end in (0..PAGE.len()).filter(|end| PAGE.is_char_boundary(*end)) {
            assert!(machines(&PAGE[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn a_version_without_an_image_or_with_a_parameter_is_read_as_such() {
        let body = "<R><launchTemplateVersionSet><item><launchTemplateId>lt-1</launchTemplateId>\
            <launchTemplateName>web</launchTemplateName><versionNumber>7</versionNumber><launchTemplateData>DATA\
            </launchTemplateData></item></launchTemplateVersionSet></R>";
        let read = |data: &str| launch_template_versions(&body.replace("DATA", data)).unwrap().remove(0);
        assert_eq!((read("").version, read("").image, read("").instance_type), (7, None, None));
        let by_parameter = read("<imageId>resolve:ssm:/ami/web</imageId>");
        assert_eq!(by_parameter.image, Some(ImageId::new("resolve:ssm:/ami/web")));
        assert_eq!(by_parameter.fixed_image(), None);
        let fixed = read("<imageId>ami-1</imageId>");
        assert_eq!(fixed.fixed_image(), Some(&ImageId::new("ami-1")));
    }

    #[test]
    fn an_error_has_code_and_message_or_at_least_the_status() {
        let body = "<Response><Errors><Error><Code>AuthFailure</Code><Message>no &amp; no</Message></Error></Errors>\
            <RequestID>id</RequestID></Response>";
        let refusal = Refusal::of(401, body);
        assert_eq!((refusal.code(), refusal.message()), (Some("AuthFailure"), Some("no & no")));
        let refusal = Refusal::of(503, "<html>Service Unavailable");
        assert_eq!((refusal.code(), refusal.message()), (None, Some("HTTP status 503")));
    }
}
