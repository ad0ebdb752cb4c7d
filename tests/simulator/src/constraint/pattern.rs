//! The part of Java's regular expressions that instance types, zones and ids are matched with.
//!
//! Understood: literals, `.`, classes with ranges and negation, `\d \w \s` and their capitals, escapes,
//! groups, `|`, `* + ?`, and the anchors. As in Java's `matches`, the whole text must match. Counted
//! repetition, look-around and back references are refused.

/// A parsed pattern: alternatives of sequences.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Vec<Vec<Piece>>);

/// One atom and how often it may come.
#[derive(Clone, Debug)]
struct Piece {
    atom: Atom,
    least: usize,
    most: usize,
}

#[derive(Clone, Debug)]
enum Atom {
    Any,
    Literal(char),
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    Group(Pattern),
    /// `^`: at the beginning only.
    Start,
    /// `$`: at the end only.
    End,
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let chars: Vec<char> = text.chars().collect();
        let mut reader = Reader { chars: &chars, at: 0 };
        let pattern = reader.alternatives()?;
        if reader.at == chars.len() { Ok(pattern) } else { Err(format!("pattern '{text}' cannot be read")) }
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let chars: Vec<char> = text.chars().collect();
        self.ends(&chars, 0).contains(&chars.len())
    }

    /// Every position at which a match that begins at `from` can end.
    fn ends(&self, text: &[char], from: usize) -> Vec<usize> {
        let mut all = Vec::new();
        for sequence in &self.0 {
            let mut ends = vec![from];
            for piece in sequence {
                ends = piece.ends(text, &ends);
            }
            all.extend(ends);
        }
        sorted(all)
    }
}

impl Piece {
    fn ends(&self, text: &[char], from: &[usize]) -> Vec<usize> {
        let mut reached = if self.least == 0 { from.to_vec() } else { Vec::new() };
        let mut front = from.to_vec();
        // Each round either consumes text or ends, so no more rounds than characters are needed.
        for _ in 0..self.most.min(text.len() + 1) {
            front = sorted(front.iter().flat_map(|at| self.atom.ends(text, *at)).collect());
            reached.extend(&front);
        }
        sorted(reached)
    }
}

impl Atom {
    fn ends(&self, text: &[char], at: usize) -> Vec<usize> {
        if let Self::Group(pattern) = self {
            return pattern.ends(text, at);
        }
        let holds = match self {
            Self::Start => at == 0,
            Self::End => at == text.len(),
            _ => return self.one(text, at),
        };
        if holds { vec![at] } else { Vec::new() }
    }

    fn one(&self, text: &[char], at: usize) -> Vec<usize> {
        text.get(at).filter(|c| self.takes(**c)).map(|_| at + 1).into_iter().collect()
    }

    fn takes(&self, c: char) -> bool {
        match self {
            Self::Any => true,
            Self::Literal(literal) => *literal == c,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
            Self::Group(_) | Self::Start | Self::End => false,
        }
    }
}

fn sorted(mut positions: Vec<usize>) -> Vec<usize> {
    positions.sort_unstable();
    positions.dedup();
    positions
}

struct Reader<'a> {
    chars: &'a [char],
    at: usize,
}

impl Reader<'_> {
    fn alternatives(&mut self) -> Result<Pattern, String> {
        let mut alternatives = vec![self.sequence()?];
        while self.eats('|') {
            alternatives.push(self.sequence()?);
        }
        Ok(Pattern(alternatives))
    }

    fn sequence(&mut self) -> Result<Vec<Piece>, String> {
        let mut pieces = Vec::new();
        while let Some(c) = self.peek().filter(|c| !matches!(c, '|' | ')')) {
            self.at += 1;
            let atom = self.atom(c)?;
            let (least, most) = self.repetition();
            pieces.push(Piece { atom, least, most });
        }
        Ok(pieces)
    }

    fn atom(&mut self, c: char) -> Result<Atom, String> {
        match c {
            '.' => Ok(Atom::Any),
            '^' => Ok(Atom::Start),
            '$' => Ok(Atom::End),
            '[' => self.class(),
            '(' => self.group(),
            '\\' => self.escaped(),
            '*' | '+' | '?' | '{' => Err(format!("'{c}' is not understood in a pattern")),
            _ => Ok(Atom::Literal(c)),
        }
    }

    fn repetition(&mut self) -> (usize, usize) {
        if self.eats('*') {
            (0, usize::MAX)
        } else if self.eats('+') {
            (1, usize::MAX)
        } else if self.eats('?') {
            (0, 1)
        } else {
            (1, 1)
        }
    }

    fn group(&mut self) -> Result<Atom, String> {
        if self.eats('?') && !self.eats(':') {
            return Err("this kind of group is not understood".to_owned());
        }
        let pattern = self.alternatives()?;
        if self.eats(')') { Ok(Atom::Group(pattern)) } else { Err("a group is not closed".to_owned()) }
    }

    fn class(&mut self) -> Result<Atom, String> {
        let negated = self.eats('^');
        let mut ranges = Vec::new();
        while !self.eats(']') {
            let low = self.next().ok_or("a character class is not closed")?;
            let is_range = self.peek() == Some('-') && self.chars.get(self.at + 1).is_some_and(|c| *c != ']');
            let high = if is_range {
                self.at += 2;
                self.chars[self.at - 1]
            } else {
                low
            };
            ranges.push((low, high));
        }
        Ok(Atom::Class { negated, ranges })
    }

    fn escaped(&mut self) -> Result<Atom, String> {
        let c = self.next().ok_or("a pattern ends in a backslash")?;
        let ranges = match c.to_ascii_lowercase() {
            'd' => vec![('0', '9')],
            'w' => vec![('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
            's' => vec![(' ', ' '), ('\t', '\r')],
            _ if c.is_alphanumeric() => return Err(format!("'\\{c}' is not understood in a pattern")),
            _ => return Ok(Atom::Literal(c)),
        };
        Ok(Atom::Class { negated: c.is_ascii_uppercase(), ranges })
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    fn eats(&mut self, c: char) -> bool {
        let eaten = self.peek() == Some(c);
        self.at += usize::from(eaten);
        eaten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_the_whole_text() {
        let table = [
            ("g2.*", "g2.8xlarge", true),
            ("g2", "g2.8xlarge", false),
            ("[cm]5a?\\.large", "m5a.large", true),
            ("[^t].*", "t2.small", false),
            ("(a|b)+c", "ababc", true),
            ("(?:a*)*", "aaa", true),
            ("^i-\\d+$", "i-0123", true),
            ("i-^0123", "i-0123", false),
            ("i-0$123", "i-0123", false),
            ("", "", true),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for pattern in ["a{2}", "(a", "a)", "(?=a)", "\\1", "[a", "a\\"] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
