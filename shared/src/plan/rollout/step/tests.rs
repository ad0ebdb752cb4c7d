//! Steps of a rollout, one condition at a time.

mod back;
mod doubt;

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::ids::InstanceId;
use crate::plan::rollout::decision::Step;
use crate::plan::rollout::reason::RolloutReason;
use crate::plan::rollout::record::{Mark, Process};
use crate::plan::rollout::seen::Outside;
use crate::plan::rollout::testing::Scene;
use crate::plan::testing::now;
use crate::settings::OnDrainTimeout;
use crate::snapshot::{ContainerInstanceStatus, Known, LifecycleState};

fn ids(all: &[&str]) -> Vec<InstanceId> {
    all.iter().map(|&id| id.into()).collect()
}

fn next(scene: &Scene) -> Option<Phase> {
    scene.decide().next.map(|it| it.phase)
}

fn terminated(scene: &Scene) -> Vec<InstanceId> {
    let steps = scene.decide().steps.into_iter();
    steps
        .filter_map(|step| if let Step::Terminate(ids) = step { Some(ids) } else { None })
        .flatten()
        .collect()
}

#[test]
fn growth_begins_once_every_mark_was_read_back() {
    let mut scene = Scene::new(Phase::Mark);
    assert_eq!(next(&scene), Some(Phase::Surge));
    scene.registered("i-b").attributes.clear();
    assert_eq!(scene.decide().steps, [Step::Mark(ids(&["i-b"]), Mark::Old)]);
    scene.seen.registered.remove(&"i-b".into());
    let decision = scene.decide();
    assert!(
        decision.steps.is_empty() && decision.next.is_none(),
        "an instance that never registered: {decision:?}"
    );
}

#[test]
fn nothing_is_marked_for_drift_while_amis_cannot_be_read() {
    let mut scene = Scene::new(Phase::Mark);
    scene.seen.images = Known::Unknown("AccessDenied".to_owned());
    assert_eq!((scene.decide().steps, next(&scene)), (Vec::new(), None));
    scene.record.since = now() - scene.policy.launch_timeout;
    let record = scene.decide().next.unwrap();
    assert_eq!((record.phase, record.ending), (Phase::Restore, Some(Ending::CannotTell)));
    assert_eq!(crate::plan::rollout::rejected(&record), None, "no fault of the version");
}

#[test]
fn only_what_interferes_is_suspended_and_only_if_it_was_not() {
    let mut scene = Scene::new(Phase::Mark);
    scene.seen.group.suspended.remove("AZRebalance");
    assert_eq!(scene.decide().steps, [Step::Suspend(BTreeSet::from([Process::AZRebalance]))]);
    scene.record.suspended.remove(&Process::AZRebalance);
    assert_eq!(next(&scene), Some(Phase::Surge), "the record leaves it to others");
}

#[test]
fn a_wave_takes_from_each_zone_in_turn_and_no_more_than_its_size() {
    let mut scene = Scene::new(Phase::Surge);
    scene.add("i-a2", "a", LifecycleState::InService);
    scene.mark("i-a2", Mark::Old);
    scene.record.wave_size = 2;
    assert_eq!(scene.decide().steps, [Step::EnterStandby(ids(&["i-a", "i-b"]))]);
    scene.state("i-a", LifecycleState::Standby);
    assert_eq!(scene.decide().steps, [Step::EnterStandby(ids(&["i-a2"]))]);
}

#[test]
fn nobody_is_drained_before_as_many_new_ones_are_ready() {
    assert_eq!(next(&Scene::doubled(Phase::Surge)), Some(Phase::Drain));
    let changes: [fn(&mut Scene); 6] = [
        |it| it.registered("i-x").agent_connected = false,
        |it| it.registered("i-x").registered_at = Some(now() - Duration::from_secs(9)),
        |it| it.registered("i-x").status = ContainerInstanceStatus::Other,
        |it| drop(it.seen.registered.remove(&"i-x".into())),
        |it| it.state("i-x", LifecycleState::Pending),
        |it| it.seen.daemons_missing = Known::Known(1),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut scene = Scene::doubled(Phase::Surge);
        change(&mut scene);
        let decision = scene.decide();
        assert!(decision.next.is_none() && decision.steps.is_empty(), "{number}: {decision:?}");
        let mut scene = Scene { record: scene.record.in_phase(Phase::Drain, now()), ..scene };
        scene.seen.observed_at = now();
        let drained: Vec<Step> = scene.decide().steps;
        assert_eq!(drained, [Step::Drain(ids(&["i-a", "i-b"]))], "{number}: one has no substitute");
    }
}

