//! Whatever is asked of a group and whatever befalls it, it comes to rest at its desired capacity.

use std::time::Duration;

use crate::account::{Account, ActionResult, InterruptionAction, LifecycleState, Market};
use crate::operations::auto_scaling::testing::{account_with, call, wait};
use crate::scheduler::{machines, spot};

const GROUP: &str = "AutoScalingGroupName=web";
const ZONES: [&str; 3] = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];

fn any<T: Clone>(account: &mut Account, of: &[T]) -> T {
    of[account.draw_below(of.len())].clone()
}

/// One call or mishap, drawn; refusals are as good as successes.
fn anything(account: &mut Account) {
    let ids: Vec<String> = account.auto_scaling_groups["web"].instances.keys().cloned().collect();
    let id = if ids.is_empty() { "i-none".to_owned() } else { any(account, &ids) };
    let (number, yes) = (account.draw_below(13), account.draw_percent(50));
    let one = format!("{GROUP}&InstanceIds.member.1={id}");
    let decrement = format!("{one}&ShouldDecrementDesiredCapacity={yes}");
    let hook = if yes { "drain" } else { "boot" };
    let action = format!("{GROUP}&LifecycleHookName={hook}&InstanceId={id}&LifecycleActionResult");
    let asked = match account.draw_below(14) {
        0 => ("SetDesiredCapacity", format!("{GROUP}&DesiredCapacity={number}")),
        1 => ("UpdateAutoScalingGroup", format!("{GROUP}&MinSize={}&MaxSize={number}", number / 2)),
        2 | 3 => ("TerminateInstanceInAutoScalingGroup", decrement),
        4 => ("DetachInstances", decrement),
        5 => ("EnterStandby", decrement),
        6 => ("ExitStandby", one),
        7 => ("SetInstanceProtection", format!("{one}&ProtectedFromScaleIn={yes}")),
        8 => ("CompleteLifecycleAction", format!("{action}=CONTINUE")),
        9 => ("CompleteLifecycleAction", format!("{action}=ABANDON")),
        10 => return machines::terminate(account, &id, "person"),
        11 => return spot::recommend(account, &id),
        12 => return spot::interrupt(account, &id, InterruptionAction::Stop),
        _ => {
            let (zone, end) = (any(account, &ZONES), account.now + Duration::from_mins(10));
            return account.run_short(zone, Market::OnDemand, number as u32, end);
        }
    };
    let (status, body) = call(account, asked.0, &asked.1);
    assert!(status == 200 || status == 400, "{} {}: {body}", asked.0, asked.1);
}

fn troubled(seed: u64) -> Account {
    let mut account = account_with(|group| {
        group.size(0, 3, 8).capacity_rebalance().launch_hook(
            "boot",
            Duration::from_mins(2),
            ActionResult::Continue,
        )
    });
    account.dice = seed;
    account.switches.substitute_waits_for_hook = seed.is_multiple_of(2);
    account.switches.scale_in_takes_pending = seed.is_multiple_of(3);
    for _ in 0..150 {
        anything(&mut account);
        let group = &account.auto_scaling_groups["web"];
        assert!(group.min_size <= group.desired_capacity && group.desired_capacity <= group.max_size);
        let pause = account.draw_below(90) as u64;
        wait(&mut account, pause);
    }
    account
}

#[test]
fn a_troubled_group_comes_to_rest() {
    for seed in 0..8 {
        let mut account = troubled(seed);
        for instance in account.auto_scaling_groups.get_mut("web").unwrap().instances.values_mut() {
            instance.protected = false;
        }
        wait(&mut account, 7200);
        let group = &account.auto_scaling_groups["web"];
        let outside = |it: &&crate::account::GroupInstance| it.state != LifecycleState::Standby;
        let others: Vec<_> = group.instances.values().filter(outside).map(|it| it.state.name()).collect();
        assert_eq!(others, vec!["InService"; group.desired_capacity as usize], "seed {seed}");
        assert!(group.activities.iter().all(|it| it.status.is_final() && it.end.is_some()), "seed {seed}");
        assert!(group.mind.substitutes.is_empty(), "seed {seed}");
        let serving = group.instances.values().filter(|it| it.state == LifecycleState::InService);
        assert!(serving.into_iter().all(|it| it.healthy), "seed {seed}");
    }
}
