//! What an invocation is asked to do.
//!
//! `{}` and a `Scheduled Event` go on with every rollout that is under way and start none. Everything else is a command:
//! `{"action":"start","autoScalingGroup":"web-asg","cluster":"web"}`, with `dryRun`, `surgePercent`, `bakeTime` (a duration
//! such as `10m`) and `onlyIfDrifted` if wanted; `{"action":"status","autoScalingGroup":"web-asg"}`, and `abort` and `resume`
//! likewise.

#[cfg(test)]
mod tests;

use std::time::Duration;

use evenkeel::error::{Error, Fault};
use evenkeel::ids::{ClusterName, GroupName};
use evenkeel::plan::rollout::record::{Selection, Terms};
use evenkeel::settings::{self, Settings};
use serde::Deserialize;
use serde_json::Value;

/// The longest bake that a command may ask for, as in the settings.
const BAKE_MAX: Duration = Duration::from_hours(24);

/// A parsed event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Go on with everything that is under way.
    Reconcile,
    /// Begin one, or join the one that is under way.
    Start {
        /// Which group.
        group: GroupName,
        /// Where its instances are registered.
        cluster: ClusterName,
        /// On which terms.
        terms: Terms,
        /// Report only.
        dry_run: bool,
    },
    /// Say where it stands.
    Status(GroupName),
    /// Have it end.
    Abort(GroupName),
    /// Go on with one.
    Resume(GroupName),
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    action: Option<String>,
    auto_scaling_group: Option<String>,
    cluster: Option<String>,
    dry_run: Option<bool>,
    surge_percent: Option<i64>,
    bake_time: Option<String>,
    only_if_drifted: Option<bool>,
}

/// Parses an event; every fault is named, and nothing was done.
pub fn parse(event: Value, region: &str, settings: &Settings) -> Result<Command, Error> {
    match event.get("detail-type") {
        Some(kind) if kind == "Scheduled Event" => Ok(Command::Reconcile),
        Some(kind) => {
            let kind = kind.as_str().map_or_else(|| kind.to_string(), str::to_owned);
            Err(Error::event("detail-type", format!("is '{kind}', which this function does not know")))
        }
        // The members of an array would be taken for those of an object in their order.
        None if !event.is_object() => Err(Error::event("event", "cannot be read: it is no JSON object")),
        None => command(event, region, settings),
    }
}

fn command(event: Value, region: &str, settings: &Settings) -> Result<Command, Error> {
    if event.as_object().is_some_and(serde_json::Map::is_empty) {
        return Ok(Command::Reconcile);
    }
    let fields: Fields = serde_path_to_error::deserialize(event).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." || path.is_empty() { "event".to_owned() } else { path };
        Error::event(&place, format!("cannot be read: {}", error.into_inner()))
    })?;
    let mut faults = Vec::new();
    let command = chosen(&fields, region, settings, &mut faults);
    command.filter(|_| faults.is_empty()).ok_or(Error::Event(faults))
}

fn chosen(fields: &Fields, region: &str, settings: &Settings, faults: &mut Vec<Fault>) -> Option<Command> {
    let action = fields.action.clone();
    if action.as_deref() != Some("start") {
        refuse_terms(fields, faults);
    }
    let group = fields.auto_scaling_group.clone();
    match (action.as_deref(), group) {
        (Some("start"), group) => start(fields, group, region, settings, faults),
        (Some("resume"), None) => Some(Command::Reconcile),
        (Some("status"), Some(group)) => named(&group, faults).map(Command::Status),
        (Some("abort"), Some(group)) => named(&group, faults).map(Command::Abort),
        (Some("resume"), Some(group)) => named(&group, faults).map(Command::Resume),
        (Some("status" | "abort"), None) => fault(faults, "autoScalingGroup", "is missing".to_owned()),
        (Some(other), _) => {
            let what = format!("is '{other}', expected start, status, abort or resume");
            fault(faults, "action", what)
        }
        (None, _) => fault(faults, "action", "is missing: start, status, abort or resume".to_owned()),
    }
}

fn fault<T>(faults: &mut Vec<Fault>, at: &str, what: String) -> Option<T> {
    faults.push(Fault { at: at.to_owned(), what });
    None
}

/// What only a start understands is not passed over in silence.
fn refuse_terms(fields: &Fields, faults: &mut Vec<Fault>) {
    let given = [
        ("cluster", fields.cluster.is_some()),
        ("dryRun", fields.dry_run.is_some()),
        ("surgePercent", fields.surge_percent.is_some()),
        ("bakeTime", fields.bake_time.is_some()),
        ("onlyIfDrifted", fields.only_if_drifted.is_some()),
    ];
    for (name, _) in given.into_iter().filter(|(_, is_given)| *is_given) {
        let _: Option<()> = fault(faults, name, "goes with the action start only".to_owned());
    }
}

/// Names have up to 255 characters (API: `CreateAutoScalingGroup`).
fn named(text: &str, faults: &mut Vec<Fault>) -> Option<GroupName> {
    if text.is_empty() || text.len() > 255 || text.chars().any(char::is_control) {
        return fault(faults, "autoScalingGroup", format!("is '{text}', which is no name of a group"));
    }
    Some(GroupName::new(text))
}

fn start(
    fields: &Fields,
    group: Option<String>,
    region: &str,
    settings: &Settings,
    faults: &mut Vec<Fault>,
) -> Option<Command> {
    let group = match group {
        Some(group) => named(&group, faults),
        None => fault(faults, "autoScalingGroup", "is missing".to_owned()),
    };
    let cluster = match fields.cluster.as_deref().map(|text| ClusterName::parse(text, region)) {
        Some(Ok(cluster)) => Some(cluster),
        Some(Err(what)) => fault(faults, "cluster", what),
        None => fault(faults, "cluster", "is missing".to_owned()),
    };
    let surge_percent = match fields.surge_percent.map(settings::surge_percent) {
        Some(Ok(percent)) => percent,
        Some(Err(wrong)) => {
            faults.push(wrong);
            settings.surge_percent
        }
        None => settings.surge_percent,
    };
    let bake_time = match fields.bake_time.as_deref() {
        Some(text) => bake_time(text, faults).unwrap_or_default(),
        None => settings.bake_time,
    };
    let selection = if fields.only_if_drifted.unwrap_or(false) { Selection::Drifted } else { Selection::All };
    let terms = Terms { surge_percent, canary: settings.canary, bake_time, selection };
    let dry_run = fields.dry_run.unwrap_or(false);
    Some(Command::Start { group: group?, cluster: cluster?, terms, dry_run })
}

fn bake_time(text: &str, faults: &mut Vec<Fault>) -> Option<Duration> {
    match humantime::parse_duration(text) {
        Ok(time) if time <= BAKE_MAX => Some(time),
        _ => {
            let what = format!("is '{text}', expected a duration from 0s to 24h, such as 90s or 10m");
            fault(faults, "bakeTime", what)
        }
    }
}
