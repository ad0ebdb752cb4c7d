//! The Lambda side of a function: clients and settings built once, one JSON log line a happening, errors with a type.
//!
//! Faulty settings do not end the process: each invocation answers with them, so that the invoker reads every fault
//! instead of Lambda's `Runtime.ExitError`.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use lambda_runtime::tracing::subscriber;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;

use crate::aws::Aws;
use crate::error::Error;
use crate::report::JobReport;
use crate::settings::Settings;
use crate::timestamp::Timestamp;

/// What an invocation works with.
#[derive(Debug)]
pub struct Context {
    /// AWS.
    pub aws: Aws,
    /// Settings.
    pub settings: Settings,
}

/// Kept back at the end of an invocation so that a turn under way can end and the report can be written. A turn makes
/// some dozens of calls of well under a second.
const RESERVE: Duration = Duration::from_secs(15);

/// Runs `handler` for every invocation; it is told how long it may work.
pub async fn serve<H, R>(http_client: SharedHttpClient, handler: H) -> Result<(), lambda_runtime::Error>
where
    H: AsyncFn(Value, Duration, &Context) -> Result<R, Error>,
    R: JobReport,
{
    log_as_json();
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http_client).load().await;
    let time = config.time_source().unwrap_or_default();
    let context =
        Settings::from_env().map(|settings| Context { aws: Aws::new(&config, "evenkeel"), settings });
    let (context, time, handler) = (&context, &time, &handler);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let context = context.as_ref().map_err(Diagnostic::from)?;
        let working_time = working_time(&event.context, time);
        let name = &event.context.env_config.function_name;
        answer(handler(event.payload, working_time, context).await, name, context.aws.now())
    }))
    .await
}

/// Flat lines, so that a log query names a field as it is called in the code.
fn log_as_json() {
    let level = subscriber::EnvFilter::builder()
        .with_default_directive(subscriber::filter::LevelFilter::INFO.into())
        .with_env_var("AWS_LAMBDA_LOG_LEVEL")
        .from_env_lossy();
    subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .with_env_filter(level)
        .init();
}

/// How long this invocation may work: what Lambda leaves it, less a reserve of at most a quarter.
fn working_time(context: &lambda_runtime::Context, time: &SharedTimeSource) -> Duration {
    let left = context.deadline().duration_since(time.now()).unwrap_or_default();
    left.saturating_sub(RESERVE.min(left / 4))
}

fn answer<R: JobReport>(result: Result<R, Error>, name: &str, now: Timestamp) -> Result<R, Diagnostic> {
    match &result {
        Ok(report) => {
            log_report(report);
            tell_cloudwatch(report, name, now);
        }
        Err(error) => tracing::error!(kind = error.kind(), error = error.chain(), "failed"),
    }
    result.map_err(|error| Diagnostic::from(&error))
}

fn log_report(report: &impl JobReport) {
    let (job, status, dry_run) = report.headline();
    let json = serde_json::to_string(report).unwrap_or_else(|error| format!("unprintable: {error}"));
    tracing::info!(job, ?status, dry_run, report = json, "report");
}

/// CloudWatch takes a metric only from a line that begins with it, so these bypass the logger.
fn tell_cloudwatch(report: &impl JobReport, name: &str, now: Timestamp) {
    for line in report.metrics(now).iter().filter_map(|series| series.line(name, now)) {
        println!("{line}");
    }
}

impl From<&Error> for Diagnostic {
    fn from(error: &Error) -> Self {
        Self { error_type: error.kind().to_owned(), error_message: error.chain() }
    }
}
