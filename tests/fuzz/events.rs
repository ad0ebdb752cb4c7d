//! Events of the three functions: arbitrary, nearly right, and right.

use evenkeel::error::Error;
use evenkeel::ids::{ClusterName, InstanceId};
use evenkeel::plan::drain::record::DrainRecord;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::events_valid::{REGION, delivered, envelope, now, of_drain, of_rebalance, of_rollout, settings};
use crate::json::{any_value, number, of_another_kind};
use crate::text::{odd_text, slip};

/// Which function an event is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Rebalance,
    Drain,
    Rollout,
}

const FUNCTIONS: [Function; 3] = [Function::Rebalance, Function::Drain, Function::Rollout];

impl Function {
    /// The command, as text that two events can be compared by.
    fn parse(self, event: Value) -> Result<String, Error> {
        Ok(match self {
            Self::Rebalance => format!("{:?}", rebalance::event::parse(event, REGION)?),
            Self::Drain => format!("{:?}", drain::event::parse(event, REGION, &settings(), now())?),
            Self::Rollout => format!("{:?}", rollout::event::parse(event, REGION, &settings())?),
        })
    }
}

/// Each fault of an event has a place and a sentence.
fn is_named(error: &Error) -> Result<(), TestCaseError> {
    let Error::Event(faults) = error else { return Err(TestCaseError::fail(format!("{error:?}"))) };
    prop_assert!(!faults.is_empty());
    for fault in faults {
        prop_assert!(!fault.at.is_empty() && !fault.what.trim().is_empty(), "{fault:?}");
    }
    Ok(())
}

/// One member of a right event, and the values of the right kind that are wrong for it.
#[derive(Clone, Debug)]
struct Member {
    function: Function,
    event: Value,
    pointer: &'static str,
    is_required: bool,
    wrong: BoxedStrategy<Value>,
}

impl Member {
    fn name(&self) -> &'static str {
        self.pointer.rsplit('/').next().unwrap_or_default()
    }

    /// The event with the member taken out or replaced.
    fn with(&self, value: Option<Value>) -> Value {
        let mut event = self.event.clone();
        let parent = self.pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        let members = event.pointer_mut(parent).and_then(Value::as_object_mut).expect("the parent is there");
        members.remove(self.name()).expect("the member is there");
        members.extend(value.map(|value| (self.name().to_owned(), value)));
        event
    }

    /// Dropped if it has to be there, of another kind, or wrong.
    fn spoilt(self) -> BoxedStrategy<(Self, Value)> {
        let right = self.event.pointer(self.pointer).expect("the member is there").clone();
        let values = prop_oneof![of_another_kind(&right), self.wrong.clone()].prop_map(Some);
        let values = if self.is_required { prop_oneof![values, Just(None)].boxed() } else { values.boxed() };
        values.prop_map(move |value| (self.clone(), self.with(value))).boxed()
    }
}

fn text_but(is_right: impl Fn(&str) -> bool + 'static) -> BoxedStrategy<Value> {
    odd_text().prop_filter("wrong", move |text| !is_right(text)).prop_map(Value::from).boxed()
}

fn number_outside(least: i64, most: i64) -> BoxedStrategy<Value> {
    let is_inside = move |it: &Value| it.as_i64().is_some_and(|it| (least..=most).contains(&it));
    number().prop_filter("wrong", move |it| !is_inside(it)).boxed()
}

fn no_instance() -> BoxedStrategy<Value> {
    text_but(|text| InstanceId::parse(text).is_ok())
}

fn no_cluster() -> BoxedStrategy<Value> {
    text_but(|text| ClusterName::parse(text, REGION).is_ok())
}

fn no_group() -> BoxedStrategy<Value> {
    let faulty = vec![json!(""), json!("a\0b"), json!("line\nbreak"), json!("x".repeat(256))];
    select(faulty).boxed()
}

fn no_bake() -> BoxedStrategy<Value> {
    let faulty = [
        "",
        "5",
        "-5s",
        "24h 1ms",
        "9999999999999999999999s",
        "18446744073709551615y",
        "5 parsecs",
        "1.5h\0",
    ];
    select(faulty.map(Value::from).to_vec()).boxed()
}

