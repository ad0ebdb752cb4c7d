//! What the subjects of the query language are worth, and how the operators compare them.

use std::cmp::Ordering;
use std::time::Duration;

use super::{Subject, pattern};
use crate::time::SimTime;

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equals,
    NotEquals,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Exists,
    NotExists,
    In,
    NotIn,
    Matches,
    NotMatches,
}

/// Operators written as signs; a longer one stands before its own beginning.
pub(super) const SYMBOLS: &[(&str, Operator)] = &[
    ("==", Operator::Equals),
    ("!=", Operator::NotEquals),
    ("=~", Operator::Matches),
    ("!~", Operator::NotMatches),
    (">=", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    (">", Operator::Greater),
    ("<", Operator::Less),
];

/// Operators written as words.
pub(super) const WORDS: &[(&str, Operator)] = &[
    ("equals", Operator::Equals),
    ("not_equals", Operator::NotEquals),
    ("greater_than", Operator::Greater),
    ("greater_than_equal", Operator::GreaterOrEqual),
    ("less_than", Operator::Less),
    ("less_than_equal", Operator::LessOrEqual),
    ("exists", Operator::Exists),
    ("!exists", Operator::NotExists),
    ("not_exists", Operator::NotExists),
    ("in", Operator::In),
    ("!in", Operator::NotIn),
    ("not_in", Operator::NotIn),
    ("matches", Operator::Matches),
    ("not_matches", Operator::NotMatches),
];

impl Operator {
    /// The plain operator that this one denies, if it is a negation.
    fn denies(self) -> Option<Self> {
        match self {
            Self::NotEquals => Some(Self::Equals),
            Self::NotExists => Some(Self::Exists),
            Self::NotIn => Some(Self::In),
            Self::NotMatches => Some(Self::Matches),
            _ => None,
        }
    }

    fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Equals | Self::In => order.is_eq(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            _ => false,
        }
    }
}

/// How two values of a subject are ordered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Version,
    Date,
}

/// Whether `name operator arguments` holds.
pub(super) fn compare(
    subject: &Subject<'_>,
    name: &str,
    operator: Operator,
    arguments: &[String],
) -> Result<bool, String> {
    if let Some(plain) = operator.denies() {
        return compare(subject, name, plain, arguments).map(|answer| !answer);
    }
    let (kind, values) = values(subject, name)?;
    match operator {
        Operator::Exists => Ok(!values.is_empty()),
        Operator::Matches => matches(kind, &values, &arguments[0]),
        _ => {
            let mut answer = false;
            for argument in arguments {
                check(kind, argument)?;
                answer |= values.iter().any(|value| operator.accepts(order(kind, value, argument)));
            }
            Ok(answer)
        }
    }
}

fn matches(kind: Kind, values: &[String], argument: &str) -> Result<bool, String> {
    if kind != Kind::Text {
        return Err("only text can be matched".to_owned());
    }
    let pattern = pattern::Pattern::parse(argument)?;
    Ok(values.iter().any(|value| pattern.matches(value)))
}

/// The values a subject has: none if it is absent, several for the groups of the tasks there.
fn values(subject: &Subject<'_>, name: &str) -> Result<(Kind, Vec<String>), String> {
    if let Some(attribute) = name.strip_prefix("attribute:") {
        let value = subject.attributes.get(attribute);
        return Ok((Kind::Text, value.into_iter().map(|value| value.clone().unwrap_or_default()).collect()));
    }
    Ok(match name {
        "agentConnected" => (Kind::Text, vec![subject.agent_connected.to_string()]),
        "agentVersion" => (Kind::Version, vec![subject.agent_version.to_owned()]),
        "ec2InstanceId" => (Kind::Text, vec![subject.ec2_instance_id.to_owned()]),
        "registeredAt" => (Kind::Date, vec![subject.registered_at.0.to_string()]),
        "runningTasksCount" => (Kind::Number, vec![subject.running_tasks_count.to_string()]),
        "task:group" => (Kind::Text, subject.task_groups.iter().map(|group| (*group).to_owned()).collect()),
        _ => return Err(format!("'{name}' is not a subject")),
    })
}

fn check(kind: Kind, argument: &str) -> Result<(), String> {
    match kind {
        Kind::Number if argument.parse::<i64>().is_err() => Err(format!("'{argument}' is not a number")),
        Kind::Date if date(argument).is_none() => Err(format!("'{argument}' is not a date")),
        _ => Ok(()),
    }
}

fn order(kind: Kind, value: &str, argument: &str) -> Ordering {
    let numbers = (value.parse::<i64>(), argument.parse::<i64>());
    match (kind, numbers) {
        (Kind::Version, _) => version(value).cmp(&version(argument)),
        (Kind::Date, (Ok(value), _)) => Some(SimTime(value)).cmp(&date(argument)),
        (_, (Ok(value), Ok(argument))) => value.cmp(&argument),
        _ => value.cmp(argument),
    }
}

fn version(text: &str) -> Vec<u64> {
    text.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

/// A date in one of the documented formats: with offset, with `Z`, without zone, or the day alone.
fn date(text: &str) -> Option<SimTime> {
    let (day, time) = text.split_once('T').unwrap_or((text, "00:00:00"));
    let clock = time.strip_suffix('Z').or_else(|| time.strip_suffix("+00:00")).unwrap_or(time);
    let days = days_since_epoch(&numbers(day, '-')?);
    let [hours, minutes, seconds] = numbers(clock, ':')?;
    let seconds = days * 86_400 + hours * 3600 + minutes * 60 + seconds;
    Some(SimTime(0) + Duration::from_secs(u64::try_from(seconds).ok()?))
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let parts: Option<Vec<i64>> = text.split(separator).map(|part| part.parse().ok()).collect();
    parts?.try_into().ok()
}

/// Days from 1970-01-01, counting years from March so that the leap day comes last.
fn days_since_epoch(&[year, month, day]: &[i64; 3]) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}
