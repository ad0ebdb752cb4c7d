//! Reading a cluster into a snapshot.
//!
//! [`cluster`] takes the least number of calls there is: for S services, T tasks and M container instances
//! ceil(S/100) + ceil(S/10) + 2 ceil(T/100) + 2 ceil(M/100). [`details`] adds what only a service that may be moved
//! needs. [`service`] looks at one service again, right before a change, [`service_and_cluster`] at what surrounds it too.
//!
//! A failed base read fails the turn, since nothing could be said. A failed detail is recorded in the snapshot as
//! unknown and defers what depends on it.

pub mod drain;
pub mod rollout;

use std::collections::{BTreeMap, BTreeSet};

use futures::future::{join_all, try_join3};

use crate::aws::Aws;
use crate::aws::TaskFilter;
use crate::error::{Error, Fault};
use crate::ids::{ClusterName, ServiceName, TargetGroupArn, TaskArn, TaskDefinitionArn};
use crate::settings::{Clusters, Settings};
use crate::snapshot::{ClusterSnapshot, Known, Protection, Target, TaskDefinition};

/// Task definitions read so far; a revision never changes, so one read serves a whole invocation.
pub type TaskDefinitions = BTreeMap<TaskDefinitionArn, TaskDefinition>;

/// The configured clusters; `*` asks ECS for all of the Region.
pub async fn clusters(aws: &Aws, settings: &Settings) -> Result<Vec<ClusterName>, Error> {
    let fault = |what| Error::Settings(vec![Fault { at: "EVENKEEL_CLUSTERS".to_owned(), what }]);
    let named = |texts: &[String]| -> Result<Vec<ClusterName>, Error> {
        texts.iter().map(|text| ClusterName::parse(text, aws.region()).map_err(fault)).collect()
    };
    match &settings.clusters {
        Clusters::Named(texts) => named(texts),
        Clusters::All => named(&aws.list_clusters().await?),
    }
}

/// The whole cluster, at the read floor.
pub async fn cluster(aws: &Aws, cluster: &ClusterName) -> Result<ClusterSnapshot, Error> {
    let before = aws.now();
    let tasks = Box::pin(aws.tasks(cluster, TaskFilter::Wanted));
    let reads = try_join3(Box::pin(aws.services(cluster)), tasks, Box::pin(aws.container_instances(cluster)));
    let (services, tasks, instances) = reads.await?;
    let mut unknown = [services.unreadable, tasks.unreadable, instances.unreadable].concat();
    unknown.sort();
    Ok(ClusterSnapshot {
        cluster: cluster.clone(),
        observed_at: before.min(aws.now()),
        tags: Known::NotAsked,
        services: services.items.into_iter().map(|it| (it.name.clone(), it)).collect(),
        tasks: tasks.items.into_iter().map(|it| (it.arn.clone(), it)).collect(),
        container_instances: instances.items.into_iter().map(|it| (it.arn.clone(), it)).collect(),
        task_definitions: BTreeMap::new(),
        protections: BTreeMap::new(),
        target_health: BTreeMap::new(),
        unknown,
    })
}

/// What a service that may be moved, or is being moved, needs besides: cluster tags, task definitions, protections,
/// target health, and for moves in flight the tasks that are on their way out.
pub async fn details(
    aws: &Aws,
    snapshot: &mut ClusterSnapshot,
    services: &BTreeSet<ServiceName>,
    in_flight: &BTreeSet<ServiceName>,
    definitions: &mut TaskDefinitions,
) {
    if services.is_empty() && in_flight.is_empty() {
        return;
    }
    cluster_tags(aws, snapshot).await;
    let all: BTreeSet<ServiceName> = services.union(in_flight).cloned().collect();
    for name in in_flight {
        stopped_tasks(aws, snapshot, name).await;
    }
    task_definitions(aws, snapshot, &all, definitions).await;
    protections(aws, snapshot, &all).await;
    target_health(aws, snapshot, &all).await;
}

/// The cluster's tags, unless they were read already.
pub async fn cluster_tags(aws: &Aws, snapshot: &mut ClusterSnapshot) {
    if snapshot.tags == Known::NotAsked {
        snapshot.tags = known(aws.cluster_tags(&snapshot.cluster).await);
    }
}

/// One service anew, for the check right before a change: its tasks, their protection and health, and the service
/// itself last, so that nothing of it is older than the answer that the change relies on.
pub async fn service(
    aws: &Aws,
    before: &ClusterSnapshot,
    name: &ServiceName,
) -> Result<ClusterSnapshot, Error> {
    let looked_at = aws.now();
    let mut fresh = before.clone();
    let cluster = &before.cluster;
    fresh.tasks.retain(|_, task| task.service.as_ref() != Some(name));
    for filter in [TaskFilter::WantedOf(name), TaskFilter::StoppedOf(name)] {
        let tasks = aws.tasks(cluster, filter).await?;
        fresh.unknown.extend(tasks.unreadable);
        fresh.tasks.extend(tasks.items.into_iter().map(|it| (it.arn.clone(), it)));
    }
    let only = BTreeSet::from([name.clone()]);
    protections(aws, &mut fresh, &only).await;
    target_health(aws, &mut fresh, &only).await;
    let services = aws.describe_services(cluster, vec![name.as_str().to_owned()]).await?;
    fresh.services.remove(name);
    fresh.services.extend(services.items.into_iter().map(|it| (it.name.clone(), it)));
    fresh.unknown.extend(services.unreadable);
    fresh.observed_at = looked_at.min(aws.now()).max(before.observed_at);
    Ok(fresh)
}

