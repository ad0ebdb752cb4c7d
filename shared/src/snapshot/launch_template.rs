//! What an Auto Scaling group launches its instances from.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ids::{ImageId, LaunchTemplateId};

/// Where the instances of a group come from: `LaunchTemplate`, `MixedInstancesPolicy` or `LaunchConfigurationName`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LaunchSource {
    /// A version of one launch template.
    LaunchTemplate(LaunchTemplateSpecification),
    /// A launch template with several instance types or both purchase options.
    MixedInstancesPolicy(MixedInstancesPolicy),
    /// A launch configuration by name; it has no versions.
    LaunchConfiguration(String),
    /// None of these was in the answer.
    Other,
}

impl LaunchSource {
    /// The launch template that holds where no override names its own; none for a launch configuration.
    pub fn launch_template(&self) -> Option<&LaunchTemplateSpecification> {
        match self {
            Self::LaunchTemplate(template) => Some(template),
            Self::MixedInstancesPolicy(policy) => Some(&policy.launch_template),
            Self::LaunchConfiguration(_) | Self::Other => None,
        }
    }

    /// The types that may be launched, `of_template` where no override names one; `None` where attributes choose them.
    pub fn instance_types<'a>(&'a self, of_template: Option<&'a str>) -> Option<BTreeSet<&'a str>> {
        match self {
            Self::MixedInstancesPolicy(policy) if !policy.overrides.is_empty() => {
                let own = |it: &'a LaunchTemplateOverride| it.instance_type.as_deref().or(of_template);
                let is_open = policy.overrides.iter().any(|it| it.has_requirements);
                (!is_open).then(|| policy.overrides.iter().filter_map(own).collect())
            }
            _ => of_template.map(|it| BTreeSet::from([it])),
        }
    }

    /// Whether overrides bring AMIs, or launch templates, of their own.
    pub fn has_images_of_its_own(&self) -> bool {
        self.has_templates_of_its_own() || self.overrides().iter().any(|it| it.image.is_some())
    }

    /// Whether overrides bring launch templates of their own.
    pub fn has_templates_of_its_own(&self) -> bool {
        self.overrides().iter().any(|it| it.launch_template.is_some())
    }

    fn overrides(&self) -> &[LaunchTemplateOverride] {
        match self {
            Self::MixedInstancesPolicy(policy) => &policy.overrides,
            Self::LaunchTemplate(_) | Self::LaunchConfiguration(_) | Self::Other => &[],
        }
    }
}

/// A launch template and which version of it is meant (`LaunchTemplateSpecification`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LaunchTemplateSpecification {
    /// Id.
    pub id: Option<LaunchTemplateId>,
    /// Name, unique in the Region.
    pub name: Option<String>,
    /// `$Latest`, `$Default` or a number. On an instance it is the number that it was launched from.
    pub version: String,
}

/// A mixed instances policy.
///
/// Where an override has a weight, sizes and percentages are in units instead of instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MixedInstancesPolicy {
    /// Holds for every override without one of its own.
    pub launch_template: LaunchTemplateSpecification,
    /// Best first, as far as the allocation strategy goes by order.
    pub overrides: Vec<LaunchTemplateOverride>,
    /// `OnDemandBaseCapacity`.
    pub on_demand_base: u32,
    /// `OnDemandPercentageAboveBaseCapacity`.
    pub on_demand_percentage: u32,
}

impl MixedInstancesPolicy {
    /// Whether any override gives its instances a weight.
    pub fn has_weights(&self) -> bool {
        self.overrides.iter().any(|it| it.weighted_capacity.is_some())
    }
}

/// What differs from the launch template for some of the instances (`LaunchTemplateOverrides`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LaunchTemplateOverride {
    /// Instance type; absent where `InstanceRequirements` choose it.
    pub instance_type: Option<String>,
    /// Whether attributes choose the type (`InstanceRequirements`).
    pub has_requirements: bool,
    /// Units an instance of it counts for.
    pub weighted_capacity: Option<u32>,
    /// A launch template of its own.
    pub launch_template: Option<LaunchTemplateSpecification>,
    /// An AMI of its own.
    pub image: Option<ImageId>,
}

/// One version of a launch template (`DescribeLaunchTemplateVersions`); it never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LaunchTemplateVersion {
    /// Id of the template.
    pub id: LaunchTemplateId,
    /// Its name.
    pub name: String,
    /// The number of the version, whatever it was asked for by.
    pub version: u64,
    /// The AMI. `resolve:ssm:…` names a parameter whose value may change while the version stays; absent where the group's
    /// overrides name it.
    pub image: Option<ImageId>,
    /// Instance type; absent where the group's overrides choose it.
    pub instance_type: Option<String>,
}

impl LaunchTemplateVersion {
    /// The AMI that every instance of this version has; none if a parameter decides it, or nothing here.
    pub fn fixed_image(&self) -> Option<&ImageId> {
        self.image.as_ref().filter(|image| image.as_str().starts_with("ami-"))
    }
}
