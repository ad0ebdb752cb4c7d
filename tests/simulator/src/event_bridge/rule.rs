//! A rule: a name that a test driver understands, and the pattern of the events it wants.

use std::collections::BTreeMap;

use serde_json::Value;

/// A rule on the default event bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, which every delivery carries.
    pub name: String,
    sources: Vec<String>,
    detail_types: Vec<String>,
    details: BTreeMap<String, Vec<String>>,
}

impl Rule {
    /// A rule that wants everything as long as nothing is named.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            sources: Vec::new(),
            detail_types: Vec::new(),
            details: BTreeMap::new(),
        }
    }

    /// Wants events from this source, or from another one named like this.
    #[must_use]
    pub fn source(mut self, source: &str) -> Self {
        self.sources.push(source.to_owned());
        self
    }

    /// Wants events of this detail type, or of another one named like this.
    #[must_use]
    pub fn detail_type(mut self, detail_type: &str) -> Self {
        self.detail_types.push(detail_type.to_owned());
        self
    }

    /// Wants only events with one of these values in this member of `detail`.
    #[must_use]
    pub fn detail(mut self, member: &str, values: &[&str]) -> Self {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        self.details.insert(member.to_owned(), values);
        self
    }

    /// Whether the rule wants this event.
    pub fn matches(&self, envelope: &Value) -> bool {
        let named = |list: &[String], value: &Value| {
            list.is_empty() || value.as_str().is_some_and(|value| list.iter().any(|name| name == value))
        };
        named(&self.sources, &envelope["source"])
            && named(&self.detail_types, &envelope["detail-type"])
            && self.details.iter().all(|(member, values)| named(values, &envelope["detail"][member]))
    }
}
