//! Zones without capacity, purchase options, and launches that fail for ever.

use std::time::Duration;

use super::sizes::set_desired;
use crate::account::{Account, Market};
use crate::builder::GroupBuilder;
use crate::operations::auto_scaling::testing::{account_with, by_zone, serving, wait};

const ZONES: [&str; 3] = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];

/// Three instances, one a zone, all Spot above no base, may grow to ten; zones are not rebalanced.
fn spot(with: impl FnOnce(GroupBuilder) -> GroupBuilder) -> Account {
    account_with(|group| with(group.size(1, 3, 10).on_demand(0, 0).suspends(&["AZRebalance"])))
}

fn failures(account: &Account) -> Vec<&str> {
    let activities = account.auto_scaling_groups["web"].activities.iter();
    activities
        .filter(|it| it.status.name() == "Failed")
        .filter_map(|it| it.status_message.as_deref())
        .collect()
}

#[test]
fn a_zone_without_capacity_is_passed_over() {
    let mut account = spot(|group| group);
    account.run_short_for_ever(ZONES[2], Market::Spot);
    set_desired(&mut account, 9);
    wait(&mut account, 120);
    assert_eq!(by_zone(&account), [4, 4, 1]);
    assert_eq!(failures(&account).len(), 1, "once a look is enough");
    let expected = "Could not launch Spot Instances. InsufficientInstanceCapacity - There is no Spot capacity available \
                    that matches your request. Launching EC2 instance failed.";
    assert_eq!(failures(&account)[0], expected);
}

#[test]
fn a_zone_without_capacity_is_waited_for_where_the_strategy_says_so() {
    let mut account = spot(GroupBuilder::balanced_only);
    account.run_short_for_ever(ZONES[2], Market::Spot);
    set_desired(&mut account, 9);
    wait(&mut account, 600);
    let [a, b, c] = by_zone(&account);
    assert!(a <= 2 && b <= 2 && c == 1, "{a} {b} {c}");
    account.has_capacity_again(ZONES[2], Market::Spot);
    wait(&mut account, 900);
    assert_eq!(by_zone(&account), [3, 3, 3]);
}

#[test]
fn a_shortage_everywhere_fails_for_ever_at_longer_intervals() {
    let mut account = spot(|group| group);
    for zone in ZONES {
        account.run_short_for_ever(zone, Market::Spot);
    }
    set_desired(&mut account, 4);
    wait(&mut account, 600);
    let early = failures(&account).len();
    wait(&mut account, 3600);
    let later = failures(&account).len() - early;
    assert_eq!(serving(&account).len(), 3, "Spot is never swapped for On-Demand");
    assert!((12..=21).contains(&early), "three zones, five to seven attempts: {early}");
    assert!((27..=51).contains(&later), "every four to six minutes: {later}");
    let unsuccessful =
        account.events.iter().filter(|it| it.detail_type() == "EC2 Instance Launch Unsuccessful");
    assert_eq!(unsuccessful.count(), early + later);
    account.has_capacity_again(ZONES[0], Market::Spot);
    wait(&mut account, 500);
    assert_eq!(serving(&account).len(), 4);
}

#[test]
fn a_shortage_may_leave_some_and_may_end() {
    let mut account = spot(|group| group);
    let end = account.now + Duration::from_hours(1);
    for zone in ZONES {
        account.run_short(zone, Market::Spot, 1, end);
    }
    set_desired(&mut account, 9);
    wait(&mut account, 1800);
    assert_eq!(serving(&account).len(), 6);
    wait(&mut account, 2400);
    assert_eq!(by_zone(&account), [3, 3, 3]);
}

#[test]
fn on_demand_is_short_by_itself_and_says_where_there_is_more() {
    let mut account = account_with(|group| group.size(1, 3, 10));
    account.run_short_for_ever(ZONES[0], Market::Spot);
    account.run_short_for_ever(ZONES[1], Market::OnDemand);
    set_desired(&mut account, 6);
    wait(&mut account, 120);
    assert_eq!(by_zone(&account).iter().sum::<usize>(), 6);
    assert_eq!(by_zone(&account)[1], 1);
    assert!(failures(&account)[0].starts_with("We currently do not have sufficient m5.large capacity in the Availability Zone you requested (eu-west-1b)."));
}

fn markets(account: &Account) -> (usize, usize) {
    let spot = |it: &&crate::account::GroupInstance| it.market == Market::Spot && it.state.counts();
    let instances = &account.auto_scaling_groups["web"].instances;
    let spots = instances.values().filter(spot).count();
    (serving(account).len() - spots, spots)
}

#[test]
fn purchase_options_follow_base_and_percentage_both_ways() {
    let mut account = account_with(|group| group.instances(&[]).size(0, 3, 10).on_demand(2, 50));
    assert_eq!(markets(&account), (3, 0), "two of the base and half of one, rounded up");
    set_desired(&mut account, 10);
    wait(&mut account, 120);
    assert_eq!(markets(&account), (6, 4));
    set_desired(&mut account, 4);
    wait(&mut account, 600);
    assert_eq!(markets(&account), (3, 1));
}
