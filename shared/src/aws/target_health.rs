//! Target health, and how long a target is drained, neither of which ECS reports (Elastic Load Balancing v2,
//! `DescribeTargetHealth`, `DescribeTargetGroupAttributes`).

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::TargetHealthStateEnum;

use super::Aws;
use super::failure::failed;
use super::limits::Group;
use crate::error::Error;
use crate::ids::TargetGroupArn;
use crate::snapshot::Target;

/// The attribute that says how long a deregistered target stays `draining` (API: Elastic Load Balancing v2
/// `TargetGroupAttribute`).
const DEREGISTRATION_DELAY: &str = "deregistration_delay.timeout_seconds";

impl Aws {
    /// Every target of a target group. The call has no pages.
    pub async fn target_health(&self, group: &TargetGroupArn) -> Result<Vec<Target>, Error> {
        self.limits.wait(Group::TargetHealth).await;
        let call = self.elb.describe_target_health().target_group_arn(group.as_str());
        let answer =
            call.send().await.map_err(|error| failed("DescribeTargetHealth", group.as_str(), error))?;
        let targets = answer.target_health_descriptions().iter().filter_map(|description| {
            let target = description.target()?;
            let state = description.target_health().and_then(|health| health.state());
            Some(Target {
                id: target.id().unwrap_or_default().to_owned(),
                port: target.port().and_then(|port| u16::try_from(port).ok()).unwrap_or(0),
                is_healthy: state == Some(&TargetHealthStateEnum::Healthy),
            })
        });
        Ok(targets.collect())
    }

    /// How long a target group drains a target that is deregistered (`DescribeTargetGroupAttributes`).
    pub async fn deregistration_delay(&self, group: &TargetGroupArn) -> Result<Duration, Error> {
        let operation = "DescribeTargetGroupAttributes";
        self.limits.wait(Group::TargetHealth).await;
        let call = self.elb.describe_target_group_attributes().target_group_arn(group.as_str());
        let answer = call.send().await.map_err(|error| failed(operation, group.as_str(), error))?;
        let attribute = answer.attributes().iter().find(|it| it.key() == Some(DEREGISTRATION_DELAY));
        let seconds = attribute.and_then(|attribute| attribute.value()?.parse().ok());
        seconds.map(Duration::from_secs).ok_or_else(|| Error::Aws {
            operation,
            resource: group.to_string(),
            source: format!("the answer holds no {DEREGISTRATION_DELAY}").into(),
        })
    }
}
