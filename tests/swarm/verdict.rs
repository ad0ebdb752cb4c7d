//! After the safety phase everybody goes home, faults end, and the goal has to be reached within a bound; or the reports say
//! what is waited for.

use std::time::Duration;

use evenkeel_tests::{INVOCATION, Stage, foreseen};
use simulator::account::{Account, ContainerInstanceStatus};
use tokio::time::Instant;

use crate::actors::Actors;
use crate::drive::{Day, Said};

/// Long enough for a rollout of a large group in waves, a drain that runs into its deadline, and moves one at a time.
const BOUND: Duration = Duration::from_hours(8);

/// A cluster on which nothing was written for so long has reached its end: tasks are not moved for load before they are an
/// hour old.
const QUIET: Duration = Duration::from_mins(100);

/// Every so many runs a whole day must go by without a write.
const LONG_QUIET_EVERY: u64 = 16;

/// What is wrong, if anything; the first is the gravest.
pub(crate) async fn verdict(seed: u64, stage: &Stage, day: &mut Day<'_>, actors: &mut Actors) -> Vec<String> {
    let mut wrong = violations(stage, day);
    if !wrong.is_empty() {
        return wrong;
    }
    stage.simulator.clear_rules();
    stage.simulator.flap_agents(0);
    for command in actors.go_home(stage) {
        day.ask(command);
    }
    // What began before may last a while yet.
    day.pass(INVOCATION, None).await;
    day.is_calm = true;
    let is_quiet = quiet(stage, day).await;
    if is_quiet && seed.is_multiple_of(LONG_QUIET_EVERY) {
        wrong.extend(long_quiet(stage, day).await);
    }
    day.settle().await;
    wrong.extend(violations(stage, day));
    actors.tell(stage);
    wrong.extend(left_over(stage, actors));
    wrong.extend(not_reached(stage, day, is_quiet).await);
    if !wrong.is_empty() {
        wrong.extend(day.last.iter().map(|(function, said)| describe(function, said)));
    }
    wrong
}

/// Waits until nothing has been written for long enough; false if that was not so within the bound.
async fn quiet(stage: &Stage, day: &mut Day<'_>) -> bool {
    let (end, mut writes, mut since) = (Instant::now() + BOUND, stage.writes(), Instant::now());
    while Instant::now() < end {
        day.pass(Duration::from_mins(2), None).await;
        let now = stage.writes();
        if now != writes {
            (writes, since) = (now, Instant::now());
        }
        if since.elapsed() >= QUIET {
            return true;
        }
        if !violations(stage, day).is_empty() {
            return false;
        }
    }
    false
}

async fn long_quiet(stage: &Stage, day: &mut Day<'_>) -> Option<String> {
    let writes = stage.writes();
    day.pass(Duration::from_hours(24), None).await;
    let written = stage.writes() - writes;
    (written > 0).then(|| format!("{written} writes in a day, on a cluster that nobody touches"))
}

fn violations(stage: &Stage, day: &Day<'_>) -> Vec<String> {
    let all = stage.simulator.violations().into_iter().take(5);
    let mut found: Vec<String> =
        all.map(|it| format!("{}: {} {} at {:?}", it.checker, it.subject, it.what, it.at)).collect();
    found.extend(day.found.iter().cloned());
    found
}

/// What others have scaled is theirs.
fn left_over(stage: &Stage, actors: &Actors) -> Vec<String> {
    let account = stage.simulator.account(Clone::clone);
    let mut rest = stage.simulator.checkers(|it| it.left_over(&account));
    let is_theirs = |line: &str| {
        actors.others.scaled.iter().any(|it| line.starts_with(&format!("desired count of web/{it} ")))
    };
    rest.retain(|line| !is_theirs(line));
    if actors.others.erased {
        // Whose a suspension is told the record alone.
        rest.retain(|line| !line.starts_with("suspension of "));
    }
    let ghosts = stage.simulator.account(ghosts);
    rest.retain(|line| !ghosts.iter().any(|id| line.starts_with(&format!("{id} ("))));
    rest.into_iter().map(|line| format!("left over: {line}")).collect()
}

/// Instances that died while their agent was not connected stay registered; Evenkeel deregisters them when it hears of their
/// end. Where that event was lost, what is on them is on nothing.
fn ghosts(account: &Account) -> Vec<String> {
    let instances = account.clusters["web"].container_instances.values();
    instances.filter(|it| !it.host_alive).map(|it| it.ec2_instance_id.clone()).collect()
}

/// The goal: no end of writing, every instance in service and ACTIVE, and whatever is not spread as well as it could be has
/// a reason in the last report.
async fn not_reached(stage: &Stage, day: &Day<'_>, is_quiet: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    if !is_quiet {
        wrong.push(format!("still writing {BOUND:?} after everybody went home"));
    }
    stage.simulator.account(|account| {
        let instances = account.clusters["web"].container_instances.values();
        let draining = instances.filter(|it| it.host_alive && it.status == ContainerInstanceStatus::Draining);
        wrong.extend(draining.map(|it| format!("{} is DRAINING", it.ec2_instance_id)));
        let members = account.auto_scaling_groups["web-asg"].instances.values();
        let odd = members.filter(|it| it.state.name() != "InService");
        wrong.extend(odd.map(|it| format!("{} is {}", it.id, it.state.name())));
    });
    let said = day.last.iter().find(|(function, _)| *function == "rebalance");
    let reasons = said.map_or(&[][..], |(_, said)| &said.blocked);
    let plan = foreseen::plan(&stage.aws()).await;
    let uneven = plan.services.iter().filter(|it| it.excess > 0);
    let unexplained = uneven.filter(|it| !reasons.iter().any(|line| line.contains(it.service.as_str())));
    wrong.extend(
        unexplained.map(|it| format!("{} could be spread better, and nobody says why not", it.service)),
    );
    wrong
}

fn describe(function: &str, said: &Said) -> String {
    format!("{function} says {:?}: {}", said.status, said.blocked.join("; "))
}
