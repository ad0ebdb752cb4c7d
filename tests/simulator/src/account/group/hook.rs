//! Lifecycle hooks and the actions they open.

use std::time::Duration;

use crate::time::SimTime;

/// Whether a hook holds an instance on its way in or on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// `autoscaling:EC2_INSTANCE_LAUNCHING`.
    Launching,
    /// `autoscaling:EC2_INSTANCE_TERMINATING`.
    Terminating,
}

impl Transition {
    /// As the API spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Launching => "autoscaling:EC2_INSTANCE_LAUNCHING",
            Self::Terminating => "autoscaling:EC2_INSTANCE_TERMINATING",
        }
    }

    /// Reads the API's spelling.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Launching, Self::Terminating].into_iter().find(|it| it.name() == name)
    }
}

/// How a lifecycle action ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionResult {
    /// `CONTINUE`.
    Continue,
    /// `ABANDON`.
    Abandon,
}

impl ActionResult {
    /// As the API spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Continue => "CONTINUE",
            Self::Abandon => "ABANDON",
        }
    }

    /// Reads the API's spelling.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Continue, Self::Abandon].into_iter().find(|it| it.name() == name)
    }
}

/// A lifecycle hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifecycleHook {
    /// Name, unique in the group.
    pub name: String,
    /// On which way it stands.
    pub transition: Transition,
    /// How long an action lasts without a heartbeat.
    pub heartbeat_timeout: Duration,
    /// What becomes of an action that nobody completes.
    pub default_result: ActionResult,
    /// Added to the event.
    pub metadata: Option<String>,
    /// A queue or topic that is told besides `EventBridge`; shown, not acted on.
    pub notification_target_arn: Option<String>,
    /// Role for that.
    pub role_arn: Option<String>,
}

impl LifecycleHook {
    /// 48 hours or a hundred times the heartbeat timeout, whichever is smaller (`DescribeLifecycleHooks`).
    pub fn global_timeout(&self) -> Duration {
        Duration::from_hours(48).min(self.heartbeat_timeout * 100)
    }
}

/// One hook holding one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifecycleAction {
    /// Name of the hook.
    pub hook: String,
    /// 36 characters.
    pub token: String,
    /// When the wait began.
    pub started_at: SimTime,
    /// How far a heartbeat reaches.
    pub heartbeat_timeout: Duration,
    /// When it times out unless a heartbeat comes.
    pub expires_at: SimTime,
    /// When it times out in any case.
    pub ends_at: SimTime,
    /// The hook's default result when the wait began.
    pub default_result: ActionResult,
    /// How it ended, once it has.
    pub result: Option<ActionResult>,
    /// Whether it ended otherwise than by a call: by time, or cut short by another that was abandoned.
    pub timed_out: bool,
}
