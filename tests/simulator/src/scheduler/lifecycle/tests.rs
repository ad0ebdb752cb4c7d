//! The order of a task's stations, and what a target sees of them.

use std::time::Duration;

use crate::account::{Account, StopCause, StopCode, TargetState, Task, TaskStatus};
use crate::builder::AccountBuilder;
use crate::scheduler::{Engine, lifecycle};
use crate::switches::Switches;

fn behind_a_target_group(deregisters_first: bool) -> (Account, String) {
    let account = AccountBuilder::new(3)
        .switches(Switches { stop_task_deregisters_first: deregisters_first, ..Switches::default() })
        .cluster("web")
        .instance("i-a1", "a", |i| i)
        .task_definition("web", |t| t.container_port(80, 0))
        .target_group("web", |t| t.deregistration_delay(Duration::from_mins(1)))
        .service("web", |s| s.on(&["i-a1"]).target_group("web"))
        .build();
    let task = account.clusters["web"].tasks.keys().next().expect("built").clone();
    (account, task)
}

/// The stations the task passes, each with the seconds it stayed.
fn stations(account: &mut Account, task_arn: &str, seconds: u64) -> Vec<(TaskStatus, u32)> {
    let mut passed: Vec<(TaskStatus, u32)> = Vec::new();
    let until = account.now + Duration::from_secs(seconds);
    Engine::new(3).advance(account, until, &mut |account| {
        let status = account.clusters["web"].tasks[task_arn].last_status;
        match passed.last_mut().filter(|(last, _)| *last == status) {
            Some((_, seconds)) => *seconds += 1,
            None => passed.push((status, 1)),
        }
    });
    passed
}

fn task<'a>(account: &'a Account, task_arn: &str) -> &'a Task {
    &account.clusters["web"].tasks[task_arn]
}

#[test]
fn deactivating_lasts_as_long_as_the_deregistration_delay() {
    let (mut account, arn) = behind_a_target_group(true);
    lifecycle::begin_stop(&mut account, "web", &arn, StopCode::UserInitiated, "test");
    let passed = stations(&mut account, &arn, 120);
    let order: Vec<_> = passed.iter().map(|(status, _)| *status).collect();
    let down =
        [TaskStatus::Deactivating, TaskStatus::Stopping, TaskStatus::Deprovisioning, TaskStatus::Stopped];
    assert_eq!(order, down);
    assert!((60..=61).contains(&passed[0].1), "{passed:?}");
    assert!(!task(&account, &arn).undrained_kill);
}

#[test]
fn by_switch_stop_task_kills_before_it_deregisters() {
    let (mut account, arn) = behind_a_target_group(false);
    lifecycle::begin_stop(&mut account, "web", &arn, StopCode::UserInitiated, "test");
    let passed = stations(&mut account, &arn, 30);
    assert_eq!(passed[0].0, TaskStatus::Stopping);
    assert_eq!(task(&account, &arn).last_status, TaskStatus::Stopped);
    assert!(task(&account, &arn).undrained_kill);
    let old =
        account.target_groups.values().flat_map(|group| &group.targets).find(|target| target.task_arn == arn);
    assert_eq!(old.map(|target| target.state), Some(TargetState::Draining));
}

#[test]
fn by_the_same_switch_the_scheduler_still_deregisters_first() {
    let (mut account, arn) = behind_a_target_group(false);
    lifecycle::begin_stop(&mut account, "web", &arn, StopCode::ServiceSchedulerInitiated, "test");
    assert_eq!(stations(&mut account, &arn, 5)[0].0, TaskStatus::Deactivating);
    assert!(!task(&account, &arn).undrained_kill);
}

#[test]
fn by_a_switch_of_its_own_a_drain_kills_before_it_deregisters() {
    for (drain_deregisters_first, station) in
        [(true, TaskStatus::Deactivating), (false, TaskStatus::Stopping)]
    {
        let (mut account, arn) = behind_a_target_group(true);
        account.switches.drain_deregisters_first = drain_deregisters_first;
        let because = (StopCode::ServiceSchedulerInitiated, StopCause::Drain);
        lifecycle::stop_because(&mut account, "web", &arn, because, "test");
        assert_eq!(stations(&mut account, &arn, 5)[0].0, station);
        assert_eq!(task(&account, &arn).undrained_kill, !drain_deregisters_first);
    }
}

#[test]
fn a_new_task_waits_in_pending_for_room_that_is_not_free_yet() {
    let mut account = AccountBuilder::new(3)
        .cluster("web")
        .instance("i-a1", "a", |i| i.cpu(256))
        .task_definition("web", |t| t.cpu(256).container_port(80, 0))
        .target_group("web", |t| t.deregistration_delay(Duration::from_mins(1)))
        .service("web", |s| s.on(&["i-a1"]).target_group("web").min_max(0, 100))
        .build();
    let old = account.clusters["web"].tasks.keys().next().expect("built").clone();
    lifecycle::begin_stop(&mut account, "web", &old, StopCode::UserInitiated, "test");
    let until = account.now + Duration::from_secs(50);
    let mut engine = Engine::new(3);
    engine.advance(&mut account, until, &mut |_| ());
    let new = account.clusters["web"]
        .tasks
        .keys()
        .find(|arn| **arn != old)
        .expect("placed on room ECS believes in")
        .clone();
    assert_eq!(task(&account, &old).last_status, TaskStatus::Deactivating);
    assert_eq!(task(&account, &new).last_status, TaskStatus::Pending);
    engine.advance(&mut account, until + Duration::from_mins(1), &mut |_| ());
    assert_eq!(task(&account, &new).last_status, TaskStatus::Running);
}

