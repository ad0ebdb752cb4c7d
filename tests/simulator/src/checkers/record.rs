//! The public record of a move: the service tag `evenkeel:move`, colon-separated `version:phase:d0:k:…`.
//!
//! `d0` is the desired count before the move and `k` how far above it the move may go.

use crate::account::Service;

/// Key of the tag.
pub(super) const TAG: &str = "evenkeel:move";

/// What a readable record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) desired_before: u32,
    pub(super) increment: u32,
}

impl Record {
    /// The record of the service; `None` if there is none or it cannot be read.
    pub(super) fn of(service: &Service) -> Option<Self> {
        Self::parse(service.tags.get(TAG)?)
    }

    fn parse(value: &str) -> Option<Self> {
        let mut fields = value.split(':');
        if fields.next() != Some("1") {
            return None;
        }
        let _phase = fields.next()?;
        let desired_before = fields.next()?.parse().ok()?;
        Some(Self { desired_before, increment: fields.next()?.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_from_its_first_four_fields() {
        let record = Record { desired_before: 3, increment: 1 };
        assert_eq!(Record::parse("1:surge:3:1:task:more"), Some(record));
        assert_eq!(Record::parse("1:surge:3:1"), Some(record));
        for unreadable in ["", "1", "2:surge:3:1", "1:surge:x:1", "1:surge:3"] {
            assert_eq!(Record::parse(unreadable), None, "{unreadable}");
        }
    }
}
