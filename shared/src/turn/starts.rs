//! Beginning new moves: what stands against any, and which of the planned ones two observations agree on.

use crate::execute::{Begun, Execute, execute_surge_on};
use crate::plan::health::{Health, health_of};
use crate::plan::proposal::{Layer, Move, RebalancePlan};
use crate::plan::reason::{Blocked, Reason, Subject, SubjectKind};
use crate::plan::record::{PAUSE_TAG, SURGE_OFF_TAG};
use crate::plan::surge::surge_off_until;
use crate::snapshot::{ClusterSnapshot, Known, Service};

use super::{Memory, Rebalance};

/// What came of beginning moves.
#[derive(Debug, Default)]
pub(super) struct Starts {
    pub(super) begun: u32,
    /// Some wait for a second observation.
    pub(super) waits: bool,
    /// Some planned move cannot begin as things are.
    pub(super) is_held_up: bool,
    pub(super) blocked: Vec<Blocked>,
}

impl Rebalance<'_> {
    /// What keeps any new move in this cluster from beginning.
    pub(super) async fn obstacle(&self, snapshot: &ClusterSnapshot, memory: &mut Memory) -> Option<Blocked> {
        let subject = Subject::new(SubjectKind::Cluster, &self.cluster);
        let tags = match &snapshot.tags {
            Known::Known(tags) => tags,
            Known::Unknown(why) => {
                let what = format!("whether the cluster is paused: {why}");
                return Some(subject.blocked(Reason::CannotTell { what }));
            }
            Known::NotAsked => return None,
        };
        if tags.contains_key(PAUSE_TAG) {
            return Some(subject.blocked(Reason::Paused));
        }
        match surge_off_until(tags) {
            Some(until) if until > snapshot.observed_at => Some(subject.blocked(Reason::SurgeOff { until })),
            Some(_) if !self.dry_run => {
                let action = execute_surge_on(self.aws, &self.cluster, tags.get(SURGE_OFF_TAG)).await;
                memory.actions.push(action);
                None
            }
            _ => None,
        }
    }

    /// Begins the planned moves that two observations agree on.
    pub(super) async fn start_moves(
        &self,
        snapshot: &ClusterSnapshot,
        plan: &RebalancePlan,
        obstacle: Option<&Blocked>,
        memory: &mut Memory,
    ) -> Starts {
        let mut starts = Starts::default();
        if obstacle.is_some() || self.dry_run {
            return starts;
        }
        let confirmed = memory.confirm(plan, snapshot.observed_at, self.settings.confirm_after);
        starts.waits = plan.starts.iter().any(|it| !confirmed.contains(&it.service));
        if plan.starts.iter().any(|it| confirmed.contains(&it.service)) {
            log_snapshot(snapshot);
        }
        for planned in &plan.starts {
            let subject = Subject::new(SubjectKind::Service, &planned.service);
            if !confirmed.contains(&planned.service) {
                starts.blocked.push(subject.blocked(Reason::NotConfirmed));
                continue;
            }
            match self.start_move(snapshot, planned, bound_of(plan, planned), memory).await {
                Ok(()) => starts.begun += 1,
                Err(reason) => {
                    starts.waits |= memory.is_worth_another_try(&planned.service, &reason);
                    starts.is_held_up = true;
                    starts.blocked.push(subject.blocked(reason));
                }
            }
        }
        starts
    }

    /// Begins one move of a service whose tasks all serve: without that, one more could neither be judged nor taken back.
    async fn start_move(
        &self,
        snapshot: &ClusterSnapshot,
        planned: &Move,
        lower_bound: u32,
        memory: &mut Memory,
    ) -> Result<(), Reason> {
        let Some(service) = snapshot.services.get(&planned.service) else {
            return Err(Reason::StaleRead { what: "the service is not in the snapshot".to_owned() });
        };
        self.reason_not_serving(snapshot, service).map_or(Ok(()), Err)?;
        let execute = Execute { aws: self.aws, snapshot, service, record: None };
        let (begun, actions) = execute.execute_begin(planned, self.settings.move_timeout).await;
        memory.actions.extend(actions);
        match begun {
            Begun::Recorded(record) => {
                memory.begin(planned, &record, lower_bound);
                Ok(())
            }
            Begun::Otherwise(what) => Err(Reason::StaleRead { what }),
            Begun::Refused(error) => Err(Reason::RecordRefused { error }),
        }
    }

    fn reason_not_serving(&self, snapshot: &ClusterSnapshot, service: &Service) -> Option<Reason> {
        let health = |task| health_of(snapshot, service, task, self.settings.healthy_after);
        snapshot.wanted_tasks(&service.name).find_map(|task| match health(task) {
            Health::Healthy => None,
            Health::NotHealthy => Some(Reason::Unhealthy { task: task.arn.clone() }),
            Health::CannotTell(what) => Some(Reason::CannotTell { what }),
        })
    }
}

/// The proven lower bound of the rebalance that a move belongs to.
fn bound_of(plan: &RebalancePlan, planned: &Move) -> u32 {
    match planned.layer {
        Layer::Service => {
            plan.services.iter().find(|it| it.service == planned.service).map_or(0, |it| it.lower_bound)
        }
        Layer::Cluster => plan.load.groups.iter().map(|group| group.lower_bound).sum(),
    }
}

/// What a move was decided from, so that the decision can be replayed.
fn log_snapshot(snapshot: &ClusterSnapshot) {
    if tracing::enabled!(tracing::Level::DEBUG) {
        let json = serde_json::to_string(snapshot).unwrap_or_else(|error| format!("unprintable: {error}"));
        tracing::debug!(cluster = %snapshot.cluster, snapshot = json, "snapshot");
    }
}
