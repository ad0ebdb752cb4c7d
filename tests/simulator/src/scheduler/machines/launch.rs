//! What a machine is launched with, and the launch.
//!
//! Booting and the start of the agent are drawn here, once for each machine; nothing else about machines draws numbers
//! but `start`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::account::{Account, Joining, Machine, MachineState, Market, Tags};
use crate::scheduler::{emission, events};

/// How long machines take to get ready; each machine draws its own times around these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boot {
    /// From pending to running.
    pub machine: Duration,
    /// From running to the agent's registration.
    pub agent: Duration,
    /// How many in a hundred register late.
    pub late_percent: u32,
    /// By how much.
    pub late_by: Duration,
    /// How many in a hundred never register.
    pub never_percent: u32,
}

impl Default for Boot {
    fn default() -> Self {
        Self {
            machine: Duration::from_secs(15),
            agent: Duration::from_secs(40),
            late_percent: 0,
            late_by: Duration::from_mins(10),
            never_percent: 0,
        }
    }
}

/// What `launch` is asked for.
#[derive(Clone, Debug)]
pub struct LaunchRequest {
    /// Availability Zone.
    pub zone: String,
    /// Instance type.
    pub instance_type: String,
    /// AMI.
    pub image_id: String,
    /// How it is paid for.
    pub market: Market,
    /// Auto Scaling group it is launched for.
    pub group: Option<String>,
    /// Launch template id and version.
    pub launch_template: Option<(String, u64)>,
    /// How it joins a cluster; `after` is drawn anew from `boot`.
    pub joins: Option<Joining>,
    /// How long it takes to get ready.
    pub boot: Boot,
    /// Whether its agent runs with `ECS_ENABLE_SPOT_INSTANCE_DRAINING=true`.
    pub agent_drains_on_spot: bool,
    /// Tags.
    pub tags: Tags,
}

impl LaunchRequest {
    /// An On-Demand `m5.large` in this zone that belongs to nothing and joins no cluster.
    pub fn new(zone: &str) -> Self {
        Self {
            zone: zone.to_owned(),
            instance_type: "m5.large".to_owned(),
            image_id: "ami-0123456789abcdef0".to_owned(),
            market: Market::OnDemand,
            group: None,
            launch_template: None,
            joins: None,
            boot: Boot::default(),
            agent_drains_on_spot: false,
            tags: Tags::new(),
        }
    }
}

/// Launches a machine, which is pending from now on; its id is returned.
pub fn launch(account: &mut Account, request: LaunchRequest) -> String {
    let id = format!("i-{}", &account.next_id()[15..]);
    let booted = account.now + account.draw_around(request.boot.machine);
    let after = agent_start(account, request.boot);
    let LaunchRequest { zone, instance_type, image_id, market, group, launch_template, joins, tags, .. } =
        request;
    events::note(account, "ec2", &id, &format!("launched in {zone}"));
    let machine = Machine {
        id: id.clone(),
        zone,
        instance_type,
        image_id,
        market,
        state: MachineState::Pending,
        state_since: account.now,
        state_until: Some(booted),
        state_reason: None,
        ended_by: None,
        launched_at: account.now,
        group,
        launch_template,
        interruption: None,
        rebalance_recommended_at: None,
        joins: joins.map(|joins| Joining { after, ..joins }),
        agent_due: None,
        agent_drains_on_spot: request.agent_drains_on_spot,
        killed: BTreeMap::new(),
        tags,
    };
    account.machines.insert(id.clone(), machine);
    emission::state_change(account, &id);
    id
}

/// When the agent will have registered, counted from running; never for some.
fn agent_start(account: &mut Account, boot: Boot) -> Option<Duration> {
    let (start, lot) = (account.draw_around(boot.agent), account.draw() % 100);
    let late = lot < u64::from(boot.never_percent + boot.late_percent);
    let never = lot < u64::from(boot.never_percent);
    (!never).then_some(if late { start + boot.late_by } else { start })
}
