//! Names and ARNs as types of their own, so that a task can never be passed where a service is meant.
//!
//! Sources: Amazon ECS Developer Guide, "Amazon Resource Names (ARNs) and IDs"; the long ARN format only.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as AWS wrote it.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text as AWS wrote it.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// What follows the last slash, or the whole text: the short name people read.
            pub fn short(&self) -> &str {
                self.0.rsplit('/').next().unwrap_or(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
    };
}

text_id!(
    /// Name of an ECS cluster.
    ClusterName
);
text_id!(
    /// ARN of an ECS service.
    ServiceArn
);
text_id!(
    /// Name of an ECS service, unique in its cluster.
    ServiceName
);
text_id!(
    /// ARN of a task.
    TaskArn
);
text_id!(
    /// ARN of a task definition, revision included.
    TaskDefinitionArn
);
text_id!(
    /// ARN of a container instance.
    ContainerInstanceArn
);
text_id!(
    /// EC2 instance id, `i-…`.
    InstanceId
);
text_id!(
    /// Name of an Auto Scaling group, unique in the Region.
    GroupName
);
text_id!(
    /// Id of an EC2 launch template, `lt-…`.
    LaunchTemplateId
);
text_id!(
    /// Id of an AMI, `ami-…`, or whatever a launch template names instead of one.
    ImageId
);
text_id!(
    /// ARN of a target group.
    TargetGroupArn
);
text_id!(
    /// Availability Zone name, for instance `eu-west-1a`.
    ZoneName
);

impl ClusterName {
    /// A cluster as people name it: its name, or its ARN if that is of this Region.
    ///
    /// Names have up to 255 letters, digits, hyphens and underscores (API: `CreateCluster`). The text of the error says
    /// what is wrong with it.
    pub fn parse(text: &str, region: &str) -> Result<Self, String> {
        let name = match text.split(':').collect::<Vec<_>>().as_slice() {
            [name] => name,
            ["arn", _, "ecs", found, _, resource] if *found == region => resource
                .strip_prefix("cluster/")
                .ok_or_else(|| format!("'{text}' is not the ARN of a cluster"))?,
            ["arn", _, "ecs", found, _, _] => {
                return Err(format!("'{text}' is of Region {found}, and this function works in {region}"));
            }
            _ => return Err(format!("'{text}' is neither a cluster name nor the ARN of a cluster")),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > 255 || !name.chars().all(is_name) {
            return Err(format!("'{name}' is not a cluster name: up to 255 letters, digits, - and _"));
        }
        Ok(Self::new(name))
    }
}

impl InstanceId {
    /// An EC2 instance id: `i-` and up to 17 letters and digits. The text of the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("i-").unwrap_or_default();
        if rest.is_empty() || rest.len() > 17 || !rest.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(format!("is '{text}', expected an EC2 instance id such as i-0123456789abcdef0"));
        }
        Ok(Self::new(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_named_or_given_by_an_arn_of_this_region() {
        let arn = "arn:aws:ecs:eu-west-1:123456789012:cluster/web";
        assert_eq!(ClusterName::parse("web", "eu-west-1").unwrap(), ClusterName::new("web"));
        assert_eq!(ClusterName::parse(arn, "eu-west-1").unwrap(), ClusterName::new("web"));
        assert!(ClusterName::parse(arn, "us-east-1").unwrap_err().contains("Region eu-west-1"));
    }

    #[test]
    fn anything_else_is_refused_with_a_reason() {
        for text in ["", "a b", "arn:aws:ecs:eu-west-1:1:service/web/x", "arn:aws:s3:::bucket", "web;drop"] {
            assert!(ClusterName::parse(text, "eu-west-1").is_err(), "{text}");
        }
    }
}
