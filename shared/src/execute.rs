//! Carrying out one step of a move, after a fresh look at what it relies on.
//!
//! The executor has no opinions. Before desired count is written it reads the service again and asks for the step anew;
//! if that is no longer the same step it refuses. The record is written before the change it announces. Every call is
//! idempotent, so a turn that dies anywhere in here is simply taken up by the next one.

use std::time::Duration;

use crate::aws::Aws;
use crate::error::Error;
use crate::ids::{ClusterName, ServiceName, TaskArn};
use crate::observe;
use crate::plan::rebalance::Move;
use crate::plan::record::{MOVE_TAG, MoveRecord, Phase, SURGE_OFF_TAG, protection_minutes, record_of};
use crate::plan::surge::{Outcome, Step};
use crate::report::{Action, ActionOutcome};
use crate::snapshot::{ClusterSnapshot, Known, Service};
use crate::timestamp::Timestamp;

/// How long `surge` stays off on a cluster where ECS stopped another task than the chosen one: long enough for a person
/// to see the report, short enough not to be forgotten.
const SURGE_OFF_FOR: Duration = Duration::from_hours(24);

/// Decides the next step of a service's move from a snapshot; `None` when it carries no readable record.
pub type Decide<'a> = dyn Fn(&ClusterSnapshot) -> Option<Step> + 'a;

/// What one step works on.
#[derive(Clone, Copy, Debug)]
pub struct Execute<'a> {
    /// AWS.
    pub aws: &'a Aws,
    /// The snapshot that the step was decided from.
    pub snapshot: &'a ClusterSnapshot,
    /// The service.
    pub service: &'a Service,
}

/// The result of trying to begin a move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The record stands.
    Recorded(MoveRecord),
    /// It does not; nothing else was changed.
    Refused(String),
}

impl Execute<'_> {
    /// Carries out `step` and returns what was done, one entry a call.
    pub async fn execute_step(&self, step: &Step, decide: &Decide<'_>) -> Vec<Action> {
        match step {
            Step::Wait(_) => Vec::new(),
            Step::Protect { tasks, until } => vec![self.protect(tasks, *until).await],
            Step::Unprotect { tasks } => vec![self.unprotect(tasks).await],
            Step::Record(record) => vec![self.record(record).await],
            Step::Raise { record, from, to } => self.raise(record, *from, *to, decide).await,
            Step::Lower { from, to } => vec![self.write_desired(*from, *to, decide).await],
            Step::SurgeOff => vec![self.surge_off().await],
            Step::Finish(outcome) => vec![self.finish(*outcome).await],
        }
    }

    /// Records a new move on its service, if a fresh look finds the service without a record and as planned.
    pub async fn execute_begin(&self, planned: &Move, move_timeout: Duration) -> (Begun, Vec<Action>) {
        let name = self.service.name.as_str().to_owned();
        let fresh = match self.aws.describe_services(&self.snapshot.cluster, vec![name]).await {
            Ok(answer) => answer.items.into_iter().next(),
            Err(error) => return (Begun::Refused(error.chain()), Vec::new()),
        };
        if let Some(why) = reason_not_as_planned(self.service, fresh.as_ref()) {
            return (Begun::Refused(why), Vec::new());
        }
        let record = self.first_record(planned, move_timeout);
        let action = self.record(&record).await;
        let begun = match &action.outcome {
            ActionOutcome::Done => Begun::Recorded(record),
            ActionOutcome::Failed(why) | ActionOutcome::Refused(why) => Begun::Refused(why.clone()),
            ActionOutcome::Planned => Begun::Refused("dry run".to_owned()),
        };
        (begun, vec![action])
    }

    fn first_record(&self, planned: &Move, move_timeout: Duration) -> MoveRecord {
        MoveRecord {
            phase: Phase::Guard,
            tasks_desired_before: self.service.tasks_desired,
            starts: 0,
            starts_max: planned.starts_max,
            sequence: 1,
            chosen: planned.task.short().to_owned(),
            new: None,
            started_at: Timestamp::from_secs(self.aws.now().as_secs()),
            protection_minutes: protection_minutes(move_timeout),
        }
    }

    async fn raise(&self, record: &MoveRecord, from: u32, to: u32, decide: &Decide<'_>) -> Vec<Action> {
        let recorded = self.record(record).await;
        if recorded.outcome != ActionOutcome::Done {
            return vec![recorded];
        }
        vec![recorded, self.write_desired(from, to, decide).await]
    }

    /// Writes the desired count if a fresh look still asks for exactly that.
    async fn write_desired(&self, from: u32, to: u32, decide: &Decide<'_>) -> Action {
        let why = format!("desired count {from} -> {to}");
        let fresh = match observe::service(self.aws, self.snapshot, &self.service.name).await {
            Ok(fresh) => fresh,
            Err(error) => return self.action("UpdateService", why, ActionOutcome::Refused(error.chain())),
        };
        let step = decide(&fresh);
        if !is_same_write(step.as_ref(), from, to) {
            let found = step.map_or_else(|| "no record any more".to_owned(), |step| format!("{step:?}"));
            return self.action(
                "UpdateService",
                why,
                ActionOutcome::Refused(format!("a fresh look asks for: {found}")),
            );
        }
        let answer = self.aws.update_desired_count(&self.snapshot.cluster, &self.service.name, to).await;
        self.action("UpdateService", why, outcome(answer))
    }

    async fn record(&self, record: &MoveRecord) -> Action {
        let answer = self.aws.tag(self.service.arn.as_str(), MOVE_TAG, &record.to_string()).await;
        self.action(
            "TagResource",
            format!("record: {} of task {}", record.phase.word(), record.chosen),
            outcome(answer),
        )
    }

    async fn finish(&self, end: Outcome) -> Action {
        let answer = self.aws.untag(self.service.arn.as_str(), MOVE_TAG).await;
        self.action("UntagResource", format!("end of the move: {end:?}"), outcome(answer))
    }

    async fn protect(&self, tasks: &[TaskArn], until: Timestamp) -> Action {
        let answer = match self.reason_protection_changed(tasks).await {
            None => self.aws.protect(&self.snapshot.cluster, tasks, until).await,
            Some(why) => Ok(vec![why]),
        };
        self.action(
            "UpdateTaskProtection",
            format!("protect {} until {until}", words(tasks)),
            refusals(answer),
        )
    }

    async fn unprotect(&self, tasks: &[TaskArn]) -> Action {
        let answer = match self.reason_protection_changed(tasks).await {
            None => self.aws.unprotect(&self.snapshot.cluster, tasks).await,
            Some(why) => Ok(vec![why]),
        };
        self.action("UpdateTaskProtection", format!("unprotect {}", words(tasks)), refusals(answer))
    }

    /// Looks again right before a protection is written: one that somebody has set or changed since the snapshot is
    /// theirs, and the next turn sees it.
    async fn reason_protection_changed(&self, tasks: &[TaskArn]) -> Option<String> {
        let fresh = match self.aws.task_protection(&self.snapshot.cluster, tasks.to_vec()).await {
            Ok(fresh) => fresh,
            Err(error) => return Some(error.chain()),
        };
        let seen = |task: &TaskArn| self.snapshot.protections.get(task).and_then(Known::known).copied();
        let changed = tasks.iter().find(|task| fresh.get(*task).copied() != seen(task));
        changed.map(|task| format!("the protection of task {} has changed since it was seen", task.short()))
    }

    async fn surge_off(&self) -> Action {
        let until = self.aws.now() + SURGE_OFF_FOR;
        let answer = match self.aws.cluster_arn(&self.snapshot.cluster).await {
            Ok(arn) => self.aws.tag(&arn, SURGE_OFF_TAG, &until.as_secs().to_string()).await,
            Err(error) => Err(error),
        };
        let why =
            format!("ECS stopped another task than the chosen one: no move by an extra task until {until}");
        self.action("TagResource", why, outcome(answer))
    }

    fn action(&self, operation: &'static str, why: String, outcome: ActionOutcome) -> Action {
        let action = Action {
            at: self.aws.now(),
            cluster: self.snapshot.cluster.clone(),
            operation,
            resource: format!("service {}", self.service.name),
            why,
            outcome,
        };
        log(&action, &self.service.name);
        action
    }
}

