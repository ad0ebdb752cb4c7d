//! Reads of ECS: every page of every list, batches at the API's limits, `failures[]` kept apart.
//!
//! Batch sizes are those of the API reference: `DescribeServices` 10, `DescribeTasks`, `DescribeContainerInstances` and
//! `GetTaskProtection` 100; pages of 100 wherever a list lets the caller choose (`ListServices` defaults to 10).

use std::collections::BTreeMap;
use std::future::Future;

use aws_sdk_ecs::types::{ClusterField, DesiredStatus, Failure, ServiceField, TaskDefinitionField};
use futures::{StreamExt, TryStreamExt, stream};

use super::failure::failed;
use super::limits::Group;
use super::{Aws, convert};
use crate::error::Error;
use crate::ids::{ClusterName, ServiceName, TaskArn, TaskDefinitionArn};
use crate::snapshot::{
    ContainerInstance, Protection, Service, Tags, Task, TaskDefinition, Unreadable, UnreadableKind,
};

/// Calls of one kind that run at the same time: enough to hide latency, few enough to leave the buckets to others.
const CONCURRENCY: usize = 4;
const PAGE: i32 = 100;

/// What a describe call returned, and what it could not.
#[derive(Clone, Debug)]
pub struct Described<T> {
    /// Read.
    pub items: Vec<T>,
    /// Listed, but answered with a failure.
    pub unreadable: Vec<Unreadable>,
}

impl<T> Default for Described<T> {
    fn default() -> Self {
        Self { items: Vec::new(), unreadable: Vec::new() }
    }
}

impl<T> Described<T> {
    fn of(kind: UnreadableKind, items: Vec<T>, failures: &[Failure]) -> Self {
        Self {
            items,
            unreadable: failures.iter().map(|failure| convert::unreadable(kind, failure)).collect(),
        }
    }

    fn join(parts: Vec<Self>) -> Self {
        parts.into_iter().fold(Self::default(), |mut all, part| {
            all.items.extend(part.items);
            all.unreadable.extend(part.unreadable);
            all
        })
    }
}

