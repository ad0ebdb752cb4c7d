//! The exact plan over several services: which of the best splits of each service leave the instances loaded evenly, at
//! the least number of moves.
//!
//! Plain integers, no names. What the best splits of a service share is fixed; what they leave open are *slots*, one
//! optional task each (see [`crate::plan::spread::Freedom`]). Which slots are used is a flow: service -> zone -> place ->
//! sink, with the bounds of zone and place, and a price on every slot given up. All bounds are whole numbers, so there is
//! a whole optimum (design notes E.3). It is found by successive shortest paths, starting from the slots in use: those
//! are the cheapest for each service by itself, and every path shifts one task's worth from a place above its bounds
//! to one below, at the least price there is.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

/// One optional task of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// On which place.
    pub place: usize,
    /// Whether a task is there now that would have to move if the slot is not used.
    pub is_taken: bool,
    /// Whether it is used; at the start the nearest best split of the service.
    pub is_used: bool,
}

/// The slots of one service in one zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Fewest that must be used.
    pub least: u32,
    /// Most that may be used.
    pub most: u32,
    /// The slots.
    pub slots: Vec<Slot>,
}

/// The slots of one service. How many are used in all does not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// One entry a zone.
    pub zones: Vec<Zone>,
    /// How unwelcome it is to start a task of this service elsewhere; decides between plans with as many moves.
    pub weight: u32,
}

/// Price of one move: more than any sum of weights that can occur.
const MOVE: i64 = 1 << 32;

/// The network with its present flow.
struct Network<'r> {
    rows: &'r mut [Row],
    bounds: &'r [(u32, u32)],
    /// Row and zone of each zone node.
    zones: Vec<(usize, usize)>,
    /// First zone node of each row.
    first_zone: Vec<usize>,
    /// Zone node and slot of every slot on each place.
    slots_on: Vec<Vec<(usize, usize)>>,
    /// Used slots of each zone node.
    used: Vec<u32>,
    loads: Vec<u32>,
    /// What each place passes on to the sink: its load, as far as its bounds go.
    sent: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
enum Arc {
    /// A place gives up a slot of a zone node.
    Leave { zone: usize, slot: usize },
    /// A zone node takes up a slot.
    Enter { zone: usize, slot: usize },
    /// A zone gives one to its service.
    Give(usize),
    /// A service gives one to a zone.
    Take(usize),
    /// A place passes one more on.
    Send(usize),
    /// A place passes one less on.
    Return(usize),
}

/// Chooses the slots so that every place, which holds `base` besides, stays within its bounds, at the least number of
/// moves, and among equals the least weight. Returns the number of slots given up, or `None` if the bounds cannot be met.
pub fn solve(rows: &mut [Row], base: &[u32], bounds: &[(u32, u32)]) -> Option<u32> {
    let mut network = Network::new(rows, base, bounds);
    while network.imbalance().any(|(_, excess)| excess > 0) {
        let path = network.shortest()?;
        for arc in path {
            network.push(arc);
        }
    }
    let slots = rows.iter().flat_map(|row| &row.zones).flat_map(|zone| &zone.slots);
    Some(slots.filter(|slot| slot.is_taken && !slot.is_used).count() as u32)
}

impl<'r> Network<'r> {
    fn new(rows: &'r mut [Row], base: &[u32], bounds: &'r [(u32, u32)]) -> Self {
        let (mut zones, mut first_zone, mut used) = (Vec::new(), Vec::new(), Vec::new());
        let (mut slots_on, mut loads) = (vec![Vec::new(); base.len()], base.to_vec());
        for (row, content) in rows.iter().enumerate() {
            first_zone.push(zones.len());
            for (at, zone) in content.zones.iter().enumerate() {
                for (slot, content) in zone.slots.iter().enumerate() {
                    slots_on[content.place].push((zones.len(), slot));
                    loads[content.place] += u32::from(content.is_used);
                }
                used.push(zone.slots.iter().filter(|slot| slot.is_used).count() as u32);
                zones.push((row, at));
            }
        }
        let sent =
            loads.iter().zip(bounds).map(|(load, (least, most))| (*load).clamp(*least, *most)).collect();
        Self { rows, bounds, zones, first_zone, slots_on, used, loads, sent }
    }

    fn places(&self) -> usize {
        self.loads.len()
    }

    fn row_node(&self, row: usize) -> usize {
        self.places() + self.zones.len() + row
    }

    fn sink(&self) -> usize {
        self.row_node(self.rows.len())
    }

    fn zone(&self, zone: usize) -> &Zone {
        let (row, at) = self.zones[zone];
        &self.rows[row].zones[at]
    }

    /// What is too much (positive) or missing (negative) at places and sink.
    fn imbalance(&self) -> impl Iterator<Item = (usize, i64)> {
        let sum = |of: &[u32]| of.iter().map(|it| i64::from(*it)).sum::<i64>();
        let places =
            self.loads.iter().zip(&self.sent).map(|(load, sent)| i64::from(*load) - i64::from(*sent));
        places.enumerate().chain([(self.sink(), sum(&self.sent) - sum(&self.loads))])
    }

