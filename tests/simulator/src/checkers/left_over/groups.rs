//! What a run has left behind in Auto Scaling groups and on their machines.
//!
//! Compared are sizes, suspended processes and scale-in protection; a group is expected to have what it desires, and
//! no machine that once belonged to a group may run on outside it.

use std::collections::{BTreeMap, BTreeSet};

use super::marked;
use crate::account::{Account, AutoScalingGroup, MachineState, Tags};

/// The one documented memory on a group: what was rolled back last.
const MEMORY: &str = "evenkeel:rollout-rejected";

/// A group to begin with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Before {
    /// Minimum, desired and maximum size.
    sizes: (u32, u32, u32),
    suspended: BTreeSet<String>,
    protected: BTreeSet<String>,
    instances: BTreeSet<String>,
}

impl Before {
    fn of(group: &AutoScalingGroup) -> Self {
        let protected = group.instances.values().filter(|instance| instance.protected);
        Self {
            sizes: (group.min_size, group.desired_capacity, group.max_size),
            suspended: group.suspended.keys().cloned().collect(),
            protected: protected.map(|instance| instance.id.clone()).collect(),
            instances: group.instances.keys().cloned().collect(),
        }
    }
}

/// All groups to begin with, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups(BTreeMap<String, Before>);

impl Groups {
    pub(super) fn of(account: &Account) -> Self {
        let groups = account.auto_scaling_groups.values();
        Self(groups.map(|group| (group.name.clone(), Before::of(group))).collect())
    }

    /// Somebody else has given the group these sizes.
    pub(super) fn resized(&mut self, group: &str, sizes: (u32, u32, u32)) {
        self.0.entry(group.to_owned()).or_default().sizes = sizes;
    }

    /// Every difference, one sentence each.
    pub(super) fn differences(&self, account: &Account) -> Vec<String> {
        let mut found = Vec::new();
        for group in account.auto_scaling_groups.values() {
            if let Some(before) = self.0.get(&group.name) {
                found.extend(compare(group, before));
            }
        }
        found.extend(self.outside(account));
        found
    }

    /// Machines that belonged to a group and run on outside it.
    fn outside(&self, account: &Account) -> Vec<String> {
        let mut found = Vec::new();
        for (name, before) in &self.0 {
            let machines = before.instances.iter().filter_map(|id| account.machines.get(id));
            let alive = machines.filter(|machine| machine.state == MachineState::Running);
            let left = alive.filter(|machine| machine.group.as_ref() != Some(name));
            found.extend(left.map(|machine| format!("{} runs on outside {name}", machine.id)));
        }
        found
    }
}

fn compare(group: &AutoScalingGroup, before: &Before) -> Vec<String> {
    let (now, name) = (Before::of(group), &group.name);
    let mut found = Vec::new();
    let sizes = |(min, desired, max)| format!("{min}/{desired}/{max}");
    if now.sizes != before.sizes {
        found.push(format!("sizes of {name} are {}, were {}", sizes(now.sizes), sizes(before.sizes)));
    }
    if group.capacity() != group.desired_capacity {
        found.push(format!(
            "{name} has {} machines and desires {}",
            group.capacity(),
            group.desired_capacity
        ));
    }
    let differing = now.suspended.symmetric_difference(&before.suspended);
    found.extend(differing.map(|process| format!("suspension of {process} in {name} is not as it was")));
    if !group.protects_new_instances {
        let protected = now.protected.difference(&before.protected);
        found.extend(protected.map(|id| format!("{id} is protected from scale-in")));
    }
    found
}

/// Tags of Evenkeel's on groups and on machines that still run.
pub(super) fn traces(account: &Account) -> Vec<String> {
    let mut found = Vec::new();
    for group in account.auto_scaling_groups.values() {
        let mut tags: Tags = group.tags.iter().map(|(key, tag)| (key.clone(), tag.value.clone())).collect();
        tags.remove(MEMORY);
        found.extend(marked(&group.name, &tags));
    }
    for machine in account.machines.values().filter(|machine| machine.state == MachineState::Running) {
        found.extend(marked(&machine.id, &machine.tags));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::{Baseline, left_over};
    use super::*;
    use crate::account::GroupTag;
    use crate::builder::AccountBuilder;

    /// What happens to an account.
    type Change = fn(&mut Account);

    fn account() -> Account {
        AccountBuilder::new(1)
            .cluster("web")
            .launch_template("web", |t| t)
            .auto_scaling_group("web-asg", |g| g.size(1, 2, 4))
            .build()
    }

    fn group(account: &mut Account) -> &mut AutoScalingGroup {
        account.auto_scaling_groups.get_mut("web-asg").expect("built")
    }

    #[test]
    fn an_untouched_group_leaves_nothing() {
        let account = account();
        assert_eq!(left_over(&account, &Baseline::of(&account)), Vec::<String>::new());
    }

    #[test]
    fn each_remainder_in_a_group_is_found() {
        let table: [(&str, Change); 6] = [
            ("sizes of web-asg are 1/2/8, were 1/2/4", |account| group(account).max_size = 8),
            ("web-asg has 1 machines and desires 2", |account| drop(group(account).instances.pop_first())),
            ("suspension of AZRebalance in web-asg is not as it was", |account| {
                group(account).suspended.insert("AZRebalance".to_owned(), String::new());
            }),
            ("is protected from scale-in", |account| {
                group(account).instances.values_mut().next().expect("built").protected = true;
            }),
            ("runs on outside web-asg", |account| {
                account.machines.values_mut().next().expect("built").group = None;
            }),
            ("web-asg has tag evenkeel:rollout=1:x", |account| {
                let tag = GroupTag { value: "1:x".to_owned(), propagate_at_launch: false };
                group(account).tags.insert("evenkeel:rollout".to_owned(), tag);
            }),
        ];
        for (expected, change) in table {
            let mut account = account();
            let baseline = Baseline::of(&account);
            change(&mut account);
            let found = left_over(&account, &baseline);
            assert!(found.len() == 1 && found[0].contains(expected), "{expected}: {found:?}");
        }
    }

    #[test]
    fn what_others_changed_is_not_left_over() {
        let mut account = account();
        let mut baseline = Baseline::of(&account);
        group(&mut account).max_size = 8;
        baseline.others_resized("web-asg", (1, 2, 8));
        assert_eq!(left_over(&account, &baseline), Vec::<String>::new());
    }
}
