//! A task and the definition it is made from.
//!
//! Beside the members of the API a task carries its seeded fate, and what the checkers need to know about its
//! end.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Tags;
use super::service::PlacementConstraint;
use crate::time::SimTime;

/// `Task.lastStatus` / `desiredStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum TaskStatus {
    Provisioning,
    Pending,
    Activating,
    Running,
    Deactivating,
    Stopping,
    Deprovisioning,
    Stopped,
}

/// `Task.healthStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum HealthStatus {
    Healthy,
    Unhealthy,
    Unknown,
}

/// `TaskStopCode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum StopCode {
    TaskFailedToStart,
    EssentialContainerExited,
    UserInitiated,
    ServiceSchedulerInitiated,
    SpotInterruption,
    TerminationNotice,
}

/// Who or what wanted a task gone. The API does not show it; the checkers need it to know whose doing a dip
/// was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopCause {
    /// Somebody called `StopTask`.
    Api,
    /// The service had more tasks than its desired count.
    ScaleIn,
    /// A newer deployment replaced it.
    Deployment,
    /// Its container instance was set to DRAINING.
    Drain,
    /// It failed its health checks.
    Unhealthy,
    /// Availability Zone rebalancing.
    ZoneRebalancing,
    /// A daemon task whose container instance no longer qualifies.
    DaemonPlacement,
    /// Its host died.
    HostLost,
    /// Its essential container exited.
    ContainerExited,
    /// It never reached RUNNING.
    FailedToStart,
}

/// A task.
#[derive(Clone, Debug)]
pub struct Task {
    /// ARN (`arn:aws:ecs:…:task/<cluster>/<32 hex>`).
    pub arn: String,
    /// `service:<name>` or `family:<family>`.
    pub group: String,
    /// Deployment id for service tasks.
    pub started_by: Option<String>,
    /// Task definition ARN.
    pub task_definition: String,
    /// Where it runs; absent while PROVISIONING.
    pub container_instance: Option<String>,
    /// Capacity provider used.
    pub capacity_provider: Option<String>,
    /// Where it is in its life.
    pub last_status: TaskStatus,
    /// RUNNING or STOPPED.
    pub desired_status: TaskStatus,
    /// When `last_status` was entered.
    pub status_since: SimTime,
    /// Container health.
    pub health: HealthStatus,
    /// Created.
    pub created_at: SimTime,
    /// RUNNING since.
    pub started_at: Option<SimTime>,
    /// Stop requested.
    pub stopping_at: Option<SimTime>,
    /// STOPPED since.
    pub stopped_at: Option<SimTime>,
    /// Why it stopped.
    pub stop_code: Option<StopCode>,
    /// Why it stopped, in words.
    pub stopped_reason: Option<String>,
    /// Why it stopped, for the checkers.
    pub stop_cause: Option<StopCause>,
    /// Whether SIGTERM came while a target of it was still registered, so that clients saw errors.
    pub undrained_kill: bool,
    /// TCP host ports in use, with the container port each one serves.
    pub host_ports: BTreeMap<u16, u16>,
    /// Scale-in protection, until then.
    pub protected_until: Option<SimTime>,
    /// Seeded fate of this task: whether it ever gets healthy. Health follows it, so turning it makes a task
    /// sick.
    pub gets_healthy: bool,
    /// Seeded fate of this task: whether it ever reaches RUNNING.
    pub starts: bool,
    /// Seeded durations of this task's life.
    pub pace: Pace,
    /// Tags.
    pub tags: Tags,
    /// Rises with each change.
    pub version: u64,
}

impl Task {
    /// The service this task belongs to, if any.
    pub fn service(&self) -> Option<&str> {
        self.group.strip_prefix("service:")
    }

    /// Whether it is meant to run (counted by placement, by `runningCount + pendingCount`).
    pub fn is_wanted(&self) -> bool {
        self.desired_status == TaskStatus::Running
    }
}

/// How long the stations of a task's life take; drawn from the seed when it is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// PENDING until the agent picks it up.
    pub pending: Duration,
    /// ACTIVATING: image pull, target registration.
    pub activating: Duration,
    /// From RUNNING to container HEALTHY, and from the middle of ACTIVATING to target healthy.
    pub health: Duration,
    /// STOPPING: from SIGTERM to exit, at most the stop timeout.
    pub stopping: Duration,
}

/// A task definition revision.
#[derive(Clone, Debug)]
pub struct TaskDefinition {
    /// ARN with revision.
    pub arn: String,
    /// Family.
    pub family: String,
    /// Revision.
    pub revision: u32,
    /// CPU units of the task.
    pub cpu: u64,
    /// Memory of the task in MiB.
    pub memory: u64,
    /// `bridge`, `host` or `awsvpc`.
    pub network_mode: String,
    /// Container port to host port; host port 0 = dynamic (49153-65535 on EC2).
    pub port_mappings: BTreeMap<u16, u16>,
    /// Whether a container health check is defined.
    pub has_health_check: bool,
    /// Container `stopTimeout`; absent = the agent's 30 s.
    pub stop_timeout: Option<Duration>,
    /// Constraints of the task definition (memberOf only, as the API allows).
    pub placement_constraints: Vec<PlacementConstraint>,
    /// Image name, shown only.
    pub image: String,
    /// What each task of it will live through: pace is drawn around these.
    pub typical: Pace,
    /// Probability, in percent, that a new task never gets healthy.
    pub sick_percent: u32,
    /// Probability, in percent, that a new task stops before it ever runs.
    pub fails_to_start_percent: u32,
}
