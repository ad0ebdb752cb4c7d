//! What the rebalance planner is given and what it gives back, as data.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use crate::ids::{ContainerInstanceArn, ServiceName, TaskArn, ZoneName};
use crate::percent::Percent;
use crate::plan::reason::{Blocked, Reason};
use crate::settings::{MoveStrategy, Settings};

/// What a plan may do, and what it has to leave alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How tasks are moved where the service allows it.
    pub strategy: MoveStrategy,
    /// Raw skew must exceed this to trigger a rebalance.
    pub skew_threshold: Percent,
    /// Age before a newly registered container instance counts as a target.
    pub warm_up: Duration,
    /// Least age of a service's youngest task before the service is moved again.
    pub cooldown: Duration,
    /// Moves that may be started now over the cluster.
    pub moves_max: u32,
    /// Moves that may be under way at the same time, those in flight included.
    pub moves_at_once: u32,
    /// Services whose rebalance has begun in this invocation: they go on to excess 0 whatever their raw skew.
    pub triggered: BTreeSet<ServiceName>,
    /// Tasks that our own finished moves started; the cooldown does not count them.
    pub own_tasks: BTreeSet<TaskArn>,
    /// Services with a move on record; they get no second one.
    pub in_flight: BTreeSet<ServiceName>,
    /// Where moves in flight mean to bring their task, as far as this invocation began them.
    pub heading: BTreeMap<ServiceName, Heading>,
    /// Services that were read closely for the second layer in vain: others are read instead.
    pub passed_over: BTreeSet<ServiceName>,
    /// Services to leave alone, with the reason to report.
    pub set_aside: BTreeMap<ServiceName, Reason>,
}

/// Where a move in flight means to bring its task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// The container instance that is counted on.
    pub to: ContainerInstanceArn,
    /// Every one that was foreseen to help as well.
    pub helpful: BTreeSet<ContainerInstanceArn>,
}

impl Heading {
    /// The heading of a planned move: where one start is enough, every instance that ties helps.
    pub fn of(planned: &Move) -> Self {
        let tied = planned.landings.iter().filter(|_| planned.starts_max == 1).cloned();
        Self { to: planned.to.clone(), helpful: tied.chain([planned.to.clone()]).collect() }
    }
}

impl Limits {
    /// The limits of a first turn: the settings, `moves_at_once`, and nothing to remember.
    pub fn of(settings: &Settings, moves_at_once: u32) -> Self {
        Self {
            strategy: settings.strategy,
            skew_threshold: settings.skew_threshold,
            warm_up: settings.warm_up,
            cooldown: settings.cooldown,
            moves_max: settings.max_moves,
            moves_at_once,
            triggered: BTreeSet::new(),
            own_tasks: BTreeSet::new(),
            in_flight: BTreeSet::new(),
            heading: BTreeMap::new(),
            passed_over: BTreeSet::new(),
            set_aside: BTreeMap::new(),
        }
    }
}

/// What to do about one cluster.
#[must_use]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RebalancePlan {
    /// Every service, the neediest first: those a move would help, by raw skew, then excess, then name.
    pub services: Vec<ServicePlan>,
    /// The second layer: the load of whole instances.
    pub load: LoadPlan,
    /// The moves to begin now: at most one per service, each with room reserved against those before it.
    pub starts: Vec<Move>,
    /// What any number of moves would reach: the plan may be cut after each.
    pub curve: Vec<CurvePoint>,
    /// What concerns the cluster as a whole.
    pub blocked: Vec<Blocked>,
}

/// What to do about the load of the instances, over all services.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadPlan {
    /// Every group of instances that are compared with one another.
    pub groups: Vec<GroupPlan>,
    /// The moves that even them, in order.
    pub moves: Vec<Move>,
    /// Why a group stays uneven.
    pub blocked: Vec<Blocked>,
}

/// One group of container instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupPlan {
    /// Their capacity provider.
    pub capacity_provider: Option<String>,
    /// Their zone; absent where all zones have as many and are compared with one another.
    pub zone: Option<ZoneName>,
    /// How many they are.
    pub instances: u32,
    /// (max - min) / mean of their loads, each the larger share of CPU and memory that is reserved.
    pub skew: Percent,
    /// The same after the planned moves.
    pub skew_after: Percent,
    /// Proven lower bound on the moves that bring it within the threshold.
    pub lower_bound: u32,
    /// Whether the bound is exact: all movable tasks are of one size.
    pub is_exact: bool,
}

/// The state after the first `moves` moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CurvePoint {
    /// How many moves.
    pub moves: u32,
    /// The worst raw skew of a service that can be improved.
    pub service_skew: Percent,
    /// The worst skew of a group of instances.
    pub cluster_skew: Percent,
}

/// What a move is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Layer {
    /// The even spread of its service.
    Service,
    /// The even load of the instances.
    Cluster,
}

/// What to do about one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePlan {
    /// Which service.
    pub service: ServiceName,
    /// Raw skew now; absent if it cannot be told or means nothing (a daemon, say).
    pub raw_skew: Option<Percent>,
    /// Raw skew of the best split that can be reached.
    pub best_skew: Option<Percent>,
    /// Raw skew after `moves`.
    pub skew_after: Option<Percent>,
    /// The bare (max - min) / max over all instances, for comparison with simpler tools; nothing is decided by it.
    pub article_skew: Option<Percent>,
    /// Least number of moves to the best split.
    pub excess: u32,
    /// Proven lower bound on the moves of any plan that reaches the best split.
    pub lower_bound: u32,
    /// The bound's proof: on each instance, the tasks there and how many the nearest best split has.
    pub witness: Vec<Witness>,
    /// The whole sequence to excess 0, as far as it can be foreseen.
    pub moves: Vec<Move>,
    /// Why nothing, or not everything, is done.
    pub blocked: Vec<Blocked>,
}

/// One container instance in the proof of a bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Witness {
    /// Which container instance.
    pub container_instance: ContainerInstanceArn,
    /// Its zone.
    pub zone: Option<ZoneName>,
    /// Tasks of the service there.
    pub tasks: u32,
    /// Tasks of the service there in the nearest best split.
    pub target: u32,
}

/// One task to be moved: ECS starts one more, then the chosen one leaves; by `stop` the other way round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Move {
    /// What it is for.
    pub layer: Layer,
    /// How it is moved.
    pub strategy: MoveStrategy,
    /// Whose task.
    pub service: ServiceName,
    /// The chosen task, which leaves in the end.
    pub task: TaskArn,
    /// Where it is.
    pub from: ContainerInstanceArn,
    /// Where the new task is meant to land.
    pub to: ContainerInstanceArn,
    /// Every container instance that ECS may choose for the first start: its ties are open.
    pub landings: Vec<ContainerInstanceArn>,
    /// Starts that are enough however ECS breaks its ties. Beyond one, the earlier ones are ballast: each stays only
    /// until one landed where it helps, then leaves together with the chosen task.
    pub starts_max: u32,
    /// Why this one, in words.
    pub because: String,
    /// Raw skew of the service, or skew of the group of instances, once it is done.
    pub skew_after: Percent,
    /// Moves still needed at least, once it is done.
    pub excess_after: u32,
}
