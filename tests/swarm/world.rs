//! A random cluster: everything about it is drawn from one seed, and told in a few lines before anything happens.

use std::time::Duration;

use evenkeel_tests::clusters::ZONES;
use evenkeel_tests::drains::HOOK;
use simulator::account::{Account, ActionResult, LaunchTemplateVersion};
use simulator::builder::{AccountBuilder, GroupBuilder, ServiceBuilder, TaskDefinitionBuilder};
use simulator::switches::{Switches, TerminatingAgain};

/// Counts of tasks: most services have two, a few have many, as in common ECS clusters.
const COUNTS: [u32; 12] = [1, 2, 2, 2, 2, 3, 3, 4, 5, 6, 9, 14];

/// What is played.
pub(crate) struct World {
    /// The account.
    pub(crate) account: Account,
    /// Settings of the functions beyond the defaults.
    pub(crate) settings: Vec<(&'static str, &'static str)>,
    /// Services that others scale all the time.
    pub(crate) scaled: Vec<String>,
    /// What was drawn, one line each.
    pub(crate) drawn: Vec<String>,
}

/// Draws a world.
pub(crate) fn world(seed: u64) -> World {
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut drawn = Vec::new();
    let switches = switches(&mut dice, &mut drawn);
    let (zones, per_zone) = (dice.usize(1..=3), dice.u32(1..=3));
    let size = zones as u32 * per_zone;
    let drains_itself = dice.bool();
    drawn.push(format!("{size} instances in {zones} zones; agents drain on Spot notices: {drains_itself}"));
    let hook = *dice.choice(&["none", "ours", "theirs"]).expect("there are three");
    let max = size + dice.u32(0..=size);
    drawn.push(format!("minimum 0, maximum {max}; terminate hook: {hook}"));
    let mut builder = AccountBuilder::new(seed)
        .switches(switches)
        .cluster("web")
        .launch_template("web", |it| {
            let it = it.spot().size(4096, 15_360);
            if drains_itself { it.agent_drains_on_spot() } else { it }.version("ami-1")
        })
        .auto_scaling_group("web-asg", |it| hooked(it.zones(&ZONES[..zones]).size(0, size, max), hook));
    let number = dice.usize(3..=8);
    let mut scaled = Vec::new();
    for number in 0..number {
        let name = format!("s{number}");
        builder = service(builder, &mut dice, &name, size, &mut drawn);
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
    World { account: builder.build(), settings: settings(&mut dice, &mut drawn), scaled, drawn }
}

fn hooked(group: GroupBuilder, hook: &str) -> GroupBuilder {
    match hook {
        "ours" => group.terminate_hook(HOOK, Duration::from_mins(10), ActionResult::Continue),
        "theirs" => group.terminate_hook("ship-logs", Duration::from_mins(2), ActionResult::Continue),
        _ => group,
    }
}

/// One service: its size, how its health is told, how its tasks are spread.
fn service(
    builder: AccountBuilder,
    dice: &mut fastrand::Rng,
    name: &str,
    instances: u32,
    drawn: &mut Vec<String>,
) -> AccountBuilder {
    // Three tasks an instance leave room for a doubled service and a lost instance.
    let most = (instances * 3 / 2).max(1);
    let desired = dice.choice(&COUNTS).copied().unwrap_or(2).min(most);
    let health = *dice.choice(&["target group", "health check", "none"]).expect("there are three");
    let minimum = if dice.u32(..4) == 0 && desired > 1 { 50 } else { 100 };
    let (cpu, memory) = *dice.choice(&[(128, 256), (256, 512), (512, 1024)]).expect("there are three");
    let sick = if dice.u32(..4) == 0 { 5 } else { 0 };
    drawn.push(format!(
        "{name}: {desired} tasks, {cpu} CPU units, health by {health}, minimum {minimum} %, {sick} % of new tasks sick"
    ));
    let definition = |it: TaskDefinitionBuilder| {
        let it = it.cpu(cpu).memory(memory).sick_percent(sick);
        match health {
            "target group" => it.container_port(80, 0),
            "health check" => it.health_check(),
            _ => it,
        }
    };
    let mut builder = builder.task_definition(name, definition);
    if health == "target group" {
        builder = builder.target_group(name, |it| it.deregistration_delay(Duration::from_secs(10)));
    }
    builder.service(name, |it| {
        let it: ServiceBuilder = it.task_definition(name).spread_zone().spread_instance();
        let it = it.desired(desired).min_max(minimum, 200);
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
        zone_tie_is_settled_at_once: otherwise(usual.zone_tie_is_settled_at_once),
        substitute_waits_for_hook: otherwise(usual.substitute_waits_for_hook),
        activity_blocks_size_changes: otherwise(usual.activity_blocks_size_changes),
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

fn settings(dice: &mut fastrand::Rng, drawn: &mut Vec<String>) -> Vec<(&'static str, &'static str)> {
    let tables: [(&'static str, &[&'static str]); 4] = [
        ("EVENKEEL_SURGE_PERCENT", &["100", "100", "50", "34"]),
        ("EVENKEEL_CANARY", &["0", "0", "1"]),
        ("EVENKEEL_BAKE_TIME", &["0s", "0s", "3m"]),
        ("EVENKEEL_REPLACEMENT", &["auto", "auto", "surge"]),
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
