//! Why a rollout does not start, does not go on yet, or has to be looked at by a person: a word, its values, a sentence.

use std::time::Duration;

use serde::Serialize;

use crate::ids::{InstanceId, ServiceName, ZoneName};
use crate::timestamp::Timestamp;

/// Every reason; `code` is its name in camelCase, the values follow beside it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "code")]
#[allow(missing_docs)] // A field whose name says it all has no line of its own.
pub enum RolloutReason {
    /// Something could not be read.
    #[error("cannot tell: {what}")]
    CannotTell { what: String },
    /// The operator's tag.
    #[error("paused by the tag evenkeel:pause")]
    Paused,
    /// Its sizes are not instances.
    #[error("its sizes count units, not instances: weighted groups are not rolled out yet")]
    CountsUnits,
    /// A substitute may come out of the pool, half grown.
    #[error("it has a warm pool: such groups are not rolled out yet")]
    WarmPool,
    /// The group replaces its instances itself.
    #[error("an instance refresh is under way ({percent} % done)")]
    InstanceRefresh { percent: u32 },
    /// It is on its way out.
    #[error("its status is '{status}'")]
    GroupStatus { status: String },
    /// Another AWS service runs it.
    #[error("it is managed by {operator}")]
    ManagedByOthers { operator: String },
    /// Without it no new instance comes.
    #[error("its process {process} is suspended")]
    ProcessSuspended { process: String },
    /// An instance on standby gets no traffic from them.
    #[error(
        "{sources} load balancers are attached to the group itself, which takes an instance on standby out of them at once"
    )]
    TrafficSources { sources: usize },
    /// It has yet to reach its size.
    #[error("it has {instances} instances in service or on their way, and {desired} are desired: it is busy")]
    NotSettled {
        /// In service or pending.
        instances: u32,
        desired: u32,
    },
    /// It cannot be drained.
    #[error("instance {instance} is not registered in cluster {cluster}, or its agent never came")]
    NotRegistered {
        instance: InstanceId,
        /// Where it was looked for.
        cluster: String,
    },
    /// ECS knows it twice.
    #[error("instance {instance} is registered {times} times")]
    RegisteredTwice { instance: InstanceId, times: usize },
    /// Somebody else is at work on it.
    #[error("instance {instance} is DRAINING, and not by this rollout")]
    ForeignDrain { instance: InstanceId },
    /// Somebody else has put it there.
    #[error("instance {instance} is {state} in its group, and not by this rollout")]
    NotInService { instance: InstanceId, state: String },
    /// A rollout before this one left it.
    #[error("instance {instance} carries the mark of a rollout whose record is gone: abort it first")]
    RecordLost { instance: InstanceId },
    /// The record cannot be read.
    #[error("its tag evenkeel:rollout cannot be read: {value}")]
    UnreadableRecord { value: String },
    /// The service's own percentages forbid it.
    #[error(
        "service {service}: with {desired} tasks, minimumHealthyPercent {minimum} and maximumPercent {maximum} let ECS neither \
         start nor stop one first: its tasks would never leave"
    )]
    NoStep { service: ServiceName, minimum: u32, maximum: u32, desired: u32 },
    /// Its constraints admit no instance that will be there.
    #[error(
        "service {service}: its constraint {expression} holds on no new instance and on none that stays: its tasks would never \
         leave"
    )]
    ExcludesNew {
        service: ServiceName,
        /// The constraint, in the cluster query language.
        expression: String,
    },
    /// A rebalance moves one of its tasks.
    #[error("service {service}: a task of it is being moved")]
    MoveInFlight { service: ServiceName },
    /// The service's own percentages allow it.
    #[error(
        "service {service}: minimumHealthyPercent {minimum} lets ECS go down to {floor} of {desired} tasks meanwhile"
    )]
    Dips {
        service: ServiceName,
        minimum: u32,
        /// Tasks that ECS keeps at least.
        floor: u32,
        desired: u32,
    },
    /// It is not waited for afterwards either.
    #[error("service {service} is not steady: {running} of {desired} tasks run, {deployments} deployments")]
    Unsteady { service: ServiceName, running: u32, desired: u32, deployments: usize },
    /// The gate could not leave them out by name.
    #[error("{services} services are not steady, more than can be remembered: bring them to rest first")]
    TooManyUnsteady { services: usize },
    /// It would always be taken back.
    #[error(
        "its waves bake for {} together, and a rollout may take {}",
        humantime::format_duration(*bakes),
        humantime::format_duration(*rollout_timeout)
    )]
    BakesTooLong {
        bakes: Duration,
        /// `EVENKEEL_ROLLOUT_TIMEOUT`.
        rollout_timeout: Duration,
    },
    /// No drain stops them.
    #[error("{tasks} tasks that no service started run on old instances: they are waited for")]
    StandaloneTasks { tasks: usize },
    /// A drain may stop them, or wait for them.
    #[error(
        "{tasks} tasks on old instances are protected from scale-in: a drain may wait until that expires"
    )]
    ProtectedTasks { tasks: usize },
    /// ECS is at work on the group as well.
    #[error("capacity provider {provider} manages {manages}: ECS may act on the group meanwhile")]
    ManagedByEcs {
        provider: String,
        /// What of the group.
        manages: String,
    },
    /// What fits may be another matter.
    #[error(
        "new instances may be of type {to}, old ones are of {from}: whether all tasks fit there is not foreseen"
    )]
    OtherInstanceType {
        /// Of the old ones, comma separated.
        from: String,
        /// Those of which the group has none yet, comma separated.
        to: String,
    },
    /// One new instance beside each old one is not enough.
    #[error(
        "{instances} old instances hold more than one of type {to} has room for: what does not fit stays until there is room \
         elsewhere"
    )]
    MayNotFit {
        instances: usize,
        /// The type on which the most do not fit.
        to: String,
    },
    /// No other can take its place.
    #[error("the group has one zone only, {zone}: a shortage there leaves it no other")]
    OneZone { zone: ZoneName },
    /// Hooks of others have their turn.
    #[error(
        "terminate hook {hook} will hold every old instance at its end; it is somebody else's to complete"
    )]
    ForeignHook { hook: String },
    /// The group replaces by age as well.
    #[error("the group itself replaces instances older than {}", humantime::format_duration(*age))]
    MaxInstanceLifetime { age: Duration },
    /// A shortage in one zone is not made up for in another (`AvailabilityZoneDistribution`).
    #[error("the group is balanced-only: a zone without capacity is waited for, and not passed over")]
    WaitsForZones,
    /// Whoever abandons a hook leaves an old instance behind (`InstanceLifecyclePolicy`).
    #[error("the group retains an instance whose terminate hook is abandoned: a person has to end it then")]
    RetainsAbandoned,
    /// It is missed while the process is suspended.
    #[error("scheduled action {name} falls into the rollout and will not act")]
    ScheduledAction {
        name: String,
        /// When it would act next.
        at: Timestamp,
    },
    /// Its last rollout to this version failed.
    #[error("version {version} was rolled back before: {why}")]
    Rejected { version: u64, why: String },
    /// Not every mark is there yet.
    #[error("{instances} old instances are not marked yet")]
    Unmarked { instances: usize },
    /// New ones are on their way.
    #[error("{missing} of {desired} instances are not ready yet{}", last_failure.as_ref().map(|it| format!("; the last launch that failed: {it}")).unwrap_or_default())]
    WaitsForInstances {
        missing: u32,
        desired: u32,
        /// AWS's words about the latest launch that failed since the phase began.
        last_failure: Option<String>,
    },
    /// Tasks are on it, or may be.
    #[error("instance {instance} is not empty yet: {what}")]
    NotEmpty { instance: InstanceId, what: String },
    /// A service is not as it was.
    #[error("service {service}: {what}")]
    NotSteady { service: ServiceName, what: String },
    /// The empty old ones are in reserve.
    #[error("the old instances are kept in reserve until {until}")]
    Baking { until: Timestamp },
    /// A setting says to wait.
    #[error("EVENKEEL_DRAIN_TIMEOUT is up, and EVENKEEL_ON_DRAIN_TIMEOUT is hold")]
    Held,
    /// It is on standby, and ECS has lost it.
    #[error(
        "instance {instance} is on standby and registered no longer: whether its containers have stopped cannot be told"
    )]
    LostOnStandby { instance: InstanceId },
    /// Somebody's size is not written over.
    #[error("maximum is {found}, and {raised} was written: it is left as it is")]
    ForeignMax {
        found: u32,
        /// As Evenkeel wrote it.
        raised: u32,
    },
    /// They have left standby, or are about to; those that EC2 takes go first.
    #[error("{instances} old instances are not back in service yet")]
    ComingBack { instances: usize },
    /// Nobody is counted before they have come.
    #[error("{instances} instances are on their way into service")]
    OnTheWay { instances: usize },
    /// Launches go on that must not.
    #[error("waits until process Launch is suspended")]
    WaitsForSuspension,
}

impl RolloutReason {
    /// The reason as a sentence without a full stop.
    pub fn sentence(&self) -> String {
        self.to_string()
    }
}
