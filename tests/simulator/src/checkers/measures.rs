//! What a run cost: not promises but numbers, for comparing strategies and for the README.

use std::collections::BTreeMap;

use super::survey::{ServiceNow, Survey};

/// Costs of a run, by service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measures {
    /// By `cluster/service`; REPLICA services only.
    pub services: BTreeMap<String, OfService>,
}

/// Costs of one service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfService {
    /// Seconds times healthy tasks short of those owed (desired, less the increment of a recorded move).
    pub task_seconds_below: u64,
    /// The most healthy tasks that were missing at one moment.
    pub deepest_dip: u32,
    /// Tasks that got SIGTERM while a target of theirs was still registered.
    pub undrained_kills: u32,
    /// Tasks started.
    pub starts: u32,
    /// Seconds times wanted tasks above those owed.
    pub surplus_task_seconds: u64,
}

impl Measures {
    /// The costs of one service so far.
    pub fn of(&self, cluster: &str, service: &str) -> OfService {
        self.services.get(&format!("{cluster}/{service}")).copied().unwrap_or_default()
    }

    /// Adds one second.
    pub(super) fn add(&mut self, survey: &Survey) {
        for (name, now) in &survey.services {
            match self.services.get_mut(name) {
                Some(costs) => costs.add(now),
                None => self.services.entry(name.clone()).or_default().add(now),
            }
        }
    }
}

impl OfService {
    fn add(&mut self, now: &ServiceNow) {
        let missing = now.owed().saturating_sub(now.healthy);
        self.task_seconds_below += u64::from(missing);
        self.deepest_dip = self.deepest_dip.max(missing);
        self.undrained_kills += now.undrained;
        self.starts += now.started;
        self.surplus_task_seconds += u64::from(now.wanted.saturating_sub(now.owed()));
    }
}
