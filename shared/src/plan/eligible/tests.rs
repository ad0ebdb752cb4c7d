//! Where a service's tasks may be, and how many fit.

use std::time::Duration;

use super::*;
use crate::plan::testing::{self, Cluster, chain, cluster, now};

fn reasons(cluster: &Cluster) -> Result<Vec<Option<Reason>>, Reason> {
    let limits = testing::limits();
    let case = Case::of(&cluster.0, &limits, &"web".into()).unwrap();
    survey(&case, Some(case.definition().unwrap())).map(|survey| survey.ineligible)
}

fn member_of(expression: &str) -> Vec<PlacementConstraint> {
    vec![PlacementConstraint::MemberOf(expression.to_owned())]
}

#[test]
fn each_instance_says_why_it_is_not_eligible() {
    let mut cluster = cluster(&[&[1, 0, 0, 0, 0, 0]]);
    let until = now() + Duration::from_secs(1);
    cluster.instance("a", 1).agent_connected = false;
    cluster.instance("a", 2).registered_at = Some(now() - Duration::from_secs(299));
    cluster.instance("a", 3).status = ContainerInstanceStatus::Draining;
    cluster.instance("a", 4).registered.memory = 50;
    cluster.instance("a", 5).registered_at = Some(now() - Duration::from_mins(5));
    let expected = vec![
        None,
        Some(Reason::AgentDisconnected),
        Some(Reason::WarmingUp { until }),
        Some(Reason::NotInService { state: "DRAINING".to_owned() }),
        Some(Reason::TooSmall),
        None,
    ];
    assert_eq!(reasons(&cluster).unwrap(), expected);
}

#[test]
fn constraints_and_attributes_of_service_and_definition_bind() {
    let mut cluster = cluster(&[&[1, 0], &[0]]);
    cluster.web().placement_constraints = member_of("attribute:ecs.availability-zone == a");
    cluster.definition().requires_attributes.insert("docker".to_owned(), None);
    cluster.instance("a", 0).attributes.insert("docker".to_owned(), None);
    let found = reasons(&cluster).unwrap();
    assert_eq!(found[0], None);
    assert_eq!(found[1], Some(Reason::AttributeMissing { attribute: "docker".to_owned() }));
    assert!(matches!(found[2], Some(Reason::ConstraintNotMet { .. })));
    cluster.definition().placement_constraints = member_of("attribute:gpu exists");
    assert!(matches!(reasons(&cluster).unwrap()[0], Some(Reason::ConstraintNotMet { .. })));
}

#[test]
fn a_required_attribute_may_require_its_value() {
    let mut cluster = cluster(&[&[1, 0]]);
    let arm = Some("arm64".to_owned());
    cluster.definition().requires_attributes.insert("ecs.cpu-architecture".to_owned(), arm.clone());
    cluster.instance("a", 0).attributes.insert("ecs.cpu-architecture".to_owned(), arm);
    cluster.instance("a", 1).attributes.insert("ecs.cpu-architecture".to_owned(), Some("x86_64".to_owned()));
    assert_eq!(reasons(&cluster).unwrap()[0], None);
    assert!(reasons(&cluster).unwrap()[1].is_some());
}

#[test]
fn another_capacity_provider_is_not_eligible() {
    let mut cluster = cluster(&[&[1, 0]]);
    cluster.web().capacity_providers = vec!["spot".to_owned()];
    cluster.instance("a", 0).capacity_provider = Some("spot".to_owned());
    cluster.instance("a", 1).capacity_provider = Some("on-demand".to_owned());
    let found = reasons(&cluster).unwrap();
    assert_eq!(found, [None, Some(Reason::OtherCapacityProvider { provider: "spot".to_owned() })]);
}

#[test]
fn an_expression_that_cannot_be_decided_stops_the_survey() {
    let mut cluster = cluster(&[&[1, 0]]);
    for text in ["task:group == service:db", "runningTasksCount < 9", "attribute:x =="] {
        cluster.web().placement_constraints = member_of(text);
        assert!(matches!(reasons(&cluster), Err(Reason::ConstraintUnreadable { .. })), "{text}");
    }
}

#[test]
fn a_missing_zone_or_instance_cannot_be_told() {
    let mut no_zone = cluster(&[&[1, 0]]);
    no_zone.instance("a", 1).zone = None;
    assert!(matches!(reasons(&no_zone), Err(Reason::CannotTell { .. })));
    no_zone.web().placement_strategy = chain(&["instance"]);
    assert!(reasons(&no_zone).is_ok());
    let mut gone = cluster(&[&[1, 0]]);
    gone.0.container_instances.pop_first();
    assert!(matches!(reasons(&gone), Err(Reason::CannotTell { .. })));
}

#[test]
fn chains_have_levels() {
    let of = |words: &[&str]| levels(&chain(words));
    assert_eq!(of(&[]), Ok(Levels::ZonesThenInstances));
    assert_eq!(of(&["zone"]), Ok(Levels::ZonesThenInstances));
    assert_eq!(of(&["zone", "instance", "memory"]), Ok(Levels::ZonesThenInstances));
    assert_eq!(of(&["zone", "memory"]), Ok(Levels::Zones));
    assert_eq!(of(&["instance", "zone"]), Ok(Levels::Instances));
    assert_eq!(of(&["memory", "zone"]), Err(Reason::BinpackFirst));
    assert_eq!(of(&["random"]), Err(Reason::RandomStrategy));
    assert_eq!(of(&["rack"]), Err(Reason::UnknownStrategy { strategy: "spread(attribute:rack)".to_owned() }));
}

#[test]
fn tasks_on_instances_that_are_not_eligible_are_fixed() {
    let mut cluster = cluster(&[&[4, 1, 0]]);
    cluster.instance("a", 0).agent_connected = false;
    let limits = testing::limits();
    let case = Case::of(&cluster.0, &limits, &"web".into()).unwrap();
    let survey = survey(&case, Some(case.definition().unwrap())).unwrap();
    assert_eq!(survey.place(0), Place { tasks: 4, least: 4, most: 4 });
    assert_eq!(survey.place(1), Place { tasks: 1, least: 0, most: 100 });
    assert_eq!(survey.layout().excess(), 0);
}

#[test]
fn one_expression_that_is_not_met_settles_it_whatever_cannot_be_told_of_another() {
    let (untold, met, not_met) = (
        "task:group == service:db",
        "attribute:ecs.availability-zone == a",
        "attribute:ecs.availability-zone == b",
    );
    let mut cluster = cluster(&[&[1, 0]]);
    for pair in [[untold, not_met], [not_met, untold]] {
        cluster.web().placement_constraints = pair.into_iter().flat_map(member_of).collect();
        let found = reasons(&cluster).unwrap();
        assert!(
            found.iter().all(|it| matches!(it, Some(Reason::ConstraintNotMet { .. }))),
            "{pair:?} {found:?}"
        );
    }
    cluster.web().placement_constraints = [untold, met].into_iter().flat_map(member_of).collect();
    assert!(matches!(reasons(&cluster), Err(Reason::ConstraintUnreadable { .. })));
}
