//! Plans are data made by pure functions: no async, clock, randomness or SDK type below this module.
//!
//! `reason` says why not; `constraint` and `placement` foresee where ECS puts a task; `eligible` says where one may be;
//! `spread` is the arithmetic of even splits; `stoppable` says whether a task may be stopped first, `candidate` whether a
//! service may be moved, `landing` whether one task can, `sequence` in which order; `verdict` puts that together for a
//! service. `load`, `flow` and `relief` are the second layer: the instances' load over all services. `rebalance` joins both
//! for a cluster, `starts` says which may begin now, and `curve` what any number of them would reach. `surge` and `stop`
//! carry a move on `record` further; `rest` remembers those that missed, and `trace` finds what is left of them. `drain` is
//! about one instance that is to be emptied, `rollout` about a group whose instances are all to be replaced.

pub mod candidate;
pub mod case;
pub mod constraint;
pub mod curve;
pub mod drain;
pub mod eligible;
pub mod flow;
pub mod health;
pub mod landing;
pub mod level;
pub mod load;
pub mod placement;
pub mod proposal;
pub mod reason;
pub mod rebalance;
pub mod record;
pub mod relief;
pub mod rest;
pub mod rollout;
pub mod sequence;
pub mod shortlist;
pub mod spread;
pub mod starts;
pub mod stop;
pub mod stoppable;
pub mod surge;
#[cfg(test)]
pub(crate) mod testing;
pub mod trace;
pub mod verdict;
