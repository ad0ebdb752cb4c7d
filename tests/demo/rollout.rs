//! The third act: a person has a group rolled out, Lambda's host kills the function half-way, and the schedule goes on.

use std::time::Duration;

use evenkeel::plan::rollout::phase::Phase;
use evenkeel::plan::rollout::record::{ROLLOUT_TAG, RolloutRecord};
use evenkeel_tests::rollouts::{NEW_IMAGE, images, sized, start};
use serde_json::{Value, json};
use simulator::account::{Account, ContainerInstanceStatus, Happening, Machine, TaskStatus};
use simulator::runtime_api::InvocationResult;
use simulator::scheduler::events;
use simulator::simulator::Simulator;
use simulator::time::SimTime;
use tokio::net::TcpListener;

use crate::function::Function;
use crate::{Arguments, figures, story};

/// The group that is rolled out.
const GROUP: &str = "web-asg";

/// Who kills and starts processes, as the timeline names it.
const HOST: &str = "lambda";

/// How long the old instances are DRAINING when the function is killed: tasks are on the move by then, and none has left.
const UNTIL_KILL: Duration = Duration::from_secs(5);

/// From the kill to the schedule: it comes every minute, so that this is what it takes on average.
const UNTIL_SCHEDULE: Duration = Duration::from_secs(30);

/// The phases of the way forward, in their order.
const PHASES: [(Phase, &str); 6] = [
    (Phase::Mark, "the old instances are marked, what would resize the group is suspended"),
    (Phase::Surge, "the old ones go on standby, as many new ones come"),
    (Phase::Drain, "ECS takes every task off the old ones"),
    (Phase::Gate, "every service is steady on the new ones"),
    (Phase::Retire, "the old ones are terminated by name"),
    (Phase::Restore, "marks, suspensions and the record go"),
];

/// What the timeline tells of instances and of the group, beside the record.
const TOLD: [&str; 8] = [
    "Standby",
    "launched in",
    "registered in",
    "set DRAINING",
    "TerminateInstance",
    "left the group",
    "suspended",
    "resumed",
];

/// Plays the act; says whether every promise was kept.
pub(crate) async fn play(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let before = sized(arguments.seed, 4, 3, |it| it.size(4, 4, 4));
    let simulator = Simulator::new(before.clone(), arguments.seed);
    let serving = tokio::spawn(simulator::server::serve(simulator.clone(), listener, arguments.multiple));
    let telling = (!arguments.figures).then(|| {
        opening();
        tokio::spawn(story::tell_as(simulator.clone(), retold))
    });
    let killed_in = start_and_kill(arguments, &simulator, &endpoint).await?;
    tokio::time::sleep(UNTIL_SCHEDULE.div_f64(arguments.multiple)).await;
    let report = go_on(arguments, &simulator, &endpoint).await?;
    // What leaves is given the time to leave before the books are closed.
    tokio::time::sleep(Duration::from_mins(1).div_f64(arguments.multiple)).await;
    if let Some(telling) = telling {
        telling.abort();
    }
    serving.abort();
    Ok(close(&before, &simulator, killed_in, &report))
}

fn opening() {
    println!(
        "\nAct three. The launch template of {GROUP}, four instances in three zones, has a new version with"
    );
    println!(
        "the image {NEW_IMAGE}; the group may have no more than these four, and no less. A person sends the"
    );
    println!("function rollout a command, and in the middle of it Lambda's host kills the function:\n");
    println!("{}\n", start());
}

/// The command, and the end of its invocation before the end of its work; says in which phase that was.
async fn start_and_kill(
    arguments: &Arguments,
    simulator: &Simulator,
    endpoint: &str,
) -> Result<Phase, Box<dyn std::error::Error>> {
    let mut function =
        Function::start(arguments.function_named("rollout")?, endpoint, arguments.multiple).await?;
    tokio::select! {
        ended = function.invoke(start(), Duration::from_mins(3)) => {
            return Err(format!("the rollout ended before it was killed: {:?}", ended?.result).into());
        }
        () = half_drained(simulator, arguments.multiple) => {}
    }
    function.kill().await?;
    simulator
        .change(|account| events::note(account, HOST, "rollout", "the host kills the function's process"));
    let phase = simulator.account(|account| begun(account).last().map(|it| it.0));
    phase.ok_or_else(|| "the rollout wrote no record".into())
}

/// Completes in the middle of the phase `drain`. Whoever waits for it also waits for the invocation, should that end first.
async fn half_drained(simulator: &Simulator, multiple: f64) {
    while !simulator.account(has_draining) {
        tokio::time::sleep(Duration::from_secs(1).div_f64(multiple)).await;
    }
    tokio::time::sleep(UNTIL_KILL.div_f64(multiple)).await;
}

fn has_draining(account: &Account) -> bool {
    let mut instances = account.clusters.values().flat_map(|cluster| cluster.container_instances.values());
    instances.any(|it| it.status == ContainerInstanceStatus::Draining)
}

/// The schedule's invocation, on a process that knows nothing of the first; its report.
async fn go_on(
    arguments: &Arguments,
    simulator: &Simulator,
    endpoint: &str,
) -> Result<Value, Box<dyn std::error::Error>> {
    simulator
        .change(|account| events::note(account, HOST, "rollout", "the schedule invokes a fresh process"));
    let mut function =
        Function::start(arguments.function_named("rollout")?, endpoint, arguments.multiple).await?;
    let outcome = function.invoke(json!({}), Duration::from_mins(3)).await?;
    let InvocationResult::Response(report) = outcome.result else {
        return Err(format!("the function did not answer with a report: {:?}", outcome.result).into());
    };
    Ok(report)
}

