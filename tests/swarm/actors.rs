//! Everybody else: Spot, autoscaling, deployments, people. Each acts at moments drawn from the seed, and what they do is
//! theirs: checkers are told where they could take it for Evenkeel's.

use std::time::Duration;

use evenkeel_tests::Stage;
use evenkeel_tests::clusters::ZONES;
use simulator::account::{Account, ContainerInstanceStatus, InterruptionAction, LifecycleState, Market};
use simulator::scheduler::deployments::start_deployment;
use simulator::scheduler::{events, machines, spot};
use tokio::time::Instant;

use crate::world::new_version;

/// What somebody does, and how many hours lie between two times, on average.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Interrupt,
    Recommend,
    Scale,
    Deploy,
    Pause,
    DrainByHand,
    Shortage,
    Rollout,
    Abort,
}

const ACTS: [(Act, f64); 9] = [
    (Act::Interrupt, 3.0),
    (Act::Recommend, 6.0),
    (Act::Scale, 1.0),
    (Act::Deploy, 3.0),
    (Act::Pause, 12.0),
    (Act::DrainByHand, 10.0),
    (Act::Shortage, 8.0),
    (Act::Rollout, 5.0),
    (Act::Abort, 14.0),
];

/// How long a pause, a drain by hand and a shortage last.
const FOR_A_WHILE: Duration = Duration::from_mins(20);

/// What an act asks of the functions.
pub(crate) enum Asks {
    /// Nothing.
    Nothing,
    /// To roll out, or to end it.
    Rollout(&'static str),
}

/// The others of one run.
pub(crate) struct Actors {
    dice: fastrand::Rng,
    next: Vec<(Instant, Act)>,
    scaled: Vec<String>,
    /// What is taken back, and when.
    back: Vec<(Instant, Back)>,
}

enum Back {
    Pause,
    Drain(String),
}

impl Actors {
    pub(crate) fn new(seed: u64, stage: &Stage, scaled: Vec<String>) -> Self {
        for name in &scaled {
            stage.simulator.checkers(|it| it.leave_to_others(&format!("web/{name}")));
        }
        let mut dice = fastrand::Rng::with_seed(seed ^ 0xac70);
        let next = ACTS.iter().map(|(act, hours)| (Instant::now() + wait(&mut dice, *hours), *act)).collect();
        Self { dice, next, scaled, back: Vec::new() }
    }

    /// Whoever is due acts.
    pub(crate) fn act(&mut self, stage: &Stage) -> Vec<Asks> {
        self.take_back(stage, false);
        let now = Instant::now();
        let mut asks = Vec::new();
        for number in 0..self.next.len() {
            let (at, act) = self.next[number];
            if at <= now {
                let hours = ACTS.iter().find(|(it, _)| *it == act).map_or(1.0, |(_, hours)| *hours);
                self.next[number].0 = now + wait(&mut self.dice, hours);
                asks.push(self.one(stage, act));
            }
        }
        asks
    }

    /// Everybody goes home: what is under way is taken back.
    pub(crate) fn go_home(&mut self, stage: &Stage) {
        self.take_back(stage, true);
        stage.simulator.change(|account| {
            for zone in ZONES {
                account.has_capacity_again(zone, Market::Spot);
            }
        });
    }

    fn one(&mut self, stage: &Stage, act: Act) -> Asks {
        let until = Instant::now() + FOR_A_WHILE;
        match act {
            Act::Interrupt | Act::Recommend => {
                let Some(id) = self.member(stage) else { return Asks::Nothing };
                stage.simulator.change(|account| match act {
                    Act::Interrupt => spot::interrupt(account, &id, InterruptionAction::Terminate),
                    _ => spot::recommend(account, &id),
                });
            }
            Act::Scale => self.scale(stage),
            Act::Deploy => self.deploy(stage),
            Act::Pause => {
                stage.simulator.change(|account| pause(account, true));
                self.back.push((until, Back::Pause));
            }
            Act::DrainByHand => self.drain_by_hand(stage, until),
            Act::Shortage => stage.simulator.change(|account| {
                let (zone, until) = (ZONES[self.dice.usize(..ZONES.len())], account.now + FOR_A_WHILE);
                account.run_short(zone, Market::Spot, 0, until);
            }),
            Act::Rollout => {
                stage.simulator.change(new_version);
                return Asks::Rollout("start");
            }
            Act::Abort => return Asks::Rollout("abort"),
        }
        Asks::Nothing
    }

