//! The function dies after any of its calls; the schedule finishes what it began, forward and back.

use evenkeel_tests::play;
use evenkeel_tests::rollouts::{command, only, sized, start};
use serde_json::json;
use simulator::account::Account;

use super::*;

fn small(seed: u64) -> Account {
    sized(seed, 3, 3, |it| it)
}

#[test]
fn after_any_call_of_the_way_forward() {
    let calls = play(1201, small(1201), async |stage| {
        let report = stage.rollout(start()).await.unwrap();
        assert_eq!(report.status, Status::Done);
        stage.simulator.calls().len() as u64
    });
    assert!(calls > 60, "a run without its end proves nothing: {calls}");
    for call in 1..=calls {
        play(1201, small(1201), async |stage| {
            stage.simulator.kill_after(call);
            assert!(stage.rollout_until_killed(start()).await.is_none(), "the kill strikes at call {call}");
            stage.simulator.revive();
            let has_begun = called(&stage, "CreateOrUpdateTags") > 0;
            let reports = stage.resumed(30).await;
            let words = || format!("call {call}: {:#?}\n{}", reports.last(), stage.simulator.timeline());
            assert!(reports.last().unwrap().groups.is_empty(), "{}", words());
            if has_begun {
                assert_replaced(&stage, 3).await;
            }
            stage.assert_clean();
        });
    }
}

/// Begins, aborts in the gate, and kills the invocation of the abort after each of its calls.
#[test]
fn after_any_call_of_the_way_back() {
    way_back(1202, 1, small);
}

/// The way back has to raise the maximum for a while: after every third call of it.
#[test]
fn after_any_call_of_the_way_back_at_the_maximum() {
    way_back(1220, 3, |seed| sized(seed, 3, 3, |it| it.size(3, 3, 3)));
}

fn way_back(seed: u64, stride: usize, account: impl Fn(u64) -> Account) {
    let until_gate = async |stage: &Stage| {
        let begun = stage.rollout(start());
        let gate = async {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                let tags = stage.simulator.account(|it| it.auto_scaling_groups["web-asg"].tags.clone());
                if tags.get("evenkeel:rollout").is_some_and(|it| it.value.starts_with("1:gate")) {
                    break;
                }
            }
        };
        tokio::select! {
            ended = begun => panic!("it ends before its gate: {ended:#?}"),
            () = gate => {}
        }
        stage.simulator.calls().len() as u64
    };
    let (before, all) = play(seed, account(seed), async |stage| {
        let stage = stage.with("EVENKEEL_BAKE_TIME", "10m");
        let before = until_gate(&stage).await;
        let report = stage.rollout(command("abort")).await.unwrap();
        assert_eq!(report.status, Status::RolledBack, "{report:#?}\n{}", stage.simulator.timeline());
        (before, stage.simulator.calls().len() as u64)
    });
    assert!(all > before + 20, "a run without its end proves nothing: {before} {all}");
    for call in (1..=(all - before)).step_by(stride) {
        play(seed, account(seed), async |stage| {
            let stage = stage.with("EVENKEEL_BAKE_TIME", "10m");
            until_gate(&stage).await;
            stage.simulator.kill_after(call);
            let killed = stage.rollout_until_killed(command("abort")).await;
            assert!(killed.is_none(), "the kill strikes at call {call}");
            stage.simulator.revive();
            let _ = stage.rollout(command("abort")).await.unwrap();
            let reports = stage.resumed(30).await;
            assert_as_before(&stage, 3, &format!("call {call} {:#?}", reports.last())).await;
        });
    }
}

/// The record is erased while the old ones are drained, and the invocation of the abort that takes the marks back is killed
/// after each of its calls.
#[test]
fn after_any_call_of_an_abort_without_a_record() {
    let lost = async |stage: &Stage| {
        super::back::until(stage, "drain").await;
        stage.simulator.change(|account| {
            let group = account.auto_scaling_groups.get_mut("web-asg").unwrap();
            group.tags.clear();
            // Who suspended them nobody knows any more.
            group.suspended.clear();
        });
        stage.simulator.calls().len() as u64
    };
    let calls = play(1221, small(1221), async |stage| {
        let before = lost(&stage).await;
        let report = stage.rollout(command("abort")).await.unwrap();
        assert_eq!(report.status, Status::RolledBack, "{report:#?}");
        stage.simulator.calls().len() as u64 - before
    });
    assert!(calls > 20, "a run without its end proves nothing: {calls}");
    for call in 1..=calls {
        play(1221, small(1221), async |stage| {
            lost(&stage).await;
            stage.simulator.kill_after(call);
            let killed = stage.rollout_until_killed(command("abort")).await;
            assert!(killed.is_none(), "the kill strikes at call {call}");
            stage.simulator.revive();
            let _ = stage.rollout(command("abort")).await.unwrap();
            let reports = stage.resumed(30).await;
            assert_as_before(&stage, 3, &format!("call {call} {:#?}", reports.last())).await;
        });
    }
}

#[test]
fn a_second_start_joins_the_first_and_doubles_nothing() {
    play(1203, small(1203), async |stage| {
        let second = async {
            tokio::time::sleep(Duration::from_secs(20)).await;
            stage.rollout(start()).await.unwrap()
        };
        let (first, second) = tokio::join!(stage.rollout(start()), second);
        let words = || format!("{first:#?} {second:#?}\n{}", stage.simulator.timeline());
        assert!(only(&second).preflight.is_none(), "{}", words());
        assert_eq!(stage.simulator.account(|account| account.machines.len()), 6, "{}", words());
        assert_replaced(&stage, 3).await;
    });
}

#[test]
fn two_starts_at_once_agree() {
    for seed in 1204..1210 {
        play(seed, small(seed), async |stage| {
            let (first, second) = tokio::join!(stage.rollout(start()), stage.rollout(start()));
            let words = || format!("{first:#?} {second:#?}\n{}", stage.simulator.timeline());
            assert_eq!(stage.simulator.account(|account| account.machines.len()), 6, "{}", words());
            assert_replaced(&stage, 3).await;
        });
    }
}

#[test]
fn killed_again_and_again() {
    for every in [60, 85, 130] {
        play(1210, small(1210), async |stage| {
            let mut event = start();
            for _ in 0..300 {
                stage.simulator.kill_after(every);
                let ended = stage.rollout_until_killed(event.clone()).await;
                stage.simulator.revive();
                tokio::time::sleep(Duration::from_secs(20)).await;
                if called(&stage, "CreateOrUpdateTags") > 0 {
                    event = json!({});
                }
                if ended.is_some_and(|it| it.unwrap().groups.is_empty()) {
                    break;
                }
            }
            assert_replaced(&stage, 3).await;
        });
    }
}
