//! A service in the second layer's hand: where its remainder lies, and where else it may lie.

use crate::ids::{ServiceName, TaskArn};
use crate::plan::candidate;
use crate::plan::case::Case;
use crate::plan::eligible::{Levels, Survey, survey};
use crate::plan::flow::{Row, Slot, Zone};
use crate::plan::load::{Size, size_of};
use crate::plan::placement;
use crate::plan::reason::Reason;
use crate::snapshot::{Known, Resources, Task};

use super::landing;

/// A task younger than this is not moved for the sake of load alone: whatever brought it here may still be at work, and
/// what Evenkeel has just moved must not be moved back.
const SETTLED_AFTER: std::time::Duration = std::time::Duration::from_hours(1);

/// How much has been read of the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closeness {
    /// The base snapshot only: nothing is ruled out for what was not read.
    Base,
    /// What was not read closely is not moved.
    Details,
}

/// A service at a best split whose remainder may be shifted.
#[derive(Clone, Debug)]
pub(super) struct Hand<'a> {
    case: Case<'a>,
    pub(super) survey: Survey<'a>,
    /// What each of its tasks reserves.
    pub(super) size: Size,
    /// Whether its first move can begin now; else it takes part in the exact plan only.
    is_ready: bool,
    /// By zone, then by place in it: seat, and whether it has one task above its floor; `None` where it cannot.
    zones: Vec<HandZone>,
    zone_of: Vec<Option<(usize, usize)>>,
}

#[derive(Clone, Debug)]
struct HandZone {
    least: u32,
    most: u32,
    used: u32,
    seats: Vec<(usize, Option<bool>)>,
}

impl<'a> Hand<'a> {
    /// Takes a service in hand. The error is a reason worth telling, if there is one.
    pub(super) fn of(case: &Case<'a>, closeness: Closeness) -> Result<Self, Option<Reason>> {
        if candidate::reason_never(case.service).is_some() || case.tasks.is_empty() {
            return Err(None);
        }
        if closeness == Closeness::Base && case.limits.passed_over.contains(&case.service.name) {
            return Err(None);
        }
        let told = |reason: Option<Reason>| reason.map_or(Ok(()), |reason| Err(Some(reason)));
        told(candidate::reason_not_now(case))?;
        let definition = case.definition().ok();
        let survey = survey(case, definition).map_err(|_| None)?;
        let layout = survey.layout();
        if survey.levels == Levels::Zones || layout.excess() > 0 {
            return Err(None);
        }
        told(candidate::reason_resting(case))?;
        let is_close = closeness == Closeness::Details;
        let is_read = case.tasks.iter().all(|task| {
            matches!(case.snapshot.protections.get(&task.arn), Some(Known::Known(_) | Known::Unknown(_)))
        });
        if is_close && is_read {
            told(candidate::reason_protected(case))?;
        }
        let size = common_size(case).ok_or(None)?;
        let is_ready = !is_close || is_read && definition.is_some();
        Ok(Self::lay_out(case.clone(), survey, size, is_ready))
    }

    fn lay_out(case: Case<'a>, survey: Survey<'a>, size: Size, is_ready: bool) -> Self {
        let freedom = survey.layout().freedom();
        let mut zone_of = vec![None; survey.placement.seats.len()];
        let mut zones = Vec::new();
        for (at, (seats, free)) in survey.zones.iter().zip(freedom.zones).enumerate() {
            let mut zone = HandZone { least: free.least, most: free.most, used: 0, seats: Vec::new() };
            for (place, seat) in seats.iter().enumerate() {
                let tasks = survey.placement.seats[*seat].tasks;
                let state = free.rising[place].then_some(tasks > free.floors[place]);
                zone.used += u32::from(state == Some(true));
                zone_of[*seat] = Some((at, place));
                zone.seats.push((*seat, state));
            }
            zones.push(zone);
        }
        Self { case, survey, size, is_ready, zones, zone_of }
    }

    pub(super) fn name(&self) -> &'a ServiceName {
        &self.case.service.name
    }

    fn state(&self, seat: usize) -> Option<(usize, bool)> {
        let (zone, place) = self.zone_of[seat]?;
        self.zones[zone].seats[place].1.map(|is_used| (zone, is_used))
    }

    /// Whether a task can be taken from a seat now.
    pub(super) fn gives(&self, seat: usize) -> bool {
        let is_above = self.state(seat).is_some_and(|(_, is_used)| is_used);
        self.is_ready && is_above && self.survey.ineligible[seat].is_none() && self.leaving(seat).is_some()
    }

    /// Whether the service is at a best split again once its task has gone from one seat to the other.
    pub(super) fn may_shift(&self, from: usize, to: usize) -> bool {
        let (Some((out, true)), Some((into, false))) = (self.state(from), self.state(to)) else {
            return false;
        };
        let may_cross =
            || self.zones[out].used > self.zones[out].least && self.zones[into].used < self.zones[into].most;
        self.survey.ineligible[to].is_none() && (out == into || may_cross())
    }

    /// The task that would leave a seat: of those that have settled the youngest, which has least to lose.
    fn leaving(&self, seat: usize) -> Option<usize> {
        let now = self.case.snapshot.observed_at;
        let age = |task: &Task| task.created_at.or(task.started_at).map(|at| now.since(at));
        let tasks = self.survey.tasks[seat].iter().enumerate();
        let settled = tasks.filter(|(_, task)| age(task).is_some_and(|age| age >= SETTLED_AFTER));
        settled.min_by_key(|(_, task)| (age(task), &task.arn)).map(|(at, _)| at)
    }

    /// Shifts one task and returns it.
    pub(super) fn shift(&mut self, from: usize, to: usize) -> TaskArn {
        for (seat, is_used) in [(from, false), (to, true)] {
            if let Some((zone, place)) = self.zone_of[seat] {
                let zone = &mut self.zones[zone];
                zone.seats[place].1 = Some(is_used);
                zone.used = zone.used + u32::from(is_used) - u32::from(!is_used);
            }
        }
        let task = self.leaving(from).unwrap_or(0);
        self.survey.placement.start(to);
        self.survey.placement.stop(from);
        self.survey.tasks[from].remove(task).arn.clone()
    }

    /// Keeps room on a seat free for a task of another service.
    pub(super) fn reserve(&mut self, need: &Resources, seat: usize) {
        placement::take(&mut self.survey.placement.seats[seat].free, need);
    }

    /// What one of its tasks needs, ports included where its task definition was read.
    pub(super) fn need(&self) -> Resources {
        let Size { cpu, memory } = self.size;
        Resources { cpu, memory, ..self.survey.placement.need.clone() }
    }

    /// Its part of the exact plan. Seats from which nothing can be taken are used for good.
    pub(super) fn row(&self) -> Row {
        let slot = |(seat, is_used): &(usize, Option<bool>)| {
            is_used.map(|is_used| Slot { place: *seat, is_taken: is_used, is_used })
        };
        let zone = |zone: &HandZone| Zone {
            least: zone.least,
            most: zone.most,
            slots: zone.seats.iter().filter_map(slot).collect(),
        };
        Row { zones: self.zones.iter().map(zone).collect(), weight: landing::ties(self) }
    }
}

/// What every task of a service reserves, if it is the same for all.
fn common_size(case: &Case<'_>) -> Option<Size> {
    let mut sizes = case.tasks.iter().map(|task| size_of(case.snapshot, task));
    let first = sizes.next()??;
    sizes.all(|size| size == Some(first)).then_some(first)
}
