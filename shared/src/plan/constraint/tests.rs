//! The cluster query language: what holds, what does not, what cannot be told, what cannot be parsed.

use super::*;
use crate::plan::testing;

fn holds(expression: &str) -> Option<bool> {
    let mut instance = testing::instance("a", 0);
    instance.agent_version = Some("1.86.10".to_owned());
    instance.registered_at = Some(Timestamp::from_secs(1_518_480_000));
    instance.attributes.insert("ecs.instance-type".to_owned(), Some("m5.large".to_owned()));
    instance.attributes.insert("rack".to_owned(), Some("9".to_owned()));
    instance.attributes.insert("gpu".to_owned(), None);
    let expression = Expression::parse(expression).unwrap();
    expression.holds(Facts { instance: &instance, tasks_running: Some(3) })
}

#[test]
fn the_guides_examples_are_read() {
    for text in [
        "attribute:ecs.instance-type == t2.small",
        "attribute:ecs.availability-zone in [us-east-1a, us-east-1b]",
        "attribute:ecs.instance-type =~ g2.* and attribute:ecs.availability-zone != us-east-1d",
        "task:group == service:production",
        "not(task:group == database)",
        "runningTasksCount == 1",
        "agentVersion < 1.14.5",
        "registeredAt < 2018-02-13",
        "ec2InstanceId in ['i-abcd1234', 'i-wxyx7890']",
        "(attribute:a exists or attribute:b !exists) and !(agentConnected equals true)",
        "(attribute:ecs.instance-type =~ (m5|c5)\\..*) && attribute:rack not_in [1,2] || attribute:x not_exists",
    ] {
        assert!(Expression::parse(text).is_ok(), "{text}: {:?}", Expression::parse(text));
    }
}

#[test]
fn texts_lists_and_patterns_are_compared() {
    assert_eq!(holds("attribute:ecs.instance-type == m5.large"), Some(true));
    assert_eq!(holds("attribute:ecs.instance-type != m5.large"), Some(false));
    assert_eq!(holds("attribute:ecs.instance-type =~ m5.*"), Some(true));
    assert_eq!(holds("attribute:ecs.instance-type !~ (c|r)[0-9]+\\..*"), Some(true));
    assert_eq!(holds("attribute:ecs.instance-type =~ \"[a-z]5\\.(large|xlarge)\""), Some(true));
    assert_eq!(holds("attribute:ecs.availability-zone in [a, b]"), Some(true));
    assert_eq!(holds("attribute:ecs.availability-zone !in [a, b]"), Some(false));
    assert_eq!(holds("agentConnected == true"), Some(true));
}

#[test]
fn versions_numbers_and_dates_have_their_own_order() {
    assert_eq!(holds("agentVersion > 1.86.9"), Some(true));
    assert_eq!(holds("runningTasksCount <= 3"), Some(true));
    assert_eq!(holds("registeredAt >= 2018-02-13"), Some(true));
    assert_eq!(holds("registeredAt == 2018-02-13T00:00:00+00:00"), Some(true));
    assert_eq!(holds("registeredAt < 2018-02-13T00:00:01Z"), Some(true));
    assert_eq!(holds("registeredAt in [2018-02-12, 2018-02-13]"), Some(true));
    assert_eq!(holds("runningTasksCount == 03"), Some(true));
    assert_eq!(holds("agentVersion == 1.086.10"), Some(true));
}

#[test]
fn what_is_not_settled_cannot_be_told() {
    assert_eq!(holds("task:group == service:web"), None);
    assert_eq!(holds("moonPhase == full"), None);
    assert_eq!(holds("attribute:none != x"), None, "absent under an inequality");
    assert_eq!(holds("attribute:rack < 10"), None, "9 and 10 as numbers and as text");
    assert_eq!(holds("attribute:ecs.instance-type =~ large"), None, "depends on anchoring");
    assert_eq!(holds("attribute:ecs.instance-type =~ m5{1}.large"), None, "beyond the subset");
    assert_eq!(holds("attribute:rack < 8"), Some(false));
    assert_eq!(holds("attribute:rack == 09"), None, "the same as numbers, not as text");
    assert_eq!(holds("attribute:rack in [x, +9]"), None);
    assert_eq!(holds("attribute:rack > 10.5"), None, "a fraction is a number too");
    assert_eq!(holds("attribute:gpu == ''"), None, "no value, and an empty one");
    assert_eq!(holds("attribute:gpu =~ .*"), None);
    assert_eq!(holds("agentVersion > v1.86.0"), None, "no version that ECS reports");
    assert_eq!(holds("registeredAt =~ 2018.*"), None, "written in which way?");
}

