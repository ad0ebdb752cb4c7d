//! The next step of a move, state by state: what must hold before desired count is lowered, each condition alone.

mod others;
mod raised;
mod undone;

use crate::plan::proposal::Limits;
use crate::plan::record::protection_minutes;
use crate::plan::rest::{Miss, REST_TAG, Rest};
use crate::plan::testing::{Cluster, arn, cluster, limits, now, task_arn};
use crate::snapshot::{ContainerInstanceStatus, Deployment, Known, Protection, TaskStatus};

use super::*;

/// Three tasks of `web` on one instance, a fourth has come on the other, and the first is to leave.
struct Scene {
    cluster: Cluster,
    record: MoveRecord,
    paused: Option<bool>,
}

impl Scene {
    fn ready() -> Self {
        let mut cluster = cluster(&[&[3, 0]]);
        cluster.start("web", &arn("a", 1));
        let record = MoveRecord {
            phase: Phase::Lower,
            tasks_desired_before: 3,
            starts: 1,
            starts_max: 1,
            sequence: 4,
            chosen: task_arn("web", 0).short().to_owned(),
            new: Some(task_arn("web", 3).short().to_owned()),
            started_at: now() - Duration::from_mins(2),
            protection_minutes: protection_minutes(Duration::from_mins(10)),
            missed: None,
        };
        let new = cluster.task(3);
        new.created_at = Some(now() - Duration::from_secs(100));
        new.started_at = Some(now() - Duration::from_secs(90));
        let mut scene = Self { cluster, record, paused: Some(false) };
        for keeper in 1..=3 {
            scene.protect(keeper, scene.record.expiry_at(now()));
        }
        scene.protection(0, Known::Known(Protection { enabled: false, expires_at: None }));
        scene
    }

    fn protection(&mut self, task: usize, protection: Known<Protection>) {
        self.cluster.0.protections.insert(task_arn("web", task), protection);
    }

    fn protect(&mut self, task: usize, until: Timestamp) {
        self.protection(task, Known::Known(Protection { enabled: true, expires_at: Some(until) }));
    }

    fn step(&self) -> Step {
        let limits: Limits = limits();
        let snapshot = &self.cluster.0;
        next_step(&MoveView {
            snapshot,
            limits: &limits,
            service: &snapshot.services[&"web".into()],
            record: &self.record,
            healthy_after: Duration::from_secs(40),
            move_timeout: Duration::from_mins(10),
            paused: self.paused,
            remembers: true,
        })
    }
}

/// The step after one thing about the scene was changed.
fn after(change: impl FnOnce(&mut Scene)) -> Step {
    let mut scene = Scene::ready();
    change(&mut scene);
    scene.step()
}

#[test]
fn lowered_when_everything_holds() {
    let Step::Lower { from, to, closing } = after(|_| ()) else { panic!("{:?}", after(|_| ())) };
    assert_eq!((from, to, closing.phase), (4, 3, Phase::Settle));
}

#[test]
fn a_keeper_that_is_missing_from_the_list_holds_it() {
    let step = after(|scene| drop(scene.cluster.0.tasks.remove(&task_arn("web", 1))));
    assert_eq!(step, Step::Wait(Waiting::Count));
}

#[test]
fn a_keeper_that_does_not_run_holds_it() {
    let step = after(|scene| scene.cluster.task(1).last_status = TaskStatus::Pending);
    assert_eq!(step, Step::Wait(Waiting::Healthy));
}

#[test]
fn a_new_task_that_has_only_just_started_holds_it() {
    let step = after(|scene| scene.cluster.task(3).started_at = Some(now() - Duration::from_secs(39)));
    assert_eq!(step, Step::Wait(Waiting::Healthy));
}

#[test]
fn a_protection_that_could_not_be_read_holds_it() {
    let step = after(|scene| scene.protection(2, Known::Unknown("throttled".to_owned())));
    assert!(matches!(step, Step::Wait(Waiting::CannotTell(_))), "{step:?}");
}

#[test]
fn a_task_definition_that_could_not_be_read_holds_it() {
    let step = after(|scene| {
        let unread = Known::Unknown("throttled".to_owned());
        scene.cluster.0.task_definitions.insert("web:1".into(), unread);
    });
    assert!(matches!(step, Step::Wait(Waiting::CannotTell(_))), "{step:?}");
}

#[test]
fn a_chosen_task_that_somebody_protects_holds_it() {
    let step = after(|scene| scene.protect(0, now() + Duration::from_mins(117)));
    assert!(matches!(step, Step::Wait(Waiting::CannotTell(_))), "{step:?}");
}

#[test]
fn a_foreign_protection_on_a_keeper_is_not_overwritten() {
    let step = after(|scene| scene.protect(1, now() + Duration::from_mins(4)));
    assert!(matches!(step, Step::Wait(Waiting::CannotTell(_))), "{step:?}");
}

