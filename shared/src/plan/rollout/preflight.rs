//! Whether a rollout may start, and what it would be: read only, always first, and all of it in the report.

mod fleet;
#[cfg(test)]
mod tests;
mod warnings;

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use crate::ids::{ContainerInstanceArn, InstanceId, ServiceName};
use crate::plan::drain::foresight::is_stuck;
use crate::plan::record as moves;
use crate::plan::rollout::forward::is_old;
use crate::plan::rollout::gate::{is_at_rest, is_judged};
use crate::plan::rollout::phase::Phase;
use crate::plan::rollout::reason::RolloutReason;
use crate::plan::rollout::record::{Process, RolloutRecord, Selection, Terms};
use crate::plan::rollout::seen::RolloutSnapshot;
use crate::snapshot::{
    AutoScalingInstance, CapacityProvider, ClusterSnapshot, ContainerInstanceStatus, InstanceRefresh, Known,
    LaunchTemplateVersion, LifecycleHook, LifecycleState, ScheduledAction, SchedulingStrategy, Service,
};

/// As much text as a tag of the group holds (API: `Tag`).
const TAG_MAX: usize = 256;

/// Everything that is looked at before a start.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PreflightSnapshot {
    /// The group, its instances and the cluster.
    pub seen: RolloutSnapshot,
    /// The launch template version that new instances are launched from; none where the group has no template.
    pub target: Known<Option<LaunchTemplateVersion>>,
    /// The group's lifecycle hooks.
    pub hooks: Known<Vec<LifecycleHook>>,
    /// Its instance refreshes that are not over.
    pub refreshes: Known<Vec<InstanceRefresh>>,
    /// Its scheduled actions.
    pub scheduled: Known<Vec<ScheduledAction>>,
    /// The capacity providers of its instances.
    pub providers: Known<Vec<CapacityProvider>>,
    /// How many tasks on its instances are protected from scale-in.
    pub protected: Known<usize>,
}

/// What a rollout would be, and what speaks against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Preflight {
    /// The launch template version that is meant to run.
    pub target: Option<LaunchTemplateVersion>,
    /// Instances that would be replaced.
    pub old: Vec<InstanceId>,
    /// Instances that stay: they run that version already.
    pub kept: usize,
    /// Minimum, desired capacity and maximum, as found.
    pub sizes: (u32, u32, u32),
    /// Instances of the largest wave, which run beside the desired ones for a while.
    pub surge: u32,
    /// What a start is refused for.
    pub blockers: Vec<RolloutReason>,
    /// What a start goes on with.
    pub warnings: Vec<RolloutReason>,
    /// Services that are not steady now, and are not waited for.
    pub unsteady: Vec<ServiceName>,
    /// The record with which it would start.
    #[serde(skip)]
    pub record: RolloutRecord,
}

/// Judges a start on these terms; `hook` is the lifecycle hook that is ours.
pub fn preflight(
    snapshot: &PreflightSnapshot,
    terms: Terms,
    hook: &str,
    rollout_timeout: Duration,
) -> Preflight {
    let seen = &snapshot.seen;
    let target = snapshot.target.known().cloned().flatten();
    let version = target.as_ref().map_or(0, |it| it.version);
    let in_service: Vec<&AutoScalingInstance> =
        seen.group.instances.values().filter(|it| it.state == LifecycleState::InService).collect();
    let (old, kept): (Vec<_>, Vec<_>) =
        in_service.into_iter().partition(|it| is_old(terms.selection, version, seen, it));
    let services = seen.services.known();
    let unsteady = services.map(unsteady).unwrap_or_default();
    let mut blockers = of_group(snapshot);
    blockers.extend(of_instances(seen, &old));
    blockers.extend(of_services(seen, &old));
    blockers.extend(fleet::excluded(snapshot, &old));
    blockers.extend(of_drift(snapshot, terms));
    blockers.extend(too_many(&unsteady));
    blockers.extend(bakes_too_long(terms, rollout_timeout));
    let mut warnings = warnings::warnings(snapshot, &old, &unsteady, hook, rollout_timeout);
    warnings.retain(|it| !blockers.contains(it));
    let share = (seen.group.desired * terms.surge_percent).div_ceil(100).max(1);
    Preflight {
        sizes: (seen.group.min, seen.group.desired, seen.group.max),
        surge: share.min(old.len() as u32),
        record: first_record(seen, terms, version, old.len() as u32),
        old: old.iter().map(|it| it.id.clone()).collect(),
        kept: kept.len(),
        target,
        blockers,
        warnings,
        unsteady,
    }
}

