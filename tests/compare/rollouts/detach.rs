//! Detach and double: the fleet is doubled outside its group (notes on rollouts, A1.2).

use std::time::Duration;

use aws_sdk_autoscaling::types::Instance;
use aws_sdk_ecs::types::{ContainerInstance, Service};
use evenkeel_tests::Stage;
use simulator::scheduler::machines;

use super::rivals::{GROUP, Rival, serves};

/// Most instances that one call detaches; the tool itself asks for all at once, and fails beyond.
const DETACHED_AT_ONCE: usize = 20;

/// Between two looks, and how many looks a wait takes: fifteen minutes, the tool's defaults.
const POLL: Duration = Duration::from_secs(5);
const POLLS: u32 = 180;

/// Looks in a row that must find nothing pending and every service steady.
const STEADY_LOOKS: u32 = 6;

impl Rival {
    /// Detaches all old instances without decrement, so that the group launches as many; waits until the group's minimum is
    /// in service and twice as many are registered as were; then, one by one, deregisters an old instance by force, waits
    /// until nothing is pending and all services are steady, and terminates it. A wait that takes too long ends it all.
    pub(crate) async fn detach_and_double(&self, stage: &Stage) {
        let old: Vec<Instance> = self.members().await.into_iter().filter(serves).collect();
        let ids: Vec<String> = old.iter().filter_map(|it| it.instance_id().map(str::to_owned)).collect();
        let registered = self.cluster.instances().await;
        self.detach(&ids).await;
        let doubled = async || {
            let is_served = self.members().await.iter().any(serves);
            is_served && self.cluster.list_instances(None).await.len() == 2 * self.size as usize
        };
        if !seen_in_a_row(1, doubled).await {
            return;
        }
        for id in ids {
            let of_it = |it: &&ContainerInstance| it.ec2_instance_id() == Some(id.as_str());
            self.deregister(registered.iter().find(of_it)).await;
            if !seen_in_a_row(STEADY_LOOKS, async || self.is_steady().await).await {
                return;
            }
            // EC2's own API is not simulated so far; the call is counted by hand.
            stage.simulator.change(|account| machines::terminate(account, &id, "ecs-ami-deploy"));
            self.beside.set(self.beside.get() + 1);
        }
    }

    async fn detach(&self, ids: &[String]) {
        for batch in ids.chunks(DETACHED_AT_ONCE) {
            let detach = self.groups.detach_instances().auto_scaling_group_name(GROUP);
            let detach =
                detach.set_instance_ids(Some(batch.to_vec())).should_decrement_desired_capacity(false);
            detach.send().await.expect("instances in service can be detached");
        }
    }

    async fn deregister(&self, instance: Option<&ContainerInstance>) {
        let arn = instance.and_then(ContainerInstance::container_instance_arn);
        let deregister = self.cluster.ecs.deregister_container_instance().cluster("web").force(true);
        let deregister = deregister.set_container_instance(arn.map(str::to_owned));
        deregister.send().await.expect("an instance that was listed can be deregistered");
    }

    /// Nothing is pending in the cluster, and every service has what it desires and one deployment.
    async fn is_steady(&self) -> bool {
        let described = self.cluster.ecs.describe_clusters().clusters("web").send().await;
        let described = described.expect("the cluster can be described");
        let is_settled =
            |it: &Service| it.running_count() == it.desired_count() && it.deployments().len() == 1;
        described.clusters().iter().all(|it| it.pending_tasks_count() == 0)
            && self.cluster.services().await.iter().all(is_settled)
    }
}

/// Looks until it is so at as many looks in a row, and says whether it ever was.
async fn seen_in_a_row(looks: u32, is_so: impl AsyncFn() -> bool) -> bool {
    let mut seen = 0;
    for _ in 0..POLLS {
        seen = if is_so().await { seen + 1 } else { 0 };
        if seen == looks {
            return true;
        }
        tokio::time::sleep(POLL).await;
    }
    false
}
