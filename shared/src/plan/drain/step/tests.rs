//! Steps of a drain, one condition at a time.

use super::*;
use crate::plan::drain::testing::{Scene, hook};
use crate::plan::testing::now;
use crate::snapshot::ContainerInstanceStatus;

fn completes(scene: &Scene) -> Option<Completion> {
    scene.decide().steps.iter().find_map(|step| match step {
        Step::Complete(completion) => Some(*completion),
        _ => None,
    })
}

fn has(scene: &Scene, step: &Step) -> bool {
    scene.decide().steps.contains(step)
}

#[test]
fn what_is_not_draining_is_set_so_and_recorded() {
    let first_two = |cause| {
        let mut scene = Scene::new(cause);
        scene.seen.instance.status = ContainerInstanceStatus::Active;
        scene.seen.instance.attributes.clear();
        (scene.decide().steps[..2].to_vec(), Step::Record(scene.record))
    };
    let (pressing, record) = first_two(Cause::Terminate);
    assert_eq!(pressing, [Step::Drain, record]);
    let (unhurried, record) = first_two(Cause::Manual);
    assert_eq!(unhurried, [record, Step::Drain]);
}

#[test]
fn what_stands_already_is_not_written_again() {
    let steps = Scene::new(Cause::Terminate).decide().steps;
    assert_eq!(steps, [Step::Replace { asked: Asked::Terminate, is_recorded: false }]);
}

#[test]
fn an_instance_that_cannot_be_drained_yet_is_not_asked_to() {
    let mut scene = Scene::new(Cause::Terminate);
    scene.seen.instance.status = ContainerInstanceStatus::Other;
    assert!(!has(&scene, &Step::Drain));
}

#[test]
fn a_hook_is_completed_once_two_looks_found_it_empty() {
    assert_eq!(completes(&Scene::held(Cause::Hook)), None, "the first look");
    assert_eq!(completes(&Scene::held(Cause::Hook).seen_empty_before()), Some(Completion::Empty));
}

#[test]
fn two_looks_close_to_each_other_are_one() {
    let mut scene = Scene::held(Cause::Hook).seen_empty_before();
    scene.empty_since = Some(now() - Duration::from_secs(9));
    assert_eq!(completes(&scene), None);
}

#[test]
fn a_task_in_any_state_but_stopped_holds_it() {
    use TaskStatus::{
        Activating, Deactivating, Deprovisioning, Other, Pending, Provisioning, Running, Stopping,
    };
    for status in [Provisioning, Pending, Activating, Running, Deactivating, Stopping, Deprovisioning, Other]
    {
        let mut scene = Scene::held(Cause::Hook).seen_empty_before();
        let _ = scene.task(status == Stopping, status);
        assert_eq!(completes(&scene), None, "{status:?}");
        assert!(has(&scene, &Step::Heartbeat), "{status:?}");
    }
}

#[test]
fn whatever_else_speaks_against_empty_holds_it() {
    let unread: fn(&mut Scene) = |it| it.seen.tasks = Known::Unknown("throttled".to_owned());
    let counted: fn(&mut Scene) = |it| it.seen.instance.tasks_pending = 1;
    let active: fn(&mut Scene) = |it| it.seen.instance.status = ContainerInstanceStatus::Active;
    for (what, change) in [("unread tasks", unread), ("a count", counted), ("not draining", active)] {
        let mut scene = Scene::held(Cause::Hook).seen_empty_before();
        change(&mut scene);
        assert_eq!(completes(&scene), None, "{what}");
        assert!(has(&scene, &Step::Heartbeat), "{what}");
    }
}

#[test]
fn tasks_that_have_stopped_do_not_hold_it() {
    let mut scene = Scene::held(Cause::Hook).seen_empty_before();
    scene.task(true, TaskStatus::Stopped).desired_status = TaskStatus::Stopped;
    assert_eq!(completes(&scene), Some(Completion::Empty));
}

#[test]
fn at_its_deadline_it_is_let_go_and_never_as_empty() {
    let mut scene = Scene::held(Cause::Hook).seen_empty_before();
    scene.record.deadline = Some(now());
    let _ = scene.task(true, TaskStatus::Running);
    assert_eq!(completes(&scene), Some(Completion::DeadlineExpired(Some(1))));
    assert!(scene.decide().reasons.contains(&DrainReason::DeadlineExpired { tasks: Some(1) }));
    scene.seen.tasks = Known::Unknown("throttled".to_owned());
    assert_eq!(completes(&scene), Some(Completion::DeadlineExpired(None)), "cannot tell is said");
}

