//! Sentences that stand on both pages and on the terminal.

use crate::runner::Comparison;
use crate::verdict::Beaten;

pub(crate) const TITLE: &str = "Evenkeel beside its peers";

/// How to read the numbers.
pub(crate) fn legend(comparison: &Comparison) -> String {
    format!(
        "Peers are played as policies, from descriptions of what they do, on the same clusters and seeds ({}), against the \
         simulated account. A cell says median / p95 / worst, or one number where all three are the same; p95 is by \
         nearest rank, so that of fewer than twenty plays it is the worst. An empty cell: not measured there.",
        seeds(comparison)
    )
}

fn seeds(comparison: &Comparison) -> String {
    match comparison.seeds.as_slice() {
        [first, .., last] => format!("{first} to {last}"),
        [only] => only.to_string(),
        [] => "none".to_owned(),
    }
}

/// What is looked for to say where Evenkeel is not the best.
pub(crate) const JUDGED: &str = "Play by play, each peer is compared with Evenkeel on task-seconds below desired, on kills, and \
     on what is left undone; and on tasks started, if it got as far as Evenkeel did in that play.";

/// One finding in a sentence.
pub(crate) fn sentence(beaten: &Beaten, comparison: &Comparison) -> String {
    let written = |value| beaten.measure.written(value);
    let of = match comparison.seeds.len() {
        1 => String::new(),
        all => format!(", on {} of {all} seeds", beaten.seeds.len()),
    };
    format!(
        "{}, {}: {}: {} by {}, {} by Evenkeel{of}",
        beaten.job,
        beaten.family,
        beaten.measure.words(),
        written(beaten.theirs),
        beaten.policy,
        written(beaten.ours)
    )
}
