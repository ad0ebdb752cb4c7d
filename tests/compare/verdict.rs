//! Where a peer does better than Evenkeel, play by play.
//!
//! Task-seconds below desired, kills, and how far the job got are compared with every policy. Moves are compared only with
//! those that got as far in the same play: who leaves a cluster lopsided has moved less, and has not done the job.

use std::collections::BTreeSet;

use crate::job::EVENKEEL;
use crate::measures::{Measure, Outcome};
use crate::runner::{Compared, Comparison, Family};

/// One family in which somebody was better, on at least one seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Beaten {
    pub(crate) job: &'static str,
    pub(crate) family: String,
    pub(crate) measure: Measure,
    pub(crate) seeds: BTreeSet<u64>,
    /// Who, with Evenkeel's number and theirs, on the seed where they are furthest apart.
    pub(crate) policy: String,
    pub(crate) ours: u64,
    pub(crate) theirs: u64,
}

/// Everything in which Evenkeel is neither the best nor equal.
pub(crate) fn beaten(comparison: &Comparison) -> Vec<Beaten> {
    let jobs = comparison.jobs.iter();
    jobs.flat_map(|job| job.families.iter().flat_map(|family| in_family(comparison, job, family))).collect()
}

fn in_family(comparison: &Comparison, job: &Compared, family: &Family) -> Vec<Beaten> {
    let measures = job.claims.iter().chain([&Measure::Starts]);
    measures.filter_map(|measure| by_measure(comparison, job, family, *measure)).collect()
}

fn by_measure(comparison: &Comparison, job: &Compared, family: &Family, measure: Measure) -> Option<Beaten> {
    let mut found: Option<Beaten> = None;
    for (number, seed) in comparison.seeds.iter().enumerate() {
        let ours = &family.outcomes[EVENKEEL][number];
        for (policy, outcomes) in job.policies.iter().zip(&family.outcomes).skip(EVENKEEL + 1) {
            let Some((mine, theirs)) = better(job, measure, ours, &outcomes[number]) else { continue };
            let beaten = found.get_or_insert_with(|| Beaten {
                job: job.name,
                family: family.name.clone(),
                measure,
                seeds: BTreeSet::new(),
                policy: policy.name.clone(),
                ours: mine,
                theirs,
            });
            beaten.seeds.insert(*seed);
            if mine - theirs > beaten.ours - beaten.theirs {
                (beaten.policy, beaten.ours, beaten.theirs) = (policy.name.clone(), mine, theirs);
            }
        }
    }
    found
}

/// Both numbers, if theirs is the better one.
fn better(job: &Compared, measure: Measure, ours: &Outcome, theirs: &Outcome) -> Option<(u64, u64)> {
    let numbers = ours.get(measure).zip(theirs.get(measure))?;
    let got_as_far = || job.goals.iter().all(|goal| theirs.get(*goal) <= ours.get(*goal));
    (numbers.1 < numbers.0 && (measure != Measure::Starts || got_as_far())).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Policy;

    /// Evenkeel and one peer on one seed: starts, moves left, task-seconds below.
    fn found(ours: [u64; 3], theirs: [u64; 3]) -> Vec<(Measure, u64, u64)> {
        let outcome = |[starts, left, below]: [u64; 3]| {
            let outcome = Outcome::default().with_starts(starts, 2).with(Measure::MovesLeft, left);
            vec![outcome.with(Measure::Below, below)]
        };
        let policy = |name: &str| Policy { name: name.to_owned(), does: "" };
        let family = Family { name: "one".to_owned(), outcomes: vec![outcome(ours), outcome(theirs)] };
        let job = Compared {
            name: "Rebalance",
            about: "",
            policies: vec![policy("Evenkeel"), policy("peer")],
            measures: &[],
            goals: &[Measure::MovesLeft],
            claims: &[Measure::Below, Measure::MovesLeft],
            families: vec![family],
        };
        let found = beaten(&Comparison { seeds: vec![1], jobs: vec![job] });
        found.iter().map(|it| (it.measure, it.ours, it.theirs)).collect()
    }

    #[test]
    fn equal_is_not_beaten() {
        assert_eq!(found([4, 0, 0], [4, 0, 0]), []);
        assert_eq!(found([4, 0, 0], [9, 3, 700]), []);
    }

    #[test]
    fn fewer_moves_count_only_of_whoever_got_as_far() {
        assert_eq!(found([4, 0, 0], [1, 3, 0]), []);
        assert_eq!(found([4, 1, 0], [3, 1, 50]), [(Measure::Starts, 4, 3)]);
    }

    #[test]
    fn less_left_and_fewer_seconds_count_whatever_they_cost() {
        assert_eq!(found([4, 1, 0], [90, 0, 900]), [(Measure::MovesLeft, 1, 0)]);
        assert_eq!(found([4, 0, 5], [90, 9, 0]), [(Measure::Below, 5, 0)]);
    }
}
