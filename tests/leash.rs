//! A caller that dies or stalls at one of its calls, as a Lambda function does whose sandbox is taken away, or gets no
//! processor for a while and then goes on as if nothing had been.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use evenkeel::aws::Aws;
use tokio::time::{Instant, sleep_until};

use crate::{Stage, sdk_config};

/// What befalls a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is gone before the call went out.
    DiesBefore,
    /// The call took effect, and nobody is left to hear the answer.
    DiesAfter,
    /// It stands still for this long, and only then the call goes out.
    Stalls(Duration),
}

#[derive(Debug, Default)]
struct State {
    /// Calls until it strikes, and what does.
    strike: Option<(u32, Fate)>,
    is_dead: bool,
    is_over: bool,
    stalls_until: Option<Instant>,
    struck: Option<Fate>,
}

/// Holds one caller; clones hold the same.
#[derive(Clone, Debug, Default)]
pub struct Leash(Arc<Mutex<State>>);

impl Leash {
    /// Lets this befall the caller at its `call`-th call from now, counted from one.
    pub fn strike_at(&self, call: u32, fate: Fate) {
        self.state().strike = Some((call.max(1), fate));
    }

    /// What has befallen it since this was last asked.
    pub fn struck(&self) -> Option<Fate> {
        self.state().struck.take()
    }

    /// The caller is done, or dead.
    pub fn over(&self) {
        self.state().is_over = true;
    }

    /// Whether it is.
    pub fn is_over(&self) -> bool {
        self.state().is_over
    }

    /// AWS as the caller on this leash sees it.
    pub fn aws(&self, stage: &Stage) -> Aws {
        let config = sdk_config(&stage.simulator).into_builder();
        let inner = stage.simulator.http_client_of("evenkeel");
        let client = SharedHttpClient::new(Led { inner, leash: self.clone() });
        Aws::new(&config.http_client(client).build(), "leash")
    }

    /// Runs the caller until it is done; `None` if it died on the way. While it stalls nothing in it moves.
    pub async fn lead<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let (mut work, mut thaw) = (pin!(work), pin!(sleep_until(Instant::now())));
        poll_fn(|context| {
            loop {
                let stalls_until = self.state().stalls_until;
                if let Some(until) = stalls_until {
                    thaw.as_mut().reset(until);
                    if thaw.as_mut().poll(context).is_pending() {
                        return Poll::Pending;
                    }
                    self.state().stalls_until = None;
                }
                let polled = work.as_mut().poll(context);
                let state = self.state();
                match polled {
                    _ if state.is_dead => return Poll::Ready(None),
                    Poll::Ready(done) => return Poll::Ready(Some(done)),
                    Poll::Pending if state.stalls_until.is_none() => return Poll::Pending,
                    Poll::Pending => {}
                }
            }
        })
        .await
    }

    /// What befalls the caller at the call that it is about to make.
    fn next(&self) -> Option<Fate> {
        let mut state = self.state();
        let (left, fate) = state.strike?;
        if left > 1 {
            state.strike = Some((left - 1, fate));
            return None;
        }
        (state.strike, state.struck) = (None, Some(fate));
        if let Fate::Stalls(time) = fate {
            state.stalls_until = Some(Instant::now() + time);
        }
        Some(fate)
    }

    fn die(&self) {
        self.state().is_dead = true;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Debug)]
struct Led<I> {
    inner: I,
    leash: Leash,
}

impl HttpClient for Led<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Led { inner, leash: self.leash.clone() })
    }
}

impl HttpConnector for Led<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, leash) = (self.inner.clone(), self.leash.clone());
        HttpConnectorFuture::new(async move {
            match leash.next() {
                None => {}
                Some(Fate::Stalls(_)) => tokio::task::yield_now().await,
                Some(Fate::DiesAfter) => {
                    drop(inner.call(request).await);
                    leash.die();
                    return std::future::pending().await;
                }
                Some(Fate::DiesBefore) => {
                    leash.die();
                    return std::future::pending().await;
                }
            }
            inner.call(request).await
        })
    }
}
