//! The few calls that change something, each idempotent: repeating it after a lost answer changes nothing more.

use aws_sdk_ecs::types::Tag;

use super::Aws;
use super::failure::failed;
use super::limits::Group;
use crate::error::Error;
use crate::ids::{ClusterName, ServiceName, TaskArn};
use crate::timestamp::Timestamp;

/// Most tasks per call (API: `UpdateTaskProtection`).
const PROTECTION_BATCH: usize = 10;

impl Aws {
    /// Sets one tag (`TagResource`).
    pub async fn tag(&self, arn: &str, key: &str, value: &str) -> Result<(), Error> {
        self.limits.wait(Group::TagModify).await;
        let call =
            self.ecs.tag_resource().resource_arn(arn).tags(Tag::builder().key(key).value(value).build());
        call.send().await.map(drop).map_err(|error| failed("TagResource", arn, error))
    }

    /// Removes one tag (`UntagResource`).
    pub async fn untag(&self, arn: &str, key: &str) -> Result<(), Error> {
        self.limits.wait(Group::TagModify).await;
        let call = self.ecs.untag_resource().resource_arn(arn).tag_keys(key);
        call.send().await.map(drop).map_err(|error| failed("UntagResource", arn, error))
    }

    /// Writes the desired count and nothing else, which starts no deployment (API: `UpdateService`).
    pub async fn update_desired_count(
        &self,
        cluster: &ClusterName,
        service: &ServiceName,
        desired: u32,
    ) -> Result<(), Error> {
        self.limits.wait(Group::ServiceModify).await;
        let call = self.ecs.update_service().cluster(cluster.as_str()).service(service.as_str());
        let call = call.desired_count(i32::try_from(desired).unwrap_or(i32::MAX));
        call.send().await.map(drop).map_err(|error| failed("UpdateService", service.as_str(), error))
    }

    /// Protects tasks from scale-in until `until` at the earliest (`UpdateTaskProtection`, whole minutes).
    ///
    /// Returns the failures that AWS named, such as `DEPLOYMENT_BLOCKED`.
    pub async fn protect(
        &self,
        cluster: &ClusterName,
        tasks: &[TaskArn],
        until: Timestamp,
    ) -> Result<Vec<String>, Error> {
        let minutes = until.since(self.now()).as_secs().div_ceil(60).clamp(1, 2880);
        self.set_protection(cluster, tasks, i32::try_from(minutes).ok()).await
    }

    /// Takes scale-in protection off tasks (`UpdateTaskProtection`).
    pub async fn unprotect(&self, cluster: &ClusterName, tasks: &[TaskArn]) -> Result<Vec<String>, Error> {
        self.set_protection(cluster, tasks, None).await
    }

    async fn set_protection(
        &self,
        cluster: &ClusterName,
        tasks: &[TaskArn],
        minutes: Option<i32>,
    ) -> Result<Vec<String>, Error> {
        let mut refused = Vec::new();
        for batch in tasks.chunks(PROTECTION_BATCH) {
            self.limits.wait(Group::TaskProtection).await;
            let arns = batch.iter().map(|task| task.as_str().to_owned()).collect();
            let call = self.ecs.update_task_protection().cluster(cluster.as_str()).set_tasks(Some(arns));
            let call = call.protection_enabled(minutes.is_some()).set_expires_in_minutes(minutes);
            let answer =
                call.send().await.map_err(|error| failed("UpdateTaskProtection", cluster.as_str(), error))?;
            refused.extend(
                answer.failures().iter().map(|failure| failure.reason().unwrap_or("no reason").to_owned()),
            );
        }
        Ok(refused)
    }
}
