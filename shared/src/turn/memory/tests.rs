//! What an invocation makes of records that are older than what it knows, and of records that are gone.

use super::*;
use crate::plan::record::Phase;
use crate::plan::testing::{cluster, now};

fn record() -> MoveRecord {
    MoveRecord {
        phase: Phase::Raise,
        tasks_desired_before: 3,
        starts: 1,
        starts_max: 1,
        sequence: 4,
        chosen: "a".repeat(32),
        new: None,
        started_at: now(),
        protection_minutes: 30,
        missed: None,
    }
}

#[test]
fn a_record_older_than_one_already_seen_is_stale() {
    let (mut memory, service) = (Memory::default(), ServiceName::new("web"));
    assert_eq!(memory.see(&service, &record()), RecordSight::Fresh);
    let earlier = MoveRecord { sequence: 3, ..record() };
    assert_eq!(memory.see(&service, &earlier), RecordSight::Stale);
    let of_an_earlier_move =
        MoveRecord { started_at: now() - Duration::from_secs(1), sequence: 9, ..record() };
    assert_eq!(memory.see(&service, &of_an_earlier_move), RecordSight::Stale);
    assert_eq!(memory.see(&service, &record().then(Phase::Lower)), RecordSight::Fresh);
}

#[test]
fn the_record_of_a_move_that_has_ended_is_stale() {
    let (mut memory, service) = (Memory::default(), ServiceName::new("web"));
    memory.remember(&service, &record());
    memory.end(&service, &record(), Outcome::Moved, Vec::new());
    assert_eq!(memory.see(&service, &record()), RecordSight::Stale);
}

#[test]
fn a_record_that_stays_away_is_lost_and_its_service_left_alone() {
    let (mut memory, service) = (Memory::default(), ServiceName::new("web"));
    memory.remember(&service, &record());
    let mut snapshot = cluster(&[&[3, 0]]).0;
    let missing = memory.missing(&snapshot, &BTreeSet::new());
    assert!(matches!(&missing[..], [(_, Reason::StaleRead { .. })]), "{missing:?}");
    assert!(!memory.has_lost_record());
    snapshot.observed_at = snapshot.observed_at + RECORD_LOST_AFTER;
    assert_eq!(memory.missing(&snapshot, &BTreeSet::new()), [(service.clone(), Reason::RecordLost)]);
    assert_eq!(memory.set_aside.get(&service), Some(&Reason::RecordLost));
    assert!(memory.has_lost_record());
}
