//! The way back: undo, dismiss; and restore, with which every rollout ends.
//!
//! Old instances leave standby, which raises the desired capacity by as many (API: `ExitStandby`). While Launch is
//! suspended the new ones are emptied and terminated by name without decrement, so that no call counts anything down; when
//! no more instances count than are to be kept, one write sets the desired capacity to that. Nothing is left for the group
//! to choose.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::plan::drain::empty::Emptiness;
use crate::plan::rollout::decision::{Decision, Step, outcome};
use crate::plan::rollout::forward::{ids, is_present};
use crate::plan::rollout::phase::Phase;
use crate::plan::rollout::reason::RolloutReason;
use crate::plan::rollout::record::{Ending, Mark, Process, RolloutRecord, Selection, Terms};
use crate::plan::rollout::seen::RolloutView;
use crate::snapshot::{AutoScalingGroup, AutoScalingInstance, LifecycleState};
use crate::timestamp::Timestamp;

/// The record with which the way back begins. Nothing was grown before the first instance went on standby.
pub(super) fn begin(view: &RolloutView<'_>, record: &RolloutRecord, ending: Ending) -> RolloutRecord {
    let now = view.seen.observed_at;
    let record = RolloutRecord { ending: Some(record.ending.unwrap_or(ending)), ..record.clone() };
    if record.phase == Phase::Mark {
        return record.in_phase(Phase::Restore, now);
    }
    let group = &view.seen.group;
    let mut suspended = record.suspended.clone();
    if !group.suspended.contains_key(Process::Launch.name()) {
        suspended.insert(Process::Launch);
    }
    let raised_max = group.max.max(group.desired + view.on_standby().len() as u32);
    RolloutRecord {
        keep: group.desired,
        max: group.max,
        raised_max,
        suspended,
        ..record.in_phase(Phase::Undo, now)
    }
}

/// A record for marks whose own was lost: the way back, with the size as it is found.
pub fn back_from_lost(group: &AutoScalingGroup, olds: u32, now: Timestamp) -> RolloutRecord {
    let standby = group.instances.values().filter(|it| it.state == LifecycleState::Standby).count() as u32;
    let is_ours = !group.suspended.contains_key(Process::Launch.name());
    let bake_time = Duration::ZERO;
    RolloutRecord {
        phase: Phase::Undo,
        started_at: now,
        since: now,
        waves_done: 0,
        wave_size: 0,
        olds,
        keep: group.desired,
        max: group.max,
        raised_max: group.max.max(group.desired + standby),
        suspended: is_ours.then_some(Process::Launch).into_iter().collect(),
        terms: Terms { surge_percent: 100, canary: 0, bake_time, selection: Selection::All },
        target: 0,
        ending: Some(Ending::Aborted),
    }
}

/// Brings the old ones back into service.
pub(super) fn undo(view: &RolloutView<'_>) -> Decision {
    let standby = view.on_standby();
    let draining: Vec<&AutoScalingInstance> =
        standby.iter().chain(&view.waiting()).copied().filter(|it| view.seen.is_draining(&it.id)).collect();
    if standby.is_empty() && draining.is_empty() && view.coming_back() == 0 {
        return Decision::to(view.record.in_phase(Phase::Dismiss, view.seen.observed_at));
    }
    let mut decision = Decision::default();
    if !draining.is_empty() {
        decision.steps.push(Step::Activate(ids(&draining)));
    }
    if !launches_nothing(view) {
        decision.steps.push(Step::Suspend(BTreeSet::from([Process::Launch])));
        decision.reasons.push(RolloutReason::WaitsForSuspension);
        return decision;
    }
    let needed = view.seen.group.desired + standby.len() as u32;
    if view.seen.group.max < needed {
        decision.steps.push(Step::SetMax(view.record.raised_max.max(needed)));
    }
    if !standby.is_empty() {
        decision.steps.push(Step::ExitStandby(ids(&standby)));
    }
    decision
}

fn launches_nothing(view: &RolloutView<'_>) -> bool {
    view.seen.group.suspended.contains_key(Process::Launch.name())
}

