//! Statistics of the suite: means of ratios, intervals by bootstrap, a curve read between its points.
//!
//! It knows numbers alone. Costs are logarithms, so differences of costs are logarithms of ratios.
//!
//! Invariants
//! - T1. The same numbers give the same interval: resampling is seeded, and its order is fixed.
//! - T2. What is resampled is a cluster as a whole (Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter
//!   8): runs of one program are no independent evidence about others.

/// Resamples of an interval.
const RESAMPLES: usize = 2000;
/// What lies outside an interval, on either side.
const TAIL: f64 = 0.025;
const SEED: u64 = 5;

/// Where 95 % of the resampled values lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// 2.5 % lie below.
    pub low: f64,
    /// 2.5 % lie above.
    pub high: f64,
}

/// A generator of random numbers (SplitMix64; Steele, Lea and Flood, OOPSLA'14).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `below` − 1.
    fn below(&mut self, below: usize) -> usize {
        ((u128::from(self.next()) * below as u128) >> 64) as usize
    }
}

/// The interval of a statistic over `clusters` clusters, which are drawn with replacement: the statistic is given their numbers,
/// some more than once. Values that are no numbers are left out; nothing without clusters, or if no value is a number.
pub fn bootstrap(clusters: usize, statistic: impl Fn(&[usize]) -> f64) -> Option<Interval> {
    if clusters == 0 {
        return None;
    }
    let mut random = Random(SEED);
    let mut drawn = vec![0; clusters];
    let mut values: Vec<f64> = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        drawn.iter_mut().for_each(|cluster| *cluster = random.below(clusters));
        values.push(statistic(&drawn));
    }
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    (!values.is_empty()).then(|| Interval { low: at(TAIL), high: at(1.0 - TAIL) })
}

/// The mean; NaN of nothing.
pub fn mean(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, count) = numbers.into_iter().fold((0.0, 0.0), |(sum, count), number| (sum + number, count + 1.0));
    sum / count
}

/// The median; NaN of nothing.
pub fn median(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = numbers.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        count => (sorted[(count - 1) / 2] + sorted[count / 2]) / 2.0,
    }
}

/// The least `y` that a curve reaches at up to this `x`, between its points on straight lines in logarithms. Points that cost more
/// of both than another are no choice, so they are left out. Nothing where the curve was not measured.
pub fn least_at(points: &[(f64, f64)], x: f64) -> Option<f64> {
    let mut sorted: Vec<(f64, f64)> =
        points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite() && *x > 0.0 && *y > 0.0).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut front: Vec<(f64, f64)> = Vec::new();
    for point in sorted {
        if front.last().is_none_or(|last| point.1 < last.1) {
            front.push(point);
        }
    }
    let after = front.iter().position(|point| point.0 >= x)?;
    let right = front[after];
    if right.0 == x {
        return Some(right.1);
    }
    let left = front[after.checked_sub(1)?];
    let share = (x / left.0).ln() / (right.0 / left.0).ln();
    Some((left.1.ln() + share * (right.1 / left.1).ln()).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_holds_the_mean_and_narrows_with_more_clusters() {
        let width = |count: usize| {
            let values: Vec<f64> = (0..count).map(|i| (i * 7919 % 101) as f64).collect();
            let all = mean(values.iter().copied());
            let found = bootstrap(count, |drawn| mean(drawn.iter().map(|i| values[*i]))).expect("clusters");
            assert!(found.low < all && all < found.high, "{found:?} around {all}");
            // two standard errors to each side
            let error = (mean(values.iter().map(|v| (v - all).powi(2))) / count as f64).sqrt();
            let expected = 2.0 * 1.96 * error;
            assert!(((found.high - found.low) / expected - 1.0).abs() < 0.1, "{found:?}, {expected} wide");
            found.high - found.low
        };
        assert!(width(400) < 0.6 * width(100));
        assert_eq!(bootstrap(0, |_| 1.0), None);
        assert_eq!(bootstrap(3, |_| f64::NAN), None);
    }

    #[test]
    fn resampling_is_the_same_every_time() {
        let once = bootstrap(9, |drawn| drawn.iter().sum::<usize>() as f64);
        assert_eq!(once, bootstrap(9, |drawn| drawn.iter().sum::<usize>() as f64));
    }

    #[test]
    fn means_and_medians() {
        assert_eq!(mean([1.0, 2.0, 6.0]), 3.0);
        assert_eq!(median([9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0]), 2.5);
        assert!(mean([]).is_nan() && median([]).is_nan());
    }

    #[test]
    fn a_curve_is_read_in_logarithms_and_only_where_it_was_measured() {
        let curve = [(4.0, 25.0), (1.0, 100.0), (16.0, 6.25), (2.0, 400.0)];
        assert_eq!(least_at(&curve, 4.0), Some(25.0));
        assert!((least_at(&curve, 2.0).unwrap() - 50.0).abs() < 1e-9);
        assert!((least_at(&curve, 8.0).unwrap() - 12.5).abs() < 1e-9);
        assert_eq!(least_at(&curve, 0.5), None);
        assert_eq!(least_at(&curve, 17.0), None);
    }
}
