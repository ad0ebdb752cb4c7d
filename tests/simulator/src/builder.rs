//! Builds accounts for tests: a cluster with instances, services and tasks in place, in a few lines.
//!
//! Everything built is calm: tasks are RUNNING and healthy, deployments are completed, protections absent.
//! Order matters only where names refer to each other: a cluster comes before its instances, a task
//! definition and a target group before the service that uses it. Ids come from the account's counter, so the
//! same calls build the same account.

mod capacity_provider;
mod group;
mod instance;
mod launch_template;
mod service;
mod target_group;
mod task_definition;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::account::{Account, Cluster, Deployment, DeploymentStatus, RolloutState, Service};
use crate::scheduler::{events::note, tasks};
use crate::switches::Switches;
use crate::time::SimTime;

pub use capacity_provider::CapacityProviderBuilder;
pub use group::GroupBuilder;
pub use instance::InstanceBuilder;
pub use launch_template::LaunchTemplateBuilder;
pub use service::ServiceBuilder;
pub use target_group::TargetGroupBuilder;
pub use task_definition::TaskDefinitionBuilder;

/// 2026-01-02T03:04:05Z, the moment every built account starts at.
pub const START: SimTime = SimTime(1_767_323_045_000);

/// Builds one account, step by step.
#[derive(Clone, Debug)]
pub struct AccountBuilder {
    account: Account,
    cluster: String,
}

impl AccountBuilder {
    /// An empty account in `eu-west-1` whose every fate follows from `seed`.
    pub fn new(seed: u64) -> Self {
        let account = Account {
            region: "eu-west-1".to_owned(),
            account_id: "123456789012".to_owned(),
            now: START,
            clusters: BTreeMap::new(),
            task_definitions: BTreeMap::new(),
            target_groups: BTreeMap::new(),
            machines: BTreeMap::new(),
            capacity_providers: BTreeMap::new(),
            launch_templates: BTreeMap::new(),
            parameters: BTreeMap::new(),
            auto_scaling_groups: BTreeMap::new(),
            shortages: BTreeMap::new(),
            switches: Switches::default(),
            next_id: 0,
            dice: seed,
            happenings: Vec::new(),
            events: Vec::new(),
        };
        Self { account, cluster: String::new() }
    }

    /// Sets the Region; comes first, because ARNs carry it.
    #[must_use]
    pub fn region(mut self, region: &str) -> Self {
        region.clone_into(&mut self.account.region);
        self
    }

    /// Sets the moment the account starts at; comes first, because everything built is aged from it.
    #[must_use]
    pub fn now(mut self, now: SimTime) -> Self {
        self.account.now = now;
        self
    }

    /// Sets how open questions about AWS are answered.
    #[must_use]
    pub fn switches(mut self, switches: Switches) -> Self {
        self.account.switches = switches;
        self
    }

    /// Adds a cluster; instances, services and tasks that follow belong to it.
    #[must_use]
    pub fn cluster(mut self, name: &str) -> Self {
        let arn = arn(&self.account, "ecs", &format!("cluster/{name}"));
        let cluster = Cluster { name: name.to_owned(), arn, ..Cluster::default() };
        self.account.clusters.insert(name.to_owned(), cluster);
        name.clone_into(&mut self.cluster);
        self
    }

    /// Adds a container instance that registered two hours ago; by default 2048 CPU units and 7680 MiB.
    #[must_use]
    pub fn instance(
        mut self,
        ec2_instance_id: &str,
        zone: &str,
        with: impl FnOnce(InstanceBuilder) -> InstanceBuilder,
    ) -> Self {
        let with = |i: InstanceBuilder| with(i.registered_ago(Duration::from_hours(2)));
        insert_instance(&mut self.account, &self.cluster, ec2_instance_id, zone, with);
        self
    }

