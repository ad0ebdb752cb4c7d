//! `TagResource`, `UntagResource`, `ListTagsForResource`, and the rules every tag obeys.
//!
//! Simplified: task definitions and capacity providers carry no tags in this account. `\p{L}` and `\p{N}` of
//! AWS's pattern are Rust's alphabetic and numeric characters, which also take a few combining marks.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::service_shape::status;
use super::{Answer, Change, names};
use crate::account::{Account, Cluster, ContainerInstanceStatus, Tags};
use crate::timeline;
use crate::wire::{ApiError, json};

/// Tags a resource can have.
const LIMIT: usize = 50;

/// A tag as requests and answers write it.
#[derive(Debug, Serialize)]
pub(super) struct TagShape<'a> {
    key: &'a str,
    value: &'a str,
}

impl<'a> TagShape<'a> {
    /// All tags, or none where the caller did not ask for them.
    pub(super) fn list(tags: &'a Tags, asked: bool) -> Vec<Self> {
        tags.iter().filter(|_| asked).map(|(key, value)| Self { key, value }).collect()
    }
}

/// A tag in a request.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct TagInput {
    key: String,
    value: String,
}

/// Checks tags of a request against AWS's rules.
pub(super) fn checked(tags: Vec<TagInput>) -> Result<Tags, ApiError> {
    if tags.len() > LIMIT {
        return Err(ApiError::invalid_parameter(format!("A resource can have at most {LIMIT} tags.")));
    }
    let count = tags.len();
    let tags: Tags = tags
        .into_iter()
        .map(|tag| Ok((check_key(tag.key)?, check_value(tag.value)?)))
        .collect::<Result<_, ApiError>>()?;
    if tags.len() < count {
        return Err(ApiError::invalid_parameter("Duplicate tag keys found. Please specify each key once."));
    }
    Ok(tags)
}

fn check_key(key: String) -> Result<String, ApiError> {
    if key.is_empty() || key.chars().count() > 128 || !key.chars().all(is_allowed) {
        return Err(ApiError::invalid_parameter(format!("Tag key {key:?} breaks the rules for tag keys.")));
    }
    if is_reserved(&key) {
        return Err(ApiError::invalid_parameter("Tag keys must not start with aws:, which is reserved."));
    }
    Ok(key)
}

fn check_value(value: String) -> Result<String, ApiError> {
    if value.chars().count() > 256 || !value.chars().all(is_allowed) || is_reserved(&value) {
        return Err(ApiError::invalid_parameter(format!(
            "Tag value {value:?} breaks the rules for tag values."
        )));
    }
    Ok(value)
}

/// The API reference reserves the prefix in any mixture of cases, for keys and for values.
fn is_reserved(text: &str) -> bool {
    text.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"))
}

fn is_allowed(character: char) -> bool {
    character.is_alphanumeric()
        || (character.is_whitespace() && !character.is_control())
        || "_.:/=+-@".contains(character)
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Input {
    resource_arn: String,
    tags: Vec<TagInput>,
    tag_keys: Vec<String>,
}

pub(super) fn tag(change: &mut Change<'_>, input: &Value) -> Answer {
    let input: Input = json::input(input)?;
    let added = checked(input.tags)?;
    let mut tags = tags_of(change.account, &input.resource_arn)?.clone();
    let what = format!("tagged {}", written(&added));
    tags.extend(added);
    if tags.len() > LIMIT {
        return Err(ApiError::new("LimitExceededException", "The limit for the resource was exceeded."));
    }
    *tags_of_mut(change.account, &input.resource_arn)? = tags;
    let subject = subject(change.account, &input.resource_arn);
    change.note(subject, what);
    Ok(b"{}".to_vec())
}

pub(super) fn untag(change: &mut Change<'_>, input: &Value) -> Answer {
    let input: Input = json::input(input)?;
    for key in &input.tag_keys {
        check_key(key.clone())?;
    }
    let tags = tags_of_mut(change.account, &input.resource_arn)?;
    tags.retain(|key, _| !input.tag_keys.contains(key));
    let subject = subject(change.account, &input.resource_arn);
    change.note(subject, format!("untagged {}", input.tag_keys.join(", ")));
    Ok(b"{}".to_vec())
}

pub(super) fn list(account: &Account, input: &Value) -> Answer {
    #[derive(Serialize)]
    struct Output<'a> {
        tags: Vec<TagShape<'a>>,
    }
    let input: Input = json::input(input)?;
    let tags = tags_of(account, &input.resource_arn).map_err(unlisted)?;
    Ok(json::output(&Output { tags: TagShape::list(tags, true) }))
}

fn written(tags: &Tags) -> String {
    tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ")
}

