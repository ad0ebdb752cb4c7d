//! Operations on container instances and their attributes.

use serde_json::{Value, json};

use super::*;

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
fn whether_attributes_outlive_their_registration_is_a_switch() {
    for outlive in [false, true] {
        let mut account = account();
        account.switches.attributes_outlive_registration = outlive;
        let arn = instances(&mut account)[0].clone();
        let mark = json!([{ "name": "mark", "value": "1", "targetId": arn }]);
        call(&mut account, "PutAttributes", json!({ "cluster": "web", "attributes": mark })).unwrap();
        let instance = account.clusters.get_mut("web").unwrap().container_instances.get_mut(&arn).unwrap();
        instance.status = ContainerInstanceStatus::Inactive;
        let list = json!({ "cluster": "web", "targetType": "container-instance", "attributeName": "mark" });
        let listed = call(&mut account, "ListAttributes", list).unwrap();
        assert_eq!(listed["attributes"].as_array().unwrap().len(), usize::from(outlive));
    }
}