/// Which tasks to list.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TaskFilter<'a> {
    /// desiredStatus RUNNING, the whole cluster.
    Wanted,
    /// desiredStatus RUNNING, one service.
    WantedOf(&'a ServiceName),
    /// desiredStatus STOPPED, one service: on their way out, or stopped within the last hour.
    StoppedOf(&'a ServiceName),
}

impl Aws {
    /// ARNs of all clusters (`ListClusters`).
    pub async fn list_clusters(&self) -> Result<Vec<String>, Error> {
        self.pages(Group::ClusterRead, |token| async {
            let call = self.ecs.list_clusters().max_results(PAGE).set_next_token(token);
            let page = call.send().await.map_err(|error| failed("ListClusters", "the Region", error))?;
            Ok((page.cluster_arns.unwrap_or_default(), page.next_token))
        })
        .await
    }

    /// Tags of a cluster (`DescribeClusters`), or that there is no such cluster.
    pub async fn cluster_tags(&self, cluster: &ClusterName) -> Result<Tags, Error> {
        self.limits.wait(Group::ClusterRead).await;
        let call = self.ecs.describe_clusters().clusters(cluster.as_str()).include(ClusterField::Tags);
        let answer =
            call.send().await.map_err(|error| failed("DescribeClusters", cluster.as_str(), error))?;
        let found = answer.clusters().iter().find(|it| it.status() != Some("INACTIVE"));
        found.map(|it| convert::tags(it.tags())).ok_or_else(|| Error::NotFound {
            operation: "DescribeClusters",
            resource: cluster.to_string(),
            source: "no such active cluster".into(),
        })
    }

    /// The ARN of a cluster (`DescribeClusters`), which tags are written by.
    pub async fn cluster_arn(&self, cluster: &ClusterName) -> Result<String, Error> {
        self.limits.wait(Group::ClusterRead).await;
        let call = self.ecs.describe_clusters().clusters(cluster.as_str());
        let answer =
            call.send().await.map_err(|error| failed("DescribeClusters", cluster.as_str(), error))?;
        let arn = answer.clusters().first().and_then(|it| it.cluster_arn()).map(str::to_owned);
        arn.ok_or_else(|| Error::NotFound {
            operation: "DescribeClusters",
            resource: cluster.to_string(),
            source: "no such cluster".into(),
        })
    }

    /// Every service of a cluster (`ListServices`, `DescribeServices` with tags).
    pub async fn services(&self, cluster: &ClusterName) -> Result<Described<Service>, Error> {
        let arns = self
            .pages(Group::ServiceRead, |token| async {
                let call = self
                    .ecs
                    .list_services()
                    .cluster(cluster.as_str())
                    .max_results(PAGE)
                    .set_next_token(token);
                let page =
                    call.send().await.map_err(|error| failed("ListServices", cluster.as_str(), error))?;
                Ok((page.service_arns.unwrap_or_default(), page.next_token))
            })
            .await?;
        self.batches(arns, 10, |batch| self.describe_services(cluster, batch)).await
    }

    /// Up to ten services, with tags (`DescribeServices`).
    pub async fn describe_services(
        &self,
        cluster: &ClusterName,
        services: Vec<String>,
    ) -> Result<Described<Service>, Error> {
        self.limits.wait(Group::ServiceRead).await;
        let call = self.ecs.describe_services().cluster(cluster.as_str()).include(ServiceField::Tags);
        let call = call.set_services(Some(services));
        let answer =
            call.send().await.map_err(|error| failed("DescribeServices", cluster.as_str(), error))?;
        let items = answer.services().iter().filter_map(convert::service).collect();
        Ok(Described::of(UnreadableKind::Service, items, answer.failures()))
    }

    /// Tasks by filter (`ListTasks`, `DescribeTasks`).
    pub(crate) async fn tasks(
        &self,
        cluster: &ClusterName,
        filter: TaskFilter<'_>,
    ) -> Result<Described<Task>, Error> {
        let arns = self
            .pages(Group::ClusterResourceRead, |token| async {
                let call =
                    self.ecs.list_tasks().cluster(cluster.as_str()).max_results(PAGE).set_next_token(token);
                let call = match filter {
                    TaskFilter::Wanted => call,
                    TaskFilter::WantedOf(service) => call.service_name(service.as_str()),
                    TaskFilter::StoppedOf(service) => {
                        call.service_name(service.as_str()).desired_status(DesiredStatus::Stopped)
                    }
                };
                let page = call.send().await.map_err(|error| failed("ListTasks", cluster.as_str(), error))?;
                Ok((page.task_arns.unwrap_or_default(), page.next_token))
            })
            .await?;
        self.batches(arns, 100, |batch| self.describe_tasks(cluster, batch)).await
    }

    pub(super) async fn describe_tasks(
        &self,
        cluster: &ClusterName,
        tasks: Vec<String>,
    ) -> Result<Described<Task>, Error> {
        self.limits.wait(Group::ClusterResourceRead).await;
        let call = self.ecs.describe_tasks().cluster(cluster.as_str()).set_tasks(Some(tasks));
        let answer = call.send().await.map_err(|error| failed("DescribeTasks", cluster.as_str(), error))?;
        let items = answer.tasks().iter().filter_map(convert::task).collect();
        Ok(Described::of(UnreadableKind::Task, items, answer.failures()))
    }

    /// Every container instance but INACTIVE ones (`ListContainerInstances`, `DescribeContainerInstances`).
    pub async fn container_instances(
        &self,
        cluster: &ClusterName,
    ) -> Result<Described<ContainerInstance>, Error> {
        let arns = self
            .pages(Group::ClusterResourceRead, |token| async {
                let call = self.ecs.list_container_instances().cluster(cluster.as_str());
                let call = call.max_results(PAGE).set_next_token(token);
                let page = call
                    .send()
                    .await
                    .map_err(|error| failed("ListContainerInstances", cluster.as_str(), error))?;
                Ok((page.container_instance_arns.unwrap_or_default(), page.next_token))
            })
            .await?;
        self.batches(arns, 100, |batch| self.describe_container_instances(cluster, batch)).await
    }

    pub(super) async fn describe_container_instances(
        &self,
        cluster: &ClusterName,
        instances: Vec<String>,
    ) -> Result<Described<ContainerInstance>, Error> {
        self.limits.wait(Group::ClusterResourceRead).await;
        let call = self.ecs.describe_container_instances().cluster(cluster.as_str());
        let call = call.set_container_instances(Some(instances));
        let answer = call
            .send()
            .await
            .map_err(|error| failed("DescribeContainerInstances", cluster.as_str(), error))?;
        let items = answer.container_instances().iter().filter_map(convert::container_instance).collect();
        Ok(Described::of(UnreadableKind::ContainerInstance, items, answer.failures()))
    }

    /// One task definition revision (`DescribeTaskDefinition`); it never changes.
    pub async fn task_definition(&self, arn: &TaskDefinitionArn) -> Result<TaskDefinition, Error> {
        self.limits.wait(Group::TaskDefinitionRead).await;
        let call = self.ecs.describe_task_definition().task_definition(arn.as_str());
        let call = call.include(TaskDefinitionField::Tags);
        let answer =
            call.send().await.map_err(|error| failed("DescribeTaskDefinition", arn.as_str(), error))?;
        answer.task_definition().map(convert::task_definition).ok_or_else(|| Error::Aws {
            operation: "DescribeTaskDefinition",
            resource: arn.to_string(),
            source: "the answer holds no task definition".into(),
        })
    }

    /// Scale-in protection of tasks (`GetTaskProtection`); a task that failed is missing from the answer.
    pub async fn task_protection(
        &self,
        cluster: &ClusterName,
        tasks: Vec<TaskArn>,
    ) -> Result<BTreeMap<TaskArn, Protection>, Error> {
        let arns = tasks.iter().map(|task| task.as_str().to_owned()).collect();
        let read = self.batches(arns, 100, |batch| async {
            self.limits.wait(Group::TaskProtection).await;
            let call = self.ecs.get_task_protection().cluster(cluster.as_str()).set_tasks(Some(batch));
            let answer =
                call.send().await.map_err(|error| failed("GetTaskProtection", cluster.as_str(), error))?;
            let items = answer.protected_tasks().iter().filter_map(convert::protection).collect();
            Ok(Described::of(UnreadableKind::Task, items, &[]))
        });
        Ok(read.await?.items.into_iter().collect())
    }

    /// All pages of a list.
    pub(super) async fn pages<T, F>(
        &self,
        group: Group,
        page: impl Fn(Option<String>) -> F,
    ) -> Result<Vec<T>, Error>
    where
        F: Future<Output = Result<(Vec<T>, Option<String>), Error>>,
    {
        let mut all = Vec::new();
        let mut token = None;
        let mut last = None;
        loop {
            self.limits.wait(group).await;
            let (items, next) = page(token).await?;
            all.extend(items);
            if next.is_none() {
                return Ok(all);
            }
            if next == last {
                return Err(unending(all.len()));
            }
            last.clone_from(&next);
            token = next;
        }
    }

    /// The ids in batches of `size`, a few at a time, the answers in order.
    pub(super) async fn batches<T, F>(
        &self,
        ids: Vec<String>,
        size: usize,
        describe: impl Fn(Vec<String>) -> F,
    ) -> Result<Described<T>, Error>
    where
        F: Future<Output = Result<Described<T>, Error>>,
    {
        let batches: Vec<Vec<String>> = ids.chunks(size).map(<[String]>::to_vec).collect();
        let parts = stream::iter(batches).map(describe).buffered(CONCURRENCY).try_collect();
        Ok(Described::join(parts.await?))
    }
}

/// A list that gives the same token again would never end, and cutting it short would pass for the whole.
fn unending(read: usize) -> Error {
    Error::Aws {
        operation: "List",
        resource: format!("the page after {read} entries"),
        source: "the same nextToken came twice".into(),
    }
}
