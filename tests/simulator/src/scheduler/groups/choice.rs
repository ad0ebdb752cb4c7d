//! What a group launches next: purchase option, type, weight and template version.
//!
//! From "Auto Scaling groups with multiple instance types and purchase options": the On-Demand base is filled first,
//! then the percentage above it, then Spot. Which of the overrides is taken stands for the allocation strategies: the
//! first, as `prioritized` has it; a shortage is one of a zone and a purchase option, whatever the type.

use crate::account::{
    Account, AutoScalingGroup, GroupInstance, LaunchTemplateVersion, Market, TemplateVersion,
};

/// What is launched next.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Purchase option.
    pub market: Market,
    /// Instance type.
    pub instance_type: String,
    /// Units it counts for, if the group gives weights.
    pub weight: Option<u32>,
    /// Id of the launch template.
    pub template_id: String,
    /// Number of the version.
    pub version: u64,
    /// What the version says.
    pub template: LaunchTemplateVersion,
}

/// What the group would launch now; nothing if its launch template, or the version it names, does not exist.
pub fn choose(account: &Account, group: &AutoScalingGroup, market: Option<Market>) -> Option<Choice> {
    let (template_id, version, template) = template(account, &group.launch_template, group.version)?;
    let first = group.mixed_instances.as_ref().and_then(|policy| policy.overrides.first());
    let market = market.unwrap_or_else(|| next_market(group, template.market));
    let instance_type = first.map_or(&template.instance_type, |it| &it.instance_type).clone();
    let weight = first.and_then(|it| it.weight);
    Some(Choice { market, instance_type, weight, template_id, version, template })
}

/// Id, number and text of a version as it is now.
pub(crate) fn template(
    account: &Account,
    name: &str,
    version: TemplateVersion,
) -> Option<(String, u64, LaunchTemplateVersion)> {
    let template = account.launch_templates.get(name)?;
    let number = version.number_in(template);
    let version = template.versions.get(&number)?;
    let image_id = version.resolved_image(account)?.to_owned();
    Some((template.id.clone(), number, LaunchTemplateVersion { image_id, ..version.clone() }))
}

/// On-Demand until its share of the desired capacity is there, then Spot; the template decides in a group without a
/// mixed instances policy.
fn next_market(group: &AutoScalingGroup, of_template: Market) -> Market {
    let Some(policy) = &group.mixed_instances else { return of_template };
    let wanted = policy.distribution.on_demand_of(group.desired_capacity);
    if units_of(group, Market::OnDemand) < wanted { Market::OnDemand } else { Market::Spot }
}

/// Units of one purchase option that count towards the desired capacity.
pub(crate) fn units_of(group: &AutoScalingGroup, market: Market) -> u32 {
    let counted = group.instances.values().filter(|it| it.state.counts() && it.market == market);
    counted.map(GroupInstance::units).sum()
}
