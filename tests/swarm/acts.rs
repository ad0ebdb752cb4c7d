//! What others do, each act by itself. Checkers are told where they could take it for Evenkeel's.

use std::time::Duration;

use evenkeel_tests::Stage;
use simulator::account::{Account, ContainerInstanceStatus, Market, Task};
use simulator::scheduler::deployments::start_deployment;
use simulator::scheduler::{events, groups, lifecycle, machines, protection};

const GROUP: &str = "web-asg";

pub(crate) fn scale(stage: &Stage, dice: &mut fastrand::Rng, scaled: &[String]) {
    let Some(name) = dice.choice(scaled).cloned() else { return };
    let desired = dice.u32(1..=6);
    stage.simulator.change(|account| set_desired(account, &name, desired, "autoscaling"));
}

fn set_desired(account: &mut Account, name: &str, desired: u32, who: &str) {
    let services = &mut account.clusters.get_mut("web").expect("it is built").services;
    services.get_mut(name).expect("it is built").desired_count = desired;
    events::note(account, who, name, &format!("wants {desired} tasks"));
}

pub(crate) fn deploy(stage: &Stage, dice: &mut fastrand::Rng) {
    let all: Vec<(String, String)> = stage.simulator.account(|account| {
        let all = account.clusters["web"].services.values();
        all.map(|it| (it.name.clone(), it.task_definition.clone())).collect()
    });
    let Some((name, definition)) = dice.choice(&all) else { return };
    stage.simulator.change(|account| start_deployment(account, "web", name, definition));
}

/// The container of some task exits.
pub(crate) fn task_dies(stage: &Stage, dice: &mut fastrand::Rng) {
    let Some(arn) = a_task(stage, dice, |_, _| true) else { return };
    stage.simulator.change(|account| lifecycle::container_exits(account, "web", &arn));
}

/// Somebody protects a task that nobody has protected yet.
pub(crate) fn protect(stage: &Stage, dice: &mut fastrand::Rng, time: Duration) {
    let is_free = |account: &Account, task: &Task| {
        let is_replica = task.service().is_some_and(|name| name != "logs");
        is_replica && !protection::is_protected(task, account.now)
    };
    let Some(arn) = a_task(stage, dice, is_free) else { return };
    stage.simulator.change(|account| {
        let until = account.now + time;
        let tasks = &mut account.clusters.get_mut("web").expect("it is built").tasks;
        tasks.get_mut(&arn).expect("it was found there").protected_until = Some(until);
    });
    let account = stage.simulator.account(Clone::clone);
    stage.simulator.checkers(|it| it.foreign_protection(&account, &arn));
}

fn a_task(
    stage: &Stage,
    dice: &mut fastrand::Rng,
    which: impl Fn(&Account, &Task) -> bool,
) -> Option<String> {
    let all: Vec<String> = stage.simulator.account(|account| {
        let tasks = account.clusters["web"].tasks.values();
        tasks.filter(|it| it.is_wanted() && which(account, it)).map(|it| it.arn.clone()).collect()
    });
    dice.choice(&all).cloned()
}

pub(crate) fn pause(account: &mut Account, is_paused: bool) {
    let tags = &mut account.clusters.get_mut("web").expect("it is built").tags;
    if is_paused {
        tags.insert("evenkeel:pause".to_owned(), "swarm".to_owned());
    } else {
        tags.remove("evenkeel:pause");
    }
}

/// Sets an instance DRAINING; its ARN if it was ACTIVE, and is not in Evenkeel's hands.
pub(crate) fn set_draining(account: &mut Account, id: &str) -> Option<String> {
    let all = account.clusters.get_mut("web").expect("it is built").container_instances.values_mut();
    let is_ours = |name: &String| name.starts_with("evenkeel.");
    let mut found = all.filter(|it| it.ec2_instance_id == id && it.status == ContainerInstanceStatus::Active);
    let instance = found.find(|it| !it.attributes.keys().any(is_ours))?;
    instance.status = ContainerInstanceStatus::Draining;
    Some(instance.arn.clone())
}

/// Takes a drain by hand back, if nothing else has come over the instance.
pub(crate) fn activate(stage: &Stage, arn: &str) {
    let is_back = stage.simulator.change(|account| {
        let instances = &mut account.clusters.get_mut("web").expect("it is built").container_instances;
        let found = instances.get_mut(arn);
        let is_ours = |name: &String| name.starts_with("evenkeel.");
        let found = found.filter(|it| it.status == ContainerInstanceStatus::Draining);
        let Some(instance) = found.filter(|it| !it.attributes.keys().any(is_ours)) else { return false };
        instance.status = ContainerInstanceStatus::Active;
        true
    });
    if is_back {
        stage.simulator.checkers(|it| it.foreign_drain_ended(arn));
    }
}

/// Every machine of a zone goes dark, and none can be had there for a while.
pub(crate) fn lose_zone(stage: &Stage, zone: &str, time: Duration) {
    let lost = stage.simulator.change(|account| {
        for market in [Market::Spot, Market::OnDemand] {
            account.run_short(zone, market, 0, account.now + time);
        }
        let members = account.auto_scaling_groups[GROUP].instances.values();
        let lost: Vec<String> = members.filter(|it| it.zone == zone).map(|it| it.id.clone()).collect();
        for id in &lost {
            machines::terminate(account, id, "zone lost");
        }
        lost
    });
    for id in lost {
        stage.simulator.checkers(|it| it.leave_to_others(&id));
    }
}

/// Somebody gives the group one instance more or one less.
pub(crate) fn resize(stage: &Stage, dice: &mut fastrand::Rng) {
    let up = dice.bool();
    stage.simulator.change(|account| {
        let group = &account.auto_scaling_groups[GROUP];
        let desired = group.desired_capacity;
        let wanted = if up { (desired + 1).min(group.max_size) } else { desired.saturating_sub(1).max(1) };
        groups::set_desired(account, GROUP, wanted, "a user request");
    });
}

/// Minimum and maximum size of the group.
pub(crate) fn bounds(stage: &Stage) -> (u32, u32) {
    stage.simulator.account(|account| {
        let group = &account.auto_scaling_groups[GROUP];
        (group.min_size, group.max_size)
    })
}

/// Whatever the group desires by now is what others want, where they resize it; its bounds are nobody's but its owner's.
pub(crate) fn tell_sizes(stage: &Stage, (min, max): (u32, u32)) {
    let desired = stage.simulator.account(|account| account.auto_scaling_groups[GROUP].desired_capacity);
    stage.simulator.checkers(|it| it.others_resized(GROUP, (min, desired, max)));
}

/// Somebody applies configuration that knows nothing of Evenkeel's tags: they are gone from the group and from services
/// that are others' anyway, whose desired count is set as well. True if the group had a record.
pub(crate) fn apply(stage: &Stage, scaled: &[String]) -> bool {
    stage.simulator.change(|account| {
        for name in scaled {
            let services = &mut account.clusters.get_mut("web").expect("it is built").services;
            let service = services.get_mut(name).expect("it is built");
            service.tags.retain(|key, _| !key.starts_with("evenkeel:"));
            set_desired(account, name, 2, "terraform");
        }
        let group = account.auto_scaling_groups.get_mut(GROUP).expect("it is built");
        let had = group.tags.contains_key("evenkeel:rollout");
        group.tags.retain(|key, _| !key.starts_with("evenkeel:"));
        had
    })
}
