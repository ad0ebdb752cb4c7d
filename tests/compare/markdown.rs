//! The page in Markdown, and the summary on the terminal.

use std::fmt::Write as _;

use comfy_table::{Table, presets};

use crate::job::EVENKEEL;
use crate::measures::Measure;
use crate::runner::{Compared, Comparison, Family};
use crate::verdict::{self, Beaten};
use crate::words;

/// The whole page.
pub(crate) fn page(comparison: &Comparison) -> String {
    let mut text = format!("# {}\n\n{}\n\n", words::TITLE, words::legend(comparison));
    let _ = writeln!(text, "## Where Evenkeel is not the best\n\n{}\n", words::JUDGED);
    text += &findings(comparison, &verdict::beaten(comparison));
    for job in &comparison.jobs {
        let _ = writeln!(text, "\n## {}\n\n{}\n", job.name, job.about);
        for policy in &job.policies {
            let _ = writeln!(text, "- *{}*: {}", policy.name, policy.does);
        }
        let _ = writeln!(text, "\nAll families together:\n\n{}\n\nFamily by family:\n", overall(job));
        let _ = writeln!(text, "{}\n", by_family(job));
        for measure in job.measures {
            let _ = writeln!(text, "- *{}*: {}", measure.words(), measure.meaning());
        }
    }
    text
}

/// What the terminal shows.
pub(crate) fn summary(comparison: &Comparison) -> String {
    let mut text = String::new();
    for job in &comparison.jobs {
        let _ = writeln!(text, "{}, all families together:\n\n{}\n", job.name, overall(job));
    }
    let _ = write!(
        text,
        "Where Evenkeel is not the best:\n\n{}",
        findings(comparison, &verdict::beaten(comparison))
    );
    text
}

fn findings(comparison: &Comparison, all: &[Beaten]) -> String {
    if all.is_empty() {
        return "- nowhere\n".to_owned();
    }
    all.iter().fold(String::new(), |text, beaten| text + "- " + &words::sentence(beaten, comparison) + "\n")
}

fn table(first: &[&str], measures: &[Measure]) -> Table {
    let mut table = Table::new();
    let heads = measures.iter().map(|measure| measure.words());
    table.load_style(presets::ASCII_MARKDOWN).set_header(first.iter().copied().chain(heads));
    table
}

fn overall(job: &Compared) -> Table {
    let mut table = table(&["policy"], job.measures);
    for (number, policy) in job.policies.iter().enumerate() {
        let cell = |measure: &Measure| {
            job.summary(number, *measure).map(|it| it.written(*measure)).unwrap_or_default()
        };
        table.add_row([policy.name.clone()].into_iter().chain(job.measures.iter().map(cell)));
    }
    table
}

fn by_family(job: &Compared) -> Table {
    let mut table = table(&["family", "policy"], job.measures);
    for family in &job.families {
        for number in 0..job.policies.len() {
            table.add_row(row(job, family, number));
        }
    }
    table
}

fn row(job: &Compared, family: &Family, policy: usize) -> Vec<String> {
    let cell = |measure: &Measure| {
        family.summary(policy, *measure).map(|it| it.written(*measure)).unwrap_or_default()
    };
    let name = if policy == EVENKEEL { family.name.clone() } else { String::new() };
    [name, job.policies[policy].name.clone()].into_iter().chain(job.measures.iter().map(cell)).collect()
}
