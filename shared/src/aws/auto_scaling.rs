//! EC2 Auto Scaling: where an instance stands in its group, how the group stands, and the calls that name one instance.
//!
//! Batches and pages are those of the API reference: `DescribeAutoScalingInstances` 50, `DescribeAutoScalingGroups` 100.
//! `ScalingActivityInProgress` and `ResourceContention` mean "later": the first is a 400 that the SDK does not retry, so
//! that the next turn does. The three calls that ask for a substitute may be retried by it: they name their instance and
//! leave the desired capacity alone, so that saying it twice asks for one.

use std::time::Duration;

use aws_sdk_autoscaling::types as sdk;
use futures::future::try_join_all;

use super::Aws;
use super::failure::failed;
use super::limits::Group as Bucket;
use super::writes::once;
use crate::error::Error;
use crate::ids::{GroupName, InstanceId, ZoneName};
use crate::snapshot::{Group, LifecycleHook, LifecycleState, Member, Transition};

const INSTANCES_BATCH: usize = 50;
const GROUPS_PAGE: i32 = 100;
const STANDBY_BATCH: usize = 20;

impl Aws {
    /// Where these instances stand (`DescribeAutoScalingInstances`); those in no group are missing from the answer.
    pub async fn members(&self, instances: &[InstanceId]) -> Result<Vec<Member>, Error> {
        let batches = instances.chunks(INSTANCES_BATCH).map(|batch| async move {
            self.limits.wait(Bucket::AutoScaling).await;
            let ids = batch.iter().map(ToString::to_string).collect();
            let call = self.auto_scaling.describe_auto_scaling_instances().set_instance_ids(Some(ids));
            let answer = call.send().await;
            let answer =
                answer.map_err(|error| failed("DescribeAutoScalingInstances", &several(batch), error))?;
            Ok::<_, Error>(answer.auto_scaling_instances.unwrap_or_default())
        });
        let details = try_join_all(batches).await?.into_iter().flatten();
        Ok(details.filter_map(|it| member_of(&it)).collect())
    }

    /// These groups, or all of the Region if none is named (`DescribeAutoScalingGroups`).
    pub async fn groups(&self, names: &[GroupName]) -> Result<Vec<Group>, Error> {
        self.pages(Bucket::AutoScaling, |token| async {
            let call = self.auto_scaling.describe_auto_scaling_groups().max_records(GROUPS_PAGE);
            let asked = (!names.is_empty()).then(|| names.iter().map(ToString::to_string).collect());
            let answer = call.set_auto_scaling_group_names(asked).set_next_token(token).send().await;
            let page = answer.map_err(|error| failed("DescribeAutoScalingGroups", "the groups", error))?;
            let groups = page.auto_scaling_groups().iter().filter_map(group).collect();
            Ok((groups, page.next_token))
        })
        .await
    }

    /// A group's lifecycle hooks (`DescribeLifecycleHooks`, which has no pages: 50 a group at most).
    pub async fn lifecycle_hooks(&self, group: &GroupName) -> Result<Vec<LifecycleHook>, Error> {
        self.limits.wait(Bucket::AutoScaling).await;
        let call = self.auto_scaling.describe_lifecycle_hooks().auto_scaling_group_name(group.as_str());
        let answer = call.send().await;
        let answer = answer.map_err(|error| failed("DescribeLifecycleHooks", group.as_str(), error))?;
        Ok(answer.lifecycle_hooks().iter().filter_map(lifecycle_hook).collect())
    }

    /// Takes an instance out of service without lowering the group's desired capacity
    /// (`TerminateInstanceInAutoScalingGroup`): its lifecycle hooks hold it while the group launches another. One on standby
    /// is not counted, and nothing is launched for it.
    pub async fn terminate_in_group(&self, instance: &InstanceId) -> Result<(), Error> {
        self.limits.wait(Bucket::AutoScaling).await;
        let call = self.auto_scaling.terminate_instance_in_auto_scaling_group();
        let call = call.instance_id(instance.as_str()).should_decrement_desired_capacity(false);
        call.send()
            .await
            .map(drop)
            .map_err(|error| failed("TerminateInstanceInAutoScalingGroup", instance.as_str(), error))
    }

    /// Takes an instance out of its group without lowering the desired capacity (`DetachInstances`): it lives on, no hook
    /// runs, and the group launches another.
    pub async fn detach(&self, group: &GroupName, instance: &InstanceId) -> Result<(), Error> {
        self.limits.wait(Bucket::AutoScaling).await;
        let call = self.auto_scaling.detach_instances().auto_scaling_group_name(group.as_str());
        let call = call.instance_ids(instance.as_str()).should_decrement_desired_capacity(false);
        call.send().await.map(drop).map_err(|error| failed("DetachInstances", instance.as_str(), error))
    }

    /// Puts instances on standby without lowering the desired capacity (`EnterStandby`, 20 a call): they live on in their
    /// group, which does not count them, and the group launches others. A call with one that is not in service does nothing.
    pub async fn enter_standby(&self, group: &GroupName, instances: &[InstanceId]) -> Result<(), Error> {
        for batch in instances.chunks(STANDBY_BATCH) {
            self.limits.wait(Bucket::AutoScaling).await;
            let call = self.auto_scaling.enter_standby().auto_scaling_group_name(group.as_str());
            let ids = batch.iter().map(ToString::to_string).collect();
            let call = call.set_instance_ids(Some(ids)).should_decrement_desired_capacity(false);
            call.send().await.map_err(|error| failed("EnterStandby", &several(batch), error))?;
        }
        Ok(())
    }

