//! Settings: read once at cold start from the environment into types, with every fault named in one error.
//!
//! [`SETTINGS`] is the one table of names, defaults and meanings.
//! An unknown name that begins with `EVENKEEL_` is a fault: a misspelt safety setting must not be ignored.

mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::error::{Error, Fault};
use crate::percent::Percent;

pub use table::{SETTINGS, Setting};

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

const ON_DRAIN_TIMEOUT: [(&str, OnDrainTimeout); 3] = [
    ("rollback", OnDrainTimeout::Rollback),
    ("hold", OnDrainTimeout::Hold),
    ("force", OnDrainTimeout::Force),
];

const STRATEGIES: [(&str, MoveStrategy); 2] = [("surge", MoveStrategy::Surge), ("stop", MoveStrategy::Stop)];
const REPLACEMENTS: [(&str, Replacement); 5] = [
    ("auto", Replacement::Auto),
    ("terminate", Replacement::Terminate),
    ("detach", Replacement::Detach),
    ("surge", Replacement::Surge),
    ("none", Replacement::None),
];
const STANDALONE_TASKS: [(&str, StandaloneTasks); 3] =
    [("auto", StandaloneTasks::Auto), ("stop", StandaloneTasks::Stop), ("wait", StandaloneTasks::Wait)];
const ON_RECOMMENDATION: [(&str, OnRecommendation); 2] =
    [("ignore", OnRecommendation::Ignore), ("replace", OnRecommendation::Replace)];

/// Least and greatest skew threshold in percent. Above 1,000 nothing would ever be moved unseen.
const SKEW_THRESHOLDS: (u32, u32) = (1, 1000);
/// Least and greatest move budget; the upper bound keeps one invocation from restarting a whole account.
const SURGE_PERCENTS: (u32, u32) = (1, 100);
const CANARIES: (u32, u32) = (0, 100);
const MOVES: (u32, u32) = (1, 1000);

impl Settings {
    /// Reads the process environment: the only place that does.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_pairs(std::env::vars())
    }

    /// Reads name-value pairs, which tests inject. Names that do not begin with `EVENKEEL_` are not ours.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, Error> {
        let ours = pairs.into_iter().filter(|(name, _)| name.starts_with("EVENKEEL_")).collect();
        let mut reader = Reader { given: ours, faults: Vec::new() };
        reader.refuse_unknown_names();
        let settings = reader.read();
        if reader.faults.is_empty() { Ok(settings) } else { Err(Error::Settings(reader.faults)) }
    }
}

struct Reader {
    given: BTreeMap<String, String>,
    faults: Vec<Fault>,
}

impl Reader {
    fn read(&mut self) -> Settings {
        Settings {
            clusters: self.clusters(),
            dry_run: self.flag("EVENKEEL_DRY_RUN"),
            poll_interval: self.duration("EVENKEEL_POLL_INTERVAL", "100ms", "5m"),
            skew_threshold: Percent::new(self.number("EVENKEEL_SKEW_THRESHOLD", SKEW_THRESHOLDS)),
            max_moves: self.number("EVENKEEL_MAX_MOVES", MOVES),
            strategy: self.word("EVENKEEL_MOVE_STRATEGY", &STRATEGIES),
            move_timeout: self.duration("EVENKEEL_MOVE_TIMEOUT", "1s", "12h"),
            warm_up: self.duration("EVENKEEL_WARM_UP", "0s", "24h"),
            cooldown: self.duration("EVENKEEL_COOLDOWN", "0s", "24h"),
            confirm_after: self.duration("EVENKEEL_CONFIRM_AFTER", "0s", "10m"),
            healthy_after: self.duration("EVENKEEL_HEALTHY_AFTER", "0s", "1h"),
            replacement: self.word("EVENKEEL_REPLACEMENT", &REPLACEMENTS),
            lifecycle_hook: self.text("EVENKEEL_LIFECYCLE_HOOK"),
            hook_timeout: self.duration("EVENKEEL_HOOK_TIMEOUT", "1m", "48h"),
            standalone_tasks: self.word("EVENKEEL_STANDALONE_TASKS", &STANDALONE_TASKS),
            on_recommendation: self.word("EVENKEEL_ON_REBALANCE_RECOMMENDATION", &ON_RECOMMENDATION),
            empty_after: self.duration("EVENKEEL_EMPTY_AFTER", "0s", "10m"),
            spot_notice: self.duration("EVENKEEL_SPOT_NOTICE", "5s", "10m"),
            surge_percent: self.number("EVENKEEL_SURGE_PERCENT", SURGE_PERCENTS),
            canary: self.number("EVENKEEL_CANARY", CANARIES),
            launch_timeout: self.duration("EVENKEEL_LAUNCH_TIMEOUT", "10s", "4h"),
            drain_timeout: self.duration("EVENKEEL_DRAIN_TIMEOUT", "10s", "24h"),
            on_drain_timeout: self.word("EVENKEEL_ON_DRAIN_TIMEOUT", &ON_DRAIN_TIMEOUT),
            bake_time: self.duration("EVENKEEL_BAKE_TIME", "0s", "24h"),
            rollout_timeout: self.duration("EVENKEEL_ROLLOUT_TIMEOUT", "1m", "7d"),
        }
    }

