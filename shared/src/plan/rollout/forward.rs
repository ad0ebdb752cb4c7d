//! The way forward: mark, surge, drain, gate, retire.
//!
//! The fleet is doubled by standby: an old instance that enters standby without decrement lives on and serves, the group
//! does not count it and launches another (API: `EnterStandby`). No size is written on the way forward; what others make of
//! the group's sizes meanwhile is theirs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::ids::{InstanceId, ZoneName};
use crate::plan::drain::empty::Emptiness;
use crate::plan::rollout::decision::{Decision, Step};
use crate::plan::rollout::gate::not_steady;
use crate::plan::rollout::phase::Phase;
use crate::plan::rollout::reason::RolloutReason;
use crate::plan::rollout::record::{Ending, Mark, Process, RolloutRecord, Selection};
use crate::plan::rollout::seen::{RolloutSnapshot, RolloutView};
use crate::settings::OnDrainTimeout;
use crate::snapshot::{AutoScalingGroup, AutoScalingInstance, ContainerInstance, Known, LifecycleState};

/// Instances that enter standby in one look: as many as one call takes (API: `EnterStandby`).
const AT_ONCE: usize = 20;

/// Instances that are terminated in one look, a call each: what was seen of them must not get old meanwhile.
const ENDED_AT_ONCE: usize = 100;

/// From then on the clock of a phase begins anew with its first step.
pub(super) const LATE_BEGIN: Duration = Duration::from_mins(1);

/// Marks what is old; growth begins once every mark was read back.
pub(super) fn mark(view: &RolloutView<'_>) -> Decision {
    if let Known::Unknown(why) = &view.seen.images {
        // No fault of the version: nothing is to be remembered of it.
        return if is_late(view) {
            turn_back(view, Ending::CannotTell)
        } else {
            Decision::waits(RolloutReason::CannotTell { what: format!("which AMIs run: {why}") })
        };
    }
    let unmarked = unmarked(view);
    let unsuspended = unsuspended(view);
    if unmarked.is_empty() && unsuspended.is_empty() {
        return Decision::to(next_wave(view, &view.record.in_phase(Phase::Surge, view.seen.observed_at)));
    }
    let (registered, others): (Vec<_>, Vec<_>) =
        unmarked.into_iter().partition(|it| view.seen.container_instance(&it.id).is_some());
    let mut decision = Decision::default();
    decision.reasons.extend(others.iter().map(|it| not_registered(view, it)));
    if !others.is_empty() && is_late(view) {
        return turn_back(view, Ending::LaunchTimeout);
    }
    if !unsuspended.is_empty() {
        decision.steps.push(Step::Suspend(unsuspended));
    }
    if !registered.is_empty() {
        decision.reasons.push(RolloutReason::Unmarked { instances: registered.len() });
        decision.steps.push(Step::Mark(ids(&registered), Mark::Old));
    }
    decision
}

fn unmarked<'v>(view: &RolloutView<'v>) -> Vec<&'v AutoScalingInstance> {
    let record = view.record;
    let is_old = |it: &&AutoScalingInstance| is_old(record.terms.selection, record.target, view.seen, it);
    view.news().into_iter().filter(is_old).collect()
}

/// Whether an instance in service is to be replaced. Where AMIs were not asked for, the version decides.
pub(super) fn is_old(
    selection: Selection,
    target: u64,
    seen: &RolloutSnapshot,
    instance: &AutoScalingInstance,
) -> bool {
    let has_other_image = seen.images.known().is_some_and(|images| {
        let own = images.running.get(&instance.id);
        own.zip(images.meant.as_ref()).is_some_and(|(own, meant)| own != meant)
    });
    selection == Selection::All || !is_of_version(&seen.group, target, instance) || has_other_image
}

/// Whether it was launched from this version of the group's template: versions of two templates have nothing to do with each
/// other.
pub fn is_of_version(group: &AutoScalingGroup, target: u64, instance: &AutoScalingInstance) -> bool {
    let meant = group.launch_source.launch_template();
    instance.launch_template.as_ref().zip(meant).is_some_and(|(own, meant)| {
        let same_template =
            (own.id.is_some() && own.id == meant.id) || (own.name.is_some() && own.name == meant.name);
        same_template && own.version == target.to_string()
    })
}

fn unsuspended(view: &RolloutView<'_>) -> BTreeSet<Process> {
    let ours = view.record.suspended.iter().copied();
    ours.filter(|process| !view.seen.group.suspended.contains_key(process.name())).collect()
}

fn not_registered(view: &RolloutView<'_>, instance: &AutoScalingInstance) -> RolloutReason {
    let id = instance.id.clone();
    match view.seen.registered.get(&id).map_or(0, Vec::len) {
        times @ 2.. => RolloutReason::RegisteredTwice { instance: id, times },
        _ => RolloutReason::NotRegistered { instance: id, cluster: view.seen.cluster.to_string() },
    }
}

