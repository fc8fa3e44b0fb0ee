//! The 8-bit network: one hidden layer of rectified units over features in 7 bits, weights in 8, sums in 32.
//!
//! ```text
//! features → 0..=127 ─┬ state      ─ W₁ (once a decision) ─┐
//!                     └ candidate  ─ W₁ (each candidate)  ─┴ + bias → ×scale, ≥ 0, ≤ 127 → W₂ → ×scale, +offset
//! ```
//!
//! The state's part of the first layer is shared by all candidates of a decision. Each hidden unit and each output has a scale
//! of its own; a feature's scale — its range in training, in 127 steps — is worked into the weights.
//!
//! It must never know how it was trained; `train` makes the numbers, and checks them against its own in floating point.
//!
//! Invariants
//! - N1. The same bits on every path and machine: sums are of integers, and what is between the layers is one rounded
//!   multiplication in single precision.
//! - N2. A feature below, above or without a place in its range counts as the end of the range, so predictions are finite.
//! - N3. Predicting allocates nothing.

mod file;
mod kernel;

pub use file::{NetworkFit, NetworkOutput};

use crate::error::ModelError;
use crate::features::{CANDIDATE_COUNT, STATE_COUNT};
use crate::model::{FeatureFit, OUTPUT_COUNT, Prediction, Predictions};
use kernel::{ACTIVATION_MAX, Four, LANES, Path, Steps, Sums, Weights};

/// Hidden units.
pub const HIDDEN: usize = 32;
const HIDDEN_ROWS: usize = HIDDEN / LANES;
const HIDDEN_GROUPS: usize = HIDDEN / 4;
const STATE_GROUPS: usize = STATE_COUNT.div_ceil(4);
const CANDIDATE_GROUPS: usize = CANDIDATE_COUNT.div_ceil(4);
const _: () = assert!(OUTPUT_COUNT <= LANES);

/// What the hidden units are when all is summed: 0 to 127 each.
pub(crate) type Hidden = [u8; HIDDEN];

impl Steps {
    fn of(fit: &FeatureFit) -> Steps {
        let range = fit.high - fit.low;
        let per_unit = if range > 0.0 { f64::from(ACTIVATION_MAX) / range } else { 0.0 };
        Steps { low: fit.low, high: fit.high, per_unit }
    }
}

/// A network, laid out for deciding.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    path: Path,
    state: [Steps; STATE_COUNT],
    candidate: [Steps; CANDIDATE_COUNT],
    state_weights: Box<[Weights<HIDDEN_ROWS>; STATE_GROUPS]>,
    candidate_weights: Box<[Weights<HIDDEN_ROWS>; CANDIDATE_GROUPS]>,
    bias: Sums<HIDDEN_ROWS>,
    hidden_scale: [[f32; LANES]; HIDDEN_ROWS],
    readout: [Weights<1>; HIDDEN_GROUPS],
    output_scale: Prediction,
    output_offset: Prediction,
}

/// The first layer's sums over the state.
pub(crate) type StateSums = Sums<HIDDEN_ROWS>;

impl Network {
    /// Checks the numbers of a model file and lays them out.
    ///
    /// # Errors
    /// [`ModelError::is_corrupt`] for missing or unusable numbers.
    pub(crate) fn new(fit: &NetworkFit, features: &[FeatureFit]) -> Result<Network, ModelError> {
        let first = fit.first_layer(STATE_COUNT + CANDIDATE_COUNT)?;
        let (biases, hidden_scale) = fit.hidden()?;
        let outputs = fit.outputs()?;
        let steps = |feature: usize| Steps::of(&features[feature]);
        let mut network = Network {
            path: Path::best(),
            state: std::array::from_fn(steps),
            candidate: std::array::from_fn(|feature| steps(STATE_COUNT + feature)),
            state_weights: Box::new([[[0; LANES]; HIDDEN_ROWS]; STATE_GROUPS]),
            candidate_weights: Box::new([[[0; LANES]; HIDDEN_ROWS]; CANDIDATE_GROUPS]),
            bias: std::array::from_fn(|row| std::array::from_fn(|lane| biases[row * LANES + lane])),
            hidden_scale: std::array::from_fn(|row| std::array::from_fn(|lane| hidden_scale[row * LANES + lane])),
            readout: [[[0; LANES]; 1]; HIDDEN_GROUPS],
            output_scale: std::array::from_fn(|output| outputs[output].scale),
            output_offset: std::array::from_fn(|output| outputs[output].offset),
        };
        for (feature, weights) in first.iter().enumerate() {
            for (unit, &weight) in weights.iter().enumerate() {
                let (row, lane) = (unit / LANES, unit % LANES);
                match feature.checked_sub(STATE_COUNT) {
                    None => place(&mut network.state_weights[feature / 4][row][lane], feature, weight),
                    Some(feature) => place(&mut network.candidate_weights[feature / 4][row][lane], feature, weight),
                }
            }
        }
        for (output, fit) in outputs.iter().enumerate() {
            for (unit, &weight) in fit.weights.iter().enumerate() {
                place(&mut network.readout[unit / 4][0][output], unit, weight);
            }
        }
        Ok(network)
    }

