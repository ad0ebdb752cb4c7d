//! One launch template, as a test wants it.

use std::collections::BTreeMap;

use crate::account::{Joining, LaunchTemplate, LaunchTemplateVersion, Market};
use crate::scheduler::machines::Boot;

/// Describes a launch template: what is set before `version` holds for that version and those after it.
#[derive(Clone, Debug)]
pub struct LaunchTemplateBuilder {
    template: LaunchTemplate,
    next: LaunchTemplateVersion,
}

impl LaunchTemplateBuilder {
    pub(super) fn new(id: String, name: &str, cluster: &str) -> Self {
        let joins = (!cluster.is_empty()).then(|| Joining {
            cluster: cluster.to_owned(),
            capacity_provider: None,
            cpu: 2048,
            memory: 7680,
            attributes: BTreeMap::new(),
            after: None,
        });
        let next = LaunchTemplateVersion {
            image_id: "ami-0123456789abcdef0".to_owned(),
            instance_type: "m5.large".to_owned(),
            market: Market::OnDemand,
            joins,
            boot: Boot::default(),
            agent_drains_on_spot: false,
        };
        let template =
            LaunchTemplate { id, name: name.to_owned(), default_version: 1, versions: BTreeMap::new() };
        Self { template, next }
    }

    /// Closes a version with what has been set so far and this AMI.
    #[must_use]
    pub fn version(mut self, image_id: &str) -> Self {
        image_id.clone_into(&mut self.next.image_id);
        self.template.versions.insert(self.template.latest_version() + 1, self.next.clone());
        self
    }

    /// Makes `$Default` mean this version instead of the first.
    #[must_use]
    pub fn default_version(mut self, number: u64) -> Self {
        self.template.default_version = number;
        self
    }

    /// Instance type.
    #[must_use]
    pub fn instance_type(mut self, instance_type: &str) -> Self {
        instance_type.clone_into(&mut self.next.instance_type);
        self
    }

    /// CPU units and MiB its machines register with.
    #[must_use]
    pub fn size(mut self, cpu: u64, memory: u64) -> Self {
        self.next.joins = self.next.joins.map(|joins| Joining { cpu, memory, ..joins });
        self
    }

    /// An attribute its agents set.
    #[must_use]
    pub fn attribute(mut self, name: &str, value: &str) -> Self {
        if let Some(joins) = &mut self.next.joins {
            joins.attributes.insert(name.to_owned(), value.to_owned());
        }
        self
    }

    /// The capacity provider of the group that launches from it.
    #[must_use]
    pub fn capacity_provider(mut self, name: &str) -> Self {
        if let Some(joins) = &mut self.next.joins {
            joins.capacity_provider = Some(name.to_owned());
        }
        self
    }

    /// It asks for Spot machines.
    #[must_use]
    pub fn spot(mut self) -> Self {
        self.next.market = Market::Spot;
        self
    }

    /// How long its machines take to get ready, and how many are late.
    #[must_use]
    pub fn boot(mut self, boot: Boot) -> Self {
        self.next.boot = boot;
        self
    }

    /// Its agents run with `ECS_ENABLE_SPOT_INSTANCE_DRAINING=true`.
    #[must_use]
    pub fn agent_drains_on_spot(mut self) -> Self {
        self.next.agent_drains_on_spot = true;
        self
    }

    /// Its machines run no container agent.
    #[must_use]
    pub fn without_agent(mut self) -> Self {
        self.next.joins = None;
        self
    }

    /// A template without a closed version gets one of what has been set.
    pub(super) fn build(self) -> LaunchTemplate {
        if self.template.versions.is_empty() {
            let image = self.next.image_id.clone();
            return self.version(&image).template;
        }
        self.template
    }
}