/// The size of the next wave: what a shortage left on standby goes alone, so that no more is taken out of service for it.
fn next_wave(view: &RolloutView<'_>, record: &RolloutRecord) -> RolloutRecord {
    let left = view.on_standby().len() as u32;
    let terms = &record.terms;
    let share = (view.seen.group.desired * terms.surge_percent).div_ceil(100).max(1);
    let fresh = if terms.canary > 0 && record.waves_done == 0 { terms.canary } else { share };
    let most = view.waiting().len() as u32;
    RolloutRecord { wave_size: if left > 0 { left } else { fresh.min(most) }, ..record.clone() }
}

/// Brings the new ones.
pub(super) fn surge(view: &RolloutView<'_>) -> Decision {
    let standby = view.on_standby().len() as u32;
    let entering = in_turn(view.waiting());
    let left = view.record.wave_size.saturating_sub(standby) as usize;
    let entering = &entering[..entering.len().min(left).min(AT_ONCE)];
    if !entering.is_empty() && view.time_in_phase() < view.policy.launch_timeout * 2 {
        let steps = vec![Step::EnterStandby(ids(entering))];
        return Decision { steps, next: clock_anew(view), ..waits_for_instances(view) };
    }
    if view.missing() == 0 || (is_late(view) && view.missing() < standby) {
        return Decision::to(view.record.in_phase(Phase::Drain, view.seen.observed_at));
    }
    if is_late(view) {
        return turn_back(view, Ending::LaunchTimeout);
    }
    waits_for_instances(view)
}

pub(super) fn is_late(view: &RolloutView<'_>) -> bool {
    view.time_in_phase() >= view.policy.launch_timeout
}

fn waits_for_instances(view: &RolloutView<'_>) -> Decision {
    let desired = view.seen.group.desired;
    let last_failure = view.seen.last_failure.clone();
    Decision::waits(RolloutReason::WaitsForInstances { missing: view.missing(), desired, last_failure })
}

/// One zone after the other, so that a wave takes as many from each.
fn in_turn(instances: Vec<&AutoScalingInstance>) -> Vec<&AutoScalingInstance> {
    let mut seen: BTreeMap<&ZoneName, usize> = BTreeMap::new();
    let mut ranked: Vec<(usize, &AutoScalingInstance)> = Vec::new();
    for instance in instances {
        let rank = seen.entry(&instance.zone).or_default();
        ranked.push((*rank, instance));
        *rank += 1;
    }
    ranked.sort_by_key(|(rank, instance)| (*rank, &instance.zone, &instance.id));
    ranked.into_iter().map(|(_, instance)| instance).collect()
}

/// Empties the wave, no more of it than has substitutes.
pub(super) fn drain(view: &RolloutView<'_>) -> Decision {
    let leaving = leaving(view);
    let active: Vec<&AutoScalingInstance> =
        leaving.iter().copied().filter(|it| is_active(view, it)).collect();
    let occupied: Vec<RolloutReason> = leaving.iter().filter_map(|it| not_empty(view, it)).collect();
    if leaving.is_empty() && !view.on_standby().is_empty() {
        return if is_late(view) {
            turn_back(view, Ending::LaunchTimeout)
        } else {
            waits_for_instances(view)
        };
    }
    if occupied.is_empty() {
        return Decision::to(view.record.in_phase(Phase::Gate, view.seen.observed_at));
    }
    if view.time_in_phase() >= view.policy.drain_timeout {
        return match view.policy.on_drain_timeout {
            OnDrainTimeout::Rollback => turn_back(view, Ending::DrainTimeout),
            OnDrainTimeout::Hold => {
                Decision { reasons: [occupied, vec![RolloutReason::Held]].concat(), ..Decision::default() }
            }
            OnDrainTimeout::Force => Decision::to(RolloutRecord {
                is_forced: true,
                ..view.record.in_phase(Phase::Gate, view.seen.observed_at)
            }),
        };
    }
    let mut decision = Decision { reasons: occupied, ..Decision::default() };
    if !active.is_empty() {
        decision.steps.push(Step::Drain(ids(&active)));
        decision.next = clock_anew(view);
    }
    decision
}

/// What begins late, after a pause say, is given its whole time.
fn clock_anew(view: &RolloutView<'_>) -> Option<RolloutRecord> {
    let record = view.record.in_phase(view.record.phase, view.seen.observed_at);
    (view.time_in_phase() >= LATE_BEGIN).then_some(record)
}

/// The old instances on standby that have a substitute, those that are being drained first.
fn leaving<'v>(view: &RolloutView<'v>) -> Vec<&'v AutoScalingInstance> {
    let mut standby = view.on_standby();
    standby.sort_by_key(|it| (is_active(view, it), &it.id));
    let begun = standby.iter().filter(|it| !is_active(view, it)).count();
    let most = standby.len().saturating_sub(view.missing() as usize).max(begun);
    standby.truncate(most);
    standby
}

