//! Managed termination protection: ECS protects instances with tasks from scale-in.
//!
//! From the ECS Developer Guide, "Amazon ECS managed termination protection": ECS sets the scale-in protection of an
//! instance as long as it has a task other than a daemon's, and clears it afterwards; the group must protect new
//! instances itself. Before an instance has registered, its protection is left as it is.
//!
//! Simplified: at once. A DRAINING instance is treated like any other, which AWS does not say.

use std::collections::BTreeSet;

use super::{events, machines, managed_scaling};
use crate::account::{Account, CapacityProvider, LifecycleState};

/// Sets and clears protections in the groups of the providers that manage them.
pub(crate) fn tick(account: &mut Account) {
    let providers = account.capacity_providers.values();
    let managing = providers.filter(|provider| provider.managed_termination_protection);
    for provider in managing.cloned().collect::<Vec<_>>() {
        for (id, protected) in changes(account, &provider) {
            let group = account.auto_scaling_groups.get_mut(&provider.group);
            if let Some(instance) = group.and_then(|group| group.instances.get_mut(&id)) {
                instance.protected = protected;
                let what =
                    if protected { "protected from scale-in" } else { "no longer protected from scale-in" };
                events::note(account, "ecs", &id, what);
            }
        }
    }
}

/// Instances in service whose protection is not what their tasks ask for.
fn changes(account: &Account, provider: &CapacityProvider) -> Vec<(String, bool)> {
    let Some(group) = account.auto_scaling_groups.get(&provider.group) else { return Vec::new() };
    let at_work: BTreeSet<&str> = account.clusters.values().flat_map(managed_scaling::at_work).collect();
    let in_service = group.instances.values().filter(|instance| instance.state == LifecycleState::InService);
    let differing = in_service.filter_map(|instance| {
        let (_, registered) = machines::container_instance(account, &instance.id)?;
        let has_work = at_work.contains(registered.arn.as_str());
        (has_work != instance.protected).then(|| (instance.id.clone(), has_work))
    });
    differing.collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::builder::{AccountBuilder, CapacityProviderBuilder};
    use crate::scheduler::{Engine, groups};

    fn account() -> Account {
        AccountBuilder::new(2)
            .cluster("web")
            .launch_template("web", |t| t)
            .auto_scaling_group("web-asg", |g| {
                g.size(0, 2, 4).zones(&["a", "b"]).instances(&[("i-a1", "a"), ("i-b1", "b")])
            })
            .capacity_provider("cp", "web-asg", CapacityProviderBuilder::managed_termination_protection)
            .task_definition("web", |t| t)
            .task_definition("log", |t| t)
            .service("log", |s| s.daemon().on(&["i-a1", "i-b1"]))
            .standalone("web", "i-b1")
            .build()
    }

    fn pass(account: &mut Account, seconds: u64) {
        let until = account.now + Duration::from_secs(seconds);
        Engine::new(2).advance(account, until, &mut |_| ());
    }

    fn protected(account: &Account) -> Vec<&str> {
        let instances = account.auto_scaling_groups["web-asg"].instances.values();
        instances.filter(|instance| instance.protected).map(|instance| instance.id.as_str()).collect()
    }

    #[test]
    fn instances_with_work_are_protected_and_those_with_daemons_only_are_not() {
        let mut account = account();
        pass(&mut account, 1);
        assert_eq!(protected(&account), ["i-b1"]);
        groups::set_desired(&mut account, "web-asg", 1, "a test");
        pass(&mut account, 120);
        let left: Vec<_> = account.auto_scaling_groups["web-asg"].instances.keys().collect();
        assert_eq!(left, ["i-b1"]);
    }

    #[test]
    fn a_new_instance_is_protected_until_it_has_registered_without_work() {
        let mut account = account();
        groups::set_desired(&mut account, "web-asg", 3, "a test");
        pass(&mut account, 30);
        assert_eq!(protected(&account).len(), 2, "the new one is in service and has not registered");
        pass(&mut account, 90);
        assert_eq!(protected(&account), ["i-b1"]);
    }
}
