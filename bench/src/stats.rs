//! Medians, whether two samples differ, and how numbers are written.

/// The middle of the values; the mean of the two middle ones when their number is even. `None` when there are none.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *sorted.get(sorted.len() / 2 - 1)?;
    Some(lower.midpoint(upper))
}

/// The value below which `share` (0 to 1) of the values lie: the nearest rank. `None` when there are none.
pub(crate) fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank.min(sorted.len()).checked_sub(1)?).copied()
}

/// The smallest and the largest value.
pub(crate) fn range(values: &[f64]) -> Option<(f64, f64)> {
    let smallest = values.iter().copied().min_by(f64::total_cmp)?;
    let largest = values.iter().copied().max_by(f64::total_cmp)?;
    Some((smallest, largest))
}

/// How likely it is that two samples of one and the same source differ as much as these do: the two-sided p of the
/// Mann-Whitney U test, by its normal approximation with the corrections for ties and for continuity. From eight values on each
/// side it is good enough. `None` when one side has no value.
pub(crate) fn mann_whitney(one: &[f64], other: &[f64]) -> Option<f64> {
    if one.is_empty() || other.is_empty() {
        return None;
    }
    let mut all: Vec<(f64, bool)> = one.iter().map(|value| (*value, true)).collect();
    all.extend(other.iter().map(|value| (*value, false)));
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (n, m, count) = (one.len() as f64, other.len() as f64, all.len() as f64);
    // Equal values share the mean of their ranks, and make the ranks scatter less.
    let (mut before, mut rank_sum, mut ties) = (0.0, 0.0, 0.0);
    for equals in all.chunk_by(|a, b| a.0 == b.0) {
        let size = equals.len() as f64;
        let mean_rank = before + (size + 1.0) / 2.0;
        rank_sum += mean_rank * equals.iter().filter(|(_, first)| *first).count() as f64;
        ties += size.powi(3) - size;
        before += size;
    }
    let u = rank_sum - n * (n + 1.0) / 2.0;
    let variance = n * m / 12.0 * (count + 1.0 - ties / (count * (count - 1.0)));
    if variance <= 0.0 {
        // All values are equal.
        return Some(1.0);
    }
    let beyond = ((u - n * m / 2.0).abs() - 0.5).max(0.0);
    Some(both_tails(beyond / variance.sqrt()))
}

/// How far apart the means of two samples are, in units of what chance makes of them: Welch's t. `None` when one side has fewer
/// than two values, or all are equal.
pub(crate) fn welch_t(one: &[f64], other: &[f64]) -> Option<f64> {
    let [(mean, error), (other_mean, other_error)] = [mean_and_error(one)?, mean_and_error(other)?];
    let scatter = (error + other_error).sqrt();
    (scatter > 0.0).then(|| (mean - other_mean) / scatter)
}

/// The mean of a sample, and the square of the mean's standard error.
fn mean_and_error(values: &[f64]) -> Option<(f64, f64)> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (values.len() >= 2).then(|| (mean, squares / (count - 1.0) / count))
}

/// The share of a normal distribution that lies at least `z` standard deviations from its middle, on either side: `erfc(z / sqrt 2)`
/// by formula 7.1.26 of Abramowitz and Stegun, "Handbook of Mathematical Functions", whose error is below 1.5e-7.
fn both_tails(z: f64) -> f64 {
    let x = z / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let series = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    series.iter().fold(0.0, |sum, factor| (sum + factor) * t) * (-x * x).exp()
}

/// A figure as a reader wants it: three digits that count and a unit of size, `6.42M`, `357k`, `1,240`, `12.3`.
pub(crate) fn figure(value: f64) -> String {
    let size = value.abs();
    if size >= 999.5e6 {
        format!("{}G", three_digits(value / 1e9))
    } else if size >= 999.5e3 {
        format!("{}M", three_digits(value / 1e6))
    } else if size >= 9_999.5 {
        format!("{}k", three_digits(value / 1e3))
    } else if size >= 999.5 {
        let whole = value.round() as i64;
        format!("{},{:03}", whole / 1000, (whole % 1000).abs())
    } else if value == value.trunc() {
        format!("{value}")
    } else {
        three_digits(value)
    }
}

