//! The next step of a move by `stop`: the chosen task is stopped, and ECS replaces it.
//!
//! ```text
//! phase   chosen task       what happens                                                  next
//! stop    wanted            look whether everything still allows it, then stop it by name -
//!                           if anything has changed since: nothing was done, drop it      -
//! stop    leaving or gone   wait until as many tasks as desired serve and it is STOPPED,
//!                           compare the landing, drop the record                          -
//! ```
//!
//! Nothing is protected and desired count is never written, so there is nothing to put back, and a stopped task does not
//! come back either. All the care is therefore before the stop: whatever would keep a move from beginning keeps it from
//! being made, all tasks have to serve, enough have to stay, and every place where ECS may put the replacement has to
//! help. Once it is made, the record is only what keeps a second task from being moved meanwhile.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::ids::TaskArn;
use crate::plan::candidate;
use crate::plan::case::Case;
use crate::plan::eligible::survey;
use crate::plan::health::{Health, all_of};
use crate::plan::landing::Lookout;
use crate::plan::reason::Reason;
use crate::plan::rebalance::landing_helps;
use crate::plan::record::{MoveRecord, Phase};
use crate::plan::rest::Miss;
use crate::plan::stoppable::is_stoppable;
use crate::plan::surge::seen::Seen;
use crate::plan::surge::{self, MoveView, Outcome, Step, Waiting, is_deploying};
use crate::snapshot::{Task, TaskStatus};

/// How the reason that we give to `StopTask` begins; ECS keeps it in the task's `stoppedReason`.
const STOP_REASON: &str = "Evenkeel moves this task";

/// The reason given to `StopTask`: who, and which move.
pub fn stop_reason(record: &MoveRecord) -> String {
    format!("{STOP_REASON} (evenkeel:move of {}), ECS replaces it", record.started_at)
}

/// The next step of a move of either kind.
pub fn next_step(view: &MoveView<'_>) -> Step {
    if view.record.phase != Phase::Stop {
        return surge::next_step(view);
    }
    let seen = match Seen::of(view) {
        Ok(seen) => seen,
        Err(_) if view.record.is_overdue(view.snapshot.observed_at) => {
            return Step::Finish(Outcome::NotReplaced);
        }
        Err(what) => return cannot_tell(&what),
    };
    match seen.chosen {
        Some(chosen) => before_the_stop(&seen, chosen),
        None => after_the_stop(&seen),
    }
}

/// Every check is made: one that ends the move outranks one that cannot be answered yet.
fn before_the_stop(seen: &Seen<'_>, chosen: &Task) -> Step {
    let Some(case) = Case::of(seen.view.snapshot, seen.view.limits, seen.name()) else {
        return cannot_tell("its service");
    };
    let hindrances = [changed(seen), paused(seen), refused(&case), not_serving(seen), landing(&case, chosen)];
    let mut hindrances: Vec<Step> = hindrances.into_iter().flatten().collect();
    hindrances.sort_by_key(|step| !matches!(step, Step::Finish(_)));
    hindrances.into_iter().next().unwrap_or_else(|| Step::StopChosen { task: chosen.arn.clone() })
}

fn cannot_tell(what: &str) -> Step {
    Step::Wait(Waiting::CannotTell(what.to_owned()))
}

/// What has changed since the move was recorded, and whether it has waited for too long.
fn changed(seen: &Seen<'_>) -> Option<Step> {
    if seen.desired() != seen.record().tasks_desired_before {
        return Some(Step::Finish(Outcome::DesiredChanged));
    }
    (seen.is_timed_out() || !seen.new.is_empty()).then_some(Step::Finish(Outcome::RolledBack))
}

fn paused(seen: &Seen<'_>) -> Option<Step> {
    match seen.view.paused {
        Some(false) => None,
        Some(true) => Some(Step::Finish(Outcome::Yielded)),
        None => Some(cannot_tell("whether the cluster is paused")),
    }
}

/// Whatever keeps a move from beginning, seen anew; then the consent and the floor. All tasks being there and serving is
/// asked for as well, so that the floor may be judged by the desired count.
fn refused(case: &Case<'_>) -> Option<Step> {
    let reason = candidate::reason_never(case.service)
        .or_else(|| candidate::reason_not_now(case))
        .or_else(|| candidate::reason_protected(case));
    match reason {
        Some(Reason::CannotTell { what } | Reason::StaleRead { what }) => Some(cannot_tell(&what)),
        Some(Reason::Unsteady { .. }) => Some(Step::Finish(Outcome::RolledBack)),
        Some(_) => Some(Step::Finish(Outcome::Yielded)),
        None => (!is_stoppable(case.limits, case.service)).then_some(Step::Finish(Outcome::Yielded)),
    }
}

