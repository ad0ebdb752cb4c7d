//! `make swarm`: random clusters, the three functions on their schedules and events, everybody else at work, and faults of
//! every kind, for simulated days. Whatever breaks prints the one line that plays it again.

mod actors;
mod acts;
mod coverage;
mod drive;
mod ping_pong;
mod population;
mod verdict;
mod weather;
mod world;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Parser;
use coverage::{Coverage, Focus, pairs};
use evenkeel_tests::play;

use actors::{Actors, Others};
use drive::Day;
use world::world;

#[derive(Parser)]
#[command(about = "Play random clusters under random weather, and hold Evenkeel to its promises")]
struct Arguments {
    /// The first seed; each names one cluster and all that befalls it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds are played, from that one on.
    #[arg(long, default_value_t = 1)]
    runs: u64,
    /// Simulated hours of others and faults in each run; calm ones follow until nothing is written any more.
    #[arg(long, default_value_t = 20)]
    hours: u64,
    /// Prints what happened, of every run.
    #[arg(long)]
    timeline: bool,
}

/// What came of one run.
struct Played {
    seed: u64,
    coverage: Coverage,
    wrong: Vec<String>,
    hours: u64,
    calls: u64,
    lowest: f64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let all = played(&arguments);
    let mut coverage = Coverage::default();
    for played in &all {
        coverage.merge(&played.coverage);
    }
    println!("{}", coverage.table());
    let missing = coverage.missing();
    if !missing.is_empty() {
        println!("never hit: {}", missing.join(", "));
    }
    let failed: Vec<u64> = all.iter().filter(|it| !it.wrong.is_empty()).map(|it| it.seed).collect();
    let (hours, calls) =
        (all.iter().map(|it| it.hours).sum::<u64>(), all.iter().map(|it| it.calls).sum::<u64>());
    let lowest = all.iter().map(|it| it.lowest).fold(1.0, f64::min) * 100.0;
    println!("least that was left of any token bucket, in any weather: {lowest:.0} %");
    println!(
        "swarm: {} runs, {} cluster-days, {calls} API calls; {} failed {failed:?}",
        arguments.runs,
        hours / 24,
        failed.len()
    );
    // Fewer runs than pairs cannot have every pair in focus.
    let is_complete = arguments.runs < pairs() || missing.is_empty();
    if failed.is_empty() && is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays all seeds, as many at a time as there are processors; a run is alone in its world, so that this changes nothing in
/// it.
fn played(arguments: &Arguments) -> Vec<Played> {
    let (next, all) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= arguments.runs {
                return;
            }
            let played = run(arguments.seed + number, arguments);
            tell(&played, arguments);
            all.lock().expect("a run that panics ends the swarm").push(played);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    all.into_inner().expect("a run that panics ends the swarm")
}

fn tell(played: &Played, arguments: &Arguments) {
    let seed = played.seed;
    if played.wrong.is_empty() {
        println!("seed {seed}: every promise kept, the goal reached after {} h", played.hours);
        return;
    }
    println!("seed {seed}: FAILED\n  {}", played.wrong.join("\n  "));
    println!("  again: make swarm SEED={seed} HOURS={}", arguments.hours);
}

/// Plays one seed.
fn run(seed: u64, arguments: &Arguments) -> Played {
    let focus = Focus::of(seed);
    let world = world(seed, focus);
    if arguments.runs == 1 {
        println!("seed {seed}:\n  {}", world.drawn.join("\n  "));
    }
    let others = Others { scaled: world.scaled, is_managed: world.is_managed, ..Others::default() };
    let settings = world.settings;
    play(seed, world.account, async |stage| {
        let stage = settings.into_iter().fold(stage, |stage, (name, value)| stage.with(name, value));
        let began = stage.simulator.now();
        stage.simulator.flap_agents(2);
        let mut actors = Actors::new(seed, &stage, focus, others);
        let mut day = Day::new(seed, &stage, focus);
        day.pass(Duration::from_hours(arguments.hours), Some(&mut actors)).await;
        let wrong = Box::pin(verdict::verdict(seed, &stage, &mut day, &mut actors)).await;
        if arguments.timeline || (arguments.runs == 1 && !wrong.is_empty()) {
            println!("{}", stage.simulator.timeline());
        }
        let hours = stage.simulator.now().since(began).as_secs() / 3600;
        let calls = stage.simulator.calls_by_operation().values().sum();
        Played { seed, coverage: day.coverage.clone(), wrong, hours, calls, lowest: day.lowest }
    })
}
