//! Putting away the memory of misses that lie too far back to count.

use std::collections::BTreeSet;

use crate::execute::Execute;
use crate::ids::ServiceName;
use crate::plan::rest::{REST_TAG, Rest, rest_of};
use crate::snapshot::ClusterSnapshot;

use super::{Memory, Rebalance};

impl Rebalance<'_> {
    /// Removes the memories that are over, but from no service with a move under way: there they are part of the move.
    pub(super) async fn forget_rests(
        &self,
        snapshot: &ClusterSnapshot,
        in_flight: &BTreeSet<ServiceName>,
        memory: &mut Memory,
    ) {
        let is_over = |rest: Rest| rest.is_forgotten_at(snapshot.observed_at);
        for service in snapshot.services.values().filter(|it| !in_flight.contains(&it.name)) {
            if !self.dry_run && rest_of(service).and_then(Result::ok).is_some_and(is_over) {
                let execute = Execute { aws: self.aws, snapshot, service, record: None };
                let why = "its rest ended more than a day ago".to_owned();
                memory.actions.push(execute.execute_untag(REST_TAG, why).await);
            }
        }
    }
}
