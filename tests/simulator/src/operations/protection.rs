//! `UpdateTaskProtection` and `GetTaskProtection`.
//!
//! Protection that would leave a service with more protected tasks than its desired count is refused with
//! `DEPLOYMENT_BLOCKED`, task by task in the order of the request; by a switch also where protected tasks keep the service
//! from its steady state already. A stopped task counts as MISSING.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answer, Change, Failure, names};
use crate::account::{Account, Task};
use crate::scheduler::{self, protection::is_protected};
use crate::time::SimTime;
use crate::wire::json::timestamp;
use crate::wire::{ApiError, json};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Input {
    cluster: Option<String>,
    tasks: Vec<String>,
    protection_enabled: bool,
    expires_in_minutes: Option<i64>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    protected_tasks: Vec<ProtectedTask>,
    failures: Vec<Failure>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProtectedTask {
    task_arn: String,
    protection_enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_date: Option<f64>,
}

impl ProtectedTask {
    fn new(task: &Task, now: SimTime) -> Self {
        let until = task.protected_until.filter(|until| *until > now);
        Self {
            task_arn: task.arn.clone(),
            protection_enabled: until.is_some(),
            expiration_date: until.map(timestamp),
        }
    }
}

pub(super) fn get(account: &Account, input: &Value) -> Answer {
    let input: Input = json::input(input)?;
    let cluster = names::cluster(account, input.cluster.as_deref())?;
    names::check_count("Tasks", input.tasks.len(), 100)?;
    let mut output = Output::default();
    for reference in &input.tasks {
        let arn = names::arn_in(cluster, "task", reference)?;
        match protectable(cluster.tasks.get(&arn)) {
            Ok(task) => output.protected_tasks.push(ProtectedTask::new(task, account.now)),
            Err(reason) => output.failures.push(Failure::new(arn, reason)),
        }
    }
    Ok(json::output(&output))
}

pub(super) fn update(change: &mut Change<'_>, input: &Value) -> Answer {
    let input: Input = json::input(input)?;
    let until = input.until(change.account.now)?;
    let cluster = names::cluster(change.account, input.cluster.as_deref())?;
    names::check_count("Tasks", input.tasks.len(), 10)?;
    let (name, references) = (cluster.name.clone(), input.tasks.iter());
    let arns: Vec<String> =
        references.map(|reference| names::arn_in(cluster, "task", reference)).collect::<Result<_, _>>()?;
    let mut output = Output::default();
    for arn in arns {
        match protect(change, &name, &arn, until) {
            Ok(task) => output.protected_tasks.push(task),
            Err(failure) => output.failures.push(failure),
        }
    }
    Ok(json::output(&output))
}

impl Input {
    /// The end of the protection; `None` takes protection away.
    fn until(&self, now: SimTime) -> Result<Option<SimTime>, ApiError> {
        let minutes = self.expires_in_minutes.unwrap_or(120);
        if !(1..=2880).contains(&minutes) {
            return Err(ApiError::invalid_parameter("expiresInMinutes must be between 1 and 2880."));
        }
        Ok(self.protection_enabled.then(|| now + Duration::from_secs(60 * minutes as u64)))
    }
}

fn protectable(task: Option<&Task>) -> Result<&Task, &'static str> {
    let task = task.filter(|task| task.stopped_at.is_none()).ok_or("MISSING")?;
    task.service().map(|_| task).ok_or("TASK_NOT_VALID")
}

fn protect(
    change: &mut Change<'_>,
    cluster: &str,
    arn: &str,
    until: Option<SimTime>,
) -> Result<ProtectedTask, Failure> {
    let now = change.account.now;
    let task = protectable(change.account.clusters[cluster].tasks.get(arn));
    let task = task.map_err(|reason| Failure::new(arn, reason))?;
    let is_protected = task.protected_until.is_some_and(|until| until > now);
    let is_one_too_many = !is_protected && is_full(change.account, cluster, task);
    if until.is_some() && (is_one_too_many || is_held(change.account, cluster, task)) {
        let detail = "More tasks would be protected than the desired count of the service.".to_owned();
        return Err(Failure { detail: Some(detail), ..Failure::new(arn, "DEPLOYMENT_BLOCKED") });
    }
    let found = change.account.clusters.get_mut(cluster).and_then(|cluster| cluster.tasks.get_mut(arn));
    let task = found.expect("the task was found above");
    task.protected_until = until;
    task.version += 1;
    let shape = ProtectedTask::new(task, now);
    let what = until.map_or("unprotected".to_owned(), |until| {
        format!("protected for {} min", until.since(now).as_secs() / 60)
    });
    change.note_task(cluster, arn, what);
    Ok(shape)
}

/// Whether protected tasks keep the task's service from its steady state, in runs where that matters.
fn is_held(account: &Account, cluster: &str, task: &Task) -> bool {
    let service = task.service().and_then(|name| account.clusters[cluster].services.get(name));
    let Some(service) = service.filter(|_| account.switches.held_deployment_refuses_protection) else {
        return false;
    };
    let current = service.deployments.first().map(|it| it.id.as_str());
    let is_old = |it: &&Task| it.service() == Some(&service.name) && it.started_by.as_deref() != current;
    let mut old = account.clusters[cluster].tasks.values().filter(is_old);
    old.any(|it| it.is_wanted() && is_protected(it, account.now))
        || scheduler::protected_count(account, cluster, &service.name) > service.desired_count
}

/// Whether the task's service has as many protected tasks as it desires.
fn is_full(account: &Account, cluster: &str, task: &Task) -> bool {
    let service = task.service().and_then(|name| account.clusters[cluster].services.get(name));
    service.is_some_and(|service| {
        scheduler::protected_count(account, cluster, &service.name) >= service.desired_count
    })
}
