//! `DescribeTags`, `CreateOrUpdateTags` and `DeleteTags`.

use serde::Deserialize;
use serde_json::Value;

use super::super::page::Page;
use super::super::{Answer, Change};
use super::input::{self, Filter, Paging};
use super::{group, group_mut, group_shape, invalid};
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

/// Tags of one group at most.
const TAGS_MAX: usize = 50;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct WriteInput {
    #[serde(deserialize_with = "input::list")]
    tags: Vec<TagInput>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagInput {
    key: String,
    #[serde(default)]
    value: String,
    resource_id: Option<String>,
    resource_type: Option<String>,
    #[serde(default, deserialize_with = "input::flag")]
    propagate_at_launch: Option<bool>,
}

/// Sets tags; several groups may be named in one call, and all are checked before the first is changed.
pub(super) fn create_or_update(change: &mut Change<'_>, value: &Value) -> Answer {
    let input: WriteInput = input::read(value)?;
    input.check(change.account)?;
    for given in input.tags {
        let group = group_mut(change, given.resource_id.as_deref())?;
        if group.tags.len() >= TAGS_MAX && !group.tags.contains_key(&given.key) {
            return Err(ApiError::new("LimitExceeded", "A group may have at most 50 tags"));
        }
        let propagate_at_launch = given.propagate_at_launch.unwrap_or(false);
        let what = format!("tag {}={}", given.key, given.value);
        group.tags.insert(given.key, GroupTag { value: given.value, propagate_at_launch });
        let name = group.name.clone();
        change.note(name, what);
    }
    Ok(Vec::new())
}

/// Removes tags by their keys; one that is not there is no mistake.
pub(super) fn delete(change: &mut Change<'_>, value: &Value) -> Answer {
    let input: WriteInput = input::read(value)?;
    input.check(change.account)?;
    for given in input.tags {
        let group = group_mut(change, given.resource_id.as_deref())?;
        group.tags.remove(&given.key);
        let name = group.name.clone();
        change.note(name, format!("tag {} removed", given.key));
    }
    Ok(Vec::new())
}

impl WriteInput {
    fn check(&self, account: &Account) -> Result<(), ApiError> {
        if self.tags.is_empty() {
            return Err(invalid("At least one tag must be given"));
        }
        for given in &self.tags {
            group(account, given.resource_id.as_deref())?;
            if given.resource_type.as_deref() != Some("auto-scaling-group") {
                return Err(invalid("The resource type must be auto-scaling-group"));
            }
            if given.key.to_lowercase().starts_with("aws:") {
                return Err(invalid("Keys that begin with aws: are reserved"));
            }
            if !(1..=128).contains(&given.key.chars().count()) || given.value.chars().count() > 256 {
                return Err(invalid("A key has 1 to 128 characters, and a value at most 256"));
            }
        }
        Ok(())
    }
}
