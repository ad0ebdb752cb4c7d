//! Availability Zone rebalancing, ECS's own levelling of zones.
//!
//! From "Balancing an Amazon ECS service across Availability Zones": only in steady state, only zones and not
//! instances, a task is started in the thin zone and is healthy before one in the fat zone stops, and
//! deployments and task protection halt it. On EC2 it uses the capacity that is registered and adds none.

use std::collections::BTreeMap;
use std::time::Duration;

use super::replica::{self, Census};
use super::{events, lifecycle, starts};
use crate::account::{
    Account, ContainerInstanceStatus, DeploymentController, PlacementConstraint, PlacementStrategyType,
    Service, StopCause, StopCode, Task,
};
use crate::placement::strategy::ZONE;
use crate::time::SimTime;

/// How long zones must have been uneven before anything is done. AWS gives no number.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where the rebalancing of one service stands.
#[derive(Debug, Default)]
pub(crate) struct Move {
    uneven_since: Option<SimTime>,
    /// The task that was started in the thin zone, above the desired count.
    started: Option<String>,
}

impl Move {
    /// How many tasks above the desired count this move holds.
    pub(crate) fn surplus(&self) -> u32 {
        u32::from(self.started.is_some())
    }
}

/// Forgets a started task that is gone, and gives up when a deployment or protection came in between.
pub(crate) fn prune(account: &mut Account, cluster: &str, service: &str, zones: &mut Move) {
    let Some(started) = &zones.started else { return };
    let here = &account.clusters[cluster];
    let gone = !here.tasks.get(started).is_some_and(Task::is_wanted);
    let of_service = here.tasks.values().filter(|task| task.is_wanted() && task.service() == Some(service));
    // A raised desired count makes the started task one of the service's own.
    let absorbed = of_service.count() as u32 <= here.services[service].desired_count;
    if gone || absorbed {
        zones.started = None;
    } else if here.services[service].deployments.len() > 1 || !is_enabled(&here.services[service]) {
        zones.started = None;
        events::say(account, cluster, service, "stopped AZ Rebalancing.");
    }
}

/// One step of the move: begin it, wait for it, finish it.
pub(crate) fn step(account: &mut Account, cluster: &str, service: &str, zones: &mut Move) {
    if !is_enabled(&account.clusters[cluster].services[service]) {
        return;
    }
    let census = Census::take(account, cluster, service);
    if let Some(started) = zones.started.clone() {
        let healthy = census.staying().any(|member| member.arn == started && member.healthy);
        if healthy {
            zones.started = None;
            finish(account, (cluster, service), &census, &started);
        }
        return;
    }
    let counts = tasks_by_zone(account, cluster, &census);
    if !census.is_complete() || !is_uneven(&counts) {
        zones.uneven_since = None;
        return;
    }
    let since = *zones.uneven_since.get_or_insert(account.now);
    if account.now.since(since) >= PATIENCE {
        zones.started = begin(account, (cluster, service), &census, &counts);
    }
}

/// Whether the service asks for rebalancing and is of a kind that gets it.
pub fn is_enabled(service: &Service) -> bool {
    let first = service.placement_strategy.first();
    let spread = first.is_none_or(|link| link.kind == PlacementStrategyType::Spread && link.field == ZONE);
    let pinned = service.placement_constraints.iter().any(|constraint| {
        matches!(constraint, PlacementConstraint::MemberOf(text) if text.contains("ecs.availability-zone"))
    });
    let classic = service.load_balancers.iter().any(|balancer| balancer.load_balancer_name.is_some());
    service.availability_zone_rebalancing
        && service.deployment_controller == DeploymentController::Ecs
        && service.maximum_percent > 100
        && spread
        && !pinned
        && !classic
}

/// Wanted tasks in each zone that has an ACTIVE container instance.
fn tasks_by_zone(account: &Account, cluster: &str, census: &Census) -> BTreeMap<String, u32> {
    let instances = account.clusters[cluster].container_instances.values();
    let active = instances.filter(|instance| instance.status == ContainerInstanceStatus::Active);
    let mut counts: BTreeMap<_, _> = active.map(|instance| (instance.zone().to_owned(), 0)).collect();
    for member in &census.members {
        *counts.entry(member.zone.clone()).or_insert(0) += 1;
    }
    counts
}

fn is_uneven(counts: &BTreeMap<String, u32>) -> bool {
    counts.values().max().zip(counts.values().min()).is_some_and(|(most, least)| most - least > 1)
}

