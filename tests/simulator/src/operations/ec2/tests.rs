//! Instances asked for by id, by filter and by page.

use crate::account::{Account, MachineState};
use crate::builder::{AccountBuilder, InstanceBuilder};
use crate::operations::answer;
use crate::scheduler::{machines, spot};
use crate::wire;

fn account() -> Account {
    let mut account = AccountBuilder::new(1)
        .cluster("web")
        .instance("i-a1", "a", InstanceBuilder::spot)
        .instance("i-b1", "b", |i| i)
        .build();
    let machine = account.machines.get_mut("i-b1").expect("built");
    (machine.group, machine.launch_template) = (Some("web-asg".to_owned()), Some(("lt-1".to_owned(), 3)));
    account
}

/// The answer to a form, or the code and message of the error.
fn call(account: &mut Account, form: &str) -> Result<String, String> {
    let request = wire::decode(None, format!("{form}&Version=2016-11-15").as_bytes()).unwrap();
    let answer = answer(account, &request, "api");
    answer.map(|body| String::from_utf8(body).unwrap()).map_err(|error| error.to_string())
}

fn ids(account: &mut Account, parameters: &str) -> Vec<String> {
    let body = call(account, &format!("Action=DescribeInstances&{parameters}")).expect("an answer");
    let ids = body.split("<instanceId>").skip(1).filter_map(|rest| rest.split_once('<'));
    ids.map(|(id, _)| id.to_owned()).collect()
}

#[test]
fn an_instance_has_the_documented_members() {
    let body = call(&mut account(), "Action=DescribeInstances&InstanceId.1=i-b1").unwrap();
    let expected = "<reservationSet><item><reservationId>r-b1</reservationId><ownerId>123456789012</ownerId>\
        <instancesSet><item><instanceId>i-b1</instanceId><imageId>ami-0123456789abcdef0</imageId>\
        <instanceState><code>16</code><name>running</name></instanceState>\
        <instanceType>m5.large</instanceType><launchTime>2026-01-02T01:04:05Z</launchTime>\
        <placement><availabilityZone>b</availabilityZone></placement><tagSet>\
        <item><key>aws:autoscaling:groupName</key><value>web-asg</value></item>\
        <item><key>aws:ec2launchtemplate:id</key><value>lt-1</value></item>\
        <item><key>aws:ec2launchtemplate:version</key><value>3</value></item>\
        </tagSet></item></instancesSet></item></reservationSet>";
    assert_eq!(body, expected);
}

#[test]
fn a_reclaimed_spot_instance_tells_why_it_is_gone_for_an_hour() {
    let mut account = account();
    spot::reclaim(&mut account, "i-a1");
    let body = call(&mut account, "Action=DescribeInstances&InstanceId.1=i-a1").unwrap();
    assert!(body.contains("<instanceLifecycle>spot</instanceLifecycle>"), "{body}");
    assert!(body.contains("<stateReason><code>Server.SpotInstanceTermination</code>"), "{body}");
    account.now = account.now + std::time::Duration::from_secs(30);
    machines::tick(&mut account);
    assert_eq!(ids(&mut account, "Filter.1.Name=instance-state-name&Filter.1.Value.1=terminated"), ["i-a1"]);
    account.now = account.now + std::time::Duration::from_hours(1);
    machines::tick(&mut account);
    let gone = call(&mut account, "Action=DescribeInstances&InstanceId.1=i-a1").unwrap_err();
    assert_eq!(gone, "InvalidInstanceID.NotFound: The instance ID 'i-a1' does not exist");
}

#[test]
fn filters_are_joined_by_and_and_their_values_by_or() {
    let table = [
        ("Filter.1.Name=availability-zone&Filter.1.Value.1=a&Filter.1.Value.2=b", vec!["i-a1", "i-b1"]),
        ("Filter.1.Name=instance-lifecycle&Filter.1.Value.1=spot", vec!["i-a1"]),
        ("Filter.1.Name=tag:aws:autoscaling:groupName&Filter.1.Value.1=web-*", vec!["i-b1"]),
        ("Filter.1.Name=tag-key&Filter.1.Value.1=aws:autoscaling:groupNam?", vec!["i-b1"]),
        (
            "Filter.1.Name=instance-id&Filter.1.Value.1=i-a1&Filter.2.Name=availability-zone&Filter.2.Value.1=b",
            vec![],
        ),
        ("Filter.1.Name=instance-state-code&Filter.1.Value.1=16&InstanceId.1=i-b1", vec!["i-b1"]),
    ];
    for (parameters, expected) in table {
        assert_eq!(ids(&mut account(), parameters), expected, "{parameters}");
    }
}

