//! The function's process, under a Lambda Runtime API of its own.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use simulator::runtime_api::{InvocationOutcome, RuntimeApi};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

/// A running function.
pub(crate) struct Function {
    runtime: RuntimeApi,
    process: Child,
}

impl Function {
    /// Starts the binary against `endpoint`. Only the pause between turns is scaled to the account's fast clock: every
    /// other duration is measured on that clock itself, which the function learns from AWS's answers.
    pub(crate) async fn start(binary: PathBuf, endpoint: &str, multiple: f64) -> io::Result<Self> {
        let runtime = RuntimeApi::start(TcpListener::bind("127.0.0.1:0").await?)?;
        let pause = Duration::from_secs(5).div_f64(multiple).max(Duration::from_millis(100));
        let process = Command::new(&binary)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", runtime.address().to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "evenkeel")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/evenkeel")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "demo")
            .env("AWS_LAMBDA_LOG_LEVEL", "ERROR")
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "AKIDDEMO")
            .env("AWS_SECRET_ACCESS_KEY", "demo")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL", endpoint)
            .env("EVENKEEL_CLUSTERS", "web")
            .env("EVENKEEL_POLL_INTERVAL", format!("{}ms", pause.as_millis()))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", binary.display())))?;
        Ok(Self { runtime, process })
    }

    /// One invocation; fails if the process ends before it answers.
    pub(crate) async fn invoke(&mut self, event: Value, deadline: Duration) -> io::Result<InvocationOutcome> {
        tokio::select! {
            outcome = self.runtime.invoke(event, deadline) => Ok(outcome),
            ended = self.process.wait() => Err(io::Error::other(format!("the function ended: {}", ended?))),
        }
    }

    /// Ends the process at once, as Lambda's host may: it has no say, and its invocation gets no answer.
    pub(crate) async fn kill(mut self) -> io::Result<()> {
        self.process.kill().await
    }
}
