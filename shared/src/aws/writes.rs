//! The few calls that change something.
//!
//! Each is made once, without the SDK's retries: a retry comes seconds later and would write what was right at the look
//! before the first attempt over what somebody else has written since. The next turn looks again and is the retry.

use aws_sdk_ecs::config::Builder;
use aws_sdk_ecs::types::Tag;
use aws_smithy_types::retry::RetryConfig;

use super::Aws;
use super::failure::failed;
use super::limits::Group;
use crate::error::Error;
use crate::ids::{ClusterName, ServiceName, TaskArn};
use crate::timestamp::Timestamp;

/// Most tasks per call (API: `UpdateTaskProtection`).
pub const PROTECTION_BATCH: usize = 10;

impl Aws {
    /// Waits for our own limit on tag writes, so that nothing is waited for between the look and the write.
    pub async fn wait_for_tag(&self) {
        self.limits.wait(Group::TagModify).await;
    }

    /// Sets one tag (`TagResource`).
    pub async fn tag(&self, arn: &str, key: &str, value: &str) -> Result<(), Error> {
        let call =
            self.ecs.tag_resource().resource_arn(arn).tags(Tag::builder().key(key).value(value).build());
        let call = call.customize().config_override(once_ecs());
        call.send().await.map(drop).map_err(|error| failed("TagResource", arn, error))
    }

    /// Removes one tag (`UntagResource`).
    pub async fn untag(&self, arn: &str, key: &str) -> Result<(), Error> {
        let call = self.ecs.untag_resource().resource_arn(arn).tag_keys(key);
        let call = call.customize().config_override(once_ecs());
        call.send().await.map(drop).map_err(|error| failed("UntagResource", arn, error))
    }

    /// Waits for our own limit on `UpdateService`, so that nothing is waited for between the look and the write.
    pub async fn wait_for_update(&self) {
        self.limits.wait(Group::ServiceModify).await;
    }

    /// Writes the desired count and nothing else, which starts no deployment (API: `UpdateService`).
    pub async fn update_desired_count(
        &self,
        cluster: &ClusterName,
        service: &ServiceName,
        desired: u32,
    ) -> Result<(), Error> {
        let call = self.ecs.update_service().cluster(cluster.as_str()).service(service.as_str());
        let call = call.desired_count(i32::try_from(desired).unwrap_or(i32::MAX));
        let call = call.customize().config_override(once_ecs());
        call.send().await.map(drop).map_err(|error| failed("UpdateService", service.as_str(), error))
    }

    /// Waits for our own limit on `StopTask`, so that nothing is waited for between the look and the write.
    pub async fn wait_for_stop(&self) {
        self.limits.wait(Group::ClusterResourceModify).await;
    }

    /// Stops one task (`StopTask`): nothing is drained in an order that one can rely on, and no floor is kept.
    pub async fn stop_task(&self, cluster: &ClusterName, task: &TaskArn, reason: &str) -> Result<(), Error> {
        let call = self.ecs.stop_task().cluster(cluster.as_str()).task(task.as_str()).reason(reason);
        let call = call.customize().config_override(once_ecs());
        call.send().await.map(drop).map_err(|error| failed("StopTask", task.as_str(), error))
    }

    /// Protects up to ten tasks from scale-in until `until` at the earliest (`UpdateTaskProtection`, whole minutes).
    ///
    /// Returns the failures that AWS named, such as `DEPLOYMENT_BLOCKED`.
    pub async fn protect(
        &self,
        cluster: &ClusterName,
        tasks: &[TaskArn],
        until: Timestamp,
    ) -> Result<Vec<String>, Error> {
        self.limits.wait(Group::TaskProtection).await;
        let minutes = until.since(self.now()).as_secs().div_ceil(60).clamp(1, 2880);
        self.set_protection(cluster, tasks, i32::try_from(minutes).ok()).await
    }

    /// Takes scale-in protection off up to ten tasks (`UpdateTaskProtection`).
    pub async fn unprotect(&self, cluster: &ClusterName, tasks: &[TaskArn]) -> Result<Vec<String>, Error> {
        self.limits.wait(Group::TaskProtection).await;
        self.set_protection(cluster, tasks, None).await
    }

    async fn set_protection(
        &self,
        cluster: &ClusterName,
        tasks: &[TaskArn],
        minutes: Option<i32>,
    ) -> Result<Vec<String>, Error> {
        let arns = tasks.iter().map(|task| task.as_str().to_owned()).collect();
        let call = self.ecs.update_task_protection().cluster(cluster.as_str()).set_tasks(Some(arns));
        let call = call.protection_enabled(minutes.is_some()).set_expires_in_minutes(minutes);
        let answer = call.customize().config_override(once_ecs()).send().await;
        let answer = answer.map_err(|error| failed("UpdateTaskProtection", cluster.as_str(), error))?;
        Ok(answer
            .failures()
            .iter()
            .map(|failure| failure.reason().unwrap_or("no reason").to_owned())
            .collect())
    }
}

/// A single attempt.
pub(super) fn once() -> RetryConfig {
    RetryConfig::disabled()
}

fn once_ecs() -> Builder {
    Builder::new().retry_config(once())
}
