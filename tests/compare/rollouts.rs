//! Every instance of a group replaced under every policy: how long it takes and what it costs.

mod clusters;
mod detach;
mod rivals;
mod watch;

use std::time::Duration;

use evenkeel_tests::drains::bus;
use evenkeel_tests::rollouts::start;
use evenkeel_tests::{Stage, play};
use simulator::account::{Account, TaskStatus};
use simulator::event_bridge::Mishaps;

use crate::costs;
use crate::job::{Job, Policy};
use crate::measures::{Measure, NEVER, Outcome};
use clusters::{Cluster, FOREIGN_HOOK};
use rivals::Rival;
use watch::{Watch, watched};

/// Replacing every instance of a group by one of a new version.
pub(crate) struct Rollouts;

const CLUSTERS: [Cluster; 4] = [
    Cluster { size: 4, has_hook: false },
    Cluster { size: 10, has_hook: false },
    Cluster { size: 9, has_hook: true },
    Cluster { size: 30, has_hook: false },
];

/// Scheduled invocations that a rollout is given.
const RUNS_MAX: u32 = 40;

/// Longer than any of them takes; the bus delivers until then.
const LIFETIME: Duration = Duration::from_hours(12);

/// Until the books are closed: instances that were told to go are gone by then, and their tasks run elsewhere.
const SETTLE: Duration = Duration::from_mins(5);

/// How the instances are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    Evenkeel,
    Article,
    DetachAndDouble,
    DoubleThenShrink,
    Refresh,
}

impl Peer {
    const ALL: [Self; 5] =
        [Self::Evenkeel, Self::Article, Self::DetachAndDouble, Self::DoubleThenShrink, Self::Refresh];

    fn name(self) -> &'static str {
        match self {
            Self::Evenkeel => "Evenkeel",
            Self::Article => "drain, double, shrink",
            Self::DetachAndDouble => "detach and double",
            Self::DoubleThenShrink => "double, then shrink",
            Self::Refresh => "refresh, managed draining",
        }
    }

    fn does(self) -> &'static str {
        match self {
            Self::Evenkeel => {
                "The function `rollout`: a start and its schedule of one minute, with its defaults."
            }
            Self::Article => {
                "The article: all old instances DRAINING, twice the size, and when nothing runs on them back to the old \
                 size, where OldestInstance is to choose them."
            }
            Self::DetachAndDouble => {
                "As silinternational/ecs-ami-deploy: detaches all old instances without decrement, and when twice as many \
                 are registered deregisters each by force, waits until the services are steady, and terminates it. \
                 What ECS has forgotten counts as gone, though its containers may run on for a while."
            }
            Self::DoubleThenShrink => {
                "Twice the size, and back to it when so many serve; the default termination policy chooses who leaves, \
                 and nothing is drained."
            }
            Self::Refresh => {
                "An instance refresh that launches first, with ECS's managed draining. The simulated account has none, \
                 so that it is played by its steps: the desired capacity raised by a tenth, at least one; when so many \
                 more serve and a minute of warm-up is over, as many old instances terminated with decrement; and so on \
                 when managed draining has let them go."
            }
        }
    }

    async fn act(self, stage: &Stage, seed: u64, cluster: Cluster, rival: &Rival) {
        match self {
            Self::Evenkeel => Box::pin(evenkeel(stage, seed, cluster)).await,
            Self::Article => Box::pin(rival.article()).await,
            Self::DetachAndDouble => Box::pin(rival.detach_and_double(stage)).await,
            Self::DoubleThenShrink => Box::pin(rival.double_then_shrink()).await,
            Self::Refresh => Box::pin(rival.refresh()).await,
        }
    }
}

