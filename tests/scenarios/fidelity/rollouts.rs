//! Rollouts, there and back, with each answer of AWS turned round.

use std::time::Duration;

use evenkeel::report::Status;
use evenkeel_tests::drains::with_hook;
use evenkeel_tests::play;
use evenkeel_tests::rollouts::{codes, command, outdated, sized, start};
use simulator::account::{Account, Pace};
use simulator::builder::GroupBuilder;

use super::*;
use crate::rollout::back::until;

fn bare(group: GroupBuilder) -> GroupBuilder {
    group
}

#[test]
fn forward_whatever_aws_answers() {
    for (seed, (name, switches)) in (2000..).zip(turned()) {
        for hook in [bare, with_hook as fn(GroupBuilder) -> GroupBuilder] {
            play(seed, with(switches, outdated(seed, hook)), async |stage| {
                let mut bus = evenkeel_tests::drains::bus(seed, simulator::event_bridge::Mishaps::default());
                let (reports, lived) = stage.rolled_out(&mut bus, Duration::from_mins(40)).await;
                let words = format!("{name} {:#?} {:#?}", reports.last(), lived.errors);
                assert!(
                    reports.iter().any(|it| it.status == Status::Done),
                    "{words}\n{}",
                    stage.simulator.timeline()
                );
                assert_eq!(stage.task_seconds_below(), 0, "{words}");
                assert!(lived.errors.is_empty(), "{words}");
                assert_replaced(&stage, 6, &words).await;
            });
        }
    }
}

#[test]
fn back_from_any_phase_whatever_aws_answers() {
    for (seed, (name, switches)) in (2020..).zip(turned()) {
        for phase in ["surge", "drain", "gate"] {
            play(seed, with(switches, outdated(seed, bare)), async |stage| {
                let stage = stage.with("EVENKEEL_BAKE_TIME", "5m");
                until(&stage, phase).await;
                let first = stage.rollout(command("abort")).await.unwrap();
                let reports = stage.resumed(40).await;
                let words = format!("{name} {phase} {first:#?} {:#?}", reports.last());
                assert_eq!(stage.task_seconds_below(), 0, "{words}");
                assert_settled(&stage, "ami-1", 6, &words).await;
            });
        }
    }
}

/// The first answers get lost with a call: what is asked for again is what has been done already.
#[test]
fn killed_while_the_old_ones_go_whatever_a_second_termination_answers() {
    for again in [TerminatingAgain::Refused, TerminatingAgain::Decremented] {
        let switches = Switches { terminating_again: again, ..Switches::default() };
        let account = || with(switches, sized(2050, 3, 3, bare));
        let calls = play(2050, account(), async |stage| {
            let report = stage.rollout(start()).await.unwrap();
            assert_eq!(report.status, Status::Done, "{report:#?}");
            stage.simulator.calls()
        });
        let ends = (1_u64..).zip(&calls).filter(|(_, it)| it.operation.starts_with("TerminateInstance"));
        let ends: Vec<u64> = ends.map(|(number, _)| number).collect();
        assert_eq!(ends.len(), 3, "one call for each");
        for call in ends.into_iter().flat_map(|call| [call - 1, call, call + 1]) {
            play(2050, account(), async |stage| {
                stage.simulator.kill_after(call);
                assert!(
                    stage.rollout_until_killed(start()).await.is_none(),
                    "the kill strikes at call {call}"
                );
                stage.simulator.revive();
                let reports = stage.resumed(30).await;
                assert_replaced(&stage, 3, &format!("{again:?} {call} {:#?}", reports.last())).await;
            });
        }
    }
}

/// Somebody else protects a task on an old instance for the day.
fn protected(seed: u64, switches: Switches) -> Account {
    let mut account = with(switches, outdated(seed, bare));
    let until = account.now + Duration::from_hours(24);
    let tasks = &mut account.clusters.get_mut("web").unwrap().tasks;
    let task = tasks.values_mut().find(|it| it.service() == Some("orders")).unwrap();
    task.protected_until = Some(until);
    account
}

#[test]
fn a_protected_task_holds_a_rollout_up_or_goes_with_its_instance() {
    for drain_stops_protected in [false, true] {
        let switches = Switches { drain_stops_protected, ..Switches::default() };
        play(2060, protected(2060, switches), async |stage| {
            let mut reports = vec![stage.rollout(start()).await.unwrap()];
            reports.extend(stage.resumed(60).await);
            let words = format!("{drain_stops_protected} {reports:#?}");
            let ended = reports.iter().rfind(|it| !it.groups.is_empty()).unwrap().status;
            if drain_stops_protected {
                assert_eq!(ended, Status::Done, "{words}");
                assert_replaced(&stage, 6, &words).await;
            } else {
                assert_eq!(ended, Status::RolledBack, "{words}");
                assert!(reports.iter().any(|it| codes(it).contains(&"notEmpty".to_owned())), "{words}");
                assert_settled(&stage, "ami-1", 6, &words).await;
            }
        });
    }
}

/// What is PENDING on an instance that is set DRAINING is stopped at once: here on the new ones that are sent away again,
/// while the old ones serve on.
#[test]
fn back_while_tasks_are_pending_on_the_new_ones() {
    let slow = Pace {
        pending: Duration::from_secs(90),
        activating: Duration::from_secs(8),
        health: Duration::from_secs(15),
        stopping: Duration::from_secs(5),
    };
    for seed in 2070..2074 {
        let mut account = sized(seed, 6, 3, bare);
        account.task_definitions.values_mut().for_each(|it| it.typical = slow);
        play(seed, account, async |stage| {
            until(&stage, "drain").await;
            tokio::select! {
                ended = stage.rollout(command("resume")) => panic!("it ends in its drain: {ended:#?}"),
                () = tokio::time::sleep(Duration::from_secs(40)) => {}
            }
            let pending = stage.simulator.account(|account| {
                let tasks = account.clusters["web"].tasks.values();
                tasks.filter(|it| it.last_status == simulator::account::TaskStatus::Pending).count()
            });
            assert!(pending > 0, "a play without them proves nothing\n{}", stage.simulator.timeline());
            let first = stage.rollout(command("abort")).await.unwrap();
            let reports = stage.resumed(20).await;
            let words = format!("{first:#?} {:#?}", reports.last());
            assert_eq!(stage.task_seconds_below(), 0, "{words}\n{}", stage.simulator.timeline());
            assert_settled(&stage, "ami-1", 6, &words).await;
        });
    }
}
