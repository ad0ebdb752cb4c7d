//! Moves of single tasks with the answers of AWS turned round.

use std::time::Duration;

use evenkeel::report::Status;
use evenkeel_tests::{clusters, play};
use simulator::builder::ServiceBuilder;
use simulator::scheduler::deployments::start_deployment;

use super::*;

/// Behind a load balancer Evenkeel stops nothing without a tag, whatever `StopTask` does to a target.
#[test]
fn by_stop_no_client_sees_an_error_whatever_comes_first() {
    for stop_task_deregisters_first in [true, false] {
        let switches = Switches { stop_task_deregisters_first, ..Switches::default() };
        for seed in 2301..=2303 {
            let mut account = with(switches, clusters::lost_and_returned(seed));
            let services = account.clusters.get_mut("web").unwrap().services.values_mut();
            services.for_each(|service| service.minimum_healthy_percent = 50);
            play(seed, account, async |stage| {
                stage.simulator.checkers(simulator::checkers::Checkers::allow_stop_strategy);
                let stage = stage.with("EVENKEEL_MOVE_STRATEGY", "stop");
                let report = stage.scheduled().await;
                assert_eq!(report.status, Status::Done, "{report:#?}\n{}", stage.simulator.timeline());
                assert!(called(&stage, "StopTask") > 0, "a play without a stop proves nothing");
                let undrained = stage.simulator.account(|account| {
                    account.clusters["web"].tasks.values().filter(|it| it.undrained_kill).count()
                });
                assert_eq!(undrained, 0, "{}", stage.simulator.timeline());
                stage.assert_clean();
            });
        }
    }
}

/// A deployment comes in between, and its protected tasks may keep every further protection from being set.
#[test]
fn protection_that_is_refused_for_a_deployment_does_no_harm() {
    let switches = Switches { held_deployment_refuses_protection: true, ..Switches::default() };
    let account = |seed| with(switches, clusters::one_zone(seed, &[3, 0]));
    let calls = play(2311, account(2311), async |stage| {
        let report = stage.scheduled().await;
        assert_eq!(report.status, Status::Done, "{report:#?}");
        stage.assert_clean();
        stage.simulator.calls().len() as u64
    });
    for call in (1..=calls).step_by(2) {
        play(2311, account(2311), async |stage| {
            let deploy = |account: &mut Account| {
                let definition = account.clusters["web"].services["app"].task_definition.clone();
                start_deployment(account, "web", "app", &definition);
            };
            stage.simulator.before_call(call, Box::new(deploy));
            let mut reports = stage.scheduled_until_quiet(8).await;
            tokio::time::sleep(Duration::from_mins(20)).await;
            reports.extend(stage.scheduled_until_quiet(8).await);
            assert!(reports.last().unwrap().actions.is_empty(), "before call {call}: {reports:#?}");
            stage.assert_clean();
        });
    }
}

/// Zone by zone, and instance by instance: a service without a strategy of its own.
#[test]
fn a_service_without_a_strategy_is_evened_out_in_exactly_the_bound() {
    for seed in 2321..=2325 {
        let on = ["i-a1", "i-a1", "i-a1", "i-b1", "i-b1", "i-b1", "i-c1", "i-c1"];
        let app = |it: ServiceBuilder| it.on(&on);
        let account = clusters::instances(seed, &[2, 2, 2]).service("app", app).build();
        play(seed, account, async |stage| {
            let report = stage.scheduled().await;
            let moves = report.clusters[0].moves;
            let words = format!("{report:#?}\n{}", stage.simulator.timeline());
            assert_eq!((report.status, moves.completed), (Status::Done, moves.lower_bound), "{words}");
            assert!(moves.completed > 0, "{words}");
            let most = stage.spread_of("app").into_iter().map(|(_, tasks)| tasks).max();
            assert_eq!(most, Some(2), "{words}");
            assert_eq!(stage.task_seconds_below(), 0, "{words}");
            stage.assert_clean();
        });
    }
}

/// Tasks of an older deployment that somebody protects outlive it, and a spread counts them or does not.
#[test]
fn whether_old_tasks_count_in_a_spread_does_no_harm() {
    for placement_counts_old_deployments in [true, false] {
        let switches = Switches { placement_counts_old_deployments, ..Switches::default() };
        for seed in 2331..=2334 {
            let mut account = with(switches, clusters::zoned(seed, &[&[4, 0], &[4, 0], &[4, 0]]));
            let until = account.now + Duration::from_mins(50);
            let tasks = account.clusters.get_mut("web").unwrap().tasks.values_mut();
            tasks.take(2).for_each(|task| task.protected_until = Some(until));
            let definition = account.clusters["web"].services["app"].task_definition.clone();
            start_deployment(&mut account, "web", "app", &definition);
            play(seed, account, async |stage| {
                let first = stage.scheduled_until_quiet(2).await;
                assert_eq!(stage.writes(), 0, "a deployment has the right of way: {first:#?}");
                tokio::time::sleep(Duration::from_hours(1)).await;
                let reports = stage.scheduled_until_quiet(8).await;
                let words = format!("{placement_counts_old_deployments} {reports:#?}");
                let after = stage.spread_of("app").into_iter().map(|(_, tasks)| tasks);
                assert!(after.clone().max().unwrap() - after.min().unwrap() <= 1, "{words}");
                stage.assert_clean();
            });
        }
    }
}

/// Nobody knows how long the scheduler takes to replace a task that was stopped: here it waits for four minutes each time.
#[test]
fn a_stopped_task_that_comes_back_late_is_waited_for() {
    for seed in 2341..=2343 {
        let mut account = clusters::one_zone(seed, &[6, 0]);
        let services = account.clusters.get_mut("web").unwrap().services.values_mut();
        services.for_each(|service| service.minimum_healthy_percent = 50);
        play(seed, account, async |stage| {
            stage.simulator.checkers(simulator::checkers::Checkers::allow_stop_strategy);
            let stage = stage.with("EVENKEEL_MOVE_STRATEGY", "stop");
            let slow = async {
                loop {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    stage.simulator.change(|account| {
                        let now = account.now;
                        let cluster = account.clusters.get_mut("web").unwrap();
                        let latest = cluster.tasks.values().filter_map(|task| task.stopping_at).max();
                        let app = cluster.services.get_mut("app").unwrap();
                        app.start_not_before = latest.unwrap_or(now) + Duration::from_mins(4);
                    });
                }
            };
            let reports = tokio::select! {
                reports = stage.scheduled_until_quiet(8) => reports,
                () = slow => unreachable!("it goes on for ever"),
            };
            let words = format!("{reports:#?}\n{}", stage.simulator.timeline());
            assert!(called(&stage, "StopTask") > 0, "{words}");
            assert!(reports.last().unwrap().actions.is_empty(), "{words}");
            let spread: Vec<u32> = stage.spread_of("app").into_iter().map(|(_, tasks)| tasks).collect();
            assert_eq!(spread, [3, 3], "{words}");
            stage.assert_clean();
        });
    }
}
