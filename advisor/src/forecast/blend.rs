//! One forecast made of several: each expert's say is the greater, the less it erred lately.
//!
//! Weights are powers of the inverse mean error, as in AFTER (Yang 2004) and other aggregations by past performance: an
//! expert twice as wrong as the best has almost no say. So the blend is never much worse than the best of them, and the
//! linear model is trusted only where it is right.
//!
//! Invariants
//! - B1. What was said is settled by what came exactly its horizon later; who keeps it until then keeps count.
//! - B2. Errors are clipped, so that one outlier does not decide; no error is believed to be zero.

use super::series::{GAINS, Series};
use crate::order::{greater, lesser};

/// The experts: the last value, the decaying averages, the linear model.
pub(crate) const EXPERTS: usize = GAINS.len() + 2;
/// What they say.
pub(crate) type Experts = [f64; EXPERTS];

/// Weight of the newest error, in the long run; at first each counts as much as one of those it began with.
const ERROR_GAIN: f64 = 0.05;
/// As how many errors those at the beginning count.
const PRIOR_ERRORS: f64 = 8.0;
const ERROR_MAX: f64 = 1.5;
const ERROR_MIN: f64 = 1e-3;

/// What the experts say of a series; `change` is the model's, relative to the last value.
pub(crate) fn experts(series: &Series, change: f64) -> Experts {
    let mut said = [series.last(); EXPERTS];
    said[1..=GAINS.len()].copy_from_slice(series.averages());
    said[EXPERTS - 1] += change;
    said
}

/// What was said at one time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Said {
    experts: Experts,
    /// What was made of it.
    pub(crate) blend: f64,
}

/// The blend for one quantity and horizon.
#[derive(Clone, Debug)]
pub(crate) struct Blend {
    errors: Experts,
    /// Forecasts answered.
    settled: u32,
    /// The decaying mean of the blend's own error.
    own_error: f64,
}

impl Blend {
    /// No forecast yet; `errors` are those to begin with.
    pub(crate) fn new(errors: &Experts) -> Blend {
        let errors = errors.map(|error| error.clamp(ERROR_MIN, ERROR_MAX));
        Blend { errors, settled: 0, own_error: errors.into_iter().fold(ERROR_MAX, f64::min) }
    }

    /// A forecast of what the experts say.
    pub(crate) fn foretell(&self, experts: &Experts) -> Said {
        let least = self.errors.into_iter().fold(ERROR_MAX, lesser);
        let weights = self.errors.map(|error| power_16(least / error));
        let (mut sum, mut total) = (0.0, 0.0);
        for (said, weight) in experts.iter().zip(weights) {
            sum += weight * said;
            total += weight;
        }
        Said { experts: *experts, blend: sum / total }
    }

    /// Learns from what was said and what came.
    pub(crate) fn settle(&mut self, said: &Said, came: f64) {
        self.settled = self.settled.saturating_add(1);
        let gain = ERROR_GAIN.max(1.0 / (f64::from(self.settled) + PRIOR_ERRORS));
        let moved = |mean: f64, said: f64| {
            let error = lesser((came - said).abs(), ERROR_MAX);
            greater(mean + gain * (error - mean), ERROR_MIN)
        };
        for (mean, said) in self.errors.iter_mut().zip(said.experts) {
            *mean = moved(*mean, said);
        }
        self.own_error = moved(self.own_error, said.blend);
    }

    /// The unit of bounds: the blend's recent error.
    pub(crate) fn scale(&self) -> f64 {
        self.own_error
    }

    /// Lower bound, what the blend said, and upper bound; `band` are their distances in units of the recent error.
    pub(crate) fn bounds(&self, said: f64, band: [f64; 2]) -> [f64; 3] {
        [said + band[0] * self.scale(), said, said + band[1] * self.scale()]
    }
}

fn power_16(x: f64) -> f64 {
    let fourth = x * x * x * x;
    fourth * fourth * fourth * fourth
}
