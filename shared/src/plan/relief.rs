//! The second layer: moving remainder tasks from full instances to emptier ones, over all services at once.
//!
//! What the best splits of a service leave open (its *remainder*) is free to lie on any of several instances. Layer 1 does
//! not care which; over many small services the old instances then hold nearly all of it and a new one stays cool. Here
//! the remainder of all services together is laid so that the instances are loaded evenly, and every service touched stays
//! at its best split. For tasks of one size the plan is exact (`exact`), else it is a local search by dominant share
//! whose every step relieves ([`Loads::relieves`]). As in layer 1, a move is planned only if it helps wherever ECS may
//! break its ties, within a few starts (`landing`).

mod exact;
mod hand;
mod landing;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{ContainerInstanceArn, ServiceName};
use crate::percent::Percent;
use crate::plan::case::Case;
use crate::plan::load::{Group, Loads, Size};
use crate::plan::proposal::{GroupPlan, Layer, Limits, LoadPlan, Move};
use crate::plan::reason::{Blocked, Reason, Subject, SubjectKind};
use crate::settings::MoveStrategy;
use crate::snapshot::ClusterSnapshot;
use exact::{Exact, Wish};
use hand::{Closeness, Hand};
use landing::{Landing, settled};

pub use landing::landing_relieves;

/// The most moves that are foreseen: enough for any budget, and the curve of a larger cluster would not be read.
const FORESEEN_MAX: usize = 200;

/// Instances, fullest first, from which a move is looked for. If nothing can leave so many, little can be gained elsewhere.
const TRIED_MAX: usize = 50;

/// Services times instances that are looked at in one plan: in a larger cluster, those with tasks on its fullest instances.
const SEATS_MAX: usize = 300_000;

/// The services that the second layer would move next, as far as the base snapshot tells: worth reading closely.
pub fn candidates(snapshot: &ClusterSnapshot, limits: &Limits) -> BTreeSet<ServiceName> {
    let plan = plan(snapshot, limits, Closeness::Base, 2 * limits.moves_at_once as usize);
    plan.moves.into_iter().map(|planned| planned.service).collect()
}

/// Plans the second layer of a cluster whose candidates have been read closely.
pub fn plan_relief(snapshot: &ClusterSnapshot, limits: &Limits) -> LoadPlan {
    plan(snapshot, limits, Closeness::Details, FORESEEN_MAX)
}

/// The same from the base snapshot alone, for a cluster whose services are yet to be levelled: nothing of it is begun.
pub fn foresee(snapshot: &ClusterSnapshot, limits: &Limits) -> LoadPlan {
    plan(snapshot, limits, Closeness::Base, FORESEEN_MAX)
}

/// The groups alone, no moves.
pub fn measure(snapshot: &ClusterSnapshot, limits: &Limits) -> LoadPlan {
    let loads = settled(snapshot, limits, None, &BTreeSet::new());
    let groups = loads.groups.iter().map(|group| group_plan(&loads, group));
    LoadPlan { groups: groups.collect(), ..LoadPlan::default() }
}

fn plan(snapshot: &ClusterSnapshot, limits: &Limits, closeness: Closeness, moves_max: usize) -> LoadPlan {
    let mut plan = LoadPlan::default();
    let loads = settled(snapshot, limits, None, &BTreeSet::new());
    plan.groups = loads.groups.iter().map(|group| group_plan(&loads, group)).collect();
    if loads.groups.iter().any(|group| loads.is_uneven(group, limits.skew_threshold)) {
        Relief::new(snapshot, limits, loads, closeness).foresee(&mut plan, moves_max);
    }
    plan
}

fn group_plan(loads: &Loads<'_>, group: &Group) -> GroupPlan {
    let skew = loads.skew(group);
    GroupPlan {
        capacity_provider: group.capacity_provider.clone(),
        zone: group.zone.clone(),
        instances: group.members.len() as u32,
        skew,
        skew_after: skew,
        lower_bound: 0,
        is_exact: true,
    }
}

/// All services, or in a large cluster those with tasks on its fullest instances.
fn looked_at<'a>(cases: Vec<Case<'a>>, loads: &Loads<'_>) -> Vec<Case<'a>> {
    let hosts = loads.hosts.len();
    if cases.len() * hosts <= SEATS_MAX {
        return cases;
    }
    let mut full: Vec<usize> = loads.groups.iter().flat_map(|group| group.members.clone()).collect();
    full.sort_by_key(|at| (Reverse(loads.hosts[*at].share()), *at));
    let mut rank = BTreeMap::new();
    rank.extend(full.iter().enumerate().map(|(rank, at)| (&loads.hosts[*at].instance.arn, rank)));
    let first = |case: &Case<'a>| {
        let places =
            case.tasks.iter().filter_map(|task| rank.get(task.container_instance.as_ref()?).copied());
        places.min().unwrap_or(usize::MAX)
    };
    let mut ranked: Vec<(usize, Case<'a>)> = cases.into_iter().map(|case| (first(&case), case)).collect();
    ranked.sort_by_key(|(rank, case)| (*rank, &case.service.name));
    ranked.truncate((SEATS_MAX / hosts).max(1));
    ranked.into_iter().map(|(_, case)| case).collect()
}

