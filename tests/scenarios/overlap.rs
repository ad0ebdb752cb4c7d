//! Two invocations at once, one of them held back before any one of its calls: neither harms what the other did.

use std::time::Duration;

use evenkeel_tests::{clusters, play};
use simulator::account::Account;

fn cluster() -> Account {
    clusters::one_zone(81, &[5, 5, 0])
}

fn calls_of_one() -> u64 {
    play(81, cluster(), async |stage| {
        let _ = stage.scheduled().await;
        stage.simulator.calls().len() as u64
    })
}

/// Plays both, the late one held before each `step`-th call, and lets schedules follow until all is quiet.
fn together(hold: Duration, step: usize) {
    for call in (1..=calls_of_one()).step_by(step) {
        play(81, cluster(), async |stage| {
            let (first, second) = tokio::join!(stage.scheduled(), stage.invoke_late(call, hold));
            assert!(second.is_ok() || hold >= Duration::from_secs(10), "{first:#?} {second:#?}");
            tokio::time::sleep(Duration::from_mins(2)).await;
            let reports = stage.scheduled_until_quiet(8).await;
            assert!(reports.last().unwrap().actions.is_empty(), "held before call {call}: {reports:#?}");
            stage.assert_clean();
            assert_eq!(stage.task_seconds_below(), 0, "held before call {call}");
        });
    }
}

#[test]
fn two_at_once() {
    together(Duration::ZERO, 1000);
}

#[test]
fn one_is_late_by_three_seconds() {
    together(Duration::from_secs(3), 3);
}

#[test]
fn one_is_late_by_nine_seconds() {
    together(Duration::from_secs(9), 5);
}
