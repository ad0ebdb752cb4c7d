//! Writing and removing what outlives a move: the memory of misses, and tags of ours whose time is over.

use crate::plan::rest::{REST_TAG, Rest};
use crate::report::{Action, ActionOutcome};

use super::{Execute, outcome};

impl Execute<'_> {
    /// Writes down a miss while the record that tells of it still stands.
    pub(super) async fn rest(&self, rest: &Rest) -> Action {
        let why = format!("the move missed ({}): rest until {}", rest.observed.code(), rest.until);
        self.aws.wait_for_tag().await;
        let written = match self.reason_memory_moved_on().await {
            Some(refusal) => ActionOutcome::Refused(refusal),
            None => outcome(self.aws.tag(self.service.arn.as_str(), REST_TAG, &rest.to_string()).await),
        };
        self.action("TagResource", why, written)
    }

    /// Forgets earlier misses, now that a move came through.
    pub(super) async fn end_rest(&self) -> Action {
        let why = "a move came through: earlier misses are forgotten".to_owned();
        self.aws.wait_for_tag().await;
        let removed = match self.reason_memory_moved_on().await {
            Some(refusal) => ActionOutcome::Refused(refusal),
            None => outcome(self.aws.untag(self.service.arn.as_str(), REST_TAG).await),
        };
        self.action("UntagResource", why, removed)
    }

    /// Removes a tag of ours that no move needs, if a fresh look finds it with the value that was seen.
    pub async fn execute_untag(&self, key: &str, why: String) -> Action {
        self.aws.wait_for_tag().await;
        let removed = match self.look().await {
            Err(refusal) => ActionOutcome::Refused(refusal),
            Ok(fresh) if fresh.tags.get(key) != self.service.tags.get(key) => {
                ActionOutcome::Refused(format!("the tag {key} has changed"))
            }
            Ok(_) => outcome(self.aws.untag(self.service.arn.as_str(), key).await),
        };
        self.action("UntagResource", why, removed)
    }

    /// Why the memory must not be written: the record, or the memory itself, is no longer what the step was decided from.
    async fn reason_memory_moved_on(&self) -> Option<String> {
        match self.look().await {
            Err(why) => Some(why),
            Ok(fresh) if fresh.tags.get(REST_TAG) != self.service.tags.get(REST_TAG) => {
                Some("the memory of misses has changed".to_owned())
            }
            Ok(fresh) => self.reason_not_the_record_of(&fresh),
        }
    }
}
