//! Reading what there is to be drained: where an instance is registered, which instances are being drained or held, and
//! everything that a step on one of them is decided from.
//!
//! [`locate`] and [`member`] are the first round trip of an interruption, and all that is waited for before DRAINING goes
//! out. [`instance`] is one whole look; what fails in it is unknown, not absent. [`outlook`] is read once beside it, to
//! foresee how the drain will go.

mod outlook;

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use super::known;
use crate::aws::{Aws, Described};
use crate::error::Error;
use crate::ids::{ClusterName, ContainerInstanceArn, GroupName, InstanceId, ServiceName, TaskArn};
use crate::plan::drain::record::DRAIN_ATTRIBUTE;
use crate::plan::drain::seen::InstanceSnapshot;
use crate::plan::record::PAUSE_TAG;
use crate::snapshot::{
    ContainerInstance, ContainerInstanceStatus, Group, Known, LifecycleHook, LifecycleState, Member,
    Protection, Service, Tags, Task, Unreadable,
};

pub use outlook::outlook;

/// An instance as it is registered in a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Registration {
    /// In which cluster.
    pub cluster: ClusterName,
    /// As what.
    pub arn: ContainerInstanceArn,
}

/// Where an instance is registered, looking in all clusters at once. An error counts only if it is found in none: there
/// it may be.
pub async fn locate(
    aws: &Aws,
    clusters: &[ClusterName],
    instance: &InstanceId,
) -> Result<Vec<Registration>, Error> {
    let ids = std::slice::from_ref(instance);
    let looks =
        clusters.iter().map(|cluster| async move { (cluster, aws.registrations(cluster, ids).await) });
    let (mut found, mut failed) = (Vec::new(), None);
    for (cluster, arns) in join_all(looks).await {
        match arns {
            Ok(arns) => {
                found.extend(arns.into_iter().map(|arn| Registration { cluster: cluster.clone(), arn }));
            }
            // One that may go away is the one to be told: where it was asked for, the instance may be.
            Err(error) if failed.as_ref().is_none_or(|failed: &Error| !failed.is_retryable()) => {
                failed = Some(error);
            }
            Err(_) => {}
        }
    }
    match failed {
        Some(error) if found.is_empty() => Err(error),
        _ => Ok(found),
    }
}

/// Where one instance stands in its group, if it is in one.
pub async fn member(aws: &Aws, instance: &InstanceId) -> Known<Option<Member>> {
    known(aws.members(std::slice::from_ref(instance)).await.map(|members| members.into_iter().next()))
}

/// Instances that are in somebody's hands already: those that carry a record of ours, those that are DRAINING, and those
/// that a group's terminate hook holds. One answer a cluster, so that one which cannot be read keeps nobody else waiting; and
/// the instances that are held.
pub async fn under_way(aws: &Aws, clusters: &[ClusterName]) -> Result<(Vec<Member>, Vec<InCluster>), Error> {
    let held = held(aws).await?;
    let ids: Vec<InstanceId> = held.iter().map(|member| member.instance.clone()).collect();
    let looks = clusters.iter().map(|cluster| in_cluster(aws, cluster, &ids));
    Ok((held, join_all(looks).await))
}

/// What was found in one cluster.
pub type InCluster = Result<Vec<(ClusterName, ContainerInstance)>, Error>;

async fn held(aws: &Aws) -> Result<Vec<Member>, Error> {
    let groups = aws.groups(&[]).await?;
    let members = groups.into_iter().flat_map(|group| group.members.into_values());
    Ok(members.filter(|member| member.state == LifecycleState::TerminatingWait).collect())
}

async fn in_cluster(aws: &Aws, cluster: &ClusterName, held: &[InstanceId]) -> InCluster {
    let mut arns = BTreeSet::new();
    arns.extend(aws.draining(cluster).await?);
    arns.extend(aws.instances_with_attribute(cluster, DRAIN_ATTRIBUTE).await?);
    for some in held.chunks(HELD_BATCH) {
        arns.extend(aws.registrations(cluster, some).await?);
    }
    let arns: Vec<ContainerInstanceArn> = arns.into_iter().collect();
    let described = aws.describe_instances(cluster, &arns).await?;
    readable(&described)?;
    let items = described.items.into_iter().filter(is_registered);
    Ok(items.map(|instance| (cluster.clone(), instance)).collect())
}

/// An instance that was listed and is not described is not gone: it could not be seen.
fn readable(described: &Described<ContainerInstance>) -> Result<(), Error> {
    let unread = |it: &Unreadable| Error::Aws {
        operation: "DescribeContainerInstances",
        resource: it.arn.clone(),
        source: it.reason.clone().into(),
    };
    described.unreadable.first().map_or(Ok(()), |it| Err(unread(it)))
}

/// One container instance, if it is still registered.
pub async fn registered(aws: &Aws, registration: &Registration) -> Result<Option<ContainerInstance>, Error> {
    let arns = std::slice::from_ref(&registration.arn);
    let described = aws.describe_instances(&registration.cluster, arns).await?;
    readable(&described)?;
    Ok(described.items.into_iter().next().filter(is_registered))
}

fn is_registered(instance: &ContainerInstance) -> bool {
    instance.status != ContainerInstanceStatus::Inactive
}

