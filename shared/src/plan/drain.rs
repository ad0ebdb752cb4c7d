//! Emptying one container instance: what is to be done about it now, decided from what was seen of it.
//!
//! `record` is what outlives a turn, an attribute of the container instance; `reason` says what is not done, and why;
//! `seen` is the view of one instance; `empty` says whether its tasks have gone, `foresight` what will keep them;
//! `replacement` how its substitute is asked for; `decision` is what may be done, and `step` decides it.

pub mod decision;
pub mod empty;
pub mod foresight;
pub mod reason;
pub mod record;
pub mod replacement;
pub mod seen;
pub mod step;
#[cfg(test)]
pub(crate) mod testing;
