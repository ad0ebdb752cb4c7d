//! Lambda entry point of `rollout`: TLS, the runtime, and nothing else.

// The nested futures of the SDK's calls make a type that is deeper than the compiler's default allows.
#![recursion_limit = "512"]

use std::time::Duration;

use aws_smithy_http_client::{Builder, tls};
use evenkeel::error::Error;
use evenkeel::lambda::{Context, serve};
use evenkeel::report::rollout::RolloutReport;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    serve(Builder::new().tls_provider(provider).build_https(), handle).await
}

async fn handle(event: Value, working_time: Duration, context: &Context) -> Result<RolloutReport, Error> {
    rollout::handle(event, working_time, &context.aws, &context.settings).await
}
