//! A caller that stalls once: its n-th call is held back for a while before it goes out, as a frozen function's would be.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// Wraps the simulator's client.
#[derive(Clone, Debug)]
pub struct Late {
    inner: SharedHttpClient,
    call: u64,
    hold: Duration,
    count: Arc<AtomicU64>,
    held: Held,
}

/// The target header of the call that was held back, once it was.
pub type Held = Arc<Mutex<String>>;

impl Late {
    /// Holds the `call`-th call, counted from one, back for `delay`, and notes in `held` which it was.
    pub fn client(inner: SharedHttpClient, call: u64, delay: Duration, held: &Held) -> SharedHttpClient {
        SharedHttpClient::new(Self {
            inner,
            call,
            hold: delay,
            count: Arc::default(),
            held: Arc::clone(held),
        })
    }
}

impl HttpClient for Late {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(LateConnector { inner, late: self.clone() })
    }
}

#[derive(Debug)]
struct LateConnector {
    inner: SharedHttpConnector,
    late: Late,
}

impl HttpConnector for LateConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let number = self.late.count.fetch_add(1, Ordering::Relaxed) + 1;
        let (inner, hold) = (self.inner.clone(), self.late.hold);
        let is_held = number == self.late.call;
        if is_held {
            let target = request.headers().get("x-amz-target").unwrap_or_default();
            target.clone_into(&mut self.late.held.lock().unwrap_or_else(PoisonError::into_inner));
        }
        HttpConnectorFuture::new(async move {
            if is_held {
                tokio::time::sleep(hold).await;
            }
            inner.call(request).await
        })
    }
}
