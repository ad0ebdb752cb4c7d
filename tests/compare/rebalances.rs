//! Every family of clusters under every policy: what it costs to even it out, and what is left.
//!
//! Family 19 is left out: it differs from the first only in what others do meanwhile, which is nothing here.

mod peers;
mod shares;

use evenkeel::plan::load::Loads;
use evenkeel::plan::proposal::RebalancePlan;
use evenkeel::plan::rebalance::plan_rebalance;
use evenkeel::snapshot::ClusterSnapshot;
use evenkeel_tests::families::{FAMILIES, Family, Load};
use evenkeel_tests::{Stage, foreseen, play};

use crate::costs;
use crate::job::{Job, Policy};
use crate::measures::{Measure, Outcome};
use peers::Peer;

/// Evening out a lopsided cluster.
pub(crate) struct Rebalances;

fn played() -> impl Iterator<Item = &'static Family> {
    FAMILIES.iter().filter(|family| family.load != Load::Flaps)
}

impl Job for Rebalances {
    fn name(&self) -> &'static str {
        "Rebalance"
    }

    fn about(&self) -> &'static str {
        "Clusters of four to ten instances that got lopsided in one way each. A policy acts until it has nothing more to \
         do; the books are closed when no task has started or stopped for a quarter of an hour. Evenkeel runs on its \
         schedule of ten minutes and waits an hour between its layers, since a task that has just come is not moved for \
         load: its time is what that takes. The least number of moves is the proven bound of the first layer, the even \
         spread of every service; moves of the second, the even load of instances, come on top."
    }

    fn families(&self) -> Vec<String> {
        played().map(|family| family.name.to_owned()).collect()
    }

    fn policies(&self) -> Vec<Policy> {
        Peer::ALL.into_iter().map(|peer| Policy { name: peer.name(), does: peer.does() }).collect()
    }

    fn measures(&self) -> &'static [Measure] {
        &[
            Measure::Starts,
            Measure::Bound,
            Measure::Ratio,
            Measure::Below,
            Measure::Dip,
            Measure::Killed,
            Measure::MovesLeft,
            Measure::AboveBest,
            Measure::LoadLeft,
            Measure::LoadSkew,
            Measure::SurplusTaskSeconds,
            Measure::ApiCalls,
            Measure::Seconds,
        ]
    }

    fn goals(&self) -> &'static [Measure] {
        &[Measure::MovesLeft, Measure::AboveBest, Measure::LoadLeft]
    }

    fn claims(&self) -> &'static [Measure] {
        &[Measure::Below, Measure::Killed, Measure::MovesLeft]
    }

    fn play(&self, family: usize, policy: usize, seed: u64) -> Outcome {
        let account = played().nth(family).expect("a family of the list").account(seed);
        let peer = Peer::ALL[policy];
        play(seed, account, async |stage| {
            let bound = excess(&plan_rebalance(&foreseen::observed(&stage.aws()).await, &foreseen::limits()));
            let (begin, read) = (stage.simulator.now(), costs::calls(&stage));
            Box::pin(peer.act(&stage)).await;
            let made = costs::calls(&stage) - read;
            costs::settle(&stage).await;
            costs::assert_promises(&stage, policy);
            left(&stage)
                .await
                .with_starts(costs::starts(&stage), bound)
                .with(Measure::ApiCalls, made)
                .with(Measure::Seconds, costs::seconds_since(&stage, begin))
        })
    }
}

/// What the play cost and how the cluster stands, with zones no longer left to ECS: the planner would count nothing there.
async fn left(stage: &Stage) -> Outcome {
    stage.simulator.change(|account| {
        let services = account.clusters.values_mut().flat_map(|cluster| cluster.services.values_mut());
        services.for_each(|service| service.availability_zone_rebalancing = false);
    });
    let after = foreseen::observed(&stage.aws()).await;
    let plan = plan_rebalance(&after, &foreseen::limits());
    costs::common(stage)
        .with(Measure::MovesLeft, excess(&plan))
        .with(Measure::AboveBest, above_best(&plan))
        .with(Measure::LoadLeft, load_left(&after))
        .with(Measure::LoadSkew, shares::skew(&after))
}

fn excess(plan: &RebalancePlan) -> u64 {
    plan.services.iter().map(|service| u64::from(service.excess)).sum()
}

/// The service furthest above the skew of the best split that it can reach.
fn above_best(plan: &RebalancePlan) -> u64 {
    let gaps = plan
        .services
        .iter()
        .filter_map(|service| Some(service.raw_skew?.get().saturating_sub(service.best_skew?.get())));
    gaps.max().unwrap_or_default().into()
}

/// The worst skew of instances that are compared with one another and are not even enough.
fn load_left(snapshot: &ClusterSnapshot) -> u64 {
    let limits = foreseen::limits();
    let loads = Loads::of(snapshot, &limits, &std::collections::BTreeSet::new());
    let uneven = loads.groups.iter().filter(|group| loads.is_uneven(group, limits.skew_threshold));
    uneven.map(|group| u64::from(loads.skew(group).get())).max().unwrap_or_default()
}
