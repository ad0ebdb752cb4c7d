//! A new instance is not mugged.

use crate::plan::proposal::{Heading, RebalancePlan};
use crate::plan::rebalance::plan_rebalance;
use crate::plan::testing::{Cluster, arn, cluster, limits, task_arn};

use super::*;

/// Five services that each want to bring a task to the second instance.
fn crowd() -> Cluster {
    let mut cluster = cluster(&[&[3, 0]]);
    for name in ["w1", "w2", "w3", "w4"] {
        cluster.add(name, &[&[3, 0]]);
    }
    cluster
}

fn plan(cluster: &Cluster, limits: Limits) -> RebalancePlan {
    plan_rebalance(&cluster.0, &Limits { moves_at_once: 10, ..limits })
}

fn waiting(plan: &RebalancePlan) -> usize {
    let blocked = plan.services.iter().flat_map(|it| &it.blocked);
    blocked.filter(|it| matches!(it.reason, Reason::Arrivals { .. })).count()
}

#[test]
fn three_tasks_at_a_time_are_brought_to_an_instance() {
    let plan = plan(&crowd(), limits());
    assert_eq!((plan.starts.len(), waiting(&plan)), (3, 2));
}

#[test]
fn tasks_of_moves_in_flight_count() {
    let mut heading = BTreeMap::new();
    for name in ["x1", "x2"] {
        let to = Heading { to: arn("a", 1), helpful: [arn("a", 1)].into() };
        heading.insert(name.into(), to);
    }
    let plan = plan(&crowd(), Limits { heading, ..limits() });
    assert_eq!((plan.starts.len(), waiting(&plan)), (1, 4));
}

#[test]
fn tasks_that_still_pull_their_image_count() {
    let mut cluster = crowd();
    cluster.add("slow", &[&[0, 3]]);
    for number in 0..3 {
        cluster.0.tasks.get_mut(&task_arn("slow", number)).unwrap().last_status = TaskStatus::Pending;
    }
    let plan = plan(&cluster, limits());
    assert_eq!((plan.starts.len(), waiting(&plan)), (0, 5));
}
