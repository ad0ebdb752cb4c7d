//! Desired and actual capacity.

use std::time::Duration;

use crate::account::{Account, Activity};
use crate::builder::{AccountBuilder, GroupBuilder};
use crate::operations::auto_scaling::testing::{
    account, account_with, by_zone, call, done, serving, states, texts, wait,
};
use crate::scheduler::groups::set_desired as set_desired_capacity;

const GROUP: &str = "AutoScalingGroupName=web";

pub(super) fn set_desired(account: &mut Account, desired: u32) {
    done(account, "SetDesiredCapacity", &format!("{GROUP}&DesiredCapacity={desired}"));
}

fn newest(account: &Account) -> &Activity {
    &account.auto_scaling_groups["web"].activities[0]
}

#[test]
fn a_calm_group_stays_as_it_is() {
    let mut account = account();
    wait(&mut account, 7200);
    assert_eq!(serving(&account), ["i-a1", "i-b1", "i-c1"]);
    assert!(account.auto_scaling_groups["web"].activities.is_empty() && account.events.is_empty());
    assert!(account.happenings.is_empty(), "{:?}", account.happenings);
}

#[test]
fn what_is_missing_is_launched_in_the_emptiest_zones_and_registers() {
    let mut account = account_with(|group| group.instances(&[]).size(1, 4, 6));
    set_desired(&mut account, 6);
    wait(&mut account, 8);
    assert_eq!(states(&account).iter().filter(|(_, state)| *state == "Pending").count(), 3);
    wait(&mut account, 120);
    assert_eq!(by_zone(&account), [2, 2, 2]);
    let registered = account.clusters["web"].container_instances.len();
    assert_eq!(registered, 6, "the new machines have joined the cluster");
    let new = serving(&account).into_iter().find(|id| !["i-a1", "i-b1", "i-c1"].contains(id)).unwrap();
    let machine = &account.machines[new];
    assert_eq!((machine.image_id.as_str(), machine.tags["team"].as_str()), ("ami-2", "shop"));
    assert_eq!(machine.tags["aws:autoscaling:groupName"], "web");
}

#[test]
fn a_launch_is_an_activity_with_its_reason() {
    let mut account = account();
    set_desired(&mut account, 4);
    wait(&mut account, 8);
    assert_eq!((newest(&account).status.name(), newest(&account).progress), ("PreInService", 30));
    assert!(newest(&account).description.starts_with("Launching a new EC2 instance: i-"));
    let cause = &newest(&account).cause;
    let wish = "At 2026-01-02T03:04:05Z a user request explicitly set group desired capacity changing the desired \
                capacity from 3 to 4.  At ";
    assert!(cause.starts_with(wish), "{cause}");
    assert!(
        cause.ends_with(
            "an instance was started in response to a difference between desired and actual \
                             capacity, increasing the capacity from 3 to 4."
        ),
        "{cause}"
    );
    wait(&mut account, 120);
    assert_eq!((newest(&account).status.name(), newest(&account).progress), ("Successful", 100));
    assert!(newest(&account).end > Some(newest(&account).start));
    let event =
        account.events.iter().find(|it| it.detail_type() == "EC2 Instance Launch Successful").unwrap();
    assert_eq!(event.detail("AutoScalingGroupName"), "web");
    assert_eq!(
        event.envelope["detail"]["Details"]["Availability Zone"],
        account.machines[event.detail("EC2InstanceId")].zone
    );
}

#[test]
fn what_is_too_much_is_terminated_and_leaves_the_group() {
    let mut account = account();
    set_desired(&mut account, 2);
    wait(&mut account, 8);
    assert_eq!(serving(&account).len(), 2);
    assert_eq!(states(&account).len(), 3, "it is still listed while it terminates");
    let drain =
        states(&account).into_iter().find(|(_, state)| *state == "Terminating:Wait").unwrap().0.to_owned();
    let form = format!("{GROUP}&LifecycleHookName=drain&InstanceId={drain}&LifecycleActionResult=CONTINUE");
    done(&mut account, "CompleteLifecycleAction", &form);
    wait(&mut account, 120);
    assert_eq!(states(&account).len(), 2);
    let cause = &newest(&account).cause;
    assert!(
        cause.contains("shrinking the capacity from 3 to 2.")
            && cause.ends_with(&format!("instance {drain} was selected for termination.")),
        "{cause}"
    );
    assert!(account.events.iter().any(|it| it.detail_type() == "EC2 Instance Terminate Successful"));
}

