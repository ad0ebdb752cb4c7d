//! What may be done about an instance that is to be emptied, and how far it is: the words in which a step is decided.

use crate::ids::TaskArn;
use crate::plan::drain::reason::DrainReason;
use crate::plan::drain::record::{Asked, DrainRecord};

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// `UpdateContainerInstancesState` to DRAINING.
    Drain,
    /// `PutAttributes`: the record.
    Record(DrainRecord),
    /// `PutAttributes`: how a substitute was asked for.
    RecordAsked(Asked),
    /// The call that asks for a substitute, with the attribute that says so beside it unless it is there.
    Replace {
        /// Which call.
        asked: Asked,
        /// Whether the attribute says so already: the call failed before.
        is_recorded: bool,
    },
    /// `UpdateTaskProtection`: ours, which a move in flight has set.
    Unprotect(Vec<TaskArn>),
    /// `StopTask`: a standalone task, which no drain stops.
    StopTask(TaskArn),
    /// `RecordLifecycleActionHeartbeat`.
    Heartbeat,
    /// `CompleteLifecycleAction` with CONTINUE.
    Complete(Completion),
    /// `TerminateInstanceInAutoScalingGroup` without decrement, of an instance on standby, which its group does not count.
    Retire(Completion),
    /// `UpdateContainerInstancesState` to ACTIVE, and the record goes: nothing took the instance away.
    GiveBack,
    /// `DeregisterContainerInstance`: its host is gone, and ECS did not notice.
    Deregister,
}

/// Why an instance is let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// Every task was seen STOPPED, twice.
    Empty,
    /// Its hard deadline is up, and ECS has lost it.
    Gone,
    /// The hard deadline is up; so many tasks were not seen STOPPED, if that could be told.
    DeadlineExpired(Option<usize>),
}

/// How far the drain of an instance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Tasks are on it, or may be.
    Draining,
    /// It is empty, and nothing of ours holds it.
    Empty,
    /// Its deadline is up.
    Expired,
    /// It is nobody's to drain any more.
    Over,
}

/// What to do, and why not more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// To be done now; those that do not depend on each other may go out together.
    pub steps: Vec<Step>,
    /// What is not done.
    pub reasons: Vec<DrainReason>,
    /// How far it is.
    pub progress: Progress,
}
