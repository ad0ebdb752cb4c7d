//! The operations as a caller meets them: JSON in, JSON out, on one small account.

mod instances;
mod services;
mod tasks;

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::account::ContainerInstanceStatus;
use crate::builder::AccountBuilder;

fn account() -> Account {
    AccountBuilder::new(1)
        .cluster("web")
        .instance("i-a1", "eu-west-1a", |instance| instance.tag("Name", "one"))
        .instance("i-b1", "eu-west-1b", |instance| instance)
        .target_group("web", |group| group)
        .task_definition("web", |definition| definition.container_port(8080, 0))
        .task_definition("batch", |definition| definition.network_mode("awsvpc").container_port(9000, 9000))
        .task_definition("log", |definition| definition.cpu(64).stop_timeout(Duration::from_secs(90)))
        .service("web", |service| service.on(&["i-a1", "i-b1"]).target_group("web").tag("team", "x"))
        .service("log", |service| service.on(&["i-a1", "i-b1"]).daemon())
        .standalone("batch", "i-a1")
        .build()
}

fn call(account: &mut Account, operation: &str, input: Value) -> Result<Value, ApiError> {
    let request = Request { service: Service::Ecs, operation: operation.to_owned(), input };
    answer(account, &request, "api").map(|body| serde_json::from_slice(&body).unwrap())
}

fn code(account: &mut Account, operation: &str, input: Value) -> String {
    call(account, operation, input).unwrap_err().code
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

fn tasks_of(account: &mut Account, service: &str) -> Vec<String> {
    strings(
        &call(account, "ListTasks", json!({ "cluster": "web", "serviceName": service })).unwrap()["taskArns"],
    )
}

fn instances(account: &mut Account) -> Vec<String> {
    let listed = call(account, "ListContainerInstances", json!({ "cluster": "web" })).unwrap();
    strings(&listed["containerInstanceArns"])
}

#[test]
fn unknown_operations_and_clusters_are_typed_errors() {
    let mut account = account();
    assert_eq!(code(&mut account, "DescribeDaemon", json!({})), "UnknownOperationException");
    assert_eq!(code(&mut account, "ListTasks", json!({ "cluster": "no" })), "ClusterNotFoundException");
    assert_eq!(code(&mut account, "ListTasks", json!({})), "ClusterNotFoundException");
    assert_eq!(code(&mut account, "ListTasks", json!({ "cluster": 7 })), "SerializationException");
    let missing = call(&mut account, "DescribeClusters", json!({ "clusters": ["web", "no"] })).unwrap();
    assert_eq!(missing["failures"][0]["reason"], "MISSING");
    assert_eq!(missing["clusters"][0]["registeredContainerInstancesCount"], 2);
}

#[test]
fn more_ids_than_a_call_takes_are_refused() {
    let mut account = account();
    let ids = |count: usize| vec!["x"; count];
    for (operation, member, limit) in [
        ("DescribeServices", "services", 10),
        ("DescribeTasks", "tasks", 100),
        ("DescribeContainerInstances", "containerInstances", 100),
        ("GetTaskProtection", "tasks", 100),
    ] {
        let input = |count| json!({ "cluster": "web", member: ids(count) });
        assert!(call(&mut account, operation, input(limit)).is_ok(), "{operation}");
        assert_eq!(
            code(&mut account, operation, input(limit + 1)),
            "InvalidParameterException",
            "{operation}"
        );
        assert_eq!(code(&mut account, operation, input(0)), "InvalidParameterException", "{operation}");
    }
}

#[test]
fn a_container_tells_its_stop_timeout_only_where_it_has_one() {
    let mut account = account();
    let mut of = |family: &str| {
        let answer =
            call(&mut account, "DescribeTaskDefinition", json!({ "taskDefinition": family })).unwrap();
        answer["taskDefinition"]["containerDefinitions"][0].get("stopTimeout").cloned()
    };
    assert_eq!((of("log"), of("web")), (Some(json!(90)), None));
}

#[test]
fn lists_are_paged() {
    let mut account = account();
    let first = call(&mut account, "ListTasks", json!({ "cluster": "web", "maxResults": 3 })).unwrap();
    let next = json!({ "cluster": "web", "maxResults": 3, "nextToken": first["nextToken"] });
    let second = call(&mut account, "ListTasks", next).unwrap();
    assert_eq!((strings(&first["taskArns"]).len(), strings(&second["taskArns"]).len()), (3, 2));
    assert!(second.get("nextToken").is_none());
    let foreign = json!({ "cluster": "web", "nextToken": first["nextToken"] });
    assert_eq!(code(&mut account, "ListServices", foreign), "InvalidParameterException");
}

#[test]
fn target_groups_tell_their_targets_health_and_their_attributes() {
    let mut account = account();
    let arn = account.target_groups.keys().next().unwrap().clone();
    let ask = |account: &mut Account, operation: &str, input: Value| {
        let service = Service::ElasticLoadBalancing;
        let request = Request { service, operation: operation.to_owned(), input };
        answer(account, &request, "api").map(|body| String::from_utf8(body).unwrap())
    };
    let all = ask(&mut account, "DescribeTargetHealth", json!({ "TargetGroupArn": arn })).unwrap();
    assert_eq!(all.matches("<State>healthy</State>").count(), 2);
    assert!(all.contains("<Id>i-a1</Id>"), "{all}");
    let one = json!({ "TargetGroupArn": arn, "Targets": [{ "Id": "i-zz", "Port": "1" }] });
    let one = ask(&mut account, "DescribeTargetHealth", one).unwrap();
    assert!(one.contains("<Reason>Target.NotRegistered</Reason>"), "{one}");
    let missing = ask(&mut account, "DescribeTargetHealth", json!({ "TargetGroupArn": "no" })).unwrap_err();
    assert_eq!(missing.code, "TargetGroupNotFound");
    let attributes =
        ask(&mut account, "DescribeTargetGroupAttributes", json!({ "TargetGroupArn": arn })).unwrap();
    let delay = "<member><Key>deregistration_delay.timeout_seconds</Key><Value>300</Value></member>";
    assert!(attributes.starts_with("<Attributes><member>") && attributes.contains(delay), "{attributes}");
    let missing =
        ask(&mut account, "DescribeTargetGroupAttributes", json!({ "TargetGroupArn": "no" })).unwrap_err();
    assert_eq!(missing.code, "TargetGroupNotFound");
    let groups = ask(&mut account, "DescribeTargetGroups", json!({ "Names": ["web"] })).unwrap();
    assert!(groups.contains("<TargetType>instance</TargetType>"), "{groups}");
    assert_eq!(ask(&mut account, "DescribeLoadBalancers", json!({})).unwrap_err().code, "InvalidAction");
}