/// Members of the envelopes.
fn members_of_envelopes() -> Vec<Member> {
    let null = || Just(Value::Null).boxed();
    let details = [
        ("EC2 Spot Instance Interruption Warning", json!({"instance-id": "i-0", "instance-action": "stop"})),
        ("EC2 Instance Rebalance Recommendation", json!({"instance-id": "i-0"})),
        ("EC2 Instance State-change Notification", json!({"instance-id": "i-0", "state": "terminated"})),
        (
            "EC2 Instance-terminate Lifecycle Action",
            json!({"EC2InstanceId": "i-0", "LifecycleHookName": "h"}),
        ),
    ];
    let envelopes = details.into_iter().flat_map(|(kind, detail)| {
        let event = envelope(kind, "2026-01-02T03:04:05Z", &detail);
        let no_action = text_but(|text| ["stop", "terminate", "hibernate"].contains(&text));
        let no_time = text_but(|text| evenkeel::timestamp::Timestamp::parse(text).is_some());
        let all = [
            ("/region", text_but(|text| text == REGION)),
            ("/time", no_time),
            ("/detail", null()),
            ("/detail/instance-id", no_instance()),
            ("/detail/EC2InstanceId", no_instance()),
            ("/detail/instance-action", no_action),
            ("/detail/state", null()),
            ("/detail/LifecycleHookName", null()),
        ];
        let there = all.into_iter().filter(|(pointer, _)| event.pointer(pointer).is_some());
        let member = |(pointer, wrong)| Member {
            function: Function::Drain,
            event: event.clone(),
            pointer,
            is_required: true,
            wrong,
        };
        there.map(member).collect::<Vec<_>>()
    });
    envelopes.collect()
}

/// Members of the commands.
fn members_of_commands() -> Vec<Member> {
    let no_flag = || number().boxed();
    let drained = json!({"instanceId": "i-0", "cluster": "web", "dryRun": true});
    let moved = json!({"cluster": "web", "dryRun": true, "skewThreshold": 30, "maxMoves": 10});
    let started = json!({"action": "start", "autoScalingGroup": "g", "cluster": "web", "dryRun": true,
        "surgePercent": 50, "bakeTime": "10m", "onlyIfDrifted": true});
    let no_action = || text_but(|text| ["start", "status", "abort", "resume", "release"].contains(&text));
    let released = json!({"action": "release", "cluster": "web"});
    let all = [
        (Function::Drain, &drained, "/instanceId", true, no_instance()),
        (Function::Drain, &drained, "/cluster", false, no_cluster()),
        (Function::Drain, &drained, "/dryRun", false, no_flag()),
        (Function::Rebalance, &moved, "/cluster", true, no_cluster()),
        (Function::Rebalance, &moved, "/dryRun", false, no_flag()),
        (Function::Rebalance, &moved, "/skewThreshold", false, number_outside(1, 1000)),
        (Function::Rebalance, &moved, "/maxMoves", false, number_outside(1, 1000)),
        (Function::Rebalance, &released, "/action", false, no_action()),
        (Function::Rebalance, &released, "/cluster", true, no_cluster()),
        (Function::Rollout, &started, "/action", true, no_action()),
        (Function::Rollout, &started, "/autoScalingGroup", true, no_group()),
        (Function::Rollout, &started, "/cluster", true, no_cluster()),
        (Function::Rollout, &started, "/dryRun", false, no_flag()),
        (Function::Rollout, &started, "/surgePercent", false, number_outside(1, 100)),
        (Function::Rollout, &started, "/bakeTime", false, no_bake()),
        (Function::Rollout, &started, "/onlyIfDrifted", false, no_flag()),
    ];
    let member = |(function, event, pointer, is_required, wrong): (_, &Value, _, _, _)| Member {
        function,
        event: event.clone(),
        pointer,
        is_required,
        wrong,
    };
    all.into_iter().map(member).collect()
}

fn spoilt() -> impl Strategy<Value = (Member, Value)> {
    let members = [members_of_envelopes(), members_of_commands()].concat();
    select(members).prop_flat_map(Member::spoilt)
}

#[test]
fn the_events_whose_members_are_spoilt_are_right_before() {
    for member in [members_of_envelopes(), members_of_commands()].concat() {
        let parsed = member.function.parse(member.event.clone());
        assert!(parsed.is_ok(), "{parsed:?}: {}", member.event);
    }
}

