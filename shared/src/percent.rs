//! Percentages as a type, with ECS's own rounding.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A whole percentage of zero or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Percent(u32);

impl Percent {
    /// `Percent::new(30)` is 30 %.
    pub const fn new(percent: u32) -> Self {
        Self(percent)
    }

    /// The number before the percent sign.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// This share of `count`, rounded up, as ECS rounds minimumHealthyPercent (API: `DeploymentConfiguration`).
    pub fn of_rounded_up(self, count: u32) -> u32 {
        count.saturating_mul(self.0).div_ceil(100)
    }

    /// This share of `count`, rounded down, as ECS rounds maximumPercent (API: `DeploymentConfiguration`).
    pub fn of_rounded_down(self, count: u32) -> u32 {
        count.saturating_mul(self.0) / 100
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}
