//! Throttling, server errors, lost answers, stale reads: the same end state, and no promise broken on the way.

use std::time::Duration;

use evenkeel_tests::{Stage, clusters, play};
use simulator::faults::Rule;

async fn reaches_the_same_end(stage: &Stage) {
    let reports = stage.scheduled_until_quiet(10).await;
    stage.simulator.clear_rules();
    let last = stage.scheduled_until_quiet(6).await;
    assert!(last.last().unwrap().actions.is_empty(), "{reports:#?} {last:#?}");
    for service in ["front", "orders"] {
        let counts: Vec<u32> = stage.spread_of(service).iter().map(|(_, n)| *n).collect();
        assert_eq!(
            counts.iter().max(),
            counts.iter().min(),
            "{service}: {counts:?}\n{}",
            stage.simulator.timeline()
        );
    }
    stage.assert_clean();
}

fn under(rules: &[Rule]) {
    for seed in 31..=34 {
        play(seed, clusters::lost_and_returned(seed), async |stage| {
            for rule in rules {
                stage.simulator.rule(rule.clone());
            }
            reaches_the_same_end(&stage).await;
        });
    }
}

#[test]
fn throttled_one_call_in_ten() {
    under(&[Rule::throttle(0.10)]);
}

#[test]
fn one_call_in_fifty_fails() {
    under(&[Rule::server_error(0.02)]);
}

#[test]
fn answers_get_lost_after_the_write() {
    under(&[Rule::lose_response(0.05)]);
}

#[test]
fn reads_lag_behind() {
    under(&[Rule::stale_read(0.2, Duration::from_secs(8))]);
}

#[test]
fn describe_calls_miss_an_entry() {
    under(&[Rule::missing_entry(0.05)]);
}

#[test]
fn everything_at_once() {
    under(&[
        Rule::throttle(0.10),
        Rule::server_error(0.02),
        Rule::stale_read(0.1, Duration::from_secs(8)),
        Rule::lose_response(0.02),
    ]);
}
