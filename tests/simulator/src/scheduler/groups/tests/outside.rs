//! Instances that leave the group alive, stand by, and come back.

use super::leaving::state_of;
use super::sizes::set_desired;
use crate::account::{GROUP_TAG, LifecycleState, MachineState};
use crate::builder::GroupBuilder;
use crate::operations::auto_scaling::testing::{
    account, account_with, call, done, refused, serving, states, texts, wait,
};

const GROUP: &str = "AutoScalingGroupName=web";

#[test]
fn a_detached_machine_lives_on_without_hooks_and_protection() {
    let mut account = account_with(GroupBuilder::protects_new_instances);
    let form = format!("{GROUP}&InstanceIds.member.1=i-a1&ShouldDecrementDesiredCapacity=false");
    let body = done(&mut account, "DetachInstances", &form);
    assert_eq!(texts(&body, "Description"), ["Detaching EC2 instance: i-a1"]);
    wait(&mut account, 120);
    assert_eq!((state_of(&account, "i-a1"), serving(&account).len()), (None, 3));
    assert_eq!(
        (account.machines["i-a1"].state, account.machines["i-a1"].group.clone()),
        (MachineState::Running, None)
    );
    assert!(!account.machines["i-a1"].tags.contains_key(GROUP_TAG), "nothing names its group any more");
    assert!(!account.events.iter().any(|it| it.detail_type().contains("Lifecycle Action")));
    let registered = account.clusters["web"].container_instances.values();
    assert!(registered.into_iter().any(|it| it.ec2_instance_id == "i-a1"), "ECS still knows it");
    done(&mut account, "AttachInstances", &format!("{GROUP}&InstanceIds.member.1=i-a1"));
    wait(&mut account, 10);
    assert_eq!((serving(&account).len(), account.auto_scaling_groups["web"].desired_capacity), (4, 4));
    assert_eq!(account.machines["i-a1"].tags[GROUP_TAG], "web");
    let newest = &account.auto_scaling_groups["web"].activities[0];
    assert_eq!(
        (newest.description.as_str(), newest.status.name()),
        ("Attaching an existing EC2 instance: i-a1", "Successful")
    );
}

#[test]
fn detaching_with_decrement_brings_no_substitute() {
    let mut account = account();
    let form = format!("{GROUP}&InstanceIds.member.1=i-a1&ShouldDecrementDesiredCapacity=true");
    done(&mut account, "DetachInstances", &form);
    wait(&mut account, 120);
    assert_eq!((serving(&account).len(), account.auto_scaling_groups["web"].desired_capacity), (2, 2));
    set_desired(&mut account, 3);
    wait(&mut account, 5);
    let pending =
        states(&account).into_iter().find(|(_, state)| *state == "Pending").map(|(id, _)| id.to_owned());
    let form =
        format!("{GROUP}&InstanceIds.member.1={}&ShouldDecrementDesiredCapacity=true", pending.unwrap());
    assert!(refused(&mut account, "DetachInstances", &form).ends_with("is not in InService or Standby."));
}

#[test]
fn standby_is_left_alone_and_comes_back() {
    let mut account = account();
    let form = format!("{GROUP}&InstanceIds.member.1=i-a1&ShouldDecrementDesiredCapacity=true");
    done(&mut account, "EnterStandby", &form);
    wait(&mut account, 60);
    assert_eq!((state_of(&account, "i-a1"), serving(&account).len()), (Some("Standby"), 2));
    let exit = format!("{GROUP}&InstanceIds.member.1=i-a1");
    done(&mut account, "ExitStandby", &exit);
    wait(&mut account, 5);
    assert_eq!(
        (state_of(&account, "i-a1"), account.auto_scaling_groups["web"].desired_capacity),
        (Some("InService"), 3)
    );
    refused(&mut account, "ExitStandby", &exit);
}

#[test]
fn only_free_running_machines_are_attached_and_only_up_to_the_maximum() {
    let mut account = account_with(|group| group.size(1, 3, 3));
    let form = format!("{GROUP}&InstanceIds.member.1=i-a1");
    assert!(refused(&mut account, "AttachInstances", &form).contains("belongs to a group already"));
    let detach = format!("{form}&ShouldDecrementDesiredCapacity=false");
    done(&mut account, "DetachInstances", &detach);
    wait(&mut account, 60);
    assert!(
        refused(&mut account, "AttachInstances", &form)
            .contains("max-size=3, and desired-size=3. To attach 1")
    );
}

