//! Edge cases of one service: what is left alone, with its reason, and what is moved all the same.

use std::time::Duration;

use evenkeel::report::{Report, Status};
use evenkeel_tests::{Stage, clusters, play};
use serde_json::{Value, json};
use simulator::account::Account;
use simulator::builder::{AccountBuilder, ServiceBuilder};

fn codes(report: &Report) -> Vec<String> {
    let code = |line: &Value| line["reason"]["code"].as_str().unwrap_or_default().to_owned();
    serde_json::to_value(&report.blocked).unwrap().as_array().unwrap().iter().map(code).collect()
}

/// One scheduled run that must not write, and must give `code` as a reason.
fn left_alone(seed: u64, account: Account, code: &str) {
    play(seed, account, async |stage| {
        let report = stage.scheduled().await;
        assert_eq!(stage.writes(), 0, "{report:#?}");
        assert!(codes(&report).iter().any(|it| it == code), "{code} is missing: {report:#?}");
        stage.assert_clean();
    });
}

fn one_zone(seed: u64, instances: u32) -> AccountBuilder {
    clusters::instances(seed, &[instances])
}

fn lopsided(it: ServiceBuilder) -> ServiceBuilder {
    it.on(&["i-a1", "i-a1", "i-a1"]).spread_zone().spread_instance()
}

#[test]
fn single_instance() {
    left_alone(101, one_zone(101, 1).service("app", lopsided).build(), "singleInstance");
}

#[test]
fn three_tasks_on_two_instances_are_as_even_as_they_get() {
    left_alone(102, clusters::one_zone(102, &[2, 1]), "alreadyOptimal");
}

#[test]
fn uneven_zone_sizes_are_said_so() {
    left_alone(103, clusters::zoned(103, &[&[1, 2], &[3]]), "alreadyOptimal");
}

#[test]
fn below_the_threshold() {
    left_alone(104, clusters::one_zone(104, &[11, 10, 9, 10]), "belowThreshold");
}

#[test]
fn binpack_first() {
    let app = |it: ServiceBuilder| it.on(&["i-a1", "i-a1", "i-a1"]).binpack_memory();
    left_alone(105, one_zone(105, 2).service("app", app).build(), "binpackFirst");
}

#[test]
fn daemon() {
    let app = |it: ServiceBuilder| it.on(&["i-a1", "i-a2"]).daemon();
    left_alone(106, one_zone(106, 2).service("app", app).build(), "daemon");
}

#[test]
fn opted_out() {
    let app = |it| lopsided(it).tag("evenkeel:rebalance", "off");
    left_alone(107, one_zone(107, 2).service("app", app).build(), "optedOut");
}

#[test]
fn paused() {
    let mut account = one_zone(108, 2).service("app", lopsided).build();
    account.clusters.get_mut("web").unwrap().tags.insert("evenkeel:pause".to_owned(), String::new());
    left_alone(108, account, "paused");
}

#[test]
fn an_instance_that_has_just_registered() {
    let builder = AccountBuilder::new(109)
        .cluster("web")
        .instance("i-a1", clusters::ZONES[0], |it| it.cpu(4096).memory(15_360))
        .instance("i-a2", clusters::ZONES[0], |it| {
            it.cpu(4096).memory(15_360).registered_ago(Duration::from_secs(30))
        })
        .task_definition("app", |it| it.cpu(128).memory(256));
    left_alone(109, builder.service("app", lopsided).build(), "warmingUp");
}

#[test]
fn an_instance_whose_agent_is_disconnected() {
    let builder = AccountBuilder::new(110)
        .cluster("web")
        .instance("i-a1", clusters::ZONES[0], |it| it.cpu(4096).memory(15_360))
        .instance("i-a2", clusters::ZONES[0], |it| it.cpu(4096).memory(15_360).disconnected())
        .task_definition("app", |it| it.cpu(128).memory(256));
    left_alone(110, builder.service("app", lopsided).build(), "agentDisconnected");
}

#[test]
fn a_young_task_means_cooldown() {
    let app = |it| lopsided(it).tasks_age(Duration::from_mins(2));
    left_alone(111, one_zone(111, 2).service("app", app).build(), "cooldown");
}

#[test]
fn no_room_for_one_more() {
    let builder = AccountBuilder::new(112)
        .cluster("web")
        .instance("i-a1", clusters::ZONES[0], |it| it.cpu(4096).memory(15_360))
        .instance("i-a2", clusters::ZONES[0], |it| it.cpu(4096).memory(15_360))
        .task_definition("app", |it| it.cpu(1024).memory(256))
        .task_definition("big", |it| it.cpu(4096).memory(1024))
        .service("big", |it| it.task_definition("big").on(&["i-a2"]));
    play(112, builder.service("app", lopsided).build(), async |stage| {
        let report = stage.scheduled().await;
        assert_eq!(stage.writes(), 0, "{report:#?}");
        stage.assert_clean();
    });
}

