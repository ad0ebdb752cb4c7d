//! The arithmetic of even splits: best reachable split, least number of moves to it, and skew.
//!
//! Plain integers, no names. A layout holds zones of places; a service that is levelled in one step has a single zone.
//! Each place has the tasks it holds and bounds on what it may hold: tasks that are never moved raise the lower one,
//! lack of room lowers the upper one. The best split first makes zone totals, then the places inside each zone, as equal
//! as the bounds allow: the one rule "as equal as can be" within bounds is *water-filling*, every place at one level or
//! at the bound that keeps it from there, and what is left over goes one each to places that can still rise. Who gets
//! the left-over is free, and is chosen so that fewest tasks move. Definitions and closed forms: design notes D.2, E.2.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use crate::percent::Percent;

/// One container instance, as far as the arithmetic goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Tasks it holds; always within the bounds.
    pub tasks: u32,
    /// Tasks that stay whatever happens.
    pub least: u32,
    /// Tasks it could hold.
    pub most: u32,
}

/// Places grouped by zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The places of each zone; a service of one level has one zone.
    pub zones: Vec<Vec<Place>>,
    /// Whether places inside a zone are to be equal, too; a zone packed on purpose is not levelled inside.
    pub is_level_inside: bool,
}

/// What the best splits of a layout have in common, and what they leave open: the *remainder*, one task each on some of
/// the places that can still rise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freedom {
    /// One entry a zone.
    pub zones: Vec<ZoneFreedom>,
}

/// The same inside one zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneFreedom {
    /// Tasks that each place has in every best split.
    pub floors: Vec<u32>,
    /// Places that may have one more.
    pub rising: Vec<bool>,
    /// Fewest of them that do.
    pub least: u32,
    /// Most of them that do: one above the fewest where the zone may take one of the zones' own remainder.
    pub most: u32,
}

/// Every place at `floor` or at the bound that keeps it from there, and `extra` of those that can rise one above.
struct Level {
    floor: u32,
    extra: usize,
}

impl Layout {
    /// Places without zones.
    pub fn flat(places: Vec<Place>) -> Self {
        Self { zones: vec![places], is_level_inside: true }
    }

    /// The best reachable split that is nearest to the present one: the tasks of each place of each zone.
    pub fn nearest(&self) -> Vec<Vec<u32>> {
        let totals = self.nearest_totals();
        self.zones.iter().zip(totals).map(|(places, total)| self.nearest_inside(places, total)).collect()
    }

    /// The least number of moves that leads to a best reachable split; 0 exactly when nothing can be improved.
    pub fn excess(&self) -> u32 {
        let totals = self.nearest_totals();
        self.zones.iter().zip(totals).map(|(places, total)| self.moves_out(places, total)).sum()
    }

    /// All best splits at once; for layouts that are levelled inside.
    pub fn freedom(&self) -> Freedom {
        let bounds: Vec<(u32, u32)> = self.zones.iter().map(|zone| bounds_of(zone)).collect();
        let between = level(&bounds, self.zones.iter().map(|zone| total(zone)).sum());
        let zone = |(places, bounds): (&Vec<Place>, &(u32, u32))| {
            let inner: Vec<(u32, u32)> = places.iter().map(|place| (place.least, place.most)).collect();
            let inside = level(&inner, between.floor.clamp(bounds.0, bounds.1));
            let floors = inner.iter().map(|(least, most)| inside.floor.clamp(*least, *most)).collect();
            let rising: Vec<bool> = inner.iter().map(|bounds| can_rise(*bounds, inside.floor)).collect();
            let may_rise = between.extra > 0 && can_rise(*bounds, between.floor);
            let least = inside.extra as u32;
            ZoneFreedom { floors, rising, least, most: least + u32::from(may_rise) }
        };
        Freedom { zones: self.zones.iter().zip(&bounds).map(zone).collect() }
    }

    /// Raw skew of the present counts.
    pub fn skew(&self) -> Percent {
        let counts: Vec<Vec<u32>> =
            self.zones.iter().map(|zone| zone.iter().map(|p| p.tasks).collect()).collect();
        self.skew_of(&counts)
    }

    /// Raw skew of other counts in the same places: the largest (max - min) / mean, inside each zone and between the
    /// totals of the zones.
    pub fn skew_of(&self, counts: &[Vec<u32>]) -> Percent {
        let totals: Vec<u32> = counts.iter().map(|zone| zone.iter().sum()).collect();
        let inside = counts.iter().filter(|_| self.is_level_inside).map(|zone| over_mean(zone)).max();
        over_mean(&totals).max(inside.unwrap_or(Percent::new(0)))
    }

    /// The bare (max - min) / max over all places: what simple tools call skew, reported for comparison only.
    pub fn article_skew(&self) -> Percent {
        let tasks = || self.zones.iter().flatten().map(|place| place.tasks);
        let (most, least) = (tasks().max().unwrap_or(0), tasks().min().unwrap_or(0));
        share(u64::from(most - least), u64::from(most))
    }