fn begin(
    account: &mut Account,
    (cluster, service): (&str, &str),
    census: &Census,
    counts: &BTreeMap<String, u32>,
) -> Option<String> {
    if census.members.iter().any(|member| member.protected) {
        say_protected(account, (cluster, service), census);
        return None;
    }
    if census.live >= census.bounds.ceiling {
        return None;
    }
    let what = format!("is not AZ balanced with {}. AZ Rebalancing in progress.", listed(counts));
    events::say(account, cluster, service, &what);
    let (zone, _) = counts.iter().min_by_key(|(_, count)| **count)?;
    match starts::start_one(account, cluster, service, Some(zone)) {
        Ok(task_arn) => {
            let list = events::task_list(std::slice::from_ref(&task_arn));
            events::say(
                account,
                cluster,
                service,
                &format!("has started 1 tasks in {zone} to AZ Rebalance: {list}."),
            );
            Some(task_arn)
        }
        Err(reason) => {
            events::say(account, cluster, service, &reason);
            None
        }
    }
}

/// The new task is healthy: one in the fattest zone goes.
fn finish(account: &mut Account, (cluster, service): (&str, &str), census: &Census, started: &str) {
    let mut counts = tasks_by_zone(account, cluster, census);
    let Some(fattest) = counts.iter().max_by_key(|(_, count)| **count).map(|(zone, _)| zone.clone()) else {
        return;
    };
    let there = census.members.iter().filter(|member| member.zone == fattest && member.arn != started);
    let open: Vec<_> = there.filter(|member| !member.protected).collect();
    if open.is_empty() {
        return say_protected(account, (cluster, service), census);
    }
    let chosen = open[account.draw_below(open.len())].arn.clone();
    let reason = replica::reason(account, (cluster, service), StopCause::ZoneRebalancing);
    let cause = (StopCode::ServiceSchedulerInitiated, StopCause::ZoneRebalancing);
    lifecycle::stop_because(account, cluster, &chosen, cause, &reason);
    let list = events::task_list(std::slice::from_ref(&chosen));
    let what = format!("has stopped 1 running tasks in {fattest} due to AZ rebalancing: {list}.");
    events::say(account, cluster, service, &what);
    *counts.entry(fattest).or_insert(1) -= 1;
    if !is_uneven(&counts) {
        events::say(account, cluster, service, &format!("is AZ balanced with {}.", listed(&counts)));
    }
}

fn say_protected(account: &mut Account, (cluster, service): (&str, &str), census: &Census) {
    let protected = census.members.iter().filter(|member| member.protected).count();
    let deployments = &account.clusters[cluster].services[service].deployments;
    let deployment = deployments.first().map_or("", |deployment| deployment.id.as_str());
    let what = format!(
        "was unable to AZ Rebalance because (taskSet {deployment}) was unable to scale in due to \
         (reason {protected} tasks under protection)"
    );
    events::say(account, cluster, service, &what);
}

fn listed(counts: &BTreeMap<String, u32>) -> String {
    let parts: Vec<_> = counts.iter().map(|(zone, count)| format!("{count} tasks in {zone}")).collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::AccountBuilder;
    use crate::scheduler::Engine;

    fn lopsided() -> Account {
        AccountBuilder::new(4)
            .cluster("web")
            .instance("i-a1", "a", |i| i)
            .instance("i-b1", "b", |i| i)
            .task_definition("web", |t| t)
            .service("web", |s| s.on(&["i-a1"; 4]).az_rebalancing())
            .build()
    }

    fn zones(account: &Account) -> BTreeMap<String, u32> {
        tasks_by_zone(account, "web", &Census::take(account, "web", "web"))
    }

    #[test]
    fn zones_are_levelled_and_the_count_never_falls() {
        let mut account = lopsided();
        let until = account.now + Duration::from_mins(15);
        Engine::new(4).advance(&mut account, until, &mut |account| {
            let wanted = account.clusters["web"].tasks.values().filter(|task| task.is_wanted()).count();
            assert!((4..=5).contains(&wanted));
        });
        assert_eq!(zones(&account), BTreeMap::from([("a".to_owned(), 2), ("b".to_owned(), 2)]));
    }

    #[test]
    fn protection_halts_it() {
        let mut account = lopsided();
        let until = account.now + Duration::from_mins(15);
        let tasks = &mut account.clusters.get_mut("web").expect("built").tasks;
        let protect = |task: &mut Task| task.protected_until = Some(until + Duration::from_mins(1));
        tasks.values_mut().for_each(protect);
        Engine::new(4).advance(&mut account, until, &mut |_| ());
        assert_eq!(zones(&account)["b"], 0);
        let events = &account.clusters["web"].services["web"].events;
        assert!(events.iter().any(|event| event.message.contains("was unable to AZ Rebalance")));
    }
}
