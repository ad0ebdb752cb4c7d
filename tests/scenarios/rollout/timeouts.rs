//! Times that run out: shortages, instances that never come, instances that never get empty.

use evenkeel_tests::clusters::ZONES;
use evenkeel_tests::play;
use evenkeel_tests::rollouts::{codes, command, outdated, start};
use simulator::account::{Account, Market};

use super::*;

/// From the first, in the middle, and for ever.
#[test]
fn a_shortage_for_ever_is_waited_for_no_longer_than_may_be() {
    play(1320, outdated(1320, |it| it), async |stage| {
        stage.simulator.change(|account| shortage(account, 0));
        let report = stage.rollout(start()).await.unwrap();
        assert_eq!(report.status, Status::InProgress);
        assert!(codes(&report).contains(&"waitsForInstances".to_owned()), "{report:#?}");
        assert!(report.blocked[0].sentence.contains("no Spot capacity"), "{report:#?}");
        let reports = stage.resumed(10).await;
        assert!(reports.iter().any(|it| it.status == Status::RolledBack), "{reports:#?}");
        stage.simulator.change(|account| shortage(account, 1000));
        assert_as_before(&stage, 6, &format!("{reports:#?}")).await;
        let tags = stage.simulator.account(|it| it.auto_scaling_groups["web-asg"].tags.clone());
        assert_eq!(tags["evenkeel:rollout-rejected"].value, "2:launchTimeout");
    });
}

#[test]
fn what_a_shortage_leaves_is_replaced_in_smaller_waves() {
    play(1321, outdated(1321, |it| it), async |stage| {
        let stage = stage.with("EVENKEEL_LAUNCH_TIMEOUT", "5m");
        stage.simulator.change(|account| shortage(account, 2));
        let more = async {
            tokio::time::sleep(Duration::from_mins(6)).await;
            stage.simulator.change(|account| shortage(account, 1000));
        };
        let rolled = async {
            let first = stage.rollout(start()).await.unwrap();
            let mut reports = vec![first];
            reports.extend(stage.resumed(10).await);
            reports
        };
        let (reports, ()) = tokio::join!(rolled, more);
        assert!(
            reports.iter().any(|it| it.status == Status::Done),
            "{reports:#?}\n{}",
            stage.simulator.timeline()
        );
        assert_eq!(stage.task_seconds_below(), 0);
        assert_replaced(&stage, 6).await;
    });
}

#[test]
fn a_shortage_that_stays_in_the_middle_ends_it_with_what_is_done() {
    play(1322, outdated(1322, |it| it), async |stage| {
        let stage = stage.with("EVENKEEL_LAUNCH_TIMEOUT", "3m");
        stage.simulator.change(|account| shortage(account, 2));
        let first = stage.rollout(start()).await.unwrap();
        let mut reports = vec![first];
        reports.extend(stage.resumed(10).await);
        stage.simulator.change(|account| shortage(account, 1000));
        tokio::time::sleep(Duration::from_mins(5)).await;
        let words = || format!("{reports:#?}\n{}", stage.simulator.timeline());
        assert!(reports.iter().any(|it| it.status == Status::Aborted), "{}", words());
        let (images, listed) = stage.simulator.account(images);
        let new = images.iter().filter(|it| *it == NEW_IMAGE).count();
        assert_eq!((new, listed), (2, 6), "{}", words());
        assert_eq!(stage.task_seconds_below(), 0);
        stage.assert_clean();
    });
}

/// New instances run and never join the cluster.
#[test]
pub(crate) fn new_instances_that_never_register_are_taken_back() {
    let mut account = outdated(1330, |it| it);
    account.launch_templates.get_mut("web").unwrap().versions.get_mut(&2).unwrap().joins = None;
    play(1330, account, async |stage| {
        let mut reports = vec![stage.rollout(start()).await.unwrap()];
        reports.extend(stage.resumed(10).await);
        assert!(reports.iter().any(|it| it.status == Status::RolledBack), "{reports:#?}");
        assert_as_before(&stage, 6, &format!("{reports:#?}")).await;
    });
}

/// A standalone task keeps an old instance from getting empty.
#[test]
fn a_drain_that_never_ends_is_taken_back_or_held_or_forced() {
    let account = |seed| {
        let mut account = outdated(seed, |it| it);
        standalone(&mut account, "i-a1");
        account
    };
    for (seed, policy) in (1340..).zip(["rollback", "hold", "force"]) {
        play(seed, account(seed), async |stage| {
            let stage = stage.with("EVENKEEL_ON_DRAIN_TIMEOUT", policy).with("EVENKEEL_DRAIN_TIMEOUT", "5m");
            if policy == "force" {
                let at = stage.simulator.now() + Duration::from_mins(5);
                stage.simulator.checkers(|it| it.allow_kill_from("i-a1", at));
            }
            let mut reports = vec![stage.rollout(start()).await.unwrap()];
            reports.extend(stage.resumed(6).await);
            let words = format!("{policy} {reports:#?}");
            match policy {
                "rollback" => {
                    assert!(reports.iter().any(|it| it.status == Status::RolledBack), "{words}");
                    assert_as_before(&stage, 6, &words).await;
                }
                "hold" => {
                    let held = reports.last().unwrap();
                    assert!(codes(held).contains(&"held".to_owned()), "{words}");
                    let report = stage.rollout(command("abort")).await.unwrap();
                    assert_as_before(&stage, 6, &format!("{report:#?}")).await;
                }
                _ => {
                    tokio::time::sleep(Duration::from_mins(3)).await;
                    let (images, _) = stage.simulator.account(images);
                    assert_eq!(images, vec![NEW_IMAGE; 6], "{words}\n{}", stage.simulator.timeline());
                }
            }
        });
    }
}

fn standalone(account: &mut Account, instance: &str) {
    let cluster = account.clusters.get_mut("web").unwrap();
    let arn =
        cluster.container_instances.values().find(|it| it.ec2_instance_id == instance).unwrap().arn.clone();
    let mut tasks = cluster.tasks.values_mut();
    let task =
        tasks.find(|it| it.container_instance.as_ref() == Some(&arn) && it.group == "service:mail").unwrap();
    "family:by-hand".clone_into(&mut task.group);
    task.started_by = None;
    cluster.services.get_mut("mail").unwrap().desired_count -= 1;
}

/// Spot gives this many machines more, in the first zone; a thousand end the shortage.
fn shortage(account: &mut Account, left: u32) {
    let until = account.now + Duration::from_hours(48);
    for (zone, left) in ZONES.iter().zip([left, 0, 0]) {
        if left >= 1000 {
            for zone in ZONES {
                account.has_capacity_again(zone, Market::Spot);
            }
            return;
        }
        account.run_short(zone, Market::Spot, left, until);
    }
}
