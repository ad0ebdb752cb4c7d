//! Percentages that leave ECS no step, and those that do, the examples of the Developer Guide among them; tasks that take
//! longer to leave than there is time; and how long what was foreseen stands.

use std::time::Duration;

use super::*;
use crate::percent::Percent;
use crate::plan::drain::record::Cause;
use crate::plan::drain::testing::Scene;
use crate::plan::testing::{Cluster, cluster};
use crate::snapshot::LoadBalancer;

fn is_foreseen(desired: u32, minimum: u32, maximum: u32, change: fn(&mut Service)) -> bool {
    let mut scene = Scene::new(Cause::Terminate);
    let _ = scene.task(true, TaskStatus::Running);
    let mut cluster = cluster(&[&[1]]);
    let mut service = cluster.web().clone();
    service.tasks_desired = desired;
    service.minimum_healthy_percent = Percent::new(minimum);
    service.maximum_percent = Percent::new(maximum);
    change(&mut service);
    scene.seen.services.insert("web".into(), Known::Known(service));
    !scene.decide().reasons.iter().all(|reason| !matches!(reason, DrainReason::NoStep { .. }))
}

#[test]
fn percentages_that_leave_no_step_are_told() {
    for (desired, minimum, maximum) in
        [(4, 100, 100), (2, 75, 100), (3, 100, 125), (1, 100, 199), (1, 50, 150)]
    {
        assert!(is_foreseen(desired, minimum, maximum, |_| ()), "{desired} {minimum} {maximum}");
    }
}

#[test]
fn those_that_leave_one_are_not() {
    for (desired, minimum, maximum) in
        [(4, 100, 200), (4, 50, 100), (4, 100, 125), (1, 100, 200), (1, 0, 100)]
    {
        assert!(!is_foreseen(desired, minimum, maximum, |_| ()), "{desired} {minimum} {maximum}");
    }
}

#[test]
fn other_controllers_and_daemons_have_their_own_rules() {
    assert!(!is_foreseen(4, 100, 100, |it| it.deployment_controller = DeploymentController::CodeDeploy));
    assert!(!is_foreseen(4, 100, 100, |it| it.scheduling_strategy = SchedulingStrategy::Daemon));
}

/// `web` behind these target groups, each with its deregistration delay in seconds; its containers have `stop` seconds.
struct Late {
    cluster: Cluster,
    delays: Vec<u64>,
    cause: Cause,
}

impl Late {
    fn new(delays: &[u64], stop: u64) -> Self {
        let mut cluster = cluster(&[&[2, 0]]);
        cluster.definition().stop_timeout = Duration::from_secs(stop);
        let group = |number: usize| LoadBalancer {
            target_group: Some(format!("tg-{number}").as_str().into()),
            container_name: "web".to_owned(),
            container_port: 80,
        };
        cluster.web().load_balancers = (0..delays.len()).map(group).collect();
        Self { cluster, delays: delays.to_vec(), cause: Cause::Terminate }
    }

    fn scene(&self) -> (Scene, Outlook) {
        let (scene, mut outlook) = Scene::in_cluster(self.cause, &self.cluster);
        for (number, delay) in self.delays.iter().enumerate() {
            let delay = Known::Known(Duration::from_secs(*delay));
            outlook.deregistration_delays.insert(format!("tg-{number}").as_str().into(), delay);
        }
        (scene, outlook)
    }

    fn foreseen(&self) -> Vec<DrainReason> {
        let (scene, outlook) = self.scene();
        foreseen(&scene.seen, &scene.record, &outlook)
    }
}

fn too_late(deregistration_delay: u64, stop_timeout: u64) -> DrainReason {
    DrainReason::LeavesTooLate { service: "web".into(), deregistration_delay, stop_timeout, left: 90 }
}

#[test]
fn tasks_that_may_outlast_the_deadline_are_told() {
    for (delays, stop, longest) in
        [(&[61][..], 30, 61), (&[300], 30, 300), (&[5, 61], 30, 61), (&[61, 5], 30, 61), (&[], 91, 0)]
    {
        let late = Late::new(delays, stop);
        assert_eq!(late.foreseen(), [too_late(longest, stop)], "{delays:?} {stop}");
    }
}

#[test]
fn those_that_are_gone_by_then_are_not() {
    for (delays, stop) in [(&[60][..], 30), (&[0], 90), (&[5, 60], 30), (&[], 90), (&[], 2)] {
        assert_eq!(Late::new(delays, stop).foreseen(), [], "{delays:?} {stop}");
    }
    let endless = Late { cause: Cause::Manual, ..Late::new(&[3600], 600) };
    assert_eq!(endless.foreseen(), [], "it has no deadline");
}

#[test]
fn the_longest_stop_timeout_of_all_revisions_counts() {
    let mut late = Late::new(&[10], 30);
    late.cluster.task(1).task_definition = "web:2".into();
    let slow = crate::snapshot::TaskDefinition {
        stop_timeout: Duration::from_secs(100),
        ..late.cluster.definition_of("web").clone()
    };
    late.cluster.0.task_definitions.insert("web:2".into(), Known::Known(slow));
    assert_eq!(late.foreseen(), [too_late(10, 100)]);
}

#[test]
fn what_could_not_be_read_is_not_called_late() {
    let unread = || "AccessDenied".to_owned();
    let (scene, outlook) = Late::new(&[300, 10], 30).scene();
    let foreseen = |outlook: &Outlook| foreseen(&scene.seen, &scene.record, outlook);
    assert_eq!(foreseen(&outlook).len(), 1);
    let mut blind = outlook.clone();
    blind.deregistration_delays.insert("tg-1".into(), Known::Unknown(unread()));
    assert_eq!(foreseen(&blind), []);
    let mut blind = outlook.clone();
    blind.task_definitions.insert("web:1".into(), Known::Unknown(unread()));
    assert_eq!(foreseen(&blind), []);
    let mut classic = Late::new(&[300], 30);
    classic.cluster.web().load_balancers[0].target_group = None;
    assert_eq!(classic.foreseen(), [], "nobody reads the delay of a Classic Load Balancer");
}

#[test]
fn tasks_on_their_way_out_are_not_foreseen_any_more() {
    let mut late = Late::new(&[300], 30);
    late.cluster.task(0).desired_status = TaskStatus::Stopped;
    late.cluster.task(1).desired_status = TaskStatus::Stopped;
    assert_eq!(late.foreseen(), []);
}

#[test]
fn what_was_foreseen_stands_as_long_as_such_tasks_are_there() {
    let no_room = DrainReason::NoRoomElsewhere { tasks: 1, services: vec!["api".into(), "web".into()] };
    let stand = |last: TaskStatus, desired: TaskStatus| {
        let mut scene = Scene::new(Cause::Terminate);
        let task = scene.task(true, last);
        task.desired_status = desired;
        [too_late(300, 30), no_room.clone()].map(|reason| stands(&reason, &scene.seen))
    };
    assert_eq!(stand(TaskStatus::Running, TaskStatus::Running), [true, true]);
    assert_eq!(stand(TaskStatus::Deactivating, TaskStatus::Stopped), [true, false]);
    assert_eq!(stand(TaskStatus::Stopped, TaskStatus::Stopped), [false, false]);
    let mut unseen = Scene::new(Cause::Terminate);
    unseen.seen.tasks = Known::Unknown("throttled".to_owned());
    assert!(stands(&no_room, &unseen.seen));
}
