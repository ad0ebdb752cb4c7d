//! Moves by `stop` under everything that can go wrong: killed at any call, faults, others at work between any two calls.

use std::time::Duration;

use evenkeel_tests::late::Held;
use simulator::account::{Happening, Service, StopCode, Task};
use simulator::faults::Rule;
use simulator::scheduler::deployments::start_deployment;
use simulator::scheduler::lifecycle::begin_stop;

use super::*;

/// A change by somebody else.
type Change = fn(&mut Account);

async fn recovers(stage: &Stage, what: &str) {
    stage.simulator.revive();
    tokio::time::sleep(Duration::from_mins(1)).await;
    let reports = stage.scheduled_until_quiet(6).await;
    assert!(reports.last().unwrap().actions.is_empty(), "{what}: {reports:#?}");
    stage.assert_clean();
    assert_eq!(counts(stage, "app"), [2, 1], "{what}\n{}", stage.simulator.timeline());
    assert_eq!(stops(stage), 1, "{what}: one move is one stop\n{}", stage.simulator.timeline());
}

#[test]
fn killed_after_any_call() {
    for call in 1..=undisturbed(331).len() as u64 {
        play(331, one_zone(331, &[3, 0]), async |stage| {
            let stage = by_stop(stage);
            stage.simulator.kill_after(call);
            assert!(stage.invoke_until_killed().await.is_none(), "the kill strikes");
            recovers(&stage, &format!("killed after call {call}")).await;
        });
    }
}

#[test]
fn killed_before_any_call() {
    for call in 1..=undisturbed(332).len() as u64 {
        play(332, one_zone(332, &[3, 0]), async |stage| {
            let stage = by_stop(stage);
            stage.simulator.kill_before(call);
            assert!(stage.invoke_until_killed().await.is_none(), "the kill strikes");
            recovers(&stage, &format!("killed before call {call}")).await;
        });
    }
}

#[test]
fn killed_after_every_seventh_call_of_a_larger_rebalance_of_both_kinds() {
    let calls = play(333, lost_and_returned(333, 50), async |stage| {
        let stage = by_stop(stage);
        let _ = stage.scheduled().await;
        stage.simulator.calls().len() as u64
    });
    for call in (1..=calls).step_by(7) {
        play(333, lost_and_returned(333, 50), async |stage| {
            let stage = by_stop(stage);
            stage.simulator.kill_after(call);
            assert!(stage.invoke_until_killed().await.is_none(), "the kill strikes");
            stage.simulator.revive();
            tokio::time::sleep(Duration::from_mins(1)).await;
            let reports = stage.scheduled_until_quiet(6).await;
            assert!(reports.last().unwrap().actions.is_empty(), "killed after {call}: {reports:#?}");
            stage.assert_clean();
        });
    }
}

#[test]
fn the_answer_to_the_stop_is_lost() {
    play(334, one_zone(334, &[3, 0]), async |stage| {
        let stage = by_stop(stage);
        stage.simulator.rule(Rule::lose_response(1.0).on(&["StopTask"]));
        let report = stage.scheduled().await;
        stage.simulator.clear_rules();
        recovers(&stage, &format!("{report:#?}")).await;
        assert_eq!(report.clusters[0].moves.completed, 1, "{report:#?}");
    });
}

#[test]
fn a_stop_that_is_throttled_is_made_in_the_next_turn() {
    play(335, one_zone(335, &[3, 0]), async |stage| {
        let stage = by_stop(stage);
        let until = stage.simulator.now() + Duration::from_mins(2);
        stage.simulator.rule(Rule::throttle(1.0).on(&["StopTask"]).between(stage.simulator.now(), until));
        let report = stage.scheduled().await;
        assert_mended(&stage, &report);
    });
}

#[test]
fn a_stop_that_is_never_allowed_ends_the_move() {
    play(336, one_zone(336, &[3, 0]), async |stage| {
        let stage = by_stop(stage).with("EVENKEEL_MOVE_TIMEOUT", "1m");
        stage.simulator.rule(Rule::deny("StopTask"));
        let report = stage.scheduled().await;
        assert_eq!(report.status, Status::RolledBack, "{report:#?}");
        stage.assert_clean();
        assert_eq!(counts(&stage, "app"), [3, 0]);
    });
}

