//! The cluster query language of `memberOf` constraints: read, then decided for one container instance.
//!
//! Source: ECS Developer Guide, "Create expressions to define container instances for Amazon ECS tasks". The answer has
//! three values: `None` means "cannot tell", which a plan treats like an unread fact. It is given for subjects this
//! version does not know, for facts the snapshot does not hold (`task:group`), and wherever the guide leaves open what
//! ECS does (an absent attribute under `!=`, a pattern whose answer depends on being anchored). `and` and `or` follow
//! Kleene's logic, so that an open half does not matter where the other half settles the question.

mod parse;
mod pattern;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use crate::snapshot::ContainerInstance;
use crate::timestamp::Timestamp;

pub use parse::ParseError;

/// An expression of the cluster query language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// `subject operator [argument]`.
    Compare {
        /// What is looked at.
        subject: Subject,
        /// How it is compared.
        operator: Operator,
        /// With what: none for `exists`, several for `in`.
        arguments: Vec<String>,
    },
    /// `not`, `!`.
    Not(Box<Expression>),
    /// `and`, `&&`.
    And(Box<Expression>, Box<Expression>),
    /// `or`, `||`.
    Or(Box<Expression>, Box<Expression>),
}

/// The subjects that the guide lists.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Subject {
    AgentConnected,
    AgentVersion,
    Attribute(String),
    Ec2InstanceId,
    RegisteredAt,
    RunningTasksCount,
    TaskGroup,
    /// One that this version does not know; nothing can be told about it.
    Other(String),
}

/// The operators that the guide lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Operator {
    Equals,
    NotEquals,
    GreaterThan,
    GreaterThanEqual,
    LessThan,
    LessThanEqual,
    Exists,
    NotExists,
    In,
    NotIn,
    Matches,
    NotMatches,
}

/// What an expression is decided from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The container instance.
    pub instance: &'a ContainerInstance,
    /// Its running tasks; `None` where the question is about a future in which that number differs.
    pub tasks_running: Option<u32>,
}

/// What a subject has to say about an instance.
enum Value {
    Text(String),
    /// An attribute without a value.
    Bare,
    Absent,
    Unknown,
}

impl Expression {
    /// Reads an expression.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parse::parse(text)
    }

    /// Whether it holds; `None` = cannot tell.
    pub fn holds(&self, facts: Facts<'_>) -> Option<bool> {
        match self {
            Self::Not(inner) => inner.holds(facts).map(|holds| !holds),
            Self::And(left, right) => both(left.holds(facts), right.holds(facts)),
            Self::Or(left, right) => either(left.holds(facts), right.holds(facts)),
            Self::Compare { subject, operator, arguments } => {
                compare(subject, *operator, arguments, &subject.value(facts))
            }
        }
    }
}

