//! The operations that change something, up to what they change at once.

use super::super::testing::{account, account_with, call, done, refused, states, texts, wait};
use crate::account::Account;
use crate::switches::TerminatingAgain;

const GROUP: &str = "AutoScalingGroupName=web";

fn desired(account: &Account) -> u32 {
    account.auto_scaling_groups["web"].desired_capacity
}

#[test]
fn the_desired_capacity_changes_at_once_within_its_bounds() {
    let mut account = account();
    done(&mut account, "SetDesiredCapacity", &format!("{GROUP}&DesiredCapacity=5"));
    assert_eq!(desired(&account), 5);
    let above = refused(&mut account, "SetDesiredCapacity", &format!("{GROUP}&DesiredCapacity=6"));
    assert_eq!(above, "New SetDesiredCapacity value 6 is above max value 5 for the AutoScalingGroup.");
    let below = refused(&mut account, "SetDesiredCapacity", &format!("{GROUP}&DesiredCapacity=0"));
    assert_eq!(below, "New SetDesiredCapacity value 0 is below min value 1 for the AutoScalingGroup.");
    assert_eq!(desired(&account), 5);
}

#[test]
fn new_bounds_take_the_desired_capacity_with_them() {
    let mut account = account();
    done(&mut account, "UpdateAutoScalingGroup", &format!("{GROUP}&MinSize=4"));
    assert_eq!(desired(&account), 4);
    done(&mut account, "UpdateAutoScalingGroup", &format!("{GROUP}&MinSize=0&MaxSize=2"));
    assert_eq!(desired(&account), 2);
    let crossed = refused(&mut account, "UpdateAutoScalingGroup", &format!("{GROUP}&MinSize=3"));
    assert_eq!(crossed, "Max bound, 2, must be greater than or equal to min bound, 3");
    let outside = refused(&mut account, "UpdateAutoScalingGroup", &format!("{GROUP}&DesiredCapacity=3"));
    assert_eq!(outside, "Desired capacity:3 must be between the specified min size:0 and max size:2");
}

#[test]
fn an_update_changes_what_is_given_and_nothing_else() {
    let mut account = account();
    let form = format!(
        "{GROUP}&LaunchTemplate.LaunchTemplateName=web&LaunchTemplate.Version=1&CapacityRebalance=true\
         &TerminationPolicies.member.1=OldestInstance&NewInstancesProtectedFromScaleIn=true\
         &AvailabilityZones.member.1=eu-west-1a&AvailabilityZoneDistribution.CapacityDistributionStrategy=balanced-only"
    );
    done(&mut account, "UpdateAutoScalingGroup", &form);
    let group = &account.auto_scaling_groups["web"];
    assert_eq!((group.version.name().as_str(), group.zones.len()), ("1", 1));
    assert_eq!(group.termination_policies, ["OldestInstance"]);
    assert!(group.capacity_rebalance && group.protects_new_instances && !group.passes_over_zones);
    let policy = "InstanceLifecyclePolicy.RetentionTriggers.TerminateHookAbandon=retain";
    assert_eq!((group.min_size, group.desired_capacity, group.max_size), (1, 3, 5));
    done(&mut account, "UpdateAutoScalingGroup", &format!("{GROUP}&{policy}"));
    assert!(account.auto_scaling_groups["web"].retains_abandoned);
    let form = format!("{GROUP}&LaunchTemplate.LaunchTemplateName=web&LaunchTemplate.Version=9");
    assert!(refused(&mut account, "UpdateAutoScalingGroup", &form).contains("version does not exist"));
    refused(&mut account, "UpdateAutoScalingGroup", &format!("{GROUP}&TerminationPolicies.member.1=Fairest"));
}

#[test]
fn a_mixed_instances_policy_can_be_set_and_is_shown() {
    let mut account = account();
    let policy = "MixedInstancesPolicy.LaunchTemplate";
    let distribution = "MixedInstancesPolicy.InstancesDistribution";
    let form = format!(
        "{GROUP}&{policy}.LaunchTemplateSpecification.LaunchTemplateName=web\
         &{policy}.Overrides.member.1.InstanceType=m5.large&{policy}.Overrides.member.1.WeightedCapacity=2\
         &{distribution}.OnDemandPercentageAboveBaseCapacity=25"
    );
    done(&mut account, "UpdateAutoScalingGroup", &form);
    let body = done(&mut account, "DescribeAutoScalingGroups", "IncludeInstances=false");
    assert_eq!(texts(&body, "WeightedCapacity"), ["2"]);
    assert_eq!(texts(&body, "OnDemandPercentageAboveBaseCapacity"), ["25"]);
    let heavy = form.replace("WeightedCapacity=2", "WeightedCapacity=1000");
    refused(&mut account, "UpdateAutoScalingGroup", &heavy);
}

