//! Events that come late, out of order, twice or never; ghosts; and calls that fail.

use evenkeel::report::Status;
use evenkeel_tests::drains::{bare_fleet, fleet, held_fleet, with_hook};
use evenkeel_tests::play;
use simulator::account::ContainerInstanceStatus;
use simulator::account::InterruptionAction::{Stop, Terminate};
use simulator::builder::InstanceBuilder;
use simulator::faults::Rule;

use super::*;

#[test]
fn the_schedule_finds_an_instance_whose_lifecycle_event_was_lost() {
    play(871, held_fleet(871), async |stage| {
        stage.simulator.change(|account| {
            account.auto_scaling_groups.get_mut("web-asg").unwrap().desired_capacity = 5;
        });
        stage.simulator.checkers(|it| it.others_resized("web-asg", (3, 5, 9)));
        let lost = Mishaps { lost_percent: 100, ..Mishaps::default() };
        let lived = stage.live(&mut bus(871, lost), LONG).await;
        let left = stage.simulator.account(|account| account.auto_scaling_groups["web-asg"].instances.len());
        assert_eq!(left, 5, "{lived:#?}\n{}", stage.simulator.timeline());
        assert_quiet_end(&stage, &lived);
    });
}

/// Nobody told us of the interruption; the agent drains its instance by itself. That is all that can be seen, and a
/// person may have done it.
#[test]
fn a_notice_that_reached_only_the_agent_is_reported_as_somebody_elses_drain() {
    let account = fleet(872, |it| it).instance("i-x1", "eu-west-1a", |it| it.spot().agent_drains_on_spot());
    play(872, account.build(), async |stage| {
        stage.simulator.change(|account| spot::interrupt(account, "i-x1", Terminate));
        let lost = Mishaps { lost_percent: 100, ..Mishaps::default() };
        let lived = stage.live(&mut bus(872, lost), Duration::from_mins(2)).await;
        assert!(lived.says("i-x1", "somebody else is draining it"), "{lived:#?}");
        assert_eq!(stage.writes(), 0);
    });
}

#[test]
fn events_that_come_late_and_out_of_order_and_twice_end_the_same() {
    let mishaps =
        Mishaps { late_percent: 50, twice_percent: 50, reordered_percent: 50, ..Mishaps::default() };
    for seed in 873..=876 {
        play(seed, held_fleet(seed), async |stage| {
            let mut bus = bus(seed, mishaps.clone());
            for id in ["i-a1", "i-b2"] {
                stage.simulator.change(|account| spot::interrupt(account, id, Terminate));
            }
            let lived = stage.live(&mut bus, LONG).await;
            assert!(lived.errors.is_empty(), "{lived:#?}");
            assert_eq!(stage.simulator.account(|account| account.machines.len()), 8);
            stage.assert_clean();
        });
    }
}

#[test]
pub(crate) fn a_ghost_is_deregistered_once_its_host_is_known_to_be_gone() {
    play(877, bare_fleet(877), async |stage| {
        stage.simulator.change(|account| {
            let instances = &mut account.clusters.get_mut("web").unwrap().container_instances;
            let instance = instances.values_mut().find(|it| it.ec2_instance_id == "i-a1").unwrap();
            instance.agent_connected = false;
            spot::reclaim(account, "i-a1");
        });
        let lived = stage.live(&mut bus(877, Mishaps::default()), LONG).await;
        let status = stage.simulator.account(|account| {
            let mut instances = account.clusters["web"].container_instances.values();
            instances.find(|it| it.ec2_instance_id == "i-a1").map(|it| it.status)
        });
        let is_gone = status.is_none_or(|it| it == ContainerInstanceStatus::Inactive);
        assert!(is_gone, "{status:?}: {lived:#?}\n{}", stage.simulator.timeline());
        assert_eq!(called(&stage, "DeregisterContainerInstance"), 1, "{lived:#?}");
    });
}

#[test]
fn an_instance_that_dies_with_its_agent_connected_is_left_to_ecs() {
    play(878, bare_fleet(878), async |stage| {
        stage.simulator.change(|account| spot::reclaim(account, "i-a1"));
        let lived = stage.live(&mut bus(878, Mishaps::default()), LONG).await;
        assert_eq!(called(&stage, "DeregisterContainerInstance"), 0, "{lived:#?}");
        assert!(lived.errors.is_empty());
    });
}

/// The interruption that was announced never comes; twelve minutes after the notice the instance takes tasks again.
#[test]
pub(crate) fn an_instance_that_was_not_taken_is_given_back() {
    play(879, bare_fleet(879), async |stage| {
        let mut bus = bus(879, Mishaps::default());
        stage.simulator.change(|account| {
            spot::interrupt(account, "i-a1", Stop);
            let machine = account.machines.get_mut("i-a1").unwrap();
            machine.interruption = None;
        });
        let lived = stage.live(&mut bus, Duration::from_mins(20)).await;
        let status = stage.simulator.account(|account| {
            let mut instances = account.clusters["web"].container_instances.values();
            instances.find(|it| it.ec2_instance_id == "i-a1").map(|it| it.status)
        });
        assert_eq!(
            status,
            Some(ContainerInstanceStatus::Active),
            "{lived:#?}\n{}",
            stage.simulator.timeline()
        );
        assert_quiet_end(&stage, &lived);
    });
}

