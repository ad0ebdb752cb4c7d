//! The ECS logic that Evenkeel's Lambda functions share.
//!
//! One turn runs in one direction, and each module uses only names of modules before it:
//!
//! ```text
//! ids, timestamp, percent -> snapshot -> settings, error -> plan -> aws -> observe -> execute, report -> turn -> lambda
//! ```
//!
//! `observe` reads a cluster into a [`snapshot::ClusterSnapshot`]; `plan` turns it, as a pure function, into data that
//! says what to do and why not; `execute` does it after checking each precondition afresh; `report` tells.

pub mod aws;
pub mod error;
pub mod execute;
pub mod ids;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod observe;
pub mod percent;
pub mod plan;
pub mod report;
pub mod settings;
pub mod snapshot;
pub mod timestamp;
pub mod turn;
