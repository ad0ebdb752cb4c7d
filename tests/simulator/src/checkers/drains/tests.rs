//! The stage clock of machines that Spot takes back.

use std::time::Duration;

use super::*;
use crate::account::{InterruptionAction, Market};
use crate::builder::AccountBuilder;
use crate::checkers::Checkers;
use crate::scheduler::machines::{LaunchRequest, launch};
use crate::scheduler::{Engine, hosts, spot};

struct Run {
    account: Account,
    engine: Engine,
    checkers: Checkers,
}

impl Run {
    fn new() -> Self {
        let account = AccountBuilder::new(2)
            .cluster("web")
            .launch_template("web", |t| t.agent_drains_on_spot().spot())
            .auto_scaling_group("web-asg", |g| {
                g.size(0, 2, 4).zones(&["a", "b"]).instances(&[("i-a1", "a"), ("i-b1", "b")])
            })
            .task_definition("web", |t| t)
            .service("web", |s| s.on(&["i-a1", "i-b1"]).min_max(100, 200))
            .build();
        let checkers = Checkers::new(&account);
        Self { account, engine: Engine::new(2), checkers }
    }

    fn pass(&mut self, seconds: u64) {
        let until = self.account.now + Duration::from_secs(seconds);
        let Self { account, engine, checkers } = self;
        engine.advance(account, until, &mut |account| checkers.check(account));
    }

    fn drain(&self, id: &str) -> &Drain {
        self.checkers.drains().of(id).expect("it was noted")
    }

    /// A machine like the group's own would be.
    fn launch(&mut self) -> String {
        let template = &self.account.launch_templates["web"].versions[&1];
        let joins = template.joins.clone();
        let group = Some("web-asg".to_owned());
        launch(
            &mut self.account,
            LaunchRequest { joins, group, market: Market::Spot, ..LaunchRequest::new("a") },
        )
    }
}

#[test]
fn a_drain_has_its_stages_timed() {
    let mut run = Run::new();
    spot::interrupt(&mut run.account, "i-a1", InterruptionAction::Terminate);
    run.pass(5);
    let substitute = run.launch();
    run.pass(200);
    let drain = run.drain("i-a1");
    assert_eq!((drain.sign, drain.draining_after), (Sign::Warning, Some(2)));
    assert_eq!(drain.substitute.as_ref(), Some(&substitute));
    assert_eq!(drain.substitute_launched_after, Some(5));
    assert!(
        drain.substitute_registered_after.is_some_and(|seconds| (30..90).contains(&seconds)),
        "{drain:?}"
    );
    assert_eq!((drain.ended_after, drain.reclaimed), (Some(120), true));
    assert_eq!(drain.tasks, BTreeMap::from([("web/web".to_owned(), 1)]));
    assert!(drain.empty_after.is_some_and(|seconds| seconds < 120), "{drain:?}");
    assert_eq!((drain.missing, run.checkers.drains().killed_running()), (0, 0));
}

#[test]
fn a_reclaim_out_of_the_blue_kills_and_leaves_tasks_missing() {
    let mut run = Run::new();
    spot::reclaim(&mut run.account, "i-a1");
    run.pass(5);
    let drain = run.drain("i-a1");
    assert_eq!((drain.sign, drain.draining_after, drain.ended_after), (Sign::End, None, Some(0)));
    assert_eq!((drain.missing, run.checkers.drains().killed_running()), (1, 1));
}

#[test]
fn a_host_that_dies_by_itself_is_not_spots_kill() {
    let mut run = Run::new();
    hosts::terminate(&mut run.account, "i-a1");
    run.pass(5);
    assert_eq!((run.drain("i-a1").killed.len(), run.checkers.drains().killed_running()), (1, 0));
}

#[test]
fn a_warning_after_a_recommendation_starts_the_clock_again() {
    let mut run = Run::new();
    spot::recommend(&mut run.account, "i-a1");
    run.pass(60);
    assert_eq!(run.drain("i-a1").sign, Sign::Recommendation);
    spot::interrupt(&mut run.account, "i-a1", InterruptionAction::Terminate);
    run.pass(10);
    assert_eq!((run.drain("i-a1").sign, run.drain("i-a1").draining_after), (Sign::Warning, Some(2)));
}

#[test]
fn substitutes_go_to_who_has_waited_longest() {
    let mut run = Run::new();
    spot::interrupt(&mut run.account, "i-b1", InterruptionAction::Terminate);
    run.pass(1);
    spot::interrupt(&mut run.account, "i-a1", InterruptionAction::Terminate);
    run.pass(1);
    let first = run.launch();
    run.pass(1);
    let second = run.launch();
    run.pass(1);
    assert_eq!(run.drain("i-b1").substitute, Some(first));
    assert_eq!(run.drain("i-a1").substitute, Some(second));
    assert!(run.checkers.drains().surplus.is_empty());
    let third = run.launch();
    run.pass(1);
    assert_eq!(run.checkers.drains().surplus, BTreeSet::from([third]));
}
