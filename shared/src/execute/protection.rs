//! Writing task protections, and leaving those that are somebody else's.

use crate::aws::PROTECTION_BATCH;
use crate::error::Error;
use crate::ids::TaskArn;
use crate::report::{Action, ActionOutcome};
use crate::snapshot::Known;
use crate::timestamp::Timestamp;

use super::Execute;

impl Execute<'_> {
    /// Writes protections in batches, each after a fresh look at it: one that somebody has set or changed since the
    /// snapshot is theirs and is left, and the next turn sees it.
    pub(super) async fn set_protection(&self, tasks: &[TaskArn], until: Option<Timestamp>) -> Vec<Action> {
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
}

fn protection_words(tasks: &[TaskArn], until: Option<Timestamp>) -> String {
    match until {
        Some(until) => format!("protect {} until {until}", words(tasks)),
        None => format!("unprotect {}", words(tasks)),
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
