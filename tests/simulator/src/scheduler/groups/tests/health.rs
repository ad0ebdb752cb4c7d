//! Machines that end or stop below an instance in service.

use super::leaving::state_of;
use crate::account::MachineState;
use crate::operations::auto_scaling::testing::{account, account_with, done, serving, states, wait};
use crate::scheduler::machines;

const GROUP: &str = "AutoScalingGroupName=web";

#[test]
fn a_dead_machine_is_noticed_within_two_minutes_and_replaced() {
    let mut account = account();
    machines::terminate(&mut account, "i-a1", "person");
    wait(&mut account, 55);
    assert_eq!(state_of(&account, "i-a1"), Some("InService"));
    wait(&mut account, 75);
    assert_eq!(state_of(&account, "i-a1"), Some("Terminating:Wait"), "hooks hold also the dead");
    wait(&mut account, 400);
    assert_eq!((state_of(&account, "i-a1"), serving(&account).len()), (None, 3));
    let activities = &account.auto_scaling_groups["web"].activities;
    assert!(activities.iter().any(|it| {
        it.cause.contains("in response to an EC2 health check indicating it has been terminated or stopped")
    }));
    assert_eq!(account.auto_scaling_groups["web"].desired_capacity, 3);
}

#[test]
fn nobody_is_replaced_while_the_process_is_suspended() {
    for (process, healthy) in [("HealthCheck", true), ("ReplaceUnhealthy", false), ("Terminate", false)] {
        let mut account = account_with(|group| group.suspends(&[process]));
        machines::terminate(&mut account, "i-a1", "person");
        wait(&mut account, 300);
        assert_eq!(state_of(&account, "i-a1"), Some("InService"), "{process}");
        assert_eq!(account.auto_scaling_groups["web"].instances["i-a1"].healthy, healthy, "{process}");
        done(&mut account, "ResumeProcesses", GROUP);
        wait(&mut account, 600);
        assert_eq!((state_of(&account, "i-a1"), serving(&account).len()), (None, 3), "{process}");
    }
}

#[test]
fn a_stopped_machine_is_replaced_and_ended() {
    let mut account = account();
    machines::stop(&mut account, "i-a1", "person");
    wait(&mut account, 900);
    assert_eq!((state_of(&account, "i-a1"), serving(&account).len()), (None, 3));
    assert_eq!(account.machines["i-a1"].state, MachineState::Terminated);
}

#[test]
fn a_machine_that_runs_again_before_it_is_noticed_is_kept() {
    let mut account = account();
    machines::stop(&mut account, "i-a1", "person");
    wait(&mut account, 31);
    machines::start(&mut account, "i-a1", "person");
    wait(&mut account, 600);
    assert_eq!(serving(&account), ["i-a1", "i-b1", "i-c1"]);
    assert!(account.auto_scaling_groups["web"].instances["i-a1"].healthy);
}

#[test]
fn nobody_looks_after_the_health_of_an_instance_on_standby() {
    let mut account = account();
    let form = format!("{GROUP}&InstanceIds.member.1=i-a1&ShouldDecrementDesiredCapacity=false");
    done(&mut account, "EnterStandby", &form);
    wait(&mut account, 120);
    assert_eq!((states(&account).len(), serving(&account).len()), (4, 3), "a substitute has come");
    machines::terminate(&mut account, "i-a1", "person");
    wait(&mut account, 600);
    assert_eq!(state_of(&account, "i-a1"), Some("Standby"));
}

#[test]
fn with_launch_alone_suspended_the_dead_go_and_are_replaced_when_it_is_resumed() {
    let mut account = account_with(|group| group.suspends(&["Launch"]));
    machines::terminate(&mut account, "i-a1", "person");
    wait(&mut account, 600);
    assert_eq!((state_of(&account, "i-a1"), serving(&account)), (None, vec!["i-b1", "i-c1"]));
    assert_eq!(account.auto_scaling_groups["web"].desired_capacity, 3, "it stays, and nobody fills it");
    done(&mut account, "ResumeProcesses", GROUP);
    wait(&mut account, 120);
    assert_eq!(serving(&account).len(), 3);
}