impl LoadPlan {
    /// The same plan with the groups' skew as it is now, before the moves that were taken for granted.
    #[must_use]
    pub fn measured_as(mut self, now: &Self) -> Self {
        for (group, now) in self.groups.iter_mut().zip(&now.groups) {
            group.skew = now.skew;
        }
        self
    }
}

/// Why a group gets no more even: the first service whose task would help and cannot be moved, if there is one.
struct Stuck(Option<(ServiceName, Reason)>);

/// The state from which moves are foreseen one after another.
struct Relief<'a> {
    limits: &'a Limits,
    loads: Loads<'a>,
    hands: Vec<Hand<'a>>,
    /// Why services with tasks on full instances cannot help.
    refused: BTreeMap<ServiceName, Reason>,
    /// The size of every movable task, if there is only one.
    size: Option<Size>,
}

impl<'a> Relief<'a> {
    fn new(
        snapshot: &'a ClusterSnapshot,
        limits: &'a Limits,
        loads: Loads<'a>,
        closeness: Closeness,
    ) -> Self {
        let (mut hands, mut refused) = (Vec::new(), BTreeMap::new());
        for case in looked_at(Case::all(snapshot, limits), &loads) {
            match Hand::of(&case, closeness) {
                Ok(hand) => hands.push(hand),
                Err(Some(reason)) => drop(refused.insert(case.service.name.clone(), reason)),
                Err(None) => {}
            }
        }
        let size = exact::common_size(&hands, &loads);
        Self { limits, loads, hands, refused, size }
    }

    fn foresee(mut self, plan: &mut LoadPlan, moves_max: usize) {
        let threshold = self.limits.skew_threshold;
        for at in 0..self.loads.groups.len() {
            let group = self.loads.groups[at].clone();
            if self.loads.is_uneven(&group, threshold) {
                let mut exact = self.exact(&group);
                let bound = exact.as_ref().map(|exact| exact.moves);
                plan.groups[at].is_exact = bound.is_some() && self.loads.groups.len() == 1;
                plan.groups[at].lower_bound = bound.unwrap_or_else(|| self.bound(&group));
                let stuck = self.foresee_group(&group, &mut exact, plan, moves_max);
                plan.groups[at].skew_after = self.loads.skew(&group);
                let skew = plan.groups[at].skew_after;
                if let Err(stuck) = stuck {
                    plan.blocked.extend(self.explain(&group, skew, stuck));
                }
            }
        }
    }

    /// Foresees moves until the group is even enough; the error is why it does not get there.
    fn foresee_group(
        &mut self,
        group: &Group,
        exact: &mut Option<Exact>,
        plan: &mut LoadPlan,
        moves_max: usize,
    ) -> Result<(), Stuck> {
        let mut bound = exact.as_ref().map_or_else(|| self.bound(group), |exact| exact.moves);
        while self.loads.is_uneven(group, self.limits.skew_threshold) && plan.moves.len() < moves_max {
            let wished = exact.as_ref().and_then(|exact| self.best_of_wishes(&exact.wishes));
            let is_wished = wished.is_some();
            let (hand, from, landing) = wished.map_or_else(|| self.best_of_all(group), Ok)?;
            let mut step = self.make(hand, from, &landing, group);
            match exact {
                Some(exact) if is_wished => exact.fulfil(hand, from, landing.to),
                _ => *exact = self.exact(group),
            }
            bound = exact.as_ref().map_or(bound.saturating_sub(1), |exact| exact.moves);
            step.excess_after = bound;
            plan.moves.push(step);
        }
        Ok(())
    }

    fn exact(&self, group: &Group) -> Option<Exact> {
        exact::solve(&self.hands, &self.loads, group, self.size?, self.limits)
    }

    fn bound(&self, group: &Group) -> u32 {
        exact::bound_by_shares(&self.hands, &self.loads, group, self.limits)
    }

    fn arn(&self, host: usize) -> ContainerInstanceArn {
        self.loads.hosts[host].instance.arn.clone()
    }

