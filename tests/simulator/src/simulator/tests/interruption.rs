//! A Spot interruption from notice to substitute, with a drainer as simple as can be at the end of a rule.

use super::*;
use crate::account::InterruptionAction;
use crate::builder::{CapacityProviderBuilder, GroupBuilder, LaunchTemplateBuilder};
use crate::event_bridge::{Delivery, EventBridge, Mishaps, Rule as EventRule};
use crate::scheduler::spot;

fn simulator(with: fn(CapacityProviderBuilder) -> CapacityProviderBuilder) -> Simulator {
    let zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];
    let group = |group: GroupBuilder| {
        let machines = [("i-a1", zones[0]), ("i-b1", zones[1]), ("i-c1", zones[2])];
        group.size(3, 3, 6).zones(&zones).instances(&machines)
    };
    let account = AccountBuilder::new(5)
        .cluster("web")
        .launch_template("web", LaunchTemplateBuilder::spot)
        .auto_scaling_group("web-asg", group)
        .capacity_provider("cp", "web-asg", with)
        .task_definition("web", |definition| definition)
        .service("web", |service| service.on(&["i-a1", "i-b1", "i-c1"]).spread_zone())
        .build();
    Simulator::new(account, 5)
}

fn bridge(mishaps: Mishaps) -> EventBridge {
    let rule = EventRule::new("drain").detail_type("EC2 Spot Instance Interruption Warning");
    EventBridge::new(5).rule(rule).mishaps(mishaps)
}

/// Sets the container instance of a warned machine DRAINING.
async fn drain(simulator: &Simulator, delivery: &Delivery) {
    let id = delivery.envelope["detail"]["instance-id"].as_str().unwrap();
    let arn = simulator.account(|account| {
        crate::scheduler::machines::container_instance(account, id).unwrap().1.arn.clone()
    });
    let input = json!({ "cluster": "web", "containerInstances": [arn], "status": "DRAINING" });
    call(simulator, "UpdateContainerInstancesState", input).await.unwrap();
}

/// Ten minutes after a notice; every delivery is drained at once.
async fn after_notice(simulator: &Simulator, mut bridge: EventBridge) -> String {
    simulator.change(|account| spot::interrupt(account, "i-a1", InterruptionAction::Terminate));
    for _ in 0..600 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        for delivery in simulator.account(|account| bridge.due(account)) {
            drain(simulator, &delivery).await;
        }
    }
    simulator.timeline()
}

#[tokio::test(start_paused = true)]
async fn a_notice_that_arrives_saves_the_tasks_and_the_group_makes_good_the_loss() {
    let simulator = simulator(|provider| provider);
    after_notice(&simulator, bridge(Mishaps::default())).await;
    let drains = simulator.checkers(|checkers| checkers.drains().clone());
    let drain = drains.of("i-a1").expect("it was warned");
    assert!(drain.draining_after.is_some_and(|seconds| seconds <= 3), "{drain:?}");
    assert_eq!((drains.killed_running(), drain.missing, drain.ended_after), (0, 0, Some(120)));
    assert!(drain.substitute_launched_after > Some(120), "the group learns of it afterwards: {drain:?}");
    assert_eq!(simulator.violations(), []);
    let left_over = simulator.account(Account::clone);
    assert_eq!(simulator.checkers(|checkers| checkers.left_over(&left_over)), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_notice_that_is_lost_costs_the_task() {
    let simulator = simulator(|provider| provider);
    after_notice(&simulator, bridge(Mishaps { lost_percent: 100, ..Mishaps::default() })).await;
    assert_eq!(simulator.checkers(|checkers| checkers.drains().killed_running()), 1);
}

#[tokio::test(start_paused = true)]
async fn managed_draining_saves_the_tasks_without_any_event() {
    let simulator = simulator(CapacityProviderBuilder::managed_draining);
    after_notice(&simulator, EventBridge::new(5)).await;
    let drains = simulator.checkers(|checkers| checkers.drains().clone());
    assert_eq!((drains.killed_running(), drains.of("i-a1").unwrap().draining_after), (0, Some(5)));
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_interruption() {
    let run = async || {
        let mishaps = Mishaps { late_percent: 50, twice_percent: 50, ..Mishaps::default() };
        after_notice(&simulator(CapacityProviderBuilder::managed_draining), bridge(mishaps)).await
    };
    assert_eq!(run().await, run().await);
}
