//! What Evenkeel has left on a cluster, found and told: the tags that are its own to write and to remove.
//!
//! The operator's tags (`evenkeel:pause`, `evenkeel:rebalance`, `evenkeel:strategy`) are none of them.

#[cfg(test)]
mod tests;

use crate::ids::ServiceName;
use crate::plan::record::{MOVE_TAG, MoveRecord, SURGE_OFF_TAG, record_of};
use crate::plan::rest::{REST_TAG, rest_of};
use crate::plan::surge::surge_off_until;
use crate::snapshot::{ClusterSnapshot, Known, Protection, Service, Task};

/// One thing that Evenkeel has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trace {
    /// A move in flight: what belongs to it follows from its record.
    Move(ServiceName, MoveRecord),
    /// Something under the key of a record that says nothing.
    UnreadableMove(ServiceName),
    /// The memory of misses.
    Rest(ServiceName),
    /// Moves by an extra task are off.
    SurgeOff,
}

/// Everything of Evenkeel's in a snapshot whose cluster tags were read; services first, in order of name.
pub fn traces(snapshot: &ClusterSnapshot) -> Vec<Trace> {
    let mut found = Vec::new();
    for (name, service) in &snapshot.services {
        found.extend(record_of(service).map(|record| match record {
            Ok(record) => Trace::Move(name.clone(), record),
            Err(_) => Trace::UnreadableMove(name.clone()),
        }));
        found.extend(service.tags.contains_key(REST_TAG).then(|| Trace::Rest(name.clone())));
    }
    let is_off = snapshot.tags.known().is_some_and(|tags| tags.contains_key(SURGE_OFF_TAG));
    found.extend(is_off.then_some(Trace::SurgeOff));
    found
}

impl Trace {
    /// What it is on and by which tag it is known, alike for all states of one trace.
    pub fn place(&self, snapshot: &ClusterSnapshot) -> (String, &'static str) {
        match self {
            Self::Move(service, _) | Self::UnreadableMove(service) => {
                (format!("service {service}"), MOVE_TAG)
            }
            Self::Rest(service) => (format!("service {service}"), REST_TAG),
            Self::SurgeOff => (format!("cluster {}", snapshot.cluster), SURGE_OFF_TAG),
        }
    }

    /// One line for the report.
    pub fn line(&self, snapshot: &ClusterSnapshot) -> String {
        let (subject, _) = self.place(snapshot);
        format!("{subject}: {}", self.words(snapshot).unwrap_or_else(|| "gone from this answer".to_owned()))
    }

    fn words(&self, snapshot: &ClusterSnapshot) -> Option<String> {
        let words = match self {
            Self::Move(service, record) => words_of_move(snapshot, snapshot.services.get(service)?, record),
            Self::UnreadableMove(service) => words_of_unreadable(snapshot, snapshot.services.get(service)?),
            Self::Rest(service) => words_of_rest(snapshot.services.get(service)?)?,
            Self::SurgeOff => words_of_surge_off(snapshot)?,
        };
        Some(words)
    }
}

fn words_of_move(snapshot: &ClusterSnapshot, service: &Service, record: &MoveRecord) -> String {
    let (before, desired) = (record.tasks_desired_before, service.tasks_desired);
    let count = match desired {
        _ if desired == before => format!("desired count {desired} as before it"),
        _ if desired > before && desired <= record.tasks_desired_raised() => {
            format!("desired count raised {before} -> {desired}")
        }
        _ => format!("desired count {desired}, which is not its doing: it found {before}"),
    };
    let is_ours = |protection: &Protection| {
        protection.expires_at.is_some_and(|expires| record.is_our_expiry(expires, snapshot.observed_at))
    };
    let ours = protected(snapshot, service).filter(|(_, protection)| is_ours(protection)).count();
    format!("a move in phase {}, {count}, {ours} tasks protected by it", record.phase.word())
}

/// Without a record nothing tells an increment or a protection of ours from somebody else's.
fn words_of_unreadable(snapshot: &ClusterSnapshot, service: &Service) -> String {
    let value = service.tags.get(MOVE_TAG).map(String::as_str).unwrap_or_default();
    let protected = protected(snapshot, service).count();
    let protections = match protected + unread(snapshot, service) {
        0 => "none of its tasks is protected".to_owned(),
        _ if unread(snapshot, service) > 0 => "whether its tasks are protected could not be read".to_owned(),
        _ => format!(
            "{protected} of its tasks are protected, and whether by Evenkeel cannot be told: they stay so"
        ),
    };
    format!(
        "the tag {MOVE_TAG} holds '{value}', which is no record of a move; desired count {} and task protections could \
         not be checked against it; {protections}",
        service.tasks_desired
    )
}

fn words_of_rest(service: &Service) -> Option<String> {
    Some(match rest_of(service)? {
        Ok(rest) => format!("{} missed moves in a row, at rest until {}", rest.misses, rest.until),
        Err(unreadable) => format!("the tag {REST_TAG} holds '{}', which cannot be read", unreadable.0),
    })
}

fn words_of_surge_off(snapshot: &ClusterSnapshot) -> Option<String> {
    let tags = snapshot.tags.known()?;
    let value = tags.get(SURGE_OFF_TAG)?;
    let until = surge_off_until(tags).filter(|_| value.parse::<i64>().is_ok());
    let words = |until| format!("moves by an extra task are off until {until}");
    Some(until.map_or_else(|| format!("the tag {SURGE_OFF_TAG} holds '{value}', which is no time"), words))
}

fn protected<'a>(
    snapshot: &'a ClusterSnapshot,
    service: &'a Service,
) -> impl Iterator<Item = (&'a Task, &'a Protection)> {
    let is_on = |protection: &Protection| {
        protection.enabled && protection.expires_at.is_none_or(|expires| expires > snapshot.observed_at)
    };
    let tasks = snapshot.wanted_tasks(&service.name);
    tasks
        .filter_map(|task| Some((task, snapshot.protections.get(&task.arn)?.known()?)))
        .filter(move |(_, protection)| is_on(protection))
}

fn unread(snapshot: &ClusterSnapshot, service: &Service) -> usize {
    let is_unread = |task: &&Task| !matches!(snapshot.protections.get(&task.arn), Some(Known::Known(_)));
    snapshot.wanted_tasks(&service.name).filter(is_unread).count()
}
