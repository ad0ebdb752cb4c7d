//! Promise: everything is put back. What a run has left behind, compared with the moment it began.
//!
//! Compared are desired counts, task protections, tags with the prefix `evenkeel:`, and attributes with the
//! prefix `evenkeel` (a colon is not allowed in the name of an attribute). Excepted is the one documented memory, the
//! service tag `evenkeel:rest` until a day after the moment it names. Auto Scaling groups are compared in `groups`.

mod groups;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::account::{Account, Cluster, ContainerInstanceStatus, SchedulingStrategy, Tags};
use crate::scheduler::events::last_segment;
use crate::scheduler::protection::is_protected;
use crate::time::SimTime;
use crate::timeline::short;

/// What there was to begin with.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    desired_counts: BTreeMap<String, u32>,
    traces: BTreeSet<String>,
    groups: groups::Groups,
}

impl Baseline {
    /// Takes down the present.
    pub fn of(account: &Account) -> Self {
        let groups = groups::Groups::of(account);
        Self { desired_counts: desired_counts(account), traces: traces(account), groups }
    }

    /// Somebody else has given an Auto Scaling group this minimum, desired and maximum size.
    pub fn others_resized(&mut self, group: &str, sizes: (u32, u32, u32)) {
        self.groups.resized(group, sizes);
    }
}

/// Every difference to the baseline, one sentence each; empty if everything was put back.
pub fn left_over(account: &Account, baseline: &Baseline) -> Vec<String> {
    let mut differences = Vec::new();
    for (service, desired) in desired_counts(account) {
        match baseline.desired_counts.get(&service) {
            Some(before) if *before != desired => {
                differences.push(format!("desired count of {service} is {desired}, was {before}"));
            }
            _ => {}
        }
    }
    differences.extend(traces(account).difference(&baseline.traces).cloned());
    differences.extend(baseline.groups.differences(account));
    differences
}

fn desired_counts(account: &Account) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for cluster in account.clusters.values() {
        let services = cluster.services.values();
        let replica = services.filter(|service| service.scheduling_strategy == SchedulingStrategy::Replica);
        counts.extend(
            replica.map(|service| (format!("{}/{}", cluster.name, service.name), service.desired_count)),
        );
    }
    counts
}

fn traces(account: &Account) -> BTreeSet<String> {
    let mut traces: BTreeSet<String> = groups::traces(account).into_iter().collect();
    for cluster in account.clusters.values() {
        traces.extend(marked(&cluster.name, &cluster.tags));
        for service in cluster.services.values() {
            let mut tags = service.tags.clone();
            tags.retain(|key, value| !is_memory(key, value, account.now));
            traces.extend(marked(&service.name, &tags));
        }
        traces.extend(instance_traces(cluster));
        for task in cluster.tasks.values().filter(|task| task.stopped_at.is_none()) {
            traces.extend(marked(&short(task), &task.tags));
            if is_protected(task, account.now) {
                traces.insert(format!("{} is protected", short(task)));
            }
        }
    }
    traces
}

/// Marks on container instances; those of a deregistered one are gone with it, though it can still be described.
fn instance_traces(cluster: &Cluster) -> Vec<String> {
    let mut traces = Vec::new();
    let instances = cluster.container_instances.values();
    for instance in instances.filter(|instance| instance.status != ContainerInstanceStatus::Inactive) {
        let id = format!("{} ({})", instance.ec2_instance_id, last_segment(&instance.arn));
        traces.extend(marked(&id, &instance.tags));
        let attributes = instance.attributes.keys().filter(|name| name.starts_with("evenkeel"));
        traces.extend(attributes.map(|name| format!("{id} has attribute {name}")));
    }
    traces
}

fn marked(subject: &str, tags: &Tags) -> Vec<String> {
    let own = tags.iter().filter(|(key, _)| key.starts_with("evenkeel:"));
    own.map(|(key, value)| format!("{subject} has tag {key}={value}")).collect()
}

/// Whether a service's tag is the memory of moves that missed, `1:misses:until:…`, and not over for more than a day.
fn is_memory(key: &str, value: &str, now: SimTime) -> bool {
    let mut fields = value.split(':');
    let (version, misses, until) = (fields.next(), fields.next(), fields.next());
    let is_readable = version == Some("1") && misses.is_some_and(|it| it.parse::<u32>().is_ok());
    let until: Option<u32> = until.and_then(|it| it.parse().ok());
    let is_young =
        until.is_some_and(|until| SimTime(i64::from(until) * 1000) + Duration::from_hours(24) >= now);
    key == "evenkeel:rest" && is_readable && is_young
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::builder::AccountBuilder;

    #[test]
    fn every_kind_of_remainder_is_found_and_old_ones_are_excepted() {
        let mut account = AccountBuilder::new(1)
            .cluster("web")
            .instance("i-a1", "a", |i| i.attribute("evenkeel.old", "1"))
            .task_definition("web", |t| t)
            .service("web", |s| s.on(&["i-a1"]).tag("evenkeel:pause", "true"))
            .build();
        let baseline = Baseline::of(&account);
        assert_eq!(left_over(&account, &baseline), Vec::<String>::new());
        let until = account.now + Duration::from_mins(1);
        let cluster = account.clusters.get_mut("web").expect("built");
        let service = cluster.services.get_mut("web").expect("built");
        service.desired_count = 2;
        service.tags.insert("evenkeel:move".to_owned(), "1:surge:1:1".to_owned());
        cluster.tasks.values_mut().for_each(|task| task.protected_until = Some(until));
        let instance = cluster.container_instances.values_mut().next().expect("built");
        instance.attributes.insert("evenkeel.drain".to_owned(), None);
        assert_eq!(left_over(&account, &baseline).len(), 4);
        let cluster = account.clusters.get_mut("web").expect("built");
        let instance = cluster.container_instances.values_mut().next().expect("built");
        instance.status = ContainerInstanceStatus::Inactive;
        assert_eq!(left_over(&account, &baseline).len(), 3, "its mark is gone with it");
    }

    #[test]
    fn only_the_memory_of_misses_may_stay_and_for_a_day_only() {
        let mut account = AccountBuilder::new(1)
            .cluster("web")
            .instance("i-a1", "a", |i| i)
            .task_definition("web", |t| t)
            .service("web", |s| s.on(&["i-a1"]))
            .build();
        let baseline = Baseline::of(&account);
        let now = account.now.0 / 1000;
        let mut found = |key: &str, value: String| {
            let service = account.clusters.get_mut("web").and_then(|it| it.services.get_mut("web"));
            service.expect("built").tags = Tags::from([(key.to_owned(), value)]);
            left_over(&account, &baseline).len()
        };
        assert_eq!(found("evenkeel:rest", format!("1:2:{}:unhealthy:5", now + 600)), 0);
        assert_eq!(found("evenkeel:rest", format!("1:2:{}:unhealthy:5", now - 86_400)), 0);
        assert_eq!(found("evenkeel:rest", format!("1:2:{}:unhealthy:5", now - 86_401)), 1);
        assert_eq!(found("evenkeel:rest", "off".to_owned()), 1);
        assert_eq!(found("evenkeel:move", format!("1:2:{}:unhealthy:5", now + 600)), 1);
    }
}
