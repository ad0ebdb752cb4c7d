//! No ping-pong: a service's task that was moved from one instance to another is not followed by one that is moved back
//! within the hour, unless the world has changed in between.
//!
//! Moves are read from their public record, the tag `evenkeel:move`: once it says `settle`, the chosen task has left and
//! the new one has taken over.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use simulator::account::{Account, Cluster, ContainerInstanceStatus};
use simulator::time::SimTime;

const WITHIN: Duration = Duration::from_hours(1);

#[derive(Clone, Debug)]
struct Moved {
    at: SimTime,
    service: String,
    from: String,
    to: String,
    world: u64,
}

/// All moves of the last hour.
#[derive(Debug, Default)]
pub(crate) struct PingPong {
    moves: Vec<Moved>,
    records: BTreeSet<String>,
    /// Rises whenever the cluster changes by others' doing.
    world: u64,
    seen: BTreeMap<String, String>,
}

impl PingPong {
    /// What was moved back, by the moves that are on record now.
    pub(crate) fn look(&mut self, account: &Account) -> Vec<String> {
        let cluster = &account.clusters["web"];
        let seen = world(cluster);
        if seen != self.seen {
            (self.seen, self.world) = (seen, self.world + 1);
        }
        self.moves.retain(|it| account.now.since(it.at) <= WITHIN);
        let mut found = Vec::new();
        for service in cluster.services.values() {
            let Some(record) = service.tags.get("evenkeel:move") else { continue };
            let Some(moved) = self.read(account.now, cluster, &service.name, record) else { continue };
            let back = |it: &&Moved| {
                it.service == moved.service
                    && it.from == moved.to
                    && it.to == moved.from
                    && it.world == moved.world
            };
            if let Some(first) = self.moves.iter().find(back) {
                let minutes = account.now.since(first.at).as_secs() / 60;
                found.push(format!(
                    "ping-pong: {} moved from {} to {}, {minutes} min after the way there",
                    moved.service, moved.from, moved.to
                ));
            }
            self.moves.push(moved);
        }
        found
    }

    /// The move of a record that has just been settled.
    fn read(&mut self, at: SimTime, cluster: &Cluster, service: &str, record: &str) -> Option<Moved> {
        let fields: Vec<&str> = record.split(':').collect();
        let [_, "settle", _, _, _, _, chosen, new, started, ..] = fields[..] else { return None };
        if !self.records.insert(format!("{service}:{chosen}:{started}")) {
            return None;
        }
        let place = |id: &str| {
            let task = cluster.tasks.values().find(|it| it.arn.ends_with(id))?;
            let arn = task.container_instance.as_ref()?;
            Some(cluster.container_instances.get(arn)?.ec2_instance_id.clone())
        };
        let (from, to) = (place(chosen)?, place(new)?);
        Some(Moved { at, service: service.to_owned(), from, to, world: self.world })
    }
}

/// What others decide: which instances take tasks, and how many tasks of which deployment are desired.
fn world(cluster: &Cluster) -> BTreeMap<String, String> {
    let instances = cluster.container_instances.values();
    let active = instances.filter(|it| it.status == ContainerInstanceStatus::Active);
    let mut world: BTreeMap<String, String> =
        active.map(|it| (it.arn.clone(), format!("{}", it.agent_connected))).collect();
    for service in cluster.services.values() {
        let record = service.tags.get("evenkeel:move").and_then(|it| it.split(':').nth(2)?.parse().ok());
        let desired: u32 = record.unwrap_or(service.desired_count);
        let primary = service.deployments.last().map(|it| it.id.clone());
        world.insert(service.name.clone(), format!("{desired} {primary:?}"));
    }
    world
}