#[test]
fn a_disconnected_agent_hears_of_nothing() {
    let mut account = AccountBuilder::new(3)
        .cluster("web")
        .instance("i-a1", "a", crate::builder::InstanceBuilder::disconnected)
        .task_definition("web", |t| t)
        .service("web", |s| s.on(&["i-a1"]))
        .build();
    let arn = account.clusters["web"].tasks.keys().next().expect("built").clone();
    lifecycle::begin_stop(&mut account, "web", &arn, StopCode::UserInitiated, "test");
    assert_eq!(stations(&mut account, &arn, 60), [(TaskStatus::Running, 60)]);
}

#[test]
fn a_crashed_task_is_replaced() {
    let (mut account, arn) = behind_a_target_group(true);
    lifecycle::container_exits(&mut account, "web", &arn);
    let passed = stations(&mut account, &arn, 60);
    assert_eq!(passed[0].0, TaskStatus::Deprovisioning);
    assert_eq!(task(&account, &arn).stop_code, Some(StopCode::EssentialContainerExited));
    let running =
        account.clusters["web"].tasks.values().filter(|task| task.last_status == TaskStatus::Running);
    assert_eq!(running.count(), 1);
}

#[test]
fn stopped_tasks_are_forgotten_after_an_hour() {
    let (mut account, arn) = behind_a_target_group(true);
    lifecycle::begin_stop(&mut account, "web", &arn, StopCode::UserInitiated, "test");
    let start = account.now;
    let mut engine = Engine::new(3);
    engine.advance(&mut account, start + Duration::from_hours(1), &mut |_| ());
    assert!(account.clusters["web"].tasks.contains_key(&arn));
    engine.advance(&mut account, start + Duration::from_mins(63), &mut |_| ());
    assert!(!account.clusters["web"].tasks.contains_key(&arn));
}

/// A task that another one of the service makes room for, followed from PENDING on.
fn started_with(health_seconds: u64) -> Vec<(TaskStatus, Option<TargetState>)> {
    let (mut account, old) = behind_a_target_group(true);
    let definition = account.task_definitions.values_mut().next().expect("built");
    definition.typical.health = Duration::from_secs(health_seconds);
    lifecycle::container_exits(&mut account, "web", &old);
    let mut passed = Vec::new();
    let until = account.now + Duration::from_mins(2);
    Engine::new(3).advance(&mut account, until, &mut |account| {
        let Some(new) = account.clusters["web"].tasks.values().find(|task| task.arn != old) else { return };
        let mut targets = account.target_groups.values().flat_map(|group| &group.targets);
        let target = targets.find(|target| target.task_arn == new.arn).map(|target| target.state);
        if passed.last() != Some(&(new.last_status, target)) {
            passed.push((new.last_status, target));
        }
    });
    passed
}

#[test]
fn targets_are_registered_in_activating_and_may_be_healthy_before_running() {
    use TargetState::{Healthy, Initial};
    let slow = [
        (TaskStatus::Pending, None),
        (TaskStatus::Activating, Some(Initial)),
        (TaskStatus::Running, Some(Initial)),
        (TaskStatus::Running, Some(Healthy)),
    ];
    assert_eq!(started_with(15), slow);
    let quick = [
        (TaskStatus::Pending, None),
        (TaskStatus::Activating, Some(Initial)),
        (TaskStatus::Activating, Some(Healthy)),
        (TaskStatus::Running, Some(Healthy)),
    ];
    assert_eq!(started_with(1), quick);
}

/// Its target gets requests already, so that they are let finish.
#[test]
fn a_task_that_is_stopped_in_activating_drains_its_targets_first() {
    let (mut account, old) = behind_a_target_group(true);
    lifecycle::container_exits(&mut account, "web", &old);
    let newest = |account: &Account| account.clusters["web"].tasks.values().find(|it| it.arn != old).cloned();
    let mut engine = Engine::new(3);
    while newest(&account).is_none_or(|task| task.last_status != TaskStatus::Activating) {
        engine.tick(&mut account);
    }
    let new = newest(&account).expect("seen above").arn;
    lifecycle::begin_stop(&mut account, "web", &new, StopCode::ServiceSchedulerInitiated, "test");
    assert_eq!(stations(&mut account, &new, 5)[0].0, TaskStatus::Deactivating);
    assert!(!task(&account, &new).undrained_kill);
}