#[test]
fn one_instance_is_terminated_with_its_activity_as_the_answer() {
    let mut account = account();
    let form = "InstanceId=i-b1&ShouldDecrementDesiredCapacity=true";
    let body = done(&mut account, "TerminateInstanceInAutoScalingGroup", form);
    assert!(body.contains("<Activity><ActivityId>"), "{body}");
    assert_eq!(texts(&body, "Description"), ["Terminating EC2 instance: i-b1"]);
    let cause = "At 2026-01-02T03:04:05Z instance i-b1 was taken out of service in response to a user request, \
                 shrinking the capacity from 3 to 2.";
    assert_eq!((texts(&body, "Cause"), texts(&body, "StatusCode")), (vec![cause], vec!["InProgress"]));
    assert_eq!((desired(&account), states(&account)[1]), (2, ("i-b1", "Terminating")));
}

#[test]
fn what_terminating_again_does_is_a_switch() {
    let form = "InstanceId=i-b1&ShouldDecrementDesiredCapacity=true";
    let again = |answer: TerminatingAgain| {
        let mut account = account();
        account.switches.terminating_again = answer;
        let first = done(&mut account, "TerminateInstanceInAutoScalingGroup", form);
        let (status, second) = call(&mut account, "TerminateInstanceInAutoScalingGroup", form);
        assert!(second.contains(texts(&first, "ActivityId")[0]), "{second}");
        (status, desired(&account), account.auto_scaling_groups["web"].activities.len())
    };
    assert_eq!(again(TerminatingAgain::Answered), (200, 2, 1));
    assert_eq!(again(TerminatingAgain::Decremented), (200, 1, 1));
    assert_eq!(again(TerminatingAgain::Refused), (400, 2, 1));
}

#[test]
fn whether_an_instance_on_standby_is_terminated_is_a_switch() {
    for refuses in [false, true] {
        let mut account = account();
        account.switches.standby_refuses_termination = refuses;
        let form = format!("{GROUP}&InstanceIds.member.1=i-a1&ShouldDecrementDesiredCapacity=true");
        done(&mut account, "EnterStandby", &form);
        wait(&mut account, 5);
        let form = "InstanceId=i-a1&ShouldDecrementDesiredCapacity=false";
        let (status, body) = call(&mut account, "TerminateInstanceInAutoScalingGroup", form);
        assert_eq!(status, if refuses { 400 } else { 200 }, "{body}");
        assert_eq!(states(&account)[0].1, if refuses { "Standby" } else { "Terminating" });
    }
}

#[test]
fn several_instances_are_terminated_all_or_none() {
    let mut account = account();
    let two = "InstanceIds.member.1=i-a1&InstanceIds.member.2=i-c1";
    let form = |ids: &str| format!("{GROUP}&{ids}&ShouldDecrementDesiredCapacity=true");
    refused(&mut account, "TerminateInstanceInAutoScalingGroup", &form(&two.replace("i-c1", "i-no")));
    assert_eq!(desired(&account), 3);
    let body = done(&mut account, "TerminateInstanceInAutoScalingGroup", &form(two));
    assert_eq!(texts(&body, "Description").len(), 2);
    assert!(body.contains("<Activities><member>"), "{body}");
    assert_eq!(desired(&account), 1);
    let both = format!("InstanceId=i-b1&{GROUP}&{two}&ShouldDecrementDesiredCapacity=false");
    refused(&mut account, "TerminateInstanceInAutoScalingGroup", &both);
}

#[test]
fn a_decrement_may_not_violate_the_minimum() {
    let mut account = account_with(|group| group.size(3, 3, 5));
    let form = "InstanceId=i-b1&ShouldDecrementDesiredCapacity";
    let message = refused(&mut account, "TerminateInstanceInAutoScalingGroup", &format!("{form}=true"));
    assert!(message.starts_with("Currently, desiredSize equals minSize (3). Terminating instance without"));
    done(&mut account, "TerminateInstanceInAutoScalingGroup", &format!("{form}=false"));
    let detach = format!("{GROUP}&InstanceIds.member.1=i-a1&ShouldDecrementDesiredCapacity=true");
    let message = refused(&mut account, "DetachInstances", &detach);
    let expected = "AutoScalingGroup web has min-size=3, max-size=5, and desired-size=3. To detach 1 instance, please \
                    update the AutoScalingGroup sizes appropriately.";
    assert_eq!(message, expected);
    refused(&mut account, "EnterStandby", &detach);
}

