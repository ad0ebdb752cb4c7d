//! Plays everything, on as many threads as there are processors.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::job::{Job, Policy};
use crate::measures::{Measure, Outcome};
use crate::statistics::Summary;

/// Everything that was played.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) seeds: Vec<u64>,
    pub(crate) jobs: Vec<Compared>,
}

/// One job, whoever did it.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) policies: Vec<Policy>,
    pub(crate) measures: &'static [Measure],
    pub(crate) goals: &'static [Measure],
    pub(crate) claims: &'static [Measure],
    pub(crate) families: Vec<Family>,
}

/// One family of clusters.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: String,
    /// By policy and seed.
    pub(crate) outcomes: Vec<Vec<Outcome>>,
}

impl Family {
    /// What one policy came to over the seeds; `None` if the measure does not apply.
    pub(crate) fn summary(&self, policy: usize, measure: Measure) -> Option<Summary> {
        Summary::of(measure, self.outcomes[policy].iter().filter_map(|outcome| outcome.get(measure)))
    }
}

impl Compared {
    /// What one policy came to over all families and seeds.
    pub(crate) fn summary(&self, policy: usize, measure: Measure) -> Option<Summary> {
        let outcomes = self.families.iter().flat_map(|family| &family.outcomes[policy]);
        Summary::of(measure, outcomes.filter_map(|outcome| outcome.get(measure)))
    }
}

/// One play that is to come.
struct Task<'a> {
    job: &'a dyn Job,
    family: usize,
    policy: usize,
    seed: u64,
}

/// Plays every policy on every family of every job; `progress` hears how many of how many plays are done.
pub(crate) fn compare(
    jobs: &[&dyn Job],
    seeds: &[u64],
    progress: impl Fn(usize, usize) + Sync,
) -> Comparison {
    let tasks: Vec<Task<'_>> = jobs.iter().flat_map(|job| tasks(*job, seeds)).collect();
    let mut outcomes = played(&tasks, progress).into_iter();
    let mut of_policy = || outcomes.by_ref().take(seeds.len()).collect::<Vec<Outcome>>();
    let mut of_job = |job: &&dyn Job| {
        let policies = job.policies();
        let mut of_family =
            |name: String| Family { name, outcomes: policies.iter().map(|_| of_policy()).collect() };
        let families = job.families().into_iter().map(&mut of_family).collect();
        Compared {
            name: job.name(),
            about: job.about(),
            measures: job.measures(),
            goals: job.goals(),
            claims: job.claims(),
            policies,
            families,
        }
    };
    let jobs = jobs.iter().map(&mut of_job).collect();
    Comparison { seeds: seeds.to_vec(), jobs }
}

fn tasks<'a>(job: &'a dyn Job, seeds: &[u64]) -> Vec<Task<'a>> {
    let (families, policies) = (job.families().len(), job.policies().len());
    let pairs = (0..families).flat_map(|family| (0..policies).map(move |policy| (family, policy)));
    let task = |((family, policy), seed): ((usize, usize), &u64)| Task { job, family, policy, seed: *seed };
    pairs.flat_map(|pair| seeds.iter().map(move |seed| (pair, seed))).map(task).collect()
}

/// In the order of the tasks, whoever plays which.
fn played(tasks: &[Task<'_>], progress: impl Fn(usize, usize) + Sync) -> Vec<Outcome> {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let outcomes: Vec<OnceLock<Outcome>> = tasks.iter().map(|_| OnceLock::new()).collect();
    let work = || {
        while let Some(number) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|it| *it < tasks.len()) {
            let task = &tasks[number];
            outcomes[number].get_or_init(|| task.job.play(task.family, task.policy, task.seed));
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, tasks.len());
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    outcomes.into_iter().filter_map(OnceLock::into_inner).collect()
}
