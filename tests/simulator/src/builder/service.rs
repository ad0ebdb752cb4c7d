//! One service and its tasks, as a test wants them.

use std::time::Duration;

use crate::account::{
    Account, CapacityProviderStrategyItem, DeploymentController, LoadBalancer, PlacementConstraint,
    PlacementStrategy, PlacementStrategyType, SchedulingStrategy, Service,
};
use crate::placement::strategy::ZONE;

/// Describes one service.
#[derive(Clone, Debug)]
pub struct ServiceBuilder {
    service: Service,
    family: String,
    on: Vec<String>,
    desired: Option<u32>,
    target_groups: Vec<String>,
    age: Duration,
}

/// What came out: the service, the EC2 ids its tasks run on, and their age.
pub(super) struct Built {
    pub(super) service: Service,
    pub(super) on: Vec<String>,
    pub(super) age: Duration,
}

impl ServiceBuilder {
    pub(super) fn new(name: &str) -> Self {
        Self {
            service: empty(name),
            family: name.to_owned(),
            on: Vec::new(),
            desired: None,
            target_groups: Vec::new(),
            age: Duration::from_hours(1),
        }
    }

    /// The family of its tasks; by default the service's own name.
    #[must_use]
    pub fn task_definition(mut self, family: &str) -> Self {
        family.clone_into(&mut self.family);
        self
    }

    /// Puts one RUNNING, healthy task on each of these instances; a repeated id gets several.
    #[must_use]
    pub fn on(mut self, ec2_instance_ids: &[&str]) -> Self {
        self.on = ec2_instance_ids.iter().map(|id| (*id).to_owned()).collect();
        self
    }

    /// Sets the desired count; by default the number of tasks that are there.
    #[must_use]
    pub fn desired(mut self, count: u32) -> Self {
        self.desired = Some(count);
        self
    }

    /// Adds spread over zones.
    #[must_use]
    pub fn spread_zone(self) -> Self {
        self.strategy(PlacementStrategyType::Spread, ZONE)
    }

    /// Adds spread over instances.
    #[must_use]
    pub fn spread_instance(self) -> Self {
        self.strategy(PlacementStrategyType::Spread, "instanceId")
    }

    /// Adds binpack by memory.
    #[must_use]
    pub fn binpack_memory(self) -> Self {
        self.strategy(PlacementStrategyType::Binpack, "memory")
    }

    /// Adds binpack by CPU.
    #[must_use]
    pub fn binpack_cpu(self) -> Self {
        self.strategy(PlacementStrategyType::Binpack, "cpu")
    }

    /// Adds random placement.
    #[must_use]
    pub fn random(self) -> Self {
        self.strategy(PlacementStrategyType::Random, "")
    }

    /// Adds one link to the placement strategy.
    #[must_use]
    pub fn strategy(mut self, kind: PlacementStrategyType, field: &str) -> Self {
        self.service.placement_strategy.push(PlacementStrategy { kind, field: field.to_owned() });
        self
    }

    /// Adds the constraint of one task on each instance.
    #[must_use]
    pub fn distinct_instance(mut self) -> Self {
        self.service.placement_constraints.push(PlacementConstraint::DistinctInstance);
        self
    }

    /// Adds a `memberOf` constraint.
    #[must_use]
    pub fn member_of(mut self, expression: &str) -> Self {
        self.service.placement_constraints.push(PlacementConstraint::MemberOf(expression.to_owned()));
        self
    }

    /// Makes it a DAEMON service, with AWS's minimum 0 and maximum 100 percent.
    #[must_use]
    pub fn daemon(mut self) -> Self {
        self.service.scheduling_strategy = SchedulingStrategy::Daemon;
        self.min_max(0, 100)
    }

    /// Puts its tasks behind a target group, named as it was built.
    #[must_use]
    pub fn target_group(mut self, name: &str) -> Self {
        self.target_groups.push(name.to_owned());
        self
    }

    /// `healthCheckGracePeriodSeconds`.
    #[must_use]
    pub fn health_check_grace_period(mut self, period: Duration) -> Self {
        self.service.health_check_grace_period = period;
        self
    }

    /// Sets `minimumHealthyPercent` and `maximumPercent`.
    #[must_use]
    pub fn min_max(mut self, minimum_healthy_percent: u32, maximum_percent: u32) -> Self {
        self.service.minimum_healthy_percent = minimum_healthy_percent;
        self.service.maximum_percent = maximum_percent;
        self
    }

    /// Sets the deployment controller.
    #[must_use]
    pub fn deployment_controller(mut self, controller: DeploymentController) -> Self {
        self.service.deployment_controller = controller;
        self
    }

    /// Enables Availability Zone rebalancing.
    #[must_use]
    pub fn az_rebalancing(mut self) -> Self {
        self.service.availability_zone_rebalancing = true;
        self
    }

    /// Sets a tag.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.service.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Adds an item to the capacity provider strategy.
    #[must_use]
    pub fn capacity_provider(mut self, name: &str, base: u32, weight: u32) -> Self {
        let item = CapacityProviderStrategyItem { capacity_provider: name.to_owned(), base, weight };
        self.service.capacity_provider_strategy.push(item);
        self
    }

    /// How long its tasks have been running; by default one hour.
    #[must_use]
    pub fn tasks_age(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    pub(super) fn build(self, account: &Account, arn: String) -> Built {
        let Self { mut service, family, on, desired, target_groups, age } = self;
        service.arn = arn;
        service.desired_count = desired.unwrap_or(on.len() as u32);
        service.created_at = account.now - Duration::from_hours(24);
        service.start_not_before = service.created_at;
        service.task_definition = super::task_definition_arn(account, &family);
        let definition = account.task_definitions.get(&service.task_definition);
        let definition = definition.expect("a task definition comes before the service that uses it");
        let port = definition.port_mappings.keys().next().copied().unwrap_or(80);
        let balancers = target_groups.iter().map(|name| load_balancer(account, name, &family, port));
        service.load_balancers = balancers.collect();
        Built { service, on, age }
    }
}

fn load_balancer(account: &Account, name: &str, container_name: &str, container_port: u16) -> LoadBalancer {
    let group = account.target_groups.values().find(|group| group.name == name);
    let group = group.expect("a target group comes before the service that uses it");
    LoadBalancer {
        target_group_arn: Some(group.arn.clone()),
        load_balancer_name: None,
        container_name: container_name.to_owned(),
        container_port,
    }
}

fn empty(name: &str) -> Service {
    let never = crate::time::SimTime::default();
    Service {
        name: name.to_owned(),
        arn: String::new(),
        status: "ACTIVE".to_owned(),
        scheduling_strategy: SchedulingStrategy::Replica,
        desired_count: 0,
        minimum_healthy_percent: 100,
        maximum_percent: 200,
        placement_strategy: Vec::new(),
        placement_constraints: Vec::new(),
        capacity_provider_strategy: Vec::new(),
        task_definition: String::new(),
        deployments: Vec::new(),
        deployment_controller: DeploymentController::Ecs,
        load_balancers: Vec::new(),
        health_check_grace_period: Duration::ZERO,
        availability_zone_rebalancing: false,
        events: Vec::new(),
        created_at: never,
        tags: std::collections::BTreeMap::new(),
        start_not_before: never,
        failed_starts: 0,
    }
}
