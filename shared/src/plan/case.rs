//! One service, and everything a decision about it may look at.

use std::collections::BTreeMap;

use crate::ids::ServiceName;
use crate::plan::proposal::Limits;
use crate::plan::reason::Reason;
use crate::snapshot::{ClusterSnapshot, Known, Service, Task, TaskDefinition};

/// One service, and everything a decision about it may look at.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// The cluster it is in.
    pub snapshot: &'a ClusterSnapshot,
    /// What the plan may do.
    pub limits: &'a Limits,
    /// The service.
    pub service: &'a Service,
    /// Its tasks that ECS means to run, in order of ARN.
    pub tasks: Vec<&'a Task>,
}

impl<'a> Case<'a> {
    /// The case of every service, in order of name; the tasks are sorted out in one pass over the cluster.
    pub fn all(snapshot: &'a ClusterSnapshot, limits: &'a Limits) -> Vec<Self> {
        let mut tasks: BTreeMap<&ServiceName, Vec<&Task>> = BTreeMap::new();
        for task in snapshot.tasks.values().filter(|task| task.is_wanted()) {
            if let Some(service) = &task.service {
                tasks.entry(service).or_default().push(task);
            }
        }
        let case = |service: &'a Service| {
            let tasks = tasks.remove(&service.name).unwrap_or_default();
            Self { snapshot, limits, service, tasks }
        };
        snapshot.services.values().map(case).collect()
    }

    /// The case of one service; `None` if the snapshot does not have it.
    pub fn of(snapshot: &'a ClusterSnapshot, limits: &'a Limits, service: &ServiceName) -> Option<Self> {
        let service = snapshot.services.get(service)?;
        Some(Self { snapshot, limits, service, tasks: snapshot.wanted_tasks(&service.name).collect() })
    }

    /// Whether its rebalance has begun in this invocation.
    pub fn is_triggered(&self) -> bool {
        self.limits.triggered.contains(&self.service.name)
    }

    /// The service's task definition, or why it is not known.
    pub fn definition(&self) -> Result<&'a TaskDefinition, Reason> {
        let name = &self.service.task_definition;
        let why = match self.snapshot.task_definitions.get(name) {
            Some(Known::Known(definition)) => return Ok(definition),
            Some(Known::Unknown(error)) => format!("could not be read: {error}"),
            Some(Known::NotAsked) | None => "was not read".to_owned(),
        };
        Err(Reason::CannotTell { what: format!("task definition {} {why}", name.short()) })
    }
}