fn first_record(seen: &RolloutSnapshot, terms: Terms, target: u64, olds: u32) -> RolloutRecord {
    let is_running = |process: &Process| !seen.group.suspended.contains_key(process.name());
    RolloutRecord {
        phase: Phase::Mark,
        started_at: seen.observed_at,
        since: seen.observed_at,
        waves_done: 0,
        wave_size: 0,
        olds,
        keep: seen.group.desired,
        max: seen.group.max,
        raised_max: seen.group.max,
        suspended: Process::FORWARD.into_iter().filter(is_running).collect(),
        terms,
        target,
        ending: None,
        is_forced: false,
    }
}

fn of_group(snapshot: &PreflightSnapshot) -> Vec<RolloutReason> {
    let (seen, group) = (&snapshot.seen, &snapshot.seen.group);
    let mut reasons = Vec::new();
    let mut refuse = |is_so: bool, reason: RolloutReason| reasons.extend(is_so.then_some(reason));
    let sources = group.traffic_sources.len();
    let (instances, desired) = (group.capacity(), group.desired);
    refuse(group.counts_units(), RolloutReason::CountsUnits);
    refuse(group.has_warm_pool, RolloutReason::WarmPool);
    refuse(sources > 0, RolloutReason::TrafficSources { sources });
    refuse(instances != desired, RolloutReason::NotSettled { instances, desired });
    for process in ["Launch", "Terminate"] {
        let is_suspended = group.suspended.contains_key(process);
        refuse(is_suspended, RolloutReason::ProcessSuspended { process: process.to_owned() });
    }
    reasons.extend(group.status.clone().map(|status| RolloutReason::GroupStatus { status }));
    reasons.extend(group.operator.clone().map(|operator| RolloutReason::ManagedByOthers { operator }));
    reasons.extend(paused(seen));
    reasons.extend(unread("which version is meant to run", &snapshot.target));
    reasons.extend(unread("whether an instance refresh is under way", &snapshot.refreshes));
    reasons.extend(unread("how the services stand", &seen.services));
    reasons.extend(unread_images(&seen.images));
    let refreshes = snapshot.refreshes.known().into_iter().flatten();
    reasons.extend(refreshes.map(|it| RolloutReason::InstanceRefresh { percent: it.percentage_complete }));
    reasons
}

fn paused(seen: &RolloutSnapshot) -> Option<RolloutReason> {
    match &seen.paused {
        Known::Known(false) => None,
        Known::Known(true) => Some(RolloutReason::Paused),
        other => unread("whether it is paused", other),
    }
}

fn unread<T>(question: &str, answer: &Known<T>) -> Option<RolloutReason> {
    match answer {
        Known::Known(_) => None,
        Known::Unknown(why) => Some(RolloutReason::CannotTell { what: format!("{question}: {why}") }),
        Known::NotAsked => Some(RolloutReason::CannotTell { what: question.to_owned() }),
    }
}

/// What a start for what has drifted is refused for: where it cannot be told, and where it would begin again and again.
fn of_drift(snapshot: &PreflightSnapshot, terms: Terms) -> Vec<RolloutReason> {
    let source = &snapshot.seen.group.launch_source;
    let is_told = source.launch_template().is_some() && !source.has_templates_of_its_own();
    let what = "what has drifted: only one launch template for all instances tells old from new".to_owned();
    let untold = (!is_told).then_some(RolloutReason::CannotTell { what });
    let reasons = untold.into_iter().chain(warnings::rejected_before(snapshot));
    if terms.selection == Selection::Drifted { reasons.collect() } else { Vec::new() }
}

/// Without it, a start for what has drifted might leave out what has.
fn unread_images<T>(images: &Known<T>) -> Option<RolloutReason> {
    matches!(images, Known::Unknown(_)).then(|| unread("which AMIs run", images)).flatten()
}

