//! Spot interruptions under every policy: what the instances' tasks come to, and the group.

mod peers;

use std::time::Duration;

use evenkeel_tests::drains::large;
use evenkeel_tests::{Stage, play};
use simulator::account::{InterruptionAction, LifecycleState, TaskStatus};
use simulator::scheduler::spot;

use crate::costs;
use crate::job::{Job, Policy};
use crate::measures::{Measure, NEVER, Outcome};
use peers::Peer;

/// Emptying instances that EC2 takes away, and replacing them.
pub(crate) struct Drains;

/// A group of which some instances are interrupted at once.
#[derive(Clone, Copy, Debug)]
struct Cluster {
    interrupted: usize,
    size: u32,
    /// Tasks on each instance, of which sixteen would fill it.
    each: usize,
}

const CLUSTERS: [Cluster; 4] = [
    Cluster { interrupted: 1, size: 3, each: 6 },
    Cluster { interrupted: 5, size: 10, each: 6 },
    Cluster { interrupted: 5, size: 10, each: 12 },
    Cluster { interrupted: 50, size: 200, each: 12 },
];

/// Until the books are closed: a group notices a dead instance within minutes.
const PATIENCE: Duration = Duration::from_mins(15);

impl Job for Drains {
    fn name(&self) -> &'static str {
        "Drain"
    }

    fn about(&self) -> &'static str {
        "Instances of a group without a lifecycle hook get the documented two minutes of notice, all at once; on each there \
         is one task of every service. The books are closed after a quarter of an hour, and calls are counted until \
         then, those of the schedules included. The least number of moves are the tasks that lay there."
    }

    fn families(&self) -> Vec<String> {
        let words =
            |it: &Cluster| format!("{} of {}, {} % reserved", it.interrupted, it.size, it.each * 100 / 16);
        CLUSTERS.iter().map(words).collect()
    }

    fn policies(&self) -> Vec<Policy> {
        Peer::ALL.into_iter().map(|it| Policy { name: it.name().to_owned(), does: it.does() }).collect()
    }

    fn measures(&self) -> &'static [Measure] {
        &[
            Measure::InTime,
            Measure::Killed,
            Measure::Below,
            Measure::Dip,
            Measure::SubstituteAfter,
            Measure::SurplusInstances,
            Measure::Starts,
            Measure::Bound,
            Measure::Ratio,
            Measure::SurplusTaskSeconds,
            Measure::ApiCalls,
            Measure::Seconds,
        ]
    }

    fn goals(&self) -> &'static [Measure] {
        &[Measure::Killed, Measure::SurplusInstances]
    }

    fn claims(&self) -> &'static [Measure] {
        &[Measure::Below, Measure::Killed]
    }

    fn play(&self, family: usize, policy: usize, seed: u64) -> Outcome {
        let (cluster, peer) = (CLUSTERS[family], Peer::ALL[policy]);
        let (account, ids) = large(seed, cluster.size, cluster.each, peer == Peer::Agent, |it| it);
        play(seed, account, async |stage| {
            let ids = &ids[..cluster.interrupted];
            let begin = stage.simulator.now();
            stage.simulator.change(|account| {
                for id in ids {
                    spot::interrupt(account, id, InterruptionAction::Terminate);
                }
            });
            Box::pin(peer.act(&stage, seed, ids, PATIENCE)).await;
            costs::assert_promises(&stage, policy);
            measured(&stage, ids, cluster.size)
                .with(Measure::ApiCalls, costs::calls(&stage))
                .with(Measure::Seconds, costs::seconds_since(&stage, begin))
        })
    }
}

fn measured(stage: &Stage, ids: &[String], size: u32) -> Outcome {
    let drains: Vec<_> = ids.iter().map(|id| stage.drained(id)).collect();
    let tasks: u64 = drains.iter().flat_map(|drain| drain.tasks.values()).map(|it| u64::from(*it)).sum();
    let in_service = stage.simulator.account(|account| {
        let instances = account.auto_scaling_groups["web-asg"].instances.values();
        instances.filter(|it| it.state == LifecycleState::InService).count()
    });
    let killed = costs::died(stage, &[TaskStatus::Running]);
    let mut launched: Vec<u64> =
        drains.iter().map(|drain| drain.substitute_launched_after.unwrap_or(NEVER)).collect();
    launched.sort_unstable();
    costs::common(stage)
        .with_starts(costs::starts(stage), tasks)
        .with(Measure::InTime, (tasks - killed) * 100 / tasks.max(1))
        .with(Measure::SubstituteAfter, launched[(launched.len() - 1) / 2])
        .with(Measure::SurplusInstances, (in_service as u64).abs_diff(size.into()))
}
