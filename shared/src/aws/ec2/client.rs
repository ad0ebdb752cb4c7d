//! One EC2 operation over the SDK's orchestrator: a form is signed, sent, retried and answered as by any client of
//! the SDK, with the interceptors and the retry classifiers that the SDK gives each of its own.

use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::recursion_detection::RecursionDetectionInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::service_clock_skew::{ServiceClockSkewClassifier, ServiceClockSkewInterceptor};
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_runtime::client::http::connection_poisoning::ConnectionPoisoningInterceptor;
use aws_smithy_runtime::client::orchestrator::operation as smithy;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::endpoint::EndpointResolverParams;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_types::region::SigningRegion;
use aws_types::{SdkConfig, SigningName};

use super::answer::{Malformed, Refusal};
use super::endpoint;
use crate::aws::clock::Wire;

/// An operation that takes a form and answers with `T`.
pub(super) type Operation<T> = smithy::Operation<String, T, Refusal>;

/// Reads the body of an answer.
type Read<T> = fn(&str) -> Result<T, Malformed>;

/// An operation of this name, configured as the SDK's clients are from the same configuration.
pub(super) fn operation<T: std::fmt::Debug + Send + Sync + 'static>(
    name: &'static str,
    config: &SdkConfig,
    wire: &Wire,
    retries: &RetryPartition,
    read: Read<T>,
) -> Operation<T> {
    let mut builder = smithy::Operation::builder().service_name("EC2").operation_name(name);
    if let Some(version) = config.behavior_version() {
        builder = builder.behavior_version(version);
    }
    if let Some(retry) = config.retry_config() {
        builder = builder.standard_retry(retry);
    }
    if let Some(timeouts) = config.timeout_config() {
        builder = builder.timeout_config(timeouts.clone());
    }
    builder
        .runtime_plugin(environment(config))
        .runtime_plugin(signing(config, retries))
        .runtime_plugin(conduct())
        .interceptor(wire.clone())
        .serializer(request)
        .deserializer(move |response| answer(response, read))
        .build()
}

/// What the configuration brings along: the HTTP client, the clock, the way to sleep, the endpoint.
fn environment(config: &SdkConfig) -> StaticRuntimePlugin {
    let mut layer = Layer::new("Ec2Environment");
    layer.store_put(EndpointResolverParams::new(()));
    layer.store_put(ApiMetadata::new("ec2", env!("CARGO_PKG_VERSION")));
    let mut components = RuntimeComponentsBuilder::new("Ec2Environment");
    components.set_http_client(config.http_client());
    components.set_sleep_impl(config.sleep_impl());
    components.set_time_source(config.time_source());
    components.set_endpoint_resolver(Some(endpoint::resolver(config)));
    StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
}

/// Whose calls they are, and the retry quota they share with the other clients.
fn signing(config: &SdkConfig, retries: &RetryPartition) -> StaticRuntimePlugin {
    let mut layer = Layer::new("Ec2Signing");
    layer.store_put(retries.clone());
    layer.store_put(SigningName::from_static("ec2"));
    layer.store_put(SigV4OperationSigningConfig::default());
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    if let Some(region) = config.region() {
        layer.store_put(SigningRegion::from(region.clone()));
    }
    let mut components = RuntimeComponentsBuilder::new("Ec2Signing");
    components.push_auth_scheme(SigV4AuthScheme::new());
    let schemes = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
    components.set_auth_scheme_option_resolver(Some(schemes));
    components.set_identity_cache(config.identity_cache());
    if let Some(credentials) = config.credentials_provider() {
        components.set_identity_resolver(SCHEME_ID, credentials);
    }
    StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
}

/// What every client of the SDK does around a call, and which failures it takes for passing ones.
fn conduct() -> StaticRuntimePlugin {
    let components = RuntimeComponentsBuilder::new("Ec2Conduct")
        .with_interceptor(ConnectionPoisoningInterceptor::new())
        .with_interceptor(ServiceClockSkewInterceptor::new())
        .with_interceptor(RequestInfoInterceptor::new())
        .with_interceptor(UserAgentInterceptor::new())
        .with_interceptor(InvocationIdInterceptor::new())
        .with_interceptor(RecursionDetectionInterceptor::new())
        .with_retry_classifier(HttpStatusCodeClassifier::default())
        .with_retry_classifier(TransientErrorClassifier::<Refusal>::new())
        .with_retry_classifier(AwsErrorCodeClassifier::<Refusal>::new())
        .with_retry_classifier(ServiceClockSkewClassifier::<Refusal>::new());
    StaticRuntimePlugin::new().with_runtime_components(components)
}

fn request(form: String) -> Result<HttpRequest, BoxError> {
    let length = form.len().to_string();
    let mut request = HttpRequest::new(SdkBody::from(form));
    request.set_method("POST")?;
    request.set_uri("/")?;
    request.headers_mut().insert("content-type", "application/x-www-form-urlencoded");
    request.headers_mut().insert("content-length", length);
    Ok(request)
}

fn answer<T>(response: &HttpResponse, read: Read<T>) -> Result<T, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    if !response.status().is_success() {
        let text = String::from_utf8_lossy(body);
        return Err(OrchestratorError::operation(Refusal::of(response.status().as_u16(), &text)));
    }
    let text = std::str::from_utf8(body).map_err(|error| OrchestratorError::response(error.into()))?;
    read(text).map_err(|error| OrchestratorError::response(error.into()))
}