#[test]
fn a_keeper_without_protection_is_protected_first() {
    let step =
        after(|scene| scene.protection(2, Known::Known(Protection { enabled: false, expires_at: None })));
    assert!(matches!(&step, Step::Protect { tasks, .. } if *tasks == [task_arn("web", 2)]), "{step:?}");
}

#[test]
fn a_protection_of_ours_that_runs_out_is_renewed() {
    let step = after(|scene| {
        scene.record.started_at = now() - Duration::from_mins(27);
        scene.cluster.task(3).created_at = Some(now() - Duration::from_mins(26));
        (1..=3).for_each(|keeper| scene.protect(keeper, now() + Duration::from_mins(3)));
    });
    assert!(matches!(&step, Step::Protect { tasks, .. } if tasks.len() == 3), "{step:?}");
}

#[test]
fn a_desired_count_that_is_not_ours_is_left() {
    let mut scene = Scene::ready();
    scene.cluster.web().tasks_desired = 9;
    assert!(matches!(scene.step(), Step::Unprotect { tasks } if tasks.len() == 3));
    let off = || Known::Known(Protection { enabled: false, expires_at: None });
    (1..=3).for_each(|keeper| scene.protection(keeper, off()));
    assert_eq!(scene.step(), Step::Finish(Outcome::DesiredChanged));
}

#[test]
fn a_deployment_gets_the_protections_off_its_way_at_once() {
    let step = after(|scene| {
        let second = Deployment {
            id: "ecs-svc/second".to_owned(),
            status: "PRIMARY".to_owned(),
            rollout_state: Some(RolloutState::InProgress),
        };
        scene.cluster.web().deployments.insert(0, second);
    });
    assert!(matches!(&step, Step::Unprotect { tasks } if tasks.len() == 3), "{step:?}");
}

#[test]
fn a_drain_gets_the_protections_off_its_way_at_once() {
    let step = after(|scene| scene.cluster.instance("a", 0).status = ContainerInstanceStatus::Draining);
    assert!(matches!(&step, Step::Unprotect { tasks } if tasks.len() == 3), "{step:?}");
}

#[test]
fn once_lowered_the_count_is_not_touched_again() {
    for desired in [3, 4, 5] {
        let step = after(|scene| {
            scene.record.phase = Phase::Settle;
            scene.cluster.web().tasks_desired = desired;
        });
        assert!(!matches!(step, Step::Raise { .. } | Step::Lower { .. }), "{desired}: {step:?}");
    }
}

#[test]
fn a_pause_turns_back_what_has_not_proved_itself() {
    let step = after(|scene| {
        scene.record.phase = Phase::Raise;
        scene.paused = Some(true);
    });
    assert!(matches!(&step, Step::Record(next) if next.phase == Phase::Undo), "{step:?}");
}

#[test]
fn nothing_is_begun_where_a_pause_cannot_be_told() {
    let step = after(|scene| {
        scene.record.phase = Phase::Guard;
        scene.record.starts = 0;
        scene.paused = None;
        scene.cluster.0.tasks.remove(&task_arn("web", 3));
        scene.cluster.web().tasks_desired = 3;
    });
    assert!(matches!(step, Step::Wait(Waiting::CannotTell(_))), "{step:?}");
}

#[test]
fn an_undone_move_lets_every_new_task_go_and_no_old_one() {
    let mut scene = Scene::ready();
    scene.record.phase = Phase::Undo;
    scene.cluster.task(3).last_status = TaskStatus::Pending;
    assert!(matches!(scene.step(), Step::Unprotect { tasks } if tasks == [task_arn("web", 3)]));
    scene.protection(3, Known::Known(Protection { enabled: false, expires_at: None }));
    assert!(matches!(scene.step(), Step::Protect { tasks, .. } if tasks == [task_arn("web", 0)]));
    scene.protect(0, scene.record.expiry_at(now()));
    assert!(
        matches!(scene.step(), Step::Stop { tasks, lower: Some((4, 3)) } if tasks == [task_arn("web", 3)])
    );
    scene.cluster.task(3).last_status = TaskStatus::Running;
    assert!(
        matches!(scene.step(), Step::Lower { from: 4, to: 3, closing } if closing.phase == Phase::Undone)
    );
}

#[test]
fn a_hand_over_waits_until_those_that_leave_serve_too() {
    let step = after(|scene| scene.cluster.task(0).last_status = TaskStatus::Pending);
    assert_eq!(step, Step::Wait(Waiting::Healthy));
}

#[test]
fn nothing_is_begun_where_somebody_else_protects_a_task() {
    let step = after(|scene| {
        scene.record.phase = Phase::Guard;
        scene.record.starts = 0;
        scene.cluster.0.tasks.remove(&task_arn("web", 3));
        scene.cluster.web().tasks_desired = 3;
        let off = || Known::Known(Protection { enabled: false, expires_at: None });
        (0..3).for_each(|task| scene.protection(task, off()));
        scene.protect(1, now() + Duration::from_mins(117));
    });
    assert_eq!(step, Step::Finish(Outcome::Yielded));
}

