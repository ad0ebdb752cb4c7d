//! What the executor of moves refuses although it is asked to: somebody was quicker than the look it was decided from.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use evenkeel::aws::Aws;
use evenkeel::execute::{Begun, Execute};
use evenkeel::ids::{ClusterName, ServiceName, TaskArn};
use evenkeel::observe;
use evenkeel::plan::rebalance::plan_rebalance;
use evenkeel::plan::record::{MoveRecord, Phase};
use evenkeel::plan::surge::{Outcome, Step, Waiting};
use evenkeel::report::{Action, ActionOutcome};
use evenkeel::snapshot::ClusterSnapshot;
use evenkeel_tests::foreseen::{limits, observed};
use evenkeel_tests::{Stage, clusters, play};
use simulator::account::{Account, Service};
use simulator::faults::Rule;
use simulator::scheduler::deployments::start_deployment;

/// What somebody else does.
type Change = fn(&mut Account);

fn app(account: &mut Account) -> &mut Service {
    account.clusters.get_mut("web").unwrap().services.get_mut("app").unwrap()
}

fn another_count(account: &mut Account) {
    app(account).desired_count += 1;
}

fn a_deployment(account: &mut Account) {
    let definition = app(account).task_definition.clone();
    start_deployment(account, "web", "app", &definition);
}

fn another_record(account: &mut Account) {
    let text = app(account).tags.get_mut("evenkeel:move").expect("the move is recorded");
    let record: MoveRecord = text.parse().unwrap();
    *text = MoveRecord { sequence: 7, ..record }.to_string();
}

fn a_protection(account: &mut Account) {
    let until = account.now + Duration::from_hours(4);
    let tasks = account.clusters.get_mut("web").unwrap().tasks.values_mut();
    tasks.for_each(|task| task.protected_until = Some(until));
}

/// A move of `app` that is recorded, and the look that the next step is decided from.
struct Moving {
    aws: Aws,
    snapshot: ClusterSnapshot,
    record: MoveRecord,
}

impl Moving {
    async fn on(stage: &Stage) -> Self {
        let aws = stage.aws();
        let chosen = observed(&aws).await.tasks.keys().next().unwrap().short().to_owned();
        let record = MoveRecord {
            phase: Phase::Guard,
            tasks_desired_before: 3,
            starts: 0,
            starts_max: 1,
            sequence: 1,
            chosen,
            new: None,
            started_at: evenkeel::timestamp::Timestamp::from_secs(aws.now().as_secs()),
            protection_minutes: 30,
            missed: None,
        };
        let text = record.to_string();
        stage.simulator.change(|it| drop(app(it).tags.insert("evenkeel:move".to_owned(), text)));
        let mut snapshot = observe::cluster(&aws, &ClusterName::new("web")).await.unwrap();
        let services = BTreeSet::from([ServiceName::new("app")]);
        observe::details(&aws, &mut snapshot, &BTreeSet::new(), &services, &mut BTreeMap::new()).await;
        Self { aws, snapshot, record }
    }

    /// Carries out `step`; what a fresh look asks for is `asked`.
    async fn step(&self, step: &Step, asked: &Step) -> Vec<Action> {
        let service = &self.snapshot.services[&ServiceName::new("app")];
        let record = Some(&self.record);
        let execute = Execute { aws: &self.aws, snapshot: &self.snapshot, service, record };
        Box::pin(execute.execute_step(step, &|_| Some(asked.clone()))).await
    }

    fn raise(&self) -> Step {
        let record = MoveRecord { starts: 1, ..self.record.then(Phase::Raise) };
        Step::Raise { record, from: 3, to: 4 }
    }

    fn tasks(&self) -> Vec<TaskArn> {
        self.snapshot.tasks.keys().cloned().collect()
    }

    fn lower(&self) -> Step {
        Step::Lower { from: 3, to: 2, closing: self.record.then(Phase::Settle) }
    }

    fn stop(&self) -> Step {
        Step::Stop { tasks: self.tasks()[..1].to_vec(), lower: None }
    }

    fn stop_chosen(&self) -> Step {
        Step::StopChosen { task: self.tasks()[0].clone() }
    }

    fn protect(&self) -> Step {
        Step::Protect { tasks: self.tasks(), until: self.record.expiry_at(self.aws.now()) }
    }
}

fn called(stage: &Stage, operation: &str) -> u64 {
    stage.simulator.calls_by_operation().get(operation).copied().unwrap_or(0)
}

