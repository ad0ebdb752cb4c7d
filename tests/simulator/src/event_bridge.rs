//! EventBridge between an account and the functions of a test: what reaches a target, when, and how often.
//!
//! From the EventBridge User Guide ("Event patterns", "Creating a rule that runs on a schedule", "Event retry policy")
//! and the Lambda Developer Guide ("Invoking a Lambda function asynchronously"). It reads what the account has
//! emitted, lets each rule decide, draws the mishaps of each delivery from a seed of its own, and hands out what is
//! due; the test driver invokes whatever the rule stands for and says if that failed.
//!
//! Events of ECS and schedules are delivered at least once, everything else on a best-effort basis, so that only the
//! latter can be lost.
//!
//! Simplified: a pattern compares texts of `source`, `detail-type` and first members of `detail`; schedules know rates
//! only, and the first turn comes one period after the first look; handing over to a function always succeeds, so that
//! EventBridge's own retries and dead-letter queues have nothing to do.

mod mishaps;
mod rule;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::account::Account;
use crate::scheduler::emission;
use crate::time::SimTime;

pub use mishaps::{Mishaps, Retries};
pub use rule::Rule;

use mishaps::Fate;

/// How long a delivery that is to be overtaken waits for another to overtake it.
const OVERTAKEN_WITHIN: Duration = Duration::from_secs(30);

/// One invocation of a rule's target.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// When the target is invoked.
    pub at: SimTime,
    /// Name of the rule or schedule.
    pub rule: String,
    /// The JSON document the target gets.
    pub envelope: Value,
    /// Which try of Lambda's this is, counted from one.
    pub attempt: u32,
    /// When the function was first handed the event, from which its age is counted.
    pub accepted_at: SimTime,
}

/// A schedule and its next turn, which is known from the first look on.
#[derive(Clone, Debug)]
struct Schedule {
    name: String,
    period: Duration,
    next: Option<SimTime>,
}

/// The default event bus of one account with its rules.
#[derive(Debug)]
pub struct EventBridge {
    rules: Vec<Rule>,
    schedules: Vec<Schedule>,
    mishaps: Mishaps,
    retries: Retries,
    rng: StdRng,
    /// How many of the account's events have been read.
    read: usize,
    /// Turns of schedules so far, for their ids.
    turns: u64,
    /// What is under way, by moment and order of dispatch.
    pending: BTreeMap<(SimTime, u64), Delivery>,
    /// Deliveries so far, for the order among those of one moment.
    dispatched: u64,
    /// By rule: the delivery that the next one overtakes.
    overtaken: BTreeMap<String, (SimTime, u64)>,
}

