//! Zone rebalancing and capacity rebalancing: launch first, then terminate.

use super::sizes::set_desired;
use crate::account::{Account, Market};
use crate::builder::GroupBuilder;
use crate::operations::auto_scaling::testing::{account_with, by_zone, done, serving, states, wait};
use crate::scheduler::spot;

const GROUP: &str = "AutoScalingGroupName=web";

/// Four in one zone, none in the two others, at the maximum; no hooks.
fn uneven(with: impl FnOnce(GroupBuilder) -> GroupBuilder) -> Account {
    let mut account = account_with(|group| {
        let extra = [("i-a2", "eu-west-1a"), ("i-a3", "eu-west-1a")];
        with(group.size(1, 5, 5).instances(&extra))
    });
    done(&mut account, "DeleteLifecycleHook", &format!("{GROUP}&LifecycleHookName=drain"));
    account
}

/// The most instances that counted at any moment.
fn most(account: &mut Account, seconds: u64) -> u32 {
    let mut most = 0;
    for _ in 0..seconds {
        wait(account, 1);
        most = most.max(account.auto_scaling_groups["web"].capacity());
    }
    most
}

#[test]
fn an_uneven_group_is_rebalanced_by_launching_first() {
    let mut account = uneven(|group| group);
    assert_eq!(by_zone(&account), [3, 1, 1]);
    assert_eq!(most(&mut account, 600), 6, "one above the maximum");
    let mut zones = by_zone(&account);
    zones.sort_unstable();
    assert_eq!(zones, [1, 2, 2]);
    let activities = &account.auto_scaling_groups["web"].activities;
    assert!(
        activities
            .iter()
            .any(|it| it.cause.contains("instances were launched to balance instances in zones"))
    );
}

#[test]
fn a_suspension_stops_zone_rebalancing() {
    let mut account = uneven(|group| group.suspends(&["AZRebalance"]));
    assert_eq!(most(&mut account, 600), 5);
    assert_eq!(by_zone(&account), [3, 1, 1]);
}

#[test]
fn without_terminate_rebalancing_grows_the_group_above_its_maximum() {
    let mut account = uneven(|group| group.suspends(&["Terminate"]));
    wait(&mut account, 900);
    assert_eq!(serving(&account).len(), 6, "by a tenth or by one");
}

#[test]
fn a_zone_that_recovers_is_filled_again() {
    let mut account = account_with(|group| group.size(1, 3, 10));
    account.run_short_for_ever("eu-west-1c", Market::OnDemand);
    set_desired(&mut account, 6);
    wait(&mut account, 600);
    assert_eq!(by_zone(&account)[2], 1);
    account.has_capacity_again("eu-west-1c", Market::OnDemand);
    wait(&mut account, 1800);
    assert_eq!(by_zone(&account), [2, 2, 2]);
}

#[test]
fn a_zone_the_group_has_left_is_emptied() {
    let mut account = uneven(|group| group);
    let zones = "AvailabilityZones.member.1=eu-west-1b&AvailabilityZones.member.2=eu-west-1c";
    done(&mut account, "UpdateAutoScalingGroup", &format!("{GROUP}&{zones}"));
    wait(&mut account, 1800);
    assert_eq!(by_zone(&account)[0], 0);
    assert_eq!(serving(&account).len(), 5);
}

fn rebalancing() -> Account {
    account_with(|group| group.size(1, 3, 3).capacity_rebalance())
}

fn is_listed(account: &Account, id: &str) -> bool {
    states(account).iter().any(|(it, _)| *it == id)
}

#[test]
fn a_recommendation_brings_a_substitute_first_even_at_the_maximum() {
    let mut account = rebalancing();
    spot::recommend(&mut account, "i-a1");
    wait(&mut account, 10);
    assert_eq!((states(&account).len(), serving(&account).len()), (4, 3));
    wait(&mut account, 60);
    assert!(!serving(&account).contains(&"i-a1") && is_listed(&account, "i-a1"), "its hook holds it now");
    wait(&mut account, 600);
    assert_eq!((serving(&account).len(), is_listed(&account, "i-a1")), (3, false));
    let mut causes = account.auto_scaling_groups["web"].activities.iter().map(|it| it.cause.as_str());
    assert!(causes.any(|it| {
        it.ends_with("taken out of service in response to an EC2 instance rebalance recommendation.")
    }));
}

#[test]
fn recommendations_are_followed_only_as_far_as_the_bound_allows() {
    let mut account = rebalancing();
    for id in ["i-a1", "i-b1", "i-c1"] {
        spot::recommend(&mut account, id);
    }
    assert_eq!(most(&mut account, 300), 4);
    wait(&mut account, 1200);
    assert_eq!(serving(&account).len(), 3);
    assert!(["i-a1", "i-b1", "i-c1"].iter().all(|id| !is_listed(&account, id)));
}

#[test]
fn a_substituted_instance_that_is_interrupted_is_not_substituted_again() {
    let mut account = rebalancing();
    spot::recommend(&mut account, "i-a1");
    wait(&mut account, 5);
    spot::reclaim(&mut account, "i-a1");
    assert_eq!(most(&mut account, 900), 4);
    assert_eq!((serving(&account).len(), account.auto_scaling_groups["web"].instances.len()), (3, 3));
}

#[test]
fn nobody_is_substituted_without_the_setting_without_capacity_or_under_protection() {
    let mut without = account_with(|group| group.size(1, 3, 5));
    let mut short = rebalancing();
    for zone in ["eu-west-1a", "eu-west-1b", "eu-west-1c"] {
        short.run_short_for_ever(zone, Market::OnDemand);
    }
    let mut protected = account_with(|group| group.capacity_rebalance().protects_new_instances());
    for account in [&mut without, &mut short, &mut protected] {
        spot::recommend(account, "i-a1");
        wait(account, 600);
        assert_eq!(serving(account), ["i-a1", "i-b1", "i-c1"]);
        assert!(account.auto_scaling_groups["web"].activities.is_empty());
    }
}
