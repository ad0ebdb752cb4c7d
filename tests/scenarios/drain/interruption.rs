//! One interruption: DRAINING and a substitute at once, whatever the group is like.

use evenkeel::plan::drain::record::Asked;
use evenkeel::report::Status;
use evenkeel_tests::drains::{bare_fleet, fleet, held_fleet, with_hook};
use evenkeel_tests::play;
use simulator::account::InterruptionAction::{Hibernate, Stop, Terminate};
use simulator::builder::InstanceBuilder;
use simulator::switches::Switches;

use super::*;

#[test]
pub(crate) fn an_interrupted_instance_is_detached_and_its_substitute_comes_at_once() {
    for seed in 801..=805 {
        play(seed, bare_fleet(seed), async |stage| {
            let lived = interrupted(&stage, seed, "i-a1", Terminate).await;
            let words = || format!("{lived:#?}\n{}", stage.simulator.timeline());
            let seen = stage.drained("i-a1");
            assert!(seen.draining_after.is_some_and(|it| it <= 3), "{seen:#?}\n{}", words());
            assert!(seen.substitute_launched_after.is_some_and(|it| it <= 10), "{seen:#?}\n{}", words());
            assert!(seen.empty_after.is_some_and(|it| it < 120), "{seen:#?}\n{}", words());
            let clock = lived.clock_of("i-a1");
            assert!(clock.replacement_requested_at.is_some(), "{}", words());
            assert!(
                clock.empty_at > clock.tasks_elsewhere_at && clock.in_service_at.is_some(),
                "{}",
                words()
            );
            assert_eq!((called(&stage, "DetachInstances"), seen.missing), (1, 0), "{}", words());
            assert_quiet_end(&stage, &lived);
        });
    }
}

/// Two round trips to DRAINING and three to the substitute: no call that is waited for comes before them.
#[test]
fn draining_is_in_the_second_round_trip_and_the_substitute_in_the_third() {
    for (account, ask) in
        [(bare_fleet(806), "DetachInstances"), (held_fleet(806), "TerminateInstanceInAutoScalingGroup")]
    {
        play(806, account, async |stage| {
            stage.simulator.change(|account| spot::interrupt(account, "i-a1", Terminate));
            let _ = stage.drain(stage.emitted(WARNING)).await;
            let calls: Vec<String> = stage.simulator.calls().into_iter().map(|it| it.operation).collect();
            let at = |name: &str| calls.iter().position(|it| it == name).unwrap();
            let before_draining = ["DescribeAutoScalingInstances", "ListContainerInstances"];
            let mut first = calls[..2].to_vec();
            first.sort();
            assert_eq!(first, before_draining);
            assert!(at("UpdateContainerInstancesState") < 8 && at("PutAttributes") < 8, "{calls:?}");
            let second = &calls[2..at(ask)];
            let others = ["ListTasks", "DescribeTasks", "DescribeServices", "GetTaskProtection"];
            assert!(others.iter().all(|it| !second.contains(&(*it).to_owned())), "{calls:?}");
        });
    }
}

#[test]
fn a_hook_of_ours_holds_an_interrupted_instance_while_its_substitute_comes() {
    for seed in 811..=815 {
        play(seed, held_fleet(seed), async |stage| {
            let lived = interrupted(&stage, seed, "i-a1", Terminate).await;
            let words = || format!("{lived:#?}\n{}", stage.simulator.timeline());
            let seen = stage.drained("i-a1");
            assert!(seen.substitute_launched_after.is_some_and(|it| it <= 10), "{seen:#?}\n{}", words());
            assert_eq!(called(&stage, "TerminateInstanceInAutoScalingGroup"), 1, "{}", words());
            assert!(lived.of("i-a1").iter().any(|it| it.stage == DrainStage::Empty), "{}", words());
            assert_quiet_end(&stage, &lived);
        });
    }
}

#[test]
fn a_group_that_launches_only_once_the_old_one_is_gone_gets_it_as_early_as_can_be() {
    let waits = Switches { substitute_waits_for_hook: true, ..Switches::default() };
    play(816, fleet(816, with_hook).switches(waits).build(), async |stage| {
        let lived = interrupted(&stage, 816, "i-a1", Terminate).await;
        let seen = stage.drained("i-a1");
        let (empty, launched) = (seen.empty_after.unwrap(), seen.substitute_launched_after.unwrap());
        assert!(launched <= empty + 60, "{seen:#?}\n{}", stage.simulator.timeline());
        assert_quiet_end(&stage, &lived);
    });
}

#[test]
fn a_group_at_its_maximum_is_served_as_well() {
    play(817, fleet(817, |it| it.size(3, 6, 6)).build(), async |stage| {
        let lived = interrupted(&stage, 817, "i-b1", Terminate).await;
        assert!(stage.drained("i-b1").substitute_launched_after.is_some_and(|it| it <= 10));
        assert_quiet_end(&stage, &lived);
    });
}

