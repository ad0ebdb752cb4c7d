//! Spot interruptions under three policies, on the same seeds: what the instances' tasks come to, and the group.

use std::time::Duration;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::ContainerInstanceStatus;
use comfy_table::{Table, presets};
use evenkeel_tests::drains::{bus, large};
use evenkeel_tests::{Stage, play, sdk_config};
use simulator::account::{InterruptionAction, LifecycleState};
use simulator::event_bridge::Mishaps;
use simulator::scheduler::{groups, spot};

const SEEDS: [u64; 3] = [1, 2, 3];

/// Interrupted instances, instances in all, and tasks on each, of which sixteen would fill it.
const CLUSTERS: [(usize, u32, usize); 4] = [(1, 3, 6), (5, 10, 6), (5, 10, 12), (50, 200, 12)];

const HEADER: [&str; 6] = [
    "interrupted, load",
    "policy",
    "tasks that left in time",
    "killed running",
    "substitute launched after",
    "surplus instances",
];

/// Until the books are closed: a group notices a dead instance within minutes.
const PATIENCE: Duration = Duration::from_mins(15);

/// How long a function that hears of the notice takes to make its calls.
const REACTION: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug)]
enum Policy {
    Evenkeel,
    /// `ECS_ENABLE_SPOT_INSTANCE_DRAINING`, and nothing else.
    AgentDrains,
    /// A function that sets DRAINING and raises the desired capacity by one, as the article has it.
    DrainAndOneMore,
}

const POLICIES: [(Policy, &str); 3] = [
    (Policy::Evenkeel, "Evenkeel"),
    (Policy::AgentDrains, "the agent drains"),
    (Policy::DrainAndOneMore, "drain, desired + 1"),
];

/// One play, or the medians of several.
#[derive(Clone, Copy, Debug, Default)]
struct Outcome {
    in_time_percent: u64,
    killed: u64,
    launched_after: u64,
    surplus: i64,
    violations: u64,
}

/// Plays everything and prints one table.
pub(crate) fn print_table() {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(HEADER);
    for (interrupted, size, each) in CLUSTERS {
        for (policy, words) in POLICIES {
            let outcomes = SEEDS.map(|seed| outcome(policy, seed, (interrupted, size, each)));
            let is_first = matches!(policy, Policy::Evenkeel);
            let name = format!("{interrupted} of {size}, {} %", each * 100 / 16);
            table.add_row(cells(if is_first { name } else { String::new() }, words, &medians(&outcomes)));
        }
    }
    println!(
        "\nSpot interruptions with the documented two minutes, no lifecycle hook; medians over seeds {SEEDS:?}:\n"
    );
    println!("{table}");
}

fn outcome(policy: Policy, seed: u64, (interrupted, size, each): (usize, u32, usize)) -> Outcome {
    let drains_itself = matches!(policy, Policy::AgentDrains);
    let (account, ids) = large(seed, size, each, drains_itself, |it| it);
    play(seed, account, async |stage| {
        let ids = &ids[..interrupted];
        stage.simulator.change(|account| {
            for id in ids {
                spot::interrupt(account, id, InterruptionAction::Terminate);
            }
        });
        match policy {
            Policy::Evenkeel => drop(stage.live(&mut bus(seed, Mishaps::default()), PATIENCE).await),
            Policy::AgentDrains => tokio::time::sleep(PATIENCE).await,
            Policy::DrainAndOneMore => drain_and_one_more(&stage, ids, size).await,
        }
        let violations =
            if matches!(policy, Policy::Evenkeel) { stage.simulator.violations().len() } else { 0 };
        Outcome { violations: violations as u64, ..measured(&stage, ids, size) }
    })
}

async fn drain_and_one_more(stage: &Stage, ids: &[String], size: u32) {
    tokio::time::sleep(REACTION).await;
    let client = Client::new(&sdk_config(&stage.simulator));
    for id in ids {
        let listed =
            client.list_container_instances().cluster("web").filter(format!("ec2InstanceId == {id}"));
        let listed = listed.send().await.expect("the cluster can be listed").container_instance_arns;
        let update = client.update_container_instances_state().cluster("web").set_container_instances(listed);
        let update = update.status(ContainerInstanceStatus::Draining);
        update.send().await.expect("an instance that was listed can be drained");
    }
    stage.simulator.change(|account| {
        groups::set_desired(account, "web-asg", size + ids.len() as u32, "a user request");
    });
    tokio::time::sleep(PATIENCE).await;
}

fn measured(stage: &Stage, ids: &[String], size: u32) -> Outcome {
    let drains: Vec<_> = ids.iter().map(|id| stage.drained(id)).collect();
    let tasks: u32 = drains.iter().flat_map(|drain| drain.tasks.values()).sum();
    let killed = stage.simulator.checkers(|it| it.drains().killed_running()) as u64;
    let in_service = stage.simulator.account(|account| {
        let instances = account.auto_scaling_groups["web-asg"].instances.values();
        instances.filter(|it| it.state == LifecycleState::InService).count()
    });
    let mut launched: Vec<u64> =
        drains.iter().map(|drain| drain.substitute_launched_after.unwrap_or(u64::MAX)).collect();
    launched.sort_unstable();
    Outcome {
        in_time_percent: (u64::from(tasks) - killed) * 100 / u64::from(tasks.max(1)),
        killed,
        launched_after: launched[launched.len() / 2],
        surplus: in_service as i64 - i64::from(size),
        violations: 0,
    }
}

fn medians(outcomes: &[Outcome; 3]) -> Outcome {
    let median = |value: fn(&Outcome) -> i64| {
        let mut values: Vec<i64> = outcomes.iter().map(value).collect();
        values.sort_unstable();
        values[values.len() / 2]
    };
    Outcome {
        in_time_percent: median(|it| it.in_time_percent as i64) as u64,
        killed: median(|it| it.killed as i64) as u64,
        launched_after: median(|it| it.launched_after as i64) as u64,
        surplus: median(|it| it.surplus),
        violations: outcomes.iter().map(|it| it.violations).sum(),
    }
}

fn cells(name: String, policy: &str, it: &Outcome) -> [String; 6] {
    let broken = if it.violations > 0 { format!(" BROKEN: {}", it.violations) } else { String::new() };
    [
        name,
        policy.to_owned() + &broken,
        format!("{} %", it.in_time_percent),
        it.killed.to_string(),
        format!("{} s", it.launched_after),
        it.surplus.to_string(),
    ]
}
