//! A move is undone: what of the new tasks is ours to stop.

use super::*;

/// Undone, its sick task one too many.
fn undone() -> Scene {
    let mut scene = Scene::ready();
    scene.record.phase = Phase::Undone;
    scene.cluster.web().tasks_desired = 3;
    scene.cluster.task(3).last_status = TaskStatus::Pending;
    scene
}

#[test]
fn a_substitute_that_is_one_too_many_is_stopped() {
    assert!(matches!(undone().step(), Step::Stop { tasks, lower: None } if tasks == [task_arn("web", 3)]));
}

#[test]
fn it_stays_where_an_old_task_has_died() {
    let mut scene = undone();
    scene.cluster.0.tasks.remove(&task_arn("web", 1));
    assert!(!matches!(scene.step(), Step::Stop { .. }));
}

#[test]
fn the_tasks_of_a_deployment_are_not_ours() {
    let mut scene = undone();
    let second = Deployment {
        id: "ecs-svc/second".to_owned(),
        status: "PRIMARY".to_owned(),
        rollout_state: Some(RolloutState::InProgress),
    };
    scene.cluster.web().deployments.insert(0, second);
    assert!(!matches!(scene.step(), Step::Stop { .. }));
}

#[test]
fn nor_is_anything_once_somebody_has_written_the_count() {
    let mut scene = undone();
    scene.cluster.web().tasks_desired = 2;
    assert!(!matches!(scene.step(), Step::Stop { .. }));
}

#[test]
fn nor_is_one_that_somebody_protects_or_whose_protection_was_not_read() {
    let mut scene = undone();
    scene.protect(3, now() + Duration::from_mins(117));
    assert!(!matches!(scene.step(), Step::Stop { .. }));
    scene.protection(3, Known::Unknown("throttled".to_owned()));
    assert!(!matches!(scene.step(), Step::Stop { .. }));
}
