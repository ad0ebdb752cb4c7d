//! What is found on a service and on the cluster, and how it is told.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::plan::testing::{Cluster, cluster, now, task_arn};

fn lines(change: impl FnOnce(&mut Cluster)) -> Vec<String> {
    let mut found = cluster(&[&[3, 0]]);
    change(&mut found);
    traces(&found.0).iter().map(|trace| trace.line(&found.0)).collect()
}

fn move_tag(c: &mut Cluster, value: &str) {
    c.web().tags.insert(MOVE_TAG.to_owned(), value.to_owned());
    for task in 0..3 {
        protect(c, task, false, Duration::ZERO);
    }
}

fn protect(c: &mut Cluster, task: usize, enabled: bool, lasting: Duration) {
    let protection = Protection { enabled, expires_at: enabled.then(|| now() + lasting) };
    c.0.protections.insert(task_arn("web", task), Known::Known(protection));
}

#[test]
fn the_operators_tags_are_no_traces() {
    let found = lines(|c| {
        for key in ["evenkeel:rebalance", "evenkeel:strategy"] {
            c.web().tags.insert(key.to_owned(), "off".to_owned());
        }
        c.0.tags = Known::Known(BTreeMap::from([("evenkeel:pause".to_owned(), String::new())]));
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_move_is_told_by_its_record() {
    let record = format!("1:raise:3:1:1:4:web-0000:-:{}:30", now().as_secs());
    let found = lines(|c| {
        move_tag(c, &record);
        c.web().tasks_desired = 4;
        protect(c, 1, true, Duration::from_mins(30));
        protect(c, 2, true, Duration::from_hours(9));
    });
    let words = "service web: a move in phase raise, desired count raised 3 -> 4, 1 tasks protected by it";
    assert_eq!(found, [words]);
    let foreign = lines(|c| {
        move_tag(c, &record);
        c.web().tasks_desired = 9;
    });
    assert!(foreign[0].contains("desired count 9, which is not its doing: it found 3"), "{foreign:?}");
}

#[test]
fn an_unreadable_record_says_what_cannot_be_told() {
    let found = lines(|c| move_tag(c, "gone fishing"));
    assert!(found[0].contains("holds 'gone fishing', which is no record of a move"), "{found:?}");
    assert!(
        found[0].ends_with("could not be checked against it; none of its tasks is protected"),
        "{found:?}"
    );
    let held = lines(|c| {
        move_tag(c, "gone fishing");
        protect(c, 1, true, Duration::from_mins(30));
    });
    assert!(
        held[0].contains("1 of its tasks are protected, and whether by Evenkeel cannot be told"),
        "{held:?}"
    );
    let unread = lines(|c| {
        move_tag(c, "gone fishing");
        c.0.protections.insert(task_arn("web", 2), Known::Unknown("throttled".to_owned()));
    });
    assert!(unread[0].contains("could not be read"), "{unread:?}");
}

#[test]
fn memories_are_found_whatever_they_hold() {
    let found = lines(|c| {
        c.web().tags.insert(REST_TAG.to_owned(), "1:2:1800000000:landing:1799990000".to_owned());
        c.0.tags = Known::Known(BTreeMap::from([(SURGE_OFF_TAG.to_owned(), "later".to_owned())]));
    });
    let rest = "service web: 2 missed moves in a row, at rest until 2027-01-15T08:00:00Z";
    assert_eq!(found, [rest, "cluster c: the tag evenkeel:surge-off holds 'later', which is no time"]);
}
