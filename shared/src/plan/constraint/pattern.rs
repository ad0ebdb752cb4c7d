//! The part of Java's regular expressions that instance types, zones and names need.
//!
//! Literals, `.`, classes, groups, `|`, `*`, `+`, `?`, anchors and escaped punctuation. Anything else makes the answer
//! "cannot tell", and so does a pattern whose answer depends on whether ECS anchors it at both ends, which the guide
//! does not say. Matching follows sets of positions, and groups in groups only so far, so that no pattern can make it slow.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::str::Chars;

type Positions = BTreeSet<usize>;

/// Groups in groups: each may multiply the work by the length of the text.
const DEPTH_MAX: usize = 3;

enum Atom {
    Any,
    Literal(char),
    Class { negated: bool, ranges: Vec<(char, char)> },
    Group(Vec<Sequence>),
    Start,
    End,
}

/// How often an atom may stand.
#[derive(Clone, Copy)]
enum Times {
    Once,
    AtMostOnce,
    AtLeastOnce,
    Any,
}

type Sequence = Vec<(Atom, Times)>;

/// Whether the pattern matches the text, if whole and partial matching agree on it.
pub(super) fn is_match(pattern: &str, text: &str) -> Option<bool> {
    let mut chars = pattern.chars().peekable();
    let branches = alternatives(&mut chars, 0)?;
    if chars.next().is_some() {
        return None;
    }
    let text: Vec<char> = text.chars().collect();
    let whole = through(&branches, &text, &Positions::from([0])).contains(&text.len());
    let partly = !through(&branches, &text, &(0..=text.len()).collect()).is_empty();
    (whole == partly).then_some(whole)
}

fn alternatives(chars: &mut Peekable<Chars<'_>>, depth: usize) -> Option<Vec<Sequence>> {
    let mut branches = vec![sequence(chars, depth)?];
    while chars.next_if_eq(&'|').is_some() {
        branches.push(sequence(chars, depth)?);
    }
    Some(branches)
}

fn sequence(chars: &mut Peekable<Chars<'_>>, depth: usize) -> Option<Sequence> {
    let mut atoms = Vec::new();
    while let Some(next) = chars.next_if(|c| !"|)".contains(*c)) {
        let atom = atom(next, chars, depth)?;
        atoms.push((atom, times(chars)?));
    }
    Some(atoms)
}

fn atom(first: char, chars: &mut Peekable<Chars<'_>>, depth: usize) -> Option<Atom> {
    match first {
        '.' => Some(Atom::Any),
        '^' => Some(Atom::Start),
        '$' => Some(Atom::End),
        '[' => class(chars),
        '\\' => chars.next().filter(char::is_ascii_punctuation).map(Atom::Literal),
        '(' if depth < DEPTH_MAX && chars.peek() != Some(&'?') => {
            let branches = alternatives(chars, depth + 1)?;
            chars.next_if_eq(&')').map(|_| Atom::Group(branches))
        }
        '(' | '*' | '+' | '?' | '{' => None,
        literal => Some(Atom::Literal(literal)),
    }
}

fn class(chars: &mut Peekable<Chars<'_>>) -> Option<Atom> {
    let negated = chars.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    while let Some(from) = chars.next_if(|c| *c != ']') {
        if "[\\&".contains(from) {
            return None;
        }
        let to =
            if chars.next_if_eq(&'-').is_some() { chars.next_if(|c| c.is_alphanumeric())? } else { from };
        ranges.push((from, to));
    }
    (chars.next().is_some() && !ranges.is_empty()).then_some(Atom::Class { negated, ranges })
}

/// A quantifier; lazy ones match the same texts, possessive and counted ones are beyond this subset.
fn times(chars: &mut Peekable<Chars<'_>>) -> Option<Times> {
    let times = match chars.next_if(|c| "*+?{".contains(*c)) {
        None => return Some(Times::Once),
        Some('*') => Times::Any,
        Some('+') => Times::AtLeastOnce,
        Some('?') => Times::AtMostOnce,
        Some(_) => return None,
    };
    chars.next_if_eq(&'?');
    if chars.peek().is_some_and(|c| "*+?{".contains(*c)) { None } else { Some(times) }
}

fn through(branches: &[Sequence], text: &[char], from: &Positions) -> Positions {
    let ends = branches.iter().map(|sequence| {
        sequence.iter().fold(from.clone(), |at, (atom, times)| repeat(atom, *times, text, &at))
    });
    ends.flatten().collect()
}

fn repeat(atom: &Atom, times: Times, text: &[char], from: &Positions) -> Positions {
    let once = step(atom, text, from);
    match times {
        Times::Once => once,
        Times::AtMostOnce => from | &once,
        Times::AtLeastOnce => closure(atom, text, once),
        Times::Any => closure(atom, text, from.clone()),
    }
}

fn closure(atom: &Atom, text: &[char], mut reached: Positions) -> Positions {
    loop {
        let more = &reached | &step(atom, text, &reached);
        if more.len() == reached.len() {
            return reached;
        }
        reached = more;
    }
}

fn step(atom: &Atom, text: &[char], from: &Positions) -> Positions {
    let one = |wanted: &dyn Fn(char) -> bool| {
        from.iter().filter(|at| text.get(**at).is_some_and(|c| wanted(*c))).map(|at| at + 1).collect()
    };
    match atom {
        Atom::Any => one(&|_| true),
        Atom::Literal(literal) => one(&|c| c == *literal),
        Atom::Class { negated, ranges } => {
            one(&|c| ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *negated)
        }
        Atom::Group(branches) => through(branches, text, from),
        Atom::Start => from.iter().copied().filter(|at| *at == 0).collect(),
        Atom::End => from.iter().copied().filter(|at| *at == text.len()).collect(),
    }
}
