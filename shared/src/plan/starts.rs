//! Which planned moves may begin now: budget, pause, and how many tasks an instance is given at once.
//!
//! A new instance is everybody's target, and it is the one that has no image yet. If all moves went there at once, they
//! would pull and start at once, and none would get healthy in time.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::ids::ContainerInstanceArn;
use crate::plan::candidate;
use crate::plan::proposal::{Limits, Move};
use crate::plan::reason::{Blocked, Reason, Subject, SubjectKind};
use crate::snapshot::{ClusterSnapshot, TaskStatus};

/// Tasks that may be on their way to one instance at the same time: pulling an image is limited by the instance's network
/// and disk, and three at a time still fill a new instance in minutes.
const ARRIVALS_MAX: u32 = 3;

/// Lets moves through until a limit is reached.
pub struct Gate {
    paused: Option<Blocked>,
    left: u32,
    arriving: BTreeMap<ContainerInstanceArn, u32>,
    /// The moves that may begin.
    pub passed: Vec<Move>,
}

impl Gate {
    /// A gate for one turn.
    pub fn new(snapshot: &ClusterSnapshot, limits: &Limits) -> Self {
        let subject = Subject::new(SubjectKind::Cluster, &snapshot.cluster);
        let paused = candidate::reason_paused(snapshot).map(|reason| subject.blocked(reason));
        let at_once = limits.moves_at_once.saturating_sub(limits.in_flight.len() as u32);
        let left = limits.moves_max.min(at_once);
        Self { paused, left, arriving: arriving(snapshot, limits), passed: Vec::new() }
    }

    /// Why a move must wait.
    pub fn reason_not_open(&self, planned: &Move) -> Result<(), Blocked> {
        if let Some(paused) = &self.paused {
            return Err(paused.clone());
        }
        let subject = Subject::new(SubjectKind::Service, &planned.service);
        if self.left == 0 {
            return Err(subject.blocked(Reason::Budget));
        }
        let crowded = |arn: &&ContainerInstanceArn| self.arriving.get(*arn).copied() >= Some(ARRIVALS_MAX);
        match Some(&planned.to).filter(crowded) {
            Some(arn) => {
                let reason = Reason::Arrivals { instance: arn.clone(), arriving: self.arriving[arn] };
                Err(subject.blocked(reason))
            }
            None => Ok(()),
        }
    }

    /// Lets a move through.
    pub fn pass(&mut self, planned: Move) {
        self.left = self.left.saturating_sub(1);
        *self.arriving.entry(planned.to.clone()).or_default() += 1;
        self.passed.push(planned);
    }
}

/// Tasks on their way to each instance: those that moves in flight mean to start there, and all others that do not run
/// yet, an image still being pulled among them.
fn arriving(snapshot: &ClusterSnapshot, limits: &Limits) -> BTreeMap<ContainerInstanceArn, u32> {
    let mut arriving: BTreeMap<ContainerInstanceArn, u32> = BTreeMap::new();
    for heading in limits.heading.values() {
        *arriving.entry(heading.to.clone()).or_default() += 1;
    }
    let is_starting = |status: TaskStatus| status < TaskStatus::Running;
    for task in snapshot.tasks.values().filter(|task| task.is_wanted() && is_starting(task.last_status)) {
        let is_of_a_move = task.service.as_ref().is_some_and(|service| limits.heading.contains_key(service));
        if let Some(instance) = task.container_instance.as_ref().filter(|_| !is_of_a_move) {
            *arriving.entry(instance.clone()).or_default() += 1;
        }
    }
    arriving
}
