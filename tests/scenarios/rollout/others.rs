//! Others at work on the same group: Spot, hooks, people, schedules, faults.

use evenkeel_tests::drains::{bus, with_hook};
use evenkeel_tests::play;
use evenkeel_tests::rollouts::{codes, command, outdated, sized, start};
use serde_json::json;
use simulator::account::{Account, ActionResult, InterruptionAction, LifecycleState};
use simulator::event_bridge::Mishaps;
use simulator::scheduler::spot;

use super::back::until;
use super::*;

const LONG: Duration = Duration::from_mins(20);

fn standby_of(account: &Account) -> Vec<String> {
    let members = account.auto_scaling_groups["web-asg"].instances.values();
    members.filter(|it| it.state == LifecycleState::Standby).map(|it| it.id.clone()).collect()
}

/// An old one in each phase, and a new one.
#[test]
fn interruptions_on_the_way_are_served_first() {
    for (seed, seconds) in (1401..).zip([2, 12, 70, 100, 130]) {
        for is_old in [true, false] {
            play(seed, outdated(seed, |it| it), async |stage| {
                let mut bus = bus(seed, Mishaps::default());
                let interrupt = async {
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                    stage.simulator.change(|account| {
                        let all = account.auto_scaling_groups["web-asg"].instances.values();
                        let new = all.filter(|it| it.state == LifecycleState::InService);
                        let new = new.map(|it| it.id.clone()).find(|id| id.starts_with("i-0"));
                        let id = if is_old { "i-b1".to_owned() } else { new.unwrap_or("i-b1".to_owned()) };
                        spot::interrupt(account, &id, InterruptionAction::Terminate);
                    });
                };
                let ((reports, lived), ()) = tokio::join!(stage.rolled_out(&mut bus, LONG), interrupt);
                let words =
                    || format!("{seconds} {is_old} {reports:#?} {lived:#?}\n{}", stage.simulator.timeline());
                assert!(reports.iter().any(|it| it.status == Status::Done), "{}", words());
                assert!(lived.errors.is_empty(), "{}", words());
                tokio::time::sleep(Duration::from_mins(3)).await;
                let (images, listed) = stage.simulator.account(images);
                assert_eq!((images, listed), (vec![NEW_IMAGE.to_owned(); 6], 6), "{}", words());
                stage.assert_clean();
            });
        }
    }
}

#[test]
fn a_hook_of_ours_lets_the_old_ones_go_once_they_are_empty() {
    play(1410, outdated(1410, with_hook), async |stage| {
        let mut bus = bus(1410, Mishaps::default());
        let (reports, lived) = stage.rolled_out(&mut bus, LONG).await;
        assert!(reports.iter().any(|it| it.status == Status::Done), "{reports:#?}");
        assert!(lived.errors.is_empty(), "{lived:#?}");
        assert_replaced(&stage, 6).await;
    });
}

#[test]
fn somebody_elses_hook_has_its_turn() {
    let theirs = |it: simulator::builder::GroupBuilder| {
        it.terminate_hook("ship-logs", Duration::from_mins(2), ActionResult::Continue)
    };
    play(1411, outdated(1411, theirs), async |stage| {
        let report = stage.rollout(start()).await.unwrap();
        assert_eq!(report.status, Status::Done, "{report:#?}");
        assert_replaced(&stage, 6).await;
        assert_eq!(called(&stage, "CompleteLifecycleAction"), 0);
    });
}

#[test]
fn what_the_user_has_suspended_stays_so() {
    let mine = |it: simulator::builder::GroupBuilder| it.suspends(&["AZRebalance", "HealthCheck"]);
    play(1412, outdated(1412, mine), async |stage| {
        let report = stage.rollout(start()).await.unwrap();
        assert_eq!(report.status, Status::Done, "{report:#?}");
        assert_replaced(&stage, 6).await;
    });
}

