//! Replacing every instance of an Auto Scaling group: what is to be done about it now, decided from what was seen.
//!
//! `phase` is the table of the way; `record` is what outlives a turn, a tag of the group, in the words of `words`; `reason`
//! says what is waited for; `seen` is the view of one group; `preflight` says whether a rollout may start; `decision` is what
//! may be done; `forward`, `gate` and `back` decide it, each for its phases, and `step` puts them together.

mod back;
pub mod decision;
mod forward;
pub mod gate;
pub mod phase;
pub mod preflight;
pub mod reason;
pub mod record;
pub mod seen;
pub mod step;
#[cfg(test)]
pub(crate) mod testing;
mod words;

pub use back::{back_from_lost, rejected};
pub use forward::is_of_version;
