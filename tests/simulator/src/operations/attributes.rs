//! `PutAttributes`, `DeleteAttributes` and `ListAttributes`.
//!
//! Simplified: container instances are the only targets, and names that begin with `ecs.` or
//! `com.amazonaws.ecs.` belong to the agent and can be neither put nor deleted.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::instance_shape::AttributeShape;
use super::page::Page;
use super::{Answer, Change, names};
use crate::account::{Account, Cluster, ContainerInstance, ContainerInstanceStatus};
use crate::wire::{ApiError, json};

const LIST: Page = Page { operation: "ListAttributes", default: 100, max: 100 };

/// Custom attributes of one resource, and attributes of one call.
const LIMIT: usize = 10;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct AttributeInput {
    name: String,
    value: Option<String>,
    target_type: Option<String>,
    target_id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Input {
    cluster: Option<String>,
    attributes: Vec<AttributeInput>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output<'a> {
    attributes: Vec<AttributeShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) fn put(change: &mut Change<'_>, input: &Value) -> Answer {
    let input: Input = json::input(input)?;
    let targets = targets(change.account, &input)?;
    for attribute in &input.attributes {
        check(attribute)?;
    }
    let cluster = names::cluster_mut(change.account, input.cluster.as_deref())?;
    check_room(cluster, &input, &targets)?;
    let mut notes = Vec::new();
    for (attribute, arn) in input.attributes.iter().zip(&targets) {
        let instance = instance_mut(cluster, arn);
        instance.attributes.insert(attribute.name.clone(), attribute.value.clone());
        let value = attribute.value.as_deref().unwrap_or_default();
        notes.push((instance.ec2_instance_id.clone(), format!("attribute {}={value} put", attribute.name)));
    }
    Ok(finish(change, notes, &input, &targets))
}

pub(super) fn delete(change: &mut Change<'_>, input: &Value) -> Answer {
    let input: Input = json::input(input)?;
    let targets = targets(change.account, &input)?;
    if let Some(built_in) = input.attributes.iter().find(|attribute| !is_custom(&attribute.name)) {
        return Err(ApiError::invalid_parameter(format!("{} cannot be deleted.", built_in.name)));
    }
    let cluster = names::cluster_mut(change.account, input.cluster.as_deref())?;
    let mut notes = Vec::new();
    for (attribute, arn) in input.attributes.iter().zip(&targets) {
        let instance = instance_mut(cluster, arn);
        instance.attributes.remove(&attribute.name);
        notes.push((instance.ec2_instance_id.clone(), format!("attribute {} deleted", attribute.name)));
    }
    Ok(finish(change, notes, &input, &targets))
}

fn finish(
    change: &mut Change<'_>,
    notes: Vec<(String, String)>,
    input: &Input,
    targets: &[String],
) -> Vec<u8> {
    for (subject, what) in notes {
        change.note(subject, what);
    }
    let pairs = input.attributes.iter().zip(targets);
    let attributes = pairs.map(|(attribute, arn)| shape(&attribute.name, attribute.value.as_deref(), arn));
    json::output(&Output { attributes: attributes.collect(), next_token: None })
}

fn instance_mut<'a>(cluster: &'a mut Cluster, arn: &str) -> &'a mut ContainerInstance {
    cluster.container_instances.get_mut(arn).expect("targets are looked up before anything changes")
}

fn shape<'a>(name: &'a str, value: Option<&'a str>, arn: &'a str) -> AttributeShape<'a> {
    AttributeShape { name, value, target_type: Some("container-instance"), target_id: Some(arn) }
}

/// The container instances of the attributes of a call, in its order.
fn targets(account: &Account, input: &Input) -> Result<Vec<String>, ApiError> {
    let cluster = names::cluster(account, input.cluster.as_deref())?;
    names::check_count("Attributes", input.attributes.len(), LIMIT)?;
    input.attributes.iter().map(|attribute| target(cluster, attribute)).collect()
}

fn target(cluster: &Cluster, attribute: &AttributeInput) -> Result<String, ApiError> {
    let id = attribute.target_id.as_deref().unwrap_or_default();
    if !id.starts_with("arn:") && attribute.target_type.as_deref() != Some("container-instance") {
        return Err(ApiError::invalid_parameter("targetType is required with a short targetId."));
    }
    let arn = names::arn_in(cluster, "container-instance", id)?;
    let found = cluster.container_instances.get(&arn);
    let found = found.filter(|instance| instance.status != ContainerInstanceStatus::Inactive);
    let missing = || ApiError::new("TargetNotFoundException", "The specified target wasn't found.");
    found.map(|instance| instance.arn.clone()).ok_or_else(missing)
}

