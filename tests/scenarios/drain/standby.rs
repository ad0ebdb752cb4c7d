//! Instances that neither a hook of ours holds nor EC2 takes for certain: they go on standby while a substitute comes.

use std::collections::BTreeSet;

use evenkeel::report::Status;
use evenkeel_tests::drains::{bare_fleet, fleet, held_fleet};
use evenkeel_tests::play;
use simulator::account::InterruptionAction::Terminate;
use simulator::account::{Account, ActionResult, LifecycleState};
use simulator::builder::{CapacityProviderBuilder, GroupBuilder};
use simulator::faults::Rule;

use super::*;

/// Instances of the group that count, and all that it lists.
fn sizes(stage: &Stage) -> (usize, usize) {
    stage.simulator.account(|account| {
        let members = &account.auto_scaling_groups["web-asg"].instances;
        let counted = members.values().filter(|it| it.state == LifecycleState::InService);
        (counted.count(), members.len())
    })
}

fn their_hook(group: GroupBuilder) -> GroupBuilder {
    group.terminate_hook("ship-logs", Duration::from_mins(3), ActionResult::Continue)
}

fn assert_replaced(stage: &Stage, lived: &Lived) {
    let words = || format!("{lived:#?}\n{}", stage.simulator.timeline());
    assert_eq!(sizes(stage), (6, 6), "{}", words());
    assert_eq!(called(stage, "EnterStandby"), 1, "{}", words());
    let machines = stage.simulator.account(|account| account.machines.len());
    assert_eq!(machines, 7, "one substitute: {}", words());
    assert_quiet_end(stage, lived);
}

#[test]
fn somebody_elses_hook_is_neither_passed_by_nor_trusted() {
    play(912, fleet(912, their_hook).build(), async |stage| {
        stage.simulator.checkers(|it| it.foreign_hook("ship-logs"));
        let lived = interrupted(&stage, 912, "i-a1", Terminate).await;
        let clock = lived.clock_of("i-a1");
        assert!(clock.replacement_requested_at.unwrap().since(clock.event_at.unwrap()).as_secs() <= 3);
        assert_eq!((called(&stage, "DetachInstances"), called(&stage, "CompleteLifecycleAction")), (0, 0));
        assert_replaced(&stage, &lived);
    });
}

#[test]
pub(crate) fn a_person_drains_an_instance_without_a_hook_and_gets_another_for_it() {
    play(931, bare_fleet(931), async |stage| {
        let report = stage.drain(command("i-a1")).await.unwrap();
        assert_eq!(report.status, Status::Done, "{report:#?}\n{}", stage.simulator.timeline());
        let operations: BTreeSet<&str> = report.actions.iter().map(|it| it.operation).collect();
        assert!(operations.contains("TerminateInstanceInAutoScalingGroup"), "{report:#?}");
        let lived = stage.live(&mut bus(931, Mishaps::default()), LONG).await;
        assert_replaced(&stage, &lived);
    });
}

#[test]
fn a_recommendation_replaces_an_instance_without_a_hook_before_it_is_interrupted() {
    play(932, bare_fleet(932), async |stage| {
        let stage = stage.with("EVENKEEL_ON_REBALANCE_RECOMMENDATION", "replace");
        stage.simulator.change(|account| spot::recommend(account, "i-a1"));
        let lived = stage.live(&mut bus(932, Mishaps::default()), LONG).await;
        assert_replaced(&stage, &lived);
    });
}

#[test]
fn an_interruption_finds_an_instance_on_standby_already() {
    play(933, bare_fleet(933), async |stage| {
        let stage = stage.with("EVENKEEL_ON_REBALANCE_RECOMMENDATION", "replace");
        let mut bus = bus(933, Mishaps::default());
        stage.simulator.change(|account| spot::recommend(account, "i-a1"));
        let _ = stage.live(&mut bus, Duration::from_secs(6)).await;
        stage.simulator.change(|account| spot::interrupt(account, "i-a1", Terminate));
        let lived = stage.live(&mut bus, LONG).await;
        assert_replaced(&stage, &lived);
    });
}

