//! Medians and how numbers are written.

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
