//! What `FIDELITY.md` calls in doubt, with the other answer played: the promises have to hold either way.

mod drains;
mod moves;
mod pages;
mod providers;
mod rollouts;
mod standby;

use std::time::Duration;

use evenkeel_tests::Stage;
use evenkeel_tests::rollouts::{NEW_IMAGE, images};
use simulator::account::Account;
use simulator::switches::{Switches, TerminatingAgain};

/// Longer than any drain here takes.
const LONG: Duration = Duration::from_mins(15);

/// The same account with the other answers.
fn with(switches: Switches, mut account: Account) -> Account {
    account.switches = switches;
    account
}

/// Every switch that a drain or a rollout may feel, turned by itself, with its name for the words of a failure.
fn turned() -> Vec<(&'static str, Switches)> {
    let usual = Switches::default();
    vec![
        ("drain_deregisters_first", Switches { drain_deregisters_first: false, ..usual }),
        ("drain_stops_protected", Switches { drain_stops_protected: true, ..usual }),
        ("draining_again_succeeds", Switches { draining_again_succeeds: false, ..usual }),
        ("substitute_waits_for_hook", Switches { substitute_waits_for_hook: true, ..usual }),
        ("activity_blocks_size_changes", Switches { activity_blocks_size_changes: true, ..usual }),
        ("scale_in_takes_pending", Switches { scale_in_takes_pending: true, ..usual }),
        ("scale_in_takes_fullest_instance", Switches { scale_in_takes_fullest_instance: true, ..usual }),
        ("standby_takes_minutes", Switches { standby_takes_minutes: true, ..usual }),
        ("attributes_outlive_registration", Switches { attributes_outlive_registration: true, ..usual }),
        ("terminating_again refused", Switches { terminating_again: TerminatingAgain::Refused, ..usual }),
        (
            "terminating_again decremented",
            Switches { terminating_again: TerminatingAgain::Decremented, ..usual },
        ),
    ]
}

/// How often an operation was called.
fn called(stage: &Stage, operation: &str) -> u64 {
    stage.simulator.calls_by_operation().get(operation).copied().unwrap_or(0)
}

/// As many instances as before, all of this image, no task killed while it ran, and nothing left.
async fn assert_settled(stage: &Stage, image: &str, size: usize, words: &str) {
    tokio::time::sleep(Duration::from_mins(3)).await;
    let words = || format!("{words}\n{}", stage.simulator.timeline());
    let (images, listed) = stage.simulator.account(images);
    assert_eq!((images, listed), (vec![image.to_owned(); size], size), "{}", words());
    assert_eq!(stage.simulator.checkers(|it| it.drains().killed_running()), 0, "{}", words());
    stage.assert_clean();
}

async fn assert_replaced(stage: &Stage, size: usize, words: &str) {
    assert_settled(stage, NEW_IMAGE, size, words).await;
}