fn is_active(view: &RolloutView<'_>, instance: &AutoScalingInstance) -> bool {
    view.seen.registered.contains_key(&instance.id) && !view.seen.is_draining(&instance.id)
}

fn not_empty(view: &RolloutView<'_>, instance: &AutoScalingInstance) -> Option<RolloutReason> {
    if view.is_confirmed_empty(&instance.id) {
        return None;
    }
    let counted = |it: &ContainerInstance| it.tasks_running + it.tasks_pending;
    let what = match view.seen.emptiness(&instance.id) {
        Emptiness::Empty => "one look more".to_owned(),
        Emptiness::Occupied { tasks } => format!("{tasks} tasks"),
        Emptiness::CannotTell(_) if !view.seen.registered.contains_key(&instance.id) => {
            return Some(RolloutReason::LostOnStandby { instance: instance.id.clone() });
        }
        Emptiness::CannotTell(why) => match view.seen.container_instance(&instance.id).map(counted) {
            Some(tasks @ 1..) => format!("{tasks} tasks"),
            _ => why,
        },
    };
    Some(RolloutReason::NotEmpty { instance: instance.id.clone(), what })
}

/// Waits for the services, and for the bake.
pub(super) fn gate(view: &RolloutView<'_>) -> Decision {
    // What a shortage left ACTIVE on standby is the next wave's.
    let drained = view.on_standby().into_iter().filter(|it| !is_active(view, it));
    let occupied = |it: &&AutoScalingInstance| view.seen.emptiness(&it.id) != Emptiness::Empty;
    let occupied: Vec<&AutoScalingInstance> = drained.filter(occupied).collect();
    let mut decision = Decision { reasons: not_steady(view), ..Decision::default() };
    if !view.record.is_forced {
        decision.reasons.extend(occupied.into_iter().filter_map(|it| not_empty(view, it)));
    }
    let bake_time = view.record.terms.bake_time;
    if view.time_in_phase() < bake_time {
        decision.reasons.push(RolloutReason::Baking { until: view.record.since + bake_time });
    }
    if decision.reasons.is_empty() {
        return Decision::to(view.record.in_phase(Phase::Retire, view.seen.observed_at));
    }
    if view.time_in_phase() >= bake_time + view.policy.drain_timeout {
        return turn_back(view, Ending::GateTimeout);
    }
    decision
}

/// Ends the empty ones of the wave by name; what a shortage left undrained on standby is the next wave.
pub(super) fn retire(view: &RolloutView<'_>) -> Decision {
    let standby = view.on_standby();
    let gone: Vec<&AutoScalingInstance> = standby.into_iter().filter(|it| !is_active(view, it)).collect();
    if gone.is_empty() {
        return Decision::to(after_wave(view));
    }
    if view.is_paused() {
        return Decision::waits(RolloutReason::Paused);
    }
    let is_forced = |it: &AutoScalingInstance| {
        view.record.is_forced && view.seen.mark(&it.id) == Some(Mark::Old) && view.seen.is_draining(&it.id)
    };
    let (mut ready, others): (Vec<_>, Vec<_>) =
        gone.into_iter().partition(|it| is_forced(it) || view.is_confirmed_empty(&it.id));
    let mut decision = Decision {
        reasons: others.iter().filter_map(|it| not_empty(view, it)).collect(),
        ..Decision::default()
    };
    ready.truncate(ENDED_AT_ONCE);
    if !ready.is_empty() {
        decision.steps.push(Step::Terminate(ids(&ready)));
    }
    decision
}

fn after_wave(view: &RolloutView<'_>) -> RolloutRecord {
    let now = view.seen.observed_at;
    let waves_done = view.record.waves_done + 1;
    let done = RolloutRecord { waves_done, is_forced: false, ..view.record.clone() };
    let has_more = !view.waiting().is_empty() || !view.on_standby().is_empty();
    match view.record.ending {
        None if has_more => next_wave(view, &done.in_phase(Phase::Surge, now)),
        Some(_) if !view.on_standby().is_empty() => {
            super::back::begin(view, &done, done.ending.unwrap_or(Ending::Aborted))
        }
        _ => done.in_phase(Phase::Restore, now),
    }
}

/// The way back, from any phase that has one.
pub(super) fn turn_back(view: &RolloutView<'_>, ending: Ending) -> Decision {
    Decision::to(super::back::begin(view, view.record, ending))
}

/// Their ids.
pub(super) fn ids(instances: &[&AutoScalingInstance]) -> Vec<InstanceId> {
    instances.iter().map(|it| it.id.clone()).collect()
}

/// Whether an instance is of any account in a rollout: in service, pending, or on standby.
pub(super) fn is_present(instance: &AutoScalingInstance) -> bool {
    matches!(instance.state, LifecycleState::InService | LifecycleState::Pending | LifecycleState::Standby)
}
