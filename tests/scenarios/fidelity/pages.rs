//! Lists that change between two of their pages: an entry is skipped, or comes twice.

use std::time::Duration;

use evenkeel::report::Status;
use evenkeel_tests::drains::{bus, with_hook};
use evenkeel_tests::rollouts::{command, sized, start};
use evenkeel_tests::{clusters, play};
use serde_json::json;
use simulator::builder::AccountBuilder;
use simulator::event_bridge::Mishaps;
use simulator::faults::Rule;

use super::*;
use crate::rollout::back::until;

fn unsettled(stage: &Stage) {
    stage.simulator.rule(Rule::skipped_entry(0.3));
    stage.simulator.rule(Rule::repeated_entry(0.3));
}

/// One more instance than a page holds, all of them level.
#[test]
fn a_balanced_cluster_is_left_alone() {
    for seed in 2401..=2403 {
        let level = vec![2; 110];
        play(seed, clusters::one_zone(seed, &level), async |stage| {
            unsettled(&stage);
            for _ in 0..4 {
                let report = stage.scheduled().await;
                assert_eq!(stage.writes(), 0, "{report:#?}");
                tokio::time::sleep(Duration::from_mins(10)).await;
            }
        });
    }
}

#[test]
fn what_is_begun_ends_and_nothing_is_lost() {
    for seed in 2411..=2412 {
        let mut counts = vec![2; 110];
        (counts[7], counts[105]) = (6, 0);
        play(seed, clusters::one_zone(seed, &counts), async |stage| {
            unsettled(&stage);
            let _ = stage.scheduled_until_quiet(6).await;
            stage.assert_promises();
            assert_eq!(stage.task_seconds_below(), 0, "{}", stage.simulator.timeline());
            stage.simulator.clear_rules();
            let reports = stage.scheduled_until_quiet(6).await;
            assert!(reports.last().unwrap().actions.is_empty(), "{reports:#?}");
            let spread = stage.spread_of("app").into_iter().map(|(_, tasks)| tasks);
            assert!(spread.clone().max().unwrap() - spread.min().unwrap() <= 1, "{reports:#?}");
            stage.assert_clean();
        });
    }
}

/// Two looks must agree that it is empty, and the counts of the instance with them.
#[test]
fn an_instance_of_many_tasks_goes_when_the_last_has_stopped() {
    let zones = clusters::ZONES;
    for seed in 2421..=2426 {
        let on = vec!["i-a1"; 130];
        let account = AccountBuilder::new(seed)
            .cluster("web")
            .launch_template("web", |it| it.size(40_960, 163_840).version("ami-1"))
            .auto_scaling_group("web-asg", |it| {
                let places = [("i-a1", zones[0]), ("i-b1", zones[1]), ("i-c1", zones[2])];
                with_hook(it.zones(&zones).size(0, 3, 6).instances(&places))
            })
            .task_definition("app", |it| it.cpu(128).memory(256))
            .service("app", |it| it.on(&on))
            .build();
        play(seed, account, async |stage| {
            unsettled(&stage);
            let report = stage.drain(json!({ "instanceId": "i-a1", "cluster": "web" })).await.unwrap();
            let lived = stage.live(&mut bus(seed, Mishaps::default()), LONG).await;
            let words = format!("{report:#?} {lived:#?}\n{}", stage.simulator.timeline());
            let seen = stage.drained("i-a1");
            assert!(seen.empty_after < seen.ended_after && seen.killed.is_empty(), "{seen:#?} {words}");
            stage.assert_clean();
        });
    }
}

#[test]
fn a_large_rollout_there() {
    play(2431, sized(2431, 110, 3, |it| it), async |stage| {
        unsettled(&stage);
        let mut reports = vec![stage.rollout(start()).await.unwrap()];
        reports.extend(stage.resumed(30).await);
        assert!(reports.iter().any(|it| it.status == Status::Done), "{:#?}", reports.last());
        assert_replaced(&stage, 110, &format!("{:#?}", reports.last())).await;
    });
}

#[test]
fn a_large_rollout_back() {
    play(2432, sized(2432, 110, 3, |it| it), async |stage| {
        let stage = stage.with("EVENKEEL_BAKE_TIME", "5m");
        until(&stage, "drain").await;
        unsettled(&stage);
        let first = stage.rollout(command("abort")).await.unwrap();
        let reports = stage.resumed(40).await;
        assert_settled(&stage, "ami-1", 110, &format!("{first:#?} {:#?}", reports.last())).await;
    });
}