/// What its provider protects from scale-in must not be detached.
#[test]
fn what_ecs_protects_is_replaced_on_standby() {
    let zones = evenkeel_tests::clusters::ZONES;
    let all = ["i-a1", "i-a2", "i-b1", "i-b2", "i-c1", "i-c2"];
    let places: Vec<(&str, &str)> = (0..6).map(|at| (all[at], zones[at / 2])).collect();
    let account = simulator::builder::AccountBuilder::new(934)
        .cluster("web")
        .launch_template("web", |it| it.spot().capacity_provider("spot").size(4096, 15_360).version("ami-1"))
        .auto_scaling_group("web-asg", |it| {
            it.zones(&zones).size(3, 6, 9).protects_new_instances().instances(&places)
        })
        .capacity_provider("spot", "web-asg", CapacityProviderBuilder::managed_termination_protection)
        .task_definition("app", |it| it.cpu(128).memory(256))
        .service("app", |it| it.capacity_provider("spot", 0, 1).on(&all))
        .build();
    play(934, account, async |stage| {
        let lived = interrupted(&stage, 934, "i-a1", Terminate).await;
        assert_eq!(called(&stage, "DetachInstances"), 0);
        assert_replaced(&stage, &lived);
    });
}

#[test]
fn by_choice_every_substitute_comes_this_way_and_our_own_hook_lets_go_at_the_end() {
    play(935, held_fleet(935), async |stage| {
        let stage = stage.with("EVENKEEL_REPLACEMENT", "surge");
        let lived = interrupted(&stage, 935, "i-a1", Terminate).await;
        assert_replaced(&stage, &lived);
    });
}

#[test]
fn fifty_percent_of_a_group_at_its_maximum_go_at_once() {
    play(936, fleet(936, |it| their_hook(it).size(3, 6, 6)).build(), async |stage| {
        stage.simulator.checkers(|it| it.foreign_hook("ship-logs"));
        stage.simulator.change(|account| {
            for id in ["i-a1", "i-b1", "i-c1"] {
                spot::interrupt(account, id, Terminate);
            }
        });
        let lived = stage.live(&mut bus(936, Mishaps::default()), LONG).await;
        let words = || format!("{lived:#?}\n{}", stage.simulator.timeline());
        assert_eq!((sizes(&stage), called(&stage, "EnterStandby")), ((6, 6), 3), "{}", words());
        assert!(lived.errors.is_empty(), "{}", words());
        stage.assert_clean();
    });
}

#[test]
fn what_cannot_be_recorded_is_not_done() {
    play(940, bare_fleet(940), async |stage| {
        stage.simulator.rule(Rule::deny("PutAttributes"));
        let report = stage.drain(command("i-a1")).await.unwrap();
        let changed = called(&stage, "UpdateContainerInstancesState") + called(&stage, "EnterStandby");
        assert_eq!(changed, 0, "{report:#?}");
    });
}

#[test]
fn calls_fail_and_answers_get_lost_and_the_group_is_busy() {
    let rules = [
        Rule::throttle(0.1),
        Rule::lose_response(0.1),
        Rule::server_error(0.1),
        Rule::scaling_activity_in_progress(0.3),
        Rule::stale_read(0.1, Duration::from_secs(8)),
    ];
    for seed in 941..=946 {
        play(seed, fleet(seed, their_hook).build(), async |stage| {
            for rule in &rules {
                stage.simulator.rule(rule.clone());
            }
            let mut bus = bus(seed, Mishaps::default());
            stage.simulator.change(|account| spot::interrupt(account, "i-a1", Terminate));
            let lived = stage.live(&mut bus, Duration::from_mins(5)).await;
            stage.simulator.clear_rules();
            let _ = stage.live(&mut bus, LONG).await;
            let words = || format!("{lived:#?}\n{}", stage.simulator.timeline());
            assert_eq!(sizes(&stage), (6, 6), "{}", words());
            assert_eq!(stage.simulator.account(|account| account.machines.len()), 7, "{}", words());
            stage.assert_clean();
        });
    }
}

