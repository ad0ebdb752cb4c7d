//! Why something was not done: a typed reason with a stable code and a sentence an operator understands.
//!
//! Every candidate that is left alone carries one (promise P7). The code is the variant's name in camelCase and never
//! changes its meaning; the payload carries the values that the sentence names. The sentence stands beside the variant
//! it belongs to, through `thiserror`'s formatting, although a reason is no error.

mod subject;
#[cfg(test)]
mod tests;
mod unevenness;

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::ids::{ContainerInstanceArn, TaskArn};
use crate::percent::Percent;
use crate::plan::rest::Miss;
use crate::timestamp::Timestamp;

pub use subject::{Subject, SubjectKind};
pub use unevenness::Unevenness;

/// Something that was left alone, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Blocked {
    /// What was left alone.
    pub subject: Subject,
    /// Why.
    pub reason: Reason,
}

/// Why something was left alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Reason {
    /// There is nowhere else.
    #[error("single instance: only one container instance can take tasks of this service")]
    SingleInstance,
    /// There is nowhere at all.
    #[error("no container instance can take tasks of this service")]
    NoEligibleInstance,
    /// Raw skew is past the threshold, and yet no move improves anything.
    #[error("skew is {skew}, and no move can lower it: {}", cause.words())]
    AlreadyOptimal {
        /// Raw skew.
        skew: Percent,
        /// What keeps it uneven.
        cause: Unevenness,
    },
    /// A move would help, but too little to be worth a restart.
    #[error("skew of {skew} does not exceed the threshold of {threshold}")]
    BelowThreshold {
        /// Raw skew.
        skew: Percent,
        /// The setting.
        threshold: Percent,
    },
    /// The service packs its tasks on purpose.
    #[error("its first placement strategy is binpack: it is uneven on purpose")]
    BinpackFirst,
    /// ECS would place the task anywhere.
    #[error("its placement strategy is random: where a new task lands cannot be foreseen")]
    RandomStrategy,
    /// One task per instance by definition.
    #[error("it is a daemon service: one task per container instance, nothing to even out")]
    Daemon,
    /// The operator's tag.
    #[error("opted out by the tag evenkeel:rebalance=off")]
    OptedOut,
    /// The operator's tag.
    #[error("paused by the tag evenkeel:pause")]
    Paused,
    /// A deployment has the right of way.
    #[error("a deployment is under way or did not complete")]
    Deploying,
    /// A move rests on every task of the service serving.
    #[error("task {} is not healthy: one more could neither be judged nor taken back", task.short())]
    Unhealthy {
        /// The one that is not.
        task: TaskArn,
    },
    /// ECS is still at work on its count.
    #[error("not steady: {desired} tasks desired, {running} running, {pending} pending")]
    Unsteady {
        /// `desiredCount`.
        desired: u32,
        /// `runningCount`.
        running: u32,
        /// `pendingCount`.
        pending: u32,
    },
    /// Somebody drains an instance it has tasks on: ECS is about to place those tasks anyway.
    #[error("container instance {} is being drained, and the service has tasks there", instance.short())]
    ForeignDrain {
        /// The DRAINING one.
        instance: ContainerInstanceArn,
    },
    /// All of a group's instances are being replaced: what is even now will not be for long.
    #[error("a rollout is under way: container instance {} is being replaced", instance.short())]
    RolloutInProgress {
        /// One of those that go.
        instance: ContainerInstanceArn,
    },
    /// ECS itself levels the zones.
    #[error("its zones are uneven and ECS Availability Zone rebalancing is enabled: ECS levels them")]
    AvailabilityZoneRebalancing,
    /// The second layer finds nothing more to do.
    #[error("instances are loaded unevenly (skew {skew}), and no move was found that would even them")]
    LoadStays {
        /// What is left.
        skew: Percent,
    },
    /// An instance is not given more tasks at once than it can start quickly.
    #[error("container instance {} is already being given {arriving} tasks; it comes later", instance.short())]
    Arrivals {
        /// Which one.
        instance: ContainerInstanceArn,
        /// Tasks that are starting or about to.
        arriving: u32,
    },
    /// Another program holds one of its tasks.
    #[error("task {} is protected from scale-in by somebody else", task.short())]
    ForeignProtection {
        /// The protected one.
        task: TaskArn,
    },
    /// It changed a moment ago.
    #[error("tasks were started a short while ago; {} of the cooldown are left", humantime::format_duration(*wait))]
    Cooldown {
        /// What is left of it.
        #[serde(serialize_with = "duration_words")]
        wait: Duration,
    },
    /// A second look has to agree first.
    #[error("seen once; a second observation has to agree before anything is moved")]
    NotConfirmed,
    /// Start-first needs a free slot.
    #[error("no room: no suitable container instance has a free slot for one more task of this service")]
    NoRoom,
    /// ECS would put the new task where it does not help.
    #[error("ECS would start a new task where it does not help (for example on {})", instance.short())]
    LandingElsewhere {
        /// One such place.
        instance: ContainerInstanceArn,
    },
    /// Moves begun before this one in the same turn need the same room.
    #[error("moves begun first need the same room; it comes later")]
    RoomReserved,
    /// Not the rolling-update controller.
    #[error(
        "its deployment controller is {controller}, and only rolling updates by ECS, without VPC Lattice, are supported"
    )]
    UnsupportedController {
        /// `deploymentController.type`.
        controller: String,
    },
    /// Not on container instances.
    #[error("its launch type is {launch_type}, and only EC2 is supported")]
    UnsupportedLaunchType {
        /// `launchType` or the capacity provider that implies it.
        launch_type: String,
    },
    /// Moving between them would break their ratio.
    #[error("it uses several capacity providers ({}); moves could break their ratio", providers.join(", "))]
    SeveralCapacityProviders {
        /// Their names.
        providers: Vec<String>,
    },
    /// The expression could not be understood, or not be decided for every instance.
    #[error("placement constraint cannot be evaluated: {expression}")]
    ConstraintUnreadable {
        /// As the service or task definition has it.
        expression: String,
    },
    /// The chain is one whose result this version does not foresee.
    #[error("placement strategy {strategy} is not one this version can foresee")]
    UnknownStrategy {
        /// The link of the chain.
        strategy: String,
    },
    /// Its health cannot be read.
    #[error("it is behind a Classic Load Balancer, whose target health is not read")]
    ClassicLoadBalancer,
    /// Something could not be read.
    #[error("cannot tell: {what}")]
    CannotTell {
        /// What is missing.
        what: String,
    },
    /// No more moves may begin now.
    #[error("the limit on moves is used up for now")]
    Budget,
    /// A large cluster is looked at a part at a time.
    #[error(
        "{services} more services are uneven at a glance; the worst-off are looked at first, the others by turns"
    )]
    LookedAtLater {
        /// How many wait.
        services: usize,
    },
    /// One move per service at a time.
    #[error("a move of this service is under way")]
    MoveInFlight,
    /// `surge` does not work here for the time being.
    #[error("moves by an extra task are off in this cluster until {until}")]
    SurgeOff {
        /// Until when.
        until: Timestamp,
    },
    /// The last move ended otherwise, through nothing that speaks against the next.
    #[error("its last move was undone; it rests until {until}")]
    RestingAfterRollback {
        /// Until when.
        until: Timestamp,
    },
    /// Its moves keep missing, as its tag remembers.
    #[error("{} in vain: {}; it rests until {until}", moves_were(*misses), observed.words())]
    RestingAfterMisses {
        /// How many in a row.
        misses: u32,
        /// What was observed of the last.
        observed: Miss,
        /// Until when.
        until: Timestamp,
    },
    /// How long it is to rest cannot be told.
    #[error("the tag evenkeel:rest holds '{value}', which cannot be read: it rests until the tag is removed")]
    RestUnreadable {
        /// Value of the tag.
        value: String,
    },
    /// The last move, by `stop`, was in vain, or left it one short.
    #[error(
        "for the task last stopped no healthy one was seen in time where it helps; it rests until {until}"
    )]
    RestingAfterStop {
        /// Until when.
        until: Timestamp,
    },
    /// The instance is too new to be trusted with tasks.
    #[error("registered a short while ago; counts as a target from {until}")]
    WarmingUp {
        /// From when it counts.
        until: Timestamp,
    },
    /// It gets no new task.
    #[error("its agent is not connected, so that ECS gives it no new task")]
    AgentDisconnected,
    /// What cannot be recorded is not done.
    #[error("the record of the move was refused: {error}")]
    RecordRefused {
        /// AWS's words.
        error: String,
    },
    /// Our own traces without their record.
    #[error("traces of a move were found without its record; nothing is guessed")]
    RecordLost,
    /// Two answers contradict each other.
    #[error("stale read: {what}")]
    StaleRead {
        /// The contradiction.
        what: String,
    },
    /// Nobody would start it again.
    #[error("standalone task: no service would replace it")]
    Standalone,
    /// ECS has not got it to run.
    #[error("pending for {}, longer than starting a task should take", humantime::format_duration(*since))]
    PendingTooLong {
        /// How long already.
        #[serde(serialize_with = "duration_words")]
        since: Duration,
    },
    /// Not part of the group's serving capacity.
    #[error("not in service: {state}")]
    NotInService {
        /// Its status or life cycle state, as AWS writes it.
        state: String,
    },
    /// An instance of another capacity provider.
    #[error("belongs to another capacity provider than the service's {provider}")]
    OtherCapacityProvider {
        /// The service's.
        provider: String,
    },
    /// The expression is false there.
    #[error("does not satisfy the placement constraint {expression}")]
    ConstraintNotMet {
        /// As the service or task definition has it.
        expression: String,
    },
    /// The task definition asks for it.
    #[error("lacks the attribute {attribute} that the task definition requires")]
    AttributeMissing {
        /// Its name.
        attribute: String,
    },
    /// Even empty it would not take one task.
    #[error("is too small for one task of this service")]
    TooSmall,
}

impl Reason {
    /// One sentence in plain words, naming the values.
    pub fn sentence(&self) -> String {
        self.to_string()
    }
}

fn moves_were(misses: u32) -> String {
    if misses == 1 { "its last move was".to_owned() } else { format!("its last {misses} moves were") }
}

/// Durations read as `4m 30s` in a report, as they are written in the settings.
fn duration_words<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_duration(*duration))
}
