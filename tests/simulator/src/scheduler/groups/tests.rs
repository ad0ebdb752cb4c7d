//! Groups through time, driven by the calls a user would make.

mod arriving;
mod balancing;
mod leaving;
mod shortages;
mod sizes;
mod victims;