fn memory_after(outcome: Phase, missed: Option<Miss>, tag: Option<&str>) -> Step {
    after(|scene| {
        scene.record = MoveRecord { missed, ..scene.record.then(outcome) };
        scene.cluster.web().tasks_desired = 3;
        let gone = task_arn("web", if outcome == Phase::Settle { 0 } else { 3 });
        scene.cluster.0.tasks.remove(&gone);
        let off = || Known::Known(Protection { enabled: false, expires_at: None });
        (0..=3).for_each(|task| scene.protection(task, off()));
        let tags = &mut scene.cluster.web().tags;
        tags.extend(tag.map(|value| (REST_TAG.to_owned(), value.to_owned())));
    })
}

#[test]
fn a_miss_is_remembered_before_the_record_goes_and_counted_once() {
    let miss = Some(Miss::Unhealthy);
    let Step::Rest(first) = memory_after(Phase::Undone, miss, None) else { panic!("nothing remembered") };
    assert_eq!((first.misses, first.until), (1, now() + limits().cooldown));
    let again = memory_after(Phase::Undone, miss, Some(&first.to_string()));
    assert_eq!(again, Step::Finish(Outcome::RolledBack));
    let earlier = Rest { move_started_at: now() - Duration::from_hours(1), ..first };
    let Step::Rest(second) = memory_after(Phase::Undone, miss, Some(&earlier.to_string())) else {
        panic!("an earlier move's memory is not this one's")
    };
    assert_eq!((second.misses, second.until), (2, now() + 2 * limits().cooldown));
}

#[test]
fn a_memory_that_cannot_be_written_does_not_hold_the_record_for_ever() {
    let step = after(|scene| {
        scene.record = MoveRecord { missed: Some(Miss::Landing), ..scene.record.then(Phase::Undone) };
        scene.record.started_at = now() - Duration::from_hours(1);
        scene.cluster.web().tasks_desired = 3;
        scene.cluster.0.tasks.remove(&task_arn("web", 3));
        scene.cluster.0.protections.clear();
    });
    assert_eq!(step, Step::Finish(Outcome::RolledBack));
}

#[test]
fn what_is_no_miss_is_not_remembered_and_a_success_forgets() {
    let earlier = "1:2:1799999000:landing:1799990000";
    assert_eq!(memory_after(Phase::Undone, None, None), Step::Finish(Outcome::RolledBack));
    assert_eq!(memory_after(Phase::Yielded, Some(Miss::Landing), None), Step::Finish(Outcome::Yielded));
    assert_eq!(memory_after(Phase::Settle, None, Some(earlier)), Step::EndRest);
    assert_eq!(memory_after(Phase::Settle, None, Some("off")), Step::Finish(Outcome::Moved));
    let unreadable = memory_after(Phase::Undone, Some(Miss::Landing), Some("off"));
    assert_eq!(unreadable, Step::Finish(Outcome::RolledBack), "it keeps the service at rest by itself");
}

#[test]
fn a_move_out_of_time_says_by_what_it_missed() {
    let missed = |change: &dyn Fn(&mut Scene)| {
        let step = after(|scene| {
            scene.record = MoveRecord { new: None, ..scene.record.then(Phase::Raise) };
            scene.record.started_at = now() - Duration::from_mins(11);
            (1..=3).for_each(|keeper| scene.protect(keeper, scene.record.expiry_at(now())));
            change(scene);
        });
        let Step::Record(next) = step else { panic!("{step:?}") };
        (next.phase, next.missed)
    };
    let placement = missed(&|scene| drop(scene.cluster.0.tasks.remove(&task_arn("web", 3))));
    assert_eq!(placement, (Phase::Undo, Some(Miss::Placement)));
    let unhealthy = missed(&|scene| scene.cluster.task(3).last_status = TaskStatus::Pending);
    assert_eq!(unhealthy, (Phase::Undo, Some(Miss::Unhealthy)));
    let timeout = missed(&|scene| scene.cluster.task(1).last_status = TaskStatus::Pending);
    assert_eq!(timeout, (Phase::Undo, Some(Miss::Timeout)), "a keeper does not serve");
    assert_eq!(missed(&|_| ()), (Phase::Lower, None), "all serve, so there is nothing to undo");
    let held_by_others = missed(&|scene| scene.protect(0, now() + Duration::from_mins(117)));
    assert_eq!(held_by_others, (Phase::Undo, None), "it yields to somebody else");
    let paused = missed(&|scene| scene.paused = Some(true));
    assert_eq!(paused, (Phase::Undo, None));
}
