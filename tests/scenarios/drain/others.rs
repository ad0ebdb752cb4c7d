//! Other actors at work on the same instance: ECS's own draining, capacity rebalancing, protections, people.

use evenkeel::report::Status;
use evenkeel_tests::drains::{bare_fleet, fleet, held_fleet, with_hook};
use evenkeel_tests::play;
use simulator::account::Account;
use simulator::account::ContainerInstanceStatus;
use simulator::account::InterruptionAction::Terminate;
use simulator::builder::CapacityProviderBuilder;

use super::*;

fn with_managed_draining(seed: u64) -> Account {
    let zones = evenkeel_tests::clusters::ZONES;
    let all = [("i-a1", 0), ("i-a2", 0), ("i-b1", 1), ("i-b2", 1), ("i-c1", 2), ("i-c2", 2)];
    let places = all.map(|(id, zone)| (id, zones[zone]));
    simulator::builder::AccountBuilder::new(seed)
        .cluster("web")
        .launch_template("web", |it| it.spot().capacity_provider("spot").size(4096, 15_360).version("ami-1"))
        .auto_scaling_group("web-asg", |it| it.zones(&zones).size(3, 6, 9).instances(&places))
        .capacity_provider("spot", "web-asg", CapacityProviderBuilder::managed_draining)
        .task_definition("app", |it| it.cpu(128).memory(256))
        .service("app", |it| {
            it.capacity_provider("spot", 0, 1).on(&["i-a1", "i-a2", "i-b1", "i-b2", "i-c1", "i-c2"])
        })
        .build()
}

#[test]
fn with_managed_draining_the_substitute_comes_at_once_and_its_hook_is_left_alone() {
    play(911, with_managed_draining(911), async |stage| {
        let lived = interrupted(&stage, 911, "i-a1", Terminate).await;
        let words = || format!("{lived:#?}\n{}", stage.simulator.timeline());
        assert!(stage.drained("i-a1").substitute_launched_after.is_some_and(|it| it <= 10), "{}", words());
        assert_eq!(called(&stage, "CompleteLifecycleAction"), 0, "{}", words());
        assert_eq!(called(&stage, "RecordLifecycleActionHeartbeat"), 0, "{}", words());
        assert_quiet_end(&stage, &lived);
    });
}

#[test]
fn nothing_is_asked_of_a_group_that_must_not_launch() {
    play(913, fleet(913, |it| it.suspends(&["Launch"])).build(), async |stage| {
        let lived = interrupted(&stage, 913, "i-a1", Terminate).await;
        assert!(lived.says("i-a1", "its process Launch is suspended"), "{lived:#?}");
        assert_eq!(called(&stage, "DetachInstances"), 0);
    });
}

#[test]
fn what_capacity_rebalancing_has_substituted_gets_no_second_one() {
    play(914, fleet(914, |it| with_hook(it.capacity_rebalance())).build(), async |stage| {
        let mut bus = bus(914, Mishaps::default());
        stage.simulator.change(|account| spot::recommend(account, "i-a1"));
        let _ = stage.live(&mut bus, Duration::from_secs(8)).await;
        stage.simulator.change(|account| spot::interrupt(account, "i-a1", Terminate));
        let lived = stage.live(&mut bus, LONG).await;
        let machines = stage.simulator.account(|account| account.machines.len());
        assert_eq!(machines, 7, "{lived:#?}\n{}", stage.simulator.timeline());
        assert_quiet_end(&stage, &lived);
    });
}

#[test]
fn a_pause_keeps_from_what_nobody_is_forced_to() {
    play(915, held_fleet(915), async |stage| {
        tag_cluster(&stage, "evenkeel:pause");
        let report = stage.drain(command("i-a1")).await.unwrap();
        assert_eq!((report.status, codes(&report)), (Status::NothingToDo, vec!["paused".to_owned()]));
        assert_eq!(stage.writes(), 0);
        stage.simulator.change(|account| spot::interrupt(account, "i-a1", Terminate));
        let report = stage.drain(stage.emitted(WARNING)).await.unwrap();
        assert!(codes(&report).contains(&"paused".to_owned()), "{report:#?}");
        assert_eq!(called(&stage, "TerminateInstanceInAutoScalingGroup"), 0);
        assert!(stage.drained("i-a1").draining_after.is_some_and(|it| it <= 3));
    });
}

#[test]
fn a_drain_that_somebody_else_began_is_reported_and_left() {
    play(916, bare_fleet(916), async |stage| {
        stage.simulator.change(|account| {
            let instances = &mut account.clusters.get_mut("web").unwrap().container_instances;
            let instance = instances.values_mut().find(|it| it.ec2_instance_id == "i-b1").unwrap();
            instance.status = ContainerInstanceStatus::Draining;
        });
        let report = stage.drain_scheduled().await;
        assert_eq!((codes(&report), stage.writes()), (vec!["foreignDrain".to_owned()], 0), "{report:#?}");
    });
}

#[test]
fn a_record_that_cannot_be_read_is_reported_and_left() {
    let account = fleet(917, |it| it)
        .instance("i-x1", "eu-west-1a", |it| it.draining().attribute("evenkeel.drain", "soon"))
        .build();
    play(917, account, async |stage| {
        let report = stage.drain_scheduled().await;
        assert_eq!((codes(&report), stage.writes()), (vec!["unreadableRecord".to_owned()], 0), "{report:#?}");
        assert_eq!(report.status, Status::Blocked);
    });
}

#[test]
fn a_quiet_fleet_is_looked_at_in_few_calls_and_left_alone() {
    play(918, held_fleet(918), async |stage| {
        let report = stage.drain_scheduled().await;
        assert_eq!((report.status, stage.writes()), (Status::NothingToDo, 0), "{report:#?}");
        assert!(stage.simulator.calls().len() <= 3, "{:?}", stage.simulator.calls_by_operation());
    });
}

