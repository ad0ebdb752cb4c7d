//! Which fault struck in which phase: a swarm that never hits a pair has not tried it.

use std::collections::{BTreeMap, BTreeSet};

use comfy_table::{Table, presets};
use simulator::account::Account;
use simulator::simulator::{Call, Outcome};

/// Faults that a call's outcome tells of, and the death of a function.
pub(crate) const FAULTS: [&str; 6] =
    ["throttled", "server error", "answer lost", "timed out", "group busy", "killed"];

/// Phases that outlast a turn: of a move, of a drain, of a rollout.
pub(crate) const PHASES: [&str; 12] = [
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
    "release",
];

/// Counts by fault and phase.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coverage(BTreeMap<(&'static str, &'static str), u64>);

impl Coverage {
    /// Counts what struck among these calls, in the phases that the account is in.
    pub(crate) fn add(&mut self, calls: &[Call], phases: &BTreeSet<&'static str>) {
        for fault in calls.iter().filter_map(fault_of) {
            self.note(fault, phases);
        }
    }

    pub(crate) fn note(&mut self, fault: &'static str, phases: &BTreeSet<&'static str>) {
        for phase in phases {
            *self.0.entry((fault, phase)).or_default() += 1;
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (pair, times) in &other.0 {
            *self.0.entry(*pair).or_default() += times;
        }
    }

    /// Pairs that were never hit; nobody is under way in `release`, which only people send.
    pub(crate) fn missing(&self) -> Vec<(&'static str, &'static str)> {
        let phases = PHASES.iter().filter(|it| **it != "release");
        let all = phases.flat_map(|phase| FAULTS.iter().map(move |fault| (*fault, *phase)));
        all.filter(|pair| !self.0.contains_key(pair)).collect()
    }

    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY);
        table.set_header(["phase"].into_iter().chain(FAULTS));
        for phase in PHASES.iter().filter(|it| **it != "release") {
            let times =
                FAULTS.iter().map(|fault| self.0.get(&(*fault, *phase)).copied().unwrap_or(0).to_string());
            table.add_row([(*phase).to_owned()].into_iter().chain(times));
        }
        table
    }
}

fn fault_of(call: &Call) -> Option<&'static str> {
    match &call.outcome {
        Outcome::Lost => Some("answer lost"),
        Outcome::TimedOut => Some("timed out"),
        Outcome::Error(code) if code.contains("Throttl") || code == "RequestLimitExceeded" => {
            Some("throttled")
        }
        Outcome::Error(code)
            if code.starts_with("ScalingActivity") || code.starts_with("ResourceContention") =>
        {
            Some("group busy")
        }
        Outcome::Error(code) if code.starts_with("Server") || code.starts_with("Internal") => {
            Some("server error")
        }
        Outcome::Error(_) | Outcome::Done | Outcome::Killed => None,
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