#[test]
fn a_heartbeat_comes_every_third_of_the_hooks_own_time_out() {
    let beats = |ago: u64| {
        let mut scene = Scene::held(Cause::Hook);
        scene.heartbeat_at = Some(now() - Duration::from_secs(ago));
        has(&scene, &Step::Heartbeat)
    };
    assert!(!beats(59) && beats(60));
}

#[test]
fn only_the_hook_of_our_name_is_ours() {
    let mut scene = Scene::held(Cause::Hook).seen_empty_before();
    scene.seen.hooks = Known::Known(vec![hook("ship-logs")]);
    let decision = scene.decide();
    assert!(decision.steps.is_empty(), "{decision:?}");
    assert!(decision.reasons.contains(&DrainReason::HookOfOthers { hook: "ship-logs".to_owned() }));
    scene.seen.hooks = Known::Unknown("throttled".to_owned());
    assert!(scene.decide().steps.is_empty());
}

#[test]
fn an_instance_that_no_hook_holds_gets_no_lifecycle_call() {
    let scene = Scene::new(Cause::Hook).seen_empty_before();
    let is_lifecycle = |step: &Step| matches!(step, Step::Heartbeat | Step::Complete(_));
    assert!(!scene.decide().steps.iter().any(is_lifecycle));
}

#[test]
fn standalone_tasks_are_stopped_by_cause_and_setting() {
    let stops = |cause, setting| {
        let mut scene = Scene::new(cause);
        scene.policy.standalone_tasks = setting;
        let _ = scene.task(false, TaskStatus::Running);
        scene.decide().steps.iter().any(|step| matches!(step, Step::StopTask(_)))
    };
    assert!(stops(Cause::Terminate, StandaloneTasks::Auto) && !stops(Cause::Hook, StandaloneTasks::Auto));
    assert!(stops(Cause::Hook, StandaloneTasks::Stop) && !stops(Cause::Terminate, StandaloneTasks::Wait));
}

#[test]
fn a_task_that_is_told_to_stop_is_not_told_again() {
    let mut scene = Scene::new(Cause::Terminate);
    scene.task(false, TaskStatus::Stopping).desired_status = TaskStatus::Stopped;
    assert!(!scene.decide().steps.iter().any(|step| matches!(step, Step::StopTask(_))));
}

#[test]
fn a_foreign_protection_is_said_and_left() {
    let mut scene = Scene::new(Cause::Terminate);
    let task = scene.task(true, TaskStatus::Running).arn.clone();
    let until = now() + Duration::from_mins(100);
    let protection = Protection { enabled: true, expires_at: Some(until) };
    scene.seen.protections.insert(task.clone(), Known::Known(protection));
    let decision = scene.decide();
    assert!(decision.reasons.contains(&DrainReason::ProtectedTask { task, until }));
    assert!(!decision.steps.iter().any(|step| matches!(step, Step::Unprotect(_))));
}

#[test]
fn a_pause_keeps_from_beginning_what_may_wait_and_from_asking_for_more() {
    for cause in [Cause::Manual, Cause::Recommendation] {
        let mut scene = Scene::new(cause);
        scene.seen.instance.attributes.clear();
        scene.seen.paused = Known::Known(true);
        let decision = scene.decide();
        assert_eq!((decision.steps, decision.progress), (Vec::new(), Progress::Over), "{cause:?}");
        scene.seen.paused = Known::Unknown("throttled".to_owned());
        assert!(scene.decide().steps.is_empty(), "cannot tell is no permission");
    }
    let mut scene = Scene::new(Cause::Terminate);
    scene.seen.instance.status = ContainerInstanceStatus::Active;
    scene.seen.paused = Known::Known(true);
    let decision = scene.decide();
    assert_eq!((decision.steps, decision.reasons), (vec![Step::Drain], vec![DrainReason::Paused]));
}

fn long_after(asked: Option<Asked>) -> Scene {
    let mut scene = Scene::new(Cause::Terminate);
    (scene.record.deadline, scene.record.asked) = (Some(now() - NOT_COMING_AFTER), asked);
    scene.marked()
}

