//! A record announces a second start, and desired count stands at the first: was the write lost, or taken back?

use super::*;

/// The second start is announced and not there; one task came with the first. No protection is in the way.
fn announced(change: impl FnOnce(&mut Scene)) -> Step {
    after(|scene| {
        scene.record =
            MoveRecord { phase: Phase::Raise, starts: 2, starts_max: 2, new: None, ..scene.record.clone() };
        change(scene);
        let tasks: Vec<_> = scene.cluster.0.tasks.keys().cloned().collect();
        let off = Known::Known(Protection { enabled: false, expires_at: None });
        scene.cluster.0.protections = tasks.into_iter().map(|task| (task, off.clone())).collect();
    })
}

/// The new task went, for this reason, and as many others came.
fn gone(scene: &mut Scene, reason: &str, others: usize) {
    let desired = scene.cluster.web().tasks_desired;
    scene.cluster.stop(&task_arn("web", 3));
    let sick = scene.cluster.task(3);
    sick.stop_code = Some("ServiceSchedulerInitiated".to_owned());
    (sick.stopped_reason, sick.stopping_at) =
        (Some(reason.to_owned()), Some(now() - Duration::from_secs(30)));
    for number in 4..4 + others {
        scene.cluster.start("web", &arn("a", 1));
        scene.cluster.task(number).created_at = Some(now() - Duration::from_secs(35));
    }
    scene.cluster.web().tasks_desired = desired;
}

#[test]
fn a_lost_write_comes_again() {
    assert!(matches!(announced(|_| ()), Step::Raise { from: 4, to: 5, .. }));
}

#[test]
fn where_ecs_has_replaced_a_sick_task_the_move_is_undone() {
    let step = announced(|scene| gone(scene, "Task failed health checks", 1));
    assert!(matches!(step, Step::Record(record) if record.phase == Phase::Undo));
}

#[test]
fn where_an_old_task_has_died_it_is_undone_too() {
    let step = announced(|scene| {
        scene.cluster.start("web", &arn("a", 1));
        scene.cluster.task(4).created_at = Some(now() - Duration::from_secs(35));
        scene.cluster.stop(&task_arn("web", 1));
        scene.cluster.task(1).stopping_at = Some(now() - Duration::from_secs(40));
        scene.cluster.web().tasks_desired = 4;
    });
    assert!(matches!(step, Step::Record(record) if record.phase == Phase::Undo));
}

#[test]
fn where_tasks_came_as_announced_somebody_has_taken_the_count_back() {
    let step = announced(|scene| {
        scene.cluster.start("web", &arn("a", 1));
        scene.cluster.task(4).created_at = Some(now() - Duration::from_secs(35));
        scene.cluster.web().tasks_desired = 4;
    });
    assert_eq!(step, Step::Finish(Outcome::DesiredChanged));
}

#[test]
fn a_task_that_a_lower_count_took_proves_the_same() {
    let step = announced(|scene| gone(scene, "Scaling activity initiated by (deployment ecs-svc/web)", 0));
    assert_eq!(step, Step::Finish(Outcome::DesiredChanged));
}
