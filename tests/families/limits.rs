//! Families in which something limits where a task may go, or whether it may leave.

use std::time::Duration;

use simulator::account::Account;
use simulator::builder::{AccountBuilder, InstanceBuilder, ServiceBuilder};

use super::draw::{UNIT, dice, service, tasks, unit_services};
use super::past::{Past, zone_of};
use crate::clusters;

/// Five instances for eight tasks each, of which 36 to 39 run; the sixth has room for all that has to move.
pub(super) fn nearly_full(seed: u64) -> Account {
    let mut dice = dice(seed);
    let mut builder = clusters::instances(seed, &[2, 2, 1]);
    let mut left = dice.u32(36..=39);
    for number in 1..=6 {
        let desired = if number == 6 { left } else { dice.u32(3..=7) };
        left -= desired;
        let with = |it: ServiceBuilder| it.desired(desired).spread_zone().spread_instance();
        builder = service(builder, &mut dice, &format!("tight-{number}"), (512, 512), with);
    }
    Past::of(builder, seed).join(&["i-c2"]).end()
}

/// Half of the services pack on purpose, some of them inside a zone only.
pub(super) fn binpack_and_spread(seed: u64) -> Account {
    let mut dice = dice(seed);
    let mut builder = unit_services(clusters::instances(seed, &[2, 2, 1]), &mut dice, 4, 12);
    for number in 1..=4_u32 {
        let desired = tasks(&mut dice, 10);
        let chain = |it: ServiceBuilder| match number {
            1 | 2 => it.binpack_memory(),
            3 => it.spread_zone().binpack_cpu(),
            _ => it.spread_instance(),
        };
        let with = |it: ServiceBuilder| chain(it.desired(desired));
        builder = service(builder, &mut dice, &format!("packed-{number}"), UNIT, with);
    }
    Past::of(builder, seed).join(&["i-c2"]).end()
}

/// Two pools by attribute; each gets a new instance.
pub(super) fn partitions(seed: u64) -> Account {
    let mut dice = dice(seed);
    let mut builder = AccountBuilder::new(seed).cluster("web");
    for id in ["i-a1", "i-b1", "i-c1"] {
        builder = builder.instance(id, zone_of(id), blue);
    }
    for id in ["i-a2", "i-b2"] {
        builder = builder.instance(id, zone_of(id), green);
    }
    for number in 1..=8 {
        let desired = tasks(&mut dice, 10);
        let pool = if number % 2 == 0 { "blue" } else { "green" };
        let with = |it: ServiceBuilder| {
            it.desired(desired)
                .spread_zone()
                .spread_instance()
                .member_of(&format!("attribute:pool == {pool}"))
        };
        builder = service(builder, &mut dice, &format!("{pool}-{number}"), UNIT, with);
    }
    Past::of(builder, seed).join_as(&["i-a3"], blue).join_as(&["i-c2"], green).end()
}

fn blue(it: InstanceBuilder) -> InstanceBuilder {
    it.cpu(4096).memory(15_360).attribute("pool", "blue")
}

fn green(it: InstanceBuilder) -> InstanceBuilder {
    it.cpu(4096).memory(15_360).attribute("pool", "green")
}

/// Somebody protects one task in some of the services for two days.
pub(super) fn protected(seed: u64) -> Account {
    let mut dice = dice(seed);
    let builder = unit_services(clusters::instances(seed, &[2, 2, 1]), &mut dice, 8, 12);
    let mut account = Past::of(builder, seed).join(&["i-c2"]).end();
    let until = account.now + Duration::from_hours(48);
    let cluster = account.clusters.get_mut("web").expect("it is built");
    for name in cluster.services.keys().step_by(2) {
        let first = cluster.tasks.values_mut().find(|task| task.service() == Some(name));
        first.expect("every service has tasks").protected_until = Some(until);
    }
    account
}

/// At most one task on an instance: by a constraint, or by a host port.
pub(super) fn one_each(seed: u64) -> Account {
    let mut dice = dice(seed);
    let mut builder = unit_services(clusters::instances(seed, &[2, 2, 1]), &mut dice, 4, 12);
    for number in 1..=2_u16 {
        let (name, desired) = (format!("ports-{number}"), dice.u32(2..=4));
        builder = builder
            .task_definition(&name, |it| it.cpu(128).memory(256).container_port(80, 8080 + number))
            .service(&name, |it| it.desired(desired).spread_zone().spread_instance());
        let (name, desired) = (format!("distinct-{number}"), dice.u32(2..=4));
        let with = |it: ServiceBuilder| it.desired(desired).spread_zone().distinct_instance();
        builder = service(builder, &mut dice, &name, UNIT, with);
    }
    Past::of(builder, seed).join(&["i-c2"]).end()
}

/// Two capacity providers; some services use one, some both by base and weight.
pub(super) fn capacity_providers(seed: u64) -> Account {
    let mut dice = dice(seed);
    let mut builder = AccountBuilder::new(seed).cluster("web");
    for id in ["i-a1", "i-b1", "i-c1"] {
        builder = builder.instance(id, zone_of(id), spot);
    }
    for id in ["i-a2", "i-b2"] {
        builder = builder.instance(id, zone_of(id), on_demand);
    }
    for number in 1..=8 {
        let desired = tasks(&mut dice, 10);
        let strategy = |it: ServiceBuilder| match number % 4 {
            0 | 1 => it.capacity_provider("spot", 0, 1),
            2 => it.capacity_provider("on-demand", 0, 1),
            _ => it.capacity_provider("on-demand", 1, 1).capacity_provider("spot", 0, 3),
        };
        let with = |it: ServiceBuilder| strategy(it.desired(desired)).spread_zone().spread_instance();
        builder = service(builder, &mut dice, &format!("provided-{number}"), UNIT, with);
    }
    Past::of(builder, seed).join_as(&["i-a3"], spot).join_as(&["i-c2"], on_demand).end()
}

fn spot(it: InstanceBuilder) -> InstanceBuilder {
    it.cpu(4096).memory(15_360).capacity_provider("spot")
}

fn on_demand(it: InstanceBuilder) -> InstanceBuilder {
    it.cpu(4096).memory(15_360).capacity_provider("on-demand")
}
