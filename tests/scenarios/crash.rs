//! The function dies after any single API call, and the next invocations finish or undo what it had begun.

use evenkeel_tests::{Stage, clusters, play};
use simulator::account::Account;

fn small(seed: u64) -> Account {
    clusters::one_zone(seed, &[3, 0])
}

/// Calls that one undisturbed rebalance of this cluster makes.
fn calls_of(seed: u64, account: Account) -> u64 {
    play(seed, account, async |stage| {
        let _ = stage.scheduled().await;
        stage.simulator.calls().len() as u64
    })
}

async fn die_then_recover(stage: &Stage, kill: impl FnOnce()) {
    kill();
    let ended = stage.invoke_until_killed().await;
    assert!(ended.is_none(), "the kill strikes");
    stage.simulator.revive();
    tokio::time::sleep(std::time::Duration::from_mins(1)).await;
    let reports = stage.scheduled_until_quiet(6).await;
    assert!(reports.last().unwrap().actions.is_empty(), "{reports:#?}\n{}", stage.simulator.timeline());
    stage.assert_clean();
}

#[test]
fn killed_after_any_call_of_a_rebalance() {
    for call in 1..=calls_of(21, small(21)) {
        play(21, small(21), async |stage| {
            die_then_recover(&stage, || stage.simulator.kill_after(call)).await;
            assert_eq!(
                stage.spread_of("app").iter().map(|(_, n)| *n).max(),
                Some(2),
                "killed after call {call}"
            );
        });
    }
}

#[test]
fn killed_before_any_call_of_a_rebalance() {
    for call in 1..=calls_of(22, small(22)) {
        play(22, small(22), async |stage| {
            die_then_recover(&stage, || stage.simulator.kill_before(call)).await;
        });
    }
}

#[test]
fn killed_after_every_seventh_call_of_a_larger_rebalance_with_ballast() {
    let calls = calls_of(23, clusters::lost_and_returned(23));
    for call in (1..=calls).step_by(7) {
        play(23, clusters::lost_and_returned(23), async |stage| {
            die_then_recover(&stage, || stage.simulator.kill_after(call)).await;
        });
    }
}

#[test]
fn killed_again_and_again() {
    play(24, clusters::lost_and_returned(24), async |stage| {
        for round in 1..40 {
            stage.simulator.kill_after(10 + round % 17);
            let _ = stage.invoke_until_killed().await;
            stage.simulator.revive();
            tokio::time::sleep(std::time::Duration::from_mins(1)).await;
        }
        let reports = stage.scheduled_until_quiet(8).await;
        assert!(reports.last().unwrap().actions.is_empty(), "{reports:#?}");
        stage.assert_clean();
    });
}
