//! May a task of this service be stopped before another has taken its place?
//!
//! Only with the operator's consent, and only while enough tasks stay. The setting is the consent for services that
//! nothing is routed to; `StopTask` takes a task away from its load balancer in an order that one cannot rely on (AWS
//! documents one, users measure another), so behind one the service has to say so itself, by its tag. "Enough" is what
//! the service tells ECS it can do with, minimumHealthyPercent rounded up as ECS does, and never less than one: a
//! minimum of 0 % allows ECS a gap in a deployment, which somebody started, not us one to even out counts.

#[cfg(test)]
mod tests;

use crate::plan::proposal::Limits;
use crate::settings::MoveStrategy;
use crate::snapshot::Service;

/// Key of the tag on a service by which it is, or is not, to be moved by `stop`.
pub const STRATEGY_TAG: &str = "evenkeel:strategy";

/// Whether the setting and the service allow that a task is stopped while all that are desired serve.
pub fn is_stoppable(limits: &Limits, service: &Service) -> bool {
    limits.strategy == MoveStrategy::Stop && has_agreed(service) && is_above_floor(service)
}

/// Whether one can go and enough stay.
fn is_above_floor(service: &Service) -> bool {
    let floor = service.minimum_healthy_percent.of_rounded_up(service.tasks_desired).max(1);
    service.tasks_desired > floor
}

/// Any other value of the tag than `stop` is a word this version does not know, and no consent.
fn has_agreed(service: &Service) -> bool {
    match service.tags.get(STRATEGY_TAG) {
        Some(value) => value == "stop",
        None => service.load_balancers.is_empty(),
    }
}