    /// The move that relieves the fullest instance; of those the one with fewest starts, then the largest task.
    fn best_of_all(&self, group: &Group) -> Result<(usize, usize, Landing), Stuck> {
        let mut full = group.members.clone();
        full.sort_by_key(|at| (Reverse(self.loads.hosts[*at].share()), *at));
        let mut stuck = Stuck(None);
        for from in full.into_iter().take(TRIED_MAX) {
            match self.best_from(from) {
                Ok(Some((hand, landing))) => return Ok((hand, from, landing)),
                Ok(None) => {}
                Err(why) => stuck = Stuck(stuck.0.or(Some(why))),
            }
        }
        Err(stuck)
    }

    /// A move of the exact plan that can be made now, with fewest starts, then from the fullest instance.
    fn best_of_wishes(&self, wishes: &[Wish]) -> Option<(usize, usize, Landing)> {
        let outlook = |wish: &Wish| {
            let hand = &self.hands[wish.hand];
            let helps = |to: usize| wish.to.contains(&to) && self.helps(hand, wish.from, to);
            let landing =
                hand.gives(wish.from).then(|| landing::outlook(hand, &self.loads, helps).ok()).flatten()?;
            Some((wish.hand, wish.from, landing))
        };
        let full = |from: usize| Reverse(self.loads.hosts[from].share());
        let order =
            |(hand, from, landing): &(usize, usize, Landing)| (landing.starts_max, full(*from), *hand, *from);
        wishes.iter().filter_map(outlook).min_by_key(order)
    }

    /// The best task to take from an instance; the error is the first reason why one that would fit does not go.
    fn best_from(&self, from: usize) -> Result<Option<(usize, Landing)>, (ServiceName, Reason)> {
        let mut found: Option<(usize, Landing)> = None;
        let mut stuck = None;
        for (at, hand) in self.hands.iter().enumerate().filter(|(_, hand)| hand.gives(from)) {
            if !(0..self.loads.hosts.len()).any(|to| self.helps(hand, from, to)) {
                continue;
            }
            let rank = |landing: &Landing, size| (landing.starts_max, Reverse(size));
            match landing::outlook(hand, &self.loads, |to| self.helps(hand, from, to)) {
                Ok(next) => {
                    let is_better = found.as_ref().is_none_or(|(best, landing)| {
                        rank(&next, hand.size) < rank(landing, self.hands[*best].size)
                    });
                    if is_better {
                        found = Some((at, next));
                    }
                }
                Err(why) => stuck = stuck.or(Some((hand.name().clone(), why))),
            }
        }
        match (found, stuck) {
            (None, Some(why)) => Err(why),
            (found, _) => Ok(found),
        }
    }

    fn helps(&self, hand: &Hand<'_>, from: usize, to: usize) -> bool {
        hand.may_shift(from, to) && self.loads.relieves(hand.size, from, to)
    }

    /// Carries a move out on the state and writes it down.
    fn make(&mut self, hand: usize, from: usize, landing: &Landing, group: &Group) -> Move {
        let because = format!("{}, {}", self.loads.hosts[from].words(), self.loads.hosts[landing.to].words());
        let (origin, to) = (self.arn(from), self.arn(landing.to));
        let landings = landing.landings.iter().map(|at| self.arn(*at)).collect();
        let size = self.hands[hand].size;
        self.loads.shift(size, from, landing.to);
        let task = self.hands[hand].shift(from, landing.to);
        let need = self.hands[hand].need();
        for (at, other) in self.hands.iter_mut().enumerate() {
            landing.reach.iter().filter(|_| at != hand).for_each(|seat| other.reserve(&need, *seat));
        }
        Move {
            layer: Layer::Cluster,
            strategy: MoveStrategy::Surge,
            service: self.hands[hand].name().clone(),
            task,
            from: origin,
            to,
            landings,
            starts_max: landing.starts_max,
            because,
            skew_after: self.loads.skew(group),
            excess_after: 0,
        }
    }

    /// Why an uneven group stays so: the service whose landing could not be foreseen to help, those that hold tasks on its
    /// fullest instance and may not be moved, or plain arithmetic.
    fn explain(&self, group: &Group, skew: Percent, stuck: Stuck) -> Vec<Blocked> {
        let name = group.zone.as_ref().map(ToString::to_string).or(group.capacity_provider.clone());
        let group = Subject::new(SubjectKind::Cluster, name.unwrap_or_else(|| "all instances".to_owned()));
        let mut blocked = vec![group.blocked(Reason::LoadStays { skew })];
        let services =
            self.refused.iter().map(|(name, reason)| (name.clone(), reason.clone())).chain(stuck.0);
        blocked
            .extend(services.map(|(name, reason)| Subject::new(SubjectKind::Service, name).blocked(reason)));
        blocked
    }
}
