//! What people do when EC2 gives notice, from descriptions of what their tools do, each through the API that it uses.

use std::time::Duration;

use aws_sdk_autoscaling::types::AutoScalingGroup;
use aws_sdk_ecs::types::ContainerInstanceStatus;
use evenkeel_tests::drains::bus;
use evenkeel_tests::{Stage, sdk_config};
use simulator::event_bridge::Mishaps;

use crate::reads::Cluster;

/// How long a function or a daemon that hears of the notice takes to make its first call.
const REACTION: Duration = Duration::from_secs(2);

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Evenkeel,
    Agent,
    OneMore,
    Detach,
}

impl Peer {
    pub(crate) const ALL: [Self; 4] = [Self::Evenkeel, Self::OneMore, Self::Agent, Self::Detach];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Evenkeel => "Evenkeel",
            Self::Agent => "the agent drains",
            Self::OneMore => "drain, desired + 1",
            Self::Detach => "drain, then detach",
        }
    }

    pub(crate) fn does(self) -> &'static str {
        match self {
            Self::Evenkeel => {
                "The function `drain` on EventBridge's events and on its schedule of one minute, with its defaults."
            }
            Self::Agent => {
                "ECS_ENABLE_SPOT_INSTANCE_DRAINING, and nothing else: the group notices by itself."
            }
            Self::OneMore => {
                "The article's function: sets the instance DRAINING and raises the desired capacity by one, event by event."
            }
            Self::Detach => {
                "As reproio/ecs_deploy: takes ten notices from its queue, sets their instances DRAINING in one call, then \
                 detaches them without decrement, then takes the next ten. What it asks EC2 about them is not counted."
            }
        }
    }

    /// Answers to the notices, and lets this time pass.
    pub(crate) async fn act(self, stage: &Stage, seed: u64, ids: &[String], time: Duration) {
        let end = tokio::time::Instant::now() + time;
        match self {
            Self::Evenkeel => drop(stage.live(&mut bus(seed, Mishaps::default()), time).await),
            Self::Agent => {}
            Self::OneMore => Script::new(stage).one_more(ids).await,
            Self::Detach => Script::new(stage).detach(ids).await,
        }
        tokio::time::sleep_until(end).await;
    }
}

struct Script {
    cluster: Cluster,
    groups: aws_sdk_autoscaling::Client,
}

impl Script {
    fn new(stage: &Stage) -> Self {
        let groups = aws_sdk_autoscaling::Client::new(&sdk_config(&stage.simulator));
        Self { cluster: Cluster::new(stage), groups }
    }

    /// The article, as the design notes tell it. One event after another, since two at once would read the same desired
    /// capacity and raise it once.
    async fn one_more(&self, ids: &[String]) {
        tokio::time::sleep(REACTION).await;
        for id in ids {
            self.drain(std::slice::from_ref(id)).await;
            let describe = self.groups.describe_auto_scaling_groups().auto_scaling_group_names("web-asg");
            let described = describe.send().await.expect("the group can be described");
            let groups = described.auto_scaling_groups().iter();
            let desired = groups.filter_map(AutoScalingGroup::desired_capacity).sum::<i32>();
            let set = self.groups.set_desired_capacity().auto_scaling_group_name("web-asg");
            let set = set.desired_capacity(desired + 1);
            set.send().await.expect("a size within the group's bounds can be set");
        }
    }

    /// Notes on draining, A2.2: batches one after the other, in each DRAINING before the detachment; nothing is waited for.
    async fn detach(&self, ids: &[String]) {
        const NOTICES_AT_ONCE: usize = 10;
        tokio::time::sleep(REACTION).await;
        for batch in ids.chunks(NOTICES_AT_ONCE) {
            self.drain(batch).await;
            let detach = self.groups.detach_instances().auto_scaling_group_name("web-asg");
            let detach =
                detach.set_instance_ids(Some(batch.to_vec())).should_decrement_desired_capacity(false);
            detach.send().await.expect("instances in service can be detached");
        }
    }

    async fn drain(&self, ids: &[String]) {
        let filter = format!("ec2InstanceId in [{}]", ids.join(", "));
        let arns = self.cluster.list_instances(Some(filter)).await;
        self.cluster.set_state(&arns, ContainerInstanceStatus::Draining).await;
    }
}
