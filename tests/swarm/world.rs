//! A random cluster: everything about it is drawn from one seed, and told in a few lines before anything happens.

use std::time::Duration;

use evenkeel_tests::clusters::ZONES;
use evenkeel_tests::drains::HOOK;
use simulator::account::{Account, ActionResult, LaunchTemplateVersion};
use simulator::builder::{
    AccountBuilder, CapacityProviderBuilder, GroupBuilder, ServiceBuilder, TaskDefinitionBuilder,
};
use simulator::switches::{Switches, TerminatingAgain};

use crate::coverage::Focus;
use crate::population::{Population, Work};

/// What is played.
pub(crate) struct World {
    /// The account.
    pub(crate) account: Account,
    /// Settings of the functions beyond the defaults.
    pub(crate) settings: Vec<(&'static str, &'static str)>,
    /// Services that others scale all the time.
    pub(crate) scaled: Vec<String>,
    /// Whether ECS sizes the group.
    pub(crate) is_managed: bool,
    /// What was drawn, one line each.
    pub(crate) drawn: Vec<String>,
}

/// Draws a world in which `focus` can be hit.
pub(crate) fn world(seed: u64, focus: Focus) -> World {
    let mut dice = fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut drawn = vec![format!("{} is to be hit in {}", focus.fault, focus.phase)];
    let switches = switches(&mut dice, &mut drawn);
    let population = Population::draw(&mut dice);
    let (zones, per_zone) = (dice.usize(1..=3), dice.u32(1..=3));
    let size = zones as u32 * per_zone;
    let drains_itself = dice.bool();
    drawn.push(format!(
        "{population:?}: {size} instances in {zones} zones; agents drain on Spot notices: {drains_itself}"
    ));
    let hook = *dice.choice(&["none", "ours", "theirs"]).expect("there are three");
    let max = size + dice.u32(0..=size);
    drawn.push(format!("minimum 0, maximum {max}; terminate hook: {hook}"));
    let (cpu, memory) = population.machine();
    let builder = AccountBuilder::new(seed).switches(switches).cluster("web");
    let mut builder = builder
        .launch_template("web", |it| {
            let it = it.spot().size(cpu, memory);
            if drains_itself { it.agent_drains_on_spot() } else { it }.version("ami-1")
        })
        .auto_scaling_group("web-asg", |it| hooked(it.zones(&ZONES[..zones]).size(0, size, max), hook));
    if dice.u32(..4) == 0 {
        drawn.push("a larger instance outside the group".to_owned());
        builder = builder.instance("i-pet", ZONES[0], |it| it.cpu(2 * cpu).memory(2 * memory));
    }
    let is_managed = provided(&mut builder, &mut dice, &mut drawn);
    let mut scaled = Vec::new();
    for (number, work) in population.services(&mut dice, size).into_iter().enumerate() {
        let name = format!("s{number}");
        builder = service(builder, &mut dice, &name, &work, &mut drawn);
        if dice.u32(..5) == 0 {
            drawn.push(format!("{name} is scaled by others"));
            scaled.push(name);
        }
    }
    if dice.bool() {
        builder = builder.task_definition("logs", |it| it.cpu(64).memory(128));
        builder = builder.service("logs", |it| it.task_definition("logs").daemon());
        drawn.push("a daemon".to_owned());
    }
    let settings = settings(&mut dice, focus, &mut drawn);
    World { account: builder.build(), settings, scaled, is_managed, drawn }
}

fn hooked(group: GroupBuilder, hook: &str) -> GroupBuilder {
    match hook {
        "ours" => group.terminate_hook(HOOK, Duration::from_mins(10), ActionResult::Continue),
        "theirs" => group.terminate_hook("ship-logs", Duration::from_mins(2), ActionResult::Continue),
        _ => group,
    }
}

/// In two worlds of five a capacity provider looks after the group; true if it also sizes it.
fn provided(builder: &mut AccountBuilder, dice: &mut fastrand::Rng, drawn: &mut Vec<String>) -> bool {
    let kind = dice.u32(..10);
    let with = |it: CapacityProviderBuilder| match kind {
        0 => it.managed_draining().managed_termination_protection().managed_scaling(80),
        1 => it.managed_scaling(100),
        _ => it.managed_draining(),
    };
    if kind < 4 {
        let scales = kind < 2;
        drawn.push(format!("a capacity provider (kind {kind}); sizes the group: {scales}"));
        let built = std::mem::replace(builder, AccountBuilder::new(0));
        *builder = built.capacity_provider("web", "web-asg", with);
        return scales;
    }
    false
}

