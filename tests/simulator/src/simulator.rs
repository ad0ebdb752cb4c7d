//! One simulated account with its clock, its callers and its mishaps, shared by any number of clients.
//!
//! The account moves lazily: whoever looks at it or calls it first brings it to the present, second by
//! second, with the checkers watching each one. In process the present is tokio's paused clock; behind
//! `server` it is wall time times a multiple.
//!
//! Simplified: a call takes effect at one moment, between its way there and its way back; AWS spreads some
//! over time.

mod call;
mod clock;
mod crash;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use tokio::sync::watch;
use tokio::time::sleep;

pub use self::call::{Call, Interruption, Outcome};
pub(crate) use self::crash::ClientId;

use self::clock::Clock;
use self::crash::Moment;
use self::state::{Reply, State};
use crate::account::Account;
use crate::checkers::{Checkers, Violation};
use crate::client::InProcessClient;
use crate::faults::{HANG, Rule};
use crate::time::SimTime;
use crate::timeline;
use crate::wire::{self, Response, Service};

struct Shared {
    state: Mutex<State>,
    clock: Mutex<Clock>,
    killed: watch::Sender<bool>,
    clients: AtomicU64,
}

/// A handle to one simulated account; clones share it.
#[derive(Clone)]
pub struct Simulator {
    shared: Arc<Shared>,
}

impl fmt::Debug for Simulator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Simulator").field("now", &self.now()).finish_non_exhaustive()
    }
}

impl Simulator {
    /// An account that starts to live now, at its own `now`. To be called on the runtime whose time it shall
    /// follow.
    pub fn new(account: Account, seed: u64) -> Self {
        let clock = Mutex::new(Clock::starting_at(account.now));
        let state = Mutex::new(State::new(account, seed));
        let shared = Shared { state, clock, killed: watch::Sender::new(false), clients: AtomicU64::new(1) };
        Self { shared: Arc::new(shared) }
    }

    /// An HTTP client for AWS SDKs; changes made through it appear in the history as done by `api`.
    pub fn http_client(&self) -> SharedHttpClient {
        self.http_client_of("api")
    }

    /// An HTTP client whose changes appear in the history, and whose calls in the log, under this label.
    pub fn http_client_of(&self, label: &str) -> SharedHttpClient {
        SharedHttpClient::new(InProcessClient::new(self.clone(), self.next_client(), label))
    }

    pub(crate) fn next_client(&self) -> ClientId {
        ClientId(self.shared.clients.fetch_add(1, Ordering::Relaxed))
    }

    /// The account's time for SDK configurations: signatures, expiries and deadlines then agree with it.
    pub fn time_source(&self) -> SharedTimeSource {
        SharedTimeSource::new(AccountTime(self.clone()))
    }

    /// The account's present.
    pub fn now(&self) -> SimTime {
        self.clock().now()
    }

    /// Looks at the account as it is now.
    pub fn account<R>(&self, look: impl FnOnce(&Account) -> R) -> R {
        look(&self.present().account)
    }

    /// Changes the account as it is now, as any actor other than an API caller would.
    pub fn change<R>(&self, change: impl FnOnce(&mut Account) -> R) -> R {
        change(&mut self.present().account)
    }

    /// All calls so far, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// The calls after the first `seen`, oldest first.
    pub fn calls_after(&self, seen: usize) -> Vec<Call> {
        self.state().calls.get(seen..).unwrap_or_default().to_vec()
    }

    /// How often each operation was called.
    pub fn calls_by_operation(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for call in &self.state().calls {
            *counts.entry(call.operation.clone()).or_default() += 1;
        }
        counts
    }

    /// Installs a fault rule behind those already there.
    pub fn rule(&self, rule: Rule) {
        let mut state = self.present();
        state.rules.install(rule);
        if state.rules.need_history() {
            state.remember();
        }
    }

    /// Removes all fault rules.
    pub fn clear_rules(&self) {
        self.state().rules.clear();
    }

    /// Lets every agent lose its connection about this often from now on; 0 ends it.
    pub fn flap_agents(&self, per_hour: u32) {
        self.present().flap_agents(per_hour);
    }

    /// Takes tokens from the bucket of an operation, as the other callers of a busy account do.
    pub fn spend_tokens(&self, service: Service, operation: &str, tokens: u32) {
        let now = self.now();
        self.state().throttle.spend(service, operation, tokens, now);
    }

    /// The token bucket that calls have emptied furthest since this was last asked, and the share of it that was left.
    pub fn take_lowest_bucket(&self) -> Option<(String, f64)> {
        self.state().throttle.take_lowest()
    }