    /// An instance in service.
    fn member(&mut self, stage: &Stage) -> Option<String> {
        let all: Vec<String> = stage.simulator.account(|account| {
            let all = account.auto_scaling_groups["web-asg"].instances.values();
            all.filter(|it| it.state == LifecycleState::InService).map(|it| it.id.clone()).collect()
        });
        self.dice.choice(&all).cloned()
    }

    fn scale(&mut self, stage: &Stage) {
        let Some(name) = self.dice.choice(&self.scaled).cloned() else { return };
        let desired = self.dice.u32(1..=6);
        stage.simulator.change(|account| {
            let services = &mut account.clusters.get_mut("web").expect("it is built").services;
            services.get_mut(&name).expect("it is built").desired_count = desired;
            events::note(account, "autoscaling", &name, &format!("wants {desired} tasks"));
        });
    }

    fn deploy(&mut self, stage: &Stage) {
        let all: Vec<(String, String)> = stage.simulator.account(|account| {
            let all = account.clusters["web"].services.values();
            all.map(|it| (it.name.clone(), it.task_definition.clone())).collect()
        });
        let Some((name, definition)) = self.dice.choice(&all) else { return };
        stage.simulator.change(|account| start_deployment(account, "web", name, definition));
    }

    fn drain_by_hand(&mut self, stage: &Stage, until: Instant) {
        let Some(id) = self.member(stage) else { return };
        let drained = stage.simulator.change(|account| set_draining(account, &id));
        if let Some(arn) = drained {
            stage.simulator.checkers(|it| it.foreign_drain(&arn));
            // Whoever drains it ends it as well.
            stage.simulator.checkers(|it| it.leave_to_others(&id));
            self.back.push((until, Back::Drain(id)));
        }
    }

    fn take_back(&mut self, stage: &Stage, all: bool) {
        let now = Instant::now();
        let (due, later): (Vec<_>, Vec<_>) = self.back.drain(..).partition(|(at, _)| all || *at <= now);
        self.back = later;
        for (_, back) in due {
            stage.simulator.change(|account| match back {
                Back::Pause => pause(account, false),
                Back::Drain(id) => machines::terminate(account, &id, "person"),
            });
        }
    }
}

/// Exponential waits: no two actors keep step.
fn wait(dice: &mut fastrand::Rng, hours: f64) -> Duration {
    let draw = -(1.0 - dice.f64()).ln() * hours;
    Duration::from_secs_f64(draw * 3600.0)
}

fn pause(account: &mut Account, is_paused: bool) {
    let tags = &mut account.clusters.get_mut("web").expect("it is built").tags;
    if is_paused {
        tags.insert("evenkeel:pause".to_owned(), "swarm".to_owned());
    } else {
        tags.remove("evenkeel:pause");
    }
}

/// Sets an instance DRAINING; its ARN if it was ACTIVE, and is not in Evenkeel's hands.
fn set_draining(account: &mut Account, id: &str) -> Option<String> {
    let all = account.clusters.get_mut("web").expect("it is built").container_instances.values_mut();
    let is_ours = |name: &String| name.starts_with("evenkeel.");
    let mut found = all.filter(|it| it.ec2_instance_id == id && it.status == ContainerInstanceStatus::Active);
    let instance = found.find(|it| !it.attributes.keys().any(is_ours))?;
    instance.status = ContainerInstanceStatus::Draining;
    Some(instance.arn.clone())
}