#[test]
fn a_part_of_a_second_may_count_or_not() {
    let mut instance = testing::instance("a", 0);
    instance.registered_at = Some(Timestamp::from_millis(1_518_480_000_500));
    let facts = Facts { instance: &instance, tasks_running: None };
    let holds = |text| Expression::parse(text).unwrap().holds(facts);
    assert_eq!(holds("registeredAt <= 2018-02-13"), None);
    assert_eq!(holds("registeredAt < 2018-02-14"), Some(true));
}

/// Each of these groups would double the work of the one in it: without a bound this does not end.
#[test]
fn a_pattern_of_groups_in_groups_cannot_be_told() {
    let deep = format!("attribute:ecs.instance-type =~ {}m{}", "(".repeat(60), ")+".repeat(60));
    assert_eq!(holds(&deep), None);
    assert_eq!(holds("attribute:ecs.instance-type =~ (((m|x)5)\\.)large"), Some(true));
}

#[test]
fn absent_and_bare_attributes() {
    assert_eq!(holds("attribute:gpu exists"), Some(true));
    assert_eq!(holds("attribute:gpu == x"), Some(false));
    assert_eq!(holds("attribute:none exists"), Some(false));
    assert_eq!(holds("attribute:none !exists"), Some(true));
    assert_eq!(holds("attribute:none == x"), Some(false));
}

#[test]
fn an_open_half_does_not_matter_where_the_other_settles_it() {
    assert_eq!(holds("task:group == x and attribute:none exists"), Some(false));
    assert_eq!(holds("task:group == x or attribute:gpu exists"), Some(true));
    assert_eq!(holds("task:group == x or attribute:none exists"), None);
    assert_eq!(holds("not task:group == x"), None);
}

#[test]
fn and_binds_stronger_than_or() {
    assert_eq!(holds("attribute:gpu exists or attribute:gpu exists and attribute:none exists"), Some(true));
    assert_eq!(
        holds("(attribute:gpu exists or attribute:gpu exists) and attribute:none exists"),
        Some(false)
    );
}

#[test]
fn faults_are_typed_and_placed() {
    assert_eq!(Expression::parse(""), Err(ParseError::NoSubject(0)));
    assert_eq!(Expression::parse("agentConnected"), Err(ParseError::NoOperator(14)));
    assert_eq!(Expression::parse("agentConnected =="), Err(ParseError::NoArgument(17)));
    assert_eq!(Expression::parse("(agentConnected == true"), Err(ParseError::NotClosed(0)));
    assert_eq!(Expression::parse("attribute:a in [x"), Err(ParseError::NotClosed(15)));
    assert_eq!(Expression::parse("attribute:a == 'x"), Err(ParseError::NotClosed(15)));
    assert_eq!(Expression::parse("agentConnected == true true"), Err(ParseError::Trailing(23)));
    assert_eq!(Expression::parse(&"x".repeat(2001)), Err(ParseError::TooLong));
    assert_eq!(
        Expression::parse(&"é".repeat(2000)),
        Err(ParseError::NoOperator(4000)),
        "characters, not bytes"
    );
    assert_eq!(
        Expression::parse(&"!(".repeat(900)),
        Err(ParseError::TooDeep(64)),
        "that took more stack than there is"
    );
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,60}") {
        if let Ok(expression) = Expression::parse(&text) {
            let instance = testing::instance("a", 0);
            let _ = expression.holds(Facts { instance: &instance, tasks_running: None });
        }
    }
}
