//! EC2 Auto Scaling: what a rollout changes in a group.
//!
//! Each call is made once, without the SDK's retries, for the reason given in `writes`: a retry comes seconds later and
//! would write over what somebody else has written since. The next turn looks again and is the retry.

use aws_sdk_autoscaling::types::Tag;
use aws_sdk_autoscaling::types::builders::TagBuilder;

use super::Aws;
use super::auto_scaling::once_auto_scaling;
use super::failure::failed;
use super::limits::Group as Bucket;
use crate::error::Error;
use crate::ids::{GroupName, InstanceId};

const GROUP: &str = "auto-scaling-group";

impl Aws {
    /// Writes the desired capacity, whatever the cooldown (`SetDesiredCapacity`). Refused by AWS outside of minimum and
    /// maximum; lowering it lets the group choose which instance goes.
    pub async fn set_desired_capacity(&self, group: &GroupName, desired: u32) -> Result<(), Error> {
        self.limits.wait(Bucket::AutoScaling).await;
        let call = self.auto_scaling.set_desired_capacity().auto_scaling_group_name(group.as_str());
        let call = call.desired_capacity(number(desired)).honor_cooldown(false);
        let answer = call.customize().config_override(once_auto_scaling()).send().await;
        answer.map(drop).map_err(|error| failed("SetDesiredCapacity", group.as_str(), error))
    }

    /// Writes the maximum and nothing else (`UpdateAutoScalingGroup`). One below the desired capacity lowers that too, and
    /// the group then chooses which instances go.
    pub async fn set_max_size(&self, group: &GroupName, max: u32) -> Result<(), Error> {
        self.limits.wait(Bucket::AutoScaling).await;
        let call = self.auto_scaling.update_auto_scaling_group().auto_scaling_group_name(group.as_str());
        let call = call.max_size(number(max)).customize().config_override(once_auto_scaling());
        let answer = call.send().await;
        answer.map(drop).map_err(|error| failed("UpdateAutoScalingGroup", group.as_str(), error))
    }

    /// Suspends these processes (`SuspendProcesses`). An empty list is refused here: AWS takes it for all processes.
    pub async fn suspend_processes(&self, group: &GroupName, processes: &[&str]) -> Result<(), Error> {
        let names = some_processes("SuspendProcesses", group, processes)?;
        self.limits.wait(Bucket::AutoScaling).await;
        let call = self.auto_scaling.suspend_processes().auto_scaling_group_name(group.as_str());
        let call = call.set_scaling_processes(Some(names)).customize().config_override(once_auto_scaling());
        let answer = call.send().await;
        answer.map(drop).map_err(|error| failed("SuspendProcesses", group.as_str(), error))
    }

    /// Resumes these processes (`ResumeProcesses`). An empty list is refused here: AWS takes it for all processes.
    pub async fn resume_processes(&self, group: &GroupName, processes: &[&str]) -> Result<(), Error> {
        let names = some_processes("ResumeProcesses", group, processes)?;
        self.limits.wait(Bucket::AutoScaling).await;
        let call = self.auto_scaling.resume_processes().auto_scaling_group_name(group.as_str());
        let call = call.set_scaling_processes(Some(names)).customize().config_override(once_auto_scaling());
        let answer = call.send().await;
        answer.map(drop).map_err(|error| failed("ResumeProcesses", group.as_str(), error))
    }

    /// Terminates instances one after the other, whether or not they are protected
    /// (`TerminateInstanceInAutoScalingGroup`, one a call), without taking any off the desired capacity; and what came of
    /// each, in their order. One refusal does not keep the others back.
    pub async fn terminate_members(&self, instances: &[InstanceId]) -> Vec<(InstanceId, Result<(), Error>)> {
        let mut outcomes = Vec::new();
        for instance in instances {
            self.limits.wait(Bucket::AutoScaling).await;
            let call = self.auto_scaling.terminate_instance_in_auto_scaling_group();
            let call = call.instance_id(instance.as_str()).should_decrement_desired_capacity(false);
            let answer = call.customize().config_override(once_auto_scaling()).send().await;
            let operation = "TerminateInstanceInAutoScalingGroup";
            let answer = answer.map(drop).map_err(|error| failed(operation, instance.as_str(), error));
            outcomes.push((instance.clone(), answer));
        }
        outcomes
    }

    /// Sets tags of a group, which instances do not inherit (`CreateOrUpdateTags`); without tags no call is made.
    pub async fn tag_group(&self, group: &GroupName, tags: &[(&str, &str)]) -> Result<(), Error> {
        if tags.is_empty() {
            return Ok(());
        }
        self.limits.wait(Bucket::AutoScaling).await;
        let tags = tags
            .iter()
            .map(|(key, value)| tag(group, key).value(*value).propagate_at_launch(false).build())
            .collect();
        let call = self.auto_scaling.create_or_update_tags().set_tags(Some(tags));
        let answer = call.customize().config_override(once_auto_scaling()).send().await;
        answer.map(drop).map_err(|error| failed("CreateOrUpdateTags", group.as_str(), error))
    }

    /// Removes tags of a group by key (`DeleteTags`); without keys no call is made.
    pub async fn untag_group(&self, group: &GroupName, keys: &[&str]) -> Result<(), Error> {
        if keys.is_empty() {
            return Ok(());
        }
        self.limits.wait(Bucket::AutoScaling).await;
        let tags = keys.iter().map(|key| tag(group, key).build()).collect();
        let call = self.auto_scaling.delete_tags().set_tags(Some(tags));
        let answer = call.customize().config_override(once_auto_scaling()).send().await;
        answer.map(drop).map_err(|error| failed("DeleteTags", group.as_str(), error))
    }
}

fn number(size: u32) -> i32 {
    i32::try_from(size).unwrap_or(i32::MAX)
}

fn tag(group: &GroupName, key: &str) -> TagBuilder {
    Tag::builder().resource_id(group.as_str()).resource_type(GROUP).key(key)
}

fn some_processes(
    operation: &'static str,
    group: &GroupName,
    processes: &[&str],
) -> Result<Vec<String>, Error> {
    if processes.is_empty() {
        let source = "no process was named, which AWS takes for all of them".into();
        return Err(Error::Aws { operation, resource: group.to_string(), source });
    }
    Ok(processes.iter().map(|&process| process.to_owned()).collect())
}
