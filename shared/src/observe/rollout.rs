//! Reading a group that is rolled out: as much as its phase asks for.
//!
//! The group comes first, since its tag says where the rollout stands; then, beside each other, the cluster's container
//! instances and tags; then what the phase needs. What fails in that is unknown, not absent; without the group or the
//! container instances nothing can be said, and the turn fails.

mod images;

use std::collections::{BTreeMap, BTreeSet};

use futures::future::{join, join_all, try_join};

use images::{images, images_on_record, of_version};

use super::{TaskDefinitions, known};
use crate::aws::Aws;
use crate::error::Error;
use crate::ids::{ClusterName, ContainerInstanceArn, GroupName, InstanceId, ServiceName, TaskArn};
use crate::plan::record::PAUSE_TAG;
use crate::plan::rollout::phase::Phase;
use crate::plan::rollout::preflight::PreflightSnapshot;
use crate::plan::rollout::record::{CLUSTER_TAG, ROLLOUT_ATTRIBUTE, RolloutRecord, Selection, UNSTEADY_TAG};
use crate::plan::rollout::seen::{Outside, RolloutSnapshot};
use crate::snapshot::{
    AutoScalingGroup, AutoScalingInstance, CapacityProvider, ClusterSnapshot, ContainerInstance,
    ContainerInstanceStatus, Known, LifecycleState, MachineState, Protection, ScalingActivity,
    SchedulingStrategy, Task,
};
use crate::timestamp::Timestamp;

/// So many instances are asked for their tasks one by one; more of them through the lists of the whole cluster.
const ONE_BY_ONE: usize = 20;

/// A group by its name; `None` if there is none.
pub async fn group(aws: &Aws, name: &GroupName) -> Result<Option<AutoScalingGroup>, Error> {
    let found = aws.auto_scaling_groups(std::slice::from_ref(name)).await?;
    Ok(found.into_iter().find(|group| group.name == *name))
}

/// The cluster that a rollout's second tag names.
pub fn cluster_of(group: &AutoScalingGroup) -> Option<ClusterName> {
    group.tags.get(CLUSTER_TAG).map(|name| ClusterName::new(name.as_str()))
}

/// The group and its instances, and nothing that only some phases need.
async fn base(aws: &Aws, group: AutoScalingGroup, cluster: &ClusterName) -> Result<RolloutSnapshot, Error> {
    let before = aws.now();
    let (instances, tags) = join(Box::pin(aws.container_instances(cluster)), aws.cluster_tags(cluster)).await;
    let instances = instances?;
    if let Some(unread) = instances.unreadable.first() {
        return Err(Error::Aws {
            operation: "DescribeContainerInstances",
            resource: unread.arn.clone(),
            source: unread.reason.clone().into(),
        });
    }
    let is_paused = group.tags.contains_key(PAUSE_TAG);
    Ok(RolloutSnapshot {
        observed_at: before,
        group,
        cluster: cluster.clone(),
        registered: by_instance(instances.items),
        tasks: BTreeMap::new(),
        machines: BTreeMap::new(),
        images: Known::NotAsked,
        services: Known::NotAsked,
        daemons_missing: Known::NotAsked,
        last_failure: None,
        paused: known(tags.map(|tags| is_paused || tags.contains_key(PAUSE_TAG))),
    })
}

fn by_instance(all: Vec<ContainerInstance>) -> BTreeMap<InstanceId, Vec<ContainerInstance>> {
    let mut registered: BTreeMap<InstanceId, Vec<ContainerInstance>> = BTreeMap::new();
    for instance in all.into_iter().filter(|it| it.status != ContainerInstanceStatus::Inactive) {
        if let Some(id) = instance.instance_id.clone() {
            registered.entry(id).or_default().push(instance);
        }
    }
    registered
}

/// Everything that a start is judged by.
pub async fn before_start(
    aws: &Aws,
    group: AutoScalingGroup,
    cluster: &ClusterName,
    selection: Selection,
) -> Result<PreflightSnapshot, Error> {
    let name = group.name.clone();
    let template = group.launch_source.launch_template().cloned();
    let target = async {
        match template {
            Some(template) => known(aws.launch_template_version(&template).await.map(Some)),
            None => Known::Known(None),
        }
    };
    let of_group = join(aws.lifecycle_hooks(&name), aws.instance_refreshes(&name));
    let (seen, services) = try_join(Box::pin(base(aws, group, cluster)), async {
        Ok(Box::pin(whole_cluster(aws, cluster)).await)
    })
    .await?;
    let (target, (hooks, refreshes)) = join(target, of_group).await;
    let scheduled = known(aws.scheduled_actions(&name).await);
    let images = match target.known() {
        Some(Some(version)) => {
            let all = of_version(&seen.group, version.version).filter(|_| selection == Selection::Drifted);
            let ids: Vec<InstanceId> = all.map(|it| it.id.clone()).collect();
            images(aws, &seen.group, version, &ids).await
        }
        _ => Known::NotAsked,
    };
    let seen = RolloutSnapshot { images, services, ..seen };
    let (providers, protected) = join(providers(aws, &seen), protected(aws, &seen)).await;
    let (hooks, refreshes) = (known(hooks), known(refreshes));
    Ok(PreflightSnapshot { seen, target, hooks, refreshes, scheduled, providers, protected })
}

