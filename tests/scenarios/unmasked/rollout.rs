//! What the executor of a rollout refuses although it is asked to: somebody was quicker than the look it was decided from.

use std::time::Duration;

use evenkeel::aws::Aws;
use evenkeel::execute::rollout::ExecuteRollout;
use evenkeel::ids::{ClusterName, GroupName, InstanceId};
use evenkeel::observe::rollout as observe;
use evenkeel::plan::rollout::decision::Step;
use evenkeel::plan::rollout::phase::Phase;
use evenkeel::plan::rollout::preflight::preflight;
use evenkeel::plan::rollout::record::{RolloutRecord, Selection, Terms};
use evenkeel::plan::rollout::seen::RolloutSnapshot;
use evenkeel::report::{Action, ActionOutcome, Status};
use evenkeel::snapshot::Known;
use evenkeel_tests::rollouts::{codes, only, outdated, start};
use evenkeel_tests::{Stage, play};
use serde_json::json;
use simulator::account::{ContainerInstance, ContainerInstanceStatus, TaskStatus};
use simulator::faults::Rule;

/// A group whose rollout is recorded and not begun.
struct Recorded {
    aws: Aws,
    group: GroupName,
    cluster: ClusterName,
    seen: RolloutSnapshot,
    record: RolloutRecord,
}

impl Recorded {
    async fn on(stage: &Stage) -> Self {
        let (aws, group, cluster) = (stage.aws(), GroupName::new("web-asg"), ClusterName::new("web"));
        let found = observe::group(&aws, &group).await.unwrap().unwrap();
        let before = Box::pin(observe::before_start(&aws, found, &cluster, Selection::All)).await.unwrap();
        let (bake_time, selection) = (Duration::ZERO, Selection::All);
        let terms = Terms { surge_percent: 100, canary: 0, bake_time, selection };
        let record = preflight(&before, terms, "evenkeel-drain", Duration::from_hours(4)).record;
        let recorded = Self { aws, group, cluster, seen: before.seen, record };
        let action = recorded.execute().start(&recorded.record, "").await;
        assert_eq!(action.outcome, ActionOutcome::Done);
        recorded
    }

    fn execute(&self) -> ExecuteRollout<'_> {
        ExecuteRollout { aws: &self.aws, group: &self.group, cluster: &self.cluster, dry_run: false }
    }

    async fn step(&self, step: &Step) -> Vec<Action> {
        Box::pin(self.execute().execute_rollout(step, &self.seen, &self.record, None)).await
    }

    /// The record as a later turn would have it.
    fn later(&self) -> RolloutRecord {
        self.record.in_phase(Phase::Surge, self.record.since + Duration::from_secs(5))
    }
}

fn is_refused(actions: &[Action]) -> bool {
    actions.iter().all(|it| matches!(it.outcome, ActionOutcome::Refused(_)))
}

#[test]
fn a_start_is_not_written_over_another() {
    play(3101, outdated(3101, |it| it), async |stage| {
        let recorded = Recorded::on(&stage).await;
        let writes = stage.writes();
        assert!(is_refused(&[recorded.execute().start(&recorded.later(), "").await]));
        assert_eq!(stage.writes(), writes);
    });
}

#[test]
fn a_record_that_has_moved_on_is_neither_acted_on_nor_written_over() {
    play(3102, outdated(3102, |it| it), async |stage| {
        let recorded = Recorded::on(&stage).await;
        let other = recorded.execute().record(&recorded.record, &recorded.later()).await;
        assert_eq!(other.outcome, ActionOutcome::Done);
        let writes = stage.writes();
        assert!(is_refused(&recorded.step(&Step::SetMax(20)).await));
        let aborted = recorded.record.in_phase(Phase::Restore, recorded.record.since);
        assert!(is_refused(&[recorded.execute().record(&recorded.record, &aborted).await]));
        assert_eq!(stage.writes(), writes);
    });
}

#[test]
fn sizes_that_would_end_somebody_are_not_written() {
    play(3103, outdated(3103, |it| it), async |stage| {
        let recorded = Recorded::on(&stage).await;
        let writes = stage.writes();
        assert!(is_refused(&recorded.step(&Step::SetMax(5)).await), "six are desired");
        assert!(is_refused(&recorded.step(&Step::SetDesired(6)).await), "Launch is not suspended");
        assert_eq!(stage.writes(), writes);
        recorded.aws.suspend_processes(&recorded.group, &["Launch"]).await.unwrap();
        assert!(is_refused(&recorded.step(&Step::SetDesired(5)).await), "six count");
        assert_eq!(recorded.step(&Step::SetDesired(6)).await[0].outcome, ActionOutcome::Done);
    });
}