    /// Whether the zones stand as close as in `before`: none may come to exceed another by more than 1, or by more than
    /// it did. That is ECS's own measure of balance, and what is uneven by it, ECS may level again. A zone that cannot
    /// give, or one that cannot take any more, is no yardstick.
    pub fn keeps_zones_of(&self, before: &Self) -> bool {
        let totals = |layout: &Self| -> Vec<u32> { layout.zones.iter().map(|zone| total(zone)).collect() };
        let (was, is) = (totals(before), totals(self));
        let gives = |zone: usize| self.zones[zone].iter().any(|place| place.tasks > place.least);
        let takes = |zone: usize| self.zones[zone].iter().any(|place| place.tasks < place.most);
        let is_apart =
            |high: usize, low: usize| is[high] > is[low] + was[high].saturating_sub(was[low]).max(1);
        let zones = || 0..is.len();
        !zones().any(|high| gives(high) && zones().any(|low| is_apart(high, low) && takes(low)))
    }

    /// Zone totals of the nearest best split. The zones that take one more are those where it spares most moves;
    /// among equals the fullest, then the first.
    fn nearest_totals(&self) -> Vec<u32> {
        let bounds: Vec<(u32, u32)> = self.zones.iter().map(|zone| bounds_of(zone)).collect();
        let level = level(&bounds, self.zones.iter().map(|zone| total(zone)).sum());
        let mut totals: Vec<u32> =
            bounds.iter().map(|(least, most)| level.floor.clamp(*least, *most)).collect();
        let mut rising: Vec<usize> =
            (0..bounds.len()).filter(|zone| can_rise(bounds[*zone], level.floor)).collect();
        if level.extra > 0 {
            rising.sort_by_cached_key(|zone| {
                let spared = self.spared(*zone, level.floor);
                (Reverse(spared), Reverse(total(&self.zones[*zone])), *zone)
            });
        }
        for zone in rising.into_iter().take(level.extra) {
            totals[zone] += 1;
        }
        totals
    }

    /// Moves spared if a zone keeps one task more than `floor`: 0 or 1.
    fn spared(&self, zone: usize, floor: u32) -> u32 {
        let places = &self.zones[zone];
        self.moves_out(places, floor).saturating_sub(self.moves_out(places, floor + 1))
    }

    fn moves_out(&self, places: &[Place], total: u32) -> u32 {
        let targets = self.nearest_inside(places, total);
        places.iter().zip(targets).map(|(place, target)| place.tasks.saturating_sub(target)).sum()
    }

    fn nearest_inside(&self, places: &[Place], total: u32) -> Vec<u32> {
        if self.is_level_inside { nearest_even(places, total) } else { nearest_any(places, total) }
    }
}

/// Water-filling inside one zone; the left-over goes to the fullest, since each of those above the floor keeps one task.
fn nearest_even(places: &[Place], total: u32) -> Vec<u32> {
    let bounds: Vec<(u32, u32)> = places.iter().map(|place| (place.least, place.most)).collect();
    let level = level(&bounds, total);
    let mut targets: Vec<u32> = bounds.iter().map(|(least, most)| level.floor.clamp(*least, *most)).collect();
    let mut rising: Vec<usize> = (0..places.len()).filter(|at| can_rise(bounds[*at], level.floor)).collect();
    rising.sort_by_key(|at| (Reverse(places[*at].tasks), *at));
    for at in rising.into_iter().take(level.extra) {
        targets[at] += 1;
    }
    targets
}

/// A zone that is not levelled inside: only its total counts, the first that can give or take does.
fn nearest_any(places: &[Place], total_wanted: u32) -> Vec<u32> {
    let present = total(places);
    let (mut out, mut more) = (present.saturating_sub(total_wanted), total_wanted.saturating_sub(present));
    let settle = |place: &Place| {
        let (gives, takes) = (out.min(place.tasks - place.least), more.min(place.most - place.tasks));
        out -= gives;
        more -= takes;
        place.tasks - gives + takes
    };
    places.iter().map(settle).collect()
}

fn total(places: &[Place]) -> u32 {
    places.iter().map(|place| place.tasks).sum()
}

fn bounds_of(places: &[Place]) -> (u32, u32) {
    let most = places.iter().fold(0_u32, |sum, place| sum.saturating_add(place.most));
    (places.iter().map(|place| place.least).sum(), most)
}

fn can_rise((least, most): (u32, u32), floor: u32) -> bool {
    least <= floor && floor < most
}

/// The highest floor that `total` can fill, found by halving, and what is left over.
fn level(bounds: &[(u32, u32)], total: u32) -> Level {
    let filled =
        |floor: u32| bounds.iter().map(|(least, most)| u64::from(floor.clamp(*least, *most))).sum::<u64>();
    let (mut floor, mut above) = (0, total.saturating_add(1));
    while above - floor > 1 {
        let middle = floor + (above - floor) / 2;
        if filled(middle) <= u64::from(total) { floor = middle } else { above = middle }
    }
    Level { floor, extra: u64::from(total).saturating_sub(filled(floor)) as usize }
}

/// (max - min) / mean.
fn over_mean(counts: &[u32]) -> Percent {
    let (most, least) =
        (counts.iter().max().copied().unwrap_or(0), counts.iter().min().copied().unwrap_or(0));
    let sum: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    share(u64::from(most - least) * counts.len() as u64, sum)
}

/// A whole percentage, rounded up: a share exceeds a whole threshold exactly when its rounded-up percentage does, so
/// that what is printed never contradicts what is decided.
fn share(part: u64, whole: u64) -> Percent {
    let percent = if whole == 0 { 0 } else { (part * 100).div_ceil(whole) };
    Percent::new(u32::try_from(percent).unwrap_or(u32::MAX))
}
