//! The past of a cluster, played by the simulated scheduler, up to the moment a scenario begins.

use std::time::Duration;

use simulator::account::Account;
use simulator::builder::{AccountBuilder, InstanceBuilder, register};
use simulator::scheduler::{Engine, deployments, hosts};

use crate::clusters::ZONES;

/// Longer than the cooldown and the warm-up, and long enough for a drain by a load balancer or a slow start.
const REST: Duration = Duration::from_mins(15);

/// An account whose past is still going on.
#[derive(Debug)]
pub struct Past {
    account: Account,
    engine: Engine,
}

impl Past {
    /// ECS places the tasks of a new cluster.
    pub fn of(builder: AccountBuilder, seed: u64) -> Self {
        let past = Self { account: builder.build(), engine: Engine::new(seed ^ 0x9a57) };
        past.rest()
    }

    /// Time goes by.
    #[must_use]
    pub fn rest(mut self) -> Self {
        let until = self.account.now + REST;
        self.engine.advance(&mut self.account, until, &mut |_| ());
        self
    }

    /// These EC2 instances die, and ECS places their tasks elsewhere.
    #[must_use]
    pub fn lose(mut self, ids: &[&str]) -> Self {
        for id in ids {
            hosts::terminate(&mut self.account, id);
        }
        self.rest()
    }

    /// Instances like all others join, empty; the zone is told by the letter in the id (`i-b3`).
    #[must_use]
    pub fn join(self, ids: &[&str]) -> Self {
        self.join_as(ids, |it| it.cpu(4096).memory(15_360))
    }

    /// Instances of another kind join, empty.
    #[must_use]
    pub fn join_as(mut self, ids: &[&str], with: fn(InstanceBuilder) -> InstanceBuilder) -> Self {
        for id in ids {
            register(&mut self.account, "web", id, zone_of(id), with);
        }
        self.rest()
    }

    /// Somebody writes another desired count.
    #[must_use]
    pub fn scale(mut self, service: &str, desired: u32) -> Self {
        let services = &mut self.account.clusters.get_mut("web").expect("it is built").services;
        services.get_mut(service).expect("it is built").desired_count = desired;
        self
    }

    /// Somebody deploys every service anew, without a change.
    #[must_use]
    pub fn redeploy(mut self) -> Self {
        let services = self.account.clusters["web"].services.values();
        let all: Vec<_> = services.map(|it| (it.name.clone(), it.task_definition.clone())).collect();
        for (name, definition) in all {
            deployments::start_deployment(&mut self.account, "web", &name, &definition);
        }
        self.rest()
    }

    /// Names and desired counts of all services.
    pub fn desired_counts(&self) -> Vec<(String, u32)> {
        let services = self.account.clusters["web"].services.values();
        services.map(|it| (it.name.clone(), it.desired_count)).collect()
    }

    /// The present, with an empty timeline.
    pub fn end(mut self) -> Account {
        self.account.happenings.clear();
        self.account
    }
}

/// The zone that an id such as `i-b3` tells of.
pub(super) fn zone_of(id: &str) -> &'static str {
    let letter = id.chars().nth(2).expect("ids are like i-b3");
    ZONES.into_iter().find(|zone| zone.ends_with(letter)).expect("the Region has zones a, b and c")
}
