//! What AWS has told EventBridge, before anybody knows whether and when it is delivered.

use serde_json::Value;

use crate::time::SimTime;

/// One event as its service emitted it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When it happened; the envelope says the same in whole seconds.
    pub at: SimTime,
    /// The whole JSON document that a rule's target would be handed.
    pub envelope: Value,
}

impl Event {
    /// The member `detail-type`.
    pub fn detail_type(&self) -> &str {
        self.envelope["detail-type"].as_str().unwrap_or_default()
    }

    /// The member `source`.
    pub fn source(&self) -> &str {
        self.envelope["source"].as_str().unwrap_or_default()
    }

    /// A member of `detail`, empty if it is absent or no text.
    pub fn detail(&self, member: &str) -> &str {
        self.envelope["detail"][member].as_str().unwrap_or_default()
    }
}
