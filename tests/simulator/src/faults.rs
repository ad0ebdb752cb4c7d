//! What can go wrong between a caller and the account, as rules with a probability.
//!
//! Rules are consulted in the order of their installation, and the first that strikes decides. A rule may be
//! limited to some operations and to a window of account time. All dice come from the simulator's seed.
//!
//! Not here: throttling by the published token buckets (`throttle.rs`, always on) and a caller that dies
//! (`Simulator::kill_after`).

mod answers;

use std::collections::BTreeSet;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

use crate::time::SimTime;
use crate::wire::{ApiError, Service};

pub use answers::{miss_an_entry, unsettle};

/// How long a call hangs under `Fault::TimeOut` until the network gives up on it. Longer than any sensible
/// client timeout, and finite, because no connection hangs for ever.
pub const HANG: Duration = Duration::from_secs(75);

/// One way in which a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The API says "Rate exceeded".
    Throttle,
    /// The API answers 500.
    ServerError,
    /// A write takes effect and a read is done, but the connection breaks before the response.
    LoseResponse,
    /// The response comes later by this much.
    Delay(Duration),
    /// A read is answered from the account as it was this long ago; at most `HISTORY`. Writes are not
    /// affected.
    StaleRead(Duration),
    /// The request goes nowhere, and the caller learns so by its own timeout, or after `HANG`.
    TimeOut,
    /// The caller is not allowed to do that.
    Deny,
    /// In a describe call, one entry is answered as a failure with reason MISSING; `DescribeAutoScalingInstances` leaves
    /// it out. Other calls are not affected.
    MissingEntry,
    /// A page behind the first one leaves out the entry that it should begin with, as where the list has changed
    /// between two calls. Only lists of ARNs are affected.
    SkippedEntry,
    /// Such a page names that entry twice.
    RepeatedEntry,
    /// Auto Scaling says that a scaling activity blocks the call.
    ScalingActivityInProgress,
    /// Auto Scaling says, with status 500, that an update is pending already.
    ResourceContention,
}

/// How much of the account's past is kept for stale reads.
pub const HISTORY: Duration = Duration::from_secs(30);

/// A fault, its probability, and where it applies.
#[derive(Clone, Debug)]
pub struct Rule {
    fault: Fault,
    probability: f64,
    operations: BTreeSet<String>,
    from: SimTime,
    until: SimTime,
}

impl Rule {
    /// This fault, on every operation, at any time.
    pub fn new(fault: Fault, probability: f64) -> Self {
        let (from, until) = (SimTime(i64::MIN), SimTime(i64::MAX));
        Self { fault, probability, operations: BTreeSet::new(), from, until }
    }

    /// Throttles with this probability.
    pub fn throttle(probability: f64) -> Self {
        Self::new(Fault::Throttle, probability)
    }

    /// Answers 500 with this probability.
    pub fn server_error(probability: f64) -> Self {
        Self::new(Fault::ServerError, probability)
    }

    /// Loses the response of a call that took effect.
    pub fn lose_response(probability: f64) -> Self {
        Self::new(Fault::LoseResponse, probability)
    }

    /// Delays the response.
    pub fn delay(probability: f64, by: Duration) -> Self {
        Self::new(Fault::Delay(by), probability)
    }

    /// Answers reads from the past.
    pub fn stale_read(probability: f64, age: Duration) -> Self {
        Self::new(Fault::StaleRead(age.min(HISTORY)), probability)
    }

    /// Lets calls hang without effect.
    pub fn time_out(probability: f64) -> Self {
        Self::new(Fault::TimeOut, probability)
    }

    /// Denies one operation, always.
    pub fn deny(operation: &str) -> Self {
        Self::new(Fault::Deny, 1.0).on(&[operation])
    }

    /// Answers one entry of a describe call as MISSING.
    pub fn missing_entry(probability: f64) -> Self {
        Self::new(Fault::MissingEntry, probability)
    }

    /// Leaves an entry out between two pages of a list.
    pub fn skipped_entry(probability: f64) -> Self {
        Self::new(Fault::SkippedEntry, probability).on(&PAGED)
    }

    /// Names an entry twice between two pages of a list.
    pub fn repeated_entry(probability: f64) -> Self {
        Self::new(Fault::RepeatedEntry, probability).on(&PAGED)
    }

    /// Refuses changes of an Auto Scaling group because an activity is under way, in the operations that may say so.
    pub fn scaling_activity_in_progress(probability: f64) -> Self {
        let operations =
            ["SetDesiredCapacity", "UpdateAutoScalingGroup", "TerminateInstanceInAutoScalingGroup"];
        Self::new(Fault::ScalingActivityInProgress, probability).on(&operations)
    }

