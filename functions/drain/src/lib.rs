//! The function `drain`: empties container instances that are going away, brings their substitutes, and lets them go.
//!
//! An event tells of one instance and since when its time runs; a schedule goes on with everything that stands half done. A
//! failure with one instance does not keep the others from their turn; it is in the report. Only when nothing at all could
//! be looked at does the invocation fail, so that Lambda runs it again.

pub mod event;

use std::collections::BTreeMap;
use std::time::Duration;

use evenkeel::aws::Aws;
use evenkeel::error::Error;
use evenkeel::ids::ClusterName;
use evenkeel::observe;
use evenkeel::plan::drain::reason::DrainReason;
use evenkeel::plan::drain::record::Cause;
use evenkeel::report::Status;
use evenkeel::report::drain::{DrainBlocked, DrainReport, Stage};
use evenkeel::settings::Settings;
use evenkeel::turn::drain::{Drain, Drained};
use futures::{StreamExt, stream};
use serde_json::Value;
use tokio::time::Instant;

use event::Command;

/// Instances that are looked at at the same time. Each look takes about ten calls of the account's buckets.
const AT_ONCE: usize = 5;

/// After its first looks an instance is only watched, at a slower pace: fifty invocations share the account's buckets.
const LOOKS_AT_FIRST: u32 = 2;
const SLOWER: u32 = 3;

/// The longest that an interruption waits before its first whole look: standalone tasks have yet to be told to stop.
const FIRST_PAUSE_MAX: Duration = Duration::from_secs(5);

/// Handles one event within `working_time`.
pub async fn handle(
    event: Value,
    working_time: Duration,
    aws: &Aws,
    settings: &Settings,
) -> Result<DrainReport, Error> {
    let begin_at = Instant::now();
    let calls_before = aws.calls();
    let command = event::parse(event, aws.region(), settings, aws.now())?;
    let clusters = match &command {
        Command::Drain { cluster: Some(cluster), .. } => vec![configured(cluster, aws, settings).await?],
        _ => observe::clusters(aws, settings).await?,
    };
    let end = begin_at + time_for(&command, working_time, settings);
    let dry_run = settings.dry_run || matches!(command, Command::Drain { dry_run: true, .. });
    let drain = Drain { aws, settings, clusters, dry_run };
    let (mut work, errors) = Box::pin(begin(&drain, command)).await?;
    for drained in &mut work {
        drained.received_at(aws.now() - begin_at.elapsed());
    }
    if !dry_run && work.iter().any(Drained::is_asked_for) {
        // What is pressing is done: the account's buckets are left to those who are interrupted at the same time.
        tokio::time::sleep(settings.poll_interval.min(FIRST_PAUSE_MAX)).await;
    }
    for turn in 1.. {
        let open = work.iter_mut().filter(|it| !it.is_over());
        let look = async |drained: &mut Drained| {
            let result = drain.look(drained).await;
            drained.note(result);
        };
        stream::iter(open).for_each_concurrent(AT_ONCE, look).await;
        let is_soon = turn < LOOKS_AT_FIRST || work.iter().any(Drained::is_pressing);
        let pause = settings.poll_interval * if is_soon { 1 } else { SLOWER };
        let is_over = dry_run || work.iter().all(Drained::is_over);
        // What one invocation has seen empty, the next does not know.
        let is_confirming = work.iter().any(|it| it.is_confirming(settings.empty_after));
        let longest = begin_at + working_time.min(settings.confirming_time());
        let end = if is_confirming { end.max(longest) } else { end };
        if is_over || Instant::now() + pause >= end {
            break;
        }
        tokio::time::sleep(pause).await;
    }
    report(work, &errors, aws.calls_since(&calls_before), dry_run)
}

/// The cluster that a command names, which has to be a configured one: the schedule goes on with it.
async fn configured(cluster: &ClusterName, aws: &Aws, settings: &Settings) -> Result<ClusterName, Error> {
    let is_one = observe::clusters(aws, settings).await?.contains(cluster);
    let refused =
        || Error::event("cluster", format!("is '{cluster}', which EVENKEEL_CLUSTERS does not name"));
    if is_one { Ok(cluster.clone()) } else { Err(refused()) }
}

fn time_for(command: &Command, working_time: Duration, settings: &Settings) -> Duration {
    match command {
        Command::Drain { record, .. } if record.cause.is_interruption() || record.cause == Cause::Manual => {
            working_time
        }
        // An interruption is over before long, and who calls by hand wants to see the end; a hook is left to the schedule.
        _ => working_time.min(settings.watch_time()),
    }
}

/// The instances that the command is about, the urgent one already begun with.
async fn begin(drain: &Drain<'_>, command: Command) -> Result<(Vec<Drained>, Vec<Error>), Error> {
    let only = |drained| Ok((vec![drained], Vec::new()));
    match command {
        Command::Reconcile => drain.under_way().await,
        Command::Drain { instance, record, .. } => {
            let mut drained = Drained::new(instance, record);
            if record.cause.is_interruption() {
                let result = Box::pin(drain.interrupt(&mut drained)).await;
                drained.note(result);
            }
            if record.cause == Cause::Hook {
                let result = Box::pin(drain.leave_to_interruption(&mut drained)).await;
                drained.note(result);
            }
            only(drained)
        }
        Command::Terminated { instance, at } => only(Drained::terminated(instance, at)),
        Command::LeaveAlone { instance, reason } => only(Drained::left_alone(instance, reason)),
    }
}

/// Joins the work on all instances; fails if not one of them could be looked at.
fn report(
    mut work: Vec<Drained>,
    errors: &[Error],
    api_calls: BTreeMap<String, u64>,
    dry_run: bool,
) -> Result<DrainReport, Error> {
    let nothing_seen =
        !work.is_empty() && work.iter().all(|it| it.error().is_some() && it.actions.is_empty());
    if let Some(error) = work.iter_mut().find_map(|it| it.take_error().filter(|_| nothing_seen)) {
        return Err(error);
    }
    let status = work.iter().map(status).max().unwrap_or(Status::NothingToDo);
    let status = if errors.is_empty() { status } else { Status::Failed };
    let mut blocked: Vec<DrainBlocked> = work.iter().flat_map(blocked).collect();
    blocked.sort();
    blocked.dedup();
    Ok(DrainReport {
        job: "drain",
        status,
        dry_run,
        instances: work.iter().map(Drained::report).collect(),
        actions: work.iter().flat_map(|it| it.actions.clone()).collect(),
        blocked,
        errors: errors.iter().map(Error::chain).collect(),
        api_calls,
    })
}

fn blocked(drained: &Drained) -> Vec<DrainBlocked> {
    drained.reasons.iter().map(|reason| DrainBlocked::new(&drained.instance, reason.clone())).collect()
}

fn status(drained: &Drained) -> Status {
    let is_lost = |reason: &DrainReason| {
        let is_open = matches!(
            reason,
            DrainReason::CannotTell { .. }
                | DrainReason::DeadlineExpired { .. }
                | DrainReason::NoHook { .. }
                | DrainReason::ManagedTerminationProtection { .. }
        );
        is_open || reason.needs_person()
    };
    match () {
        () if drained.error().is_some() => Status::Failed,
        () if !drained.is_over() || drained.stage() == Stage::Draining => Status::InProgress,
        () if drained.reasons.iter().any(is_lost) => Status::Blocked,
        () if drained.stage() == Stage::LeftAlone => Status::NothingToDo,
        () => Status::Done,
    }
}
