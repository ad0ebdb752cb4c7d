//! Why something about an instance that is to be emptied is not done, in a word, in its values, and in a sentence.

use serde::Serialize;

use crate::ids::{GroupName, ServiceName, TaskArn};
use crate::plan::drain::record::Cause;
use crate::timestamp::Timestamp;

/// Every reason; `code` is its name in camelCase, the values follow beside it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "code")]
pub enum DrainReason {
    /// Nothing of ours.
    #[error("it is registered in none of the clusters that were looked at")]
    NotInCluster,
    /// An interruption is more pressing.
    #[error("EC2 interrupts it ({}), and that is being handled already", cause.word())]
    InOtherHands {
        /// What EC2 is about to do.
        cause: Cause,
    },
    /// Only the end of a host is of interest.
    #[error("it is {state}: only the end of its host asks for anything")]
    NotTerminatedYet {
        /// EC2's word for its state.
        state: String,
    },
    /// Nobody replaces it.
    #[error("it is in no Auto Scaling group: nobody replaces it")]
    NotInGroup,
    /// Something could not be read.
    #[error("cannot tell: {what}")]
    CannotTell {
        /// What is missing.
        what: String,
    },
    /// The group is at it already.
    #[error("group {group} is already taking it out of service")]
    AlreadyLeaving {
        /// Which group.
        group: GroupName,
    },
    /// It came so late that what it announced should have come.
    #[error("the notice reached Evenkeel after its deadline, and the instance is still there")]
    NoticeTooOld,
    /// Somebody keeps the group from launching.
    #[error("group {group} launches nothing: its process Launch is suspended")]
    LaunchSuspended {
        /// Which group.
        group: GroupName,
    },
    /// It can be given back by nobody.
    #[error("it is {state} in group {group}, which can neither terminate nor detach it now")]
    NotInService {
        /// Which group.
        group: GroupName,
        /// Its state there.
        state: String,
    },
    /// It comes back, or its group replaces it when it has stopped.
    #[error("the interruption does not terminate it: group {group} replaces it once it has stopped")]
    NotTerminated {
        /// Which group.
        group: GroupName,
    },
    /// To terminate it would kill its tasks.
    #[error(
        "EVENKEEL_REPLACEMENT is terminate, and group {group} has no lifecycle hook that holds it until it is empty: \
         not replaced"
    )]
    NoHook {
        /// Which group.
        group: GroupName,
    },
    /// Nobody would terminate it.
    #[error("EVENKEEL_REPLACEMENT is detach, and outside group {group} it would live on: not replaced")]
    NotDetached {
        /// Which group.
        group: GroupName,
    },
    /// ECS forbids to detach it.
    #[error("group {group} protects it from scale-in for ECS, which forbids to detach it: not replaced")]
    ManagedTerminationProtection {
        /// Which group.
        group: GroupName,
    },
    /// The setting says so.
    #[error("EVENKEEL_REPLACEMENT is none")]
    NoneWanted,
    /// The operator's tag.
    #[error("paused by the tag evenkeel:pause")]
    Paused,
    /// Recommendations are not acted on.
    #[error("EVENKEEL_ON_REBALANCE_RECOMMENDATION is ignore")]
    RecommendationIgnored,
    /// Somebody else drains it.
    #[error("somebody else is draining it: it carries no record of Evenkeel's")]
    ForeignDrain,
    /// It is being replaced with all of its group.
    #[error("a rollout replaces it")]
    InRollout,
    /// Its record cannot be read.
    #[error("its attribute evenkeel.drain cannot be read: {value}")]
    UnreadableRecord {
        /// What it holds.
        value: String,
    },
    /// ECS leaves it alone.
    #[error("task {} was started by no service: ECS does not stop it, it is waited for", task.short())]
    StandaloneWaited {
        /// Which task.
        task: TaskArn,
    },
    /// The service's own percentages forbid it.
    #[error(
        "service {service}: with {desired} tasks, minimumHealthyPercent {minimum} and maximumPercent {maximum} let ECS neither \
         start nor stop one first: its tasks stay until the instance goes"
    )]
    NoStep {
        /// Which service.
        service: ServiceName,
        /// `minimumHealthyPercent`.
        minimum: u32,
        /// `maximumPercent`.
        maximum: u32,
        /// `desiredCount`.
        desired: u32,
    },
    /// Its load balancers and its containers may take longer than there is time.
    #[error(
        "service {service}: a task that is told to stop now may take {deregistration_delay} s to leave its target groups and \
         {stop_timeout} s to end, and {left} s are left"
    )]
    LeavesTooLate {
        /// Which service.
        service: ServiceName,
        /// The longest `deregistration_delay.timeout_seconds` of its target groups, in seconds.
        deregistration_delay: u64,
        /// The longest `stopTimeout` of its containers, in seconds.
        stop_timeout: u64,
        /// Seconds until the deadline.
        left: u64,
    },
    /// What is free elsewhere does not hold them, as far as a simple packing can tell.
    #[error(
        "{tasks} of its tasks (of {}) may find no place before the substitute is there: a first-fit look at what the other \
         instances have left now found none",
        names(services)
    )]
    NoRoomElsewhere {
        /// How many.
        tasks: usize,
        /// Of which services.
        services: Vec<ServiceName>,
    },
    /// It may hold the drain up, or be stopped all the same: AWS documents neither.
    #[error("task {} is protected from scale-in by somebody else until {until}", task.short())]
    ProtectedTask {
        /// Which task.
        task: TaskArn,
        /// Until when.
        until: Timestamp,
    },
    /// Its hard deadline came first.
    #[error("its deadline is up, and {} on it were not seen stopped", tasks.map_or("its tasks".to_owned(), |it| format!("{it} tasks")))]
    DeadlineExpired {
        /// How many, if that could be told.
        tasks: Option<usize>,
    },
    /// It was detached, and EC2 did not take it.
    #[error(
        "it was detached from its group, its deadline is long up, and it still runs: nobody will terminate it"
    )]
    Orphaned,
    /// Containers that ECS forgot may run on it.
    #[error(
        "it is on standby in its group and was deregistered before it was seen empty: a person has to terminate it"
    )]
    LeftOnStandby,
    /// It is not ours to let go.
    #[error("lifecycle hook {hook} holds it, which is somebody else's to complete")]
    HookOfOthers {
        /// Which hook.
        hook: String,
    },
    /// ECS has not lost it yet.
    #[error("its agent is still connected: ECS deregisters it by itself")]
    AgentConnected,
}

fn names(services: &[ServiceName]) -> String {
    services.iter().map(ServiceName::as_str).collect::<Vec<_>>().join(", ")
}

impl DrainReason {
    /// Whether nothing more comes of it by itself.
    pub fn needs_person(&self) -> bool {
        matches!(
            self,
            Self::Orphaned
                | Self::LeftOnStandby
                | Self::UnreadableRecord { .. }
                | Self::NotDetached { .. }
                | Self::LaunchSuspended { .. }
        )
    }

    /// The reason as a sentence without a full stop.
    pub fn sentence(&self) -> String {
        self.to_string()
    }
}
