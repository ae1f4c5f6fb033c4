//! Every two kinds of a group against each other, as a reader wants them.

use crate::stats::{figure, mann_whitney, median};
use std::fmt::Write;

/// How far apart two medians may be, in percent.
const APART: f64 = 5.0;
/// Below this p a difference is not chance: one in a hundred pairs without any difference falls below it all the same.
const CHANCE: f64 = 0.01;

/// Microseconds of all tries of one kind.
pub(super) struct Sample {
    name: &'static str,
    pub(super) times: Vec<f64>,
}

impl Sample {
    pub(super) fn of(name: &'static str) -> Self {
        Self { name, times: Vec::new() }
    }
}

/// Two kinds that must look alike.
pub(super) struct Pair {
    title: String,
    tries: usize,
    medians: [f64; 2],
    p: f64,
}

impl Pair {
    /// Every two of these samples.
    pub(super) fn all_of(group: &str, samples: &[Sample]) -> Vec<Self> {
        let mut pairs = Vec::new();
        for (index, one) in samples.iter().enumerate() {
            for other in samples.iter().skip(index + 1) {
                pairs.extend(Self::of(group, one, other));
            }
        }
        pairs
    }

    fn of(group: &str, one: &Sample, other: &Sample) -> Option<Self> {
        Some(Self {
            title: format!("{group}: {}, {}", one.name, other.name),
            tries: one.times.len(),
            medians: [median(&one.times)?, median(&other.times)?],
            p: mann_whitney(&one.times, &other.times)?,
        })
    }

    /// How much longer the second takes, in percent of the quicker one.
    fn apart(&self) -> f64 {
        let [one, other] = self.medians;
        (other - one) / one.min(other) * 100.0
    }

    /// Whether the medians are close enough, whatever the test says.
    pub(super) fn is_within(&self) -> bool {
        self.apart().abs() <= APART
    }

    fn verdict(&self) -> &'static str {
        match (self.is_within(), self.p > CHANCE) {
            (true, true) => "alike",
            (true, false) => "within 5%",
            (false, true) => "unclear",
            (false, false) => "**differs**",
        }
    }

    fn line(&self) -> String {
        let [one, other] = self.medians;
        let p = if self.p < 0.001 { "< 0.001".to_owned() } else { format!("{:.3}", self.p) };
        format!(
            "| {} | {} | {} | {} | {:+.1}% | {p} | {} |",
            self.title,
            self.tries,
            figure(one),
            figure(other),
            self.apart(),
            self.verdict()
        )
    }
}

/// The table, and the last line: which pairs differ.
pub(super) fn render(pairs: &[Pair]) -> String {
    let mut text = String::from(
        "| pair | tries of each | first, median us | second, median us | second against first | p | verdict |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for pair in pairs {
        let _ = writeln!(text, "{}", pair.line());
    }
    let differ: Vec<&str> = pairs.iter().filter(|pair| !pair.is_within()).map(|pair| pair.title.as_str()).collect();
    let differ = if differ.is_empty() { "none".to_owned() } else { differ.join("; ") };
    let _ = writeln!(text, "\nFurther apart than 5%: {differ}.");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(name: &'static str, times: impl Iterator<Item = u32>) -> Sample {
        Sample { name, times: times.map(f64::from).collect() }
    }

    #[test]
    fn three_kinds_are_three_pairs() {
        let samples = [sample("a", 1..9), sample("b", 1..9), sample("c", 1..9)];
        let titles: Vec<String> = Pair::all_of("path", &samples).into_iter().map(|pair| pair.title).collect();
        assert_eq!(titles, ["path: a, b", "path: a, c", "path: b, c"]);
    }

    #[test]
    fn samples_of_one_source_are_alike() {
        let pairs = Pair::all_of("path", &[sample("a", 200..300), sample("b", 200..300)]);
        assert_eq!(pairs[0].line(), "| path: a, b | 100 | 250 | 250 | +0.0% | 1.000 | alike |");
        assert!(render(&pairs).ends_with("Further apart than 5%: none.\n"));
    }

    #[test]
    fn a_small_difference_that_is_no_chance_is_within() {
        let pairs = Pair::all_of("path", &[sample("a", 1000..1030), sample("b", 1020..1050)]);
        assert!(pairs[0].p < 0.001 && pairs[0].is_within());
        assert!(pairs[0].line().ends_with("| +2.0% | < 0.001 | within 5% |"), "{}", pairs[0].line());
    }

    #[test]
    fn a_large_difference_is_told_with_its_direction_and_named_in_the_last_line() {
        let pairs = Pair::all_of("path", &[sample("a", 100..140), sample("b", 110..150)]);
        assert!(!pairs[0].is_within());
        assert!(pairs[0].line().ends_with("| +8.4% | < 0.001 | **differs** |"), "{}", pairs[0].line());
        assert!(render(&pairs).ends_with("Further apart than 5%: path: a, b.\n"));
        let turned = Pair::all_of("path", &[sample("b", 110..150), sample("a", 100..140)]);
        assert!(turned[0].line().contains("| -8.4% |") && !turned[0].is_within());
    }

    #[test]
    fn a_large_difference_that_may_be_chance_is_unclear_and_not_within() {
        let pairs = Pair::all_of("path", &[sample("a", [100, 200].into_iter()), sample("b", [150, 250].into_iter())]);
        assert!(pairs[0].p > 0.01 && !pairs[0].is_within());
        assert!(pairs[0].line().ends_with("| unclear |"), "{}", pairs[0].line());
    }
}
