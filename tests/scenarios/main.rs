//! Named stories, each played end to end: the real function, the real SDK, the simulated account, its checkers.

#![allow(clippy::unwrap_used, reason = "in a scenario a panic is the verdict")]

mod crash;
mod drain;
mod ec2_reads;
mod edges;
mod evens_out;
mod families;
mod faults;
mod fidelity;
mod group_reads;
mod group_writes;
mod late_turn;
mod layers;
mod neighbours;
mod optimum;
mod overlap;
mod permissions;
mod release;
mod replay;
mod rest;
mod rollout;
mod stop;
mod switches;
mod table_d3;
mod unmasked;
