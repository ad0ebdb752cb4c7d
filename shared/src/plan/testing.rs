//! Clusters for tests: one line each, everything about them unremarkable except what the test changes.
//!
//! An instance is named after its zone and its number in it (`a0`), a task after its service and its number (`web-3`).
//! The service `web` exists from the start, spreads over zones, then instances, and is steady.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::ids::{ContainerInstanceArn, ServiceName, TaskArn};
use crate::percent::Percent;
use crate::plan::proposal::{Limits, RebalancePlan, ServicePlan};
use crate::settings::Settings;
use crate::snapshot::*;
use crate::timestamp::Timestamp;

/// The moment of every test's snapshot.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_secs(1_800_000_000)
}

/// Limits with the defaults of the settings, and moves one at a time.
pub(crate) fn limits() -> Limits {
    let clusters = ("EVENKEEL_CLUSTERS".to_owned(), "*".to_owned());
    Limits::of(&Settings::from_pairs([clusters]).unwrap(), 1)
}

pub(crate) fn resources(cpu: u64, memory: u64) -> Resources {
    Resources { cpu, memory, gpus: 0, ports: Vec::new() }
}

/// An ACTIVE, connected, empty instance, registered a day ago, with room for 100 tasks.
pub(crate) fn instance(zone: &str, number: usize) -> ContainerInstance {
    ContainerInstance {
        arn: arn(zone, number),
        instance_id: Some(format!("i-{zone}{number}").as_str().into()),
        zone: Some(zone.into()),
        capacity_provider: None,
        status: ContainerInstanceStatus::Active,
        agent_connected: true,
        agent_version: Some("1.100.0".to_owned()),
        registered_at: Some(now() - Duration::from_hours(24)),
        attributes: BTreeMap::from([("ecs.availability-zone".to_owned(), Some(zone.to_owned()))]),
        registered: resources(10_000, 10_000),
        remaining: resources(10_000, 10_000),
        tasks_running: 0,
        tasks_pending: 0,
    }
}

pub(crate) fn arn(zone: &str, number: usize) -> ContainerInstanceArn {
    ContainerInstanceArn::new(format!("arn:aws:ecs:eu-west-1:1:container-instance/c/{zone}{number:02}"))
}

pub(crate) fn task_arn(service: &str, number: usize) -> TaskArn {
    TaskArn::new(format!("arn:aws:ecs:eu-west-1:1:task/c/{service}-{number:04}"))
}

fn service(name: &str) -> Service {
    let deployment = Deployment {
        id: format!("ecs-svc/{name}"),
        status: "PRIMARY".to_owned(),
        rollout_state: Some(RolloutState::Completed),
    };
    Service {
        name: name.into(),
        arn: format!("arn:aws:ecs:eu-west-1:1:service/c/{name}").as_str().into(),
        status: "ACTIVE".to_owned(),
        scheduling_strategy: SchedulingStrategy::Replica,
        tasks_desired: 0,
        tasks_running: 0,
        tasks_pending: 0,
        deployment_controller: DeploymentController::Ecs,
        deployments: vec![deployment],
        task_definition: format!("{name}:1").as_str().into(),
        capacity_providers: Vec::new(),
        launch_type: Some("EC2".to_owned()),
        placement_strategy: chain(&["zone", "instance"]),
        placement_constraints: Vec::new(),
        availability_zone_rebalancing: false,
        minimum_healthy_percent: Percent::new(100),
        maximum_percent: Percent::new(200),
        load_balancers: Vec::new(),
        tags: BTreeMap::new(),
        last_start_event_at: None,
    }
}

/// A chain of strategies from short words.
pub(crate) fn chain(words: &[&str]) -> Vec<PlacementStrategy> {
    let link = |word: &&str| match *word {
        "zone" => PlacementStrategy::Spread("attribute:ecs.availability-zone".to_owned()),
        "instance" => PlacementStrategy::Spread("instanceId".to_owned()),
        "cpu" | "memory" => PlacementStrategy::Binpack((*word).to_owned()),
        "random" => PlacementStrategy::Random,
        field => PlacementStrategy::Spread(format!("attribute:{field}")),
    };
    words.iter().map(link).collect()
}

fn definition() -> TaskDefinition {
    TaskDefinition {
        cpu: 100,
        memory: 100,
        gpus: 0,
        host_ports: Vec::new(),
        has_health_check: false,
        stop_timeout: Duration::from_secs(30),
        network_mode: "bridge".to_owned(),
        placement_constraints: Vec::new(),
        requires_attributes: BTreeMap::new(),
    }
}

/// A snapshot under construction.
#[derive(Clone)]
pub(crate) struct Cluster(pub(crate) ClusterSnapshot);

/// A cluster whose service `web` has these counts on the instances of the zones `a`, `b`, ...
pub(crate) fn cluster(zones: &[&[u32]]) -> Cluster {
    let mut cluster = Cluster(ClusterSnapshot {
        cluster: "c".into(),
        observed_at: now(),
        tags: Known::NotAsked,
        services: BTreeMap::new(),
        tasks: BTreeMap::new(),
        container_instances: BTreeMap::new(),
        task_definitions: BTreeMap::new(),
        protections: BTreeMap::new(),
        target_health: BTreeMap::new(),
        unknown: Vec::new(),
    });
    for (zone, counts) in ["a", "b", "c", "d"].iter().zip(zones) {
        for number in 0..counts.len() {
            let instance = instance(zone, number);
            cluster.0.container_instances.insert(instance.arn.clone(), instance);
        }
    }
    cluster.add("web", zones);
    cluster
}

