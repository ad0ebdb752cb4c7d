//! What is to be done about one instance now.
//!
//! First DRAINING and the record, then the substitute; what keeps its tasks from leaving is taken out of the way; a
//! lifecycle hook of ours is kept alive while tasks are seen, and completed once two looks found none, or the deadline is
//! up.

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::plan::drain::empty::{Emptiness, emptiness, is_confirmed_empty};
use crate::plan::drain::foresight::foresight;
use crate::plan::drain::reason::DrainReason;
use crate::plan::drain::record::{Asked, Cause, record_of};
use crate::plan::drain::replacement::replacement;
use crate::plan::drain::seen::DrainView;
use crate::plan::record as moves;
use crate::settings::StandaloneTasks;
use crate::snapshot::{
    ContainerInstance, ContainerInstanceStatus, Known, LifecycleHook, LifecycleState, Member, Protection,
    Task, TaskStatus, Transition,
};

pub use crate::plan::drain::decision::{Completion, Decision, Progress, Step};

/// How long after its deadline an interruption that took nothing away is taken for one that does not come.
const NOT_COMING_AFTER: Duration = Duration::from_mins(10);

/// Decides about one instance.
pub fn decide(view: &DrainView<'_>) -> Decision {
    if is_not_coming(view) {
        return not_coming(view);
    }
    let mut decision = Decision { steps: Vec::new(), reasons: Vec::new(), progress: progress(view) };
    if let Some(reason) = reason_not_begun(view) {
        return Decision { reasons: vec![reason], progress: Progress::Over, ..decision };
    }
    begin(view, &mut decision);
    substitute(view, &mut decision);
    clear_the_way(view, &mut decision);
    decision.reasons.extend(foresight(view.seen));
    if decision.progress == Progress::Expired {
        decision.reasons.push(DrainReason::DeadlineExpired { tasks: tasks_left(view) });
    }
    hold_or_let_go(view, &mut decision);
    decision
}

/// How many tasks were not seen STOPPED, if that can be told.
fn tasks_left(view: &DrainView<'_>) -> Option<usize> {
    match emptiness(view.seen) {
        Emptiness::Empty => Some(0),
        Emptiness::Occupied { tasks } => Some(tasks),
        Emptiness::CannotTell(_) => None,
    }
}

/// What to do about an instance whose host is gone. While its agent counts as connected, ECS deregisters it by itself (API:
/// `DeregisterContainerInstance`).
pub fn after_termination(instance: &ContainerInstance) -> Result<Step, DrainReason> {
    if instance.agent_connected { Err(DrainReason::AgentConnected) } else { Ok(Step::Deregister) }
}

/// What does not wait for a whole look: the call for a substitute.
pub fn first_steps(view: &DrainView<'_>) -> Vec<Step> {
    let mut decision = Decision { steps: Vec::new(), reasons: Vec::new(), progress: Progress::Draining };
    substitute(view, &mut decision);
    decision.steps
}

fn progress(view: &DrainView<'_>) -> Progress {
    match () {
        () if is_confirmed_empty(view) => Progress::Empty,
        () if view.is_expired() => Progress::Expired,
        () => Progress::Draining,
    }
}

/// Whether EC2 announced to take the instance away and long since has not. One that our own call takes out of its group is
/// gone for good.
fn is_not_coming(view: &DrainView<'_>) -> bool {
    let is_over = |deadline| view.seen.observed_at.since(deadline) >= NOT_COMING_AFTER;
    view.record.cause.is_interruption()
        && view.record.deadline.is_some_and(is_over)
        && view.seen.instance.agent_connected
        && matches!(&view.seen.member, Known::Known(member) if member.as_ref().is_none_or(is_in_service))
}

fn is_in_service(member: &Member) -> bool {
    member.state == LifecycleState::InService
}

