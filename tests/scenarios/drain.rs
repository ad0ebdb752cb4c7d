//! Instances that go away: a Spot interruption, a terminate hook, an event that reaches nobody.

pub(crate) mod foresight;
pub(crate) mod hook;
pub(crate) mod interruption;
mod killed;
pub(crate) mod lost;
mod many;
pub(crate) mod others;
pub(crate) mod standby;

use std::time::Duration;

use evenkeel::report::drain::{DrainReport, Stage as DrainStage};
use evenkeel_tests::Stage;
use evenkeel_tests::drains::{Lived, bus};
use serde_json::{Value, json};
use simulator::account::InterruptionAction;
use simulator::event_bridge::Mishaps;
use simulator::scheduler::spot;

/// Longer than any drain here takes.
const LONG: Duration = Duration::from_mins(15);

const WARNING: &str = "EC2 Spot Instance Interruption Warning";

/// Interrupts an instance and lets an installation live with it.
async fn interrupted(stage: &Stage, seed: u64, instance: &str, action: InterruptionAction) -> Lived {
    stage.simulator.change(|account| spot::interrupt(account, instance, action));
    stage.live(&mut bus(seed, Mishaps::default()), LONG).await
}

fn killed_running(stage: &Stage) -> usize {
    stage.simulator.checkers(|it| it.drains().killed_running())
}

/// No promise was broken, nothing is left, no task was killed while it ran, and no invocation failed.
fn assert_quiet_end(stage: &Stage, lived: &Lived) {
    let words = || format!("{lived:#?}\n{}", stage.simulator.timeline());
    assert!(lived.errors.is_empty(), "{}", words());
    assert_eq!(killed_running(stage), 0, "{}", words());
    stage.assert_clean();
}

/// How often an operation was called.
fn called(stage: &Stage, operation: &str) -> u64 {
    stage.simulator.calls_by_operation().get(operation).copied().unwrap_or(0)
}

/// Sets a tag on the cluster.
fn tag_cluster(stage: &Stage, key: &str) {
    stage.simulator.change(|account| {
        account.clusters.get_mut("web").unwrap().tags.insert(key.to_owned(), "true".to_owned());
    });
}

/// The codes of what a report says is not done.
fn codes(report: &DrainReport) -> Vec<String> {
    let code = |reason| serde_json::to_value(reason).unwrap()["code"].as_str().unwrap().to_owned();
    report.blocked.iter().map(|line| code(&line.reason)).collect()
}

fn command(instance: &str) -> Value {
    json!({ "instanceId": instance, "cluster": "web" })
}

fn stage_of(report: &DrainReport) -> DrainStage {
    let [only] = report.instances.as_slice() else { panic!("{report:#?}") };
    only.stage
}
