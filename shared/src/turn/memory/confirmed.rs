//! Seen twice: what has looked worth a move for long enough to be acted on.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Memory;
use crate::ids::ServiceName;
use crate::plan::proposal::{Layer, RebalancePlan};
use crate::timestamp::Timestamp;

impl Memory {
    /// Takes note of which services look worth a move, and returns those that have done so for `confirm_after`.
    pub(in crate::turn) fn confirm(
        &mut self,
        plan: &RebalancePlan,
        now: Timestamp,
        confirm_after: Duration,
    ) -> BTreeSet<ServiceName> {
        let mut confirmed = self.confirm_load(plan, now, confirm_after);
        let worth: BTreeSet<&ServiceName> =
            plan.services.iter().filter(|it| !it.moves.is_empty()).map(|it| &it.service).collect();
        self.seen_since.retain(|service, _| worth.contains(service));
        for service in worth {
            let since = *self.seen_since.entry(service.clone()).or_insert(now);
            if self.triggered.contains(service) || now.since(since) >= confirm_after {
                confirmed.insert(service.clone());
            }
        }
        confirmed
    }

    /// The same for the load of the instances, whichever services would be moved for it.
    fn confirm_load(
        &mut self,
        plan: &RebalancePlan,
        now: Timestamp,
        confirm_after: Duration,
    ) -> BTreeSet<ServiceName> {
        if plan.starts.iter().all(|planned| planned.layer != Layer::Cluster) {
            self.load_seen_since = None;
            return BTreeSet::new();
        }
        let since = *self.load_seen_since.get_or_insert(now);
        if !self.is_load_triggered && now.since(since) < confirm_after {
            return BTreeSet::new();
        }
        let starts = plan.starts.iter().filter(|planned| planned.layer == Layer::Cluster);
        starts.map(|planned| planned.service.clone()).collect()
    }
}
