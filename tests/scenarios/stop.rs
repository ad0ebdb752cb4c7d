//! Moves by `stop`: the same end in the same number of moves, one task short for a while, and never below the minimum.

mod disturbed;

use evenkeel::report::{Report, Status};
use evenkeel_tests::{Stage, clusters, play};
use serde_json::{Value, json};
use simulator::account::Account;
use simulator::builder::{AccountBuilder, ServiceBuilder};

/// One zone, one service `app` that may go down to half.
fn one_zone(seed: u64, counts: &[u32]) -> Account {
    let mut account = clusters::one_zone(seed, counts);
    minimum(&mut account, 50);
    account
}

/// Every service may go down to this many percent.
fn minimum(account: &mut Account, percent: u32) {
    let services = account.clusters.get_mut("web").unwrap().services.values_mut();
    services.for_each(|service| service.minimum_healthy_percent = percent);
}

fn lost_and_returned(seed: u64, minimum_percent: u32) -> Account {
    let mut account = clusters::lost_and_returned(seed);
    minimum(&mut account, minimum_percent);
    account
}

/// The same stage with the strategy `stop`, and a checker that lets it go down to the minimum.
fn by_stop(stage: Stage) -> Stage {
    stage.simulator.checkers(simulator::checkers::Checkers::allow_stop_strategy);
    stage.with("EVENKEEL_MOVE_STRATEGY", "stop")
}

fn called(stage: &Stage, operation: &str) -> u64 {
    stage.simulator.calls_by_operation().get(operation).copied().unwrap_or_default()
}

/// Calls of `StopTask` that struck, by what the simulator wrote down.
fn stops(stage: &Stage) -> usize {
    stage.simulator.account(|account| account.happenings.iter().filter(|it| it.what == "StopTask").count())
}

/// Service and strategy of each move begun, in order.
fn strategies(report: &Report) -> Vec<(String, String)> {
    let planned = serde_json::to_value(&report.clusters[0].planned).unwrap();
    let word = |step: &Value, key: &str| step[key].as_str().unwrap().to_owned();
    planned.as_array().unwrap().iter().map(|it| (word(it, "service"), word(it, "strategy"))).collect()
}

fn counts(stage: &Stage, service: &str) -> Vec<u32> {
    stage.spread_of(service).iter().map(|(_, tasks)| *tasks).collect()
}

fn assert_mended(stage: &Stage, report: &Report) {
    let moves = report.clusters[0].moves;
    assert_eq!(report.status, Status::Done, "{report:#?}\n{}", stage.simulator.timeline());
    assert_eq!((moves.completed, moves.undone, moves.extra_starts), (moves.lower_bound, 0, 0), "{report:#?}");
    assert!(report.clusters[0].after.iter().all(|state| state.lower_bound == 0), "{report:#?}");
    stage.assert_clean();
}

#[test]
fn one_task_is_stopped_and_comes_back_where_it_helps() {
    for seed in 301..=305 {
        play(seed, one_zone(seed, &[3, 0]), async |stage| {
            let stage = by_stop(stage);
            let report = stage.scheduled().await;
            assert_mended(&stage, &report);
            assert_eq!(strategies(&report), [("app".to_owned(), "stop".to_owned())]);
            assert_eq!(counts(&stage, "app"), [2, 1]);
            let operations: Vec<&str> = report.actions.iter().map(|action| action.operation).collect();
            assert_eq!(operations, ["TagResource", "StopTask", "UntagResource"], "{report:#?}");
            let why = &report.actions[1].why;
            assert!(why.contains("Evenkeel") && why.contains("evenkeel:move"), "{why}");
            let below = stage.task_seconds_below();
            assert!((1..120).contains(&below), "the honest cost is one start-up: {below} s");
        });
    }
}

