//! Every instance of a group is replaced: forward, back, killed, and among others at work on the same group.

pub(crate) mod back;
mod forward;
mod killed;
pub(crate) mod neighbours;
pub(crate) mod others;
mod refused;
pub(crate) mod timeouts;
pub(crate) mod traps;

use std::time::Duration;

use evenkeel::report::Status;
use evenkeel_tests::Stage;
use evenkeel_tests::rollouts::{NEW_IMAGE, images};
use simulator::faults::Rule;

/// Calls fail, answers get lost, the group is busy, reads lag behind and miss entries.
fn bad_weather(stage: &Stage) {
    let rules = [
        Rule::throttle(0.1),
        Rule::server_error(0.03),
        Rule::lose_response(0.05),
        Rule::scaling_activity_in_progress(0.3),
        Rule::resource_contention(0.1),
        Rule::missing_entry(0.02),
        Rule::stale_read(0.1, Duration::from_secs(8)),
    ];
    for rule in rules {
        stage.simulator.rule(rule);
    }
}

/// How often an operation was called.
fn called(stage: &Stage, operation: &str) -> u64 {
    stage.simulator.calls_by_operation().get(operation).copied().unwrap_or(0)
}

fn killed_running(stage: &Stage) -> usize {
    stage.simulator.checkers(|it| it.drains().killed_running())
}

/// Every instance is of the new image, there are as many as before, no promise was broken, and nothing is left once those
/// that were told to go have gone.
async fn assert_replaced(stage: &Stage, size: usize) {
    tokio::time::sleep(Duration::from_mins(3)).await;
    let words = || stage.simulator.timeline();
    let (images, listed) = stage.simulator.account(images);
    assert_eq!((images, listed), (vec![NEW_IMAGE.to_owned(); size], size), "{}", words());
    assert_eq!(killed_running(stage), 0, "{}", words());
    stage.assert_clean();
}

/// Every instance is one of those that were there before, in service, and nothing is left.
async fn assert_as_before(stage: &Stage, size: usize, words: &str) {
    tokio::time::sleep(Duration::from_mins(3)).await;
    let words = || format!("{words}\n{}", stage.simulator.timeline());
    let (images, listed) = stage.simulator.account(images);
    assert_eq!((images, listed), (vec!["ami-1".to_owned(); size], size), "{}", words());
    assert_eq!(killed_running(stage), 0, "{}", words());
    stage.assert_clean();
}
