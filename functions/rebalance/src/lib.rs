//! The function `rebalance`: turns over each cluster until nothing is left to do or time is nearly up.
//!
//! One cluster's failure does not keep the others from their turn; it is in the report. Only when nothing at all could
//! be looked at does the invocation fail.

pub mod event;

use std::collections::BTreeMap;
use std::time::Duration;

use evenkeel::aws::Aws;
use evenkeel::error::Error;
use evenkeel::ids::ClusterName;
use evenkeel::observe;
use evenkeel::report::{BlockedLine, ClusterReport, Report, Status, report_blocked};
use evenkeel::settings::Settings;
use evenkeel::turn::{Job, Memory, Rebalance, Turn};
use serde_json::Value;
use tokio::time::Instant;

use event::Command;

/// Handles one event within `working_time`.
pub async fn handle(
    event: Value,
    working_time: Duration,
    aws: &Aws,
    settings: &Settings,
) -> Result<Report, Error> {
    let end = Instant::now() + working_time;
    let calls_before = aws.calls();
    let command = event::parse(event, aws.region())?;
    let clusters = match &command.cluster {
        Some(cluster) => vec![cluster.clone()],
        None => observe::clusters(aws, settings).await?,
    };
    let mut work: Vec<Work<'_>> =
        clusters.into_iter().map(|cluster| Work::new(cluster, &command, aws, settings)).collect();
    loop {
        for one in &mut work {
            if one.last.is_none() || Instant::now() < end {
                one.turn().await;
            }
        }
        if work.iter().all(Work::is_over) || Instant::now() + settings.poll_interval >= end {
            let calls = aws.calls_since(&calls_before);
            return report(work, calls, command.job, settings.dry_run || command.dry_run);
        }
        tokio::time::sleep(settings.poll_interval).await;
    }
}

/// The work on one cluster.
struct Work<'a> {
    rebalance: Rebalance<'a>,
    memory: Memory,
    last: Option<Turn>,
    /// The last turn's error; it may go away.
    error: Option<Error>,
}

impl<'a> Work<'a> {
    fn new(cluster: ClusterName, command: &Command, aws: &'a Aws, settings: &'a Settings) -> Self {
        let rebalance = Rebalance {
            aws,
            settings,
            cluster,
            job: command.job,
            dry_run: settings.dry_run || command.dry_run,
            skew_threshold: command.skew_threshold.unwrap_or(settings.skew_threshold),
            max_moves: command.max_moves.unwrap_or(settings.max_moves),
        };
        Self { rebalance, memory: Memory::default(), last: None, error: None }
    }

    /// One turn, unless the work is over. What will not get better by waiting ends the work on this cluster.
    async fn turn(&mut self) {
        if self.is_over() {
            return;
        }
        match self.rebalance.turn(&mut self.memory).await {
            Ok(turn) => {
                self.last = Some(turn);
                self.error = None;
            }
            Err(error) => {
                tracing::warn!(cluster = %self.rebalance.cluster, error = error.chain(), "turn failed");
                self.error = Some(error);
            }
        }
    }

    fn is_over(&self) -> bool {
        match (&self.error, &self.last) {
            (Some(error), _) => !error.is_retryable(),
            (None, Some(turn)) => !turn.goes_on,
            (None, None) => false,
        }
    }

    fn status(&self) -> Status {
        let Some(turn) = self.last.as_ref().filter(|_| self.error.is_none()) else {
            return Status::Failed;
        };
        match self.rebalance.job {
            Job::Rebalance => self.status_of_rebalance(turn),
            Job::Release => self.status_of_release(turn),
        }
    }

    /// On a dry run whatever was found is still there.
    fn status_of_release(&self, turn: &Turn) -> Status {
        match () {
            () if turn.goes_on => Status::InProgress,
            () if turn.is_held_up || self.memory.has_lost_record() => Status::Blocked,
            () if self.memory.found().is_empty() => Status::NothingToDo,
            () if self.rebalance.dry_run => Status::InProgress,
            () => Status::Done,
        }
    }

    fn status_of_rebalance(&self, turn: &Turn) -> Status {
        let moves = self.memory.moves();
        match () {
            () if turn.goes_on || moves.in_flight > 0 => Status::InProgress,
            () if self.memory.has_lost_record() => Status::Blocked,
            () if self.memory.is_aborted() => Status::Aborted,
            () if moves.undone > 0 => Status::RolledBack,
            () if turn.is_obstructed => Status::Blocked,
            () if !turn.planned.is_empty() && !self.rebalance.dry_run => Status::InProgress,
            () if turn.is_held_up => Status::Blocked,
            () if moves.completed > 0 => Status::Done,
            () => Status::NothingToDo,
        }
    }

    fn report(&self) -> (ClusterReport, Vec<BlockedLine>) {
        let status = self.status();
        let cluster = self.rebalance.cluster.clone();
        let blocked = self.last.iter().flat_map(|turn| turn.blocked.clone());
        let lines = report_blocked(&cluster, blocked);
        let planned = self.last.iter().flat_map(|turn| turn.planned.clone()).collect();
        let report = ClusterReport {
            cluster,
            status,
            before: self.memory.before().to_vec(),
            after: self.memory.after().to_vec(),
            load_before: self.memory.load().0.to_vec(),
            load_after: self.memory.load().1.to_vec(),
            curve: self.memory.curve().to_vec(),
            moves: self.memory.moves(),
            planned: if self.rebalance.dry_run { planned } else { self.memory.begun().to_vec() },
            landings: self.memory.landings().to_vec(),
            found: (self.rebalance.job == Job::Release).then(|| self.memory.found()),
            error: self.error.as_ref().map(Error::chain),
        };
        (report, lines)
    }
}

/// Joins the work on all clusters; fails if not one of them could be looked at.
fn report(
    mut work: Vec<Work<'_>>,
    api_calls: BTreeMap<String, u64>,
    job: Job,
    dry_run: bool,
) -> Result<Report, Error> {
    let nothing_seen = work.iter().all(|one| one.last.is_none());
    if let Some(error) = work.iter_mut().find_map(|one| one.error.take_if(|_| nothing_seen)) {
        return Err(error);
    }
    let reports: Vec<(ClusterReport, Vec<BlockedLine>)> = work.iter().map(Work::report).collect();
    let status = reports.iter().map(|(report, _)| report.status).max().unwrap_or(Status::NothingToDo);
    let (clusters, blocked): (Vec<ClusterReport>, Vec<Vec<BlockedLine>>) = reports.into_iter().unzip();
    let actions = work.iter().flat_map(|one| one.memory.actions().to_vec()).collect();
    Ok(Report {
        job: job.name(),
        status,
        dry_run,
        clusters,
        actions,
        blocked: blocked.into_iter().flatten().collect(),
        api_calls,
    })
}
