//! The cluster as a peer's script sees it: lists by pages, descriptions by batches, and DRAINING by tens.

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{ContainerInstance, ContainerInstanceStatus, Service, Task};
use evenkeel_tests::{Stage, sdk_config};

/// Most container instances that one call sets to DRAINING.
const STATES_AT_ONCE: usize = 10;

/// Most services, and most tasks or container instances, that one call describes.
const SERVICES_AT_ONCE: usize = 10;
const DESCRIBED_AT_ONCE: usize = 100;

/// The cluster `web`.
pub(crate) struct Cluster {
    pub(crate) ecs: Client,
}

impl Cluster {
    pub(crate) fn new(stage: &Stage) -> Self {
        Self { ecs: Client::new(&sdk_config(&stage.simulator)) }
    }

    /// Tasks that are meant to run.
    pub(crate) async fn tasks(&self) -> Vec<Task> {
        let pages = self.ecs.list_tasks().cluster("web").into_paginator().items().send();
        let arns: Vec<String> = pages.collect::<Result<_, _>>().await.expect("tasks can be listed");
        let mut tasks = Vec::new();
        for batch in arns.chunks(DESCRIBED_AT_ONCE) {
            let describe = self.ecs.describe_tasks().cluster("web").set_tasks(Some(batch.to_vec()));
            let described = describe.send().await.expect("tasks that were listed can be described");
            tasks.extend(described.tasks.unwrap_or_default());
        }
        tasks
    }

    pub(crate) async fn services(&self) -> Vec<Service> {
        let pages = self.ecs.list_services().cluster("web").into_paginator().items().send();
        let arns: Vec<String> = pages.collect::<Result<_, _>>().await.expect("services can be listed");
        let mut services = Vec::new();
        for batch in arns.chunks(SERVICES_AT_ONCE) {
            let describe = self.ecs.describe_services().cluster("web").set_services(Some(batch.to_vec()));
            let described = describe.send().await.expect("services that were listed can be described");
            services.extend(described.services.unwrap_or_default());
        }
        services
    }

    /// ARNs of the container instances, of all or of those that the filter admits.
    pub(crate) async fn list_instances(&self, filter: Option<String>) -> Vec<String> {
        let list = self.ecs.list_container_instances().cluster("web").set_filter(filter);
        let pages = list.into_paginator().items().send();
        pages.collect::<Result<_, _>>().await.expect("container instances can be listed")
    }

    pub(crate) async fn describe_instances(&self, arns: &[String]) -> Vec<ContainerInstance> {
        let mut instances = Vec::new();
        for batch in arns.chunks(DESCRIBED_AT_ONCE) {
            let describe = self.ecs.describe_container_instances().cluster("web");
            let describe = describe.set_container_instances(Some(batch.to_vec()));
            let described = describe.send().await.expect("instances that were listed can be described");
            instances.extend(described.container_instances.unwrap_or_default());
        }
        instances
    }

    pub(crate) async fn instances(&self) -> Vec<ContainerInstance> {
        self.describe_instances(&self.list_instances(None).await).await
    }

    pub(crate) async fn set_state(&self, instances: &[String], status: ContainerInstanceStatus) {
        for batch in instances.chunks(STATES_AT_ONCE) {
            let update = self.ecs.update_container_instances_state().cluster("web").status(status.clone());
            let update = update.set_container_instances(Some(batch.to_vec()));
            update.send().await.expect("the state of instances that were listed can be set");
        }
    }
}
