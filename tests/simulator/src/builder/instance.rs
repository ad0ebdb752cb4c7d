//! One container instance and the machine below it, as a test wants them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::account::{ContainerInstance, ContainerInstanceStatus, Machine, MachineState, Market};
use crate::time::SimTime;

/// Ports that the agent always reports as reserved: SSH, Docker, and the agent's own.
const RESERVED_PORTS: [u16; 5] = [22, 2375, 2376, 51_678, 51_679];

/// Describes one container instance.
#[derive(Clone, Debug)]
pub struct InstanceBuilder {
    now: SimTime,
    instance: ContainerInstance,
    market: Market,
    agent_drains_on_spot: bool,
}

impl InstanceBuilder {
    pub(super) fn new(now: SimTime, arn: String, ec2_instance_id: &str, zone: &str) -> Self {
        let attributes =
            [("ecs.availability-zone", zone), ("ecs.instance-type", "m5.large"), ("ecs.os-type", "linux")];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), Some(value.to_owned())));
        let instance = ContainerInstance {
            arn,
            ec2_instance_id: ec2_instance_id.to_owned(),
            capacity_provider: None,
            status: ContainerInstanceStatus::Active,
            agent_connected: true,
            registered_at: now,
            attributes: BTreeMap::from(attributes),
            cpu: 2048,
            memory: 7680,
            ports: RESERVED_PORTS.into(),
            tags: BTreeMap::new(),
            version: 1,
            host_alive: true,
        };
        Self { now, instance, market: Market::OnDemand, agent_drains_on_spot: false }
    }

    /// Registered CPU units.
    #[must_use]
    pub fn cpu(mut self, units: u64) -> Self {
        self.instance.cpu = units;
        self
    }

    /// Registered memory in MiB.
    #[must_use]
    pub fn memory(mut self, mebibytes: u64) -> Self {
        self.instance.memory = mebibytes;
        self
    }

    /// How long ago it registered.
    #[must_use]
    pub fn registered_ago(mut self, age: Duration) -> Self {
        self.instance.registered_at = self.now - age;
        self
    }

    /// Its agent is not connected.
    #[must_use]
    pub fn disconnected(mut self) -> Self {
        self.instance.agent_connected = false;
        self
    }

    /// It is DRAINING.
    #[must_use]
    pub fn draining(mut self) -> Self {
        self.instance.status = ContainerInstanceStatus::Draining;
        self
    }

    /// Sets an attribute, custom or built-in.
    #[must_use]
    pub fn attribute(mut self, name: &str, value: &str) -> Self {
        self.instance.attributes.insert(name.to_owned(), Some(value.to_owned()));
        self
    }

    /// Sets a tag.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.instance.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Makes it belong to a capacity provider.
    #[must_use]
    pub fn capacity_provider(mut self, name: &str) -> Self {
        self.instance.capacity_provider = Some(name.to_owned());
        self
    }

    /// Its machine is a Spot one.
    #[must_use]
    pub fn spot(mut self) -> Self {
        self.market = Market::Spot;
        self
    }

    /// Its agent runs with `ECS_ENABLE_SPOT_INSTANCE_DRAINING=true`.
    #[must_use]
    pub fn agent_drains_on_spot(mut self) -> Self {
        self.agent_drains_on_spot = true;
        self
    }

    pub(super) fn build(self) -> (ContainerInstance, Machine) {
        let machine = self.machine();
        (self.instance, machine)
    }

    /// The running machine below the registration.
    fn machine(&self) -> Machine {
        let attribute = |name: &str| self.instance.attributes.get(name).cloned().flatten();
        Machine {
            id: self.instance.ec2_instance_id.clone(),
            zone: self.instance.zone().to_owned(),
            instance_type: attribute("ecs.instance-type").unwrap_or_default(),
            image_id: attribute("ecs.ami-id").unwrap_or_else(|| "ami-0123456789abcdef0".to_owned()),
            market: self.market,
            state: MachineState::Running,
            state_since: self.instance.registered_at,
            state_until: None,
            state_reason: None,
            ended_by: None,
            launched_at: self.instance.registered_at,
            group: None,
            launch_template: None,
            interruption: None,
            rebalance_recommended_at: None,
            joins: None,
            agent_due: None,
            agent_drains_on_spot: self.agent_drains_on_spot,
            killed: BTreeMap::new(),
            tags: BTreeMap::new(),
        }
    }
}
