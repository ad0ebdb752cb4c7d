//! Plans are data made by pure functions: no async, clock, randomness or SDK type below this module.
//!
//! `reason` says why not; `constraint` and `placement` foresee where ECS puts a task; `eligible` says where one may be;
//! `spread` is the arithmetic of even splits; `candidate`, `landing` and `rebalance` decide.

pub mod candidate;
pub mod constraint;
pub mod eligible;
pub mod health;
pub mod landing;
pub mod placement;
pub mod reason;
pub mod rebalance;
pub mod record;
pub mod sequence;
pub mod spread;
pub mod surge;
#[cfg(test)]
pub(crate) mod testing;
