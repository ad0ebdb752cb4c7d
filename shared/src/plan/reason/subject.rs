//! What a reason is about.

use serde::Serialize;

use super::{Blocked, Reason};

/// What a reason is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// What kind of thing.
    pub kind: SubjectKind,
    /// Its name or ARN.
    pub name: String,
}

/// What kind of thing a reason is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub enum SubjectKind {
    Cluster,
    Service,
    Task,
    ContainerInstance,
}

impl Subject {
    /// A subject of this kind and name.
    pub fn new(kind: SubjectKind, name: impl std::fmt::Display) -> Self {
        Self { kind, name: name.to_string() }
    }

    /// The subject together with the reason it was left alone.
    pub fn blocked(self, reason: Reason) -> Blocked {
        Blocked { subject: self, reason }
    }
}
