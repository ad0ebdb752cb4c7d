//! Launch templates and Auto Scaling groups with their machines in place, as a test wants them.
//!
//! A group is built with as many machines as it desires, spread over its zones in turn, in service and registered with
//! the current cluster, unless the test names them or says that some already built belong to it.

mod schedule;

use std::collections::BTreeMap;
use std::time::Duration;

use super::{AccountBuilder, LaunchTemplateBuilder, arn, insert_instance};
use crate::account::{
    Account, ActionResult, AutoScalingGroup, GroupMind, GroupTag, InstancesDistribution, LifecycleHook,
    Market, MixedInstancesPolicy, Override, TemplateVersion, Transition, WarmPool,
};
use crate::scheduler::groups;

/// Describes one Auto Scaling group.
#[derive(Clone, Debug)]
pub struct GroupBuilder {
    group: AutoScalingGroup,
    built: Vec<(String, String)>,
    adopted: Vec<(String, Option<u64>)>,
    age: Duration,
}

impl GroupBuilder {
    fn new(account: &Account, name: &str, arn: String) -> Self {
        let group = AutoScalingGroup {
            name: name.to_owned(),
            arn,
            created_at: account.now - Duration::from_hours(24),
            min_size: 0,
            max_size: 0,
            desired_capacity: 0,
            launch_template: account.launch_templates.keys().next().cloned().unwrap_or_default(),
            version: TemplateVersion::Latest,
            mixed_instances: None,
            zones: vec![format!("{}a", account.region)],
            passes_over_zones: true,
            termination_policies: vec!["Default".to_owned()],
            hooks: BTreeMap::new(),
            suspended: BTreeMap::new(),
            protects_new_instances: false,
            capacity_rebalance: false,
            retains_abandoned: false,
            default_cooldown: 300,
            health_check_grace_period: 0,
            target_group_arns: Vec::new(),
            warm_pool: None,
            max_instance_lifetime: None,
            scheduled_actions: BTreeMap::new(),
            instance_refreshes: Vec::new(),
            tags: BTreeMap::new(),
            status: None,
            instances: BTreeMap::new(),
            activities: Vec::new(),
            mind: GroupMind::default(),
        };
        Self { group, built: Vec::new(), adopted: Vec::new(), age: Duration::from_hours(2) }
    }

    /// The zones it launches into.
    #[must_use]
    pub fn zones(mut self, zones: &[&str]) -> Self {
        self.group.zones = zones.iter().map(|&zone| zone.to_owned()).collect();
        self
    }

    /// Minimum, desired and maximum size; otherwise what is built, and up to twice as many.
    #[must_use]
    pub fn size(mut self, min: u32, desired: u32, max: u32) -> Self {
        (self.group.min_size, self.group.desired_capacity, self.group.max_size) = (min, desired, max);
        self
    }

    /// The launch template and the version of it; otherwise the first by name, `$Latest`.
    #[must_use]
    pub fn launch_template(mut self, name: &str, version: TemplateVersion) -> Self {
        name.clone_into(&mut self.group.launch_template);
        self.group.version = version;
        self
    }

    /// Instance types with their weights, best first, in a mixed instances policy.
    #[must_use]
    pub fn overrides(mut self, overrides: &[(&str, Option<u32>)]) -> Self {
        let policy = self.group.mixed_instances.get_or_insert_default();
        policy.overrides = overrides
            .iter()
            .map(|&(instance_type, weight)| Override { instance_type: instance_type.to_owned(), weight })
            .collect();
        self
    }

    /// On-Demand base and percentage above it, in a mixed instances policy.
    #[must_use]
    pub fn on_demand(mut self, base: u32, percentage: u32) -> Self {
        let policy: &mut MixedInstancesPolicy = self.group.mixed_instances.get_or_insert_default();
        let on_demand = InstancesDistribution {
            on_demand_base: base,
            on_demand_percentage: percentage,
            ..policy.distribution.clone()
        };
        policy.distribution = on_demand;
        self
    }

    /// Termination policies in their order.
    #[must_use]
    pub fn termination_policies(mut self, policies: &[&str]) -> Self {
        self.group.termination_policies = policies.iter().map(|&policy| policy.to_owned()).collect();
        self
    }

    /// A hook on the way in.
    #[must_use]
    pub fn launch_hook(self, name: &str, heartbeat: Duration, default_result: ActionResult) -> Self {
        self.with_hook(name, Transition::Launching, heartbeat, default_result)
    }

    /// A hook on the way out.
    #[must_use]
    pub fn terminate_hook(self, name: &str, heartbeat: Duration, default_result: ActionResult) -> Self {
        self.with_hook(name, Transition::Terminating, heartbeat, default_result)
    }

    fn with_hook(
        mut self,
        name: &str,
        transition: Transition,
        heartbeat: Duration,
        default_result: ActionResult,
    ) -> Self {
        let hook = LifecycleHook {
            name: name.to_owned(),
            transition,
            heartbeat_timeout: heartbeat,
            default_result,
            metadata: None,
            notification_target_arn: None,
            role_arn: None,
        };
        self.group.hooks.insert(name.to_owned(), hook);
        self
    }

    /// Suspended processes.
    #[must_use]
    pub fn suspends(mut self, processes: &[&str]) -> Self {
        let reason = |&process: &&str| (process.to_owned(), "User suspended".to_owned());
        self.group.suspended.extend(processes.iter().map(reason));
        self
    }