#[test]
fn the_reason_of_the_stop_names_evenkeel_and_the_move() {
    play(306, one_zone(306, &[3, 0]), async |stage| {
        let stage = by_stop(stage);
        let _ = stage.scheduled().await;
        let reasons: Vec<String> = stage.simulator.account(|account| {
            let stopped = account.clusters["web"].tasks.values().filter(|task| !task.is_wanted());
            stopped.filter_map(|task| task.stopped_reason.clone()).collect()
        });
        assert!(reasons.len() == 1 && reasons[0].starts_with("Evenkeel moves this task (evenkeel:move of "));
    });
}

#[test]
fn an_instance_that_was_lost_and_came_back_gets_its_share() {
    for seed in 311..=315 {
        play(seed, lost_and_returned(seed, 50), async |stage| {
            let stage = by_stop(stage);
            let report = stage.scheduled().await;
            assert_mended(&stage, &report);
            let of = |name: &str, strategy: &str| (name.to_owned(), strategy.to_owned());
            assert!(strategies(&report).contains(&of("orders", "stop")), "{report:#?}");
            assert!(strategies(&report).contains(&of("front", "surge")), "no tag behind the balancer");
            assert!(!strategies(&report).contains(&of("front", "stop")), "{report:#?}");
            for service in ["front", "orders"] {
                let counts = counts(&stage, service);
                assert_eq!(counts.iter().max(), counts.iter().min(), "{service}: {counts:?}");
            }
        });
    }
}

#[test]
fn behind_a_load_balancer_the_tag_decides() {
    for (value, strategy) in [("stop", "stop"), ("surge", "surge"), ("Stop", "surge")] {
        let mut account = lost_and_returned(316, 50);
        let front = account.clusters.get_mut("web").unwrap().services.get_mut("front").unwrap();
        front.tags.insert("evenkeel:strategy".to_owned(), value.to_owned());
        play(316, account, async |stage| {
            let stage = by_stop(stage);
            let report = stage.scheduled().await;
            assert_mended(&stage, &report);
            let expected = ("front".to_owned(), strategy.to_owned());
            assert!(strategies(&report).contains(&expected), "{value}: {report:#?}");
        });
    }
}

#[test]
fn with_the_setting_surge_nothing_is_ever_stopped() {
    let mut account = lost_and_returned(317, 0);
    for service in account.clusters.get_mut("web").unwrap().services.values_mut() {
        service.tags.insert("evenkeel:strategy".to_owned(), "stop".to_owned());
    }
    play(317, account, async |stage| {
        let report = stage.scheduled().await;
        assert_mended(&stage, &report);
        assert_eq!((called(&stage, "StopTask"), stage.task_seconds_below()), (0, 0));
    });
}

/// Desired 1 at 100 % and at 0 %, and services whose minimum leaves nothing to spare.
#[test]
fn where_no_task_can_be_spared_it_moves_start_first() {
    for (counts, percent) in [(&[3, 0][..], 100), (&[3, 0], 67), (&[2, 0], 51), (&[4, 0, 0], 76)] {
        let mut account = clusters::one_zone(318, counts);
        minimum(&mut account, percent);
        play(318, account, async |stage| {
            let stage = by_stop(stage);
            let report = stage.unhurried().await;
            assert_mended(&stage, &report);
            assert_eq!(called(&stage, "StopTask"), 0, "{counts:?} at {percent} %");
            assert_eq!(stage.task_seconds_below(), 0, "{counts:?} at {percent} %");
        });
    }
}

/// Two services of one task each in a cluster with an instance to spare: nothing is uneven about one task.
#[test]
fn a_service_of_one_task_is_never_stopped() {
    for percent in [0, 100] {
        let mut account = clusters::one_zone(319, &[1, 0]);
        minimum(&mut account, percent);
        play(319, account, async |stage| {
            let stage = by_stop(stage);
            let report = stage.scheduled().await;
            assert_eq!((stage.writes(), report.status), (0, Status::NothingToDo), "{report:#?}");
        });
    }
}

