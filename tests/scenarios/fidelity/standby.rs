//! AWS does not say whether an instance on standby can be terminated by name. If not, it stays there empty and costs money:
//! that is said with AWS's own words, nobody is hurt, and the work ends as soon as it is allowed.

use std::time::Duration;

use evenkeel::report::{Action, ActionOutcome, Status};
use evenkeel_tests::drains::{bare_fleet, bus};
use evenkeel_tests::play;
use evenkeel_tests::rollouts::{command, outdated, start};
use serde_json::json;
use simulator::account::LifecycleState;
use simulator::event_bridge::Mishaps;

use super::*;
use crate::rollout::back::until;

const TERMINATE: &str = "TerminateInstanceInAutoScalingGroup";

fn refusing() -> Switches {
    Switches { standby_refuses_termination: true, ..Switches::default() }
}

fn allow(stage: &Stage) {
    stage.simulator.change(|account| account.switches.standby_refuses_termination = false);
}

/// Instances in service, and those on standby.
fn sizes(stage: &Stage) -> (usize, usize) {
    stage.simulator.account(|account| {
        let members = &account.auto_scaling_groups["web-asg"].instances;
        let count = |state| members.values().filter(|it| it.state == state).count();
        (count(LifecycleState::InService), count(LifecycleState::Standby))
    })
}

/// Whether the call for each of these is told to have failed, in the words of the API.
fn is_told(actions: &[Action], ids: &[&str]) -> bool {
    let is_refused = |id: &str| {
        actions.iter().any(|it| {
            let text = format!("{} {}", it.resource, it.why);
            let words = |error: &String| error.contains("is in Standby");
            let is_failed = matches!(&it.outcome, ActionOutcome::Failed(error) if words(error));
            it.operation == TERMINATE && text.contains(id) && is_failed
        })
    };
    ids.iter().all(|id| is_refused(id))
}

#[test]
fn a_drain_says_what_aws_refuses_and_ends_once_it_is_allowed() {
    play(2101, with(refusing(), bare_fleet(2101)), async |stage| {
        let report = stage.drain(json!({ "instanceId": "i-a1", "cluster": "web" })).await.unwrap();
        let mut bus = bus(2101, Mishaps::default());
        let lived = stage.live(&mut bus, Duration::from_mins(30)).await;
        let words = || format!("{report:#?} {lived:#?}\n{}", stage.simulator.timeline());
        assert_eq!((report.status, sizes(&stage)), (Status::InProgress, (6, 1)), "{}", words());
        let last = lived.reports.last().unwrap();
        assert!(is_told(&report.actions, &["i-a1"]) && is_told(&last.actions, &["i-a1"]), "{}", words());
        assert_eq!(stage.simulator.account(|account| account.machines.len()), 7, "one substitute");
        stage.assert_promises();
        allow(&stage);
        let lived = stage.live(&mut bus, LONG).await;
        assert_eq!(sizes(&stage), (6, 0), "{lived:#?}\n{}", stage.simulator.timeline());
        stage.assert_clean();
    });
}

#[test]
fn a_rollout_says_what_aws_refuses_and_ends_once_it_is_allowed() {
    play(2102, with(refusing(), outdated(2102, |it| it)), async |stage| {
        let first = stage.rollout(start()).await.unwrap();
        let mut reports = stage.resumed(10).await;
        let last = reports.pop().unwrap();
        let words = || format!("{first:#?} {last:#?}\n{}", stage.simulator.timeline());
        assert_eq!((last.status, sizes(&stage)), (Status::InProgress, (6, 6)), "{}", words());
        let olds = ["i-a1", "i-a2", "i-b1", "i-b2", "i-c1", "i-c2"];
        assert!(is_told(&first.actions, &olds) && is_told(&last.actions, &olds), "{}", words());
        assert_eq!(stage.task_seconds_below(), 0, "{}", words());
        stage.assert_promises();
        allow(&stage);
        let reports = stage.resumed(10).await;
        assert_replaced(&stage, 6, &format!("{:#?}", reports.last())).await;
    });
}

/// Those that are sent away again are in service, so that the way back asks for nothing that may be refused.
#[test]
fn the_way_back_ends_no_instance_on_standby() {
    for (seed, phase) in (2103..).zip(["surge", "drain", "gate"]) {
        play(seed, with(refusing(), outdated(seed, |it| it)), async |stage| {
            let stage = stage.with("EVENKEEL_BAKE_TIME", "5m");
            until(&stage, phase).await;
            let report = stage.rollout(command("abort")).await.unwrap();
            let words = format!("{phase} {report:#?}");
            assert_eq!(report.status, Status::RolledBack, "{words}\n{}", stage.simulator.timeline());
            assert_settled(&stage, "ami-1", 6, &words).await;
        });
    }
}
