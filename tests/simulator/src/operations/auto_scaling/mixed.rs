//! Launch templates and mixed instances policies as a caller writes them.

use serde::Deserialize;

use super::{input, invalid};
use crate::account::{Account, AutoScalingGroup, Override, TemplateVersion};
use crate::wire::ApiError;

/// `LaunchTemplateSpecification`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct TemplateInput {
    launch_template_id: Option<String>,
    launch_template_name: Option<String>,
    version: Option<String>,
}

impl TemplateInput {
    /// Lets the group launch from this template; without a version from its default one.
    pub(super) fn apply(&self, account: &Account, group: &mut AutoScalingGroup) -> Result<(), ApiError> {
        let (id, name) = (self.launch_template_id.as_deref(), self.launch_template_name.as_deref());
        let is_meant = |it: &&crate::account::LaunchTemplate| {
            id.map_or_else(|| name == Some(it.name.as_str()), |id| id == it.id)
        };
        let Some(template) = account.launch_templates.values().find(is_meant) else {
            let which = id.or(name).unwrap_or_default();
            return Err(invalid(format!(
                "You must use a valid fully-formed launch template. The specified launch template, {which}, does not \
                 exist."
            )));
        };
        let version =
            self.version.as_deref().map_or(Some(TemplateVersion::Default), TemplateVersion::from_name);
        let exists = |it: &TemplateVersion| template.versions.contains_key(&it.number_in(template));
        let Some(version) = version.filter(exists) else {
            return Err(invalid(
                "You must use a valid fully-formed launch template. The specified launch template version does not \
                 exist.",
            ));
        };
        group.launch_template.clone_from(&template.name);
        group.version = version;
        Ok(())
    }
}

/// `MixedInstancesPolicy`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct MixedInput {
    launch_template: Option<MixedTemplate>,
    instances_distribution: Option<DistributionInput>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct MixedTemplate {
    launch_template_specification: Option<TemplateInput>,
    #[serde(deserialize_with = "input::list")]
    overrides: Vec<OverrideInput>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OverrideInput {
    instance_type: String,
    #[serde(default, deserialize_with = "input::number")]
    weighted_capacity: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct DistributionInput {
    #[serde(deserialize_with = "input::number")]
    on_demand_base_capacity: Option<i64>,
    #[serde(deserialize_with = "input::number")]
    on_demand_percentage_above_base_capacity: Option<i64>,
    spot_allocation_strategy: Option<String>,
}

impl MixedInput {
    /// Changes what is given and leaves the rest of the policy as it is.
    pub(super) fn apply(&self, account: &Account, group: &mut AutoScalingGroup) -> Result<(), ApiError> {
        if let Some(template) =
            self.launch_template.as_ref().and_then(|it| it.launch_template_specification.as_ref())
        {
            template.apply(account, group)?;
        }
        let overrides = self.launch_template.iter().flat_map(|it| &it.overrides);
        let overrides = overrides.map(OverrideInput::checked).collect::<Result<Vec<_>, _>>()?;
        let policy = group.mixed_instances.get_or_insert_default();
        if !overrides.is_empty() {
            policy.overrides = overrides;
        }
        let Some(given) = &self.instances_distribution else { return Ok(()) };
        let present = &mut policy.distribution;
        let number =
            |given: Option<i64>, present: u32| given.and_then(|it| it.try_into().ok()).unwrap_or(present);
        present.on_demand_base = number(given.on_demand_base_capacity, present.on_demand_base);
        present.on_demand_percentage =
            number(given.on_demand_percentage_above_base_capacity, present.on_demand_percentage).min(100);
        if let Some(strategy) = &given.spot_allocation_strategy {
            present.spot_allocation_strategy.clone_from(strategy);
        }
        Ok(())
    }
}

impl OverrideInput {
    fn checked(&self) -> Result<Override, ApiError> {
        let weight = self.weighted_capacity.map(u32::try_from).transpose().ok();
        let weight = weight.filter(|it| it.is_none_or(|it| (1..=999).contains(&it)));
        let weight = weight.ok_or_else(|| invalid("WeightedCapacity must be between 1 and 999"))?;
        Ok(Override { instance_type: self.instance_type.clone(), weight })
    }
}