#[test]
fn a_decrement_takes_the_weight_of_the_instance() {
    let mut account = account_with(|group| group.size(1, 6, 9).overrides(&[("m5.large", Some(2))]));
    let form = "InstanceId=i-b1&ShouldDecrementDesiredCapacity=true";
    done(&mut account, "TerminateInstanceInAutoScalingGroup", form);
    assert_eq!(desired(&account), 4);
}

#[test]
fn an_unknown_instance_is_a_validation_error() {
    let form = "InstanceId=i-no&ShouldDecrementDesiredCapacity=false";
    let message = refused(&mut account(), "TerminateInstanceInAutoScalingGroup", form);
    assert_eq!(message, "Instance Id not found - No managed instance found for instance ID: i-no");
    refused(&mut account(), "TerminateInstanceInAutoScalingGroup", "InstanceId=i-a1");
}

#[test]
fn calls_name_no_more_instances_than_allowed() {
    let ids = |count: u32| -> String {
        let ids: Vec<String> = (1..=count).map(|it| format!("&InstanceIds.member.{it}=i-a1")).collect();
        ids.concat()
    };
    for (operation, max, rest) in [
        ("DetachInstances", 20, "&ShouldDecrementDesiredCapacity=false"),
        ("EnterStandby", 20, "&ShouldDecrementDesiredCapacity=false"),
        ("SetInstanceProtection", 50, "&ProtectedFromScaleIn=true"),
        ("TerminateInstanceInAutoScalingGroup", 100, "&ShouldDecrementDesiredCapacity=false"),
    ] {
        let message = refused(&mut account(), operation, &format!("{GROUP}{}{rest}", ids(max + 1)));
        assert_eq!(message, format!("The number of instance ids must be between 1 and {max}"));
        refused(&mut account(), operation, &format!("{GROUP}{rest}"));
    }
}

#[test]
fn protection_is_set_on_instances_in_service() {
    let mut account = account();
    let form = format!("{GROUP}&InstanceIds.member.1=i-a1&ProtectedFromScaleIn=true");
    done(&mut account, "SetInstanceProtection", &form);
    assert!(account.auto_scaling_groups["web"].instances["i-a1"].protected);
    done(
        &mut account,
        "TerminateInstanceInAutoScalingGroup",
        "InstanceId=i-a1&ShouldDecrementDesiredCapacity=true",
    );
    let message = refused(&mut account, "SetInstanceProtection", &form);
    assert_eq!(message, "The instance i-a1 is not in InService or EnteringStandby or Standby.");
    let message = refused(&mut account, "SetInstanceProtection", &form.replace("i-a1", "i-no"));
    assert_eq!(message, "The instance i-no is not part of Auto Scaling group web.");
}

#[test]
fn processes_are_suspended_with_a_reason_and_all_if_none_is_named() {
    let mut account = account();
    done(&mut account, "SuspendProcesses", &format!("{GROUP}&ScalingProcesses.member.1=AZRebalance"));
    let body = done(&mut account, "DescribeAutoScalingGroups", "");
    assert_eq!(texts(&body, "ProcessName"), ["AZRebalance"]);
    assert_eq!(texts(&body, "SuspensionReason"), ["User suspended at 2026-01-02T03:04:05Z"]);
    done(&mut account, "SuspendProcesses", &format!("{GROUP}&ScalingProcesses="));
    assert_eq!(account.auto_scaling_groups["web"].suspended.len(), 9);
    done(&mut account, "ResumeProcesses", &format!("{GROUP}&ScalingProcesses.member.1=Launch"));
    assert!(!account.auto_scaling_groups["web"].suspends("Launch"));
    done(&mut account, "ResumeProcesses", GROUP);
    assert!(account.auto_scaling_groups["web"].suspended.is_empty());
    refused(&mut account, "SuspendProcesses", &format!("{GROUP}&ScalingProcesses.member.1=Everything"));
}

