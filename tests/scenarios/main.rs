//! Named stories, each played end to end: the real function, the real SDK, the simulated account, its checkers.

mod crash;
mod edges;
mod evens_out;
mod faults;
mod neighbours;
mod optimum;
mod switches;
