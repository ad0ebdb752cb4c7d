//! What a job says when it ends: the response and the closing log line, as stable JSON in camelCase.

pub mod drain;
pub mod metrics;
pub mod rollout;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ids::{ClusterName, ContainerInstanceArn, ServiceName};
use crate::percent::Percent;
use crate::plan::proposal::{CurvePoint, GroupPlan, Move, RebalancePlan, ServicePlan};
use crate::plan::reason::{Blocked, SubjectKind};
use crate::plan::rest::Miss;
use crate::plan::surge::Outcome;
use crate::report::metrics::Series;
use crate::timestamp::Timestamp;

/// How a job, or its work on one cluster, ended. In order of gravity: the whole is as grave as its gravest part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// Nothing could be improved.
    NothingToDo,
    /// Everything that could be improved was.
    Done,
    /// Something could be improved, but a reason stands against it.
    Blocked,
    /// Work remains; the next invocation goes on with it.
    InProgress,
    /// A move was undone.
    RolledBack,
    /// Work was given up because somebody else came first.
    Aborted,
    /// Nothing reliable was seen, or a call failed for good.
    Failed,
}

/// What every job's report has, for the closing log line.
pub trait JobReport: Serialize {
    /// The job, how it ended, and whether writing was off.
    fn headline(&self) -> (&'static str, Status, bool);

    /// What CloudWatch is told, as of this time.
    fn metrics(&self, at: Timestamp) -> Vec<Series>;
}

impl JobReport for Report {
    fn headline(&self) -> (&'static str, Status, bool) {
        (self.job, self.status, self.dry_run)
    }

    fn metrics(&self, _: Timestamp) -> Vec<Series> {
        let blocked = self.blocked.len();
        let own = metrics::of_function("rebalance", self.status, &self.actions, blocked, &self.api_calls);
        [vec![own], metrics::of_rebalance(self)].concat()
    }
}

/// The report of one invocation.
#[must_use]
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// `rebalance` or `release`.
    pub job: &'static str,
    /// How it ended.
    pub status: Status,
    /// Whether writing was off.
    pub dry_run: bool,
    /// One entry a cluster.
    pub clusters: Vec<ClusterReport>,
    /// Every call that changed, or was to change, something.
    pub actions: Vec<Action>,
    /// Everything that was left alone, and why.
    pub blocked: Vec<BlockedLine>,
    /// Attempted calls by operation.
    pub api_calls: BTreeMap<String, u64>,
}

/// One cluster before and after.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterReport {
    /// Which cluster.
    pub cluster: ClusterName,
    /// How it ended here.
    pub status: Status,
    /// Services above the threshold, or moved, at the first look.
    pub before: Vec<ServiceState>,
    /// The same services at the last look.
    pub after: Vec<ServiceState>,
    /// The load of the instances at the first look, by group.
    pub load_before: Vec<GroupPlan>,
    /// The same at the last look.
    pub load_after: Vec<GroupPlan>,
    /// What any number of moves would reach, as planned at the first look: where to cut it is `maxMoves`.
    pub curve: Vec<CurvePoint>,
    /// What was moved.
    pub moves: MoveCounts,
    /// The moves begun by this invocation, in order; on a dry run, those it would begin.
    pub planned: Vec<Move>,
    /// The moves that ended in this invocation, in order: what was foreseen, and what came.
    pub landings: Vec<Landing>,
    /// What a release found of Evenkeel's, one line each; absent from every other job's report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<Vec<String>>,
    /// Why it failed, with its causes.
    pub error: Option<String>,
}

/// Where a move's new task landed, beside where it was meant to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Landing {
    /// Whose move.
    pub service: ServiceName,
    /// Short id of the task that was chosen to leave; it did if `outcome` is `moved`.
    pub task: String,
    /// Where the new task was meant to land, if this invocation planned the move.
    pub foreseen: Option<ContainerInstanceArn>,
    /// Where the task that took over runs, or, of a move that came to nothing, where its first new task was placed;
    /// absent if none was, or if ECS no longer tells of it.
    pub landed: Option<ContainerInstanceArn>,
    /// Whether the tasks are spread better for it.
    pub helped: bool,
    /// How the move ended.
    pub outcome: Outcome,
    /// By what it missed, if it did.
    pub missed: Option<Miss>,
}

