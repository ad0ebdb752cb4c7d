//! Where ECS would start the task of a second-layer move, and whether that is where it helps.

use std::collections::BTreeSet;

use crate::ids::{ServiceName, TaskArn};
use crate::plan::eligible::{Levels, Survey};
use crate::plan::load::{Loads, size_of};
use crate::plan::proposal::Limits;
use crate::plan::reason::Reason;
use crate::plan::record::record_of;
use crate::snapshot::{ClusterSnapshot, Task};

use super::hand::Hand;

/// Starts that a move may take where ECS breaks ties at will, zones or not: more surplus tasks than that are not worth an
/// evener cluster.
const STARTS_MAX: u32 = 5;

/// What is known of a move.
#[derive(Clone, Debug)]
pub(super) struct Landing {
    /// Starts that are enough in the worst case.
    pub(super) starts_max: u32,
    /// The landing that is counted on: the emptiest that helps.
    pub(super) to: usize,
    /// Every seat that ties for the first start.
    pub(super) landings: Vec<usize>,
    /// Every seat on which any start may land.
    pub(super) reach: BTreeSet<usize>,
}

/// Looks ahead, ECS playing against us: as long as a tied seat does not help, the start lands there and stays as ballast.
pub(super) fn outlook(
    hand: &Hand<'_>,
    loads: &Loads<'_>,
    helps: impl Fn(usize) -> bool,
) -> Result<Landing, Reason> {
    refuse_too_many(hand, &helps)?;
    let mut placement = hand.survey.placement.clone();
    let mut found: Option<Landing> = None;
    for starts_max in 1..=starts_allowed(&hand.survey) {
        let ties = placement.landings();
        let warming = ties.iter().find_map(|seat| hand.survey.ineligible[*seat].clone());
        if let Some(reason) = warming.or_else(|| ties.is_empty().then_some(Reason::NoRoom)) {
            return Err(reason);
        }
        let emptiest =
            ties.iter().copied().filter(|seat| helps(*seat)).min_by_key(|seat| loads.hosts[*seat].share());
        let useless = ties.iter().copied().find(|seat| !helps(*seat));
        let landing = found.get_or_insert_with(|| Landing {
            starts_max,
            to: usize::MAX,
            landings: ties.clone(),
            reach: BTreeSet::new(),
        });
        landing.starts_max = starts_max;
        landing.reach.extend(ties);
        landing.to = if landing.to == usize::MAX { emptiest.unwrap_or(usize::MAX) } else { landing.to };
        match useless {
            None => return found.ok_or(Reason::NoRoom),
            Some(seat) => placement.start(seat),
        }
    }
    let elsewhere = found.and_then(|landing| landing.landings.into_iter().find(|seat| !helps(*seat)));
    Err(elsewhere
        .map_or(Reason::NoRoom, |seat| Reason::LandingElsewhere { instance: hand.survey.arn(seat).clone() }))
}

/// The first look alone, which is cheap, rules out most: every tied seat that does not help takes a start of its own.
fn refuse_too_many(hand: &Hand<'_>, helps: impl Fn(usize) -> bool) -> Result<(), Reason> {
    let useless: Vec<usize> =
        hand.survey.placement.landings().into_iter().filter(|seat| !helps(*seat)).collect();
    let warming = useless.iter().find_map(|seat| hand.survey.ineligible[*seat].clone());
    match (warming, useless.first()) {
        (Some(reason), _) => Err(reason),
        (None, Some(seat))
            if hand.survey.levels == Levels::Instances && useless.len() >= STARTS_MAX as usize =>
        {
            Err(Reason::LandingElsewhere { instance: hand.survey.arn(*seat).clone() })
        }
        _ => Ok(()),
    }
}

/// How many seats tie for a start: the fewer, the better ECS can be led.
pub(super) fn ties(hand: &Hand<'_>) -> u32 {
    hand.survey.placement.landings().len() as u32
}

fn starts_allowed(survey: &Survey<'_>) -> u32 {
    match survey.levels {
        Levels::Instances => STARTS_MAX,
        Levels::Zones | Levels::ZonesThenInstances => {
            (2 * survey.zones.len() as u32).saturating_sub(1).max(STARTS_MAX)
        }
    }
}

/// Whether a second-layer move's new task landed where it helps, without the chosen task and all ballast. Where it was meant
/// to land, the plan has counted that together with the moves begun beside it, so that it only must not do harm; elsewhere,
/// or where that is not known any more, the load has to go from an instance above the mean to one below. `None` = cannot
/// tell.
pub fn landing_relieves(
    snapshot: &ClusterSnapshot,
    limits: &Limits,
    survey: &Survey<'_>,
    service: &ServiceName,
    (chosen, started): (&TaskArn, &TaskArn),
    ballast: &BTreeSet<TaskArn>,
) -> Option<bool> {
    let leaving = ballast.iter().cloned().chain([started.clone()]).collect();
    let before = settled(snapshot, limits, Some(service), &leaving);
    let seat_of = |task: &TaskArn| {
        (0..survey.tasks.len()).find(|seat| survey.tasks[*seat].iter().any(|on| on.arn == *task))
    };
    let size = size_of(snapshot, snapshot.tasks.get(chosen)?)?;
    let (from, to) = (seat_of(chosen)?, seat_of(started)?);
    let is_meant = limits.heading.get(service).is_some_and(|it| it.helpful.contains(survey.arn(to)));
    Some(if is_meant { before.cools(size, from, to) } else { before.relieves(size, from, to) })
}

/// The loads once the moves in flight of all services `except` one are over, and the `leaving` tasks have gone: of each such
/// service the chosen task has left, and of the new ones there is one, where it took over or where it is meant to land.
pub(super) fn settled<'a>(
    snapshot: &'a ClusterSnapshot,
    limits: &Limits,
    except: Option<&ServiceName>,
    leaving: &BTreeSet<TaskArn>,
) -> Loads<'a> {
    let (mut leaving, mut coming) = (leaving.clone(), Vec::new());
    for service in snapshot.services.values().filter(|service| Some(&service.name) != except) {
        let Some(Ok(record)) = record_of(service) else { continue };
        let is_new = |task: &&Task| task.created_at >= Some(record.started_at);
        let (new, old): (Vec<&Task>, Vec<&Task>) = snapshot.wanted_tasks(&service.name).partition(is_new);
        let heading = limits.heading.get(&service.name).map(|heading| &heading.to);
        let taken_over = new.iter().find(|task| Some(task.arn.short()) == record.new.as_deref());
        let staying = taken_over.or(new.first().filter(|_| heading.is_none()));
        if staying.is_none() && heading.is_none() {
            continue;
        }
        let goes = |task: &&&Task| staying.is_none_or(|staying| staying.arn != task.arn);
        leaving.extend(new.iter().filter(goes).map(|task| task.arn.clone()));
        if let Some(chosen) = old.iter().find(|task| task.arn.short() == record.chosen) {
            leaving.insert(chosen.arn.clone());
            let target = heading.filter(|_| staying.is_none());
            coming.extend(target.and_then(|arn| Some((arn, size_of(snapshot, chosen)?))));
        }
    }
    let mut loads = Loads::of(snapshot, limits, &leaving);
    for (arn, size) in coming {
        loads.add(arn, size);
    }
    loads
}
