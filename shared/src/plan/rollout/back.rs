//! The way back: undo, dismiss; and restore, with which every rollout ends.
//!
//! Old instances leave standby, which raises the desired capacity by as many (API: `ExitStandby`), and which none can while
//! Launch is suspended (Amazon EC2 Auto Scaling User Guide, "Suspend and resume Amazon EC2 Auto Scaling processes"): so Launch
//! runs until all are back, and Terminate does not. Then Launch is suspended, and the new ones are emptied and terminated by
//! name without decrement, so that no call counts anything down; when no more instances count than are to be kept, one write
//! sets the desired capacity to that. Nothing is left for the group to choose.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::ids::InstanceId;
use crate::plan::drain::empty::Emptiness;
use crate::plan::rollout::decision::{Decision, Step};
use crate::plan::rollout::forward::{ids, is_present};
use crate::plan::rollout::gate::substitutes_on_their_way;
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
    let suspended = with_frozen(group, &record);
    let raised_max = group.max.max(group.desired + view.on_standby().len() as u32);
    RolloutRecord {
        keep: group.desired,
        max: group.max,
        raised_max,
        suspended,
        ..record.in_phase(Phase::Undo, now)
    }
}

/// What the record says was suspended, with those processes of the way back that run now.
fn with_frozen(group: &AutoScalingGroup, record: &RolloutRecord) -> BTreeSet<Process> {
    let is_running = |process: &Process| !group.suspended.contains_key(process.name());
    record.suspended.iter().copied().chain(Process::BACK.into_iter().filter(is_running)).collect()
}

/// A record for marks whose own was lost: the way back, with the size as it is found.
pub fn back_from_lost(group: &AutoScalingGroup, olds: u32, now: Timestamp) -> RolloutRecord {
    let standby = group.instances.values().filter(|it| it.state == LifecycleState::Standby).count() as u32;
    let bake_time = Duration::ZERO;
    let record = RolloutRecord {
        phase: Phase::Undo,
        started_at: now,
        since: now,
        waves_done: 0,
        wave_size: 0,
        olds,
        keep: group.desired,
        max: group.max,
        raised_max: group.max.max(group.desired + standby),
        suspended: BTreeSet::new(),
        terms: Terms { surge_percent: 100, canary: 0, bake_time, selection: Selection::All },
        target: 0,
        ending: Some(Ending::Aborted),
        is_forced: false,
    };
    RolloutRecord { suspended: with_frozen(group, &record), ..record }
}

/// Brings the old ones back into service, but for those that EC2 takes or has taken.
pub(super) fn undo(view: &RolloutView<'_>) -> Decision {
    let standby = view.on_standby();
    let draining = left_draining(view);
    if standby.is_empty() && draining.is_empty() && view.coming_back() == 0 {
        return Decision::to(view.record.in_phase(Phase::Dismiss, view.seen.observed_at));
    }
    let mut decision = reactivate(view, draining);
    if let Some(frozen) = freeze(view, &[Process::Terminate]) {
        let reasons = [decision.reasons, frozen.reasons].concat();
        return Decision { steps: [decision.steps, frozen.steps].concat(), reasons, ..frozen };
    }
    let is_ended = |it: &&AutoScalingInstance| view.seen.outside(&it.id).is_some_and(|it| it.is_ended);
    let (ended, others): (Vec<_>, Vec<_>) = standby.into_iter().partition(is_ended);
    let back: Vec<&AutoScalingInstance> =
        others.into_iter().filter(|it| !view.is_drained_by_itself(&it.id)).collect();
    let needed = view.seen.group.desired + back.len() as u32;
    if needed > view.seen.group.max && needed > view.record.raised_max {
        return Decision::to(RolloutRecord { raised_max: needed, ..view.record.clone() });
    }
    if needed > view.seen.group.max {
        decision.steps.push(Step::SetMax(view.record.raised_max));
    }
    if !back.is_empty() {
        match launches(view) {
            Ok(thaw) => decision.steps.extend(thaw.into_iter().chain([Step::ExitStandby(ids(&back))])),
            Err(reason) => decision.reasons.push(reason),
        }
    }
    decision.steps.extend((!ended.is_empty()).then(|| Step::Terminate(ids(&ended))));
    let instances = view.on_standby().len() + view.coming_back();
    decision.reasons.extend((instances > 0).then_some(RolloutReason::ComingBack { instances }));
    decision
}

