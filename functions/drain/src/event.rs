//! What an invocation is asked to do.
//!
//! An EventBridge envelope is told by its `detail-type`, and only its `time`, its `region` and its `detail` are read: the ARN
//! of an interruption warning names a zone where others name the account (Amazon EC2 User Guide, "Spot Instance interruption
//! notices"). Anything else is a command: `{}` means what a `Scheduled Event` means, and `{"instanceId":"i-0123",
//! "cluster":"web","dryRun":true}` drains one instance and replaces it, `dryRun` being optional.

#[cfg(test)]
mod tests;

use evenkeel::error::{Error, Fault};
use evenkeel::ids::{ClusterName, InstanceId};
use evenkeel::plan::drain::reason::DrainReason;
use evenkeel::plan::drain::record::{Cause, DrainRecord};
use evenkeel::settings::{OnRecommendation, Settings};
use evenkeel::timestamp::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A parsed event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Go on with everything that is under way.
    Reconcile,
    /// Empty this instance.
    Drain {
        /// Which.
        instance: InstanceId,
        /// Why.
        record: DrainRecord,
        /// Where, if the command says so.
        cluster: Option<ClusterName>,
        /// Report only.
        dry_run: bool,
    },
    /// Its host is gone: see that ECS knows.
    Terminated {
        /// Which.
        instance: InstanceId,
        /// Since when.
        at: Timestamp,
    },
    /// Nothing is to be done about this instance.
    LeaveAlone {
        /// Which.
        instance: InstanceId,
        /// Why.
        reason: DrainReason,
    },
}

