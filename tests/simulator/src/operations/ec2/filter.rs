//! Filters of `DescribeInstances`: all must match, each by one of its values, in which `*` and `?` are wildcards.

use serde::Deserialize;

use super::shape;
use crate::account::{Machine, Market};
use crate::wire::ApiError;

/// Filters that can be named without a tag.
const NAMES: [&str; 8] = [
    "availability-zone",
    "image-id",
    "instance-id",
    "instance-lifecycle",
    "instance-state-code",
    "instance-state-name",
    "instance-type",
    "tag-key",
];

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Filter {
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "Value")]
    values: Vec<String>,
}

impl Filter {
    pub(super) fn check(&self) -> Result<(), ApiError> {
        if self.name.starts_with("tag:") || NAMES.contains(&self.name.as_str()) {
            return Ok(());
        }
        Err(ApiError::new("InvalidParameterValue", format!("The filter '{}' is invalid", self.name)))
    }

    pub(super) fn matches(&self, machine: &Machine) -> bool {
        let has =
            |value: &str| self.values.iter().any(|pattern| is_like(pattern.as_bytes(), value.as_bytes()));
        let (state, code) = machine.state.name_and_code();
        match self.name.as_str() {
            "availability-zone" => has(&machine.zone),
            "image-id" => has(&machine.image_id),
            "instance-id" => has(&machine.id),
            "instance-lifecycle" => machine.market == Market::Spot && has("spot"),
            "instance-state-code" => has(&code.to_string()),
            "instance-state-name" => has(state),
            "instance-type" => has(&machine.instance_type),
            "tag-key" => shape::tags(machine).keys().any(|key| has(key)),
            tag => {
                let tags = shape::tags(machine);
                tag.strip_prefix("tag:").and_then(|key| tags.get(key)).is_some_and(|value| has(value))
            }
        }
    }
}

/// Whether the text is as the pattern says; the backslash that would take a wildcard's meaning away is not known.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => {
            is_like(rest, text) || text.split_first().is_some_and(|(_, tail)| is_like(pattern, tail))
        }
        ([b'?', rest @ ..], [_, tail @ ..]) => is_like(rest, tail),
        ([exact, rest @ ..], [first, tail @ ..]) => exact == first && is_like(rest, tail),
        _ => false,
    }
}