impl Cluster {
    /// Adds a service with its tasks, which take their resources.
    pub(crate) fn add(&mut self, name: &str, zones: &[&[u32]]) {
        self.0.services.insert(name.into(), service(name));
        self.0.task_definitions.insert(format!("{name}:1").as_str().into(), Known::Known(definition()));
        for (zone, counts) in ["a", "b", "c", "d"].iter().zip(zones) {
            for (number, count) in counts.iter().enumerate() {
                (0..*count).for_each(|_| self.start(name, &arn(zone, number)));
            }
        }
    }

    /// Starts one running task; each is a second younger than the one before, the first two hours old.
    pub(crate) fn start(&mut self, name: &str, on: &ContainerInstanceArn) {
        let number = self.0.tasks.keys().filter(|arn| arn.short().starts_with(&format!("{name}-"))).count();
        let arn = task_arn(name, number);
        let need = crate::plan::placement::need(self.definition_of(name));
        let service = self.0.services.get_mut(&ServiceName::new(name)).unwrap();
        service.tasks_desired += 1;
        service.tasks_running += 1;
        let created = now() - Duration::from_secs(7_200 - number as u64);
        let task = task(arn.clone(), service, on, created);
        self.0.protections.insert(arn.clone(), Known::Known(Protection { enabled: false, expires_at: None }));
        self.0.tasks.insert(arn, task);
        crate::plan::placement::take(&mut self.0.container_instances.get_mut(on).unwrap().remaining, &need);
    }

    /// Stops a task as if it had never been.
    pub(crate) fn stop(&mut self, arn: &TaskArn) {
        let task = self.0.tasks.get_mut(arn).unwrap();
        task.desired_status = TaskStatus::Stopped;
        let (name, on) = (task.service.clone().unwrap(), task.container_instance.clone().unwrap());
        let service = self.0.services.get_mut(&name).unwrap();
        service.tasks_desired -= 1;
        service.tasks_running -= 1;
        let need = crate::plan::placement::need(self.definition_of(name.as_str()));
        let remaining = &mut self.0.container_instances.get_mut(&on).unwrap().remaining;
        remaining.cpu += need.cpu;
        remaining.memory += need.memory;
        remaining.ports.retain(|port| !need.ports.contains(port));
    }

    pub(crate) fn definition_of(&self, name: &str) -> &TaskDefinition {
        self.0.task_definitions[&format!("{name}:1").as_str().into()].known().unwrap()
    }

    pub(crate) fn definition(&mut self) -> &mut TaskDefinition {
        match self.0.task_definitions.get_mut(&"web:1".into()).unwrap() {
            Known::Known(definition) => definition,
            Known::Unknown(_) | Known::NotAsked => unreachable!(),
        }
    }

    pub(crate) fn web(&mut self) -> &mut Service {
        self.0.services.get_mut(&"web".into()).unwrap()
    }

    pub(crate) fn instance(&mut self, zone: &str, number: usize) -> &mut ContainerInstance {
        self.0.container_instances.get_mut(&arn(zone, number)).unwrap()
    }

    /// Sets the room left on an instance, in tasks of `web`.
    pub(crate) fn room(&mut self, zone: &str, number: usize, tasks: u64) {
        self.instance(zone, number).remaining = resources(tasks * 100, tasks * 100);
    }

    pub(crate) fn task(&mut self, number: usize) -> &mut Task {
        self.0.tasks.get_mut(&task_arn("web", number)).unwrap()
    }

    pub(crate) fn plan(&self) -> RebalancePlan {
        crate::plan::rebalance::plan_rebalance(&self.0, &limits())
    }

    /// The plan of `web` under the default limits.
    pub(crate) fn web_plan(&self) -> ServicePlan {
        self.web_plan_under(&limits())
    }

    pub(crate) fn web_plan_under(&self, limits: &Limits) -> ServicePlan {
        let plan = crate::plan::rebalance::plan_rebalance(&self.0, limits);
        plan.services.into_iter().find(|plan| plan.service.as_str() == "web").unwrap()
    }

    /// Codes of the reasons that concern the service as a whole.
    pub(crate) fn codes(&self) -> Vec<String> {
        codes(&self.web_plan())
    }
}

pub(crate) fn codes(plan: &ServicePlan) -> Vec<String> {
    let reasons = plan.blocked.iter().map(|blocked| serde_json::to_value(&blocked.reason).unwrap());
    reasons.map(|reason| reason["code"].as_str().unwrap().to_owned()).collect()
}

fn task(arn: TaskArn, service: &Service, on: &ContainerInstanceArn, created: Timestamp) -> Task {
    Task {
        arn,
        service: Some(service.name.clone()),
        container_instance: Some(on.clone()),
        last_status: TaskStatus::Running,
        desired_status: TaskStatus::Running,
        health_status: HealthStatus::Unknown,
        created_at: Some(created),
        started_at: Some(created + Duration::from_secs(20)),
        task_definition: service.task_definition.clone(),
        started_by: Some(format!("ecs-svc/{}", service.name)),
        capacity_provider: None,
        network_bindings: Vec::new(),
        private_ips: Vec::new(),
        stop_code: None,
        stopped_reason: None,
        stopping_at: None,
        cpu: Some(100),
        memory: Some(100),
    }
}
