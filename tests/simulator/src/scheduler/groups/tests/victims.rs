//! Who is terminated at scale-in, rule by rule in the documented order.

use std::time::Duration;

use super::sizes::set_desired;
use crate::account::{Account, TemplateVersion};
use crate::builder::{AccountBuilder, GroupBuilder};
use crate::operations::auto_scaling::testing::{done, serving, wait};
use crate::scheduler::machines;

/// An instance as a test names it: id, zone, age in minutes, template version.
type Member = (&'static str, &'static str, u64, u64);

fn group(members: &[Member], with: impl FnOnce(GroupBuilder) -> GroupBuilder) -> Account {
    let mut builder = AccountBuilder::new(3)
        .cluster("web")
        .launch_template("other", |template| template)
        .launch_template("web", |template| template.version("ami-1").version("ami-2"));
    for &(id, zone, minutes, _) in members {
        builder = builder.instance(id, zone, |it| it.registered_ago(Duration::from_mins(minutes)));
    }
    let size = members.len() as u32;
    builder
        .auto_scaling_group("web", |group| {
            let group = group.launch_template("web", TemplateVersion::Latest).zones(&["a", "b", "c"]);
            let group = group.size(0, size, size * 2).suspends(&["AZRebalance"]);
            let group = members
                .iter()
                .fold(group, |group, &(id, _, _, version)| group.adopts_of_version(&[id], version));
            with(group)
        })
        .build()
}

/// Who is left when so many are desired.
fn left(mut account: Account, desired: u32) -> Vec<String> {
    set_desired(&mut account, desired);
    wait(&mut account, 120);
    serving(&account).into_iter().map(str::to_owned).collect()
}

const OLD_IN_A: [Member; 3] = [("i-1", "a", 300, 1), ("i-2", "b", 100, 2), ("i-3", "b", 50, 2)];

#[test]
fn the_unhealthy_go_first_wherever_they_are() {
    let mut account = group(&OLD_IN_A, |group| group.suspends(&["ReplaceUnhealthy"]));
    machines::terminate(&mut account, "i-1", "person");
    wait(&mut account, 150);
    assert!(!account.auto_scaling_groups["web"].instances["i-1"].healthy);
    assert_eq!(left(account, 2), ["i-2", "i-3"]);
}

#[test]
fn the_fullest_zone_comes_before_every_policy() {
    for policy in ["OldestInstance", "OldestLaunchTemplate", "Default"] {
        let kept = left(group(&OLD_IN_A, |group| group.termination_policies(&[policy])), 2);
        assert!(kept.contains(&"i-1".to_owned()), "{policy}: the oldest is alone in its zone, {kept:?}");
    }
}

#[test]
fn level_zones_are_all_candidates() {
    let level = [("i-1", "a", 300, 2), ("i-2", "b", 100, 2), ("i-3", "c", 50, 2)];
    assert_eq!(
        left(group(&level, |group| group.termination_policies(&["OldestInstance"])), 2),
        ["i-2", "i-3"]
    );
    assert_eq!(
        left(group(&level, |group| group.termination_policies(&["NewestInstance"])), 2),
        ["i-1", "i-2"]
    );
}

#[test]
fn a_zone_whose_instances_are_all_protected_is_passed_over() {
    let mut account = group(&OLD_IN_A, |group| group);
    let ids = "InstanceIds.member.1=i-2&InstanceIds.member.2=i-3";
    let form = format!("AutoScalingGroupName=web&{ids}&ProtectedFromScaleIn=true");
    done(&mut account, "SetInstanceProtection", &form);
    assert_eq!(left(account, 2), ["i-2", "i-3"]);
}

#[test]
fn the_default_policy_takes_the_oldest_version_and_then_the_closest_hour() {
    let versions = [("i-1", "a", 59, 2), ("i-2", "a", 10, 1), ("i-3", "a", 30, 2)];
    assert_eq!(left(group(&versions, |group| group), 2), ["i-1", "i-3"]);
    assert_eq!(left(group(&versions, |group| group), 1), ["i-3"]);
}

#[test]
fn another_template_goes_before_an_old_version() {
    let members = [("i-1", "a", 300, 1), ("i-2", "a", 100, 2), ("i-3", "a", 50, 2)];
    let mut account = group(&members, |group| group.termination_policies(&["OldestLaunchTemplate"]));
    let instances = &mut account.auto_scaling_groups.get_mut("web").unwrap().instances;
    instances.get_mut("i-3").unwrap().launch_template = "other".to_owned();
    assert_eq!(left(account.clone(), 2), ["i-1", "i-2"]);
    assert_eq!(left(account, 1), ["i-2"]);
}

#[test]
fn a_later_policy_decides_among_those_an_earlier_one_leaves() {
    let members = [("i-1", "a", 300, 1), ("i-2", "a", 100, 1), ("i-3", "a", 50, 2)];
    let policies = ["OldestLaunchTemplate", "NewestInstance"];
    assert_eq!(left(group(&members, |group| group.termination_policies(&policies)), 2), ["i-1", "i-3"]);
    let hour = [("i-1", "a", 300, 2), ("i-2", "a", 115, 2), ("i-3", "a", 50, 2)];
    let policies = ["ClosestToNextInstanceHour"];
    assert_eq!(left(group(&hour, |group| group.termination_policies(&policies)), 2), ["i-1", "i-3"]);
}

#[test]
fn the_least_preferred_type_goes_first_under_the_allocation_strategy() {
    let members = [("i-1", "a", 300, 2), ("i-2", "a", 100, 2), ("i-3", "a", 50, 2)];
    let mut account = group(&members, |group| {
        group
            .overrides(&[("m5.large", None), ("c5.large", None)])
            .termination_policies(&["AllocationStrategy"])
    });
    let instances = &mut account.auto_scaling_groups.get_mut("web").unwrap().instances;
    "c5.large".clone_into(&mut instances.get_mut("i-2").unwrap().instance_type);
    assert_eq!(left(account, 2), ["i-1", "i-3"]);
}

#[test]
fn whether_scale_in_takes_those_on_their_way_in_is_a_switch() {
    let kept = |takes_pending: bool| {
        let mut account = group(&OLD_IN_A, |group| group.termination_policies(&["NewestInstance"]));
        account.switches.scale_in_takes_pending = takes_pending;
        set_desired(&mut account, 6);
        wait(&mut account, 7);
        assert_eq!(account.auto_scaling_groups["web"].instances.len(), 6);
        left(account, 3).into_iter().filter(|id| ["i-1", "i-2", "i-3"].contains(&id.as_str())).count()
    };
    assert!(kept(true) > kept(false), "{} {}", kept(true), kept(false));
}

/// "Experiment" of the documentation's rules: old instances in two of three zones, doubled, then shrunk again under
/// `OldestInstance`. Both new ones of the legal layout (1,1,2) lie in the fullest zone, so that one of them goes first.
#[test]
fn shrinking_a_doubled_group_leaves_an_old_one_and_kills_a_new_one() {
    let doubled =
        [("i-old1", "a", 300, 1), ("i-old2", "b", 300, 1), ("i-new1", "c", 5, 2), ("i-new2", "c", 5, 2)];
    let kept = left(group(&doubled, |group| group.termination_policies(&["OldestInstance"])), 2);
    let old = kept.iter().filter(|id| id.starts_with("i-old")).count();
    assert_eq!((kept.len(), old), (2, 1), "{kept:?}");
}
