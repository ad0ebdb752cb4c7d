//! How unevenly the instances of a cluster are reserved.

use std::collections::BTreeMap;

use evenkeel::snapshot::{ClusterSnapshot, ContainerInstance};

/// Reserved over registered, of CPU or of memory, whichever is more.
pub(crate) fn of(instance: &ContainerInstance) -> f64 {
    let share = |left: u64, all: u64| 1.0 - left as f64 / all.max(1) as f64;
    let (left, all) = (&instance.remaining, &instance.registered);
    share(left.cpu, all.cpu).max(share(left.memory, all.memory))
}

/// (max - min) / mean of the shares, in percent; of the worst capacity provider if there are several.
pub(crate) fn skew(snapshot: &ClusterSnapshot) -> u64 {
    let mut groups: BTreeMap<Option<&String>, Vec<f64>> = BTreeMap::new();
    for instance in snapshot.container_instances.values() {
        groups.entry(instance.capacity_provider.as_ref()).or_default().push(of(instance));
    }
    groups.values().map(|shares| skew_of(shares)).max().unwrap_or_default()
}

fn skew_of(shares: &[f64]) -> u64 {
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    let most = shares.iter().copied().fold(f64::MIN, f64::max);
    let least = shares.iter().copied().fold(f64::MAX, f64::min);
    if mean > 0.0 { ((most - least) / mean * 100.0).round() as u64 } else { 0 }
}