fn under(rules: &[Rule]) {
    for seed in 341..=343 {
        let mut account = lost_and_returned(seed, 50);
        let front = account.clusters.get_mut("web").unwrap().services.get_mut("front").unwrap();
        front.tags.insert("evenkeel:strategy".to_owned(), "stop".to_owned());
        play(seed, account, async |stage| {
            let stage = by_stop(stage);
            for rule in rules {
                stage.simulator.rule(rule.clone());
            }
            let _ = stage.scheduled_until_quiet(10).await;
            stage.simulator.clear_rules();
            let last = stage.scheduled_until_quiet(6).await;
            assert!(last.last().unwrap().actions.is_empty(), "{last:#?}");
            for service in ["front", "orders"] {
                let counts = counts(&stage, service);
                let timeline = stage.simulator.timeline();
                assert_eq!(counts.iter().max(), counts.iter().min(), "{service}: {counts:?}\n{timeline}");
            }
            stage.assert_clean();
        });
    }
}

#[test]
fn throttled_one_call_in_ten() {
    under(&[Rule::throttle(0.10)]);
}

#[test]
fn answers_get_lost_and_calls_fail() {
    under(&[Rule::lose_response(0.05), Rule::server_error(0.02)]);
}

#[test]
fn reads_lag_behind() {
    under(&[Rule::stale_read(0.2, Duration::from_secs(8))]);
}

#[test]
fn describe_calls_miss_an_entry() {
    under(&[Rule::missing_entry(0.05)]);
}

fn app(account: &mut Account) -> &mut Service {
    account.clusters.get_mut("web").unwrap().services.get_mut("app").unwrap()
}

/// Tasks of the service on the full instance, oldest ARN first.
fn tasks(account: &mut Account) -> Vec<&mut Task> {
    let tasks = account.clusters.get_mut("web").unwrap().tasks.values_mut();
    tasks.filter(|task| task.service() == Some("app") && task.is_wanted()).collect()
}

/// Plays `change` before each call of a move that is close to its stop, and some others, but not before the stop itself,
/// which nothing can be read after. The end of each run goes to `judge`, with whether `read`, the operation that
/// tells of the change, came in between.
fn before_each_call(seed: u64, change: Change, read: &str, judge: impl Fn(&Stage, bool, &str)) {
    let operations = undisturbed(seed);
    let stop = operations.iter().position(|operation| operation == "StopTask").unwrap();
    let last_read = operations[..stop].iter().rposition(|operation| operation == read).unwrap();
    let record = operations.iter().position(|operation| operation == "TagResource").unwrap();
    let is_close = |at: usize| (record - 3..=stop + 3).contains(&at);
    for at in (0..operations.len()).filter(|at| *at != stop && (is_close(*at) || at % 6 == 0)) {
        play(seed, one_zone(seed, &[3, 0]), async |stage| {
            let stage = by_stop(stage);
            stage.simulator.before_call(at as u64 + 1, Box::new(change));
            let what = format!("before call {} ({})", at + 1, operations[at]);
            let _ = stage.scheduled().await;
            tokio::time::sleep(Duration::from_mins(1)).await;
            stage.assert_promises_but("surge_bound");
            judge(&stage, at <= last_read, &what);
            let reports = stage.scheduled_until_quiet(8).await;
            assert!(reports.last().unwrap().actions.is_empty(), "{what}: {reports:#?}");
            let tags =
                stage.simulator.account(|account| account.clusters["web"].services["app"].tags.clone());
            assert!(!tags.contains_key("evenkeel:move"), "{what}: {tags:?}");
        });
    }
}

/// What is seen before the stop keeps it from being made, what comes later does not make it twice.
fn assert_not_stopped_if_seen(stage: &Stage, is_seen: bool, what: &str) {
    let stops = stops(stage);
    assert!(stops == 0 || !is_seen && stops == 1, "{what}: {stops}\n{}", stage.simulator.timeline());
}

fn protect(account: &mut Account, task: usize) {
    let until = account.now + Duration::from_secs(4 * 3600 + 77);
    let mut tasks = tasks(account);
    let task = tasks[task].arn.clone();
    tasks.iter_mut().filter(|it| it.arn == task).for_each(|it| it.protected_until = Some(until));
    let (at, actor) = (account.now, "person".to_owned());
    account.happenings.push(Happening { at, actor, subject: task, what: "protects this task".to_owned() });
}

