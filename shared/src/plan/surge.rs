//! The next step of a move in flight: *protected scale-in*, one observable transition at a time.
//!
//! ```text
//! phase   desired count      what happens                                            next
//! guard   before             protect every task but the chosen one                   raise, once they are seen
//! raise   before + starts    wait for the new task; if it landed where it does not   lower, once all is healthy
//!                            help, add another (ballast), up to the announced limit  undo on time-out or no use
//! lower   before + starts    all but the leaving tasks healthy and protected: lower  settle
//! undo    before + starts    the same, but the new tasks leave; those that do not    undone
//!                            serve are stopped by name just before the lowering
//! yield   before + starts    somebody deploys: wait, then take the increment back    yielded
//! settle  before             take protections off, wait for STOPPED, drop the record -
//! undone, yielded            the same                                                -
//! ```
//!
//! The function is pure: the same snapshot gives the same step. The executor looks again right before a change of the
//! desired count and asks for the step anew; only if it is still the same does it write. Whoever else changes the
//! desired count in between keeps it: then the record is dropped and the increment is theirs.

mod back;
mod close;
mod forward;
mod safe;
pub(in crate::plan) mod seen;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::Serialize;

use crate::ids::TaskArn;
use crate::plan::proposal::Limits;
use crate::plan::record::{MoveRecord, Phase};
use crate::plan::rest::Rest;
use crate::snapshot::{ClusterSnapshot, RolloutState, Service};
use crate::timestamp::Timestamp;
use seen::Seen;

/// How a move ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// The chosen task left and the new one took over.
    Moved,
    /// It was undone: nothing moved.
    RolledBack,
    /// Somebody else wrote the desired count; it is theirs now.
    DesiredChanged,
    /// A deployment or the pause tag came first.
    Yielded,
    /// ECS stopped another task than the chosen one.
    AnotherTaskStopped,
    /// By `stop`: the replacement was not seen to land where it helps.
    NoBetter,
    /// By `stop`: no healthy replacement was seen in time; there is nothing to undo.
    NotReplaced,
}

/// Why a move goes no further this turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Waiting {
    /// ECS has not placed or started the new task yet.
    NewTask,
    /// The new task or a keeper is not healthy yet.
    Healthy,
    /// The number of tasks is not what the record says: ECS is replacing one.
    Count,
    /// The tasks that leave have not stopped yet.
    Stopped,
    /// A foreign deployment is under way.
    Deployment,
    /// Something that decides could not be read; the text says what.
    CannotTell(String),
}

/// One observable transition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    /// Nothing to do until the world moves.
    Wait(Waiting),
    /// `UpdateTaskProtection`, on.
    Protect {
        /// Which tasks.
        tasks: Vec<TaskArn>,
        /// When the protection shall end at the earliest.
        until: Timestamp,
    },
    /// `UpdateTaskProtection`, off: only protections that this move set.
    Unprotect {
        /// Which tasks.
        tasks: Vec<TaskArn>,
    },
    /// `TagResource`: the record moves on, nothing else does.
    Record(MoveRecord),
    /// `TagResource`, then `UpdateService` with `to` while desired count is `from`.
    Raise {
        /// Record to be written first.
        record: MoveRecord,
        /// Desired count as it must be found.
        from: u32,
        /// Desired count to write.
        to: u32,
    },
    /// `UpdateService` back to the count before, while desired count is `from`.
    Lower {
        /// Desired count as it must be found.
        from: u32,
        /// Desired count to write.
        to: u32,
        /// Record to be written right after it.
        closing: MoveRecord,
    },
    /// `StopTask` for new tasks that do not serve, then the lowering, which no longer leaves ECS a choice.
    Stop {
        /// Which tasks.
        tasks: Vec<TaskArn>,
        /// Desired count as it must be found, and to be written at once after it.
        lower: Option<(u32, u32)>,
    },
    /// `StopTask` for the chosen task, which ECS then replaces.
    StopChosen {
        /// Which task.
        task: TaskArn,
    },
    /// `TagResource` on the cluster: `surge` is not safe here for a day.
    SurgeOff,
    /// `TagResource` on the service: the move missed, and the service rests for a while.
    Rest(Rest),
    /// `UntagResource`: a move came through, and the misses before it no longer count.
    EndRest,
    /// `UntagResource`: the move is over.
    Finish(Outcome),
}

/// What a step is decided from.
#[derive(Clone, Copy, Debug)]
pub struct MoveView<'a> {
    /// The cluster, with protections, task definitions, target health and stopped tasks of this service.
    pub snapshot: &'a ClusterSnapshot,
    /// The planner's limits, to judge a landing by the same rules as the plan.
    pub limits: &'a Limits,
    /// The service.
    pub service: &'a Service,
    /// Its record.
    pub record: &'a MoveRecord,
    /// `EVENKEEL_HEALTHY_AFTER`.
    pub healthy_after: Duration,
    /// `EVENKEEL_MOVE_TIMEOUT`.
    pub move_timeout: Duration,
    /// Whether the cluster is paused: no new work, but what was begun is undone. `None` = cannot tell.
    pub paused: Option<bool>,
    /// Whether the service is to remember a miss: not during a release, which would only have to remove the memory.
    pub remembers: bool,
}

/// The next step of a move by an extra task.
pub fn next_step(view: &MoveView<'_>) -> Step {
    let seen = match Seen::of(view) {
        Ok(seen) => seen,
        Err(what) => return Step::Wait(Waiting::CannotTell(what)),
    };
    if view.record.phase.is_closing() {
        return seen.close();
    }
    if view.service.status != "ACTIVE" {
        return seen.drop_with(Outcome::DesiredChanged);
    }
    let desired = view.service.tasks_desired;
    let before = view.record.tasks_desired_before;
    if !(before..=view.record.tasks_desired_raised()).contains(&desired) {
        return seen.drop_with(Outcome::DesiredChanged);
    }
    if is_deploying(view.service) || (view.record.phase < Phase::Yield && seen.is_drained()) {
        return seen.make_way();
    }
    match view.record.phase {
        Phase::Guard => seen.guard(),
        Phase::Raise => seen.raise(),
        Phase::Lower => seen.lower(),
        Phase::Undo => seen.undo(),
        Phase::Yield => seen.take_back(),
        Phase::Settle | Phase::Undone | Phase::Yielded => seen.close(),
        Phase::Stop => Step::Wait(Waiting::CannotTell("its move is not one by an extra task".to_owned())),
    }
}

/// Whether anything but one ended deployment is there. A missing rollout state is not taken for an end: ECS leaves it
/// out behind a Classic Load Balancer only, and such services are not moved. FAILED is an end: nothing follows it.
pub(in crate::plan) fn is_deploying(service: &Service) -> bool {
    let is_over = |state| matches!(state, Some(RolloutState::Completed | RolloutState::Failed));
    !matches!(service.deployments.as_slice(), [only] if is_over(only.rollout_state))
}

/// Until when `surge` is off on a cluster, by its tag. A value that cannot be read keeps it off until it is removed.
pub fn surge_off_until(tags: &crate::snapshot::Tags) -> Option<Timestamp> {
    let value = tags.get(crate::plan::record::SURGE_OFF_TAG)?;
    Some(value.parse().map_or(Timestamp::from_millis(i64::MAX), Timestamp::from_secs))
}