    /// Adds revision 1 of a task definition; by default 256 CPU units, 512 MiB, bridge mode, no ports, no
    /// health check.
    #[must_use]
    pub fn task_definition(
        mut self,
        family: &str,
        with: impl FnOnce(TaskDefinitionBuilder) -> TaskDefinitionBuilder,
    ) -> Self {
        let arn = arn(&self.account, "ecs", &format!("task-definition/{family}:1"));
        let definition = with(TaskDefinitionBuilder::new(arn, family)).build();
        self.account.task_definitions.insert(definition.arn.clone(), definition);
        self
    }

    /// Adds a target group with AWS's deregistration delay of 300 seconds.
    #[must_use]
    pub fn target_group(
        mut self,
        name: &str,
        with: impl FnOnce(TargetGroupBuilder) -> TargetGroupBuilder,
    ) -> Self {
        let id = &self.account.next_id()[16..];
        let arn = arn(&self.account, "elasticloadbalancing", &format!("targetgroup/{name}/{id}"));
        let group = with(TargetGroupBuilder::new(arn.clone(), name)).build();
        self.account.target_groups.insert(arn, group);
        self
    }

    /// Adds a service and its tasks. The task definition is the one of the same name unless another is given.
    #[must_use]
    pub fn service(mut self, name: &str, with: impl FnOnce(ServiceBuilder) -> ServiceBuilder) -> Self {
        let arn = arn(&self.account, "ecs", &format!("service/{}/{name}", self.cluster));
        let built = with(ServiceBuilder::new(name)).build(&self.account, arn);
        let service::Built { service, on, age } = built;
        let service = with_deployment(&mut self.account, service);
        let cluster =
            self.account.clusters.get_mut(&self.cluster).expect("a cluster comes before its services");
        cluster.services.insert(name.to_owned(), service.clone());
        for ec2_instance_id in on {
            self.settle_task(&service, &ec2_instance_id, age);
        }
        self
    }

    /// Adds a standalone task of the family that has been running for an hour.
    #[must_use]
    pub fn standalone(mut self, family: &str, ec2_instance_id: &str) -> Self {
        let definition = task_definition_arn(&self.account, family);
        let instance = self.instance_arn(ec2_instance_id);
        let new = tasks::NewTask {
            group: format!("family:{family}"),
            started_by: None,
            task_definition: definition,
            container_instance: Some(instance),
            capacity_provider: None,
        };
        let task = tasks::create(&mut self.account, &self.cluster, new).expect("cluster and family exist");
        tasks::settle(&mut self.account, &self.cluster, &task, Duration::from_hours(1));
        self
    }

    /// The account, with an empty timeline and nothing emitted.
    pub fn build(mut self) -> Account {
        self.account.happenings.clear();
        self.account.events.clear();
        for service in self.account.clusters.values_mut().flat_map(|cluster| cluster.services.values_mut()) {
            service.events.clear();
        }
        self.account
    }

    fn settle_task(&mut self, service: &Service, ec2_instance_id: &str, age: Duration) {
        let instance = self.instance_arn(ec2_instance_id);
        let instances = &self.account.clusters[&self.cluster].container_instances;
        let provider = instances[&instance].capacity_provider.clone();
        let new = tasks::NewTask {
            group: format!("service:{}", service.name),
            started_by: service.deployments.first().map(|deployment| deployment.id.clone()),
            task_definition: service.task_definition.clone(),
            container_instance: Some(instance),
            capacity_provider: provider.filter(|_| !service.capacity_provider_strategy.is_empty()),
        };
        let task =
            tasks::create(&mut self.account, &self.cluster, new).expect("cluster and task definition exist");
        tasks::settle(&mut self.account, &self.cluster, &task, age);
    }

    fn instance_arn(&self, ec2_instance_id: &str) -> String {
        let instances = self.account.clusters[&self.cluster].container_instances.values();
        let mut named = instances.filter(|instance| instance.ec2_instance_id == ec2_instance_id);
        named.next().expect("an instance comes before its tasks").arn.clone()
    }
}

