//! Settings: read once at cold start from the environment into types, with every fault named in one error.
//!
//! [`SETTINGS`] is the one table of names, defaults and meanings.
//! An unknown name that begins with `EVENKEEL_` is a fault: a misspelt safety setting must not be ignored.

mod reader;
mod table;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::time::Duration;

use serde::Serialize;

use crate::error::{Error, Fault};
use crate::percent::Percent;

use reader::Reader;
pub use table::{SETTINGS, Setting, Takes};

/// Which clusters an invocation without a command is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clusters {
    /// Every cluster of the Region.
    All,
    /// These names or ARNs.
    Named(Vec<String>),
}

/// How a task is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum MoveStrategy {
    /// One more task first; then the chosen one leaves by scale-in.
    Surge,
    /// The chosen task is stopped and ECS replaces it, where the service allows that; elsewhere as above.
    Stop,
}

/// How the substitute of a drained instance is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Replacement {
    /// By what is safe in its group.
    Auto,
    /// Only where a lifecycle hook holds the instance until it is empty.
    Terminate,
    /// By taking an interrupted instance out of its group, whatever hooks there are.
    Detach,
    /// By one instance more for a while: the drained one goes on standby, and ends once it is empty.
    Surge,
    /// Not at all.
    None,
}

/// What becomes of tasks that no service replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum StandaloneTasks {
    /// Stopped on an interruption, so that they get their SIGTERM in time; else waited for.
    Auto,
    /// Stopped.
    Stop,
    /// Waited for.
    Wait,
}

/// What a rebalance recommendation leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum OnRecommendation {
    /// Nothing.
    Ignore,
    /// The instance is drained and replaced.
    Replace,
}

/// What becomes of a rollout whose old instances do not get empty in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum OnDrainTimeout {
    /// It is taken back.
    Rollback,
    /// It waits for a person.
    Hold,
    /// They are terminated with what is left on them.
    Force,
}

/// The parsed settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `EVENKEEL_CLUSTERS`.
    pub clusters: Clusters,
    /// `EVENKEEL_DRY_RUN`.
    pub dry_run: bool,
    /// `EVENKEEL_POLL_INTERVAL`.
    pub poll_interval: Duration,
    /// `EVENKEEL_SKEW_THRESHOLD`.
    pub skew_threshold: Percent,
    /// `EVENKEEL_MAX_MOVES`.
    pub max_moves: u32,
    /// `EVENKEEL_MOVE_STRATEGY`.
    pub strategy: MoveStrategy,
    /// `EVENKEEL_MOVE_TIMEOUT`.
    pub move_timeout: Duration,
    /// `EVENKEEL_WARM_UP`.
    pub warm_up: Duration,
    /// `EVENKEEL_COOLDOWN`.
    pub cooldown: Duration,
    /// `EVENKEEL_CONFIRM_AFTER`.
    pub confirm_after: Duration,
    /// `EVENKEEL_HEALTHY_AFTER`.
    pub healthy_after: Duration,
    /// `EVENKEEL_REPLACEMENT`.
    pub replacement: Replacement,
    /// `EVENKEEL_LIFECYCLE_HOOK`.
    pub lifecycle_hook: String,
    /// `EVENKEEL_HOOK_TIMEOUT`.
    pub hook_timeout: Duration,
    /// `EVENKEEL_STANDALONE_TASKS`.
    pub standalone_tasks: StandaloneTasks,
    /// `EVENKEEL_ON_REBALANCE_RECOMMENDATION`.
    pub on_recommendation: OnRecommendation,
    /// `EVENKEEL_EMPTY_AFTER`.
    pub empty_after: Duration,
    /// `EVENKEEL_SPOT_NOTICE`.
    pub spot_notice: Duration,
    /// `EVENKEEL_SURGE_PERCENT`.
    pub surge_percent: u32,
    /// `EVENKEEL_CANARY`.
    pub canary: u32,
    /// `EVENKEEL_LAUNCH_TIMEOUT`.
    pub launch_timeout: Duration,
    /// `EVENKEEL_DRAIN_TIMEOUT`.
    pub drain_timeout: Duration,
    /// `EVENKEEL_ON_DRAIN_TIMEOUT`.
    pub on_drain_timeout: OnDrainTimeout,
    /// `EVENKEEL_BAKE_TIME`.
    pub bake_time: Duration,
    /// `EVENKEEL_ROLLOUT_TIMEOUT`.
    pub rollout_timeout: Duration,
}

/// An invocation that watches for so long is over before the next of a minute schedule begins.
const MINUTE_SCHEDULE: Duration = Duration::from_secs(50);

impl Settings {
    /// Reads the process environment: the only place that does.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_pairs(std::env::vars_os())
    }

    /// How long an invocation of the minute schedule watches: ten pauses but no longer than the schedule's minute, and long
    /// enough for two looks to agree, since what one invocation has seen the next does not know. Nobody gains by several
    /// that watch the same, and all of them draw from the account's request buckets.
    pub fn watch_time(&self) -> Duration {
        (self.poll_interval * 10).min(MINUTE_SCHEDULE).max(self.empty_after * 2 + self.poll_interval * 2)
    }

    /// How long it goes on while two looks have yet to agree.
    pub fn confirming_time(&self) -> Duration {
        self.watch_time() * 2
    }

    /// Reads name-value pairs, which tests inject. Names that do not begin with `EVENKEEL_` are not ours. An environment may
    /// hold any bytes.
    pub fn from_pairs<T: Into<OsString>>(pairs: impl IntoIterator<Item = (T, T)>) -> Result<Self, Error> {
        let mut reader = Reader::default();
        for (name, value) in pairs.into_iter().map(|(name, value)| (name.into(), value.into())) {
            let name = name.to_string_lossy();
            if name.starts_with("EVENKEEL_") {
                reader.give(&name, value);
            }
        }
        reader.refuse_unknown_names();
        let settings = reader.read();
        if reader.faults.is_empty() { Ok(settings) } else { Err(Error::Settings(reader.faults)) }
    }
}

/// The setting of a name that the code itself gives.
fn setting(name: &str) -> &'static Setting {
    SETTINGS.iter().find(|it| it.name == name).expect("every setting that is read is in the table")
}

/// The bounds of a number.
fn bounds(name: &str) -> (u32, u32) {
    match setting(name).takes {
        Takes::Number(least, most) => (least, most),
        _ => unreachable!("{name} is a number"),
    }
}

/// Checks a threshold given by a command against the same bounds as the setting.
pub fn skew_threshold(percent: i64) -> Result<Percent, Fault> {
    bounded(percent, "EVENKEEL_SKEW_THRESHOLD", "skewThreshold").map(Percent::new)
}

/// Checks a move budget given by a command against the same bounds as the setting.
pub fn max_moves(moves: i64) -> Result<u32, Fault> {
    bounded(moves, "EVENKEEL_MAX_MOVES", "maxMoves")
}

/// Checks a surge given by a command against the same bounds as the setting.
pub fn surge_percent(percent: i64) -> Result<u32, Fault> {
    bounded(percent, "EVENKEEL_SURGE_PERCENT", "surgePercent")
}

fn bounded(number: i64, name: &str, at: &str) -> Result<u32, Fault> {
    let (least, most) = bounds(name);
    u32::try_from(number).ok().filter(|number| (least..=most).contains(number)).ok_or_else(|| Fault {
        at: at.to_owned(),
        what: format!("is {number}, expected a whole number from {least} to {most}"),
    })
}
