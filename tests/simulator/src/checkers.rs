//! The promises, checked after every tick, and what a run cost.
//!
//! A checker looks at the account from outside, as an auditor who sees everything and knows nothing of what
//! Evenkeel meant, apart from the public record of a move in the tag `evenkeel:move`. It holds Evenkeel to
//! account for two kinds of stops only: those somebody asked for by `StopTask`, and those that follow from a
//! lowered desired count. Both are taken for Evenkeel's, unless a test says with `leave_to_others` that
//! somebody else is at work there.

mod drains;
mod hands_off;
mod kill_on_doubt;
mod left_over;
mod measures;
mod never_below;
mod record;
mod surge_bound;
mod survey;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::account::Account;
use crate::time::SimTime;
use hands_off::HandsOff;
use kill_on_doubt::KillOnDoubt;
use never_below::NeverBelow;
use survey::Watch;

pub use drains::{Drain, Drains, Sign};
pub use left_over::{Baseline, left_over};
pub use measures::{Measures, OfService};

/// One broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When.
    pub at: SimTime,
    /// Which checker says so.
    pub checker: &'static str,
    /// The service (`cluster/service`), task or container instance.
    pub subject: String,
    /// What is wrong, one sentence without a full stop.
    pub what: String,
}

/// All checkers and measures over one run.
#[derive(Clone, Debug)]
pub struct Checkers {
    baseline: Baseline,
    watch: Watch,
    never_below: NeverBelow,
    hands_off: HandsOff,
    kill_on_doubt: KillOnDoubt,
    drains: Drains,
    measures: Measures,
    left_to_others: BTreeSet<String>,
    violations: Vec<Violation>,
}

impl Checkers {
    /// Begins to watch; what is protected or drained now is taken for somebody else's.
    pub fn new(account: &Account) -> Self {
        Self {
            baseline: Baseline::of(account),
            watch: Watch::new(account),
            never_below: NeverBelow::default(),
            hands_off: HandsOff::new(account),
            kill_on_doubt: KillOnDoubt::new(account),
            drains: Drains::new(account),
            measures: Measures::default(),
            left_to_others: BTreeSet::new(),
            violations: Vec::new(),
        }
    }

    /// Looks at the account; to be called once after every tick.
    pub fn check(&mut self, account: &Account) {
        let survey = self.watch.look(account);
        let mut found = self.never_below.check(&survey);
        found.extend(surge_bound::check(&survey));
        found.extend(self.hands_off.check(account, &survey));
        found.extend(self.kill_on_doubt.check(account));
        self.drains.look(account, &survey);
        found.retain(|violation| !self.left_to_others.contains(&violation.subject));
        self.violations.append(&mut found);
        self.measures.add(&survey);
    }

    /// Lets `StopTask` go down to `minimumHealthyPercent` of the desired count, the named exception of the
    /// `stop` strategy.
    pub fn allow_stop_strategy(&mut self) {
        self.never_below.stop_strategy = true;
    }

    /// Lets a machine be ended by a call this long before its Spot reclaim, whatever still runs on it.
    pub fn allow_kill_before_reclaim(&mut self, margin: Duration) {
        self.kill_on_doubt.margin = margin;
    }

    /// Lets this machine be ended by a call from this moment on, whatever still runs on it.
    pub fn allow_kill_from(&mut self, ec2_instance_id: &str, at: SimTime) {
        self.kill_on_doubt.deadlines.insert(ec2_instance_id.to_owned(), at);
    }

    /// Somebody else completes the actions of this lifecycle hook.
    pub fn foreign_hook(&mut self, name: &str) {
        self.kill_on_doubt.foreign_hooks.insert(name.to_owned());
    }

    /// Somebody else has given an Auto Scaling group this minimum, desired and maximum size, which are then to be left.
    pub fn others_resized(&mut self, group: &str, sizes: (u32, u32, u32)) {
        self.baseline.others_resized(group, sizes);
    }

    /// Somebody else scales this service (`cluster/service`), stops this task (ARN) or ends this machine (EC2 instance
    /// id): nothing there is Evenkeel's doing.
    pub fn leave_to_others(&mut self, subject: &str) {
        self.left_to_others.insert(subject.to_owned());
    }

    /// Somebody else has protected this task since the start, or has just changed the protection.
    pub fn foreign_protection(&mut self, account: &Account, task_arn: &str) {
        self.hands_off.protected_by_others(account, task_arn);
    }

    /// Somebody else has set this container instance to DRAINING.
    pub fn foreign_drain(&mut self, container_instance_arn: &str) {
        self.hands_off.drained_by_others(container_instance_arn);
    }

    /// Somebody else has just set this container instance to ACTIVE again: what ECS started for it is too much now, and
    /// what it stops for that is not Evenkeel's doing.
    pub fn foreign_drain_ended(&mut self, container_instance_arn: &str) {
        self.hands_off.drain_ended_by_others(container_instance_arn);
        self.never_below.scale_in_by_others();
    }

    /// Everything found so far, oldest first.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// What the run has cost so far.
    pub fn measures(&self) -> &Measures {
        &self.measures
    }

    /// What became of the machines that were warned, held or ended.
    pub fn drains(&self) -> &Drains {
        &self.drains
    }

    /// What of Evenkeel's doing is still there, compared with the moment the watch began.
    pub fn left_over(&self, account: &Account) -> Vec<String> {
        left_over(account, &self.baseline)
    }
}