/// How many moves, against how many were needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MoveCounts {
    /// Sum of the proven lower bounds of the services whose rebalance began.
    pub lower_bound: u32,
    /// Moves started, those found in flight included.
    pub started: u32,
    /// Moves completed.
    pub completed: u32,
    /// Moves that ended otherwise.
    pub undone: u32,
    /// Tasks started on the way beyond one a move: ballast that made ECS place the next where it helps.
    pub extra_starts: u32,
    /// Moves still under way.
    pub in_flight: u32,
}

/// Skew of one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceState {
    /// Which service.
    pub service: ServiceName,
    /// Skew now, in percent: (max - min) / mean over zones, or inside a zone, whichever is worst.
    pub skew: Option<Percent>,
    /// Skew of the best split that can be reached.
    pub best_reachable_skew: Option<Percent>,
    /// Least number of moves to get there: the lower bound.
    pub lower_bound: u32,
    /// The bare (max - min) / max over task counts, for comparison only.
    pub article_skew: Option<Percent>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Action {
    /// When, on AWS's clock.
    pub at: Timestamp,
    /// In which cluster.
    pub cluster: ClusterName,
    /// API operation.
    pub operation: &'static str,
    /// On what.
    pub resource: String,
    /// To what end, in words.
    pub why: String,
    /// What came of it.
    pub outcome: ActionOutcome,
}

/// What came of an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "result", content = "detail")]
pub enum ActionOutcome {
    /// AWS accepted it.
    Done,
    /// A dry run: it would have been called.
    Planned,
    /// Not called, because the world had moved since the plan; or AWS named a failure.
    Refused(String),
    /// The call failed; the next turn looks at what it did.
    Failed(String),
}

impl ActionOutcome {
    /// Whether what comes next may count on it.
    pub fn is_accepted(&self) -> bool {
        matches!(self, Self::Done | Self::Planned)
    }
}

/// A [`Blocked`] with its cluster and sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockedLine {
    /// In which cluster.
    pub cluster: ClusterName,
    /// What was left alone, and the reason with its code and values.
    #[serde(flatten)]
    pub blocked: Blocked,
    /// The reason as a sentence.
    pub sentence: String,
}

/// The states worth showing: services that a move would improve, and those already listed. Those past the threshold that
/// nothing can improve are told of by their reason.
pub fn report_states(plan: &RebalancePlan, listed: &[ServiceState]) -> Vec<ServiceState> {
    let is_listed = |it: &ServicePlan| listed.iter().any(|state| state.service == it.service);
    let is_worth = |it: &&ServicePlan| it.excess > 0 || is_listed(it);
    plan.services.iter().filter(is_worth).map(report_state).collect()
}

fn report_state(plan: &ServicePlan) -> ServiceState {
    ServiceState {
        service: plan.service.clone(),
        skew: plan.raw_skew,
        best_reachable_skew: plan.best_skew,
        lower_bound: plan.excess,
        article_skew: plan.article_skew,
    }
}

/// Reasons with their cluster and sentence, in a fixed order and each once.
pub fn report_blocked(cluster: &ClusterName, blocked: impl IntoIterator<Item = Blocked>) -> Vec<BlockedLine> {
    let mut all: Vec<Blocked> = blocked.into_iter().collect();
    all.sort();
    all.dedup();
    let line = |blocked: Blocked| BlockedLine {
        cluster: cluster.clone(),
        sentence: format!("{} {}: {}", kind_words(&blocked), blocked.subject.name, blocked.reason.sentence()),
        blocked,
    };
    all.into_iter().map(line).collect()
}

fn kind_words(blocked: &Blocked) -> &'static str {
    match blocked.subject.kind {
        SubjectKind::Cluster => "cluster",
        SubjectKind::Service => "service",
        SubjectKind::Task => "task",
        SubjectKind::ContainerInstance => "container instance",
    }
}
