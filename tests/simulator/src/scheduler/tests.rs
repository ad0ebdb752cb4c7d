//! Chaos from a seed: whatever happens to a cluster, once it stops the scheduler brings every service home.

use std::time::Duration;

use super::*;
use crate::account::{ContainerInstanceStatus, StopCode, TargetState, TaskStatus};
use crate::builder::{self, AccountBuilder};
use crate::switches::Switches;

fn account(seed: u64) -> Account {
    let switches = Switches {
        stop_task_deregisters_first: seed & 1 == 0,
        scale_in_takes_fullest_instance: seed & 2 == 0,
        drain_stops_protected: seed & 4 == 0,
        ..Switches::default()
    };
    AccountBuilder::new(seed)
        .switches(switches)
        .cluster("web")
        .instance("i-a1", "a", |i| i.cpu(4096))
        .instance("i-a2", "a", |i| i.cpu(4096))
        .instance("i-b1", "b", |i| i.cpu(4096))
        .instance("i-b2", "b", |i| i.cpu(4096))
        .task_definition("web", |t| t.container_port(80, 0).health_check().sick_percent(10))
        .task_definition("api", |t| t.fails_to_start_percent(10))
        .task_definition("log", |t| t.cpu(64))
        .target_group("web", |t| t.deregistration_delay(Duration::from_secs(20)))
        .service("web", |s| s.on(&["i-a1", "i-a2", "i-b1", "i-b1"]).target_group("web").spread_zone())
        .service("api", |s| {
            s.on(&["i-a1", "i-a1", "i-b2"]).min_max(50, 150).binpack_memory().az_rebalancing()
        })
        .service("free", |s| s.task_definition("api").on(&["i-a1"; 5]).az_rebalancing())
        .service("log", |s| s.daemon().on(&["i-a1", "i-a2", "i-b1", "i-b2"]))
        .build()
}

/// One thing that people, programs or fate do to a cluster.
fn disturb(account: &mut Account) {
    let service = ["web", "api", "free"][account.draw_below(3)];
    let (count, until) = (1 + account.draw_below(6) as u32, account.now + Duration::from_mins(3));
    let status = [ContainerInstanceStatus::Active, ContainerInstanceStatus::Draining][account.draw_below(2)];
    let tasks: Vec<_> = account.clusters["web"].tasks.keys().cloned().collect();
    let task = tasks[account.draw_below(tasks.len())].clone();
    let instance = account.draw_below(4);
    let what = account.draw_below(7);
    let cluster = account.clusters.get_mut("web").expect("built");
    let definition = cluster.services[service].task_definition.clone();
    match what {
        0 => cluster.services.get_mut(service).expect("built").desired_count = count,
        1 => cluster.container_instances.values_mut().nth(instance).expect("built").status = status,
        2 => cluster.tasks.get_mut(&task).expect("drawn").gets_healthy = false,
        3 => cluster.tasks.get_mut(&task).expect("drawn").protected_until = Some(until),
        4 => lifecycle::begin_stop(account, "web", &task, StopCode::UserInitiated, "chaos"),
        5 => lifecycle::container_exits(account, "web", &task),
        _ => deployments::start_deployment(account, "web", service, &definition),
    }
}

/// Twenty minutes of chaos, then a host is lost and replaced, then an hour of peace.
fn lived_through(seed: u64) -> Account {
    let mut account = account(seed);
    let mut engine = Engine::new(seed).flapping(20);
    let start = account.now;
    engine.advance(&mut account, start + Duration::from_mins(1), &mut sound);
    for minute in 1..20 {
        disturb(&mut account);
        engine.advance(&mut account, start + Duration::from_mins(minute), &mut sound);
    }
    hosts::terminate(&mut account, "i-b2");
    builder::register(&mut account, "web", "i-b3", "b", |i| i.cpu(4096));
    let instances = account.clusters.get_mut("web").expect("built").container_instances.values_mut();
    for instance in instances {
        instance.status = ContainerInstanceStatus::Active;
    }
    engine.advance(&mut account, start + Duration::from_hours(2), &mut sound);
    account
}

/// What holds at every moment.
fn sound(account: &Account) {
    let cluster = &account.clusters["web"];
    for (arn, instance) in &cluster.container_instances {
        let room = crate::placement::room::host_free(account, "web", arn);
        assert!(room.cpu <= instance.cpu && room.memory <= instance.memory);
    }
    for task in cluster.tasks.values() {
        assert_eq!(task.last_status == TaskStatus::Stopped, task.stopped_at.is_some(), "{task:?}");
        assert!(task.is_wanted() || task.stopping_at.is_some(), "{task:?}");
    }
}

#[test]
fn every_service_comes_home() {
    for seed in 0..16 {
        let account = lived_through(seed);
        let cluster = &account.clusters["web"];
        let replicas =
            cluster.services.values().filter(|s| s.scheduling_strategy == SchedulingStrategy::Replica);
        for service in replicas {
            let mine = || cluster.tasks.values().filter(|task| task.service() == Some(&service.name));
            let healthy = mine().filter(|task| task.is_wanted() && health::is_healthy(&account, "web", task));
            let picture = crate::timeline::bars(&account, "web");
            let story = crate::timeline::render(&account.happenings);
            assert_eq!(
                healthy.count() as u32,
                service.desired_count,
                "{}, {seed}:\n{story}\n{picture}",
                service.name
            );
            let wanted = mine().filter(|task| task.is_wanted()).count();
            assert_eq!(wanted as u32, service.desired_count, "{}, {seed}:\n{picture}", service.name);
            assert_eq!(service.deployments.len(), 1, "{}, {seed}", service.name);
        }
        for instance in cluster.container_instances.values().filter(|instance| instance.host_alive) {
            let daemons =
                cluster.tasks.values().filter(|task| task.service() == Some("log") && task.is_wanted());
            let here = daemons.filter(|task| task.container_instance.as_ref() == Some(&instance.arn));
            assert_eq!(here.count(), 1, "{}, {seed}", instance.ec2_instance_id);
        }
        let targets = account.target_groups.values().flat_map(|group| &group.targets);
        let healthy = targets.filter(|target| target.state == TargetState::Healthy).count();
        assert_eq!(healthy as u32, cluster.services["web"].desired_count, "{seed}");
    }
}
