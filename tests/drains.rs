//! What scenarios of the function `drain` share: a fleet on Spot, and EventBridge between the account and the function.

use std::time::Duration;

use drain::handle;
use evenkeel::aws::Aws;
use evenkeel::error::Error;
use evenkeel::report::drain::{DrainReport, InstanceReport, StageClock};
use evenkeel::settings::Settings;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde_json::{Value, json};
use simulator::account::{Account, ActionResult};
use simulator::builder::{AccountBuilder, GroupBuilder, ServiceBuilder};
use simulator::checkers::Drain as Drained;
use simulator::event_bridge::{Delivery, EventBridge, Mishaps, Rule};

use crate::clusters::ZONES;
use crate::{INVOCATION, Stage, permissions};

/// Name of the hook that is Evenkeel's by default.
pub const HOOK: &str = "evenkeel-drain";

const DETAIL_TYPES: [(&str, &str); 4] = [
    ("aws.ec2", "EC2 Spot Instance Interruption Warning"),
    ("aws.ec2", "EC2 Instance Rebalance Recommendation"),
    ("aws.ec2", "EC2 Instance State-change Notification"),
    ("aws.autoscaling", "EC2 Instance-terminate Lifecycle Action"),
];

/// A group `web-asg` of six Spot instances in three zones, `i-a1` to `i-c2`: a service behind a load balancer, one with
/// health checks, one bare, and a daemon.
pub fn fleet(seed: u64, with: impl FnOnce(GroupBuilder) -> GroupBuilder) -> AccountBuilder {
    let all = ["i-a1", "i-a2", "i-b1", "i-b2", "i-c1", "i-c2"];
    let places = [("i-a1", 0), ("i-a2", 0), ("i-b1", 1), ("i-b2", 1), ("i-c1", 2), ("i-c2", 2)];
    let places = places.map(|(id, zone)| (id, ZONES[zone]));
    AccountBuilder::new(seed)
        .cluster("web")
        .launch_template("web", |it| it.spot().size(4096, 15_360).version("ami-1"))
        .auto_scaling_group("web-asg", |it| with(it.zones(&ZONES).size(3, 6, 9).instances(&places)))
        .task_definition("app", |it| it.cpu(128).memory(256))
        .task_definition("front", |it| it.cpu(256).memory(512).container_port(80, 0))
        .task_definition("orders", |it| it.cpu(256).memory(512).health_check())
        .target_group("front", |it| it.deregistration_delay(Duration::from_secs(10)))
        .service("front", |it| {
            it.task_definition("front").target_group("front").spread_zone().spread_instance().on(&all)
        })
        .service("orders", |it| it.task_definition("orders").spread_zone().spread_instance().on(&all))
        .service("mail", |it| it.task_definition("app").spread_zone().on(&["i-a1", "i-b1", "i-c1"]))
        .service("logs", |it| it.task_definition("app").daemon().on(&all))
}

/// The fleet without any hook.
pub fn bare_fleet(seed: u64) -> Account {
    fleet(seed, |it| it).build()
}

/// The fleet with a terminate hook of ours, which holds an instance for ten minutes at a time.
pub fn held_fleet(seed: u64) -> Account {
    fleet(seed, with_hook).build()
}

/// Adds that hook.
pub fn with_hook(group: GroupBuilder) -> GroupBuilder {
    group.terminate_hook(HOOK, Duration::from_mins(10), ActionResult::Continue)
}

/// A group of `size` instances with one task of each of `each` services on every one of them, which may drain itself on a
/// notice; and the instances' ids.
pub fn large(
    seed: u64,
    size: u32,
    each: usize,
    drains_itself: bool,
    with: impl FnOnce(GroupBuilder) -> GroupBuilder,
) -> (Account, Vec<String>) {
    let ids: Vec<String> = (0..size).map(|number| format!("i-{number:04}")).collect();
    let zone = |number: usize| ZONES[number % ZONES.len()];
    let places: Vec<(&str, &str)> =
        ids.iter().enumerate().map(|(number, id)| (id.as_str(), zone(number))).collect();
    let on: Vec<&str> = ids.iter().map(String::as_str).collect();
    let builder = AccountBuilder::new(seed)
        .cluster("web")
        .launch_template("web", |it| {
            let it = it.spot().size(4096, 15_360);
            if drains_itself { it.agent_drains_on_spot() } else { it }.version("ami-1")
        })
        .auto_scaling_group("web-asg", |it| with(it.zones(&ZONES).size(0, size, 2 * size).instances(&places)))
        .task_definition("app", |it| it.cpu(256).memory(512));
    let service = |builder: AccountBuilder, number: usize| {
        let with = |it: ServiceBuilder| it.task_definition("app").spread_zone().spread_instance().on(&on);
        builder.service(&format!("app-{number:02}"), with)
    };
    ((0..each).fold(builder, service).build(), ids)
}