proptest! {
    #![proptest_config(crate::cases())]

    #[test]
    fn any_value_is_a_command_or_a_named_fault(event in any_value(), function in select(FUNCTIONS.to_vec())) {
        let is_object = event.is_object();
        match function.parse(event) {
            Ok(_) => prop_assert!(is_object, "only an object can say what it means"),
            Err(error) => is_named(&error)?,
        }
    }

    #[test]
    fn any_bytes_are_no_json_or_an_event(
        event in of_drain(), slips in vec(slip(), 1..4), bytes in vec(any::<u8>(), 0..64)
    ) {
        let nearly = slips.iter().fold(event.0.to_string(), |text, slip| slip.of(&text, &[',', ':', '{', '}']));
        for text in [nearly.into_bytes(), bytes] {
            let Ok(event) = serde_json::from_slice::<Value>(&text) else { continue };
            for function in FUNCTIONS {
                function.parse(event.clone()).map_or_else(|error| is_named(&error), |_| Ok(()))?;
            }
        }
    }

    #[test]
    fn a_spoilt_member_is_named((member, event) in spoilt()) {
        let error = member.function.parse(event.clone());
        prop_assert!(error.is_err(), "{} is taken: {error:?}", event);
        let error = error.unwrap_err();
        is_named(&error)?;
        prop_assert!(error.to_string().contains(member.name()), "{}: {error}", member.name());
    }

    #[test]
    fn a_member_that_nobody_knows_is_named_in_a_command(
        member in select(members_of_commands()), name in odd_text(), value in any_value()
    ) {
        let mut event = member.event.clone();
        let members = event.as_object_mut().expect("a command is an object");
        prop_assume!(!members.contains_key(&name) && name != "detail-type" && name != "action");
        prop_assume!(!["skewThreshold", "maxMoves"].contains(&name.as_str()));
        members.insert(name.clone(), value);
        let error = member.function.parse(event).unwrap_err();
        is_named(&error)?;
        prop_assert!(error.to_string().contains(&name), "{name}: {error}");
    }

    #[test]
    fn what_is_not_read_does_not_matter(
        (event, command) in delivered(), extra in vec((odd_text(), any_value()), 1..4), version in any_value()
    ) {
        let mut event = event;
        event["version"] = version.clone();
        event["resources"] = version;
        let detail = event["detail"].as_object_mut().expect("a detail is an object");
        let known: Map<String, Value> = std::mem::take(detail);
        detail.extend(extra);
        detail.extend(known);
        prop_assert_eq!(drain::event::parse(event, REGION, &settings(), now()).unwrap(), command);
    }

    #[test]
    fn a_kind_of_event_that_nobody_knows_is_quoted(kind in odd_text(), function in select(FUNCTIONS.to_vec())) {
        let event = envelope(&kind, "2026-01-02T03:04:05Z", &json!({}));
        let error = function.parse(event).unwrap_err();
        prop_assert!(error.to_string().contains(&format!("detail-type is '{kind}'")), "{error}");
    }

    #[test]
    fn events_of_drain_are_what_they_say((event, command) in of_drain()) {
        prop_assert_eq!(drain::event::parse(event, REGION, &settings(), now()).unwrap(), command);
    }

    #[test]
    fn commands_to_rebalance_are_what_they_say((event, command) in of_rebalance()) {
        prop_assert_eq!(rebalance::event::parse(event, REGION).unwrap(), command);
    }

    #[test]
    fn commands_to_rollout_are_what_they_say((event, command) in of_rollout()) {
        prop_assert_eq!(rollout::event::parse(event, REGION, &settings()).unwrap(), command);
    }

    #[test]
    fn a_notice_of_any_time_can_be_recorded_or_its_time_is_refused(seconds in 0..253_402_300_800_i64) {
        let time = evenkeel::timestamp::Timestamp::from_secs(seconds).to_string();
        let detail = json!({"instance-id": "i-0", "instance-action": "terminate"});
        let event = envelope("EC2 Spot Instance Interruption Warning", &time, &detail);
        match drain::event::parse(event, REGION, &settings(), now()) {
            Ok(drain::event::Command::Drain { record, .. }) => {
                prop_assert_eq!(record.to_string().parse::<DrainRecord>(), Ok(record));
            }
            Ok(other) => prop_assert!(false, "{other:?}"),
            Err(error) => prop_assert!(error.to_string().contains("time is"), "{error}"),
        }
    }
}

/// A value under `detail-type` that is no text is shown as it is.
#[test]
fn a_kind_that_is_no_text_is_shown() {
    for function in FUNCTIONS {
        for (kind, shown) in [(json!(7), "7"), (Value::Null, "null"), (json!(["x"]), "[\"x\"]")] {
            let error = function.parse(json!({"detail-type": kind})).unwrap_err().to_string();
            assert!(error.contains(&format!("detail-type is '{shown}'")), "{error}");
        }
    }
}

/// In the order in which members are declared, values without names would do for a whole command.
#[test]
fn values_without_names_are_no_command() {
    let (kind, detail) = ("EC2 Spot Instance Interruption Warning", json!(["i-0", "stop"]));
    let events = [
        (Function::Drain, envelope(kind, "2026-01-02T03:04:05Z", &detail)),
        (Function::Drain, json!(["i-0", "web", true])),
        (Function::Rebalance, json!([null, "web", true, 30, 10])),
        (Function::Rollout, json!(["start", "g", "web", true, 50, "10m", true])),
    ];
    for (function, event) in events {
        let error = function.parse(event).unwrap_err().to_string();
        assert!(error.contains("JSON object"), "{error}");
    }
}
