//! Text that parsers trip over, and text one small step away from what is right.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

const EXPECTED: &str = ":/-_.,*+@=%'\"()[]{}!&|~<>\\ 0123456789aehilmnosuwz";
/// What ends a C string, what looks blank, digits and letters that are not ASCII, and what turns a line round.
const ODD: [char; 12] =
    ['\0', '\n', '\t', '\u{7f}', '\u{a0}', '\u{202e}', '\u{feff}', '\u{fffd}', 'é', 'ß', '٣', '😀'];
/// Numbers as people and programs also write them, and those that overflow.
const NUMBERS: [&str; 18] = [
    "",
    "-",
    "-1",
    "0",
    "+6",
    "06",
    " 6",
    "6 ",
    "6.0",
    "6e3",
    "0x6",
    "٣",
    "100001",
    "2147483648",
    "4294967295",
    "4294967296",
    "99999999999",
    "18446744073709551616",
];

fn odd_char() -> impl Strategy<Value = char> {
    prop_oneof![
        6 => select(EXPECTED.chars().collect::<Vec<_>>()),
        1 => select(ODD.to_vec()),
        1 => any::<char>(),
    ]
}

/// Short as a rule, empty now and then, and sometimes far longer than anything that AWS takes.
pub(crate) fn odd_text() -> impl Strategy<Value = String> {
    prop_oneof![
        16 => vec(odd_char(), 0..24).prop_map(String::from_iter),
        4 => select(NUMBERS.to_vec()).prop_map(str::to_owned),
        1 => (odd_char(), 200..3000_usize).prop_map(|(c, times)| c.to_string().repeat(times)),
    ]
}

/// One small change of a text.
#[derive(Clone, Debug)]
pub(crate) enum Slip {
    /// Another character here.
    Changed(Index, char),
    /// One more.
    Inserted(Index, char),
    /// One less.
    Dropped(Index),
    /// Nothing more from here.
    Cut(Index),
    /// A field less.
    FieldDropped(Index),
    /// A field twice.
    FieldDoubled(Index),
    /// Two fields in each other's place.
    FieldsSwapped(Index, Index),
    /// Another number, or what is taken for one.
    FieldReplaced(Index, &'static str),
}

/// Any slip.
pub(crate) fn slip() -> impl Strategy<Value = Slip> {
    let at = any::<Index>;
    prop_oneof![
        2 => (at(), odd_char()).prop_map(|(at, c)| Slip::Changed(at, c)),
        1 => (at(), odd_char()).prop_map(|(at, c)| Slip::Inserted(at, c)),
        1 => at().prop_map(Slip::Dropped),
        1 => at().prop_map(Slip::Cut),
        1 => at().prop_map(Slip::FieldDropped),
        1 => at().prop_map(Slip::FieldDoubled),
        1 => (at(), at()).prop_map(|(one, other)| Slip::FieldsSwapped(one, other)),
        4 => (at(), select(NUMBERS.to_vec())).prop_map(|(at, number)| Slip::FieldReplaced(at, number)),
    ]
}

impl Slip {
    /// The text with this slip in it; its fields stand between `separators`.
    pub(crate) fn of(&self, text: &str, separators: &[char]) -> String {
        let mut chars: Vec<char> = text.chars().collect();
        match self {
            _ if chars.is_empty() => return String::new(),
            Self::Changed(at, c) => chars[at.index(text.chars().count())] = *c,
            Self::Inserted(at, c) => chars.insert(at.index(text.chars().count()), *c),
            Self::Dropped(at) => {
                chars.remove(at.index(text.chars().count()));
            }
            Self::Cut(at) => chars.truncate(at.index(text.chars().count())),
            _ => return self.of_fields(text, separators),
        }
        chars.into_iter().collect()
    }

    fn of_fields(&self, text: &str, separators: &[char]) -> String {
        let mut fields: Vec<&str> = text.split_inclusive(separators).collect();
        let count = fields.len();
        let replaced: String;
        match self {
            Self::FieldDropped(at) => {
                fields.remove(at.index(count));
            }
            Self::FieldDoubled(at) => fields.insert(at.index(count), fields[at.index(count)]),
            Self::FieldsSwapped(one, other) => fields.swap(one.index(count), other.index(count)),
            Self::FieldReplaced(at, number) => {
                let at = at.index(count);
                let separator = fields[at].chars().last().filter(|c| separators.contains(c));
                replaced = format!("{number}{}", separator.map(String::from).unwrap_or_default());
                fields[at] = &replaced;
            }
            _ => {}
        }
        fields.concat()
    }
}
