//! Which tasks go when a service has more than it wants.
//!
//! From "Use strategies to define Amazon ECS task placement" and "Amazon ECS services": without a strategy
//! the zone with the most tasks and in it the instance with the most; under spread the zones are kept level
//! and the task inside the zone is drawn at random (or, by switch, taken from the fullest instance); under
//! binpack the task goes from the instance with the most left. Protected tasks are passed over (by switch,
//! not when the desired count was lowered by `UpdateService`, which here is the only way to lower it).

use std::collections::BTreeMap;

use super::replica::{self, Census, Member};
use super::{events, lifecycle};
use crate::account::{Account, PlacementStrategyType, Service, StopCause, StopCode};
use crate::placement;
use crate::placement::strategy::ZONE;

/// Stops `surplus` of the tasks that stay, one choice after another.
pub(crate) fn run(account: &mut Account, cluster: &str, service: &str, census: &Census, surplus: u32) {
    let mut left: Vec<Member> = census.staying().cloned().collect();
    let mut stopped = Vec::new();
    for _ in 0..surplus {
        let Some(index) = choose(account, cluster, service, &left) else {
            say_protected(account, cluster, service, &left);
            break;
        };
        stopped.push(left.remove(index).arn);
    }
    if stopped.is_empty() {
        return;
    }
    let reason = replica::reason(account, (cluster, service), StopCause::ScaleIn);
    for task_arn in &stopped {
        let cause = (StopCode::ServiceSchedulerInitiated, StopCause::ScaleIn);
        lifecycle::stop_because(account, cluster, task_arn, cause, &reason);
    }
    replica::say_stopped(account, (cluster, service), &stopped);
}

/// Position of the task that goes next; `None` if every one is protected.
fn choose(account: &mut Account, cluster: &str, service: &str, members: &[Member]) -> Option<usize> {
    let spared = account.switches.update_service_spares_protected;
    let mut open: Vec<usize> =
        (0..members.len()).filter(|index| !(spared && members[*index].protected)).collect();
    let service = account.clusters[cluster].services[service].clone();
    for link in links(account, &service) {
        open = match link {
            Link::FullestZone => keep_fullest(members, open, |member| member.zone.clone()),
            Link::FullestInstance => keep_fullest(members, open, |member| member.instance.clone()),
            Link::MostRemaining { cpu } => keep_roomiest(account, cluster, members, open, cpu),
        };
    }
    if open.is_empty() {
        return None;
    }
    let drawn = account.draw_below(open.len());
    Some(open[drawn])
}

/// One step in narrowing down the choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    FullestZone,
    FullestInstance,
    MostRemaining { cpu: bool },
}

fn links(account: &Account, service: &Service) -> Vec<Link> {
    let strategy = &service.placement_strategy;
    if strategy.is_empty() {
        return vec![Link::FullestZone, Link::FullestInstance];
    }
    let mut links = Vec::new();
    let spreads = strategy.iter().filter(|link| link.kind == PlacementStrategyType::Spread);
    if spreads.clone().next().is_some() {
        links.push(Link::FullestZone);
    }
    if account.switches.scale_in_takes_fullest_instance && spreads.clone().any(|link| link.field != ZONE) {
        links.push(Link::FullestInstance);
    }
    let packs = strategy.iter().filter(|link| link.kind == PlacementStrategyType::Binpack);
    links.extend(packs.map(|link| Link::MostRemaining { cpu: link.field.eq_ignore_ascii_case("cpu") }));
    links
}

/// Keeps the tasks in the groups that hold the most of all the service's tasks, protected ones included.
fn keep_fullest<K: Ord>(members: &[Member], open: Vec<usize>, key: impl Fn(&Member) -> K) -> Vec<usize> {
    let mut sizes: BTreeMap<K, usize> = BTreeMap::new();
    for member in members {
        *sizes.entry(key(member)).or_default() += 1;
    }
    let size = |index: usize| sizes[&key(&members[index])];
    let Some(most) = open.iter().map(|index| size(*index)).max() else { return open };
    open.into_iter().filter(|index| size(*index) == most).collect()
}

