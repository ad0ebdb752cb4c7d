//! Whom a rollout leaves alone where it cannot tell, or where somebody else has a hand in it.

use super::*;
use crate::plan::drain::record::DRAIN_ATTRIBUTE;

/// All old ones are DRAINING and empty.
fn emptied(phase: Phase) -> Scene {
    let mut scene = Scene::doubled(phase);
    for id in ["i-a", "i-b", "i-c"] {
        scene.empty(id);
    }
    scene
}

/// The old ones are back in service, beside as many new ones.
fn back_in_service() -> Scene {
    let mut scene = Scene::doubled(Phase::Dismiss);
    for id in ["i-a", "i-b", "i-c"] {
        scene.state(id, LifecycleState::InService);
    }
    scene.seen.group.desired = 6;
    scene.launches_nothing()
}

#[test]
fn new_ones_that_are_unhealthy_or_whose_daemons_cannot_be_told_are_not_ready() {
    let changes: [fn(&mut Scene); 2] = [
        |it| it.seen.group.instances.get_mut(&"i-x".into()).unwrap().is_healthy = false,
        |it| it.seen.daemons_missing = Known::Unknown("throttled".to_owned()),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut scene = Scene::doubled(Phase::Surge);
        change(&mut scene);
        assert_eq!(next(&scene), None, "{number}");
    }
}

#[test]
fn what_somebody_else_put_on_standby_is_not_ended() {
    let mut scene = emptied(Phase::Retire);
    scene.add("i-o", "a", LifecycleState::Standby);
    scene.empty("i-o");
    assert_eq!(terminated(&scene), ids(&["i-a", "i-b", "i-c"]));
}

#[test]
fn force_ends_only_what_is_known_for_old_and_draining() {
    let mut scene = emptied(Phase::Retire);
    (scene.record.is_forced, scene.registered("i-a").tasks_running) = (true, 1);
    scene.seen.registered.remove(&"i-c".into());
    scene.seen.machines.insert("i-c".into(), machine(false));
    assert_eq!(terminated(&scene), ids(&["i-a", "i-b"]));
}

#[test]
fn an_old_one_that_has_a_drain_of_its_own_stays_on_standby() {
    let mut scene = emptied(Phase::Undo).launches_nothing();
    let record = Some("1:terminate:1767323045:1767323165".to_owned());
    scene.registered("i-a").attributes.insert(DRAIN_ATTRIBUTE.to_owned(), record);
    let steps = scene.decide().steps;
    assert!(steps.contains(&Step::ExitStandby(ids(&["i-b", "i-c"]))), "{steps:?}");
    assert!(steps.contains(&Step::Activate(ids(&["i-b", "i-c"]))), "{steps:?}");
}

#[test]
fn an_unregistered_one_is_ended_only_if_it_is_known_for_new_at_two_looks() {
    let ended = |launched_at, seen_for| {
        let mut scene = back_in_service();
        scene.seen.registered.remove(&"i-x".into());
        let outside = Outside { is_ended: false, launched_at };
        scene.seen.machines.insert("i-x".into(), Known::Known(outside));
        scene.empty_since.insert("i-x".into(), now() - Duration::from_secs(seen_for));
        terminated(&scene) == ids(&["i-x"])
    };
    let began = back_in_service().record.started_at;
    assert!(ended(Some(began), 10));
    assert!(!ended(Some(began - Duration::from_secs(1)), 10), "it may be older than the rollout");
    assert!(!ended(None, 10), "EC2 does not say when it was launched");
    assert!(!ended(Some(began), 9), "two looks close to each other are one");
}

#[test]
fn a_minimum_that_somebody_has_raised_is_not_undercut() {
    let mut scene = back_in_service();
    for id in ["i-x", "i-y", "i-z"] {
        scene.seen.group.instances.remove(&id.into());
    }
    assert_eq!(scene.decide().steps, [Step::SetDesired(3)]);
    scene.seen.group.min = 4;
    assert_eq!(scene.decide().steps, [Step::SetDesired(4)]);
}

#[test]
fn health_that_cannot_be_told_keeps_the_gate_shut() {
    let mut scene = emptied(Phase::Gate);
    assert_eq!(next(&scene), Some(Phase::Retire));
    let Known::Known(services) = &mut scene.seen.services else { unreachable!("the scene knows them") };
    services.task_definitions.values_mut().for_each(|it| *it = Known::Unknown("throttled".to_owned()));
    assert_eq!(next(&scene), None);
}
