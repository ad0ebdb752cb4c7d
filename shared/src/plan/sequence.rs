//! The moves of one service, in the order in which they are worth making.
//!
//! Each step takes the move that lowers the excess by one and needs fewest starts; among equals it takes from the zone
//! with most tasks, from the instance with most, then by ARN. Moving from a fullest to an emptiest place leaves, after
//! every step, counts as even as that number of moves can make them (design notes E.2.4), so that a sequence may be cut
//! short anywhere. On the instance, the task to leave is one that no move of ours started, then the youngest, which has
//! least to lose in warm caches and connections, then the first by ARN. Where a task may be stopped before it is replaced,
//! that is how each step is made if its landing is certain to help; elsewhere a step starts first.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{InstanceId, ServiceName, ZoneName};
use crate::plan::eligible::Survey;
use crate::plan::landing::{Likeness, Lookout, Outlook, Stuck};
use crate::plan::proposal::{Layer, Limits, Move};
use crate::plan::reason::Reason;
use crate::snapshot::Task;

/// What can be foreseen of a service's rebalance.
#[derive(Clone, Debug, Default)]
pub struct Sequence {
    /// The moves, each on the cluster that those before it left.
    pub moves: Vec<Move>,
    /// Where the starts of the first move may land.
    pub reach: BTreeSet<usize>,
    /// Why it ends before the best split.
    pub stuck: Option<Reason>,
}

/// Foresees at most `moves_max` moves of a service.
pub fn sequence(
    mut survey: Survey<'_>,
    limits: &Limits,
    service: &ServiceName,
    moves_max: usize,
) -> Sequence {
    let mut sequence = Sequence::default();
    let mut excess = survey.layout().excess();
    while excess > 0 && sequence.moves.len() < moves_max {
        let (from, outlook) = match best(&survey) {
            Ok(best) => best,
            Err(stuck) => {
                sequence.stuck = Some(reason(&survey, stuck));
                break;
            }
        };
        let step = make(&mut survey, limits, service, from, &outlook);
        excess = step.excess_after;
        if sequence.moves.is_empty() {
            sequence.reach = outlook.reach;
        }
        sequence.moves.push(step);
    }
    sequence
}

/// The best seat to take a task from; the error is the reason of the seat that would come first.
fn best(survey: &Survey<'_>) -> Result<(usize, Outlook), Stuck> {
    let mut found: Option<(usize, Outlook)> = None;
    let mut stuck = None;
    let mut lookout = Lookout::new(survey);
    let origins = origins(survey, &lookout);
    if let Some(stop_first) = best_stop_first(survey, &mut lookout, &origins) {
        return Ok(stop_first);
    }
    for from in origins {
        match lookout.outlook(from) {
            Ok(next) if found.as_ref().is_none_or(|(_, best)| next.starts_max < best.starts_max) => {
                let is_least = next.starts_max == 1;
                found = Some((from, next));
                if is_least {
                    break;
                }
            }
            Ok(_) => {}
            Err(why) => stuck = stuck.or(Some(why)),
        }
    }
    found.ok_or(stuck.unwrap_or(Stuck::NoRoom))
}

/// The first seat whose task may be stopped with a landing that helps for certain.
fn best_stop_first(
    survey: &Survey<'_>,
    lookout: &mut Lookout<'_, '_>,
    origins: &[usize],
) -> Option<(usize, Outlook)> {
    let mut allowed = origins.iter().filter(|_| survey.may_stop);
    allowed.find_map(|from| Some((*from, lookout.outlook_stop_first(*from).ok()?)))
}

/// Seats that a task can be taken from, in the written order; of seats that are alike only the first.
fn origins(survey: &Survey<'_>, lookout: &Lookout<'_, '_>) -> Vec<usize> {
    let mut firsts: BTreeMap<Likeness, (Reverse<u32>, Reverse<u32>, usize)> = BTreeMap::new();
    for zone in &survey.zones {
        let total: u32 = zone.iter().map(|seat| survey.placement.seats[*seat].tasks).sum();
        for seat in zone.iter().filter(|seat| survey.ineligible[**seat].is_none()) {
            if !survey.tasks[*seat].is_empty() {
                let order = (Reverse(total), Reverse(survey.placement.seats[*seat].tasks), *seat);
                firsts.entry(lookout.likeness(*seat)).or_insert(order);
            }
        }
    }
    let mut origins: Vec<_> = firsts.into_values().collect();
    origins.sort_unstable();
    origins.into_iter().map(|(_, _, seat)| seat).collect()
}

/// Carries the move out on the survey and writes it down.
fn make(
    survey: &mut Survey<'_>,
    limits: &Limits,
    service: &ServiceName,
    from: usize,
    outlook: &Outlook,
) -> Move {
    let because = because(survey, from, outlook.to);
    let task = leaving(&survey.tasks[from], limits);
    let chosen = survey.tasks[from].remove(task);
    survey.placement.start(outlook.to);
    survey.placement.stop(from);
    let after = survey.layout();
    Move {
        layer: Layer::Service,
        strategy: outlook.strategy,
        service: service.clone(),
        task: chosen.arn.clone(),
        from: survey.arn(from).clone(),
        to: survey.arn(outlook.to).clone(),
        landings: outlook.landings.iter().map(|seat| survey.arn(*seat).clone()).collect(),
        starts_max: outlook.starts_max,
        because,
        skew_after: after.skew(),
        excess_after: after.excess(),
    }
}

fn because(survey: &Survey<'_>, from: usize, to: usize) -> String {
    let words = |seat: usize| {
        let seat = &survey.placement.seats[seat];
        let instance = seat.instance;
        let name = instance.instance_id.as_ref().map_or(instance.arn.short(), InstanceId::as_str);
        let zone = instance.zone.as_ref().map_or("no zone", ZoneName::as_str);
        format!("{name} ({zone}) has {}", seat.tasks)
    };
    format!("{} of its tasks, {}", words(from), words(to))
}

/// Which of an instance's tasks leaves. Callers only pass instances that hold at least one.
fn leaving(tasks: &[&Task], limits: &Limits) -> usize {
    let order = |at: &usize| {
        let task = tasks[*at];
        (limits.own_tasks.contains(&task.arn), Reverse(task.created_at.or(task.started_at)), &task.arn)
    };
    (0..tasks.len()).min_by_key(order).unwrap_or(0)
}

fn reason(survey: &Survey<'_>, stuck: Stuck) -> Reason {
    match stuck {
        Stuck::NoRoom => Reason::NoRoom,
        Stuck::Elsewhere(seat) => Reason::LandingElsewhere { instance: survey.arn(seat).clone() },
        Stuck::Warming(seat) => survey.ineligible[seat].clone().unwrap_or(Reason::NoRoom),
    }
}
