//! Hooks on the way out.

use crate::account::{Account, MachineState};
use crate::builder::GroupBuilder;
use crate::operations::auto_scaling::testing::{
    account, account_with, call, done, refused, serving, states, wait,
};
use crate::scheduler::spot;

const GROUP: &str = "AutoScalingGroupName=web";

fn terminate(account: &mut Account, id: &str, decrement: bool) {
    let form = format!("InstanceId={id}&ShouldDecrementDesiredCapacity={decrement}");
    done(account, "TerminateInstanceInAutoScalingGroup", &form);
}

fn complete(account: &mut Account, hook: &str, id: &str, result: &str) -> (u16, String) {
    let form = format!("{GROUP}&LifecycleHookName={hook}&InstanceId={id}&LifecycleActionResult={result}");
    call(account, "CompleteLifecycleAction", &form)
}

pub(super) fn state_of<'a>(account: &'a Account, id: &str) -> Option<&'a str> {
    states(account).into_iter().find(|(it, _)| *it == id).map(|(_, state)| state)
}

#[test]
fn a_hook_holds_the_instance_and_says_so() {
    let mut account = account();
    terminate(&mut account, "i-a1", true);
    wait(&mut account, 2);
    assert_eq!(state_of(&account, "i-a1"), Some("Terminating:Wait"));
    assert_eq!(account.machines["i-a1"].state, MachineState::Running);
    let event = &account.events[0];
    assert_eq!(
        (event.detail_type(), event.source()),
        ("EC2 Instance-terminate Lifecycle Action", "aws.autoscaling")
    );
    let action = &account.auto_scaling_groups["web"].instances["i-a1"].actions[0];
    let expected = serde_json::json!({
        "LifecycleActionToken": action.token, "AutoScalingGroupName": "web", "LifecycleHookName": "drain",
        "EC2InstanceId": "i-a1", "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
        "Origin": "AutoScalingGroup", "Destination": "EC2",
    });
    assert_eq!((event.envelope["detail"].clone(), action.token.len()), (expected, 36));
    assert_eq!(event.envelope["resources"][0], account.auto_scaling_groups["web"].arn);
}

#[test]
fn a_completed_action_lets_the_instance_go_and_cannot_be_completed_again() {
    let mut account = account();
    terminate(&mut account, "i-a1", true);
    wait(&mut account, 100);
    assert_eq!(complete(&mut account, "drain", "i-a1", "CONTINUE").0, 200);
    let form = format!("{GROUP}&LifecycleHookName=drain&InstanceId=i-a1&LifecycleActionResult=CONTINUE");
    let message = refused(&mut account, "CompleteLifecycleAction", &form);
    assert_eq!(message, "No active Lifecycle Action found with instance ID i-a1");
    refused(&mut account, "RecordLifecycleActionHeartbeat", &form);
    wait(&mut account, 2);
    assert_eq!(state_of(&account, "i-a1"), Some("Terminating:Proceed"));
    assert_eq!(account.machines["i-a1"].state, MachineState::ShuttingDown);
    wait(&mut account, 60);
    assert_eq!((state_of(&account, "i-a1"), serving(&account).len()), (None, 2));
}

#[test]
fn a_token_names_an_action_too_and_a_wrong_one_does_not() {
    let mut account = account();
    terminate(&mut account, "i-a1", true);
    wait(&mut account, 2);
    let token = account.auto_scaling_groups["web"].instances["i-a1"].actions[0].token.clone();
    let form = |token: &str| {
        format!("{GROUP}&LifecycleHookName=drain&LifecycleActionToken={token}&LifecycleActionResult=CONTINUE")
    };
    let message = refused(&mut account, "CompleteLifecycleAction", &form("x"));
    assert_eq!(message, "No active Lifecycle Action found with token x");
    refused(&mut account, "CompleteLifecycleAction", &form(&token).replace("CONTINUE", "MAYBE"));
    done(&mut account, "CompleteLifecycleAction", &form(&token));
}

#[test]
fn a_heartbeat_prolongs_the_wait_but_never_beyond_the_global_timeout() {
    let mut account = account();
    terminate(&mut account, "i-a1", true);
    wait(&mut account, 299);
    assert_eq!(state_of(&account, "i-a1"), Some("Terminating:Wait"));
    let heartbeat = format!("{GROUP}&LifecycleHookName=drain&InstanceId=i-a1");
    for _ in 0..99 {
        done(&mut account, "RecordLifecycleActionHeartbeat", &heartbeat);
        wait(&mut account, 299);
        assert_eq!(state_of(&account, "i-a1"), Some("Terminating:Wait"));
    }
    done(&mut account, "RecordLifecycleActionHeartbeat", &heartbeat);
    wait(&mut account, 105);
    assert_eq!(state_of(&account, "i-a1"), Some("Terminating:Proceed"), "100 heartbeat timeouts are over");
}

