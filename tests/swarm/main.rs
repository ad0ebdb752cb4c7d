//! `make swarm`: random clusters, the three functions on their schedules and events, everybody else at work, and faults of
//! every kind, for simulated days. Whatever breaks prints the one line that plays it again.

mod actors;
mod coverage;
mod drive;
mod verdict;
mod weather;
mod world;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use coverage::Coverage;
use evenkeel_tests::play;

use actors::Actors;
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
    /// Simulated hours of others and faults in each run; six calm ones follow.
    #[arg(long, default_value_t = 24)]
    hours: u64,
    /// Fails if a fault has never struck in a phase; a matter of many runs.
    #[arg(long)]
    complete: bool,
    /// Prints what happened, of every run.
    #[arg(long)]
    timeline: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (mut coverage, mut failed) = (Coverage::default(), Vec::new());
    for seed in arguments.seed..arguments.seed + arguments.runs {
        let (found, wrong) = run(seed, &arguments);
        coverage.merge(&found);
        if wrong.is_empty() {
            println!("seed {seed}: every promise kept, the goal reached");
            continue;
        }
        println!("seed {seed}: FAILED\n  {}", wrong.join("\n  "));
        println!("  again: make swarm SEED={seed} HOURS={}", arguments.hours);
        failed.push(seed);
    }
    println!("{}", coverage.table());
    let missing = coverage.missing();
    if !missing.is_empty() {
        let pairs: Vec<String> = missing.iter().map(|(fault, phase)| format!("{fault} in {phase}")).collect();
        println!("never hit: {}", pairs.join(", "));
    }
    println!("swarm: {} runs of {} h, {} failed {failed:?}", arguments.runs, arguments.hours, failed.len());
    let is_complete = !arguments.complete || missing.is_empty();
    if failed.is_empty() && is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays one seed: what was covered, and what is wrong.
fn run(seed: u64, arguments: &Arguments) -> (Coverage, Vec<String>) {
    let world = world(seed);
    if arguments.runs == 1 {
        println!("seed {seed}:\n  {}", world.drawn.join("\n  "));
    }
    let (settings, scaled) = (world.settings, world.scaled);
    play(seed, world.account, async |stage| {
        let stage = settings.into_iter().fold(stage, |stage, (name, value)| stage.with(name, value));
        stage.simulator.flap_agents(2);
        let mut actors = Actors::new(seed, &stage, scaled);
        let mut day = Day::new(seed, &stage);
        day.pass(Duration::from_hours(arguments.hours), Some(&mut actors)).await;
        let wrong = Box::pin(verdict::verdict(&stage, &mut day, &mut actors)).await;
        if arguments.timeline || (arguments.runs == 1 && !wrong.is_empty()) {
            println!("{}", stage.simulator.timeline());
        }
        (day.coverage.clone(), wrong)
    })
}