    fn refuse_unknown_names(&mut self) {
        let unknown = self.given.keys().filter(|name| SETTINGS.iter().all(|setting| setting.name != *name));
        for name in unknown.cloned().collect::<Vec<_>>() {
            self.fault(&name, "there is no such setting".to_owned());
        }
    }

    fn fault(&mut self, at: &str, what: String) {
        self.faults.push(Fault { at: at.to_owned(), what });
    }

    /// What was given, else the default from the table; the two take the same way, so a default is checked too.
    fn text(&self, name: &str) -> String {
        let default =
            || SETTINGS.iter().find(|setting| setting.name == name).map_or("", |setting| setting.default);
        self.given.get(name).map_or_else(default, String::as_str).trim().to_owned()
    }

    fn clusters(&mut self) -> Clusters {
        let text = self.given.get("EVENKEEL_CLUSTERS").cloned().unwrap_or_default();
        let named: Vec<String> =
            text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
        if named.is_empty() {
            self.fault("EVENKEEL_CLUSTERS", "is required: cluster names or ARNs, or *".to_owned());
        }
        if named == ["*"] { Clusters::All } else { Clusters::Named(named) }
    }

    fn flag(&mut self, name: &str) -> bool {
        match self.text(name).as_str() {
            "true" => true,
            "false" => false,
            other => {
                self.fault(name, format!("is '{other}', expected true or false"));
                true
            }
        }
    }

    /// One of a few words; the first is as good as any once a fault is noted.
    fn word<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> T {
        let text = self.text(name);
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return *value;
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        self.fault(name, format!("is '{text}', expected one of {}", known.join(", ")));
        words[0].1
    }

    fn number(&mut self, name: &str, (least, most): (u32, u32)) -> u32 {
        let text = self.text(name);
        match text.parse::<u32>() {
            Ok(number) if (least..=most).contains(&number) => number,
            _ => {
                self.fault(name, format!("is '{text}', expected a whole number from {least} to {most}"));
                least
            }
        }
    }

    fn duration(&mut self, name: &str, least: &str, most: &str) -> Duration {
        let text = self.text(name);
        let bound = |written| humantime::parse_duration(written).unwrap_or_default();
        match humantime::parse_duration(&text) {
            Ok(duration) if (bound(least)..=bound(most)).contains(&duration) => duration,
            _ => {
                self.fault(
                    name,
                    format!(
                        "is '{text}', expected a duration from {least} to {most}, such as 250ms, 5s or 10m"
                    ),
                );
                Duration::ZERO
            }
        }
    }
}

/// Checks a threshold given by a command against the same bounds as the setting.
pub fn skew_threshold(percent: i64) -> Result<Percent, Fault> {
    bounded(percent, SKEW_THRESHOLDS, "skewThreshold").map(Percent::new)
}

/// Checks a move budget given by a command against the same bounds as the setting.
pub fn max_moves(moves: i64) -> Result<u32, Fault> {
    bounded(moves, MOVES, "maxMoves")
}

/// Checks a surge given by a command against the same bounds as the setting.
pub fn surge_percent(percent: i64) -> Result<u32, Fault> {
    bounded(percent, SURGE_PERCENTS, "surgePercent")
}

fn bounded(number: i64, (least, most): (u32, u32), at: &str) -> Result<u32, Fault> {
    u32::try_from(number).ok().filter(|number| (least..=most).contains(number)).ok_or_else(|| Fault {
        at: at.to_owned(),
        what: format!("is {number}, expected a whole number from {least} to {most}"),
    })
}
