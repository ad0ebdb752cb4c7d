//! Events as AWS documents them, commands, and what is refused.

use serde_json::json;

use super::*;

const REGION: &str = "us-east-2";

fn settings(pairs: &[(&str, &str)]) -> Settings {
    let fixed = [("EVENKEEL_CLUSTERS", "web")];
    let all = fixed.iter().chain(pairs).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::from_pairs(all).unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_secs(1_800_000_000)
}

fn parsed(event: Value) -> Result<Command, Error> {
    parse(event, REGION, &settings(&[]), now())
}

/// As documented: Amazon EC2 User Guide, "Spot Instance interruption notices".
fn interruption(action: &str) -> Value {
    json!({
        "version": "0", "id": "12345678-1234-1234-1234-123456789012",
        "detail-type": "EC2 Spot Instance Interruption Warning", "source": "aws.ec2",
        "account": "123456789012", "time": "2026-01-02T03:04:05Z", "region": "us-east-2",
        "resources": ["arn:aws:ec2:us-east-2a:instance/i-1234567890abcdef0"],
        "detail": {"instance-id": "i-1234567890abcdef0", "instance-action": action}
    })
}

/// As documented: Amazon EC2 Auto Scaling User Guide, "EventBridge event reference".
fn lifecycle_action(hook: &str) -> Value {
    json!({
        "version": "0", "id": "12345678-1234-1234-1234-123456789012",
        "detail-type": "EC2 Instance-terminate Lifecycle Action", "source": "aws.autoscaling",
        "account": "123456789012", "time": "2026-01-02T03:04:05Z", "region": "us-east-2",
        "resources": ["arn:aws:autoscaling:us-east-2:123456789012:autoScalingGroup:1:autoScalingGroupName/my-asg"],
        "detail": {
            "LifecycleActionToken": "87654321-4321-4321-4321-210987654321", "AutoScalingGroupName": "my-asg",
            "LifecycleHookName": hook, "EC2InstanceId": "i-1234567890abcdef0",
            "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING", "Origin": "AutoScalingGroup",
            "Destination": "EC2"
        }
    })
}

fn record_of(command: &Command) -> DrainRecord {
    let Command::Drain { record, cluster: None, dry_run: false, .. } = command else { panic!("{command:?}") };
    *record
}

#[test]
fn a_deadline_counts_from_the_time_in_the_event() {
    let at = Timestamp::parse("2026-01-02T03:04:05Z").unwrap();
    let deadline = |event| record_of(&parsed(event).unwrap()).deadline.map(|it| it.since(at).as_secs());
    let cause = |event| record_of(&parsed(event).unwrap()).cause;
    assert_eq!(
        (cause(interruption("terminate")), deadline(interruption("terminate"))),
        (Cause::Terminate, Some(120))
    );
    assert_eq!((cause(interruption("stop")), deadline(interruption("stop"))), (Cause::Stop, Some(120)));
    assert_eq!(
        (cause(interruption("hibernate")), deadline(interruption("hibernate"))),
        (Cause::Hibernate, Some(120))
    );
    let hook = lifecycle_action("evenkeel-drain");
    assert_eq!((cause(hook.clone()), deadline(hook)), (Cause::Hook, Some(1800)));
}

#[test]
fn somebody_elses_hook_is_left_to_them() {
    let reason = DrainReason::HookOfOthers { hook: "ecs-managed-draining-termination-hook".to_owned() };
    let instance = InstanceId::new("i-1234567890abcdef0");
    let parsed = parsed(lifecycle_action("ecs-managed-draining-termination-hook")).unwrap();
    assert_eq!(parsed, Command::LeaveAlone { instance, reason });
}

#[test]
fn a_recommendation_is_acted_on_by_setting() {
    let mut event = interruption("terminate");
    event["detail-type"] = json!("EC2 Instance Rebalance Recommendation");
    event["detail"] = json!({"instance-id": "i-1234567890abcdef0"});
    assert!(matches!(
        parsed(event.clone()).unwrap(),
        Command::LeaveAlone { reason: DrainReason::RecommendationIgnored, .. }
    ));
    let replace = settings(&[("EVENKEEL_ON_REBALANCE_RECOMMENDATION", "replace")]);
    let record = record_of(&parse(event, REGION, &replace, now()).unwrap());
    assert_eq!((record.cause, record.deadline), (Cause::Recommendation, None));
}

#[test]
fn only_the_end_of_a_host_is_of_interest() {
    let mut event = interruption("terminate");
    event["detail-type"] = json!("EC2 Instance State-change Notification");
    for state in ["pending", "running", "shutting-down", "stopping", "stopped"] {
        event["detail"] = json!({"instance-id": "i-1234567890abcdef0", "state": state});
        assert!(
            matches!(
                parsed(event.clone()).unwrap(),
                Command::LeaveAlone { reason: DrainReason::NotTerminatedYet { .. }, .. }
            ),
            "{state}"
        );
    }
    event["detail"]["state"] = json!("terminated");
    assert!(matches!(parsed(event).unwrap(), Command::Terminated { .. }));
}

#[test]
fn schedules_and_the_empty_command_mean_everything_under_way() {
    let scheduled = json!({"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}});
    assert_eq!(parsed(scheduled).unwrap(), Command::Reconcile);
    assert_eq!(parsed(json!({})).unwrap(), Command::Reconcile);
}

#[test]
fn a_command_names_its_instance() {
    let event = json!({"instanceId": "i-0123", "cluster": "web", "dryRun": true});
    let Command::Drain { instance, record, cluster, dry_run } = parsed(event).unwrap() else { panic!() };
    assert_eq!((instance.as_str(), cluster, dry_run), ("i-0123", Some(ClusterName::new("web")), true));
    assert_eq!((record.cause, record.noticed_at, record.deadline), (Cause::Manual, now(), None));
}

#[test]
fn bad_input_is_refused_with_what_and_where() {
    let with = |path: &str, value: Value| {
        let mut event = interruption("terminate");
        *event.pointer_mut(path).unwrap() = value;
        event
    };
    let cases = [
        (with("/region", json!("eu-west-1")), "region is 'eu-west-1', and this function works in us-east-2"),
        (with("/time", json!("soon")), "time is 'soon'"),
        (with("/detail", json!({})), "instance-id"),
        (with("/detail/instance-id", json!("i-]")), "detail.instance-id is 'i-]'"),
        (with("/detail/instance-id", json!(7)), "detail.instance-id cannot be read"),
        (with("/detail/instance-action", json!("explode")), "detail.instance-action is 'explode'"),
        (with("/detail-type", json!("Another")), "detail-type is 'Another'"),
        (json!({"dryRun": true}), "instanceId is missing"),
        (json!({"instanceId": "0123"}), "instanceId is '0123'"),
        (json!({"instanceId": "i-0123", "cluster": "a b"}), "cluster"),
        (json!({"instanceid": "i-0123"}), "instanceid"),
        (json!(["i-0123"]), "event"),
    ];
    for (event, words) in cases {
        let error = parsed(event).unwrap_err();
        assert_eq!(error.kind(), "EventInvalid");
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
}
