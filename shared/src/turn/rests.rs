//! Putting away the memory of misses that lie too far back to count.

use std::collections::BTreeSet;

use crate::execute::Execute;
use crate::ids::ServiceName;
use crate::plan::candidate::is_opted_out;
use crate::plan::record::PAUSE_TAG;
use crate::plan::rest::{REST_TAG, Rest, rest_of};
use crate::snapshot::{ClusterSnapshot, Service};

use super::{Memory, Rebalance};

impl Rebalance<'_> {
    /// Whether the cluster is known not to be paused; its tags are read if they have not been.
    async fn is_known_to_run(&self, snapshot: &ClusterSnapshot) -> bool {
        if let Some(tags) = snapshot.tags.known() {
            return !tags.contains_key(PAUSE_TAG);
        }
        let tags = self.aws.cluster_tags(&self.cluster).await;
        tags.is_ok_and(|tags| !tags.contains_key(PAUSE_TAG))
    }

    /// Removes the memories that are over, but from no service with a move under way: there they are part of the move.
    pub(super) async fn forget_rests(
        &self,
        snapshot: &ClusterSnapshot,
        in_flight: &BTreeSet<ServiceName>,
        memory: &mut Memory,
    ) {
        let is_over = |rest: Rest| rest.is_forgotten_at(snapshot.observed_at);
        let is_open = |service: &&Service| !in_flight.contains(&service.name) && !is_opted_out(service);
        let is_forgotten = |service: &&Service| rest_of(service).and_then(Result::ok).is_some_and(is_over);
        let services: Vec<&Service> =
            snapshot.services.values().filter(is_open).filter(is_forgotten).collect();
        if !services.is_empty() && !self.dry_run && self.is_known_to_run(snapshot).await {
            for service in services {
                let execute = Execute { aws: self.aws, snapshot, service, record: None };
                let why = "its rest ended more than a day ago".to_owned();
                memory.actions.push(execute.execute_untag(REST_TAG, why).await);
            }
        }
    }
}