    /// Refuses Auto Scaling calls because an update is pending.
    pub fn resource_contention(probability: f64) -> Self {
        Self::new(Fault::ResourceContention, probability)
    }

    /// The same rule, for these operations only.
    #[must_use]
    pub fn on(mut self, operations: &[&str]) -> Self {
        self.operations.extend(operations.iter().map(|&operation| operation.to_owned()));
        self
    }

    /// The same rule, from one moment until just before another.
    #[must_use]
    pub fn between(mut self, from: SimTime, until: SimTime) -> Self {
        (self.from, self.until) = (from, until);
        self
    }

    fn covers(&self, operation: &str, now: SimTime) -> bool {
        let named = self.operations.is_empty() || self.operations.contains(operation);
        named && self.from <= now && now < self.until
    }
}

/// The installed rules.
#[derive(Clone, Debug, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Installs a rule behind the others.
    pub fn install(&mut self, rule: Rule) {
        self.0.push(rule);
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether the past must be kept.
    pub fn need_history(&self) -> bool {
        self.0.iter().any(|rule| matches!(rule.fault, Fault::StaleRead(_)))
    }

    /// The fault that strikes this call, if any.
    pub fn verdict(&self, operation: &str, now: SimTime, dice: &mut StdRng) -> Option<Fault> {
        let covering = self.0.iter().filter(|rule| rule.covers(operation, now));
        covering
            .filter(|rule| dice.random_bool(rule.probability.clamp(0.0, 1.0)))
            .map(|rule| rule.fault)
            .next()
    }
}

impl Fault {
    /// The error that this fault is, if the call does not happen and the service has such an error.
    pub fn error(self, service: Service) -> Option<ApiError> {
        let of_auto_scaling = service == Service::AutoScaling;
        match self {
            Self::Throttle => Some(ApiError::throttled(service)),
            Self::ServerError => Some(ApiError::server(service)),
            Self::ScalingActivityInProgress if of_auto_scaling => {
                Some(ApiError::activity_in_progress("00000000-0000-4000-8000-000000000000"))
            }
            Self::ResourceContention if of_auto_scaling => Some(ApiError::resource_contention()),
            _ => None,
        }
    }
}

/// Lists of ARNs that come in pages.
const PAGED: [&str; 3] = ["ListContainerInstances", "ListServices", "ListTasks"];

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn verdict(rules: &Rules, operation: &str, at: i64) -> Option<Fault> {
        rules.verdict(operation, SimTime(at), &mut StdRng::seed_from_u64(1))
    }

    #[test]
    fn the_first_rule_that_strikes_decides() {
        let mut rules = Rules::default();
        rules.install(Rule::throttle(0.0));
        rules.install(Rule::deny("StopTask"));
        rules.install(Rule::server_error(1.0));
        assert_eq!(verdict(&rules, "StopTask", 0), Some(Fault::Deny));
        assert_eq!(verdict(&rules, "ListTasks", 0), Some(Fault::ServerError));
    }

    #[test]
    fn a_window_ends_just_before_its_end() {
        let mut rules = Rules::default();
        rules.install(Rule::throttle(1.0).between(SimTime(10), SimTime(20)));
        let struck: Vec<i64> =
            [9, 10, 19, 20].into_iter().filter(|&at| verdict(&rules, "X", at).is_some()).collect();
        assert_eq!(struck, [10, 19]);
    }

    #[test]
    fn probabilities_are_about_right_and_repeatable() {
        let mut rules = Rules::default();
        rules.install(Rule::throttle(0.3));
        let run = || {
            let mut dice = StdRng::seed_from_u64(7);
            (0..1000).filter(|_| rules.verdict("X", SimTime(0), &mut dice).is_some()).count()
        };
        assert_eq!(run(), run());
        assert!((250..350).contains(&run()), "{}", run());
    }

    #[test]
    fn faults_of_auto_scaling_are_errors_there_and_nowhere_else() {
        let mut rules = Rules::default();
        rules.install(Rule::scaling_activity_in_progress(1.0));
        assert_eq!(verdict(&rules, "DetachInstances", 0), None, "its page does not list the error");
        let blocked = verdict(&rules, "SetDesiredCapacity", 0).unwrap();
        let error = |fault: Fault| fault.error(Service::AutoScaling).map(|it| (it.code, it.status));
        assert_eq!(error(blocked), Some(("ScalingActivityInProgress".to_owned(), 400)));
        assert_eq!(error(Fault::ResourceContention), Some(("ResourceContention".to_owned(), 500)));
        assert_eq!(Fault::ResourceContention.error(Service::Ecs), None);
    }
}
