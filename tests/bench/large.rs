//! Snapshots of clusters far larger than any that is played: three zones, a tenth of the instances newly empty.
//!
//! Services have log-normal sizes: most are small, a few have hundreds of tasks. Everything is steady and old enough, so
//! that nothing but arithmetic stands between the snapshot and its plan.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use evenkeel::ids::{ContainerInstanceArn, ServiceName, TaskArn};
use evenkeel::percent::Percent;
use evenkeel::snapshot::{
    ClusterSnapshot, ContainerInstance, ContainerInstanceStatus, Deployment, DeploymentController,
    HealthStatus, Known, PlacementStrategy, Protection, Resources, RolloutState, SchedulingStrategy, Service,
    Task, TaskDefinition, TaskStatus,
};
use evenkeel::timestamp::Timestamp;

const ZONES: [&str; 3] = ["a", "b", "c"];

/// The spread of sizes: with 1.4 the largest twentieth of services is ten times the median and more.
const SIGMA: f64 = 1.4;

/// How the tasks came to lie where they are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum History {
    /// ECS placed every service evenly over the zones, then over the instances that were there. A service of fewer
    /// tasks than instances is then at its best split, whatever instances join: nothing is to move for its own sake.
    Spread,
    /// Years of replacements left every task on any of the old instances: nearly every service needs moves.
    PiledUp,
}

/// How large a cluster is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Container instances.
    pub(crate) instances: usize,
    /// Tasks.
    pub(crate) tasks: usize,
    /// Services.
    pub(crate) services: usize,
}

fn now() -> Timestamp {
    Timestamp::from_secs(1_800_000_000)
}

/// A whole cluster as the base read finds it.
pub(crate) fn snapshot(size: Size, history: History, seed: u64) -> ClusterSnapshot {
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut snapshot = empty();
    let zones = add_instances(&mut snapshot, size.instances);
    for (number, tasks) in service_sizes(size, &mut dice).into_iter().enumerate() {
        let places = match history {
            History::Spread => spread(&zones, tasks, &mut dice),
            History::PiledUp => piled_up(&zones, tasks, &mut dice),
        };
        add_service(&mut snapshot, number, &places);
    }
    snapshot
}

/// Adds what the close reading of these services brings.
pub(crate) fn read_closely(snapshot: &mut ClusterSnapshot, services: &BTreeSet<ServiceName>) {
    for name in services {
        let service = &snapshot.services[name];
        let definition = definition(number_of(name));
        snapshot.task_definitions.insert(service.task_definition.clone(), Known::Known(definition));
    }
    let is_read = |task: &&Task| task.service.as_ref().is_some_and(|name| services.contains(name));
    let off = Known::Known(Protection { enabled: false, expires_at: None });
    let read: Vec<TaskArn> = snapshot.tasks.values().filter(is_read).map(|task| task.arn.clone()).collect();
    snapshot.protections.extend(read.into_iter().map(|task| (task, off.clone())));
}

fn empty() -> ClusterSnapshot {
    ClusterSnapshot {
        cluster: "large".into(),
        observed_at: now(),
        tags: Known::Known(BTreeMap::new()),
        services: BTreeMap::new(),
        tasks: BTreeMap::new(),
        container_instances: BTreeMap::new(),
        task_definitions: BTreeMap::new(),
        protections: BTreeMap::new(),
        target_health: BTreeMap::new(),
        unknown: Vec::new(),
    }
}

/// Adds the instances; answers the old ones by zone, without every tenth, which is new.
fn add_instances(snapshot: &mut ClusterSnapshot, count: usize) -> Vec<Vec<ContainerInstanceArn>> {
    let mut old = vec![Vec::new(); ZONES.len()];
    for number in 0..count {
        let zone = number % ZONES.len();
        let instance = instance(number, ZONES[zone]);
        if number % 10 != 0 {
            old[zone].push(instance.arn.clone());
        }
        snapshot.container_instances.insert(instance.arn.clone(), instance);
    }
    old
}

fn instance(number: usize, zone: &str) -> ContainerInstance {
    let all = Resources { cpu: 16_384, memory: 65_536, gpus: 0, ports: vec![22, 2375, 2376, 51_678, 51_679] };
    let attribute = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
    ContainerInstance {
        arn: format!("arn:aws:ecs:eu-west-1:123456789012:container-instance/large/{number:032x}")
            .as_str()
            .into(),
        instance_id: Some(format!("i-{number:017x}").as_str().into()),
        zone: Some(zone.into()),
        capacity_provider: None,
        status: ContainerInstanceStatus::Active,
        agent_connected: true,
        agent_version: Some("1.105.1".to_owned()),
        registered_at: Some(now() - Duration::from_hours(1)),
        attributes: BTreeMap::from([
            attribute("ecs.availability-zone", zone),
            attribute("ecs.instance-type", "m5.4xlarge"),
            attribute("ecs.os-type", "linux"),
        ]),
        registered: all.clone(),
        remaining: all,
        tasks_running: 0,
        tasks_pending: 0,
    }
}

