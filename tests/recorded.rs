//! A client that keeps what it sends: method, host, headers and body of every request, before it goes on to the account.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// One request as it was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// HTTP method.
    pub method: String,
    /// Address.
    pub uri: String,
    /// Headers by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// Body.
    pub body: String,
}

/// All requests so far, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Recorded(Arc<Mutex<Vec<Sent>>>);

impl Recorded {
    /// The simulator's client, listened in on.
    pub fn client(&self, inner: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Recorder { inner, sent: self.clone() })
    }

    /// What was sent.
    pub fn sent(&self) -> Vec<Sent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The bodies of what was sent, decoded from their form as far as people need it to read them.
    pub fn forms(&self) -> Vec<String> {
        self.sent().iter().map(|it| it.body.replace("%24", "$").replace("%3A", ":")).collect()
    }

    fn keep(&self, request: &HttpRequest) {
        let headers = request.headers().iter();
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Sent {
            method: request.method().to_owned(),
            uri: request.uri().to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body,
        });
    }
}

#[derive(Clone, Debug)]
struct Recorder {
    inner: SharedHttpClient,
    sent: Recorded,
}

impl HttpClient for Recorder {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Listening { inner, sent: self.sent.clone() })
    }
}

#[derive(Debug)]
struct Listening {
    inner: SharedHttpConnector,
    sent: Recorded,
}

impl HttpConnector for Listening {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.sent.keep(&request);
        self.inner.call(request)
    }
}
