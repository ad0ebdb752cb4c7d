//! Reading the environment: each name into its type, every fault noted on the way.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use super::{
    Clusters, MoveStrategy, OnDrainTimeout, OnRecommendation, Replacement, SETTINGS, Settings,
    StandaloneTasks, Takes, bounds, setting,
};
use crate::error::Fault;
use crate::percent::Percent;

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

/// What was given, and what is wrong with it.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) given: BTreeMap<String, String>,
    pub(super) faults: Vec<Fault>,
}

impl Reader {
    pub(super) fn give(&mut self, name: &str, value: OsString) {
        match value.into_string() {
            Ok(value) => drop(self.given.insert(name.to_owned(), value)),
            Err(value) => self.fault(name, format!("is '{}', which is no UTF-8", value.to_string_lossy())),
        }
    }

    pub(super) fn read(&mut self) -> Settings {
        Settings {
            clusters: self.clusters(),
            dry_run: self.flag("EVENKEEL_DRY_RUN"),
            poll_interval: self.duration("EVENKEEL_POLL_INTERVAL"),
            skew_threshold: Percent::new(self.number("EVENKEEL_SKEW_THRESHOLD")),
            max_moves: self.number("EVENKEEL_MAX_MOVES"),
            strategy: self.word("EVENKEEL_MOVE_STRATEGY", &STRATEGIES),
            move_timeout: self.duration("EVENKEEL_MOVE_TIMEOUT"),
            warm_up: self.duration("EVENKEEL_WARM_UP"),
            cooldown: self.duration("EVENKEEL_COOLDOWN"),
            confirm_after: self.duration("EVENKEEL_CONFIRM_AFTER"),
            healthy_after: self.duration("EVENKEEL_HEALTHY_AFTER"),
            replacement: self.word("EVENKEEL_REPLACEMENT", &REPLACEMENTS),
            lifecycle_hook: self.hook_name("EVENKEEL_LIFECYCLE_HOOK"),
            hook_timeout: self.duration("EVENKEEL_HOOK_TIMEOUT"),
            standalone_tasks: self.word("EVENKEEL_STANDALONE_TASKS", &STANDALONE_TASKS),
            on_recommendation: self.word("EVENKEEL_ON_REBALANCE_RECOMMENDATION", &ON_RECOMMENDATION),
            empty_after: self.duration("EVENKEEL_EMPTY_AFTER"),
            spot_notice: self.duration("EVENKEEL_SPOT_NOTICE"),
            surge_percent: self.number("EVENKEEL_SURGE_PERCENT"),
            canary: self.number("EVENKEEL_CANARY"),
            launch_timeout: self.duration("EVENKEEL_LAUNCH_TIMEOUT"),
            drain_timeout: self.duration("EVENKEEL_DRAIN_TIMEOUT"),
            on_drain_timeout: self.word("EVENKEEL_ON_DRAIN_TIMEOUT", &ON_DRAIN_TIMEOUT),
            bake_time: self.duration("EVENKEEL_BAKE_TIME"),
            rollout_timeout: self.duration("EVENKEEL_ROLLOUT_TIMEOUT"),
        }
    }

    pub(super) fn refuse_unknown_names(&mut self) {
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
        self.given.get(name).map_or(setting(name).default, String::as_str).trim().to_owned()
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

    fn hook_name(&mut self, name: &str) -> String {
        let text = self.text(name);
        let is_taken = |it: char| it.is_ascii_alphanumeric() || "-_/".contains(it);
        if text.is_empty() || text.len() > 255 || !text.chars().all(is_taken) {
            let expected =
                "expected up to 255 letters, digits, -, _ or /, as Auto Scaling takes for a lifecycle hook";
            self.fault(name, format!("is '{text}', {expected}"));
        }
        text
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

    fn number(&mut self, name: &str) -> u32 {
        let (text, (least, most)) = (self.text(name), bounds(name));
        match text.parse::<u32>() {
            Ok(number) if (least..=most).contains(&number) => number,
            _ => {
                self.fault(name, format!("is '{text}', expected a whole number from {least} to {most}"));
                least
            }
        }
    }

    fn duration(&mut self, name: &str) -> Duration {
        let text = self.text(name);
        let Takes::Duration(least, most) = setting(name).takes else { unreachable!("{name} is a duration") };
        let bound = |written| humantime::parse_duration(written).unwrap_or_default();
        match humantime::parse_duration(&text) {
            Ok(duration) if (bound(least)..=bound(most)).contains(&duration) => duration,
            _ => {
                let expected = "such as 250ms, 5s or 10m";
                let what = format!("is '{text}', expected a duration from {least} to {most}, {expected}");
                self.fault(name, what);
                Duration::ZERO
            }
        }
    }
}