fn not_serving(seen: &Seen<'_>) -> Option<Step> {
    match all_of(seen.wanted().map(|task| seen.health(task))) {
        Health::Healthy => None,
        Health::NotHealthy => Some(Step::Finish(Outcome::RolledBack)),
        Health::CannotTell(what) => Some(cannot_tell(&what)),
    }
}

fn landing(case: &Case<'_>, chosen: &Task) -> Option<Step> {
    match is_foreseen_to_help(case, chosen) {
        Some(true) => None,
        Some(false) => Some(Step::Finish(Outcome::RolledBack)),
        None => Some(cannot_tell("where ECS would place the replacement")),
    }
}

/// Whether the replacement lands where it helps wherever ECS may place it.
fn is_foreseen_to_help(case: &Case<'_>, chosen: &Task) -> Option<bool> {
    let survey = survey(case, Some(case.definition().ok()?)).ok()?;
    let from = survey.tasks.iter().position(|tasks| tasks.iter().any(|task| task.arn == chosen.arn))?;
    Some(survey.ineligible[from].is_none() && Lookout::new(&survey).outlook_stop_first(from).is_ok())
}

/// The chosen task is leaving: whatever comes now, there is nothing to undo.
fn after_the_stop(seen: &Seen<'_>) -> Step {
    let gone = seen.stopped().find(|task| seen.is_chosen(task));
    let is_own = |task: &Task| task.stopped_reason.as_deref().is_none_or(|it| it.starts_with(STOP_REASON));
    if gone.is_some_and(|task| !is_own(task)) {
        return Step::Finish(Outcome::RolledBack);
    }
    if seen.view.service.status != "ACTIVE" || seen.desired() != seen.record().tasks_desired_before {
        return Step::Finish(Outcome::DesiredChanged);
    }
    if is_deploying(seen.view.service) || seen.is_drained() {
        return Step::Finish(Outcome::Yielded);
    }
    match not_whole(seen) {
        Some(_) if is_late(seen, gone) => seen.finish(Outcome::NotReplaced, Some(Miss::Unhealthy)),
        Some(waiting) => Step::Wait(waiting),
        None => end(seen, gone),
    }
}

/// What is still missing until as many tasks as desired serve.
fn not_whole(seen: &Seen<'_>) -> Option<Waiting> {
    if seen.tasks_wanted() < seen.desired() || seen.wanted().any(|task| task.container_instance.is_none()) {
        return Some(Waiting::NewTask);
    }
    if seen.tasks_wanted() > seen.desired() {
        return Some(Waiting::Count);
    }
    match all_of(seen.wanted().map(|task| seen.health(task))) {
        Health::Healthy => None,
        Health::NotHealthy => Some(Waiting::Healthy),
        Health::CannotTell(what) => Some(Waiting::CannotTell(what)),
    }
}

/// The time-out counts from the stop, by AWS's own note of it.
fn is_late(seen: &Seen<'_>, gone: Option<&Task>) -> bool {
    let stopped_at = gone.and_then(|task| task.stopping_at).unwrap_or(seen.record().started_at);
    let waited: Duration = seen.view.snapshot.observed_at.since(stopped_at);
    waited >= seen.view.move_timeout
}

fn end(seen: &Seen<'_>, gone: Option<&Task>) -> Step {
    let is_stopped = gone.is_some_and(|task| task.last_status == TaskStatus::Stopped);
    let helped = gone.and_then(|chosen| has_helped(seen, chosen));
    let is_overdue = seen.record().is_overdue(seen.view.snapshot.observed_at);
    match helped {
        _ if !is_stopped && !is_overdue => Step::Wait(Waiting::Stopped),
        Some(true) => seen.finish(Outcome::Moved, None),
        None if !is_overdue => cannot_tell("how the tasks are spread"),
        Some(false) | None => seen.finish(Outcome::NoBetter, Some(Miss::Landing)),
    }
}

/// Whether the split is better than it would be with the chosen task back and without its replacement.
fn has_helped(seen: &Seen<'_>, chosen: &Task) -> Option<bool> {
    let mut whole = seen.view.snapshot.clone();
    whole.tasks.get_mut(&chosen.arn)?.desired_status = TaskStatus::Running;
    let mut has_helped = Some(false);
    for started in &seen.new {
        let others = seen.new.iter().filter(|task| task.arn != started.arn);
        let others: BTreeSet<TaskArn> = others.map(|task| task.arn.clone()).collect();
        let helps = landing_helps(&whole, seen.view.limits, seen.name(), &chosen.arn, &started.arn, &others);
        has_helped = if helps == Some(true) { return helps } else { has_helped.and(helps) };
    }
    has_helped
}