/// What makes the group launch again, where it does not by our doing; a suspension of somebody else's is waited for.
fn launches(view: &RolloutView<'_>) -> Result<Option<Step>, RolloutReason> {
    let process = Process::Launch;
    let is_suspended = view.seen.group.suspended.contains_key(process.name());
    if is_suspended && !view.record.suspended.contains(&process) {
        return Err(RolloutReason::ProcessSuspended { process: process.name().to_owned() });
    }
    Ok(is_suspended.then(|| Step::Resume(BTreeSet::from([process]))))
}

/// The old ones take tasks again. As long as tasks are on them ECS has started substitutes elsewhere, and takes the
/// surplus down once nothing drains any more: healthy old tasks, it may be, for substitutes that do not serve yet (Amazon
/// ECS Developer Guide, "Draining Amazon ECS container instances", leaves open which). So the new ones are set DRAINING first,
/// which stops what is PENDING there, and stay so; and substitutes that are anywhere else are waited for, as long as a new
/// instance would be.
fn reactivate(view: &RolloutView<'_>, draining: Vec<&AutoScalingInstance>) -> Decision {
    let (occupied, mut ready): (Vec<_>, Vec<_>) =
        draining.into_iter().partition(|it| view.seen.tasks_on(&it.id) > 0);
    let mut decision = Decision::default();
    if !occupied.is_empty() {
        let going = going(view);
        decision.steps.extend(set_apart(view, &going));
        let arns = going.iter().filter_map(|it| Some(view.seen.container_instance(&it.id)?.arn.clone()));
        let waits = substitutes_on_their_way(view, &arns.collect());
        let is_overdue = view.seen.observed_at.since(view.record.since) >= view.policy.launch_timeout;
        if waits.is_empty() || is_overdue {
            ready.extend(occupied);
        } else {
            decision.reasons = waits;
        }
    }
    decision.steps.push(Step::Activate(ids(&ready)));
    decision.steps.retain(|step| !step.is_idle());
    decision
}

/// New ones that are to go take no more tasks; the mark goes first.
fn set_apart(view: &RolloutView<'_>, going: &[&AutoScalingInstance]) -> [Step; 2] {
    let of = |is_one: &dyn Fn(&InstanceId) -> bool| -> Vec<InstanceId> {
        going.iter().map(|it| &it.id).filter(|id| is_one(id)).cloned().collect()
    };
    let is_registered = |id: &InstanceId| view.seen.registered.contains_key(id);
    let unmarked = of(&|id| is_registered(id) && view.seen.mark(id).is_none());
    let active = of(&|id| is_registered(id) && !view.seen.is_draining(id));
    [Step::Mark(unmarked, Mark::Dismissed), Step::Drain(active)]
}

/// Old ones that are DRAINING by this rollout, not by a drain of their own.
fn left_draining<'v>(view: &RolloutView<'v>) -> Vec<&'v AutoScalingInstance> {
    let all = view.on_standby().into_iter().chain(view.waiting());
    all.filter(|it| view.seen.is_draining(&it.id) && !view.is_drained_by_itself(&it.id)).collect()
}

/// What has yet to be done before these processes stand still: the record first, then the suspension.
fn freeze(view: &RolloutView<'_>, processes: &[Process]) -> Option<Decision> {
    let group = &view.seen.group;
    let is_running = |it: &Process| !group.suspended.contains_key(it.name());
    let running: BTreeSet<Process> = processes.iter().copied().filter(is_running).collect();
    if running.is_empty() {
        return None;
    }
    if !running.is_subset(&view.record.suspended) {
        let suspended = with_frozen(group, view.record);
        return Some(Decision::to(RolloutRecord { suspended, ..view.record.clone() }));
    }
    let steps = vec![Step::Suspend(running)];
    Some(Decision { steps, ..Decision::waits(RolloutReason::WaitsForSuspension) })
}

