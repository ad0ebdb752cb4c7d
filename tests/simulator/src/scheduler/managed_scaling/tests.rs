//! Groups that grow with what waits and shrink when half of them idles.

use super::*;
use crate::account::ContainerInstanceStatus;
use crate::builder::{AccountBuilder, CapacityProviderBuilder};
use crate::scheduler::Engine;
use crate::switches::Switches;

/// Two machines with a task of 1024 CPU units each, of which two fit on a machine.
fn account(target: fn(CapacityProviderBuilder) -> CapacityProviderBuilder) -> Account {
    AccountBuilder::new(2)
        .cluster("web")
        .launch_template("web", |t| t.size(2048, 7680))
        .auto_scaling_group("web-asg", |g| {
            g.size(0, 2, 8).zones(&["a", "b"]).instances(&[("i-a1", "a"), ("i-b1", "b")])
        })
        .capacity_provider("cp", "web-asg", target)
        .task_definition("web", |t| t.cpu(1024))
        .service("web", |s| s.on(&["i-a1", "i-b1"]).capacity_provider("cp", 0, 1))
        .build()
}

fn full(provider: CapacityProviderBuilder) -> CapacityProviderBuilder {
    provider.managed_scaling(100)
}

fn pass(account: &mut Account, engine: &mut Engine, minutes: u64) {
    let until = account.now + Duration::from_mins(minutes);
    engine.advance(account, until, &mut |_| ());
}

fn desired(account: &Account) -> u32 {
    account.auto_scaling_groups["web-asg"].desired_capacity
}

fn want_tasks(account: &mut Account, count: u32) {
    let cluster = account.clusters.get_mut("web").expect("built");
    cluster.services.get_mut("web").expect("built").desired_count = count;
}

#[test]
fn what_waits_makes_the_group_grow_to_what_it_needs() {
    let mut account = account(full);
    want_tasks(&mut account, 8);
    pass(&mut account, &mut Engine::new(2), 5);
    assert_eq!(desired(&account), 4);
    let tasks = account.clusters["web"].tasks.values();
    assert_eq!(tasks.filter(|task| task.last_status == TaskStatus::Running).count(), 8);
}

#[test]
fn a_target_below_100_keeps_some_idle() {
    let mut account = account(|provider| provider.managed_scaling(50));
    pass(&mut account, &mut Engine::new(2), 5);
    assert_eq!(desired(&account), 4);
}

#[test]
fn a_doubled_group_is_undone_after_a_quarter_of_an_hour_unless_alarms_are_suspended() {
    for (suspended, expected) in [(false, 2), (true, 4)] {
        let (mut account, mut engine) = (account(full), Engine::new(2));
        groups::set_desired(&mut account, "web-asg", 4, "a test");
        if suspended {
            let group = account.auto_scaling_groups.get_mut("web-asg").expect("built");
            group.suspended.insert("AlarmNotification".to_owned(), "a test".to_owned());
        }
        pass(&mut account, &mut engine, 14);
        assert_eq!(desired(&account), 4);
        pass(&mut account, &mut engine, 60);
        assert_eq!(desired(&account), expected, "suspended: {suspended}");
    }
}

#[test]
fn a_group_grows_from_nothing_to_two() {
    let mut account = AccountBuilder::new(2)
        .cluster("web")
        .launch_template("web", |t| t)
        .auto_scaling_group("web-asg", |g| g.size(0, 0, 8))
        .capacity_provider("cp", "web-asg", full)
        .task_definition("web", |t| t)
        .service("web", |s| s.desired(1).capacity_provider("cp", 0, 1))
        .build();
    pass(&mut account, &mut Engine::new(2), 3);
    assert_eq!(desired(&account), 2);
}

#[test]
fn whether_draining_instances_count_is_a_switch() {
    for (counts, expected) in [(true, 2), (false, 1)] {
        let mut account = account(full);
        account.switches = Switches { reservation_counts_draining: counts, ..account.switches };
        let cluster = account.clusters.get_mut("web").expect("built");
        let first = cluster.container_instances.values_mut().next().expect("built");
        first.status = ContainerInstanceStatus::Draining;
        let provider = &account.capacity_providers["cp"];
        let group = &account.auto_scaling_groups["web-asg"];
        assert_eq!((size(&account, group), needed(&account, provider)), (expected, expected));
    }
}
