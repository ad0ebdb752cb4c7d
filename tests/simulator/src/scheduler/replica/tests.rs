//! Drains and unhealthy tasks: the cases of "Draining Amazon ECS container instances".

use std::time::Duration;

use crate::account::{Account, ContainerInstanceStatus, DeploymentController, TaskStatus};
use crate::builder::{AccountBuilder, ServiceBuilder, TaskDefinitionBuilder};
use crate::scheduler::{Engine, health};
use crate::switches::Switches;

/// `on_a1` tasks on the instance that will be drained, and an empty instance beside it.
fn account(on_a1: usize, service: impl FnOnce(ServiceBuilder) -> ServiceBuilder) -> Account {
    AccountBuilder::new(7)
        .cluster("web")
        .instance("i-a1", "a", |i| i)
        .instance("i-a2", "a", |i| i)
        .task_definition("web", |t| t)
        .task_definition("batch", |t| t)
        .service("web", |s| service(s.on(&vec!["i-a1"; on_a1])))
        .standalone("batch", "i-a1")
        .build()
}

fn set(account: &mut Account, status: ContainerInstanceStatus) {
    let cluster = account.clusters.get_mut("web").expect("built");
    let mut instances = cluster.container_instances.values_mut();
    instances.find(|instance| instance.ec2_instance_id == "i-a1").expect("built").status = status;
}

fn wanted(account: &Account, id: &str) -> usize {
    let cluster = &account.clusters["web"];
    let tasks = cluster.tasks.values().filter(|task| task.service() == Some("web") && task.is_wanted());
    let on = |arn: &String| cluster.container_instances[arn].ec2_instance_id == id;
    tasks.filter(|task| task.container_instance.as_ref().is_some_and(on)).count()
}

fn healthy(account: &Account) -> usize {
    let tasks = account.clusters["web"].tasks.values().filter(|task| task.service() == Some("web"));
    tasks.filter(|task| task.is_wanted() && health::is_healthy(account, "web", task)).count()
}

/// Drains the instance for ten minutes; says how many service tasks are left on it and the fewest healthy on
/// the way.
fn drained(mut account: Account) -> (usize, usize) {
    set(&mut account, ContainerInstanceStatus::Draining);
    let (until, mut fewest) = (account.now + Duration::from_mins(10), usize::MAX);
    Engine::new(7).advance(&mut account, until, &mut |account| fewest = fewest.min(healthy(account)));
    (wanted(&account, "i-a1"), fewest)
}

#[test]
fn a_drain_follows_the_percentages() {
    let table = [
        (4, (100, 200), (0, 4)),
        (4, (50, 100), (0, 2)),
        (4, (50, 200), (0, 2)),
        (4, (100, 100), (4, 4)), // neither may one stop nor one start: the drain never ends
        (2, (75, 100), (2, 2)),  // 1.5 is rounded up to 2
        (3, (100, 125), (3, 3)), // 3.75 is rounded down to 3
        (1, (100, 199), (1, 1)),
        (1, (100, 200), (0, 1)),
        (1, (0, 100), (0, 0)),
    ];
    for (tasks, (minimum, maximum), expected) in table {
        let account = account(tasks, |s| s.min_max(minimum, maximum));
        assert_eq!(drained(account), expected, "{tasks} tasks, {minimum} to {maximum} percent");
    }
}

#[test]
fn with_code_deploy_the_percentages_are_fixed() {
    let account = account(4, |s| s.min_max(0, 100).deployment_controller(DeploymentController::CodeDeploy));
    assert_eq!(drained(account), (0, 4));
}

#[test]
fn without_room_elsewhere_a_drain_waits_and_says_so() {
    let mut account = account(4, |s| s.member_of("ec2InstanceId == i-a1"));
    set(&mut account, ContainerInstanceStatus::Draining);
    let until = account.now + Duration::from_mins(30);
    Engine::new(7).advance(&mut account, until, &mut |_| ());
    assert_eq!(wanted(&account, "i-a1"), 4);
    let events = account.clusters["web"].services["web"].events.iter();
    let told = events.filter(|event| event.message.contains("was unable to place a task"));
    assert_eq!(told.count(), 1, "once in six hours");
}

