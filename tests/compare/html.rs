//! The page in HTML: one file, nothing loaded from anywhere, for light and dark, wide and narrow.

mod plot;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::job::EVENKEEL;
use crate::measures::Measure;
use crate::runner::{Compared, Comparison, Family};
use crate::statistics::Summary;
use crate::verdict;
use crate::words;

const STYLE: &str = include_str!("html/style.css");

/// The whole page.
pub(crate) fn page(comparison: &Comparison) -> String {
    let beaten = verdict::beaten(comparison);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (words::TITLE) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (words::TITLE) }
                    p { (words::legend(comparison)) }
                    nav { @for job in &comparison.jobs { a href=(format!("#{}", job.name)) { (job.name) } " " } }
                }
                main {
                    section {
                        h2 { "Where Evenkeel is not the best" }
                        p { (words::JUDGED) }
                        ul {
                            @for beaten in &beaten { li { (words::sentence(beaten, comparison)) } }
                            @if beaten.is_empty() { li { "Nowhere." } }
                        }
                    }
                    @for job in &comparison.jobs { (section(job)) }
                }
            }
        }
    };
    page.into_string()
}

fn section(job: &Compared) -> Markup {
    html! {
        section id=(job.name) {
            h2 { (job.name) }
            p { (job.about) }
            dl { @for policy in &job.policies { dt { (policy.name) } dd { (policy.does) } } }
            h3 { "All families together" }
            (overall(job))
            h3 { "Every family a dot, at its median" }
            p {
                "To the left is better. Families at the same place are one larger dot with their number; point at it for \
                 their names. The scale is linear up to one and logarithmic from there."
            }
            div.plots { @for measure in plotted(job) { (plot::strip(job, measure)) } }
            h3 { "Family by family" }
            p { "Shaded is what is worse than the best of its family, by the median." }
            (by_family(job))
            details {
                summary { "What is measured" }
                dl { @for measure in job.measures { dt { (measure.words()) } dd { (measure.meaning()) } } }
            }
        }
    }
}

/// What has a plot: all but what is the same for every policy, is of Evenkeel alone, or is better the more it is.
fn plotted(job: &Compared) -> impl Iterator<Item = Measure> {
    let without =
        [Measure::Bound, Measure::Starts, Measure::InTime, Measure::SizesChanged, Measure::OverFloor];
    job.measures.iter().copied().filter(move |measure| !without.contains(measure))
}

fn heads(first: &[&str], measures: &[Measure]) -> Markup {
    html! {
        thead {
            tr {
                @for head in first { th.name scope="col" { (head) } }
                @for measure in measures { th scope="col" title=(measure.meaning()) { (measure.words()) } }
            }
        }
    }
}

fn overall(job: &Compared) -> Markup {
    html! {
        div.scroll tabindex="0" {
            table {
                (heads(&["policy"], job.measures))
                tbody {
                    @for (number, policy) in job.policies.iter().enumerate() {
                        tr.ours[number == EVENKEEL] {
                            th scope="row" { (policy.name) }
                            @for measure in job.measures { (cell(job.summary(number, *measure), *measure, false)) }
                        }
                    }
                }
            }
        }
    }
}

fn by_family(job: &Compared) -> Markup {
    html! {
        div.scroll tabindex="0" {
            table {
                (heads(&["family", "policy"], job.measures))
                @for family in &job.families {
                    tbody { @for number in 0..job.policies.len() { (row(job, family, number)) } }
                }
            }
        }
    }
}

fn row(job: &Compared, family: &Family, policy: usize) -> Markup {
    html! {
        tr.ours[policy == EVENKEEL] {
            @if policy == EVENKEEL {
                th scope="rowgroup" rowspan=(job.policies.len()) { (family.name) }
            }
            th scope="row" { (job.policies[policy].name) }
            @for measure in job.measures {
                (cell(family.summary(policy, *measure), *measure, is_worse(family, policy, *measure)))
            }
        }
    }
}

/// Whether some policy's median is better.
fn is_worse(family: &Family, policy: usize, measure: Measure) -> bool {
    let medians = (0..family.outcomes.len()).filter_map(|it| Some(family.summary(it, measure)?.median));
    let best = if measure.is_more_better() { medians.max() } else { medians.min() };
    family.summary(policy, measure).is_some_and(|it| Some(it.median) != best)
}

fn cell(summary: Option<Summary>, measure: Measure, is_worse: bool) -> Markup {
    html! { td.worse[is_worse] { @if let Some(summary) = summary { (summary.written(measure)) } } }
}
