//! A simulated AWS account in one Region: ECS on EC2, the machines below it with Spot, the Auto Scaling groups they
//! belong to, and the target health of Elastic Load Balancing.
//!
//! Written from AWS's documentation, never from what Evenkeel needs; it does not know Evenkeel's crate.
//!
//! `account` is the state, `scheduler` moves it through time, `operations` answers API calls on it, `wire` speaks the
//! two protocols, `simulator` joins them behind an SDK HTTP client, `server` behind a TCP port; `event_bridge` delivers
//! what the account emits.

pub mod account;
pub mod builder;
pub mod checkers;
pub mod client;
pub mod constraint;
pub mod event_bridge;
pub mod faults;
pub mod operations;
pub mod placement;
pub mod runtime_api;
pub mod scheduler;
pub mod server;
pub mod simulator;
pub mod switches;
pub mod throttle;
pub mod time;
pub mod timeline;
pub mod wire;