#[test]
pub(crate) fn a_group_at_its_maximum_and_minimum_is_rolled_out_as_any() {
    play(1413, outdated(1413, |it| it.size(6, 6, 6)), async |stage| {
        let report = stage.rollout(start()).await.unwrap();
        assert_eq!(report.status, Status::Done, "{report:#?}");
        assert_replaced(&stage, 6).await;
    });
    play(1414, outdated(1414, |it| it.size(6, 6, 6)), async |stage| {
        let stage = stage.with("EVENKEEL_BAKE_TIME", "5m");
        until(&stage, "gate").await;
        let report = stage.rollout(command("abort")).await.unwrap();
        assert_as_before(&stage, 6, &format!("{report:#?}")).await;
    });
}

/// Somebody scales out, or in, while the fleet is doubled: theirs stays.
#[test]
fn a_size_that_others_set_on_the_way_is_theirs() {
    for (seed, desired) in (1420..).zip([8, 4]) {
        play(seed, outdated(seed, |it| it), async |stage| {
            let resize = async {
                tokio::time::sleep(Duration::from_secs(40)).await;
                stage.simulator.change(|account| {
                    account.auto_scaling_groups.get_mut("web-asg").unwrap().desired_capacity = desired;
                });
                stage.simulator.checkers(|it| it.others_resized("web-asg", (3, desired, 9)));
            };
            let (report, ()) = tokio::join!(stage.rollout(start()), resize);
            let report = report.unwrap();
            let words = || format!("{desired} {report:#?}\n{}", stage.simulator.timeline());
            assert_eq!(report.status, Status::Done, "{}", words());
            tokio::time::sleep(Duration::from_mins(3)).await;
            let (images, listed) = stage.simulator.account(images);
            let size = desired as usize;
            assert_eq!((images, listed), (vec![NEW_IMAGE.to_owned(); size], size), "{}", words());
            stage.assert_promises();
        });
    }
}

#[test]
fn waves_and_canaries() {
    for (seed, surge, canary) in [(1430, "50", "0"), (1431, "34", "0"), (1432, "100", "1"), (1433, "17", "2")]
    {
        play(seed, sized(seed, 6, 3, |it| it), async |stage| {
            let stage = stage.with("EVENKEEL_SURGE_PERCENT", surge).with("EVENKEEL_CANARY", canary);
            let mut reports = vec![stage.rollout(start()).await.unwrap()];
            reports.extend(stage.resumed(20).await);
            let words = || format!("{surge} {canary} {reports:#?}\n{}", stage.simulator.timeline());
            assert!(reports.iter().any(|it| it.status == Status::Done), "{}", words());
            assert_eq!(stage.task_seconds_below(), 0, "{}", words());
            assert_replaced(&stage, 6).await;
        });
    }
}

#[test]
fn calls_fail_answers_get_lost_and_the_group_is_busy() {
    for seed in 1440..1446 {
        play(seed, outdated(seed, |it| it), async |stage| {
            bad_weather(&stage);
            let mut event = start();
            for _ in 0..20 {
                let ended = stage.rollout(event.clone()).await;
                if ended.is_ok_and(|it| matches!(it.status, Status::InProgress | Status::Done)) {
                    event = json!({});
                }
                tokio::time::sleep(Duration::from_mins(1)).await;
            }
            stage.simulator.clear_rules();
            let reports = stage.resumed(30).await;
            assert!(
                reports.last().unwrap().groups.is_empty(),
                "{reports:#?}\n{}",
                stage.simulator.timeline()
            );
            stage.assert_promises();
            assert_replaced(&stage, 6).await;
        });
    }
}