#[test]
fn the_only_instance_of_a_group_is_replaced_too() {
    let one = |it: simulator::builder::GroupBuilder| it.size(1, 1, 1).instances(&[("i-a1", "eu-west-1a")]);
    let account = simulator::builder::AccountBuilder::new(818)
        .cluster("web")
        .launch_template("web", |it| it.spot().version("ami-1"))
        .auto_scaling_group("web-asg", |it| one(it.zones(&["eu-west-1a"])))
        .task_definition("app", |it| it.cpu(128).memory(256))
        .service("app", |it| it.on(&["i-a1"]))
        .build();
    play(818, account, async |stage| {
        let lived = interrupted(&stage, 818, "i-a1", Terminate).await;
        let seen = stage.drained("i-a1");
        assert!(seen.substitute_registered_after.is_some_and(|it| it < 110), "{seen:#?}");
        assert_eq!(seen.missing, 0, "{seen:#?}\n{}", stage.simulator.timeline());
        assert_quiet_end(&stage, &lived);
    });
}

#[test]
fn thirty_nine_seconds_are_used_from_the_first_on() {
    play(819, bare_fleet(819), async |stage| {
        stage.simulator.change(|account| spot::interrupt_within(account, "i-a1", Terminate, 39));
        let lived = stage.live(&mut bus(819, Mishaps::default()), LONG).await;
        let seen = stage.drained("i-a1");
        assert!(seen.draining_after.is_some_and(|it| it <= 3), "{seen:#?}\n{}", stage.simulator.timeline());
        assert!(seen.substitute_launched_after.is_some_and(|it| it <= 10), "{seen:#?}");
        assert!(lived.errors.is_empty());
        stage.assert_clean();
    });
}

#[test]
fn an_instance_that_is_draining_already_gets_the_same_care() {
    for draining_again_succeeds in [true, false] {
        let switches = Switches { draining_again_succeeds, ..Switches::default() };
        play(820, fleet(820, with_hook).switches(switches).build(), async |stage| {
            stage.simulator.change(|account| {
                let instances = &mut account.clusters.get_mut("web").unwrap().container_instances;
                let instance = instances.values_mut().find(|it| it.ec2_instance_id == "i-a1").unwrap();
                instance.status = simulator::account::ContainerInstanceStatus::Draining;
                let arn = instance.arn.clone();
                (arn, ())
            });
            let lived = interrupted(&stage, 820, "i-a1", Terminate).await;
            assert!(stage.drained("i-a1").substitute_launched_after.is_some_and(|it| it <= 10));
            assert!(lived.of("i-a1").iter().any(|it| it.stage == DrainStage::Empty), "{lived:#?}");
            assert_quiet_end(&stage, &lived);
        });
    }
}

#[test]
fn a_notice_that_comes_twice_asks_for_one_substitute() {
    for account in [bare_fleet(821), held_fleet(821)] {
        play(821, account, async |stage| {
            let twice = Mishaps { twice_percent: 100, ..Mishaps::default() };
            stage.simulator.change(|account| spot::interrupt(account, "i-a1", Terminate));
            let lived = stage.live(&mut bus(821, twice), LONG).await;
            let launched = stage.simulator.account(|account| account.machines.len());
            assert_eq!(launched, 7, "{lived:#?}\n{}", stage.simulator.timeline());
            assert_quiet_end(&stage, &lived);
        });
    }
}

#[test]
fn a_recommendation_is_ignored_by_default_and_the_interruption_after_it_is_not() {
    play(822, bare_fleet(822), async |stage| {
        stage.simulator.change(|account| spot::recommend(account, "i-a1"));
        let lived = stage.live(&mut bus(822, Mishaps::default()), Duration::from_mins(2)).await;
        assert_eq!(stage.writes(), 0, "{lived:#?}");
        assert!(lived.says("i-a1", "EVENKEEL_ON_REBALANCE_RECOMMENDATION is ignore"), "{lived:#?}");
        let lived = interrupted(&stage, 822, "i-a1", Terminate).await;
        assert_quiet_end(&stage, &lived);
    });
}

#[test]
fn a_recommendation_can_replace_an_instance_that_a_hook_holds_until_it_is_empty() {
    play(823, held_fleet(823), async |stage| {
        let stage = stage.with("EVENKEEL_ON_REBALANCE_RECOMMENDATION", "replace");
        stage.simulator.change(|account| spot::recommend(account, "i-a1"));
        let lived = stage.live(&mut bus(823, Mishaps::default()), LONG).await;
        let seen = stage.drained("i-a1");
        assert!(seen.empty_after < seen.ended_after, "{seen:#?}\n{}", stage.simulator.timeline());
        assert_eq!(stage.simulator.account(|account| account.machines.len()), 7);
        assert_quiet_end(&stage, &lived);
    });
}

