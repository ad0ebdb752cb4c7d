//! Drains with the answers of AWS turned round, killed on the way, and with tasks that are not running yet.

use std::time::Duration;

use evenkeel::report::Status;
use evenkeel::report::drain::Stage as DrainStage;
use evenkeel_tests::drains::{bare_fleet, bus, fleet, held_fleet, with_hook};
use evenkeel_tests::play;
use serde_json::json;
use simulator::account::InterruptionAction::{Stop, Terminate};
use simulator::account::{LifecycleState, Pace, TaskStatus};
use simulator::event_bridge::Mishaps;
use simulator::scheduler::spot;

use super::*;

const WARNING: &str = "EC2 Spot Instance Interruption Warning";

/// With a hook of ours, without any, and by standby.
#[test]
fn an_interruption_whatever_aws_answers() {
    for (seed, (name, switches)) in (2200..).zip(turned()) {
        for (account, replacement) in
            [(held_fleet(seed), "auto"), (bare_fleet(seed), "auto"), (bare_fleet(seed), "surge")]
        {
            play(seed, with(switches, account), async |stage| {
                let stage = stage.with("EVENKEEL_REPLACEMENT", replacement);
                stage.simulator.change(|account| spot::interrupt(account, "i-a1", Terminate));
                let lived = stage.live(&mut bus(seed, Mishaps::default()), LONG).await;
                let words = format!("{name} {replacement} {lived:#?}\n{}", stage.simulator.timeline());
                assert!(lived.errors.is_empty(), "{words}");
                assert_eq!(stage.simulator.account(|account| account.machines.len()), 7, "{words}");
                assert!(stage.drained("i-a1").draining_after.is_some_and(|it| it <= 3), "{words}");
                assert!(lived.of("i-a1").iter().any(|it| it.stage == DrainStage::Empty), "{words}");
                stage.assert_clean();
            });
        }
    }
}

/// What a second call for the same substitute answers must not matter: the record says that it was asked for.
#[test]
fn killed_after_any_call_whatever_a_second_termination_answers() {
    for again in [TerminatingAgain::Refused, TerminatingAgain::Decremented] {
        let switches = Switches { terminating_again: again, ..Switches::default() };
        let account = || with(switches, held_fleet(2230));
        let calls = play(2230, account(), async |stage| {
            stage.simulator.change(|account| spot::interrupt(account, "i-a1", Terminate));
            let _ = stage.drain(stage.emitted(WARNING)).await;
            stage.simulator.calls().len() as u64
        });
        assert!(calls > 20, "a run without its end proves nothing: {calls}");
        for call in 1..=calls {
            play(2230, account(), async |stage| {
                stage.simulator.change(|account| spot::interrupt(account, "i-a1", Terminate));
                stage.simulator.kill_after(call);
                let event = stage.emitted(WARNING);
                assert!(stage.drain_until_killed(event.clone()).await.is_none(), "it strikes at call {call}");
                stage.simulator.revive();
                let mut bus = bus(2230, Mishaps { lost_percent: 100, ..Mishaps::default() });
                let again = async {
                    tokio::time::sleep(Duration::from_mins(1)).await;
                    stage.drain(event).await
                };
                let (again, lived) = tokio::join!(again, stage.live(&mut bus, LONG));
                let words = format!("call {call}: {again:#?}\n{}", stage.simulator.timeline());
                assert!(again.is_ok() && lived.errors.is_empty(), "{words}");
                assert_eq!(stage.simulator.account(|account| account.machines.len()), 7, "{words}");
                stage.assert_clean();
            });
        }
    }
}

/// The service gets its tasks back whether ECS forgets those of the ghost or tells a dead agent to stop them.
#[test]
fn a_ghost_is_put_away_whatever_becomes_of_its_tasks() {
    for force_deregister_stops_tasks in [false, true] {
        let switches = Switches { force_deregister_stops_tasks, ..Switches::default() };
        play(2240, with(switches, bare_fleet(2240)), async |stage| {
            stage.simulator.change(|account| {
                let instances = &mut account.clusters.get_mut("web").unwrap().container_instances;
                let instance = instances.values_mut().find(|it| it.ec2_instance_id == "i-a1").unwrap();
                instance.agent_connected = false;
                spot::reclaim(account, "i-a1");
            });
            let lived = stage.live(&mut bus(2240, Mishaps::default()), LONG).await;
            let words = format!("{force_deregister_stops_tasks} {lived:#?}\n{}", stage.simulator.timeline());
            assert_eq!(called(&stage, "DeregisterContainerInstance"), 1, "{words}");
            assert!(lived.errors.is_empty(), "{words}");
            let short = stage.simulator.account(|account| {
                let cluster = &account.clusters["web"];
                let running = |name: &str| {
                    let of = cluster.tasks.values().filter(|it| it.service() == Some(name) && it.is_wanted());
                    of.filter(|it| it.last_status == TaskStatus::Running).count() as u32
                };
                let replicas = ["front", "orders", "mail"].map(|name| &cluster.services[name]);
                replicas.iter().map(|it| it.desired_count - running(&it.name)).sum::<u32>()
            });
            assert_eq!(short, 0, "{words}");
        });
    }
}

