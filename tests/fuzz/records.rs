//! Records on tags and attributes: what was written is read, what is not quite what was written is told as foreign, and
//! whatever is read can be calculated with.

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::str::FromStr;
use std::time::Duration;

use evenkeel::plan::drain::record::DrainRecord;
use evenkeel::plan::record::{MoveRecord, SURGE_OFF_TAG};
use evenkeel::plan::rest::{Miss, Rest};
use evenkeel::plan::rollout::record::{Mark, RolloutRecord};
use evenkeel::plan::surge::surge_off_until;
use evenkeel::snapshot::{ClusterSnapshot, Known, Tags};
use evenkeel::timestamp::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::records_valid::{drains, moves, rests, rollouts};
use crate::text::{Slip, odd_text, slip};

/// What ECS takes for a tag (API: `Tag`), which is stricter than Auto Scaling.
fn fits_a_tag(text: &str) -> bool {
    text.len() <= 256 && text.chars().all(|c| c.is_ascii_alphanumeric() || " _.:/=+-@".contains(c))
}

/// What ECS takes for the value of an attribute (API: `Attribute`).
fn fits_an_attribute(text: &str) -> bool {
    text.len() <= 128 && text.chars().all(|c| c.is_ascii_alphanumeric() || " -_./\\@:".contains(c))
}

/// A record comes back as it was written.
fn survives<R>(record: &R, fits: impl Fn(&str) -> bool) -> Result<(), TestCaseError>
where
    R: Display + Debug + FromStr + PartialEq,
{
    let text = record.to_string();
    prop_assert!(fits(&text), "{text}");
    let read = text.parse::<R>().ok();
    prop_assert_eq!(read.as_ref(), Some(record));
    Ok(())
}

/// Text is a record only if it is the very text of that record; else the error quotes it.
fn is_record_or_foreign<R>(text: &str) -> Result<Option<R>, TestCaseError>
where
    R: Display + Debug + FromStr<Err: Display>,
{
    match text.parse::<R>() {
        Ok(record) => {
            prop_assert_eq!(&record.to_string(), text);
            Ok(Some(record))
        }
        Err(error) => {
            let what = error.to_string();
            prop_assert!(what.contains(&format!("'{text}' is not the ")), "{what}");
            Ok(None)
        }
    }
}

fn slipped(text: &str, slips: &[Slip]) -> String {
    slips.iter().fold(text.to_owned(), |text, slip| slip.of(&text, &[':', '/']))
}

fn span() -> impl Strategy<Value = Duration> {
    (0..=10_000_000_u64).prop_map(Duration::from_secs)
}

fn with_surge_off(value: String) -> ClusterSnapshot {
    ClusterSnapshot {
        cluster: "web".into(),
        observed_at: Timestamp::from_secs(1_767_323_045),
        tags: Known::Known(Tags::from([(SURGE_OFF_TAG.to_owned(), value)])),
        services: BTreeMap::new(),
        tasks: BTreeMap::new(),
        container_instances: BTreeMap::new(),
        task_definitions: BTreeMap::new(),
        protections: BTreeMap::new(),
        target_health: BTreeMap::new(),
        unknown: Vec::new(),
    }
}

proptest! {
    #![proptest_config(crate::cases())]

    #[test]
    fn records_survive_their_tag_or_attribute(
        (moving, rest) in (moves(), rests()), drain in drains(), rollout in rollouts()
    ) {
        survives(&moving, fits_a_tag)?;
        survives(&rest, fits_a_tag)?;
        survives(&drain, fits_an_attribute)?;
        survives(&rollout, fits_a_tag)?;
    }

    #[test]
    fn any_text_is_a_record_or_foreign(text in odd_text()) {
        is_record_or_foreign::<MoveRecord>(&text)?;
        is_record_or_foreign::<Rest>(&text)?;
        is_record_or_foreign::<DrainRecord>(&text)?;
        is_record_or_foreign::<RolloutRecord>(&text)?;
        prop_assert_eq!(Mark::of_word(&text) == Mark::Dismissed, text == "dismissed");
        prop_assert_eq!(Miss::of_code(&text).map(Miss::code), Miss::of_code(&text).map(|_| text.as_str()));
    }

    #[test]
    fn nearly_a_move_is_one_that_can_be_carried_on_or_foreign(
        record in moves(), slips in vec(slip(), 1..3), passed in span()
    ) {
        if let Some(record) = is_record_or_foreign::<MoveRecord>(&slipped(&record.to_string(), &slips))? {
            let now = record.started_at + passed;
            prop_assert!(record.tasks_desired_raised() >= record.tasks_desired_before);
            prop_assert!(record.expiry_at(now) > now && record.is_our_expiry(record.expiry_at(now), now));
            prop_assert!(record.starts <= record.starts_max && record.new.as_deref() != Some(""));
            prop_assert!(record.then(record.phase).sequence > record.sequence);
        }
    }

    #[test]
    fn nearly_a_memory_is_one_that_can_be_added_to_or_foreign(
        rest in rests(), slips in vec(slip(), 1..3), passed in span(), cooldown in span()
    ) {
        if let Some(rest) = is_record_or_foreign::<Rest>(&slipped(&rest.to_string(), &slips))? {
            let now = rest.until + passed;
            let next = Rest::after(Some(&rest), Miss::Timeout, now, now, cooldown);
            prop_assert!(next.until >= now && next.misses > rest.misses && !rest.lasts_at(now));
        }
    }

    #[test]
    fn nearly_a_drain_is_one_that_can_be_joined_or_foreign(
        (record, other) in (drains(), drains()), slips in vec(slip(), 1..3)
    ) {
        if let Some(record) = is_record_or_foreign::<DrainRecord>(&slipped(&record.to_string(), &slips))? {
            survives(&record.joined(other), fits_an_attribute)?;
            survives(&other.joined(record), fits_an_attribute)?;
        }
    }

    #[test]
    fn nearly_a_rollout_is_one_that_can_be_carried_on_or_foreign(record in rollouts(), slips in vec(slip(), 1..3)) {
        if let Some(record) = is_record_or_foreign::<RolloutRecord>(&slipped(&record.to_string(), &slips))? {
            let counts = [record.waves_done, record.wave_size, record.olds, record.keep, record.max, record.raised_max];
            prop_assert!(counts.iter().all(|count| *count <= 1_000_000_000), "{record}: their sums must not overflow");
            prop_assert!((1..=100).contains(&record.terms.surge_percent), "{record}: a share of the group");
            prop_assert!(record.terms.canary <= 100 && record.terms.bake_time <= Duration::from_hours(24));
        }
    }

    #[test]
    fn whatever_keeps_surge_off_can_be_told(value in prop_oneof![odd_text(), any::<i64>().prop_map(|it| it.to_string())]) {
        let snapshot = with_surge_off(value.clone());
        let until = snapshot.tags.known().and_then(surge_off_until);
        let written = value.parse::<i64>().map(Timestamp::from_secs).ok();
        prop_assert!(written.map_or(until > Some(snapshot.observed_at), |written| until == Some(written)), "{until:?}");
        for trace in evenkeel::plan::trace::traces(&snapshot) {
            let line = trace.line(&snapshot);
            prop_assert!(line.contains("until") || line.contains(&value), "{}", line);
        }
    }
}
