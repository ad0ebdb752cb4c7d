//! The stage on which scenarios play: one simulated account, tokio's paused clock, and the real function beside it.
//!
//! The function runs unchanged over the unmodified SDK; only the HTTP client below it belongs to the simulator. Hours
//! pass in milliseconds, and the same seed gives the same run.

pub mod clusters;
pub mod drains;
pub mod families;
pub mod foreseen;
pub mod late;
pub mod leash;
pub mod permissions;
pub mod recorded;
pub mod rollouts;

use std::future::Future;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ecs::config::{BehaviorVersion, Region};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_types::SdkConfig;
use evenkeel::aws::Aws;
use evenkeel::error::Error;
use evenkeel::report::Report;
use evenkeel::settings::Settings;
use serde_json::{Value, json};
use simulator::account::Account;
use simulator::checkers::{Baseline, left_over};
use simulator::simulator::Simulator;

/// A Lambda time-out of nine minutes, as it is installed for a ten-minute schedule.
pub const INVOCATION: Duration = Duration::from_mins(9);

/// One simulated account with the function `rebalance` installed beside it.
#[derive(Debug)]
pub struct Stage {
    /// The account.
    pub simulator: Simulator,
    /// How it was before anything ran.
    pub baseline: Baseline,
    settings: Vec<(String, String)>,
}

/// Plays `scene` on a paused clock; everything random in it, the SDK's backoff included, comes from `seed`.
pub fn play<T, F: Future<Output = T>>(seed: u64, account: Account, scene: impl FnOnce(Stage) -> F) -> T {
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a current-thread runtime with time only can be built").block_on(async {
        let baseline = Baseline::of(&account);
        let simulator = Simulator::new(account, seed);
        let settings = vec![("EVENKEEL_CLUSTERS".to_owned(), "web".to_owned())];
        scene(Stage { simulator, baseline, settings }).await
    })
}

impl Stage {
    /// The same stage with one setting more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// AWS as a fresh function instance sees it.
    pub fn aws(&self) -> Aws {
        Aws::new(&sdk_config(&self.simulator), "scenario")
    }

    /// One invocation whose `call`-th API call is held back for `delay`, as a frozen function's would be; `held` tells
    /// which call that was.
    pub async fn invoke_late(&self, call: u64, delay: Duration, held: &late::Held) -> Result<Report, Error> {
        let settings = Settings::from_pairs(self.settings.clone())?;
        let config = sdk_config(&self.simulator);
        let client = late::Late::client(self.simulator.http_client_of("late"), call, delay, held);
        let aws = Aws::new(&config.into_builder().http_client(client).build(), "late");
        rebalance::handle(json!({}), INVOCATION, &aws, &settings).await
    }

    /// One invocation with `event`, on an instance of its own.
    pub async fn invoke(&self, event: Value) -> Result<Report, Error> {
        self.invoke_over(&self.aws(), event).await
    }

    /// The same over a client of the caller's own.
    pub async fn invoke_over(&self, aws: &Aws, event: Value) -> Result<Report, Error> {
        let settings = Settings::from_pairs(self.settings.clone())?;
        let result = rebalance::handle(event, INVOCATION, aws, &settings).await;
        result.inspect(|report| permissions::note("rebalance", &report.api_calls))
    }

    /// One scheduled invocation that is given as long as it needs, to see a whole rebalance in one piece.
    pub async fn unhurried(&self) -> Report {
        let settings = Settings::from_pairs(self.settings.clone()).expect("the settings are right");
        let time = Duration::from_hours(6);
        rebalance::handle(json!({}), time, &self.aws(), &settings).await.expect("the invocation succeeds")
    }

    /// One scheduled invocation that must succeed.
    pub async fn scheduled(&self) -> Report {
        self.invoke(json!({})).await.expect("the scheduled invocation succeeds")
    }

    /// Scheduled invocations every ten minutes until one finds nothing in flight and nothing to go on with.
    pub async fn scheduled_until_quiet(&self, at_most: u32) -> Vec<Report> {
        let mut reports = Vec::new();
        for _ in 0..at_most {
            let report = self.scheduled().await;
            let is_quiet = report.actions.is_empty();
            reports.push(report);
            if is_quiet {
                break;
            }
            tokio::time::sleep(Duration::from_mins(10)).await;
        }
        reports
    }

    /// An invocation that may be killed by the simulator on its way; `None` if it was.
    pub async fn invoke_until_killed(&self) -> Option<Result<Report, Error>> {
        self.invoke_event_until_killed(json!({})).await
    }

    /// The same with an event of its own.
    pub async fn invoke_event_until_killed(&self, event: Value) -> Option<Result<Report, Error>> {
        let killed = async {
            self.simulator.killed().await;
            None
        };
        let invoked = async { Some(self.invoke(event).await) };
        tokio::select! {
            biased;
            ended = killed => ended,
            ended = invoked => ended,
        }
    }

    /// Fails with a timeline if any checker saw a broken promise or anything of Evenkeel's is left over.
    pub fn assert_clean(&self) {
        self.assert_promises();
        let account = self.simulator.account(Clone::clone);
        let rest = self.simulator.checkers(|it| it.left_over(&account));
        assert!(rest.is_empty(), "left over: {rest:#?}\n{}", self.simulator.timeline());
    }

    /// The same as [`Self::assert_clean`] without the promises, where somebody else has written desired counts.
    pub fn assert_nothing_but_desired_left_over(&self) {
        let mut rest = self.simulator.account(|account| left_over(account, &self.baseline));
        rest.retain(|line| !line.contains("desired"));
        assert!(rest.is_empty(), "left over: {rest:#?}\n{}", self.simulator.timeline());
    }

    /// Fails with a timeline if any checker saw a broken promise.
    pub fn assert_promises(&self) {
        self.assert_promises_but("");
    }

    /// The same without the findings of one checker, where somebody else gives it reason to speak.
    pub fn assert_promises_but(&self, checker: &str) {
        let mut violations = self.simulator.violations();
        violations.retain(|violation| violation.checker != checker);
        assert!(violations.is_empty(), "{violations:#?}\n{}", self.simulator.timeline());
    }

    /// Tasks of a service by EC2 instance, as ECS means them to run.
    pub fn spread_of(&self, service: &str) -> Vec<(String, u32)> {
        self.simulator.account(|account| clusters::spread_of(account, service))
    }

    /// Seconds times healthy tasks that were missing, over all services.
    pub fn task_seconds_below(&self) -> u64 {
        self.simulator
            .checkers(|it| it.measures().services.values().map(|costs| costs.task_seconds_below).sum())
    }

    /// Calls that change something, so far.
    pub fn writes(&self) -> u64 {
        let reads = ["List", "Describe", "Get"];
        let calls = self.simulator.calls_by_operation();
        calls
            .iter()
            .filter(|(name, _)| reads.iter().all(|prefix| !name.starts_with(prefix)))
            .map(|(_, n)| n)
            .sum()
    }
}

/// The SDK's configuration over the simulator: static credentials, no TLS, tokio's sleep, the account's time.
pub fn sdk_config(simulator: &Simulator) -> SdkConfig {
    let credentials = Credentials::from_keys("AKIDSIMULATOR", "secret", None);
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(simulator.http_client_of("evenkeel"))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .time_source(simulator.time_source())
        .build()
}
