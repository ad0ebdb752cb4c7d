//! What a rollout changes in an Auto Scaling group: each call names what it changes, is made once, and says how it failed.

use std::time::Duration;

use evenkeel::aws::Aws;
use evenkeel::error::Error;
use evenkeel::ids::{GroupName, InstanceId};
use evenkeel_tests::recorded::Recorded;
use evenkeel_tests::{Stage, clusters, play, sdk_config};
use simulator::account::{Account, AutoScalingGroup};
use simulator::builder::{AccountBuilder, GroupBuilder};
use simulator::faults::Rule;

fn account(size: u32, with: impl FnOnce(GroupBuilder) -> GroupBuilder) -> Account {
    AccountBuilder::new(1)
        .cluster("web")
        .launch_template("web", |it| it.version("ami-1"))
        .auto_scaling_group("web-asg", |it| with(it.zones(&clusters::ZONES).size(1, size, 2 * size)))
        .build()
}

fn name() -> GroupName {
    GroupName::new("web-asg")
}

fn seen<T>(stage: &Stage, look: impl FnOnce(&AutoScalingGroup) -> T) -> T {
    stage.simulator.account(|account| look(&account.auto_scaling_groups["web-asg"]))
}

fn members(stage: &Stage) -> Vec<InstanceId> {
    seen(stage, |group| group.instances.keys().map(InstanceId::new).collect())
}

fn called(stage: &Stage, operation: &str) -> u64 {
    stage.simulator.calls_by_operation().get(operation).copied().unwrap_or(0)
}

#[test]
fn sizes_are_written_one_at_a_time() {
    play(1, account(4, |it| it), async |stage| {
        let aws = stage.aws();
        aws.set_max_size(&name(), 12).await.unwrap();
        assert_eq!(seen(&stage, |it| (it.min_size, it.desired_capacity, it.max_size)), (1, 4, 12));
        aws.set_desired_capacity(&name(), 12).await.unwrap();
        assert_eq!(seen(&stage, |it| (it.min_size, it.desired_capacity, it.max_size)), (1, 12, 12));
        let error = aws.set_desired_capacity(&name(), 13).await.unwrap_err();
        let text = error.chain();
        assert!(text.starts_with("SetDesiredCapacity on web-asg failed: ValidationError: "), "{text}");
        tokio::time::sleep(Duration::from_mins(5)).await;
        assert_eq!(seen(&stage, AutoScalingGroup::capacity), 12);
    });
}

#[test]
fn only_the_processes_named_are_suspended_and_resumed() {
    play(1, account(3, |it| it.suspends(&["HealthCheck"])), async |stage| {
        let aws = stage.aws();
        let suspended = || seen(&stage, |it| it.suspended.keys().cloned().collect::<Vec<_>>());
        aws.suspend_processes(&name(), &["AZRebalance", "ScheduledActions"]).await.unwrap();
        assert_eq!(suspended(), ["AZRebalance", "HealthCheck", "ScheduledActions"]);
        aws.resume_processes(&name(), &["AZRebalance"]).await.unwrap();
        assert_eq!(suspended(), ["HealthCheck", "ScheduledActions"]);
    });
}

#[test]
fn an_empty_list_of_processes_is_refused_before_any_call() {
    play(1, account(3, |it| it.suspends(&["HealthCheck"])), async |stage| {
        let aws = stage.aws();
        let suspend = aws.suspend_processes(&name(), &[]).await.unwrap_err().chain();
        let resume = aws.resume_processes(&name(), &[]).await.unwrap_err().chain();
        for (text, operation) in [(suspend, "SuspendProcesses"), (resume, "ResumeProcesses")] {
            assert!(text.starts_with(operation) && text.contains("no process was named"), "{text}");
        }
        assert!(stage.simulator.calls().is_empty());
        assert_eq!(seen(&stage, |it| it.suspended.len()), 1);
    });
}

#[test]
fn a_suspended_schedule_does_not_act() {
    let scheduled = |it: GroupBuilder| it.scheduled_action("out", Duration::from_mins(10), 6);
    play(1, account(3, scheduled), async |stage| {
        let aws = stage.aws();
        aws.suspend_processes(&name(), &["ScheduledActions"]).await.unwrap();
        tokio::time::sleep(Duration::from_mins(20)).await;
        aws.resume_processes(&name(), &["ScheduledActions"]).await.unwrap();
        tokio::time::sleep(Duration::from_mins(20)).await;
        assert_eq!(seen(&stage, |it| it.desired_capacity), 3);
        assert!(aws.scheduled_actions(&name()).await.unwrap().is_empty());
    });
}

#[test]
fn instances_are_terminated_by_name_and_one_refusal_keeps_no_other_back() {
    play(1, account(4, GroupBuilder::protects_new_instances), async |stage| {
        let (aws, all) = (stage.aws(), members(&stage));
        let asked = [all[0].clone(), InstanceId::new("i-x"), all[1].clone()];
        let outcomes = aws.terminate_members(&asked).await;
        let [(first, done), (_, refused), (_, also)] = outcomes.as_slice() else { panic!("{outcomes:#?}") };
        assert_eq!((first, done.is_ok(), also.is_ok()), (&all[0], true, true));
        let text = refused.as_ref().unwrap_err().chain();
        assert!(
            text.starts_with("TerminateInstanceInAutoScalingGroup on i-x failed: ValidationError"),
            "{text}"
        );
        assert_eq!(called(&stage, "TerminateInstanceInAutoScalingGroup"), 3);
        tokio::time::sleep(Duration::from_mins(10)).await;
        let left: Vec<InstanceId> = members(&stage).into_iter().filter(|id| all.contains(id)).collect();
        assert_eq!(left, all[2..], "those named are gone");
        assert_eq!(seen(&stage, |it| (it.desired_capacity, it.instances.len())), (4, 4), "others came");
    });
}

