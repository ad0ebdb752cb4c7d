//! JSON that nobody meant: any value, and any value of another kind than the one that is right.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::text::odd_text;

/// Members and words that the functions know, so that what is arbitrary comes near to what is right.
const KNOWN: [&str; 28] = [
    "detail-type",
    "detail",
    "time",
    "region",
    "instance-id",
    "instance-action",
    "state",
    "EC2InstanceId",
    "LifecycleHookName",
    "instanceId",
    "cluster",
    "dryRun",
    "action",
    "skewThreshold",
    "maxMoves",
    "autoScalingGroup",
    "surgePercent",
    "bakeTime",
    "onlyIfDrifted",
    "start",
    "release",
    "resume",
    "web",
    "i-0123456789abcdef0",
    "Scheduled Event",
    "EC2 Spot Instance Interruption Warning",
    "EC2 Instance-terminate Lifecycle Action",
    "2026-01-02T03:04:05Z",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![3 => select(KNOWN.to_vec()).prop_map(str::to_owned), 1 => odd_text()]
}

/// Whole, huge, negative and broken numbers.
pub(crate) fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(vec![json!(0), json!(-1), json!(1.5), json!(1e300), json!(u64::MAX), json!(i64::MIN)]),
    ]
}

/// Any value, nested up to four deep.
pub(crate) fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number(),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            1 => vec(inner.clone(), 0..6).prop_map(Value::from),
            3 => vec((word(), inner), 0..6).prop_map(|it| it.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

/// Any value that is not of the kind of `right`; null is left out, since it is how an optional member is not given.
pub(crate) fn of_another_kind(right: &Value) -> impl Strategy<Value = Value> + use<> {
    let kind = std::mem::discriminant(right);
    any_value().prop_filter("another kind", move |it| !it.is_null() && std::mem::discriminant(it) != kind)
}