#[test]
fn a_person_drains_an_instance_and_gets_another_for_it() {
    play(919, held_fleet(919), async |stage| {
        let report = stage.drain(command("i-c1")).await.unwrap();
        assert_eq!(stage_of(&report), DrainStage::Empty, "{report:#?}\n{}", stage.simulator.timeline());
        tokio::time::sleep(Duration::from_mins(5)).await;
        let seen = stage.drained("i-c1");
        assert!(seen.empty_after < seen.ended_after && seen.killed.is_empty(), "{seen:#?}");
        stage.assert_clean();
    });
}

#[test]
fn protected_tasks_are_reported_with_what_may_come_of_them() {
    for drain_stops_protected in [true, false] {
        let switches = simulator::switches::Switches { drain_stops_protected, ..Default::default() };
        play(921, fleet(921, with_hook).switches(switches).build(), async |stage| {
            stage.simulator.change(|account| {
                let now = account.now;
                let cluster = account.clusters.get_mut("web").unwrap();
                let on = |it: &&mut simulator::account::ContainerInstance| it.ec2_instance_id == "i-a1";
                let arn = cluster.container_instances.values_mut().find(on).unwrap().arn.clone();
                let is_here = |task: &&mut simulator::account::Task| {
                    task.container_instance.as_ref() == Some(&arn) && task.group == "service:orders"
                };
                let task = cluster.tasks.values_mut().find(is_here).unwrap();
                task.protected_until = Some(now + Duration::from_hours(3));
            });
            stage.simulator.change(|account| spot::interrupt(account, "i-a1", Terminate));
            let report = stage.drain(stage.emitted(WARNING)).await.unwrap();
            assert!(report.actions.iter().all(|it| it.operation != "UpdateTaskProtection"), "{report:#?}");
            let is_told = codes(&report).contains(&"protectedTask".to_owned());
            assert_eq!(is_told, !drain_stops_protected, "{report:#?}");
        });
    }
}

#[test]
fn bad_input_is_an_error_and_changes_nothing() {
    play(922, bare_fleet(922), async |stage| {
        let detail = json!({"instance-id": "i-a1", "instance-action": "terminate"});
        let of = |region: &str, detail: &Value| json!({"detail-type": WARNING, "time": "2026-01-02T03:04:05Z", "region": region, "detail": detail});
        let cases = [
            (of("us-east-1", &detail), "region is 'us-east-1'"),
            (of("eu-west-1", &json!({"instance-action": "terminate"})), "instance-id"),
            (
                of("eu-west-1", &json!({"instance-id": "a1", "instance-action": "terminate"})),
                "detail.instance-id is 'a1'",
            ),
            (
                of("eu-west-1", &json!({"instance-id": "i-a1", "instance-action": "explode"})),
                "detail.instance-action is 'explode'",
            ),
            (json!({"detail-type": "Something Else"}), "detail-type is 'Something Else'"),
            (json!({"instanceId": "i-a1", "clutser": "web"}), "clutser"),
            (json!({"cluster": "web"}), "instanceId is missing"),
            (json!({"instanceId": "i-a1", "cluster": "a b"}), "cluster"),
        ];
        for (event, words) in cases {
            let error = stage.drain(event).await.unwrap_err();
            assert!(error.to_string().contains(words), "{words}: {error}");
        }
        assert_eq!(stage.simulator.calls().len(), 0);
    });
}

/// A rebalance has died in the middle of a move; its protections would keep the tasks of the instance that goes.
#[test]
pub(crate) fn the_protections_of_a_move_in_flight_give_way() {
    let lopsided = || {
        fleet(923, with_hook)
            .service("extra", |it| {
                it.task_definition("app")
                    .spread_zone()
                    .spread_instance()
                    .on(&["i-a1", "i-a1", "i-a1", "i-a1"])
            })
            .build()
    };
    let calls = play(923, lopsided(), async |stage| {
        let _ = stage.scheduled().await;
        stage.simulator.calls()
    });
    let protected = calls.iter().position(|call| call.operation == "UpdateTaskProtection").unwrap();
    play(923, lopsided(), async |stage| {
        stage.simulator.kill_after(protected as u64 + 1);
        assert!(stage.invoke_until_killed().await.is_none(), "the kill strikes");
        stage.simulator.revive();
        let lived = interrupted(&stage, 923, "i-a1", Terminate).await;
        let words = || format!("{lived:#?}\n{}", stage.simulator.timeline());
        let actions = lived.reports.iter().flat_map(|report| &report.actions);
        let unprotects = actions.filter(|action| action.operation == "UpdateTaskProtection").count();
        assert!(unprotects > 0, "{}", words());
        assert!(lived.of("i-a1").iter().any(|it| it.stage == DrainStage::Empty), "{}", words());
        let _ = stage.scheduled_until_quiet(4).await;
        stage.assert_clean();
    });
}

#[test]
fn percentages_that_leave_no_step_are_told_at_once() {
    let stuck = |it: simulator::builder::ServiceBuilder| {
        it.task_definition("app").min_max(100, 100).on(&["i-a1", "i-b1"])
    };
    play(924, fleet(924, with_hook).service("stuck", stuck).build(), async |stage| {
        stage.simulator.change(|account| spot::interrupt(account, "i-a1", Terminate));
        let report = stage.drain(stage.emitted(WARNING)).await.unwrap();
        assert!(codes(&report).contains(&"noStep".to_owned()), "{report:#?}");
        assert_ne!(stage_of(&report), DrainStage::Empty, "{report:#?}");
    });
}
