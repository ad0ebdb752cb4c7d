//! Finding things by what a caller may write: a short name, an id, or a full ARN.

use std::collections::BTreeMap;

use crate::account::{Account, Cluster, Service, Task};
use crate::wire::ApiError;

/// The part of an ARN or name behind the last slash.
pub(super) fn short(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// The cluster a caller means; without a name it is `default`.
pub(super) fn cluster<'a>(account: &'a Account, reference: Option<&str>) -> Result<&'a Cluster, ApiError> {
    let reference = reference.unwrap_or("default");
    let found = account.clusters.get(short(reference));
    found
        .filter(|cluster| !reference.starts_with("arn:") || cluster.arn == reference)
        .ok_or_else(|| ApiError::new("ClusterNotFoundException", "Cluster not found."))
}

/// The same, for a change.
pub(super) fn cluster_mut<'a>(
    account: &'a mut Account,
    reference: Option<&str>,
) -> Result<&'a mut Cluster, ApiError> {
    let name = cluster(account, reference)?.name.clone();
    Ok(account.clusters.get_mut(&name).expect("the cluster was found a line above"))
}

/// The full ARN of something inside a cluster; `kind` is `task`, `container-instance` or `service`.
pub(super) fn arn_in(cluster: &Cluster, kind: &str, reference: &str) -> Result<String, ApiError> {
    let account_part = cluster.arn.rsplit_once(":cluster/").map_or("", |(front, _)| front);
    if !reference.starts_with("arn:") {
        return Ok(format!("{account_part}:{kind}/{}/{}", cluster.name, short(reference)));
    }
    let rest = reference.split_once(&format!(":{kind}/")).map(|(_, rest)| rest);
    let rest = rest.ok_or_else(|| ApiError::invalid_parameter(format!("Invalid identifier: {reference}")))?;
    match rest.split_once('/') {
        Some((owner, _)) if owner != cluster.name => Err(ApiError::invalid_parameter(format!(
            "Identifier is for cluster {owner}. Your cluster is {}",
            cluster.name
        ))),
        _ => Ok(reference.to_owned()),
    }
}

/// The service a caller means.
pub(super) fn service<'a>(cluster: &'a Cluster, reference: &str) -> Result<&'a Service, ApiError> {
    arn_in(cluster, "service", reference)?;
    let missing = || ApiError::new("ServiceNotFoundException", "Service not found.");
    cluster.services.get(short(reference)).ok_or_else(missing)
}

/// The service a caller means to change; it must be ACTIVE.
pub(super) fn active_service<'a>(
    cluster: &'a mut Cluster,
    reference: &str,
) -> Result<&'a mut Service, ApiError> {
    if service(cluster, reference)?.status != "ACTIVE" {
        return Err(ApiError::new("ServiceNotActiveException", "Service was not ACTIVE."));
    }
    Ok(cluster.services.get_mut(short(reference)).expect("the service was found above"))
}

/// The task a caller means, by its full ARN as second half of the answer.
pub(super) fn task<'a>(cluster: &'a Cluster, reference: &str) -> Result<&'a Task, ApiError> {
    let arn = arn_in(cluster, "task", reference)?;
    let missing = || ApiError::invalid_parameter("The referenced task was not found.");
    cluster.tasks.get(&arn).ok_or_else(missing)
}

/// The full ARN of a registered container instance.
pub(super) fn container_instance(cluster: &Cluster, reference: &str) -> Result<String, ApiError> {
    let arn = arn_in(cluster, "container-instance", reference)?;
    if cluster.container_instances.contains_key(&arn) {
        return Ok(arn);
    }
    Err(ApiError::invalid_parameter(format!("Referenced container instance {} not found.", short(reference))))
}

/// The ARN of a task definition: from an ARN, `family:revision`, or a family, which means its newest
/// revision.
pub(super) fn task_definition<T>(definitions: &BTreeMap<String, T>, reference: &str) -> Option<String> {
    if definitions.contains_key(reference) {
        return Some(reference.to_owned());
    }
    let named = |arn: &&String| {
        let name = short(arn);
        name == reference || name.rsplit_once(':').is_some_and(|(family, _)| family == reference)
    };
    let revision = |arn: &&String| arn.rsplit(':').next().and_then(|text| text.parse::<u32>().ok());
    definitions.keys().filter(named).max_by_key(revision).cloned()
}

/// Refuses a list with too many entries, or with none.
pub(super) fn check_count(what: &str, count: usize, limit: usize) -> Result<(), ApiError> {
    match count {
        0 => Err(ApiError::invalid_parameter(format!("{what} cannot be empty."))),
        count if count > limit => {
            Err(ApiError::invalid_parameter(format!("{what} can have at most {limit} items.")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web() -> Cluster {
        let arn = "arn:aws:ecs:eu-west-1:111122223333:cluster/web".to_owned();
        Cluster { name: "web".to_owned(), arn, ..Cluster::default() }
    }

    #[test]
    fn ids_and_arns_name_the_same_task() {
        let arn = "arn:aws:ecs:eu-west-1:111122223333:task/web/t1";
        assert_eq!(arn_in(&web(), "task", "t1").unwrap(), arn);
        assert_eq!(arn_in(&web(), "task", arn).unwrap(), arn);
    }

    #[test]
    fn an_arn_of_another_cluster_or_kind_is_refused() {
        let foreign = arn_in(&web(), "task", "arn:aws:ecs:eu-west-1:111122223333:task/other/t1").unwrap_err();
        assert!(foreign.message.contains("Identifier is for cluster other"), "{foreign}");
        let kind = arn_in(&web(), "task", "arn:aws:ecs:eu-west-1:111122223333:service/web/s").unwrap_err();
        assert_eq!(kind.code, "InvalidParameterException");
    }

    #[test]
    fn a_family_means_its_newest_revision() {
        let arns =
            [2, 10, 9].map(|revision| (format!("arn:aws:ecs:r:1:task-definition/web:{revision}"), revision));
        let definitions = BTreeMap::from(arns);
        assert_eq!(task_definition(&definitions, "web").unwrap(), "arn:aws:ecs:r:1:task-definition/web:10");
        assert_eq!(task_definition(&definitions, "web:9").unwrap(), "arn:aws:ecs:r:1:task-definition/web:9");
        assert_eq!(task_definition(&definitions, "we"), None);
    }
}