#[test]
fn an_instance_keeps_its_protection_on_standby() {
    let mut account = account();
    let form = format!("{GROUP}&InstanceIds.member.1=i-a1");
    done(&mut account, "SetInstanceProtection", &format!("{form}&ProtectedFromScaleIn=true"));
    done(&mut account, "EnterStandby", &format!("{form}&ShouldDecrementDesiredCapacity=true"));
    wait(&mut account, 10);
    done(&mut account, "ExitStandby", &form);
    wait(&mut account, 10);
    assert!(
        serving(&account).contains(&"i-a1") && account.auto_scaling_groups["web"].instances["i-a1"].protected
    );
}

/// Those that go are others: the desired capacity is lowered for one that did not count in it.
#[test]
fn leaving_standby_with_decrement_costs_another_instance() {
    let to = format!("{GROUP}&InstanceIds.member.1=i-a1&ShouldDecrementDesiredCapacity");
    for (operation, form) in [
        ("DetachInstances", format!("{to}=true")),
        (
            "TerminateInstanceInAutoScalingGroup",
            "InstanceId=i-a1&ShouldDecrementDesiredCapacity=true".to_owned(),
        ),
    ] {
        let mut account = account();
        done(&mut account, "EnterStandby", &format!("{to}=false"));
        wait(&mut account, 120);
        assert_eq!(serving(&account).len(), 3, "a substitute has come");
        done(&mut account, operation, &form);
        assert_eq!(account.auto_scaling_groups["web"].desired_capacity, 2, "{operation}");
        wait(&mut account, 10);
        assert_eq!(serving(&account).len(), 2, "{operation}");
    }
}

#[test]
fn nobody_leaves_standby_with_decrement_below_the_minimum() {
    let mut account = account_with(|group| group.size(3, 3, 5));
    let to = format!("{GROUP}&InstanceIds.member.1=i-a1&ShouldDecrementDesiredCapacity");
    done(&mut account, "EnterStandby", &format!("{to}=false"));
    wait(&mut account, 10);
    assert!(refused(&mut account, "DetachInstances", &format!("{to}=true")).contains("min-size=3"));
    let terminate = "InstanceId=i-a1&ShouldDecrementDesiredCapacity=true";
    let refusal = refused(&mut account, "TerminateInstanceInAutoScalingGroup", terminate);
    assert!(refusal.starts_with("Currently, desiredSize equals minSize (3)"));
}

#[test]
fn what_is_retained_is_detached_without_decrement_only() {
    let mut account = account();
    let group = account.auto_scaling_groups.get_mut("web").unwrap();
    group.instances.get_mut("i-a1").unwrap().state = LifecycleState::TerminatingRetained;
    let form = format!("{GROUP}&InstanceIds.member.1=i-a1&ShouldDecrementDesiredCapacity");
    refused(&mut account, "DetachInstances", &format!("{form}=true"));
    done(&mut account, "DetachInstances", &format!("{form}=false"));
    assert_eq!(account.auto_scaling_groups["web"].desired_capacity, 3);
}

#[test]
fn nobody_is_attached_while_launch_is_suspended_or_from_a_zone_of_others() {
    let mut account = account();
    let form = format!("{GROUP}&InstanceIds.member.1=i-a1");
    done(&mut account, "DetachInstances", &format!("{form}&ShouldDecrementDesiredCapacity=true"));
    wait(&mut account, 10);
    let launch = format!("{GROUP}&ScalingProcesses.member.1=Launch");
    done(&mut account, "SuspendProcesses", &launch);
    assert!(refused(&mut account, "AttachInstances", &form).contains("Launch"));
    done(&mut account, "ResumeProcesses", &launch);
    account.auto_scaling_groups.get_mut("web").unwrap().zones.remove(0);
    assert!(refused(&mut account, "AttachInstances", &form).contains("zone"));
    assert_eq!(account.auto_scaling_groups["web"].desired_capacity, 2);
}

#[test]
fn how_long_the_move_to_standby_takes_is_a_switch() {
    for standby_takes_minutes in [false, true] {
        let mut account = account();
        account.switches.standby_takes_minutes = standby_takes_minutes;
        let form = format!("{GROUP}&InstanceIds.member.1=i-a1&ShouldDecrementDesiredCapacity=false");
        done(&mut account, "EnterStandby", &form);
        wait(&mut account, 290);
        let (state, is_refused) =
            if standby_takes_minutes { ("EnteringStandby", true) } else { ("Standby", false) };
        assert_eq!((state_of(&account, "i-a1"), serving(&account).len()), (Some(state), 3));
        let terminate = "InstanceId=i-a1&ShouldDecrementDesiredCapacity=false";
        let (status, body) = call(&mut account, "TerminateInstanceInAutoScalingGroup", terminate);
        assert_eq!(status == 400 && body.contains("ScalingActivityInProgress"), is_refused, "{body}");
        wait(&mut account, 20);
        assert_eq!(state_of(&account, "i-a1") == Some("Standby"), is_refused);
    }
}
