//! What goes wrong between the functions and AWS: an hour of one kind of weather after the other, drawn from the seed.

use std::time::Duration;

use simulator::event_bridge::Mishaps;
use simulator::faults::Rule;
use simulator::simulator::Simulator;

/// How often in a hundred an invocation dies on its way.
pub(crate) const KILLED_PERCENT: u32 = 3;

/// The weather of an hour; calm in half of them.
pub(crate) fn change(simulator: &Simulator, dice: &mut fastrand::Rng) -> &'static str {
    simulator.clear_rules();
    let (name, rules): (&str, Vec<Rule>) = match dice.u32(..16) {
        0 => ("throttling", vec![Rule::throttle(0.15)]),
        1 => ("server errors", vec![Rule::server_error(0.05)]),
        2 => ("lost answers", vec![Rule::lose_response(0.08)]),
        3 => ("time-outs", vec![Rule::time_out(0.02)]),
        4 => ("stale reads", vec![Rule::stale_read(0.2, Duration::from_secs(12))]),
        5 => ("missing entries", vec![Rule::missing_entry(0.03)]),
        6 => ("a busy group", vec![Rule::scaling_activity_in_progress(0.4), Rule::resource_contention(0.15)]),
        7 => (
            "a storm",
            vec![
                Rule::throttle(0.1),
                Rule::server_error(0.03),
                Rule::lose_response(0.05),
                Rule::scaling_activity_in_progress(0.3),
                Rule::resource_contention(0.1),
                Rule::missing_entry(0.02),
                Rule::stale_read(0.1, Duration::from_secs(8)),
                Rule::delay(0.1, Duration::from_secs(4)),
            ],
        ),
        _ => ("calm", Vec::new()),
    };
    for rule in rules {
        simulator.rule(rule);
    }
    name
}

/// Events come late, twice, in another order, or never.
pub(crate) fn mishaps() -> Mishaps {
    Mishaps { late_percent: 5, twice_percent: 5, reordered_percent: 5, lost_percent: 5, ..Mishaps::default() }
}
