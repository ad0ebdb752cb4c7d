//! The function dies after any of its calls; Lambda's retry and the schedule finish the work.

use evenkeel_tests::drains::{bare_fleet, held_fleet};
use evenkeel_tests::play;
use simulator::account::Account;
use simulator::account::InterruptionAction::Terminate;

use super::*;

/// Interrupts `i-a1`, kills the invocation after its `call`-th call, and lets Lambda try again a minute later, beside the
/// schedule.
fn killed_after(call: u64, seed: u64, account: Account) {
    play(seed, account, async |stage| {
        stage.simulator.change(|account| spot::interrupt(account, "i-a1", Terminate));
        stage.simulator.kill_after(call);
        let event = stage.emitted(WARNING);
        assert!(stage.drain_until_killed(event.clone()).await.is_none(), "the kill strikes at call {call}");
        stage.simulator.revive();
        let mut bus = bus(seed, Mishaps { lost_percent: 100, ..Mishaps::default() });
        let again = async {
            tokio::time::sleep(Duration::from_mins(1)).await;
            stage.drain(event).await
        };
        let (again, lived) = tokio::join!(again, stage.live(&mut bus, LONG));
        let words = || format!("call {call}: {again:#?}\n{}", stage.simulator.timeline());
        assert!(again.is_ok() && lived.errors.is_empty(), "{}", words());
        let machines = stage.simulator.account(|account| account.machines.len());
        assert_eq!(machines, 7, "one substitute: {}", words());
        assert!(stage.drained("i-a1").draining_after.is_some_and(|it| it <= 65), "{}", words());
        stage.assert_clean();
    });
}

fn calls_of_one(seed: u64, account: Account) -> u64 {
    play(seed, account, async |stage| {
        stage.simulator.change(|account| spot::interrupt(account, "i-a1", Terminate));
        let _ = stage.drain(stage.emitted(WARNING)).await;
        stage.simulator.calls().len() as u64
    })
}

#[test]
fn after_any_call_while_detaching() {
    for call in 1..=calls_of_one(861, bare_fleet(861)) {
        killed_after(call, 861, bare_fleet(861));
    }
}

#[test]
fn after_any_call_while_a_hook_holds_the_instance() {
    for call in 1..=calls_of_one(862, held_fleet(862)) {
        killed_after(call, 862, held_fleet(862));
    }
}

/// The group gives up an instance; the invocation of the lifecycle event dies, and only the schedule is left.
#[test]
fn after_any_call_of_a_lifecycle_action() {
    let leave = |account: &mut Account| {
        account.auto_scaling_groups.get_mut("web-asg").unwrap().desired_capacity = 5;
    };
    let kind = "EC2 Instance-terminate Lifecycle Action";
    let begun = async |stage: &Stage| {
        stage.simulator.change(leave);
        stage.simulator.checkers(|it| it.others_resized("web-asg", (3, 5, 9)));
        tokio::time::sleep(Duration::from_secs(5)).await;
        stage.emitted(kind)
    };
    let calls = play(863, held_fleet(863), async |stage| {
        let event = begun(&stage).await;
        let _ = stage.drain(event).await;
        stage.simulator.calls().len() as u64
    });
    for call in 1..=calls {
        play(863, held_fleet(863), async |stage| {
            let event = begun(&stage).await;
            stage.simulator.kill_after(call);
            assert!(stage.drain_until_killed(event).await.is_none(), "the kill strikes at call {call}");
            stage.simulator.revive();
            let mut bus = bus(863, Mishaps { lost_percent: 100, ..Mishaps::default() });
            let lived = stage.live(&mut bus, LONG).await;
            let left =
                stage.simulator.account(|account| account.auto_scaling_groups["web-asg"].instances.len());
            assert_eq!(left, 5, "call {call}: {lived:#?}\n{}", stage.simulator.timeline());
            assert_quiet_end(&stage, &lived);
        });
    }
}
