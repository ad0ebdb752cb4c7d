//! Reads an expression and answers it in the same pass.

use super::Subject;
use super::value::{self, Operator};

/// What is left to read, and the subject it is about.
pub(super) struct Parser<'a> {
    rest: &'a str,
    subject: &'a Subject<'a>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(expression: &'a str, subject: &'a Subject<'a>) -> Self {
        Self { rest: expression, subject }
    }

    /// The whole expression, with nothing after it.
    pub(super) fn whole(mut self) -> Result<bool, String> {
        let answer = self.any()?;
        self.skip_space();
        if self.rest.is_empty() { Ok(answer) } else { Err(format!("unexpected '{}'", self.rest)) }
    }

    fn any(&mut self) -> Result<bool, String> {
        let mut answer = self.all()?;
        while self.eats_symbol("||") || self.eats_word("or") {
            answer |= self.all()?;
        }
        Ok(answer)
    }

    fn all(&mut self) -> Result<bool, String> {
        let mut answer = self.one()?;
        while self.eats_symbol("&&") || self.eats_word("and") {
            answer &= self.one()?;
        }
        Ok(answer)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.eats_word("not") || self.eats_symbol("!") {
            return Ok(!self.one()?);
        }
        if self.eats_symbol("(") {
            let answer = self.any()?;
            return if self.eats_symbol(")") {
                Ok(answer)
            } else {
                Err("a parenthesis is not closed".to_owned())
            };
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<bool, String> {
        let name = self.word(|c| c.is_alphanumeric() || ":._-/\\".contains(c))?;
        let operator = self.operator()?;
        let arguments = match operator {
            Operator::Exists | Operator::NotExists => Vec::new(),
            Operator::In | Operator::NotIn => self.list()?,
            Operator::Matches | Operator::NotMatches => vec![self.pattern()?],
            _ => vec![self.argument()?],
        };
        value::compare(self.subject, name, operator, &arguments)
    }

    fn operator(&mut self) -> Result<Operator, String> {
        self.skip_space();
        for (symbol, operator) in value::SYMBOLS {
            if self.eats_symbol(symbol) {
                return Ok(*operator);
            }
        }
        for (word, operator) in value::WORDS {
            if self.eats_word(word) {
                return Ok(*operator);
            }
        }
        Err(format!("no operator at '{}'", self.rest))
    }

    fn list(&mut self) -> Result<Vec<String>, String> {
        if !self.eats_symbol("[") {
            return Err("in expects a list in brackets".to_owned());
        }
        let mut arguments = vec![self.argument()?];
        while self.eats_symbol(",") {
            arguments.push(self.argument()?);
        }
        if self.eats_symbol("]") { Ok(arguments) } else { Err("a list is not closed".to_owned()) }
    }

    fn argument(&mut self) -> Result<String, String> {
        if let Some(quoted) = self.quoted()? {
            return Ok(quoted);
        }
        self.word(|c| !c.is_whitespace() && !"()[],&|".contains(c)).map(str::to_owned)
    }

    /// A pattern may hold brackets and bars, so it ends at a space or at a parenthesis that it did not open.
    fn pattern(&mut self) -> Result<String, String> {
        if let Some(quoted) = self.quoted()? {
            return Ok(quoted);
        }
        let mut depth = 0;
        self.word(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            !c.is_whitespace() && depth >= 0
        })
        .map(str::to_owned)
    }

    fn quoted(&mut self) -> Result<Option<String>, String> {
        self.skip_space();
        let Some(quote) = self.rest.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
            return Ok(None);
        };
        let inner = &self.rest[1..];
        let end = inner.find(quote).ok_or("a quotation is not closed")?;
        self.rest = &inner[end + 1..];
        Ok(Some(inner[..end].to_owned()))
    }

    fn word(&mut self, mut belongs: impl FnMut(char) -> bool) -> Result<&'a str, String> {
        self.skip_space();
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        if end == 0 {
            return Err(format!("something is missing before '{}'", self.rest));
        }
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(word)
    }

    fn eats_symbol(&mut self, symbol: &str) -> bool {
        self.skip_space();
        let after = self.rest.strip_prefix(symbol);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    /// Takes the word if it stands alone: `or` is no part of `order`.
    fn eats_word(&mut self, word: &str) -> bool {
        self.skip_space();
        let after = self.rest.strip_prefix(word);
        let after =
            after.filter(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || ":._-".contains(c)));
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }
}