/// Ids in one filter, so that the expression stays short: 50 of them are about a thousand characters.
const HELD_BATCH: usize = 50;

/// How a group and its hooks stand.
pub type GroupAndHooks = (Known<Group>, Known<Vec<LifecycleHook>>);

/// One whole look at an instance; `None` if it is registered no longer. What is known of its group is not asked again.
pub async fn instance(
    aws: &Aws,
    registration: &Registration,
    instance_id: &InstanceId,
    known_group: Option<GroupAndHooks>,
) -> Result<Option<InstanceSnapshot>, Error> {
    let before = aws.now();
    let reads = futures::future::join3(
        registered(aws, registration),
        Box::pin(aws.tasks_on(&registration.cluster, &registration.arn)),
        member(aws, instance_id),
    );
    let (instance, tasks, member) = reads.await;
    let Some(instance) = instance? else { return Ok(None) };
    let (group, hooks) = match known_group.filter(|_| matches!(&member, Known::Known(Some(_)))) {
        Some(known) => known,
        None => group_of(aws, &member).await,
    };
    let mut seen = InstanceSnapshot {
        cluster: registration.cluster.clone(),
        instance_id: instance_id.clone(),
        observed_at: before.min(aws.now()),
        instance,
        tasks: match tasks {
            Ok(tasks) if tasks.unreadable.is_empty() => Known::Known(tasks.items),
            Ok(tasks) => Known::Unknown(format!("{} of them could not be described", tasks.unreadable.len())),
            Err(error) => Known::Unknown(error.chain()),
        },
        paused: Known::NotAsked,
        member,
        group,
        hooks,
        protections: BTreeMap::new(),
        services: BTreeMap::new(),
    };
    surroundings(aws, &mut seen).await;
    Ok(Some(seen))
}

/// The group of an instance and its hooks.
pub async fn group_of(aws: &Aws, member: &Known<Option<Member>>) -> GroupAndHooks {
    let Some(member) = member.known().and_then(Option::as_ref) else {
        return (Known::NotAsked, Known::NotAsked);
    };
    let name = &member.group;
    let (groups, hooks) =
        futures::future::join(aws.groups(std::slice::from_ref(name)), aws.lifecycle_hooks(name)).await;
    (only(groups, name), known(hooks))
}

fn only(groups: Result<Vec<Group>, Error>, name: &GroupName) -> Known<Group> {
    match groups {
        Ok(groups) => groups
            .into_iter()
            .find(|group| group.name == *name)
            .map_or_else(|| Known::Unknown(format!("group {name} is not listed")), Known::Known),
        Err(error) => Known::Unknown(error.chain()),
    }
}

/// What decides beside the instance: whether it is paused, and what protects its tasks.
async fn surroundings(aws: &Aws, seen: &mut InstanceSnapshot) {
    seen.paused = is_paused(aws.cluster_tags(&seen.cluster).await, &seen.group);
    let Known::Known(tasks) = &seen.tasks else { return };
    let of_services: Vec<&Task> = tasks.iter().filter(|it| it.is_wanted() && it.service.is_some()).collect();
    if of_services.is_empty() {
        return;
    }
    let arns: Vec<TaskArn> = of_services.iter().map(|task| task.arn.clone()).collect();
    let names: BTreeSet<ServiceName> = of_services.iter().filter_map(|task| task.service.clone()).collect();
    let cluster = &seen.cluster;
    let (protections, services) =
        futures::future::join(aws.task_protection(cluster, arns.clone()), services(aws, cluster, &names))
            .await;
    seen.protections = by_task(arns, &protections);
    seen.services = services;
}

/// Whether the cluster's or the group's tag says so.
pub fn is_paused(cluster_tags: Result<Tags, Error>, group: &Known<Group>) -> Known<bool> {
    let of_group = match group {
        Known::Known(group) => group.tags.contains_key(PAUSE_TAG),
        Known::Unknown(why) => return Known::Unknown(why.clone()),
        Known::NotAsked => false,
    };
    known(cluster_tags.map(|tags| of_group || tags.contains_key(PAUSE_TAG)))
}

fn by_task(
    asked: Vec<TaskArn>,
    read: &Result<BTreeMap<TaskArn, Protection>, Error>,
) -> BTreeMap<TaskArn, Known<Protection>> {
    let answer = |task: &TaskArn| match read {
        Ok(read) => {
            let missing = || Known::Unknown("missing from the answer".to_owned());
            read.get(task).copied().map_or_else(missing, Known::Known)
        }
        Err(error) => Known::Unknown(error.chain()),
    };
    asked
        .into_iter()
        .map(|task| {
            let known = answer(&task);
            (task, known)
        })
        .collect()
}

async fn services(
    aws: &Aws,
    cluster: &ClusterName,
    names: &BTreeSet<ServiceName>,
) -> BTreeMap<ServiceName, Known<Service>> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let batches = names.chunks(10).map(|batch| aws.describe_services(cluster, batch.to_vec()));
    let read = join_all(batches).await.into_iter().filter_map(Result::ok).flat_map(|it| it.items);
    read.map(|service| (service.name.clone(), Known::Known(service))).collect()
}