/// Carries out the step that `of` makes, with `change` before its `call`-th call; how often `operation` was called.
fn calls_with(
    change: Option<(u64, Change)>,
    rule: Option<Rule>,
    of: fn(&Moving) -> (Step, Step),
    operation: &str,
) -> u64 {
    play(3301, clusters::one_zone(3301, &[3, 0]), async |stage| {
        let moving = Moving::on(&stage).await;
        let before = called(&stage, operation);
        if let Some((call, change)) = change {
            stage.simulator.before_call(call, Box::new(change));
        }
        if let Some(rule) = rule {
            stage.simulator.rule(rule);
        }
        let (step, asked) = of(&moving);
        let _ = moving.step(&step, &asked).await;
        called(&stage, operation) - before
    })
}

fn raise(moving: &Moving) -> (Step, Step) {
    (moving.raise(), moving.raise())
}

#[test]
fn a_count_is_not_raised_over_what_came_before_the_announcement_or_after_it() {
    assert_eq!(calls_with(None, None, raise, "UpdateService"), 1);
    for change in [another_count, another_record] {
        assert_eq!(calls_with(Some((1, change)), None, raise, "TagResource"), 0, "before");
    }
    for change in [another_count, a_deployment, another_record] {
        assert_eq!(calls_with(Some((3, change)), None, raise, "UpdateService"), 0, "after");
    }
}

#[test]
fn what_could_not_be_announced_is_not_done() {
    assert_eq!(calls_with(None, Some(Rule::deny("TagResource")), raise, "UpdateService"), 0);
}

#[test]
fn only_what_a_fresh_look_asks_for_is_lowered_or_stopped() {
    assert_eq!(calls_with(None, None, |it| (it.lower(), it.lower()), "UpdateService"), 1);
    assert_eq!(calls_with(None, None, |it| (it.lower(), Step::Wait(Waiting::Count)), "UpdateService"), 0);
    assert_ne!(calls_with(None, None, |it| (it.stop(), it.stop()), "StopTask"), 0);
    assert_eq!(calls_with(None, None, |it| (it.stop(), Step::Wait(Waiting::Count)), "StopTask"), 0);
    assert_eq!(calls_with(None, None, |it| (it.stop_chosen(), it.stop_chosen()), "StopTask"), 1);
    assert_eq!(calls_with(None, None, |it| (it.stop_chosen(), Step::Wait(Waiting::Count)), "StopTask"), 0);
}

#[test]
fn the_record_says_at_once_that_the_count_was_lowered() {
    play(3302, clusters::one_zone(3302, &[3, 0]), async |stage| {
        let moving = Moving::on(&stage).await;
        let _ = moving.step(&moving.lower(), &moving.lower()).await;
        let record =
            stage.simulator.account(|it| it.clusters["web"].services["app"].tags["evenkeel:move"].clone());
        assert_eq!(record.parse::<MoveRecord>().unwrap().phase, Phase::Settle);
    });
}

#[test]
fn a_protection_that_somebody_has_just_set_is_theirs() {
    let protect = |it: &Moving| (it.protect(), it.protect());
    assert_eq!(calls_with(None, None, protect, "UpdateTaskProtection"), 1);
    for change in [a_protection, another_record] {
        assert_eq!(calls_with(Some((1, change)), None, protect, "UpdateTaskProtection"), 0);
    }
}

#[test]
fn a_record_is_not_dropped_over_a_count_that_has_just_changed() {
    let finish = |_: &Moving| (Step::Finish(Outcome::Moved), Step::Finish(Outcome::Moved));
    assert_eq!(calls_with(None, None, finish, "UntagResource"), 1);
    assert_eq!(calls_with(Some((1, another_count)), None, finish, "UntagResource"), 0);
}

#[test]
fn no_move_begins_of_a_service_that_has_one_or_is_not_as_planned() {
    let recorded: Change = |account| {
        let record = "1:guard:3:0:1:1:a:-:1767323045:30".to_owned();
        app(account).tags.insert("evenkeel:move".to_owned(), record);
    };
    for (change, is_begun) in [(None, true), (Some(recorded), false), (Some(another_count as Change), false)]
    {
        play(3303, clusters::one_zone(3303, &[3, 0]), async |stage| {
            let aws = stage.aws();
            let snapshot = observed(&aws).await;
            let planned = plan_rebalance(&snapshot, &limits()).starts[0].clone();
            if let Some(change) = change {
                stage.simulator.change(change);
            }
            let service = &snapshot.services[&planned.service];
            let execute = Execute { aws: &aws, snapshot: &snapshot, service, record: None };
            let (begun, actions) = execute.execute_begin(&planned, Duration::from_mins(10)).await;
            assert_eq!(matches!(begun, Begun::Recorded(_)), is_begun, "{begun:?}");
            assert_eq!(actions.iter().any(|it| it.outcome == ActionOutcome::Done), is_begun, "{actions:?}");
        });
    }
}
