//! The operations as a caller meets them: JSON in, JSON out, on one small account.

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
        .task_definition("log", |definition| definition.cpu(64))
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
fn tasks_are_listed_by_desired_status_and_filters() {
    let mut account = account();
    let all = call(&mut account, "ListTasks", json!({ "cluster": "web" })).unwrap();
    assert_eq!(strings(&all["taskArns"]).len(), 5);
    let web = tasks_of(&mut account, "web");
    call(&mut account, "StopTask", json!({ "cluster": "web", "task": web[0], "reason": "test" })).unwrap();
    assert_eq!(tasks_of(&mut account, "web"), web[1..]);
    let stopped =
        call(&mut account, "ListTasks", json!({ "cluster": "web", "desiredStatus": "STOPPED" })).unwrap();
    assert_eq!(strings(&stopped["taskArns"]), web[..1]);
    let family = call(&mut account, "ListTasks", json!({ "cluster": "web", "family": "batch" })).unwrap();
    assert_eq!(strings(&family["taskArns"]).len(), 1);
    for none in [json!({ "desiredStatus": "PENDING" }), json!({ "launchType": "FARGATE" })] {
        let mut input = json!({ "cluster": "web" });
        input.as_object_mut().unwrap().extend(none.as_object().unwrap().clone());
        assert_eq!(call(&mut account, "ListTasks", input).unwrap()["taskArns"], json!([]));
    }
    let both = json!({ "cluster": "web", "startedBy": "me", "family": "batch" });
    assert_eq!(code(&mut account, "ListTasks", both), "InvalidParameterException");
    let unknown = json!({ "cluster": "web", "serviceName": "no" });
    assert_eq!(code(&mut account, "ListTasks", unknown), "ServiceNotFoundException");
}

#[test]
fn a_task_is_described_with_what_the_api_knows_of_it() {
    let mut account = account();
    let arn = tasks_of(&mut account, "web").remove(0);
    let id = names::short(&arn).to_owned();
    let described =
        call(&mut account, "DescribeTasks", json!({ "cluster": "web", "tasks": [id, "gone"] })).unwrap();
    let task = &described["tasks"][0];
    assert_eq!(task["taskArn"], json!(arn));
    assert_eq!(task["group"], "service:web");
    assert_eq!(
        (task["lastStatus"].as_str(), task["desiredStatus"].as_str()),
        (Some("RUNNING"), Some("RUNNING"))
    );
    assert_eq!((task["cpu"].as_str(), task["launchType"].as_str()), (Some("256"), Some("EC2")));
    assert_eq!(task["availabilityZone"], "eu-west-1a");
    assert_eq!(task["containers"][0]["networkBindings"][0]["containerPort"], 8080);
    assert!(task["startedAt"].is_f64() && task.get("stoppedAt").is_none());
    let arn = &described["failures"][0]["arn"];
    assert_eq!(described["failures"][0]["reason"], "MISSING");
    assert!(arn.as_str().unwrap().ends_with(":task/web/gone"), "{arn}");
}

