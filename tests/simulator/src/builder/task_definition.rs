//! One task definition, as a test wants it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::account::{Pace, PlacementConstraint, TaskDefinition};

/// What a small web service takes: two seconds until the agent has it, eight to pull, fifteen to get healthy,
/// five to exit.
const TYPICAL: Pace = Pace {
    pending: Duration::from_secs(2),
    activating: Duration::from_secs(8),
    health: Duration::from_secs(15),
    stopping: Duration::from_secs(5),
};

/// Describes one task definition.
#[derive(Clone, Debug)]
pub struct TaskDefinitionBuilder(TaskDefinition);

impl TaskDefinitionBuilder {
    pub(super) fn new(arn: String, family: &str) -> Self {
        Self(TaskDefinition {
            arn,
            family: family.to_owned(),
            revision: 1,
            cpu: 256,
            memory: 512,
            network_mode: "bridge".to_owned(),
            port_mappings: BTreeMap::new(),
            has_health_check: false,
            stop_timeout: None,
            placement_constraints: Vec::new(),
            image: format!("{family}:1"),
            typical: TYPICAL,
            sick_percent: 0,
            fails_to_start_percent: 0,
        })
    }

    /// CPU units of the task.
    #[must_use]
    pub fn cpu(mut self, units: u64) -> Self {
        self.0.cpu = units;
        self
    }

    /// Memory of the task in MiB.
    #[must_use]
    pub fn memory(mut self, mebibytes: u64) -> Self {
        self.0.memory = mebibytes;
        self
    }

    /// Maps a container port to a host port; host port 0 is dynamic.
    #[must_use]
    pub fn container_port(mut self, container_port: u16, host_port: u16) -> Self {
        self.0.port_mappings.insert(container_port, host_port);
        self
    }

    /// `bridge`, `host` or `awsvpc`.
    #[must_use]
    pub fn network_mode(mut self, mode: &str) -> Self {
        mode.clone_into(&mut self.0.network_mode);
        self
    }

    /// Gives the container a health check.
    #[must_use]
    pub fn health_check(mut self) -> Self {
        self.0.has_health_check = true;
        self
    }

    /// Sets `stopTimeout`.
    #[must_use]
    pub fn stop_timeout(mut self, timeout: Duration) -> Self {
        self.0.stop_timeout = Some(timeout);
        self
    }

    /// Sets how long the stations of a task's life typically take.
    #[must_use]
    pub fn pace(mut self, typical: Pace) -> Self {
        self.0.typical = typical;
        self
    }

    /// Sets how many of a hundred new tasks never get healthy.
    #[must_use]
    pub fn sick_percent(mut self, percent: u32) -> Self {
        self.0.sick_percent = percent;
        self
    }

    /// Sets how many of a hundred new tasks stop before they run.
    #[must_use]
    pub fn fails_to_start_percent(mut self, percent: u32) -> Self {
        self.0.fails_to_start_percent = percent;
        self
    }

    /// Adds a `memberOf` constraint.
    #[must_use]
    pub fn member_of(mut self, expression: &str) -> Self {
        self.0.placement_constraints.push(PlacementConstraint::MemberOf(expression.to_owned()));
        self
    }

    pub(super) fn build(self) -> TaskDefinition {
        self.0
    }
}
