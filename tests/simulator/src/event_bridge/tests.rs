//! Deliveries: to whom, when, how often.

use super::*;
use crate::builder::AccountBuilder;
use crate::scheduler::emission::emit;

const WARNING: &str = "EC2 Spot Instance Interruption Warning";

fn account() -> Account {
    AccountBuilder::new(1).region("us-east-1").build()
}

fn bridge(mishaps: Mishaps) -> EventBridge {
    let drain = Rule::new("drain").source("aws.ec2").detail_type(WARNING);
    let ecs = Rule::new("ecs").source("aws.ecs");
    EventBridge::new(4).rule(drain).rule(ecs).mishaps(mishaps)
}

fn warn(account: &mut Account, id: &str) {
    emit(account, WARNING, "aws.ec2", &[], &json!({ "instance-id": id }));
}

fn pass(account: &mut Account, seconds: u64) {
    account.now = account.now + Duration::from_secs(seconds);
}

/// The instance ids of what is due in the next seconds.
fn ids(bridge: &mut EventBridge, account: &mut Account, seconds: u64) -> Vec<String> {
    pass(account, seconds);
    let id = |it: &Delivery| it.envelope["detail"]["instance-id"].as_str().unwrap_or_default().to_owned();
    bridge.due(account).iter().map(id).collect()
}

#[test]
fn an_event_reaches_the_rules_that_want_it_once_and_within_a_second() {
    let (mut account, mut bridge) = (account(), bridge(Mishaps::default()));
    warn(&mut account, "i-1");
    emit(&mut account, "EC2 Instance Rebalance Recommendation", "aws.ec2", &[], &json!({}));
    emit(&mut account, WARNING, "somebody.else", &[], &json!({}));
    assert_eq!(bridge.due(&account), [], "nothing arrives in the moment it is sent");
    pass(&mut account, 1);
    let due = bridge.due(&account);
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].rule.as_str(), &due[0].envelope), ("drain", &account.events[0].envelope));
    assert!(due[0].at > account.events[0].at && due[0].at <= account.now);
    assert_eq!(ids(&mut bridge, &mut account, 3600), Vec::<String>::new());
}

#[test]
fn a_rule_may_ask_for_values_in_the_detail() {
    let mut account = account();
    let rule = Rule::new("ghosts").detail("state", &["terminated", "stopped"]);
    let mut bridge = EventBridge::new(1).rule(rule);
    for state in ["running", "terminated"] {
        emit(&mut account, "x", "aws.ec2", &[], &json!({ "state": state, "instance-id": state }));
    }
    assert_eq!(ids(&mut bridge, &mut account, 2), ["terminated"]);
}

#[test]
fn late_events_come_late_and_keep_their_own_time() {
    let mishaps = Mishaps { late_percent: 100, late_seconds: 80..=90, ..Mishaps::default() };
    let (mut account, mut bridge) = (account(), bridge(mishaps));
    warn(&mut account, "i-1");
    assert_eq!(ids(&mut bridge, &mut account, 80), Vec::<String>::new());
    pass(&mut account, 11);
    let due = bridge.due(&account);
    assert_eq!(due[0].envelope["time"], "2026-01-02T03:04:05Z");
}

#[test]
fn an_event_may_come_twice() {
    let mishaps = Mishaps { twice_percent: 100, ..Mishaps::default() };
    let (mut account, mut bridge) = (account(), bridge(mishaps));
    warn(&mut account, "i-1");
    assert_eq!(ids(&mut bridge, &mut account, 62), ["i-1", "i-1"]);
}

#[test]
fn an_event_may_be_lost_unless_it_is_one_of_ecs_or_a_schedule() {
    let mishaps = Mishaps { lost_percent: 100, ..Mishaps::default() };
    let (mut account, bridge) = (account(), bridge(mishaps));
    let mut bridge = bridge.schedule("sweep", Duration::from_mins(1));
    bridge.due(&account);
    warn(&mut account, "i-1");
    emit(&mut account, "ECS Task State Change", "aws.ecs", &[], &json!({}));
    pass(&mut account, 61);
    let rules: Vec<_> = bridge.due(&account).into_iter().map(|delivery| delivery.rule).collect();
    assert_eq!(rules, ["ecs", "sweep"]);
}

#[test]
fn an_event_may_be_overtaken_by_the_next() {
    let mishaps = Mishaps { reordered_percent: 50, ..Mishaps::default() };
    let (mut account, mut bridge) = (account(), bridge(mishaps));
    let mut seen = Vec::new();
    for number in 0..100 {
        warn(&mut account, &format!("i-{number:02}"));
        seen.extend(ids(&mut bridge, &mut account, 2));
    }
    seen.extend(ids(&mut bridge, &mut account, 31));
    assert!(seen.windows(2).any(|pair| pair[0] > pair[1]), "{seen:?}");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 100, "every event comes once");
}

#[test]
fn a_schedule_turns_with_its_period() {
    let mut account = account();
    let mut bridge = EventBridge::new(1).schedule("sweep", Duration::from_mins(5));
    assert_eq!(bridge.due(&account), []);
    pass(&mut account, 901);
    let due = bridge.due(&account);
    let times: Vec<_> = due.iter().map(|it| it.envelope["time"].as_str().unwrap_or_default()).collect();
    assert_eq!(times, ["2026-01-02T03:09:05Z", "2026-01-02T03:14:05Z", "2026-01-02T03:19:05Z"]);
    let expected = json!({
        "version": "0", "id": "5c000000-0000-4000-8000-000000000001", "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "123456789012", "time": "2026-01-02T03:09:05Z",
        "region": "us-east-1", "resources": ["arn:aws:events:us-east-1:123456789012:rule/sweep"],
        "detail": {},
    });
    assert_eq!(due[0].envelope, expected);
}

#[test]
fn a_failed_invocation_is_tried_after_one_minute_and_after_two_more() {
    let (mut account, mut bridge) = (account(), bridge(Mishaps::default()));
    warn(&mut account, "i-1");
    pass(&mut account, 1);
    let mut attempts = Vec::new();
    for _ in 0..400 {
        for delivery in bridge.due(&account) {
            attempts.push((delivery.attempt, account.now.since(account.events[0].at).as_secs()));
            bridge.failed(&delivery, account.now);
        }
        pass(&mut account, 1);
    }
    assert_eq!(attempts, [(1, 1), (2, 61), (3, 181)]);
}

#[test]
fn no_event_is_tried_beyond_its_maximum_age() {
    let retries = Retries { maximum_event_age: Duration::from_mins(2), ..Retries::default() };
    let (mut account, mut bridge) = (account(), bridge(Mishaps::default()).retries(retries));
    warn(&mut account, "i-1");
    pass(&mut account, 1);
    let first = bridge.due(&account).remove(0);
    assert!(bridge.failed(&first, account.now));
    pass(&mut account, 60);
    let second = bridge.due(&account).remove(0);
    assert!(!bridge.failed(&second, account.now));
}

#[test]
fn the_same_seed_gives_the_same_deliveries() {
    let run = |seed| {
        let mut account = account();
        let mishaps = Mishaps { late_percent: 30, twice_percent: 30, lost_percent: 30, ..Mishaps::default() };
        let mut bridge = EventBridge::new(seed).rule(Rule::new("all")).mishaps(mishaps);
        (0..30).for_each(|number| warn(&mut account, &format!("i-{number}")));
        ids(&mut bridge, &mut account, 600)
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
