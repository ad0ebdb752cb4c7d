//! Every parser at Evenkeel's border under input that nobody meant: arbitrary, and, more telling, nearly right.
//!
//! Nothing may panic; what is refused is refused by a named error that says what was wrong and where; what is accepted is
//! what was written. `make fuzz CASES=100000` plays more cases than a test run does. EC2's XML is read below a private
//! module of the crate, so that its properties stand there.

mod events;
mod events_valid;
mod json;
mod names;
mod query;
mod query_words;
mod records;
mod records_valid;
mod settings;
mod text;

use proptest::test_runner::Config;

/// As many cases as `PROPTEST_CASES` says, else 256. A case that failed becomes a test with a name, not a file of seeds.
fn cases() -> Config {
    Config { failure_persistence: None, ..Config::default() }
}
