//! Answers of EC2 that are arbitrary, broken off, or nearly right: a named error, or exactly what stands in the XML.

use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::Config;

use super::*;

/// As many cases as `PROPTEST_CASES` says, else 256.
fn cases() -> Config {
    Config { failure_persistence: None, ..Config::default() }
}

#[derive(Clone, Debug)]
struct Written {
    id: String,
    image: Option<String>,
    state: &'static str,
    is_spot: bool,
    zone: Option<String>,
    launched_at: Option<Timestamp>,
}

fn instance() -> impl Strategy<Value = Written> {
    let states = ["pending", "running", "shutting-down", "terminated", "stopping", "stopped", "hovering"];
    let launched = option::of((0..4_000_000_000_i64).prop_map(Timestamp::from_secs));
    let (id, image, zone) = ("i-[0-9a-f]{17}", option::of("ami-[0-9a-f]{8}"), option::of("eu-west-1[a-c]"));
    (id, image, select(states.to_vec()), any::<bool>(), zone, launched).prop_map(
        |(id, image, state, is_spot, zone, launched_at)| Written {
            id,
            image,
            state,
            is_spot,
            zone,
            launched_at,
        },
    )
}

fn element(name: &str, content: Option<&str>) -> String {
    content.map(|content| format!("<{name}>{content}</{name}>")).unwrap_or_default()
}

fn item(written: &Written) -> String {
    let launched = written.launched_at.map(|at| at.to_string());
    let members = [
        element("instanceId", Some(&written.id)),
        element("imageId", written.image.as_deref()),
        element("instanceState", Some(&element("name", Some(written.state)))),
        element("launchTime", launched.as_deref()),
        element("placement", Some(&element("availabilityZone", written.zone.as_deref()))),
        element("instanceLifecycle", written.is_spot.then_some("spot")),
    ];
    element("item", Some(&members.concat()))
}

/// A page with its instances spread over reservations, and a token if there is more.
fn page(reservations: &[Vec<Written>], token: Option<&str>) -> String {
    let reservation = |instances: &Vec<Written>| {
        let set: String = instances.iter().map(item).collect();
        element("item", Some(&element("instancesSet", Some(&set))))
    };
    let all: String = reservations.iter().map(reservation).collect();
    let body = element("reservationSet", Some(&all)) + &element("nextToken", token);
    element("DescribeInstancesResponse", Some(&body))
}

fn reservations() -> impl Strategy<Value = Vec<Vec<Written>>> {
    vec(vec(instance(), 0..4), 0..4)
}

fn is_read_as(read: &Machine, written: &Written) -> bool {
    let (zone, image) = (written.zone.as_deref().unwrap_or_default(), written.image.as_deref());
    read.id.as_str() == written.id
        && read.image.as_ref().map(ImageId::as_str) == image
        && read.state == state_of(written.state)
        && read.is_spot == written.is_spot
        && read.zone.as_str() == zone
        && read.launched_at == written.launched_at
}

/// What every reader makes of a text: no panic, and a sentence if it is refused.
fn is_refused_in_words(text: &str) -> Result<(), TestCaseError> {
    let errors = [machines(text).map(drop), launch_template_versions(text).map(drop)];
    for error in errors.into_iter().filter_map(Result::err) {
        prop_assert!(error.to_string().starts_with("the answer "), "{error}");
    }
    let refusal = Refusal::of(500, text);
    prop_assert!(refusal.message().is_some_and(|message| !message.is_empty()));
    Ok(())
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_page_is_read_as_it_was_written(written in reservations(), token in option::of("[A-Za-z0-9+/=]{1,20}")) {
        let read = machines(&page(&written, token.as_deref())).unwrap();
        let written: Vec<&Written> = written.iter().flatten().collect();
        prop_assert_eq!(read.items.len(), written.len());
        prop_assert!(read.items.iter().zip(written).all(|(read, written)| is_read_as(read, written)));
        prop_assert_eq!(read.next_token, token);
    }

    #[test]
    fn a_page_that_breaks_off_is_never_a_shorter_list(written in reservations(), end in any::<Index>()) {
        let whole = page(&written, Some("next"));
        prop_assert!(machines(&whole[..end.index(whole.len())]).is_err());
    }

    #[test]
    fn a_tag_less_is_an_error(written in reservations(), at in any::<Index>()) {
        let whole = page(&written, Some("next"));
        let tags: Vec<usize> = whole.match_indices('<').map(|(at, _)| at).collect();
        let from = tags[at.index(tags.len())];
        let length = whole[from..].find('>').expect("a tag is closed") + 1;
        let less = [&whole[..from], &whole[from + length..]].concat();
        prop_assert!(machines(&less).is_err(), "{less}");
    }

    #[test]
    fn an_instance_without_its_id_or_a_reservation_without_its_set_is_an_error(
        written in reservations(), one in instance(),
        missing in select(vec!["instanceId", "instancesSet", "reservationSet"])
    ) {
        let renamed = page(&[written, vec![vec![one]]].concat(), None).replace(missing, "other");
        let error = machines(&renamed).unwrap_err().to_string();
        prop_assert!(error.contains(missing), "{error}");
    }

    #[test]
    fn a_version_is_read_as_it_was_written_or_its_number_is_refused(
        number in prop_oneof!["[0-9]{1,19}", "[-+ ]?[0-9a-z.]{0,30}", "\\PC{0,8}"], image in option::of("ami-[0-9]{8}")
    ) {
        let number = number.replace(['<', '&', '>'], "");
        let data = element("launchTemplateData", Some(&element("imageId", image.as_deref())));
        let head = "<launchTemplateId>lt-1</launchTemplateId><launchTemplateName>web</launchTemplateName>";
        let mut body = format!("<R><launchTemplateVersionSet><item>{head}{data}");
        write!(body, "<versionNumber>{number}</versionNumber></item></launchTemplateVersionSet></R>").unwrap();
        match launch_template_versions(&body) {
            Ok(versions) => {
                prop_assert_eq!(versions.len(), 1);
                prop_assert_eq!(Some(versions[0].version), number.parse().ok());
                prop_assert_eq!(versions[0].image.as_ref().map(ImageId::as_str), image.as_deref());
            }
            Err(error) => {
                prop_assert!(number.parse::<u64>().is_err());
                prop_assert!(error.to_string().contains("versionNumber"), "{error}");
            }
        }
    }

    #[test]
    fn any_text_is_refused_in_words(
        text in prop_oneof!["\\PC{0,60}", "[<>/a-z&;!\\[\\]?\"'= -]{0,60}", any::<String>()],
        written in reservations(), at in any::<Index>()
    ) {
        is_refused_in_words(&text)?;
        let whole = page(&written, None);
        let at = at.index(whole.len());
        is_refused_in_words(&[&whole[..at], text.as_str(), &whole[at..]].concat())?;
    }

    #[test]
    fn depth_is_no_danger(depth in 0..1_000_usize) {
        let nested = ["<a>".repeat(depth), "</a>".repeat(depth)].concat();
        is_refused_in_words(&nested)?;
        is_refused_in_words(&element("Response", Some(&nested)))?;
    }
}