/// The group's instances as ECS has them.
fn of_group(seen: &RolloutSnapshot) -> impl Iterator<Item = &ContainerInstance> {
    let ids = seen.group.instances.keys();
    ids.filter_map(|id| seen.registered.get(id)).flatten()
}

/// The capacity providers through which the group's instances have registered.
async fn providers(aws: &Aws, seen: &RolloutSnapshot) -> Known<Vec<CapacityProvider>> {
    let names: BTreeSet<String> = of_group(seen).filter_map(|it| it.capacity_provider.clone()).collect();
    let names: Vec<String> = names.into_iter().collect();
    known(aws.capacity_providers(&names).await)
}

/// How many tasks on the group's instances somebody protects from scale-in.
async fn protected(aws: &Aws, seen: &RolloutSnapshot) -> Known<usize> {
    let Some(snapshot) = seen.services.known() else { return Known::NotAsked };
    let on: BTreeSet<&ContainerInstanceArn> = of_group(seen).map(|it| &it.arn).collect();
    let is_here = |it: &&Task| {
        it.is_wanted()
            && it.service.is_some()
            && it.container_instance.as_ref().is_some_and(|arn| on.contains(arn))
    };
    let tasks: Vec<TaskArn> = snapshot.tasks.values().filter(is_here).map(|it| it.arn.clone()).collect();
    let is_on = |it: &&Protection| it.enabled && it.expires_at.is_none_or(|at| at > seen.observed_at);
    known(aws.task_protection(&seen.cluster, tasks).await.map(|all| all.values().filter(is_on).count()))
}

/// One look at a rollout.
pub async fn look(
    aws: &Aws,
    group: AutoScalingGroup,
    cluster: &ClusterName,
    record: &RolloutRecord,
) -> Result<RolloutSnapshot, Error> {
    let mut seen = base(aws, group, cluster).await?;
    match record.phase {
        Phase::Restore => {}
        Phase::Mark => seen.images = images_on_record(aws, &seen, record).await,
        Phase::Surge => {
            seen.last_failure = last_failure(aws, &seen.group.name, record.since).await;
            seen.daemons_missing = daemons_missing(aws, cluster, &unsteady(&seen.group)).await;
        }
        Phase::Undo if seen.is_any_old_occupied() => {
            emptying(aws, &mut seen).await;
            seen.services = Box::pin(whole_cluster(aws, cluster)).await;
        }
        Phase::Drain | Phase::Retire | Phase::Undo | Phase::Dismiss => emptying(aws, &mut seen).await,
        Phase::Gate => {
            emptying(aws, &mut seen).await;
            seen.services = Box::pin(whole_cluster(aws, cluster)).await;
        }
    }
    Ok(seen)
}

/// AWS's words about the latest launch that failed since then.
async fn last_failure(aws: &Aws, group: &GroupName, since: Timestamp) -> Option<String> {
    let activities = aws.scaling_activities(group, 1).await.ok()?;
    let mut failed = activities.into_iter().filter(ScalingActivity::has_failed);
    failed.find(|it| it.started_at.is_some_and(|at| at >= since))?.status_message
}

/// Names of the services that were not steady at the start.
pub fn unsteady(group: &AutoScalingGroup) -> Vec<String> {
    let text = group.tags.get(UNSTEADY_TAG).map(String::as_str).unwrap_or_default();
    text.split(' ').map(str::to_owned).collect()
}

/// How many tasks daemons have yet to start: each service wants one on every instance that is ACTIVE. Those that were short
/// at the start are not waited for.
async fn daemons_missing(aws: &Aws, cluster: &ClusterName, unsteady: &[String]) -> Known<u32> {
    let services = match aws.services(cluster).await {
        Ok(services) => services,
        Err(error) => return Known::Unknown(error.chain()),
    };
    let daemons = services.items.iter().filter(|it| it.scheduling_strategy == SchedulingStrategy::Daemon);
    let daemons = daemons.filter(|it| !unsteady.iter().any(|name| name == it.name.as_str()));
    let missing = daemons.map(|it| it.tasks_desired.saturating_sub(it.tasks_running)).max();
    Known::Known(missing.unwrap_or(0))
}

