//! What a play cost, whoever played: read from the checkers, and never from what a policy says of itself.

use std::time::Duration;

use evenkeel_tests::Stage;
use simulator::account::{Account, TaskStatus};
use simulator::checkers::OfService;
use simulator::time::SimTime;

use crate::measures::{Measure, Outcome};

/// Quiet for so long means that nothing is to come of it any more.
const QUIET: Duration = Duration::from_mins(15);

/// How long anything may take to become quiet.
const PATIENCE: Duration = Duration::from_hours(4);

/// Waits until no task has been started or told to stop for a while.
pub(crate) async fn settle(stage: &Stage) {
    let since = stage.simulator.now();
    let is_quiet = |now: SimTime| {
        let change = stage.simulator.checkers(|it| it.measures().last_change);
        now.since(change.map_or(since, |it| it.max(since))) >= QUIET
    };
    loop {
        tokio::time::sleep(Duration::from_mins(1)).await;
        let now = stage.simulator.now();
        if is_quiet(now) || now.since(since) >= PATIENCE {
            return;
        }
    }
}

/// Calls to the account so far.
pub(crate) fn calls(stage: &Stage) -> u64 {
    stage.simulator.calls_by_operation().values().sum()
}

/// Tasks started so far.
pub(crate) fn starts(stage: &Stage) -> u64 {
    services(stage).iter().map(|(_, costs)| u64::from(costs.starts)).sum()
}

/// Seconds from then to the last start or stop of a task.
pub(crate) fn seconds_since(stage: &Stage, since: SimTime) -> u64 {
    let change = stage.simulator.checkers(|it| it.measures().last_change);
    change.map_or(0, |it| it.max(since).since(since).as_secs())
}

/// The measures that every job has.
pub(crate) fn common(stage: &Stage) -> Outcome {
    let services = services(stage);
    let sum = |value: fn(&OfService) -> u64| services.iter().map(|(_, costs)| value(costs)).sum::<u64>();
    let dip = |(desired, costs): &(u32, OfService)| costs.deepest_dip * 100 / (*desired).max(1);
    let stopped = sum(|it| it.stopped_by_call.into());
    Outcome::default()
        .with(Measure::Below, sum(|it| it.task_seconds_below))
        .with(Measure::Dip, services.iter().map(dip).max().unwrap_or_default().into())
        .with(Measure::Killed, stopped + died(stage, &[TaskStatus::Running]))
        .with(Measure::SurplusTaskSeconds, sum(|it| it.surplus_task_seconds))
}

/// Tasks that had come so far when their machine ended.
pub(crate) fn died(stage: &Stage, states: &[TaskStatus]) -> u64 {
    let count = stage.simulator.checkers(|it| {
        let killed = it.drains().machines.values().flat_map(|drain| drain.killed.values());
        killed.filter(|it| states.contains(it)).count()
    });
    count as u64
}

/// Every service's desired count and costs.
fn services(stage: &Stage) -> Vec<(u32, OfService)> {
    let measured = stage.simulator.checkers(|it| it.measures().services.clone());
    let desired = |account: &Account, name: &str| {
        let (cluster, service) = name.split_once('/').expect("they are named cluster/service");
        account.clusters[cluster].services[service].desired_count
    };
    let with_desired = |account: &Account| {
        measured.into_iter().map(|(name, costs)| (desired(account, &name), costs)).collect()
    };
    stage.simulator.account(with_desired)
}

/// Fails with a timeline if the play was Evenkeel's and broke a promise.
pub(crate) fn assert_promises(stage: &Stage, policy: usize) {
    if policy == crate::job::EVENKEEL {
        stage.assert_promises();
    }
}
