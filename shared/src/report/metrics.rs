//! CloudWatch metrics out of a report, as lines of the embedded metric format: CloudWatch reads them from the log, so that no
//! call is made and no permission needed.
//!
//! CloudWatch charges a metric for every hour in which it was told, so counts of zero are not written but for `Faults`, whose
//! alarm has to see that they are over: a quiet installation tells its skew and its calls, and the rest when it happens.
//!
//! Source: Amazon CloudWatch User Guide, "Specification: Embedded metric format". A line carries its values once and counts
//! for every set of dimensions it names: the function alone, by the name it is installed under, and with one cluster or
//! group. Instances, services and tasks are no dimensions, so that there are as many metrics as clusters and groups, however
//! long it runs.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::ids::{ClusterName, InstanceId};
use crate::percent::Percent;
use crate::plan::drain::record::Cause;
use crate::report::drain::{DrainReport, InstanceReport, Stage};
use crate::report::rollout::{GroupReport, RolloutReport};
use crate::report::{Action, ActionOutcome, ClusterReport, Report, ServiceState, Status};
use crate::timestamp::Timestamp;

/// CloudWatch namespace of all metrics.
pub const NAMESPACE: &str = "Evenkeel";

/// Every metric: the function that writes it, or `every`; its name; its unit.
pub const METRICS: &[(&str, &str, &str)] = &[
    ("every", "Actions", "Count"),
    ("every", "ActionsFailed", "Count"),
    ("every", "ApiCalls", "Count"),
    ("every", "Blocked", "Count"),
    ("every", "Faults", "Count"),
    ("rebalance", "BestReachableSkew", "Percent"),
    ("rebalance", "MovesCompleted", "Count"),
    ("rebalance", "MovesInFlight", "Count"),
    ("rebalance", "MovesLowerBound", "Count"),
    ("rebalance", "MovesUndone", "Count"),
    ("rebalance", "Skew", "Percent"),
    ("drain", "DeadlinesExpired", "Count"),
    ("drain", "InstancesDraining", "Count"),
    ("drain", "InstancesEmpty", "Count"),
    ("drain", "NeedsPerson", "Count"),
    ("drain", "SecondsToDraining", "Seconds"),
    ("drain", "SecondsToEmpty", "Seconds"),
    ("drain", "SecondsToInService", "Seconds"),
    ("drain", "SecondsToSubstitute", "Seconds"),
    ("drain", "SecondsToTasksElsewhere", "Seconds"),
    ("rollout", "RolloutAge", "Seconds"),
    ("rollout", "RolloutPercentDone", "Percent"),
    ("rollout", "RolloutsDone", "Count"),
    ("rollout", "RolloutsRolledBack", "Count"),
    ("rollout", "RolloutsStuck", "Count"),
];

/// The dimension that Lambda's own metrics have as well.
const FUNCTION_NAME: &str = "FunctionName";

/// As many values as one metric of a line may have.
const VALUES_MAX: usize = 100;

/// Values that belong to one cluster or group, or to the function as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// `rebalance`, `drain` or `rollout`.
    pub function: &'static str,
    /// The second dimension with its value.
    pub of: Option<(&'static str, String)>,
    /// Values by metric; one without values is left out.
    pub values: BTreeMap<&'static str, Vec<f64>>,
}

impl Series {
    /// The line, stamped with this time, of the function installed as `name`; none if there is nothing to tell.
    pub fn line(&self, name: &str, at: Timestamp) -> Option<Value> {
        let mut line = Map::from_iter([(FUNCTION_NAME.to_owned(), json!(name))]);
        let mut dimensions = vec![vec![FUNCTION_NAME]];
        if let Some((name, value)) = &self.of {
            line.insert((*name).to_owned(), json!(value));
            dimensions.push(vec![FUNCTION_NAME, *name]);
        }
        let is_told = |name: &str, values: &[f64]| {
            let is_told =
                |value: &f64| unit(self.function, name) != "Count" || *value != 0.0 || name == "Faults";
            values.iter().any(is_told)
        };
        let told: Vec<(&&str, &Vec<f64>)> =
            self.values.iter().filter(|(name, values)| is_told(name, values)).collect();
        if told.is_empty() {
            return None;
        }
        for (name, values) in &told {
            let values = &values[..values.len().min(VALUES_MAX)];
            let value = if let [only] = values { json!(only) } else { json!(values) };
            line.insert((**name).to_string(), value);
        }
        let metric = |name: &str| json!({"Name": name, "Unit": unit(self.function, name)});
        let metrics: Vec<Value> = told.iter().map(|(name, _)| metric(name)).collect();
        let directive = json!({"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": metrics});
        line.insert(
            "_aws".to_owned(),
            json!({"Timestamp": at.as_millis(), "CloudWatchMetrics": [directive]}),
        );
        Some(Value::Object(line))
    }
}

fn unit(function: &str, name: &str) -> &'static str {
    let found = METRICS.iter().find(|(of, metric, _)| *metric == name && (*of == function || *of == "every"));
    found.map_or("None", |(_, _, unit)| unit)
}

