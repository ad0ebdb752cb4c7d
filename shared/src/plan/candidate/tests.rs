//! Which services are moved at all: each reason alone, on a service that would otherwise be moved.

use std::collections::BTreeSet;

use super::*;
use crate::ids::ServiceName;
use crate::plan::rebalance::candidates;
use crate::plan::rest::REST_TAG;
use crate::plan::testing::{Cluster, chain, cluster, codes, limits, now, task_arn};
use crate::snapshot::{Deployment, LoadBalancer, Protection, Unreadable};

/// A cluster that would be moved, changed so that it must not be: neither moves nor candidates, and this reason.
fn assert_left_alone(code: &str, change: impl Fn(&mut Cluster)) {
    let mut lopsided = cluster(&[&[3, 0]]);
    assert_eq!(lopsided.web_plan().moves.len(), 1);
    change(&mut lopsided);
    let plan = lopsided.web_plan();
    assert!(plan.moves.is_empty(), "{code}: {plan:?}");
    assert!(codes(&plan).contains(&code.to_owned()), "{code}: {:?}", plan.blocked);
    assert!(lopsided.plan().starts.is_empty());
}

/// The same, where the base snapshot suffices to see it.
fn assert_no_candidate(code: &str, change: impl Fn(&mut Cluster)) {
    assert_left_alone(code, &change);
    let mut lopsided = cluster(&[&[3, 0]]);
    change(&mut lopsided);
    assert_eq!(candidates(&lopsided.0, &limits()), BTreeSet::new(), "{code}");
}

#[test]
fn services_of_the_wrong_kind_are_never_moved() {
    assert_no_candidate("daemon", |c| c.web().scheduling_strategy = SchedulingStrategy::Daemon);
    assert_no_candidate("cannotTell", |c| c.web().scheduling_strategy = SchedulingStrategy::Other);
    assert_no_candidate("unsupportedController", |c| {
        c.web().deployment_controller = DeploymentController::CodeDeploy;
    });
    assert_no_candidate("unsupportedLaunchType", |c| c.web().launch_type = Some("FARGATE".to_owned()));
    assert_no_candidate("unsupportedLaunchType", |c| {
        c.web().capacity_providers = vec!["FARGATE_SPOT".to_owned()];
    });
    assert_no_candidate("severalCapacityProviders", |c| {
        c.web().capacity_providers = vec!["spot".to_owned(), "on-demand".to_owned()];
    });
    assert_no_candidate("cannotTell", |c| c.web().launch_type = None);
    assert_no_candidate("binpackFirst", |c| c.web().placement_strategy = chain(&["memory"]));
    assert_no_candidate("randomStrategy", |c| c.web().placement_strategy = chain(&["random"]));
    assert_no_candidate("unknownStrategy", |c| c.web().placement_strategy = chain(&["zone", "rack"]));
    assert_no_candidate("classicLoadBalancer", |c| {
        let (container_name, container_port) = ("web".to_owned(), 80);
        c.web().load_balancers = vec![LoadBalancer { target_group: None, container_name, container_port }];
    });
}

#[test]
fn the_work_of_others_has_the_right_of_way() {
    assert_no_candidate("notInService", |c| c.web().status = "DRAINING".to_owned());
    assert_no_candidate("optedOut", |c| {
        c.web().tags.insert("evenkeel:rebalance".to_owned(), "off".to_owned());
    });
    assert_no_candidate("deploying", |c| {
        c.web().deployments[0].rollout_state = Some(RolloutState::InProgress);
    });
    assert_no_candidate("deploying", |c| c.web().deployments[0].rollout_state = None);
    assert_no_candidate("deploying", |c| {
        let older = Deployment { id: "ecs-svc/old".to_owned(), ..c.web().deployments[0].clone() };
        c.web().deployments.push(older);
    });
    assert_no_candidate("foreignDrain", |c| c.instance("a", 0).status = ContainerInstanceStatus::Draining);
    assert_no_candidate("rolloutInProgress", |c| {
        c.instance("a", 1).attributes.insert("evenkeel.rollout".to_owned(), Some("old".to_owned()));
    });
}

#[test]
fn a_service_whose_moves_missed_rests_for_its_time() {
    let tag =
        |value: String| move |c: &mut Cluster| drop(c.web().tags.insert(REST_TAG.to_owned(), value.clone()));
    let until = |secs: i64| format!("1:3:{}:unhealthy:1799990000", now().as_secs() + secs);
    assert_no_candidate("restingAfterMisses", tag(until(1)));
    assert_no_candidate("restUnreadable", tag("2:3:1:unhealthy:1".to_owned()));
    let mut rested = cluster(&[&[3, 0]]);
    tag(until(0))(&mut rested);
    assert_eq!(rested.web_plan().moves.len(), 1);
}

