//! What is drawn for a cluster: how many tasks a service has, how large they are, and how their health is told.

use fastrand::Rng;
use simulator::builder::{AccountBuilder, ServiceBuilder, TaskDefinitionBuilder};
use std::time::Duration;

/// Log-normal with median 2; sigma 1.4 makes one in twenty ten times as large.
const SIGMA: f64 = 1.4;

/// CPU units and MiB of memory of a task in families where all are alike.
pub(super) const UNIT: (u64, u64) = (128, 256);

/// Dice of a family of their own, so that neighbouring seeds do not give neighbouring clusters.
pub(super) fn dice(seed: u64) -> Rng {
    Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// How many tasks a service has, up to `most`.
pub(super) fn tasks(dice: &mut Rng, most: u32) -> u32 {
    let radius = (-2.0 * (1.0 - dice.f64()).ln()).sqrt();
    let normal = radius * (std::f64::consts::TAU * dice.f64()).cos();
    ((2.0 * (SIGMA * normal).exp()).round() as u32).clamp(1, most)
}

/// CPU units and MiB of memory of tasks that are not all alike: small ones are common, memory is one to four times CPU.
pub(super) fn size(dice: &mut Rng) -> (u64, u64) {
    let cpu = [128, 128, 128, 256, 256, 512][dice.usize(..6)];
    (cpu, cpu * dice.u64(1..=4))
}

/// Adds a service that ECS has yet to place, and its task definition. A third of all have neither health check nor load
/// balancer, a third a health check, a third a target group.
pub(super) fn service(
    builder: AccountBuilder,
    dice: &mut Rng,
    name: &str,
    (cpu, memory): (u64, u64),
    with: impl FnOnce(ServiceBuilder) -> ServiceBuilder,
) -> AccountBuilder {
    let sized = |it: TaskDefinitionBuilder| it.cpu(cpu).memory(memory);
    match dice.u32(..3) {
        0 => builder.task_definition(name, sized).service(name, with),
        1 => builder.task_definition(name, |it| sized(it).health_check()).service(name, with),
        _ => builder
            .task_definition(name, |it| sized(it).container_port(80, 0))
            .target_group(name, |it| it.deregistration_delay(Duration::from_secs(30)))
            .service(name, |it| with(it).target_group(name)),
    }
}

/// Adds `count` services of like tasks, spread over zones, then instances.
pub(super) fn unit_services(
    mut builder: AccountBuilder,
    dice: &mut Rng,
    count: u32,
    most: u32,
) -> AccountBuilder {
    for number in 1..=count {
        let desired = tasks(dice, most);
        let with = |it: ServiceBuilder| it.desired(desired).spread_zone().spread_instance();
        builder = service(builder, dice, &format!("unit-{number:02}"), UNIT, with);
    }
    builder
}
