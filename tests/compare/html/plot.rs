//! One measure as a strip for each policy, on which every family is a dot.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::job::EVENKEEL;
use crate::measures::{Measure, NEVER};
use crate::runner::Compared;

const WIDTH: f64 = 560.0;
/// Where the scale begins and ends; names stand before it, the place of what never came about comes after it.
const LEFT: f64 = 170.0;
const RIGHT: f64 = 500.0;
const NEVER_AT: f64 = 540.0;
const ROW: f64 = 30.0;
const TOP: f64 = 12.0;

/// Dots nearer than this are one.
const STEP: f64 = 6.0;

/// From 0 to at least the largest value.
struct Scale {
    measure: Measure,
    decades: u32,
    has_never: bool,
}

impl Scale {
    fn of(job: &Compared, measure: Measure) -> Self {
        let medians = || (0..job.policies.len()).flat_map(|policy| medians(job, policy, measure));
        let most = medians().map(|(_, value)| value).filter(|value| *value != NEVER).max().unwrap_or(1);
        let most = most as f64 / measure.one() as f64;
        Self {
            measure,
            decades: most.log10().ceil().max(1.0) as u32,
            has_never: medians().any(|(_, value)| value == NEVER),
        }
    }

    /// Linear up to one, a decade as wide as that from there.
    fn at(&self, value: u64) -> f64 {
        if value == NEVER {
            return NEVER_AT;
        }
        let value = value as f64 / self.measure.one() as f64;
        let steps = if value <= 1.0 { value } else { 1.0 + value.log10() };
        LEFT + (RIGHT - LEFT) * steps / f64::from(self.decades + 1)
    }

    fn ticks(&self) -> Vec<u64> {
        let powers = (0..=self.decades).map(|power| 10_u64.pow(power) * self.measure.one());
        let never = self.has_never.then_some(NEVER);
        [0].into_iter().chain(powers).chain(never).collect()
    }
}

/// Families at one place.
#[derive(Default)]
struct Dot<'a> {
    families: Vec<&'a str>,
    x: f64,
}

/// The plot of one measure.
pub(super) fn strip(job: &Compared, measure: Measure) -> Markup {
    let scale = Scale::of(job, measure);
    let bottom = TOP + ROW * job.policies.len() as f64;
    html! {
        figure tabindex="0" {
            figcaption { (measure.words()) }
            svg viewBox=(format!("0 0 {WIDTH} {}", bottom + 22.0)) role="img" aria-label=(measure.words()) {
                @for tick in scale.ticks() {
                    @let x = rounded(scale.at(tick));
                    line x1=(x) x2=(x) y1=(TOP) y2=(bottom) {}
                    text.tick x=(x) y=(bottom + 16.0) { (label(scale.measure, tick)) }
                }
                @for (number, policy) in job.policies.iter().enumerate() {
                    @let y = TOP + ROW * (number as f64 + 0.5);
                    text.ours[number == EVENKEEL] x="0" y=(y + 4.0) { (policy.name) }
                    g.ours[number == EVENKEEL] { @for dot in dots(job, number, &scale) { (circle(&dot, y)) } }
                }
            }
        }
    }
}

fn circle(dot: &Dot<'_>, y: f64) -> Markup {
    let count = dot.families.len();
    let radius = rounded((4.0 * (count as f64).sqrt()).min(ROW / 2.0 - 1.0));
    html! {
        g {
            circle cx=(rounded(dot.x)) cy=(y) r=(radius) { title { (dot.families.join(", ")) } }
            @if count > 2 { text.count x=(rounded(dot.x)) y=(y + 4.0) pointer-events="none" { (count) } }
        }
    }
}

fn dots<'a>(job: &'a Compared, policy: usize, scale: &Scale) -> Vec<Dot<'a>> {
    let mut dots: BTreeMap<u64, Dot<'a>> = BTreeMap::new();
    for (family, value) in medians(job, policy, scale.measure) {
        let x = scale.at(value);
        let dot = dots.entry((x / STEP).round() as u64).or_default();
        dot.x += (x - dot.x) / (dot.families.len() + 1) as f64;
        dot.families.push(family);
    }
    dots.into_values().collect()
}

fn medians(job: &Compared, policy: usize, measure: Measure) -> impl Iterator<Item = (&str, u64)> {
    let of = move |family: &'_ crate::runner::Family| Some(family.summary(policy, measure)?.median);
    job.families.iter().filter_map(move |family| Some((family.name.as_str(), of(family)?)))
}

/// A tick in few letters.
fn label(measure: Measure, value: u64) -> String {
    measure.written(value).trim_end_matches(".00").to_owned()
}

fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_linear_to_one_and_then_by_decades() {
        let scale = Scale { measure: Measure::Below, decades: 2, has_never: true };
        let width = (RIGHT - LEFT) / 3.0;
        let at = [0, 1, 10, 100].map(|value| (scale.at(value) - LEFT) / width);
        assert_eq!(at.map(|it| it.round() as u32), [0, 1, 2, 3]);
        assert!(scale.at(NEVER) > scale.at(100));
        assert_eq!(scale.ticks(), [0, 1, 10, 100, NEVER]);
        let hours = Scale { measure: Measure::SurplusTaskSeconds, ..scale };
        let half = (hours.at(1_800) - LEFT) / width;
        assert!((half - 0.5).abs() < 0.01, "{half}");
        assert_eq!(hours.ticks()[1], 3_600);
    }
}
