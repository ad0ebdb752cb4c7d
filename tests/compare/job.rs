//! What all three jobs have in common for whoever plays, judges and shows them.

use crate::measures::{Measure, Outcome};

/// One way of doing a job.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) name: String,
    /// What is done, and by whom, in sentences.
    pub(crate) does: &'static str,
}

/// Evenkeel's place among the policies.
pub(crate) const EVENKEEL: usize = 0;

/// One job of Evenkeel's: the clusters it is done on, and everybody who does it.
pub(crate) trait Job: Sync {
    fn name(&self) -> &'static str;

    /// What is played, in sentences.
    fn about(&self) -> &'static str;

    /// Kinds of clusters.
    fn families(&self) -> Vec<String>;

    /// Evenkeel first.
    fn policies(&self) -> Vec<Policy>;

    /// What is measured, in the order of the columns.
    fn measures(&self) -> &'static [Measure];

    /// Measures that say how far the job got: moves are compared with those that got as far.
    fn goals(&self) -> &'static [Measure];

    /// Of which measures Evenkeel is to be the best or equal, beside the moves.
    fn claims(&self) -> &'static [Measure];

    /// One play; alone in its world, and the same whenever it is played.
    fn play(&self, family: usize, policy: usize, seed: u64) -> Outcome;
}

/// All jobs, in the order in which they are shown.
pub(crate) const JOBS: [&dyn Job; 3] =
    [&crate::rebalances::Rebalances, &crate::drains::Drains, &crate::rollouts::Rollouts];
