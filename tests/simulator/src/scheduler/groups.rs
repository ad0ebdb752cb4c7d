//! What EC2 Auto Scaling does by itself, second by second.
//!
//! Written from the Amazon EC2 Auto Scaling User Guide ("Amazon EC2 Auto Scaling instance lifecycle", "Amazon EC2 Auto
//! Scaling lifecycle hooks", "Health checks for instances in an Auto Scaling group", "Configure termination policies",
//! "Use instance scale-in protection", "Suspend and resume Amazon EC2 Auto Scaling processes", "Distribute instances
//! across Availability Zones", "Capacity Rebalancing", "Auto Scaling groups with multiple instance types and purchase
//! options") and the API Reference. It reads `Account::machines` and changes them through `machines::launch` and
//! `machines::terminate` only.
//!
//! In each second every group, in the order of their names, goes through the same steps: lifecycle actions that time
//! out, health, instances on their way in, instances on their way out, substitutes that have arrived, capacity
//! rebalancing, zone rebalancing, scheduled actions, and every few seconds the comparison of desired and actual capacity. A group without
//! anything to do draws no dice but for the moment of its next look.
//!
//! Simplified on purpose:
//!
//! - A group looks at its size every two to six seconds, and launches or terminates all that is missing or too much in
//!   one look; AWS gives no numbers ("termination speed is dynamic").
//! - Zones are balanced by the number of instances, also where instances have weights, and not each purchase option
//!   by itself.
//! - A hook on the way in begins when the machine runs. An instance whose launch was abandoned, or whose machine died
//!   on the way in, leaves without hooks on the way out; one that died in service is still held by them.
//! - Health is that of EC2: a machine that does not run is noticed within one to two minutes. There are no status
//!   checks, load balancer checks and grace periods, and `SetInstanceHealth` is not known; AWS replaces at most a tenth
//!   of instances that run and are unhealthy at a time, of which there are none.
//! - Zone rebalancing looks about once a minute and moves one instance at a time; it does not try zones that are short.
//! - A scheduled action acts once or every so often; cron expressions are shown and not read, and time zones unknown. An
//!   instance refresh is a record that replaces nothing.
//! - No scaling policies, maximum lifetime, maintenance policy, custom termination policy
//!   or scaling cool-down other than that of `HonorCooldown`; a warm pool is a number.
//! - Target groups of the group itself are shown and not served: nothing is deregistered before a hook begins.
//! - A group that fails to launch for a day is not suspended by AWS, and none is ever deleted.
//! - A launch template that gives way to a mixed instances policy leaves the instances there are as they are.
//! - Instances of another launch configuration do not exist, so that `OldestLaunchConfiguration` narrows nothing.

mod activities;
mod admission;
mod announcements;
mod arrivals;
mod balance;
pub mod choice;
pub(crate) mod departures;
mod health;
pub(crate) mod holds;
mod launches;
mod policies;
mod rebalance;
mod schedules;
mod size;
mod substitutes;
mod victims;

use crate::account::{Account, AutoScalingGroup, GroupInstance, LifecycleState, MachineState};

pub(crate) use activities::{at, open};
pub use admission::{admit, found};
pub use choice::{Choice, choose};
pub use size::set_desired;

/// Moves every group by one second.
pub(crate) fn tick(account: &mut Account) {
    for group in account.auto_scaling_groups.keys().cloned().collect::<Vec<_>>() {
        holds::expire(account, &group);
        health::tick(account, &group);
        arrivals::tick(account, &group);
        departures::tick(account, &group);
        substitutes::tick(account, &group);
        rebalance::tick(account, &group);
        balance::tick(account, &group);
        schedules::tick(account, &group);
        size::tick(account, &group);
    }
}

/// The subnet of a zone; every zone has one.
pub fn subnet(zone: &str) -> String {
    let sum = zone.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(131) + u64::from(byte));
    format!("subnet-{sum:017x}")
}

/// 32 hexadecimal digits in the form of a UUID.
pub fn uuid(hex: &str) -> String {
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn group_mut<'a>(account: &'a mut Account, group: &str) -> Option<&'a mut AutoScalingGroup> {
    account.auto_scaling_groups.get_mut(group)
}

fn instance<'a>(account: &'a Account, group: &str, id: &str) -> Option<&'a GroupInstance> {
    account.auto_scaling_groups.get(group)?.instances.get(id)
}

pub(crate) fn instance_mut<'a>(
    account: &'a mut Account,
    group: &str,
    id: &str,
) -> Option<&'a mut GroupInstance> {
    group_mut(account, group)?.instances.get_mut(id)
}

/// Puts an instance into a state.
pub(crate) fn enter(account: &mut Account, group: &str, id: &str, state: LifecycleState) {
    let now = account.now;
    if let Some(instance) = instance_mut(account, group, id) {
        (instance.state, instance.since) = (state, now);
    }
}

/// Ids of the group's instances of which this holds.
fn ids_where(account: &Account, group: &str, applies: impl Fn(&GroupInstance) -> bool) -> Vec<String> {
    let group = account.auto_scaling_groups.get(group);
    let instances = group.iter().flat_map(|group| group.instances.values());
    instances.filter(|instance| applies(instance)).map(|instance| instance.id.clone()).collect()
}

/// The state of the machine below an instance; one that nobody remembers is terminated.
fn machine_state(account: &Account, id: &str) -> MachineState {
    account.machines.get(id).map_or(MachineState::Terminated, |machine| machine.state)
}

#[cfg(test)]
mod tests;