#[test]
fn what_was_never_taken_is_given_back_unless_it_has_left_its_group() {
    assert_eq!(long_after(None).decide().steps, [Step::GiveBack]);
    let mut detached = long_after(Some(Asked::Detach));
    assert_eq!(detached.decide().steps, [Step::GiveBack], "the call never came through: it is in its group");
    detached.seen.member = Known::Known(None);
    let detached = detached.decide();
    assert_eq!((detached.steps, detached.reasons), (Vec::new(), vec![DrainReason::Orphaned]));
    let mut leaving = long_after(None);
    leaving.state(LifecycleState::TerminatingWait);
    assert!(!leaving.decide().steps.contains(&Step::GiveBack), "its group takes it");
    let mut gone = long_after(None);
    gone.seen.instance.agent_connected = false;
    assert!(!gone.decide().steps.contains(&Step::GiveBack), "it may be gone");
}

#[test]
fn a_host_that_is_gone_is_deregistered_only_if_ecs_lost_sight_of_it() {
    let mut instance = Scene::new(Cause::Terminate).seen.instance;
    assert_eq!(after_termination(&instance), Err(DrainReason::AgentConnected));
    instance.agent_connected = false;
    assert_eq!(after_termination(&instance), Ok(Step::Deregister));
}

#[test]
fn a_notice_after_its_deadline_begins_nothing() {
    let mut scene = Scene::new(Cause::Terminate);
    scene.record.deadline = Some(now());
    scene.seen.instance.attributes.clear();
    scene.seen.instance.status = ContainerInstanceStatus::Active;
    let decision = scene.decide();
    assert_eq!((decision.steps, decision.reasons), (Vec::new(), vec![DrainReason::NoticeTooOld]));
    assert!(first_steps(&scene.view()).is_empty());
}

#[test]
fn a_mere_risk_empties_no_instance_that_can_have_no_substitute() {
    let mut scene = Scene::new(Cause::Recommendation);
    scene.seen.instance.attributes.clear();
    scene.seen.instance.status = ContainerInstanceStatus::Active;
    assert!(has(&scene, &Step::Drain), "with a hook of ours it can");
    scene.seen.hooks = Known::Known(Vec::new());
    assert!(has(&scene, &Step::Drain), "on standby it can");
    scene.group().suspended.insert("Launch".to_owned());
    let decision = scene.decide();
    assert!(decision.steps.is_empty() && decision.progress == Progress::Over, "{decision:?}");
}

fn on_standby(cause: Cause, asked: Option<Asked>) -> Scene {
    let mut scene = Scene::new(cause);
    scene.record.asked = asked;
    scene.state(LifecycleState::Standby);
    scene.marked()
}

#[test]
fn an_instance_on_standby_by_us_ends_once_it_is_empty_or_its_time_is_up() {
    let mut scene = on_standby(Cause::Terminate, Some(Asked::Surge));
    assert_eq!(scene.decide().steps, [], "one look");
    assert_eq!(scene.clone().seen_empty_before().decide().steps, [Step::Retire(Completion::Empty)]);
    scene.task(true, TaskStatus::Running);
    assert!(!scene.decide().steps.iter().any(|step| matches!(step, Step::Retire(_))));
    scene.record.deadline = Some(now());
    let expired = Step::Retire(Completion::DeadlineExpired(Some(1)));
    assert!(has(&scene.marked(), &expired));
}

#[test]
fn an_instance_that_somebody_else_put_on_standby_is_not_ended() {
    for asked in [None, Some(Asked::Detach)] {
        let decision = on_standby(Cause::Manual, asked).seen_empty_before().decide();
        assert_eq!(decision.steps, [], "{asked:?}");
        assert!(matches!(decision.reasons[0], DrainReason::NotInService { .. }));
    }
}

#[test]
fn what_is_on_standby_by_us_and_was_never_taken_ends_all_the_same() {
    let mut scene = long_after(Some(Asked::Surge));
    scene.state(LifecycleState::Standby);
    assert_eq!(scene.decide().steps, [Step::Retire(Completion::DeadlineExpired(Some(0)))]);
}

#[test]
fn an_attribute_that_was_not_written_is_written_later() {
    let mut scene = Scene::new(Cause::Terminate);
    scene.record.asked = Some(Asked::Detach);
    assert!(has(&scene, &Step::RecordAsked(Asked::Detach)));
    assert!(!has(&scene.marked(), &Step::RecordAsked(Asked::Detach)));
}

/// Begun in time, looked at too late: what takes it over now would be let go at the next look.
#[test]
fn nothing_is_asked_for_once_the_deadline_is_up() {
    let mut scene = Scene::new(Cause::Terminate);
    scene.record.deadline = Some(now());
    let scene = scene.marked();
    assert!(!scene.decide().steps.iter().any(|step| matches!(step, Step::Replace { .. })));
}
