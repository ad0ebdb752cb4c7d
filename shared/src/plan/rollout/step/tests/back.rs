//! The end of the way back: who goes, and when sizes are written.

use crate::snapshot::TaskStatus;

use super::*;

#[test]
fn the_way_back_says_what_it_waits_for() {
    let mut scene = Scene::doubled(Phase::Undo).launches_nothing();
    for id in ["i-a", "i-b", "i-c"] {
        scene.state(id, LifecycleState::Pending);
    }
    let decision = scene.decide();
    assert_eq!((decision.steps, decision.next), (Vec::new(), None));
    assert_eq!(decision.reasons, [RolloutReason::ComingBack { instances: 3 }]);
    let mut scene = back_in_service();
    scene.seen.group.desired = 3;
    for id in ["i-y", "i-z"] {
        scene.seen.group.instances.remove(&id.into());
    }
    scene.state("i-x", LifecycleState::Pending);
    let decision = scene.decide();
    assert_eq!((decision.steps, decision.next), (Vec::new(), None));
    assert_eq!(decision.reasons, [RolloutReason::OnTheWay { instances: 1 }]);
}

fn back_in_service() -> Scene {
    let mut scene = Scene::doubled(Phase::Dismiss);
    for id in ["i-a", "i-b", "i-c"] {
        scene.state(id, LifecycleState::InService);
    }
    scene.seen.group.desired = 6;
    scene.launches_nothing()
}

#[test]
fn new_ones_that_are_too_many_go_by_name_once_they_are_empty() {
    let mut scene = back_in_service();
    let new = ids(&["i-x", "i-y", "i-z"]);
    assert_eq!(scene.decide().steps, [Step::Mark(new.clone(), Mark::Dismissed), Step::Drain(new.clone())]);
    for id in ["i-x", "i-y"] {
        scene.empty(id);
    }
    assert_eq!(terminated(&scene), ids(&["i-x", "i-y"]));
    scene.seen.group.suspended.remove("Launch");
    assert!(terminated(&scene).is_empty(), "they would be replaced");
}

#[test]
fn a_new_one_that_need_not_go_is_given_back_from_wherever_it_stands() {
    let mut scene = back_in_service();
    let kept = ids(&["i-x"]);
    scene.mark("i-x", Mark::Dismissed);
    scene.registered("i-x").status = ContainerInstanceStatus::Draining;
    for id in ["i-c", "i-y", "i-z"] {
        scene.seen.group.instances.remove(&id.into());
    }
    let all = [Step::Activate(kept.clone()), Step::Unmark(kept)];
    assert_eq!(scene.decide().steps, all);
    scene.registered("i-x").status = ContainerInstanceStatus::Active;
    assert_eq!(scene.decide().steps, all, "cut off between the two");
    scene.registered("i-x").attributes.clear();
    assert_eq!(scene.decide().steps, [Step::SetDesired(3)]);
}

#[test]
fn the_desired_capacity_is_written_when_nobody_can_be_chosen_for_it() {
    let mut scene = back_in_service();
    for id in ["i-y", "i-z"] {
        drop(scene.seen.group.instances.remove(&id.into()));
    }
    let desired = Step::SetDesired(3);
    assert!(!scene.decide().steps.contains(&desired), "one too many counts");
    scene.state("i-x", LifecycleState::Pending);
    assert!(!scene.decide().steps.contains(&desired), "one is on its way");
    scene.seen.group.instances.remove(&"i-x".into());
    assert_eq!(scene.decide().steps, [desired]);
    scene.seen.group.desired = 3;
    (scene.seen.group.max, scene.record.raised_max) = (9, 9);
    assert_eq!(scene.decide().steps, [Step::SetMax(6)]);
    scene.seen.group.max = 8;
    assert_eq!(next(&scene), Some(Phase::Restore), "somebody else's maximum stays");
}

#[test]
fn an_old_one_with_tasks_takes_no_more_until_every_substitute_elsewhere_serves() {
    let back = |change: fn(&mut Scene)| {
        let mut scene = Scene::doubled(Phase::Undo).launches_nothing();
        scene.empty("i-b");
        scene.registered("i-a").status = ContainerInstanceStatus::Draining;
        scene.registered("i-a").tasks_running = 2;
        change(&mut scene);
        let decision = scene.decide();
        let is_back = |ids: &[InstanceId]| ids.iter().any(|id| *id == "i-a".into());
        let mut steps = decision.steps.iter();
        let activated = steps.any(|step| matches!(step, Step::Activate(ids) if is_back(ids)));
        (activated, decision.reasons.iter().any(|it| matches!(it, RolloutReason::NotSteady { .. })))
    };
    let pending = |scene: &mut Scene| {
        let Known::Known(services) = &mut scene.seen.services else { panic!("they are read") };
        services.tasks.values_mut().for_each(|task| task.last_status = TaskStatus::Pending);
    };
    assert_eq!(back(|_| ()), (true, false));
    assert_eq!(back(pending), (false, true));
    let unread: fn(&mut Scene) = |scene| scene.seen.services = Known::Unknown("throttled".to_owned());
    assert!(!back(unread).0, "what cannot be told is not taken for served");
    let overdue: fn(&mut Scene) = |scene| {
        scene.seen.services = Known::NotAsked;
        scene.record.since = now() - scene.policy.launch_timeout;
    };
    assert!(back(overdue).0, "a substitute that never serves does not keep the old ones out");
}