#[test]
fn after_the_launch_time_out_it_goes_on_with_fewer_or_back_with_none() {
    let mut scene = Scene::doubled(Phase::Surge);
    scene.record.since = now() - scene.policy.launch_timeout;
    for (gone, expected) in [("i-x", Phase::Drain), ("i-y", Phase::Drain), ("i-z", Phase::Undo)] {
        scene.seen.group.instances.remove(&gone.into());
        assert_eq!(next(&scene), Some(expected), "{gone}");
    }
}

#[test]
fn nothing_new_begins_during_a_pause() {
    for phase in [Phase::Mark, Phase::Surge, Phase::Drain, Phase::Gate, Phase::Retire] {
        for paused in [Known::Known(true), Known::Unknown("throttled".to_owned()), Known::NotAsked] {
            let mut scene = if phase < Phase::Drain { Scene::new(phase) } else { Scene::doubled(phase) };
            scene.registered("i-a").attributes.clear();
            if phase >= Phase::Gate {
                for id in ["i-a", "i-b", "i-c"] {
                    scene.empty(id);
                }
            }
            scene.seen.paused = paused;
            let decision = scene.decide();
            assert!(decision.steps.is_empty(), "{phase:?} {decision:?}");
            assert!(decision.next.is_none_or(|it| it.phase <= Phase::Gate), "{phase:?}");
        }
    }
}

#[test]
fn a_drain_ends_when_every_one_was_seen_empty_twice() {
    let mut scene = Scene::doubled(Phase::Drain);
    for id in ["i-a", "i-b", "i-c"] {
        scene.empty(id);
    }
    assert_eq!(next(&scene), Some(Phase::Gate));
    let changes: [fn(&mut Scene); 5] = [
        |it| it.empty_since.clear(),
        |it| drop(it.seen.tasks.insert("i-a".into(), Known::Unknown("throttled".to_owned()))),
        |it| it.registered("i-a").tasks_running = 1,
        |it| it.registered("i-a").tasks_pending = 1,
        |it| drop(it.seen.registered.remove(&"i-a".into())),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        for phase in [Phase::Drain, Phase::Retire] {
            let mut scene = Scene { record: scene.record.in_phase(phase, now()), ..scene.clone() };
            change(&mut scene);
            assert_eq!(next(&scene), None, "{number} {phase:?}");
            assert!(!terminated(&scene).contains(&"i-a".into()), "{number} {phase:?}");
        }
    }
}

fn machine(is_ended: bool) -> Known<Outside> {
    Known::Known(Outside { is_ended, launched_at: Some(now()) })
}

#[test]
fn what_ecs_has_lost_is_ended_only_if_ec2_has_ended_it() {
    let mut scene = Scene::doubled(Phase::Retire);
    scene.seen.registered.remove(&"i-a".into());
    for (answer, expected) in
        [(machine(true), vec!["i-a"]), (machine(false), vec![]), (Known::Unknown(String::new()), vec![])]
    {
        scene.seen.machines.insert("i-a".into(), answer);
        scene.empty_since.insert("i-a".into(), now() - Duration::from_mins(1));
        assert_eq!(terminated(&scene), ids(&expected));
    }
}

#[test]
fn a_drain_that_takes_too_long_is_taken_back_held_or_forced() {
    let mut scene = Scene::doubled(Phase::Drain);
    scene.record.since = now() - scene.policy.drain_timeout;
    assert_eq!(next(&scene), Some(Phase::Undo));
    scene.policy.on_drain_timeout = OnDrainTimeout::Hold;
    assert!(scene.decide().reasons.contains(&RolloutReason::Held));
    scene.policy.on_drain_timeout = OnDrainTimeout::Force;
    let forced = scene.decide().next.unwrap();
    assert_eq!((forced.phase, forced.is_forced), (Phase::Gate, true));
}

