//! `DescribeAutoScalingGroups`.
//!
//! Names that do not exist are simply absent from the answer. Filters are `tag-key`, `tag-value` and `tag:<key>`; all
//! of them must match, each by one of its values.

use serde::Deserialize;
use serde_json::Value;

use super::super::Answer;
use super::super::page::Page;
use super::input::{self, Filter, Paging};
use super::{group_shape, invalid};
use crate::account::{Account, AutoScalingGroup};
use crate::wire::ApiError;
use crate::wire::query::Xml;

const PAGE: Page = Page { operation: "DescribeAutoScalingGroups", default: 50, max: 100 };

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Input {
    #[serde(deserialize_with = "input::list")]
    auto_scaling_group_names: Vec<String>,
    #[serde(deserialize_with = "input::flag")]
    include_instances: Option<bool>,
    #[serde(deserialize_with = "input::list")]
    filters: Vec<Filter>,
}

pub(super) fn describe(account: &Account, value: &Value) -> Answer {
    let (input, paging): (Input, Paging) = (input::read(value)?, input::read(value)?);
    input.filters.iter().try_for_each(check)?;
    let asked = account.auto_scaling_groups.values().filter(|group| input.asks_for(group));
    let (page, next) = paging.cut(&PAGE, asked, |group| &group.name)?;
    let with_instances = input.include_instances.unwrap_or(true);
    let mut xml = Xml::default();
    xml.list("AutoScalingGroups", page, |xml, group| {
        group_shape::write(xml, account, group, with_instances);
    });
    xml.maybe("NextToken", next.as_deref());
    Ok(xml.into_bytes())
}

fn check(filter: &Filter) -> Result<(), ApiError> {
    let known = matches!(filter.name.as_str(), "tag-key" | "tag-value") || filter.name.starts_with("tag:");
    if known { Ok(()) } else { Err(invalid(format!("Invalid filter name: {}", filter.name))) }
}

impl Input {
    fn asks_for(&self, group: &AutoScalingGroup) -> bool {
        let names = &self.auto_scaling_group_names;
        let is_meant = names.is_empty() || names.contains(&group.name) || names.contains(&group.arn);
        is_meant && self.filters.iter().all(|filter| has_tag(group, filter))
    }
}

fn has_tag(group: &AutoScalingGroup, filter: &Filter) -> bool {
    group.tags.iter().any(|(key, tag)| match filter.name.strip_prefix("tag:") {
        Some(wanted) => wanted == key && filter.values.contains(&tag.value),
        None if filter.name == "tag-key" => filter.values.contains(key),
        None => filter.values.contains(&tag.value),
    })
}
