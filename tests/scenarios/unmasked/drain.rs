//! Instances of which something could not be read, and what is not begun without a record.

use std::time::Duration;

use evenkeel::ids::{ClusterName, InstanceId};
use evenkeel::observe::drain::{Registration, instance, locate, registered, under_way};
use evenkeel::plan::drain::seen::InstanceSnapshot;
use evenkeel::snapshot::Known;
use evenkeel_tests::drains::{HOOK, bare_fleet, bus, fleet, held_fleet};
use evenkeel_tests::{Stage, play};
use serde_json::json;
use simulator::account::{ActionResult, ContainerInstanceStatus, InterruptionAction};
use simulator::event_bridge::Mishaps;
use simulator::faults::Rule;
use simulator::scheduler::spot;

fn called(stage: &Stage, operation: &str) -> u64 {
    stage.simulator.calls_by_operation().get(operation).copied().unwrap_or(0)
}

async fn registration(stage: &Stage, id: &str) -> Registration {
    let clusters = [ClusterName::new("web")];
    let found = locate(&stage.aws(), &clusters, &InstanceId::new(id)).await.unwrap();
    found.into_iter().next().unwrap()
}

async fn look(stage: &Stage, at: &Registration) -> InstanceSnapshot {
    let seen = Box::pin(instance(&stage.aws(), at, &InstanceId::new("i-a1"), None)).await;
    seen.unwrap().expect("it is registered")
}

#[test]
fn a_task_that_was_not_described_may_be_there() {
    play(3201, bare_fleet(3201), async |stage| {
        let at = registration(&stage, "i-a1").await;
        let seen = look(&stage, &at).await;
        assert!(matches!(seen.tasks, Known::Known(_)), "{seen:#?}");
        stage.simulator.rule(Rule::missing_entry(1.0).on(&["DescribeTasks"]));
        let seen = look(&stage, &at).await;
        assert!(matches!(seen.tasks, Known::Unknown(_)), "{seen:#?}");
    });
}

#[test]
fn an_instance_that_was_not_described_is_neither_gone_nor_forgotten() {
    play(3202, held_fleet(3202), async |stage| {
        let at = registration(&stage, "i-a1").await;
        stage.simulator.change(|account| {
            let instances = &mut account.clusters.get_mut("web").unwrap().container_instances;
            let instance = instances.values_mut().find(|it| it.ec2_instance_id == "i-a1").unwrap();
            instance.status = ContainerInstanceStatus::Draining;
        });
        stage.simulator.rule(Rule::missing_entry(1.0).on(&["DescribeContainerInstances"]));
        assert!(registered(&stage.aws(), &at).await.is_err());
        let (_, clusters) = under_way(&stage.aws(), &[ClusterName::new("web")]).await.unwrap();
        assert!(clusters.iter().all(Result::is_err), "{clusters:#?}");
    });
}

#[test]
fn an_instance_may_be_in_the_cluster_that_could_not_be_asked() {
    play(3203, bare_fleet(3203), async |stage| {
        stage.simulator.rule(Rule::deny("ListContainerInstances"));
        let clusters = [ClusterName::new("web")];
        assert!(locate(&stage.aws(), &clusters, &InstanceId::new("i-a1")).await.is_err());
    });
}

/// The hook's own time-out is two minutes, and for nine nothing can be told of any instance.
#[test]
fn a_hook_is_kept_alive_while_its_cluster_cannot_be_read() {
    let short = |it: simulator::builder::GroupBuilder| {
        it.terminate_hook(HOOK, Duration::from_mins(2), ActionResult::Continue)
    };
    play(3204, fleet(3204, short).build(), async |stage| {
        stage.simulator.change(|account| {
            account.auto_scaling_groups.get_mut("web-asg").unwrap().desired_capacity -= 1;
        });
        stage.simulator.checkers(|it| it.others_resized("web-asg", (3, 5, 9)));
        stage.simulator.rule(Rule::server_error(1.0).on(&["DescribeContainerInstances"]));
        let mut bus = bus(3204, Mishaps::default());
        let _ = stage.live(&mut bus, Duration::from_mins(9)).await;
        stage.assert_promises();
        let members = stage.simulator.account(|it| it.auto_scaling_groups["web-asg"].instances.len());
        assert_eq!(members, 6, "one is held\n{}", stage.simulator.timeline());
        stage.simulator.clear_rules();
        let _ = stage.live(&mut bus, Duration::from_mins(15)).await;
        stage.assert_clean();
    });
}

