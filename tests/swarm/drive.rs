//! A day in the life: EventBridge delivers, functions run beside each other and die, others act, the weather changes.

use std::time::Duration;

use evenkeel::error::Error;
use evenkeel::report::Status;
use evenkeel_tests::Stage;
use evenkeel_tests::drains::bus;
use evenkeel_tests::rollouts::{command, start};
use futures::future::{LocalBoxFuture, join};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use serde_json::{Value, json};
use simulator::event_bridge::{Delivery, EventBridge};
use tokio::time::Instant;

use crate::actors::{Actors, Asks};
use crate::coverage::{Coverage, phases};
use crate::weather;

/// How often the others, the weather and the bus are looked after.
const TICK: Duration = Duration::from_secs(1);

/// What an invocation came to.
pub(crate) struct Ended {
    delivery: Option<Delivery>,
    result: Option<Result<Said, Error>>,
}

/// What is kept of a report.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// `rebalance`, `drain` or `rollout`.
    pub(crate) job: &'static str,
    /// How it ended.
    pub(crate) status: Status,
    /// Calls that changed something.
    pub(crate) actions: usize,
    /// Whether something was left alone.
    pub(crate) sentences: Vec<String>,
}

/// Everything that runs beside each other.
pub(crate) struct Day<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) bus: EventBridge,
    pub(crate) coverage: Coverage,
    /// The last report of each function.
    pub(crate) last: Vec<Said>,
    dice: fastrand::Rng,
    running: FuturesUnordered<LocalBoxFuture<'a, Ended>>,
    calls_seen: usize,
}

impl<'a> Day<'a> {
    pub(crate) fn new(seed: u64, stage: &'a Stage) -> Self {
        let bus = bus(seed, weather::mishaps())
            .schedule("rebalance", Duration::from_mins(10))
            .schedule("rollout", Duration::from_mins(1));
        Self {
            stage,
            bus,
            coverage: Coverage::default(),
            last: Vec::new(),
            dice: fastrand::Rng::with_seed(seed ^ 0xd1ce),
            running: FuturesUnordered::new(),
            calls_seen: 0,
        }
    }

    /// Lets time pass, with `actors` and weather if there are any; ends early at the first broken promise.
    pub(crate) async fn pass(&mut self, time: Duration, mut actors: Option<&mut Actors>) {
        let end = Instant::now() + time;
        let mut next_weather = Instant::now();
        while Instant::now() < end {
            if let Some(actors) = actors.as_deref_mut() {
                for asks in actors.act(self.stage) {
                    self.ask(&asks);
                }
                if Instant::now() >= next_weather {
                    weather::change(&self.stage.simulator, &mut self.dice);
                    next_weather += Duration::from_hours(1);
                }
            }
            self.deliver(actors.is_some());
            self.wait().await;
            self.look();
            if !self.stage.simulator.checkers(|it| it.violations().is_empty()) {
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

    fn ask(&mut self, asks: &Asks) {
        let Asks::Rollout(action) = asks else { return };
        let event = if *action == "start" { start() } else { command(action) };
        let invoked = invoke(self.stage, "rollout", event);
        self.running.push(async move { Ended { delivery: None, result: Some(invoked.await) } }.boxed_local());
    }

    /// Invokes what the bus delivers; some invocations die at a moment of their first minute.
    fn deliver(&mut self, may_die: bool) {
        let due = self.stage.simulator.account(|account| self.bus.due(account));
        for delivery in due {
            let function = match delivery.rule.as_str() {
                "rebalance" => "rebalance",
                "rollout" => "rollout",
                _ => "drain",
            };
            let dies = may_die && self.dice.u32(..100) < weather::KILLED_PERCENT;
            let lives =
                if dies { Duration::from_millis(self.dice.u64(10..60_000)) } else { Duration::from_hours(1) };
            let invoked = invoke(self.stage, function, delivery.envelope.clone());
            let ended = async move {
                let result = tokio::time::timeout(lives, invoked).await.ok();
                Ended { delivery: Some(delivery), result }
            };
            self.running.push(ended.boxed_local());
        }
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
                self.last.retain(|it| it.job != said.job);
                self.last.push(said);
            }
            Some(Err(_)) => {
                if let Some(delivery) = &ended.delivery {
                    self.bus.failed(delivery, self.stage.simulator.now());
                }
            }
            None => {
                let phases = self.stage.simulator.account(phases);
                self.coverage.note("killed", &phases);
            }
        }
    }

    fn look(&mut self) {
        let calls = self.stage.simulator.calls_after(self.calls_seen);
        let phases = self.stage.simulator.account(phases);
        self.coverage.add(&calls, &phases);
        self.calls_seen += calls.len();
    }
}

/// One invocation on an instance of its own.
fn invoke<'a>(
    stage: &'a Stage,
    function: &'static str,
    event: Value,
) -> LocalBoxFuture<'a, Result<Said, Error>> {
    async move {
        match function {
            "rebalance" => {
                let report = Box::pin(stage.invoke(event)).await?;
                let sentences = report.blocked.iter().map(|it| it.sentence.clone()).collect();
                let actions = report.actions.len();
                Ok(Said { job: function, status: report.status, actions, sentences })
            }
            "drain" => {
                let report = Box::pin(stage.drain(event)).await?;
                let sentences = report.blocked.iter().map(|it| it.sentence.clone()).collect();
                Ok(Said { job: function, status: report.status, actions: report.actions.len(), sentences })
            }
            _ => {
                let report = Box::pin(stage.rollout(event)).await?;
                let sentences = report.blocked.iter().map(|it| it.sentence.clone()).collect();
                Ok(Said { job: function, status: report.status, actions: report.actions.len(), sentences })
            }
        }
    }
    .boxed_local()
}

/// One scheduled invocation of each function, undisturbed.
pub(crate) async fn all_once(stage: &Stage) -> Result<Vec<Said>, Error> {
    let rebalance = invoke(stage, "rebalance", json!({}));
    let (drain, rollout) = join(invoke(stage, "drain", json!({})), invoke(stage, "rollout", json!({}))).await;
    Ok(vec![rebalance.await?, drain?, rollout?])
}
