//! The describe operations.

use super::super::testing::{account, account_with, call, done, refused, texts};
use crate::account::Account;
use crate::builder::{AccountBuilder, LaunchTemplateBuilder};

const GROUP: &str = "AutoScalingGroupName=web";

#[test]
fn a_group_is_described_with_its_instances() {
    let body = done(&mut account(), "DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1=web");
    assert!(body.starts_with(
        "<DescribeAutoScalingGroupsResponse xmlns=\"http://autoscaling.amazonaws.com/doc/2011-01-01/\">"
    ));
    assert_eq!(texts(&body, "InstanceId"), ["i-a1", "i-b1", "i-c1"]);
    assert_eq!(texts(&body, "LifecycleState"), ["InService"; 3]);
    assert_eq!(texts(&body, "HealthStatus"), ["Healthy"; 3]);
    assert_eq!(texts(&body, "Version"), ["$Latest", "2", "2", "2"]);
    let sizes = ["MinSize", "MaxSize", "DesiredCapacity"].map(|name| texts(&body, name)[0]);
    assert_eq!(sizes, ["1", "5", "3"]);
    assert_eq!(texts(&body, "CreatedTime"), ["2026-01-01T03:04:05Z"]);
}

#[test]
fn instances_may_be_left_out_and_unknown_names_are_absent() {
    let form = "IncludeInstances=false&AutoScalingGroupNames.member.1=web&AutoScalingGroupNames.member.2=no";
    let body = done(&mut account(), "DescribeAutoScalingGroups", form);
    assert_eq!(texts(&body, "AutoScalingGroupName"), ["web"]);
    assert!(!body.contains("<Instances>"), "{body}");
}

#[test]
fn groups_are_found_by_their_tags() {
    let found = |filter: &str| {
        let body = done(&mut account(), "DescribeAutoScalingGroups", filter);
        texts(&body, "AutoScalingGroupName").len()
    };
    assert_eq!(found("Filters.member.1.Name=tag:team&Filters.member.1.Values.member.1=shop"), 1);
    assert_eq!(found("Filters.member.1.Name=tag:team&Filters.member.1.Values.member.1=other"), 0);
    assert_eq!(found("Filters.member.1.Name=tag-key&Filters.member.1.Values.member.1=team"), 1);
    assert_eq!(found("Filters.member.1.Name=tag-value&Filters.member.1.Values.member.1=team"), 0);
    refused(&mut account(), "DescribeAutoScalingGroups", "Filters.member.1.Name=color");
}

fn many() -> Account {
    let mut builder = AccountBuilder::new(1).launch_template("web", LaunchTemplateBuilder::without_agent);
    for number in 0..120 {
        builder = builder.auto_scaling_group(&format!("g{number:03}"), |group| group.size(0, 1, 1));
    }
    builder.build()
}

#[test]
fn groups_come_in_pages_of_fifty_and_at_most_a_hundred() {
    let mut account = many();
    let (mut names, mut form) = (Vec::new(), String::new());
    loop {
        let body = done(&mut account, "DescribeAutoScalingGroups", &form);
        let page: Vec<String> =
            texts(&body, "AutoScalingGroupName").iter().map(ToString::to_string).collect();
        assert!(page.len() <= 50, "{}", page.len());
        names.extend(page);
        let Some(token) = texts(&body, "NextToken").first().map(ToString::to_string) else { break };
        form = format!("NextToken={token}");
    }
    assert_eq!(names.len(), 120);
    let page = done(&mut account, "DescribeAutoScalingGroups", "MaxRecords=100");
    assert_eq!(texts(&page, "AutoScalingGroupName").len(), 100);
    refused(&mut account, "DescribeAutoScalingGroups", "MaxRecords=101");
    let (status, body) = call(&mut account, "DescribeAutoScalingGroups", "NextToken=zz");
    assert_eq!((status, texts(&body, "Code")), (400, vec!["InvalidNextToken"]));
}