/// Containers that ECS forgot may still run on it: nobody but a person can tell.
#[test]
fn an_instance_that_is_deregistered_by_force_meanwhile_is_not_ended() {
    play(937, bare_fleet(937), async |stage| {
        let forget = async {
            tokio::time::sleep(Duration::from_secs(4)).await;
            stage.simulator.change(|account| {
                let instances = &mut account.clusters.get_mut("web").unwrap().container_instances;
                let instance = instances.values_mut().find(|it| it.ec2_instance_id == "i-a1").unwrap();
                instance.status = simulator::account::ContainerInstanceStatus::Inactive;
            });
        };
        let (report, ()) = tokio::join!(stage.drain(command("i-a1")), forget);
        let report = report.unwrap();
        assert_eq!(codes(&report), ["leftOnStandby"], "{report:#?}\n{}", stage.simulator.timeline());
        assert_eq!(called(&stage, "TerminateInstanceInAutoScalingGroup"), 0);
    });
}

/// Kills the invocation of a command after each of its calls; the schedule finishes what it began.
#[test]
fn killed_after_any_call_of_a_command() {
    let calls = play(938, bare_fleet(938), async |stage| {
        let _ = stage.drain(command("i-a1")).await;
        stage.simulator.calls().len() as u64
    });
    assert!(calls > 20, "a run without its end proves nothing: {calls}");
    for call in 1..=calls {
        play(938, bare_fleet(938), async |stage| {
            stage.simulator.kill_after(call);
            let killed = stage.drain_until_killed(command("i-a1")).await;
            assert!(killed.is_none(), "the kill strikes at call {call}");
            stage.simulator.revive();
            let lived = stage.live(&mut bus(938, Mishaps::default()), LONG).await;
            let words = || format!("call {call}: {lived:#?}\n{}", stage.simulator.timeline());
            let begun = called(&stage, "UpdateContainerInstancesState") > 0;
            assert_eq!(called(&stage, "EnterStandby"), u64::from(begun), "{}", words());
            assert_eq!(sizes(&stage), (6, 6), "{}", words());
            assert_quiet_end(&stage, &lived);
        });
    }
}

/// The interruption of an instance whose group has somebody else's hook, killed after each call.
#[test]
fn killed_after_any_call_of_an_interruption() {
    let build = || fleet(939, their_hook).build();
    let begin = |account: &mut Account| spot::interrupt(account, "i-a1", Terminate);
    let calls = play(939, build(), async |stage| {
        stage.simulator.change(begin);
        let _ = stage.drain(stage.emitted(WARNING)).await;
        stage.simulator.calls().len() as u64
    });
    for call in 1..=calls {
        play(939, build(), async |stage| {
            stage.simulator.checkers(|it| it.foreign_hook("ship-logs"));
            stage.simulator.change(begin);
            stage.simulator.kill_after(call);
            let event = stage.emitted(WARNING);
            assert!(
                stage.drain_until_killed(event.clone()).await.is_none(),
                "the kill strikes at call {call}"
            );
            stage.simulator.revive();
            let mut bus = bus(939, Mishaps { lost_percent: 100, ..Mishaps::default() });
            let again = async {
                tokio::time::sleep(Duration::from_mins(1)).await;
                stage.drain(event).await
            };
            let (again, lived) = tokio::join!(again, stage.live(&mut bus, LONG));
            let words = || format!("call {call}: {again:#?} {lived:#?}\n{}", stage.simulator.timeline());
            assert!(again.is_ok() && lived.errors.is_empty(), "{}", words());
            assert_eq!(sizes(&stage), (6, 6), "{}", words());
            let machines = stage.simulator.account(|account| account.machines.len());
            assert_eq!(machines, 7, "one substitute: {}", words());
            stage.assert_clean();
        });
    }
}