impl Job for Rollouts {
    fn name(&self) -> &'static str {
        "Rollout"
    }

    fn about(&self) -> &'static str {
        "A group over three zones gets a new version of its launch template; on each instance there are two tasks of a bare \
         service and one behind a load balancer with a deregistration delay of a minute. The least number of moves are \
         the tasks on old instances. The floor of the time leaves out somebody else's hook, which holds each \
         instance for a minute."
    }

    fn families(&self) -> Vec<String> {
        CLUSTERS.iter().map(|cluster| cluster.words()).collect()
    }

    fn policies(&self) -> Vec<Policy> {
        Peer::ALL.into_iter().map(|it| Policy { name: it.name().to_owned(), does: it.does() }).collect()
    }

    fn measures(&self) -> &'static [Measure] {
        &[
            Measure::Seconds,
            Measure::OverFloor,
            Measure::OldLeft,
            Measure::Killed,
            Measure::CutOff,
            Measure::Below,
            Measure::Dip,
            Measure::Starts,
            Measure::Bound,
            Measure::Ratio,
            Measure::SurplusInstanceSeconds,
            Measure::SurplusTaskSeconds,
            Measure::SizesChanged,
            Measure::ApiCalls,
        ]
    }

    fn goals(&self) -> &'static [Measure] {
        &[Measure::OldLeft, Measure::SizesChanged]
    }

    fn claims(&self) -> &'static [Measure] {
        &[Measure::Below, Measure::Killed, Measure::OldLeft]
    }

    fn play(&self, family: usize, policy: usize, seed: u64) -> Outcome {
        let (cluster, peer) = (CLUSTERS[family], Peer::ALL[policy]);
        play(seed, cluster.account(seed, peer), async |stage| {
            let before = stage.simulator.account(Before::of);
            let rival = Rival::new(&stage, cluster.size);
            let work = async {
                peer.act(&stage, seed, cluster, &rival).await;
                tokio::time::sleep(SETTLE).await;
            };
            let watch = Box::pin(watched(&stage, work)).await;
            costs::assert_promises(&stage, policy);
            let calls = costs::calls(&stage) + rival.calls_beside();
            measured(&stage, &before, &watch, peer).with(Measure::ApiCalls, calls)
        })
    }
}

/// A start and the schedule until nothing is left to do. Where the group has Evenkeel's hook, `drain` answers beside it.
async fn evenkeel(stage: &Stage, seed: u64, cluster: Cluster) {
    let rolled = Box::pin(async {
        let _ = stage.rollout(start()).await.expect("the start succeeds");
        stage.resumed(RUNS_MAX).await;
        tokio::time::sleep(SETTLE).await;
    });
    if !cluster.has_hook {
        return rolled.await;
    }
    stage.simulator.checkers(|it| it.foreign_hook(FOREIGN_HOOK));
    let mut events = bus(seed, Mishaps::default());
    tokio::select! {
        () = rolled => {}
        _ = stage.live(&mut events, LIFETIME) => {}
    }
}

/// How a group was before anything ran.
struct Before {
    sizes: (u32, u32, u32),
    tasks: u64,
}

impl Before {
    fn of(account: &Account) -> Self {
        let services = account.clusters["web"].services.values();
        let tasks: u32 = services.map(|service| service.desired_count).sum();
        Self { sizes: sizes(account), tasks: tasks.into() }
    }
}

fn sizes(account: &Account) -> (u32, u32, u32) {
    let group = &account.auto_scaling_groups["web-asg"];
    (group.min_size, group.desired_capacity, group.max_size)
}

fn measured(stage: &Stage, before: &Before, watch: &Watch, peer: Peer) -> Outcome {
    let is_changed = stage.simulator.account(sizes) != before.sizes;
    let outcome = costs::common(stage)
        .with_starts(costs::starts(stage), before.tasks)
        .with(Measure::Seconds, watch.replaced_after.unwrap_or(NEVER))
        .with(Measure::OldLeft, watch.old_left)
        .with(Measure::CutOff, costs::died(stage, &[TaskStatus::Deactivating, TaskStatus::Stopping]))
        .with(Measure::SurplusInstanceSeconds, watch.surplus_seconds)
        .with(Measure::SizesChanged, is_changed.into());
    match watch.replaced_after.filter(|_| peer == Peer::Evenkeel) {
        Some(seconds) => outcome.with(Measure::OverFloor, seconds * 100 / watch.floor().max(1)),
        None => outcome,
    }
}
