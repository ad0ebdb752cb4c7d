//! Everybody else: Spot, autoscaling, deployments, people, infrastructure as code. Each acts at moments drawn from the seed.
//! What each does is in `acts`.

use std::time::Duration;

use evenkeel_tests::Stage;
use evenkeel_tests::clusters::ZONES;
use serde_json::{Value, json};
use simulator::account::{Account, InterruptionAction, LifecycleState, Market};
use tokio::time::Instant;

use crate::acts;
use crate::coverage::Focus;

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Interrupt,
    Recommend,
    Scale,
    Deploy,
    TaskDies,
    Protect,
    Pause,
    DrainByHand,
    Shortage,
    ZoneLost,
    Resize,
    InfrastructureAsCode,
    AskForRebalance,
    AskForDrain,
    Rollout,
    Abort,
}

/// How many hours lie between two times, on average.
const ACTS: [(Act, f64); 16] = [
    (Act::Interrupt, 3.0),
    (Act::Recommend, 8.0),
    (Act::Scale, 1.0),
    (Act::Deploy, 3.0),
    (Act::TaskDies, 2.0),
    (Act::Protect, 10.0),
    (Act::Pause, 12.0),
    (Act::DrainByHand, 12.0),
    (Act::Shortage, 8.0),
    (Act::ZoneLost, 40.0),
    (Act::Resize, 12.0),
    (Act::InfrastructureAsCode, 16.0),
    (Act::AskForRebalance, 4.0),
    (Act::AskForDrain, 10.0),
    (Act::Rollout, 6.0),
    (Act::Abort, 16.0),
];

/// How long a pause, a drain by hand, a shortage and a foreign protection last.
const FOR_A_WHILE: Duration = Duration::from_mins(20);

/// How long after its start a rollout is aborted in runs that are after the way back, at most.
const SECONDS_TO_ABORT: u64 = 600;

/// When the first rollout begins in runs that are after one.
const EARLY: Duration = Duration::from_mins(12);

/// A command that somebody sends to a function.
pub(crate) type Command = (&'static str, Value);

/// What others change, and what may be expected at the end because of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Others {
    /// Services that others scale.
    pub(crate) scaled: Vec<String>,
    /// Whether ECS sizes the group.
    pub(crate) is_managed: bool,
    /// Whether somebody has given the group another desired capacity.
    pub(crate) resized: bool,
    /// Whether somebody took a record of Evenkeel's off the group.
    pub(crate) erased: bool,
}

/// The others of one run.
pub(crate) struct Actors {
    dice: fastrand::Rng,
    next: Vec<(Instant, Act)>,
    abort_at: Option<Instant>,
    focus: Focus,
    pub(crate) others: Others,
    /// What is taken back, and when.
    back: Vec<(Instant, Back)>,
    /// Minimum and maximum of the group, which nobody changes.
    bounds: (u32, u32),
}

enum Back {
    Pause,
    Terminate(String),
    Activate(String),
}

impl Actors {
    pub(crate) fn new(seed: u64, stage: &Stage, focus: Focus, others: Others) -> Self {
        for name in &others.scaled {
            stage.simulator.checkers(|it| it.leave_to_others(&format!("web/{name}")));
        }
        let mut dice = fastrand::Rng::with_seed(seed ^ 0xac70);
        let first = |(act, _): &(Act, f64)| {
            // A run that is after a rollout begins with one.
            let is_early = *act == Act::Rollout && focus.is_of_rollouts();
            let usual = wait(&mut dice, hours(*act, focus));
            (Instant::now() + if is_early { EARLY } else { usual }, *act)
        };
        let next = ACTS.iter().map(first).collect();
        Self { dice, next, abort_at: None, focus, others, back: Vec::new(), bounds: acts::bounds(stage) }
    }

    /// Whoever is due acts; the commands that were sent.
    pub(crate) fn act(&mut self, stage: &Stage) -> Vec<Command> {
        self.take_back(stage, false);
        let now = Instant::now();
        let mut commands = Vec::new();
        if self.abort_at.is_some_and(|at| at <= now) {
            self.abort_at = None;
            commands.push(rollout("abort"));
        }
        for number in 0..self.next.len() {
            let (at, act) = self.next[number];
            if at <= now {
                self.next[number].0 = now + wait(&mut self.dice, hours(act, self.focus));
                commands.extend(self.one(stage, act));
            }
        }
        commands
    }

    /// Everybody goes home: what is under way is taken back. Whoever erased a record reads in the report that it is lost,
    /// and aborts.
    pub(crate) fn go_home(&mut self, stage: &Stage) -> Vec<Command> {
        self.take_back(stage, true);
        stage.simulator.change(|account| {
            for zone in ZONES {
                account.has_capacity_again(zone, Market::Spot);
                account.has_capacity_again(zone, Market::OnDemand);
            }
        });
        if self.others.erased { vec![rollout("abort")] } else { Vec::new() }
    }

    /// Tells the checkers what others want by now.
    pub(crate) fn tell(&self, stage: &Stage) {
        if self.others.is_managed || self.others.resized {
            acts::tell_sizes(stage, self.bounds);
        }
    }

