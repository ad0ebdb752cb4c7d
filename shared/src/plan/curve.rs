//! What any number of moves would reach: the anytime curve of a plan.
//!
//! The moves of each service are such that every prefix is the best plan of its length. Over several services the next
//! move always goes to the one that is worst off, so that after any number of moves the worst service stands as well as
//! that many moves can make it; then come the moves of the second layer.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use crate::ids::{ContainerInstanceArn, ServiceName};
use crate::percent::Percent;
use crate::plan::load::{Loads, size_of};
use crate::plan::proposal::{CurvePoint, Limits, Move, ServicePlan};
use crate::snapshot::ClusterSnapshot;

/// Points of the curve at most.
const POINTS_MAX: usize = 200;

/// The order in which the planned moves of all services are worth making: each time the worst-off service's next one.
pub fn in_order_of_need<'p>(services: &'p [ServicePlan]) -> Vec<&'p Move> {
    let key = |at: usize, made: usize| {
        let service = &services[at];
        let skew = if made == 0 { service.raw_skew } else { Some(service.moves[made - 1].skew_after) };
        (skew, std::cmp::Reverse(at))
    };
    let mut made = vec![0_usize; services.len()];
    let is_open = |at: &usize| !services[*at].moves.is_empty();
    let mut heap: BinaryHeap<_> = (0..services.len()).filter(is_open).map(|at| key(at, 0)).collect();
    let mut ordered: Vec<&'p Move> = Vec::new();
    while let Some((_, std::cmp::Reverse(at))) = heap.pop() {
        ordered.push(&services[at].moves[made[at]]);
        made[at] += 1;
        if made[at] < services[at].moves.len() {
            heap.push(key(at, made[at]));
        }
    }
    ordered
}

/// The curve of a plan: the state now, then after each move.
pub fn curve(
    snapshot: &ClusterSnapshot,
    limits: &Limits,
    services: &[ServicePlan],
    load_moves: &[Move],
) -> Vec<CurvePoint> {
    let ordered: Vec<&Move> = in_order_of_need(services).into_iter().chain(load_moves).collect();
    if ordered.is_empty() {
        return Vec::new();
    }
    let mut loads = Loads::of(snapshot, limits, &BTreeSet::new());
    let mut skews: BTreeMap<&ServiceName, Percent> = services
        .iter()
        .filter(|service| !service.moves.is_empty())
        .filter_map(|service| Some((&service.service, service.raw_skew?)))
        .collect();
    let mut points = vec![point(0, &skews, &loads)];
    for (made, planned) in (1..).zip(ordered.into_iter().take(POINTS_MAX)) {
        shift(&mut loads, snapshot, planned);
        skews.entry(&planned.service).and_modify(|skew| *skew = planned.skew_after);
        points.push(point(made, &skews, &loads));
    }
    points
}

fn shift(loads: &mut Loads<'_>, snapshot: &ClusterSnapshot, planned: &Move) {
    let seat = |arn: &ContainerInstanceArn| loads.hosts.iter().position(|host| host.instance.arn == *arn);
    let size = snapshot.tasks.get(&planned.task).and_then(|task| size_of(snapshot, task));
    if let (Some(size), Some(from), Some(to)) = (size, seat(&planned.from), seat(&planned.to)) {
        loads.shift(size, from, to);
    }
}

fn point(moves: u32, skews: &BTreeMap<&ServiceName, Percent>, loads: &Loads<'_>) -> CurvePoint {
    let worst = |skews: &mut dyn Iterator<Item = Percent>| skews.max().unwrap_or(Percent::new(0));
    CurvePoint {
        moves,
        service_skew: worst(&mut skews.values().copied()),
        cluster_skew: worst(&mut loads.groups.iter().map(|group| loads.skew(group))),
    }
}
