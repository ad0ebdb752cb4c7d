//! Expressions of the cluster query language and container instances to ask them about, from a small stock of words, so
//! that an expression often holds, and often just does not.

use evenkeel::snapshot::{ContainerInstance, ContainerInstanceStatus, Resources};
use evenkeel::timestamp::Timestamp;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// 2018-02-13T00:00:00Z, a day of the guide's.
const A_DAY: i64 = 1_518_480_000;

const ATTRIBUTES: [&str; 5] = ["ecs.instance-type", "ecs.availability-zone", "rack", "size", "bare"];
/// Words, and numbers that are equal or ordered in one way as numbers and in another as text.
const VALUES: [&str; 15] = [
    "m5.large",
    "m5.xlarge",
    "c5.large",
    "t3.medium",
    "eu-west-1a",
    "eu-west-1b",
    "9",
    "10",
    "09",
    "+9",
    "-9",
    "2.5",
    "1e1",
    "true",
    "x",
];
const VERSIONS: [&str; 8] =
    ["1.86.3", "1.86.10", "1.9", "1.86", "1.086.3", "2.0.0", "v1.86.3", "1.86.3-beta"];
const DATES: [&str; 7] = [
    "2018-02-13",
    "2018-02-13T00:00:00Z",
    "2018-02-13T00:00:00",
    "2018-02-13T00:00:00+00:00",
    "2018-02-12T23:59:59Z",
    "2018-02-14",
    "2018-02-13T00:00:01Z",
];
const COMPARED: [&str; 12] = [
    "==",
    "equals",
    "!=",
    "not_equals",
    ">",
    "greater_than",
    ">=",
    "greater_than_equal",
    "<",
    "less_than",
    "<=",
    "less_than_equal",
];
const LISTED: [&str; 3] = ["in", "!in", "not_in"];
const MATCHED: [&str; 4] = ["=~", "matches", "!~", "not_matches"];
const EXISTING: [&str; 3] = ["exists", "!exists", "not_exists"];
const ATOMS: [&str; 15] =
    ["m", "5", ".", "\\.", "[mc]", "[^m]", "[a-z]", "[0-9]", "large", "eu", "-", "9", "x", "^", "$"];

/// A container instance.
pub(crate) fn instance() -> impl Strategy<Value = ContainerInstance> {
    let value = option::weighted(0.8, select(VALUES.to_vec()).prop_map(str::to_owned));
    let attributes = btree_map(select(ATTRIBUTES.to_vec()).prop_map(str::to_owned), value, 0..5);
    let millis = prop_oneof![2 => Just(0), 1 => -2_000..2_000_i64];
    (attributes, any::<bool>(), select(VERSIONS[..6].to_vec()), millis).prop_map(
        |(attributes, agent_connected, version, millis)| ContainerInstance {
            arn: "arn".into(),
            instance_id: Some("i-0abc".into()),
            zone: None,
            capacity_provider: None,
            status: ContainerInstanceStatus::Active,
            agent_connected,
            agent_version: Some(version.to_owned()),
            registered_at: Some(Timestamp::from_millis(A_DAY * 1000 + millis)),
            attributes,
            registered: Resources::default(),
            remaining: Resources::default(),
            tasks_running: 0,
            tasks_pending: 0,
        },
    )
}

fn argument(words: &[&'static str]) -> BoxedStrategy<String> {
    (select(words.to_vec()), select(vec!["", "", "'", "\""]))
        .prop_map(|(word, mark)| format!("{mark}{word}{mark}"))
        .boxed()
}

fn pattern() -> BoxedStrategy<String> {
    let atom = select(ATOMS.to_vec()).prop_map(str::to_owned);
    let piece = atom.prop_recursive(3, 12, 3, |inner| {
        let times = select(vec!["", "*", "+", "?"]);
        let is_anchor = |text: &str| text.ends_with(['^', '$']);
        prop_oneof![
            (inner.clone(), times.clone()).prop_map(move |(atom, times)| match times {
                _ if is_anchor(&atom) || atom.ends_with(['*', '+', '?']) => atom,
                times => format!("{atom}{times}"),
            }),
            (vec(inner.clone(), 1..3), times)
                .prop_map(|(branches, times)| format!("({}){times}", branches.join("|"))),
            vec(inner, 1..3).prop_map(|pieces| pieces.concat()),
        ]
    });
    let literal = select(VALUES.to_vec()).prop_map(|word| word.replace('.', "\\.").replace('+', "\\+"));
    prop_oneof![
        2 => vec(piece, 1..4).prop_map(|pieces| pieces.concat()),
        1 => literal.clone(),
        1 => literal.prop_map(|word| format!("{}.*", &word[..1]).replace('\\', "")),
    ]
    .boxed()
}

/// Operator and argument for a subject whose arguments come from these words.
fn compared(words: &'static [&'static str]) -> BoxedStrategy<String> {
    let list = vec(argument(words), 1..4).prop_map(|all| format!("[{}]", all.join(", ")));
    prop_oneof![
        4 => (select(COMPARED.to_vec()), argument(words)).prop_map(|(it, word)| format!("{it} {word}")),
        2 => (select(LISTED.to_vec()), list).prop_map(|(it, list)| format!("{it} {list}")),
    ]
    .boxed()
}

fn of_attribute() -> BoxedStrategy<String> {
    let names = [ATTRIBUTES.as_slice(), &["missing"]].concat();
    let matched = (select(MATCHED.to_vec()), pattern()).prop_map(|(it, pattern)| format!("{it} {pattern}"));
    let rest = prop_oneof![
        3 => compared(&VALUES),
        1 => (select(COMPARED.to_vec())).prop_map(|it| format!("{it} ''")),
        3 => matched,
        1 => select(EXISTING.to_vec()).prop_map(str::to_owned),
    ];
    (select(names), rest).prop_map(|(name, rest)| format!("attribute:{name} {rest}")).boxed()
}

fn comparison() -> BoxedStrategy<String> {
    let of = |subject: &'static str, words| compared(words).prop_map(move |rest| format!("{subject} {rest}"));
    prop_oneof![
        6 => of_attribute(),
        1 => of("agentConnected", &["true", "false", "True", "1"]),
        2 => of("agentVersion", &VERSIONS),
        1 => of("ec2InstanceId", &["i-0abc", "i-0abd", "9"]),
        2 => of("registeredAt", &DATES),
        2 => of("runningTasksCount", &["0", "3", "03", "+3", "10", "-1"]),
        1 => of("task:group", &["service:web", "family:batch"]),
    ]
    .boxed()
}

/// An expression that the guide allows.
pub(crate) fn expression() -> BoxedStrategy<String> {
    comparison()
        .prop_recursive(3, 8, 2, |inner| {
            let joints = select(vec!["and", "&&", "or", "||"]);
            prop_oneof![
                2 => (inner.clone(), joints, inner.clone())
                    .prop_map(|(left, joint, right)| format!("{left} {joint} {right}")),
                1 => inner.clone().prop_map(|it| format!("not {it}")),
                1 => inner.clone().prop_map(|it| format!("!({it})")),
                1 => inner.prop_map(|it| format!("({it})")),
            ]
        })
        .boxed()
}