fn both(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn either(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    both(left.map(|l| !l), right.map(|r| !r)).map(|neither| !neither)
}

impl Subject {
    fn value(&self, facts: Facts<'_>) -> Value {
        let instance = facts.instance;
        let text = match self {
            Self::Attribute(name) => return attribute(instance, name),
            Self::AgentConnected => Some(instance.agent_connected.to_string()),
            Self::AgentVersion => instance.agent_version.clone(),
            Self::Ec2InstanceId => instance.instance_id.as_ref().map(ToString::to_string),
            Self::RegisteredAt => instance.registered_at.map(|at| at.as_millis().to_string()),
            Self::RunningTasksCount => facts.tasks_running.map(|count| count.to_string()),
            Self::TaskGroup | Self::Other(_) => None,
        };
        text.map_or(Value::Unknown, Value::Text)
    }
}

fn attribute(instance: &ContainerInstance, name: &str) -> Value {
    match (instance.attributes.get(name), &instance.zone) {
        (Some(Some(value)), _) => Value::Text(value.clone()),
        (Some(None), _) => Value::Bare,
        (None, Some(zone)) if name == super::placement::ZONE_ATTRIBUTE => Value::Text(zone.to_string()),
        (None, _) => Value::Absent,
    }
}

fn compare(subject: &Subject, operator: Operator, arguments: &[String], value: &Value) -> Option<bool> {
    match (operator, value) {
        (_, Value::Unknown) => None,
        (Operator::Exists, _) => Some(!matches!(value, Value::Absent)),
        (Operator::NotExists, _) => Some(matches!(value, Value::Absent)),
        (_, Value::Text(text)) => compare_text(subject, operator, arguments, text),
        // What is not there equals nothing and matches nothing; whether it also "differs" the guide leaves open.
        (Operator::Equals | Operator::In | Operator::Matches, Value::Absent) => Some(false),
        // Nor whether an attribute without a value is worth an empty text.
        (Operator::Equals | Operator::In | Operator::Matches, Value::Bare) => {
            compare_text(subject, operator, arguments, "").filter(|holds| !holds)
        }
        _ => None,
    }
}

fn compare_text(subject: &Subject, operator: Operator, arguments: &[String], text: &str) -> Option<bool> {
    let first = arguments.first()?;
    let among = |arguments: &[String]| {
        arguments.iter().map(|argument| equal(subject, text, argument)).fold(Some(false), either)
    };
    match operator {
        Operator::Equals => equal(subject, text, first),
        Operator::NotEquals => equal(subject, text, first).map(|same| !same),
        Operator::GreaterThan => order(subject, text, first).map(Ordering::is_gt),
        Operator::GreaterThanEqual => order(subject, text, first).map(Ordering::is_ge),
        Operator::LessThan => order(subject, text, first).map(Ordering::is_lt),
        Operator::LessThanEqual => order(subject, text, first).map(Ordering::is_le),
        Operator::In => among(arguments),
        Operator::NotIn => among(arguments).map(|found| !found),
        // How a date is written where it is matched the guide does not say.
        Operator::Matches | Operator::NotMatches if *subject == Subject::RegisteredAt => None,
        Operator::Matches => pattern::is_match(first, text),
        Operator::NotMatches => pattern::is_match(first, text).map(|matches| !matches),
        Operator::Exists | Operator::NotExists => None,
    }
}

/// The guide does not say whether attributes are equal as numbers or as text: only what both share is told.
fn equal(subject: &Subject, text: &str, argument: &str) -> Option<bool> {
    if matches!(subject, Subject::AgentVersion | Subject::RegisteredAt | Subject::RunningTasksCount) {
        return order(subject, text, argument).map(Ordering::is_eq);
    }
    let as_text = text == argument;
    let as_numbers = number(text).zip(number(argument)).map(|(left, right)| left.total_cmp(&right).is_eq());
    as_numbers.is_none_or(|same| same == as_text).then_some(as_text)
}

fn order(subject: &Subject, text: &str, argument: &str) -> Option<Ordering> {
    match subject {
        Subject::AgentVersion => Some(version(text)?.cmp(&version(argument)?)),
        Subject::RegisteredAt => {
            order_of_moments(Timestamp::from_millis(text.parse().ok()?), date(argument)?)
        }
        Subject::RunningTasksCount => Some(text.parse::<u64>().ok()?.cmp(&argument.parse().ok()?)),
        _ => order_of_attributes(text, argument),
    }
}

/// Nor whether a part of a second counts.
fn order_of_moments(at: Timestamp, argument: Timestamp) -> Option<Ordering> {
    let by_second = at.as_secs().cmp(&argument.as_secs());
    (by_second == at.cmp(&argument)).then_some(by_second)
}

/// Nor whether attributes compare as numbers or as text.
fn order_of_attributes(text: &str, argument: &str) -> Option<Ordering> {
    let as_text = text.cmp(argument);
    let as_numbers = number(text).zip(number(argument)).map(|(left, right)| left.total_cmp(&right));
    as_numbers.is_none_or(|order| order == as_text).then_some(as_text)
}

/// What somebody may take for a number; minus zero is zero.
fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite()).map(|number| number + 0.0)
}

/// `1.86.3` as numbers.
fn version(text: &str) -> Option<Vec<u32>> {
    text.split('.').map(|part| part.parse().ok()).collect()
}

/// The four date formats that the guide lists, all of them UTC.
fn date(text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix("+00:00").or_else(|| text.strip_suffix('Z')).unwrap_or(text);
    let full =
        if text.len() == "2018-06-18".len() { format!("{text}T00:00:00Z") } else { format!("{text}Z") };
    let time = humantime::parse_rfc3339(&full).ok()?;
    let since_epoch = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_millis(0) + since_epoch)
}
