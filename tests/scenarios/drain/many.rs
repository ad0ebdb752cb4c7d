//! Many interruptions at once, each handled by an invocation of its own against the same account's buckets.

use evenkeel_tests::drains::{bare_fleet, held_fleet, large, with_hook};
use evenkeel_tests::play;
use simulator::account::Account;
use simulator::account::InterruptionAction::Terminate;
use simulator::builder::AccountBuilder;

use super::*;

fn at_once(seed: u64, account: Account, ids: &[String]) {
    play(seed, account, async |stage| {
        let before = stage.simulator.account(|account| account.machines.len());
        stage.simulator.change(|account| {
            for id in ids {
                spot::interrupt(account, id, Terminate);
            }
        });
        let lived = stage.live(&mut bus(seed, Mishaps::default()), LONG).await;
        let words = || stage.simulator.timeline();
        let mut waits = Vec::new();
        for id in ids {
            let drain = stage.drained(id);
            assert!(drain.draining_after.is_some_and(|it| it <= 10), "{id}: {drain:#?}\n{}", words());
            waits.push(drain.substitute_launched_after.unwrap_or(u64::MAX));
        }
        waits.sort_unstable();
        assert!(waits[waits.len() / 2] <= 30 && waits[waits.len() - 1] < 120, "{waits:?}\n{}", words());
        let machines = stage.simulator.account(|account| account.machines.len());
        assert_eq!(machines, before + ids.len(), "one substitute each\n{}", words());
        assert!(lived.errors.is_empty(), "{:#?}", lived.errors);
        stage.assert_clean();
    });
}

fn names(ids: &[&str]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

#[test]
fn two_of_six() {
    at_once(901, bare_fleet(901), &names(&["i-a1", "i-b1"]));
    at_once(902, held_fleet(902), &names(&["i-a1", "i-b1"]));
}

#[test]
fn five_of_ten() {
    let (account, ids) = large(903, 10, 3, false, |it| it);
    at_once(903, account, &ids[..5]);
    let (account, ids) = large(904, 10, 3, false, with_hook);
    at_once(904, account, &ids[..5]);
}

#[test]
fn fifty_of_two_hundred() {
    let (account, ids) = large(905, 200, 3, false, |it| it);
    at_once(905, account, &ids[..50]);
}

#[test]
fn fifty_of_two_hundred_that_a_hook_holds() {
    let (account, ids) = large(906, 200, 3, false, with_hook);
    at_once(906, account, &ids[..50]);
}

/// A page of `ListTasks` and a call of `DescribeTasks` hold a hundred.
#[test]
fn an_instance_with_more_than_a_hundred_tasks_is_empty_when_the_last_has_stopped() {
    let on = vec!["i-a1"; 130];
    let zones = evenkeel_tests::clusters::ZONES;
    let account = AccountBuilder::new(907)
        .cluster("web")
        .launch_template("web", |it| it.size(40_960, 163_840).version("ami-1"))
        .auto_scaling_group("web-asg", |it| {
            let places = [("i-a1", zones[0]), ("i-b1", zones[1]), ("i-c1", zones[2])];
            with_hook(it.zones(&zones).size(0, 3, 6).instances(&places))
        })
        .task_definition("app", |it| it.cpu(128).memory(256))
        .service("app", |it| it.on(&on))
        .build();
    play(907, account, async |stage| {
        let report = stage.drain(command("i-a1")).await.unwrap();
        assert_eq!(stage_of(&report), DrainStage::Empty, "{report:#?}\n{}", stage.simulator.timeline());
        tokio::time::sleep(Duration::from_mins(5)).await;
        let seen = stage.drained("i-a1");
        assert!(seen.empty_after < seen.ended_after && seen.killed.is_empty(), "{seen:#?}");
        stage.assert_clean();
    });
}