#[test]
fn an_instance_that_was_not_listed_is_asked_for_before_it_is_ended() {
    play(3104, outdated(3104, |it| it), async |stage| {
        let mut recorded = Recorded::on(&stage).await;
        recorded.seen.registered.remove(&InstanceId::new("i-a1"));
        let writes = stage.writes();
        assert!(
            is_refused(&recorded.step(&Step::Terminate(vec![InstanceId::new("i-a1")])).await),
            "ECS knows it"
        );
        assert_eq!(stage.writes(), writes);
    });
}

#[test]
fn a_tag_sends_no_rollout_into_another_cluster() {
    play(3105, outdated(3105, |it| it), async |stage| {
        let stage = stage.with("EVENKEEL_BAKE_TIME", "30m");
        let report = stage.rollout(start()).await.unwrap();
        assert_eq!(report.status, Status::InProgress, "{report:#?}");
        stage.simulator.change(|account| {
            let group = account.auto_scaling_groups.get_mut("web-asg").unwrap();
            "other".clone_into(&mut group.tags.get_mut("evenkeel:rollout-cluster").unwrap().value);
        });
        let writes = stage.writes();
        let report = stage.rollout(json!({})).await.unwrap();
        let group = only(&report);
        assert!(group.status == Status::Blocked && group.summary.contains("other"), "{report:#?}");
        assert_eq!(stage.writes(), writes);
    });
}

#[test]
fn bakes_that_outlast_a_rollout_refuse_its_start() {
    play(3106, outdated(3106, |it| it), async |stage| {
        let mut event = start();
        event["bakeTime"] = "4h".into();
        let report = stage.rollout(event).await.unwrap();
        assert!(codes(&report).contains(&"bakesTooLong".to_owned()), "{report:#?}");
        assert_eq!((report.status, stage.writes()), (Status::Blocked, 0));
    });
}

#[test]
fn after_a_step_that_failed_nothing_else_is_done() {
    play(3107, outdated(3107, |it| it), async |stage| {
        stage.simulator.rule(Rule::deny("SuspendProcesses"));
        let report = stage.rollout(start()).await.unwrap();
        assert_eq!(stage.simulator.calls_by_operation().get("PutAttributes"), None, "{report:#?}");
    });
}

#[test]
fn what_was_not_described_on_an_old_instance_cannot_be_told() {
    play(3108, outdated(3108, |it| it), async |stage| {
        let recorded = Recorded::on(&stage).await;
        stage.simulator.change(|account| {
            let cluster = account.clusters.get_mut("web").unwrap();
            let is_it = |it: &&mut ContainerInstance| it.ec2_instance_id == "i-a1";
            let instance = cluster.container_instances.values_mut().find(is_it).unwrap();
            instance.status = ContainerInstanceStatus::Draining;
            let arn = instance.arn.clone();
            for task in cluster.tasks.values_mut().filter(|it| it.container_instance.as_ref() == Some(&arn)) {
                (task.desired_status, task.last_status) = (TaskStatus::Stopped, TaskStatus::Stopped);
            }
        });
        let record = recorded.record.in_phase(Phase::Drain, recorded.record.since);
        let look = async || {
            let group = observe::group(&recorded.aws, &recorded.group).await.unwrap().unwrap();
            let seen =
                Box::pin(observe::look(&recorded.aws, group, &recorded.cluster, &record)).await.unwrap();
            seen.tasks.get(&InstanceId::new("i-a1")).cloned()
        };
        assert!(matches!(look().await, Some(Known::Known(_))));
        stage.simulator.rule(Rule::missing_entry(1.0).on(&["DescribeTasks"]));
        assert!(matches!(look().await, Some(Known::Unknown(_))));
    });
}

#[test]
fn an_instance_that_ec2_leaves_out_is_not_known_to_have_ended() {
    play(3109, outdated(3109, |it| it), async |stage| {
        let recorded = Recorded::on(&stage).await;
        let record = recorded.record.in_phase(Phase::Drain, recorded.record.since);
        let group = observe::group(&recorded.aws, &recorded.group).await.unwrap().unwrap();
        stage.simulator.change(|account| {
            let cluster = account.clusters.get_mut("web").unwrap();
            cluster.container_instances.retain(|_, it| it.ec2_instance_id != "i-a1");
            account.machines.remove("i-a1");
        });
        let seen = Box::pin(observe::look(&recorded.aws, group, &recorded.cluster, &record)).await.unwrap();
        assert!(matches!(seen.machines[&InstanceId::new("i-a1")], Known::Unknown(_)), "{:?}", seen.machines);
    });
}