#[test]
fn zones_that_ecs_levels_itself() {
    let app = |it: ServiceBuilder| it.on(&["i-a1", "i-a1", "i-a1", "i-a1"]).spread_zone().az_rebalancing();
    play(113, clusters::instances(113, &[1, 1]).service("app", app).build(), async |stage| {
        let report = stage.scheduled().await;
        assert_eq!(stage.writes(), 0, "{report:#?}");
    });
}

async fn moved(stage: &Stage, moves: u32) {
    let report = stage.scheduled().await;
    assert_eq!(report.clusters[0].moves.completed, moves, "{report:#?}\n{}", stage.simulator.timeline());
    assert_eq!(report.status, Status::Done, "{report:#?}");
    stage.assert_clean();
}

#[test]
fn fewer_tasks_than_instances_are_spread_for_availability() {
    play(114, clusters::one_zone(114, &[2, 1, 0, 0, 0]), async |stage| moved(&stage, 1).await);
}

#[test]
fn two_two_none() {
    play(115, clusters::one_zone(115, &[2, 2, 0]), async |stage| moved(&stage, 1).await);
}

#[test]
fn many_moves_of_one_service_need_no_cooldown_between_them() {
    play(116, clusters::one_zone(116, &[5, 5, 0]), async |stage| {
        let reports = stage.scheduled_until_quiet(6).await;
        let completed: u32 = reports.iter().map(|it| it.clusters[0].moves.completed).sum();
        assert_eq!(completed, 3, "{reports:#?}");
        stage.assert_clean();
    });
}

/// Somebody evens the service out by hand between the first look and the one that has to agree with it.
#[test]
fn a_skew_that_is_gone_at_the_second_look_moves_nothing() {
    play(121, clusters::one_zone(121, &[2, 0]), async |stage| {
        let stage = stage.with("EVENKEEL_CONFIRM_AFTER", "2m");
        let even_out = async {
            tokio::time::sleep(Duration::from_mins(1)).await;
            stage.simulator.change(|account| {
                let cluster = account.clusters.get_mut("web").unwrap();
                let empty =
                    cluster.container_instances.values().find(|it| it.ec2_instance_id == "i-a2").unwrap();
                let arn = empty.arn.clone();
                cluster.tasks.values_mut().next().unwrap().container_instance = Some(arn);
            });
        };
        let (report, ()) = tokio::join!(stage.scheduled(), even_out);
        assert_eq!(stage.writes(), 0, "{report:#?}");
    });
}

#[test]
fn the_move_budget_is_kept() {
    play(117, clusters::one_zone(117, &[6, 0, 0]), async |stage| {
        let report = stage.invoke(json!({"cluster": "web", "maxMoves": 1})).await.unwrap();
        assert_eq!(report.clusters[0].moves.started, 1, "{report:#?}");
        assert_eq!(report.status, Status::InProgress, "{report:#?}");
        stage.assert_clean();
    });
}

#[test]
pub(crate) fn a_new_task_that_never_gets_healthy_is_taken_back() {
    let builder = clusters::instances(118, &[2])
        .task_definition("sick", |it| it.cpu(128).memory(256).health_check().sick_percent(100));
    let app = |it: ServiceBuilder| lopsided(it).task_definition("sick");
    play(118, builder.service("app", app).build(), async |stage| {
        let report = stage.with("EVENKEEL_MOVE_TIMEOUT", "2m");
        let first = report.scheduled().await;
        assert_eq!(first.clusters[0].moves.undone, 1, "{first:#?}\n{}", report.simulator.timeline());
        assert_eq!(first.status, Status::RolledBack, "{first:#?}");
        report.assert_clean();
    });
}

#[test]
fn a_missing_permission_names_the_action_and_changes_nothing() {
    play(119, clusters::one_zone(119, &[3, 0]), async |stage| {
        stage.simulator.rule(simulator::faults::Rule::deny("ListTasks"));
        let error = stage.invoke(json!({})).await.expect_err("nothing could be seen");
        assert_eq!(error.kind(), "AccessDenied");
        assert!(error.chain().contains("ListTasks"), "{}", error.chain());
    });
}

#[test]
fn unknown_target_health_never_lowers_anything() {
    play(120, clusters::lost_and_returned(120), async |stage| {
        stage.simulator.rule(simulator::faults::Rule::deny("DescribeTargetHealth"));
        let report = stage.scheduled().await;
        stage.assert_clean();
        let touched = report.actions.iter().any(|it| it.resource == "service front");
        assert!(!touched, "a move of it is not even begun: {report:#?}");
        assert!(codes(&report).iter().any(|code| code == "cannotTell"), "{report:#?}");
    });
}
