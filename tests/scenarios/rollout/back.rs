//! The way back: an abort in each phase, beside others, and under faults.

use evenkeel_tests::drains::bus;
use evenkeel_tests::play;
use evenkeel_tests::rollouts::{command, outdated, sized, start};
use simulator::account::{ContainerInstanceStatus, InterruptionAction};
use simulator::event_bridge::Mishaps;
use simulator::faults::Rule;
use simulator::scheduler::spot;

use super::*;

/// A failed abort is said, and does not go on with the rollout meanwhile.
#[test]
fn an_abort_that_cannot_be_written_goes_no_step_forward() {
    play(1350, outdated(1350, |it| it), async |stage| {
        let stage = stage.with("EVENKEEL_BAKE_TIME", "30s");
        until(&stage, "drain").await;
        stage.simulator.rule(Rule::deny("CreateOrUpdateTags"));
        let report = stage.rollout(command("abort")).await.unwrap();
        assert_eq!(report.status, Status::Failed, "{report:#?}");
        assert_eq!(called(&stage, "TerminateInstanceInAutoScalingGroup"), 0);
        stage.simulator.clear_rules();
        let report = stage.rollout(command("abort")).await.unwrap();
        assert_eq!(report.status, Status::RolledBack, "{report:#?}");
        assert_as_before(&stage, 6, &format!("{report:#?}")).await;
    });
}

/// The invocation that goes forward is alive while another one takes the rollout back.
#[test]
fn an_abort_beside_a_living_invocation_wins() {
    for (seed, seconds) in (1351..).zip([1, 4, 7, 30, 70, 100, 125]) {
        play(seed, outdated(seed, |it| it), async |stage| {
            let abort = async {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                stage.rollout(command("abort")).await.unwrap()
            };
            let (first, abort) = tokio::join!(stage.rollout(start()), abort);
            let _ = stage.resumed(5).await;
            assert_as_before(&stage, 6, &format!("{seconds} {first:#?} {abort:#?}")).await;
        });
    }
}

/// EC2 takes an old one, or a new one, on the way back.
#[test]
fn interruptions_on_the_way_back() {
    for (seed, seconds) in (1360..).zip([1, 6, 20, 50, 80]) {
        for is_old in [true, false] {
            play(seed, outdated(seed, |it| it), async |stage| {
                let stage = stage.with("EVENKEEL_BAKE_TIME", "5m");
                until(&stage, "gate").await;
                let mut bus = bus(seed, Mishaps::default());
                let interrupt = async {
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                    stage.simulator.change(|account| {
                        let all = account.auto_scaling_groups["web-asg"].instances.keys();
                        let one = all.filter(|id| id.starts_with("i-0") != is_old).max().cloned();
                        let one = one.unwrap_or("i-b1".to_owned());
                        spot::interrupt(account, &one, InterruptionAction::Terminate);
                    });
                };
                let aborted = async {
                    let _ = stage.rollout(command("abort")).await.unwrap();
                    stage.resumed(20).await
                };
                let live = stage.live(&mut bus, Duration::from_mins(25));
                let (reports, lived, ()) = tokio::join!(aborted, live, interrupt);
                let words =
                    || format!("{seconds} {is_old} {reports:#?} {lived:#?}\n{}", stage.simulator.timeline());
                assert!(lived.errors.is_empty(), "{}", words());
                tokio::time::sleep(Duration::from_mins(5)).await;
                let (images, listed) = stage.simulator.account(images);
                let old = images.iter().filter(|it| *it == "ami-1").count();
                assert!(images.len() == 6 && listed == 6 && old >= 5 - usize::from(is_old), "{}", words());
                let draining = stage.simulator.account(|account| {
                    let all = account.clusters["web"].container_instances.values();
                    all.filter(|it| it.status == ContainerInstanceStatus::Draining).count()
                });
                assert_eq!(draining, 0, "{}", words());
                stage.assert_clean();
            });
        }
    }
}

