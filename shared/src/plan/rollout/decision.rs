//! What may be done in a rollout: the words in which a turn is decided.

use std::collections::BTreeSet;

use crate::ids::InstanceId;
use crate::plan::rollout::reason::RolloutReason;
use crate::plan::rollout::record::{Ending, Mark, Process, RolloutRecord};

/// One thing to do. Every step may be done twice, and done by two at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// `PutAttributes` on each.
    Mark(Vec<InstanceId>, Mark),
    /// `DeleteAttributes` on each.
    Unmark(Vec<InstanceId>),
    /// `SuspendProcesses`.
    Suspend(BTreeSet<Process>),
    /// `ResumeProcesses`.
    Resume(BTreeSet<Process>),
    /// `EnterStandby` without decrement.
    EnterStandby(Vec<InstanceId>),
    /// `ExitStandby`, which raises the desired capacity by as many.
    ExitStandby(Vec<InstanceId>),
    /// `UpdateContainerInstancesState` to DRAINING.
    Drain(Vec<InstanceId>),
    /// `UpdateContainerInstancesState` to ACTIVE.
    Activate(Vec<InstanceId>),
    /// `TerminateInstanceInAutoScalingGroup` without decrement: of instances on standby, or while nothing is launched.
    Terminate(Vec<InstanceId>),
    /// `UpdateAutoScalingGroup` with a maximum.
    SetMax(u32),
    /// `SetDesiredCapacity`, once no more instances than that count and nothing is launched.
    SetDesired(u32),
    /// `DeleteTags`: the record goes; what was rolled back is remembered.
    Forget,
}

impl Step {
    /// Whether it is about nobody.
    pub(super) fn is_idle(&self) -> bool {
        match self {
            Self::Mark(ids, _)
            | Self::Unmark(ids)
            | Self::EnterStandby(ids)
            | Self::ExitStandby(ids)
            | Self::Drain(ids)
            | Self::Activate(ids)
            | Self::Terminate(ids) => ids.is_empty(),
            Self::Suspend(processes) | Self::Resume(processes) => processes.is_empty(),
            Self::SetMax(_) | Self::SetDesired(_) | Self::Forget => false,
        }
    }
}

/// What to do, what is waited for, and how it goes on.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Decision {
    /// To be done now, in this order; one that fails keeps the rest for the next look.
    pub steps: Vec<Step>,
    /// The record of the next phase, if it begins.
    pub next: Option<RolloutRecord>,
    /// What is waited for.
    pub reasons: Vec<RolloutReason>,
}

impl Decision {
    /// Only this is waited for.
    pub(super) fn waits(reason: RolloutReason) -> Self {
        Self { reasons: vec![reason], ..Self::default() }
    }

    /// Nothing but the next phase.
    pub(super) fn to(next: RolloutRecord) -> Self {
        Self { next: Some(next), ..Self::default() }
    }
}

/// How a rollout ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every old instance is replaced.
    Done,
    /// Some waves are done, the rest stays old.
    Aborted(Ending),
    /// It is as it was before.
    RolledBack(Ending),
}

/// How a rollout ends if it ends now.
pub fn outcome(record: &RolloutRecord) -> Outcome {
    match record.ending {
        None => Outcome::Done,
        Some(ending) if record.waves_done > 0 => Outcome::Aborted(ending),
        Some(ending) => Outcome::RolledBack(ending),
    }
}
