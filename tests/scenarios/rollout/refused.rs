//! Starts that are refused, each with its reason and without a write; and what is said beforehand.

use evenkeel_tests::drains::fleet;
use evenkeel_tests::play;
use evenkeel_tests::rollouts::{codes, command, only, outdated, sized, start, with_new_version};
use serde_json::json;
use simulator::account::{Account, ContainerInstanceStatus, LifecycleState};
use simulator::builder::{GroupBuilder, ServiceBuilder};

use super::*;

fn refused(seed: u64, account: Account, code: &str) {
    play(seed, account, async |stage| {
        let report = stage.rollout(start()).await.unwrap();
        assert_eq!(report.status, Status::Blocked, "{code} {report:#?}");
        assert!(codes(&report).contains(&code.to_owned()), "{code} {report:#?}");
        assert_eq!(stage.writes(), 0, "{code}");
    });
}

/// How a group is built.
type With = fn(GroupBuilder) -> GroupBuilder;

#[test]
fn what_a_group_is_refused_for() {
    let table: [(&str, With); 6] = [
        ("warmPool", |it| it.warm_pool(None)),
        ("countsUnits", |it| it.overrides(&[("m5.large", Some(2)), ("m5.xlarge", Some(4))])),
        ("processSuspended", |it| it.suspends(&["Launch"])),
        ("paused", |it| it.tag("evenkeel:pause", "x", false)),
        ("instanceRefresh", |it| it.instance_refresh(simulator::account::RefreshStatus::InProgress)),
        ("trafficSources", |it| it.target_groups(&["front"])),
    ];
    for (seed, (code, with)) in (1501..).zip(table) {
        refused(seed, outdated(seed, with), code);
    }
}

fn with_instance(account: &mut Account, change: impl Fn(&mut simulator::account::ContainerInstance)) {
    let instances = &mut account.clusters.get_mut("web").unwrap().container_instances;
    change(instances.values_mut().find(|it| it.ec2_instance_id == "i-a1").unwrap());
}

#[test]
fn what_an_instance_is_refused_for() {
    let mut account = outdated(1510, |it| it);
    with_instance(&mut account, |it| it.status = ContainerInstanceStatus::Draining);
    refused(1510, account, "foreignDrain");
    let mut account = outdated(1511, |it| it);
    with_instance(&mut account, |it| it.status = ContainerInstanceStatus::Inactive);
    refused(1511, account, "notRegistered");
    let mut account = outdated(1512, |it| it);
    with_instance(&mut account, |it| drop(it.attributes.insert("evenkeel.rollout".to_owned(), None)));
    refused(1512, account, "recordLost");
    let mut account = outdated(1513, |it| it);
    let group = account.auto_scaling_groups.get_mut("web-asg").unwrap();
    group.instances.get_mut("i-a1").unwrap().state = LifecycleState::Standby;
    group.desired_capacity = 5;
    refused(1513, account, "notInService");
    let mut account = outdated(1515, |it| it);
    account.auto_scaling_groups.get_mut("web-asg").unwrap().instances.get_mut("i-a1").unwrap().state =
        LifecycleState::Pending;
    refused(1515, account, "notInService");
    let mut account = outdated(1514, |it| it);
    account.auto_scaling_groups.get_mut("web-asg").unwrap().desired_capacity = 8;
    refused(1514, account, "notSettled");
}

#[test]
fn what_a_service_is_refused_for() {
    let stuck = fleet(1520, |it| it)
        .service("stuck", |it| it.task_definition("app").min_max(100, 100).on(&["i-a1"]))
        .build();
    refused(1520, with_new_version(stuck), "noStep");
    let pinned = fleet(1522, |it| it)
        .service("pinned", |it| {
            it.task_definition("app").member_of("attribute:ecs.ami-id == ami-1").on(&["i-a1"])
        })
        .build();
    refused(1522, with_new_version(pinned), "excludesNew");
    let moving = fleet(1521, |it| it)
        .service("moving", |it| it.task_definition("app").on(&["i-a1"]).tag("evenkeel:move", "1:x"))
        .build();
    refused(1521, with_new_version(moving), "moveInFlight");
}

/// Whether a start of the fleet with one service more is refused for what its tasks ask of an instance.
fn is_excluded(seed: u64, with: impl Fn(ServiceBuilder) -> ServiceBuilder) -> bool {
    let account = fleet(seed, |it| it).service("picky", |it| with(it.task_definition("app"))).build();
    play(seed, with_new_version(account), async |stage| {
        let mut event = start();
        event["dryRun"] = true.into();
        codes(&stage.rollout(event).await.unwrap()).contains(&"excludesNew".to_owned())
    })
}