fn keep_roomiest(
    account: &Account,
    cluster: &str,
    members: &[Member],
    open: Vec<usize>,
    cpu: bool,
) -> Vec<usize> {
    let room = |index: usize| {
        let instance = members[index].instance.as_deref().unwrap_or_default();
        let remaining = placement::remaining(account, cluster, instance);
        if cpu { remaining.cpu } else { remaining.memory }
    };
    let Some(most) = open.iter().map(|index| room(*index)).max() else { return open };
    open.into_iter().filter(|index| room(*index) == most).collect()
}

fn say_protected(account: &mut Account, cluster: &str, service: &str, members: &[Member]) {
    let protected = members.iter().filter(|member| member.protected).count();
    let deployments = &account.clusters[cluster].services[service].deployments;
    let deployment = deployments.first().map_or("", |deployment| deployment.id.as_str());
    let what = format!(
        "was unable to reach steady state because (taskSet {deployment}) was unable to scale in due to \
         (reason {protected} tasks under protection)"
    );
    events::say(account, cluster, service, &what);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use crate::builder::{AccountBuilder, ServiceBuilder};
    use crate::scheduler::Engine;
    use crate::switches::Switches;

    /// Three tasks on a1, one on a2, two on b1; desired falls by one. Says which instance loses a task.
    fn loser(seed: u64, switches: Switches, service: fn(ServiceBuilder) -> ServiceBuilder) -> String {
        let mut account = AccountBuilder::new(seed)
            .switches(switches)
            .cluster("web")
            .instance("i-a1", "a", |i| i)
            .instance("i-a2", "a", |i| i)
            .instance("i-b1", "b", |i| i)
            .task_definition("web", |t| t)
            .service("web", |s| service(s.on(&["i-a1", "i-a1", "i-a1", "i-a2", "i-b1", "i-b1"]).desired(5)))
            .build();
        let until = account.now + Duration::from_secs(10);
        Engine::new(seed).advance(&mut account, until, &mut |_| ());
        let cluster = &account.clusters["web"];
        let stopped: Vec<_> = cluster.tasks.values().filter(|task| !task.is_wanted()).collect();
        assert_eq!(stopped.len(), 1);
        let instance = stopped[0].container_instance.as_ref().expect("placed");
        cluster.container_instances[instance].ec2_instance_id.clone()
    }

    fn losers(switches: Switches, service: fn(ServiceBuilder) -> ServiceBuilder) -> BTreeSet<String> {
        (0..30).map(|seed| loser(seed, switches, service)).collect()
    }

    fn fullest(takes: bool) -> Switches {
        Switches { scale_in_takes_fullest_instance: takes, ..Switches::default() }
    }

    fn set(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn without_strategy_the_fullest_instance_of_the_fullest_zone_loses_one() {
        assert_eq!(losers(fullest(false), |s| s), set(&["i-a1"]));
    }

    #[test]
    fn spread_keeps_the_zones_level_and_draws_inside_the_zone() {
        let spread: fn(ServiceBuilder) -> ServiceBuilder = |s| s.spread_zone().spread_instance();
        assert_eq!(losers(fullest(false), spread), set(&["i-a1", "i-a2"]));
        assert_eq!(losers(fullest(true), spread), set(&["i-a1"]));
    }

    #[test]
    fn binpack_takes_from_the_instance_with_the_most_left() {
        assert_eq!(losers(fullest(false), ServiceBuilder::binpack_memory), set(&["i-a2"]));
    }

    #[test]
    fn protected_tasks_are_passed_over_unless_the_switch_says_otherwise() {
        for spares in [true, false] {
            let mut account = AccountBuilder::new(1)
                .switches(Switches { update_service_spares_protected: spares, ..Switches::default() })
                .cluster("web")
                .instance("i-a1", "a", |i| i)
                .task_definition("web", |t| t)
                .service("web", |s| s.on(&["i-a1", "i-a1"]).desired(1))
                .build();
            let until = account.now + Duration::from_secs(20);
            let tasks = account.clusters.get_mut("web").expect("built").tasks.values_mut();
            tasks.for_each(|task| task.protected_until = Some(until + Duration::from_mins(1)));
            Engine::new(1).advance(&mut account, until, &mut |_| ());
            let wanted = account.clusters["web"].tasks.values().filter(|task| task.is_wanted()).count();
            assert_eq!(wanted, if spares { 2 } else { 1 });
            let told = account.clusters["web"].services["web"].events.iter();
            let told =
                told.filter(|event| event.message.contains("(reason 2 tasks under protection)")).count();
            assert_eq!(told, usize::from(spares));
        }
    }
}
