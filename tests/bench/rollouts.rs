//! Every instance of a group replaced under four policies, on the same seeds: how long it takes and what it costs.

mod clusters;
mod rivals;
mod watch;

use std::time::Duration;

use comfy_table::{Table, presets};
use evenkeel_tests::drains::bus;
use evenkeel_tests::rollouts::start;
use evenkeel_tests::{Stage, play};
use simulator::account::{Account, TaskStatus};
use simulator::event_bridge::Mishaps;

use clusters::{Cluster, FOREIGN_HOOK};
use rivals::{Rival, WARM_UP};
use watch::{Watch, watched};

/// Five, since a shrink that leaves the choice to the group goes wrong in some layouts only.
const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];

const CLUSTERS: [Cluster; 4] = [
    Cluster { size: 4, has_hook: false },
    Cluster { size: 10, has_hook: false },
    Cluster { size: 9, has_hook: true },
    Cluster { size: 30, has_hook: false },
];

const HEADER: [&str; 9] = [
    "instances",
    "policy",
    "every instance new after",
    "of the floor",
    "task-seconds below",
    "killed running / stopping",
    "starts per task",
    "surplus instance-hours",
    "sizes put back",
];

/// Scheduled invocations that a rollout is given.
const RUNS_MAX: u32 = 40;

/// Longer than any of them takes; the bus delivers until then.
const LIFETIME: Duration = Duration::from_hours(12);

/// Until the books are closed: instances that were told to go are gone by then, and their tasks run elsewhere.
const SETTLE: Duration = Duration::from_mins(5);

/// How the instances are replaced.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Policy {
    Evenkeel,
    /// All old ones DRAINING, twice the size, and back to it when nothing runs on them, the oldest instance first.
    Article,
    /// Twice the size, and back to it; nothing is drained.
    DoubleThenShrink,
    /// An instance refresh that launches first, with ECS's managed draining.
    Refresh,
}

const POLICIES: [(Policy, &str); 4] = [
    (Policy::Evenkeel, "Evenkeel"),
    (Policy::Article, "drain, double, shrink"),
    (Policy::DoubleThenShrink, "double, shrink"),
    (Policy::Refresh, "refresh, managed draining"),
];

/// How a group was before anything ran.
struct Before {
    sizes: (u32, u32, u32),
    tasks: u64,
}

/// One play.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    replaced_after: Option<u64>,
    old_left: u64,
    floor: u64,
    below: u64,
    killed_running: u64,
    killed_stopping: u64,
    starts_percent: u64,
    surplus_seconds: u64,
    has_sizes_back: bool,
    violations: u64,
}

/// Plays everything and prints one table.
pub(crate) fn print_table() {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(HEADER);
    for cluster in CLUSTERS {
        for ((policy, words), outcomes) in POLICIES.into_iter().zip(outcomes(cluster)) {
            table.add_row(cells(cluster, policy, words, &outcomes));
        }
    }
    println!(
        "\nRollouts; medians over seeds {SEEDS:?}; 'of the floor' is over launch to registration and one drain,"
    );
    println!(
        "the slowest of each in the same run; 'starts per task' counts the tasks that lay on old instances."
    );
    println!(
        "An instance refresh is not simulated: the bench plays it by raising the desired capacity by a tenth,"
    );
    println!(
        "at least one, waiting until that many more serve and {} s of warm-up, terminating as",
        WARM_UP.as_secs()
    );
    println!(
        "many old ones with decrement, and waiting until ECS's managed draining has let them go:\n\n{table}"
    );
}

/// Every policy has a thread of its own; a play is alone in its world, so that this changes nothing in it.
fn outcomes(cluster: Cluster) -> Vec<[Outcome; 5]> {
    let plays = POLICIES
        .map(|(policy, _)| std::thread::spawn(move || SEEDS.map(|seed| outcome(policy, seed, cluster))));
    plays.into_iter().map(|play| play.join().expect("a play that fails has said so")).collect()
}

fn outcome(policy: Policy, seed: u64, cluster: Cluster) -> Outcome {
    play(seed, cluster.account(seed, policy), async |stage| {
        let before = stage.simulator.account(Before::of);
        let work = async {
            policy.act(&stage, seed, cluster).await;
            tokio::time::sleep(SETTLE).await;
        };
        let watch = Box::pin(watched(&stage, work)).await;
        let violations =
            if matches!(policy, Policy::Evenkeel) { stage.simulator.violations().len() } else { 0 };
        Outcome { violations: violations as u64, ..measured(&stage, &before, &watch) }
    })
}