#[test]
fn standalone_tasks_are_left_alone() {
    let mut account = account(1, |s| s);
    set(&mut account, ContainerInstanceStatus::Draining);
    let until = account.now + Duration::from_hours(3);
    Engine::new(7).advance(&mut account, until, &mut |_| ());
    let standalone = account.clusters["web"].tasks.values().find(|task| task.service().is_none());
    assert_eq!(standalone.map(|task| task.last_status), Some(TaskStatus::Running));
}

#[test]
fn pending_tasks_are_stopped_at_once() {
    let mut account = account(4, |s| s.min_max(100, 100));
    let tasks = &mut account.clusters.get_mut("web").expect("built").tasks;
    let task = tasks.values_mut().find(|task| task.service().is_some()).expect("built");
    (task.last_status, task.started_at) = (TaskStatus::Pending, None);
    task.pace.pending = Duration::from_hours(1);
    set(&mut account, ContainerInstanceStatus::Draining);
    let until = account.now + Duration::from_secs(8);
    Engine::new(7).advance(&mut account, until, &mut |_| ());
    assert_eq!(wanted(&account, "i-a1"), 3, "although the percentages forbid to stop a running one");
}

#[test]
fn a_switch_says_whether_a_drain_stops_protected_tasks() {
    for stops in [false, true] {
        let mut account = account(2, |s| s);
        account.switches = Switches { drain_stops_protected: stops, ..Switches::default() };
        let until = account.now + Duration::from_hours(1);
        let tasks = account.clusters.get_mut("web").expect("built").tasks.values_mut();
        tasks.for_each(|task| task.protected_until = Some(until));
        assert_eq!(drained(account).0, if stops { 0 } else { 2 });
    }
}

#[test]
fn back_to_active_half_way_returns_to_the_desired_count() {
    let mut account = account(4, |s| s);
    let mut engine = Engine::new(7);
    set(&mut account, ContainerInstanceStatus::Draining);
    let until = account.now + Duration::from_secs(20);
    engine.advance(&mut account, until, &mut |_| ());
    assert!(wanted(&account, "i-a2") > 0, "replacements are under way");
    set(&mut account, ContainerInstanceStatus::Active);
    engine.advance(&mut account, until + Duration::from_mins(5), &mut |_| ());
    assert_eq!(wanted(&account, "i-a1") + wanted(&account, "i-a2"), 4);
}

/// One task turns sick; says the most wanted and the fewest wanted tasks over ten minutes.
fn with_a_sick_task(maximum: u32) -> (usize, usize) {
    let mut account = AccountBuilder::new(7)
        .cluster("web")
        .instance("i-a1", "a", |i| i)
        .task_definition("web", TaskDefinitionBuilder::health_check)
        .service("web", |s| s.on(&["i-a1"; 3]).min_max(50, maximum))
        .build();
    let tasks = &mut account.clusters.get_mut("web").expect("built").tasks;
    tasks.values_mut().next().expect("built").gets_healthy = false;
    let until = account.now + Duration::from_mins(10);
    let (mut most, mut fewest) = (0, usize::MAX);
    Engine::new(7).advance(&mut account, until, &mut |account| {
        let count = wanted(account, "i-a1");
        (most, fewest) = (most.max(count), fewest.min(count));
    });
    assert_eq!(healthy(&account), 3);
    (most, fewest)
}

#[test]
fn an_unhealthy_task_is_replaced_first_where_there_is_room_and_stopped_first_where_not() {
    assert_eq!(with_a_sick_task(200), (4, 3));
    assert_eq!(with_a_sick_task(100), (3, 2));
}
