//! What goes wrong between the functions and AWS: an hour of one kind of weather after the other, drawn from the seed, and
//! on top of it the fault that the run is after, while the account is in the phase that it is after.

use std::time::Duration;

use evenkeel_tests::leash::Fate;
use simulator::event_bridge::Mishaps;
use simulator::faults::Rule;
use simulator::simulator::Simulator;
use tokio::time::Instant;

use crate::coverage::Focus;

/// How often in a hundred something befalls an invocation by chance.
const STRUCK_PERCENT: u32 = 5;

/// Invocations die or stall at one of as many calls.
const CALLS: u32 = 40;

/// The longest stall: long enough for others to have moved on, short enough for Lambda not to end the function.
const STALL_SECONDS: u64 = 240;

/// How long the fault in focus lasts each time, and how long it then keeps away: work has to go on as well.
const GUST: Duration = Duration::from_mins(2);
const LULL: Duration = Duration::from_mins(3);

/// The weather of one run.
pub(crate) struct Weather {
    dice: fastrand::Rng,
    focus: Focus,
    next: Instant,
    hour: Vec<Rule>,
    gust: Option<Instant>,
    lull: Option<Instant>,
}

impl Weather {
    pub(crate) fn new(seed: u64, focus: Focus) -> Self {
        let dice = fastrand::Rng::with_seed(seed ^ 0xd1ce);
        Self { dice, focus, next: Instant::now(), hour: Vec::new(), gust: None, lull: None }
    }

    /// Changes the weather when it is time to; true if something is to befall a function that is at work now.
    pub(crate) fn pass(&mut self, simulator: &Simulator, is_there: bool) -> bool {
        let now = Instant::now();
        let turns = now >= self.next;
        if turns {
            self.next += Duration::from_hours(1);
            self.hour = hour(&mut self.dice);
        }
        let blows = self.gust.is_some_and(|until| now < until);
        let rests = self.lull.is_some_and(|until| now < until);
        let begins = is_there && !blows && !rests;
        if begins {
            (self.gust, self.lull) = (Some(now + GUST), Some(now + GUST + LULL));
        }
        let ends = self.gust.is_some_and(|until| now >= until);
        if ends {
            self.gust = None;
        }
        if turns || begins || ends {
            self.install(simulator);
        }
        begins
    }

    fn install(&self, simulator: &Simulator) {
        simulator.clear_rules();
        let gust = self.gust.and_then(|_| rule(self.focus.fault));
        for rule in gust.into_iter().chain(self.hour.iter().cloned()) {
            simulator.rule(rule);
        }
    }

    /// What may befall an invocation by chance.
    pub(crate) fn chance(&mut self) -> Option<(u32, Fate)> {
        let strikes = self.dice.u32(..100) < STRUCK_PERCENT;
        let call = self.dice.u32(1..=CALLS);
        let fate = fate(&mut self.dice, None);
        strikes.then_some((call, fate))
    }

    /// What befalls a function in the phase in focus, if that is what the run is after.
    pub(crate) fn fate_in_focus(&mut self) -> Option<(u32, Fate)> {
        let fault = self.focus.fault;
        let is_fate = matches!(fault, "killed" | "stalled");
        is_fate.then(|| (self.dice.u32(1..=3), fate(&mut self.dice, Some(fault))))
    }
}

fn fate(dice: &mut fastrand::Rng, fault: Option<&str>) -> Fate {
    let stall = Fate::Stalls(Duration::from_secs(dice.u64(5..=STALL_SECONDS)));
    let death = *dice.choice(&[Fate::DiesBefore, Fate::DiesAfter]).expect("there are two");
    let stalls = dice.u32(..3) == 0;
    match fault {
        Some("stalled") => stall,
        None if stalls => stall,
        _ => death,
    }
}

/// The weather of an hour; calm in half of them.
fn hour(dice: &mut fastrand::Rng) -> Vec<Rule> {
    match dice.u32(..18) {
        0 => vec![Rule::throttle(0.15)],
        1 => vec![Rule::server_error(0.05)],
        2 => vec![Rule::lose_response(0.08)],
        3 => vec![Rule::time_out(0.02)],
        4 => vec![Rule::stale_read(0.2, Duration::from_secs(12))],
        5 => vec![Rule::missing_entry(0.03)],
        6 => vec![Rule::scaling_activity_in_progress(0.4), Rule::resource_contention(0.15)],
        7 => vec![Rule::delay(0.1, Duration::from_secs(9))],
        8 => vec![
            Rule::throttle(0.1),
            Rule::server_error(0.03),
            Rule::lose_response(0.05),
            Rule::scaling_activity_in_progress(0.3),
            Rule::resource_contention(0.1),
            Rule::missing_entry(0.02),
            Rule::stale_read(0.1, Duration::from_secs(8)),
            Rule::delay(0.1, Duration::from_secs(4)),
        ],
        _ => Vec::new(),
    }
}

/// The rule of a fault in focus; what befalls functions has none.
fn rule(fault: &str) -> Option<Rule> {
    match fault {
        "throttled" => Some(Rule::throttle(0.3)),
        "server error" => Some(Rule::server_error(0.15)),
        "answer lost" => Some(Rule::lose_response(0.2)),
        "timed out" => Some(Rule::time_out(0.1)),
        "late answer" => Some(Rule::delay(0.3, Duration::from_secs(9))),
        "stale read" => Some(Rule::stale_read(0.4, Duration::from_secs(12))),
        "entry missing" => Some(Rule::missing_entry(0.2)),
        "group busy" => Some(Rule::resource_contention(0.3)),
        _ => None,
    }
}

/// Events come late, twice, in another order, or never.
pub(crate) fn mishaps() -> Mishaps {
    Mishaps { late_percent: 5, twice_percent: 5, reordered_percent: 5, lost_percent: 5, ..Mishaps::default() }
}