#[test]
fn tags_are_set_and_removed_by_key() {
    play(1, account(3, |it| it.tag("team", "shop", true)), async |stage| {
        let aws = stage.aws();
        aws.tag_group(&name(), &[("evenkeel:record", "a=1"), ("evenkeel:old", "x")]).await.unwrap();
        let tags = seen(&stage, |it| it.tags.clone());
        assert_eq!((tags.len(), tags["evenkeel:record"].value.as_str()), (3, "a=1"));
        assert!(!tags["evenkeel:record"].propagate_at_launch && tags["team"].propagate_at_launch);
        let read = aws.auto_scaling_groups(&[name()]).await.unwrap().remove(0);
        assert_eq!(read.tags["evenkeel:old"], "x");
        aws.untag_group(&name(), &["evenkeel:record", "evenkeel:old", "never set"]).await.unwrap();
        assert_eq!(seen(&stage, |it| it.tags.keys().cloned().collect::<Vec<_>>()), ["team"]);
        let calls = stage.simulator.calls().len();
        aws.tag_group(&name(), &[]).await.unwrap();
        aws.untag_group(&name(), &[]).await.unwrap();
        assert_eq!(stage.simulator.calls().len(), calls);
    });
}

/// Makes every write once; what came of each.
async fn every_write(aws: &Aws, instance: &InstanceId) -> Vec<Result<(), Error>> {
    let group = name();
    let mut results = vec![
        aws.set_desired_capacity(&group, 4).await,
        aws.set_max_size(&group, 9).await,
        aws.suspend_processes(&group, &["AZRebalance"]).await,
        aws.resume_processes(&group, &["AZRebalance"]).await,
        aws.tag_group(&group, &[("k", "v")]).await,
        aws.untag_group(&group, &["k"]).await,
    ];
    let terminated = aws.terminate_members(std::slice::from_ref(instance)).await;
    results.extend(terminated.into_iter().map(|(_, result)| result));
    results
}

#[test]
fn no_write_is_repeated_by_the_sdk_whatever_goes_wrong() {
    for rule in [
        Rule::throttle(1.0),
        Rule::server_error(1.0),
        Rule::lose_response(1.0),
        Rule::resource_contention(1.0),
    ] {
        play(1, account(4, |it| it), async |stage| {
            stage.simulator.rule(rule);
            let results = every_write(&stage.aws(), &members(&stage)[0]).await;
            assert!(results.iter().all(Result::is_err), "{results:#?}");
            let calls = stage.simulator.calls_by_operation();
            assert!(calls.len() == results.len() && calls.values().all(|count| *count == 1), "{calls:#?}");
        });
    }
}

#[test]
fn a_blocking_activity_is_told_in_aws_own_words() {
    play(1, account(4, |it| it), async |stage| {
        stage.simulator.rule(Rule::scaling_activity_in_progress(1.0));
        let error = stage.aws().set_desired_capacity(&name(), 5).await.unwrap_err();
        assert!(error.is_retryable());
        assert!(error.chain().contains("ScalingActivityInProgress: Scaling activity"), "{}", error.chain());
    });
}

#[test]
fn requests_say_what_they_change_and_nothing_else() {
    play(1, account(4, |it| it), async |stage| {
        let recorded = Recorded::default();
        let client = recorded.client(stage.simulator.http_client_of("evenkeel"));
        let config = sdk_config(&stage.simulator).into_builder().http_client(client).build();
        let instance = members(&stage)[0].clone();
        let results = every_write(&Aws::new(&config, "recorded"), &instance).await;
        assert!(results.iter().all(Result::is_ok), "{results:#?}");
        let group = "AutoScalingGroupName=web-asg";
        let tag = "Tags.member.1.ResourceId=web-asg&Tags.member.1.ResourceType=auto-scaling-group&Tags.member.1.Key=k";
        let expected = [
            format!("SetDesiredCapacity&{group}&DesiredCapacity=4&HonorCooldown=false"),
            format!("UpdateAutoScalingGroup&{group}&MaxSize=9"),
            format!("SuspendProcesses&{group}&ScalingProcesses.member.1=AZRebalance"),
            format!("ResumeProcesses&{group}&ScalingProcesses.member.1=AZRebalance"),
            format!("CreateOrUpdateTags&{tag}&Tags.member.1.Value=v&Tags.member.1.PropagateAtLaunch=false"),
            format!("DeleteTags&{tag}"),
            format!(
                "TerminateInstanceInAutoScalingGroup&InstanceId={instance}&ShouldDecrementDesiredCapacity=false"
            ),
        ];
        let forms = recorded.forms();
        let bare: Vec<String> =
            forms.iter().map(|it| it.replace("Action=", "").replace("&Version=2011-01-01", "")).collect();
        assert_eq!(bare, expected);
    });
}
