//! What is to be done now in a rollout, by the phase that its record names.

#[cfg(test)]
mod tests;

use crate::plan::rollout::back::{dismiss, restore, undo};
use crate::plan::rollout::decision::Decision;
use crate::plan::rollout::forward::{LATE_BEGIN, drain, gate, mark, retire, surge, turn_back};
use crate::plan::rollout::phase::Phase;
use crate::plan::rollout::reason::RolloutReason;
use crate::plan::rollout::record::{Ending, RolloutRecord};
use crate::plan::rollout::seen::RolloutView;

/// Decides about one group.
pub fn decide(view: &RolloutView<'_>) -> Decision {
    if let Some(ending) = ends(view) {
        return ending;
    }
    if let Some(pause) = pauses(view) {
        return pause;
    }
    match view.record.phase {
        Phase::Mark => mark(view),
        Phase::Surge => surge(view),
        Phase::Drain => drain(view),
        Phase::Gate => gate(view),
        Phase::Retire => retire(view),
        Phase::Undo => undo(view),
        Phase::Dismiss => dismiss(view),
        Phase::Restore => restore(view),
    }
}

/// During a pause nothing goes forward, and no time runs out; the whole time that a rollout may take still does.
fn pauses(view: &RolloutView<'_>) -> Option<Decision> {
    let record = view.record;
    if !view.is_paused() || !record.phase.may_turn_back() {
        return None;
    }
    let next =
        (view.time_in_phase() >= LATE_BEGIN).then(|| record.in_phase(record.phase, view.seen.observed_at));
    Some(Decision { next, ..Decision::waits(RolloutReason::Paused) })
}

/// An abort, or the end of the time that a rollout may take: back where there is a way back, else the wave is the last.
fn ends(view: &RolloutView<'_>) -> Option<Decision> {
    let record = view.record;
    let is_over = view.seen.observed_at.since(record.started_at) >= view.policy.rollout_timeout;
    let ending = record.ending.or_else(|| is_over.then_some(Ending::RolloutTimeout))?;
    match record.phase {
        phase if phase.may_turn_back() => Some(turn_back(view, ending)),
        Phase::Retire if record.ending.is_none() => {
            Some(Decision::to(RolloutRecord { ending: Some(ending), ..record.clone() }))
        }
        _ => None,
    }
}
