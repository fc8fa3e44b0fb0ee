//! A prediction as a weighted sum of standardised features.

use crate::error::ModelError;
use crate::features::{CANDIDATE_COUNT, STATE_COUNT};

use super::{FeatureFit, OUTPUT_COUNT, OutputFit, Prediction, Predictions, Range};

/// Weights of standardised features beyond this are no fitted model.
const WEIGHT_MAX: f64 = 1e6;

/// The weights, laid out for deciding.
#[derive(Clone, Debug)]
pub(super) struct Linear {
    state: [Range; STATE_COUNT],
    candidate: [Range; CANDIDATE_COUNT],
    intercepts: Prediction,
    state_weights: [[f64; STATE_COUNT]; OUTPUT_COUNT],
    /// By feature, outputs side by side: one pass over a candidate's features feeds all outputs.
    candidate_weights: [Prediction; CANDIDATE_COUNT],
}

impl Linear {
    /// Checks the weights; `features` have been checked, and have the right number.
    pub(super) fn new(outputs: &[OutputFit], features: &[FeatureFit]) -> Result<Linear, ModelError> {
        let mut linear = Linear {
            state: std::array::from_fn(|i| Range::of(&features[i])),
            candidate: std::array::from_fn(|i| Range::of(&features[STATE_COUNT + i])),
            intercepts: [0.0; OUTPUT_COUNT],
            state_weights: [[0.0; STATE_COUNT]; OUTPUT_COUNT],
            candidate_weights: [[0.0; OUTPUT_COUNT]; CANDIDATE_COUNT],
        };
        for (output, fit) in outputs.iter().enumerate() {
            let usable = |n: &f64| n.is_finite() && n.abs() <= WEIGHT_MAX;
            if fit.weights.len() != features.len() || !fit.weights.iter().all(usable) || !usable(&fit.intercept) {
                return Err(ModelError::corrupt(format!("output {} has unusable weights", fit.name)));
            }
            linear.intercepts[output] = fit.intercept;
            linear.state_weights[output].copy_from_slice(&fit.weights[..STATE_COUNT]);
            for (weights, &weight) in linear.candidate_weights.iter_mut().zip(&fit.weights[STATE_COUNT..]) {
                weights[output] = weight;
            }
        }
        Ok(linear)
    }

    /// The state's part of the sums.
    pub(super) fn prepare(&self, state: &[f64; STATE_COUNT]) -> Prediction {
        let standard: [f64; STATE_COUNT] = std::array::from_fn(|i| self.state[i].standard(state[i]));
        std::array::from_fn(|output| {
            let weights = &self.state_weights[output];
            self.intercepts[output] + standard.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>()
        })
    }

    /// The sums for `N` candidates, whose features stand side by side.
    pub(super) fn predict<const N: usize>(
        &self,
        state: &Prediction,
        candidates: &[[f64; N]; CANDIDATE_COUNT],
    ) -> Predictions<N> {
        let mut sums = state.map(|sum| [sum; N]);
        for ((column, range), weights) in candidates.iter().zip(&self.candidate).zip(&self.candidate_weights) {
            let standard = column.map(|value| range.standard(value));
            for (sums, weight) in sums.iter_mut().zip(weights) {
                sums.iter_mut().zip(standard).for_each(|(sum, x)| *sum += x * weight);
            }
        }
        sums
    }
}
