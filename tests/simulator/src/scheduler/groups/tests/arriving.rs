//! Hooks on the way in, and machines that do not arrive.

use std::time::Duration;

use super::sizes::set_desired;
use crate::account::{Account, ActionResult};
use crate::builder::GroupBuilder;
use crate::operations::auto_scaling::testing::{account, account_with, call, done, serving, states, wait};
use crate::scheduler::spot;

const GROUP: &str = "AutoScalingGroupName=web";

fn with_boot_hook(group: GroupBuilder) -> GroupBuilder {
    group.launch_hook("boot", Duration::from_mins(10), ActionResult::Abandon)
}

/// A group that grows by one, whose new machine runs; its id.
fn growing(account: &mut Account) -> String {
    set_desired(account, 4);
    wait(account, 60);
    let old = ["i-a1", "i-b1", "i-c1"];
    states(account).into_iter().find(|(id, _)| !old.contains(id)).unwrap().0.to_owned()
}

fn complete(account: &mut Account, id: &str, result: &str) {
    let form = format!("{GROUP}&LifecycleHookName=boot&InstanceId={id}&LifecycleActionResult={result}");
    assert_eq!(call(account, "CompleteLifecycleAction", &form).0, 200);
}

fn state(account: &Account, id: &str) -> String {
    account.auto_scaling_groups["web"].instances.get(id).map_or("gone", |it| it.state.name()).to_owned()
}

#[test]
fn a_launch_hook_holds_the_instance_until_it_is_completed() {
    let mut account = account_with(with_boot_hook);
    let id = growing(&mut account);
    assert_eq!(state(&account, &id), "Pending:Wait");
    let activity = &account.auto_scaling_groups["web"].activities[0];
    assert_eq!(activity.status.name(), "MidLifecycleAction");
    let event =
        account.events.iter().find(|it| it.detail_type() == "EC2 Instance-launch Lifecycle Action").unwrap();
    assert_eq!((event.detail("Origin"), event.detail("Destination")), ("EC2", "AutoScalingGroup"));
    complete(&mut account, &id, "CONTINUE");
    wait(&mut account, 1);
    assert_eq!(state(&account, &id), "Pending:Proceed");
    wait(&mut account, 1);
    assert_eq!(state(&account, &id), "InService");
}

#[test]
fn an_abandoned_launch_is_cancelled_and_tried_again() {
    let mut account = account_with(with_boot_hook);
    let id = growing(&mut account);
    complete(&mut account, &id, "ABANDON");
    wait(&mut account, 120);
    assert_eq!(state(&account, &id), "gone", "hooks on the way out do not hold it");
    assert_eq!(states(&account).len(), 4, "another one is on its way");
    let activities = &account.auto_scaling_groups["web"].activities;
    let launch =
        activities.iter().find(|it| it.description.ends_with(&id) && it.description.starts_with("Launching"));
    let launch = launch.unwrap();
    assert_eq!(launch.status.name(), "Cancelled");
    let message = launch.status_message.as_deref().unwrap();
    assert!(
        message
            .starts_with("Instance failed to complete user's Lifecycle Action: Lifecycle Action with token "),
        "{message}"
    );
    assert!(message.ends_with("was abandoned: Lifecycle Action Completed with ABANDON Result"), "{message}");
    assert!(account.events.iter().any(|it| it.detail_type() == "EC2 Instance Launch Unsuccessful"));
}

#[test]
fn a_launch_nobody_completes_ends_by_the_default_result() {
    let mut account = account_with(with_boot_hook);
    let id = growing(&mut account);
    wait(&mut account, 700);
    assert_eq!(state(&account, &id), "gone");
    let mut messages =
        account.auto_scaling_groups["web"].activities.iter().filter_map(|it| it.status_message.as_deref());
    assert!(messages.any(|it| it.ends_with("was abandoned: Heartbeat Timeout")));
}

#[test]
fn protection_counts_from_service_on() {
    let mut account = account_with(|group| with_boot_hook(group).protects_new_instances());
    let id = growing(&mut account);
    assert!(!account.auto_scaling_groups["web"].instances[&id].protected);
    complete(&mut account, &id, "CONTINUE");
    wait(&mut account, 2);
    assert!(account.auto_scaling_groups["web"].instances[&id].protected);
}

#[test]
fn a_machine_reclaimed_on_the_way_in_is_a_failed_launch() {
    let mut account = account_with(with_boot_hook);
    let id = growing(&mut account);
    spot::reclaim(&mut account, &id);
    wait(&mut account, 120);
    assert_eq!((state(&account, &id).as_str(), states(&account).len()), ("gone", 4));
    let mut activities = account.auto_scaling_groups["web"].activities.iter();
    let failed = activities.find(|it| it.status.name() == "Failed").unwrap();
    let expected = "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: \
                    Server.SpotInstanceTermination: Spot instance termination";
    assert_eq!(failed.status_message.as_deref(), Some(expected));
}

#[test]
fn latest_and_default_are_resolved_at_launch() {
    for (version, image) in [("%24Latest", "ami-2"), ("%24Default", "ami-1"), ("1", "ami-1")] {
        let mut account = account();
        let form = format!("{GROUP}&LaunchTemplate.LaunchTemplateName=web&LaunchTemplate.Version={version}");
        done(&mut account, "UpdateAutoScalingGroup", &form);
        let id = growing(&mut account);
        let instance = &account.auto_scaling_groups["web"].instances[&id];
        assert_eq!(
            (instance.image_id.as_str(), format!("ami-{}", instance.version).as_str()),
            (image, image)
        );
    }
}

#[test]
fn a_group_without_its_template_fails_to_launch() {
    let mut account = account();
    account.launch_templates.clear();
    set_desired(&mut account, 4);
    wait(&mut account, 60);
    assert_eq!(serving(&account).len(), 3);
    let message = account.auto_scaling_groups["web"].activities[0].status_message.clone().unwrap();
    assert!(message.starts_with("You must use a valid fully-formed launch template."), "{message}");
}

#[test]
fn deleting_a_launch_hook_abandons_whom_it_holds() {
    let mut account = account_with(with_boot_hook);
    let id = growing(&mut account);
    done(&mut account, "DeleteLifecycleHook", &format!("{GROUP}&LifecycleHookName=boot"));
    wait(&mut account, 120);
    assert_eq!((state(&account, &id).as_str(), serving(&account).len()), ("gone", 4));
}
