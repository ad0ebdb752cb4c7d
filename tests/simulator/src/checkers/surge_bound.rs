//! Promise: a move adds no more than it has recorded.
//!
//! While a record exists the desired count is at most `d0 + k`. And no task is started that brings the
//! service above both the recorded bound and its desired count, except up to the ceiling where ECS itself is
//! replacing tasks: in a deployment, for a DRAINING instance or an unhealthy task, or in zone rebalancing.
//! Tasks that are merely not gone yet after the count was lowered are no surge.

use super::Violation;
use super::survey::{ServiceNow, Survey};

pub(super) fn check(survey: &Survey) -> Vec<Violation> {
    let mut found = Vec::new();
    for (name, now) in &survey.services {
        for what in [above_record(now), started_above(now)].into_iter().flatten() {
            found.push(Violation { at: survey.at, checker: "surge_bound", subject: name.clone(), what });
        }
    }
    found
}

fn above_record(now: &ServiceNow) -> Option<String> {
    let record = now.record?;
    let bound = record.desired_before + record.increment;
    (now.desired > bound).then(|| format!("desired count {} is above the recorded {bound}", now.desired))
}

fn started_above(now: &ServiceNow) -> Option<String> {
    let recorded = now.record.map_or(0, |record| record.desired_before + record.increment);
    let bound = now.desired.max(recorded).max(if now.replacing { now.ceiling } else { 0 });
    let above = now.started > 0 && now.wanted > bound;
    above.then(|| {
        format!("a task was started although {} are wanted of at most {bound}", now.wanted - now.started)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::checkers::record::Record;
    use crate::time::SimTime;

    fn found(now: ServiceNow) -> usize {
        let services = BTreeMap::from([("web/web".to_owned(), now)]);
        check(&Survey { at: SimTime(0), services, stops: Vec::new() }).len()
    }

    const RECORD: Option<Record> = Some(Record { desired_before: 3, increment: 1 });

    #[test]
    fn desired_stays_within_the_record() {
        assert_eq!(found(ServiceNow { desired: 4, record: RECORD, ..ServiceNow::default() }), 0);
        assert_eq!(found(ServiceNow { desired: 5, record: RECORD, ..ServiceNow::default() }), 1);
        assert_eq!(found(ServiceNow { desired: 5, record: None, ..ServiceNow::default() }), 0);
    }

    #[test]
    fn only_a_start_above_the_bound_counts() {
        let now = ServiceNow { desired: 3, wanted: 4, ceiling: 6, ..ServiceNow::default() };
        assert_eq!(found(now.clone()), 0, "not gone yet");
        assert_eq!(found(ServiceNow { started: 1, ..now.clone() }), 1);
        assert_eq!(found(ServiceNow { started: 1, record: RECORD, ..now.clone() }), 0);
        assert_eq!(found(ServiceNow { started: 1, replacing: true, ..now }), 0);
    }
}
