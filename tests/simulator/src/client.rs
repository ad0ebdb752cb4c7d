//! The account behind an AWS SDK, without a socket: an HTTP client whose other end is the simulator.
//!
//! The request body is read through its `Body` implementation, because the SDK's guard against stalled
//! uploads believes nothing was sent otherwise and ends any call that takes more than a few seconds. The read
//! timeout is kept here, because the SDK leaves that to its HTTP client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use tokio::time::timeout;

use crate::simulator::{ClientId, Interruption, Simulator};
use crate::wire::Response;

/// One caller of the account.
#[derive(Clone)]
pub(crate) struct InProcessClient {
    simulator: Simulator,
    id: ClientId,
    label: Arc<str>,
    read_timeout: Option<Duration>,
}

impl fmt::Debug for InProcessClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("InProcessClient").field("label", &self.label).finish_non_exhaustive()
    }
}

impl InProcessClient {
    /// A client with this number and label.
    pub(crate) fn new(simulator: Simulator, id: ClientId, label: &str) -> Self {
        Self { simulator, id, label: label.into(), read_timeout: None }
    }

    async fn send(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let target = request.headers().get("x-amz-target").map(str::to_owned);
        let body = request.into_body().collect().await.map_err(ConnectorError::io)?.to_bytes();
        let call = self.simulator.handle(self.id, &self.label, target.as_deref(), &body);
        let answered = match self.read_timeout {
            Some(limit) => timeout(limit, call).await.unwrap_or(Err(Interruption::TimedOut)),
            None => call.await,
        };
        answered.map(http_response).map_err(|interruption| match interruption {
            Interruption::ConnectionReset => ConnectorError::io(interruption.into()),
            Interruption::TimedOut => ConnectorError::timeout(interruption.into()),
        })
    }
}

fn http_response(response: Response) -> HttpResponse {
    let status =
        StatusCode::try_from(response.status).expect("the simulator answers with valid status codes");
    let mut http = HttpResponse::new(status, SdkBody::from(response.body));
    for (name, value) in response.headers {
        http.headers_mut().insert(name, value);
    }
    http
}

impl HttpClient for InProcessClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Self { read_timeout: settings.read_timeout(), ..self.clone() })
    }
}

impl HttpConnector for InProcessClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().send(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::AccountBuilder;
    use crate::faults::Rule;

    fn simulator() -> Simulator {
        Simulator::new(AccountBuilder::new(1).cluster("web").build(), 1)
    }

    fn request() -> HttpRequest {
        let mut request = HttpRequest::new(SdkBody::from("{}"));
        request.headers_mut().insert("x-amz-target", "AmazonEC2ContainerServiceV20141113.ListClusters");
        request
    }

    #[tokio::test(start_paused = true)]
    async fn an_sdk_request_gets_an_sdk_response() {
        let client = InProcessClient::new(simulator(), ClientId(1), "test");
        let response = client.call(request()).await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&body).contains("cluster/web"));
    }

    #[tokio::test(start_paused = true)]
    async fn the_read_timeout_and_lost_connections_are_reported_in_their_kinds() {
        let simulator = simulator();
        simulator.rule(Rule::time_out(1.0));
        let client = InProcessClient::new(simulator.clone(), ClientId(1), "test");
        let client = InProcessClient { read_timeout: Some(Duration::from_secs(5)), ..client };
        let started = tokio::time::Instant::now();
        assert!(client.call(request()).await.unwrap_err().is_timeout());
        assert_eq!(started.elapsed().as_secs(), 5);
        simulator.clear_rules();
        simulator.rule(Rule::lose_response(1.0));
        assert!(client.call(request()).await.unwrap_err().is_io());
    }
}
