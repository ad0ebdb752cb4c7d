//! Trouble that can be seen coming: tasks that leave too late, and tasks that find no place.

use evenkeel::plan::drain::reason::DrainReason;
use evenkeel_tests::drains::{bare_fleet, fleet, held_fleet, large, with_hook};
use evenkeel_tests::play;
use simulator::account::InterruptionAction::Terminate;
use simulator::account::{Account, ContainerInstanceStatus};
use simulator::builder::AccountBuilder;
use simulator::faults::Rule;

use super::*;

const ALL: [&str; 6] = ["i-a1", "i-a2", "i-b1", "i-b2", "i-c1", "i-c2"];

/// The fleet, with one service whose target group drains for five minutes and one whose container may take 130 s to end.
fn slow_fleet(seed: u64) -> Account {
    fleet(seed, with_hook)
        .target_group("slow", |it| it)
        .task_definition("slow", |it| it.cpu(128).memory(256).container_port(80, 0))
        .task_definition("stubborn", |it| it.cpu(128).memory(256).stop_timeout(Duration::from_secs(130)))
        .service("slow", |it| it.target_group("slow").on(&ALL))
        .service("stubborn", |it| it.on(&ALL))
        .build()
}

/// Three instances with room for four tasks each, and so many of one service on them.
fn tight(seed: u64, tasks: [usize; 3]) -> Account {
    let zones = evenkeel_tests::clusters::ZONES;
    let places = [("i-a1", zones[0]), ("i-b1", zones[1]), ("i-c1", zones[2])];
    let on: Vec<&str> = places.iter().zip(tasks).flat_map(|((id, _), tasks)| vec![*id; tasks]).collect();
    AccountBuilder::new(seed)
        .cluster("web")
        .launch_template("web", |it| it.spot().size(1024, 2048).version("ami-1"))
        .auto_scaling_group("web-asg", |it| with_hook(it.zones(&zones).size(0, 3, 6).instances(&places)))
        .task_definition("app", |it| it.cpu(256).memory(512))
        .service("app", |it| it.on(&on))
        .build()
}

/// Somebody has set `i-a1` DRAINING, perhaps with a record.
fn set_draining(account: &mut Account, record: Option<&str>) {
    let instances = &mut account.clusters.get_mut("web").unwrap().container_instances;
    let instance = instances.values_mut().find(|it| it.ec2_instance_id == "i-a1").unwrap();
    instance.status = ContainerInstanceStatus::Draining;
    if let Some(record) = record {
        instance.attributes.insert("evenkeel.drain".to_owned(), Some(record.to_owned()));
    }
}

fn is_foreseen(lived: &Lived) -> bool {
    let codes: Vec<String> = lived.reports.iter().flat_map(codes).collect();
    ["leavesTooLate", "noRoomElsewhere"].iter().any(|code| codes.contains(&(*code).to_owned()))
}

/// The services that leave too late by a report, with the values that it gives.
fn late(report: &DrainReport) -> Vec<(String, u64, u64)> {
    let value = |reason: &DrainReason| match reason {
        DrainReason::LeavesTooLate { service, deregistration_delay, stop_timeout, left } => {
            assert!((110..=120).contains(left), "{reason}");
            Some((service.to_string(), *deregistration_delay, *stop_timeout))
        }
        _ => None,
    };
    report.blocked.iter().filter_map(|line| value(&line.reason)).collect()
}

#[test]
pub(crate) fn tasks_that_take_longer_than_the_notice_to_leave_are_told() {
    play(931, slow_fleet(931), async |stage| {
        let stage = stage.with("EVENKEEL_DRY_RUN", "true");
        stage.simulator.change(|account| spot::interrupt(account, "i-a1", Terminate));
        let report = stage.drain(stage.emitted(WARNING)).await.unwrap();
        assert_eq!(late(&report), [("slow".to_owned(), 300, 30), ("stubborn".to_owned(), 0, 130)]);
        assert_eq!(stage.writes(), 0);
    });
}

/// The container that may take 130 s to end takes five.
#[test]
fn what_has_come_true_is_told_at_the_end_and_the_rest_is_not() {
    play(930, slow_fleet(930), async |stage| {
        stage.simulator.change(|account| spot::interrupt(account, "i-a1", Terminate));
        let report = stage.drain(stage.emitted(WARNING)).await.unwrap();
        assert_ne!(stage_of(&report), DrainStage::Empty, "{report:#?}");
        assert_eq!(late(&report), [("slow".to_owned(), 300, 30)], "{}", stage.simulator.timeline());
    });
}

/// What a hook of ours holds has half an hour.
#[test]
fn the_same_tasks_have_time_enough_where_a_hook_holds_the_instance() {
    play(932, slow_fleet(932), async |stage| {
        let report = stage.drain(command("i-a1")).await.unwrap();
        let lived = stage.live(&mut bus(932, Mishaps::default()), LONG).await;
        assert!(!codes(&report).contains(&"leavesTooLate".to_owned()) && !is_foreseen(&lived), "{lived:#?}");
        assert_quiet_end(&stage, &lived);
    });
}

#[test]
fn a_dry_run_counts_the_tasks_that_find_no_room() {
    let tasks_told = |on: [usize; 3]| {
        play(933, tight(933, on), async |stage| {
            let dry = json!({ "instanceId": "i-a1", "cluster": "web", "dryRun": true });
            let report = stage.drain(dry).await.unwrap();
            assert_eq!(stage.writes(), 0);
            let told = report.blocked.iter().find_map(|line| match &line.reason {
                DrainReason::NoRoomElsewhere { tasks, .. } => Some(*tasks),
                _ => None,
            });
            told.unwrap_or(0)
        })
    };
    for (on, expected) in [([3, 2, 2], 0), ([3, 3, 2], 0), ([3, 3, 3], 1), ([4, 3, 4], 3), ([2, 4, 4], 2)] {
        assert_eq!(tasks_told(on), expected, "{on:?}");
    }
}

