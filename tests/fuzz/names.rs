//! Ids, ARNs, moments and percentages from any text and any number.

use std::time::Duration;

use evenkeel::ids::{ClusterName, InstanceId};
use evenkeel::percent::Percent;
use evenkeel::plan::placement::SpreadField;
use evenkeel::timestamp::Timestamp;
use proptest::prelude::*;

use crate::text::{odd_text, slip};

const REGION: &str = "eu-west-1";

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

/// A name that is accepted is one that ECS takes, and it is its own name again; what is refused is quoted.
fn cluster_name_is_sound(text: &str) -> Result<(), TestCaseError> {
    match ClusterName::parse(text, REGION) {
        Ok(name) => {
            prop_assert!((1..=255).contains(&name.as_str().len()));
            prop_assert!(name.as_str().chars().all(is_of_a_name), "{name}");
            prop_assert_eq!(ClusterName::parse(name.as_str(), REGION), Ok(name.clone()));
            let is_arn =
                text.ends_with(&format!(":cluster/{name}")) && text.contains(&format!(":ecs:{REGION}:"));
            prop_assert!(text == name.as_str() || is_arn, "{text}");
        }
        Err(what) => prop_assert!(what.contains(text) || text.starts_with("arn:"), "{what}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(crate::cases())]

    #[test]
    fn a_cluster_is_named_by_any_text(text in odd_text()) {
        cluster_name_is_sound(&text)?;
    }

    #[test]
    fn an_arn_is_that_of_a_cluster_of_this_region_or_refused(
        name in "[A-Za-z0-9_-]{1,255}", slips in proptest::collection::vec(slip(), 0..3)
    ) {
        let arn = format!("arn:aws:ecs:{REGION}:123456789012:cluster/{name}");
        prop_assert_eq!(ClusterName::parse(&arn, REGION), Ok(ClusterName::new(name)));
        let nearly = slips.iter().fold(arn, |text, slip| slip.of(&text, &[':', '/']));
        cluster_name_is_sound(&nearly)?;
    }

    #[test]
    fn an_instance_id_is_kept_as_it_is_or_quoted(text in prop_oneof![odd_text(), "i-[0-9a-zA-Z-]{0,19}"]) {
        let is_id = text.strip_prefix("i-").is_some_and(|rest| {
            (1..=17).contains(&rest.len()) && rest.chars().all(|c| c.is_ascii_alphanumeric())
        });
        match InstanceId::parse(&text) {
            Ok(id) => prop_assert!(is_id && id.as_str() == text),
            Err(what) => prop_assert!(!is_id && what.contains(&format!("'{text}'")), "{what}"),
        }
    }

    #[test]
    fn a_moment_prints_and_reads_back(seconds in 0..253_402_300_800_i64, millis in 0..1000_i64) {
        let at = Timestamp::from_millis(seconds * 1000 + millis);
        prop_assert_eq!(Timestamp::parse(&at.to_string()), Some(Timestamp::from_secs(seconds)));
    }

    #[test]
    fn any_number_is_a_moment_that_can_be_printed_and_counted_from(millis: i64, seconds: i64, span: u64) {
        for at in [Timestamp::from_millis(millis), Timestamp::from_secs(seconds)] {
            let (later, earlier) = (at + Duration::from_secs(span), at - Duration::from_secs(span));
            prop_assert!(earlier <= at && at <= later);
            prop_assert!(Timestamp::parse(&at.to_string()).is_some(), "{}", at);
            prop_assert!(at.since(earlier) <= Duration::from_secs(span));
        }
    }

    #[test]
    fn a_moment_from_nearly_a_time_is_one_that_was_written(
        seconds in 0..253_402_300_800_i64, slips in proptest::collection::vec(slip(), 1..3), text in odd_text()
    ) {
        let written = Timestamp::from_secs(seconds).to_string();
        let nearly = slips.iter().fold(written, |text, slip| slip.of(&text, &['-', ':', 'T', '.']));
        for text in [nearly, text] {
            if let Some(at) = Timestamp::parse(&text) {
                prop_assert_eq!(Timestamp::parse(&at.to_string()), Some(Timestamp::from_secs(at.as_secs())));
                prop_assert_eq!(&text[..4], &at.to_string()[..4], "the year is the one that was written");
            }
        }
    }

    #[test]
    fn a_share_is_rounded_as_said(count in 0..=100_000_u32, percent in 0..=1000_u32) {
        let exact = u64::from(count) * u64::from(percent);
        let share = Percent::new(percent);
        prop_assert_eq!(u64::from(share.of_rounded_up(count)), exact.div_ceil(100));
        prop_assert_eq!(u64::from(share.of_rounded_down(count)), exact / 100);
    }

    #[test]
    fn a_field_to_spread_over_is_told_or_other(text in prop_oneof![odd_text(), "attribute:.{0,8}", "(?i)instanceid|host"]) {
        let field = SpreadField::parse(&text);
        let is_attribute = matches!(field, SpreadField::Attribute(_) | SpreadField::Zone);
        prop_assert_eq!(is_attribute, text.starts_with("attribute:"));
    }
}
