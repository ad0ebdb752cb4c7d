//! Both layers on whole clusters: services level first, then the load of the instances, every service still at its best.

use evenkeel::report::{Report, Status};
use evenkeel_tests::{clusters, play};
use simulator::account::Account;

/// One task each of `count` services, on the named instances in turn.
fn singles(seed: u64, per_zone: &[u32], on: &[&str], count: usize) -> Account {
    let mut builder =
        clusters::instances(seed, per_zone).task_definition("unit", |it| it.cpu(256).memory(512));
    for number in 0..count {
        let place = on[number % on.len()];
        builder = builder.service(&format!("single-{number:02}"), |it| {
            it.task_definition("unit").spread_zone().spread_instance().on(&[place])
        });
    }
    builder.build()
}

fn assert_level(report: &Report) {
    let cluster = &report.clusters[0];
    assert_eq!(report.status, Status::Done, "{:#?} {:#?}", cluster.moves, cluster.planned);
    for group in &cluster.load_after {
        assert!(group.skew.get() <= 30, "{group:?}");
    }
}

#[test]
fn single_tasks_of_many_services_are_laid_evenly_in_exactly_the_bound() {
    for seed in 300..=304 {
        play(seed, singles(seed, &[3], &["i-a1", "i-a2"], 24), async |stage| {
            let report = stage.unhurried().await;
            assert_level(&report);
            let moves = report.clusters[0].moves;
            assert_eq!(
                (moves.completed, moves.lower_bound, moves.undone),
                (7, 7, 0),
                "{:#?}\n{}",
                report.clusters[0].planned,
                stage.simulator.timeline()
            );
            assert_eq!(stage.task_seconds_below(), 0, "{}", stage.simulator.timeline());
            stage.assert_clean();
            let writes = stage.writes();
            tokio::time::sleep(std::time::Duration::from_hours(2)).await;
            let next = stage.scheduled().await;
            assert_eq!((next.status, stage.writes()), (Status::NothingToDo, writes), "{next:#?}");
        });
    }
}

#[test]
fn single_tasks_are_laid_evenly_over_zones_of_one_size() {
    for seed in 310..=313 {
        play(seed, singles(seed, &[1, 1, 1], &["i-a1", "i-b1"], 24), async |stage| {
            let report = stage.unhurried().await;
            assert_level(&report);
            let moves = report.clusters[0].moves;
            assert_eq!(
                (moves.completed, moves.undone),
                (moves.lower_bound, 0),
                "{:#?}\n{}",
                report.clusters[0].planned,
                stage.simulator.timeline()
            );
            stage.assert_clean();
        });
    }
}

#[test]
fn services_level_first_then_instances_on_a_new_one() {
    let account = |seed| {
        let mut builder =
            clusters::instances(seed, &[3]).task_definition("unit", |it| it.cpu(256).memory(512));
        for number in 0..12 {
            let on: &[&str] = match number % 3 {
                0 => &["i-a1", "i-a1", "i-a2", "i-a2"],
                1 => &["i-a1", "i-a2"],
                _ => &["i-a1"],
            };
            builder = builder.service(&format!("app-{number:02}"), |it| {
                it.task_definition("unit").spread_zone().spread_instance().on(on)
            });
        }
        builder.build()
    };
    for seed in 320..=323 {
        play(seed, account(seed), async |stage| {
            let report = stage.unhurried().await;
            assert_level(&report);
            for state in &report.clusters[0].after {
                assert_eq!(state.lower_bound, 0, "{state:?}");
            }
            assert_eq!(
                report.clusters[0].moves.undone,
                0,
                "{:#?}\n{}",
                report.clusters[0].planned,
                stage.simulator.timeline()
            );
            stage.assert_clean();
        });
    }
}

#[test]
fn the_second_layer_survives_a_kill_after_any_call() {
    let calls = play(330, singles(330, &[3], &["i-a1", "i-a2"], 12), async |stage| {
        let _ = stage.scheduled().await;
        stage.simulator.calls().len() as u64
    });
    for call in (1..=calls).step_by(11) {
        play(330, singles(330, &[3], &["i-a1", "i-a2"], 12), async |stage| {
            stage.simulator.kill_after(call);
            assert!(stage.invoke_until_killed().await.is_none(), "the kill strikes");
            stage.simulator.revive();
            tokio::time::sleep(std::time::Duration::from_mins(1)).await;
            let reports = stage.scheduled_until_quiet(6).await;
            assert!(reports.last().unwrap().actions.is_empty(), "killed after {call}: {reports:#?}");
            stage.assert_clean();
            assert_eq!(stage.task_seconds_below(), 0, "killed after {call}");
        });
    }
}
