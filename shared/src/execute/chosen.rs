//! Stopping the chosen task of a move by `stop`: the one call that cannot be taken back.

use crate::ids::TaskArn;
use crate::observe;
use crate::plan::stop::stop_reason;
use crate::plan::surge::Step;
use crate::report::{Action, ActionOutcome};
use crate::snapshot::ClusterSnapshot;

use super::{Decide, Execute, outcome};

impl Execute<'_> {
    /// Stops the chosen task, once, if a fresh look at everything still asks for that.
    pub(super) async fn stop_chosen(&self, task: &TaskArn, decide: &Decide<'_>) -> Action {
        let reason = self.record.map_or_else(String::new, stop_reason);
        let why = format!("task {}: {reason}", task.short());
        self.aws.wait_for_stop().await;
        let stopped = match self.reason_not_to_stop(task, decide).await {
            Some(refusal) => ActionOutcome::Refused(refusal),
            None => outcome(self.aws.stop_task(&self.snapshot.cluster, task, &reason).await),
        };
        self.action("StopTask", why, stopped)
    }

    async fn reason_not_to_stop(&self, task: &TaskArn, decide: &Decide<'_>) -> Option<String> {
        let fresh = match observe::service_and_cluster(self.aws, self.snapshot, &self.service.name).await {
            Ok(fresh) => fresh,
            Err(error) => return Some(error.chain()),
        };
        match decide(&fresh) {
            Some(Step::StopChosen { task: asked }) if asked == *task => self.reason_protected(&fresh).await,
            Some(step) => Some(format!("a fresh look asks for: {step:?}")),
            None => Some("the record is gone".to_owned()),
        }
    }

    /// `StopTask` asks for no protection, so that the last thing read is whether somebody has set one meanwhile.
    async fn reason_protected(&self, fresh: &ClusterSnapshot) -> Option<String> {
        let tasks: Vec<TaskArn> = fresh.wanted_tasks(&self.service.name).map(|it| it.arn.clone()).collect();
        let found = match self.aws.task_protection(&fresh.cluster, tasks.clone()).await {
            Ok(found) => found,
            Err(error) => return Some(error.chain()),
        };
        let is_free = |task: &&TaskArn| found.get(*task).is_some_and(|protection| !protection.enabled);
        let held = tasks.iter().find(|task| !is_free(task))?;
        Some(format!("task {} is protected, or that cannot be told", held.short()))
    }
}
