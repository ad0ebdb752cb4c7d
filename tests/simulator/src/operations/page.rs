//! Pages: every list is cut, and an opaque token says where the next page begins.
//!
//! A token names the operation and the last key answered, so that a list which changes between two pages
//! neither repeats nor skips what was there all the time. ECS promises neither; the tokens of AWS say nothing
//! about it.

use crate::wire::ApiError;

/// The page sizes of an operation.
pub(super) struct Page {
    /// Operation, bound into its tokens.
    pub operation: &'static str,
    /// Page size when the caller names none.
    pub default: usize,
    /// Largest page size.
    pub max: usize,
}

impl Page {
    /// Cuts a list that ascends by key; answers the page and the token of the next one.
    pub(super) fn cut<T>(
        &self,
        items: impl Iterator<Item = T>,
        key: impl Fn(&T) -> &str,
        token: Option<&str>,
        max_results: Option<i64>,
    ) -> Result<(Vec<T>, Option<String>), ApiError> {
        let size = self.size(max_results)?;
        let after = token.map(|token| self.open(token)).transpose()?;
        let is_ahead = |item: &T| after.as_deref().is_none_or(|after| key(item) > after);
        let mut page: Vec<T> = items.filter(is_ahead).take(size + 1).collect();
        let more = page.len() > size;
        page.truncate(size);
        let next = page.last().filter(|_| more).map(|last| self.seal(key(last)));
        Ok((page, next))
    }

    /// How many entries a page has.
    pub(super) fn size(&self, max_results: Option<i64>) -> Result<usize, ApiError> {
        match max_results {
            None => Ok(self.default),
            Some(size) if (1..=self.max as i64).contains(&size) => Ok(size as usize),
            Some(_) => {
                Err(ApiError::invalid_parameter(format!("maxResults must be between 1 and {}.", self.max)))
            }
        }
    }

    /// The token of the page behind this key.
    pub(super) fn seal(&self, last: &str) -> String {
        let plain = format!("{}\n{last}", self.operation);
        plain.bytes().flat_map(|byte| [byte >> 4, byte & 15]).map(hex_digit).collect()
    }

    /// The key a token names.
    pub(super) fn open(&self, token: &str) -> Result<String, ApiError> {
        let plain = unhex(token).and_then(|bytes| String::from_utf8(bytes).ok());
        let last = plain.as_deref().and_then(|plain| plain.split_once('\n'));
        let last =
            last.filter(|(operation, _)| *operation == self.operation).map(|(_, last)| last.to_owned());
        last.ok_or_else(|| ApiError::invalid_parameter("Invalid token."))
    }
}

fn hex_digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).expect("half a byte is one hexadecimal digit")
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8);
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: Page = Page { operation: "ListThings", default: 2, max: 3 };

    fn cut(token: Option<&str>, size: Option<i64>) -> Result<(Vec<&'static str>, Option<String>), ApiError> {
        PAGE.cut(["a", "b", "c", "d", "e"].into_iter(), |item| item, token, size)
    }

    #[test]
    fn pages_join_to_the_whole_list() {
        let (mut all, mut next) = cut(None, None).unwrap();
        while let Some(token) = next {
            let (page, following) = cut(Some(&token), Some(3)).unwrap();
            all.extend(page);
            next = following;
        }
        assert_eq!(all, ["a", "b", "c", "d", "e"]);
    }

    #[test]
    fn foreign_and_broken_tokens_and_sizes_are_refused() {
        let foreign = Page { operation: "ListOthers", ..PAGE }.seal("a");
        for (token, size) in
            [(Some(foreign.as_str()), None), (Some("zz"), None), (None, Some(4)), (None, Some(0))]
        {
            assert_eq!(cut(token, size).unwrap_err().code, "InvalidParameterException");
        }
    }
}