/// The same within the one invocation that the lifecycle event has woken.
#[test]
fn an_invocation_keeps_the_hook_of_what_it_cannot_see_alive() {
    play(3205, held_fleet(3205), async |stage| {
        stage.simulator.change(|account| {
            account.auto_scaling_groups.get_mut("web-asg").unwrap().desired_capacity -= 1;
        });
        stage.simulator.checkers(|it| it.others_resized("web-asg", (3, 5, 9)));
        tokio::time::sleep(Duration::from_secs(30)).await;
        let event = stage.emitted("EC2 Instance-terminate Lifecycle Action");
        stage.simulator.rule(Rule::server_error(1.0).on(&["DescribeContainerInstances"]));
        let _ = stage.drain(event).await;
        assert!(called(&stage, "RecordLifecycleActionHeartbeat") > 0, "{}", stage.simulator.timeline());
        assert_eq!(called(&stage, "CompleteLifecycleAction"), 0);
    });
}

/// It was recorded and set DRAINING, then the function died; what says how the substitute was asked for cannot be written.
#[test]
fn no_substitute_is_asked_for_that_cannot_be_recorded() {
    let command = || json!({"instanceId": "i-a1", "cluster": "web"});
    let operations: Vec<String> = play(3206, bare_fleet(3206), async |stage| {
        let _ = stage.drain(command()).await;
        stage.simulator.calls().into_iter().map(|call| call.operation).collect()
    });
    let drained = operations.iter().position(|it| it == "UpdateContainerInstancesState").unwrap() as u64 + 1;
    play(3206, bare_fleet(3206), async |stage| {
        stage.simulator.kill_after(drained);
        assert!(stage.drain_until_killed(command()).await.is_none());
        stage.simulator.revive();
        stage.simulator.rule(Rule::deny("PutAttributes"));
        let report = stage.drain_scheduled().await;
        assert_eq!(called(&stage, "EnterStandby"), 0, "{report:#?}");
        stage.simulator.clear_rules();
        let _ = stage.drain_scheduled().await;
        assert_eq!(called(&stage, "EnterStandby"), 1, "now it can be");
    });
}

/// Whoever deregisters an instance by force leaves its containers running: it has its time.
#[test]
fn what_is_deregistered_by_force_on_standby_lives_until_its_deadline() {
    play(3207, bare_fleet(3207), async |stage| {
        let stage = stage.with("EVENKEEL_REPLACEMENT", "surge");
        stage.simulator.change(|account| spot::interrupt(account, "i-a1", InterruptionAction::Terminate));
        let event = stage.emitted("EC2 Spot Instance Interruption Warning");
        let deadline = stage.simulator.now() + Duration::from_mins(2);
        let forget = async {
            tokio::time::sleep(Duration::from_secs(8)).await;
            stage.simulator.change(|account| {
                let instances = &mut account.clusters.get_mut("web").unwrap().container_instances;
                let instance = instances.values_mut().find(|it| it.ec2_instance_id == "i-a1").unwrap();
                instance.status = ContainerInstanceStatus::Inactive;
            });
        };
        let (report, ()) = tokio::join!(stage.drain(event), forget);
        let early = stage
            .simulator
            .calls()
            .into_iter()
            .find(|call| call.operation == "TerminateInstanceInAutoScalingGroup" && call.at < deadline);
        assert_eq!(early, None, "{report:#?}");
        assert_eq!(called(&stage, "EnterStandby"), 1, "{report:#?}");
    });
}

#[test]
fn a_command_names_a_configured_cluster_or_none() {
    play(3208, bare_fleet(3208), async |stage| {
        let command = json!({"instanceId": "i-a1", "cluster": "other"});
        let error = stage.drain(command).await.unwrap_err();
        assert!(error.to_string().contains("EVENKEEL_CLUSTERS"), "{error}");
    });
}
