//! What people do about a lopsided cluster, each through the API that they would use.

use std::time::Duration;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{ContainerInstanceStatus, DeploymentConfiguration};
use evenkeel::snapshot::{ClusterSnapshot, SchedulingStrategy, Service};
use evenkeel_tests::{Stage, foreseen, sdk_config};

use crate::shares;

/// Runs that Evenkeel is given to get quiet.
const RUNS_MAX: u32 = 14;

/// How long a deployment, a drain or a restart is given before the books are closed.
const PATIENCE: Duration = Duration::from_mins(20);

/// What is done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Policy {
    /// The function, every ten minutes.
    Evenkeel,
    /// `StopTask` on every task of the cluster, as a script on a cron does it.
    StopAll,
    /// `forceNewDeployment` of every service with this maximumPercent.
    Redeploy(u32),
    /// The fullest instance is set to DRAINING until it is empty, then to ACTIVE again.
    DrainFullest,
}

impl Policy {
    /// All, in the order of the table.
    pub(crate) const ALL: [Self; 5] =
        [Self::Evenkeel, Self::StopAll, Self::Redeploy(200), Self::Redeploy(125), Self::DrainFullest];

    pub(crate) fn words(self) -> String {
        match self {
            Self::Evenkeel => "Evenkeel".to_owned(),
            Self::StopAll => "stop every task".to_owned(),
            Self::Redeploy(percent) => format!("redeploy at {percent} %"),
            Self::DrainFullest => "drain the fullest".to_owned(),
        }
    }

    /// Does it, and waits until its dust has settled.
    pub(crate) async fn act(self, stage: &Stage) {
        let client = Client::new(&sdk_config(&stage.simulator));
        let snapshot = foreseen::observed(&stage.aws()).await;
        match self {
            Self::Evenkeel => evenkeel(stage).await,
            Self::StopAll => stop_all(&client, &snapshot).await,
            Self::Redeploy(percent) => redeploy(&client, &snapshot, percent).await,
            Self::DrainFullest => drain_fullest(&client, &snapshot).await,
        }
        tokio::time::sleep(PATIENCE).await;
    }
}

async fn stop_all(client: &Client, snapshot: &ClusterSnapshot) {
    for task in snapshot.tasks.keys() {
        let stop = client.stop_task().cluster("web").task(task.as_str()).reason("Unbalanced instances");
        stop.send().await.expect("a task that was listed can be stopped");
    }
}

async fn redeploy(client: &Client, snapshot: &ClusterSnapshot, percent: u32) {
    let is_replica = |it: &&Service| it.scheduling_strategy == SchedulingStrategy::Replica;
    for service in snapshot.services.values().filter(is_replica) {
        let configuration = DeploymentConfiguration::builder()
            .minimum_healthy_percent(100)
            .maximum_percent(at_least_one_more(percent, service.tasks_desired) as i32);
        let update = client.update_service().cluster("web").service(service.name.as_str());
        let update = update.deployment_configuration(configuration.build()).force_new_deployment(true);
        update.send().await.expect("a service that was listed can be deployed");
    }
}

/// ECS rounds maximumPercent down: at 125 % a service of three tasks could never be deployed start-first.
fn at_least_one_more(percent: u32, desired: u32) -> u32 {
    percent.max(((desired + 1) * 100).div_ceil(desired.max(1)))
}

async fn drain_fullest(client: &Client, snapshot: &ClusterSnapshot) {
    let instances = snapshot.container_instances.values();
    let fullest = instances.max_by(|one, other| shares::of(one).total_cmp(&shares::of(other)));
    let Some(fullest) = fullest else { return };
    for state in [ContainerInstanceStatus::Draining, ContainerInstanceStatus::Active] {
        let update = client.update_container_instances_state().cluster("web").status(state);
        let update = update.container_instances(fullest.arn.as_str());
        update.send().await.expect("an instance that was listed can be drained");
        tokio::time::sleep(PATIENCE).await;
    }
}

/// The schedule until nothing is left to do, twice: a task that came an hour ago at most is not moved for load, and in these
/// clusters many have only just come.
async fn evenkeel(stage: &Stage) {
    let _ = stage.scheduled_until_quiet(RUNS_MAX).await;
    tokio::time::sleep(Duration::from_mins(65)).await;
    let _ = stage.scheduled_until_quiet(RUNS_MAX).await;
}
