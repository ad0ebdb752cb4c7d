//! Evenkeel is the best or equal on dips, kills and moves in every family, or the README says why not.
//!
//! One seed, every family, every policy. The README's table of exceptions is read as it stands there: a finding without a
//! row fails, and so does a row that is no longer true.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use crate::job::JOBS;
use crate::runner::{Comparison, compare};
use crate::{html, markdown, verdict};

const SEED: u64 = 1;

/// The heading of the README's table: job and family, measure, reason.
const HEADING: &str = "### Where Evenkeel is not the best";

/// Played once for all tests.
static PLAYED: LazyLock<Comparison> = LazyLock::new(|| compare(&JOBS, &[SEED], |_, _| ()));

/// Job, family and measure.
type Row = (String, String, String);

/// The rows of the README's table, all with a reason.
fn explained(readme: &str) -> BTreeSet<Row> {
    let (_, after) = readme.split_once(HEADING).expect("the README has the table");
    let table =
        after.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [job, family, measure, reason] = cells[..] else { panic!("four cells: {line}") };
        assert!(reason.split(' ').count() >= 5, "no reason: {line}");
        (job.to_owned(), family.to_owned(), measure.to_owned())
    };
    table.skip(2).map(row).collect()
}

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    std::fs::read_to_string(path).expect("the README can be read")
}

#[test]
fn evenkeel_is_best_or_the_readme_says_why_not() {
    let beaten = verdict::beaten(&PLAYED);
    let row = |it: &verdict::Beaten| (it.job.to_owned(), it.family.clone(), it.measure.words().to_owned());
    let found: BTreeSet<Row> = beaten.iter().map(row).collect();
    assert_eq!(explained(&readme()), found, "README on the left, play on the right: {beaten:#?}");
}

#[test]
fn both_pages_name_every_policy_and_every_family() {
    for page in [html::page(&PLAYED), markdown::page(&PLAYED)] {
        for job in &PLAYED.jobs {
            let families = job.families.iter().map(|family| family.name.as_str());
            for name in families.chain(job.policies.iter().map(|policy| policy.name.as_str())) {
                assert!(page.contains(name), "{name} is missing");
            }
        }
    }
}

#[test]
fn the_page_loads_nothing() {
    let page = html::page(&PLAYED);
    for outside in ["http://", "https://", "src=", "@import", "url(", "<link", "<script"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.matches("<svg").count() >= PLAYED.jobs.len());
}

#[test]
fn a_play_is_the_same_whenever_it_is_played() {
    for (job, compared) in JOBS.iter().zip(&PLAYED.jobs) {
        for policy in 0..compared.policies.len() {
            assert_eq!(job.play(0, policy, SEED), compared.families[0].outcomes[policy][0], "{policy}");
        }
    }
}

#[test]
fn the_table_of_exceptions_is_read_row_by_row() {
    let text = format!(
        "{HEADING}\n\nwords\n\n| job | family | measure | why |\n|---|---|---|---|\n| Drain | 5 of 10 | tasks started | because \
         it has to be so |\n\n| other | table |"
    );
    let row = ("Drain".to_owned(), "5 of 10".to_owned(), "tasks started".to_owned());
    assert_eq!(explained(&text), BTreeSet::from([row]));
}