#[test]
fn a_pause_holds_it_at_a_safe_point() {
    for phase in ["mark", "surge", "drain", "gate"] {
        play(1450, outdated(1450, |it| it), async |stage| {
            let stage = stage.with("EVENKEEL_BAKE_TIME", "30s");
            until(&stage, phase).await;
            stage.simulator.change(|account| {
                account
                    .clusters
                    .get_mut("web")
                    .unwrap()
                    .tags
                    .insert("evenkeel:pause".to_owned(), "x".to_owned());
            });
            for _ in 0..5 {
                // Longer than any time-out of a phase.
                let report = stage.rollout(json!({})).await.unwrap();
                assert!(codes(&report).contains(&"paused".to_owned()), "{phase} {report:#?}");
            }
            assert_eq!(called(&stage, "TerminateInstanceInAutoScalingGroup"), 0);
            stage.simulator.change(|account| {
                account.clusters.get_mut("web").unwrap().tags.remove("evenkeel:pause");
            });
            let reports = stage.resumed(10).await;
            assert!(reports.iter().any(|it| it.status == Status::Done), "{phase} {reports:#?}");
            assert_replaced(&stage, 6).await;
        });
    }
}

/// A tool of infrastructure as code takes the group's tags away.
#[test]
fn a_record_that_is_erased_is_said_and_nobody_is_ended() {
    play(1460, outdated(1460, |it| it), async |stage| {
        until(&stage, "drain").await;
        stage.simulator.change(|account| {
            account.auto_scaling_groups.get_mut("web-asg").unwrap().tags.clear();
        });
        let report = stage.rollout(json!({})).await.unwrap();
        assert_eq!(
            (report.status, codes(&report).contains(&"recordLost".to_owned())),
            (Status::Blocked, true)
        );
        assert_eq!(called(&stage, "TerminateInstanceInAutoScalingGroup"), 0);
        assert_eq!(stage.simulator.account(standby_of).len(), 6);
        let report = stage.rollout(start()).await.unwrap();
        assert_eq!(report.status, Status::Blocked, "{report:#?}");
        let report = stage.rollout(command("abort")).await.unwrap();
        assert_eq!(report.status, Status::RolledBack, "{report:#?}");
        stage.simulator.change(|account| {
            account.auto_scaling_groups.get_mut("web-asg").unwrap().suspended.clear();
        });
        assert_as_before(&stage, 6, &format!("{report:#?}")).await;
    });
}

#[test]
fn a_rebalance_and_a_drain_leave_it_alone_and_say_so() {
    play(1462, outdated(1462, |it| it), async |stage| {
        let stage = stage.with("EVENKEEL_BAKE_TIME", "5m");
        until(&stage, "gate").await;
        let writes = stage.writes();
        let report = stage.scheduled().await;
        let is_said = report.blocked.iter().any(|it| it.sentence.contains("a rollout is under way"));
        assert!(is_said || report.blocked.is_empty(), "{report:#?}");
        let report = stage.drain_scheduled().await;
        assert_eq!(report.blocked.len(), 6, "{report:#?}");
        assert!(report.blocked.iter().all(|it| it.sentence.contains("a rollout replaces it")));
        let report = stage.drain(json!({"instanceId": "i-a1", "cluster": "web"})).await.unwrap();
        assert!(report.blocked.iter().any(|it| it.sentence.contains("a rollout replaces it")), "{report:#?}");
        assert_eq!(stage.writes(), writes);
    });
}

#[test]
fn only_what_has_drifted_is_replaced_if_so_asked() {
    play(1461, outdated(1461, |it| it), async |stage| {
        let mut event = start();
        event["onlyIfDrifted"] = true.into();
        let report = stage.rollout(event.clone()).await.unwrap();
        assert_eq!(report.status, Status::Done, "{report:#?}");
        assert_replaced(&stage, 6).await;
        let writes = stage.writes();
        let report = stage.rollout(event).await.unwrap();
        assert_eq!((report.status, stage.writes()), (Status::NothingToDo, writes), "{report:#?}");
    });
}

#[test]
fn a_hundred_instances() {
    play(1470, sized(1470, 100, 3, |it| it), async |stage| {
        let mut reports = vec![stage.rollout(start()).await.unwrap()];
        reports.extend(stage.resumed(10).await);
        assert!(reports.iter().any(|it| it.status == Status::Done), "{reports:#?}");
        assert_eq!(stage.task_seconds_below(), 0);
        assert_replaced(&stage, 100).await;
    });
}
