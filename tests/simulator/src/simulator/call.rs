//! The log of calls, as `CloudTrail` would keep it, and how a call can go without a response.

use crate::faults::Fault;
use crate::time::SimTime;

/// What came of a call, as the account's side knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered with success.
    Done,
    /// It was answered with this error code.
    Error(String),
    /// It took effect, and the response was lost on its way.
    Lost,
    /// It had no effect and no response.
    TimedOut,
    /// Its caller died before it had an effect.
    Killed,
}

/// One API call, as `CloudTrail` would have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// When it arrived.
    pub at: SimTime,
    /// Label of the client.
    pub caller: String,
    /// `ecs` or `elasticloadbalancing`.
    pub service: &'static str,
    /// Operation.
    pub operation: String,
    /// The most specific thing it names, in short form; a count if there are several.
    pub resource: String,
    /// What came of it.
    pub outcome: Outcome,
    /// The rule's fault that struck it, if one did.
    pub fault: Option<Fault>,
}

/// Why a call got no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Interruption {
    /// The connection broke after the request was sent.
    #[error("connection reset by peer")]
    ConnectionReset,
    /// Nothing came back in time.
    #[error("the operation timed out")]
    TimedOut,
}
