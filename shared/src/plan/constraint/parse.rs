//! Reads the cluster query language: a scanner and a descent, one function for each rule of the grammar.
//!
//! `or` binds weaker than `and`, `and` weaker than `not`. Arguments may stand in quotation marks. A pattern runs to the
//! next blank, or to the parenthesis that closes the group around the comparison, since patterns contain brackets.

use super::{Expression, Operator, Subject};

/// The longest expression that ECS takes (API: `PlacementConstraint`).
const LENGTH_MAX: usize = 2000;
/// Groups and denials in one another, deeper than anybody writes: what is descended into takes stack.
const DEPTH_MAX: usize = 64;

/// Symbols and words of the operators; a longer symbol stands before its own prefix.
const OPERATORS: [(&str, &str, Operator); 12] = [
    ("==", "equals", Operator::Equals),
    ("!=", "not_equals", Operator::NotEquals),
    (">=", "greater_than_equal", Operator::GreaterThanEqual),
    ("<=", "less_than_equal", Operator::LessThanEqual),
    (">", "greater_than", Operator::GreaterThan),
    ("<", "less_than", Operator::LessThan),
    ("=~", "matches", Operator::Matches),
    ("!~", "not_matches", Operator::NotMatches),
    ("!exists", "not_exists", Operator::NotExists),
    ("!in", "not_in", Operator::NotIn),
    ("exists", "exists", Operator::Exists),
    ("in", "in", Operator::In),
];

/// Why an expression could not be read; positions count bytes from its beginning.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Longer than ECS would have taken.
    #[error("longer than {LENGTH_MAX} characters")]
    TooLong,
    /// More groups and denials in one another than are followed.
    #[error("nested too deeply at position {0}")]
    TooDeep(usize),
    /// A subject was expected.
    #[error("no subject at position {0}")]
    NoSubject(usize),
    /// An operator was expected.
    #[error("no operator at position {0}")]
    NoOperator(usize),
    /// An argument was expected.
    #[error("no argument at position {0}")]
    NoArgument(usize),
    /// A parenthesis, bracket or quotation mark is not closed.
    #[error("what opens at position {0} is not closed")]
    NotClosed(usize),
    /// The expression is complete, and yet something follows.
    #[error("unexpected text at position {0}")]
    Trailing(usize),
}

