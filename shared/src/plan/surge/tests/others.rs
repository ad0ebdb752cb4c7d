//! What a move owes to others on its way back and at its end: their protections, their tasks' health, and its own traces.

use super::*;

fn off() -> Known<Protection> {
    Known::Known(Protection { enabled: false, expires_at: None })
}

/// Long under way, so that our protections are in their second period.
fn renewed(change: impl FnOnce(&mut Scene)) -> Step {
    after(|scene| {
        scene.record.started_at = now() - Duration::from_mins(27);
        scene.cluster.task(3).created_at = Some(now() - Duration::from_mins(26));
        (1..=3).for_each(|keeper| scene.protect(keeper, scene.record.expiry_at(now())));
        change(scene);
    })
}

#[test]
fn a_protection_that_ends_between_two_of_ours_is_somebody_elses() {
    assert!(matches!(renewed(|_| ()), Step::Lower { .. }));
    let step = renewed(|scene| scene.protect(0, scene.record.started_at + Duration::from_mins(45)));
    assert!(matches!(&step, Step::Record(next) if next.phase == Phase::Undo), "it yields to them: {step:?}");
}

/// The chosen task died by itself, and one more than before is still asked for: the increment is to be taken back.
fn yielded(change: impl FnOnce(&mut Scene)) -> Step {
    after(|scene| {
        scene.record = scene.record.then(Phase::Yield);
        (1..=3).for_each(|keeper| scene.protection(keeper, off()));
        change(scene);
    })
}

#[test]
fn an_increment_is_taken_back_once_all_tasks_serve() {
    assert!(matches!(yielded(|_| ()), Step::Lower { from: 4, to: 3, .. }));
    let step = yielded(|scene| scene.cluster.task(2).last_status = TaskStatus::Pending);
    assert_eq!(step, Step::Wait(Waiting::Healthy), "ECS might take one of those that serve");
}

/// Desired count is lowered, and ECS has told the chosen task to stop.
fn settling(change: impl FnOnce(&mut Scene)) -> Step {
    after(|scene| {
        scene.record = scene.record.then(Phase::Settle);
        scene.cluster.stop(&task_arn("web", 0));
        scene.cluster.web().tasks_desired = 3;
        change(scene);
    })
}

#[test]
fn protections_come_off_before_the_record_and_the_record_once_the_chosen_task_has_stopped() {
    let Step::Unprotect { tasks } = settling(|_| ()) else { panic!("{:?}", settling(|_| ())) };
    assert_eq!(tasks.len(), 3);
    let unprotected = |status| {
        settling(|scene| {
            (1..=3).for_each(|keeper| scene.protection(keeper, off()));
            scene.cluster.task(0).last_status = status;
        })
    };
    assert_eq!(unprotected(TaskStatus::Stopping), Step::Wait(Waiting::Stopped));
    assert_eq!(unprotected(TaskStatus::Stopped), Step::Finish(Outcome::Moved));
}

#[test]
fn nothing_is_raised_where_no_instance_has_room() {
    let guarded = |is_full: bool| {
        after(|scene| {
            (scene.record.phase, scene.record.starts, scene.record.new) = (Phase::Guard, 0, None);
            scene.cluster.0.tasks.remove(&task_arn("web", 3));
            scene.cluster.web().tasks_desired = 3;
            (1..=2).for_each(|keeper| scene.protect(keeper, scene.record.expiry_at(now())));
            for instance in scene.cluster.0.container_instances.values_mut().filter(|_| is_full) {
                (instance.remaining.cpu, instance.remaining.memory) = (0, 0);
            }
        })
    };
    assert!(matches!(guarded(false), Step::Raise { from: 3, to: 4, .. }), "{:?}", guarded(false));
    assert!(matches!(guarded(true), Step::Unprotect { .. }), "{:?}", guarded(true));
}

#[test]
fn what_a_drain_took_leaves_the_increment_to_be_taken_back() {
    let took = |status| {
        after(|scene| {
            scene.cluster.stop(&task_arn("web", 0));
            scene.cluster.web().tasks_desired = 4;
            for keeper in 1..=2 {
                scene.cluster.task(keeper).container_instance = Some(arn("a", 1));
            }
            let chosen = scene.cluster.task(0);
            chosen.stop_code = Some("ServiceSchedulerInitiated".to_owned());
            chosen.stopped_reason = Some("Scaling activity initiated by (deployment x)".to_owned());
            scene.cluster.instance("a", 0).status = status;
        })
    };
    let next = |step| if let Step::Record(record) = step { Some(record.phase) } else { None };
    assert_eq!(next(took(ContainerInstanceStatus::Draining)), Some(Phase::Yield));
    assert_eq!(next(took(ContainerInstanceStatus::Active)), Some(Phase::Settle), "by our lowering");
}