impl EventBridge {
    /// A bus without rules whose every mishap follows from `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            rules: Vec::new(),
            schedules: Vec::new(),
            mishaps: Mishaps::default(),
            retries: Retries::default(),
            rng: StdRng::seed_from_u64(seed ^ 0xb1d6),
            read: 0,
            turns: 0,
            pending: BTreeMap::new(),
            dispatched: 0,
            overtaken: BTreeMap::new(),
        }
    }

    /// Adds a rule.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Sets what goes wrong on the way.
    #[must_use]
    pub fn mishaps(mut self, mishaps: Mishaps) -> Self {
        self.mishaps = mishaps;
        self
    }

    /// Adds a schedule with `rate(…)`; in whole minutes, as EventBridge has it, unless a test is in a hurry.
    #[must_use]
    pub fn schedule(mut self, name: &str, period: Duration) -> Self {
        self.schedules.push(Schedule { name: name.to_owned(), period, next: None });
        self
    }

    /// Sets how the targets' functions retry an event that failed.
    #[must_use]
    pub fn retries(mut self, retries: Retries) -> Self {
        self.retries = retries;
        self
    }

    /// What is to be invoked up to the account's present, oldest first; each delivery is handed out once.
    pub fn due(&mut self, account: &Account) -> Vec<Delivery> {
        for event in account.events.iter().skip(self.read) {
            self.publish(event.at, &event.envelope);
        }
        self.read = self.read.max(account.events.len());
        self.turn_schedules(account);
        let later = self.pending.split_off(&(account.now + Duration::from_millis(1), 0));
        std::mem::replace(&mut self.pending, later).into_values().collect()
    }

    /// The function failed on this delivery: Lambda tries again after one minute and then after two, unless its
    /// settings forbid it. Tells whether it will.
    pub fn failed(&mut self, delivery: &Delivery, now: SimTime) -> bool {
        let at = now + Duration::from_mins(u64::from(delivery.attempt));
        let too_old = at.since(delivery.accepted_at) > self.retries.maximum_event_age;
        if delivery.attempt > self.retries.maximum_retry_attempts || too_old {
            return false;
        }
        self.dispatch(Delivery { at, attempt: delivery.attempt + 1, ..delivery.clone() });
        true
    }

    /// Offers an event to all rules.
    fn publish(&mut self, at: SimTime, envelope: &Value) {
        let matching = self.rules.iter().filter(|rule| rule.matches(envelope));
        for name in matching.map(|rule| rule.name.clone()).collect::<Vec<_>>() {
            self.send(at, &name, envelope, envelope["source"] != "aws.ecs");
        }
    }

    fn turn_schedules(&mut self, account: &Account) {
        let mut turns = Vec::new();
        for schedule in &mut self.schedules {
            let mut next = schedule.next.unwrap_or(account.now + schedule.period);
            while next <= account.now {
                turns.push((next, schedule.name.clone()));
                next = next + schedule.period;
            }
            schedule.next = Some(next);
        }
        for (at, name) in turns {
            self.turns += 1;
            let envelope = scheduled_event(account, at, &name, self.turns);
            self.send(at, &name, &envelope, false);
        }
    }

    /// Sends an event on its way to one target.
    fn send(&mut self, at: SimTime, rule: &str, envelope: &Value, may_be_lost: bool) {
        let Fate { delay, lost, again_after, overtaken } = self.mishaps.draw(&mut self.rng);
        if lost && may_be_lost {
            return;
        }
        let at = at + delay;
        let delivery = |at| Delivery {
            at,
            rule: rule.to_owned(),
            envelope: envelope.clone(),
            attempt: 1,
            accepted_at: at,
        };
        self.release_overtaken(rule, at);
        if overtaken {
            let place = self.dispatch(delivery(at + OVERTAKEN_WITHIN));
            self.overtaken.insert(rule.to_owned(), place);
        } else {
            self.dispatch(delivery(at));
        }
        if let Some(after) = again_after {
            self.dispatch(delivery(at + after));
        }
    }

    /// Puts the delivery that waits to be overtaken right behind the one that overtakes it now.
    fn release_overtaken(&mut self, rule: &str, at: SimTime) {
        let waiting = self.overtaken.remove(rule).and_then(|place| self.pending.remove(&place));
        let Some(waiting) = waiting else { return };
        let behind = waiting.at.min(at + Duration::from_millis(1));
        self.dispatch(Delivery { at: behind, accepted_at: behind, ..waiting });
    }

    fn dispatch(&mut self, delivery: Delivery) -> (SimTime, u64) {
        self.dispatched += 1;
        let place = (delivery.at, self.dispatched);
        self.pending.insert(place, delivery);
        place
    }
}

/// The "Scheduled Event" of one turn.
fn scheduled_event(account: &Account, at: SimTime, rule: &str, turn: u64) -> Value {
    let id = format!("5c000000-0000-4000-8000-{turn:012x}");
    let arn = format!("arn:aws:events:{}:{}:rule/{rule}", account.region, account.account_id);
    let kind = ("Scheduled Event", "aws.events");
    emission::envelope(account, (id, at), kind, &[arn], &json!({}))
}
