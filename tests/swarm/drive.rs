//! A day in the life: EventBridge delivers, functions run beside each other, die and stall, others act, the weather changes.

use std::time::Duration;

use evenkeel::error::Error;
use evenkeel::report::Status;
use evenkeel_tests::drains::bus;
use evenkeel_tests::leash::Leash;
use evenkeel_tests::{INVOCATION, Stage};
use futures::future::LocalBoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use serde_json::Value;
use simulator::event_bridge::{Delivery, EventBridge};
use simulator::time::SimTime;
use tokio::time::Instant;

use crate::actors::{Actors, Command};
use crate::coverage::{Coverage, Focus, phases};
use crate::ping_pong::PingPong;
use crate::weather::{self, Weather};

/// How often the others, the weather and the bus are looked after.
const TICK: Duration = Duration::from_secs(1);

/// Instances on standby at the same time, for each that the group desires: a rollout keeps the whole old fleet there.
const STANDBY_MAX: u32 = 1;

/// Least share of any token bucket that has to be left to the account's other callers while nothing goes wrong. An invocation
/// takes half at most (`aws/limits.rs`); in bad weather several last longer and add up, which is printed at the end.
const LEFT_TO_OTHERS: f64 = 0.5;

/// `EVENKEEL_HOOK_TIMEOUT` unless it is set, which it is not here.
const HOOK_TIMEOUT: Duration = Duration::from_mins(30);

/// What an invocation came to.
struct Ended {
    function: &'static str,
    delivery: Option<Delivery>,
    /// Nothing if it died on its way, or was stopped at its time-out.
    result: Option<Result<Said, Error>>,
}

/// What is kept of a report.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// How it ended.
    pub(crate) status: Status,
    /// What was left alone, and why: subject and sentence.
    pub(crate) blocked: Vec<String>,
}

/// Everything that runs beside each other.
pub(crate) struct Day<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) coverage: Coverage,
    /// The last report of each function.
    pub(crate) last: Vec<(&'static str, Said)>,
    /// What the checkers of the swarm itself found.
    pub(crate) found: Vec<String>,
    /// Whether everybody has gone home and faults have ended.
    pub(crate) is_calm: bool,
    /// The least share of a token bucket that was ever left.
    pub(crate) lowest: f64,
    bus: EventBridge,
    focus: Focus,
    weather: Weather,
    ping_pong: PingPong,
    running: FuturesUnordered<LocalBoxFuture<'a, Ended>>,
    leashes: Vec<(&'static str, Leash)>,
    calls_seen: usize,
}

impl<'a> Day<'a> {
    pub(crate) fn new(seed: u64, stage: &'a Stage, focus: Focus) -> Self {
        let bus = bus(seed, weather::mishaps())
            .schedule("rebalance", Duration::from_mins(10))
            .schedule("rollout", Duration::from_mins(1));
        Self {
            stage,
            coverage: Coverage::default(),
            last: Vec::new(),
            found: Vec::new(),
            is_calm: false,
            lowest: 1.0,
            bus,
            focus,
            weather: Weather::new(seed, focus),
            ping_pong: PingPong::default(),
            running: FuturesUnordered::new(),
            leashes: Vec::new(),
            calls_seen: 0,
        }
    }

    /// Lets time pass, with `actors` and weather if there are any; ends early at the first broken promise.
    pub(crate) async fn pass(&mut self, time: Duration, mut actors: Option<&mut Actors>) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            if let Some(actors) = actors.as_deref_mut() {
                for command in actors.act(self.stage) {
                    self.ask(command);
                }
                self.change_weather();
            }
            self.deliver(actors.is_some());
            self.wait().await;
            self.look();
            if !self.found.is_empty() || !self.stage.simulator.checkers(|it| it.violations().is_empty()) {
                return;
            }
        }
    }

    /// Waits for whatever still runs.
    pub(crate) async fn settle(&mut self) {
        while let Some(ended) = self.running.next().await {
            self.take(ended);
        }
        self.look();
    }

    /// Sends a command of somebody's.
    pub(crate) fn ask(&mut self, (function, event): Command) {
        self.invoke(function, event, None, &Leash::default());
    }

    /// While the account is in the phase in focus, the fault in focus comes and goes, and functions at work are struck.
    fn change_weather(&mut self) {
        let is_there = self.stage.simulator.account(phases).contains(self.focus.phase);
        if !self.weather.pass(&self.stage.simulator, is_there) {
            return;
        }
        let function = match self.focus.phase {
            "move" => "rebalance",
            "drain" | "idle" => "drain",
            _ => "rollout",
        };
        for (of, leash) in &self.leashes {
            if let Some((call, fate)) = self.weather.fate_in_focus().filter(|_| *of == function) {
                leash.strike_at(call, fate);
            }
        }
    }

    fn deliver(&mut self, may_be_struck: bool) {
        let due = self.stage.simulator.account(|account| self.bus.due(account));
        for delivery in due {
            let function = match delivery.rule.as_str() {
                "rebalance" => "rebalance",
                "rollout" => "rollout",
                _ => "drain",
            };
            let leash = Leash::default();
            if let Some((call, fate)) = self.weather.chance().filter(|_| may_be_struck) {
                leash.strike_at(call, fate);
            }
            self.invoke(function, delivery.envelope.clone(), Some(delivery), &leash);
        }
    }

    /// One invocation on an instance of its own, which Lambda ends at its time-out.
    fn invoke(&mut self, function: &'static str, event: Value, delivery: Option<Delivery>, leash: &Leash) {
        self.leashes.push((function, leash.clone()));
        let (leash, stage) = (leash.clone(), self.stage);
        let ended = async move {
            let aws = leash.aws(stage);
            let work = leash.lead(handle(stage, function, event, &aws));
            let result = tokio::time::timeout(INVOCATION, work).await.ok().flatten();
            leash.over();
            Ended { function, delivery, result }
        };
        self.running.push(ended.boxed_local());
    }

    async fn wait(&mut self) {
        let tick = Instant::now() + TICK;
        while let Ok(Some(ended)) = tokio::time::timeout_at(tick, self.running.next()).await {
            self.take(ended);
        }
        tokio::time::sleep_until(tick).await;
    }

    fn take(&mut self, ended: Ended) {
        match ended.result {
            Some(Ok(said)) => {
                self.last.retain(|(function, _)| *function != ended.function);
                self.last.push((ended.function, said));
            }
            Some(Err(_)) => {
                if let Some(delivery) = &ended.delivery {
                    self.bus.failed(delivery, self.stage.simulator.now());
                }
            }
            None => {}
        }
    }

    /// Takes down what struck, and looks for what the simulator's own checkers do not watch.
    fn look(&mut self) {
        let phases = self.stage.simulator.account(phases);
        let calls = self.stage.simulator.calls_after(self.calls_seen);
        self.calls_seen += calls.len();
        self.coverage.add(&calls, &phases);
        for (_, leash) in &self.leashes {
            if let Some(fate) = leash.struck() {
                self.coverage.befell(fate, &phases);
            }
        }
        self.note_spending();
        self.leashes.retain(|(_, leash)| !leash.is_over());
        self.tell_deadlines();
        let back = self.stage.simulator.account(|account| self.ping_pong.look(account));
        self.found.extend(back);
        self.found.extend(self.stage.simulator.account(|account| {
            let group = &account.auto_scaling_groups["web-asg"];
            let standby = group.instances.values().filter(|it| it.state.name() == "Standby").count() as u32;
            let bound = STANDBY_MAX * group.desired_capacity;
            (standby > bound).then(|| format!("{standby} instances on standby beside {bound} in service"))
        }));
    }
}

