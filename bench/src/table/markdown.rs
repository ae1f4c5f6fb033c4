//! What came out, as a reader wants it.

use super::{measure::Side, rows::Row};
use crate::{
    error::Result,
    stats::{figure, median, range},
};
use serde_json::Value;
use std::fmt::Write;

/// All results of a row, round by round.
pub(super) struct Outcome {
    pub(super) row: Row,
    baseline: Vec<Value>,
    doorward: Vec<Value>,
    /// Why a round of it has no figure.
    pub(super) failure: Option<String>,
}

impl Outcome {
    pub(super) fn of(row: Row) -> Self {
        Self { row, baseline: Vec::new(), doorward: Vec::new(), failure: None }
    }

    /// Takes a round's result. A failed round leaves its place empty so that the pairs of the others stay together.
    pub(super) fn add(&mut self, side: Side, taken: Result<Value>) {
        let results = match side {
            Side::Baseline => &mut self.baseline,
            Side::Doorward => &mut self.doorward,
        };
        match taken {
            Ok(result) => results.push(result),
            Err(error) => {
                results.push(Value::Null);
                self.failure = Some(format!("{}: {error}", name(side)));
            }
        }
    }

    /// Doorward divided by the baseline of the same round, for each round.
    fn ratios(&self) -> Vec<f64> {
        let pairs = self.baseline.iter().zip(&self.doorward);
        pairs
            .filter_map(|(base, own)| Some(self.figure(own)? / self.figure(base)?))
            .filter(|ratio| ratio.is_finite())
            .collect()
    }

    fn values(&self, results: &[Value]) -> Vec<f64> {
        results.iter().filter_map(|result| self.figure(result)).collect()
    }

    fn figure(&self, result: &Value) -> Option<f64> {
        result.get(self.row.figure())?.as_f64()
    }

    /// Whether the bar is held; `None` when Doorward was not measured.
    pub(super) fn held(&self) -> Option<bool> {
        let value = self.row.bar().figure_of(&self.values(&self.doorward))?;
        Some(self.row.bar().held(median(&self.ratios()).unwrap_or(f64::NAN), value))
    }

    fn line(&self) -> String {
        let shown = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), figure);
        let ratios = self.ratios();
        let ratio = median(&ratios).map_or_else(|| "-".to_owned(), |ratio| format!("**{ratio:.2}**"));
        let spread = range(&ratios).map_or_else(|| "-".to_owned(), |(low, high)| format!("{low:.2}-{high:.2}"));
        let held = match (&self.failure, self.held()) {
            (Some(_), _) => "failed",
            (None, Some(false)) => "no",
            (None, Some(true)) if self.row.bar() != super::rows::Bar::None => "yes",
            (None, _) => "-",
        };
        format!(
            "| {} | {ratio} | {spread} | {} | {held} | {} | {} | {} |",
            self.row.title(),
            self.row.bar().text(),
            shown(self.row.bar().figure_of(&self.values(&self.doorward))),
            shown(self.row.bar().figure_of(&self.values(&self.baseline))),
            self.row.baseline(),
        )
    }

    /// Medians of the further members of the results.
    fn details(&self, results: &[Value]) -> String {
        let part = |name: &&str| {
            let values: Vec<f64> = results.iter().filter_map(|result| result.get(*name)?.as_f64()).collect();
            median(&values).map(|value| format!("{name} {}", figure(value)))
        };
        self.row.details().iter().filter_map(part).collect::<Vec<_>>().join(", ")
    }
}

pub(super) fn name(side: Side) -> &'static str {
    match side {
        Side::Baseline => "baseline",
        Side::Doorward => "doorward",
    }
}

/// The table, the details under it, and the last line: which rows are below their bar.
pub(super) fn render(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "| measure | ratio | lowest-highest | bar | held | doorward | baseline | which baseline |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for outcome in outcomes {
        let _ = writeln!(text, "{}", outcome.line());
    }
    text.push_str("\nMedians of the further figures:\n\n");
    for outcome in outcomes {
        for (side, results) in [(Side::Doorward, &outcome.doorward), (Side::Baseline, &outcome.baseline)] {
            let details = outcome.details(results);
            if !details.is_empty() {
                let _ = writeln!(text, "- `{}`, {}: {details}", outcome.row.name(), name(side));
            }
        }
        if let Some(failure) = &outcome.failure {
            let _ = writeln!(text, "- `{}` **failed**: {failure}", outcome.row.name());
        }
    }
    let _ = writeln!(text, "\n{}", last_line(outcomes));
    text
}