/// An event bus with the rules and the schedule of an installation.
pub fn bus(seed: u64, mishaps: Mishaps) -> EventBridge {
    let rules = DETAIL_TYPES.iter().map(|(source, kind)| Rule::new(kind).source(source).detail_type(kind));
    let bus = EventBridge::new(seed).mishaps(mishaps).schedule("drain", Duration::from_mins(1));
    rules.fold(bus, EventBridge::rule)
}

/// What came of the invocations of a run, in the order of their ends.
#[derive(Debug, Default)]
pub struct Lived {
    /// Those that ended with a report.
    pub reports: Vec<DrainReport>,
    /// Those that failed.
    pub errors: Vec<Error>,
}

impl Lived {
    /// Everything said about one instance.
    pub fn of(&self, instance: &str) -> Vec<&InstanceReport> {
        let all = self.reports.iter().flat_map(|report| &report.instances);
        all.filter(|it| it.instance_id.as_str() == instance).collect()
    }

    /// The stage clock of the invocation that set an instance DRAINING.
    pub fn clock_of(&self, instance: &str) -> StageClock {
        let clocks = self.of(instance).into_iter().map(|it| it.clock);
        let mut drained = clocks.filter(|clock| clock.draining_at.is_some());
        drained.next().unwrap_or_else(|| panic!("nobody set {instance} DRAINING: {self:#?}"))
    }

    /// Whether some report says this about an instance.
    pub fn says(&self, instance: &str, words: &str) -> bool {
        let mut lines = self.reports.iter().flat_map(|report| &report.blocked);
        lines.any(|line| line.instance_id.as_str() == instance && line.sentence.contains(words))
    }
}

impl Stage {
    /// One invocation of `drain` with this event, on an instance of its own.
    pub async fn drain(&self, event: Value) -> Result<DrainReport, Error> {
        self.drain_over(&self.aws(), event).await
    }

    /// The same over a client of the caller's own.
    pub async fn drain_over(&self, aws: &Aws, event: Value) -> Result<DrainReport, Error> {
        let settings = Settings::from_pairs(self.settings.clone())?;
        let result = handle(event, INVOCATION, aws, &settings).await;
        result.inspect(|report| permissions::note("drain", &report.api_calls))
    }

    /// One scheduled invocation of `drain` that must succeed.
    pub async fn drain_scheduled(&self) -> DrainReport {
        self.drain(json!({})).await.expect("the scheduled invocation succeeds")
    }

    /// The same for an invocation that may be killed on its way; `None` if it was.
    pub async fn drain_until_killed(&self, event: Value) -> Option<Result<DrainReport, Error>> {
        let killed = async {
            self.simulator.killed().await;
            None
        };
        let invoked = async { Some(self.drain(event).await) };
        tokio::select! {
            biased;
            ended = killed => ended,
            ended = invoked => ended,
        }
    }

    /// Lets time pass; whatever the bus delivers meanwhile is handled, each delivery by an invocation of its own, beside
    /// the others.
    pub async fn live(&self, bus: &mut EventBridge, time: Duration) -> Lived {
        let end = tokio::time::Instant::now() + time;
        let (mut lived, mut running) = (Lived::default(), FuturesUnordered::new());
        while tokio::time::Instant::now() < end {
            for delivery in self.simulator.account(|account| bus.due(account)) {
                running.push(self.handled(delivery));
            }
            tokio::select! {
                Some((delivery, result)) = running.next(), if !running.is_empty() => {
                    self.take(bus, &mut lived, &delivery, result);
                }
                () = tokio::time::sleep(Duration::from_millis(500)) => {}
            }
        }
        while let Some((delivery, result)) = running.next().await {
            self.take(bus, &mut lived, &delivery, result);
        }
        lived
    }

    async fn handled(&self, delivery: Delivery) -> (Delivery, Result<DrainReport, Error>) {
        let result = self.drain(delivery.envelope.clone()).await;
        (delivery, result)
    }

    fn take(
        &self,
        bus: &mut EventBridge,
        lived: &mut Lived,
        delivery: &Delivery,
        result: Result<DrainReport, Error>,
    ) {
        match result {
            Ok(report) => lived.reports.push(report),
            Err(error) => {
                bus.failed(delivery, self.simulator.now());
                lived.errors.push(error);
            }
        }
    }

    /// What became of an instance, as the checkers saw it.
    pub fn drained(&self, instance: &str) -> Drained {
        let found = self.simulator.checkers(|it| it.drains().of(instance).cloned());
        found.unwrap_or_else(|| panic!("{instance} was never to end\n{}", self.simulator.timeline()))
    }

    /// The latest event of this kind that the account emitted.
    pub fn emitted(&self, detail_type: &str) -> Value {
        let found = self.simulator.account(|account| {
            let mut events = account.events.iter().rev();
            events.find(|it| it.envelope["detail-type"] == detail_type).map(|it| it.envelope.clone())
        });
        found.unwrap_or_else(|| panic!("no {detail_type} was emitted"))
    }
}
