//! The state of one AWS account in one Region: what exists, in the API's own words.
//!
//! Plain data without behaviour. `scheduler/` moves it forward in time, `operations/` answers API calls on
//! it, `checkers.rs` looks at it after every tick. Every map is ordered, so that a run is repeatable from its
//! seed.

mod capacity_provider;
mod event;
mod group;
mod launch_template;
mod machine;
mod service;
mod target;
mod task;

use std::collections::{BTreeMap, BTreeSet};

use crate::switches::Switches;
use crate::time::SimTime;

pub use capacity_provider::*;
pub use event::*;
pub use group::*;
pub use launch_template::*;
pub use machine::*;
pub use service::*;
pub use target::*;
pub use task::*;

/// Version every simulated container agent reports.
pub const AGENT_VERSION: &str = "1.105.1";

/// Tag keys to tag values.
pub type Tags = BTreeMap<String, String>;

/// One account in one Region.
#[derive(Clone, Debug)]
pub struct Account {
    /// Region name, for instance `eu-west-1`.
    pub region: String,
    /// Twelve digits.
    pub account_id: String,
    /// The present moment; only `scheduler::advance` moves it.
    pub now: SimTime,
    /// By cluster name.
    pub clusters: BTreeMap<String, Cluster>,
    /// By ARN (`arn:aws:ecs:…:task-definition/web:5`).
    pub task_definitions: BTreeMap<String, TaskDefinition>,
    /// By ARN.
    pub target_groups: BTreeMap<String, TargetGroup>,
    /// ECS capacity providers with an Auto Scaling group, by name.
    pub capacity_providers: BTreeMap<String, CapacityProvider>,
    /// EC2 instances by id; terminated ones stay describable for about an hour.
    pub machines: BTreeMap<String, Machine>,
    /// By name.
    pub launch_templates: BTreeMap<String, LaunchTemplate>,
    /// Parameters of Systems Manager, by name: AMIs for launch templates whose image is `resolve:ssm:NAME`.
    pub parameters: BTreeMap<String, String>,
    /// By name.
    pub auto_scaling_groups: BTreeMap<String, AutoScalingGroup>,
    /// Zones and purchase options for which EC2 has no capacity now.
    pub shortages: Shortages,
    /// How disputed or unknown AWS behaviour plays out in this run.
    pub switches: Switches,
    /// Counter behind every generated id, so that ids are the same in every run.
    pub next_id: u64,
    /// State of the seeded dice behind every fate drawn in this account; see `scheduler::chance`.
    pub dice: u64,
    /// Everything that happened, oldest first; the timeline is rendered from it.
    pub happenings: Vec<Happening>,
    /// Everything AWS has told EventBridge, oldest first.
    pub events: Vec<Event>,
}

/// One thing that happened, for the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// When.
    pub at: SimTime,
    /// Who did it: `api`, `scheduler`, `agent`, `az-rebalancing`, `ec2`, `ecs`, `person`, `fault`, `checker`.
    pub actor: String,
    /// The resource in short form, such as `web/task-000012` or `i-0003`.
    pub subject: String,
    /// What happened, one sentence without a full stop.
    pub what: String,
}

/// An ECS cluster.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// Name, unique in the Region.
    pub name: String,
    /// ARN.
    pub arn: String,
    /// Tags.
    pub tags: Tags,
    /// By service name.
    pub services: BTreeMap<String, Service>,
    /// By task ARN; STOPPED tasks stay for an hour, as `ListTasks` documents.
    pub tasks: BTreeMap<String, Task>,
    /// By container instance ARN; INACTIVE ones stay describable for an hour.
    pub container_instances: BTreeMap<String, ContainerInstance>,
}

/// API enum `ContainerInstanceStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ContainerInstanceStatus {
    Registering,
    RegistrationFailed,
    Active,
    Inactive,
    Deregistering,
    Draining,
}

/// An EC2 instance registered with a cluster.
#[derive(Clone, Debug)]
pub struct ContainerInstance {
    /// ARN (`arn:aws:ecs:…:container-instance/<cluster>/<32 hex>`).
    pub arn: String,
    /// EC2 instance id, `i-…`.
    pub ec2_instance_id: String,
    /// Capacity provider, if the instance belongs to one.
    pub capacity_provider: Option<String>,
    /// State in ECS.
    pub status: ContainerInstanceStatus,
    /// Whether the agent's connection is up; flaps several times an hour in normal operation.
    pub agent_connected: bool,
    /// When it registered.
    pub registered_at: SimTime,
    /// Attributes, `ecs.availability-zone`, `ecs.instance-type` and custom ones; a value may be absent.
    pub attributes: BTreeMap<String, Option<String>>,
    /// Registered CPU units.
    pub cpu: u64,
    /// Registered memory in MiB.
    pub memory: u64,
    /// Registered (always reserved) TCP host ports: 22, 2375, 2376, 51678, 51679.
    pub ports: BTreeSet<u16>,
    /// Tags.
    pub tags: Tags,
    /// Rises with each change.
    pub version: u64,
    /// Whether the EC2 machine itself still runs; false is a dead host that may still be registered (a
    /// ghost).
    pub host_alive: bool,
}

impl ContainerInstance {
    /// The zone, which ECS keeps as an attribute and not as a field.
    pub fn zone(&self) -> &str {
        self.attributes.get("ecs.availability-zone").and_then(Option::as_deref).unwrap_or("")
    }
}