#[test]
fn what_cannot_be_answered_is_an_error() {
    let table = [
        (
            "InstanceId.1=i-a1&InstanceId.2=i-x&InstanceId.3=i-y",
            "InvalidInstanceID.NotFound: The instance IDs 'i-x, i-y'",
        ),
        (
            "Filter.1.Name=shoe-size&Filter.1.Value.1=4",
            "InvalidParameterValue: The filter 'shoe-size' is invalid",
        ),
        ("MaxResults=4", "InvalidParameterValue"),
        ("MaxResults=5&InstanceId.1=i-a1", "InvalidParameterCombination"),
    ];
    for (parameters, expected) in table {
        let error = call(&mut account(), &format!("Action=DescribeInstances&{parameters}")).unwrap_err();
        assert!(error.starts_with(expected), "{parameters}: {error}");
    }
    assert!(call(&mut account(), "Action=RunInstances").unwrap_err().starts_with("InvalidAction"));
}

#[test]
fn pages_follow_one_another() {
    let mut account = account();
    for _ in 0..5 {
        machines::launch(&mut account, machines::LaunchRequest::new("a"));
    }
    let first = call(&mut account, "Action=DescribeInstances&MaxResults=5").unwrap();
    let (_, rest) = first.split_once("<nextToken>").expect("a token");
    let (token, _) = rest.split_once('<').expect("an end");
    let mut all = ids(&mut account, "MaxResults=5");
    all.extend(ids(&mut account, &format!("MaxResults=5&NextToken={token}")));
    assert_eq!(all, account.machines.keys().cloned().collect::<Vec<_>>());
}

#[test]
fn terminating_shuts_down_what_is_named_or_nothing() {
    let mut account = account();
    let body = call(&mut account, "Action=TerminateInstances&InstanceId.1=i-a1").unwrap();
    let expected = "<instancesSet><item><instanceId>i-a1</instanceId>\
        <currentState><code>32</code><name>shutting-down</name></currentState>\
        <previousState><code>16</code><name>running</name></previousState></item></instancesSet>";
    assert_eq!(body, expected);
    let error =
        call(&mut account, "Action=TerminateInstances&InstanceId.1=i-b1&InstanceId.2=i-x").unwrap_err();
    assert!(error.starts_with("InvalidInstanceID.NotFound"), "{error}");
    assert_eq!(account.machines["i-b1"].state, MachineState::Running);
    assert!(call(&mut account, "Action=TerminateInstances").unwrap_err().starts_with("MissingParameter"));
}

fn templates(account: &mut Account, parameters: &str) -> Result<Vec<String>, String> {
    let body = call(account, &format!("Action=DescribeLaunchTemplateVersions&{parameters}"))?;
    let items = body.split("<item>").skip(1);
    let part = |item: &str, name: &str| {
        let (_, rest) = item.split_once(&format!("<{name}>")).expect("a member");
        rest.split_once('<').expect("an end").0.to_owned()
    };
    Ok(items.map(|item| format!("{} {}", part(item, "versionNumber"), part(item, "imageId"))).collect())
}

#[test]
fn versions_of_a_launch_template_can_be_named_as_groups_name_them() {
    let template = |t: crate::builder::LaunchTemplateBuilder| {
        t.version("ami-1").version("ami-2").version("ami-3").default_version(2)
    };
    let mut account = AccountBuilder::new(1).cluster("web").launch_template("web", template).build();
    let id = account.launch_templates["web"].id.clone();
    let table = [
        ("LaunchTemplateName=web&LaunchTemplateVersion.1=$Latest", vec!["3 ami-3"]),
        (
            "LaunchTemplateName=web&LaunchTemplateVersion.1=$Default&LaunchTemplateVersion.2=1",
            vec!["2 ami-2", "1 ami-1"],
        ),
        ("LaunchTemplateName=web&MaxVersion=2", vec!["2 ami-2", "1 ami-1"]),
        ("LaunchTemplateVersion.1=$Latest", vec!["3 ami-3"]),
    ];
    for (parameters, expected) in table {
        assert_eq!(templates(&mut account, parameters).unwrap(), expected, "{parameters}");
    }
    let by_id = templates(&mut account, &format!("LaunchTemplateId={id}")).unwrap();
    assert_eq!(by_id, ["3 ami-3", "2 ami-2", "1 ami-1"]);
    let errors = [
        ("LaunchTemplateId=lt-x", "InvalidLaunchTemplateId.NotFound:"),
        ("LaunchTemplateName=x", "InvalidLaunchTemplateName.NotFoundException:"),
        ("LaunchTemplateName=web&LaunchTemplateVersion.1=9", "InvalidLaunchTemplateId.VersionNotFound:"),
    ];
    for (parameters, expected) in errors {
        let error = templates(&mut account, parameters).unwrap_err();
        assert!(error.starts_with(expected), "{parameters}: {error}");
    }
}
