//! The function `rollout`: replaces every instance of an Auto Scaling group, and puts everything back.
//!
//! A command begins one, looks at it or has it end; a schedule goes on with those that are under way. An invocation makes
//! turns until the rollout is over or its own time is; nothing hangs on one invocation living long.

pub mod event;

use std::collections::BTreeMap;
use std::time::Duration;

use evenkeel::aws::Aws;
use evenkeel::error::Error;
use evenkeel::ids::{ClusterName, GroupName, InstanceId};
use evenkeel::observe;
use evenkeel::plan::rollout::reason::RolloutReason;
use evenkeel::plan::rollout::record::ROLLOUT_TAG;
use evenkeel::report::Status;
use evenkeel::report::rollout::{RolloutBlocked, RolloutReport};
use evenkeel::settings::Settings;
use evenkeel::turn::rollout::{Rolled, Rollout};
use futures::{StreamExt, stream};
use serde_json::Value;
use tokio::time::Instant;

use event::Command;

/// Groups that are looked at at the same time.
const AT_ONCE: usize = 5;

/// Handles one event within `working_time`.
pub async fn handle(
    event: Value,
    working_time: Duration,
    aws: &Aws,
    settings: &Settings,
) -> Result<RolloutReport, Error> {
    let begin_at = Instant::now();
    let calls_before = aws.calls();
    let command = event::parse(event, aws.region(), settings)?;
    let end = begin_at
        + match command {
            Command::Reconcile => working_time.min(settings.watch_time()),
            // Who calls by hand wants to see more of it.
            _ => working_time,
        };
    let asks_for_none = matches!(command, Command::Start { dry_run: true, .. });
    let dry_run = settings.dry_run || asks_for_none;
    let rollout = Rollout { aws, settings, dry_run };
    let writes = !matches!(command, Command::Status(_));
    let (mut work, errors) = Box::pin(begin(&rollout, command)).await?;
    loop {
        let open = work.iter_mut().filter(|it| !it.is_over);
        let look = async |rolled: &mut Rolled| {
            let result = Box::pin(rollout.look(rolled, writes)).await;
            rolled.note(result);
        };
        stream::iter(open).for_each_concurrent(AT_ONCE, look).await;
        let is_moving = work.iter().any(|it| it.is_moving && !it.is_over);
        let pause = if is_moving { Duration::ZERO } else { settings.poll_interval };
        let is_over = dry_run || !writes || work.iter().all(|it| it.is_over);
        // What one invocation has seen empty, the next does not know.
        let is_confirming = work.iter().any(|it| it.is_confirming(settings.empty_after));
        let longest = begin_at + working_time.min(settings.confirming_time());
        let end = if is_confirming { end.max(longest) } else { end };
        if is_over || Instant::now() + pause >= end {
            break;
        }
        tokio::time::sleep(pause).await;
    }
    report(work, errors, aws.calls_since(&calls_before), dry_run)
}

/// The groups that the command is about, and what could not be looked at.
async fn begin(rollout: &Rollout<'_>, command: Command) -> Result<(Vec<Rolled>, Vec<String>), Error> {
    match command {
        Command::Reconcile => under_way(rollout).await,
        Command::Start { group, cluster, terms, .. } => {
            let configured = observe::clusters(rollout.aws, rollout.settings).await?;
            if !configured.contains(&cluster) {
                let what = format!("is '{cluster}', which EVENKEEL_CLUSTERS does not name");
                return Err(Error::event("cluster", what));
            }
            let mut rolled = Rolled::new(group);
            Box::pin(rollout.start(&mut rolled, &cluster, terms)).await?;
            Ok((vec![rolled], Vec::new()))
        }
        Command::Abort(group) => {
            let mut rolled = Rolled::new(group);
            Box::pin(rollout.abort(&mut rolled)).await?;
            Ok((vec![rolled], Vec::new()))
        }
        Command::Status(group) | Command::Resume(group) => Ok((vec![Rolled::new(group)], Vec::new())),
    }
}

/// Every group with a record, and the marks that no record explains.
async fn under_way(rollout: &Rollout<'_>) -> Result<(Vec<Rolled>, Vec<String>), Error> {
    let groups = rollout.aws.auto_scaling_groups(&[]).await?;
    let clusters = observe::clusters(rollout.aws, rollout.settings).await?;
    let rolled: Vec<GroupName> =
        groups.iter().filter(|it| it.tags.contains_key(ROLLOUT_TAG)).map(|it| it.name.clone()).collect();
    let mut work: Vec<Rolled> = rolled.into_iter().map(Rolled::new).collect();
    let mut errors = Vec::new();
    for cluster in &clusters {
        match observe::rollout::marked(rollout.aws, cluster).await {
            Ok(marked) => work.extend(lost(&groups, &marked, cluster)),
            Err(error) => errors.push(error.chain()),
        }
    }
    Ok((work, errors))
}

/// Groups with marked instances and no record. One that is on its way out has its mark as long as it is registered, and a
/// lifecycle hook may hold it long after its rollout is over.
fn lost(
    groups: &[evenkeel::snapshot::AutoScalingGroup],
    marked: &[InstanceId],
    cluster: &ClusterName,
) -> Vec<Rolled> {
    let mut found = Vec::new();
    for group in groups.iter().filter(|it| !it.tags.contains_key(ROLLOUT_TAG)) {
        let stays = |id: &&InstanceId| group.instances.get(*id).is_some_and(|it| !it.state.is_leaving());
        let of_group = marked.iter().filter(stays);
        let reasons: Vec<RolloutReason> =
            of_group.map(|id| RolloutReason::RecordLost { instance: id.clone() }).collect();
        if !reasons.is_empty() {
            let mut rolled = Rolled::new(group.name.clone());
            rolled.report.cluster = Some(cluster.clone());
            rolled.report.status = Status::Blocked;
            "its record is gone: nothing is done".clone_into(&mut rolled.report.summary);
            (rolled.reasons, rolled.is_over) = (reasons, true);
            found.push(rolled);
        }
    }
    found
}

/// Joins the work on all groups; fails if not one of them could be looked at.
fn report(
    mut work: Vec<Rolled>,
    errors: Vec<String>,
    api_calls: BTreeMap<String, u64>,
    dry_run: bool,
) -> Result<RolloutReport, Error> {
    let nothing_seen =
        !work.is_empty() && work.iter().all(|it| it.error().is_some() && it.actions.is_empty());
    if let Some(error) = work.iter_mut().find_map(|it| it.take_error().filter(|_| nothing_seen)) {
        return Err(error);
    }
    for rolled in work.iter_mut().filter(|it| it.error().is_some()) {
        rolled.report.status = Status::Failed;
    }
    let status = work.iter().map(|it| it.report.status).max().unwrap_or(Status::NothingToDo);
    let mut blocked: Vec<RolloutBlocked> = work
        .iter()
        .flat_map(|it| it.reasons.iter().map(|reason| RolloutBlocked::new(&it.group, reason.clone())))
        .collect();
    blocked.sort();
    blocked.dedup();
    Ok(RolloutReport {
        job: "rollout",
        status: if errors.is_empty() { status } else { Status::Failed },
        dry_run,
        actions: work.iter().flat_map(|it| it.actions.clone()).collect(),
        groups: work.into_iter().map(|it| it.report).collect(),
        blocked,
        errors,
        api_calls,
    })
}
