//! Edge cases of the definition of skew, a row each: those that `edges` and the families do not already play.

use std::time::Duration;

use evenkeel::report::{Report, Status};
use evenkeel_tests::{Stage, clusters, play};
use simulator::account::Account;
use simulator::builder::{AccountBuilder, ServiceBuilder};

fn codes(report: &Report) -> Vec<String> {
    let code = |line: serde_json::Value| line["reason"]["code"].as_str().unwrap_or_default().to_owned();
    report.blocked.iter().map(|line| code(serde_json::to_value(line).unwrap())).collect()
}

/// Scheduled runs that must not write; with `code` the first must give it as a reason.
fn silent(seed: u64, account: Account, code: Option<&str>) {
    play(seed, account, async |stage| {
        let report = stage.scheduled().await;
        assert_eq!(stage.writes(), 0, "{report:#?}");
        if let Some(code) = code {
            assert!(codes(&report).iter().any(|it| it == code), "{code} is missing: {report:#?}");
        }
        stage.assert_clean();
    });
}

/// Runs until quiet, in which exactly `moves` are completed.
fn moved(seed: u64, account: Account, moves: u32, end: &[u32]) {
    play(seed, account, async |stage| {
        let reports = stage.scheduled_until_quiet(8).await;
        let completed: u32 = reports.iter().map(|it| it.clusters[0].moves.completed).sum();
        assert_eq!(completed, moves, "{reports:#?}\n{}", stage.simulator.timeline());
        assert_eq!(sorted_counts(&stage), end, "{}", stage.simulator.timeline());
        assert_eq!(stage.task_seconds_below(), 0, "{}", stage.simulator.timeline());
        stage.assert_clean();
    });
}

fn sorted_counts(stage: &Stage) -> Vec<u32> {
    let mut counts: Vec<u32> = stage.spread_of("app").into_iter().map(|(_, tasks)| tasks).collect();
    counts.sort_unstable();
    counts
}

fn spread(it: ServiceBuilder) -> ServiceBuilder {
    it.spread_zone().spread_instance()
}

#[test]
fn no_eligible_instance() {
    let app = |it| spread(it).on(&["i-a1", "i-a1"]).member_of("attribute:pool == none");
    silent(301, clusters::instances(301, &[2]).service("app", app).build(), Some("noEligibleInstance"));
}

#[test]
fn three_and_none() {
    moved(302, clusters::one_zone(302, &[3, 0]), 1, &[1, 2]);
}

#[test]
fn fewer_tasks_than_instances_one_each() {
    silent(303, clusters::one_zone(303, &[1, 1, 1, 0, 0]), Some("alreadyOptimal"));
}

#[test]
fn a_single_task_stays() {
    silent(304, clusters::one_zone(304, &[1, 0]), Some("alreadyOptimal"));
}

#[test]
fn forty_tasks_and_a_new_instance() {
    moved(305, clusters::one_zone(305, &[10, 10, 10, 10, 0]), 8, &[8; 5]);
}

#[test]
fn six_five_five_four() {
    moved(306, clusters::one_zone(306, &[6, 5, 5, 4]), 1, &[5; 4]);
}

#[test]
fn zones_of_two_sizes_aab_nine() {
    silent(307, clusters::zoned(307, &[&[2, 2], &[5]]), Some("alreadyOptimal"));
}

#[test]
fn zones_of_two_sizes_aaab_twelve() {
    silent(308, clusters::zoned(308, &[&[2, 2, 2], &[6]]), Some("alreadyOptimal"));
}

#[test]
fn uneven_zones_without_ecs_levelling_them_are_levelled_in_one_plan() {
    moved(309, clusters::zoned(309, &[&[4, 2], &[0, 0]]), 3, &[1, 1, 2, 2]);
}

#[test]
fn zones_that_ecs_levels_are_left_to_it_and_instances_inside_are_not() {
    let app = |it: ServiceBuilder| {
        spread(it).az_rebalancing().on(&["i-a1", "i-a1", "i-a1", "i-b1", "i-b1", "i-b1"])
    };
    moved(310, clusters::instances(310, &[2, 2]).service("app", app).build(), 2, &[1, 1, 2, 2]);
}

#[test]
fn zones_first_then_binpack_is_uneven_inside_a_zone_on_purpose() {
    let app = |it: ServiceBuilder| it.spread_zone().binpack_memory().on(&["i-a1", "i-a1", "i-b1", "i-b1"]);
    silent(311, clusters::instances(311, &[2, 2]).service("app", app).build(), None);
}

#[test]
fn random() {
    let app = |it: ServiceBuilder| it.random().on(&["i-a1", "i-a1", "i-a1"]);
    silent(312, clusters::instances(312, &[2]).service("app", app).build(), Some("randomStrategy"));
}

