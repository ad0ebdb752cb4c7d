//! What people do about a lopsided cluster, from descriptions of what their tools do, each through the API that it uses.
//!
//! Where a tool reads one page of a list or one batch of services, it is played as if it read all.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_ecs::types::{
    AvailabilityZoneRebalancing, ContainerInstance, ContainerInstanceStatus, DeploymentConfiguration,
    Service, Task,
};
use evenkeel_tests::Stage;

use crate::reads::Cluster;

/// Runs that Evenkeel is given to get quiet.
const RUNS_MAX: u32 = 14;

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Evenkeel,
    StopAll,
    /// With this maximumPercent.
    Redeploy(u32),
    DrainFullest,
    KillDuplicates,
    ZoneRebalancing,
}

impl Peer {
    pub(crate) const ALL: [Self; 7] = [
        Self::Evenkeel,
        Self::StopAll,
        Self::Redeploy(200),
        Self::Redeploy(125),
        Self::DrainFullest,
        Self::KillDuplicates,
        Self::ZoneRebalancing,
    ];

    pub(crate) fn name(self) -> String {
        match self {
            Self::Evenkeel => "Evenkeel".to_owned(),
            Self::StopAll => "stop everything".to_owned(),
            Self::Redeploy(percent) => format!("redeploy at {percent} %"),
            Self::DrainFullest => "drain the fullest".to_owned(),
            Self::KillDuplicates => "kill duplicates".to_owned(),
            Self::ZoneRebalancing => "AZ rebalancing alone".to_owned(),
        }
    }

    pub(crate) fn does(self) -> &'static str {
        match self {
            Self::Evenkeel => "The function `rebalance` every ten minutes, with its defaults.",
            Self::StopAll => "The article's script on a cron: StopTask on every task of the cluster.",
            Self::Redeploy(_) => {
                "forceNewDeployment of every service at this maximumPercent, which is raised where it would let none more start."
            }
            Self::DrainFullest => {
                "As maginetv/ecs-task-balancer: while tasks per instance vary by more than a quarter, the fullest two \
                 instances in turn are DRAINING until they have the mean or time is up, then ACTIVE again; three rounds. \
                 What ECS has started too many by then it stops by zone and instance alone, tasks that serve among them."
            }
            Self::KillDuplicates => {
                "As aivarasko/ecs-rebalancer: of services that fit one task to an instance, StopTask on all but the first on \
                 each instance, at once; again after 100 seconds, ten times at most."
            }
            Self::ZoneRebalancing => {
                "availabilityZoneRebalancing is enabled on every service that may have it, and nothing else is done."
            }
        }
    }

    /// Does it, until there is nothing more to be done.
    pub(crate) async fn act(self, stage: &Stage) {
        let cluster = Cluster::new(stage);
        match self {
            Self::Evenkeel => evenkeel(stage).await,
            Self::StopAll => stop_all(&cluster).await,
            Self::Redeploy(percent) => redeploy(&cluster, percent).await,
            Self::DrainFullest => drain_fullest(&cluster).await,
            Self::KillDuplicates => kill_duplicates(&cluster).await,
            Self::ZoneRebalancing => enable_zone_rebalancing(&cluster).await,
        }
    }
}

/// The schedule until nothing is left to do, twice: a task that came an hour ago at most is not moved for load, and in these
/// clusters many have only just come.
async fn evenkeel(stage: &Stage) {
    let _ = stage.scheduled_until_quiet(RUNS_MAX).await;
    tokio::time::sleep(Duration::from_mins(65)).await;
    let _ = stage.scheduled_until_quiet(RUNS_MAX).await;
}

/// Notes on rebalancers, A.1.1: daemons and standalone tasks go as well.
async fn stop_all(cluster: &Cluster) {
    stop(cluster, &cluster.tasks().await, "Unbalanced instances").await;
}

async fn stop<'a>(cluster: &Cluster, tasks: impl IntoIterator<Item = &'a Task>, why: &str) {
    for arn in tasks.into_iter().filter_map(Task::task_arn) {
        let stop = cluster.ecs.stop_task().cluster("web").task(arn).reason(why);
        stop.send().await.expect("a task that was listed can be stopped");
    }
}

/// Notes on rebalancers, A.1.2, A.1.3, A.1.5 and A.1.7; the small maximum is the advice in A.2.2.
async fn redeploy(cluster: &Cluster, percent: u32) {
    for service in replicas(cluster).await {
        let percent = at_least_one_more(percent, service.desired_count() as u32);
        let configuration = DeploymentConfiguration::builder().minimum_healthy_percent(100);
        let update = cluster.ecs.update_service().cluster("web").set_service(service.service_name);
        let update = update.deployment_configuration(configuration.maximum_percent(percent as i32).build());
        update.force_new_deployment(true).send().await.expect("a service that was listed can be deployed");
    }
}