/// One service: its size, how its health is told, how its tasks are spread.
fn service(
    builder: AccountBuilder,
    dice: &mut fastrand::Rng,
    name: &str,
    work: &Work,
    drawn: &mut Vec<String>,
) -> AccountBuilder {
    let health = *dice.choice(&["target group", "health check", "none"]).expect("there are three");
    let minimum = if dice.u32(..4) == 0 && work.desired > 1 { 50 } else { 100 };
    let sick = if dice.u32(..4) == 0 { 5 } else { 0 };
    let fails = if dice.u32(..6) == 0 { 10 } else { 0 };
    let slow = dice.u32(..6) == 0;
    let spread =
        *dice.choice(&["zone, instance", "zone, instance", "instance", "zone", "pack"]).expect("five");
    let rebalances = dice.u32(..5) == 0 && spread == "zone, instance";
    drawn.push(format!(
        "{name}: {} tasks of {} CPU units by {spread}, health by {health}, minimum {minimum} %, {sick} % sick, \
         {fails} % never start, slow to stop: {slow}, zones rebalanced by ECS: {rebalances}",
        work.desired, work.cpu
    ));
    let definition = |it: TaskDefinitionBuilder| {
        let it = it.cpu(work.cpu).memory(work.memory).sick_percent(sick).fails_to_start_percent(fails);
        let it = if slow { it.stop_timeout(Duration::from_mins(4)) } else { it };
        match health {
            "target group" => it.container_port(80, 0),
            "health check" => it.health_check(),
            _ => it,
        }
    };
    let mut builder = builder.task_definition(name, definition);
    if health == "target group" {
        let delay = Duration::from_secs(if slow { 120 } else { 10 });
        builder = builder.target_group(name, |it| it.deregistration_delay(delay));
    }
    builder.service(name, |it| {
        let it: ServiceBuilder = it.task_definition(name).desired(work.desired).min_max(minimum, 200);
        let it = match spread {
            "instance" => it.spread_instance(),
            "zone" => it.spread_zone(),
            "pack" => it.binpack_memory(),
            _ => it.spread_zone().spread_instance(),
        };
        let it = if rebalances { it.az_rebalancing() } else { it };
        if health == "target group" { it.target_group(name) } else { it }
    })
}

/// Each open question of AWS's documentation is answered otherwise than usual in one run out of four.
fn switches(dice: &mut fastrand::Rng, drawn: &mut Vec<String>) -> Switches {
    let mut otherwise = |usual: bool| usual != (dice.u32(..4) == 0);
    let usual = Switches::default();
    let switches = Switches {
        scale_in_takes_fullest_instance: otherwise(usual.scale_in_takes_fullest_instance),
        stop_task_deregisters_first: otherwise(usual.stop_task_deregisters_first),
        drain_stops_protected: otherwise(usual.drain_stops_protected),
        draining_again_succeeds: otherwise(usual.draining_again_succeeds),
        force_deregister_stops_tasks: otherwise(usual.force_deregister_stops_tasks),
        placement_counts_old_deployments: otherwise(usual.placement_counts_old_deployments),
        zone_tie_is_settled_at_once: otherwise(usual.zone_tie_is_settled_at_once),
        substitute_waits_for_hook: otherwise(usual.substitute_waits_for_hook),
        activity_blocks_size_changes: otherwise(usual.activity_blocks_size_changes),
        scale_in_takes_pending: otherwise(usual.scale_in_takes_pending),
        reservation_counts_draining: otherwise(usual.reservation_counts_draining),
        terminating_again: if otherwise(true) {
            TerminatingAgain::Answered
        } else {
            TerminatingAgain::Refused
        },
        ..usual
    };
    drawn.push(format!("{switches:?}"));
    switches
}

fn settings(
    dice: &mut fastrand::Rng,
    focus: Focus,
    drawn: &mut Vec<String>,
) -> Vec<(&'static str, &'static str)> {
    let bakes: &[&str] = if focus.phase == "gate" { &["5m"] } else { &["0s", "0s", "3m"] };
    let tables: [(&'static str, &[&'static str]); 5] = [
        ("EVENKEEL_SURGE_PERCENT", &["100", "100", "50", "34"]),
        ("EVENKEEL_CANARY", &["0", "0", "1"]),
        ("EVENKEEL_BAKE_TIME", bakes),
        ("EVENKEEL_REPLACEMENT", &["auto", "auto", "surge"]),
        ("EVENKEEL_POLL_INTERVAL", &["5s", "10s", "20s"]),
    ];
    let settings = tables.map(|(name, values)| (name, *dice.choice(values).expect("none is empty")));
    drawn.push(format!("{settings:?}"));
    settings.to_vec()
}

/// The next version of the launch template; its number.
pub(crate) fn new_version(account: &mut Account) -> u64 {
    let template = account.launch_templates.get_mut("web").expect("it is built");
    let number = template.latest_version() + 1;
    let last: LaunchTemplateVersion = template.versions[&(number - 1)].clone();
    template.versions.insert(number, LaunchTemplateVersion { image_id: format!("ami-{number}"), ..last });
    number
}