/// The same with the cluster's tags and container instances, for a change that cannot be taken back.
pub async fn service_and_cluster(
    aws: &Aws,
    before: &ClusterSnapshot,
    name: &ServiceName,
) -> Result<ClusterSnapshot, Error> {
    let instances = aws.container_instances(&before.cluster).await?;
    let mut fresh = before.clone();
    fresh.tags = known(aws.cluster_tags(&before.cluster).await);
    fresh.container_instances = instances.items.into_iter().map(|it| (it.arn.clone(), it)).collect();
    fresh.unknown.extend(instances.unreadable);
    service(aws, &fresh, name).await
}

/// The answer, or why there is none.
fn known<T>(answer: Result<T, Error>) -> Known<T> {
    match answer {
        Ok(value) => Known::Known(value),
        Err(error) => Known::Unknown(error.chain()),
    }
}

/// Tasks that leave, so that a move in flight sees them stop; one that cannot be read is simply not seen stopped yet.
async fn stopped_tasks(aws: &Aws, snapshot: &mut ClusterSnapshot, name: &ServiceName) {
    match aws.tasks(&snapshot.cluster, TaskFilter::StoppedOf(name)).await {
        Ok(stopped) => {
            for task in stopped.items {
                snapshot.tasks.entry(task.arn.clone()).or_insert(task);
            }
        }
        Err(error) => {
            tracing::debug!(service = %name, error = error.chain(), "stopped tasks could not be listed");
        }
    }
}

async fn task_definitions(
    aws: &Aws,
    snapshot: &mut ClusterSnapshot,
    services: &BTreeSet<ServiceName>,
    read_before: &mut TaskDefinitions,
) {
    let current =
        services.iter().filter_map(|name| snapshot.services.get(name)).map(|it| it.task_definition.clone());
    let running =
        snapshot.tasks.values().filter(|task| task.service.as_ref().is_some_and(|it| services.contains(it)));
    let wanted: BTreeSet<TaskDefinitionArn> =
        current.chain(running.map(|task| task.task_definition.clone())).collect();
    let missing: Vec<_> = wanted.iter().filter(|arn| !read_before.contains_key(*arn)).cloned().collect();
    let answers = join_all(missing.iter().map(|arn| aws.task_definition(arn))).await;
    for (arn, answer) in missing.into_iter().zip(answers) {
        match answer {
            Ok(definition) => drop(read_before.insert(arn, definition)),
            Err(error) => drop(snapshot.task_definitions.insert(arn, Known::Unknown(error.chain()))),
        }
    }
    let read =
        wanted.into_iter().filter_map(|arn| read_before.get(&arn).cloned().map(|it| (arn, Known::Known(it))));
    snapshot.task_definitions.extend(read);
}

async fn protections(aws: &Aws, snapshot: &mut ClusterSnapshot, services: &BTreeSet<ServiceName>) {
    let tasks: Vec<TaskArn> =
        services.iter().flat_map(|name| snapshot.wanted_tasks(name)).map(|it| it.arn.clone()).collect();
    if tasks.is_empty() {
        return;
    }
    let answer = aws.task_protection(&snapshot.cluster, tasks.clone()).await;
    for task in tasks {
        let protection = match &answer {
            Ok(answer) => protection_in(answer, &task),
            Err(error) => Known::Unknown(error.chain()),
        };
        snapshot.protections.insert(task, protection);
    }
}

fn protection_in(answer: &BTreeMap<TaskArn, Protection>, task: &TaskArn) -> Known<Protection> {
    match answer.get(task) {
        Some(protection) => Known::Known(*protection),
        None => Known::Unknown("GetTaskProtection did not answer for it".to_owned()),
    }
}

async fn target_health(aws: &Aws, snapshot: &mut ClusterSnapshot, services: &BTreeSet<ServiceName>) {
    let balanced =
        services.iter().filter_map(|name| snapshot.services.get(name)).flat_map(|it| &it.load_balancers);
    let groups: BTreeSet<TargetGroupArn> =
        balanced.filter_map(|balancer| balancer.target_group.clone()).collect();
    let answers = join_all(groups.iter().map(|group| aws.target_health(group))).await;
    let health: Vec<(TargetGroupArn, Known<Vec<Target>>)> =
        groups.into_iter().zip(answers.into_iter().map(known)).collect();
    snapshot.target_health.extend(health);
}
