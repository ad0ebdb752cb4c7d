//! Can a task be moved from here, and how many starts does it take however ECS breaks its ties?
//!
//! A move is start-first: ECS places one more task while the chosen one still runs, then the chosen one leaves. ECS's
//! choice among tied instances is open, and under zone spread the tie between zones may well fall the wrong way. A start
//! that landed where it does not help then stays for the moment, as *ballast*: it counts, so that ECS turns to the other
//! zones, and it leaves together with the chosen task in the end. The search below plays ECS as an adversary.

mod stop_first;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::eligible::{Levels, Survey};
use crate::plan::placement::Placement;
use crate::plan::spread::{Layout, Place};
use crate::settings::MoveStrategy;

/// What is known of a move from one seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// How it would be moved.
    pub strategy: MoveStrategy,
    /// Starts that are enough in the worst case.
    pub starts_max: u32,
    /// The landing that is counted on.
    pub to: usize,
    /// Every seat that ties for the first start.
    pub landings: Vec<usize>,
    /// Every seat on which any of the starts may land.
    pub reach: BTreeSet<usize>,
}

/// Why no move from a seat can be foreseen to help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stuck {
    /// ECS would use an instance that is still warming up.
    Warming(usize),
    /// No free slot for a start.
    NoRoom,
    /// However many starts are made, ECS may place them where they do not help; one such seat.
    Elsewhere(usize),
}

/// The most starts that a move may need. In the worst case every other zone holds one task less than the wanted one:
/// each first takes a task to come level, then, the tie being open, one more. Beyond that more starts change nothing.
fn starts_allowed(survey: &Survey<'_>) -> u32 {
    match survey.levels {
        Levels::Instances => 1,
        Levels::Zones | Levels::ZonesThenInstances => {
            (2 * survey.zones.len() as u32).saturating_sub(1).max(1)
        }
    }
}

/// What makes two seats interchangeable for the search: zone, what the arithmetic sees, tasks with ballast, and for how
/// many more starts there is room. Seats that tie under binpack are equal in the packed resource already.
pub type Likeness = (usize, Place, u32, u32);

/// The present state of a survey, from which moves are looked ahead.
pub struct Lookout<'s, 'a> {
    survey: &'s Survey<'a>,
    /// Starts of the search are carried out here and taken back.
    placement: Placement<'a>,
    places: Vec<Place>,
    zone_of: Vec<usize>,
    before: Layout,
    excess: u32,
}

/// One search, for one seat that a task is to leave.
struct Search<'l, 's, 'a> {
    lookout: &'l mut Lookout<'s, 'a>,
    from: usize,
    helps: BTreeMap<(usize, Place, bool), bool>,
    to: Option<usize>,
    is_reached: Vec<bool>,
}

impl<'s, 'a> Lookout<'s, 'a> {
    /// Takes the present state down.
    pub fn new(survey: &'s Survey<'a>) -> Self {
        let seats = survey.placement.seats.len();
        let mut zone_of = vec![usize::MAX; seats];
        for (zone, members) in survey.zones.iter().enumerate() {
            for seat in members {
                zone_of[*seat] = zone;
            }
        }
        let places = clipped(survey);
        let before = survey.layout_of(|seat| places[seat]);
        let excess = before.excess();
        Self { survey, placement: survey.placement.clone(), places, zone_of, before, excess }
    }

    /// What a seat has in common with all that may stand for it.
    pub fn likeness(&self, seat: usize) -> Likeness {
        let room = self.placement.room(seat).min(starts_allowed(self.survey));
        (self.zone_of[seat], self.places[seat], self.placement.seats[seat].tasks, room)
    }

    /// Looks ahead from a seat whose task is to leave.
    pub fn outlook(&mut self, from: usize) -> Result<Outlook, Stuck> {
        let landings = self.placement.landings();
        let allowed = starts_allowed(self.survey);
        let mut search = Search::new(self, from);
        let starts_max = search.worst(allowed)?;
        let to = search.to.ok_or(Stuck::NoRoom)?;
        let reach = search.is_reached.iter().enumerate().filter(|(_, is_reached)| **is_reached);
        let reach = reach.map(|(seat, _)| seat).collect();
        Ok(Outlook { strategy: MoveStrategy::Surge, starts_max, to, landings, reach })
    }
}

impl<'l, 's, 'a> Search<'l, 's, 'a> {
    fn new(lookout: &'l mut Lookout<'s, 'a>, from: usize) -> Self {
        let is_reached = vec![false; lookout.places.len()];
        Self { lookout, from, helps: BTreeMap::new(), to: None, is_reached }
    }

    /// Starts needed in the worst case, with `left` still allowed.
    fn worst(&mut self, left: u32) -> Result<u32, Stuck> {
        let ties = self.lookout.placement.landings();
        let Some(first) = ties.first().copied() else { return Err(Stuck::NoRoom) };
        if let Some(warming) = ties.iter().find(|seat| self.lookout.survey.ineligible[**seat].is_some()) {
            return Err(Stuck::Warming(*warming));
        }
        if left == 0 {
            return Err(Stuck::Elsewhere(first));
        }
        for seat in &ties {
            self.is_reached[*seat] = true;
        }
        let (helping, others): (Vec<usize>, Vec<usize>) =
            ties.into_iter().partition(|seat| self.is_helpful(*seat));
        self.to = self.to.or(helping.first().copied());
        let mut worst = 1;
        for seat in self.unlike(&others) {
            self.lookout.placement.start(seat);
            let further = self.worst(left - 1);
            self.lookout.placement.stop(seat);
            worst = worst.max(1 + further?);
        }
        Ok(worst)
    }

    /// One seat of each kind: what holds for it holds for all like it.
    fn unlike(&self, seats: &[usize]) -> Vec<usize> {
        let mut kinds: BTreeMap<(Likeness, bool), usize> = BTreeMap::new();
        for seat in seats {
            kinds.entry((self.lookout.likeness(*seat), *seat == self.from)).or_insert(*seat);
        }
        kinds.into_values().collect()
    }

    /// Whether a landing lowers the excess once the chosen task and all ballast have left, without driving zones apart.
    fn is_helpful(&mut self, seat: usize) -> bool {
        let lookout = &*self.lookout;
        let key = (lookout.zone_of[seat], lookout.places[seat], seat == self.from);
        let from = self.from;
        *self.helps.entry(key).or_insert_with(|| {
            let after = lookout.after(from, seat);
            after.excess() < lookout.excess && after.keeps_zones_of(&lookout.before)
        })
    }
}

/// The places of all seats with upper bounds no higher than can matter: moves keep the best splits as they are, whose
/// counts may exceed those of the nearest by one, for a zone that takes one more, and then by the rise inside it. Room
/// beyond that would only make seats look different that are not.
fn clipped(survey: &Survey<'_>) -> Vec<Place> {
    let nearest = survey.layout().nearest();
    let highest = nearest.iter().flatten().max().copied().unwrap_or(0) + 2;
    let clip = |place: Place| Place { most: place.most.min(highest.max(place.tasks)), ..place };
    (0..survey.placement.seats.len()).map(|seat| clip(survey.place(seat))).collect()
}

impl Lookout<'_, '_> {
    fn after(&self, from: usize, to: usize) -> Layout {
        self.survey.layout_of(|seat| {
            let place = self.places[seat];
            let tasks = (place.tasks + u32::from(seat == to)).saturating_sub(u32::from(seat == from));
            Place { tasks, ..place }
        })
    }
}