#[test]
fn distinct_instance() {
    let app = |it: ServiceBuilder| it.spread_zone().distinct_instance().on(&["i-a1", "i-a2"]);
    silent(313, clusters::instances(313, &[3]).service("app", app).build(), Some("alreadyOptimal"));
}

#[test]
fn an_instance_that_a_constraint_rules_out_does_not_count_as_empty() {
    let app = |it| spread(it).on(&["i-a1", "i-a2"]).member_of("ec2InstanceId in ['i-a1', 'i-a2']");
    silent(314, clusters::instances(314, &[3]).service("app", app).build(), None);
}

#[test]
fn standalone_tasks_are_load_that_stays() {
    let mut builder = clusters::instances(315, &[2]);
    for _ in 0..5 {
        builder = builder.standalone("app", "i-a1");
    }
    silent(315, builder.build(), None);
}

/// Two of three instances, one of them DRAINING with a task on it.
#[test]
fn a_service_with_a_task_on_a_draining_instance_waits() {
    let builder = clusters::instances(316, &[2])
        .instance("i-a3", clusters::ZONES[0], |it| it.cpu(4096).memory(15_360).draining())
        .service("app", |it| spread(it).min_max(100, 100).on(&["i-a1", "i-a1", "i-a1", "i-a3"]));
    silent(316, builder.build(), Some("foreignDrain"));
}

#[test]
fn a_service_short_of_its_count_waits() {
    let builder = AccountBuilder::new(317)
        .cluster("web")
        .instance("i-a1", clusters::ZONES[0], |it| it.cpu(512).memory(15_360))
        .instance("i-a2", clusters::ZONES[0], |it| it.cpu(256).memory(15_360))
        .task_definition("app", |it| it.cpu(128).memory(256))
        .service("app", |it| spread(it).desired(9).on(&["i-a1", "i-a1", "i-a1", "i-a1"]));
    silent(317, builder.build(), Some("unsteady"));
}

/// ECS places by count; so that shares of large and small instances come out unlike is as it has to be.
#[test]
fn instances_of_two_sizes_get_the_same_count() {
    let builder = clusters::instances(318, &[1])
        .instance("i-a2", clusters::ZONES[0], |it| it.cpu(16_384).memory(61_440))
        .service("app", |it| spread(it).on(&["i-a2", "i-a2", "i-a2", "i-a2", "i-a2", "i-a2"]));
    moved(318, builder.build(), 3, &[3, 3]);
}

#[test]
fn a_small_instance_gets_what_it_holds() {
    let builder = clusters::instances(319, &[1])
        .instance("i-a2", clusters::ZONES[0], |it| it.cpu(256).memory(15_360))
        .service("app", |it| spread(it).on(&["i-a1"; 8]));
    moved(319, builder.build(), 2, &[2, 6]);
}

#[test]
fn several_capacity_providers() {
    let builder = AccountBuilder::new(320)
        .cluster("web")
        .instance("i-a1", clusters::ZONES[0], |it| it.capacity_provider("spot"))
        .instance("i-a2", clusters::ZONES[0], |it| it.capacity_provider("base"))
        .task_definition("app", |it| it.cpu(128).memory(256));
    let app =
        |it| spread(it).capacity_provider("spot", 0, 1).capacity_provider("base", 1, 1).on(&["i-a1", "i-a1"]);
    silent(320, builder.service("app", app).build(), Some("severalCapacityProviders"));
}

#[test]
fn a_task_that_somebody_protects() {
    let mut account = clusters::one_zone(321, &[3, 0]);
    let until = account.now + Duration::from_hours(5);
    let tasks = &mut account.clusters.get_mut("web").unwrap().tasks;
    tasks.values_mut().next().unwrap().protected_until = Some(until);
    silent(321, account, Some("foreignProtection"));
}

#[test]
fn a_static_host_port_on_every_instance_leaves_no_slot_for_one_more() {
    let builder = clusters::instances(322, &[2])
        .task_definition("port", |it| it.cpu(128).memory(256).container_port(80, 8080))
        .service("app", |it| spread(it).task_definition("port").on(&["i-a1", "i-a2"]));
    silent(322, builder.build(), None);
}

#[test]
fn a_deployment_under_way() {
    let mut account = clusters::one_zone(323, &[3, 0]);
    let definition = account.clusters["web"].services["app"].task_definition.clone();
    account.task_definitions.get_mut(&definition).unwrap().sick_percent = 100;
    simulator::scheduler::deployments::start_deployment(&mut account, "web", "app", &definition);
    play(323, account, async |stage| {
        let report = stage.scheduled().await;
        assert_eq!(stage.writes(), 0, "{report:#?}");
        assert_ne!(report.status, Status::Done);
        stage.assert_promises();
    });
}