/// Ten seconds on, substitutes have taken the last room; the tasks that they replace run on until those are healthy.
#[test]
fn tasks_that_just_fit_are_not_called_homeless_while_they_move() {
    for seed in 936..=940 {
        play(seed, tight(seed, [3, 3, 2]), async |stage| {
            stage.simulator.change(|account| set_draining(account, None));
            tokio::time::sleep(Duration::from_secs(10)).await;
            let dry = json!({ "instanceId": "i-a1", "cluster": "web", "dryRun": true });
            let report = stage.drain(dry).await.unwrap();
            let words = || format!("{report:#?}\n{}", stage.simulator.timeline());
            assert_eq!(
                stage.simulator.account(|account| account.clusters["web"].tasks.len()),
                11,
                "{}",
                words()
            );
            assert_eq!(called(&stage, "DescribeTaskDefinition"), 1, "{}", words());
            assert!(!codes(&report).contains(&"noRoomElsewhere".to_owned()), "{}", words());
        });
    }
}

#[test]
fn an_interruption_tells_of_tasks_that_nobody_can_take() {
    play(941, tight(941, [3, 4, 3]), async |stage| {
        let stage = stage.with("EVENKEEL_REPLACEMENT", "none");
        let lived = interrupted(&stage, 941, "i-a1", Terminate).await;
        let words = || format!("{lived:#?}\n{}", stage.simulator.timeline());
        assert!(lived.says("i-a1", "2 of its tasks (of app) may find no place"), "{}", words());
    });
}

#[test]
fn what_cannot_be_read_foretells_nothing_and_holds_nobody_up() {
    let reads = ["DescribeTaskDefinition", "DescribeTargetGroupAttributes"];
    for rule in [Rule::new(simulator::faults::Fault::Deny, 1.0), Rule::time_out(1.0), Rule::throttle(1.0)] {
        play(942, slow_fleet(942), async |stage| {
            stage.simulator.rule(rule.on(&reads));
            let lived = interrupted(&stage, 942, "i-a1", Terminate).await;
            let words = || format!("{lived:#?}\n{}", stage.simulator.timeline());
            assert!(called(&stage, reads[0]) > 0 && !is_foreseen(&lived), "{}", words());
            assert!(lived.errors.is_empty(), "{}", words());
            assert!(stage.drained("i-a1").substitute_launched_after.is_some_and(|it| it <= 10));
        });
    }
}

#[test]
fn it_is_read_once_and_after_the_substitute_is_asked_for() {
    for (account, ask) in
        [(bare_fleet(943), "DetachInstances"), (held_fleet(943), "TerminateInstanceInAutoScalingGroup")]
    {
        play(943, account, async |stage| {
            stage.simulator.change(|account| spot::interrupt(account, "i-a1", Terminate));
            let _ = stage.drain(stage.emitted(WARNING)).await.unwrap();
            let calls: Vec<String> = stage.simulator.calls().into_iter().map(|it| it.operation).collect();
            let at = |name: &str| calls.iter().position(|it| it == name).unwrap();
            let reads = ["DescribeTaskDefinition", "DescribeTargetGroupAttributes"];
            assert!(reads.iter().all(|read| at(read) > at(ask)), "{calls:?}");
            assert_eq!(reads.map(|read| called(&stage, read)), [3, 1], "{calls:?}");
        });
    }
}

#[test]
fn it_waits_for_a_substitute_that_is_refused_at_first() {
    play(946, bare_fleet(946), async |stage| {
        let now = stage.simulator.now();
        let refused = Rule::server_error(1.0).on(&["DetachInstances"]);
        stage.simulator.rule(refused.between(now, now + Duration::from_secs(25)));
        stage.simulator.change(|account| spot::interrupt(account, "i-a1", Terminate));
        let _ = stage.drain(stage.emitted(WARNING)).await.unwrap();
        let calls: Vec<String> = stage.simulator.calls().into_iter().map(|it| it.operation).collect();
        let asked = calls.iter().rposition(|it| it == "DetachInstances").unwrap();
        let read = calls.iter().position(|it| it == "DescribeTaskDefinition").unwrap();
        let looked = calls.iter().position(|it| it == "DescribeTasks").unwrap();
        assert!(looked < asked && asked < read, "{calls:?}");
    });
}

/// It would be read again every minute.
#[test]
fn the_schedule_foresees_nothing() {
    play(944, tight(944, [3, 4, 4]), async |stage| {
        stage.simulator.change(|account| set_draining(account, Some("1:manual:1767323045:-")));
        let report = stage.drain_scheduled().await;
        assert_eq!(stage_of(&report), DrainStage::Draining, "{report:#?}");
        assert_eq!(called(&stage, "DescribeTaskDefinition"), 0);
    });
}

/// A hundred instances a page; sixteen tasks fill one.
#[test]
fn a_large_cluster_is_looked_at_a_page_at_a_time_and_not_to_its_end() {
    for (size, each, lists, is_told) in [(130, 3, 1, false), (130, 16, 2, true), (230, 16, 2, false)] {
        let (account, ids) = large(945, size, each, false, |it| it);
        play(945, account, async |stage| {
            let dry = json!({ "instanceId": ids[0], "cluster": "web", "dryRun": true });
            let report = stage.drain(dry).await.unwrap();
            assert_eq!(
                codes(&report).contains(&"noRoomElsewhere".to_owned()),
                is_told,
                "{size}: {report:#?}"
            );
            let located = 1;
            assert_eq!(called(&stage, "ListContainerInstances"), located + lists, "{size}");
        });
    }
}