#[test]
fn unsteady_services_are_left_to_ecs() {
    assert_no_candidate("unsteady", |c| c.web().tasks_running = 2);
    assert_no_candidate("unsteady", |c| c.web().tasks_pending = 1);
    assert_no_candidate("staleRead", |c| {
        c.0.tasks.pop_first();
    });
    assert_no_candidate("staleRead", |c| c.task(0).last_status = TaskStatus::Pending);
    assert_no_candidate("staleRead", |c| c.task(0).container_instance = None);
    assert_no_candidate("staleRead", |c| c.task(0).task_definition = "web:0".into());
}

#[test]
fn a_task_that_is_pending_for_too_long_is_named() {
    assert_left_alone("pendingTooLong", |c| {
        c.task(0).last_status = TaskStatus::Pending;
        c.web().tasks_pending = 1;
    });
}

#[test]
fn what_could_not_be_read_defers_every_service() {
    for kind in [UnreadableKind::Task, UnreadableKind::ContainerInstance] {
        assert_no_candidate("cannotTell", |c| {
            c.0.unknown.push(Unreadable { kind, arn: "x".to_owned(), reason: "MISSING".to_owned() });
        });
    }
    let mut other = cluster(&[&[3, 0]]);
    let unreadable = Unreadable { kind: UnreadableKind::Service, arn: "x".to_owned(), reason: String::new() };
    other.0.unknown.push(unreadable);
    assert_eq!(other.web_plan().moves.len(), 1, "another service's own state is its own affair");
}

#[test]
fn details_that_are_missing_defer_the_service() {
    assert_left_alone("cannotTell", |c| c.0.task_definitions.clear());
    assert_left_alone("cannotTell", |c| {
        c.0.task_definitions.insert("web:1".into(), Known::Unknown("throttled".to_owned()));
    });
    assert_left_alone("cannotTell", |c| {
        c.0.protections.remove(&task_arn("web", 1));
    });
    assert_left_alone("cannotTell", |c| {
        c.0.protections.insert(task_arn("web", 1), Known::NotAsked);
    });
}

#[test]
fn only_a_protection_that_is_in_force_counts() {
    let protect = |c: &mut Cluster, expires_at| {
        c.0.protections.insert(task_arn("web", 2), Known::Known(Protection { enabled: true, expires_at }));
    };
    assert_left_alone("foreignProtection", |c| protect(c, Some(now() + Duration::from_secs(1))));
    assert_left_alone("foreignProtection", |c| protect(c, None));
    let mut expired = cluster(&[&[3, 0]]);
    protect(&mut expired, Some(now()));
    assert_eq!(expired.web_plan().moves.len(), 1);
}

#[test]
fn the_cooldown_goes_by_the_youngest_task_of_others() {
    let young = now() - Duration::from_secs(599);
    assert_no_candidate("cooldown", |c| c.task(1).created_at = Some(young));
    assert_no_candidate("cooldown", |c| c.web().last_start_event_at = Some(young));
    assert_no_candidate("cannotTell", |c| {
        c.task(1).created_at = None;
        c.task(1).started_at = None;
    });
    let mut own = cluster(&[&[3, 0]]);
    own.task(1).created_at = Some(young);
    let mut limits = limits();
    limits.own_tasks.insert(task_arn("web", 1));
    assert_eq!(own.web_plan_under(&limits).moves.len(), 1);
    own.web().last_start_event_at = Some(young);
    assert!(own.web_plan_under(&limits).moves.is_empty());
    limits.triggered.insert("web".into());
    assert_eq!(own.web_plan_under(&limits).moves.len(), 1);
}

#[test]
fn limits_name_services_to_leave_alone() {
    let lopsided = cluster(&[&[3, 0]]);
    let web: ServiceName = "web".into();
    let mut in_flight = limits();
    in_flight.in_flight.insert(web.clone());
    assert_eq!(codes(&lopsided.web_plan_under(&in_flight)), ["moveInFlight"]);
    let mut aside = limits();
    aside.set_aside.insert(web, Reason::NotConfirmed);
    assert_eq!(codes(&lopsided.web_plan_under(&aside)), ["notConfirmed"]);
    assert!(candidates(&lopsided.0, &aside).is_empty());
}

#[test]
fn a_paused_cluster_begins_nothing_but_shows_what_it_would() {
    let mut paused = cluster(&[&[3, 0]]);
    paused.0.tags = Known::Known([("evenkeel:pause".to_owned(), String::new())].into());
    assert_eq!(paused.web_plan().moves.len(), 1);
    assert!(paused.plan().starts.is_empty());
    assert_eq!(paused.codes(), ["paused"]);
    paused.0.tags = Known::Unknown("throttled".to_owned());
    assert!(paused.plan().starts.is_empty());
    assert_eq!(paused.codes(), ["cannotTell"]);
}

#[test]
fn zones_are_left_to_zone_rebalancing_and_instances_are_not() {
    let mut zones = cluster(&[&[3, 2], &[1, 1]]);
    zones.web().availability_zone_rebalancing = true;
    assert_eq!(zones.codes(), ["availabilityZoneRebalancing"]);
    let mut inside = cluster(&[&[3, 0], &[1, 1]]);
    inside.web().availability_zone_rebalancing = true;
    assert_eq!(inside.web_plan().moves.len(), 1);
}
