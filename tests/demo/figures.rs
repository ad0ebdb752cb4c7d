//! The figures at the end, all measured in this run: the function's act beside "stop every task" on the same cluster.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;
use simulator::account::{Account, StopCode};
use simulator::checkers::Checkers;
use simulator::scheduler::{Engine, lifecycle};
use simulator::simulator::Simulator;

/// What one act cost.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    moves: u64,
    lower_bound: u64,
    extra_starts: u64,
    restarts: u64,
    task_seconds_below: u64,
    deepest_dip: u64,
    undrained_kills: u64,
    api_calls: u64,
    calls_again: u64,
    writes_again: usize,
    read_floor: u64,
    wall: Duration,
    violations: Vec<String>,
    left_over: Vec<String>,
}

impl Figures {
    /// The figures of the function's act: the rebalance, and a second invocation on the balanced cluster.
    pub(crate) fn of_reports(simulator: &Simulator, report: &Value, second: &Value, wall: Duration) -> Self {
        let moves = &report["clusters"][0]["moves"];
        let number = |name: &str| moves[name].as_u64().unwrap_or_default();
        let violations = simulator.violations().iter().map(|it| format!("{it:?}")).collect();
        let account = simulator.account(Account::clone);
        let left_over = simulator.checkers(|checkers| checkers.left_over(&account));
        let measured = simulator.checkers(|checkers| Self::measured(checkers));
        Self {
            moves: number("completed"),
            lower_bound: number("lowerBound"),
            extra_starts: number("extraStarts"),
            api_calls: calls_of(report),
            calls_again: calls_of(second),
            writes_again: second["actions"].as_array().map_or(0, Vec::len),
            read_floor: read_floor(&account),
            wall,
            violations,
            left_over,
            ..measured
        }
    }

    fn measured(checkers: &Checkers) -> Self {
        let services = checkers.measures().services.values();
        let mut figures = Self::default();
        for costs in services {
            figures.restarts += u64::from(costs.starts);
            figures.task_seconds_below += costs.task_seconds_below;
            figures.deepest_dip += u64::from(costs.deepest_dip);
            figures.undrained_kills += u64::from(costs.undrained_kills);
        }
        figures
    }

    /// Whether every promise was kept and everything put back.
    pub(crate) fn is_clean(&self) -> bool {
        let is_silent = self.writes_again == 0 && self.calls_again == self.read_floor;
        self.violations.is_empty() && self.left_over.is_empty() && self.task_seconds_below == 0 && is_silent
    }
}

/// Every broken promise that the checkers saw, and everything that was not put back.
pub(crate) fn broken(simulator: &Simulator) -> Vec<String> {
    let account = simulator.account(Account::clone);
    let mut broken: Vec<String> = simulator.violations().iter().map(|it| format!("{it:?}")).collect();
    broken.extend(simulator.checkers(|checkers| checkers.left_over(&account)));
    broken
}

fn calls_of(report: &Value) -> u64 {
    report["apiCalls"].as_object().into_iter().flatten().filter_map(|(_, count)| count.as_u64()).sum()
}

/// Least number of read calls for this cluster: every page of three lists, every batch of three descriptions.
fn read_floor(account: &Account) -> u64 {
    let cluster = &account.clusters["web"];
    let tasks = cluster.tasks.values().filter(|task| task.is_wanted()).count() as u64;
    let services = cluster.services.len() as u64;
    let instances = cluster.container_instances.len() as u64;
    services.div_ceil(100) + services.div_ceil(10) + 2 * tasks.div_ceil(100) + 2 * instances.div_ceil(100)
}

/// The other act: every task of the cluster is stopped at once and ECS places them anew; a quarter of an hour
/// passes. The picture shows where they are then.
pub(crate) fn stop_everything(seed: u64, mut account: Account) -> (Figures, String) {
    let mut checkers = Checkers::new(&account);
    let mut engine = Engine::new(seed);
    let tasks: Vec<String> = account.clusters["web"].tasks.keys().cloned().collect();
    let calls = tasks.len() as u64 + 1;
    for task in &tasks {
        lifecycle::begin_stop(&mut account, "web", task, StopCode::UserInitiated, "Unbalanced instances");
    }
    let until = account.now + Duration::from_mins(15);
    engine.advance(&mut account, until, &mut |account| checkers.check(account));
    let figures = Figures { api_calls: calls, moves: tasks.len() as u64, ..Figures::measured(&checkers) };
    (figures, simulator::timeline::bars(&account, "web"))
}

/// Both acts side by side.
pub(crate) fn table(evened: &Figures, stopped: &Figures) -> String {
    let ratio = evened.moves as f64 / evened.lower_bound.max(1) as f64;
    let mut text = String::new();
    let mut row = |name: &str, left: String, right: String| {
        let _ = writeln!(text, "  {name:<44}{left:>12}{right:>16}");
    };
    row("", "Evenkeel".to_owned(), "stop every task".to_owned());
    row("tasks moved", evened.moves.to_string(), stopped.moves.to_string());
    row(
        "least moves possible (proven bound)",
        evened.lower_bound.to_string(),
        evened.lower_bound.to_string(),
    );
    row(
        "moves / bound",
        format!("{ratio:.2}"),
        format!("{:.2}", stopped.moves as f64 / evened.lower_bound.max(1) as f64),
    );
    row("extra starts, to steer ECS's placement", evened.extra_starts.to_string(), "0".to_owned());
    row("tasks started in all", evened.restarts.to_string(), stopped.restarts.to_string());
    row(
        "task-seconds below desired",
        evened.task_seconds_below.to_string(),
        stopped.task_seconds_below.to_string(),
    );
    row("tasks down at the worst moment", evened.deepest_dip.to_string(), stopped.deepest_dip.to_string());
    row(
        "kills while still registered as a target",
        evened.undrained_kills.to_string(),
        stopped.undrained_kills.to_string(),
    );
    row("API calls", evened.api_calls.to_string(), stopped.api_calls.to_string());
    let _ = writeln!(
        text,
        "\n  invoked again on the balanced cluster: {} API calls (read floor {}), {} writes",
        evened.calls_again, evened.read_floor, evened.writes_again
    );
    let _ = writeln!(text, "  wall time of the invocation: {:.1} s", evened.wall.as_secs_f64());
    for broken in evened.violations.iter().chain(&evened.left_over) {
        let _ = writeln!(text, "  BROKEN: {broken}");
    }
    if evened.is_clean() {
        let _ = writeln!(text, "  every checker is silent, and everything was put back");
    }
    text
}
