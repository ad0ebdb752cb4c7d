//! EC2 Auto Scaling groups: what the API shows of them, and what their engine keeps in mind.
//!
//! Plain data after `AutoScalingGroup` of the API reference (2011-01-01). `scheduler/groups.rs` moves it, machines
//! themselves are `Account::machines`.

mod activity;
mod hook;
mod instance;
mod schedule;

use std::collections::BTreeMap;

use super::{Account, Market, TemplateVersion};
use crate::time::SimTime;

pub use activity::*;
pub use hook::*;
pub use instance::*;
pub use schedule::*;

/// An Auto Scaling group.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // Each is a setting of its own in the API.
pub struct AutoScalingGroup {
    /// Name, unique in the Region.
    pub name: String,
    /// ARN, which carries a unique id of the group besides its name.
    pub arn: String,
    /// When it was created.
    pub created_at: SimTime,
    /// Lower bound of the desired capacity, in units where instances have weights.
    pub min_size: u32,
    /// Upper bound of the desired capacity.
    pub max_size: u32,
    /// What the group works towards.
    pub desired_capacity: u32,
    /// Name of the launch template; a mixed instances policy launches from it too.
    pub launch_template: String,
    /// Which version of it.
    pub version: TemplateVersion,
    /// Several types and both purchase options, if the group has such a policy.
    pub mixed_instances: Option<MixedInstancesPolicy>,
    /// Zones to launch into, in the order given.
    pub zones: Vec<String>,
    /// Whether a zone without capacity is passed over (`balanced-best-effort`) or waited for (`balanced-only`).
    pub passes_over_zones: bool,
    /// In the order they are applied.
    pub termination_policies: Vec<String>,
    /// By name.
    pub hooks: BTreeMap<String, LifecycleHook>,
    /// Suspended processes to the reason of the suspension.
    pub suspended: BTreeMap<String, String>,
    /// Whether new instances are protected from scale-in.
    pub protects_new_instances: bool,
    /// `CapacityRebalance`.
    pub capacity_rebalance: bool,
    /// Whether an abandoned terminate hook retains the instance (`InstanceLifecyclePolicy`).
    pub retains_abandoned: bool,
    /// Seconds; only `HonorCooldown` asks for it here.
    pub default_cooldown: u32,
    /// Seconds a new instance is not checked by load balancers; plays no part here.
    pub health_check_grace_period: u32,
    /// Target groups the machines themselves are registered with; shown, not acted on.
    pub target_group_arns: Vec<String>,
    /// Stopped or running machines in reserve, as configuration and size only.
    pub warm_pool: Option<WarmPool>,
    /// Seconds after which AWS replaces an instance; shown, not acted on.
    pub max_instance_lifetime: Option<u32>,
    /// By name.
    pub scheduled_actions: BTreeMap<String, ScheduledAction>,
    /// Newest first.
    pub instance_refreshes: Vec<InstanceRefresh>,
    /// By key.
    pub tags: BTreeMap<String, GroupTag>,
    /// `Delete in progress`, or nothing.
    pub status: Option<String>,
    /// By EC2 instance id: all that the group still knows, terminating ones included.
    pub instances: BTreeMap<String, GroupInstance>,
    /// Scaling activities, newest first.
    pub activities: Vec<Activity>,
    /// What the engine of the group remembers.
    pub mind: GroupMind,
}

impl AutoScalingGroup {
    /// Whether a process of the group is suspended.
    pub fn suspends(&self, process: &str) -> bool {
        self.suspended.contains_key(process)
    }

    /// Units of all instances that count towards the desired capacity: those pending and those in service.
    pub fn capacity(&self) -> u32 {
        self.instances.values().filter(|it| it.state.counts()).map(GroupInstance::units).sum()
    }

    /// The largest weight an instance of this group may have; a launch may overshoot by less than it.
    pub fn largest_weight(&self) -> u32 {
        let overrides = self.mixed_instances.iter().flat_map(|policy| &policy.overrides);
        overrides.filter_map(|it| it.weight).max().unwrap_or(1)
    }

    /// Size of the warm pool: up to the prepared capacity or the maximum, less what is desired, at least its minimum.
    pub fn warm_pool_size(&self) -> u32 {
        self.warm_pool.as_ref().map_or(0, |pool| {
            let prepared = pool.max_group_prepared_capacity.unwrap_or(self.max_size);
            prepared.saturating_sub(self.desired_capacity).max(pool.min_size)
        })
    }
}