/// The short name under which the history knows what an ARN points at.
fn subject(account: &Account, arn: &str) -> String {
    let found = parts(arn).ok().and_then(|(_, cluster, _)| account.clusters.get(cluster));
    let task = found.and_then(|cluster| cluster.tasks.get(arn)).map(timeline::short);
    let instance = || found.and_then(|cluster| cluster.container_instances.get(arn));
    let instance = || instance().map(|instance| instance.ec2_instance_id.clone());
    task.or_else(instance).unwrap_or_else(|| names::short(arn).to_owned())
}

/// What an ARN points at: kind, cluster, and the id inside the cluster.
fn parts(arn: &str) -> Result<(&str, &str, &str), ApiError> {
    let malformed = || ApiError::invalid_parameter(format!("Invalid resource ARN: {arn}"));
    let path = arn.strip_prefix("arn:").and_then(|_| arn.splitn(6, ':').nth(5)).ok_or_else(malformed)?;
    let mut parts = path.split('/');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("cluster"), Some(cluster), None, None) => Ok(("cluster", cluster, "")),
        (Some(kind), Some(cluster), Some(id), None) => Ok((kind, cluster, id)),
        _ => Err(malformed()),
    }
}

/// Of this operation the API reference lists no `ResourceNotFoundException`.
fn unlisted(error: ApiError) -> ApiError {
    if error.code == "ResourceNotFoundException" { ApiError::invalid_parameter(error.message) } else { error }
}

fn missing() -> ApiError {
    ApiError::new("ResourceNotFoundException", "The specified resource wasn't found.")
}

fn inactive() -> ApiError {
    ApiError::invalid_parameter(
        "The specified resource is inactive. Specify an active resource and try again.",
    )
}

fn tags_of<'a>(account: &'a Account, arn: &str) -> Result<&'a Tags, ApiError> {
    let (kind, cluster, id) = parts(arn)?;
    let cluster = names::cluster(account, Some(cluster))?;
    check_active(cluster, kind, arn, id)?;
    match kind {
        "cluster" => Some(&cluster.tags),
        "service" => cluster.services.get(id).map(|service| &service.tags),
        "task" => cluster.tasks.get(arn).map(|task| &task.tags),
        "container-instance" => cluster.container_instances.get(arn).map(|instance| &instance.tags),
        _ => None,
    }
    .ok_or_else(missing)
}

fn tags_of_mut<'a>(account: &'a mut Account, arn: &str) -> Result<&'a mut Tags, ApiError> {
    let (kind, cluster, id) = parts(arn)?;
    let cluster = names::cluster_mut(account, Some(cluster))?;
    check_active(cluster, kind, arn, id)?;
    match kind {
        "cluster" => Some(&mut cluster.tags),
        "service" => cluster.services.get_mut(id).map(|service| &mut service.tags),
        "task" => cluster.tasks.get_mut(arn).map(|task| &mut task.tags),
        "container-instance" => cluster.container_instances.get_mut(arn).map(|instance| &mut instance.tags),
        _ => None,
    }
    .ok_or_else(missing)
}

/// When a resource is deleted, its tags are gone with it.
fn check_active(cluster: &Cluster, kind: &str, arn: &str, id: &str) -> Result<(), ApiError> {
    let gone = match kind {
        "service" => cluster.services.get(id).is_some_and(|service| status(cluster, service) == "INACTIVE"),
        "container-instance" => cluster
            .container_instances
            .get(arn)
            .is_some_and(|instance| instance.status == ContainerInstanceStatus::Inactive),
        _ => false,
    };
    if gone { Err(inactive()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, value: &str) -> Result<Tags, ApiError> {
        checked(vec![TagInput { key: key.to_owned(), value: value.to_owned() }])
    }

    #[test]
    fn tags_obey_length_and_pattern() {
        assert!(check("evenkeel:move", "1:4:ab/cd=ef+gh-ij@kl äö").is_ok());
        assert!(check(&"k".repeat(128), &"v".repeat(256)).is_ok());
        for (key, value) in
            [("", "x"), ("aws:x", "y"), ("AWS:x", "y"), ("a;b", "y"), ("k", "{json}"), ("k", "a\nb")]
        {
            assert_eq!(check(key, value).unwrap_err().code, "InvalidParameterException", "{key} {value}");
        }
        assert!(check(&"k".repeat(129), "").is_err());
        assert!(check("k", &"v".repeat(257)).is_err());
    }

    #[test]
    fn an_arn_is_taken_apart() {
        assert_eq!(parts("arn:aws:ecs:r:1:service/web/api").unwrap(), ("service", "web", "api"));
        assert_eq!(parts("arn:aws:ecs:r:1:cluster/web").unwrap(), ("cluster", "web", ""));
        assert!(parts("web").is_err());
    }
}
