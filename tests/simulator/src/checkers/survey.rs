//! One look at all tasks after a tick: how many each service has, and what changed since the look before.

use std::collections::BTreeMap;

use super::record::Record;
use crate::account::{
    Account, Cluster, ContainerInstanceStatus, SchedulingStrategy, Service, StopCause, Task,
};
use crate::scheduler::deployments::Bounds;
use crate::scheduler::health::{TargetIndex, service_of};
use crate::scheduler::protection::is_protected;
use crate::scheduler::zones;
use crate::time::SimTime;

/// What one look found.
#[derive(Clone, Debug)]
pub(super) struct Survey {
    pub(super) at: SimTime,
    /// By `cluster/service`; REPLICA services only.
    pub(super) services: BTreeMap<String, ServiceNow>,
    /// Tasks whose desired status has turned STOPPED since the look before.
    pub(super) stops: Vec<Stop>,
}

/// A REPLICA service at the moment of the look.
#[derive(Clone, Debug, Default)]
pub(super) struct ServiceNow {
    pub(super) desired: u32,
    pub(super) minimum_healthy_percent: u32,
    pub(super) ceiling: u32,
    pub(super) record: Option<Record>,
    /// Wanted tasks that count as healthy.
    pub(super) healthy: u32,
    pub(super) wanted: u32,
    /// Tasks created since the look before.
    pub(super) started: u32,
    /// Healthy tasks that stopped counting since the look before, for another reason than a stop order.
    pub(super) turned_unhealthy: u32,
    /// Tasks whose SIGTERM came too early since the look before.
    pub(super) undrained: u32,
    /// Whether tasks are being replaced, so that ECS itself may go up to the ceiling.
    pub(super) replacing: bool,
}

impl ServiceNow {
    /// The healthy tasks that are owed: the desired count less the increment of a recorded move.
    pub(super) fn owed(&self) -> u32 {
        self.record.map_or(self.desired, |record| self.desired.min(record.desired_before))
    }
}

/// A task that was told to stop.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    pub(super) task_arn: String,
    /// `cluster/service`; absent for a standalone task.
    pub(super) service: Option<String>,
    pub(super) daemon: bool,
    pub(super) container_instance: Option<String>,
    pub(super) cause: Option<StopCause>,
    pub(super) was_healthy: bool,
    pub(super) was_protected: bool,
}

/// What a task was at one look.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    state: State,
    protected: bool,
    undrained: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    #[default]
    Unwanted,
    Wanted,
    Healthy,
}

/// Remembers every task from look to look.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    seen: BTreeMap<String, Seen>,
}

impl Watch {
    pub(super) fn new(account: &Account) -> Self {
        let mut watch = Self::default();
        watch.look(account);
        watch
    }

    pub(super) fn look(&mut self, account: &Account) -> Survey {
        let mut survey = Survey { at: account.now, services: BTreeMap::new(), stops: Vec::new() };
        let index = TargetIndex::new(account);
        for cluster in account.clusters.values() {
            let mut services = services(cluster);
            for task in cluster.tasks.values() {
                self.look_at(account, cluster, &index, task, (&mut services, &mut survey.stops));
            }
            let named = services.into_iter().map(|(name, now)| (format!("{}/{name}", cluster.name), now));
            survey.services.extend(named);
        }
        if self.seen.len() > account.clusters.values().map(|cluster| cluster.tasks.len()).sum() {
            self.seen
                .retain(|arn, _| account.clusters.values().any(|cluster| cluster.tasks.contains_key(arn)));
        }
        survey
    }

    fn look_at(
        &mut self,
        account: &Account,
        cluster: &Cluster,
        index: &TargetIndex<'_>,
        task: &Task,
        (services, stops): (&mut BTreeMap<&str, ServiceNow>, &mut Vec<Stop>),
    ) {
        let service = service_of(cluster, task);
        let now = seen(account, index, service, task);
        let before = match self.seen.get_mut(&task.arn) {
            Some(seen) => Some(std::mem::replace(seen, now)),
            None => self.seen.insert(task.arn.clone(), now),
        };
        if before.is_none_or(|before| before.state > State::Unwanted) && now.state == State::Unwanted {
            stops.push(stop(cluster, task, before.unwrap_or_default()));
        }
        if let Some(count) = task.service().and_then(|name| services.get_mut(name)) {
            count.add(before, now);
            let wanted = now.state > State::Unwanted;
            count.replacing |=
                wanted && service.is_some_and(|service| is_leaving(account, cluster, index, service, task));
        }
    }
}

impl ServiceNow {
    fn add(&mut self, before: Option<Seen>, now: Seen) {
        self.wanted += u32::from(now.state > State::Unwanted);
        self.healthy += u32::from(now.state == State::Healthy);
        self.started += u32::from(before.is_none());
        let before = before.unwrap_or_default();
        self.turned_unhealthy += u32::from(before.state == State::Healthy && now.state == State::Wanted);
        self.undrained += u32::from(now.undrained && !before.undrained);
    }
}

fn seen(account: &Account, index: &TargetIndex<'_>, service: Option<&Service>, task: &Task) -> Seen {
    let state = match (task.is_wanted(), index.is_healthy(account, service, task)) {
        (false, _) => State::Unwanted,
        (true, false) => State::Wanted,
        (true, true) => State::Healthy,
    };
    Seen { state, protected: is_protected(task, account.now), undrained: task.undrained_kill }
}

fn services(cluster: &Cluster) -> BTreeMap<&str, ServiceNow> {
    let replica = |service: &&Service| service.scheduling_strategy == SchedulingStrategy::Replica;
    let services = cluster.services.values().filter(replica);
    services.map(|service| (service.name.as_str(), service_now(service))).collect()
}

fn service_now(service: &Service) -> ServiceNow {
    ServiceNow {
        desired: service.desired_count,
        minimum_healthy_percent: service.minimum_healthy_percent,
        ceiling: Bounds::of(service).ceiling,
        record: Record::of(service),
        replacing: service.deployments.len() > 1 || zones::is_enabled(service),
        ..ServiceNow::default()
    }
}

/// Whether ECS is replacing this task, because it fails its checks or its instance is DRAINING.
fn is_leaving(
    account: &Account,
    cluster: &Cluster,
    index: &TargetIndex<'_>,
    service: &Service,
    task: &Task,
) -> bool {
    let instance = task.container_instance.as_ref().and_then(|arn| cluster.container_instances.get(arn));
    instance.is_some_and(|instance| instance.status == ContainerInstanceStatus::Draining)
        || index.is_failing(account.now, service, task)
}

fn stop(cluster: &Cluster, task: &Task, before: Seen) -> Stop {
    let service = service_of(cluster, task);
    Stop {
        task_arn: task.arn.clone(),
        service: service.map(|service| format!("{}/{}", cluster.name, service.name)),
        daemon: service.is_some_and(|service| service.scheduling_strategy == SchedulingStrategy::Daemon),
        container_instance: task.container_instance.clone(),
        cause: task.stop_cause,
        was_healthy: before.state == State::Healthy,
        was_protected: before.protected,
    }
}
