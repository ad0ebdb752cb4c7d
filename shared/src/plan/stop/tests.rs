//! A move by `stop`, state by state: what must hold before the chosen task is stopped, each condition alone.

mod after;

use crate::percent::Percent;
use crate::plan::proposal::Limits;
use crate::plan::record::{MoveRecord, protection_minutes};
use crate::plan::testing::{Cluster, arn, cluster, limits, now, task_arn};
use crate::settings::MoveStrategy;
use crate::snapshot::{
    ContainerInstanceStatus, Deployment, Known, LoadBalancer, Protection, RolloutState, Unreadable,
    UnreadableKind,
};
use crate::timestamp::Timestamp;

use super::*;

/// Three tasks of `web` on one instance, none on the other, and the first is to leave.
struct Scene {
    cluster: Cluster,
    record: MoveRecord,
    limits: Limits,
    paused: Option<bool>,
    remembers: bool,
}

impl Scene {
    fn ready() -> Self {
        let mut cluster = cluster(&[&[3, 0]]);
        cluster.web().minimum_healthy_percent = Percent::new(66);
        let record = MoveRecord {
            phase: Phase::Stop,
            tasks_desired_before: 3,
            starts: 0,
            starts_max: 1,
            sequence: 1,
            chosen: task_arn("web", 0).short().to_owned(),
            new: None,
            started_at: now() - Duration::from_mins(2),
            protection_minutes: protection_minutes(Duration::from_mins(10)),
            missed: None,
        };
        let limits = Limits { strategy: MoveStrategy::Stop, ..limits() };
        Self { cluster, record, limits, paused: Some(false), remembers: true }
    }

    /// The chosen task has been stopped a minute and a half ago, and its replacement serves on the other instance.
    fn replaced() -> Self {
        let mut scene = Self::ready();
        scene.stop(now() - Duration::from_secs(100));
        scene.cluster.start("web", &arn("a", 1));
        let new = scene.cluster.task(3);
        new.created_at = Some(now() - Duration::from_secs(90));
        new.started_at = Some(now() - Duration::from_secs(70));
        scene
    }

    fn stop(&mut self, at: Timestamp) {
        self.cluster.stop(&task_arn("web", 0));
        let reason = stop_reason(&self.record);
        let chosen = self.cluster.task(0);
        chosen.last_status = TaskStatus::Stopped;
        (chosen.stop_code, chosen.stopped_reason) = (Some("UserInitiated".to_owned()), Some(reason));
        chosen.stopping_at = Some(at);
    }

    fn protection(&mut self, task: usize, protection: Known<Protection>) {
        self.cluster.0.protections.insert(task_arn("web", task), protection);
    }

    fn step(&self) -> Step {
        let snapshot = &self.cluster.0;
        next_step(&MoveView {
            snapshot,
            limits: &self.limits,
            service: &snapshot.services[&"web".into()],
            record: &self.record,
            healthy_after: Duration::from_secs(40),
            move_timeout: Duration::from_mins(10),
            paused: self.paused,
            remembers: self.remembers,
        })
    }
}

/// The step before the stop, after one thing about the scene was changed.
fn ready(change: impl FnOnce(&mut Scene)) -> Step {
    let mut scene = Scene::ready();
    change(&mut scene);
    scene.step()
}

/// The step after the stop, after one thing about the scene was changed.
fn replaced(change: impl FnOnce(&mut Scene)) -> Step {
    let mut scene = Scene::replaced();
    change(&mut scene);
    scene.step()
}

fn is_unclear(step: &Step) -> bool {
    matches!(step, Step::Wait(Waiting::CannotTell(_)))
}

fn second_deployment(scene: &mut Scene) {
    let second = Deployment {
        id: "ecs-svc/second".to_owned(),
        status: "PRIMARY".to_owned(),
        rollout_state: Some(RolloutState::InProgress),
    };
    scene.cluster.web().deployments.insert(0, second);
}

#[test]
fn stopped_by_name_when_everything_holds() {
    assert_eq!(ready(|_| ()), Step::StopChosen { task: task_arn("web", 0) });
}

#[test]
fn a_desired_count_that_somebody_changed_ends_it() {
    for desired in [2, 4] {
        let step = ready(|scene| scene.cluster.web().tasks_desired = desired);
        assert_eq!(step, Step::Finish(Outcome::DesiredChanged));
    }
}

#[test]
fn a_deployment_ends_it() {
    assert_eq!(ready(second_deployment), Step::Finish(Outcome::Yielded));
    for state in [Some(RolloutState::InProgress), Some(RolloutState::Failed), None] {
        let step = ready(|scene| scene.cluster.web().deployments[0].rollout_state = state);
        assert_eq!(step, Step::Finish(Outcome::Yielded), "{state:?}");
    }
}

#[test]
fn a_drain_ends_it() {
    let step = ready(|scene| scene.cluster.instance("a", 0).status = ContainerInstanceStatus::Draining);
    assert_eq!(step, Step::Finish(Outcome::Yielded));
}

#[test]
fn a_protection_of_any_task_ends_it() {
    for task in 0..3 {
        for expires_at in [Some(now() + Duration::from_secs(30)), None] {
            let on = Known::Known(Protection { enabled: true, expires_at });
            assert_eq!(ready(|scene| scene.protection(task, on)), Step::Finish(Outcome::Yielded), "{task}");
        }
    }
}

