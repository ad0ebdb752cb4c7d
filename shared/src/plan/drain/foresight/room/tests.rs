//! Two tasks on `a0` that have to go, and what the rest of the cluster has left for them.

use super::*;
use crate::plan::drain::record::Cause;
use crate::plan::drain::testing::Scene;
use crate::plan::testing::{Cluster, cluster, resources};
use crate::snapshot::{ContainerInstanceStatus, Known, PlacementConstraint};

/// Two tasks of `web` on `a0`; `a1` and `b0` have room for so many more.
fn with_room(a1: u64, b0: u64) -> Cluster {
    let mut cluster = cluster(&[&[2, 0], &[0]]);
    cluster.room("a", 1, a1);
    cluster.room("b", 0, b0);
    cluster
}

fn reason(cluster: &Cluster) -> Option<DrainReason> {
    let (scene, outlook) = Scene::in_cluster(Cause::Terminate, cluster);
    no_room(&scene.seen, &outlook)
}

/// How many find no room.
fn homeless(cluster: &Cluster) -> usize {
    match reason(cluster) {
        None => 0,
        Some(DrainReason::NoRoomElsewhere { tasks, services }) => {
            assert_eq!(services, ["web".into()]);
            tasks
        }
        Some(other) => panic!("{other}"),
    }
}

#[test]
fn what_the_other_instances_have_left_is_counted() {
    for (a1, b0, expected) in [(100, 100, 0), (2, 0, 0), (1, 1, 0), (1, 0, 1), (0, 1, 1), (0, 0, 2)] {
        assert_eq!(homeless(&with_room(a1, b0)), expected, "{a1} {b0}");
    }
}

#[test]
fn memory_and_cpu_count_alike() {
    for (left, expected) in
        [(resources(200, 200), 0), (resources(199, 900), 1), (resources(900, 199), 1), (resources(0, 900), 2)]
    {
        let mut cluster = with_room(0, 0);
        cluster.instance("a", 1).remaining = left;
        assert_eq!(homeless(&cluster), expected);
    }
}

#[test]
fn only_instances_that_take_tasks_count_and_not_the_one_that_goes() {
    assert_eq!(homeless(&cluster(&[&[2]])), 2, "its own room is none");
    let mut draining = with_room(9, 1);
    draining.instance("a", 1).status = ContainerInstanceStatus::Draining;
    assert_eq!(homeless(&draining), 1);
    let mut disconnected = with_room(9, 0);
    disconnected.instance("a", 1).agent_connected = false;
    assert_eq!(homeless(&disconnected), 2);
}

#[test]
fn a_task_whose_substitute_was_started_needs_no_other_room() {
    let mut cluster = with_room(0, 0);
    cluster.web().tasks_pending = 1;
    assert_eq!(homeless(&cluster), 1);
    cluster.web().tasks_running += 1;
    assert_eq!(homeless(&cluster), 0);
}

#[test]
fn tasks_that_nobody_wants_elsewhere_need_none() {
    let mut shrinking = with_room(0, 0);
    shrinking.web().tasks_desired = 1;
    assert_eq!(homeless(&shrinking), 1);
    let mut daemon = with_room(0, 0);
    daemon.web().scheduling_strategy = SchedulingStrategy::Daemon;
    assert_eq!(homeless(&daemon), 0);
}

#[test]
fn a_fixed_port_is_free_once_on_an_instance() {
    let mut cluster = with_room(9, 0);
    cluster.definition().host_ports = vec![80];
    assert_eq!(homeless(&cluster), 1);
    cluster.instance("a", 1).remaining.ports = vec![22, 80];
    assert_eq!(homeless(&cluster), 2);
    cluster.definition().network_mode = "awsvpc".to_owned();
    assert_eq!(homeless(&cluster), 0);
}

#[test]
fn constraints_bind_and_those_that_cannot_be_read_do_not() {
    let with = |constraint: PlacementConstraint| {
        let mut cluster = with_room(9, 0);
        cluster.instance("a", 1).attributes.insert("disk".to_owned(), Some("ssd".to_owned()));
        cluster.web().placement_constraints = vec![constraint];
        homeless(&cluster)
    };
    let member_of = |text: &str| PlacementConstraint::MemberOf(text.to_owned());
    assert_eq!(with(member_of("attribute:disk == ssd")), 0);
    assert_eq!(with(member_of("attribute:disk == tape")), 2);
    assert_eq!(with(PlacementConstraint::DistinctInstance), 1);
    assert_eq!(with(member_of("task:group == service:api")), 0);
    assert_eq!(with(member_of("attribute:disk ==")), 0);
    assert_eq!(with(PlacementConstraint::Other("newConstraint".to_owned())), 0);
}

#[test]
fn any_capacity_provider_of_the_service_will_do() {
    for (provider, expected) in [(Some("spot"), 0), (Some("fixed"), 0), (Some("other"), 2), (None, 2)] {
        let mut cluster = with_room(9, 0);
        cluster.web().capacity_providers = vec!["fixed".to_owned(), "spot".to_owned()];
        cluster.instance("a", 1).capacity_provider = provider.map(str::to_owned);
        assert_eq!(homeless(&cluster), expected, "{provider:?}");
    }
}

/// The two small ones would fill the instance on which alone there is room for the large one.
#[test]
fn the_largest_task_is_seated_first() {
    let mut cluster = with_room(3, 2);
    cluster.add("xl", &[&[1]]);
    let large = crate::snapshot::TaskDefinition { memory: 300, ..cluster.definition_of("xl").clone() };
    cluster.0.task_definitions.insert("xl:1".into(), Known::Known(large));
    assert_eq!(reason(&cluster), None);
    cluster.room("b", 0, 0);
    assert_eq!(homeless(&cluster), 2);
}

#[test]
fn what_could_not_be_read_leaves_nobody_without_a_place() {
    let (scene, outlook) = Scene::in_cluster(Cause::Terminate, &with_room(0, 0));
    assert!(no_room(&scene.seen, &outlook).is_some());
    let unread = || "throttled".to_owned();
    let mut blind = outlook.clone();
    blind.instances = Known::Unknown(unread());
    assert_eq!(no_room(&scene.seen, &blind), None);
    let mut blind = outlook.clone();
    blind.task_definitions.insert("web:1".into(), Known::Unknown(unread()));
    assert_eq!(no_room(&scene.seen, &blind), None);
    let mut blind = outlook;
    blind.services.clear();
    assert_eq!(no_room(&scene.seen, &blind), None);
}
