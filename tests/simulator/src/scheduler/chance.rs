//! The account's dice: one seeded stream of numbers behind every fate that AWS or the workload would decide.
//!
//! It is part of the account, so that an API call that creates a task draws from the same stream as the
//! scheduler and a clone of the account has the same future. The generator is `SplitMix64`, chosen because
//! its state is one number.

use std::time::Duration;

use crate::account::{Account, Pace};

impl Account {
    /// The next number of the stream.
    pub fn draw(&mut self) -> u64 {
        self.dice = self.dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.dice;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`, zero if there is none.
    pub fn draw_below(&mut self, bound: usize) -> usize {
        let drawn = self.draw();
        if bound == 0 { 0 } else { (drawn % bound as u64) as usize }
    }

    /// True in `percent` of all draws.
    pub fn draw_percent(&mut self, percent: u32) -> bool {
        self.draw() % 100 < u64::from(percent)
    }

    /// A duration between three quarters and five quarters of `typical`, in whole milliseconds.
    pub fn draw_around(&mut self, typical: Duration) -> Duration {
        let thousandths = 750 + self.draw() % 501;
        Duration::from_millis(typical.as_millis() as u64 * thousandths / 1000)
    }

    /// The pace of one task around the pace typical of its task definition.
    pub fn draw_pace(&mut self, typical: Pace) -> Pace {
        Pace {
            pending: self.draw_around(typical.pending),
            activating: self.draw_around(typical.activating),
            health: self.draw_around(typical.health),
            stopping: self.draw_around(typical.stopping),
        }
    }

    /// The next id: 32 hexadecimal digits from a counter, so that ids sort by age and are the same in every
    /// run.
    pub fn next_id(&mut self) -> String {
        self.next_id += 1;
        format!("{:032x}", self.next_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::AccountBuilder;

    #[test]
    fn the_same_seed_draws_the_same_numbers() {
        let draw = |seed| {
            let mut account = AccountBuilder::new(seed).build();
            (0..20).map(|_| account.draw()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn a_drawn_duration_stays_near_the_typical_one() {
        let mut account = AccountBuilder::new(1).build();
        for _ in 0..1000 {
            let drawn = account.draw_around(Duration::from_secs(100));
            assert!((Duration::from_secs(75)..=Duration::from_secs(125)).contains(&drawn));
        }
    }
}
