//! Percentages that leave ECS no step, and those that do: the examples of the Developer Guide among them.

use super::*;
use crate::percent::Percent;
use crate::plan::drain::record::Cause;
use crate::plan::drain::testing::Scene;
use crate::plan::testing::cluster;
use crate::snapshot::TaskStatus;

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