async fn replicas(cluster: &Cluster) -> Vec<Service> {
    let mut services = cluster.services().await;
    services.retain(|it| it.scheduling_strategy() != Some(&aws_sdk_ecs::types::SchedulingStrategy::Daemon));
    services
}

/// ECS rounds maximumPercent down: at 125 % a service of three tasks could never be deployed start-first.
fn at_least_one_more(percent: u32, desired: u32) -> u32 {
    percent.max(((desired + 1) * 100).div_ceil(desired.max(1)))
}

/// Notes on rebalancers, A.1.4. What it does to instances that somebody else drains is not played: nobody does.
async fn drain_fullest(cluster: &Cluster) {
    const ROUNDS: u32 = 3;
    const AT_ONCE: usize = 2;
    for round in 0..ROUNDS {
        let mut instances = cluster.instances().await;
        let mean = instances.iter().map(tasks_on).sum::<f64>() / instances.len() as f64;
        if variation(&instances, mean) <= 0.25 {
            return;
        }
        instances.sort_by(|one, other| tasks_on(other).total_cmp(&tasks_on(one)));
        for instance in instances.into_iter().take(AT_ONCE).filter(|it| tasks_on(it) > mean) {
            let arn = [instance.container_instance_arn.expect("every instance has an ARN")];
            cluster.set_state(&arn, ContainerInstanceStatus::Draining).await;
            relieve(cluster, &arn, mean, Duration::from_secs(45) / 2_u32.pow(round)).await;
            cluster.set_state(&arn, ContainerInstanceStatus::Active).await;
        }
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
}

/// Waits until no more than the mean is on it, or its time is up.
async fn relieve(cluster: &Cluster, arn: &[String], mean: f64, time: Duration) {
    const LOOK: Duration = Duration::from_secs(30);
    let mut waited = Duration::ZERO;
    while waited < time && cluster.describe_instances(arn).await.iter().any(|it| tasks_on(it) > mean) {
        tokio::time::sleep(LOOK).await;
        waited += LOOK;
    }
}

fn tasks_on(instance: &ContainerInstance) -> f64 {
    f64::from(instance.running_tasks_count() + instance.pending_tasks_count())
}

/// The sample's coefficient of variation of the tasks on each.
fn variation(instances: &[ContainerInstance], mean: f64) -> f64 {
    let squares: f64 = instances.iter().map(|it| (tasks_on(it) - mean).powi(2)).sum();
    (squares / (instances.len() as f64 - 1.0).max(1.0)).sqrt() / mean.max(f64::MIN_POSITIVE)
}

/// Notes on rebalancers, A.1.6. The daemon looks every five seconds for ever and keeps the desired count at the number of
/// instances; here counts are left alone, and it goes at the first look that finds nothing.
async fn kill_duplicates(cluster: &Cluster) {
    const ROUNDS: u32 = 10;
    for _ in 0..ROUNDS {
        let instances = cluster.list_instances(None).await.len();
        let fits = |service: &Service| service.desired_count() as usize <= instances;
        let services: Vec<Service> = replicas(cluster).await.into_iter().filter(fits).collect();
        let groups: BTreeSet<String> =
            services.iter().filter_map(|it| Some(format!("service:{}", it.service_name()?))).collect();
        let tasks = cluster.tasks().await;
        let duplicates =
            duplicates(tasks.iter().filter(|it| it.group().is_some_and(|it| groups.contains(it))));
        if duplicates.is_empty() {
            return;
        }
        stop(cluster, duplicates, "Duplicate").await;
        tokio::time::sleep(Duration::from_secs(100)).await;
    }
}

/// All but the first of each service on each instance.
fn duplicates<'a>(tasks: impl Iterator<Item = &'a Task>) -> Vec<&'a Task> {
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    let is_more = |task: &&'a Task| {
        let place = task.group().zip(task.container_instance_arn());
        place.is_some_and(|place| !seen.insert(place))
    };
    tasks.filter(is_more).collect()
}

/// Notes on rebalancers, A.2.1; those that it is not for refuse it.
async fn enable_zone_rebalancing(cluster: &Cluster) {
    for service in replicas(cluster).await {
        let update = cluster.ecs.update_service().cluster("web").set_service(service.service_name);
        let enabled = AvailabilityZoneRebalancing::Enabled;
        let _refused_or_not = update.availability_zone_rebalancing(enabled).send().await;
    }
}