#[test]
fn a_detached_instance_that_lives_on_is_reported_as_orphaned() {
    play(880, bare_fleet(880), async |stage| {
        let mut bus = bus(880, Mishaps::default());
        stage.simulator.change(|account| {
            spot::interrupt(account, "i-a1", Terminate);
            account.machines.get_mut("i-a1").unwrap().interruption = None;
        });
        let lived = stage.live(&mut bus, Duration::from_mins(20)).await;
        assert!(lived.says("i-a1", "nobody will terminate it"), "{lived:#?}\n{}", stage.simulator.timeline());
        stage.assert_promises();
    });
}

fn under(seed: u64, rules: &[Rule]) {
    for account in [bare_fleet(seed), held_fleet(seed)] {
        play(seed, account, async |stage| {
            for rule in rules {
                stage.simulator.rule(rule.clone());
            }
            let mut bus = bus(seed, Mishaps::default());
            stage.simulator.change(|account| spot::interrupt(account, "i-a1", Terminate));
            let lived = stage.live(&mut bus, Duration::from_mins(5)).await;
            stage.simulator.clear_rules();
            let _ = stage.live(&mut bus, LONG).await;
            let words = || format!("{lived:#?}\n{}", stage.simulator.timeline());
            assert_eq!(stage.simulator.account(|account| account.machines.len()), 7, "{}", words());
            assert!(stage.drained("i-a1").draining_after.is_some_and(|it| it <= 30), "{}", words());
            assert!(
                stage.drained("i-a1").substitute_launched_after.is_some_and(|it| it <= 45),
                "{}",
                words()
            );
            stage.assert_clean();
        });
    }
}

#[test]
fn throttled_one_call_in_ten() {
    (881..=884).for_each(|seed| under(seed, &[Rule::throttle(0.10)]));
}

#[test]
fn answers_get_lost_and_calls_fail() {
    (885..=888).for_each(|seed| under(seed, &[Rule::lose_response(0.10), Rule::server_error(0.10)]));
}

#[test]
fn reads_lag_behind_and_miss_entries() {
    let rules = [Rule::stale_read(0.2, Duration::from_secs(8)), Rule::missing_entry(0.1)];
    (889..=892).for_each(|seed| under(seed, &rules));
}

#[test]
fn a_busy_group_is_asked_again() {
    (893..=896).for_each(|seed| {
        under(seed, &[Rule::scaling_activity_in_progress(0.5), Rule::resource_contention(0.3)]);
    });
}

/// Lambda may hand over an event hours late: the instance that was not taken is left in peace.
#[test]
fn a_notice_that_comes_after_its_deadline_changes_nothing() {
    for account in [bare_fleet(897), held_fleet(897)] {
        play(897, account, async |stage| {
            let event = json!({"detail-type": WARNING, "time": "2026-01-02T02:00:00Z", "region": "eu-west-1",
                "detail": {"instance-id": "i-a1", "instance-action": "terminate"}});
            let report = stage.drain(event).await.unwrap();
            assert_eq!((codes(&report), stage.writes()), (vec!["noticeTooOld".to_owned()], 0), "{report:#?}");
        });
    }
}

/// The agent has lost its data and registered anew; what is left of the old registration has no tasks.
#[test]
fn an_instance_that_is_registered_twice_is_never_taken_for_empty() {
    let account = fleet(898, with_hook).instance("i-a1", "eu-west-1a", InstanceBuilder::disconnected).build();
    play(898, account, async |stage| {
        let report = stage.drain(command("i-a1")).await.unwrap();
        assert_eq!(
            called(&stage, "CompleteLifecycleAction"),
            0,
            "{report:#?}\n{}",
            stage.simulator.timeline()
        );
        assert!(stage.simulator.violations().is_empty(), "{:#?}", stage.simulator.violations());
    });
}

#[test]
fn a_cluster_that_cannot_be_read_keeps_nobody_else_waiting() {
    play(899, held_fleet(899), async |stage| {
        let stage = stage.with("EVENKEEL_CLUSTERS", "web,nowhere");
        stage.simulator.change(|account| {
            account.auto_scaling_groups.get_mut("web-asg").unwrap().desired_capacity = 5;
        });
        stage.simulator.checkers(|it| it.others_resized("web-asg", (3, 5, 9)));
        let lost = Mishaps { lost_percent: 100, ..Mishaps::default() };
        let lived = stage.live(&mut bus(899, lost), LONG).await;
        let left = stage.simulator.account(|account| account.auto_scaling_groups["web-asg"].instances.len());
        let told =
            lived.reports.iter().all(|it| it.status == Status::Failed && it.errors[0].contains("nowhere"));
        assert!(told && !lived.reports.is_empty(), "{lived:#?}");
        // Whether it is registered in the other cluster too cannot be told, so that it is held, and kept alive.
        assert_eq!(
            (left, called(&stage, "CompleteLifecycleAction")),
            (6, 0),
            "{}",
            stage.simulator.timeline()
        );
        assert!(called(&stage, "RecordLifecycleActionHeartbeat") > 5);
        stage.assert_promises();
    });
}
