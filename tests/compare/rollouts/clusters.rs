//! The groups whose instances are to be replaced.
//!
//! All of a size are alike whoever replaces their instances, but for what belongs to the policy itself: the hook that
//! Evenkeel's function `drain` answers to, and the capacity provider through which ECS drains.

use std::time::Duration;

use evenkeel_tests::clusters::ZONES;
use evenkeel_tests::drains::with_hook;
use evenkeel_tests::rollouts::with_new_version;
use simulator::account::{Account, ActionResult};
use simulator::builder::{AccountBuilder, CapacityProviderBuilder, GroupBuilder, ServiceBuilder};

use super::Peer;

/// How long connections to the tasks behind the load balancer are given to end.
const DEREGISTRATION_DELAY: Duration = Duration::from_mins(1);

/// Name of somebody else's hook.
pub(crate) const FOREIGN_HOOK: &str = "ship-logs";

/// How long somebody else's hook holds an instance, which nobody shortens.
const HELD: Duration = Duration::from_mins(1);

/// A group over three zones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cluster {
    /// Instances.
    pub(crate) size: u32,
    /// Whether a terminate hook of somebody else holds each instance for a while.
    pub(crate) has_hook: bool,
}

impl Cluster {
    pub(crate) fn words(self) -> String {
        let hook = if self.has_hook { ", a terminate hook" } else { "" };
        format!("{} in 3 zones{hook}", self.size)
    }

    /// On every instance two tasks of a bare service and one behind a load balancer; and a new version of the launch
    /// template.
    pub(super) fn account(self, seed: u64, peer: Peer) -> Account {
        let ids: Vec<String> = (0..self.size).map(|number| format!("i-{number:04}")).collect();
        let once: Vec<&str> = ids.iter().map(String::as_str).collect();
        let twice: Vec<&str> = once.iter().flat_map(|id| [*id, *id]).collect();
        let places: Vec<(&str, &str)> = once.iter().copied().zip(ZONES.into_iter().cycle()).collect();
        let group = |it: GroupBuilder| {
            let it = it.zones(&ZONES).size(1, self.size, 2 * self.size).instances(&places);
            self.hooked(it, peer)
        };
        let front = |it: ServiceBuilder| it.task_definition("front").target_group("front").on(&once);
        let app = |it: ServiceBuilder| it.task_definition("app").on(&twice);
        let builder = AccountBuilder::new(seed)
            .cluster("web")
            .launch_template("web", |it| it.size(4096, 15_360).version("ami-1"))
            .auto_scaling_group("web-asg", group)
            .task_definition("app", |it| it.cpu(256).memory(512))
            .task_definition("front", |it| it.cpu(256).memory(512).container_port(80, 0))
            .target_group("front", |it| it.deregistration_delay(DEREGISTRATION_DELAY))
            .service("front", |it| front(it).spread_zone().spread_instance())
            .service("app", |it| app(it).spread_zone().spread_instance());
        with_new_version(provided(builder, peer).build())
    }

    fn hooked(self, group: GroupBuilder, peer: Peer) -> GroupBuilder {
        if !self.has_hook {
            return group;
        }
        let group = group.terminate_hook(FOREIGN_HOOK, HELD, ActionResult::Continue);
        if peer == Peer::Evenkeel { with_hook(group) } else { group }
    }
}

/// Managed draining comes with a capacity provider only.
fn provided(builder: AccountBuilder, peer: Peer) -> AccountBuilder {
    if peer != Peer::Refresh {
        return builder;
    }
    builder.capacity_provider("web", "web-asg", CapacityProviderBuilder::managed_draining)
}
