//! Container instances one at a time: finding them by EC2 instance, their tasks, their state and attributes.

use aws_sdk_ecs::types::{Attribute, ContainerInstanceStatus as Status, DesiredStatus, TargetType};

use super::Aws;
use super::ecs::Described;
use super::failure::failed;
use super::limits::Group;
use crate::error::Error;
use crate::ids::{ClusterName, ContainerInstanceArn, InstanceId};
use crate::snapshot::{ContainerInstance, Task, Unreadable, UnreadableKind};

/// Most container instances per call (API: `UpdateContainerInstancesState`).
const STATE_BATCH: usize = 10;

impl Aws {
    /// The container instances of these EC2 instances in a cluster (`ListContainerInstances` with a filter, which the
    /// server applies): every one but INACTIVE ones.
    pub async fn registrations(
        &self,
        cluster: &ClusterName,
        instances: &[InstanceId],
    ) -> Result<Vec<ContainerInstanceArn>, Error> {
        let names: Vec<&str> = instances.iter().map(InstanceId::as_str).collect();
        let filter = format!("ec2InstanceId in [{}]", names.join(", "));
        self.list_container_instances(cluster, |call| call.filter(&filter)).await
    }

    /// The DRAINING container instances of a cluster (`ListContainerInstances`).
    pub async fn draining(&self, cluster: &ClusterName) -> Result<Vec<ContainerInstanceArn>, Error> {
        self.list_container_instances(cluster, |call| call.status(Status::Draining)).await
    }

    /// A page of the ACTIVE container instances of a cluster, a hundred at most, and the token of the next one
    /// (`ListContainerInstances`, `DescribeContainerInstances`).
    pub async fn active_instances(
        &self,
        cluster: &ClusterName,
        token: Option<String>,
    ) -> Result<(Described<ContainerInstance>, Option<String>), Error> {
        self.limits.wait(Group::ClusterResourceRead).await;
        let call = self.ecs.list_container_instances().cluster(cluster.as_str());
        let answer = call.status(Status::Active).set_next_token(token).send().await;
        let page = answer.map_err(|error| failed("ListContainerInstances", cluster.as_str(), error))?;
        let arns = page.container_instance_arns.unwrap_or_default();
        let described =
            self.batches(arns, 100, |batch| self.describe_container_instances(cluster, batch)).await?;
        Ok((described, page.next_token))
    }

    async fn list_container_instances(
        &self,
        cluster: &ClusterName,
        narrow: impl Fn(ListCall) -> ListCall,
    ) -> Result<Vec<ContainerInstanceArn>, Error> {
        let arns = self
            .pages(Group::ClusterResourceRead, |token| async {
                let call = self.ecs.list_container_instances().cluster(cluster.as_str());
                let answer = narrow(call).set_next_token(token).send().await;
                let page =
                    answer.map_err(|error| failed("ListContainerInstances", cluster.as_str(), error))?;
                Ok((page.container_instance_arns.unwrap_or_default(), page.next_token))
            })
            .await?;
        Ok(arns.iter().map(|arn| ContainerInstanceArn::new(arn.as_str())).collect())
    }

    /// These container instances, attributes included (`DescribeContainerInstances`).
    pub async fn describe_instances(
        &self,
        cluster: &ClusterName,
        instances: &[ContainerInstanceArn],
    ) -> Result<Described<ContainerInstance>, Error> {
        let arns = instances.iter().map(ToString::to_string).collect();
        self.batches(arns, 100, |batch| self.describe_container_instances(cluster, batch)).await
    }

    /// Every task on a container instance, wanted or on its way out or stopped within the last hour (`ListTasks` with
    /// desiredStatus RUNNING and STOPPED, `DescribeTasks`).
    pub async fn tasks_on(
        &self,
        cluster: &ClusterName,
        instance: &ContainerInstanceArn,
    ) -> Result<Described<Task>, Error> {
        self.every_task(cluster, Some(instance)).await
    }

    /// The same of the whole cluster, standalone tasks included.
    pub async fn all_tasks(&self, cluster: &ClusterName) -> Result<Described<Task>, Error> {
        self.every_task(cluster, None).await
    }

    async fn every_task(
        &self,
        cluster: &ClusterName,
        instance: Option<&ContainerInstanceArn>,
    ) -> Result<Described<Task>, Error> {
        let place = instance.map_or(cluster.as_str(), ContainerInstanceArn::as_str);
        let list = |status: DesiredStatus| {
            self.pages(Group::ClusterResourceRead, move |token| {
                let call = self.ecs.list_tasks().cluster(cluster.as_str()).max_results(100);
                let on = instance.map(ToString::to_string);
                let call = call.set_container_instance(on).desired_status(status.clone());
                async {
                    let answer = call.set_next_token(token).send().await;
                    let page = answer.map_err(|error| failed("ListTasks", place, error))?;
                    Ok((page.task_arns.unwrap_or_default(), page.next_token))
                }
            })
        };
        let (mut arns, stopped) =
            futures::future::try_join(list(DesiredStatus::Running), list(DesiredStatus::Stopped)).await?;
        arns.extend(stopped);
        arns.sort_unstable();
        arns.dedup();
        let mut described =
            self.batches(arns.clone(), 100, |batch| self.describe_tasks(cluster, batch)).await?;
        described.unreadable.extend(unanswered(&arns, &described));
        Ok(described)
    }