#[derive(Debug, Deserialize)]
struct Envelope<D> {
    time: String,
    region: String,
    detail: D,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Interruption {
    instance_id: String,
    instance_action: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Recommendation {
    instance_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct StateChange {
    instance_id: String,
    state: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LifecycleAction {
    #[serde(rename = "EC2InstanceId")]
    instance_id: String,
    lifecycle_hook_name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    instance_id: Option<String>,
    cluster: Option<String>,
    dry_run: Option<bool>,
}

/// Parses an event that arrived at `now`; every fault is named, and nothing was done.
pub fn parse(event: Value, region: &str, settings: &Settings, now: Timestamp) -> Result<Command, Error> {
    let kind =
        event.get("detail-type").map(|kind| kind.as_str().map_or_else(|| kind.to_string(), str::to_owned));
    match kind.as_deref() {
        Some("Scheduled Event") => Ok(Command::Reconcile),
        Some("EC2 Spot Instance Interruption Warning") => interruption(event, region, settings),
        Some("EC2 Instance Rebalance Recommendation") => recommendation(event, region, settings),
        Some("EC2 Instance-terminate Lifecycle Action") => lifecycle_action(event, region, settings),
        Some("EC2 Instance State-change Notification") => state_change(event, region),
        Some(other) => {
            Err(Error::event("detail-type", format!("is '{other}', which this function does not know")))
        }
        None => command(event, region, now),
    }
}

fn interruption(event: Value, region: &str, settings: &Settings) -> Result<Command, Error> {
    let (at, detail) = opened::<Interruption>(event, region)?;
    let instance = instance_id("detail.instance-id", &detail.instance_id)?;
    let (cause, notice) = match detail.instance_action.as_str() {
        "terminate" => (Cause::Terminate, settings.spot_notice),
        "stop" => (Cause::Stop, settings.spot_notice),
        // It begins at once (Amazon EC2 User Guide, "Spot Instance interruption notices"); the same time is given, so that
        // nothing is ended early should it not.
        "hibernate" => (Cause::Hibernate, settings.spot_notice),
        other => {
            let what = format!("is '{other}', expected terminate, stop or hibernate");
            return Err(Error::event("detail.instance-action", what));
        }
    };
    let record = DrainRecord { cause, noticed_at: at, deadline: Some(at + notice), asked: None };
    Ok(Command::Drain { instance, record, cluster: None, dry_run: false })
}

fn recommendation(event: Value, region: &str, settings: &Settings) -> Result<Command, Error> {
    let (at, detail) = opened::<Recommendation>(event, region)?;
    let instance = instance_id("detail.instance-id", &detail.instance_id)?;
    if settings.on_recommendation == OnRecommendation::Ignore {
        let reason = DrainReason::RecommendationIgnored;
        return Ok(Command::LeaveAlone { instance, reason });
    }
    let record = DrainRecord { cause: Cause::Recommendation, noticed_at: at, deadline: None, asked: None };
    Ok(Command::Drain { instance, record, cluster: None, dry_run: false })
}

fn lifecycle_action(event: Value, region: &str, settings: &Settings) -> Result<Command, Error> {
    let (at, detail) = opened::<LifecycleAction>(event, region)?;
    let instance = instance_id("detail.EC2InstanceId", &detail.instance_id)?;
    if detail.lifecycle_hook_name != settings.lifecycle_hook {
        let reason = DrainReason::HookOfOthers { hook: detail.lifecycle_hook_name };
        return Ok(Command::LeaveAlone { instance, reason });
    }
    let deadline = Some(at + settings.hook_timeout);
    let record = DrainRecord { cause: Cause::Hook, noticed_at: at, deadline, asked: None };
    Ok(Command::Drain { instance, record, cluster: None, dry_run: false })
}

fn state_change(event: Value, region: &str) -> Result<Command, Error> {
    let (at, detail) = opened::<StateChange>(event, region)?;
    let instance = instance_id("detail.instance-id", &detail.instance_id)?;
    if detail.state == "terminated" {
        return Ok(Command::Terminated { instance, at });
    }
    Ok(Command::LeaveAlone { instance, reason: DrainReason::NotTerminatedYet { state: detail.state } })
}

/// The event's own time and its detail, if it is of this Region.
fn opened<D: DeserializeOwned>(event: Value, region: &str) -> Result<(Timestamp, D), Error> {
    is_object("detail", &event["detail"])?;
    let envelope: Envelope<D> = serde_path_to_error::deserialize(event).map_err(misread)?;
    if envelope.region != region {
        let what = format!("is '{}', and this function works in {region}", envelope.region);
        return Err(Error::event("region", what));
    }
    // What cannot be recorded is not begun.
    let at = Timestamp::parse(&envelope.time).filter(|at| at.is_plausible());
    let expected = || format!("is '{}', expected an RFC 3339 time after 2014", envelope.time);
    let at = at.ok_or_else(|| Error::event("time", expected()))?;
    Ok((at, envelope.detail))
}

/// The members of an array would be taken for those of an object in their order.
fn is_object(at: &str, value: &Value) -> Result<(), Error> {
    let is_object = value.is_object();
    if is_object { Ok(()) } else { Err(Error::event(at, "is missing or no JSON object")) }
}

/// Names the field that could not be read, or the event as a whole.
fn misread(error: serde_path_to_error::Error<serde_json::Error>) -> Error {
    let path = error.path().to_string();
    let place = if path == "." || path.is_empty() { "event".to_owned() } else { path };
    Error::event(&place, format!("cannot be read: {}", error.into_inner()))
}

fn instance_id(at: &str, text: &str) -> Result<InstanceId, Error> {
    InstanceId::parse(text).map_err(|what| Error::event(at, what))
}

fn command(event: Value, region: &str, now: Timestamp) -> Result<Command, Error> {
    is_object("event", &event)?;
    let fields: Fields = serde_path_to_error::deserialize(event).map_err(misread)?;
    let Fields { instance_id: None, cluster: None, dry_run: None } = fields else {
        return manual(fields, region, now);
    };
    Ok(Command::Reconcile)
}

fn manual(fields: Fields, region: &str, now: Timestamp) -> Result<Command, Error> {
    let mut faults = Vec::new();
    let mut fault = |at: &str, what: String| faults.push(Fault { at: at.to_owned(), what });
    let instance = match fields.instance_id.as_deref().map(InstanceId::parse) {
        Some(Ok(instance)) => Some(instance),
        Some(Err(what)) => {
            fault("instanceId", what);
            None
        }
        None => {
            fault("instanceId", "is missing".to_owned());
            None
        }
    };
    let cluster = fields
        .cluster
        .and_then(|text| ClusterName::parse(&text, region).map_err(|what| fault("cluster", what)).ok());
    let Some(instance) = instance.filter(|_| faults.is_empty()) else { return Err(Error::Event(faults)) };
    let record = DrainRecord { cause: Cause::Manual, noticed_at: now, deadline: None, asked: None };
    Ok(Command::Drain { instance, record, cluster, dry_run: fields.dry_run.unwrap_or(false) })
}