/// API structure `MixedInstancesPolicy`.
#[derive(Clone, Debug, Default)]
pub struct MixedInstancesPolicy {
    /// Instance types instead of the template's, best first.
    pub overrides: Vec<Override>,
    /// How much is On-Demand and how much is Spot.
    pub distribution: InstancesDistribution,
}

/// One instance type of a mixed instances policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Instance type.
    pub instance_type: String,
    /// Units an instance of this type counts for; 1 if absent.
    pub weight: Option<u32>,
}

/// API structure `InstancesDistribution`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstancesDistribution {
    /// Units that are On-Demand before anything else.
    pub on_demand_base: u32,
    /// Percentage of On-Demand above the base.
    pub on_demand_percentage: u32,
    /// How Spot pools are chosen; only shown, the order of the overrides decides.
    pub spot_allocation_strategy: String,
}

impl Default for InstancesDistribution {
    fn default() -> Self {
        let spot_allocation_strategy = "price-capacity-optimized".to_owned();
        Self { on_demand_base: 0, on_demand_percentage: 100, spot_allocation_strategy }
    }
}

impl InstancesDistribution {
    /// How many of `units` are to be On-Demand; a fraction is rounded up in favour of On-Demand ("Mixed instances
    /// groups setup overview").
    pub fn on_demand_of(&self, units: u32) -> u32 {
        let base = self.on_demand_base.min(units);
        base + ((units - base) * self.on_demand_percentage).div_ceil(100)
    }
}

/// A warm pool's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarmPool {
    /// Machines prepared at most, pool and group together; the group's maximum if absent.
    pub max_group_prepared_capacity: Option<u32>,
    /// Machines in the pool at least.
    pub min_size: u32,
    /// `Stopped`, `Running` or `Hibernated`.
    pub pool_state: String,
}

/// The value of a group's tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupTag {
    /// Value.
    pub value: String,
    /// Whether machines get it at launch.
    pub propagate_at_launch: bool,
}

/// How long a zone has no capacity for one purchase option, and how many machines it still gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// Machines that can still be launched.
    pub left: u32,
    /// When it ends; far away for one that never does.
    pub until: SimTime,
}

/// Zones and purchase options that are short of machines.
pub type Shortages = BTreeMap<(String, Market), Shortage>;

impl Account {
    /// Leaves a zone without capacity for one purchase option until `until`, but for this many machines.
    pub fn run_short(&mut self, zone: &str, market: Market, left: u32, until: SimTime) {
        self.shortages.insert((zone.to_owned(), market), Shortage { left, until });
    }

    /// The same for ever.
    pub fn run_short_for_ever(&mut self, zone: &str, market: Market) {
        self.run_short(zone, market, 0, SimTime(i64::MAX));
    }

    /// Ends a shortage.
    pub fn has_capacity_again(&mut self, zone: &str, market: Market) {
        self.shortages.remove(&(zone.to_owned(), market));
    }

    /// Whether a machine can be launched there now.
    pub fn has_capacity(&self, zone: &str, market: Market) -> bool {
        let shortage = self.shortages.get(&(zone.to_owned(), market));
        shortage.is_none_or(|it| it.left > 0 || it.until <= self.now)
    }
}

/// What the engine of a group remembers between two looks.
#[derive(Clone, Debug, Default)]
pub struct GroupMind {
    /// When it compares desired and actual capacity next.
    pub look_at: SimTime,
    /// When it compares zones next.
    pub balance_at: SimTime,
    /// Looks in a row whose launches failed.
    pub failures: u32,
    /// No launch before this moment.
    pub retry_at: SimTime,
    /// End of the cool-down after the last change of size.
    pub cooled_at: SimTime,
    /// Why the desired capacity last changed, a sentence for the causes of activities.
    pub wish: String,
    /// Whether it has been said that all remaining instances are protected.
    pub said_protected: bool,
    /// Instances that leave once the substitute launched for them is in service, by their ids.
    pub substitutes: BTreeMap<String, Substitute>,
}

/// A substitute that was launched before the old instance leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Substitute {
    /// Id of the new instance.
    pub id: String,
    /// Why the old one leaves, a sentence for the cause of its activity.
    pub cause: String,
}
