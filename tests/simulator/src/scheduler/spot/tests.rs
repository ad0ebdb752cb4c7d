//! Notices, reclaims, and agents that drain themselves.

use serde_json::json;

use super::*;
use crate::account::{ContainerInstance, TaskStatus};
use crate::builder::{AccountBuilder, InstanceBuilder};
use crate::scheduler::Engine;

fn account(instance: fn(InstanceBuilder) -> InstanceBuilder) -> Account {
    AccountBuilder::new(5)
        .cluster("web")
        .instance("i-a1", "eu-west-1a", instance)
        .instance("i-b1", "eu-west-1b", |i| i)
        .task_definition("web", |t| t)
        .service("web", |s| s.on(&["i-a1", "i-b1"]))
        .build()
}

fn run(account: &mut Account, seconds: u64) {
    let until = account.now + Duration::from_secs(seconds);
    Engine::new(5).advance(account, until, &mut |_| ());
}

fn instance(account: &Account) -> &ContainerInstance {
    machines::container_instance(account, "i-a1").expect("registered").1
}

fn states_told(account: &Account) -> Vec<&str> {
    let changes = account.events.iter();
    let changes = changes.filter(|event| event.detail_type() == "EC2 Instance State-change Notification");
    changes.map(|event| event.detail("state")).collect()
}

#[test]
fn a_warned_machine_runs_for_two_minutes_and_dies_with_its_tasks() {
    let mut account = account(InstanceBuilder::spot);
    interrupt(&mut account, "i-a1", InterruptionAction::Terminate);
    run(&mut account, 119);
    assert_eq!(account.machines["i-a1"].state, MachineState::Running);
    assert_eq!(instance(&account).status, ContainerInstanceStatus::Active, "EC2 tells ECS nothing");
    run(&mut account, 1);
    let machine = &account.machines["i-a1"];
    assert_eq!(machine.state, MachineState::ShuttingDown);
    assert_eq!(machine.state_reason.map(|reason| reason.code), Some("Server.SpotInstanceTermination"));
    assert_eq!(machine.killed.values().collect::<Vec<_>>(), [&TaskStatus::Running]);
    run(&mut account, 40);
    assert_eq!(states_told(&account), ["shutting-down", "terminated"]);
}

#[test]
fn the_warning_is_the_documented_one() {
    let mut account = account(InstanceBuilder::spot);
    interrupt(&mut account, "i-a1", InterruptionAction::Stop);
    let warning = &account.events[0].envelope;
    assert_eq!(warning["detail-type"], "EC2 Spot Instance Interruption Warning");
    assert_eq!(warning["source"], "aws.ec2");
    assert_eq!(warning["resources"], json!(["arn:aws:ec2:eu-west-1a:instance/i-a1"]));
    assert_eq!(warning["detail"], json!({ "instance-id": "i-a1", "instance-action": "stop" }));
    recommend(&mut account, "i-a1");
    let recommendation = &account.events[1].envelope;
    assert_eq!(recommendation["detail-type"], "EC2 Instance Rebalance Recommendation");
    assert_eq!(recommendation["resources"], json!(["arn:aws:ec2:eu-west-1:123456789012:instance/i-a1"]));
    assert_eq!(recommendation["detail"], json!({ "instance-id": "i-a1" }));
    assert_eq!(account.machines["i-a1"].rebalance_recommended_at, Some(account.now));
}

#[test]
fn a_short_notice_says_nothing_of_its_shortness() {
    let mut account = account(InstanceBuilder::spot);
    interrupt_within(&mut account, "i-a1", InterruptionAction::Terminate, 39);
    assert_eq!(account.events[0].envelope["time"], "2026-01-02T03:04:05Z");
    run(&mut account, 38);
    assert_eq!(account.machines["i-a1"].state, MachineState::Running);
    run(&mut account, 1);
    assert_eq!(account.machines["i-a1"].state, MachineState::ShuttingDown);
}

#[test]
fn stopping_keeps_the_registration_and_hibernation_begins_at_once() {
    let table = [(InterruptionAction::Stop, 120), (InterruptionAction::Hibernate, 1)];
    for (action, seconds) in table {
        let mut account = account(InstanceBuilder::spot);
        interrupt(&mut account, "i-a1", action);
        run(&mut account, seconds - 1);
        assert_eq!(account.machines["i-a1"].state, MachineState::Running, "{action:?}");
        run(&mut account, 1);
        assert_eq!(account.machines["i-a1"].state, MachineState::Stopping, "{action:?}");
        run(&mut account, 180);
        assert_eq!(instance(&account).status, ContainerInstanceStatus::Active, "{action:?}");
        assert!(!instance(&account).agent_connected, "{action:?}");
        assert_eq!(states_told(&account), ["stopping", "stopped"], "{action:?}");
    }
}

#[test]
fn a_reclaim_without_notice_emits_no_warning() {
    let mut account = account(InstanceBuilder::spot);
    reclaim(&mut account, "i-a1");
    assert_eq!(states_told(&account), ["shutting-down"]);
    assert_eq!(account.events.len(), 1);
}

#[test]
fn an_agent_told_to_drains_itself_within_two_seconds_and_only_once() {
    let mut account = account(|i| i.spot().agent_drains_on_spot());
    interrupt(&mut account, "i-a1", InterruptionAction::Terminate);
    run(&mut account, 2);
    assert_eq!(instance(&account).status, ContainerInstanceStatus::Draining);
    let cluster = account.clusters.get_mut("web").expect("built");
    for instance in cluster.container_instances.values_mut() {
        instance.status = ContainerInstanceStatus::Active;
    }
    run(&mut account, 10);
    assert_eq!(instance(&account).status, ContainerInstanceStatus::Active);
}

#[test]
fn a_disconnected_agent_drains_itself_when_it_is_back() {
    let mut account = account(|i| i.spot().agent_drains_on_spot().disconnected());
    interrupt(&mut account, "i-a1", InterruptionAction::Terminate);
    run(&mut account, 10);
    assert_eq!(instance(&account).status, ContainerInstanceStatus::Active);
    let cluster = account.clusters.get_mut("web").expect("built");
    cluster.container_instances.values_mut().for_each(|instance| instance.agent_connected = true);
    run(&mut account, 1);
    assert_eq!(instance(&account).status, ContainerInstanceStatus::Draining);
}

#[test]
fn a_machine_that_is_gone_is_not_warned() {
    let mut account = account(InstanceBuilder::spot);
    reclaim(&mut account, "i-a1");
    interrupt(&mut account, "i-a1", InterruptionAction::Terminate);
    recommend(&mut account, "i-a1");
    recommend(&mut account, "i-unknown");
    assert_eq!(account.events.len(), 1);
}
