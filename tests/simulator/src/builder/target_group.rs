//! One target group, as a test wants it.

use std::time::Duration;

use crate::account::TargetGroup;

/// Describes one target group.
#[derive(Clone, Debug)]
pub struct TargetGroupBuilder(TargetGroup);

impl TargetGroupBuilder {
    pub(super) fn new(arn: String, name: &str) -> Self {
        Self(TargetGroup {
            arn,
            name: name.to_owned(),
            deregistration_delay: Duration::from_mins(5),
            targets: Vec::new(),
        })
    }

    /// `deregistration_delay.timeout_seconds`.
    #[must_use]
    pub fn deregistration_delay(mut self, delay: Duration) -> Self {
        self.0.deregistration_delay = delay;
        self
    }

    pub(super) fn build(self) -> TargetGroup {
        self.0
    }
}
