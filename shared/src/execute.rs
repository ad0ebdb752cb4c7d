//! Carrying out one step of a move, after a fresh look at what it relies on.
//!
//! The executor has no opinions. Before any write it reads the service again: the record must still be the one acted on,
//! and for a change of the desired count the whole step is asked for anew. If the world has moved it refuses. The record
//! is written before the change it announces, so a turn that dies anywhere in here is taken up by the next one.

use std::time::Duration;

use crate::aws::{Aws, PROTECTION_BATCH};
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
    /// The record that the step was decided from; none when a move is to begin.
    pub record: Option<&'a MoveRecord>,
}

/// The result of trying to begin a move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The record stands.
    Recorded(MoveRecord),
    /// A fresh look found the service otherwise; nothing was written.
    Otherwise(String),
    /// AWS refused the record, or its answer was lost; nothing else was changed.
    Refused(String),
}

impl Execute<'_> {
    /// Carries out `step` and returns what was done, one entry a call.
    pub async fn execute_step(&self, step: &Step, decide: &Decide<'_>) -> Vec<Action> {
        match step {
            Step::Wait(_) => Vec::new(),
            Step::Protect { tasks, until } => self.set_protection(tasks, Some(*until)).await,
            Step::Unprotect { tasks } => self.set_protection(tasks, None).await,
            Step::Record(record) => vec![self.record_if_still(record, self.service.tasks_desired).await],
            Step::Raise { record, from, to } => self.raise(record, *from, *to, decide).await,
            Step::Lower { from, to } => vec![self.write_desired(*from, *to, decide).await],
            Step::SurgeOff => vec![self.surge_off().await],
            Step::Finish(outcome) => vec![self.finish(*outcome).await],
        }
    }

    /// Records a new move on its service, if a fresh look finds the service without a record and as planned.
    pub async fn execute_begin(&self, planned: &Move, move_timeout: Duration) -> (Begun, Vec<Action>) {
        self.aws.wait_for_tag().await;
        let fresh = match self.look().await {
            Ok(fresh) => fresh,
            Err(why) => return (Begun::Otherwise(why), Vec::new()),
        };
        if let Some(why) = reason_not_as_planned(self.service, &fresh) {
            return (Begun::Otherwise(why), Vec::new());
        }
        let record = self.first_record(planned, move_timeout);
        let action = self.write_record(&record).await;
        let begun = match &action.outcome {
            ActionOutcome::Failed(why) | ActionOutcome::Refused(why) => Begun::Refused(why.clone()),
            ActionOutcome::Done | ActionOutcome::Planned => Begun::Recorded(record),
        };
        (begun, vec![action])
    }

    /// The service as it is this moment.
    async fn look(&self) -> Result<Service, String> {
        let name = self.service.name.as_str().to_owned();
        let answer = self.aws.describe_services(&self.snapshot.cluster, vec![name]).await;
        let mut services = answer.map_err(|error| error.chain())?.items;
        services.pop().ok_or_else(|| "the service could not be read again".to_owned())
    }

    /// Why the step must not be carried out: its record has moved on, or is gone, since it was decided.
    async fn reason_record_moved_on(&self) -> Option<String> {
        match self.look().await {
            Err(why) => Some(why),
            Ok(fresh) => self.reason_not_the_record_of(&fresh),
        }
    }

    fn reason_not_the_record_of(&self, fresh: &Service) -> Option<String> {
        let is_same = matches!((record_of(fresh), self.record), (Some(Ok(found)), Some(acted_on)) if found == *acted_on);
        (!is_same).then(|| "the record has moved on since the step was decided".to_owned())
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

    /// Announces the increment and makes it. If somebody writes the desired count between the two, the announcement is
    /// taken back, so that their count is not mistaken for ours.
    async fn raise(&self, record: &MoveRecord, from: u32, to: u32, decide: &Decide<'_>) -> Vec<Action> {
        let recorded = self.record_if_still(record, from).await;
        if recorded.outcome != ActionOutcome::Done {
            return vec![recorded];
        }
        let raised = self.write_desired(from, to, decide).await;
        let mut actions = vec![recorded, raised];
        if matches!(actions[1].outcome, ActionOutcome::Refused(_))
            && let Some(before) = self.record
            && self.look().await.is_ok_and(|fresh| fresh.tasks_desired != from)
        {
            actions.push(
                self.write_record(&MoveRecord { sequence: record.sequence + 1, ..before.clone() }).await,
            );
        }
        actions
    }

    /// Writes the desired count if a fresh look still asks for exactly that.
    async fn write_desired(&self, from: u32, to: u32, decide: &Decide<'_>) -> Action {
        let why = format!("desired count {from} -> {to}");
        self.aws.wait_for_update().await;
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

    /// Writes the record if the one acted on still stands and desired count is still `desired`.
    async fn record_if_still(&self, record: &MoveRecord, desired: u32) -> Action {
        self.aws.wait_for_tag().await;
        let refused = match self.look().await {
            Err(why) => Some(why),
            Ok(fresh) if fresh.tasks_desired != desired => Some("desired count has changed".to_owned()),
            Ok(fresh) => self.reason_not_the_record_of(&fresh),
        };
        match refused {
            Some(why) => self.action("TagResource", record_words(record), ActionOutcome::Refused(why)),
            None => self.write_record(record).await,
        }
    }

    async fn write_record(&self, record: &MoveRecord) -> Action {
        let answer = self.aws.tag(self.service.arn.as_str(), MOVE_TAG, &record.to_string()).await;
        self.action("TagResource", record_words(record), outcome(answer))
    }

    async fn finish(&self, end: Outcome) -> Action {
        let why = format!("end of the move: {end:?}");
        self.aws.wait_for_tag().await;
        let refused = match self.look().await {
            Err(why) => Some(why),
            Ok(fresh) if fresh.tasks_desired != self.service.tasks_desired => {
                Some("desired count has changed".to_owned())
            }
            Ok(fresh) => self.reason_not_the_record_of(&fresh),
        };
        if let Some(refusal) = refused {
            return self.action("UntagResource", why, ActionOutcome::Refused(refusal));
        }
        let answer = self.aws.untag(self.service.arn.as_str(), MOVE_TAG).await;
        self.action("UntagResource", why, outcome(answer))
    }

    /// Writes protections in batches, each after a fresh look at it: one that somebody has set or changed since the
    /// snapshot is theirs and is left, and the next turn sees it.
    async fn set_protection(&self, tasks: &[TaskArn], until: Option<Timestamp>) -> Vec<Action> {
        if let Some(why) = self.reason_record_moved_on().await {
            let words = protection_words(tasks, until);
            return vec![self.action("UpdateTaskProtection", words, ActionOutcome::Refused(why))];
        }
        let mut actions = Vec::new();
        for batch in tasks.chunks(PROTECTION_BATCH) {
            actions.push(self.set_protection_of(batch, until).await);
        }
        actions
    }

    async fn set_protection_of(&self, batch: &[TaskArn], until: Option<Timestamp>) -> Action {
        let cluster = &self.snapshot.cluster;
        let words = protection_words(batch, until);
        let fresh = match self.aws.task_protection(cluster, batch.to_vec()).await {
            Ok(fresh) => fresh,
            Err(error) => {
                return self.action("UpdateTaskProtection", words, ActionOutcome::Refused(error.chain()));
            }
        };
        let seen = |task: &TaskArn| self.snapshot.protections.get(task).and_then(Known::known).copied();
        let (same, changed): (Vec<TaskArn>, Vec<TaskArn>) =
            batch.iter().cloned().partition(|task| fresh.get(task).copied() == seen(task));
        let answer = match until {
            _ if same.is_empty() => Ok(Vec::new()),
            Some(until) => self.aws.protect(cluster, &same, until).await,
            None => self.aws.unprotect(cluster, &same).await,
        };
        let left = changed.iter().map(|task| format!("task {} has changed meanwhile", task.short()));
        self.action(
            "UpdateTaskProtection",
            words,
            refusals(answer.map(|refused| refused.into_iter().chain(left).collect())),
        )
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

/// Removes the `evenkeel:surge-off` tag that was seen expired, unless somebody has renewed it since.
pub async fn execute_surge_on(aws: &Aws, cluster: &ClusterName, seen: Option<&String>) -> Action {
    let answer = match aws.cluster_tags(cluster).await {
        Ok(tags) if tags.get(SURGE_OFF_TAG) != seen => Ok(()),
        Ok(_) => match aws.cluster_arn(cluster).await {
            Ok(arn) => aws.untag(&arn, SURGE_OFF_TAG).await,
            Err(error) => Err(error),
        },
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
fn reason_not_as_planned(seen: &Service, fresh: &Service) -> Option<String> {
    if record_of(fresh).is_some() {
        return Some("another invocation has begun a move of it".to_owned());
    }
    let counts = |it: &Service| (it.tasks_desired, it.tasks_running, it.tasks_pending);
    let same =
        counts(seen) == counts(fresh) && seen.deployments == fresh.deployments && seen.tags == fresh.tags;
    (!same).then(|| "it changed since it was planned".to_owned())
}

fn record_words(record: &MoveRecord) -> String {
    format!("record: {} of task {}", record.phase.word(), record.chosen)
}

fn protection_words(tasks: &[TaskArn], until: Option<Timestamp>) -> String {
    match until {
        Some(until) => format!("protect {} until {until}", words(tasks)),
        None => format!("unprotect {}", words(tasks)),
    }
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
