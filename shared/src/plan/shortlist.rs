//! Which services of a cluster are looked at closely in one turn.
//!
//! To survey a service means to look at every instance for it, and to read a candidate costs several API calls. Where
//! thousands of services are lopsided at once only a few can be moved at a time anyway. So a large cluster has a
//! shortlist: half of it are the services that are furthest apart at a glance, the other half is drawn from the rest by
//! turns, since a glance does not see constraints: a service that they hold uneven for good must not keep others from
//! being looked at for ever.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::ids::ServiceName;
use crate::plan::candidate;
use crate::plan::case::Case;
use crate::plan::level::Zones;
use crate::timestamp::Timestamp;

/// Services times instances up to which every service is looked at closely.
const SEATS_ALL: usize = 250_000;

/// Services times instances that one turn surveys in a larger cluster: 80 services over 5,000 instances.
const SEATS_MAX: usize = 400_000;

/// How long the same services of the rest are drawn. Longer than an invocation confirms and begins a move.
const DRAWN_FOR: Duration = Duration::from_mins(10);

/// The services that are looked at closely.
#[derive(Clone, Debug)]
pub struct Shortlist<'a> {
    zones: Zones<'a>,
    /// `None`: all of them.
    chosen: Option<BTreeSet<&'a ServiceName>>,
    later: usize,
}

impl<'a> Shortlist<'a> {
    /// Draws up the list; the cases are those of one cluster.
    pub fn of(cases: &[Case<'a>]) -> Self {
        let Some(snapshot) = cases.first().map(|case| case.snapshot) else {
            return Self { zones: Zones::none(), chosen: Some(BTreeSet::new()), later: 0 };
        };
        let (zones, instances) = (Zones::of(snapshot), snapshot.container_instances.len());
        if cases.len() * instances <= SEATS_ALL {
            return Self { zones, chosen: None, later: 0 };
        }
        let is_uneven = |case: &&Case<'a>| !zones.is_level(case);
        let (open, closed): (Vec<&Case<'a>>, Vec<_>) =
            cases.iter().filter(is_uneven).partition(|case| candidate::reason_never(case.service).is_none());
        let (mut chosen, later) = choose(&zones, open, SEATS_MAX / instances.max(1), snapshot.observed_at);
        chosen.extend(closed.into_iter().map(|case| &case.service.name));
        Self { zones, chosen: Some(chosen), later }
    }

    /// Whether a service is on it. In a small cluster every one is; in a large one those that are level at one glance are
    /// not, and those that are refused whatever their state are, as they cost nothing.
    pub fn has(&self, case: &Case<'_>) -> bool {
        self.chosen.as_ref().is_none_or(|chosen| chosen.contains(&case.service.name))
    }

    /// The same for those worth being read closely: level ones are not, however small the cluster.
    pub fn has_uneven(&self, case: &Case<'_>) -> bool {
        self.has(case) && !self.zones.is_level(case)
    }

    /// Whether everything is looked at.
    pub fn is_whole(&self) -> bool {
        self.chosen.is_none()
    }

    /// How many services are not level at a glance and have to wait for a later turn.
    pub fn later(&self) -> usize {
        self.later
    }
}

/// Those that are being rebalanced, the worst-off, and by turns some of the rest; and how many are left out.
fn choose<'a>(
    zones: &Zones<'a>,
    open: Vec<&Case<'a>>,
    room: usize,
    now: Timestamp,
) -> (BTreeSet<&'a ServiceName>, usize) {
    let is_begun =
        |case: &&Case<'a>| case.is_triggered() || case.limits.in_flight.contains(&case.service.name);
    let names = |cases: &[&Case<'a>]| cases.iter().map(|case| &case.service.name).collect::<Vec<_>>();
    let (begun, mut others): (Vec<_>, Vec<_>) = open.into_iter().partition(is_begun);
    let mut chosen = BTreeSet::from_iter(names(&begun));
    if others.len() <= room {
        chosen.extend(names(&others));
        return (chosen, 0);
    }
    others.sort_by_cached_key(|case| (Reverse(zones.skew_at_a_glance(case)), &case.service.name));
    let worst = room.div_ceil(2);
    chosen.extend(names(&others[..worst]));
    let mut rest = names(&others[worst..]);
    rest.sort_unstable();
    let turn = now.as_secs().unsigned_abs() / DRAWN_FOR.as_secs();
    let first = (turn as usize * (room - worst)) % rest.len();
    chosen.extend(rest.iter().cycle().skip(first).take(room - worst));
    (chosen, others.len() - room)
}
