//! What can go wrong, sorted by what the reader can do about it.
//!
//! `Display` says what was tried on what, without the cause; [`Error::chain`] prints the causes once, at the top.
//! Three things are not errors: nothing to do, a blocked candidate (a reason in the plan), a refused action (an outcome
//! in the report). An `Err` from a job means that it saw nothing reliable: it changed nothing it did not report, and
//! it can be run again.

use std::error::Error as StdError;
use std::fmt;

/// One fault of a setting or of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which setting or field.
    pub at: String,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.at, self.what)
    }
}

/// Everything a job can fail with.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum Error {
    /// The environment is wrong; every fault is listed.
    #[error("settings: {}", join(.0))]
    Settings(Vec<Fault>),
    /// The event is wrong; nothing was done.
    #[error("event: {}", join(.0))]
    Event(Vec<Fault>),
    /// AWS asked for fewer calls, after all retries.
    #[error("{operation} on {resource} was throttled")]
    Throttled { operation: &'static str, resource: String, source: Cause },
    /// The role lacks a permission.
    #[error("{operation} on {resource} was denied: the function's role needs this permission")]
    Denied { operation: &'static str, resource: String, source: Cause },
    /// The resource does not exist.
    #[error("{operation}: {resource} was not found")]
    NotFound { operation: &'static str, resource: String, source: Cause },
    /// Any other failure of a call.
    #[error("{operation} on {resource} failed")]
    Aws { operation: &'static str, resource: String, source: Cause },
}

/// The SDK's own error below ours.
pub type Cause = Box<dyn StdError + Send + Sync>;

fn join(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("; ")
}

impl Error {
    /// A stable name to filter and alarm on; it becomes the Lambda `errorType`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Settings(_) => "SettingsInvalid",
            Self::Event(_) => "EventInvalid",
            Self::Throttled { .. } => "Throttled",
            Self::Denied { .. } => "AccessDenied",
            Self::NotFound { .. } => "NotFound",
            Self::Aws { .. } => "AwsCallFailed",
        }
    }

    /// Whether the same call may succeed a little later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Aws { .. })
    }

    /// A single fault of an event.
    pub fn event(at: &str, what: impl Into<String>) -> Self {
        Self::Event(vec![Fault { at: at.to_owned(), what: what.into() }])
    }

    /// This error and its causes, outermost first, in one line.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}
