//! What scenarios of the function `rollout` share: a group whose launch template has a new version, and the schedules of all
//! functions that live with it.

use std::time::Duration;

use evenkeel::aws::Aws;
use evenkeel::error::Error;
use evenkeel::report::rollout::{GroupReport, RolloutReport};
use evenkeel::settings::Settings;
use rollout::handle;
use serde_json::{Value, json};
use simulator::account::{Account, LifecycleState};
use simulator::builder::{AccountBuilder, GroupBuilder};
use simulator::event_bridge::EventBridge;
use tokio::time::Instant;

use crate::clusters::ZONES;
use crate::drains::{Lived, fleet};
use crate::{INVOCATION, Stage, permissions};

/// Image of the new version.
pub const NEW_IMAGE: &str = "ami-2";

/// The fleet of `drains`, and a second version of its launch template, which the group's next instances are of.
pub fn outdated(seed: u64, with: impl FnOnce(GroupBuilder) -> GroupBuilder) -> Account {
    with_new_version(fleet(seed, with).build())
}

/// Adds a second version with another image.
pub fn with_new_version(mut account: Account) -> Account {
    let template = account.launch_templates.get_mut("web").expect("the fleet has a launch template");
    let mut version = template.versions[&1].clone();
    NEW_IMAGE.clone_into(&mut version.image_id);
    template.versions.insert(2, version);
    account
}

/// A group of `size` instances over the first `zones` zones with two tasks of `app` on each, and the new version.
pub fn sized(seed: u64, size: u32, zones: usize, with: impl FnOnce(GroupBuilder) -> GroupBuilder) -> Account {
    let four = [ZONES[0], ZONES[1], ZONES[2], "eu-west-1d"];
    let zones = &four[..zones];
    let ids: Vec<String> = (0..size).map(|number| format!("i-{number:04}")).collect();
    let place = |(number, id): (usize, &'_ String)| (id.clone(), zones[number % zones.len()]);
    let places: Vec<(String, &str)> = ids.iter().enumerate().map(place).collect();
    let places: Vec<(&str, &str)> = places.iter().map(|(id, zone)| (id.as_str(), *zone)).collect();
    let on: Vec<&str> = ids.iter().flat_map(|id| [id.as_str(), id.as_str()]).collect();
    let account = AccountBuilder::new(seed)
        .cluster("web")
        .launch_template("web", |it| it.spot().size(4096, 15_360).version("ami-1"))
        .auto_scaling_group("web-asg", |it| with(it.zones(zones).size(0, size, 2 * size).instances(&places)))
        .task_definition("app", |it| it.cpu(256).memory(512))
        .service("app", |it| it.task_definition("app").spread_zone().spread_instance().on(&on))
        .build();
    with_new_version(account)
}

/// The command that starts one.
pub fn start() -> Value {
    json!({"action": "start", "autoScalingGroup": "web-asg", "cluster": "web"})
}

/// Another command.
pub fn command(action: &str) -> Value {
    json!({"action": action, "autoScalingGroup": "web-asg"})
}

/// The codes of what a report says is not done.
pub fn codes(report: &RolloutReport) -> Vec<String> {
    let code =
        |reason| serde_json::to_value(reason).expect("it is plain")["code"].as_str().map(str::to_owned);
    report.blocked.iter().filter_map(|line| code(&line.reason)).collect()
}

/// The only group of a report.
pub fn only(report: &RolloutReport) -> &GroupReport {
    let [only] = report.groups.as_slice() else { panic!("one group: {report:#?}") };
    only
}

/// Images of the instances in service, and how many are listed in all.
pub fn images(account: &Account) -> (Vec<String>, usize) {
    let members = &account.auto_scaling_groups["web-asg"].instances;
    let serving = members.values().filter(|it| it.state == LifecycleState::InService);
    let image = |id: &String| account.machines[id].image_id.clone();
    (serving.map(|it| image(&it.id)).collect(), members.len())
}

impl Stage {
    /// One invocation of `rollout` with this event, on an instance of its own.
    pub async fn rollout(&self, event: Value) -> Result<RolloutReport, Error> {
        self.rollout_over(&self.aws(), event).await
    }

    /// The same over a client of the caller's own.
    pub async fn rollout_over(&self, aws: &Aws, event: Value) -> Result<RolloutReport, Error> {
        let settings = Settings::from_pairs(self.settings.clone())?;
        let result = handle(event, INVOCATION, aws, &settings).await;
        result.inspect(|report| permissions::note("rollout", &report.api_calls))
    }

    /// The same for an invocation that may be killed on its way; `None` if it was.
    pub async fn rollout_until_killed(&self, event: Value) -> Option<Result<RolloutReport, Error>> {
        let killed = async {
            self.simulator.killed().await;
            None
        };
        let invoked = async { Some(self.rollout(event).await) };
        tokio::select! {
            biased;
            ended = killed => ended,
            ended = invoked => ended,
        }
    }

    /// Scheduled invocations, a minute after each other's begin, until none has anything to do; the reports.
    pub async fn resumed(&self, at_most: u32) -> Vec<RolloutReport> {
        let mut reports = Vec::new();
        for _ in 0..at_most {
            let next = Instant::now() + Duration::from_mins(1);
            let report = self.rollout(json!({})).await.expect("the scheduled invocation succeeds");
            let is_quiet = report.groups.is_empty();
            reports.push(report);
            if is_quiet {
                break;
            }
            tokio::time::sleep_until(next).await;
        }
        reports
    }

    /// A start and what the schedule makes of it, while the function `drain` answers to what the bus delivers.
    pub async fn rolled_out(&self, bus: &mut EventBridge, time: Duration) -> (Vec<RolloutReport>, Lived) {
        let rolled = async {
            let first = self.rollout(start()).await.expect("the start succeeds");
            let mut reports = vec![first];
            reports.extend(self.resumed(40).await);
            reports
        };
        tokio::join!(rolled, self.live(bus, time))
    }
}
