//! What EC2 Auto Scaling does by itself, second by second.
//!
//! Written from the Amazon EC2 Auto Scaling User Guide and API Reference.

mod admission;
pub mod choice;

pub use admission::{admit, found};
pub use choice::{Choice, choose};

/// The subnet of a zone; every zone has one.
pub fn subnet(zone: &str) -> String {
    let sum = zone.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(131) + u64::from(byte));
    format!("subnet-{sum:017x}")
}

/// 32 hexadecimal digits in the form of a UUID.
pub fn uuid(hex: &str) -> String {
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
