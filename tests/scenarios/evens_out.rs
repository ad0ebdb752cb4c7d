//! A lopsided cluster is evened out in as many moves as the lower bound says, and nobody notices.

use evenkeel::report::{Report, Status};
use evenkeel_tests::{Stage, clusters, play};
use proptest::prelude::*;
use proptest::test_runner::Config;

/// Everything that must hold after a rebalance that nothing disturbed.
fn assert_mended(stage: &Stage, report: &Report) {
    let cluster = &report.clusters[0];
    assert_eq!(report.status, Status::Done, "{report:#?}\n{}", stage.simulator.timeline());
    assert_eq!(cluster.moves.completed, cluster.moves.lower_bound, "{report:#?}");
    assert!(cluster.after.iter().all(|state| state.lower_bound == 0), "{report:#?}");
    stage.assert_clean();
    assert_eq!(stage.task_seconds_below(), 0, "{}", stage.simulator.timeline());
}

#[test]
fn an_instance_that_was_lost_and_came_back_gets_its_share() {
    for seed in 1..=5 {
        play(seed, clusters::lost_and_returned(seed), async |stage| {
            let report = stage.scheduled().await;
            assert_mended(&stage, &report);
            for service in ["front", "orders"] {
                let counts: Vec<u32> = stage.spread_of(service).iter().map(|(_, n)| *n).collect();
                let most = counts.iter().max();
                assert!(counts.iter().min() == most, "{service}: {counts:?}");
            }
        });
    }
}

#[test]
fn a_move_works_for_a_service_of_one_zone() {
    play(7, clusters::one_zone(7, &[3, 0]), async |stage| {
        let report = stage.scheduled().await;
        assert_mended(&stage, &report);
        assert_eq!(report.clusters[0].moves.lower_bound, 1);
    });
}

#[test]
fn zones_are_levelled_before_instances() {
    play(9, clusters::zoned(9, &[&[3, 3], &[3, 3], &[0, 0]]), async |stage| {
        let report = stage.scheduled().await;
        assert_mended(&stage, &report);
        assert_eq!(stage.spread_of("app").iter().map(|(_, n)| *n).collect::<Vec<_>>(), [2; 6]);
    });
}

/// n tasks evenly on all but the last of m instances, which has come back empty.
#[test]
fn one_empty_instance_is_filled_in_exactly_the_bound() {
    for instances in 2..=10_u32 {
        for tasks in [1, 2, 3, 5, 8, 13, 21, 34, 50] {
            let seed = u64::from(instances * 100 + tasks);
            let full = instances - 1;
            let mut counts: Vec<u32> =
                (0..full).map(|i| tasks / full + u32::from(i < tasks % full)).collect();
            counts.push(0);
            play(seed, clusters::one_zone(seed, &counts), async |stage| {
                let patient = stage.with("EVENKEEL_MAX_MOVES", "100");
                let report = patient.unhurried().await;
                let state = report.clusters[0].before.first().cloned();
                let is_past = state.as_ref().is_some_and(|it| it.skew.is_some_and(|skew| skew.get() > 30));
                let bound = state.filter(|_| is_past).map_or(0, |it| it.lower_bound);
                assert_eq!(report.clusters[0].moves.completed, bound, "{counts:?} {report:#?}");
                assert!(
                    report.clusters[0].after.iter().all(|it| it.lower_bound == 0),
                    "{counts:?} {report:#?}"
                );
                assert_eq!(patient.task_seconds_below(), 0, "{counts:?}");
                patient.assert_clean();
            });
        }
    }
}

#[test]
fn a_second_invocation_writes_nothing() {
    play(11, clusters::lost_and_returned(11), async |stage| {
        let first = stage.scheduled().await;
        assert_mended(&stage, &first);
        let writes = stage.writes();
        let second = stage.scheduled().await;
        assert_eq!(second.status, Status::NothingToDo, "{second:#?}");
        assert_eq!(stage.writes(), writes);
    });
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = || {
        play(13, clusters::lost_and_returned(13), async |stage| {
            let report = stage.scheduled().await;
            (stage.simulator.timeline(), serde_json::to_string(&report).unwrap())
        })
    };
    let (first, second) = (run(), run());
    assert_eq!(first.0, second.0);
    assert_eq!(first.1, second.1);
}

proptest! {
    #![proptest_config(Config { cases: 60, failure_persistence: None, ..Config::default() })]

    /// Any one-zone state past the trigger is mended in exactly its bound, any other gets no write.
    #[test]
    fn any_state_of_one_zone_is_mended_in_its_bound(
        seed in 0..1000_u64,
        counts in prop::collection::vec(0..6_u32, 2..=6).prop_filter("some task", |it| it.iter().sum::<u32>() > 0),
    ) {
        play(seed, clusters::one_zone(seed, &counts), async |stage| {
            let reports = stage.scheduled_until_quiet(6).await;
            let moves: u32 = reports.iter().map(|it| it.clusters[0].moves.completed).sum();
            let bound = reports[0].clusters[0].before.first().map_or(0, |state| state.lower_bound);
            let is_past = reports[0].clusters[0].before.first().is_some_and(|state| state.skew.is_some_and(|it| it.get() > 30));
            assert_eq!(moves, if is_past { bound } else { 0 }, "{counts:?} {reports:#?}");
            stage.assert_clean();
        });
    }

    /// The same over three zones of any size.
    #[test]
    fn any_state_over_zones_reaches_its_best_split(
        seed in 0..1000_u64,
        counts in prop::collection::vec(prop::collection::vec(0..4_u32, 1..=3), 2..=3)
            .prop_filter("some task", |it| it.iter().flatten().sum::<u32>() > 0),
    ) {
        let zones: Vec<&[u32]> = counts.iter().map(Vec::as_slice).collect();
        play(seed, clusters::zoned(seed, &zones), async |stage| {
            let reports = stage.scheduled_until_quiet(8).await;
            let last = reports.last().unwrap();
            assert!(last.actions.is_empty(), "not quiet: {counts:?} {reports:#?}\n{}", stage.simulator.timeline());
            let is_past = last.clusters[0].after.iter().any(|it| it.lower_bound > 0 && it.skew.is_some_and(|skew| skew.get() > 30));
            assert!(!is_past, "{counts:?} {last:#?}");
            stage.assert_clean();
        });
    }
}