impl Day<'_> {
    /// A hook is held for `EVENKEEL_HOOK_TIMEOUT` and no longer, whatever still runs then: the one kill that is promised.
    fn tell_deadlines(&self) {
        let held: Vec<(String, i64)> = self.stage.simulator.account(|account| {
            let instances = account.clusters["web"].container_instances.values();
            let begun = instances.filter_map(|it| {
                let record = it.attributes.get("evenkeel.drain")?.as_deref()?;
                let [_, "hook", begun_at, ..] = record.split(':').collect::<Vec<_>>()[..] else {
                    return None;
                };
                Some((it.ec2_instance_id.clone(), begun_at.parse().ok()?))
            });
            begun.collect()
        });
        for (id, begun_at) in held {
            let deadline = SimTime(begun_at * 1000) + HOOK_TIMEOUT;
            self.stage.simulator.checkers(|it| it.allow_kill_from(&id, deadline));
        }
    }

    /// How far the token buckets were emptied; in calm weather their share is left to the account's other callers.
    fn note_spending(&mut self) {
        let Some((bucket, left)) = self.stage.simulator.take_lowest_bucket() else { return };
        self.lowest = self.lowest.min(left);
        if self.is_calm && left < LEFT_TO_OTHERS {
            let at_work: Vec<&str> = self.leashes.iter().map(|(function, _)| *function).collect();
            let left = left * 100.0;
            self.found.push(format!("the token bucket {bucket} was emptied to {left:.0} % by {at_work:?}"));
        }
    }
}

async fn handle(
    stage: &Stage,
    function: &'static str,
    event: Value,
    aws: &evenkeel::aws::Aws,
) -> Result<Said, Error> {
    match function {
        "rebalance" => {
            let report = Box::pin(stage.invoke_over(aws, event)).await?;
            let line =
                |it: &evenkeel::report::BlockedLine| format!("{:?}: {}", it.blocked.subject, it.sentence);
            Ok(Said { status: report.status, blocked: report.blocked.iter().map(line).collect() })
        }
        "drain" => {
            let report = Box::pin(stage.drain_over(aws, event)).await?;
            let lines = report.blocked.iter().map(|it| it.sentence.clone());
            Ok(Said { status: report.status, blocked: lines.collect() })
        }
        _ => {
            let report = Box::pin(stage.rollout_over(aws, event)).await?;
            let lines = report.blocked.iter().map(|it| it.sentence.clone());
            Ok(Said { status: report.status, blocked: lines.collect() })
        }
    }
}
