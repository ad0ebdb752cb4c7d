//! Stopping new tasks that do not serve, when a move is undone.

use futures::future::join_all;

use crate::ids::TaskArn;
use crate::plan::record::Phase;
use crate::plan::surge::Step;
use crate::report::{Action, ActionOutcome};

use super::{Decide, Execute, outcome};

/// How often substitutes are looked for in one turn; the next turn goes on.
const ROUNDS: u32 = 3;

impl Execute<'_> {
    /// Stops tasks by name if a fresh look at everything still asks for exactly that, and lowers the desired count in the
    /// same breath, with one short look between. ECS looks at a service every few seconds: a substitute that it starts in
    /// that breath is stopped in the next, before ECS looks again and finds one too many.
    pub(super) async fn stop(
        &self,
        tasks: &[TaskArn],
        lower: Option<(u32, u32)>,
        decide: &Decide<'_>,
    ) -> Vec<Action> {
        self.aws.wait_for_update().await;
        let asked = Step::Stop { tasks: tasks.to_vec(), lower };
        let (mut asked, mut actions) = match self.reason_not_asked(|step| *step == asked, decide).await {
            None => (asked, Vec::new()),
            Some(refusal) => {
                let refused = ActionOutcome::Refused(refusal);
                return vec![self.action("StopTask", "a task that does not serve".to_owned(), refused)];
            }
        };
        for _ in 0..ROUNDS {
            let Step::Stop { tasks, lower } = asked else { break };
            let stopped = join_all(tasks.iter().map(|task| self.stop_one(task))).await;
            let is_done = stopped.iter().all(|action| action.outcome == ActionOutcome::Done);
            actions.extend(stopped);
            // With a sick task still aboard, the lowering would leave ECS the very choice that it must not have.
            if !is_done {
                break;
            }
            if let Some((from, to)) = lower {
                actions.extend(self.lower_at_once(from, to).await);
            }
            let Ok(next) = self.look_at_all(decide).await else { break };
            asked = next;
        }
        actions
    }

    async fn stop_one(&self, task: &TaskArn) -> Action {
        let why = format!("task {} came with a move that is undone, and does not serve", task.short());
        self.aws.wait_for_stop().await;
        let answer = self.aws.stop_task(&self.snapshot.cluster, task, "Evenkeel undoes a move").await;
        self.action("StopTask", why, outcome(answer))
    }

    /// Lowers the desired count and says so in the record, from when on the count is not ours to write.
    async fn lower_at_once(&self, from: u32, to: u32) -> Vec<Action> {
        let why = format!("desired count {from} -> {to}");
        let refused = match self.record {
            Some(record) => self.reason_not_as_recorded(record, from).await,
            None => Some("it carries no record".to_owned()),
        };
        let lowered = match refused {
            Some(refusal) => ActionOutcome::Refused(refusal),
            None => {
                outcome(self.aws.update_desired_count(&self.snapshot.cluster, &self.service.name, to).await)
            }
        };
        let is_done = lowered == ActionOutcome::Done;
        let mut actions = vec![self.action("UpdateService", why, lowered)];
        if let Some(record) = self.record.filter(|_| is_done) {
            actions.push(self.close(&record.then(Phase::Undone)).await);
        }
        actions
    }
}
