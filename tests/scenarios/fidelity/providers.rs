//! Beside managed scaling, whatever counts in its metric: DRAINING instances, and those on standby.

use std::time::Duration;

use evenkeel::report::Status;
use evenkeel_tests::clusters::ZONES;
use evenkeel_tests::drains::bus;
use evenkeel_tests::play;
use evenkeel_tests::rollouts::{start, with_new_version};
use serde_json::json;
use simulator::account::LifecycleState;
use simulator::builder::{AccountBuilder, CapacityProviderBuilder};
use simulator::event_bridge::Mishaps;

use super::*;

/// Six instances that ECS sizes, drains and protects, each with one task that fills it.
fn managed(seed: u64, reservation_counts_draining: bool) -> Account {
    let all = ["i-a1", "i-a2", "i-b1", "i-b2", "i-c1", "i-c2"];
    let places: Vec<(&str, &str)> = (0..6).map(|at| (all[at], ZONES[at / 2])).collect();
    let by_ecs = |it: CapacityProviderBuilder| {
        it.managed_draining().managed_termination_protection().managed_scaling(100)
    };
    let account = AccountBuilder::new(seed)
        .switches(Switches { reservation_counts_draining, ..Switches::default() })
        .cluster("web")
        .launch_template("web", |it| it.spot().capacity_provider("spot").size(1024, 3_840).version("ami-1"))
        .auto_scaling_group("web-asg", |it| {
            it.zones(&ZONES).size(3, 6, 9).protects_new_instances().instances(&places)
        })
        .capacity_provider("spot", "web-asg", by_ecs)
        .task_definition("app", |it| it.cpu(768).memory(1_024))
        .service("app", |it| it.capacity_provider("spot", 0, 1).spread_instance().on(&all))
        .build();
    with_new_version(account)
}

#[test]
fn a_rollout_is_not_undone() {
    for counts in [true, false] {
        play(2501, managed(2501, counts), async |stage| {
            let report = stage.rollout(start()).await.unwrap();
            let words = format!("{counts} {report:#?}");
            assert_eq!(report.status, Status::Done, "{words}\n{}", stage.simulator.timeline());
            assert_eq!(stage.task_seconds_below(), 0, "{words}");
            tokio::time::sleep(Duration::from_mins(3)).await;
            let (images, _) = stage.simulator.account(images);
            assert!(images.iter().all(|it| it == NEW_IMAGE), "{words}\n{}", stage.simulator.timeline());
            stage.assert_promises();
        });
    }
}

/// ECS may grow the group for the tasks on standby, and takes that back by itself.
#[test]
fn a_drain_by_standby_ends_with_as_many_as_before() {
    for counts in [true, false] {
        play(2502, managed(2502, counts), async |stage| {
            let stage = stage.with("EVENKEEL_REPLACEMENT", "surge");
            let report = stage.drain(json!({ "instanceId": "i-a1", "cluster": "web" })).await.unwrap();
            let lived = stage.live(&mut bus(2502, Mishaps::default()), Duration::from_hours(1)).await;
            let words = format!("{counts} {report:#?} {lived:#?}\n{}", stage.simulator.timeline());
            let states: Vec<LifecycleState> = stage.simulator.account(|account| {
                account.auto_scaling_groups["web-asg"].instances.values().map(|it| it.state).collect()
            });
            assert_eq!(states, [LifecycleState::InService; 6], "{words}");
            assert!(lived.errors.is_empty(), "{words}");
            assert_eq!(stage.task_seconds_below(), 0, "{words}");
            stage.assert_promises();
        });
    }
}