#[test]
fn the_gate_waits_for_the_services_and_the_bake() {
    let mut scene = Scene::doubled(Phase::Gate);
    for id in ["i-a", "i-b", "i-c"] {
        scene.empty(id);
    }
    scene.record.terms.bake_time = Duration::from_mins(1);
    assert!(matches!(scene.decide().reasons[..], [RolloutReason::Baking { .. }]), "{:?}", scene.decide());
    scene.record.terms.bake_time = Duration::ZERO;
    assert_eq!(next(&scene), Some(Phase::Retire));
    scene.seen.services = Known::Unknown("throttled".to_owned());
    assert_eq!(next(&scene), None);
    scene.record.since = now() - scene.policy.drain_timeout;
    assert_eq!(next(&scene), Some(Phase::Undo));
}

#[test]
fn an_abort_turns_back_until_the_first_termination() {
    let with = |phase| {
        let mut scene = Scene::doubled(phase);
        scene.record.ending = Some(Ending::Aborted);
        scene
    };
    assert_eq!(next(&with(Phase::Mark)), Some(Phase::Restore));
    for phase in [Phase::Surge, Phase::Drain, Phase::Gate] {
        assert_eq!(next(&with(phase)), Some(Phase::Undo), "{phase:?}");
    }
    let mut retiring = with(Phase::Retire);
    retiring.empty("i-a");
    assert_eq!(terminated(&retiring), ids(&["i-a"]));
}

#[test]
fn the_way_back_keeps_the_size_that_is_found_and_makes_room() {
    let mut scene = Scene::doubled(Phase::Gate);
    scene.record.ending = Some(Ending::Aborted);
    (scene.seen.group.desired, scene.seen.group.max) = (4, 5);
    let record = scene.decide().next.unwrap();
    assert_eq!((record.keep, record.max, record.raised_max), (4, 5, 7));
    assert!(record.suspended.contains(&Process::Launch));
}

#[test]
fn nobody_comes_off_standby_while_the_group_may_end_anybody_or_must_not_launch() {
    let mut scene = Scene::doubled(Phase::Undo);
    scene.empty("i-a");
    let decision = scene.decide();
    assert!(Process::BACK.iter().all(|it| decision.next.as_ref().unwrap().suspended.contains(it)));
    scene.record.suspended.extend(Process::BACK);
    let active = || Step::Activate(ids(&["i-a"]));
    assert_eq!(scene.decide().steps, [active(), Step::Suspend(BTreeSet::from([Process::Terminate]))]);
    let mut scene = scene.launches_nothing();
    let (resume, exit) =
        (Step::Resume(BTreeSet::from([Process::Launch])), Step::ExitStandby(ids(&["i-a", "i-b", "i-c"])));
    assert_eq!(scene.decide().steps, [active(), resume, exit.clone()]);
    scene.record.suspended.remove(&Process::Launch);
    let theirs = scene.decide();
    let process = "Launch".to_owned();
    assert_eq!(
        (theirs.steps, &theirs.reasons[0]),
        (vec![active()], &RolloutReason::ProcessSuspended { process })
    );
    scene.seen.group.suspended.remove("Launch");
    assert_eq!(scene.decide().steps, [active(), exit]);
}

#[test]
fn restoring_takes_away_ours_and_the_record_last() {
    let mut scene = Scene::new(Phase::Restore);
    scene.seen.group.suspended.insert("HealthCheck".to_owned(), String::new());
    let ours: BTreeSet<Process> = Process::FORWARD.into_iter().collect();
    assert_eq!(scene.decide().steps, [Step::Resume(ours), Step::Unmark(ids(&["i-a", "i-b", "i-c"]))]);
    for process in Process::FORWARD {
        scene.seen.group.suspended.remove(process.name());
    }
    for id in ["i-a", "i-b", "i-c"] {
        scene.registered(id).attributes.clear();
    }
    assert_eq!(scene.decide().steps, [Step::Forget]);
}

#[test]
fn a_rollout_that_takes_too_long_ends() {
    let mut scene = Scene::doubled(Phase::Gate);
    scene.record.started_at = now() - scene.policy.rollout_timeout;
    let record = scene.decide().next.unwrap();
    assert_eq!((record.phase, record.ending), (Phase::Undo, Some(Ending::RolloutTimeout)));
    scene.record.phase = Phase::Retire;
    let record = scene.decide().next.unwrap();
    assert_eq!((record.phase, record.ending), (Phase::Retire, Some(Ending::RolloutTimeout)));
}