fn of_instances(seen: &RolloutSnapshot, old: &[&AutoScalingInstance]) -> Vec<RolloutReason> {
    let mut reasons = Vec::new();
    for instance in old {
        let id = instance.id.clone();
        let registered = seen.registered.get(&id).map_or(&[][..], Vec::as_slice);
        reasons.extend(match registered {
            [] => Some(RolloutReason::NotRegistered { instance: id, cluster: seen.cluster.to_string() }),
            [only] if only.status == ContainerInstanceStatus::Draining => {
                Some(RolloutReason::ForeignDrain { instance: id })
            }
            [_] => None,
            several => Some(RolloutReason::RegisteredTwice { instance: id, times: several.len() }),
        });
    }
    for instance in seen.group.instances.values() {
        let id = instance.id.clone();
        let state = match instance.state {
            LifecycleState::Standby => Some("on standby"),
            // It may be old, and would come into service unmarked.
            LifecycleState::Pending => Some("on its way into service"),
            _ => None,
        };
        if let Some(state) = state {
            let state = state.to_owned();
            reasons.push(RolloutReason::NotInService { instance: id.clone(), state });
        }
        if seen.mark(&id).is_some() && !instance.state.is_leaving() {
            reasons.push(RolloutReason::RecordLost { instance: id });
        }
    }
    reasons
}

/// Services with tasks on these instances.
fn concerned<'s>(
    snapshot: &'s ClusterSnapshot,
    seen: &RolloutSnapshot,
    old: &[&AutoScalingInstance],
) -> Vec<&'s Service> {
    let on = container_instances(seen, old);
    let is_on = |arn: &ContainerInstanceArn| on.contains(arn);
    let tasks = snapshot.tasks.values().filter(|it| it.is_wanted());
    let tasks = tasks.filter(|it| it.container_instance.as_ref().is_some_and(is_on));
    let names: BTreeSet<&ServiceName> = tasks.filter_map(|it| it.service.as_ref()).collect();
    names.into_iter().filter_map(|name| snapshot.services.get(name)).collect()
}

fn container_instances(
    seen: &RolloutSnapshot,
    old: &[&AutoScalingInstance],
) -> BTreeSet<ContainerInstanceArn> {
    old.iter().filter_map(|it| seen.container_instance(&it.id)).map(|it| it.arn.clone()).collect()
}

fn of_services(seen: &RolloutSnapshot, old: &[&AutoScalingInstance]) -> Vec<RolloutReason> {
    let Some(snapshot) = seen.services.known() else { return Vec::new() };
    let mut reasons = Vec::new();
    for service in concerned(snapshot, seen, old) {
        let name = || service.name.clone();
        if is_stuck(service) {
            reasons.push(RolloutReason::NoStep {
                service: name(),
                minimum: service.minimum_healthy_percent.get(),
                maximum: service.maximum_percent.get(),
                desired: service.tasks_desired,
            });
        }
        if moves::record_of(service).is_some() {
            reasons.push(RolloutReason::MoveInFlight { service: name() });
        }
    }
    reasons
}

/// Every wave bakes; even one that outlasts the rollout would end in a rollback.
fn bakes_too_long(terms: Terms, rollout_timeout: Duration) -> Option<RolloutReason> {
    let waves = 100_u32.div_ceil(terms.surge_percent) + u32::from(terms.canary > 0);
    let bakes = terms.bake_time * waves;
    (bakes >= rollout_timeout).then_some(RolloutReason::BakesTooLong { bakes, rollout_timeout })
}

/// Daemons that are short before are not waited for either.
fn unsteady(snapshot: &ClusterSnapshot) -> Vec<ServiceName> {
    let is_daemon =
        |it: &Service| it.scheduling_strategy == SchedulingStrategy::Daemon && it.status == "ACTIVE";
    let judged = snapshot.services.values().filter(|it| is_judged(it) || is_daemon(it));
    judged.filter(|it| !is_at_rest(it)).map(|it| it.name.clone()).collect()
}

/// The names as one tag holds them.
pub fn unsteady_text(unsteady: &[ServiceName]) -> String {
    unsteady.iter().map(ServiceName::as_str).collect::<Vec<_>>().join(" ")
}

fn too_many(unsteady: &[ServiceName]) -> Option<RolloutReason> {
    let services = unsteady.len();
    (unsteady_text(unsteady).len() > TAG_MAX).then_some(RolloutReason::TooManyUnsteady { services })
}
