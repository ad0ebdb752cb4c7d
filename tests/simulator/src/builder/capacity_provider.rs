//! One capacity provider with an Auto Scaling group, as a test wants it.

use super::AccountBuilder;
use crate::account::{CapacityProvider, ManagedScaling};
use crate::scheduler::managed_draining;

/// Describes one capacity provider; everything ECS can manage in its group is off to begin with.
#[derive(Clone, Debug)]
pub struct CapacityProviderBuilder(CapacityProvider);

impl CapacityProviderBuilder {
    /// ECS drains the instances that are about to end (which AWS has on by default).
    #[must_use]
    pub fn managed_draining(mut self) -> Self {
        self.0.managed_draining = true;
        self
    }

    /// ECS protects instances with tasks from scale-in.
    #[must_use]
    pub fn managed_termination_protection(mut self) -> Self {
        self.0.managed_termination_protection = true;
        self
    }

    /// ECS sizes the group so that this percentage of it is in use.
    #[must_use]
    pub fn managed_scaling(mut self, target_capacity: u32) -> Self {
        self.0.managed_scaling = Some(ManagedScaling { target_capacity, ..ManagedScaling::default() });
        self
    }
}

impl AccountBuilder {
    /// Adds a capacity provider for a group, whose machines all belong to it from now on.
    #[must_use]
    pub fn capacity_provider(
        mut self,
        name: &str,
        group: &str,
        with: impl FnOnce(CapacityProviderBuilder) -> CapacityProviderBuilder,
    ) -> Self {
        let provider = CapacityProvider {
            name: name.to_owned(),
            group: group.to_owned(),
            managed_draining: false,
            managed_termination_protection: false,
            managed_scaling: None,
        };
        let provider = with(CapacityProviderBuilder(provider)).0;
        let described = self.account.auto_scaling_groups.get_mut(group);
        let described = described.expect("a group comes before its capacity provider");
        if provider.managed_draining {
            let hook = managed_draining::hook();
            described.hooks.insert(hook.name.clone(), hook);
        }
        described.protects_new_instances |= provider.managed_termination_protection;
        let members = &described.instances;
        let clusters = self.account.clusters.values_mut();
        for instance in clusters.flat_map(|cluster| cluster.container_instances.values_mut()) {
            if members.contains_key(&instance.ec2_instance_id) {
                instance.capacity_provider = Some(name.to_owned());
            }
        }
        self.account.capacity_providers.insert(name.to_owned(), provider);
        self
    }
}