/// Lets the new ones go that are too many, then puts the sizes back.
pub(super) fn dismiss(view: &RolloutView<'_>) -> Decision {
    if !launches_nothing(view) && surplus(view) > 0 {
        let steps = vec![Step::Suspend(BTreeSet::from([Process::Launch]))];
        return Decision { steps, ..Decision::waits(RolloutReason::WaitsForSuspension) };
    }
    if surplus(view) == 0 && view.pending() == 0 {
        return sizes_back(view);
    }
    let going = going(view);
    let mut decision = Decision::default();
    let unmarked = |it: &&AutoScalingInstance| {
        view.seen.mark(&it.id).is_none() && view.seen.registered.contains_key(&it.id)
    };
    let unmarked: Vec<&AutoScalingInstance> = going.iter().copied().filter(unmarked).collect();
    let active = |it: &&AutoScalingInstance| {
        view.seen.registered.contains_key(&it.id) && !view.seen.is_draining(&it.id)
    };
    let active: Vec<&AutoScalingInstance> = going.iter().copied().filter(active).collect();
    let empty: Vec<&AutoScalingInstance> = going.iter().copied().filter(|it| may_go(view, it)).collect();
    let steps = [
        (unmarked.is_empty(), Step::Mark(ids(&unmarked), Mark::Dismissed)),
        (active.is_empty(), Step::Drain(ids(&active))),
        (empty.is_empty(), Step::Terminate(ids(&empty))),
    ];
    decision.steps.extend(steps.into_iter().filter(|(is_empty, _)| !is_empty).map(|(_, step)| step));
    let waits = going.iter().filter(|it| !may_go(view, it)).map(|it| occupied(view, it));
    decision.reasons.extend(waits);
    decision
}

/// How many instances count beyond what is to be kept.
fn surplus(view: &RolloutView<'_>) -> usize {
    view.seen.group.capacity().saturating_sub(view.record.keep) as usize
}

/// Those marked before, then those that ECS does not know, then the latest to come.
fn going<'v>(view: &RolloutView<'v>) -> Vec<&'v AutoScalingInstance> {
    let mut news = view.news();
    news.sort_by_key(|it| {
        let registered_at = view.seen.container_instance(&it.id).and_then(|it| it.registered_at);
        let is_marked = view.seen.mark(&it.id) == Some(Mark::Dismissed);
        (!is_marked, registered_at.is_some(), Reverse(registered_at), &it.id)
    });
    news.truncate(surplus(view));
    news
}

/// Empty, at two looks; one that never registered with ECS has no task of it.
fn may_go(view: &RolloutView<'_>, instance: &AutoScalingInstance) -> bool {
    !view.seen.registered.contains_key(&instance.id) || view.is_confirmed_empty(&instance.id)
}

fn occupied(view: &RolloutView<'_>, instance: &AutoScalingInstance) -> RolloutReason {
    let what = match view.seen.emptiness(&instance.id) {
        Emptiness::Empty => "one look more".to_owned(),
        Emptiness::Occupied { tasks } => format!("{tasks} tasks"),
        Emptiness::CannotTell(why) => why,
    };
    RolloutReason::NotEmpty { instance: instance.id.clone(), what }
}

/// The desired capacity first: a maximum below it would make the group choose who goes (API: `UpdateAutoScalingGroup`).
fn sizes_back(view: &RolloutView<'_>) -> Decision {
    let (group, record) = (&view.seen.group, view.record);
    if group.desired > record.keep {
        if !launches_nothing(view) {
            let steps = vec![Step::Suspend(BTreeSet::from([Process::Launch]))];
            return Decision { steps, ..Decision::waits(RolloutReason::WaitsForSuspension) };
        }
        return Decision { steps: vec![Step::SetDesired(record.keep)], ..Decision::default() };
    }
    if group.max != record.max && group.max == record.raised_max {
        return Decision { steps: vec![Step::SetMax(record.max)], ..Decision::default() };
    }
    Decision::to(record.in_phase(Phase::Restore, view.seen.observed_at))
}

/// Takes away what is Evenkeel's, the record last.
pub(super) fn restore(view: &RolloutView<'_>) -> Decision {
    let mut decision = Decision::default();
    let suspended = view.record.suspended.iter().copied();
    let suspended: BTreeSet<Process> =
        suspended.filter(|it| view.seen.group.suspended.contains_key(it.name())).collect();
    if !suspended.is_empty() {
        decision.steps.push(Step::Resume(suspended));
    }
    let present = view.seen.group.instances.values().filter(|it| is_present(it));
    let marked: Vec<&AutoScalingInstance> = present.filter(|it| view.seen.mark(&it.id).is_some()).collect();
    if !marked.is_empty() {
        decision.steps.push(Step::Unmark(ids(&marked)));
    }
    let (max, raised) = (view.seen.group.max, view.record.raised_max);
    if max != view.record.max && raised != view.record.max && max != raised {
        decision.reasons.push(RolloutReason::ForeignMax { found: max, raised });
    }
    if decision.steps.is_empty() {
        decision.steps.push(Step::Forget);
    }
    decision
}

/// What the tag that stays says: the version that was rolled back, and why.
pub fn rejected(record: &RolloutRecord) -> Option<String> {
    match outcome(record) {
        super::decision::Outcome::RolledBack(Ending::Aborted) | super::decision::Outcome::Done => None,
        super::decision::Outcome::RolledBack(ending) | super::decision::Outcome::Aborted(ending) => {
            (ending != Ending::Aborted).then(|| format!("{}:{}", record.target, ending.word()))
        }
    }
}
