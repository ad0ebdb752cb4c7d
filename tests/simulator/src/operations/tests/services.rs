//! Operations on services, their tags, deployments and task definitions.

use serde_json::{Value, json};

use super::*;

#[test]
fn tags_are_shown_only_when_asked_for() {
    let mut account = account();
    let services = |include: Value| json!({ "cluster": "web", "services": ["web"], "include": include });
    let plain = call(&mut account, "DescribeServices", services(json!([]))).unwrap();
    assert_eq!(plain["services"][0]["tags"], json!([]));
    let arn = plain["services"][0]["serviceArn"].as_str().unwrap().to_owned();
    let tags = json!([{ "key": "evenkeel:move", "value": "1:4:x" }]);
    call(&mut account, "TagResource", json!({ "resourceArn": arn, "tags": tags })).unwrap();
    let tagged = call(&mut account, "DescribeServices", services(json!(["TAGS"]))).unwrap();
    assert_eq!(tagged["services"][0]["tags"][0], json!({ "key": "evenkeel:move", "value": "1:4:x" }));
    call(&mut account, "UntagResource", json!({ "resourceArn": arn, "tagKeys": ["team"] })).unwrap();
    let listed = call(&mut account, "ListTagsForResource", json!({ "resourceArn": arn })).unwrap();
    assert_eq!(listed["tags"].as_array().unwrap().len(), 1);
    let gone = format!("{arn}-gone");
    assert_eq!(
        code(&mut account, "TagResource", json!({ "resourceArn": gone })),
        "ResourceNotFoundException"
    );
    let many: Vec<Value> = (0..50).map(|i| json!({ "key": format!("k{i}"), "value": "" })).collect();
    assert_eq!(
        code(&mut account, "TagResource", json!({ "resourceArn": arn, "tags": many })),
        "LimitExceededException"
    );
}

#[test]
fn a_desired_count_alone_starts_no_deployment() {
    let mut account = account();
    let update = |more: Value| {
        let mut input = json!({ "cluster": "web", "service": "web" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let scaled = call(&mut account, "UpdateService", update(json!({ "desiredCount": 3 }))).unwrap();
    assert_eq!(scaled["service"]["desiredCount"], 3);
    assert_eq!(scaled["service"]["deployments"].as_array().unwrap().len(), 1);
    assert_eq!(scaled["service"]["deployments"][0]["desiredCount"], 3);
    let strategy = json!({ "placementStrategy": [{ "type": "spread", "field": "host" }] });
    let placed = call(&mut account, "UpdateService", update(strategy)).unwrap();
    assert_eq!(placed["service"]["placementStrategy"][0]["field"], "instanceId");
    assert_eq!(placed["service"]["deployments"].as_array().unwrap().len(), 1);
    let forced = call(&mut account, "UpdateService", update(json!({ "forceNewDeployment": true }))).unwrap();
    assert_eq!(forced["service"]["deployments"].as_array().unwrap().len(), 2);
    assert_eq!(forced["service"]["deployments"][0]["rolloutState"], "IN_PROGRESS");
    let daemon = json!({ "cluster": "web", "service": "log", "desiredCount": 3 });
    assert_eq!(code(&mut account, "UpdateService", daemon), "InvalidParameterException");
    let unknown = json!({ "cluster": "web", "service": "no" });
    assert_eq!(code(&mut account, "UpdateService", unknown), "ServiceNotFoundException");
}

#[test]
fn a_refused_update_changes_nothing() {
    let mut account = account();
    let input = json!({ "cluster": "web", "service": "web", "desiredCount": 9,
        "deploymentConfiguration": { "maximumPercent": 50 } });
    assert_eq!(code(&mut account, "UpdateService", input), "InvalidParameterException");
    assert_eq!(account.clusters["web"].services["web"].desired_count, 2);
}

#[test]
fn services_are_created_and_deleted() {
    let mut account = account();
    let create =
        json!({ "cluster": "web", "serviceName": "new", "taskDefinition": "web", "desiredCount": 1 });
    let created = call(&mut account, "CreateService", create.clone()).unwrap();
    assert_eq!(created["service"]["availabilityZoneRebalancing"], "ENABLED");
    assert_eq!(created["service"]["deployments"][0]["status"], "PRIMARY");
    assert_eq!(code(&mut account, "CreateService", create.clone()), "InvalidParameterException");
    let delete = |force: bool| json!({ "cluster": "web", "service": "new", "force": force });
    assert_eq!(code(&mut account, "DeleteService", delete(false)), "InvalidParameterException");
    let deleted = call(&mut account, "DeleteService", delete(true)).unwrap();
    assert_eq!(deleted["service"]["status"], "INACTIVE");
    assert_eq!(code(&mut account, "DeleteService", delete(true)), "ServiceNotActiveException");
    let listed = call(&mut account, "ListServices", json!({ "cluster": "web" })).unwrap();
    assert_eq!(strings(&listed["serviceArns"]).len(), 2);
    assert!(call(&mut account, "CreateService", create).is_ok());
}

#[test]
fn definitions_deployments_and_providers_are_described() {
    let mut account = account();
    let definition =
        call(&mut account, "DescribeTaskDefinition", json!({ "taskDefinition": "web" })).unwrap();
    assert_eq!(
        definition["taskDefinition"]["containerDefinitions"][0]["portMappings"][0]["containerPort"],
        8080
    );
    assert_eq!(
        code(&mut account, "DescribeTaskDefinition", json!({ "taskDefinition": "no" })),
        "ClientException"
    );
    let input = json!({ "cluster": "web", "service": "web" });
    let deployments = call(&mut account, "ListServiceDeployments", input).unwrap();
    assert_eq!(deployments["serviceDeployments"][0]["status"], "SUCCESSFUL");
    let providers =
        call(&mut account, "DescribeCapacityProviders", json!({ "capacityProviders": ["cp"] })).unwrap();
    assert_eq!(providers["failures"][0]["reason"], "MISSING");
}