    /// The cheapest path from any node with too much to any with too little (label-correcting; prices may be negative,
    /// circles never are).
    fn shortest(&self) -> Option<Vec<Arc>> {
        let mut price = vec![i64::MAX; self.sink() + 1];
        let mut came: Vec<Option<(usize, Arc)>> = vec![None; self.sink() + 1];
        let mut queue: VecDeque<usize> =
            self.imbalance().filter(|(_, excess)| *excess > 0).map(|(node, _)| node).collect();
        let mut is_queued = vec![false; self.sink() + 1];
        for node in &queue {
            (price[*node], is_queued[*node]) = (0, true);
        }
        while let Some(node) = queue.pop_front() {
            is_queued[node] = false;
            for (to, arc, cost) in self.arcs(node) {
                if price[node] + cost < price[to] {
                    (price[to], came[to]) = (price[node] + cost, Some((node, arc)));
                    if !std::mem::replace(&mut is_queued[to], true) {
                        queue.push_back(to);
                    }
                }
            }
        }
        let short = self.imbalance().filter(|(node, excess)| *excess < 0 && price[*node] < i64::MAX);
        let mut node = short.min_by_key(|(node, _)| (price[*node], *node))?.0;
        let mut path = Vec::new();
        while let Some((from, arc)) = came[node] {
            path.push(arc);
            node = from;
        }
        Some(path)
    }

    /// The arcs along which one more unit can leave a node.
    fn arcs(&self, node: usize) -> Vec<(usize, Arc, i64)> {
        let zones_end = self.places() + self.zones.len();
        match node {
            place if place < self.places() => self.arcs_of_place(place),
            zone if zone < zones_end => self.arcs_of_zone(zone - self.places()),
            row if row < self.sink() => self.arcs_of_row(row - zones_end),
            _ => (0..self.places())
                .filter(|place| self.sent[*place] > self.bounds[*place].0)
                .map(|place| (place, Arc::Return(place), 0))
                .collect(),
        }
    }

    fn arcs_of_place(&self, place: usize) -> Vec<(usize, Arc, i64)> {
        let used = |(zone, slot): &&(usize, usize)| self.zone(*zone).slots[*slot].is_used;
        let leave = |(zone, slot): &(usize, usize)| {
            (self.places() + zone, Arc::Leave { zone: *zone, slot: *slot }, -self.cost(*zone, *slot))
        };
        let mut arcs: Vec<_> = self.slots_on[place].iter().filter(used).map(leave).collect();
        if self.sent[place] < self.bounds[place].1 {
            arcs.push((self.sink(), Arc::Send(place), 0));
        }
        arcs
    }

    fn arcs_of_zone(&self, zone: usize) -> Vec<(usize, Arc, i64)> {
        let content = self.zone(zone);
        let free = content.slots.iter().enumerate().filter(|(_, slot)| !slot.is_used);
        let enter = free.map(|(at, slot)| (slot.place, Arc::Enter { zone, slot: at }, self.cost(zone, at)));
        let gives = self.used[zone] > content.least;
        let give = gives.then(|| (self.row_node(self.zones[zone].0), Arc::Give(zone), 0));
        enter.chain(give).collect()
    }

    fn arcs_of_row(&self, row: usize) -> Vec<(usize, Arc, i64)> {
        let zones = self.first_zone[row]..self.first_zone[row] + self.rows[row].zones.len();
        let takes = zones.filter(|zone| self.used[*zone] < self.zone(*zone).most);
        takes.map(|zone| (self.places() + zone, Arc::Take(zone), 0)).collect()
    }

    /// The price of using a slot: a taken one spares a move, another is a start that ECS has to be led to.
    fn cost(&self, zone: usize, slot: usize) -> i64 {
        let weight = i64::from(self.rows[self.zones[zone].0].weight);
        if self.zone(zone).slots[slot].is_taken { -MOVE } else { weight }
    }

    fn push(&mut self, arc: Arc) {
        match arc {
            Arc::Leave { zone, slot } => self.switch(zone, slot, false),
            Arc::Enter { zone, slot } => self.switch(zone, slot, true),
            Arc::Send(place) => self.sent[place] += 1,
            Arc::Return(place) => self.sent[place] -= 1,
            Arc::Give(zone) => self.used[zone] -= 1,
            Arc::Take(zone) => self.used[zone] += 1,
        }
    }

    /// The count of a zone changes only with what goes to or comes from its service; a shift inside leaves it.
    fn switch(&mut self, zone: usize, slot: usize, is_used: bool) {
        let (row, at) = self.zones[zone];
        let slot = &mut self.rows[row].zones[at].slots[slot];
        slot.is_used = is_used;
        let load = &mut self.loads[slot.place];
        if is_used { *load += 1 } else { *load -= 1 }
    }
}