    /// The same network on the path that every processor has.
    #[cfg(feature = "train")]
    pub(crate) fn portable(&self) -> Network {
        Network { path: Path::Portable, ..self.clone() }
    }

    /// The state's part of the first layer.
    pub(crate) fn prepare(&self, state: &[f64; STATE_COUNT]) -> StateSums {
        let mut sums = [self.bias];
        let inputs = self.path.quantise::<_, _, STATE_GROUPS>(&self.state, &state.map(|value| [value]));
        self.path.add_products(&mut sums, &inputs, &self.state_weights);
        sums[0]
    }

    /// The hidden units for `N` candidates, whose features stand side by side.
    #[inline]
    pub(crate) fn hidden<const N: usize>(
        &self,
        state: &StateSums,
        candidates: &[[f64; N]; CANDIDATE_COUNT],
    ) -> [Hidden; N] {
        let mut sums = [*state; N];
        let inputs = self.path.quantise::<_, _, CANDIDATE_GROUPS>(&self.candidate, candidates);
        self.path.add_products(&mut sums, &inputs, &self.candidate_weights);
        self.path
            .activate(&sums, &self.hidden_scale)
            .map(|rows| *rows.as_flattened().first_chunk().expect("rows make up the hidden units"))
    }

    /// The predictions for `N` candidates.
    #[inline]
    pub(crate) fn predict<const N: usize>(
        &self,
        state: &StateSums,
        candidates: &[[f64; N]; CANDIDATE_COUNT],
    ) -> Predictions<N> {
        let hidden = self.hidden(state, candidates);
        let inputs = hidden.map(|units| -> [Four; HIDDEN_GROUPS] {
            *units.as_chunks::<4>().0.first_chunk().expect("hidden units come in fours")
        });
        let mut sums = [[[0; LANES]]; N];
        self.path.add_products(&mut sums, &inputs, &self.readout);
        std::array::from_fn(|output| {
            let (scale, offset) = (self.output_scale[output], self.output_offset[output]);
            sums.map(|[sums]| f64::from(sums[output]) * scale + offset)
        })
    }
}

/// Puts the weight of an input into its byte of a lane that has none there yet.
fn place(lane: &mut i32, input: usize, weight: i8) {
    *lane |= i32::from(weight.cast_unsigned()) << (8 * (input % 4));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features() -> Vec<FeatureFit> {
        let fit = |n: usize| FeatureFit { name: format!("{n}"), mean: 0.0, scale: 1.0, low: -1.0, high: 1.0 };
        (0..STATE_COUNT + CANDIDATE_COUNT).map(fit).collect()
    }

    fn network(path: Path) -> Network {
        let byte = |i: usize, j: usize| ((i * 31 + j * 17 + i * j) % 255) as i32 as u8 as i8;
        let first: Vec<[i8; HIDDEN]> =
            (0..STATE_COUNT + CANDIDATE_COUNT).map(|i| std::array::from_fn(|j| byte(i, j).max(-127))).collect();
        let outputs = (0..OUTPUT_COUNT)
            .map(|o| NetworkOutput {
                scale: 0.01,
                offset: o as f64,
                weights: std::array::from_fn(|j| byte(o + 3, j).max(-127)),
            })
            .collect::<Vec<_>>();
        let fit = NetworkFit::new(&first, &[5; HIDDEN], &[0.003; HIDDEN], &outputs);
        Network { path, ..Network::new(&fit, &features()).unwrap() }
    }

    #[test]
    fn all_paths_predict_the_same_bits() {
        let plain = network(Path::Portable);
        for seed in 0..50 {
            let value = |i: usize| ((i * 37 + seed * 101) % 200) as f64 / 90.0 - 1.1;
            let (state, candidate) =
                (std::array::from_fn(value), std::array::from_fn(|i| [value(i + 7), value(i + 9)]));
            let expected = plain.predict(&plain.prepare(&state), &candidate);
            for path in Path::available() {
                let network = network(path);
                assert_eq!(network.predict(&network.prepare(&state), &candidate), expected, "{path:?}");
            }
        }
    }

    #[test]
    fn what_is_out_of_range_is_the_end_of_the_range() {
        let steps = Steps { low: -1.0, high: 3.0, per_unit: 127.0 / 4.0 };
        let cases =
            [(-5.0, 0), (f64::NAN, 0), (f64::NEG_INFINITY, 0), (-1.0, 0), (3.0, 127), (f64::INFINITY, 127), (1.0, 64)];
        for (value, step) in cases {
            assert_eq!(steps.quantise(value), step, "{value}");
        }
    }
}