    /// A tag of the group.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str, propagate_at_launch: bool) -> Self {
        self.group.tags.insert(key.to_owned(), GroupTag { value: value.to_owned(), propagate_at_launch });
        self
    }

    /// It replaces instances for which EC2 recommends it.
    #[must_use]
    pub fn capacity_rebalance(mut self) -> Self {
        self.group.capacity_rebalance = true;
        self
    }

    /// New instances are protected from scale-in; those built are too.
    #[must_use]
    pub fn protects_new_instances(mut self) -> Self {
        self.group.protects_new_instances = true;
        self
    }

    /// A zone without capacity is waited for (`balanced-only`).
    #[must_use]
    pub fn balanced_only(mut self) -> Self {
        self.group.passes_over_zones = false;
        self
    }

    /// An instance whose terminate hook is abandoned is retained.
    #[must_use]
    pub fn retains_abandoned(mut self) -> Self {
        self.group.retains_abandoned = true;
        self
    }

    /// A warm pool with this prepared capacity, the group's maximum if absent.
    #[must_use]
    pub fn warm_pool(mut self, max_group_prepared_capacity: Option<u32>) -> Self {
        let pool_state = "Stopped".to_owned();
        self.group.warm_pool = Some(WarmPool { max_group_prepared_capacity, min_size: 0, pool_state });
        self
    }

    /// Ids and zones of its machines, instead of as many as it desires with ids of the account's own.
    #[must_use]
    pub fn instances(mut self, instances: &[(&str, &str)]) -> Self {
        self.built.extend(instances.iter().map(|&(id, zone)| (id.to_owned(), zone.to_owned())));
        self
    }

    /// Container instances built before that belong to it, launched from the version it asks for now.
    #[must_use]
    pub fn adopts(mut self, ids: &[&str]) -> Self {
        self.adopted.extend(ids.iter().map(|&id| (id.to_owned(), None)));
        self
    }

    /// The same, launched from this version of its template.
    #[must_use]
    pub fn adopts_of_version(mut self, ids: &[&str], version: u64) -> Self {
        self.adopted.extend(ids.iter().map(|&id| (id.to_owned(), Some(version))));
        self
    }

    /// How long ago its own machines were launched.
    #[must_use]
    pub fn launched_ago(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }
}

impl AccountBuilder {
    /// Adds a launch template whose machines join the current cluster, if there is one.
    #[must_use]
    pub fn launch_template(
        mut self,
        name: &str,
        with: impl FnOnce(LaunchTemplateBuilder) -> LaunchTemplateBuilder,
    ) -> Self {
        let id = format!("lt-{}", &self.account.next_id()[15..]);
        let template = with(LaunchTemplateBuilder::new(id, name, &self.cluster)).build();
        self.account.launch_templates.insert(name.to_owned(), template);
        self
    }

    /// Adds an Auto Scaling group and its machines; its launch template comes before it.
    #[must_use]
    pub fn auto_scaling_group(mut self, name: &str, with: impl FnOnce(GroupBuilder) -> GroupBuilder) -> Self {
        let id = groups::uuid(&self.account.next_id());
        let arn =
            arn(&self.account, "autoscaling", &format!("autoScalingGroup:{id}:autoScalingGroupName/{name}"));
        let built = with(GroupBuilder::new(&self.account, name, arn));
        let GroupBuilder { mut group, mut built, adopted, age } = built;
        let has_template = self.account.launch_templates.contains_key(&group.launch_template);
        assert!(has_template, "a launch template comes before its groups");
        if group.max_size == 0 {
            let there = (built.len() + adopted.len()) as u32;
            (group.desired_capacity, group.max_size) = (there, there * 2);
        }
        if built.is_empty() && adopted.is_empty() {
            built = self.spread(&group);
        }
        self.account.auto_scaling_groups.insert(name.to_owned(), group);
        for (id, zone) in built {
            self.launch_in(name, &id, &zone, age);
        }
        for (id, version) in adopted {
            groups::admit(&mut self.account, name, &id, version);
        }
        self
    }

    /// Ids and zones of as many machines as the group desires, in turn over its zones.
    fn spread(&mut self, group: &AutoScalingGroup) -> Vec<(String, String)> {
        let units = group.largest_weight();
        let zones = group.zones.iter().cycle().take(group.desired_capacity.div_ceil(units) as usize);
        zones.map(|zone| (format!("i-{}", &self.account.next_id()[15..]), zone.clone())).collect()
    }

    /// A running, registered machine of the group, as its launch template and its mixed instances policy have it.
    fn launch_in(&mut self, group: &str, id: &str, zone: &str, age: Duration) {
        let described = &self.account.auto_scaling_groups[group];
        let choice = groups::choose(&self.account, described, None)
            .expect("a launch template comes before its groups");
        let version = choice.template.clone();
        let at = self.account.now - age;
        if let Some(joins) = &version.joins {
            let cluster = joins.cluster.clone();
            insert_instance(&mut self.account, &cluster, id, zone, |instance| {
                let instance = instance.cpu(joins.cpu).memory(joins.memory).registered_ago(age);
                let instance = instance.attribute("ecs.instance-type", &choice.instance_type);
                let instance = instance.attribute("ecs.ami-id", &version.image_id);
                let all = joins.attributes.iter();
                let instance = all.fold(instance, |it, (name, value)| it.attribute(name, value));
                let instance = if choice.market == Market::Spot { instance.spot() } else { instance };
                let instance =
                    if version.agent_drains_on_spot { instance.agent_drains_on_spot() } else { instance };
                match &joins.capacity_provider {
                    Some(provider) => instance.capacity_provider(provider),
                    None => instance,
                }
            });
        }
        groups::found(&mut self.account, group, id, zone, at, &choice);
        let tags = self.account.auto_scaling_groups[group].tags.iter();
        let propagated = tags.filter(|(_, tag)| tag.propagate_at_launch);
        let propagated: Vec<_> = propagated.map(|(key, tag)| (key.clone(), tag.value.clone())).collect();
        if let Some(machine) = self.account.machines.get_mut(id) {
            machine.tags.extend(propagated);
        }
    }
}