/// A cluster of two instances of three slots each, filled to the last slot but `free` on the second.
fn crowded(seed: u64, free: u32) -> Account {
    let zone = clusters::ZONES[0];
    let slots = |it: simulator::builder::InstanceBuilder| it.cpu(768).memory(8192);
    let others = vec!["i-a2"; 3 - free as usize];
    AccountBuilder::new(seed)
        .cluster("web")
        .instance("i-a1", zone, slots)
        .instance("i-a2", zone, slots)
        .task_definition("app", |it| it.cpu(256).memory(256))
        .task_definition("other", |it| it.cpu(256).memory(256))
        .service("app", |it: ServiceBuilder| it.on(&["i-a1"; 3]).spread_instance().min_max(50, 100))
        .service("other", |it| it.on(&others).binpack_cpu())
        .build()
}

#[test]
fn a_cluster_with_one_slot_left_needs_no_other() {
    play(321, crowded(321, 1), async |stage| {
        let stage = by_stop(stage);
        let report = stage.scheduled().await;
        assert_mended(&stage, &report);
        assert_eq!(strategies(&report), [("app".to_owned(), "stop".to_owned())]);
        assert_eq!(counts(&stage, "app"), [2, 1]);
    });
}

/// The slot that a stop frees is then the only one: ECS would put the task back there, an outage for nothing.
#[test]
fn on_a_full_cluster_nothing_is_stopped_in_vain() {
    play(322, crowded(322, 0), async |stage| {
        let stage = by_stop(stage);
        let report = stage.scheduled().await;
        assert_eq!(stage.writes(), 0, "{report:#?}");
        let says = |line: &evenkeel::report::BlockedLine| line.sentence.contains("no room");
        assert!(report.blocked.iter().any(says), "{report:#?}");
    });
}

#[test]
fn a_dry_run_says_so_and_writes_nothing() {
    play(323, one_zone(323, &[3, 0]), async |stage| {
        let stage = by_stop(stage).with("EVENKEEL_DRY_RUN", "true");
        let report = stage.scheduled().await;
        assert_eq!(stage.writes(), 0, "{report:#?}");
        assert_eq!(strategies(&report), [("app".to_owned(), "stop".to_owned())]);
    });
}

#[test]
fn a_dry_run_leaves_a_move_in_flight_alone() {
    let record = undisturbed(324).iter().position(|operation| operation == "TagResource").unwrap() as u64;
    play(324, one_zone(324, &[3, 0]), async |stage| {
        let stage = by_stop(stage);
        stage.simulator.kill_after(record + 1);
        assert!(stage.invoke_until_killed().await.is_none());
        stage.simulator.revive();
        let writes = stage.writes();
        let _ = stage.invoke(json!({"cluster": "web", "dryRun": true})).await.unwrap();
        assert_eq!(stage.writes(), writes);
    });
}

/// A new task that never serves: nothing can be undone, but no second task is stopped.
#[test]
fn a_replacement_that_never_gets_healthy_ends_the_move_and_sets_the_service_aside() {
    let builder = clusters::instances(325, &[2])
        .task_definition("sick", |it| it.cpu(128).memory(256).health_check().sick_percent(100));
    let app = |it: ServiceBuilder| {
        let it = it.task_definition("sick").on(&["i-a1", "i-a1", "i-a1", "i-a1"]);
        it.spread_zone().spread_instance().min_max(50, 200)
    };
    play(325, builder.service("app", app).build(), async |stage| {
        let stage = by_stop(stage).with("EVENKEEL_MOVE_TIMEOUT", "2m");
        let report = stage.scheduled().await;
        assert_eq!(report.status, Status::RolledBack, "{report:#?}\n{}", stage.simulator.timeline());
        assert_eq!((report.clusters[0].moves.undone, called(&stage, "StopTask")), (1, 1), "{report:#?}");
        let _ = stage.scheduled_until_quiet(4).await;
        assert_eq!(called(&stage, "StopTask"), 1, "a service with a sick task is not moved");
        stage.assert_clean();
    });
}

/// Operations of an undisturbed run, in order.
fn undisturbed(seed: u64) -> Vec<String> {
    play(seed, one_zone(seed, &[3, 0]), async |stage| {
        let stage = by_stop(stage);
        let report = stage.scheduled().await;
        assert_mended(&stage, &report);
        stage.simulator.calls().into_iter().map(|call| call.operation).collect()
    })
}