#[test]
fn tags_are_set_and_removed() {
    let mut account = account();
    let tag =
        "Tags.member.1.ResourceId=web&Tags.member.1.ResourceType=auto-scaling-group&Tags.member.1.Key=owner";
    let form = format!("{tag}&Tags.member.1.Value=me&Tags.member.1.PropagateAtLaunch=false");
    done(&mut account, "CreateOrUpdateTags", &form);
    assert_eq!(account.auto_scaling_groups["web"].tags["owner"].value, "me");
    done(&mut account, "DeleteTags", tag);
    assert!(!account.auto_scaling_groups["web"].tags.contains_key("owner"));
    refused(&mut account, "CreateOrUpdateTags", &form.replace("ResourceId=web", "ResourceId=no"));
    refused(&mut account, "CreateOrUpdateTags", &form.replace("auto-scaling-group", "instance"));
}

#[test]
fn tags_have_at_most_128_characters_of_key_and_256_of_value() {
    let mut account = account();
    let form = |key: usize, value: usize| {
        let (key, value) = ("k".repeat(key), "v".repeat(value));
        let tag = "Tags.member.1.ResourceId=web&Tags.member.1.ResourceType=auto-scaling-group";
        format!("{tag}&Tags.member.1.Key={key}&Tags.member.1.Value={value}")
    };
    done(&mut account, "CreateOrUpdateTags", &form(128, 256));
    for (key, value) in [(129, 1), (1, 257), (0, 1)] {
        refused(&mut account, "CreateOrUpdateTags", &form(key, value));
    }
}

#[test]
fn hooks_are_put_with_aws_defaults_and_changed_in_part() {
    let mut account = account();
    let hook = format!("{GROUP}&LifecycleHookName=boot");
    refused(&mut account, "PutLifecycleHook", &hook);
    let form = format!("{hook}&LifecycleTransition=autoscaling:EC2_INSTANCE_LAUNCHING");
    done(&mut account, "PutLifecycleHook", &form);
    let shown = |account: &mut Account| {
        let body = done(
            account,
            "DescribeLifecycleHooks",
            &hook.replace("LifecycleHookName", "LifecycleHookNames.member.1"),
        );
        [texts(&body, "HeartbeatTimeout")[0].to_owned(), texts(&body, "DefaultResult")[0].to_owned()]
    };
    assert_eq!(shown(&mut account), ["3600", "ABANDON"]);
    done(&mut account, "PutLifecycleHook", &format!("{hook}&DefaultResult=CONTINUE"));
    assert_eq!(shown(&mut account), ["3600", "CONTINUE"]);
    for seconds in ["29", "7201"] {
        refused(&mut account, "PutLifecycleHook", &format!("{hook}&HeartbeatTimeout={seconds}"));
    }
    done(&mut account, "DeleteLifecycleHook", &hook);
    refused(&mut account, "DeleteLifecycleHook", &hook);
}

#[test]
fn a_group_takes_fifty_hooks() {
    let mut account = account();
    let put = |account: &mut Account, number: u32| {
        let rest = "LifecycleTransition=autoscaling:EC2_INSTANCE_TERMINATING";
        call(account, "PutLifecycleHook", &format!("{GROUP}&LifecycleHookName=h{number}&{rest}"))
    };
    assert!((1..50).all(|number| put(&mut account, number).0 == 200));
    let (status, body) = put(&mut account, 50);
    assert_eq!((status, texts(&body, "Code")), (400, vec!["LimitExceeded"]));
    assert_eq!(put(&mut account, 7).0, 200);
}

#[test]
fn an_activity_under_way_blocks_changes_of_size_where_a_switch_says_so() {
    let mut account = account();
    account.switches.activity_blocks_size_changes = true;
    let terminate = "InstanceId=i-a1&ShouldDecrementDesiredCapacity=true";
    done(&mut account, "TerminateInstanceInAutoScalingGroup", terminate);
    for (operation, form) in [
        ("SetDesiredCapacity", format!("{GROUP}&DesiredCapacity=2")),
        ("UpdateAutoScalingGroup", format!("{GROUP}&MaxSize=9")),
        ("TerminateInstanceInAutoScalingGroup", terminate.replace("i-a1", "i-b1")),
    ] {
        let (status, body) = call(&mut account, operation, &form);
        assert_eq!((status, texts(&body, "Code")), (400, vec!["ScalingActivityInProgress"]), "{operation}");
        assert!(texts(&body, "Message")[0].ends_with(" is in progress and blocks this action"));
    }
    account.switches.activity_blocks_size_changes = false;
    done(&mut account, "UpdateAutoScalingGroup", &format!("{GROUP}&MaxSize=9"));
}
