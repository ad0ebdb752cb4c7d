//! Carrying out one step of a move, after a fresh look at what it relies on.
//!
//! The executor has no opinions. Before any write it reads the service again: the record must still be the one acted on,
//! and for a change of the desired count the whole step is asked for anew. If the world has moved it refuses. The record
//! is written before the change it announces, so a turn that dies anywhere in here is taken up by the next one.

mod chosen;
mod count;
pub mod drain;
mod memory;
mod protection;
pub mod rollout;
mod stop;

use std::time::Duration;

use crate::aws::Aws;
use crate::error::Error;
use crate::ids::ClusterName;
use crate::plan::proposal::Move;
use crate::plan::record::{MOVE_TAG, MoveRecord, Phase, SURGE_OFF_TAG, protection_minutes, record_of};
use crate::plan::surge::{Outcome, Step};
use crate::report::{Action, ActionOutcome};
use crate::settings::MoveStrategy;
use crate::snapshot::{ClusterSnapshot, Service};
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
            Step::Raise { record, from, to } => self.raise(record, *from, *to).await,
            Step::Lower { from, to, closing } => self.lower(*from, *to, closing, decide).await,
            Step::Stop { tasks, lower } => self.stop(tasks, *lower, decide).await,
            Step::StopChosen { task } => vec![self.stop_chosen(task, decide).await],
            Step::SurgeOff => vec![self.surge_off().await],
            Step::Rest(rest) => vec![self.rest(rest).await],
            Step::EndRest => vec![self.end_rest().await],
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
            phase: first_phase(planned.strategy),
            tasks_desired_before: self.service.tasks_desired,
            starts: 0,
            starts_max: planned.starts_max,
            sequence: 1,
            chosen: planned.task.short().to_owned(),
            new: None,
            started_at: Timestamp::from_secs(self.aws.now().as_secs()),
            protection_minutes: protection_minutes(move_timeout),
            missed: None,
        }
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

    async fn surge_off(&self) -> Action {
        let until = self.aws.now() + SURGE_OFF_FOR;
        let answer = match self.aws.cluster_arn(&self.snapshot.cluster).await {
            Ok(arn) => self.aws.tag(&arn, SURGE_OFF_TAG, &until.as_secs().to_string()).await,
            Err(error) => Err(error),
        };
        let why =
            format!("ECS stopped another task than the chosen one: no move by an extra task until {until}");
        cluster_action(self.aws, &self.snapshot.cluster, "TagResource", why, outcome(answer))
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
        log(&action);
        action
    }
}

/// Removes the `evenkeel:surge-off` tag that was seen expired, unless somebody has renewed it since.
pub async fn execute_surge_on(aws: &Aws, cluster: &ClusterName, seen: Option<&String>) -> Action {
    let answer = match aws.cluster_tags(cluster).await {
        Ok(tags) if tags.get(SURGE_OFF_TAG) != seen => ActionOutcome::Refused("it was renewed".to_owned()),
        Ok(_) => match aws.cluster_arn(cluster).await {
            Ok(arn) => outcome(aws.untag(&arn, SURGE_OFF_TAG).await),
            Err(error) => ActionOutcome::Failed(error.chain()),
        },
        Err(error) => ActionOutcome::Failed(error.chain()),
    };
    let why = "moves by an extra task are allowed again".to_owned();
    cluster_action(aws, cluster, "UntagResource", why, answer)
}

/// An action on the cluster itself.
fn cluster_action(
    aws: &Aws,
    cluster: &ClusterName,
    operation: &'static str,
    why: String,
    outcome: ActionOutcome,
) -> Action {
    let resource = format!("cluster {cluster}");
    let action = Action { at: aws.now(), cluster: cluster.clone(), operation, resource, why, outcome };
    log(&action);
    action
}

fn log(action: &Action) {
    tracing::info!(
        cluster = %action.cluster,
        resource = action.resource,
        action = action.operation,
        outcome = ?action.outcome,
        reason = action.why,
        "action"
    );
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

fn first_phase(strategy: MoveStrategy) -> Phase {
    match strategy {
        MoveStrategy::Surge => Phase::Guard,
        MoveStrategy::Stop => Phase::Stop,
    }
}

fn record_words(record: &MoveRecord) -> String {
    format!("record: {} of task {}", record.phase.word(), record.chosen)
}

fn outcome(answer: Result<(), Error>) -> ActionOutcome {
    match answer {
        Ok(()) => ActionOutcome::Done,
        Err(error) => ActionOutcome::Failed(error.chain()),
    }
}
