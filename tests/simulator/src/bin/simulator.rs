//! The simulated account as a program: `simulator serve --port 8787 --multiple 60 --cluster demo`.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use simulator::account::{Account, ActionResult, RefreshStatus};
use simulator::builder::{AccountBuilder, InstanceBuilder};
use simulator::server;
use simulator::simulator::Simulator;
use tokio::net::TcpListener;

#[derive(Parser)]
#[command(about = "A simulated AWS account: ECS on EC2 and target health")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the account on 127.0.0.1; point `AWS_ENDPOINT_URL` at it.
    Serve {
        /// Port; 0 chooses one.
        #[arg(long, default_value_t = 8787)]
        port: u16,
        /// How much faster than wall time the account lives.
        #[arg(long, default_value_t = 1.0)]
        multiple: f64,
        /// Seed of everything AWS leaves open.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Which account to serve.
        #[arg(long, value_enum, default_value_t = Example::Demo)]
        cluster: Example,
    },
}

/// The accounts built in.
#[derive(Clone, Copy, ValueEnum)]
enum Example {
    /// Six instances in three zones, two of them new and empty; three services, one behind a load balancer.
    Demo,
    /// Two instances in two zones and one service that is spread evenly.
    Even,
    /// Six machines of one Auto Scaling group in three zones, half of them Spot, which a hook holds on their way out.
    Group,
}

impl Example {
    fn build(self, seed: u64) -> Account {
        match self {
            Self::Demo => demo(seed),
            Self::Even => even(seed),
            Self::Group => group(seed),
        }
    }
}

fn demo(seed: u64) -> Account {
    let new = |instance: InstanceBuilder| instance.registered_ago(Duration::from_mins(10));
    let old = ["i-a1", "i-a2", "i-b1", "i-c1"];
    AccountBuilder::new(seed)
        .cluster("demo")
        .instance("i-a1", "eu-west-1a", |instance| instance)
        .instance("i-a2", "eu-west-1a", |instance| instance)
        .instance("i-b1", "eu-west-1b", |instance| instance)
        .instance("i-b2", "eu-west-1b", new)
        .instance("i-c1", "eu-west-1c", |instance| instance)
        .instance("i-c2", "eu-west-1c", new)
        .target_group("web", |group| group.deregistration_delay(Duration::from_secs(30)))
        .task_definition("web", |definition| definition.cpu(128).container_port(8080, 0))
        .task_definition("api", |definition| definition.cpu(128).health_check())
        .task_definition("log", |definition| definition.cpu(64).memory(128))
        .service("web", |service| {
            service.on(&old.repeat(2)).spread_zone().spread_instance().target_group("web")
        })
        .service("api", |service| service.on(&old).spread_zone().spread_instance())
        .service("log", |service| service.on(&["i-a1", "i-a2", "i-b1", "i-b2", "i-c1", "i-c2"]).daemon())
        .standalone("api", "i-b1")
        .build()
}

fn even(seed: u64) -> Account {
    AccountBuilder::new(seed)
        .cluster("even")
        .instance("i-a1", "eu-west-1a", |instance| instance)
        .instance("i-b1", "eu-west-1b", |instance| instance)
        .task_definition("web", |definition| definition)
        .service("web", |service| service.on(&["i-a1", "i-b1"]))
        .build()
}

fn group(seed: u64) -> Account {
    let zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];
    let ids = ["i-a1", "i-b1", "i-c1", "i-a2", "i-b2", "i-c2"];
    let placed: Vec<(&str, &str)> = ids.into_iter().zip(zones.into_iter().cycle()).collect();
    AccountBuilder::new(seed)
        .cluster("group")
        .launch_template("web", |template| template.version("ami-0a1").version("ami-0a2"))
        .auto_scaling_group("web", |group| {
            let group = group.zones(&zones).size(2, 6, 12).on_demand(0, 50).instances(&placed);
            group
                .terminate_hook("drain", Duration::from_mins(5), ActionResult::Continue)
                .scheduled_daily("night", Duration::from_hours(12), 6)
                .instance_refresh(RefreshStatus::Successful)
                .tag("team", "web", true)
        })
        .capacity_provider("web", "web", |provider| provider)
        .task_definition("web", |definition| definition.cpu(128))
        .service("web", |service| service.on(&ids).spread_zone().spread_instance())
        .build()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Command::Serve { port, multiple, seed, cluster } = Arguments::parse().command;
    match serve(port, multiple, cluster.build(seed), seed).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("simulator: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(port: u16, multiple: f64, account: Account, seed: u64) -> std::io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{} seed {seed}, {multiple} times wall time", listener.local_addr()?);
    server::serve(Simulator::new(account, seed), listener, multiple).await
}
