//! What ECS and Elastic Load Balancing do by themselves, second by second.
//!
//! Written from the Amazon ECS Developer Guide and API Reference: "Draining Amazon ECS container instances",
//! "Amazon ECS services" (scheduler concepts), "Amazon ECS task lifecycle", "How Amazon ECS places tasks on
//! container instances", "Use strategies to define Amazon ECS task placement", "Balancing an Amazon ECS
//! service across Availability Zones", "Protect your Amazon ECS tasks from being terminated by scale-in
//! events", "Amazon ECS service throttle logic", "View Amazon ECS service event messages",
//! `DeploymentConfiguration`. Ids, delays and choices that AWS leaves open are drawn from seeds, so that a
//! run can be repeated.
//!
//! One tick is one second, and the actors of a tick always move in the same order: Spot, machines, Auto Scaling groups,
//! capacity providers, hosts, agents, task life cycle, targets, task protection, the service scheduler (services in the
//! order of their names), zone rebalancing, clean-up.
//!
//! Simplified on purpose:
//!
//! - No GPU, UDP, EBS, service discovery, task sets, blue/green, circuit breaker or alarms; `CODE_DEPLOY` and
//!   `EXTERNAL` only fix the percentages at 100 and 200.
//! - A task in PROVISIONING waits until room appears, without a limit of time or number; only a capacity provider with
//!   managed scaling does anything about it.
//! - The scheduler looks at each service every two to six seconds instead of on events, and starts at most
//!   thirty tasks a look, near the documented 500 a minute.
//! - Every state before RUNNING counts as PENDING in the percent arithmetic and for drains.
//! - While a deployment runs, an unhealthy task of an older revision is replaced by the new revision.
//! - Zone rebalancing moves one task at a time.
//! - What happens to a task behind a disconnected agent is seen at once, not on reconnection; only orders to
//!   start or stop wait for the connection.
//! - A dead host that had been connected is deregistered within seconds, its tasks then stop with
//!   `TerminationNotice` (neither is documented); its targets are unhealthy from the next health check.
//! - Scale-in does not prefer pending tasks to running ones; AWS does not say whether it does.
//! - A target passes its first health check when its task's pace says so; intervals and thresholds are not
//!   modelled.
//! - Old deployments leave the list when their last task is told to stop, not when it has stopped.
//! - A start event lists tasks that may still wait in PROVISIONING.

pub mod chance;
pub mod daemon;
pub mod deployments;
pub mod emission;
pub mod events;
pub mod groups;
pub mod health;
pub mod hosts;
pub mod lifecycle;
pub mod machines;
pub mod managed_draining;
pub mod managed_scaling;
pub mod protection;
pub mod replica;
pub mod scale_in;
pub mod spot;
pub mod starts;
pub mod targets;
pub mod tasks;
pub mod termination_protection;
pub mod zones;

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::account::{Account, SchedulingStrategy};
use crate::time::SimTime;

pub use protection::protected_count;

/// One step of simulated time.
pub const TICK: Duration = Duration::from_secs(1);

/// Seconds between two looks of the scheduler at one service. AWS does not say how long its reaction takes;
/// users see a few seconds.
const LOOK_SECONDS: std::ops::RangeInclusive<u64> = 2..=6;

/// How long STOPPED tasks and INACTIVE container instances can still be described.
const MEMORY: Duration = Duration::from_hours(1);

/// Drives one account through time and remembers what AWS's own schedulers would remember.
#[derive(Debug)]
pub struct Engine {
    rng: StdRng,
    hosts: hosts::Hosts,
    /// By service ARN.
    minds: BTreeMap<String, Mind>,
}

/// What the service scheduler keeps in mind about one service.
#[derive(Debug, Default)]
struct Mind {
    look_at: SimTime,
    zones: zones::Move,
}

impl Engine {
    /// An engine whose hidden choices all follow from `seed`.
    pub fn new(seed: u64) -> Self {
        Self { rng: StdRng::seed_from_u64(seed), hosts: hosts::Hosts::default(), minds: BTreeMap::new() }
    }

    /// Lets every agent lose its connection about this often, each time for up to twenty seconds. AWS calls
    /// several times an hour normal ("Amazon ECS container instance state change events"); the default is
    /// never.
    #[must_use]
    pub fn flapping(mut self, per_hour: u32) -> Self {
        self.flap(per_hour);
        self
    }

    /// The same from now on, in the middle of a run; none from now on with 0, and who is away comes back.
    pub fn flap(&mut self, per_hour: u32) {
        self.hosts.flaps_per_hour = per_hour;
    }

    /// Moves the account by exactly one second.
    pub fn tick(&mut self, account: &mut Account) {
        account.now = account.now + TICK;
        spot::tick(account);
        machines::tick(account);
        groups::tick(account);
        managed_draining::tick(account);
        managed_scaling::tick(account);
        termination_protection::tick(account);
        self.hosts.tick(account, &mut self.rng);
        lifecycle::tick(account);
        targets::tick(account);
        protection::expire(account);
        for (cluster, service) in self.due(account) {
            self.look(account, &cluster, &service);
        }
        forget(account);
    }

    /// Ticks until `to`, showing the account to `each_tick` after every second.
    pub fn advance(&mut self, account: &mut Account, to: SimTime, each_tick: &mut dyn FnMut(&Account)) {
        while account.now + TICK <= to {
            self.tick(account);
            each_tick(account);
        }
    }

    /// The services whose turn it is, in the order of their names, each with its next turn already set.
    fn due(&mut self, account: &Account) -> Vec<(String, String)> {
        let mut due = Vec::new();
        for cluster in account.clusters.values() {
            for service in cluster.services.values().filter(|service| service.status != "INACTIVE") {
                if self.is_due(account.now, &service.arn) {
                    due.push((cluster.name.clone(), service.name.clone()));
                }
            }
        }
        due
    }

    fn is_due(&mut self, now: SimTime, service_arn: &str) -> bool {
        let wait = Duration::from_secs(self.rng.random_range(LOOK_SECONDS));
        let Some(mind) = self.minds.get_mut(service_arn) else {
            self.minds.insert(service_arn.to_owned(), Mind { look_at: now + wait, ..Mind::default() });
            return false;
        };
        let due = mind.look_at <= now;
        if due {
            mind.look_at = now + wait;
        }
        due
    }

    fn look(&mut self, account: &mut Account, cluster: &str, service: &str) {
        let service_data = &account.clusters[cluster].services[service];
        let (arn, strategy) = (service_data.arn.clone(), service_data.scheduling_strategy);
        let mind = self.minds.get_mut(&arn).expect("a due service has a mind");
        match strategy {
            SchedulingStrategy::Daemon => daemon::reconcile(account, cluster, service),
            SchedulingStrategy::Replica => {
                zones::prune(account, cluster, service, &mut mind.zones);
                replica::reconcile(account, cluster, service, mind.zones.surplus());
                zones::step(account, cluster, service, &mut mind.zones);
            }
        }
    }
}

/// Drops STOPPED tasks one hour after they stopped.
fn forget(account: &mut Account) {
    let now = account.now;
    for cluster in account.clusters.values_mut() {
        let gone = |at: SimTime| now.since(at) >= MEMORY;
        cluster.tasks.retain(|_, task| !task.stopped_at.is_some_and(gone));
    }
}

#[cfg(test)]
mod tests;
