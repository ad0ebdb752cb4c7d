//! Other groups, capacity providers, schedules, bad images, and a zone without capacity.

use evenkeel_tests::clusters::ZONES;
use evenkeel_tests::play;
use evenkeel_tests::rollouts::{codes, command, only, outdated, sized, start, with_new_version};
use serde_json::json;
use simulator::account::Market;
use simulator::builder::{AccountBuilder, CapacityProviderBuilder};

use super::*;

/// Two groups feed one cluster: each is rolled out by itself, and both at the same time.
#[test]
fn one_group_of_two_is_rolled_out_and_then_both() {
    let places = |prefix: &str| -> Vec<(String, &str)> {
        (0..3).map(|at| (format!("i-{prefix}{at}"), ZONES[at])).collect()
    };
    let (first, second) = (places("a"), places("b"));
    let named = |all: &'static [(String, &'static str)]| -> Vec<(&'static str, &'static str)> {
        all.iter().map(|(id, zone)| (id.as_str(), *zone)).collect()
    };
    let (first, second) = (named(first.leak()), named(second.leak()));
    let on: Vec<&str> = first.iter().chain(&second).map(|(id, _)| *id).collect();
    let account = AccountBuilder::new(1601)
        .cluster("web")
        .launch_template("web", |it| it.spot().size(4096, 15_360).version("ami-1"))
        .auto_scaling_group("web-asg", |it| it.zones(&ZONES).size(0, 3, 6).instances(&first))
        .auto_scaling_group("other-asg", |it| it.zones(&ZONES).size(0, 3, 6).instances(&second))
        .task_definition("app", |it| it.cpu(256).memory(512))
        .service("app", |it| it.task_definition("app").spread_zone().on(&on))
        .build();
    play(1601, with_new_version(account), async |stage| {
        let report = stage.rollout(start()).await.unwrap();
        assert_eq!(report.status, Status::Done, "{report:#?}");
        let others = |stage: &Stage| {
            stage
                .simulator
                .account(|it| it.auto_scaling_groups["other-asg"].instances.keys().cloned().collect())
        };
        let left: Vec<String> = others(&stage);
        assert_eq!(left, ["i-b0", "i-b1", "i-b2"], "{}", stage.simulator.timeline());
        assert_replaced(&stage, 3).await;
        let other = json!({"action": "start", "autoScalingGroup": "other-asg", "cluster": "web"});
        let (first, second) = tokio::join!(stage.rollout(start()), stage.rollout(other));
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!((first.status, second.status), (Status::Done, Status::Done), "{first:#?} {second:#?}");
        assert_replaced(&stage, 3).await;
        let left: Vec<String> = others(&stage);
        assert!(left.iter().all(|id| !["i-b0", "i-b1", "i-b2"].contains(&id.as_str())), "{left:?}");
    });
}

/// ECS sizes the group, protects its instances, and drains them through a hook of its own.
#[test]
pub(crate) fn what_a_capacity_provider_manages_is_said_and_does_no_harm() {
    let all = ["i-a1", "i-a2", "i-b1", "i-b2", "i-c1", "i-c2"];
    let places: Vec<(&str, &str)> = (0..6).map(|at| (all[at], ZONES[at / 2])).collect();
    let managed = |it: CapacityProviderBuilder| {
        it.managed_draining().managed_termination_protection().managed_scaling(100)
    };
    let account = AccountBuilder::new(1610)
        .cluster("web")
        .launch_template("web", |it| it.spot().capacity_provider("spot").size(1024, 3_840).version("ami-1"))
        .auto_scaling_group("web-asg", |it| {
            it.zones(&ZONES).size(3, 6, 9).protects_new_instances().instances(&places)
        })
        .capacity_provider("spot", "web-asg", managed)
        .task_definition("app", |it| it.cpu(512).memory(1_024))
        .service("app", |it| it.capacity_provider("spot", 0, 1).spread_instance().on(&all))
        .build();
    play(1610, with_new_version(account), async |stage| {
        let report = stage.rollout(start()).await.unwrap();
        let words = || format!("{report:#?}\n{}", stage.simulator.timeline());
        assert_eq!(report.status, Status::Done, "{}", words());
        let warnings = format!("{:?}", only(&report).preflight.as_ref().unwrap().warnings);
        assert!(warnings.contains("ManagedByEcs") && warnings.contains("ForeignHook"), "{warnings}");
        assert_eq!(stage.task_seconds_below(), 0, "{}", words());
        tokio::time::sleep(Duration::from_mins(3)).await;
        let (images, _) = stage.simulator.account(images);
        assert!(images.iter().all(|it| it == NEW_IMAGE), "{}", words());
        stage.assert_promises();
    });
}

