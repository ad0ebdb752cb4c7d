//! Machines over time: booting, joining, stopping, ending.

use std::time::Duration;

use super::*;
use crate::account::{Joining, Market, TaskStatus};
use crate::builder::{AccountBuilder, InstanceBuilder};
use crate::scheduler::Engine;

fn account() -> Account {
    AccountBuilder::new(3)
        .cluster("web")
        .instance("i-a1", "a", InstanceBuilder::spot)
        .instance("i-b1", "b", |i| i)
        .task_definition("web", |t| t)
        .service("web", |s| s.on(&["i-a1", "i-b1"]))
        .build()
}

fn request() -> LaunchRequest {
    let joins = Joining {
        cluster: "web".to_owned(),
        capacity_provider: Some("spot".to_owned()),
        cpu: 4096,
        memory: 8192,
        attributes: [("stack".to_owned(), "blue".to_owned())].into(),
        after: None,
    };
    LaunchRequest { joins: Some(joins), ..LaunchRequest::new("b") }
}

fn run(account: &mut Account, seconds: u64) {
    let until = account.now + Duration::from_secs(seconds);
    Engine::new(3).advance(account, until, &mut |_| ());
}

fn state(account: &Account, id: &str) -> MachineState {
    account.machines[id].state
}

fn tasks_alive(account: &Account, instance_arn: &str) -> usize {
    let tasks = account.clusters["web"].tasks.values();
    let here = tasks.filter(|task| task.container_instance.as_deref() == Some(instance_arn));
    here.filter(|task| task.last_status != TaskStatus::Stopped).count()
}

fn arn_of(account: &Account, id: &str) -> String {
    container_instance(account, id).expect("registered").1.arn.clone()
}

#[test]
fn a_built_instance_has_a_running_machine() {
    let account = account();
    let machine = &account.machines["i-a1"];
    assert_eq!((machine.state, machine.market), (MachineState::Running, Market::Spot));
    assert_eq!((machine.zone.as_str(), machine.instance_type.as_str()), ("a", "m5.large"));
    assert_eq!(account.machines["i-b1"].market, Market::OnDemand);
}

#[test]
fn a_launched_machine_boots_and_then_joins_its_cluster() {
    let mut account = account();
    let id = launch(&mut account, request());
    assert_eq!((state(&account, &id), id.len()), (MachineState::Pending, 19));
    run(&mut account, 20);
    assert_eq!(state(&account, &id), MachineState::Running);
    assert!(container_instance(&account, &id).is_none(), "the agent takes longer than the machine");
    run(&mut account, 60);
    let (cluster, instance) = container_instance(&account, &id).expect("registered");
    assert_eq!((cluster, instance.cpu, instance.zone()), ("web", 4096, "b"));
    assert_eq!(instance.capacity_provider.as_deref(), Some("spot"));
    assert_eq!(instance.attributes["stack"].as_deref(), Some("blue"));
}

#[test]
fn some_agents_are_late_and_some_never_register() {
    let table = [
        (Boot { late_percent: 100, ..Boot::default() }, true),
        (Boot { never_percent: 100, ..Boot::default() }, false),
    ];
    for (boot, comes) in table {
        let mut account = account();
        let id = launch(&mut account, LaunchRequest { boot, ..request() });
        run(&mut account, 8 * 60);
        assert!(container_instance(&account, &id).is_none(), "{boot:?}");
        run(&mut account, 8 * 60);
        assert_eq!(container_instance(&account, &id).is_some(), comes, "{boot:?}");
    }
}

#[test]
fn a_machine_that_joins_nothing_only_runs() {
    let mut account = account();
    let id = launch(&mut account, LaunchRequest::new("a"));
    run(&mut account, 3600);
    assert_eq!(state(&account, &id), MachineState::Running);
    assert_eq!(account.clusters["web"].container_instances.len(), 2);
}

#[test]
fn a_terminated_machine_takes_its_tasks_along_and_is_forgotten_after_an_hour() {
    let mut account = account();
    let arn = arn_of(&account, "i-a1");
    terminate(&mut account, "i-a1", "api");
    assert_eq!(state(&account, "i-a1"), MachineState::ShuttingDown);
    let killed: Vec<_> = account.machines["i-a1"].killed.values().copied().collect();
    assert_eq!(killed, [TaskStatus::Running]);
    run(&mut account, 60);
    assert_eq!(state(&account, "i-a1"), MachineState::Terminated);
    assert_eq!(tasks_alive(&account, &arn), 0);
    assert!(container_instance(&account, "i-a1").is_none(), "its agent was connected");
    run(&mut account, 3600);
    assert!(!account.machines.contains_key("i-a1") && account.machines.contains_key("i-b1"));
}

#[test]
fn a_stopped_machine_stays_registered_and_connects_again_when_started() {
    let mut account = account();
    let arn = arn_of(&account, "i-a1");
    stop(&mut account, "i-a1", "person");
    run(&mut account, 180);
    let instance = &account.clusters["web"].container_instances[&arn];
    assert_eq!((instance.status, instance.agent_connected), (ContainerInstanceStatus::Active, false));
    assert_eq!((state(&account, "i-a1"), tasks_alive(&account, &arn)), (MachineState::Stopped, 0));
    start(&mut account, "i-a1", "person");
    run(&mut account, 60);
    let instance = &account.clusters["web"].container_instances[&arn];
    assert!(instance.agent_connected && instance.host_alive);
    assert_eq!(state(&account, "i-a1"), MachineState::Running);
}

#[test]
fn a_machine_terminated_while_stopped_leaves_a_ghost() {
    let mut account = account();
    let arn = arn_of(&account, "i-a1");
    stop(&mut account, "i-a1", "person");
    run(&mut account, 180);
    terminate(&mut account, "i-a1", "person");
    run(&mut account, 180);
    assert_eq!(state(&account, "i-a1"), MachineState::Terminated);
    let instance = &account.clusters["web"].container_instances[&arn];
    assert_eq!((instance.status, instance.agent_connected), (ContainerInstanceStatus::Active, false));
}

#[test]
fn only_launching_and_starting_draw_numbers() {
    let mut account = account();
    let dice = account.dice;
    stop(&mut account, "i-a1", "person");
    terminate(&mut account, "i-a1", "person");
    start(&mut account, "i-a1", "person");
    for _ in 0..50 {
        account.now = account.now + Duration::from_secs(1);
        tick(&mut account);
    }
    assert_eq!((account.dice, state(&account, "i-a1")), (dice, MachineState::Terminated));
    launch(&mut account, request());
    assert_ne!(account.dice, dice);
}
