//! Reading what the query protocol carries: every value is text, and an empty list is an empty text.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::super::page::Page;
use super::invalid;
use crate::wire::ApiError;

/// Turns an operation's input into its typed form; text where a number must be is the caller's mistake.
pub(super) fn read<T: DeserializeOwned>(value: &Value) -> Result<T, ApiError> {
    T::deserialize(value).map_err(|fault| ApiError::new("MalformedInput", fault.to_string()))
}

/// A list that may be an empty text.
pub(super) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(source: D) -> Result<Vec<T>, D::Error> {
    match Value::deserialize(source)? {
        Value::String(text) if text.is_empty() => Ok(Vec::new()),
        value => serde_json::from_value(value).map_err(D::Error::custom),
    }
}

/// A whole number.
pub(super) fn number<'de, D: Deserializer<'de>>(source: D) -> Result<Option<i64>, D::Error> {
    let text = String::deserialize(source)?;
    text.parse().map(Some).map_err(D::Error::custom)
}

/// `true` or `false`.
pub(super) fn flag<'de, D: Deserializer<'de>>(source: D) -> Result<Option<bool>, D::Error> {
    let text = String::deserialize(source)?;
    text.parse().map(Some).map_err(D::Error::custom)
}

/// A filter of a describe operation.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Filter {
    pub name: String,
    #[serde(default, deserialize_with = "list")]
    pub values: Vec<String>,
}

/// How an Auto Scaling operation is paged.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Paging {
    next_token: Option<String>,
    #[serde(deserialize_with = "number")]
    max_records: Option<i64>,
}

impl Paging {
    /// Cuts a list at the caller's place, in the list's own order; answers the page and the token of the next.
    pub(super) fn cut<T>(
        &self,
        page: &Page,
        items: impl Iterator<Item = T>,
        key: impl Fn(&T) -> &str,
    ) -> Result<(Vec<T>, Option<String>), ApiError> {
        let size = page
            .size(self.max_records)
            .map_err(|_| invalid(format!("MaxRecords must be between 1 and {}", page.max)))?;
        let after = self.next_token.as_deref().map(|token| page.open(token)).transpose();
        let after =
            after.map_err(|_| ApiError::new("InvalidNextToken", "The NextToken value is not valid."))?;
        let mut ahead: Vec<T> = items.collect();
        if let Some(after) = after {
            let place = ahead.iter().position(|item| key(item) == after);
            ahead.drain(..place.map_or(0, |place| place + 1));
        }
        let more = ahead.len() > size;
        ahead.truncate(size);
        let next = ahead.last().filter(|_| more).map(|last| page.seal(key(last)));
        Ok((ahead, next))
    }
}
