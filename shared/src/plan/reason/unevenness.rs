//! Why an optimum can look lopsided.

use serde::Serialize;

/// Why the best split that can be reached is still uneven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Unevenness {
    /// The zones have different numbers of instances, and the service spreads over zones first.
    ZoneSizesDiffer,
    /// The tasks cannot be divided equally among the instances.
    CannotBeDivided,
    /// Some tasks are on instances from which they are not moved.
    FixedTasks,
}

impl Unevenness {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::ZoneSizesDiffer => "zone sizes differ and the service spreads over zones first",
            Self::CannotBeDivided => "its tasks cannot be divided equally among the instances",
            Self::FixedTasks => "some of its tasks are on instances from which nothing is moved",
        }
    }
}