/// ECS stops them at once and starts others elsewhere; the drain waits for both kinds to be STOPPED.
#[test]
fn tasks_that_are_pending_on_an_instance_that_goes_are_waited_for_as_well() {
    let slow = Pace {
        pending: Duration::from_mins(3),
        activating: Duration::from_secs(8),
        health: Duration::from_secs(15),
        stopping: Duration::from_secs(5),
    };
    for seed in 2250..2254 {
        let mut account = fleet(seed, with_hook).build();
        account.task_definitions.values_mut().for_each(|it| it.typical = slow);
        account.clusters.get_mut("web").unwrap().services.get_mut("orders").unwrap().desired_count = 18;
        play(seed, account, async |stage| {
            tokio::time::sleep(Duration::from_secs(20)).await;
            let pending = stage.simulator.account(|account| {
                let cluster = &account.clusters["web"];
                let mut instances = cluster.container_instances.values();
                let arn = &instances.find(|it| it.ec2_instance_id == "i-a1").unwrap().arn;
                let here = cluster.tasks.values().filter(|it| it.container_instance.as_ref() == Some(arn));
                here.filter(|it| it.last_status == TaskStatus::Pending).count()
            });
            assert!(pending > 0, "a play without them proves nothing");
            let report = stage.drain(json!({ "instanceId": "i-a1", "cluster": "web" })).await.unwrap();
            let lived = stage.live(&mut bus(seed, Mishaps::default()), LONG).await;
            let words = format!("{report:#?} {lived:#?}\n{}", stage.simulator.timeline());
            let seen = stage.drained("i-a1");
            assert!(seen.empty_after < seen.ended_after && seen.killed.is_empty(), "{seen:#?} {words}");
            assert!(lived.errors.is_empty(), "{words}");
            stage.assert_clean();
        });
    }
}

/// The attributes of what is deregistered may stay in the list: nobody is drained for them again.
#[test]
fn records_on_what_is_gone_start_nothing() {
    for attributes_outlive_registration in [false, true] {
        let switches = Switches { attributes_outlive_registration, ..Switches::default() };
        play(2260, with(switches, bare_fleet(2260)), async |stage| {
            stage.simulator.change(|account| spot::interrupt(account, "i-a1", Terminate));
            let _ = stage.live(&mut bus(2260, Mishaps::default()), LONG).await;
            let writes = stage.writes();
            let report = stage.drain_scheduled().await;
            assert_eq!((report.status, stage.writes()), (Status::NothingToDo, writes), "{report:#?}");
        });
    }
}

/// Its group replaces it, which Evenkeel leaves it to; where the group must not launch it is taken out all the same.
#[test]
fn what_is_stopped_is_replaced_by_its_group_if_that_may_launch() {
    for (suspended, serving, machines) in [(&[][..], 6, 7), (&["Launch"][..], 5, 6)] {
        let account = fleet(2270, |it| it.suspends(suspended)).build();
        play(2270, account, async |stage| {
            stage.simulator.change(|account| spot::interrupt(account, "i-a1", Stop));
            let lived = stage.live(&mut bus(2270, Mishaps::default()), LONG).await;
            let words = format!("{suspended:?} {lived:#?}\n{}", stage.simulator.timeline());
            let found = stage.simulator.account(|account| {
                let members = account.auto_scaling_groups["web-asg"].instances.values();
                let serving = members.filter(|it| it.state == LifecycleState::InService).count();
                (serving, account.machines.len())
            });
            assert_eq!(found, (serving, machines), "{words}");
            assert_eq!(called(&stage, "DetachInstances") + called(&stage, "EnterStandby"), 0, "{words}");
            assert!(lived.errors.is_empty(), "{words}");
            stage.assert_promises();
        });
    }
}
