//! The two writes of the desired count.

use crate::observe;
use crate::plan::record::{MoveRecord, record_of};
use crate::plan::surge::Step;
use crate::report::{Action, ActionOutcome};

use super::{Decide, Execute, outcome, record_words};

impl Execute<'_> {
    /// Announces the increment and makes it, with one short look between: a raised count can hurt nobody, but the count
    /// of somebody else who writes in that moment would pass for ours, so nothing else happens in it.
    pub(super) async fn raise(&self, record: &MoveRecord, from: u32, to: u32) -> Vec<Action> {
        self.aws.wait_for_update().await;
        let recorded = self.record_if_still(record, from).await;
        if recorded.outcome != ActionOutcome::Done {
            return vec![recorded];
        }
        let why = format!("desired count {from} -> {to}");
        let raised = match self.reason_not_as_recorded(record, from).await {
            Some(refusal) => ActionOutcome::Refused(refusal),
            None => {
                outcome(self.aws.update_desired_count(&self.snapshot.cluster, &self.service.name, to).await)
            }
        };
        vec![recorded, self.action("UpdateService", why, raised)]
    }

    /// Why the desired count must not be written: in the short look before the write, the service is not as the record
    /// and the longer look before it had it.
    pub(super) async fn reason_not_as_recorded(&self, record: &MoveRecord, from: u32) -> Option<String> {
        match self.look().await {
            Err(why) => Some(why),
            Ok(fresh) if fresh.tasks_desired != from => Some("desired count has changed".to_owned()),
            Ok(fresh) if fresh.deployments != self.service.deployments => {
                Some("a deployment has begun".to_owned())
            }
            Ok(fresh) if !matches!(record_of(&fresh), Some(Ok(found)) if found == *record) => {
                Some("another invocation has written the record".to_owned())
            }
            Ok(_) => None,
        }
    }

    /// Lowers the desired count if a fresh look at everything still asks for exactly that, and says so in the record at
    /// once: from then on the count is not ours to write, whatever becomes of it.
    pub(super) async fn lower(
        &self,
        from: u32,
        to: u32,
        closing: &MoveRecord,
        decide: &Decide<'_>,
    ) -> Vec<Action> {
        let why = format!("desired count {from} -> {to}");
        self.aws.wait_for_update().await;
        let lowered = match self.reason_not_to_lower(from, to, decide).await {
            Some(refusal) => ActionOutcome::Refused(refusal),
            None => {
                outcome(self.aws.update_desired_count(&self.snapshot.cluster, &self.service.name, to).await)
            }
        };
        let is_done = lowered == ActionOutcome::Done;
        let mut actions = vec![self.action("UpdateService", why, lowered)];
        if is_done {
            actions.push(self.close(closing).await);
        }
        actions
    }

    /// Whatever the desired count is by now, it was lowered, so only the record itself has to be the one acted on.
    pub(super) async fn close(&self, closing: &MoveRecord) -> Action {
        match self.reason_record_moved_on().await {
            None => self.write_record(closing).await,
            Some(why) => self.action("TagResource", record_words(closing), ActionOutcome::Refused(why)),
        }
    }

    async fn reason_not_to_lower(&self, from: u32, to: u32, decide: &Decide<'_>) -> Option<String> {
        let is_asked = |step: &Step| matches!(step, Step::Lower { from: found, to: wanted, .. } if (*found, *wanted) == (from, to));
        self.reason_not_asked(is_asked, decide).await
    }

    /// Looks at everything once more, and says why not if the step that follows from it is not as expected.
    pub(super) async fn reason_not_asked(
        &self,
        is_asked: impl Fn(&Step) -> bool,
        decide: &Decide<'_>,
    ) -> Option<String> {
        match self.look_at_all(decide).await {
            Ok(step) if is_asked(&step) => None,
            Ok(step) => Some(format!("a fresh look asks for: {step:?}")),
            Err(why) => Some(why),
        }
    }

    /// The step that a fresh look at everything asks for.
    pub(super) async fn look_at_all(&self, decide: &Decide<'_>) -> Result<Step, String> {
        let fresh = observe::service(self.aws, self.snapshot, &self.service.name).await;
        let fresh = fresh.map_err(|error| error.chain())?;
        decide(&fresh).ok_or_else(|| "the record is gone".to_owned())
    }
}
