//! Where would ECS place the next task of a service? Its placement, simulated.
//!
//! Source: ECS Developer Guide, "How Amazon ECS places tasks on container instances" and "Use strategies to define task
//! placement". Room first, then constraints, then the chain of strategies, each link keeping the best of what the link
//! before it left. Counts are those of the service's own tasks, including tasks that are about to leave. What remains
//! tied at the end, ECS may choose freely, so all of it is returned. Everything works on copies of counts and
//! resources, because several starts and stops are simulated in a row.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::ids::ZoneName;
use crate::snapshot::{ContainerInstance, PlacementStrategy, Resources, TaskDefinition};

/// The attribute that holds an instance's zone.
pub const ZONE_ATTRIBUTE: &str = "ecs.availability-zone";

/// A container instance as the next task of one service finds it.
#[derive(Clone, Debug)]
pub struct Seat<'a> {
    /// The container instance.
    pub instance: &'a ContainerInstance,
    /// Tasks of the service there that ECS means to run.
    pub tasks: u32,
    /// What is left on it.
    pub free: Resources,
    /// Whether ECS may place tasks of the service here as soon as there is room.
    pub is_admitted: bool,
}

/// The placement of one service's tasks.
#[derive(Clone, Debug)]
pub struct Placement<'a> {
    /// In order of ARN.
    pub seats: Vec<Seat<'a>>,
    /// What one task needs; its ports are fixed host ports.
    pub need: Resources,
    /// Each task on another instance (`distinctInstance`).
    pub is_distinct: bool,
    links: Vec<Link>,
}

/// One strategy of the chain, ready to be applied many times.
#[derive(Clone, Debug)]
enum Link {
    /// The group of each seat, by number: seats of one field value are one group.
    Spread(Vec<usize>),
    BinpackCpu,
    BinpackMemory,
    /// Anything goes.
    Any,
}

/// What a spread strategy counts over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpreadField<'a> {
    /// `attribute:ecs.availability-zone`.
    Zone,
    /// `instanceId` or `host`, which are the same.
    Instance,
    /// Any other attribute.
    Attribute(&'a str),
    /// A field that this version does not know.
    Other,
}

impl<'a> SpreadField<'a> {
    /// Reads the field of a spread strategy.
    pub fn parse(field: &'a str) -> Self {
        match field.strip_prefix("attribute:") {
            Some(ZONE_ATTRIBUTE) => Self::Zone,
            Some(name) => Self::Attribute(name),
            None if ["instanceid", "host"].contains(&field.to_ascii_lowercase().as_str()) => Self::Instance,
            None => Self::Other,
        }
    }
}

