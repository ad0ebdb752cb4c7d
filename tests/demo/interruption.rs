//! The second act: EC2 takes an instance away with two minutes' notice, and the function `drain` hears of it.

use std::time::Duration;

use evenkeel_tests::drains::bare_fleet;
use serde_json::Value;
use simulator::account::{Account, InterruptionAction};
use simulator::checkers::Drain;
use simulator::runtime_api::InvocationResult;
use simulator::scheduler::spot;
use simulator::simulator::Simulator;
use tokio::net::TcpListener;

use crate::function::Function;
use crate::{Arguments, figures, story};

/// The instance that is taken.
const INSTANCE: &str = "i-a1";

/// The stages that the report gives a time for, in their order.
const STAGES: [(&str, &str); 8] = [
    ("eventAt", "EC2 gave notice"),
    ("receivedAt", "the function was invoked"),
    ("drainingAt", "DRAINING"),
    ("replacementRequestedAt", "substitute asked for"),
    ("inServiceAt", "substitute in service (as seen by a look)"),
    ("tasksElsewhereAt", "its services are whole without it"),
    ("registeredAt", "substitute registered with the cluster"),
    ("emptyAt", "every task on it was seen STOPPED, twice"),
];

/// Plays the act; says whether every promise was kept.
pub(crate) async fn play(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let simulator = Simulator::new(bare_fleet(arguments.seed), arguments.seed);
    let serving = tokio::spawn(simulator::server::serve(simulator.clone(), listener, arguments.multiple));
    if !arguments.figures {
        println!(
            "\nAct two. Six Spot instances of the Auto Scaling group web-asg; EC2 takes {INSTANCE} away. The"
        );
        println!("function drain gets the documented event:\n");
    }
    let mut function =
        Function::start(arguments.function_named("drain")?, &endpoint, arguments.multiple).await?;
    simulator.change(|account| spot::interrupt(account, INSTANCE, InterruptionAction::Terminate));
    let event = simulator.account(|account| account.events.last().map(|it| it.envelope.clone()));
    let event = event.ok_or("EC2 gave no notice")?;
    let telling = (!arguments.figures).then(|| {
        println!("{event}\n");
        tokio::spawn(story::tell(simulator.clone()))
    });
    let outcome = function.invoke(event, Duration::from_mins(3)).await?;
    tokio::time::sleep(Duration::from_mins(2).div_f64(arguments.multiple)).await;
    if let Some(telling) = telling {
        telling.abort();
    }
    serving.abort();
    let InvocationResult::Response(report) = outcome.result else {
        return Err(format!("the function did not answer with a report: {:?}", outcome.result).into());
    };
    Ok(close(&simulator, &report))
}

/// The stage clock and what the checkers have seen.
fn close(simulator: &Simulator, report: &Value) -> bool {
    let clock = &report["instances"][0]["clock"];
    let start = clock["eventAt"].as_i64().unwrap_or_default();
    println!("\n  stage clock, seconds after EC2's notice (status {}):\n", report["status"]);
    for (name, words) in STAGES {
        let at = clock[name].as_i64().map(|at| format!("{:>6.1}", (at - start) as f64 / 1000.0));
        println!("  {}  {words}", at.unwrap_or_else(|| "     -".to_owned()));
    }
    let drain = simulator.checkers(|it| it.drains().of(INSTANCE).cloned());
    let killed = simulator.checkers(|it| it.drains().killed_running());
    let account = simulator.account(Account::clone);
    let group = &account.auto_scaling_groups["web-asg"];
    let broken = figures::broken(simulator);
    println!(
        "\n  tasks killed while they ran: {killed}; tasks missing elsewhere when it ended: {}",
        missing(drain.as_ref())
    );
    println!(
        "  group web-asg: {} instances, {} desired, as before",
        group.instances.len(),
        group.desired_capacity
    );
    for line in &broken {
        println!("  BROKEN: {line}");
    }
    let is_clean = broken.is_empty() && killed == 0;
    if is_clean {
        println!("  every checker is silent, and everything was put back");
    }
    is_clean
}

fn missing(drain: Option<&Drain>) -> u32 {
    drain.map_or(0, |drain| drain.missing)
}