#[test]
fn launch_and_terminate_may_be_suspended() {
    let mut account = account_with(|group| group.suspends(&["Launch", "Terminate"]));
    set_desired(&mut account, 5);
    wait(&mut account, 300);
    assert_eq!(states(&account).len(), 3);
    set_desired(&mut account, 1);
    wait(&mut account, 300);
    assert_eq!(serving(&account).len(), 3);
    done(&mut account, "ResumeProcesses", GROUP);
    wait(&mut account, 10);
    assert_eq!(serving(&account).len(), 1);
}

#[test]
fn a_call_that_honours_the_cooldown_is_refused_until_it_is_over() {
    let mut account = account();
    set_desired(&mut account, 4);
    wait(&mut account, 60);
    let honour = format!("{GROUP}&DesiredCapacity=5&HonorCooldown=true");
    let (status, body) = call(&mut account, "SetDesiredCapacity", &honour);
    assert_eq!((status, texts(&body, "Code")), (400, vec!["ScalingActivityInProgress"]));
    wait(&mut account, 300);
    done(&mut account, "SetDesiredCapacity", &honour);
}

#[test]
fn protected_instances_stay_though_the_desired_capacity_falls() {
    let mut account = account_with(GroupBuilder::protects_new_instances);
    set_desired(&mut account, 1);
    wait(&mut account, 300);
    assert_eq!((serving(&account).len(), account.auto_scaling_groups["web"].desired_capacity), (3, 1));
    let said =
        "Could not scale to desired capacity because all remaining instances are protected from scale-in.";
    assert_eq!(newest(&account).status_message.as_deref(), Some(said));
    assert_eq!(account.auto_scaling_groups["web"].activities.len(), 1, "it is said once");
    let form = format!("{GROUP}&InstanceIds.member.1=i-b1&ProtectedFromScaleIn=false");
    done(&mut account, "SetInstanceProtection", &form);
    wait(&mut account, 10);
    assert_eq!(serving(&account), ["i-a1", "i-c1"]);
}

#[test]
fn weights_count_and_a_launch_may_overshoot() {
    let mut account =
        account_with(|group| group.instances(&[]).size(0, 6, 12).overrides(&[("m5.large", Some(3))]));
    let units = |account: &Account| account.auto_scaling_groups["web"].capacity();
    let before = units(&account);
    set_desired(&mut account, 10);
    wait(&mut account, 120);
    assert_eq!((before % 3, units(&account)), (0, 12));
    set_desired(&mut account, 10);
    wait(&mut account, 60);
    assert_eq!(units(&account), 12, "nobody leaves if the group would then be too small");
    set_desired(&mut account, 9);
    wait(&mut account, 60);
    assert_eq!(units(&account), 9);
}

#[test]
fn the_same_seed_moves_a_group_in_the_same_way() {
    let run = || {
        let mut account = account();
        set_desired(&mut account, 5);
        wait(&mut account, 200);
        set_desired(&mut account, 1);
        wait(&mut account, Duration::from_mins(20).as_secs());
        crate::timeline::render(&account.happenings)
    };
    assert_eq!(run(), run());
}

#[test]
fn an_account_without_groups_draws_no_dice() {
    let mut account = AccountBuilder::new(7).cluster("web").instance("i-a1", "a", |i| i).build();
    wait(&mut account, 600);
    assert_eq!(account.dice, 7);
}

#[test]
fn whoever_sets_the_desired_capacity_keeps_to_the_bounds() {
    let mut account = account();
    set_desired_capacity(&mut account, "web", 9, "a monitor alarm in state ALARM triggered a policy");
    wait(&mut account, 120);
    assert_eq!(serving(&account).len(), 5);
    assert!(newest(&account).cause.contains(
        "a monitor alarm in state ALARM triggered a policy changing the desired capacity from 3 to 5"
    ));
}

#[test]
fn a_group_built_without_a_size_is_calm_too() {
    let mut account = AccountBuilder::new(1)
        .cluster("web")
        .launch_template("web", |template| template)
        .auto_scaling_group("web", |group| group.instances(&[("i-1", "a"), ("i-2", "a")]).zones(&["a"]))
        .build();
    wait(&mut account, 600);
    assert_eq!(serving(&account), ["i-1", "i-2"]);
    assert_eq!(account.auto_scaling_groups["web"].max_size, 4);
}