/// It takes tasks again; but one that was detached belongs to nobody, and only a person can tell what it is to become.
fn not_coming(view: &DrainView<'_>) -> Decision {
    let is_marked = record_of(&view.seen.instance).is_some();
    let is_orphaned = view.record.asked == Some(Asked::Detach) && view.seen.member().is_none();
    let (steps, reasons) = match () {
        () if is_orphaned => (Vec::new(), vec![DrainReason::Orphaned]),
        () if !is_marked => (Vec::new(), vec![DrainReason::NoticeTooOld]),
        () => (vec![Step::GiveBack], Vec::new()),
    };
    Decision { steps, reasons, progress: Progress::Over }
}

/// A pause keeps what nobody is forced to from being begun, and an instance that can have no substitute is not emptied for a
/// mere risk. A notice that comes after its deadline announces nothing any more.
fn reason_not_begun(view: &DrainView<'_>) -> Option<DrainReason> {
    if record_of(&view.seen.instance).is_some() {
        return None;
    }
    match view.record.cause {
        Cause::Manual | Cause::Recommendation
            if view.seen.instance.attributes.contains_key(moves::ROLLOUT_ATTRIBUTE) =>
        {
            Some(DrainReason::InRollout)
        }
        Cause::Manual => reason_paused(view),
        Cause::Recommendation => reason_paused(view).or_else(|| replacement(view).err()),
        Cause::Hook => None,
        Cause::Stop | Cause::Hibernate | Cause::Terminate => {
            view.is_expired().then_some(DrainReason::NoticeTooOld)
        }
    }
}

fn reason_paused(view: &DrainView<'_>) -> Option<DrainReason> {
    match &view.seen.paused {
        Known::Known(false) => None,
        Known::Known(true) => Some(DrainReason::Paused),
        Known::Unknown(why) => Some(DrainReason::CannotTell { what: format!("whether it is paused: {why}") }),
        Known::NotAsked => Some(DrainReason::CannotTell { what: "whether it is paused".to_owned() }),
    }
}

/// The record goes first, so that a drain which is cut short is known for ours; but where every second counts it follows.
fn begin(view: &DrainView<'_>, decision: &mut Decision) {
    let drain = (view.seen.instance.status == ContainerInstanceStatus::Active).then_some(Step::Drain);
    let (at_once, later) = if view.record.cause.is_interruption() { (drain, None) } else { (None, drain) };
    decision.steps.extend(at_once);
    let marked = record_of(&view.seen.instance).and_then(Result::ok);
    if marked.is_none_or(|marked| marked.to_string() != view.record.to_string()) {
        decision.steps.push(Step::Record(*view.record));
    }
    if let Some(asked) = view.record.asked.filter(|_| marked.is_none_or(|marked| marked.asked.is_none())) {
        decision.steps.push(Step::RecordAsked(asked));
    }
    decision.steps.extend(later);
}

/// Asked for as long as the instance is seen in service: what a record says may not have come about, and asking twice for
/// the same instance asks for one substitute. Once the deadline is up nothing is asked any more: a hook that took it over
/// then would be completed at the next look, with the tasks of an instance that EC2 has not taken.
fn substitute(view: &DrainView<'_>, decision: &mut Decision) {
    if view.is_expired() {
        return;
    }
    match replacement(view) {
        Ok(asked) => match reason_paused(view) {
            None => {
                let is_recorded = view.record.asked == Some(asked);
                decision.steps.push(Step::Replace { asked, is_recorded });
            }
            Some(reason) => decision.reasons.push(reason),
        },
        Err(DrainReason::AlreadyLeaving { .. })
            if view.record.cause == Cause::Hook
                || view.record.asked == Some(Asked::Terminate)
                || view.record.explains_standby() => {}
        Err(DrainReason::NotInGroup) if view.record.asked == Some(Asked::Detach) => {}
        Err(reason) => decision.reasons.push(reason),
    }
}

