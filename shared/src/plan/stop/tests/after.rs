//! The chosen task has been stopped: what is waited for, and how the move ends.

use crate::plan::rest::{Miss, REST_TAG};

use super::*;

#[test]
fn moved_once_the_replacement_serves_where_it_helps() {
    assert_eq!(replaced(|_| ()), Step::Finish(Outcome::Moved));
}

#[test]
fn a_replacement_that_came_back_says_so() {
    let came_back = |scene: &mut Scene| scene.cluster.task(3).container_instance = Some(arn("a", 0));
    let Step::Rest(rest) = replaced(came_back) else { panic!("it is remembered first") };
    let step = replaced(|scene| {
        came_back(scene);
        scene.cluster.web().tags.insert(REST_TAG.to_owned(), rest.to_string());
    });
    assert_eq!((step, rest.observed), (Step::Finish(Outcome::NoBetter), Miss::Landing));
}

#[test]
fn a_release_writes_no_memory_that_it_would_have_to_remove() {
    let step = replaced(|scene| {
        scene.cluster.task(3).container_instance = Some(arn("a", 0));
        scene.remembers = false;
    });
    assert_eq!(step, Step::Finish(Outcome::NoBetter));
}

#[test]
fn the_replacement_is_awaited() {
    let step = replaced(|scene| drop(scene.cluster.0.tasks.remove(&task_arn("web", 3))));
    assert_eq!(step, Step::Wait(Waiting::NewTask));
    let step = replaced(|scene| scene.cluster.task(3).container_instance = None);
    assert_eq!(step, Step::Wait(Waiting::NewTask));
    let step = replaced(|scene| scene.cluster.task(3).last_status = TaskStatus::Pending);
    assert_eq!(step, Step::Wait(Waiting::Healthy));
}

#[test]
fn the_end_of_the_chosen_task_is_awaited() {
    for status in [TaskStatus::Running, TaskStatus::Deactivating, TaskStatus::Stopping] {
        let step = replaced(|scene| scene.cluster.task(0).last_status = status);
        assert_eq!(step, Step::Wait(Waiting::Stopped), "{status:?}");
    }
    let step = replaced(|scene| drop(scene.cluster.0.tasks.remove(&task_arn("web", 0))));
    assert_eq!(step, Step::Wait(Waiting::Stopped));
}

#[test]
fn a_replacement_that_does_not_serve_in_time_is_told_and_nothing_undone() {
    let step = replaced(|scene| {
        scene.record.started_at = now() - Duration::from_mins(11);
        scene.cluster.task(0).stopping_at = Some(now() - Duration::from_mins(10));
        scene.cluster.task(3).last_status = TaskStatus::Pending;
    });
    assert!(matches!(step, Step::Rest(rest) if rest.observed == Miss::Unhealthy));
    let step = replaced(|scene| {
        scene.record.started_at = now() - Duration::from_mins(11);
        scene.cluster.task(3).last_status = TaskStatus::Pending;
    });
    assert_eq!(step, Step::Wait(Waiting::Healthy), "the time-out counts from the stop");
}

#[test]
fn after_the_stop_others_have_the_service_back_at_once() {
    assert_eq!(replaced(second_deployment), Step::Finish(Outcome::Yielded));
    let step = replaced(|scene| scene.cluster.web().tasks_desired = 5);
    assert_eq!(step, Step::Finish(Outcome::DesiredChanged));
    let step = replaced(|scene| scene.cluster.instance("a", 0).status = ContainerInstanceStatus::Draining);
    assert_eq!(step, Step::Finish(Outcome::Yielded));
}

#[test]
fn after_the_stop_a_pause_changes_nothing() {
    assert_eq!(replaced(|scene| scene.paused = Some(true)), Step::Finish(Outcome::Moved));
}

#[test]
fn a_chosen_task_that_went_by_itself_is_no_move() {
    let step = replaced(|scene| scene.cluster.task(0).stopped_reason = Some("Scaling activity".to_owned()));
    assert_eq!(step, Step::Finish(Outcome::RolledBack));
}

#[test]
fn no_record_stands_for_ever() {
    let overdue = |scene: &mut Scene| scene.record.started_at = now() - Duration::from_hours(2);
    let without_chosen = replaced(|scene| {
        overdue(scene);
        scene.cluster.0.tasks.remove(&task_arn("web", 0));
    });
    assert_eq!(without_chosen, Step::Finish(Outcome::NoBetter));
    let stopping = replaced(|scene| {
        overdue(scene);
        scene.cluster.task(0).last_status = TaskStatus::Deactivating;
    });
    assert!(matches!(stopping, Step::Finish(_)), "{stopping:?}");
    let without_age = ready(|scene| {
        overdue(scene);
        scene.cluster.task(1).created_at = None;
    });
    assert_eq!(without_age, Step::Finish(Outcome::NotReplaced));
}