fn three_digits(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn welch_t_is_the_one_of_the_textbook() {
        // Means 2 and 4, variances 1 and 1, three values each: (2 - 4) / sqrt(1/3 + 1/3).
        let t = welch_t(&[1.0, 2.0, 3.0], &[3.0, 4.0, 5.0]).unwrap();
        assert!((t + 2.0 / (2.0_f64 / 3.0).sqrt()).abs() < 1e-12, "{t}");
        assert_eq!(welch_t(&[1.0], &[1.0, 2.0]), None);
        assert_eq!(welch_t(&[1.0, 1.0], &[1.0, 1.0]), None);
    }

    #[test]
    fn the_median_is_the_middle_of_any_order() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[7.0]), Some(7.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn one_wild_round_does_not_move_the_median() {
        assert_eq!(median(&[1.0, 1.1, 900.0]), Some(1.1));
    }

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile(&hundred, 0.5), Some(50.0));
        assert_eq!(percentile(&hundred, 0.99), Some(99.0));
        assert_eq!(percentile(&hundred, 1.0), Some(100.0));
        assert_eq!(percentile(&[5.0], 0.01), Some(5.0));
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn the_range_is_the_two_ends() {
        assert_eq!(range(&[2.0, 9.0, 4.0]), Some((2.0, 9.0)));
        assert_eq!(range(&[]), None);
    }

    fn close_to(found: Option<f64>, expected: f64) -> bool {
        found.is_some_and(|found| (found - expected).abs() < 5e-7)
    }

    #[test]
    fn the_tails_of_the_normal_distribution_are_those_of_the_tables() {
        assert!(close_to(Some(both_tails(0.0)), 1.0));
        assert!(close_to(Some(both_tails(1.959_964)), 0.05));
        assert!(close_to(Some(both_tails(2.575_829)), 0.01));
        assert!(close_to(Some(both_tails(3.290_527)), 0.001));
    }

    #[test]
    fn the_rank_test_gives_what_is_published_for_samples_without_ties() {
        // Hollander and Wolfe, "Nonparametric Statistical Methods", table 4.1: permeability of the human chorioamnion at term
        // and between 12 and 26 weeks. U is 35 of 50; by hand z = (35 - 25 - 0.5) / sqrt(10 * 5 * 16 / 12) = 1.163508.
        let term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
        let early = [1.15, 0.88, 0.90, 0.74, 1.21];
        assert!(close_to(mann_whitney(&term, &early), both_tails(1.163_508)));
        // The manual of SciPy, `mannwhitneyu(males, females, method="asymptotic")`: age at diagnosis of diabetes.
        let (males, females) = ([19.0, 22.0, 16.0, 29.0, 24.0], [20.0, 11.0, 17.0, 12.0]);
        assert!(close_to(mann_whitney(&males, &females), 0.111_346_886));
    }

    #[test]
    fn the_rank_test_gives_what_is_published_for_samples_with_ties() {
        // The manual of R, `wilcox.test(Ozone ~ Month, airquality, subset = Month %in% c(5, 8))`: W = 127.5, p = 0.0001208.
        let may = [41, 36, 12, 18, 28, 23, 19, 8, 7, 16, 11, 14, 18, 14, 34, 6, 30, 11, 1, 11, 4, 32, 23, 45, 115, 37];
        let august =
            [39, 9, 16, 78, 35, 66, 122, 89, 110, 44, 28, 65, 22, 59, 23, 31, 44, 21, 9, 45, 168, 73, 76, 118, 84, 85];
        let p = mann_whitney(&may.map(f64::from), &august.map(f64::from));
        assert!(close_to(p, 0.000_120_8));
        assert_eq!(mann_whitney(&august.map(f64::from), &may.map(f64::from)), p, "neither side is the first");
    }

    #[test]
    fn the_same_values_do_not_differ_and_none_are_not_compared() {
        assert_eq!(mann_whitney(&[4.0; 20], &[4.0; 30]), Some(1.0));
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert!(close_to(mann_whitney(&hundred, &hundred), 1.0));
        assert_eq!(mann_whitney(&[], &[1.0]), None);
        assert_eq!(mann_whitney(&[1.0], &[]), None);
    }

    #[test]
    fn figures_keep_three_digits() {
        assert_eq!(figure(6_420_000.0), "6.42M");
        assert_eq!(figure(982_690_000.0), "983M");
        assert_eq!(figure(357_400.0), "357k");
        assert_eq!(figure(17_960.0), "18.0k");
        assert_eq!(figure(1_240.4), "1,240");
        assert_eq!(figure(-1_005.0), "-1,005");
        assert_eq!(figure(250.0), "250");
        assert_eq!(figure(12.34), "12.3");
        assert_eq!(figure(0.457), "0.46");
        assert_eq!(figure(0.0), "0");
        assert_eq!(figure(3_400_000_000.0), "3.40G");
        assert_eq!(figure(999.7), "1,000");
    }
}