#[test]
fn a_task_in_awsvpc_mode_has_an_interface_of_its_own() {
    let mut account = account();
    let arns = call(&mut account, "ListTasks", json!({ "cluster": "web", "family": "batch" })).unwrap();
    let described =
        call(&mut account, "DescribeTasks", json!({ "cluster": "web", "tasks": arns["taskArns"] })).unwrap();
    let task = &described["tasks"][0];
    assert_eq!(task["attachments"][0]["type"], "ElasticNetworkInterface");
    let address = &task["attachments"][0]["details"][1];
    assert_eq!(address["name"], "privateIPv4Address");
    assert_eq!(task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"], address["value"]);
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
fn container_instances_are_drained_in_part() {
    let mut account = account();
    let arns = instances(&mut account);
    let set = |ids: Vec<&str>, status: &str| json!({ "cluster": "web", "containerInstances": ids, "status": status });
    let drained =
        call(&mut account, "UpdateContainerInstancesState", set(vec![&arns[0], "no"], "DRAINING")).unwrap();
    assert_eq!(drained["containerInstances"][0]["status"], "DRAINING");
    assert_eq!(drained["failures"][0]["reason"], "MISSING");
    let only = json!({ "cluster": "web", "status": "DRAINING" });
    let listed = call(&mut account, "ListContainerInstances", only).unwrap();
    assert_eq!(strings(&listed["containerInstanceArns"]), arns[..1]);
    assert_eq!(instances(&mut account).len(), 2);
    assert_eq!(
        code(&mut account, "UpdateContainerInstancesState", set(vec!["x"], "INACTIVE")),
        "InvalidParameterException"
    );
    assert_eq!(
        code(&mut account, "UpdateContainerInstancesState", set(vec!["x"; 11], "ACTIVE")),
        "InvalidParameterException"
    );
    account.switches.draining_again_succeeds = false;
    let again = call(&mut account, "UpdateContainerInstancesState", set(vec![&arns[0]], "DRAINING")).unwrap();
    assert_eq!(again["failures"].as_array().unwrap().len(), 1);
    let instance = account.clusters.get_mut("web").unwrap().container_instances.get_mut(&arns[1]).unwrap();
    instance.status = ContainerInstanceStatus::Registering;
    assert_eq!(
        code(&mut account, "UpdateContainerInstancesState", set(vec![&arns[1]], "DRAINING")),
        "InvalidParameterException"
    );
}

#[test]
fn a_container_instance_is_described_and_filtered() {
    let mut account = account();
    let arns = instances(&mut account);
    let describe = json!({ "cluster": "web", "containerInstances": [arns[0]], "include": ["TAGS"] });
    let described = call(&mut account, "DescribeContainerInstances", describe).unwrap();
    let instance = &described["containerInstances"][0];
    assert_eq!(
        (instance["ec2InstanceId"].as_str(), instance["runningTasksCount"].as_u64()),
        (Some("i-a1"), Some(3))
    );
    assert_eq!(instance["tags"][0]["value"], "one");
    assert_eq!(instance["registeredResources"][0]["integerValue"], 2048);
    let zone = json!({ "name": "ecs.availability-zone", "value": "eu-west-1a" });
    assert!(instance["attributes"].as_array().unwrap().contains(&zone));
    let filter = json!({ "cluster": "web", "filter": "attribute:ecs.availability-zone == eu-west-1b" });
    let listed = call(&mut account, "ListContainerInstances", filter).unwrap();
    assert_eq!(strings(&listed["containerInstanceArns"]), arns[1..]);
    let broken = json!({ "cluster": "web", "filter": "attribute:x ==" });
    assert_eq!(code(&mut account, "ListContainerInstances", broken), "InvalidParameterException");
}

#[test]
fn an_instance_with_tasks_is_deregistered_only_by_force() {
    let mut account = account();
    let arns = instances(&mut account);
    let deregister = |force: bool| json!({ "cluster": "web", "containerInstance": arns[0], "force": force });
    assert_eq!(
        code(&mut account, "DeregisterContainerInstance", deregister(false)),
        "InvalidParameterException"
    );
    let gone = call(&mut account, "DeregisterContainerInstance", deregister(true)).unwrap();
    assert_eq!(gone["containerInstance"]["status"], "INACTIVE");
    assert_eq!(instances(&mut account), arns[1..]);
    let describe = json!({ "cluster": "web", "containerInstances": [arns[0]] });
    assert!(call(&mut account, "DescribeContainerInstances", describe).unwrap()["failures"] == json!([]));
    let set = json!({ "cluster": "web", "containerInstances": [arns[0]], "status": "ACTIVE" });
    let refused = call(&mut account, "UpdateContainerInstancesState", set).unwrap();
    assert_eq!(refused["failures"][0]["reason"], "INACTIVE");
}

#[test]
fn protection_ends_where_a_deployment_would_be_blocked() {
    let mut account = account();
    let web = tasks_of(&mut account, "web");
    let batch = call(&mut account, "ListTasks", json!({ "cluster": "web", "family": "batch" })).unwrap();
    let protect =
        |tasks: Value, on: bool| json!({ "cluster": "web", "tasks": tasks, "protectionEnabled": on });
    let mixed = json!([web[0], batch["taskArns"][0], "gone"]);
    let done = call(&mut account, "UpdateTaskProtection", protect(mixed, true)).unwrap();
    assert_eq!(done["protectedTasks"][0]["protectionEnabled"], true);
    let expiry = done["protectedTasks"][0]["expirationDate"].as_f64().unwrap() - account.now.epoch_seconds();
    assert!((expiry - 7200.0).abs() < 1.0, "{expiry}");
    let reasons: Vec<&str> = done["failures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|failure| failure["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons, ["TASK_NOT_VALID", "MISSING"]);
    account.clusters.get_mut("web").unwrap().services.get_mut("web").unwrap().desired_count = 1;
    let blocked = call(&mut account, "UpdateTaskProtection", protect(json!([web[1]]), true)).unwrap();
    assert_eq!(blocked["failures"][0]["reason"], "DEPLOYMENT_BLOCKED");
    let extended = call(&mut account, "UpdateTaskProtection", protect(json!([web[0]]), true)).unwrap();
    assert_eq!(extended["failures"], json!([]));
    call(&mut account, "UpdateTaskProtection", protect(json!([web[0]]), false)).unwrap();
    let read = call(&mut account, "GetTaskProtection", json!({ "cluster": "web", "tasks": web })).unwrap();
    assert!(read["protectedTasks"].as_array().unwrap().iter().all(|task| task["protectionEnabled"] == false));
    let eleven = protect(json!(vec!["x"; 11]), true);
    assert_eq!(code(&mut account, "UpdateTaskProtection", eleven), "InvalidParameterException");
    let forever =
        json!({ "cluster": "web", "tasks": web, "protectionEnabled": true, "expiresInMinutes": 2881 });
    assert_eq!(code(&mut account, "UpdateTaskProtection", forever), "InvalidParameterException");
}

#[test]
fn custom_attributes_are_put_listed_and_deleted_up_to_ten() {
    let mut account = account();
    let id = names::short(&instances(&mut account)[0]).to_owned();
    let attribute = |name: &str| json!({ "name": name, "value": "1:x", "targetType": "container-instance", "targetId": id });
    let put = |names: Vec<String>| {
        let attributes: Vec<Value> = names.iter().map(|name| attribute(name)).collect();
        json!({ "cluster": "web", "attributes": attributes })
    };
    let ten = (0..10).map(|number| format!("custom{number}")).collect();
    call(&mut account, "PutAttributes", put(ten)).unwrap();
    let eleventh = put(vec!["one.more".to_owned()]);
    assert_eq!(code(&mut account, "PutAttributes", eleventh.clone()), "AttributeLimitExceededException");
    assert!(call(&mut account, "PutAttributes", put(vec!["custom3".to_owned()])).is_ok());
    call(&mut account, "DeleteAttributes", put(vec!["custom4".to_owned()])).unwrap();
    assert!(call(&mut account, "PutAttributes", eleventh).is_ok());
    let list = json!({ "cluster": "web", "targetType": "container-instance", "attributeName": "one.more" });
    let listed = call(&mut account, "ListAttributes", list).unwrap();
    assert_eq!(listed["attributes"].as_array().unwrap().len(), 1);
    let nowhere = json!([{ "name": "a", "targetType": "container-instance", "targetId": "no" }]);
    let nowhere = json!({ "cluster": "web", "attributes": nowhere });
    assert_eq!(code(&mut account, "PutAttributes", nowhere), "TargetNotFoundException");
}

#[test]
fn standalone_tasks_are_started_or_say_why_not() {
    let mut account = account();
    let run = json!({ "cluster": "web", "taskDefinition": "batch:1", "count": 2, "startedBy": "me" });
    let started = call(&mut account, "RunTask", run).unwrap();
    assert_eq!(started["tasks"].as_array().unwrap().len() + started["failures"].as_array().unwrap().len(), 2);
    assert_eq!(started["tasks"][0]["startedBy"], "me");
    let mine = call(&mut account, "ListTasks", json!({ "cluster": "web", "startedBy": "me" })).unwrap();
    assert!(!strings(&mine["taskArns"]).is_empty());
    let start = json!({ "cluster": "web", "taskDefinition": "batch", "containerInstances": ["no"] });
    assert_eq!(call(&mut account, "StartTask", start).unwrap()["failures"][0]["reason"], "MISSING");
    for instance in account.clusters.get_mut("web").unwrap().container_instances.values_mut() {
        instance.agent_connected = false;
    }
    let refused =
        call(&mut account, "RunTask", json!({ "cluster": "web", "taskDefinition": "web" })).unwrap();
    assert_eq!(refused["failures"][0]["reason"], "AGENT");
    let eleven = json!({ "cluster": "web", "taskDefinition": "web", "count": 11 });
    assert_eq!(code(&mut account, "RunTask", eleven), "InvalidParameterException");
    assert_eq!(
        code(&mut account, "RunTask", json!({ "cluster": "web", "taskDefinition": "no" })),
        "ClientException"
    );
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

#[test]
fn target_health_is_told_by_target() {
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
    let groups = ask(&mut account, "DescribeTargetGroups", json!({ "Names": ["web"] })).unwrap();
    assert!(groups.contains("<TargetType>instance</TargetType>"), "{groups}");
    assert_eq!(ask(&mut account, "DescribeLoadBalancers", json!({})).unwrap_err().code, "InvalidAction");
}