    /// Takes instances off standby (`ExitStandby`, 20 a call), which raises the desired capacity by as many, and is refused
    /// where that would pass the maximum.
    pub async fn exit_standby(&self, group: &GroupName, instances: &[InstanceId]) -> Result<(), Error> {
        for batch in instances.chunks(STANDBY_BATCH) {
            self.limits.wait(Bucket::AutoScaling).await;
            let call = self.auto_scaling.exit_standby().auto_scaling_group_name(group.as_str());
            let ids = batch.iter().map(ToString::to_string).collect();
            let call = call.set_instance_ids(Some(ids)).customize().config_override(once_auto_scaling());
            call.send().await.map_err(|error| failed("ExitStandby", &several(batch), error))?;
        }
        Ok(())
    }

    /// Restarts the clock of a lifecycle action (`RecordLifecycleActionHeartbeat`), up to its global time-out.
    pub async fn heartbeat(&self, group: &GroupName, hook: &str, instance: &InstanceId) -> Result<(), Error> {
        self.limits.wait(Bucket::AutoScaling).await;
        let call = self.auto_scaling.record_lifecycle_action_heartbeat();
        let call = call.auto_scaling_group_name(group.as_str()).lifecycle_hook_name(hook);
        let answer = call.instance_id(instance.as_str()).send().await;
        answer.map(drop).map_err(|error| failed("RecordLifecycleActionHeartbeat", instance.as_str(), error))
    }

    /// Ends a lifecycle action with CONTINUE (`CompleteLifecycleAction`), which lets other hooks finish.
    pub async fn complete_lifecycle_action(
        &self,
        group: &GroupName,
        hook: &str,
        instance: &InstanceId,
    ) -> Result<(), Error> {
        self.limits.wait(Bucket::AutoScaling).await;
        let call = self.auto_scaling.complete_lifecycle_action();
        let call = call.auto_scaling_group_name(group.as_str()).lifecycle_hook_name(hook);
        let call = call.instance_id(instance.as_str()).lifecycle_action_result("CONTINUE");
        let answer = call.customize().config_override(once_auto_scaling()).send().await;
        answer.map(drop).map_err(|error| failed("CompleteLifecycleAction", instance.as_str(), error))
    }
}

pub(super) fn once_auto_scaling() -> aws_sdk_autoscaling::config::Builder {
    aws_sdk_autoscaling::config::Builder::new().retry_config(once())
}

fn several(instances: &[InstanceId]) -> String {
    match instances {
        [only] => only.to_string(),
        all => format!("{} instances", all.len()),
    }
}

fn member_of(details: &sdk::AutoScalingInstanceDetails) -> Option<Member> {
    Some(Member {
        instance: InstanceId::new(details.instance_id()?),
        group: GroupName::new(details.auto_scaling_group_name()?),
        zone: ZoneName::new(details.availability_zone().unwrap_or_default()),
        state: state_of(details.lifecycle_state().unwrap_or_default()),
        is_protected: details.protected_from_scale_in().unwrap_or(false),
    })
}

fn group(group: &sdk::AutoScalingGroup) -> Option<Group> {
    let name = GroupName::new(group.auto_scaling_group_name()?);
    let member = |instance: &sdk::Instance| {
        let id = InstanceId::new(instance.instance_id()?);
        let member = Member {
            instance: id.clone(),
            group: name.clone(),
            zone: ZoneName::new(instance.availability_zone().unwrap_or_default()),
            state: state_of(instance.lifecycle_state().map_or("", sdk::LifecycleState::as_str)),
            is_protected: instance.protected_from_scale_in().unwrap_or(false),
        };
        Some((id, member))
    };
    let size = |number: Option<i32>| u32::try_from(number.unwrap_or(0)).unwrap_or(0);
    let suspended = group.suspended_processes().iter().filter_map(|it| it.process_name());
    let tag =
        |tag: &sdk::TagDescription| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()));
    Some(Group {
        min: size(group.min_size()),
        max: size(group.max_size()),
        desired: size(group.desired_capacity()),
        capacity_rebalance: group.capacity_rebalance().unwrap_or(false),
        suspended: suspended.map(str::to_owned).collect(),
        members: group.instances().iter().filter_map(member).collect(),
        tags: group.tags().iter().filter_map(tag).collect(),
        name,
    })
}

/// The states by their names in the API reference (`LifecycleState`).
pub(super) fn state_of(name: &str) -> LifecycleState {
    match name {
        "Pending" | "Pending:Wait" | "Pending:Proceed" => LifecycleState::Pending,
        "InService" => LifecycleState::InService,
        "Terminating" | "Terminating:Proceed" => LifecycleState::Terminating,
        "Terminating:Wait" => LifecycleState::TerminatingWait,
        "Detaching" => LifecycleState::Detaching,
        "Standby" | "EnteringStandby" => LifecycleState::Standby,
        _ => LifecycleState::Other,
    }
}

fn lifecycle_hook(hook: &sdk::LifecycleHook) -> Option<LifecycleHook> {
    let transition = match hook.lifecycle_transition() {
        Some("autoscaling:EC2_INSTANCE_TERMINATING") => Transition::Terminating,
        Some("autoscaling:EC2_INSTANCE_LAUNCHING") => Transition::Launching,
        _ => Transition::Other,
    };
    let timeout = u64::try_from(hook.heartbeat_timeout().unwrap_or(3600)).unwrap_or(3600);
    Some(LifecycleHook {
        name: hook.lifecycle_hook_name()?.to_owned(),
        transition,
        heartbeat_timeout: Duration::from_secs(timeout),
    })
}