/// Task protections of ours hold nobody up; standalone tasks are told to stop if they are to.
fn clear_the_way(view: &DrainView<'_>, decision: &mut Decision) {
    let Known::Known(tasks) = &view.seen.tasks else { return };
    let wanted = || tasks.iter().filter(|task| task.desired_status == TaskStatus::Running);
    let mut ours = Vec::new();
    for task in wanted() {
        match protection(view, task) {
            Some((_, true)) => ours.push(task.arn.clone()),
            Some((protection, false)) => {
                let until = protection.expires_at.unwrap_or(view.seen.observed_at);
                decision.reasons.push(DrainReason::ProtectedTask { task: task.arn.clone(), until });
            }
            None => {}
        }
    }
    if !ours.is_empty() {
        decision.steps.push(Step::Unprotect(ours));
    }
    for task in wanted().filter(|task| task.service.is_none()) {
        if stops_standalone(view) {
            decision.steps.push(Step::StopTask(task.arn.clone()));
        } else {
            decision.reasons.push(DrainReason::StandaloneWaited { task: task.arn.clone() });
        }
    }
}

fn stops_standalone(view: &DrainView<'_>) -> bool {
    match view.policy.standalone_tasks {
        StandaloneTasks::Auto => view.record.cause.is_interruption(),
        StandaloneTasks::Stop => true,
        StandaloneTasks::Wait => false,
    }
}

/// A protection that is on, and whether a move of ours has set it.
fn protection<'a>(view: &DrainView<'a>, task: &Task) -> Option<(&'a Protection, bool)> {
    let now = view.seen.observed_at;
    let is_on = |it: &&Protection| it.enabled && it.expires_at.is_none_or(|at| at > now);
    let protection = view.seen.protections.get(&task.arn)?.known().filter(is_on)?;
    let service = task.service.as_ref().and_then(|name| view.seen.services.get(name)?.known());
    let record = service.and_then(moves::record_of).and_then(Result::ok);
    let is_ours =
        |record: moves::MoveRecord| protection.expires_at.is_some_and(|at| record.is_our_expiry(at, now));
    Some((protection, record.is_some_and(is_ours)))
}

/// A hook of ours that holds the instance is kept alive, or completed; anybody else's is left alone.
fn hold_or_let_go(view: &DrainView<'_>, decision: &mut Decision) {
    match view.seen.member().map(|member| member.state) {
        Some(LifecycleState::Standby) if view.record.explains_standby() => {
            decision.steps.extend(completion(view).map(Step::Retire));
            return;
        }
        Some(LifecycleState::TerminatingWait) => {}
        _ => return,
    }
    let hooks = match &view.seen.hooks {
        Known::Known(hooks) => hooks,
        Known::Unknown(why) => {
            let what = format!("which lifecycle hook holds it: {why}");
            decision.reasons.push(DrainReason::CannotTell { what });
            return;
        }
        Known::NotAsked => return,
    };
    if let Some(ours) = hooks.iter().find(|hook| hook.is_terminating(&view.policy.hook)) {
        let_go(view, ours, decision);
    } else if let Some(other) = hooks.iter().find(|hook| hook.transition == Transition::Terminating) {
        decision.reasons.push(DrainReason::HookOfOthers { hook: other.name.clone() });
    }
}

/// Whether the instance may go, and why.
fn completion(view: &DrainView<'_>) -> Option<Completion> {
    match () {
        () if is_confirmed_empty(view) => Some(Completion::Empty),
        () if view.is_expired() => Some(Completion::DeadlineExpired(tasks_left(view))),
        () => None,
    }
}

fn let_go(view: &DrainView<'_>, hook: &LifecycleHook, decision: &mut Decision) {
    if let Some(completion) = completion(view) {
        decision.steps.push(Step::Complete(completion));
        return;
    }
    let is_due = |at| view.seen.observed_at.since(at) >= hook.heartbeat_timeout / 3;
    if view.heartbeat_at.is_none_or(is_due) {
        decision.steps.push(Step::Heartbeat);
    }
}