/// Removes an expired `evenkeel:surge-off` tag.
pub async fn execute_surge_on(aws: &Aws, cluster: &ClusterName) -> Action {
    let answer = match aws.cluster_arn(cluster).await {
        Ok(arn) => aws.untag(&arn, SURGE_OFF_TAG).await,
        Err(error) => Err(error),
    };
    Action {
        at: aws.now(),
        cluster: cluster.clone(),
        operation: "UntagResource",
        resource: format!("cluster {cluster}"),
        why: "moves by an extra task are allowed again".to_owned(),
        outcome: outcome(answer),
    }
}

fn log(action: &Action, service: &ServiceName) {
    tracing::info!(
        cluster = %action.cluster,
        %service,
        action = action.operation,
        outcome = ?action.outcome,
        reason = action.why,
        "action"
    );
}

/// Whether `step` writes the desired count from `from` to `to`.
fn is_same_write(step: Option<&Step>, from: u32, to: u32) -> bool {
    match step {
        Some(Step::Raise { from: found, to: wanted, .. } | Step::Lower { from: found, to: wanted }) => {
            (*found, *wanted) == (from, to)
        }
        _ => false,
    }
}

/// Why a move must not begin, judged by the service as it is this moment.
fn reason_not_as_planned(seen: &Service, fresh: Option<&Service>) -> Option<String> {
    let Some(fresh) = fresh else {
        return Some("the service could not be read again".to_owned());
    };
    if record_of(fresh).is_some() {
        return Some("another invocation has begun a move of it".to_owned());
    }
    let counts = |it: &Service| (it.tasks_desired, it.tasks_running, it.tasks_pending);
    let same =
        counts(seen) == counts(fresh) && seen.deployments == fresh.deployments && seen.tags == fresh.tags;
    (!same).then(|| "it changed since it was planned".to_owned())
}

fn outcome(answer: Result<(), Error>) -> ActionOutcome {
    match answer {
        Ok(()) => ActionOutcome::Done,
        Err(error) => ActionOutcome::Failed(error.chain()),
    }
}

fn refusals(answer: Result<Vec<String>, Error>) -> ActionOutcome {
    match answer {
        Ok(refused) if refused.is_empty() => ActionOutcome::Done,
        Ok(refused) => ActionOutcome::Refused(refused.join(", ")),
        Err(error) => ActionOutcome::Failed(error.chain()),
    }
}

fn words(tasks: &[TaskArn]) -> String {
    match tasks {
        [one] => format!("task {}", one.short()),
        many => format!("{} tasks", many.len()),
    }
}
