//! One turn of the rebalance of one cluster: observe, plan, execute, and say whether another turn is worth while.
//!
//! Turns share nothing but [`Memory`], and a turn that is lost, repeated or overlapped does no harm: what is under way
//! stands in the records on the services.

pub mod drain;
mod memory;
mod moves;
mod release;
mod rests;
pub mod rollout;
mod starts;

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::Aws;
use crate::error::Error;
use crate::ids::{ClusterName, ServiceName};
use crate::observe;
use crate::percent::Percent;
use crate::plan::proposal::{Limits, Move, RebalancePlan};
use crate::plan::reason::{Blocked, Reason};
use crate::plan::rebalance::{candidates, plan_rebalance};
use crate::plan::record::{MoveRecord, record_of};
use crate::settings::Settings;
use crate::snapshot::ClusterSnapshot;

pub use memory::Memory;

/// Moves under way at the same time in one cluster. Each holds one surplus task and costs about ten calls a turn of the
/// account's buckets; five level a large cluster in minutes and stay below a fifth of the 5 `UpdateService` a second.
pub const MOVES_AT_ONCE: u32 = 5;

/// What the turns are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Job {
    /// Even out.
    #[default]
    Rebalance,
    /// Undo everything of Evenkeel's.
    Release,
}

impl Job {
    /// Its name in commands and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rebalance => "rebalance",
            Self::Release => "release",
        }
    }
}

/// What a rebalance is asked to do, after settings and command are joined.
#[derive(Clone, Debug)]
pub struct Rebalance<'a> {
    /// AWS.
    pub aws: &'a Aws,
    /// Settings.
    pub settings: &'a Settings,
    /// The cluster.
    pub cluster: ClusterName,
    /// What to do there.
    pub job: Job,
    /// Plan and report only.
    pub dry_run: bool,
    /// Threshold of this invocation.
    pub skew_threshold: Percent,
    /// Move budget of this invocation.
    pub max_moves: u32,
}

/// What one turn found and did.
#[derive(Debug)]
pub struct Turn {
    /// Whether there is something to go on with after a pause.
    pub goes_on: bool,
    /// Why candidates were left alone, as of this turn.
    pub blocked: Vec<Blocked>,
    /// The moves the plan asks for.
    pub planned: Vec<Move>,
    /// Services above the threshold that could be improved and are not being moved.
    pub is_held_up: bool,
    /// The cluster as a whole takes no new moves, and some are wanted.
    pub is_obstructed: bool,
}

impl Rebalance<'_> {
    /// Runs one turn.
    pub async fn turn(&self, memory: &mut Memory) -> Result<Turn, Error> {
        match self.job {
            Job::Rebalance => self.rebalance(memory).await,
            Job::Release => self.release(memory).await,
        }
    }

    async fn rebalance(&self, memory: &mut Memory) -> Result<Turn, Error> {
        let mut snapshot = observe::cluster(self.aws, &self.cluster).await?;
        let records = records(&snapshot);
        let in_flight: BTreeSet<ServiceName> = records.keys().cloned().collect();
        let look_at = candidates(&snapshot, &self.limits(memory, &in_flight));
        observe::details(self.aws, &mut snapshot, &look_at, &in_flight, &mut memory.definitions).await;

        let mut blocked = self.go_on_with_moves(&snapshot, &records, memory).await;
        self.forget_rests(&snapshot, &in_flight, memory).await;
        let is_moving = records.values().any(Option::is_some) || blocked.iter().any(is_stale_read);
        let plan = plan_rebalance(&snapshot, &self.limits(memory, &in_flight));
        memory.note_states(&plan);
        let reads_others = memory.pass_over(&plan, look_at);
        blocked.extend(plan.services.iter().flat_map(|it| it.blocked.clone()));
        blocked.extend(plan.load.blocked.iter().chain(&plan.blocked).cloned());
        let obstacle = self.obstacle(&snapshot, memory).await;
        let is_obstructed = obstacle.is_some() && !plan.starts.is_empty();
        let starts = self.start_moves(&snapshot, &plan, obstacle.as_ref(), memory).await;
        blocked.extend(obstacle.filter(|_| is_obstructed || !in_flight.is_empty()));
        blocked.extend(starts.blocked);

        memory.moves.in_flight = self.count_in_flight(&records, memory) + starts.begun;
        Ok(Turn {
            goes_on: !self.dry_run && (is_moving || starts.begun > 0 || starts.waits || reads_others),
            is_held_up: self.is_held_up(&plan),
            is_obstructed: is_obstructed || starts.is_held_up && !starts.waits,
            planned: plan.services.into_iter().flat_map(|it| it.moves).chain(plan.load.moves).collect(),
            blocked,
        })
    }

    fn limits(&self, memory: &Memory, in_flight: &BTreeSet<ServiceName>) -> Limits {
        let free = MOVES_AT_ONCE.saturating_sub(in_flight.len() as u32);
        Limits {
            skew_threshold: self.skew_threshold,
            moves_max: self.max_moves.saturating_sub(memory.moves.started).min(free),
            triggered: memory.triggered.clone(),
            own_tasks: memory.own_tasks.clone(),
            in_flight: in_flight.clone(),
            heading: memory.heading(),
            passed_over: memory.passed_over.clone(),
            set_aside: memory.set_aside.clone(),
            ..Limits::of(self.settings, MOVES_AT_ONCE)
        }
    }

    fn count_in_flight(&self, records: &BTreeMap<ServiceName, Option<MoveRecord>>, memory: &Memory) -> u32 {
        if self.dry_run {
            return records.len() as u32;
        }
        let running =
            |(name, record): &(&ServiceName, &Option<MoveRecord>)| record.is_some() && !memory.is_over(name);
        records.iter().filter(running).count() as u32
    }

    fn is_held_up(&self, plan: &RebalancePlan) -> bool {
        let is_quiet = |blocked: &Blocked| matches!(blocked.reason, Reason::LoadStays { .. });
        if plan.load.moves.is_empty() && plan.load.blocked.iter().any(|it| !is_quiet(it)) {
            return true;
        }
        plan.services.iter().any(|it| {
            let is_past = it.raw_skew > Some(self.skew_threshold);
            let is_quiet = |blocked: &Blocked| {
                matches!(
                    blocked.reason,
                    Reason::AlreadyOptimal { .. } | Reason::BelowThreshold { .. } | Reason::Daemon
                )
            };
            is_past && it.moves.is_empty() && !it.blocked.is_empty() && !it.blocked.iter().any(is_quiet)
        })
    }
}

/// The records in a snapshot; `None` for a tag of ours that holds something else.
fn records(snapshot: &ClusterSnapshot) -> BTreeMap<ServiceName, Option<MoveRecord>> {
    let of = |(name, service): (&ServiceName, _)| Some((name.clone(), record_of(service)?.ok()));
    snapshot.services.iter().filter_map(of).collect()
}

fn is_stale_read(blocked: &Blocked) -> bool {
    matches!(blocked.reason, Reason::StaleRead { .. })
}
