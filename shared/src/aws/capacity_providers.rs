//! ECS capacity providers: what each does to its Auto Scaling group.
//!
//! `DescribeCapacityProviders` takes up to 100 names and answers up to 10 of them in a page.

use aws_sdk_ecs::types as sdk;
use futures::future::try_join_all;

use super::Aws;
use super::failure::failed;
use super::limits::Group;
use crate::error::Error;
use crate::snapshot::CapacityProvider;

const NAMES: usize = 100;
/// The target of managed scaling where none is set (API: `ManagedScaling.targetCapacity`).
const TARGET: u32 = 100;

impl Aws {
    /// These capacity providers (`DescribeCapacityProviders`); those that do not exist are missing from the answer, and
    /// without names no call is made.
    pub async fn capacity_providers(&self, names: &[String]) -> Result<Vec<CapacityProvider>, Error> {
        let batches = names.chunks(NAMES).map(|batch| {
            self.pages(Group::CapacityProviderRead, move |token| async move {
                let call = self.ecs.describe_capacity_providers().set_next_token(token);
                let answer = call.set_capacity_providers(Some(batch.to_vec())).send().await;
                let page =
                    answer.map_err(|error| failed("DescribeCapacityProviders", &batch.join(", "), error))?;
                let providers = page.capacity_providers().iter().filter_map(capacity_provider);
                Ok((providers.collect(), page.next_token))
            })
        });
        Ok(try_join_all(batches).await?.into_iter().flatten().collect())
    }
}

fn capacity_provider(provider: &sdk::CapacityProvider) -> Option<CapacityProvider> {
    let group = provider.auto_scaling_group_provider();
    let protection = group.and_then(|it| it.managed_termination_protection());
    Some(CapacityProvider {
        name: provider.name()?.to_owned(),
        managed_scaling: group.and_then(|it| it.managed_scaling()).and_then(managed_scaling),
        manages_termination_protection: protection == Some(&sdk::ManagedTerminationProtection::Enabled),
        manages_draining: group.and_then(|it| it.managed_draining()) == Some(&sdk::ManagedDraining::Enabled),
    })
}

/// The target, if managed scaling is enabled.
fn managed_scaling(scaling: &sdk::ManagedScaling) -> Option<u32> {
    let target = scaling.target_capacity().and_then(|target| u32::try_from(target).ok());
    (scaling.status() == Some(&sdk::ManagedScalingStatus::Enabled)).then(|| target.unwrap_or(TARGET))
}
