//! Every family of clusters under every policy, on the same seeds: what it costs and what it leaves behind.
//!
//! Family 19 is left out: it differs from the first only in what others do meanwhile, which is nothing here.

use comfy_table::{Table, presets};
use evenkeel::plan::proposal::RebalancePlan;
use evenkeel::plan::rebalance::plan_rebalance;
use evenkeel_tests::families::{FAMILIES, Family, Load};
use evenkeel_tests::{Stage, foreseen, play};
use simulator::account::Account;
use simulator::checkers::OfService;

use crate::policies::Policy;
use crate::shares;

/// Three clusters a family; the medians are shown.
const SEEDS: [u64; 3] = [1, 2, 3];

const HEADER: [&str; 8] = [
    "family",
    "policy",
    "starts / bound",
    "task-seconds below",
    "deepest dip",
    "moves left",
    "service skew above best",
    "cluster skew",
];

/// One play, or the medians of several.
#[derive(Clone, Copy, Debug, Default)]
struct Outcome {
    starts: u64,
    bound: u64,
    below: u64,
    dip_percent: u64,
    moves_left: u64,
    above_best: u64,
    skew_before: u64,
    skew_after: u64,
    violations: u64,
}

/// Plays everything and prints one table.
pub(crate) fn print_table() {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(HEADER);
    for family in FAMILIES.iter().filter(|family| family.load != Load::Flaps) {
        for (policy, outcomes) in Policy::ALL.into_iter().zip(outcomes(family)) {
            table.add_row(cells(family, policy, &medians(&outcomes)));
        }
    }
    println!(
        "\nMedians over seeds {SEEDS:?}; the dip is the worst service's, in percent of its desired count;"
    );
    println!(
        "'moves left' are those that would still help, 'above best' is in points of percent:\n\n{table}"
    );
}

/// Every policy has a thread of its own; a play is alone in its world, so that this changes nothing in it.
fn outcomes(family: &Family) -> Vec<[Outcome; 3]> {
    let clusters = SEEDS.map(|seed| (seed, family.account(seed)));
    let plays = Policy::ALL.map(|policy| {
        let clusters = clusters.clone();
        std::thread::spawn(move || clusters.map(|(seed, account)| outcome(account, policy, seed)))
    });
    plays.into_iter().map(|play| play.join().expect("a play that fails has said so")).collect()
}

fn outcome(account: Account, policy: Policy, seed: u64) -> Outcome {
    play(seed, account, async |stage| {
        let before = foreseen::observed(&stage.aws()).await;
        let bound = excess(&plan_rebalance(&before, &foreseen::limits()));
        policy.act(&stage).await;
        let after = foreseen::observed(&stage.aws()).await;
        let plan = plan_rebalance(&after, &foreseen::limits());
        let violations =
            if matches!(policy, Policy::Evenkeel) { stage.simulator.violations().len() } else { 0 };
        Outcome {
            bound,
            moves_left: excess(&plan),
            above_best: above_best(&plan),
            skew_before: shares::skew(&before),
            skew_after: shares::skew(&after),
            violations: violations as u64,
            ..costs(&stage)
        }
    })
}

fn excess(plan: &RebalancePlan) -> u64 {
    plan.services.iter().map(|service| u64::from(service.excess)).sum()
}

/// The service furthest above the skew of the best split that it can reach.
fn above_best(plan: &RebalancePlan) -> u64 {
    let gaps = plan
        .services
        .iter()
        .filter_map(|service| Some(service.raw_skew?.get().saturating_sub(service.best_skew?.get())));
    gaps.max().unwrap_or_default().into()
}

fn costs(stage: &Stage) -> Outcome {
    let measured: Vec<(String, OfService)> =
        stage.simulator.checkers(|it| it.measures().services.clone().into_iter().collect());
    let desired = |name: &str| {
        let name = name.trim_start_matches("web/");
        stage.simulator.account(|account| account.clusters["web"].services[name].desired_count)
    };
    let dip = |(name, costs): &(String, OfService)| costs.deepest_dip * 100 / desired(name).max(1);
    Outcome {
        starts: measured.iter().map(|(_, costs)| u64::from(costs.starts)).sum(),
        below: measured.iter().map(|(_, costs)| costs.task_seconds_below).sum(),
        dip_percent: measured.iter().map(dip).max().unwrap_or_default().into(),
        ..Outcome::default()
    }
}

fn medians(outcomes: &[Outcome]) -> Outcome {
    let median = |value: fn(&Outcome) -> u64| {
        let mut values: Vec<u64> = outcomes.iter().map(value).collect();
        values.sort_unstable();
        values[values.len() / 2]
    };
    Outcome {
        starts: median(|it| it.starts),
        bound: median(|it| it.bound),
        below: median(|it| it.below),
        dip_percent: median(|it| it.dip_percent),
        moves_left: median(|it| it.moves_left),
        above_best: median(|it| it.above_best),
        skew_before: median(|it| it.skew_before),
        skew_after: median(|it| it.skew_after),
        violations: outcomes.iter().map(|it| it.violations).sum(),
    }
}

fn cells(family: &Family, policy: Policy, it: &Outcome) -> [String; 8] {
    let name = if matches!(policy, Policy::Evenkeel) { family.name } else { "" };
    let broken = if it.violations > 0 { format!(" BROKEN: {}", it.violations) } else { String::new() };
    [
        name.to_owned(),
        policy.words() + &broken,
        format!("{} / {}", it.starts, it.bound),
        it.below.to_string(),
        format!("{} %", it.dip_percent),
        it.moves_left.to_string(),
        it.above_best.to_string(),
        format!("{} -> {} %", it.skew_before, it.skew_after),
    ]
}
