//! Instances of a capacity provider that are to end, with and without others who have a say in it.

use super::*;
use crate::account::InterruptionAction;
use crate::builder::{AccountBuilder, CapacityProviderBuilder, GroupBuilder};
use crate::checkers::Checkers;
use crate::scheduler::groups::departures;
use crate::scheduler::{Engine, spot};

struct Run {
    account: Account,
    engine: Engine,
    checkers: Checkers,
}

impl Run {
    fn new(with: fn(GroupBuilder) -> GroupBuilder, build: fn(AccountBuilder) -> AccountBuilder) -> Self {
        let builder = AccountBuilder::new(2)
            .cluster("web")
            .launch_template("web", |t| t)
            .auto_scaling_group("web-asg", |g| {
                with(g.size(0, 2, 4).zones(&["a", "b"]).instances(&[("i-a1", "a"), ("i-b1", "b")]))
            })
            .capacity_provider("cp", "web-asg", CapacityProviderBuilder::managed_draining)
            .task_definition("web", |t| t)
            .task_definition("log", |t| t)
            .service("web", |s| s.on(&["i-a1", "i-b1"]).min_max(100, 200))
            .service("log", |s| s.daemon().on(&["i-a1", "i-b1"]));
        let account = build(builder).build();
        let checkers = Checkers::new(&account);
        Self { account, engine: Engine::new(2), checkers }
    }

    fn plain() -> Self {
        Self::new(|g| g, |b| b)
    }

    fn pass(&mut self, seconds: u64) {
        let until = self.account.now + Duration::from_secs(seconds);
        let Self { account, engine, checkers } = self;
        engine.advance(account, until, &mut |account| checkers.check(account));
    }

    fn terminate(&mut self) {
        departures::begin(&mut self.account, "web-asg", "i-a1", "a test");
    }

    fn status(&self) -> ContainerInstanceStatus {
        machines::container_instance(&self.account, "i-a1").expect("registered").1.status
    }

    fn runs(&self) -> bool {
        self.account.machines["i-a1"].state == MachineState::Running
    }
}

#[test]
fn an_instance_that_is_to_end_is_emptied_first() {
    let mut run = Run::plain();
    run.terminate();
    run.pass(10);
    assert_eq!((run.status(), run.runs()), (ContainerInstanceStatus::Draining, true));
    run.pass(300);
    assert!(!run.runs());
    let drain = run.checkers.drains().of("i-a1").expect("noted");
    assert!(drain.killed.is_empty() && drain.empty_after <= drain.ended_after, "{drain:?}");
    assert_eq!(run.checkers.violations(), []);
}

#[test]
fn a_standalone_task_holds_its_instance_beyond_many_heartbeats() {
    let mut run = Run::new(|g| g, |b| b.standalone("web", "i-a1"));
    run.terminate();
    run.pass(5 * 3600);
    assert_eq!((run.status(), run.runs()), (ContainerInstanceStatus::Draining, true));
}

#[test]
fn after_48_hours_it_goes_with_whatever_is_on_it() {
    let mut run = Run::new(|g| g, |b| b.standalone("web", "i-a1"));
    run.terminate();
    run.pass(300);
    let group = run.account.auto_scaling_groups.get_mut("web-asg").expect("built");
    let action = &mut group.instances.get_mut("i-a1").expect("held").actions[0];
    assert_eq!(action.ends_at, action.started_at + Duration::from_hours(48));
    action.ends_at = run.account.now + Duration::from_secs(10);
    run.pass(60);
    assert_eq!((run.runs(), run.account.machines["i-a1"].killed.len()), (false, 1));
    assert_eq!(run.checkers.violations(), []);
}

#[test]
fn somebody_elses_hook_is_left_to_them() {
    let drain = |g: GroupBuilder| g.terminate_hook("backup", Duration::from_hours(2), ActionResult::Continue);
    let mut run = Run::new(drain, |b| b);
    run.terminate();
    run.pass(1800);
    let actions = &run.account.auto_scaling_groups["web-asg"].instances["i-a1"].actions;
    let results: Vec<_> = actions.iter().map(|action| (action.hook.as_str(), action.result)).collect();
    assert_eq!(results, [("backup", None), (HOOK, Some(ActionResult::Continue))]);
    assert!(run.runs());
}

#[test]
fn who_is_set_active_again_is_not_drained_twice() {
    let mut run = Run::new(|g| g, |b| b.standalone("web", "i-a1"));
    run.terminate();
    run.pass(20);
    let instances = run.account.clusters.get_mut("web").expect("built").container_instances.values_mut();
    instances.for_each(|instance| instance.status = ContainerInstanceStatus::Active);
    run.pass(20);
    assert_eq!((run.status(), run.runs()), (ContainerInstanceStatus::Active, true));
}

#[test]
fn a_spot_warning_is_enough() {
    let mut run = Run::plain();
    spot::interrupt(&mut run.account, "i-a1", InterruptionAction::Terminate);
    run.pass(6);
    assert_eq!(run.status(), ContainerInstanceStatus::Draining);
}

#[test]
fn a_provider_that_does_not_manage_draining_drains_nothing() {
    let mut run = Run::plain();
    run.account.capacity_providers.get_mut("cp").expect("built").managed_draining = false;
    run.terminate();
    spot::interrupt_within(&mut run.account, "i-a1", InterruptionAction::Terminate, 600);
    run.pass(300);
    assert_eq!((run.status(), run.runs()), (ContainerInstanceStatus::Active, true));
}

#[test]
fn an_instance_that_never_registered_is_let_go() {
    let mut run = Run::plain();
    let arn = machines::container_instance(&run.account, "i-a1").expect("registered").1.arn.clone();
    let cluster = run.account.clusters.get_mut("web").expect("built");
    cluster.tasks.retain(|_, task| task.container_instance.as_ref() != Some(&arn));
    cluster.container_instances.remove(&arn);
    run.terminate();
    run.pass(20);
    assert!(!run.runs());
}