/// Names and values have alphabets of their own: `=` and `+` are in neither.
fn check(attribute: &AttributeInput) -> Result<(), ApiError> {
    let is_word = |text: &str, more: &str| {
        let allowed = |character: char| character.is_ascii_alphanumeric() || more.contains(character);
        (1..=128).contains(&text.chars().count()) && text.chars().all(allowed)
    };
    let is_value =
        |value: &str| is_word(value, "-_.@/\\: ") && !value.starts_with(' ') && !value.ends_with(' ');
    if !is_word(&attribute.name, "-_/\\.") || !is_custom(&attribute.name) {
        return Err(ApiError::invalid_parameter(format!(
            "Attribute name {:?} is not valid.",
            attribute.name
        )));
    }
    match attribute.value.as_deref() {
        Some(value) if !is_value(value) => {
            Err(ApiError::invalid_parameter(format!("Attribute value {value:?} is not valid.")))
        }
        _ => Ok(()),
    }
}

fn is_custom(name: &str) -> bool {
    !name.starts_with("ecs.") && !name.starts_with("com.amazonaws.ecs.")
}

/// Refuses the whole call if any target would have more custom attributes than it may.
fn check_room(cluster: &Cluster, input: &Input, targets: &[String]) -> Result<(), ApiError> {
    for arn in targets {
        let present = cluster.container_instances[arn].attributes.keys();
        let added = input.attributes.iter().zip(targets).filter(|(_, target)| *target == arn);
        let mut names: Vec<&String> = present.chain(added.map(|(attribute, _)| &attribute.name)).collect();
        names.sort_unstable();
        names.dedup();
        if names.iter().filter(|name| is_custom(name)).count() > LIMIT {
            let message = "You can apply up to 10 custom attributes for each resource.";
            return Err(ApiError::new("AttributeLimitExceededException", message));
        }
    }
    Ok(())
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ListInput {
    cluster: Option<String>,
    target_type: Option<String>,
    attribute_name: Option<String>,
    attribute_value: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

pub(super) fn list(account: &Account, input: &Value) -> Answer {
    let input: ListInput = json::input(input)?;
    let cluster = names::cluster(account, input.cluster.as_deref())?;
    if input.target_type.as_deref() != Some("container-instance") {
        return Err(ApiError::invalid_parameter("targetType must be container-instance."));
    }
    if input.attribute_value.is_some() && input.attribute_name.is_none() {
        return Err(ApiError::invalid_parameter("attributeName is required with attributeValue."));
    }
    let pairs = listed(cluster, &input, account.switches.attributes_outlive_registration);
    let (pairs, next_token) = LIST.cut(
        pairs.iter().map(|(key, attribute)| (key.as_str(), attribute)),
        |(key, _)| key,
        input.next_token.as_deref(),
        input.max_results,
    )?;
    let attributes = pairs.iter().map(|(_, (name, value, arn))| shape(name, *value, arn)).collect();
    Ok(json::output(&Output { attributes, next_token }))
}

type Listed<'a> = (&'a str, Option<&'a str>, &'a str);

/// The attributes a `ListAttributes` asks for, each under the key it is sorted by.
fn listed<'a>(cluster: &'a Cluster, input: &ListInput, of_inactive: bool) -> Vec<(String, Listed<'a>)> {
    let is = |filter: &Option<String>, value: Option<&str>| filter.is_none() || filter.as_deref() == value;
    let mut found = Vec::new();
    let is_asked = |it: &&ContainerInstance| of_inactive || it.status != ContainerInstanceStatus::Inactive;
    for instance in cluster.container_instances.values().filter(is_asked) {
        for (name, value) in &instance.attributes {
            if is(&input.attribute_name, Some(name)) && is(&input.attribute_value, value.as_deref()) {
                let key = format!("{} {name}", instance.arn);
                found.push((key, (name.as_str(), value.as_deref(), instance.arn.as_str())));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_one(name: &str, value: Option<&str>) -> bool {
        let value = value.map(str::to_owned);
        check(&AttributeInput { name: name.to_owned(), value, ..AttributeInput::default() }).is_ok()
    }

    #[test]
    fn names_and_values_obey_their_patterns() {
        assert!(check_one("evenkeel.drain/x_1", Some("1:r-1/a@b c\\d")));
        assert!(check_one("stage", None));
        for (name, value) in
            [("a:b", "x"), ("", "x"), ("a", ""), ("a", "x=y"), ("a", "x+y"), ("a", " x"), ("ecs.ami-id", "x")]
        {
            assert!(!check_one(name, Some(value)), "{name} {value}");
        }
        assert!(!check_one("a", Some(&"v".repeat(129))));
    }
}
