//! Ends of machines that a caller has brought about, and ends that nobody has.

use super::*;
use crate::account::{ActionResult, LifecycleState};
use crate::builder::AccountBuilder;
use crate::checkers::Checkers;
use crate::scheduler::{Engine, hosts, machines, managed_draining, spot};

/// What happens to an account.
type Change = fn(&mut Account);

fn account() -> Account {
    AccountBuilder::new(2)
        .cluster("web")
        .launch_template("web", |t| t)
        .auto_scaling_group("web-asg", |g| {
            g.size(1, 2, 4).zones(&["a", "b"]).instances(&[("i-a1", "a"), ("i-b1", "b")])
        })
        .task_definition("web", |t| t)
        .service("web", |s| s.on(&["i-a1", "i-b1"]))
        .build()
}

fn instance(account: &mut Account) -> &mut GroupInstance {
    let group = account.auto_scaling_groups.get_mut("web-asg").expect("built");
    group.instances.get_mut("i-a1").expect("built")
}

/// Held by a hook that was completed by a call, or ended by time.
fn complete(account: &mut Account, hook: &str, timed_out: bool) {
    let now = account.now;
    let action = LifecycleAction {
        hook: hook.to_owned(),
        token: format!("token-{hook}"),
        started_at: now,
        heartbeat_timeout: Duration::from_mins(5),
        expires_at: now + Duration::from_mins(5),
        ends_at: now + Duration::from_hours(8),
        default_result: ActionResult::Abandon,
        result: Some(ActionResult::Continue),
        timed_out,
    };
    let instance = instance(account);
    instance.state = LifecycleState::TerminatingWait;
    instance.actions.push(action);
}

/// What the checker says about a change, looking once.
fn verdict(prepare: impl FnOnce(&mut Checkers, &mut Account)) -> Vec<String> {
    let mut account = account();
    let mut checkers = Checkers::new(&account);
    prepare(&mut checkers, &mut account);
    checkers.check(&account);
    checkers.check(&account);
    let found = checkers.violations().iter().filter(|violation| violation.checker == "kill_on_doubt");
    found.map(|violation| format!("{} {}", violation.subject, violation.what)).collect()
}

#[test]
fn a_hook_completed_over_a_living_task_is_a_kill_told_once() {
    let found = verdict(|_, account| complete(account, "drain", false));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("i-a1 hook drain was completed while not STOPPED: web/task-"), "{found:?}");
}

#[test]
fn a_hook_completed_over_an_empty_machine_is_none() {
    let found = verdict(|_, account| {
        complete(account, "drain", false);
        let tasks = account.clusters.get_mut("web").expect("built").tasks.values_mut();
        tasks.for_each(|task| task.last_status = TaskStatus::Stopped);
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_hook_that_timed_out_or_belongs_to_others_is_nobodys_kill() {
    assert_eq!(verdict(|_, account| complete(account, "drain", true)), Vec::<String>::new());
    assert_eq!(verdict(|_, account| complete(account, MANAGED_HOOK, false)), Vec::<String>::new());
    let found = verdict(|checkers, account| {
        checkers.foreign_hook("backup");
        complete(account, "backup", false);
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn whose_time_is_up_may_be_killed() {
    let found = verdict(|checkers, account| {
        checkers.allow_kill_before_reclaim(Duration::from_secs(15));
        spot::interrupt_within(account, "i-a1", crate::account::InterruptionAction::Terminate, 15);
        complete(account, "drain", false);
    });
    assert_eq!(found, Vec::<String>::new());
    let found = verdict(|checkers, account| {
        checkers.allow_kill_before_reclaim(Duration::from_secs(15));
        spot::interrupt_within(account, "i-a1", crate::account::InterruptionAction::Terminate, 16);
        complete(account, "drain", false);
    });
    assert_eq!(found.len(), 1, "{found:?}");
    let found = verdict(|checkers, account| {
        checkers.allow_kill_from("i-a1", account.now);
        machines::terminate(account, "i-a1", "api");
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_machine_terminated_under_its_tasks_is_a_kill_unless_nobody_called() {
    let table: [(&str, Change, usize); 4] = [
        ("a call", |account| machines::terminate(account, "i-a1", "api"), 1),
        ("the group", |account| machines::terminate(account, "i-a1", "auto-scaling"), 0),
        ("Spot", |account| spot::reclaim(account, "i-a1"), 0),
        ("a fault", |account| hosts::terminate(account, "i-a1"), 0),
    ];
    for (who, end, expected) in table {
        let found = verdict(|_, account| end(account));
        assert_eq!(found.len(), expected, "{who}: {found:?}");
    }
}

#[test]
fn only_ghosts_are_deregistered() {
    let deregister = |account: &mut Account| {
        let instances = account.clusters.get_mut("web").expect("built").container_instances.values_mut();
        instances.for_each(|instance| instance.status = ContainerInstanceStatus::Inactive);
    };
    let found = verdict(|_, account| deregister(account));
    assert_eq!(found[0], "i-a1 it was deregistered, and its machine is not gone");
    let found = verdict(|_, account| {
        spot::reclaim(account, "i-a1");
        spot::reclaim(account, "i-b1");
        deregister(account);
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn what_had_ended_before_is_not_looked_at() {
    let mut account = account();
    machines::terminate(&mut account, "i-a1", "api");
    let mut checkers = Checkers::new(&account);
    let until = account.now + Duration::from_mins(1);
    Engine::new(2).advance(&mut account, until, &mut |account| checkers.check(account));
    assert_eq!(checkers.violations(), []);
}

/// What the checker says after calls and a minute.
fn after_calls(hook: bool, forms: &[&str]) -> Vec<String> {
    let mut account = account();
    if hook {
        let hook = crate::account::LifecycleHook { name: "drain".to_owned(), ..managed_draining::hook() };
        let group = account.auto_scaling_groups.get_mut("web-asg").expect("built");
        group.hooks.insert(hook.name.clone(), hook);
    }
    let mut checkers = Checkers::new(&account);
    let mut engine = Engine::new(2);
    for form in forms {
        let form = format!("{form}&Version=2011-01-01&InstanceId=i-a1");
        let request = crate::wire::decode(None, form.as_bytes()).expect("a form");
        crate::operations::answer(&mut account, &request, "drain").expect("an answer");
        let until = account.now + Duration::from_secs(20);
        engine.advance(&mut account, until, &mut |account| checkers.check(account));
    }
    checkers.violations().iter().map(|violation| violation.what.clone()).collect()
}

#[test]
fn a_named_termination_kills_unless_a_hook_holds_the_machine() {
    let terminate = "Action=TerminateInstanceInAutoScalingGroup&ShouldDecrementDesiredCapacity=false";
    let complete = "Action=CompleteLifecycleAction&AutoScalingGroupName=web-asg&LifecycleHookName=drain\
        &LifecycleActionResult=CONTINUE";
    let table = [
        (false, vec![terminate], Some("it was terminated by name, and no hook held it while not STOPPED")),
        (true, vec![terminate], None),
        (true, vec![terminate, complete], Some("hook drain was completed while not STOPPED")),
    ];
    for (hook, calls, expected) in table {
        let found = after_calls(hook, &calls);
        assert_eq!(found.len(), usize::from(expected.is_some()), "{found:?}");
        assert!(expected.is_none_or(|expected| found[0].starts_with(expected)), "{found:?}");
    }
}
