//! Online correction: how far the model is off on this machine, in this run.
//!
//! A model fitted elsewhere errs by a factor that is roughly the same for all candidates: the machine's speed, the
//! object mix. Each outcome shows the factor once more. The correction keeps, per output, a decaying mean of the error
//! and of its absolute deviation; errors are clipped, so that one outlier weighs no more than a large error.

use crate::model::{OUTPUT_COUNT, Prediction};

/// Weight of the newest error.
const GAIN: f64 = 0.1;
/// Errors beyond this many deviations are clipped to it.
const CLIP_DEVIATIONS: f64 = 4.0;
/// No deviation is believed to be below this.
const DEVIATION_MIN: f64 = 0.02;
/// No bias is believed beyond this: e^3 is a machine twenty times slower.
const BIAS_MAX: f64 = 3.0;

/// Bias and deviation of predictions, by output.
#[derive(Clone, Debug)]
pub struct Correction {
    bias: [f64; OUTPUT_COUNT],
    deviation: [f64; OUTPUT_COUNT],
}

impl Correction {
    /// No bias yet; `errors` are the deviations to begin with.
    pub fn new(errors: &[f64; OUTPUT_COUNT]) -> Correction {
        Correction { bias: [0.0; OUTPUT_COUNT], deviation: errors.map(|e| e.abs().max(DEVIATION_MIN)) }
    }

    /// Learns from a prediction (uncorrected) and what came of it. Observations that are no numbers are left out.
    pub fn observe(&mut self, predicted: &Prediction, observed: &Prediction) {
        for output in 0..OUTPUT_COUNT {
            let error = observed[output] - predicted[output];
            if !error.is_finite() {
                continue;
            }
            let reach = CLIP_DEVIATIONS * self.deviation[output];
            let surprise = (error - self.bias[output]).clamp(-reach, reach);
            self.bias[output] = (self.bias[output] + GAIN * surprise).clamp(-BIAS_MAX, BIAS_MAX);
            self.deviation[output] = ((1.0 - GAIN) * self.deviation[output] + GAIN * surprise.abs()).max(DEVIATION_MIN);
        }
    }

    /// The prediction with this run's bias added.
    pub fn apply(&self, predicted: &Prediction) -> Prediction {
        std::array::from_fn(|output| predicted[output] + self.bias[output])
    }

    /// Mean absolute deviation around the bias, by output.
    pub fn deviation(&self) -> &[f64; OUTPUT_COUNT] {
        &self.deviation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_error_is_learnt() {
        let mut correction = Correction::new(&[0.3; OUTPUT_COUNT]);
        for _ in 0..100 {
            correction.observe(&[1.0; OUTPUT_COUNT], &[1.7; OUTPUT_COUNT]);
        }
        assert!((correction.apply(&[1.0; OUTPUT_COUNT])[0] - 1.7).abs() < 0.01);
        assert!(correction.deviation()[0] < 0.05);
    }

    #[test]
    fn one_outlier_moves_it_little() {
        let mut correction = Correction::new(&[0.1; OUTPUT_COUNT]);
        correction.observe(&[0.0; OUTPUT_COUNT], &[50.0; OUTPUT_COUNT]);
        assert!(correction.apply(&[0.0; OUTPUT_COUNT])[0] < 0.05);
    }

    #[test]
    fn nan_is_left_out() {
        let mut correction = Correction::new(&[0.1; OUTPUT_COUNT]);
        correction.observe(&[f64::NAN; OUTPUT_COUNT], &[1.0; OUTPUT_COUNT]);
        correction.observe(&[1.0; OUTPUT_COUNT], &[f64::INFINITY; OUTPUT_COUNT]);
        assert_eq!(correction.apply(&[1.0; OUTPUT_COUNT]), [1.0; OUTPUT_COUNT]);
    }
}
