//! Placement: what is in the way of a task, and where it goes if nothing is.

use std::collections::BTreeSet;

use super::*;
use crate::builder::{AccountBuilder, InstanceBuilder, ServiceBuilder};
use crate::scheduler::deployments;

/// a1 has two tasks of the service, a2 none, b1 one, c1 one and only little memory left.
fn account(seed: u64, service: impl FnOnce(ServiceBuilder) -> ServiceBuilder) -> Account {
    AccountBuilder::new(seed)
        .cluster("web")
        .instance("i-a1", "a", |i| i)
        .instance("i-a2", "a", |i| i.attribute("tier", "front"))
        .instance("i-b1", "b", |i| i)
        .instance("i-c1", "c", |i| i.memory(1100))
        .task_definition("web", |t| t)
        .service("web", |s| service(s.on(&["i-a1", "i-a1", "i-b1", "i-c1"])))
        .build()
}

/// Every instance that some seed sends the next task to.
fn places(service: fn(ServiceBuilder) -> ServiceBuilder) -> Vec<String> {
    let mut places = BTreeSet::new();
    for seed in 0..40 {
        let mut account = account(seed, service);
        places.extend(next(&mut account));
    }
    places.into_iter().collect()
}

fn next(account: &mut Account) -> Option<String> {
    let service = account.clusters["web"].services["web"].clone();
    let definition = account.task_definitions[&service.task_definition].clone();
    let arn = choose(account, "web", &service, &definition)?;
    Some(account.clusters["web"].container_instances[&arn].ec2_instance_id.clone())
}

#[test]
fn the_strategies_form_a_chain() {
    type With = fn(ServiceBuilder) -> ServiceBuilder;
    let table: [(&str, With, &[&str]); 7] = [
        ("none: zone, then instance", |s| s, &["i-b1", "i-c1"]),
        ("spread zone", ServiceBuilder::spread_zone, &["i-b1", "i-c1"]),
        ("spread instance", ServiceBuilder::spread_instance, &["i-a2"]),
        ("spread zone, binpack", |s| s.spread_zone().binpack_memory(), &["i-c1"]),
        ("binpack", ServiceBuilder::binpack_memory, &["i-c1"]),
        ("binpack by CPU", ServiceBuilder::binpack_cpu, &["i-a1"]),
        ("random", ServiceBuilder::random, &["i-a1", "i-a2", "i-b1", "i-c1"]),
    ];
    for (name, with, expected) in table {
        assert_eq!(places(with), expected, "{name}");
    }
}

#[test]
fn constraints_bind() {
    assert_eq!(places(ServiceBuilder::distinct_instance), ["i-a2"]);
    assert_eq!(places(|s| s.member_of("attribute:tier == front")), ["i-a2"]);
    assert_eq!(places(|s| s.member_of("attribute:tier == back")), Vec::<String>::new());
}

/// Why the second task of a service cannot be placed beside the first.
fn why_not(instance: fn(InstanceBuilder) -> InstanceBuilder, host_port: u16, expression: &str) -> String {
    let account = AccountBuilder::new(1)
        .cluster("web")
        .instance("i-a1", "a", instance)
        .task_definition("web", |t| t.container_port(80, host_port))
        .service("web", |s| s.on(&["i-a1"]).member_of(expression))
        .build();
    let service = &account.clusters["web"].services["web"];
    let definition = &account.task_definitions[&service.task_definition];
    assert!(candidates(&account, "web", service, definition).is_empty());
    let wanted = Wanted { cluster: "web", service, definition, provider: None, zone: None };
    reason_not_placed(&account, &wanted)
}

#[test]
fn the_event_says_what_is_in_the_way() {
    type With = fn(InstanceBuilder) -> InstanceBuilder;
    let table: [(With, u16, &str, &str); 6] = [
        (|i| i.cpu(300), 0, "agentConnected == true", "has insufficient CPU units available"),
        (|i| i.memory(600), 0, "agentConnected == true", "has insufficient memory available"),
        (|i| i, 80, "agentConnected == true", "is already using a port required by your task"),
        (|i| i, 22, "agentConnected == true", "is already using a port required by your task"),
        (InstanceBuilder::disconnected, 0, "agentConnected == false", "encountered error \"AGENT\""),
        (|i| i, 0, "attribute:tier exists", "is missing an attribute required by your task"),
    ];
    for (instance, port, expression, expected) in table {
        let reason = why_not(instance, port, expression);
        assert!(reason.contains(expected), "{reason}");
    }
}

#[test]
fn a_draining_instance_takes_nothing() {
    let mut account = account(1, |s| s.member_of("ec2InstanceId == i-a2"));
    assert_eq!(next(&mut account).as_deref(), Some("i-a2"));
    let instances = account.clusters.get_mut("web").expect("built").container_instances.values_mut();
    instances.for_each(|instance| instance.status = ContainerInstanceStatus::Draining);
    assert_eq!(next(&mut account), None);
}

#[test]
fn room_is_kept_for_a_daemon_that_is_still_missing() {
    let with = |daemon_on: &[&str]| {
        AccountBuilder::new(1)
            .cluster("web")
            .instance("i-a1", "a", |i| i.cpu(400))
            .task_definition("web", |t| t)
            .task_definition("log", |t| t.cpu(128))
            .service("log", |s| s.daemon().on(daemon_on))
            .service("web", |s| s.on(&[]))
            .build()
    };
    assert_eq!(next(&mut with(&["i-a1"])).as_deref(), Some("i-a1"), "400 - 128 leaves room for 256");
    let mut tight = with(&[]);
    let arn = tight.task_definitions.keys().find(|arn| arn.contains("log")).expect("built").clone();
    tight.task_definitions.get_mut(&arn).expect("built").cpu = 200;
    assert_eq!(next(&mut tight), None, "400 - 200 does not");
}

#[test]
fn a_switch_says_whether_a_spread_counts_tasks_of_older_deployments() {
    for (counts, expected) in [(true, vec!["i-a2"]), (false, vec!["i-a1", "i-a2", "i-b1", "i-c1"])] {
        let mut seen = BTreeSet::new();
        for seed in 0..40 {
            let mut account = account(seed, ServiceBuilder::spread_instance);
            account.switches.placement_counts_old_deployments = counts;
            let definition = account.clusters["web"].services["web"].task_definition.clone();
            deployments::start_deployment(&mut account, "web", "web", &definition);
            seen.extend(next(&mut account));
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn counts_go_by_desired_status_and_remaining_by_last_status() {
    let mut account = account(1, |s| s);
    let arn = account.clusters["web"].container_instances.keys().next().expect("built").clone();
    assert_eq!(counts(&account, "web", &arn), (2, 0));
    assert_eq!(remaining(&account, "web", &arn).cpu, 2048 - 512);
    let task = |account: &mut Account, change: fn(&mut crate::account::Task)| {
        change(account.clusters.get_mut("web").expect("built").tasks.values_mut().next().expect("built"));
    };
    task(&mut account, |task| task.desired_status = crate::account::TaskStatus::Stopped);
    assert_eq!(counts(&account, "web", &arn), (1, 0), "a task being stopped is in neither count");
    assert_eq!(remaining(&account, "web", &arn).cpu, 2048 - 512);
    task(&mut account, |task| task.last_status = crate::account::TaskStatus::Deactivating);
    assert_eq!(remaining(&account, "web", &arn).cpu, 2048 - 256, "released as soon as it leaves RUNNING");
    assert_eq!(room::host_free(&account, "web", &arn).cpu, 2048 - 512, "but not free yet");
}
