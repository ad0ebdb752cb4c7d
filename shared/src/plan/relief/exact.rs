//! The exact second layer for tasks of one size, and the lower bound for all others.
//!
//! With one size, "the shares of the group lie within a band" means bounds on how many remainder tasks each instance may
//! hold, and the least number of moves is a flow ([`crate::plan::flow`]). The band is as wide as the threshold allows;
//! where it lies is free, so every position that differs is tried. With several sizes the question is NP-hard (it contains
//! partition), and only a bound is proven: no instance above the band can come down by fewer moves than its largest tasks
//! take, none below can come up by fewer than the largest tasks there are (design notes E.3).

use crate::plan::flow::{self, Row};
use crate::plan::load::{APART_MIN, Group, Loads, Size};
use crate::plan::proposal::Limits;

use super::hand::Hand;

/// Services times instances up to which the flow is solved: some tens of milliseconds. Beyond it the local search plans,
/// and the bound by shares is reported.
const SLOTS_MAX: usize = 60_000;

/// Positions of the band that are tried at most; where there are more, which takes very different instances, the local
/// search plans.
const BANDS_MAX: usize = 64;

/// Cells into which the possible positions of the band are cut for the bound by shares.
const CELLS: u64 = 32;

/// A task that the exact plan shifts, and where to.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) hand: usize,
    pub(super) from: usize,
    pub(super) to: Vec<usize>,
}

/// An exact plan.
#[derive(Clone, Debug)]
pub(super) struct Exact {
    /// Moves that are proven to be needed.
    pub(super) moves: u32,
    pub(super) wishes: Vec<Wish>,
}

impl Exact {
    /// Crosses off a move that was made.
    pub(super) fn fulfil(&mut self, hand: usize, from: usize, to: usize) {
        self.moves = self.moves.saturating_sub(1);
        self.wishes.retain(|wish| (wish.hand, wish.from) != (hand, from));
        self.wishes
            .iter_mut()
            .filter(|wish| wish.hand == hand)
            .for_each(|wish| wish.to.retain(|at| *at != to));
    }
}