/// Log-normal sizes of at least one task that add up to the cluster's tasks.
fn service_sizes(size: Size, dice: &mut fastrand::Rng) -> Vec<usize> {
    let weights: Vec<f64> = (0..size.services).map(|_| (SIGMA * normal(dice)).exp()).collect();
    let all: f64 = weights.iter().sum();
    let spare = (size.tasks - size.services) as f64;
    let mut sizes: Vec<usize> = weights.iter().map(|it| 1 + (spare * it / all) as usize).collect();
    let missing = size.tasks - sizes.iter().sum::<usize>();
    sizes.iter_mut().take(missing).for_each(|it| *it += 1);
    sizes
}

/// A standard normal number, by the method of Box and Muller.
fn normal(dice: &mut fastrand::Rng) -> f64 {
    let radius = (-2.0 * (1.0 - dice.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * dice.f64()).cos()
}

fn spread(
    zones: &[Vec<ContainerInstanceArn>],
    tasks: usize,
    dice: &mut fastrand::Rng,
) -> Vec<ContainerInstanceArn> {
    let first = dice.usize(..zones.len());
    let offset = dice.usize(..zones[0].len());
    let place = |number: usize| {
        let zone = &zones[(first + number) % zones.len()];
        zone[(offset + number / zones.len()) % zone.len()].clone()
    };
    (0..tasks).map(place).collect()
}

fn piled_up(
    zones: &[Vec<ContainerInstanceArn>],
    tasks: usize,
    dice: &mut fastrand::Rng,
) -> Vec<ContainerInstanceArn> {
    let mut place = |_| {
        let zone = &zones[dice.usize(..zones.len())];
        zone[dice.usize(..zone.len())].clone()
    };
    (0..tasks).map(&mut place).collect()
}

fn add_service(snapshot: &mut ClusterSnapshot, number: usize, places: &[ContainerInstanceArn]) {
    let service = service(number, places.len() as u32);
    let needs = definition(number);
    for place in places {
        let task = task(snapshot.tasks.len(), &service, place, &needs);
        snapshot.tasks.insert(task.arn.clone(), task);
        let instance = snapshot.container_instances.get_mut(place).expect("tasks are placed on instances");
        instance.remaining.cpu = instance.remaining.cpu.saturating_sub(needs.cpu);
        instance.remaining.memory = instance.remaining.memory.saturating_sub(needs.memory);
        instance.tasks_running += 1;
    }
    snapshot.services.insert(service.name.clone(), service);
}

fn number_of(name: &ServiceName) -> usize {
    name.as_str().rsplit('-').next().and_then(|digits| digits.parse().ok()).expect("names end in a number")
}

fn definition(number: usize) -> TaskDefinition {
    let cpu = [128, 256, 512][number % 3];
    TaskDefinition {
        cpu,
        memory: cpu * [2, 4][number % 2],
        gpus: 0,
        host_ports: Vec::new(),
        has_health_check: false,
        stop_timeout: Duration::from_secs(30),
        network_mode: "bridge".to_owned(),
        placement_constraints: Vec::new(),
        requires_attributes: BTreeMap::new(),
    }
}

fn service(number: usize, tasks: u32) -> Service {
    let name = format!("service-{number:05}");
    let spread = |field: &str| PlacementStrategy::Spread(field.to_owned());
    Service {
        name: name.as_str().into(),
        arn: format!("arn:aws:ecs:eu-west-1:123456789012:service/large/{name}").as_str().into(),
        status: "ACTIVE".to_owned(),
        scheduling_strategy: SchedulingStrategy::Replica,
        tasks_desired: tasks,
        tasks_running: tasks,
        tasks_pending: 0,
        deployment_controller: DeploymentController::Ecs,
        deployments: vec![Deployment {
            id: format!("ecs-svc/{number:019}"),
            status: "PRIMARY".to_owned(),
            rollout_state: Some(RolloutState::Completed),
        }],
        task_definition: format!("arn:aws:ecs:eu-west-1:123456789012:task-definition/{name}:1")
            .as_str()
            .into(),
        capacity_providers: Vec::new(),
        launch_type: Some("EC2".to_owned()),
        placement_strategy: vec![spread("attribute:ecs.availability-zone"), spread("instanceId")],
        placement_constraints: Vec::new(),
        availability_zone_rebalancing: false,
        minimum_healthy_percent: Percent::new(100),
        maximum_percent: Percent::new(200),
        load_balancers: Vec::new(),
        tags: BTreeMap::new(),
        last_start_event_at: None,
    }
}

fn task(number: usize, service: &Service, place: &ContainerInstanceArn, needs: &TaskDefinition) -> Task {
    let created = now() - Duration::from_mins(50);
    Task {
        arn: format!("arn:aws:ecs:eu-west-1:123456789012:task/large/{number:032x}").as_str().into(),
        service: Some(service.name.clone()),
        container_instance: Some(place.clone()),
        last_status: TaskStatus::Running,
        desired_status: TaskStatus::Running,
        health_status: HealthStatus::Unknown,
        created_at: Some(created),
        started_at: Some(created + Duration::from_secs(20)),
        task_definition: service.task_definition.clone(),
        started_by: service.deployments.first().map(|deployment| deployment.id.clone()),
        capacity_provider: None,
        network_bindings: Vec::new(),
        private_ips: Vec::new(),
        stop_code: None,
        stopped_reason: None,
        stopping_at: None,
        cpu: Some(needs.cpu),
        memory: Some(needs.memory),
    }
}