/// What is on the instances that go: their tasks, once ECS counts none any more, and what EC2 says of those that ECS lost.
async fn emptying(aws: &Aws, seen: &mut RolloutSnapshot) {
    let present =
        |it: &&AutoScalingInstance| matches!(it.state, LifecycleState::Standby | LifecycleState::InService);
    let present: Vec<InstanceId> =
        seen.group.instances.values().filter(present).map(|it| it.id.clone()).collect();
    let (known, lost): (Vec<InstanceId>, Vec<InstanceId>) =
        present.into_iter().partition(|id| seen.registered.contains_key(id));
    let going: Vec<InstanceId> = known.into_iter().filter(|id| seen.is_draining(id)).collect();
    if !lost.is_empty() {
        seen.machines = outside(aws, &lost).await;
    }
    let counted = |it: &ContainerInstance| it.tasks_running + it.tasks_pending;
    let draining: Vec<ContainerInstance> = going
        .iter()
        .filter_map(|id| seen.container_instance(id))
        .filter(|it| it.status == ContainerInstanceStatus::Draining && counted(it) == 0)
        .cloned()
        .collect();
    seen.tasks = if draining.len() <= ONE_BY_ONE {
        one_by_one(aws, &seen.cluster, &draining).await
    } else {
        all_at_once(aws, &seen.cluster, &draining).await
    };
}

/// What EC2 says of them. One that is missing from its answer is not known to have ended: entries are late at times.
async fn outside(aws: &Aws, lost: &[InstanceId]) -> BTreeMap<InstanceId, Known<Outside>> {
    let machines = aws.machines(lost).await;
    let answer = |id: &InstanceId| match &machines {
        Ok(machines) => match machines.iter().find(|it| it.id == *id) {
            Some(machine) => Known::Known(Outside {
                is_ended: machine.state == MachineState::Terminated,
                launched_at: machine.launched_at,
            }),
            None => Known::Unknown("EC2 does not tell of it".to_owned()),
        },
        Err(error) => Known::Unknown(error.chain()),
    };
    lost.iter().map(|id| (id.clone(), answer(id))).collect()
}

async fn one_by_one(
    aws: &Aws,
    cluster: &ClusterName,
    instances: &[ContainerInstance],
) -> BTreeMap<InstanceId, Known<Vec<Task>>> {
    let reads = instances.iter().map(|it| async move {
        let tasks = match Box::pin(aws.tasks_on(cluster, &it.arn)).await {
            Ok(tasks) if tasks.unreadable.is_empty() => Known::Known(tasks.items),
            Ok(tasks) => Known::Unknown(format!("{} of them could not be described", tasks.unreadable.len())),
            Err(error) => Known::Unknown(error.chain()),
        };
        it.instance_id.clone().map(|id| (id, tasks))
    });
    join_all(reads).await.into_iter().flatten().collect()
}

/// The same by two lists of the whole cluster, which for many instances take fewer calls.
async fn all_at_once(
    aws: &Aws,
    cluster: &ClusterName,
    instances: &[ContainerInstance],
) -> BTreeMap<InstanceId, Known<Vec<Task>>> {
    let read = Box::pin(aws.all_tasks(cluster)).await;
    let tasks_of = |instance: &ContainerInstance| match &read {
        Ok(all) if all.unreadable.is_empty() => {
            let on = all.items.iter().filter(|it| it.container_instance.as_ref() == Some(&instance.arn));
            Known::Known(on.cloned().collect())
        }
        Ok(all) => Known::Unknown(format!("{} tasks could not be described", all.unreadable.len())),
        Err(error) => Known::Unknown(error.chain()),
    };
    instances.iter().filter_map(|it| Some((it.instance_id.clone()?, tasks_of(it)))).collect()
}

/// The cluster with what the health of every task depends on.
async fn whole_cluster(aws: &Aws, cluster: &ClusterName) -> Known<ClusterSnapshot> {
    let mut snapshot = match super::cluster(aws, cluster).await {
        Ok(snapshot) => snapshot,
        Err(error) => return Known::Unknown(error.chain()),
    };
    let all: BTreeSet<ServiceName> = snapshot.services.keys().cloned().collect();
    let mut definitions = TaskDefinitions::new();
    super::task_definitions(aws, &mut snapshot, &all, &mut definitions).await;
    super::target_health(aws, &mut snapshot, &all).await;
    Known::Known(snapshot)
}

/// Instances of a cluster that carry the mark of a rollout.
pub async fn marked(aws: &Aws, cluster: &ClusterName) -> Result<Vec<InstanceId>, Error> {
    let arns = aws.instances_with_attribute(cluster, ROLLOUT_ATTRIBUTE).await?;
    if arns.is_empty() {
        return Ok(Vec::new());
    }
    let described = aws.describe_instances(cluster, &arns).await?;
    Ok(described.items.into_iter().filter_map(|it| it.instance_id).collect())
}