#[test]
fn a_protection_that_could_not_be_read_holds_it() {
    for unread in [Known::Unknown("throttled".to_owned()), Known::NotAsked] {
        assert!(is_unclear(&ready(|scene| scene.protection(1, unread))));
    }
}

#[test]
fn a_pause_ends_it_and_holds_it_if_it_cannot_be_told() {
    assert_eq!(ready(|scene| scene.paused = Some(true)), Step::Finish(Outcome::Yielded));
    assert!(is_unclear(&ready(|scene| scene.paused = None)));
}

#[test]
fn a_withdrawn_consent_ends_it() {
    assert_eq!(ready(|scene| scene.limits.strategy = MoveStrategy::Surge), Step::Finish(Outcome::Yielded));
    let tagged = |key: &str, value: &str| {
        ready(|scene| drop(scene.cluster.web().tags.insert(key.to_owned(), value.to_owned())))
    };
    assert_eq!(tagged("evenkeel:strategy", "surge"), Step::Finish(Outcome::Yielded));
    assert_eq!(tagged("evenkeel:rebalance", "off"), Step::Finish(Outcome::Yielded));
}

#[test]
fn a_load_balancer_that_came_meanwhile_ends_it() {
    let step = ready(|scene| {
        let (container_name, container_port) = ("web".to_owned(), 80);
        let target_group = None;
        scene.cluster.web().load_balancers.push(LoadBalancer {
            target_group,
            container_name,
            container_port,
        });
    });
    assert_eq!(step, Step::Finish(Outcome::Yielded));
}

#[test]
fn a_floor_that_was_raised_ends_it() {
    let step = ready(|scene| scene.cluster.web().minimum_healthy_percent = Percent::new(67));
    assert_eq!(step, Step::Finish(Outcome::Yielded));
}

#[test]
fn the_last_task_of_a_service_is_never_stopped() {
    let step = ready(|scene| {
        scene.cluster = cluster(&[&[1, 0]]);
        scene.cluster.web().minimum_healthy_percent = Percent::new(0);
        scene.record.tasks_desired_before = 1;
    });
    assert_eq!(step, Step::Finish(Outcome::Yielded));
}

#[test]
fn a_task_that_does_not_serve_ends_it() {
    let step = ready(|scene| scene.cluster.task(2).started_at = Some(now() - Duration::from_secs(39)));
    assert_eq!(step, Step::Finish(Outcome::RolledBack));
}

#[test]
fn health_that_could_not_be_read_holds_it() {
    let step = ready(|scene| {
        let unread = Known::Unknown("throttled".to_owned());
        scene.cluster.0.task_definitions.insert("web:1".into(), unread);
    });
    assert!(is_unclear(&step), "{step:?}");
}

#[test]
fn counts_that_are_not_steady_end_it() {
    assert_eq!(ready(|scene| scene.cluster.web().tasks_running = 2), Step::Finish(Outcome::RolledBack));
    assert_eq!(ready(|scene| scene.cluster.web().tasks_pending = 1), Step::Finish(Outcome::RolledBack));
}

#[test]
fn a_list_that_contradicts_the_counts_holds_it() {
    let step = ready(|scene| drop(scene.cluster.0.tasks.remove(&task_arn("web", 1))));
    assert!(is_unclear(&step), "{step:?}");
}

#[test]
fn an_instance_that_could_not_be_read_holds_it() {
    let step = ready(|scene| {
        let (kind, arn, reason) =
            (UnreadableKind::ContainerInstance, "arn:x".to_owned(), "MISSING".to_owned());
        scene.cluster.0.unknown.push(Unreadable { kind, arn, reason });
    });
    assert!(is_unclear(&step), "{step:?}");
}

#[test]
fn a_task_that_came_since_ends_it() {
    let step = ready(|scene| scene.cluster.task(2).created_at = Some(now() - Duration::from_mins(1)));
    assert_eq!(step, Step::Finish(Outcome::RolledBack));
}

#[test]
fn a_landing_that_no_longer_helps_ends_it() {
    let step = ready(|scene| scene.cluster.room("a", 1, 0));
    assert_eq!(step, Step::Finish(Outcome::RolledBack));
    let step = ready(|scene| scene.cluster.instance("a", 1).agent_connected = false);
    assert_eq!(step, Step::Finish(Outcome::RolledBack));
    let step = ready(|scene| scene.cluster.instance("a", 1).registered_at = Some(now()));
    assert_eq!(step, Step::Finish(Outcome::RolledBack));
    let step = ready(|scene| scene.cluster.instance("a", 0).registered_at = Some(now()));
    assert_eq!(step, Step::Finish(Outcome::RolledBack), "tasks of a warming instance stay");
}

#[test]
fn a_record_that_has_waited_too_long_is_dropped_however_little_can_be_told() {
    let late = |scene: &mut Scene| scene.record.started_at = now() - Duration::from_mins(10);
    assert_eq!(ready(late), Step::Finish(Outcome::RolledBack));
    let unclear = ready(|scene| {
        late(scene);
        scene.paused = None;
    });
    assert_eq!(unclear, Step::Finish(Outcome::RolledBack));
}
