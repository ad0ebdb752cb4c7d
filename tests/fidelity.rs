//! The page `FIDELITY.md` names only what exists: tests, files, switches with their defaults, steps of `experiments.sh`.
//! And no switch goes unnamed there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use simulator::switches::Switches;

/// Where the modules that a path may begin in lie.
const ROOTS: [&str; 3] = ["scenarios", "simulator/src", "."];

/// Columns of a row about one behaviour, the empty cell before its first bar included.
const NUMBER: usize = 1;
const SIMULATOR: usize = 4;
const DOUBT: usize = 5;
const BREAKS: usize = 6;

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

fn page() -> String {
    text(&here().join("FIDELITY.md"))
}

/// What stands between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn cells(line: &str) -> Vec<&str> {
    line.split('|').map(str::trim).collect()
}

/// The rows of the numbered tables, cell by cell.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let is_number = |cell: &str| cell.starts_with(char::is_uppercase) && cell.ends_with(char::is_numeric);
    let rows = page.lines().filter(|line| line.starts_with('|')).map(cells);
    rows.filter(|cells| cells.len() == 9 && is_number(cells[NUMBER])).collect()
}

/// The file that the longest possible part of a module path names, and the modules that must be inside it.
fn file_of<'a>(modules: &'a [&'a str]) -> Option<(PathBuf, &'a [&'a str])> {
    (1..=modules.len()).rev().find_map(|taken| {
        let file = format!("{}.rs", modules[..taken].join("/"));
        let mut places = ROOTS.iter().map(|root| here().join(root).join(&file));
        Some((places.find(|path| path.is_file())?, &modules[taken..]))
    })
}

/// The texts of the files that the parts of a path name: what a module's tests share lies in the one above.
fn files_along(path: &str) -> Vec<String> {
    let segments: Vec<&str> = path.split("::").collect();
    let named = (1..=segments.len()).filter_map(|taken| file_of(&segments[..taken]));
    named.map(|(file, _)| text(&file)).collect()
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|it: char| !it.is_alphanumeric() && it != '_').any(|it| it == word)
}

/// Whether a path like `drain::hook::name` leads to a test; some families are named in a macro.
fn is_test(path: &str) -> bool {
    let segments: Vec<&str> = path.split("::").collect();
    let Some((name, modules)) = segments.split_last() else { return false };
    let Some((file, inside)) = file_of(modules) else { return false };
    let source = text(&file);
    let is_there = |module: &&str| source.contains(&format!("mod {module} {{"));
    let is_named =
        source.contains(&format!("fn {name}(")) || source.contains("macro_rules!") && has_word(&source, name);
    inside.iter().all(is_there) && is_named
}

fn is_test_path(quoted: &str) -> bool {
    quoted.contains("::") && quoted.starts_with(char::is_lowercase) && !quoted.ends_with(':')
}

/// What is written like the field of a struct.
fn fields(cell: &str) -> impl Iterator<Item = &str> {
    quoted(cell)
        .into_iter()
        .filter(|it| it.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'))
}

/// Every switch and its default, as they print themselves.
fn switches() -> BTreeMap<String, String> {
    let printed = format!("{:?}", Switches::default());
    let inside =
        printed.split_once('{').and_then(|(_, rest)| rest.rsplit_once('}')).map(|(inside, _)| inside);
    let pairs = inside.expect("a struct prints its fields").split(',').filter_map(|it| it.split_once(':'));
    pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}

#[test]
fn every_test_that_is_named_exists() {
    let page = page();
    let named: BTreeSet<&str> = quoted(&page).into_iter().filter(|it| is_test_path(it)).collect();
    assert!(named.len() > 100, "the page was read: {}", named.len());
    let missing: Vec<&&str> = named.iter().filter(|path| !is_test(path)).collect();
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}

#[test]
fn every_file_that_is_named_exists() {
    let page = page();
    let is_file = |it: &&str| [".rs", ".sh", ".py"].iter().any(|end| it.ends_with(end));
    let named: BTreeSet<&str> = quoted(&page).into_iter().filter(is_file).collect();
    assert!(named.len() > 50, "the page was read: {}", named.len());
    let exists = |it: &str| {
        let workspace = here().parent().expect("tests/ lies in the workspace");
        [here().join("simulator/src"), here().to_owned(), workspace.to_owned()]
            .iter()
            .any(|root| root.join(it).is_file())
    };
    let missing: Vec<&&str> = named.iter().filter(|it| !exists(it)).collect();
    assert!(missing.is_empty(), "no such files: {missing:#?}");
}

#[test]
fn every_row_names_a_file_or_says_why_none() {
    let page = page();
    let rows = rows(&page);
    assert!(rows.len() > 80, "the tables were read: {}", rows.len());
    let numbers: BTreeSet<&str> = rows.iter().map(|row| row[NUMBER]).collect();
    assert_eq!(numbers.len(), rows.len(), "a number stands for one row");
    let bare = |row: &&Vec<&str>| {
        let says =
            ["not simulated", "the play, not", "any file"].iter().any(|it| row[SIMULATOR].starts_with(it));
        quoted(row[SIMULATOR]).is_empty() && !says
    };
    let bare: Vec<_> = rows.iter().filter(bare).map(|row| row[NUMBER]).collect();
    assert!(bare.is_empty(), "rows without a file of the simulator: {bare:?}");
}

#[test]
fn every_switch_is_named_with_its_default_and_every_name_is_a_switch() {
    let (page, switches) = (page(), switches());
    let rows = rows(&page);
    let mut named = BTreeSet::new();
    for row in &rows {
        for name in fields(row[DOUBT]) {
            let default = switches.get(name).unwrap_or_else(|| panic!("{}: no switch {name}", row[NUMBER]));
            let says = [format!("`{name}` ({default})"), format!("`{name}` (three answers)")];
            assert!(
                says.iter().any(|it| row[DOUBT].contains(it)),
                "{}: the default is {default}",
                row[NUMBER]
            );
            named.insert(name.to_owned());
        }
    }
    let unnamed: Vec<_> = switches.keys().filter(|name| !named.contains(*name)).collect();
    assert!(unnamed.is_empty(), "switches without a row: {unnamed:?}");
}

/// A row that says so names a test whose file, or one above it, sets the switch.
#[test]
fn what_is_played_both_ways_is_flipped_by_a_test_that_is_named() {
    let page = page();
    let rows = rows(&page);
    let both = rows.iter().filter(|row| row[BREAKS].contains("both ways:"));
    let mut seen = 0;
    for row in both {
        let tests: Vec<&str> = quoted(row[BREAKS]).into_iter().filter(|it| is_test_path(it)).collect();
        let sources: Vec<String> = tests.iter().flat_map(|path| files_along(path)).collect();
        for switch in fields(row[DOUBT]) {
            seen += 1;
            let is_flipped = sources.iter().any(|source| has_word(source, switch));
            assert!(is_flipped, "{}: none of {tests:?} sets {switch}", row[NUMBER]);
        }
    }
    assert!(seen > 3, "the rows were read: {seen}");
}

#[test]
fn every_step_that_would_settle_a_question_is_one_of_the_script() {
    let (page, script) = (page(), text(&here().join("experiments.sh")));
    let rows = rows(&page);
    let steps: BTreeSet<&str> =
        rows.iter().flat_map(|row| row[DOUBT].split('*').skip(1).step_by(2)).collect();
    assert!(steps.len() > 10, "the page was read: {steps:?}");
    let missing: Vec<_> =
        steps.iter().filter(|step| !script.contains(&format!("\nstep_{step}() "))).collect();
    assert!(missing.is_empty(), "no such steps: {missing:?}");
}