/// Calls fail, answers are lost, reads are stale on the way back.
#[test]
fn faults_on_the_way_back() {
    for seed in 1370..1376 {
        play(seed, outdated(seed, |it| it), async |stage| {
            let stage = stage.with("EVENKEEL_BAKE_TIME", "5m");
            until(&stage, "gate").await;
            bad_weather(&stage);
            for _ in 0..10 {
                let _ = stage.rollout(command("abort")).await;
                tokio::time::sleep(Duration::from_mins(1)).await;
            }
            stage.simulator.clear_rules();
            let _ = stage.rollout(command("abort")).await.unwrap();
            let reports = stage.resumed(10).await;
            assert_as_before(&stage, 6, &format!("{reports:#?}")).await;
        });
    }
}

/// Somebody lowers the desired capacity while more than that count: nobody is chosen for it.
#[test]
fn a_lower_size_in_the_middle_of_the_way_back_kills_nobody() {
    play(1380, outdated(1380, |it| it), async |stage| {
        let stage = stage.with("EVENKEEL_BAKE_TIME", "5m");
        until(&stage, "gate").await;
        let lowered = async {
            loop {
                tokio::time::sleep(Duration::from_millis(500)).await;
                let is_full =
                    stage.simulator.account(|it| it.auto_scaling_groups["web-asg"].desired_capacity == 12);
                if is_full {
                    break;
                }
            }
            stage.simulator.change(|account| {
                account.auto_scaling_groups.get_mut("web-asg").unwrap().desired_capacity = 6;
            });
        };
        let (report, ()) = tokio::join!(stage.rollout(command("abort")), lowered);
        assert_as_before(&stage, 6, &format!("{report:#?}")).await;
    });
}

/// Lets a rollout run until its record names this phase, then leaves it to itself as a dead invocation does.
pub(crate) async fn until(stage: &Stage, phase: &str) {
    let words = format!("1:{phase}:");
    let reached = async {
        loop {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let tags = stage.simulator.account(|it| it.auto_scaling_groups["web-asg"].tags.clone());
            if tags.get("evenkeel:rollout").is_some_and(|it| it.value.starts_with(&words)) {
                break;
            }
        }
    };
    tokio::select! {
        ended = stage.rollout(start()) => panic!("it ends before {phase}: {ended:#?}"),
        () = reached => {}
    }
}

#[test]
fn an_abort_before_the_first_termination_takes_everything_back() {
    for (seed, phase) in (1301..).zip(["mark", "surge", "drain", "gate"]) {
        play(seed, outdated(seed, |it| it), async |stage| {
            let stage = stage.with("EVENKEEL_BAKE_TIME", "5m");
            until(&stage, phase).await;
            let report = stage.rollout(command("abort")).await.unwrap();
            let words = format!("{phase} {report:#?}");
            assert_eq!(report.status, Status::RolledBack, "{words}\n{}", stage.simulator.timeline());
            assert_eq!(stage.task_seconds_below(), 0, "{words}");
            assert_as_before(&stage, 6, &words).await;
        });
    }
}

#[test]
fn an_abort_in_the_middle_of_a_surge_takes_it_back() {
    for after in [3, 15, 30, 60] {
        play(1310, outdated(1310, |it| it), async |stage| {
            until(&stage, "surge").await;
            let _ = tokio::time::timeout(Duration::from_secs(after), stage.rollout(command("resume"))).await;
            let report = stage.rollout(command("abort")).await.unwrap();
            assert_as_before(&stage, 6, &format!("{after} {report:#?}")).await;
        });
    }
}

#[test]
fn an_abort_after_the_first_wave_leaves_what_is_done() {
    play(1311, sized(1311, 6, 3, |it| it), async |stage| {
        let stage = stage.with("EVENKEEL_SURGE_PERCENT", "34");
        until(&stage, "retire").await;
        let report = stage.rollout(command("abort")).await.unwrap();
        let words = format!("{report:#?}\n{}", stage.simulator.timeline());
        assert_eq!(report.status, Status::Aborted, "{words}");
        tokio::time::sleep(Duration::from_mins(3)).await;
        let (images, listed) = stage.simulator.account(images);
        let new = images.iter().filter(|it| *it == NEW_IMAGE).count();
        assert_eq!((new, listed), (3, 6), "{words}");
        stage.assert_clean();
    });
}
