//! `make demo`: the real function evens out a simulated cluster over TCP, then the same cluster has everything stopped;
//! in a second act EC2 takes an instance away, and the function `drain` empties and replaces it; in a third one the
//! function `rollout` replaces a whole group, and is killed on the way.
//!
//! Nothing here knows how the functions decide. They are the binaries that would be uploaded to Lambda, under a Lambda
//! Runtime API, on the events that Amazon EventBridge documents and a person's command, with `AWS_ENDPOINT_URL` pointing at
//! the simulated account. The account's clock runs thirty times as fast as the wall's.

mod figures;
mod function;
mod interruption;
mod rollout;
mod story;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use evenkeel_tests::clusters;
use serde_json::Value;
use simulator::account::Account;
use simulator::runtime_api::InvocationResult;
use simulator::simulator::Simulator;
use tokio::net::TcpListener;

use figures::Figures;
use function::Function;

#[derive(Parser)]
#[command(about = "Watch Evenkeel even out a simulated ECS cluster")]
struct Arguments {
    /// Seed of everything that AWS leaves open.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How much faster than wall time the account lives.
    #[arg(long, default_value_t = 30.0)]
    multiple: f64,
    /// Print the figures only.
    #[arg(long)]
    figures: bool,
    /// Where the functions' binaries are; by default beside this program.
    #[arg(long)]
    functions: Option<PathBuf>,
}

impl Arguments {
    /// The binary of a function.
    fn function_named(&self, name: &str) -> std::io::Result<PathBuf> {
        match &self.functions {
            Some(folder) => Ok(folder.join(name)),
            None => Ok(std::env::current_exe()?.with_file_name(name)),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match play(&Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Plays all acts; says whether the functions kept every promise.
async fn play(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    let evened = even_out(arguments, clusters::both_layers(arguments.seed)).await?;
    let (stopped, bars) = figures::stop_everything(arguments.seed, clusters::both_layers(arguments.seed));
    if !arguments.figures {
        println!(
            "\nThe same cluster under \"stop every task\", as a script on a cron would do it:\n\n{bars}"
        );
    }
    println!("{}", figures::table(&evened, &stopped));
    let is_drained = interruption::play(arguments).await?;
    let is_rolled_out = rollout::play(arguments).await?;
    Ok(evened.is_clean() && is_drained && is_rolled_out)
}

async fn even_out(arguments: &Arguments, account: Account) -> Result<Figures, Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let simulator = Simulator::new(account, arguments.seed);
    let serving = tokio::spawn(simulator::server::serve(simulator.clone(), listener, arguments.multiple));
    if !arguments.figures {
        story::opening(&simulator, arguments.seed, arguments.multiple);
    }
    let mut function =
        Function::start(arguments.function_named("rebalance")?, &endpoint, arguments.multiple).await?;
    let telling = (!arguments.figures).then(|| tokio::spawn(story::tell(simulator.clone())));
    let outcome = function.invoke(scheduled_event(), Duration::from_mins(3)).await?;
    // What leaves is given the time to leave before the books are closed.
    tokio::time::sleep(Duration::from_mins(1).div_f64(arguments.multiple)).await;
    let again = function.invoke(scheduled_event(), Duration::from_mins(3)).await?;
    if let Some(telling) = telling {
        telling.abort();
    }
    let InvocationResult::Response(report) = outcome.result else {
        return Err(format!("the function did not answer with a report: {:?}", outcome.result).into());
    };
    if !arguments.figures {
        story::closing(&simulator, &report);
    }
    serving.abort();
    let InvocationResult::Response(second) = again.result else {
        return Err(format!("the second invocation did not answer with a report: {:?}", again.result).into());
    };
    Ok(Figures::of_reports(&simulator, &report, &second, outcome.wall))
}

/// As documented in the Amazon EventBridge User Guide, "Create a rule that runs on a schedule".
fn scheduled_event() -> Value {
    serde_json::json!({
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-01-02T03:04:06Z",
        "region": "eu-west-1",
        "resources": ["arn:aws:events:eu-west-1:123456789012:rule/evenkeel-rebalance"],
        "detail": {}
    })
}