impl Placement<'_> {
    /// A placement for tasks with these needs, as yet without seats.
    pub fn new(need: Resources, is_distinct: bool) -> Self {
        Self { seats: Vec::new(), need, is_distinct, links: Vec::new() }
    }

    /// Prepares the chain of strategies once all seats are there. An empty chain is the scheduler's own rule: the zone
    /// with fewest tasks, then the instance with fewest.
    pub fn follow(&mut self, strategy: &[PlacementStrategy]) {
        let own_rule = [SpreadField::Zone, SpreadField::Instance].map(|field| self.spread_over(field));
        let links = strategy.iter().map(|link| match link {
            PlacementStrategy::Spread(field) => self.spread_over(SpreadField::parse(field)),
            PlacementStrategy::Binpack(field) if field.eq_ignore_ascii_case("cpu") => Link::BinpackCpu,
            PlacementStrategy::Binpack(_) => Link::BinpackMemory,
            PlacementStrategy::Random | PlacementStrategy::Other(_) => Link::Any,
        });
        self.links = if strategy.is_empty() { own_rule.into() } else { links.collect() };
    }

    fn spread_over(&self, field: SpreadField<'_>) -> Link {
        let mut numbers: BTreeMap<Option<&str>, usize> = BTreeMap::new();
        let groups = self.seats.iter().enumerate().map(|(at, seat)| {
            let next = numbers.len();
            match field {
                SpreadField::Instance => at,
                SpreadField::Zone => {
                    *numbers.entry(seat.instance.zone.as_ref().map(ZoneName::as_str)).or_insert(next)
                }
                SpreadField::Attribute(name) => *numbers
                    .entry(seat.instance.attributes.get(name).and_then(Option::as_deref))
                    .or_insert(next),
                SpreadField::Other => 0,
            }
        });
        Link::Spread(groups.collect())
    }

    /// The seats that would tie for one more task, in order of ARN; none if there is no room.
    pub fn landings(&self) -> Vec<usize> {
        let open = (0..self.seats.len()).filter(|seat| self.takes_one_more(*seat)).collect();
        let mut landings = self.narrow(&self.links, open);
        landings.sort_unstable();
        landings
    }

    /// What a chain leaves of the open seats. Whether ECS settles a tie between zones at once or lets the next link
    /// settle it is not documented, so the rest of the chain is followed in each of them.
    fn narrow(&self, chain: &[Link], open: Vec<usize>) -> Vec<usize> {
        let Some((link, rest)) = chain.split_first() else { return open };
        match link {
            Link::Spread(groups) => {
                let thinnest = self.thinnest(groups, open);
                if rest.is_empty() { thinnest } else { self.narrow_each(groups, rest, &thinnest) }
            }
            Link::BinpackCpu => self.narrow(rest, keep_least(open, |at| self.seats[at].free.cpu)),
            Link::BinpackMemory => self.narrow(rest, keep_least(open, |at| self.seats[at].free.memory)),
            Link::Any => self.narrow(rest, open),
        }
    }

    fn narrow_each(&self, groups: &[usize], rest: &[Link], open: &[usize]) -> Vec<usize> {
        let mut tied: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for at in open {
            tied.entry(groups[*at]).or_default().push(*at);
        }
        tied.into_values().flat_map(|group| self.narrow(rest, group)).collect()
    }

    /// The open seats of the groups with fewest tasks of the service, counted over all seats, full ones too.
    fn thinnest(&self, groups: &[usize], open: Vec<usize>) -> Vec<usize> {
        let mut tasks = vec![0_u64; self.seats.len()];
        for (seat, group) in self.seats.iter().zip(groups) {
            tasks[*group] += u64::from(seat.tasks);
        }
        keep_least(open, |at| tasks[groups[at]])
    }

    /// How many more tasks fit on a seat now.
    pub fn room(&self, seat: usize) -> u32 {
        let seat = &self.seats[seat];
        let is_single = self.is_distinct || !self.need.ports.is_empty();
        let is_taken = self.is_distinct && seat.tasks > 0;
        let fits = times_fitting(&self.need, &seat.free);
        if is_taken { 0 } else { fits.min(if is_single { 1 } else { u32::MAX }) }
    }

    /// How many tasks a seat could hold if it were empty.
    pub fn room_when_empty(&self, seat: usize) -> u32 {
        let is_single = self.is_distinct || !self.need.ports.is_empty();
        let registered = Resources { ports: Vec::new(), ..self.seats[seat].instance.registered.clone() };
        times_fitting(&self.need, &registered).min(if is_single { 1 } else { u32::MAX })
    }

    /// Lets one task start on a seat.
    pub fn start(&mut self, seat: usize) {
        let need = self.need.clone();
        let seat = &mut self.seats[seat];
        seat.tasks += 1;
        take(&mut seat.free, &need);
    }

    /// Lets one task leave a seat, its resources included.
    pub fn stop(&mut self, seat: usize) {
        let seat = &mut self.seats[seat];
        seat.tasks = seat.tasks.saturating_sub(1);
        seat.free.cpu += self.need.cpu;
        seat.free.memory += self.need.memory;
        seat.free.gpus += self.need.gpus;
        for port in &self.need.ports {
            if let Some(at) = seat.free.ports.iter().position(|taken| taken == port) {
                seat.free.ports.swap_remove(at);
            }
        }
    }

    fn takes_one_more(&self, seat: usize) -> bool {
        self.seats[seat].is_admitted && self.room(seat) > 0
    }
}

fn keep_least(open: Vec<usize>, measure: impl Fn(usize) -> u64) -> Vec<usize> {
    let least = open.iter().map(|at| measure(*at)).min();
    open.into_iter().filter(|at| Some(measure(*at)) == least).collect()
}

/// What one task of a definition needs.
pub fn need(definition: &TaskDefinition) -> Resources {
    let ports = definition.host_ports.clone();
    Resources { cpu: definition.cpu, memory: definition.memory, gpus: definition.gpus, ports }
}

/// Takes what one task needs from what is left; ports that are taken are listed.
pub fn take(free: &mut Resources, need: &Resources) {
    free.cpu = free.cpu.saturating_sub(need.cpu);
    free.memory = free.memory.saturating_sub(need.memory);
    free.gpus = free.gpus.saturating_sub(need.gpus);
    free.ports.extend(&need.ports);
}

/// How many tasks with this need what is left would hold.
pub fn times_fitting(need: &Resources, free: &Resources) -> u32 {
    if need.ports.iter().any(|port| free.ports.contains(port)) {
        return 0;
    }
    let times = |need: u64, free: u64| free.checked_div(need).unwrap_or(u64::MAX);
    let fewest = times(need.cpu, free.cpu)
        .min(times(need.memory, free.memory))
        .min(times(u64::from(need.gpus), u64::from(free.gpus)));
    u32::try_from(fewest).unwrap_or(u32::MAX)
}
