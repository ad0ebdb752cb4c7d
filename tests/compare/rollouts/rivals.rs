//! What people do to replace the instances of a group, from descriptions of what their tools do, each through the API that
//! it uses.

use std::cell::Cell;
use std::cmp::Reverse;
use std::time::Duration;

use aws_sdk_autoscaling::types::{AutoScalingGroup, Instance, LifecycleState};
use aws_sdk_ecs::types::{ContainerInstance, ContainerInstanceStatus};
use evenkeel_tests::rollouts::NEW_IMAGE;
use evenkeel_tests::{Stage, sdk_config};

use crate::reads::Cluster;

pub(super) const GROUP: &str = "web-asg";

/// Between two looks of a script that waits, and how many looks it takes: twenty minutes, as in4it/ecs-upgrade has it.
const POLL: Duration = Duration::from_secs(15);
const POLLS: u32 = 80;

/// `InstanceWarmup` of the instance refresh: without one the first old instances would leave before any new one has
/// joined the cluster.
const WARM_UP: Duration = Duration::from_mins(1);

/// Somebody without Evenkeel, in front of a group of this size.
pub(crate) struct Rival {
    pub(super) cluster: Cluster,
    pub(super) groups: aws_sdk_autoscaling::Client,
    pub(super) size: u32,
    /// Calls of operations that the simulated account does not have.
    pub(super) beside: Cell<u64>,
}

impl Rival {
    pub(crate) fn new(stage: &Stage, size: u32) -> Self {
        let groups = aws_sdk_autoscaling::Client::new(&sdk_config(&stage.simulator));
        Self { cluster: Cluster::new(stage), groups, size, beside: Cell::new(0) }
    }

    /// Calls that the simulated account did not count.
    pub(crate) fn calls_beside(&self) -> u64 {
        self.beside.get()
    }

    /// The article, and with other waits `in4it/ecs-upgrade` (notes on rollouts, A1.1). Sets all instances to DRAINING, doubles the group, waits until nothing runs on the old ones, and goes back to the
    /// old size, where the oldest instances are to leave. Like the tools that do it, it goes on when it has waited long
    /// enough.
    pub(crate) async fn article(&self) {
        let old = self.cluster.list_instances(None).await;
        self.cluster.set_state(&old, ContainerInstanceStatus::Draining).await;
        self.set_desired(2 * self.size).await;
        until(async || self.running_tasks(&old).await == 0).await;
        self.oldest_leave_first().await;
        self.set_desired(self.size).await;
    }

    /// Notes on rollouts, A1.6 without its marks and protections: doubles the group and, once that many instances are in service, goes back to the old size. Which of them leave is
    /// left to the default termination policy, for which instances of an old version of the launch template come first.
    pub(crate) async fn double_then_shrink(&self) {
        self.set_desired(2 * self.size).await;
        self.serve(2 * self.size).await;
        self.set_desired(self.size).await;
    }

    /// Notes on rollouts, A2.5 and A3.1: what an instance refresh that launches before it terminates comes to: a tenth of the instances at a time, at least
    /// one. Managed draining empties them.
    pub(crate) async fn refresh(&self) {
        let batch = (self.size / 10).max(1);
        loop {
            let left = self.old_by_zone().await.len() as u32;
            if left == 0 || !self.replace(left.min(batch)).await {
                return;
            }
        }
    }

    /// Replaces this many instances; false if one does not come, or does not go.
    async fn replace(&self, count: u32) -> bool {
        self.set_desired(self.size + count).await;
        if !self.serve(self.size + count).await {
            return false;
        }
        tokio::time::sleep(WARM_UP).await;
        let mut leaving = self.old_by_zone().await;
        leaving.truncate(count as usize);
        for id in &leaving {
            let terminate = self.groups.terminate_instance_in_auto_scaling_group().instance_id(id);
            let terminate = terminate.should_decrement_desired_capacity(true);
            terminate.send().await.expect("an instance in service can be terminated");
        }
        let is_leaving = |it: &Instance| it.instance_id().is_some_and(|id| leaving.iter().any(|it| it == id));
        until(async || !self.members().await.iter().any(is_leaving)).await
    }

    /// Ids of the old instances in service, those in the fullest zone first: zones come before every termination policy.
    async fn old_by_zone(&self) -> Vec<String> {
        let members = self.members().await;
        let in_zone = |zone: Option<&str>| {
            members.iter().filter(|it| serves(it) && it.availability_zone() == zone).count()
        };
        let is_old = |it: &&Instance| serves(it) && it.image_id() != Some(NEW_IMAGE);
        let mut old: Vec<&Instance> = members.iter().filter(is_old).collect();
        old.sort_by_key(|it| Reverse(in_zone(it.availability_zone())));
        old.iter().filter_map(|it| it.instance_id().map(str::to_owned)).collect()
    }

    /// Waits until at least this many instances are in service, and says whether they are.
    pub(super) async fn serve(&self, count: u32) -> bool {
        let serving = async || self.members().await.iter().filter(|it| serves(it)).count();
        until(async || serving().await >= count as usize).await
    }

    pub(super) async fn members(&self) -> Vec<Instance> {
        let describe = self.groups.describe_auto_scaling_groups().auto_scaling_group_names(GROUP);
        let described = describe.send().await.expect("the group can be described");
        described.auto_scaling_groups().iter().flat_map(AutoScalingGroup::instances).cloned().collect()
    }

    async fn set_desired(&self, desired: u32) {
        let set = self.groups.set_desired_capacity().auto_scaling_group_name(GROUP);
        let set = set.desired_capacity(desired as i32);
        set.send().await.expect("a size within the group's bounds can be set");
    }

    async fn oldest_leave_first(&self) {
        let update = self.groups.update_auto_scaling_group().auto_scaling_group_name(GROUP);
        let update = update.termination_policies("OldestInstance");
        update.send().await.expect("the termination policy can be set");
    }

    /// The sum of `runningTasksCount`, which leaves out the tasks that are still stopping.
    async fn running_tasks(&self, instances: &[String]) -> i32 {
        let described = self.cluster.describe_instances(instances).await;
        described.iter().map(ContainerInstance::running_tasks_count).sum()
    }
}

pub(super) fn serves(instance: &Instance) -> bool {
    instance.lifecycle_state() == Some(&LifecycleState::InService)
}

/// Looks again and again until it is so, and says whether it ever was.
pub(super) async fn until(mut is_so: impl AsyncFnMut() -> bool) -> bool {
    for _ in 0..POLLS {
        if is_so().await {
            return true;
        }
        tokio::time::sleep(POLL).await;
    }
    false
}
