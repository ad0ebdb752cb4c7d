//! How a substitute is asked for, one condition at a time.

use super::*;
use crate::plan::drain::testing::{Scene, hook};

/// What is asked for after one thing about an interrupted instance was changed.
fn asked(cause: Cause, change: impl FnOnce(&mut Scene)) -> Result<Asked, DrainReason> {
    let mut scene = Scene::new(cause);
    change(&mut scene);
    replacement(&scene.view())
}

fn hooks(names: &[&str]) -> Known<Vec<LifecycleHook>> {
    Known::Known(names.iter().map(|name| hook(name)).collect())
}

#[test]
fn a_hook_that_waits_for_the_tasks_makes_it_a_termination() {
    for cause in [Cause::Terminate, Cause::Recommendation, Cause::Manual] {
        assert_eq!(asked(cause, |_| ()), Ok(Asked::Terminate), "{cause:?}");
    }
    let managed = |provider: Option<&str>| {
        asked(Cause::Terminate, |it| {
            it.seen.hooks = hooks(&["ship-logs", MANAGED_DRAINING_HOOK]);
            it.seen.instance.capacity_provider = provider.map(str::to_owned);
        })
    };
    assert_eq!(managed(Some("spot")), Ok(Asked::Terminate));
    assert_eq!(managed(None), Ok(Asked::Surge), "ECS tends that hook for instances of its provider only");
}

#[test]
fn without_any_hook_only_what_ec2_takes_is_detached() {
    let asked = |cause| asked(cause, |it| it.seen.hooks = hooks(&[]));
    assert_eq!(asked(Cause::Terminate), Ok(Asked::Detach));
    assert_eq!(asked(Cause::Manual), Ok(Asked::Surge));
    assert_eq!(asked(Cause::Recommendation), Ok(Asked::Surge));
    assert!(matches!(asked(Cause::Stop), Err(DrainReason::NotTerminated { .. })));
    assert!(matches!(asked(Cause::Hibernate), Err(DrainReason::NotTerminated { .. })));
}

#[test]
fn somebody_elses_hook_is_passed_by_only_on_request() {
    let theirs = |it: &mut Scene| it.seen.hooks = hooks(&["ship-logs"]);
    assert_eq!(asked(Cause::Terminate, theirs), Ok(Asked::Surge));
    let detach = |it: &mut Scene| {
        theirs(it);
        it.policy.replacement = Replacement::Detach;
    };
    assert_eq!(asked(Cause::Terminate, detach), Ok(Asked::Detach));
}

#[test]
fn a_setting_narrows_it() {
    let by = |replacement| {
        move |it: &mut Scene| {
            it.seen.hooks = hooks(&[]);
            it.policy.replacement = replacement;
        }
    };
    assert_eq!(asked(Cause::Terminate, by(Replacement::None)), Err(DrainReason::NoneWanted));
    assert!(matches!(asked(Cause::Terminate, by(Replacement::Terminate)), Err(DrainReason::NoHook { .. })));
    assert_eq!(asked(Cause::Terminate, by(Replacement::Detach)), Ok(Asked::Detach));
    assert!(matches!(asked(Cause::Manual, by(Replacement::Detach)), Err(DrainReason::NotDetached { .. })));
    let surge = |it: &mut Scene| it.policy.replacement = Replacement::Surge;
    assert_eq!(asked(Cause::Terminate, surge), Ok(Asked::Surge), "whatever hooks there are");
    assert!(matches!(asked(Cause::Stop, surge), Err(DrainReason::NotTerminated { .. })));
}

#[test]
fn an_instance_that_leaves_already_is_not_asked_about_again() {
    for state in [LifecycleState::Terminating, LifecycleState::TerminatingWait, LifecycleState::Detaching] {
        let reason = asked(Cause::Terminate, |it| it.state(state));
        assert!(matches!(reason, Err(DrainReason::AlreadyLeaving { .. })), "{state:?}");
    }
    for state in [LifecycleState::Pending, LifecycleState::Standby, LifecycleState::Other] {
        let reason = asked(Cause::Manual, |it| it.state(state));
        assert!(matches!(reason, Err(DrainReason::NotInService { .. })), "{state:?}");
    }
    let ours = asked(Cause::Terminate, |it| {
        it.record.asked = Some(Asked::Surge);
        it.state(LifecycleState::Standby);
    });
    assert!(matches!(ours, Err(DrainReason::AlreadyLeaving { .. })), "{ours:?}");
    assert_eq!(
        asked(Cause::Terminate, |it| it.seen.member = Known::Known(None)),
        Err(DrainReason::NotInGroup)
    );
}

#[test]
fn a_group_that_must_not_launch_is_left() {
    let suspended = asked(Cause::Terminate, |it| it.group().suspended.extend(["Launch".to_owned()]));
    assert!(matches!(suspended, Err(DrainReason::LaunchSuspended { .. })));
}

#[test]
fn what_ecs_protects_for_its_capacity_provider_is_not_detached() {
    let by = |replacement| {
        asked(Cause::Terminate, |it| {
            it.seen.hooks = hooks(&[]);
            it.policy.replacement = replacement;
            it.seen.instance.capacity_provider = Some("spot".to_owned());
            if let Known::Known(Some(member)) = &mut it.seen.member {
                member.is_protected = true;
            }
        })
    };
    let refused = by(Replacement::Detach);
    assert!(matches!(refused, Err(DrainReason::ManagedTerminationProtection { .. })));
    assert_eq!(by(Replacement::Auto), Ok(Asked::Surge));
}

#[test]
fn what_cannot_be_told_asks_for_nothing() {
    let cases: [fn(&mut Scene); 4] = [
        |it| it.seen.member = Known::Unknown("throttled".to_owned()),
        |it| it.seen.group = Known::Unknown("throttled".to_owned()),
        |it| it.seen.hooks = Known::Unknown("throttled".to_owned()),
        |it| it.seen.hooks = Known::NotAsked,
    ];
    for change in cases {
        let reason = asked(Cause::Terminate, change);
        assert!(matches!(reason, Err(DrainReason::CannotTell { .. })), "{reason:?}");
    }
}