#[test]
fn a_recommendation_followed_by_the_interruption_keeps_the_nearer_deadline() {
    play(824, held_fleet(824), async |stage| {
        let stage = stage.with("EVENKEEL_ON_REBALANCE_RECOMMENDATION", "replace");
        let mut bus = bus(824, Mishaps::default());
        stage.simulator.change(|account| spot::recommend(account, "i-a1"));
        let mut lived = stage.live(&mut bus, Duration::from_secs(5)).await;
        stage.simulator.change(|account| spot::interrupt(account, "i-a1", Terminate));
        let later = stage.live(&mut bus, LONG).await;
        lived.reports.extend(later.reports);
        assert_eq!(stage.simulator.account(|account| account.machines.len()), 7, "{lived:#?}");
        assert_quiet_end(&stage, &lived);
    });
}

/// Nothing takes the instance out of its group but its own stop, after which the group's health check replaces it.
#[test]
fn what_is_stopped_or_hibernated_is_drained_and_left_to_its_group() {
    for (seed, action) in [(825, Stop), (826, Hibernate)] {
        play(seed, bare_fleet(seed), async |stage| {
            let lived = interrupted(&stage, seed, "i-a1", action).await;
            assert!(lived.clock_of("i-a1").draining_at.is_some());
            assert_eq!(called(&stage, "DetachInstances"), 0);
            let is_told =
                ["does not terminate it", "is already taking it out"].map(|it| lived.says("i-a1", it));
            assert!(is_told.contains(&true), "{lived:#?}");
            assert!(lived.errors.is_empty(), "{lived:#?}");
            stage.assert_clean();
        });
    }
}

#[test]
fn an_instance_in_no_group_is_drained_and_not_replaced() {
    let account = fleet(827, |it| it).instance("i-x1", "eu-west-1a", InstanceBuilder::spot).build();
    play(827, account, async |stage| {
        let lived = interrupted(&stage, 827, "i-x1", Terminate).await;
        assert!(stage.drained("i-x1").draining_after.is_some_and(|it| it <= 3));
        assert!(lived.says("i-x1", "it is in no Auto Scaling group"), "{lived:#?}");
        assert_quiet_end(&stage, &lived);
    });
}

#[test]
fn an_instance_of_no_configured_cluster_ends_quickly_and_says_so() {
    play(828, bare_fleet(828), async |stage| {
        let event = |id: &str| {
            json!({"detail-type": WARNING, "time": "2026-01-02T03:04:05Z", "region": "eu-west-1",
                "detail": {"instance-id": id, "instance-action": "terminate"}})
        };
        let report = stage.drain(event("i-0fedcba9876543210")).await.unwrap();
        assert_eq!((report.status, codes(&report)), (Status::NothingToDo, vec!["notInCluster".to_owned()]));
        assert_eq!((stage.simulator.calls().len(), stage.writes()), (2, 0));
    });
}

#[test]
fn a_notice_of_an_instance_that_is_long_gone_changes_nothing() {
    play(829, bare_fleet(829), async |stage| {
        let lived = interrupted(&stage, 829, "i-a1", Terminate).await;
        assert_quiet_end(&stage, &lived);
        let (event, writes) = (stage.emitted(WARNING), stage.writes());
        let report = stage.drain(event).await.unwrap();
        assert_eq!((report.status, stage.writes()), (Status::NothingToDo, writes), "{report:#?}");
    });
}

#[test]
fn the_setting_none_drains_and_leaves_the_rest_to_the_group() {
    play(830, bare_fleet(830), async |stage| {
        let stage = stage.with("EVENKEEL_REPLACEMENT", "none");
        let lived = interrupted(&stage, 830, "i-a1", Terminate).await;
        assert!(lived.says("i-a1", "EVENKEEL_REPLACEMENT is none"), "{lived:#?}");
        assert_eq!(called(&stage, "DetachInstances"), 0);
        assert_quiet_end(&stage, &lived);
    });
}

#[test]
fn a_dry_run_says_what_it_would_do_and_writes_nothing() {
    play(831, bare_fleet(831), async |stage| {
        let stage = stage.with("EVENKEEL_DRY_RUN", "true");
        stage.simulator.change(|account| spot::interrupt(account, "i-a1", Terminate));
        let report = stage.drain(stage.emitted(WARNING)).await.unwrap();
        let planned: Vec<&str> = report.actions.iter().map(|it| it.operation).collect();
        assert!(planned.contains(&"DetachInstances") && planned.contains(&"UpdateContainerInstancesState"));
        assert_eq!((stage.writes(), report.dry_run), (0, true), "{report:#?}");
        assert_eq!(report.instances[0].replacement, None::<Asked>, "nothing was asked for");
    });
}
