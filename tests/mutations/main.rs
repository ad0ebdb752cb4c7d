//! The list of mutations fits the sources: every check that `make mutations` takes out is still there, and every test that
//! is to notice still exists. What the list says is in the head of `run.py` beside this.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the verdict")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutation {
    id: String,
    promise: String,
    disables: String,
    edits: Vec<Edit>,
    #[serde(default)]
    redundant_with: Vec<String>,
    #[serde(default, rename = "hangs")]
    _hangs: bool,
    caught_by: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    file: String,
    after: Option<String>,
    original: String,
    mutant: String,
    #[serde(default)]
    statement: bool,
}

/// Where the tests of a suite lie.
const SUITES: [(&str, &str); 5] = [
    ("unit", "shared/src"),
    ("rebalance", "functions/rebalance/src"),
    ("drain", "functions/drain/src"),
    ("rollout", "functions/rollout/src"),
    ("scenario", "tests/scenarios"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn mutations() -> Vec<Mutation> {
    serde_json::from_str(include_str!("list.json"))
        .expect("the list is JSON of the shape that run.py describes")
}

/// Where the text of an edit stands in its file, if that can be told.
fn place(edit: &Edit, source: &str) -> Option<Range<usize>> {
    let only = |text: &str| {
        let mut all = source.match_indices(text).map(|(at, _)| at);
        all.next().filter(|_| all.next().is_none())
    };
    let at = match &edit.after {
        Some(anchor) => {
            let start = only(anchor)? + anchor.len();
            start + source[start..].find(&edit.original)?
        }
        None => only(&edit.original)?,
    };
    Some(at..at + edit.original.len())
}

/// Whether the sources have this test: in the file of its module, or of the module around that.
fn is_a_test(name: &str) -> bool {
    let Some((suite, path)) = name.split_once(':') else { return false };
    let Some((_, folder)) = SUITES.iter().find(|(it, _)| *it == suite) else { return false };
    let mut modules: Vec<&str> = path.split("::").collect();
    let function = format!("fn {}(", modules.pop().unwrap());
    let file = |depth: usize| root().join(folder).join(modules[..depth].join("/")).with_extension("rs");
    let Some(file) = (1..=modules.len()).rev().map(file).find(|it| it.is_file()) else { return false };
    let source = fs::read_to_string(file).unwrap();
    let is_it = |block: &str| block.lines().take(4).any(|line| line.contains(&function));
    source.split("#[test]").skip(1).any(is_it)
}

#[test]
fn every_mutation_has_a_name_a_promise_and_words() {
    let all = mutations();
    let names: BTreeSet<&str> = all.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(names.len(), all.len(), "each name is there once");
    let promises: BTreeSet<&str> = all.iter().map(|it| it.promise.as_str()).collect();
    assert_eq!(promises, BTreeSet::from(["P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8"]));
    for mutation in &all {
        let is_kebab = mutation.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        assert!(is_kebab && !mutation.disables.is_empty() && !mutation.edits.is_empty(), "{mutation:?}");
        for partner in &mutation.redundant_with {
            assert!(names.contains(partner.as_str()), "{}: there is no {partner}", mutation.id);
        }
    }
}

#[test]
fn every_check_that_is_taken_out_is_there_once() {
    let all = mutations();
    let mut taken: BTreeMap<&str, Vec<(Range<usize>, &str)>> = BTreeMap::new();
    for (mutation, edit) in all.iter().flat_map(|it| it.edits.iter().map(move |edit| (it, edit))) {
        let is_product = edit.file.starts_with("shared/src/") || edit.file.starts_with("functions/");
        assert!(is_product, "{}: {} is no part of the product", mutation.id, edit.file);
        let source = fs::read_to_string(root().join(&edit.file)).expect("the file is there");
        let found = place(edit, &source);
        let found = found.unwrap_or_else(|| panic!("{}: not once in {}: {edit:?}", mutation.id, edit.file));
        assert!(edit.statement || !edit.mutant.is_empty(), "{}: an expression needs another", mutation.id);
        assert_ne!(edit.original, edit.mutant, "{}", mutation.id);
        taken.entry(&edit.file).or_default().push((found, &mutation.id));
    }
    for places in taken.values_mut() {
        places.sort_by_key(|(place, _)| (place.start, place.end));
        for pair in places.windows(2) {
            assert!(pair[0].0.end <= pair[1].0.start, "{} and {} overlap", pair[0].1, pair[1].1);
        }
    }
}

#[test]
fn every_test_that_is_to_notice_exists() {
    for mutation in mutations() {
        assert!(!mutation.caught_by.is_empty(), "{}: no test is named", mutation.id);
        for test in &mutation.caught_by {
            assert!(is_a_test(test), "{}: there is no test {test}", mutation.id);
        }
    }
    assert!(!is_a_test("unit:plan::nowhere::tests::nothing"), "what does not exist is told");
}
