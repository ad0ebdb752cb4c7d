//! The function dies after any of its calls; Lambda's retry and the schedule finish the work.

use evenkeel_tests::drains::{bare_fleet, fleet, held_fleet, with_hook};
use evenkeel_tests::play;
use simulator::account::InterruptionAction::Terminate;
use simulator::account::{Account, ContainerInstance, ContainerInstanceStatus, Task};
use simulator::operations::is_read;

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

/// Kills a scheduled invocation after each of its writes; what `prepared` has brought about is finished by the next.
fn after_each_write_of_the_schedule(
    seed: u64,
    account: &Account,
    writes_least: usize,
    prepared: &impl AsyncFn(&Stage),
    is_finished: impl Fn(&Account) -> bool,
) {
    let calls = play(seed, account.clone(), async |stage| {
        prepared(&stage).await;
        let before = stage.simulator.calls().len();
        let _ = stage.drain_scheduled().await;
        stage.simulator.calls().split_off(before)
    });
    let writes = (1..).zip(&calls).filter(|(_, call)| !is_read(&call.operation));
    let writes: Vec<u64> = writes.map(|(number, _)| number).collect();
    assert!(writes.len() >= writes_least, "runs without their writes prove nothing: {calls:#?}");
    for call in writes {
        play(seed, account.clone(), async |stage| {
            prepared(&stage).await;
            stage.simulator.kill_after(call);
            assert!(stage.drain_until_killed(json!({})).await.is_none(), "the kill strikes at call {call}");
            stage.simulator.revive();
            for _ in 0..3 {
                let _ = stage.drain_scheduled().await;
            }
            let is_finished = stage.simulator.account(&is_finished);
            assert!(is_finished, "call {call}\n{}", stage.simulator.timeline());
            stage.assert_promises();
        });
    }
}

fn registration<'a>(account: &'a Account, instance: &str) -> Option<&'a ContainerInstance> {
    let mut instances = account.clusters["web"].container_instances.values();
    instances.find(|it| it.ec2_instance_id == instance)
}

/// DRAINING by our record, which names an interruption that should have come a quarter of an hour ago: ACTIVE, and both
/// attributes go.
#[test]
fn after_any_write_of_giving_an_instance_back() {
    let account = fleet(864, |it| it)
        .instance("i-x1", "eu-west-1a", |it| {
            it.draining()
                .attribute("evenkeel.drain", "1:stop:1767322000:1767322120")
                .attribute("evenkeel.substitute", "terminate")
        })
        .build();
    after_each_write_of_the_schedule(864, &account, 3, &async |_| (), |account| {
        let instance = registration(account, "i-x1").unwrap();
        instance.status == ContainerInstanceStatus::Active
            && !instance.attributes.keys().any(|name| name.starts_with("evenkeel"))
    });
}

/// A standalone task and the task of a move that died, whose protections keep it, on an instance that goes away.
#[test]
fn after_any_write_that_clears_the_way() {
    let account = fleet(865, with_hook)
        .instance("i-x1", "eu-west-1a", |it| {
            it.spot().attribute("evenkeel.drain", "1:terminate:1767323040:1767323900")
        })
        .standalone("app", "i-x1")
        .build();
    let warned = async |stage: &Stage| {
        stage.simulator.change(|account| spot::interrupt(account, "i-x1", Terminate));
    };
    after_each_write_of_the_schedule(865, &account, 2, &warned, |account| {
        let arn = &registration(account, "i-x1").unwrap().arn;
        let is_here = |task: &&Task| task.container_instance.as_ref() == Some(arn);
        account.clusters["web"].tasks.values().filter(is_here).all(|task| !task.is_wanted())
    });
}

/// A ghost: its event comes again after each kill, as Lambda's retry has it.
#[test]
fn after_any_call_of_putting_a_ghost_away() {
    let kind = "EC2 Instance State-change Notification";
    let gone = async |stage: &Stage| {
        stage.simulator.change(|account| {
            let instances = &mut account.clusters.get_mut("web").unwrap().container_instances;
            let instance = instances.values_mut().find(|it| it.ec2_instance_id == "i-a1").unwrap();
            instance.agent_connected = false;
            spot::reclaim(account, "i-a1");
        });
        tokio::time::sleep(Duration::from_mins(1)).await;
        stage.emitted(kind)
    };
    let calls = play(866, bare_fleet(866), async |stage| {
        let event = gone(&stage).await;
        let _ = stage.drain(event).await;
        stage.simulator.calls().len() as u64
    });
    for call in 1..=calls {
        play(866, bare_fleet(866), async |stage| {
            let event = gone(&stage).await;
            stage.simulator.kill_after(call);
            assert!(
                stage.drain_until_killed(event.clone()).await.is_none(),
                "the kill strikes at call {call}"
            );
            stage.simulator.revive();
            let report = stage.drain(event).await.unwrap();
            let status = stage.simulator.account(|account| registration(account, "i-a1").map(|it| it.status));
            let is_gone = status.is_none_or(|it| it == ContainerInstanceStatus::Inactive);
            assert!(is_gone, "call {call}: {report:#?}\n{}", stage.simulator.timeline());
            assert_eq!(called(&stage, "DeregisterContainerInstance"), 1, "call {call}");
        });
    }
}
