//! Clusters that scenarios start from.

use std::time::Duration;

use simulator::account::Account;
use simulator::builder::{AccountBuilder, ServiceBuilder, TaskDefinitionBuilder};

/// Zones of the simulated Region.
pub const ZONES: [&str; 3] = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];

/// Builder of a cluster `web` with `per_zone[i]` instances in the i-th zone, named `i-a1`, `i-a2`, `i-b1` and so on.
pub fn instances(seed: u64, per_zone: &[u32]) -> AccountBuilder {
    let mut builder = AccountBuilder::new(seed).cluster("web");
    for (zone, count) in ZONES.iter().zip(per_zone) {
        for number in 1..=*count {
            builder = builder.instance(&instance_id(zone, number), zone, |it| it.cpu(4096).memory(15_360));
        }
    }
    builder.task_definition("app", |it| it.cpu(128).memory(256))
}

fn instance_id(zone: &str, number: u32) -> String {
    format!("i-{}{number}", &zone[zone.len() - 1..])
}

/// One zone, one service `app` with `counts[i]` tasks on the i-th instance.
pub fn one_zone(seed: u64, counts: &[u32]) -> Account {
    let builder = instances(seed, &[counts.len() as u32]);
    builder.service("app", |it| it.on(&refs(&places(&[counts]))).spread_zone().spread_instance()).build()
}

/// One zone, eight tasks of `app` on the first of two instances, and no new one ever gets healthy.
pub fn sick(seed: u64) -> Account {
    let sick = |it: TaskDefinitionBuilder| it.cpu(128).memory(256).health_check().sick_percent(100);
    let app =
        |it: ServiceBuilder| it.task_definition("sick").on(&["i-a1"; 8]).spread_zone().spread_instance();
    instances(seed, &[2]).task_definition("sick", sick).service("app", app).build()
}

/// Several zones, one service `app` with `counts[zone][i]` tasks on the i-th instance of the zone.
pub fn zoned(seed: u64, counts: &[&[u32]]) -> Account {
    let per_zone: Vec<u32> = counts.iter().map(|zone| zone.len() as u32).collect();
    let builder = instances(seed, &per_zone);
    builder.service("app", |it| it.on(&refs(&places(counts))).spread_zone().spread_instance()).build()
}

/// Six instances over three zones after one was lost and has come back empty: the services behind load balancers and
/// without, with and without health checks, each with its tasks where ECS put them meanwhile.
pub fn lost_and_returned(seed: u64) -> Account {
    lost_and_returned_builder(seed).build()
}

fn lost_and_returned_builder(seed: u64) -> AccountBuilder {
    let health_checked =
        |it: simulator::builder::TaskDefinitionBuilder| it.cpu(256).memory(512).health_check();
    instances(seed, &[2, 2, 2])
        .task_definition("front", |it| it.cpu(256).memory(512).container_port(80, 0))
        .task_definition("orders", health_checked)
        .target_group("front", |it| it.deregistration_delay(Duration::from_secs(30)))
        .service("front", |it| {
            let it = it.task_definition("front").target_group("front").spread_zone().spread_instance();
            it.on(&["i-a1", "i-a2", "i-b1", "i-b2", "i-c1", "i-c1"])
        })
        .service("orders", |it| {
            it.task_definition("orders").spread_zone().spread_instance().on(&[
                "i-a1", "i-a1", "i-a2", "i-a2", "i-b1", "i-b1", "i-b2", "i-b2", "i-c1", "i-c1", "i-c1",
                "i-c1",
            ])
        })
        .service("mail", |it| it.task_definition("app").spread_zone().on(&["i-a1", "i-b2", "i-c1"]))
        .service("logs", |it| {
            it.task_definition("app").daemon().on(&["i-a1", "i-a2", "i-b1", "i-b2", "i-c1", "i-c2"])
        })
        .standalone("app", "i-a1")
}

/// The same with fifteen services of one task each, all of which ECS has put on the five instances that were there: for
/// each of them that is as good as any other place, and together they leave the new instance half empty.
pub fn both_layers(seed: u64) -> Account {
    let mut builder = lost_and_returned_builder(seed).task_definition("cron", |it| it.cpu(256).memory(512));
    let full = ["i-a1", "i-a2", "i-b1", "i-b2", "i-c1"];
    for number in 0..15 {
        builder = builder.service(&format!("cron-{:02}", number + 1), |it| {
            it.task_definition("cron").spread_zone().spread_instance().on(&[full[number % full.len()]])
        });
    }
    builder.build()
}

/// Instance ids in the order of `counts[zone][i]`, each as often as it has tasks.
pub fn places(counts: &[&[u32]]) -> Vec<String> {
    let mut places = Vec::new();
    for (zone, tasks) in ZONES.iter().zip(counts) {
        for (number, tasks) in (1..).zip(*tasks) {
            places.extend(std::iter::repeat_n(instance_id(zone, number), *tasks as usize));
        }
    }
    places
}

fn refs(places: &[String]) -> Vec<&str> {
    places.iter().map(String::as_str).collect()
}

/// Tasks of a service by EC2 instance, every instance of the cluster included.
pub fn spread_of(account: &Account, service: &str) -> Vec<(String, u32)> {
    let cluster = &account.clusters["web"];
    let mut spread: Vec<(String, u32)> = cluster
        .container_instances
        .values()
        .map(|instance| {
            let is_here = |task: &&simulator::account::Task| {
                let placed = task.container_instance.as_deref() == Some(instance.arn.as_str());
                placed && task.is_wanted() && task.service() == Some(service)
            };
            (instance.ec2_instance_id.clone(), cluster.tasks.values().filter(is_here).count() as u32)
        })
        .collect();
    spread.sort();
    spread
}