/// What every function tells of itself.
pub(super) fn of_function(
    function: &'static str,
    status: Status,
    actions: &[Action],
    blocked: usize,
    api_calls: &BTreeMap<String, u64>,
) -> Series {
    let count = |is_one: &dyn Fn(&ActionOutcome) -> bool| {
        vec![actions.iter().filter(|it| is_one(&it.outcome)).count() as f64]
    };
    let values = BTreeMap::from([
        ("Actions", count(&|it| *it == ActionOutcome::Done)),
        ("ActionsFailed", count(&|it| matches!(it, ActionOutcome::Failed(_)))),
        ("ApiCalls", vec![api_calls.values().sum::<u64>() as f64]),
        ("Blocked", vec![blocked as f64]),
        ("Faults", vec![f64::from(u8::from(status == Status::Failed))]),
    ]);
    Series { function, of: None, values }
}

pub(super) fn of_rebalance(report: &Report) -> Vec<Series> {
    let of_cluster = |cluster: &ClusterReport| {
        let open = || cluster.after.iter().filter(|it| it.lower_bound > 0);
        let worst = |percent: &dyn Fn(&ServiceState) -> Option<Percent>| {
            vec![open().filter_map(percent).map(|it| f64::from(it.get())).fold(0.0, f64::max)]
        };
        let moves = cluster.moves;
        let values = BTreeMap::from([
            ("BestReachableSkew", worst(&|it| it.best_reachable_skew)),
            ("MovesCompleted", vec![f64::from(moves.completed)]),
            ("MovesInFlight", vec![f64::from(moves.in_flight)]),
            ("MovesLowerBound", vec![f64::from(moves.lower_bound)]),
            ("MovesUndone", vec![f64::from(moves.undone)]),
            ("Skew", worst(&|it| it.skew)),
        ]);
        Series { function: "rebalance", of: Some(("Cluster", cluster.cluster.to_string())), values }
    };
    // A release looks at records only, and knows nothing of skew.
    let is_judged = |it: &&ClusterReport| it.error.is_none() && it.found.is_none();
    report.clusters.iter().filter(is_judged).map(of_cluster).collect()
}

pub(super) fn of_drain(report: &DrainReport) -> Vec<Series> {
    let mut clusters: BTreeMap<Option<&ClusterName>, Vec<&InstanceReport>> = BTreeMap::new();
    for instance in &report.instances {
        clusters.entry(instance.cluster.as_ref()).or_default().push(instance);
    }
    let of_cluster = |(cluster, all): (Option<&ClusterName>, Vec<&InstanceReport>)| {
        let at = |stage| vec![all.iter().filter(|it| it.stage == stage).count() as f64];
        let until = |end: &dyn Fn(&InstanceReport) -> Option<Timestamp>| {
            let is_pressed = |it: &&&InstanceReport| it.cause.is_some_and(Cause::is_interruption);
            let seconds = |it: &&InstanceReport| Some(end(it)?.since(it.clock.event_at?).as_secs_f64());
            all.iter().filter(is_pressed).filter_map(seconds).collect::<Vec<f64>>()
        };
        let values = BTreeMap::from([
            ("DeadlinesExpired", at(Stage::DeadlineExpired)),
            ("InstancesDraining", at(Stage::Draining)),
            ("InstancesEmpty", at(Stage::Empty)),
            ("NeedsPerson", vec![needs_person(report, &all) as f64]),
            ("SecondsToDraining", until(&|it| it.clock.draining_at)),
            ("SecondsToEmpty", until(&|it| it.clock.empty_at)),
            ("SecondsToInService", until(&|it| it.clock.in_service_at)),
            ("SecondsToSubstitute", until(&|it| it.clock.replacement_requested_at)),
            ("SecondsToTasksElsewhere", until(&|it| it.clock.tasks_elsewhere_at)),
        ]);
        Series { function: "drain", of: cluster.map(|it| ("Cluster", it.to_string())), values }
    };
    clusters.into_iter().map(of_cluster).collect()
}

/// How many of them only a person can see to.
fn needs_person(report: &DrainReport, all: &[&InstanceReport]) -> usize {
    let blocked = report.blocked.iter().filter(|it| it.reason.needs_person());
    let ids: BTreeSet<&InstanceId> = blocked.map(|it| &it.instance_id).collect();
    all.iter().filter(|it| ids.contains(&it.instance_id)).count()
}

pub(super) fn of_rollout(report: &RolloutReport, at: Timestamp) -> Vec<Series> {
    let of_group = |group: &GroupReport| {
        let is = |is_so: bool| vec![f64::from(u8::from(is_so))];
        let is_open = matches!(group.status, Status::InProgress | Status::Blocked | Status::Failed);
        let age = group.started_at.filter(|_| is_open).map(|it| at.since(it).as_secs_f64());
        // A start that was refused has begun nothing.
        let is_stuck = group.status == Status::Blocked && group.preflight.is_none();
        let is_back = matches!(group.status, Status::RolledBack | Status::Aborted);
        let values = BTreeMap::from([
            ("RolloutAge", Vec::from_iter(age)),
            ("RolloutPercentDone", group.percent_done.map(f64::from).into_iter().collect()),
            ("RolloutsDone", is(group.status == Status::Done)),
            ("RolloutsRolledBack", is(is_back)),
            ("RolloutsStuck", is(is_stuck)),
        ]);
        let of = Some(("AutoScalingGroup", group.auto_scaling_group.to_string()));
        Series { function: "rollout", of, values }
    };
    report.groups.iter().map(of_group).collect()
}