/// Registers a container instance now, in the middle of a run; its ARN is returned.
pub fn register(
    account: &mut Account,
    cluster: &str,
    ec2_instance_id: &str,
    zone: &str,
    with: impl FnOnce(InstanceBuilder) -> InstanceBuilder,
) -> String {
    let arn = insert_instance(account, cluster, ec2_instance_id, zone, with);
    note(account, "agent", ec2_instance_id, &format!("registered in {zone}"));
    arn
}

/// The ARN of revision 1 of a family built here.
pub fn task_definition_arn(account: &Account, family: &str) -> String {
    arn(account, "ecs", &format!("task-definition/{family}:1"))
}

fn insert_instance(
    account: &mut Account,
    cluster: &str,
    ec2_instance_id: &str,
    zone: &str,
    with: impl FnOnce(InstanceBuilder) -> InstanceBuilder,
) -> String {
    let id = account.next_id();
    let arn = arn(account, "ecs", &format!("container-instance/{cluster}/{id}"));
    let (instance, machine) =
        with(InstanceBuilder::new(account.now, arn.clone(), ec2_instance_id, zone)).build();
    account.machines.entry(ec2_instance_id.to_owned()).or_insert(machine);
    let cluster = account.clusters.get_mut(cluster).expect("a cluster comes before its instances");
    cluster.container_instances.insert(arn.clone(), instance);
    arn
}

fn arn(account: &Account, service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{}:{}:{resource}", account.region, account.account_id)
}

/// Gives the service one completed deployment, created with it a day ago.
fn with_deployment(account: &mut Account, mut service: Service) -> Service {
    account.next_id += 1;
    service.deployments.push(Deployment {
        id: format!("ecs-svc/{:019}", account.next_id),
        status: DeploymentStatus::Primary,
        rollout_state: RolloutState::Completed,
        task_definition: service.task_definition.clone(),
        desired_count: service.desired_count,
        failed_tasks: 0,
        created_at: service.created_at,
        updated_at: service.created_at,
    });
    service
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{TargetState, TaskStatus};
    use crate::scheduler::{Engine, health};

    fn built() -> Account {
        AccountBuilder::new(1)
            .cluster("web")
            .instance("i-a1", "eu-west-1a", |i| i)
            .instance("i-b1", "eu-west-1b", |i| i)
            .task_definition("web", |t| t.container_port(80, 0).health_check())
            .task_definition("batch", |t| t)
            .target_group("web", |t| t.deregistration_delay(Duration::from_secs(30)))
            .service("web", |s| s.on(&["i-a1", "i-a1", "i-b1"]).target_group("web").spread_zone())
            .standalone("batch", "i-a1")
            .build()
    }

    #[test]
    fn a_built_account_is_calm() {
        let mut account = built();
        let cluster = &account.clusters["web"];
        assert_eq!(cluster.services["web"].desired_count, 3);
        assert!(cluster.tasks.values().all(|task| task.last_status == TaskStatus::Running));
        assert!(cluster.tasks.values().all(|task| health::is_healthy(&account, "web", task)));
        let targets = account.target_groups.values().flat_map(|group| &group.targets);
        assert_eq!(targets.filter(|target| target.state == TargetState::Healthy).count(), 3);
        let until = account.now + Duration::from_hours(2);
        Engine::new(1).advance(&mut account, until, &mut |_| ());
        let events = &account.clusters["web"].services["web"].events;
        assert!(
            events.iter().all(|event| event.message.ends_with("has reached a steady state.")),
            "{events:?}"
        );
        assert_eq!(account.clusters["web"].tasks.len(), 4);
    }

    #[test]
    fn arns_have_the_long_format() {
        let account = built();
        let task = account.clusters["web"].tasks.keys().next().expect("built");
        let (prefix, id) = task.rsplit_once('/').expect("has slashes");
        assert_eq!(prefix, "arn:aws:ecs:eu-west-1:123456789012:task/web");
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
