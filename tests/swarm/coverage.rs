//! Which fault struck in which phase: a swarm that never hits a pair has not tried it.
//!
//! Every run has one pair in its focus: while the account is in that phase, that fault is in the air. As many runs as there
//! are pairs, from any seed on, have every pair in focus once.

use std::collections::{BTreeMap, BTreeSet};

use comfy_table::{Table, presets};
use evenkeel_tests::leash::Fate;
use simulator::account::Account;
use simulator::faults::Fault;
use simulator::simulator::Call;

/// What strikes a call, and what befalls a function at one.
pub(crate) const FAULTS: [&str; 10] = [
    "throttled",
    "server error",
    "answer lost",
    "timed out",
    "late answer",
    "stale read",
    "entry missing",
    "group busy",
    "killed",
    "stalled",
];

/// Phases that outlast a turn: of a move, of a drain, of a rollout. Nobody is under way in a rollout's `release`, which only
/// people send.
pub(crate) const PHASES: [&str; 11] = [
    "idle",
    "move",
    "drain",
    "mark",
    "surge",
    "rollout drain",
    "gate",
    "retire",
    "undo",
    "dismiss",
    "restore",
];

/// The pair that a run is after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Focus {
    pub(crate) fault: &'static str,
    pub(crate) phase: &'static str,
}

impl Focus {
    pub(crate) fn of(seed: u64) -> Self {
        let number = seed as usize % (FAULTS.len() * PHASES.len());
        Self { fault: FAULTS[number / PHASES.len()], phase: PHASES[number % PHASES.len()] }
    }

    /// Whether it takes a rollout to get there.
    pub(crate) fn is_of_rollouts(self) -> bool {
        !matches!(self.phase, "idle" | "move" | "drain")
    }

    /// Whether it takes an abort to get there.
    pub(crate) fn is_of_the_way_back(self) -> bool {
        matches!(self.phase, "undo" | "dismiss" | "restore")
    }
}

/// How many runs it takes to have every pair in focus.
pub(crate) const fn pairs() -> u64 {
    (FAULTS.len() * PHASES.len()) as u64
}

/// Counts by fault and phase.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coverage(BTreeMap<(&'static str, &'static str), u64>);

impl Coverage {
    /// Counts what struck among these calls, in the phases that the account is in.
    pub(crate) fn add(&mut self, calls: &[Call], phases: &BTreeSet<&'static str>) {
        for fault in calls.iter().filter_map(|call| word(call.fault?)) {
            self.note(fault, phases);
        }
    }

    /// Counts what befell a function.
    pub(crate) fn befell(&mut self, fate: Fate, phases: &BTreeSet<&'static str>) {
        let fault = if matches!(fate, Fate::Stalls(_)) { "stalled" } else { "killed" };
        self.note(fault, phases);
    }

    fn note(&mut self, fault: &'static str, phases: &BTreeSet<&'static str>) {
        for phase in phases {
            *self.0.entry((fault, phase)).or_default() += 1;
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (pair, times) in &other.0 {
            *self.0.entry(*pair).or_default() += times;
        }
    }

    /// Pairs that were never hit.
    pub(crate) fn missing(&self) -> Vec<String> {
        let all = PHASES.iter().flat_map(|phase| FAULTS.iter().map(move |fault| (*fault, *phase)));
        let missing = all.filter(|pair| !self.0.contains_key(pair));
        missing.map(|(fault, phase)| format!("{fault} in {phase}")).collect()
    }

    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY);
        table.set_header(["phase"].into_iter().chain(FAULTS));
        for phase in PHASES {
            let times =
                FAULTS.iter().map(|fault| self.0.get(&(*fault, phase)).copied().unwrap_or(0).to_string());
            table.add_row([phase.to_owned()].into_iter().chain(times));
        }
        table
    }
}

fn word(fault: Fault) -> Option<&'static str> {
    match fault {
        Fault::Throttle => Some("throttled"),
        Fault::ServerError => Some("server error"),
        Fault::LoseResponse => Some("answer lost"),
        Fault::TimeOut => Some("timed out"),
        Fault::Delay(_) => Some("late answer"),
        Fault::StaleRead(_) => Some("stale read"),
        Fault::MissingEntry => Some("entry missing"),
        Fault::ScalingActivityInProgress | Fault::ResourceContention => Some("group busy"),
        _ => None,
    }
}

/// The phases that records in tags and attributes tell of.
pub(crate) fn phases(account: &Account) -> BTreeSet<&'static str> {
    let mut phases = BTreeSet::new();
    let groups = account.auto_scaling_groups.values();
    let records = groups.filter_map(|it| it.tags.get("evenkeel:rollout")).map(|it| it.value.clone());
    phases.extend(records.filter_map(|record| rollout_phase(record.split(':').nth(1)?)));
    for cluster in account.clusters.values() {
        if cluster.services.values().any(|it| it.tags.contains_key("evenkeel:move")) {
            phases.insert("move");
        }
        let instances = cluster.container_instances.values();
        if instances.flat_map(|it| it.attributes.keys()).any(|name| name == "evenkeel.drain") {
            phases.insert("drain");
        }
    }
    if phases.is_empty() {
        phases.insert("idle");
    }
    phases
}

fn rollout_phase(word: &str) -> Option<&'static str> {
    match word {
        "drain" => Some("rollout drain"),
        other => PHASES.into_iter().find(|it| *it == other),
    }
}
