//! Silence on an optimum: no write, and not one read above the floor.

use evenkeel::report::Status;
use evenkeel_tests::{clusters, play};

/// The floor for S services, T tasks and M instances, one call at least for each list.
fn floor(services: u64, tasks: u64, instances: u64) -> u64 {
    let pages = |n: u64, size: u64| n.div_ceil(size);
    let listed = |n: u64| pages(n, 100).max(1);
    listed(services)
        + pages(services, 10)
        + listed(tasks)
        + pages(tasks, 100)
        + listed(instances)
        + pages(instances, 100)
}

/// n tasks over m instances of one zone, as evenly as they go.
fn even(tasks: u32, instances: u32) -> Vec<u32> {
    (0..instances).map(|i| tasks / instances + u32::from(i < tasks % instances)).collect()
}

#[test]
fn every_optimum_of_up_to_50_tasks_and_10_instances_is_left_alone() {
    for instances in 1..=10 {
        for tasks in 0..=50 {
            let seed = u64::from(instances * 100 + tasks);
            play(seed, clusters::one_zone(seed, &even(tasks, instances)), async |stage| {
                let report = stage.scheduled().await;
                assert_eq!(report.status, Status::NothingToDo, "{tasks} on {instances}: {report:#?}");
                assert_eq!(stage.writes(), 0, "{tasks} on {instances}");
            });
        }
    }
}

#[test]
fn a_large_balanced_cluster_costs_the_read_floor() {
    let mut builder = clusters::instances(3, &[40, 40, 40]);
    let ids: Vec<String> = clusters::places(&[&[1; 40], &[1; 40], &[1; 40]]);
    for number in 0..25 {
        let on: Vec<&str> = (0..12).map(|i| ids[(i % 3) * 40 + (number + i / 3) % 40].as_str()).collect();
        builder = builder.service(&format!("app-{number:02}"), |it| {
            it.task_definition("app").spread_zone().spread_instance().on(&on)
        });
    }
    play(3, builder.build(), async |stage| {
        let report = stage.scheduled().await;
        assert_eq!(report.status, Status::NothingToDo, "{report:#?}");
        assert_eq!(report.api_calls.values().sum::<u64>(), floor(25, 300, 120), "{:?}", report.api_calls);
        assert_eq!(stage.writes(), 0);
    });
}

#[test]
fn a_dry_run_plans_and_writes_nothing() {
    play(5, clusters::lost_and_returned(5), async |stage| {
        let report = stage.invoke(serde_json::json!({"cluster": "web", "dryRun": true})).await.unwrap();
        assert!(report.dry_run && !report.clusters[0].planned.is_empty(), "{report:#?}");
        assert_eq!(stage.writes(), 0);
    });
}

#[test]
fn bad_input_changes_nothing_and_says_what_and_where() {
    let cases = [
        (serde_json::json!({"cluster": "nowhere"}), "nowhere"),
        (serde_json::json!({"cluster": "arn:aws:ecs:us-east-1:123456789012:cluster/web"}), "us-east-1"),
        (serde_json::json!({"cluster": "web", "skewThreshold": -1}), "skewThreshold"),
        (serde_json::json!({"cluster": "web", "skewThreshold": 3000}), "skewThreshold"),
        (serde_json::json!({"cluster": "web", "force": true}), "force"),
    ];
    play(6, clusters::lost_and_returned(6), async |stage| {
        for (event, expected) in cases {
            let error = stage.invoke(event.clone()).await.expect_err("bad input is an error").chain();
            assert!(error.contains(expected), "{event}: {error}");
        }
        assert_eq!(stage.writes(), 0);
    });
}