/// The way of the rollout; how ECS moves tasks was to be seen in the acts before.
fn retold(news: Vec<Happening>) -> Vec<Happening> {
    news.into_iter().filter_map(in_words).collect()
}

fn in_words(mut happening: Happening) -> Option<Happening> {
    if let Some(record) = record_in(&happening.what) {
        happening.what = format!("record: phase {}", record.phase.word());
    } else if is_removal(&happening.what) {
        "record removed: the rollout is over".clone_into(&mut happening.what);
    } else if happening.actor != HOST && TOLD.iter().all(|words| !happening.what.contains(words)) {
        return None;
    }
    if happening.actor == "api" {
        "evenkeel".clone_into(&mut happening.actor);
    }
    Some(happening)
}

/// The record that the group's tag was given.
fn record_in(what: &str) -> Option<RolloutRecord> {
    what.strip_prefix("tag ")?.strip_prefix(ROLLOUT_TAG)?.strip_prefix('=')?.parse().ok()
}

fn is_removal(what: &str) -> bool {
    what == format!("tag {ROLLOUT_TAG} removed")
}

/// The phases as the record announced them. The history is asked, since the first invocation never got to report.
fn begun(account: &Account) -> Vec<(Phase, SimTime)> {
    let announced = |it: &Happening| Some((record_in(&it.what)?.phase, it.at));
    account.happenings.iter().filter_map(announced).collect()
}

fn seconds_in(account: &Account, phase: Phase) -> f64 {
    let begun = begun(account);
    let removed = account.happenings.iter().find(|it| is_removal(&it.what));
    let end = removed.map_or(account.now, |it| it.at);
    let ends = begun.iter().skip(1).map(|it| it.1).chain([end]);
    let spans = begun.iter().zip(ends).filter(|(it, _)| it.0 == phase);
    spans.map(|(it, end)| end.since(it.1).as_secs_f64()).sum()
}

/// The phases, the instances and what the checkers have seen.
fn close(before: &Account, simulator: &Simulator, killed_in: Phase, report: &Value) -> bool {
    let after = simulator.account(Account::clone);
    tell_phases(&after, killed_in, report);
    tell_machines(before, &after);
    let killed = killed_running(&after);
    let below = simulator.checkers(|checkers| {
        checkers.measures().services.values().map(|costs| costs.task_seconds_below).sum::<u64>()
    });
    println!("\n  tasks killed while they ran: {killed}; task-seconds below desired: {below}");
    println!("  group {GROUP}, min/desired/max: {} before, {} after", sizes(before), sizes(&after));
    let promises = [
        (report["status"] == "done", "the rollout is not done"),
        (killed == 0, "tasks were killed while they ran"),
        (below == 0, "services were below their desired counts"),
        (is_replaced(before, &after), "not every instance was replaced by one of the new image, once"),
    ];
    let unkept = promises.into_iter().filter(|(is_kept, _)| !is_kept).map(|(_, words)| words.to_owned());
    let mut broken: Vec<String> = unkept.collect();
    broken.extend(figures::broken(simulator));
    for line in &broken {
        println!("  BROKEN: {line}");
    }
    if broken.is_empty() {
        println!("  every checker is silent, and everything was put back");
    }
    broken.is_empty()
}

fn tell_phases(after: &Account, killed_in: Phase, report: &Value) {
    println!("\n  seconds in each phase (status {}):\n", report["status"]);
    for (phase, words) in PHASES {
        let kill = if phase == killed_in { "; the function is killed" } else { "" };
        println!("  {:>6.1}  {:<8}{words}{kill}", seconds_in(after, phase), phase.word());
    }
}

/// The old machines, then the new ones.
fn tell_machines(before: &Account, after: &Account) {
    let is_old = |machine: &&Machine| before.machines.contains_key(&machine.id);
    let (olds, news): (Vec<&Machine>, Vec<&Machine>) = after.machines.values().partition(is_old);
    println!("\n  instances:\n");
    for (word, machines) in [("old", olds), ("new", news)] {
        for machine in machines {
            let Machine { id, zone, image_id, state, .. } = machine;
            println!("  {word}  {id:<22}{zone}  {image_id}  {}", state.name_and_code().0);
        }
    }
}

fn killed_running(account: &Account) -> usize {
    let killed = account.machines.values().flat_map(|machine| machine.killed.values());
    killed.filter(|status| **status == TaskStatus::Running).count()
}

/// Minimum, desired capacity and maximum.
fn sizes(account: &Account) -> String {
    let group = &account.auto_scaling_groups[GROUP];
    format!("{}/{}/{}", group.min_size, group.desired_capacity, group.max_size)
}

/// Whether as many new instances serve as there were old ones; one launched twice would show among the machines.
fn is_replaced(before: &Account, after: &Account) -> bool {
    let size = before.machines.len();
    let (images, listed) = images(after);
    let are_new = images.iter().all(|image| image == NEW_IMAGE);
    are_new && images.len() == size && listed == size && after.machines.len() == 2 * size
}
