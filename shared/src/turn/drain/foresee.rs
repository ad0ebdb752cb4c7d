//! What is foreseen of a drain: read once an invocation, when nothing more pressing is left to do, and said at every look
//! from then on. No step depends on it.

use std::time::Duration;

use crate::observe::drain::outlook;
use crate::plan::drain::foresight::{foreseen, stands};
use crate::plan::drain::reason::DrainReason;
use crate::plan::drain::record::DrainRecord;
use crate::plan::drain::seen::InstanceSnapshot;
use crate::report::drain::Stage;

use super::{Drain, Drained};

/// What could not be read by then foretells nothing: the next look is due.
const READ_WITHIN: Duration = Duration::from_secs(5);

impl Drain<'_> {
    /// Adds to what is said about an instance what keeps it from getting empty, as long as that may still come true.
    pub(super) async fn foresee(&self, drained: &mut Drained, seen: &InstanceSnapshot) {
        if !matches!(drained.stage, Stage::Draining | Stage::DeadlineExpired) {
            return;
        }
        let is_time = !drained.is_over() && !drained.is_pressing() && !seen.wanted().is_empty();
        if let Some(record) = drained.record.filter(|_| is_time && drained.foreseen.is_none()) {
            drained.foreseen = Some(self.foreseen(seen, &record).await);
        }
        let standing = drained.foreseen.iter().flatten().filter(|reason| stands(reason, seen));
        drained.reasons.extend(standing.cloned());
    }

    /// Logged at once: the report comes when the invocation ends, and that is the deadline.
    async fn foreseen(&self, seen: &InstanceSnapshot, record: &DrainRecord) -> Vec<DrainReason> {
        let reading = Box::pin(outlook(self.aws, seen, record.deadline.is_some()));
        let Ok(outlook) = tokio::time::timeout(READ_WITHIN, reading).await else { return Vec::new() };
        let reasons = foreseen(seen, record, &outlook);
        for reason in &reasons {
            tracing::warn!(instance = %seen.instance_id, foreseen = reason.sentence(), "drain");
        }
        reasons
    }
}