    /// Gives the bucket all Auto Scaling calls share another burst and rate; AWS publishes neither.
    pub fn size_auto_scaling_bucket(&self, burst: u32, per_second: u32) {
        self.state().throttle.size_auto_scaling(burst, per_second);
    }

    /// What the checkers found up to now.
    pub fn violations(&self) -> Vec<Violation> {
        self.present().checkers.violations().to_vec()
    }

    /// Instructs the checkers, or asks them more than `violations` tells.
    pub fn checkers<R>(&self, ask: impl FnOnce(&mut Checkers) -> R) -> R {
        ask(&mut self.present().checkers)
    }

    /// Everything that happened up to now, for people.
    pub fn timeline(&self) -> String {
        timeline::render(&self.present().account.happenings)
    }

    /// The `n`-th call from now, counted from one, takes effect, and then its caller is dead: neither this
    /// call nor any later one of the same client is ever answered.
    pub fn kill_after(&self, n: u64) {
        self.arm(n, Moment::AfterEffect);
    }

    /// The same, but the `n`-th call has no effect.
    pub fn kill_before(&self, n: u64) {
        self.arm(n, Moment::BeforeEffect);
    }

    fn arm(&self, n: u64, moment: Moment) {
        let mut state = self.state();
        let call = state.calls.len() as u64 + n;
        state.crash.arm(call, moment);
    }

    /// Completes once a caller has been killed; at once if one is dead already.
    pub async fn killed(&self) {
        let mut killed = self.shared.killed.subscribe();
        // The sender lives as long as this handle, so that waiting cannot fail.
        let _ = killed.wait_for(|killed| *killed).await;
    }

    /// Disarms a kill that has not struck, and answers dead clients again.
    pub fn revive(&self) {
        self.state().crash.revive();
        self.shared.killed.send_replace(false);
    }

    /// Lets a foreign actor change the account right before the `n`-th call from now, counted from one.
    pub fn before_call(&self, n: u64, change: Box<dyn FnOnce(&mut Account) + Send>) {
        let mut state = self.state();
        let call = state.calls.len() as u64 + n;
        state.interference.insert(call, change);
    }

    /// Lets account time run at this multiple of tokio's from now on.
    pub fn set_multiple(&self, multiple: f64) {
        let mut clock = self.clock();
        *clock = clock.at_multiple(multiple);
    }

    /// Moves account time forward at once. Not for a paused clock: sleep there.
    pub fn skip(&self, by: Duration) {
        let skipped = self.clock().skipped(by);
        *self.clock() = skipped;
        drop(self.present());
    }

    /// One call from request to response, with the time that takes.
    pub(crate) async fn handle(
        &self,
        client: ClientId,
        label: &str,
        target: Option<&str>,
        body: &[u8],
    ) -> Result<Response, Interruption> {
        let (there, back) = self.state().draw_latency();
        self.pass(there).await;
        self.unless_dead(client).await;
        let reply = self.take(client, label, target, body);
        let (response, delay) = match reply {
            Reply::Response(response, delay) => (Ok(response), delay),
            Reply::Lost => (Err(Interruption::ConnectionReset), Duration::ZERO),
            Reply::Hang => (Err(Interruption::TimedOut), HANG),
            Reply::Never => {
                self.shared.killed.send_replace(true);
                return std::future::pending().await;
            }
        };
        self.pass(back + delay).await;
        self.unless_dead(client).await;
        response
    }

    fn take(&self, client: ClientId, label: &str, target: Option<&str>, body: &[u8]) -> Reply {
        let now = self.now();
        let mut state = self.state();
        state.advance(now);
        state.take(client, label, wire::decode(target, body), now)
    }

    /// Sleeps through some account time.
    async fn pass(&self, account_time: Duration) {
        let duration = self.clock().in_runtime_time(account_time);
        sleep(duration).await;
    }

    /// A dead client waits for ever, also with calls that were under way when it died.
    async fn unless_dead(&self, client: ClientId) {
        let is_dead = self.state().crash.is_dead(client);
        if is_dead {
            std::future::pending::<()>().await;
        }
    }

    /// The state, brought to the present.
    fn present(&self) -> MutexGuard<'_, State> {
        let now = self.now();
        let mut state = self.state();
        state.advance(now);
        state
    }

    /// A test that panicked while it held the account must not hide its message behind a poisoned lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clock(&self) -> MutexGuard<'_, Clock> {
        self.shared.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Account time for SDKs.
#[derive(Debug)]
struct AccountTime(Simulator);

impl TimeSource for AccountTime {
    fn now(&self) -> SystemTime {
        clock::system_time(self.0.now())
    }
}
