//! How long one plan takes and how much memory it needs, on one core, from the snapshot on.
//!
//! Each row runs in a process of its own, so that its peak of memory is its own too.

use std::error::Error;
use std::process::Stdio;
use std::time::{Duration, Instant};

use evenkeel::plan::rebalance::{candidates, plan_rebalance};
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::large::{self, History, Size};

/// A row that takes longer is given up and said to.
const PATIENCE: Duration = Duration::from_secs(30);

const ROWS: [(Size, History); 6] = [
    (Size { instances: 200, tasks: 4_000, services: 400 }, History::Spread),
    (Size { instances: 1_000, tasks: 20_000, services: 1_000 }, History::Spread),
    (Size { instances: 5_000, tasks: 100_000, services: 5_000 }, History::Spread),
    (Size { instances: 200, tasks: 4_000, services: 400 }, History::PiledUp),
    (Size { instances: 1_000, tasks: 20_000, services: 1_000 }, History::PiledUp),
    (Size { instances: 5_000, tasks: 100_000, services: 5_000 }, History::PiledUp),
];

/// What one row measured.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    candidates: usize,
    moves: usize,
    choosing: Duration,
    planning: Duration,
    /// Peak KiB of memory with the snapshot alone, and after planning.
    before: u64,
    peak: u64,
}

/// Measures one row in this process.
pub(crate) fn print_row(number: usize) -> Result<(), Box<dyn Error>> {
    let (size, history) = ROWS.get(number).ok_or("there is no such row")?;
    let limits = evenkeel_tests::foreseen::limits();
    let mut snapshot = large::snapshot(*size, *history, 1);
    let before = peak_memory()?;
    let (chosen, choosing) = timed(|| candidates(&snapshot, &limits));
    large::read_closely(&mut snapshot, &chosen);
    let (plan, planning) = timed(|| plan_rebalance(&snapshot, &limits));
    let moves = plan.services.iter().map(|it| it.moves.len()).sum();
    let row = Row { candidates: chosen.len(), moves, choosing, planning, before, peak: peak_memory()? };
    println!("{}", serde_json::to_string(&row)?);
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "wall time is what is measured; no simulated clock runs here")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

/// `VmHWM`, the most memory this process ever had resident, in KiB (proc(5)).
fn peak_memory() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in status")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Measures all rows and prints them side by side.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn print_table() -> Result<(), Box<dyn Error>> {
    println!("\nPlanning on one core ({} build), from a snapshot in memory:\n", profile());
    println!(
        "  {:>9} {:>8} {:>8}  {:<9} {:>10} {:>7} {:>10} {:>10} {:>9} {:>9}",
        "instances",
        "tasks",
        "services",
        "tasks lie",
        "candidates",
        "moves",
        "choosing",
        "planning",
        "snapshot",
        "peak"
    );
    for (number, (size, history)) in ROWS.iter().enumerate() {
        let cells = match measured(number).await? {
            Some(row) => cells(&row),
            None => format!("given up after {} s", PATIENCE.as_secs()),
        };
        let Size { instances, tasks, services } = size;
        println!("  {instances:>9} {tasks:>8} {services:>8}  {:<9} {cells}", words(*history));
    }
    Ok(())
}

fn cells(row: &Row) -> String {
    let seconds = |time: Duration| format!("{:.3} s", time.as_secs_f64());
    let mebibytes = |kib: u64| format!("{} MiB", kib / 1024);
    let (choosing, planning) = (seconds(row.choosing), seconds(row.planning));
    let (before, peak) = (mebibytes(row.before), mebibytes(row.peak));
    let Row { candidates, moves, .. } = row;
    format!("{candidates:>10} {moves:>7} {choosing:>10} {planning:>10} {before:>9} {peak:>9}")
}

fn words(history: History) -> &'static str {
    match history {
        History::Spread => "spread",
        History::PiledUp => "piled up",
    }
}

fn profile() -> &'static str {
    if cfg!(debug_assertions) { "dev" } else { "release" }
}

async fn measured(number: usize) -> Result<Option<Row>, Box<dyn Error>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["planner-row", &number.to_string()]).stdin(Stdio::null()).kill_on_drop(true);
    let Ok(output) = tokio::time::timeout(PATIENCE, command.output()).await else { return Ok(None) };
    let output = output?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(Some(serde_json::from_slice(&output.stdout)?))
}
