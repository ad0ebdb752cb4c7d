//! The operations as a caller sees them.

mod reads;
mod writes;
