//! `DescribeTags`.

use serde::Deserialize;
use serde_json::Value;

use super::super::Answer;
use super::super::page::Page;
use super::input::{self, Filter, Paging};
use super::{group_shape, invalid};
use crate::account::{Account, GroupTag};
use crate::wire::ApiError;
use crate::wire::query::Xml;

const PAGE: Page = Page { operation: "DescribeTags", default: 50, max: 100 };

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct DescribeInput {
    #[serde(deserialize_with = "input::list")]
    filters: Vec<Filter>,
}

/// A tag with its group and with a name that tells it from all others.
type Found<'a> = (String, &'a str, &'a str, &'a GroupTag);

pub(super) fn describe(account: &Account, value: &Value) -> Answer {
    let (input, paging): (DescribeInput, Paging) = (input::read(value)?, input::read(value)?);
    input.filters.iter().try_for_each(check)?;
    let groups = account.auto_scaling_groups.values();
    let tags = groups.flat_map(|group| {
        group
            .tags
            .iter()
            .map(|(key, tag)| -> Found<'_> { (format!("{}\t{key}", group.name), &group.name, key, tag) })
    });
    let asked = tags.filter(|found| input.filters.iter().all(|filter| passes(filter, found)));
    let (page, next) = paging.cut(&PAGE, asked, |found| &found.0)?;
    let mut xml = Xml::default();
    xml.list("Tags", page, |xml, (_, group, key, tag)| group_shape::tag(xml, group, key, tag));
    xml.maybe("NextToken", next.as_deref());
    Ok(xml.into_bytes())
}

fn check(filter: &Filter) -> Result<(), ApiError> {
    match filter.name.as_str() {
        "auto-scaling-group" | "key" | "value" | "propagate-at-launch" => Ok(()),
        name => Err(invalid(format!("Filter type {name} is not correct."))),
    }
}

fn passes(filter: &Filter, (_, group, key, tag): &Found<'_>) -> bool {
    let propagated = tag.propagate_at_launch.to_string();
    let value = match filter.name.as_str() {
        "auto-scaling-group" => group,
        "key" => key,
        "value" => tag.value.as_str(),
        _ => propagated.as_str(),
    };
    filter.values.iter().any(|it| it == value)
}
