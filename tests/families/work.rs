//! Families that differ in what runs: how many tasks, how large, how reliable.

use std::time::Duration;

use simulator::account::{Account, Pace};
use simulator::builder::ServiceBuilder;

use super::draw::{UNIT, dice, service, size, tasks, unit_services};
use super::past::Past;
use crate::clusters;

/// Counts go up and down for some hours; what scale-in leaves is anybody's guess.
pub(super) fn random_walk(seed: u64) -> Account {
    let mut dice = dice(seed);
    let mut past = Past::of(unit_services(clusters::instances(seed, &[2, 2, 2]), &mut dice, 8, 12), seed);
    for _ in 0..8 {
        for (name, desired) in past.desired_counts() {
            if dice.u32(..3) == 0 {
                past = past.scale(&name, (desired + dice.u32(..=6)).saturating_sub(3).max(1));
            }
        }
        past = past.rest();
    }
    past.end()
}

/// Services of one task: none of them is ever uneven by itself.
pub(super) fn many_singletons(seed: u64) -> Account {
    let mut dice = dice(seed);
    let builder = unit_services(clusters::instances(seed, &[2, 2, 1]), &mut dice, 24, 1);
    Past::of(builder, seed).join(&["i-c2"]).end()
}

pub(super) fn few_huge(seed: u64) -> Account {
    let mut dice = dice(seed);
    let mut builder = clusters::instances(seed, &[2, 2, 1]);
    for number in 1..=3 {
        let desired = dice.u32(25..=45);
        let with = |it: ServiceBuilder| it.desired(desired).spread_zone().spread_instance();
        builder = service(builder, &mut dice, &format!("huge-{number}"), UNIT, with);
    }
    Past::of(builder, seed).join(&["i-c2"]).end()
}

/// Instances of one, two and four units, tasks of many sizes.
pub(super) fn mixed_sizes(seed: u64) -> Account {
    let mut dice = dice(seed);
    let mut builder = clusters::instances(seed, &[1, 1, 1])
        .instance("i-a2", clusters::ZONES[0], |it| it.cpu(8192).memory(30_720))
        .instance("i-b2", clusters::ZONES[1], |it| it.cpu(16_384).memory(61_440));
    for number in 1..=10 {
        let (desired, size) = (tasks(&mut dice, 10), size(&mut dice));
        let with = |it: ServiceBuilder| it.desired(desired).spread_zone().spread_instance();
        builder = service(builder, &mut dice, &format!("mixed-{number:02}"), size, with);
    }
    Past::of(builder, seed).join_as(&["i-c2"], |it| it.cpu(8192).memory(30_720)).end()
}

/// Two daemons and four standalone tasks beside the services: load that nobody moves.
pub(super) fn daemons_and_standalone(seed: u64) -> Account {
    let mut dice = dice(seed);
    let mut builder = unit_services(clusters::instances(seed, &[2, 2, 1]), &mut dice, 8, 12)
        .task_definition("logs", |it| it.cpu(64).memory(128))
        .task_definition("job", |it| it.cpu(512).memory(1024));
    for daemon in ["logs", "metrics"] {
        builder = builder.service(daemon, |it| it.task_definition("logs").daemon());
    }
    for host in ["i-a1", "i-a1", "i-b1", "i-c1"] {
        builder = builder.standalone("job", host);
    }
    Past::of(builder, seed).join(&["i-c2"]).end()
}

/// From now on a fifth of all new tasks never gets healthy, a tenth never runs, and all take minutes to start.
pub(super) fn failing_and_slow(seed: u64) -> Account {
    let mut dice = dice(seed);
    let builder = unit_services(clusters::instances(seed, &[2, 2, 1]), &mut dice, 6, 10);
    let mut account = Past::of(builder, seed).join(&["i-c2"]).end();
    for definition in account.task_definitions.values_mut() {
        let minute = Duration::from_mins(1);
        definition.typical = Pace { activating: minute, health: 2 * minute, ..definition.typical };
        definition.sick_percent = 20;
        definition.fails_to_start_percent = 10;
    }
    account
}

/// As ECS placed it on instances that were all there, and every count divides by their number.
pub(super) fn already_optimal(seed: u64) -> Account {
    let mut dice = dice(seed);
    let mut builder = clusters::instances(seed, &[2, 2, 2]);
    for number in 1..=8 {
        let desired = 6 * dice.u32(1..=3);
        let with = |it: ServiceBuilder| it.desired(desired).spread_zone().spread_instance();
        builder = service(builder, &mut dice, &format!("even-{number}"), UNIT, with);
    }
    Past::of(builder, seed).end()
}
