//! Services whose counts show at one glance that no move can improve them.
//!
//! Where no instance of a zone holds two tasks of a service more than another, and no zone two more than another, the
//! split is the best there is, whatever instances the service may use: no bound could allow a more even one. Most
//! services of a large cluster are so, and what it costs to look at them decides how long a plan takes.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::ids::{ContainerInstanceArn, ZoneName};
use crate::plan::case::Case;
use crate::snapshot::ClusterSnapshot;

/// How many container instances each zone has.
#[derive(Clone, Debug)]
pub struct Zones<'a> {
    instances: BTreeMap<&'a ZoneName, usize>,
    zone_of: BTreeMap<&'a ContainerInstanceArn, &'a ZoneName>,
    /// Whether the zone of every instance is known.
    is_known: bool,
}

impl<'a> Zones<'a> {
    /// Counts them.
    pub fn of(snapshot: &'a ClusterSnapshot) -> Self {
        let mut zones = Self::none();
        for instance in snapshot.container_instances.values() {
            match &instance.zone {
                Some(zone) => {
                    *zones.instances.entry(zone).or_default() += 1;
                    zones.zone_of.insert(&instance.arn, zone);
                }
                None => zones.is_known = false,
            }
        }
        zones
    }

    /// No zone at all.
    pub fn none() -> Self {
        Self { instances: BTreeMap::new(), zone_of: BTreeMap::new(), is_known: true }
    }

    /// The raw skew of a service over all instances, in percent, as if it could use every one of them.
    pub fn skew_at_a_glance(&self, case: &Case<'_>) -> usize {
        let mut counts: BTreeMap<&ContainerInstanceArn, usize> = BTreeMap::new();
        for instance in case.tasks.iter().filter_map(|task| task.container_instance.as_ref()) {
            *counts.entry(instance).or_default() += 1;
        }
        let places: usize = self.instances.values().sum();
        let least = if counts.len() < places { 0 } else { counts.values().copied().min().unwrap_or(0) };
        let most = counts.values().copied().max().unwrap_or(0);
        (most - least.min(most)) * places * 100 / case.tasks.len().max(1)
    }

    /// Whether a service is level beyond doubt. `false` says nothing.
    pub fn is_level(&self, case: &Case<'_>) -> bool {
        let mut counts: BTreeMap<&ContainerInstanceArn, usize> = BTreeMap::new();
        for task in &case.tasks {
            match &task.container_instance {
                Some(instance) => *counts.entry(instance).or_default() += 1,
                None => return false,
            }
        }
        let mut by_zone: BTreeMap<&ZoneName, Vec<usize>> = BTreeMap::new();
        for (instance, count) in counts {
            let Some(zone) = self.zone_of.get(instance) else { return false };
            by_zone.entry(zone).or_default().push(count);
        }
        let totals: Vec<usize> = by_zone.values().map(|counts| counts.iter().sum()).collect();
        let is_level_inside = |(zone, counts): (&&ZoneName, &Vec<usize>)| {
            is_within_one(counts, self.instances.get(*zone).copied().unwrap_or(0))
        };
        let flat: Vec<usize> = by_zone.values().flatten().copied().collect();
        self.is_known
            && is_within_one(&totals, self.instances.len())
            && is_within_one(&flat, self.instances.values().sum())
            && by_zone.iter().all(is_level_inside)
    }
}

/// Whether no two of `places` counts differ by more than one; those not listed are zero.
fn is_within_one(counts: &[usize], places: usize) -> bool {
    let least = if counts.len() < places { 0 } else { counts.iter().copied().min().unwrap_or(0) };
    counts.iter().copied().max().unwrap_or(0) <= least + 1
}
