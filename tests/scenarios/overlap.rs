//! Two invocations at once, one of them held back before any one of its calls: neither harms what the other did.

use std::time::Duration;

use evenkeel::plan::record::MoveRecord;
use evenkeel_tests::late::Held;
use evenkeel_tests::{Stage, clusters, play};
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
fn together(delay: Duration, step: usize) {
    for call in (1..=calls_of_one()).step_by(step) {
        play(81, cluster(), async |stage| {
            let held = Held::default();
            let (first, second) = tokio::join!(stage.scheduled(), stage.invoke_late(call, delay, &held));
            assert!(second.is_ok() || delay >= Duration::from_secs(10), "{first:#?} {second:#?}");
            tokio::time::sleep(Duration::from_mins(2)).await;
            let reports = stage.scheduled_until_quiet(8).await;
            assert!(reports.last().unwrap().actions.is_empty(), "held before call {call}: {reports:#?}");
            stage.assert_clean();
            if !held.lock().unwrap().contains("agResource") {
                assert_records_go_forward(&stage, call);
            }
            assert_eq!(stage.task_seconds_below(), 0, "held before call {call}");
        });
    }
}

/// A record never goes back, and none comes back once it was removed, unless the late call is itself that write.
fn assert_records_go_forward(stage: &Stage, call: u64) {
    let mut last = None;
    for happening in stage.simulator.account(|account| account.happenings.clone()) {
        let Some(text) = happening.what.strip_prefix("tagged evenkeel:move=") else { continue };
        let record: MoveRecord = text.parse().unwrap();
        let place = Some((record.started_at, record.sequence));
        assert!(place >= last, "held before call {call}: {text} goes back\n{}", stage.simulator.timeline());
        last = place;
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
