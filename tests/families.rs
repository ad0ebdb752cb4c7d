//! Families of clusters: each is one way in which clusters get lopsided, drawn from a seed.
//!
//! The past of every cluster is played, not painted: instances die and come back, counts change, deployments run, and
//! ECS itself places every task. Sizes are those of a common ECS cluster: most services have two tasks, one in twenty has
//! twenty or more (cut to what plays fast), on four to ten instances in up to three zones.
//!
//! Not here: API chaos, under which every family is played once more, and clusters of thousands of instances, which
//! `make bench` plans and nobody plays.

mod draw;
mod hosts;
mod limits;
mod past;
mod work;

use simulator::account::Account;

pub use past::Past;

/// What others do to the desired counts while Evenkeel is at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Nothing.
    Steady,
    /// Now and then a service gets more tasks or fewer.
    Walks,
    /// The same services go up and down again and again.
    Flaps,
}

/// One family.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// As the design notes number them.
    pub number: u32,
    /// What befell the cluster.
    pub name: &'static str,
    /// Tasks of one size on instances of one size, with room, and nothing that is not moved: the moves made are then
    /// exactly the least possible.
    pub is_unit: bool,
    /// What goes on meanwhile.
    pub load: Load,
    make: fn(u64) -> Account,
}

const fn unit(number: u32, name: &'static str, make: fn(u64) -> Account) -> Family {
    Family { number, name, is_unit: true, load: Load::Steady, make }
}

const fn mixed(number: u32, name: &'static str, make: fn(u64) -> Account) -> Family {
    Family { number, name, is_unit: false, load: Load::Steady, make }
}

/// All that are played.
pub const FAMILIES: [Family; 22] = [
    unit(1, "one new instance", hosts::one_new),
    unit(2, "two new of ten", hosts::two_new_of_ten),
    unit(3, "lost and returned", hosts::lost_and_returned),
    unit(4, "zone lost and returned", hosts::zone_lost_and_returned),
    unit(5, "all on the first hosts", hosts::first_hosts),
    unit(6, "deployment pile-up", hosts::deployment_pile_up),
    Family { load: Load::Walks, ..mixed(7, "random walk", work::random_walk) },
    unit(8, "many singletons", work::many_singletons),
    unit(9, "few huge services", work::few_huge),
    mixed(10, "mixed sizes", work::mixed_sizes),
    unit(11, "uneven zones", hosts::uneven_zones),
    mixed(12, "nearly full", limits::nearly_full),
    mixed(13, "binpack and spread", limits::binpack_and_spread),
    mixed(14, "daemons and standalone", work::daemons_and_standalone),
    mixed(15, "memberOf partitions", limits::partitions),
    mixed(16, "protected tasks", limits::protected),
    mixed(17, "host ports, distinct", limits::one_each),
    mixed(18, "capacity providers", limits::capacity_providers),
    Family { load: Load::Flaps, ..mixed(19, "flapping load", hosts::one_new) },
    mixed(20, "failing and slow", work::failing_and_slow),
    unit(21, "already optimal", work::already_optimal),
    unit(22, "adversarial ties", hosts::adversarial_ties),
];

/// The family of this number.
pub fn numbered(number: u32) -> &'static Family {
    FAMILIES.iter().find(|family| family.number == number).expect("1 to 22 are played")
}

/// A cluster of the family of this number.
pub fn family(number: u32, seed: u64) -> Account {
    numbered(number).account(seed)
}

impl Family {
    /// A cluster of this family.
    pub fn account(&self, seed: u64) -> Account {
        (self.make)(seed)
    }
}