#[test]
fn without_a_heartbeat_the_action_times_out() {
    let mut account = account();
    terminate(&mut account, "i-a1", true);
    wait(&mut account, 299);
    assert_eq!(state_of(&account, "i-a1"), Some("Terminating:Wait"));
    wait(&mut account, 5);
    assert_eq!(state_of(&account, "i-a1"), Some("Terminating:Proceed"));
}

#[test]
fn several_hooks_hold_in_parallel_and_abandoning_one_ends_them_all() {
    let two = |result: &str| {
        let mut account = account();
        let hook = format!(
            "{GROUP}&LifecycleHookName=logs&LifecycleTransition=autoscaling:EC2_INSTANCE_TERMINATING"
        );
        done(&mut account, "PutLifecycleHook", &hook);
        terminate(&mut account, "i-a1", true);
        wait(&mut account, 2);
        assert_eq!(account.events.len(), 2, "each hook has its own action");
        complete(&mut account, "logs", "i-a1", result);
        wait(&mut account, 1);
        let other = complete(&mut account, "drain", "i-a1", "CONTINUE").0;
        assert_eq!(other, if result == "ABANDON" { 400 } else { 200 }, "an abandoned action ends the others");
        wait(&mut account, 1);
        state_of(&account, "i-a1").map(str::to_owned)
    };
    assert_eq!(two("CONTINUE").as_deref(), Some("Terminating:Proceed"));
    assert_eq!(two("ABANDON").as_deref(), Some("Terminating:Proceed"));
}

#[test]
fn deleting_a_hook_lets_go_of_whom_it_holds() {
    let mut account = account();
    terminate(&mut account, "i-a1", true);
    wait(&mut account, 2);
    done(&mut account, "DeleteLifecycleHook", &format!("{GROUP}&LifecycleHookName=drain"));
    wait(&mut account, 2);
    assert_eq!(state_of(&account, "i-a1"), Some("Terminating:Proceed"));
}

#[test]
fn an_abandoned_instance_is_retained_where_the_group_says_so() {
    let mut account = account_with(GroupBuilder::retains_abandoned);
    terminate(&mut account, "i-a1", true);
    wait(&mut account, 2);
    complete(&mut account, "drain", "i-a1", "ABANDON");
    wait(&mut account, 600);
    assert_eq!(state_of(&account, "i-a1"), Some("Terminating:Retained"));
    assert_eq!(account.machines["i-a1"].state, MachineState::Running);
    terminate(&mut account, "i-a1", false);
    wait(&mut account, 60);
    assert_eq!((state_of(&account, "i-a1"), states(&account).len()), (None, 2));
}

#[test]
fn whether_a_substitute_waits_for_the_hook_is_a_switch() {
    let listed = |waits: bool| {
        let mut account = account();
        account.switches.substitute_waits_for_hook = waits;
        terminate(&mut account, "i-a1", false);
        wait(&mut account, 120);
        let held = states(&account).len();
        complete(&mut account, "drain", "i-a1", "CONTINUE");
        wait(&mut account, 180);
        (held, serving(&account).len())
    };
    assert_eq!(listed(false), (4, 3));
    assert_eq!(listed(true), (3, 3));
}

#[test]
fn protection_and_suspension_do_not_stop_a_named_termination() {
    let mut account = account_with(|group| group.protects_new_instances().suspends(&["Terminate"]));
    terminate(&mut account, "i-a1", true);
    wait(&mut account, 400);
    assert_eq!(states(&account).len(), 2);
}

#[test]
fn a_reclaimed_instance_is_not_waited_for_by_its_hook() {
    let mut account = account();
    terminate(&mut account, "i-a1", false);
    wait(&mut account, 5);
    spot::reclaim(&mut account, "i-a1");
    wait(&mut account, 60);
    assert_eq!(account.machines["i-a1"].state, MachineState::Terminated, "EC2 does not wait");
    assert_eq!(state_of(&account, "i-a1"), Some("Terminating:Wait"), "the hook still does");
}

#[test]
fn the_event_carries_the_metadata_of_the_hook() {
    let mut account = account();
    let form = format!("{GROUP}&LifecycleHookName=drain&NotificationMetadata=cluster%3Dweb");
    done(&mut account, "PutLifecycleHook", &form);
    terminate(&mut account, "i-a1", true);
    wait(&mut account, 2);
    assert_eq!(account.events[0].detail("NotificationMetadata"), "cluster=web");
}

#[test]
fn a_retained_instance_does_not_count() {
    let mut account = account_with(GroupBuilder::retains_abandoned);
    terminate(&mut account, "i-a1", false);
    wait(&mut account, 400);
    assert_eq!(state_of(&account, "i-a1"), None, "CONTINUE is the default result");
    terminate(&mut account, "i-b1", false);
    wait(&mut account, 5);
    complete(&mut account, "drain", "i-b1", "ABANDON");
    wait(&mut account, 120);
    assert_eq!((state_of(&account, "i-b1"), serving(&account).len()), (Some("Terminating:Retained"), 3));
}
