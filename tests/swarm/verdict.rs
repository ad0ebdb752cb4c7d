//! After the safety phase everybody goes home, faults end, and the goal has to be reached within a bound; or the reports say
//! what is waited for.

use std::time::Duration;

use evenkeel_tests::Stage;

use crate::actors::Actors;
use crate::drive::{Day, Said, all_once};

/// Long enough for a rollout of a large group in waves, a drain that runs into its deadline, and moves one at a time.
const BOUND: Duration = Duration::from_hours(5);

/// Then nothing more is to be written.
const QUIET: Duration = Duration::from_hours(1);

/// What is wrong, if anything; the first is the gravest.
pub(crate) async fn verdict(stage: &Stage, day: &mut Day<'_>, actors: &mut Actors) -> Vec<String> {
    let mut wrong = violations(stage);
    if !wrong.is_empty() {
        return wrong;
    }
    actors.go_home(stage);
    stage.simulator.clear_rules();
    day.pass(BOUND, None).await;
    day.settle().await;
    wrong = violations(stage);
    if !wrong.is_empty() {
        return wrong;
    }
    wrong.extend(left_over(stage));
    let writes = stage.writes();
    day.pass(QUIET, None).await;
    day.settle().await;
    let written = stage.writes() - writes;
    if written > 0 {
        wrong.push(format!("{written} writes in the last hour, on a cluster that nobody touches"));
    }
    wrong.extend(violations(stage));
    if !wrong.is_empty() {
        match all_once(stage).await {
            Ok(said) => wrong.extend(said.iter().map(describe)),
            Err(error) => wrong.push(error.chain()),
        }
    }
    wrong
}

fn violations(stage: &Stage) -> Vec<String> {
    let all = stage.simulator.violations().into_iter().take(5);
    all.map(|it| format!("{}: {} {} at {:?}", it.checker, it.subject, it.what, it.at)).collect()
}

/// What others have scaled is theirs.
fn left_over(stage: &Stage) -> Vec<String> {
    let account = stage.simulator.account(Clone::clone);
    let mut rest = stage.simulator.checkers(|it| it.left_over(&account));
    rest.retain(|line| !line.starts_with("desired count of"));
    rest.into_iter().map(|line| format!("left over: {line}")).collect()
}

fn describe(said: &Said) -> String {
    format!("{} says {:?}, {} actions: {}", said.job, said.status, said.actions, said.sentences.join("; "))
}
