//! Shares, groups and the rule that every move of the second layer relieves.

use crate::plan::testing::{cluster, limits, now};

use super::*;

fn loads(cluster: &crate::plan::testing::Cluster) -> Loads<'_> {
    Loads::of(&cluster.0, &limits(), &BTreeSet::new())
}

fn skew(zones: &[&[u32]]) -> u32 {
    let cluster = cluster(zones);
    let loads = loads(&cluster);
    loads.skew(&loads.groups[0]).get()
}

#[test]
fn the_larger_share_of_cpu_and_memory_counts() {
    let mut cluster = cluster(&[&[2, 0]]);
    cluster.instance("a", 0).registered.memory = 1_000;
    assert_eq!(loads(&cluster).hosts[0].share(), 200_000);
}

#[test]
fn skew_is_over_the_mean_and_rounded_up() {
    assert_eq!(skew(&[&[3, 0]]), 200);
    assert_eq!(skew(&[&[2, 2, 3]]), 43);
    assert_eq!(skew(&[&[0, 0]]), 0);
}

#[test]
fn zones_of_one_size_are_compared_and_others_each_alone() {
    let groups = |zones: &[&[u32]]| loads(&cluster(zones)).groups.len();
    assert_eq!(groups(&[&[1, 1], &[1, 1]]), 1);
    assert_eq!(groups(&[&[1, 1], &[1]]), 2);
}

#[test]
fn capacity_providers_are_never_compared() {
    let mut cluster = cluster(&[&[1, 1]]);
    cluster.instance("a", 0).capacity_provider = Some("spot".to_owned());
    assert_eq!(loads(&cluster).groups.len(), 2);
}

#[test]
fn instances_that_take_no_tasks_do_not_count() {
    let mut cluster = cluster(&[&[1, 1, 0, 0, 0]]);
    cluster.instance("a", 2).agent_connected = false;
    cluster.instance("a", 3).status = ContainerInstanceStatus::Draining;
    cluster.instance("a", 4).registered_at = Some(now() - std::time::Duration::from_secs(200));
    assert_eq!(loads(&cluster).groups[0].members, [0, 1]);
}

#[test]
fn small_differences_of_nearly_empty_instances_are_left_alone() {
    let cluster = cluster(&[&[3, 0]]);
    let loads = loads(&cluster);
    assert!(!loads.is_uneven(&loads.groups[0], Percent::new(30)), "three per cent against none");
}

#[test]
fn a_move_that_only_swaps_the_roles_does_not_relieve() {
    let size = Size { cpu: 100, memory: 100 };
    for (from, to, relieves) in [(3, 0, true), (3, 1, true), (3, 2, false), (2, 2, false), (1, 0, false)] {
        assert_eq!(loads(&cluster(&[&[from, to]])).relieves(size, 0, 1), relieves, "{from} {to}");
    }
}

#[test]
fn a_task_that_does_not_tell_its_reservation_takes_what_nothing_else_explains() {
    let mut cluster = cluster(&[&[3, 0]]);
    cluster.0.task_definitions.clear();
    (cluster.task(0).cpu, cluster.task(0).memory) = (None, None);
    cluster.instance("a", 0).remaining = crate::plan::testing::resources(9_500, 9_500);
    assert_eq!(loads(&cluster).hosts[0].reserved, Size { cpu: 500, memory: 500 });
}