fn last_line(outcomes: &[Outcome]) -> String {
    let names = |chosen: &dyn Fn(&Outcome) -> bool| {
        outcomes
            .iter()
            .filter(|outcome| chosen(outcome))
            .map(|outcome| outcome.row.name())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let failed = names(&|outcome| outcome.failure.is_some());
    let below = names(&|outcome| outcome.failure.is_none() && outcome.held() == Some(false));
    let measured = outcomes.iter().any(|outcome| outcome.held().is_some());
    match (below.is_empty(), failed.is_empty(), measured) {
        (true, true, true) => "Below their bar: none.".to_owned(),
        (true, true, false) => "Below their bar: not measured, only the baselines ran.".to_owned(),
        (false, true, _) => format!("Below their bar: {below}."),
        (true, false, _) => format!("Below their bar: none; failed: {failed}."),
        (false, false, _) => format!("Below their bar: {below}; failed: {failed}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use serde_json::json;

    fn outcome(row: Row, pairs: &[(f64, f64)]) -> Outcome {
        let mut outcome = Outcome::of(row);
        for (base, own) in pairs {
            outcome.add(Side::Baseline, Ok(json!({ "value": base })));
            outcome.add(Side::Doorward, Ok(json!({ "value": own })));
        }
        outcome
    }

    #[test]
    fn the_ratio_is_the_median_of_the_rounds_own_ratios() {
        // The machine was half as fast in the second round; the ratio does not care.
        let outcome = outcome(Row::Connect, &[(100.0, 45.0), (50.0, 23.0), (200.0, 96.0)]);
        assert_eq!(outcome.ratios(), [0.45, 0.46, 0.48]);
        assert!(outcome.line().contains("| **0.46** | 0.45-0.48 | >= 0.40 | yes | 45 | 100 |"), "{}", outcome.line());
    }

    #[test]
    fn a_row_below_its_bar_is_named_in_the_last_line() {
        let rows = [outcome(Row::Connect, &[(100.0, 39.0)]), outcome(Row::Idle, &[(1024.0, 1300.0)])];
        assert_eq!(last_line(&rows), "Below their bar: connect.");
        assert_eq!(last_line(&rows[1..]), "Below their bar: none.");
    }

    #[test]
    fn a_failed_round_is_told_and_does_not_shift_the_pairs() {
        let mut outcome = outcome(Row::Connect, &[(100.0, 50.0)]);
        outcome.add(Side::Baseline, Err(Error::Usage("gone".into())));
        outcome.add(Side::Doorward, Ok(json!({ "value": 10.0 })));
        outcome.add(Side::Baseline, Ok(json!({ "value": 100.0 })));
        outcome.add(Side::Doorward, Ok(json!({ "value": 52.0 })));
        assert_eq!(outcome.ratios(), [0.5, 0.52]);
        assert!(outcome.line().contains("| failed |"));
        assert_eq!(last_line(&[outcome]), "Below their bar: none; failed: connect.");
    }

    #[test]
    fn baselines_alone_claim_nothing() {
        let mut outcome = Outcome::of(Row::Idle);
        outcome.add(Side::Baseline, Ok(json!({ "value": 1024.0 })));
        assert_eq!(outcome.held(), None);
        assert!(outcome.line().contains("| - | - | <= 2.0 | - | - | 1,024 |"), "{}", outcome.line());
        assert_eq!(last_line(&[outcome]), "Below their bar: not measured, only the baselines ran.");
    }

    #[test]
    fn a_row_without_a_bar_is_neither_held_nor_broken() {
        let outcome = outcome(Row::Refusal, &[(10.0, 40.0)]);
        assert!(outcome.line().contains("| **4.00** | 4.00-4.00 | - | - |"), "{}", outcome.line());
        assert_eq!(last_line(&[outcome]), "Below their bar: none.");
    }
}
