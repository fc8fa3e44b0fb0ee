//! What is made of many figures: quantiles, and medians with the interval in which they lie.

#![allow(dead_code, reason = "each benchmark uses its part")]

use std::fmt;

/// Resamples of the bootstrap.
const RESAMPLES: usize = 2000;

/// The value below which a share of the figures lies: the smallest that at least this share does not exceed. NaN of none.
pub fn quantile(figures: &[f64], share: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// The middle one, or the mean of the two in the middle.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

/// The geometric mean.
pub fn geometric_mean(figures: &[f64]) -> f64 {
    (figures.iter().map(|x| x.ln()).sum::<f64>() / figures.len() as f64).exp()
}

/// A figure with its 95 % interval.
#[derive(Clone, Copy, Debug)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Estimate {
    /// A statistic of several samples, each of which is drawn anew: percentile bootstrap.
    pub fn of(samples: &[Vec<f64>], statistic: impl Fn(&[Vec<f64>]) -> f64) -> Estimate {
        let mut random = fastrand::Rng::with_seed(20);
        let resampled: Vec<f64> = (0..RESAMPLES)
            .map(|_| {
                let drawn: Vec<Vec<f64>> =
                    samples.iter().map(|s| (0..s.len()).map(|_| s[random.usize(..s.len())]).collect()).collect();
                statistic(&drawn)
            })
            .collect();
        Estimate { value: statistic(samples), low: quantile(&resampled, 0.025), high: quantile(&resampled, 0.975) }
    }

    /// The median of one sample.
    pub fn median(sample: &[f64]) -> Estimate {
        Estimate::of(&[sample.to_vec()], |samples| median(&samples[0]))
    }

    /// The geometric mean of the medians of several samples.
    pub fn geometric_mean(samples: &[Vec<f64>]) -> Estimate {
        Estimate::of(samples, |samples| {
            geometric_mean(&samples.iter().map(|sample| median(sample)).collect::<Vec<f64>>())
        })
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(2);
        write!(f, "{:.digits$} ({:.digits$} to {:.digits$})", self.value, self.low, self.high)
    }
}
