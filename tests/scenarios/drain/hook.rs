//! A terminate hook of ours: it is kept alive while tasks are there, and completed once none is.

use evenkeel_tests::drains::{HOOK, fleet, held_fleet, with_hook};
use evenkeel_tests::play;
use simulator::account::InterruptionAction::Terminate;
use simulator::account::{Account, ActionResult};
use simulator::checkers::Checkers;
use simulator::faults::Rule;

use super::*;

/// The group gives up one instance of its own accord.
fn shrink(account: &mut Account, by: u32) {
    let group = account.auto_scaling_groups.get_mut("web-asg").unwrap();
    group.desired_capacity -= by;
}

async fn shrunk(stage: &Stage, seed: u64, time: Duration) -> Lived {
    stage.simulator.change(|account| shrink(account, 1));
    stage.simulator.checkers(|it| it.others_resized("web-asg", (3, 5, 9)));
    stage.live(&mut bus(seed, Mishaps::default()), time).await
}

/// The instance that its group has taken out of service.
fn leaving(lived: &Lived) -> String {
    let all = lived.reports.iter().flat_map(|report| &report.instances);
    let found = all.map(|it| it.instance_id.to_string()).next();
    found.unwrap_or_else(|| panic!("nobody left: {lived:#?}"))
}

#[test]
pub(crate) fn an_instance_that_its_group_gives_up_is_let_go_once_it_is_empty() {
    for seed in 841..=845 {
        play(seed, held_fleet(seed), async |stage| {
            let lived = shrunk(&stage, seed, LONG).await;
            let seen = stage.drained(&leaving(&lived));
            assert!(seen.empty_after < seen.ended_after, "{seen:#?}\n{}", stage.simulator.timeline());
            assert!(seen.killed.is_empty(), "{seen:#?}");
            assert_eq!(seen.substitute, None, "a group that shrinks gets none");
            assert_quiet_end(&stage, &lived);
        });
    }
}

/// Tasks that deregister for five minutes are counted by nobody, and still serve.
#[test]
fn tasks_on_their_way_out_keep_the_hook() {
    let account = fleet(846, with_hook)
        .target_group("slow", |it| it.deregistration_delay(Duration::from_mins(5)))
        .task_definition("slow", |it| it.cpu(128).memory(256).container_port(80, 0))
        .service("slow", |it| {
            it.task_definition("slow")
                .target_group("slow")
                .on(&["i-a1", "i-a2", "i-b1", "i-b2", "i-c1", "i-c2"])
        })
        .build();
    play(846, account, async |stage| {
        let lived = shrunk(&stage, 846, Duration::from_mins(30)).await;
        let seen = stage.drained(&leaving(&lived));
        assert!(seen.empty_after.is_some_and(|it| it > 290), "{seen:#?}\n{}", stage.simulator.timeline());
        assert!(seen.killed.is_empty(), "{seen:#?}");
        assert!(called(&stage, "RecordLifecycleActionHeartbeat") > 0);
        assert_quiet_end(&stage, &lived);
    });
}

/// A standalone task runs on for an hour; the hook's own time-out is two minutes.
#[test]
pub(crate) fn heartbeats_hold_it_until_the_time_out_and_then_it_is_said() {
    let short = |it: simulator::builder::GroupBuilder| {
        it.terminate_hook(HOOK, Duration::from_mins(2), ActionResult::Continue)
    };
    let account = ["i-a1", "i-a2", "i-b1", "i-b2", "i-c1", "i-c2"]
        .iter()
        .fold(fleet(847, short), |builder, id| builder.standalone("app", id))
        .build();
    play(847, account, async |stage| {
        let stage = stage.with("EVENKEEL_HOOK_TIMEOUT", "12m");
        stage.simulator.change(|account| shrink(account, 1));
        stage.simulator.checkers(|it| it.others_resized("web-asg", (3, 5, 9)));
        let mut bus = bus(847, Mishaps::default());
        let lived = stage.live(&mut bus, Duration::from_mins(11)).await;
        let id = leaving(&lived);
        assert_eq!(stage.drained(&id).ended_after, None, "{lived:#?}\n{}", stage.simulator.timeline());
        let now = stage.simulator.now();
        stage.simulator.checkers(|it| it.allow_kill_from(&id, now));
        let lived = stage.live(&mut bus, Duration::from_mins(8)).await;
        assert!(lived.says(&id, "its deadline is up, and 1 tasks"), "{lived:#?}");
        let seen = stage.drained(&id);
        assert!(seen.ended_after.is_some_and(|it| (720..900).contains(&it)), "{seen:#?}");
        stage.assert_clean();
        let beats = called(&stage, "RecordLifecycleActionHeartbeat");
        let _ = stage.live(&mut bus, Duration::from_mins(5)).await;
        assert_eq!(called(&stage, "RecordLifecycleActionHeartbeat"), beats, "none after the end");
    });
}