/// Lets the new ones go that are too many, then puts the sizes back. Whatever stands as it did before, a call that came late
/// may have put there: it is undone again.
pub(super) fn dismiss(view: &RolloutView<'_>) -> Decision {
    if !view.on_standby().is_empty() || !left_draining(view).is_empty() {
        return Decision::to(view.record.in_phase(Phase::Undo, view.seen.observed_at));
    }
    let sizes_differ = surplus(view) > 0 || view.seen.group.desired > view.record.keep;
    if let Some(frozen) = freeze(view, &Process::BACK).filter(|_| sizes_differ) {
        return frozen;
    }
    let spared = spared(view);
    if !spared.is_empty() {
        return Decision {
            steps: vec![Step::Activate(ids(&spared)), Step::Unmark(ids(&spared))],
            ..Decision::default()
        };
    }
    if surplus(view) == 0 && view.pending() == 0 {
        return sizes_back(view);
    }
    let going = going(view);
    let empty = going.iter().map(|it| it.id.clone()).filter(|id| may_go(view, id)).collect();
    let steps = set_apart(view, &going).into_iter().chain([Step::Terminate(empty)]);
    let steps = steps.filter(|step| !step.is_idle()).collect();
    let waits = going.iter().filter(|it| !may_go(view, &it.id)).map(|it| occupied(view, it));
    let instances = view.pending();
    let pending = (instances > 0).then_some(RolloutReason::OnTheWay { instances });
    Decision { steps, reasons: waits.chain(pending).collect(), ..Decision::default() }
}

/// New ones that were to go and need not any more, since another has gone meanwhile.
fn spared<'v>(view: &RolloutView<'v>) -> Vec<&'v AutoScalingInstance> {
    let going = going(view);
    let is_spared = |it: &&AutoScalingInstance| {
        view.seen.mark(&it.id) == Some(Mark::Dismissed)
            && !view.is_drained_by_itself(&it.id)
            && going.iter().all(|other| other.id != it.id)
    };
    view.news().into_iter().filter(is_spared).collect()
}

/// How many instances count beyond what is to be kept, or will once those on standby are back.
fn surplus(view: &RolloutView<'_>) -> usize {
    let count = view.seen.group.capacity() + view.on_standby().len() as u32;
    count.saturating_sub(view.record.keep) as usize
}

/// Those marked before, then those that ECS does not know, then the latest to come.
fn going<'v>(view: &RolloutView<'v>) -> Vec<&'v AutoScalingInstance> {
    let mut news = view.news();
    news.sort_by_key(|it| {
        let registered_at = view.seen.container_instance(&it.id).and_then(|it| it.registered_at);
        let is_marked = view.seen.mark(&it.id) == Some(Mark::Dismissed);
        (!is_marked, !view.never_registered(&it.id), Reverse(registered_at), &it.id)
    });
    news.truncate(surplus(view));
    news
}

/// Empty, or never come to ECS, at two looks.
fn may_go(view: &RolloutView<'_>, instance: &InstanceId) -> bool {
    view.never_registered(instance) || view.is_confirmed_empty(instance)
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
    // A minimum that somebody has raised meanwhile is theirs.
    let keep = record.keep.max(group.min);
    if group.desired > keep {
        return Decision { steps: vec![Step::SetDesired(keep)], ..Decision::default() };
    }
    if group.max != record.max && group.max == record.raised_max {
        return Decision { steps: vec![Step::SetMax(record.max)], ..Decision::default() };
    }
    Decision::to(record.in_phase(Phase::Restore, view.seen.observed_at))
}

/// Takes away what is Evenkeel's, the record last.
pub(super) fn restore(view: &RolloutView<'_>) -> Decision {
    if !view.on_standby().is_empty() {
        let phase = if view.record.ending.is_some() { Phase::Undo } else { Phase::Surge };
        let wave_size = view.on_standby().len() as u32;
        let again = view.record.in_phase(phase, view.seen.observed_at);
        return Decision::to(RolloutRecord { wave_size, ..again });
    }
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

/// What the tag that stays says: the version whose rollout ended before its time, and why; an abort says nothing of it, nor
/// does what could not be told.
pub fn rejected(record: &RolloutRecord) -> Option<String> {
    let ending = record.ending.filter(|it| !matches!(it, Ending::Aborted | Ending::CannotTell))?;
    Some(format!("{}:{}", record.target, ending.word()))
}