/// Whichever task somebody else protects, the chosen one or another.
#[test]
fn a_task_that_somebody_else_protects_is_never_stopped_nor_any_beside_it() {
    let changes: [Change; 3] = [|it| protect(it, 0), |it| protect(it, 1), |it| protect(it, 2)];
    for change in changes {
        before_each_call(351, change, "GetTaskProtection", |stage, is_seen, what| {
            let theirs = stage.simulator.account(|account| {
                let happening = account.happenings.iter().find(|it| it.actor == "person").unwrap();
                let task = &account.clusters["web"].tasks[&happening.subject];
                task.is_wanted() && task.protected_until.is_some()
            });
            assert!(theirs, "{what}\n{}", stage.simulator.timeline());
            assert_not_stopped_if_seen(stage, is_seen, what);
        });
    }
}

#[test]
fn a_deployment_has_the_right_of_way() {
    let change: Change = |account| {
        let definition = app(account).task_definition.clone();
        start_deployment(account, "web", "app", &definition);
    };
    before_each_call(352, change, "DescribeServices", assert_not_stopped_if_seen);
}

#[test]
fn a_desired_count_written_by_somebody_else_stays() {
    for change in [(|it| app(it).desired_count = 6) as Change, |it| app(it).desired_count = 2] {
        before_each_call(353, change, "DescribeServices", |stage, _, what| {
            let found =
                stage.simulator.account(|account| account.clusters["web"].services["app"].desired_count);
            assert!([2, 6].contains(&found), "{what}");
            assert_eq!(called(stage, "UpdateService"), 0, "{what}");
        });
    }
}

#[test]
fn a_task_that_dies_by_itself_is_no_reason_to_go_below() {
    let change: Change = |account| {
        let any = tasks(account).last().unwrap().arn.clone();
        begin_stop(account, "web", &any, StopCode::EssentialContainerExited, "Essential container exited");
    };
    before_each_call(354, change, "DescribeTasks", assert_not_stopped_if_seen);
}

#[test]
fn an_instance_that_somebody_drains_keeps_its_task() {
    let change: Change = |account| {
        let instances = account.clusters.get_mut("web").unwrap().container_instances.values_mut();
        for instance in instances.filter(|it| it.ec2_instance_id == "i-a1") {
            instance.status = simulator::account::ContainerInstanceStatus::Draining;
        }
    };
    before_each_call(355, change, "DescribeContainerInstances", assert_not_stopped_if_seen);
}

#[test]
fn a_consent_that_is_withdrawn_counts_at_once() {
    let change: Change = |account| {
        app(account).tags.insert("evenkeel:strategy".to_owned(), "surge".to_owned());
    };
    before_each_call(356, change, "DescribeServices", assert_not_stopped_if_seen);
}

#[test]
fn a_pause_before_the_stop_keeps_it_from_being_made() {
    let change: Change = |account| {
        let cluster = account.clusters.get_mut("web").unwrap();
        cluster.tags.insert("evenkeel:pause".to_owned(), "maintenance".to_owned());
    };
    before_each_call(357, change, "DescribeClusters", |stage, is_seen, what| {
        assert_not_stopped_if_seen(stage, is_seen, what);
        let unpause = |account: &mut Account| account.clusters.get_mut("web").unwrap().tags.clear();
        stage.simulator.change(unpause);
    });
}

#[test]
fn an_erased_record_is_reported_and_nothing_is_guessed() {
    let change: Change = |account| drop(app(account).tags.remove("evenkeel:move"));
    before_each_call(358, change, "DescribeServices", |stage, _, what| {
        assert!(stops(stage) <= 1, "{what}");
    });
}

/// Two invocations at once, one of them held back before each of its calls in turn.
#[test]
fn two_at_once_stop_one_task() {
    for call in (1..=undisturbed(359).len() as u64).step_by(2) {
        play(359, one_zone(359, &[3, 0]), async |stage| {
            let (stage, held) = (by_stop(stage), Held::default());
            let delay = Duration::from_secs(9);
            let (_, _) = tokio::join!(stage.scheduled(), stage.invoke_late(call, delay, &held));
            let stopped = stage.simulator.account(|account| {
                account.clusters["web"].tasks.values().filter(|task| !task.is_wanted()).count()
            });
            assert_eq!(stopped, 1, "held before call {call}\n{}", stage.simulator.timeline());
            tokio::time::sleep(Duration::from_mins(2)).await;
            let reports = stage.scheduled_until_quiet(8).await;
            assert!(reports.last().unwrap().actions.is_empty(), "held before call {call}: {reports:#?}");
            stage.assert_clean();
        });
    }
}
