//! Operations on tasks: listing, describing, stopping, starting, protecting.

use serde_json::{Value, json};

use super::*;

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

/// An extension is refused too, where more tasks are protected than desired.
#[test]
fn whether_protected_tasks_that_hold_a_service_up_refuse_protection_is_a_switch() {
    for (held_deployment_refuses_protection, failures) in [(false, 0), (true, 1)] {
        let mut account = account();
        account.switches.held_deployment_refuses_protection = held_deployment_refuses_protection;
        let web = tasks_of(&mut account, "web");
        let protect = |task: &str| json!({ "cluster": "web", "tasks": [task], "protectionEnabled": true });
        for task in &web[..2] {
            call(&mut account, "UpdateTaskProtection", protect(task)).unwrap();
        }
        account.clusters.get_mut("web").unwrap().services.get_mut("web").unwrap().desired_count = 1;
        let again = call(&mut account, "UpdateTaskProtection", protect(&web[0])).unwrap();
        assert_eq!(again["failures"].as_array().unwrap().len(), failures, "{again}");
    }
}