impl Policy {
    async fn act(self, stage: &Stage, seed: u64, cluster: Cluster) {
        let rival = Rival::new(stage, cluster.size);
        match self {
            Self::Evenkeel => Box::pin(evenkeel(stage, seed, cluster)).await,
            Self::Article => Box::pin(rival.article()).await,
            Self::DoubleThenShrink => Box::pin(rival.double_then_shrink()).await,
            Self::Refresh => Box::pin(rival.refresh()).await,
        }
    }
}

/// A start and the schedule until nothing is left to do. Where the group has Evenkeel's hook, `drain` answers beside it.
async fn evenkeel(stage: &Stage, seed: u64, cluster: Cluster) {
    let rolled = Box::pin(async {
        let _ = stage.rollout(start()).await.expect("the start succeeds");
        stage.resumed(RUNS_MAX).await;
        tokio::time::sleep(SETTLE).await;
    });
    if !cluster.has_hook {
        return rolled.await;
    }
    stage.simulator.checkers(|it| it.foreign_hook(FOREIGN_HOOK));
    let mut events = bus(seed, Mishaps::default());
    tokio::select! {
        () = rolled => {}
        _ = stage.live(&mut events, LIFETIME) => {}
    }
}

impl Before {
    fn of(account: &Account) -> Self {
        let services = account.clusters["web"].services.values();
        let tasks: u32 = services.map(|service| service.desired_count).sum();
        Self { sizes: sizes(account), tasks: tasks.into() }
    }
}

fn sizes(account: &Account) -> (u32, u32, u32) {
    let group = &account.auto_scaling_groups["web-asg"];
    (group.min_size, group.desired_capacity, group.max_size)
}

fn measured(stage: &Stage, before: &Before, watch: &Watch) -> Outcome {
    let measured = stage.simulator.checkers(|it| it.measures().clone());
    let drains = stage.simulator.checkers(|it| it.drains().clone());
    let starts: u64 = measured.services.values().map(|costs| u64::from(costs.starts)).sum();
    let killed = drains.machines.values().flat_map(|drain| drain.killed.values());
    let is_stopping = |it: &&TaskStatus| matches!(it, TaskStatus::Deactivating | TaskStatus::Stopping);
    Outcome {
        replaced_after: watch.replaced_after,
        old_left: watch.old_left,
        floor: watch.floor(),
        below: stage.task_seconds_below(),
        killed_running: killed.clone().filter(|it| **it == TaskStatus::Running).count() as u64,
        killed_stopping: killed.filter(is_stopping).count() as u64,
        starts_percent: starts * 100 / before.tasks.max(1),
        surplus_seconds: watch.surplus_seconds,
        has_sizes_back: stage.simulator.account(sizes) == before.sizes,
        violations: 0,
    }
}

fn median(mut values: Vec<u64>) -> Option<u64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

fn cells(cluster: Cluster, policy: Policy, words: &str, outcomes: &[Outcome]) -> [String; 9] {
    let of = |value: fn(&Outcome) -> u64| median(outcomes.iter().map(value).collect()).unwrap_or_default();
    let is_first = matches!(policy, Policy::Evenkeel);
    let violations = outcomes.iter().map(|it| it.violations).sum::<u64>();
    let broken = if violations > 0 { format!(" BROKEN: {violations}") } else { String::new() };
    [
        if is_first { cluster.words() } else { String::new() },
        words.to_owned() + &broken,
        time(outcomes),
        if is_first { of_floor(outcomes) } else { String::new() },
        of(|it| it.below).to_string(),
        format!("{} / {}", of(|it| it.killed_running), of(|it| it.killed_stopping)),
        hundredths(of(|it| it.starts_percent)),
        format!("{:.2}", of(|it| it.surplus_seconds) as f64 / 3600.0),
        if outcomes.iter().all(|it| it.has_sizes_back) { "yes" } else { "no" }.to_owned(),
    ]
}

/// The median of those plays that came to an end, and how often there was none.
fn time(outcomes: &[Outcome]) -> String {
    let times: Vec<u64> = outcomes.iter().filter_map(|it| it.replaced_after).collect();
    let never = outcomes.len() - times.len();
    let left = outcomes.iter().map(|it| it.old_left).max().unwrap_or_default();
    match (median(times), never) {
        (None, _) => format!("never: {left} old left"),
        (Some(seconds), 0) => format!("{seconds} s"),
        (Some(seconds), _) => {
            format!("{seconds} s; never in {never} of {}: {left} old left", outcomes.len())
        }
    }
}

/// The time over the floor of the same play.
fn of_floor(outcomes: &[Outcome]) -> String {
    let ratio = |it: &Outcome| Some(it.replaced_after? * 100 / it.floor.max(1));
    median(outcomes.iter().filter_map(ratio).collect()).map(hundredths).unwrap_or_default()
}

fn hundredths(value: u64) -> String {
    format!("{:.2}", value as f64 / 100.0)
}
