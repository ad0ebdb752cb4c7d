//! The lines as CloudWatch reads them.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::report::drain::StageClock;
use crate::report::rollout::GroupReport;
use crate::report::{JobReport, MoveCounts};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_700_000_000 + seconds)
}

fn service(skew: u32, lower_bound: u32) -> ServiceState {
    ServiceState {
        service: "s".into(),
        skew: Some(Percent::new(skew)),
        best_reachable_skew: Some(Percent::new(skew / 2)),
        lower_bound,
        article_skew: None,
    }
}

fn rebalance(after: Vec<ServiceState>) -> Report {
    let moves = MoveCounts { lower_bound: 3, completed: 2, undone: 1, ..MoveCounts::default() };
    let cluster = ClusterReport {
        cluster: "web".into(),
        status: Status::Done,
        before: Vec::new(),
        after,
        load_before: Vec::new(),
        load_after: Vec::new(),
        curve: Vec::new(),
        moves,
        planned: Vec::new(),
        landings: Vec::new(),
        found: None,
        error: None,
    };
    Report {
        job: "release",
        status: Status::Done,
        dry_run: false,
        clusters: vec![cluster],
        actions: Vec::new(),
        blocked: Vec::new(),
        api_calls: BTreeMap::from([("ListTasks".to_owned(), 4), ("DescribeTasks".to_owned(), 3)]),
    }
}

fn instance(id: &str, stage: Stage, seconds: Option<i64>) -> InstanceReport {
    InstanceReport {
        instance_id: id.into(),
        cluster: Some("web".into()),
        container_instance: None,
        cause: Some(Cause::Terminate),
        deadline: None,
        stage,
        replacement: None,
        tasks: None,
        clock: StageClock {
            event_at: seconds.map(|_| at(0)),
            draining_at: Some(at(seconds.unwrap_or(9))),
            ..StageClock::default()
        },
        error: None,
    }
}

fn drain(instances: Vec<InstanceReport>) -> DrainReport {
    DrainReport {
        job: "drain",
        status: Status::Failed,
        dry_run: false,
        instances,
        actions: Vec::new(),
        blocked: Vec::new(),
        errors: Vec::new(),
        api_calls: BTreeMap::new(),
    }
}

#[test]
fn a_line_has_its_values_once_and_counts_for_the_function_and_the_cluster() {
    let series = rebalance(vec![service(40, 1), service(90, 0)]).metrics(at(0));
    let line = series[1].line("evenkeel", at(0)).unwrap();
    assert_eq!((&line["FunctionName"], &line["Cluster"]), (&json!("evenkeel"), &json!("web")));
    assert_eq!(
        (&line["Skew"], &line["BestReachableSkew"]),
        (&json!(40.0), &json!(20.0)),
        "only what can be mended"
    );
    assert_eq!((&line["MovesCompleted"], &line["MovesLowerBound"]), (&json!(2.0), &json!(3.0)));
    let told = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(line["_aws"]["Timestamp"], json!(1_700_000_000_000_i64));
    assert_eq!(told["Dimensions"], json!([["FunctionName"], ["FunctionName", "Cluster"]]));
    assert!(told["Metrics"].as_array().unwrap().contains(&json!({"Name": "Skew", "Unit": "Percent"})));
    let line = series[0].line("evenkeel", at(0)).unwrap();
    assert_eq!((&line["ApiCalls"], &line["Faults"]), (&json!(7.0), &json!(0.0)));
    assert_eq!(line.get("Blocked"), None, "a count of zero costs money");
    assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["FunctionName"]]));
}

#[test]
fn several_instances_are_several_values_and_those_without_an_event_have_no_time() {
    let all = [("i-1", Some(2)), ("i-2", Some(5)), ("i-3", None)];
    let all = all.map(|(id, seconds)| instance(id, Stage::Draining, seconds)).to_vec();
    let series = drain(all).metrics(at(60));
    let line = series[1].line("evenkeel", at(60)).unwrap();
    assert_eq!((&line["InstancesDraining"], &line["SecondsToDraining"]), (&json!(3.0), &json!([2.0, 5.0])));
    assert!(line.get("SecondsToEmpty").is_none(), "nothing was seen of it");
    assert_eq!(series[0].line("evenkeel", at(60)).unwrap()["Faults"], json!(1.0));
    let many = (0..150).map(|number| instance(&format!("i-{number}"), Stage::Empty, Some(1))).collect();
    let line = drain(many).metrics(at(60))[1].line("evenkeel", at(60)).unwrap();
    assert_eq!(line["SecondsToDraining"].as_array().unwrap().len(), VALUES_MAX);
}

#[test]
fn a_rollout_has_an_age_as_long_as_it_is_under_way() {
    let group = |status| {
        let mut group = GroupReport::new("web-asg".into());
        (group.status, group.started_at) = (status, Some(at(0)));
        group
    };
    let report = |status| rollouts(status, group(status));
    let hour = at(0) + Duration::from_hours(1);
    let line = |status| report(status).metrics(hour)[1].line("evenkeel", hour).unwrap();
    assert_eq!(line(Status::InProgress)["RolloutAge"], json!(3600.0));
    assert!(line(Status::Done).get("RolloutAge").is_none());
    assert_eq!(line(Status::Done)["RolloutsDone"], json!(1.0));
    assert!(line(Status::Done).get("RolloutsRolledBack").is_none());
    assert_eq!(line(Status::Aborted)["RolloutsRolledBack"], json!(1.0));
}

#[test]
fn nothing_to_tell_is_no_line_and_a_skew_of_zero_is_told() {
    let quiet = drain(vec![instance("i-1", Stage::LeftAlone, None)]).metrics(at(0));
    assert_eq!(quiet[1].line("evenkeel", at(0)), None);
    let even = rebalance(Vec::new()).metrics(at(0))[1].line("evenkeel", at(0)).unwrap();
    assert_eq!(even["Skew"], json!(0.0), "or its alarm would never end");
}

/// Nothing else is told, and each of these is by somebody: an alarm on a metric that nobody tells stays silent for ever.
#[test]
fn the_table_is_what_is_told() {
    let group = GroupReport::new("web-asg".into());
    let rollout = of_rollout(&rollouts(Status::Done, group), at(0));
    let all = [
        rebalance(vec![service(40, 1)]).metrics(at(0)),
        drain(vec![instance("i-1", Stage::Empty, Some(1))]).metrics(at(0)),
        rollout,
    ];
    let told = all.concat().into_iter().flat_map(|series| {
        let of = if series.of.is_some() { series.function } else { "every" };
        series.values.into_keys().map(move |name| (of, name, unit(series.function, name)))
    });
    let told: BTreeSet<_> = told.collect();
    assert_eq!(told, METRICS.iter().copied().collect());
}

#[test]
fn a_release_tells_no_skew_and_a_drain_by_hand_no_seconds() {
    let mut report = rebalance(Vec::new());
    report.clusters[0].found = Some(Vec::new());
    assert_eq!(report.metrics(at(0)).len(), 1);
    let mut by_hand = instance("i-1", Stage::Draining, Some(5));
    by_hand.cause = Some(Cause::Manual);
    let line = drain(vec![by_hand]).metrics(at(60))[1].line("evenkeel", at(60)).unwrap();
    assert!(line.get("SecondsToDraining").is_none());
}

fn rollouts(status: Status, group: GroupReport) -> RolloutReport {
    RolloutReport {
        job: "rollout",
        status,
        dry_run: false,
        groups: vec![group],
        actions: Vec::new(),
        blocked: Vec::new(),
        errors: Vec::new(),
        api_calls: BTreeMap::new(),
    }
}
