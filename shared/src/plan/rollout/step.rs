//! What is to be done now in a rollout, by the phase that its record names.

#[cfg(test)]
mod tests;

use crate::plan::rollout::back::{dismiss, restore, undo};
use crate::plan::rollout::decision::Decision;
use crate::plan::rollout::forward::{drain, gate, mark, retire, surge, turn_back};
use crate::plan::rollout::phase::Phase;
use crate::plan::rollout::record::{Ending, RolloutRecord};
use crate::plan::rollout::seen::RolloutView;

/// Decides about one group.
pub fn decide(view: &RolloutView<'_>) -> Decision {
    if let Some(ending) = ends(view) {
        return ending;
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