    fn one(&mut self, stage: &Stage, act: Act) -> Option<Command> {
        let until = Instant::now() + FOR_A_WHILE;
        let change = |change: &mut dyn FnMut(&mut Account)| stage.simulator.change(change);
        match act {
            Act::Interrupt | Act::Recommend | Act::AskForDrain => return self.strike_a_member(stage, act),
            Act::Scale => acts::scale(stage, &mut self.dice, &self.others.scaled),
            Act::Deploy => acts::deploy(stage, &mut self.dice),
            Act::TaskDies => acts::task_dies(stage, &mut self.dice),
            Act::Protect => acts::protect(stage, &mut self.dice, FOR_A_WHILE),
            Act::Pause => {
                change(&mut |account| acts::pause(account, true));
                self.back.push((until, Back::Pause));
            }
            Act::DrainByHand => self.drain_by_hand(stage, until),
            Act::Shortage => {
                let zone = ZONES[self.dice.usize(..ZONES.len())];
                change(&mut |account| account.run_short(zone, Market::Spot, 0, account.now + FOR_A_WHILE));
            }
            Act::ZoneLost => acts::lose_zone(stage, ZONES[self.dice.usize(..ZONES.len())], FOR_A_WHILE),
            Act::Resize if self.others.is_managed => {}
            Act::Resize => {
                self.others.resized = true;
                acts::resize(stage, &mut self.dice);
            }
            Act::InfrastructureAsCode => {
                self.others.erased |= acts::apply(stage, &self.others.scaled);
            }
            Act::AskForRebalance => return Some(("rebalance", json!({"cluster": "web"}))),
            Act::Rollout => return Some(self.roll_out(stage)),
            Act::Abort => return Some(rollout("abort")),
        }
        None
    }

    fn strike_a_member(&mut self, stage: &Stage, act: Act) -> Option<Command> {
        let id = self.member(stage)?;
        match act {
            Act::Interrupt => stage.simulator.change(|account| {
                simulator::scheduler::spot::interrupt(account, &id, InterruptionAction::Terminate);
            }),
            Act::Recommend => {
                stage.simulator.change(|account| simulator::scheduler::spot::recommend(account, &id));
            }
            _ => return Some(("drain", json!({"instanceId": id, "cluster": "web"}))),
        }
        None
    }

    /// A new AMI is rolled out; in runs that are after the way back somebody thinks better of it.
    fn roll_out(&mut self, stage: &Stage) -> Command {
        stage.simulator.change(crate::world::new_version);
        if self.focus.is_of_the_way_back() {
            self.abort_at = Some(Instant::now() + Duration::from_secs(self.dice.u64(10..SECONDS_TO_ABORT)));
        }
        rollout("start")
    }

    /// An instance in service.
    fn member(&mut self, stage: &Stage) -> Option<String> {
        let all: Vec<String> = stage.simulator.account(|account| {
            let all = account.auto_scaling_groups["web-asg"].instances.values();
            all.filter(|it| it.state == LifecycleState::InService).map(|it| it.id.clone()).collect()
        });
        self.dice.choice(&all).cloned()
    }

    /// Whoever drains by hand ends the instance as well, or thinks better of it.
    fn drain_by_hand(&mut self, stage: &Stage, until: Instant) {
        let Some(id) = self.member(stage) else { return };
        let Some(arn) = stage.simulator.change(|account| acts::set_draining(account, &id)) else { return };
        stage.simulator.checkers(|it| it.foreign_drain(&arn));
        stage.simulator.checkers(|it| it.leave_to_others(&id));
        let back = if self.dice.bool() { Back::Terminate(id) } else { Back::Activate(arn) };
        self.back.push((until, back));
    }

    fn take_back(&mut self, stage: &Stage, all: bool) {
        let now = Instant::now();
        let (due, later): (Vec<_>, Vec<_>) = self.back.drain(..).partition(|(at, _)| all || *at <= now);
        self.back = later;
        for (_, back) in due {
            match back {
                Back::Pause => stage.simulator.change(|account| acts::pause(account, false)),
                Back::Terminate(id) => stage.simulator.change(|account| {
                    simulator::scheduler::machines::terminate(account, &id, "person");
                }),
                Back::Activate(arn) => acts::activate(stage, &arn),
            }
        }
    }
}

/// Rollouts are more frequent in runs that are after one.
fn hours(act: Act, focus: Focus) -> f64 {
    let usual = ACTS.iter().find(|(it, _)| *it == act).map_or(1.0, |(_, hours)| *hours);
    if act == Act::Rollout && focus.is_of_rollouts() { 1.5 } else { usual }
}

/// Exponential waits: no two actors keep step.
fn wait(dice: &mut fastrand::Rng, hours: f64) -> Duration {
    let draw = -(1.0 - dice.f64()).ln() * hours;
    Duration::from_secs_f64(draw * 3600.0)
}

fn rollout(action: &str) -> Command {
    let event = match action {
        "start" => evenkeel_tests::rollouts::start(),
        _ => evenkeel_tests::rollouts::command(action),
    };
    ("rollout", event)
}