/// Only what a new instance is known to bring excludes it.
#[test]
fn constraints_that_new_instances_may_meet_refuse_nothing() {
    let ami = "attribute:ecs.ami-id == ami-1";
    assert!(is_excluded(1523, |it| it.member_of(ami).on(&["i-a1"])));
    assert!(!is_excluded(1524, |it| it.member_of("attribute:ecs.ami-id in [ami-1, ami-2]").on(&["i-a1"])));
    assert!(
        !is_excluded(1525, |it| it.member_of("attribute:generation == 2").on(&["i-a1"])),
        "it may bring it"
    );
    assert!(!is_excluded(1526, |it| it.member_of(ami).daemon().on(&["i-a1"])), "no daemon keeps an instance");
    assert!(is_excluded(1527, |it| it
        .member_of("attribute:ecs.instance-type == m5.large and ec2InstanceId == i-a1")
        .on(&["i-a1"])));
}

#[test]
fn what_a_start_goes_on_with_is_said() {
    let account = fleet(1530, |it| {
        it.terminate_hook("ship-logs", Duration::from_mins(1), simulator::account::ActionResult::Continue)
    })
    .service("batch", |it| it.task_definition("app").min_max(50, 200).on(&["i-a1", "i-b1"]))
    .build();
    play(1530, with_new_version(account), async |stage| {
        let mut event = start();
        event["dryRun"] = true.into();
        let report = stage.rollout(event).await.unwrap();
        let warnings = serde_json::to_value(&only(&report).preflight.as_ref().unwrap().warnings).unwrap();
        let codes: Vec<&str> =
            warnings.as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect();
        assert_eq!(codes, ["dips", "foreignHook"], "{warnings:#}");
    });
}

/// The codes of the warnings of a dry run.
async fn warned(stage: &Stage) -> Vec<String> {
    let mut event = start();
    event["dryRun"] = true.into();
    let report = stage.rollout(event).await.unwrap();
    let warnings = serde_json::to_value(&only(&report).preflight.as_ref().unwrap().warnings).unwrap();
    let codes = warnings.as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap().to_owned());
    codes.collect()
}

#[test]
fn what_the_new_fleet_may_lack_is_said() {
    let table: [(usize, With, &[&str]); 5] = [
        (3, |it| it, &[]),
        (3, |it| it.overrides(&[("m5.large", None), ("m6i.large", None)]), &["otherInstanceType"]),
        (3, |it| it.overrides(&[("m5.large", None)]), &[]),
        (1, |it| it, &["oneZone"]),
        (3, |it| it.balanced_only().retains_abandoned(), &["waitsForZones", "retainsAbandoned"]),
    ];
    for (seed, (zones, with, codes)) in (1541..).zip(table) {
        play(seed, sized(seed, 3, zones, with), async |stage| {
            assert_eq!(warned(&stage).await, codes, "{seed}");
        });
    }
}

#[test]
fn instances_that_hold_more_than_some_that_may_come_are_said() {
    let both = |it: GroupBuilder| it.overrides(&[("m5.large", None), ("m5.small", None)]);
    let mut account = fleet(1536, both)
        .task_definition("big", |it| it.cpu(2048).memory(1024))
        .service("big", |it| it.task_definition("big").on(&["i-a1"]))
        .build();
    let group = account.auto_scaling_groups.get_mut("web-asg").unwrap();
    "m5.small".clone_into(&mut group.instances.get_mut("i-c2").unwrap().instance_type);
    let instances = &mut account.clusters.get_mut("web").unwrap().container_instances;
    instances.values_mut().find(|it| it.ec2_instance_id == "i-c2").unwrap().cpu = 1024;
    play(1536, with_new_version(account), async |stage| {
        assert_eq!(warned(&stage).await, ["mayNotFit"]);
    });
}

#[test]
fn bad_input_is_an_error_and_changes_nothing() {
    play(1540, outdated(1540, |it| it), async |stage| {
        let cases = [
            (json!({"action": "start", "autoScalingGroup": "nobody", "cluster": "web"}), "no such group"),
            (
                json!({"action": "start", "autoScalingGroup": "web-asg", "cluster": "other"}),
                "EVENKEEL_CLUSTERS",
            ),
            (json!({"action": "abort", "autoScalingGroup": "nobody"}), "no such group"),
            (json!({"action": "fly", "autoScalingGroup": "web-asg"}), "action is 'fly'"),
        ];
        for (event, words) in cases {
            let error = stage.rollout(event.clone()).await.unwrap_err();
            assert!(error.to_string().contains(words), "{event}: {error}");
        }
        for action in ["status", "abort", "resume"] {
            let report = stage.rollout(command(action)).await.unwrap();
            assert_eq!(report.status, Status::NothingToDo, "{action} {report:#?}");
        }
        assert_eq!(stage.writes(), 0);
    });
}

#[test]
fn a_status_says_where_it_stands_and_writes_nothing() {
    play(1541, outdated(1541, |it| it), async |stage| {
        let stage = stage.with("EVENKEEL_BAKE_TIME", "5m");
        super::back::until(&stage, "gate").await;
        let writes = stage.writes();
        let report = stage.rollout(command("status")).await.unwrap();
        let summary = &only(&report).summary;
        assert!(summary.starts_with("gate since ") && summary.contains("kept in reserve until"), "{summary}");
        assert_eq!((report.status, stage.writes()), (Status::InProgress, writes));
    });
}