pub(super) fn parse(text: &str) -> Result<Expression, ParseError> {
    if text.chars().count() > LENGTH_MAX {
        return Err(ParseError::TooLong);
    }
    let mut scanner = Scanner { text, at: 0, depth: 0 };
    let expression = scanner.disjunction()?;
    scanner.skip_blanks();
    if scanner.at == text.len() { Ok(expression) } else { Err(ParseError::Trailing(scanner.at)) }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn take(&mut self, symbol: &str) -> bool {
        self.skip_blanks();
        let found = self.rest().starts_with(symbol);
        self.at += if found { symbol.len() } else { 0 };
        found
    }

    /// A word counts only as a whole: `inside` does not begin with the operator `in`.
    fn take_word(&mut self, word: &str) -> bool {
        self.skip_blanks();
        let after = self.rest().strip_prefix(word).map(|rest| rest.chars().next());
        let whole = after.is_some_and(|next| !next.is_some_and(is_of_subject));
        self.at += if whole { word.len() } else { 0 };
        whole
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn disjunction(&mut self) -> Result<Expression, ParseError> {
        let mut left = self.conjunction()?;
        while self.take("||") || self.take_word("or") {
            left = Expression::Or(Box::new(left), Box::new(self.conjunction()?));
        }
        Ok(left)
    }

    fn conjunction(&mut self) -> Result<Expression, ParseError> {
        let mut left = self.term()?;
        while self.take("&&") || self.take_word("and") {
            left = Expression::And(Box::new(left), Box::new(self.term()?));
        }
        Ok(left)
    }

    fn term(&mut self) -> Result<Expression, ParseError> {
        if self.depth == DEPTH_MAX {
            return Err(ParseError::TooDeep(self.at));
        }
        self.depth += 1;
        let term = self.denial_group_or_comparison();
        self.depth -= 1;
        term
    }

    fn denial_group_or_comparison(&mut self) -> Result<Expression, ParseError> {
        if self.take("!") || self.take_word("not") {
            return Ok(Expression::Not(Box::new(self.term()?)));
        }
        let start = self.at;
        if self.take("(") {
            let inner = self.disjunction()?;
            return if self.take(")") { Ok(inner) } else { Err(ParseError::NotClosed(start)) };
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Expression, ParseError> {
        let subject = self.subject()?;
        let operator = self.operator()?;
        let arguments = match operator {
            Operator::Exists | Operator::NotExists => Vec::new(),
            Operator::In | Operator::NotIn => self.list()?,
            Operator::Matches | Operator::NotMatches => vec![self.pattern()?],
            _ => vec![self.argument()?],
        };
        Ok(Expression::Compare { subject, operator, arguments })
    }

    fn subject(&mut self) -> Result<Subject, ParseError> {
        self.skip_blanks();
        let name = self.take_while(is_of_subject);
        Ok(match name {
            "" => return Err(ParseError::NoSubject(self.at)),
            "agentConnected" => Subject::AgentConnected,
            "agentVersion" => Subject::AgentVersion,
            "ec2InstanceId" => Subject::Ec2InstanceId,
            "registeredAt" => Subject::RegisteredAt,
            "runningTasksCount" => Subject::RunningTasksCount,
            "task:group" => Subject::TaskGroup,
            _ => match name.strip_prefix("attribute:") {
                Some(attribute) => Subject::Attribute(attribute.to_owned()),
                None => Subject::Other(name.to_owned()),
            },
        })
    }

    fn operator(&mut self) -> Result<Operator, ParseError> {
        for (symbol, word, operator) in OPERATORS {
            let is_word = symbol.ends_with(char::is_alphabetic);
            if self.take_word(word) || (is_word && self.take_word(symbol)) || (!is_word && self.take(symbol))
            {
                return Ok(operator);
            }
        }
        Err(ParseError::NoOperator(self.at))
    }

    fn list(&mut self) -> Result<Vec<String>, ParseError> {
        self.skip_blanks();
        let start = self.at;
        if !self.take("[") {
            return Err(ParseError::NoArgument(start));
        }
        let mut arguments = vec![self.argument()?];
        while self.take(",") {
            arguments.push(self.argument()?);
        }
        if self.take("]") { Ok(arguments) } else { Err(ParseError::NotClosed(start)) }
    }

    fn argument(&mut self) -> Result<String, ParseError> {
        if let Some(quoted) = self.quoted()? {
            return Ok(quoted);
        }
        let word = self.take_while(|c| !c.is_whitespace() && !"()[],&|".contains(c));
        if word.is_empty() { Err(ParseError::NoArgument(self.at)) } else { Ok(word.to_owned()) }
    }

    fn pattern(&mut self) -> Result<String, ParseError> {
        if let Some(quoted) = self.quoted()? {
            return Ok(quoted);
        }
        let mut open = 0_u32;
        let rest = self.rest();
        let end = rest.find(|c: char| {
            let closes_ours = c == ')' && open == 0;
            open = if c == '(' { open + 1 } else { open.saturating_sub(u32::from(c == ')')) };
            c.is_whitespace() || closes_ours
        });
        let pattern = &rest[..end.unwrap_or(rest.len())];
        self.at += pattern.len();
        if pattern.is_empty() { Err(ParseError::NoArgument(self.at)) } else { Ok(pattern.to_owned()) }
    }

    fn quoted(&mut self) -> Result<Option<String>, ParseError> {
        self.skip_blanks();
        let start = self.at;
        let Some(mark) = self.rest().chars().next().filter(|c| "'\"".contains(*c)) else { return Ok(None) };
        self.at += 1;
        let inner = self.take_while(|c| c != mark);
        if self.rest().is_empty() {
            return Err(ParseError::NotClosed(start));
        }
        self.at += 1;
        Ok(Some(inner.to_owned()))
    }
}

fn is_of_subject(c: char) -> bool {
    c.is_alphanumeric() || "_-.:/\\".contains(c)
}
