//! ECS's own choice of an instance, link by link of the chain.

use super::*;
use crate::plan::testing::{self, Cluster, arn, chain, cluster};

/// Landings of `web`, by the end of the ARN.
fn landings(cluster: &Cluster) -> Vec<String> {
    let web = "web".into();
    let found = crate::plan::rebalance::next_landings(&cluster.0, &testing::limits(), &web).unwrap();
    found.iter().map(|arn| arn.short().to_owned()).collect()
}

#[test]
fn the_thinnest_zone_comes_first_then_the_thinnest_instance() {
    assert_eq!(landings(&cluster(&[&[2, 2], &[2, 1]])), ["b01"]);
    assert_eq!(landings(&cluster(&[&[3, 0], &[1, 1]])), ["b00", "b01"]);
}

#[test]
fn what_remains_tied_is_all_returned() {
    assert_eq!(landings(&cluster(&[&[1, 0], &[0, 1]])), ["a01", "b00"]);
}

#[test]
fn an_empty_chain_is_zone_then_instance() {
    let mut cluster = cluster(&[&[2, 0], &[1, 2]]);
    cluster.web().placement_strategy.clear();
    assert_eq!(landings(&cluster), ["a01"]);
}

#[test]
fn zone_spread_alone_leaves_the_instance_open() {
    let mut cluster = cluster(&[&[2, 0], &[2, 1]]);
    cluster.web().placement_strategy = chain(&["zone"]);
    assert_eq!(landings(&cluster), ["a00", "a01"]);
}

#[test]
fn binpack_takes_the_instance_with_least_left() {
    let mut cluster = cluster(&[&[2, 0], &[2, 1]]);
    cluster.web().placement_strategy = chain(&["zone", "memory"]);
    assert_eq!(landings(&cluster), ["a00"]);
    cluster.instance("a", 1).remaining = testing::resources(9_000, 5_000);
    assert_eq!(landings(&cluster), ["a01"]);
    cluster.web().placement_strategy = chain(&["zone", "cpu"]);
    assert_eq!(landings(&cluster), ["a01"]);
}

#[test]
fn a_full_zone_is_passed_over_but_still_counted() {
    let mut cluster = cluster(&[&[1], &[2], &[3]]);
    cluster.room("a", 0, 0);
    assert_eq!(landings(&cluster), ["b00"]);
}

#[test]
fn no_room_at_all_is_no_landing() {
    let mut cluster = cluster(&[&[1], &[2]]);
    cluster.room("a", 0, 0);
    cluster.instance("b", 0).remaining.memory = 99;
    assert!(landings(&cluster).is_empty());
}

#[test]
fn fixed_host_ports_and_distinct_instances_allow_one_each() {
    let mut ports = cluster(&[&[1, 1, 0, 0]]);
    ports.definition().host_ports = vec![8080];
    ports.instance("a", 0).remaining.ports = vec![22, 8080];
    ports.instance("a", 1).remaining.ports = vec![8080];
    ports.instance("a", 2).remaining.ports = vec![8080];
    assert_eq!(landings(&ports), ["a03"]);
    let mut distinct = cluster(&[&[1, 1, 0]]);
    distinct.web().placement_constraints = vec![crate::snapshot::PlacementConstraint::DistinctInstance];
    assert_eq!(landings(&distinct), ["a02"]);
}

#[test]
fn gpus_count_as_resources() {
    let mut cluster = cluster(&[&[0, 1]]);
    cluster.definition().gpus = 1;
    for number in 0..2 {
        cluster.instance("a", number).registered.gpus = 1;
    }
    cluster.instance("a", 1).remaining.gpus = 1;
    assert_eq!(landings(&cluster), ["a01"]);
}

#[test]
fn draining_and_disconnected_instances_take_nothing() {
    let mut cluster = cluster(&[&[1, 0, 0]]);
    cluster.instance("a", 1).status = crate::snapshot::ContainerInstanceStatus::Draining;
    cluster.instance("a", 2).agent_connected = false;
    assert_eq!(landings(&cluster), ["a00"]);
}

#[test]
fn starts_and_stops_are_exact_opposites() {
    let need = Resources { gpus: 1, ports: vec![80], ..testing::resources(100, 200) };
    let mut instance = testing::instance("a", 0);
    instance.remaining = Resources { gpus: 2, ports: vec![22], ..testing::resources(500, 500) };
    let seat = Seat { instance: &instance, tasks: 0, free: instance.remaining.clone(), is_admitted: true };
    let mut placement = Placement::new(need, false);
    placement.seats.push(seat);
    placement.follow(&[]);
    assert_eq!((placement.room(0), placement.landings()), (1, vec![0]));
    placement.start(0);
    assert_eq!((placement.room(0), placement.seats[0].tasks), (0, 1));
    assert_eq!(placement.seats[0].free.ports, [22, 80]);
    placement.stop(0);
    assert_eq!(placement.seats[0].free, instance.remaining);
}

#[test]
fn fields_are_read_as_the_guide_writes_them() {
    assert_eq!(SpreadField::parse("attribute:ecs.availability-zone"), SpreadField::Zone);
    assert_eq!(SpreadField::parse("instanceId"), SpreadField::Instance);
    assert_eq!(SpreadField::parse("host"), SpreadField::Instance);
    assert_eq!(SpreadField::parse("attribute:rack"), SpreadField::Attribute("rack"));
    assert_eq!(SpreadField::parse("moon"), SpreadField::Other);
}

#[test]
fn any_attribute_can_be_spread_over() {
    let mut cluster = cluster(&[&[1, 0, 0]]);
    for (number, rack) in [(0, "x"), (1, "x"), (2, "y")] {
        cluster.instance("a", number).attributes.insert("rack".to_owned(), Some(rack.to_owned()));
    }
    let seats = cluster.0.container_instances.values().map(|instance| {
        let tasks = u32::from(instance.arn == arn("a", 0));
        Seat { instance, tasks, free: instance.remaining.clone(), is_admitted: true }
    });
    let mut placement = Placement::new(Resources::default(), false);
    placement.seats.extend(seats);
    placement.follow(&chain(&["rack"]));
    assert_eq!(placement.landings(), [2]);
}