/// The size of all movable tasks, if they are of one size and the instances are alike.
pub(super) fn common_size(hands: &[Hand<'_>], loads: &Loads<'_>) -> Option<Size> {
    let size = hands.first()?.size;
    let registered = |at: usize| {
        let registered = &loads.hosts[at].instance.registered;
        (registered.cpu, registered.memory)
    };
    let mut open = (0..loads.hosts.len()).filter(|at| loads.hosts[*at].is_open);
    let first = registered(open.next()?);
    let is_alike = hands.iter().all(|hand| hand.size == size) && open.all(|at| registered(at) == first);
    (is_alike && hands.len() * loads.hosts.len() <= SLOTS_MAX).then_some(size)
}

/// The least number of moves that brings the group within the threshold, and one way to do it; `None` if there is none.
pub(super) fn solve(
    hands: &[Hand<'_>],
    loads: &Loads<'_>,
    group: &Group,
    size: Size,
    limits: &Limits,
) -> Option<Exact> {
    let rows: Vec<Row> = hands.iter().map(Hand::row).collect();
    let mut used = vec![0_u32; loads.hosts.len()];
    for slot in
        rows.iter().flat_map(|row| &row.zones).flat_map(|zone| &zone.slots).filter(|slot| slot.is_used)
    {
        used[slot.place] += 1;
    }
    let ladder = Ladder { loads, group, size, used: &used };
    let width = width(loads, group, limits);
    let positions = ladder.positions(width);
    if positions.len() > BANDS_MAX {
        return None;
    }
    let mut best: Option<(u32, Vec<Row>)> = None;
    for low in positions {
        let Some(bounds) = ladder.bounds(low, low + width) else { continue };
        let fewest = direct(&used, &bounds);
        if best.as_ref().is_some_and(|(moves, _)| fewest >= *moves) {
            continue;
        }
        let mut rows = rows.clone();
        if let Some(moves) = flow::solve(&mut rows, &vec![0; used.len()], &bounds)
            && best.as_ref().is_none_or(|(fewest, _)| moves < *fewest)
        {
            best = Some((moves, rows));
        }
    }
    let (moves, rows) = best?;
    Some(Exact { moves, wishes: rows.iter().enumerate().flat_map(|(hand, row)| wishes(hand, row)).collect() })
}

/// A service that gives up several slots may enter its new ones in any order.
fn wishes(hand: usize, row: &Row) -> Vec<Wish> {
    let slots = || row.zones.iter().flat_map(|zone| &zone.slots);
    let to: Vec<usize> =
        slots().filter(|slot| slot.is_used && !slot.is_taken).map(|slot| slot.place).collect();
    let given_up = slots().filter(|slot| slot.is_taken && !slot.is_used);
    given_up.map(|slot| Wish { hand, from: slot.place, to: to.clone() }).collect()
}

/// No plan needs fewer moves than there are tasks above the bounds, or missing below them.
fn direct(used: &[u32], bounds: &[(u32, u32)]) -> u32 {
    let over: u32 = used.iter().zip(bounds).map(|(used, (_, most))| used.saturating_sub(*most)).sum();
    let under: u32 = used.iter().zip(bounds).map(|(used, (least, _))| least.saturating_sub(*used)).sum();
    over.max(under)
}

/// How far shares may lie apart: the threshold of their mean, or the least difference that matters.
fn width(loads: &Loads<'_>, group: &Group, limits: &Limits) -> u64 {
    let sum: u64 = group.members.iter().map(|at| loads.hosts[*at].share()).sum();
    let count = (group.members.len() as u64).max(1);
    (sum * u64::from(limits.skew_threshold.get()) / (100 * count)).max(APART_MIN - 1)
}

/// The shares that each instance of a group can have, one remainder task more or less a rung.
struct Ladder<'l, 'a> {
    loads: &'l Loads<'a>,
    group: &'l Group,
    size: Size,
    /// Remainder tasks now on each host.
    used: &'l [u32],
}

impl Ladder<'_, '_> {
    fn share(&self, at: usize, tasks: u32) -> u64 {
        let times = |count: u32| Size {
            cpu: self.size.cpu * u64::from(count),
            memory: self.size.memory * u64::from(count),
        };
        self.loads.hosts[at].share_with(times(tasks), times(self.used[at]))
    }

    /// Lower ends of the band that are worth trying: the least share of the final state is some rung, and the mean lies
    /// within the band.
    fn positions(&self, width: u64) -> Vec<u64> {
        let mean = self.loads.mean(self.group);
        let rungs = |at: &usize| {
            let at = *at;
            let shares =
                (0..).map(move |tasks| self.share(at, tasks)).take_while(move |share| *share <= mean);
            shares.take(1000).skip_while(move |share| share + width < mean).collect::<Vec<u64>>()
        };
        let mut positions: Vec<u64> = self.group.members.iter().flat_map(rungs).collect();
        positions.sort_unstable_by(|one, other| other.cmp(one));
        positions.dedup();
        positions
    }

    /// How many remainder tasks each host may hold for its share to lie in the band; hosts outside the group any number.
    /// `None` if a host cannot be brought there at all.
    fn bounds(&self, low: u64, high: u64) -> Option<Vec<(u32, u32)>> {
        let mut bounds = vec![(0, u32::MAX); self.loads.hosts.len()];
        for at in self.group.members.iter().copied() {
            let least = (0..1000).find(|tasks| self.share(at, *tasks) >= low)?;
            let most = (least..1000).take_while(|tasks| self.share(at, *tasks) <= high).last()?;
            bounds[at] = (least, most);
        }
        Some(bounds)
    }
}

/// A proven lower bound for tasks of any sizes: over all cells in which the band may begin, the least of the larger of
/// what must leave and what must come.
pub(super) fn bound_by_shares(hands: &[Hand<'_>], loads: &Loads<'_>, group: &Group, limits: &Limits) -> u32 {
    let (width, mean) = (width(loads, group, limits), loads.mean(group));
    let start = mean.saturating_sub(width);
    let largest = hands.iter().map(|hand| hand.size).fold(Size::default(), |most, size| Size {
        cpu: most.cpu.max(size.cpu),
        memory: most.memory.max(size.memory),
    });
    let edge = |cell: u64| start + (mean - start) * cell / CELLS;
    let bound = |cell: u64| {
        let out: u32 =
            group.members.iter().map(|at| removals(hands, loads, *at, edge(cell + 1) + width)).sum();
        let into: u32 = group.members.iter().map(|at| additions(loads, *at, largest, edge(cell))).sum();
        out.max(into)
    };
    (0..CELLS).map(bound).min().unwrap_or(0)
}

/// Fewest tasks that have to leave a host for its share to come down to `high`: the largest first, for CPU and memory each
/// by itself, since the largest in one need not be the largest in the other. 0 if even all would not do.
fn removals(hands: &[Hand<'_>], loads: &Loads<'_>, at: usize, high: u64) -> u32 {
    let registered = &loads.hosts[at].instance.registered;
    let reserved = loads.hosts[at].reserved;
    let sizes = |part: fn(&Size) -> u64| {
        let mut sizes: Vec<u64> =
            hands.iter().flat_map(|hand| hand.survey.tasks[at].iter().map(|_| part(&hand.size))).collect();
        sizes.sort_unstable_by(|one, other| other.cmp(one));
        sizes
    };
    let cpu = fewest(reserved.cpu, registered.cpu, high, sizes(|size| size.cpu));
    cpu.max(fewest(reserved.memory, registered.memory, high, sizes(|size| size.memory)))
}

/// How many of the largest sizes have to go from `reserved`.
fn fewest(mut reserved: u64, registered: u64, high: u64, sizes: Vec<u64>) -> u32 {
    let is_high = |reserved: u64| (reserved * 1_000_000).checked_div(registered).unwrap_or(0) > high;
    for (count, size) in (0..).zip(sizes.into_iter().map(Some).chain([None])) {
        if !is_high(reserved) {
            return count;
        }
        reserved = reserved.saturating_sub(size.unwrap_or(0));
    }
    0
}

/// Fewest tasks, all as large as the largest, that bring a host's share up to `low`.
fn additions(loads: &Loads<'_>, at: usize, largest: Size, low: u64) -> u32 {
    let host = &loads.hosts[at];
    let with = |count: u32| {
        let times = |part: u64| part * u64::from(count);
        host.share_with(Size { cpu: times(largest.cpu), memory: times(largest.memory) }, Size::default())
    };
    (0..1000).find(|count| with(*count) >= low).unwrap_or(0)
}