#[test]
fn only_instances_of_groups_are_answered() {
    let form = "InstanceIds.member.1=i-b1&InstanceIds.member.2=i-unknown";
    let body = done(&mut account(), "DescribeAutoScalingInstances", form);
    assert_eq!(texts(&body, "InstanceId"), ["i-b1"]);
    assert_eq!(texts(&body, "AutoScalingGroupName"), ["web"]);
    assert_eq!(texts(&body, "HealthStatus"), ["HEALTHY"]);
    let ids: Vec<String> = (1..=51).map(|number| format!("InstanceIds.member.{number}=i-{number}")).collect();
    refused(&mut account(), "DescribeAutoScalingInstances", &ids.join("&"));
}

#[test]
fn instances_of_all_groups_come_in_pages_of_fifty() {
    let mut account = many();
    let first = done(&mut account, "DescribeAutoScalingInstances", "");
    assert_eq!(texts(&first, "InstanceId").len(), 50);
    let form = format!("NextToken={}", texts(&first, "NextToken")[0]);
    let second = done(&mut account, "DescribeAutoScalingInstances", &form);
    assert!(texts(&second, "InstanceId").iter().all(|id| !texts(&first, "InstanceId").contains(id)));
    refused(&mut account, "DescribeAutoScalingInstances", "MaxRecords=51");
}

#[test]
fn hooks_are_described_with_their_global_timeout() {
    let body = done(&mut account(), "DescribeLifecycleHooks", GROUP);
    assert_eq!(texts(&body, "LifecycleTransition"), ["autoscaling:EC2_INSTANCE_TERMINATING"]);
    assert_eq!(
        (texts(&body, "HeartbeatTimeout"), texts(&body, "GlobalTimeout")),
        (vec!["300"], vec!["30000"])
    );
    let none =
        done(&mut account(), "DescribeLifecycleHooks", &format!("{GROUP}&LifecycleHookNames.member.1=x"));
    assert!(texts(&none, "LifecycleHookName").is_empty());
}

#[test]
fn a_global_timeout_is_at_most_two_days() {
    let mut account = account();
    let group = account.auto_scaling_groups.get_mut("web").unwrap();
    group.hooks.get_mut("drain").unwrap().heartbeat_timeout = std::time::Duration::from_hours(2);
    let body = done(&mut account, "DescribeLifecycleHooks", GROUP);
    assert_eq!(texts(&body, "GlobalTimeout"), ["172800"]);
}

#[test]
fn an_unknown_group_is_a_validation_error() {
    for operation in ["DescribeLifecycleHooks", "DescribeScalingActivities", "DescribeWarmPool"] {
        let message = refused(&mut account(), operation, "AutoScalingGroupName=no");
        assert_eq!(message, "AutoScalingGroup name not found - AutoScalingGroup 'no' not found");
    }
    let missing = refused(&mut account(), "DescribeLifecycleHooks", "");
    assert!(missing.contains("Value null at 'autoScalingGroupName'"), "{missing}");
}

#[test]
fn tags_are_described_and_filtered() {
    let body = done(
        &mut account(),
        "DescribeTags",
        "Filters.member.1.Name=auto-scaling-group&Filters.member.1.Values.member.1=web",
    );
    assert_eq!((texts(&body, "Key"), texts(&body, "PropagateAtLaunch")), (vec!["team"], vec!["true"]));
    let body = done(
        &mut account(),
        "DescribeTags",
        "Filters.member.1.Name=value&Filters.member.1.Values.member.1=x",
    );
    assert!(texts(&body, "Key").is_empty());
}

#[test]
fn what_no_group_has_is_an_empty_list() {
    for (operation, list) in [
        ("DescribePolicies", "ScalingPolicies"),
        ("DescribeScheduledActions", "ScheduledUpdateGroupActions"),
        ("DescribeInstanceRefreshes", "InstanceRefreshes"),
        ("DescribeScalingActivities", "Activities"),
    ] {
        let body = done(&mut account(), operation, GROUP);
        assert!(body.contains(&format!("<{list}></{list}>")), "{body}");
    }
}

#[test]
fn a_warm_pool_grows_with_the_maximum_unless_its_capacity_is_prepared() {
    let size = |prepared: Option<u32>, max: u32| {
        let mut account = account_with(|group| group.size(1, 3, max).warm_pool(prepared));
        let body = done(&mut account, "DescribeAutoScalingGroups", "");
        texts(&body, "WarmPoolSize")[0].to_owned()
    };
    assert_eq!((size(None, 5), size(None, 10), size(Some(4), 10)), ("2".into(), "7".into(), "1".into()));
}