    /// Container instances that carry a custom attribute (`ListAttributes`).
    pub async fn instances_with_attribute(
        &self,
        cluster: &ClusterName,
        name: &str,
    ) -> Result<Vec<ContainerInstanceArn>, Error> {
        let arns = self
            .pages(Group::ClusterResourceRead, |token| async {
                let call = self.ecs.list_attributes().cluster(cluster.as_str());
                let call = call.target_type(TargetType::ContainerInstance).attribute_name(name);
                let answer = call.set_next_token(token).send().await;
                let page = answer.map_err(|error| failed("ListAttributes", cluster.as_str(), error))?;
                let arns = page.attributes.unwrap_or_default().into_iter().filter_map(|it| it.target_id);
                Ok((arns.collect(), page.next_token))
            })
            .await?;
        Ok(arns.iter().map(|arn| ContainerInstanceArn::new(arn.as_str())).collect())
    }

    /// Sets one container instance to DRAINING or ACTIVE (`UpdateContainerInstancesState`). Saying it twice does no harm, so
    /// that the SDK may retry.
    pub async fn set_draining(
        &self,
        cluster: &ClusterName,
        instance: &ContainerInstanceArn,
        is_draining: bool,
    ) -> Result<Vec<String>, Error> {
        self.limits.wait(Group::ClusterResourceModify).await;
        let status = if is_draining { Status::Draining } else { Status::Active };
        let call = self.ecs.update_container_instances_state().cluster(cluster.as_str());
        let answer = call.container_instances(instance.as_str()).status(status).send().await;
        let answer =
            answer.map_err(|error| failed("UpdateContainerInstancesState", instance.as_str(), error))?;
        Ok(answer.failures().iter().map(|it| it.reason().unwrap_or("no reason").to_owned()).collect())
    }

    /// The same for several, ten a call; the answer names what was refused.
    pub async fn set_all_draining(
        &self,
        cluster: &ClusterName,
        instances: &[ContainerInstanceArn],
        is_draining: bool,
    ) -> Result<Vec<String>, Error> {
        let status = if is_draining { Status::Draining } else { Status::Active };
        let mut refused = Vec::new();
        for batch in instances.chunks(STATE_BATCH) {
            self.limits.wait(Group::ClusterResourceModify).await;
            let call = self.ecs.update_container_instances_state().cluster(cluster.as_str());
            let arns = batch.iter().map(ToString::to_string).collect();
            let answer = call.set_container_instances(Some(arns)).status(status.clone()).send().await;
            let resource = format!("{} instances", batch.len());
            let answer = answer.map_err(|error| failed("UpdateContainerInstancesState", &resource, error))?;
            let failures = answer.failures().iter();
            refused.extend(failures.map(|it| it.reason().unwrap_or("no reason").to_owned()));
        }
        Ok(refused)
    }

    /// Sets a custom attribute (`PutAttributes`).
    pub async fn put_attribute(
        &self,
        cluster: &ClusterName,
        instance: &ContainerInstanceArn,
        name: &'static str,
        value: &str,
    ) -> Result<(), Error> {
        self.limits.wait(Group::ClusterResourceModify).await;
        let attribute = attribute(instance, name, Some(value))?;
        let call = self.ecs.put_attributes().cluster(cluster.as_str()).attributes(attribute);
        call.send().await.map(drop).map_err(|error| failed("PutAttributes", instance.as_str(), error))
    }

    /// Removes a custom attribute (`DeleteAttributes`).
    pub async fn delete_attribute(
        &self,
        cluster: &ClusterName,
        instance: &ContainerInstanceArn,
        name: &'static str,
    ) -> Result<(), Error> {
        self.limits.wait(Group::ClusterResourceModify).await;
        let attribute = attribute(instance, name, None)?;
        let call = self.ecs.delete_attributes().cluster(cluster.as_str()).attributes(attribute);
        call.send().await.map(drop).map_err(|error| failed("DeleteAttributes", instance.as_str(), error))
    }

    /// Removes a container instance whose host is gone (`DeregisterContainerInstance` with force: tasks still listed on it
    /// are forgotten, and their services replace them).
    pub async fn deregister(
        &self,
        cluster: &ClusterName,
        instance: &ContainerInstanceArn,
    ) -> Result<(), Error> {
        self.limits.wait(Group::ClusterResourceModify).await;
        let call = self.ecs.deregister_container_instance().cluster(cluster.as_str());
        let answer = call.container_instance(instance.as_str()).force(true).send().await;
        answer.map(drop).map_err(|error| failed("DeregisterContainerInstance", instance.as_str(), error))
    }
}

/// Tasks that were asked for, and are neither in the answer nor among its failures.
fn unanswered(asked: &[String], described: &Described<Task>) -> Vec<Unreadable> {
    let is_answered = |arn: &&String| {
        described.items.iter().any(|task| task.arn.as_str() == arn.as_str())
            || described.unreadable.iter().any(|it| it.arn == **arn)
    };
    let missing = asked.iter().filter(|arn| !is_answered(arn));
    let reason = || "missing from the answer".to_owned();
    missing.map(|arn| Unreadable { kind: UnreadableKind::Task, arn: arn.clone(), reason: reason() }).collect()
}

type ListCall =
    aws_sdk_ecs::operation::list_container_instances::builders::ListContainerInstancesFluentBuilder;

fn attribute(
    instance: &ContainerInstanceArn,
    name: &'static str,
    value: Option<&str>,
) -> Result<Attribute, Error> {
    let attribute = Attribute::builder().name(name).set_value(value.map(str::to_owned));
    let attribute = attribute.target_type(TargetType::ContainerInstance).target_id(instance.as_str());
    attribute.build().map_err(|error| Error::Aws {
        operation: "PutAttributes",
        resource: instance.to_string(),
        source: Box::new(error),
    })
}