#[test]
fn a_scheduled_action_on_the_way_is_said_and_missed() {
    let action =
        |it: simulator::builder::GroupBuilder| it.scheduled_action("night", Duration::from_mins(2), 3);
    play(1620, outdated(1620, action), async |stage| {
        let report = stage.rollout(start()).await.unwrap();
        let warnings = format!("{:?}", only(&report).preflight.as_ref().unwrap().warnings);
        assert!(warnings.contains("ScheduledAction"), "{warnings}");
        assert_eq!(report.status, Status::Done, "{report:#?}");
        assert_replaced(&stage, 6).await;
    });
}

/// What is started on the new image never gets healthy.
#[test]
fn a_service_that_never_gets_healthy_on_the_new_image_takes_it_back() {
    play(1630, outdated(1630, |it| it), async |stage| {
        let stage = stage.with("EVENKEEL_DRAIN_TIMEOUT", "6m");
        stage.simulator.change(|account| {
            for definition in account.task_definitions.values_mut().filter(|it| it.family == "orders") {
                definition.sick_percent = 100;
            }
        });
        let mut reports = vec![stage.rollout(start()).await.unwrap()];
        reports.extend(stage.resumed(10).await);
        let words = || format!("{reports:#?}\n{}", stage.simulator.timeline());
        assert!(reports.iter().any(|it| it.status == Status::RolledBack), "{}", words());
        assert_eq!(stage.task_seconds_below(), 0, "{}", words());
        assert_as_before(&stage, 6, &format!("{:#?}", reports.last())).await;
        let event = stage.rollout(dry(start())).await.unwrap();
        let warnings = format!("{:?}", only(&event).preflight.as_ref().unwrap().warnings);
        assert!(warnings.contains("Rejected { version: 2, why: \"drainTimeout\" }"), "{warnings}");
        super::back::until(&stage, "surge").await;
        let report = stage.rollout(command("abort")).await.unwrap();
        assert_eq!(report.status, Status::RolledBack, "{report:#?}");
        let tags = stage.simulator.account(|it| it.auto_scaling_groups["web-asg"].tags.clone());
        assert!(tags.contains_key("evenkeel:rollout-rejected"), "an abort says nothing of the version");
    });
}

fn dry(mut event: serde_json::Value) -> serde_json::Value {
    event["dryRun"] = true.into();
    event
}

#[test]
fn instances_that_are_protected_from_scale_in_are_replaced_as_well() {
    play(1640, outdated(1640, simulator::builder::GroupBuilder::protects_new_instances), async |stage| {
        let report = stage.rollout(start()).await.unwrap();
        assert_eq!(report.status, Status::Done, "{report:#?}");
        assert_replaced(&stage, 6).await;
    });
}

#[test]
fn a_zone_without_capacity_is_passed_over() {
    play(1650, sized(1650, 6, 3, |it| it), async |stage| {
        stage.simulator.change(|account| account.run_short_for_ever(ZONES[2], Market::Spot));
        let mut reports = vec![stage.rollout(start()).await.unwrap()];
        reports.extend(stage.resumed(5).await);
        assert!(
            reports.iter().any(|it| it.status == Status::Done),
            "{reports:#?}\n{}",
            stage.simulator.timeline()
        );
        assert_eq!(stage.task_seconds_below(), 0);
        assert_replaced(&stage, 6).await;
    });
}

/// ECS may go down to the service's own minimum, which is said, and no further.
#[test]
fn a_service_that_may_dip_dips_no_lower_than_it_may() {
    let on = ["i-a1", "i-a2", "i-b1", "i-b2", "i-c1", "i-c2"];
    let account = evenkeel_tests::drains::fleet(1660, |it| it)
        .service("batch", |it| it.task_definition("app").min_max(50, 100).on(&on))
        .build();
    play(1660, with_new_version(account), async |stage| {
        let report = stage.rollout(start()).await.unwrap();
        assert_eq!((report.status, codes(&report)), (Status::Done, Vec::new()), "{report:#?}");
        let warnings = format!("{:?}", only(&report).preflight.as_ref().unwrap().warnings);
        assert!(warnings.contains("floor: 3"), "{warnings}");
        assert_replaced(&stage, 6).await;
    });
}

/// Five hundred at once; about a minute of CPU.
#[test]
#[ignore = "part of make soak"]
fn soak_five_hundred_instances() {
    play(1670, sized(1670, 500, 3, |it| it), async |stage| {
        let mut reports = vec![stage.rollout(start()).await.unwrap()];
        reports.extend(stage.resumed(20).await);
        assert!(reports.iter().any(|it| it.status == Status::Done), "{:#?}", reports.last());
        assert_eq!(stage.task_seconds_below(), 0);
        assert_replaced(&stage, 500).await;
    });
}
