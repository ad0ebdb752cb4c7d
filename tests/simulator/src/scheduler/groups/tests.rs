//! Groups through time, driven by the calls a user would make.

mod arriving;
mod balancing;
mod health;
mod leaving;
mod outside;
mod rest;
mod shortages;
mod sizes;
mod victims;