#[test]
pub(crate) fn a_standalone_task_may_be_stopped_by_setting() {
    let account = ["i-a1", "i-a2", "i-b1", "i-b2", "i-c1", "i-c2"]
        .iter()
        .fold(fleet(848, with_hook), |builder, id| builder.standalone("app", id))
        .build();
    play(848, account, async |stage| {
        let stage = stage.with("EVENKEEL_STANDALONE_TASKS", "stop");
        stage.simulator.checkers(Checkers::allow_stop_strategy);
        let lived = shrunk(&stage, 848, LONG).await;
        assert_eq!(called(&stage, "StopTask"), 1, "{lived:#?}");
        assert!(stage.drained(&leaving(&lived)).killed.is_empty());
    });
}

/// "Cannot tell" holds: no task can be listed for ten minutes, and the instance is held for them.
#[test]
fn what_cannot_be_seen_is_never_taken_for_empty() {
    for operation in ["ListTasks", "DescribeTasks", "DescribeContainerInstances"] {
        play(849, held_fleet(849), async |stage| {
            stage.simulator.change(|account| shrink(account, 1));
            stage.simulator.checkers(|it| it.others_resized("web-asg", (3, 5, 9)));
            stage.simulator.rule(Rule::server_error(1.0).on(&[operation]));
            let mut bus = bus(849, Mishaps::default());
            let lived = stage.live(&mut bus, Duration::from_mins(9)).await;
            assert_eq!(called(&stage, "CompleteLifecycleAction"), 0, "{operation}: {lived:#?}");
            stage.simulator.clear_rules();
            let lived = stage.live(&mut bus, LONG).await;
            assert!(called(&stage, "CompleteLifecycleAction") > 0, "{operation}: {lived:#?}");
            stage.assert_clean();
        });
    }
}

#[test]
fn a_hook_of_somebody_else_is_neither_completed_nor_kept_alive() {
    let theirs = |it: simulator::builder::GroupBuilder| {
        it.terminate_hook("ship-logs", Duration::from_mins(3), ActionResult::Continue)
    };
    play(850, fleet(850, theirs).build(), async |stage| {
        stage.simulator.checkers(|it| it.foreign_hook("ship-logs"));
        stage.simulator.change(|account| shrink(account, 1));
        stage.simulator.checkers(|it| it.others_resized("web-asg", (3, 5, 9)));
        let lived = stage.live(&mut bus(850, Mishaps::default()), LONG).await;
        assert_eq!(stage.writes(), 0, "{lived:#?}");
        let told = lived.reports.iter().flat_map(codes).any(|code| code == "hookOfOthers");
        assert!(told, "{lived:#?}");
    });
}

#[test]
fn a_hook_and_an_interruption_for_one_instance_work_together() {
    play(851, held_fleet(851), async |stage| {
        let mut bus = bus(851, Mishaps::default());
        stage.simulator.change(|account| shrink(account, 1));
        stage.simulator.checkers(|it| it.others_resized("web-asg", (3, 5, 9)));
        let lived = stage.live(&mut bus, Duration::from_secs(20)).await;
        let id = leaving(&lived);
        stage.simulator.change(|account| spot::interrupt(account, &id, Terminate));
        let lived = stage.live(&mut bus, LONG).await;
        assert_eq!(called(&stage, "TerminateInstanceInAutoScalingGroup"), 0, "{lived:#?}");
        assert_quiet_end(&stage, &lived);
    });
}

#[test]
fn a_hook_that_is_deleted_meanwhile_lets_go_by_itself_and_nobody_fails() {
    play(852, held_fleet(852), async |stage| {
        let mut bus = bus(852, Mishaps::default());
        stage.simulator.change(|account| shrink(account, 1));
        stage.simulator.checkers(|it| it.others_resized("web-asg", (3, 5, 9)));
        let _ = stage.live(&mut bus, Duration::from_secs(10)).await;
        stage.simulator.change(|account| {
            account.auto_scaling_groups.get_mut("web-asg").unwrap().hooks.clear();
        });
        let lived = stage.live(&mut bus, LONG).await;
        assert!(lived.errors.is_empty(), "{lived:#?}");
        stage.assert_promises();
    });
}
