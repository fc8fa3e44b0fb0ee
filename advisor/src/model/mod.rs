//! The fitted cost models: what a knob setting is expected to cost, as a weighted sum of features.
//!
//! Deciding needs only this file's arithmetic; fitting lives in `train`. The weights were fitted on standardised
//! features and are kept so in the model file; [`Model::new`] checks them and lays them out for deciding.
//!
//! Invariants
//! - M1. Every number of a [`Model`] is finite, and every scale positive.
//! - M2. Features are clamped to the range seen in training before they are weighted, so a prediction is never
//!   extrapolated further than the training data reach.
//! - M3. A model with another schema — other features, outputs or knobs — is never made.

use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::features::{CANDIDATE_COUNT, CANDIDATE_FEATURES, STATE_COUNT, STATE_FEATURES};

/// The format of model files. Goes up when their meaning changes.
pub const FORMAT: u32 = 1;
/// Weights of standardised features beyond this are no fitted model.
const WEIGHT_MAX: f64 = 1e6;

/// What is predicted for a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Output {
    /// ln of the next pause in µs.
    Pause = 0,
    /// ln of the collector's CPU time in ns per allocated byte, while the knobs hold.
    GcPerByte = 1,
    /// ln of the most committed MiB while the knobs hold.
    Footprint = 2,
    /// Chance of a full collection or a failed copy while the knobs hold.
    Risk = 3,
}

/// How many outputs there are.
pub const OUTPUT_COUNT: usize = 4;
/// Their names, in order.
pub const OUTPUTS: [&str; OUTPUT_COUNT] = ["pause_ln_us", "gc_ln_ns_per_byte", "footprint_ln_mib", "risk"];

/// Predictions in the order of [`Output`].
pub type Prediction = [f64; OUTPUT_COUNT];

/// A number by which model files are told apart that were made for other features, outputs or knobs: FNV-1a over their
/// names and units.
pub fn schema() -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut feed = |text: &str| {
        for byte in text.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    for feature in STATE_FEATURES.iter().chain(&CANDIDATE_FEATURES) {
        feed(feature.name);
        feed(feature.unit);
    }
    OUTPUTS.iter().for_each(|name| feed(name));
    hash
}

/// A model file: what `train` writes and an advisor reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModelFile {
    /// [`FORMAT`] at the time of writing.
    pub format: u32,
    /// [`schema`] as hexadecimal digits.
    pub schema: String,
    /// What it was trained on, in a sentence; the card says more.
    pub trained_on: String,
    /// Seed of the training.
    pub seed: u64,
    /// Rows it was fitted to.
    pub rows: u64,
    /// The features, state features first.
    pub features: Vec<FeatureFit>,
    /// Above this mean squared standard score of the state features, a state is foreign.
    pub distance_max: f64,
    /// The outputs.
    pub outputs: Vec<OutputFit>,
}

/// How a feature was distributed in training.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FeatureFit {
    /// Its name.
    pub name: String,
    /// Mean.
    pub mean: f64,
    /// Standard deviation, 1 where it did not vary.
    pub scale: f64,
    /// Lower end of its range, leaving out the outermost half per cent.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The weights of an output.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OutputFit {
    /// Its name.
    pub name: String,
    /// How it was fitted: `elastic-net` or `ridge`.
    pub method: String,
    /// Value at the mean of all features.
    pub intercept: f64,
    /// Weights of the standardised features.
    pub weights: Vec<f64>,
    /// Mean absolute error on families left out of the fit.
    pub held_out_error: f64,
    /// Coefficient of determination on families left out of the fit.
    pub held_out_r2: f64,
}

/// A checked model, laid out for deciding.
#[derive(Clone, Debug)]
pub struct Model {
    state: [Range; STATE_COUNT],
    candidate: [Range; CANDIDATE_COUNT],
    distance_max: f64,
    intercepts: [f64; OUTPUT_COUNT],
    state_weights: [[f64; STATE_COUNT]; OUTPUT_COUNT],
    /// By feature, outputs side by side: one pass over a candidate's features feeds all outputs.
    candidate_weights: [[f64; OUTPUT_COUNT]; CANDIDATE_COUNT],
    errors: [f64; OUTPUT_COUNT],
}

#[derive(Clone, Copy, Debug, Default)]
struct Range {
    mean: f64,
    /// One over the scale: a multiplication is a quarter of a division.
    inverse_scale: f64,
    low: f64,
    high: f64,
}

impl Range {
    fn standard(&self, value: f64) -> f64 {
        (value.max(self.low).min(self.high) - self.mean) * self.inverse_scale
    }
}

impl Model {
    /// Checks a model file and lays it out.
    ///
    /// # Errors
    /// [`ModelError::is_mismatch`] for another format or schema, [`ModelError::is_corrupt`] for missing or unusable numbers.
    pub fn new(file: &ModelFile) -> Result<Model, ModelError> {
        if file.format != FORMAT {
            return Err(ModelError::mismatch(format!("its format is {}, not {FORMAT}", file.format)));
        }
        let expected = format!("{:016x}", schema());
        if file.schema != expected {
            return Err(ModelError::mismatch(format!("its schema is {}, not {expected}", file.schema)));
        }
        if file.features.len() != STATE_COUNT + CANDIDATE_COUNT || file.outputs.len() != OUTPUT_COUNT {
            return Err(ModelError::corrupt("features or outputs are missing"));
        }
        let mut ranges = [Range::default(); STATE_COUNT + CANDIDATE_COUNT];
        for (range, fit) in ranges.iter_mut().zip(&file.features) {
            let numbers = [fit.mean, fit.scale, fit.low, fit.high];
            if !numbers.iter().all(|n| n.is_finite()) || fit.scale <= 0.0 || fit.low > fit.high {
                return Err(ModelError::corrupt(format!("feature {} has no usable range", fit.name)));
            }
            *range = Range { mean: fit.mean, inverse_scale: 1.0 / fit.scale, low: fit.low, high: fit.high };
        }
        let mut model = Model {
            state: std::array::from_fn(|i| ranges[i]),
            candidate: std::array::from_fn(|i| ranges[STATE_COUNT + i]),
            distance_max: file.distance_max,
            intercepts: [0.0; OUTPUT_COUNT],
            state_weights: [[0.0; STATE_COUNT]; OUTPUT_COUNT],
            candidate_weights: [[0.0; OUTPUT_COUNT]; CANDIDATE_COUNT],
            errors: [0.0; OUTPUT_COUNT],
        };
        if !(file.distance_max.is_finite() && file.distance_max > 0.0) {
            return Err(ModelError::corrupt("its distance limit is no positive number"));
        }
        for (output, fit) in file.outputs.iter().enumerate() {
            let usable = |n: f64| n.is_finite() && n.abs() <= WEIGHT_MAX;
            if fit.weights.len() != ranges.len()
                || !fit.weights.iter().all(|&w| usable(w))
                || !usable(fit.intercept)
                || !usable(fit.held_out_error)
            {
                return Err(ModelError::corrupt(format!("output {} has unusable weights", fit.name)));
            }
            model.intercepts[output] = fit.intercept;
            model.errors[output] = fit.held_out_error;
            model.state_weights[output].copy_from_slice(&fit.weights[..STATE_COUNT]);
            for (feature, &weight) in fit.weights[STATE_COUNT..].iter().enumerate() {
                model.candidate_weights[feature][output] = weight;
            }
        }
        Ok(model)
    }

    /// Parses the text of a model file.
    ///
    /// # Errors
    /// As [`Model::new`], and [`ModelError::is_corrupt`] for text that is no model file.
    pub fn parse(text: &str) -> Result<Model, ModelError> {
        let file: ModelFile = serde_json::from_str(text).map_err(|error| ModelError::corrupt(error.to_string()))?;
        Model::new(&file)
    }

    /// Takes in a state; candidates are then predicted from it.
    pub fn prepare(&self, state: &[f64; STATE_COUNT]) -> Prepared<'_> {
        let mut standard = [0.0; STATE_COUNT];
        let (mut distance, mut outside) = (0.0, 0.0);
        for (i, range) in self.state.iter().enumerate() {
            standard[i] = range.standard(state[i]);
            distance += ((state[i] - range.mean) * range.inverse_scale).powi(2);
            outside += f64::from(state[i] < range.low || state[i] > range.high);
        }
        let base = std::array::from_fn(|output| {
            let weights = &self.state_weights[output];
            self.intercepts[output] + standard.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>()
        });
        Prepared { model: self, base, distance: distance / STATE_COUNT as f64, outside: outside / STATE_COUNT as f64 }
    }

    /// Mean absolute errors on held-out data, by output.
    pub fn errors(&self) -> &[f64; OUTPUT_COUNT] {
        &self.errors
    }

    /// The mean squared standard score beyond which a state is foreign.
    pub fn distance_max(&self) -> f64 {
        self.distance_max
    }

    /// How far apart two states are: mean absolute difference in standard scores.
    pub fn drift(&self, a: &[f64; STATE_COUNT], b: &[f64; STATE_COUNT]) -> f64 {
        let sum: f64 =
            self.state.iter().zip(a.iter().zip(b)).map(|(r, (a, b))| ((a - b) * r.inverse_scale).abs()).sum();
        sum / STATE_COUNT as f64
    }
}

/// A model with its state part summed up: the dear half of a prediction, shared by all candidates.
#[derive(Clone, Copy, Debug)]
pub struct Prepared<'m> {
    model: &'m Model,
    base: Prediction,
    distance: f64,
    outside: f64,
}

impl Prepared<'_> {
    /// The predictions for a candidate.
    pub fn predict(&self, candidate: &[f64; CANDIDATE_COUNT]) -> Prediction {
        let mut sums = self.base;
        for ((&value, range), weights) in candidate.iter().zip(&self.model.candidate).zip(&self.model.candidate_weights)
        {
            let x = range.standard(value);
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += x * weight;
            }
        }
        sums
    }

    /// Mean squared standard score of the state: 1 is typical.
    pub fn distance(&self) -> f64 {
        self.distance
    }

    /// Share of state features outside their range in training.
    pub fn outside(&self) -> f64 {
        self.outside
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A model file in which every weight and intercept is `weight`.
    pub(crate) fn flat(weight: f64) -> ModelFile {
        let feature = |f: &crate::features::Feature| FeatureFit {
            name: f.name.into(),
            mean: 0.0,
            scale: 1.0,
            low: -1e3,
            high: 1e3,
        };
        ModelFile {
            format: FORMAT,
            schema: format!("{:016x}", schema()),
            trained_on: "nothing".into(),
            seed: 0,
            rows: 0,
            features: STATE_FEATURES.iter().chain(&CANDIDATE_FEATURES).map(feature).collect(),
            distance_max: 1e9,
            outputs: OUTPUTS
                .iter()
                .map(|name| OutputFit {
                    name: (*name).into(),
                    method: "ridge".into(),
                    intercept: weight,
                    weights: vec![weight; STATE_COUNT + CANDIDATE_COUNT],
                    held_out_error: 0.1,
                    held_out_r2: 0.9,
                })
                .collect(),
        }
    }

    #[test]
    fn a_prediction_is_the_weighted_sum() {
        let model = Model::new(&flat(0.5)).unwrap();
        let prediction = model.prepare(&[1.0; STATE_COUNT]).predict(&[2.0; CANDIDATE_COUNT]);
        let expected = 0.5 + 0.5 * (STATE_COUNT as f64 + 2.0 * CANDIDATE_COUNT as f64);
        assert!((prediction[Output::Pause as usize] - expected).abs() < 1e-9);
    }

    #[test]
    fn features_are_clamped_to_the_trained_range() {
        let model = Model::new(&flat(1.0)).unwrap();
        let prepared = model.prepare(&[0.0; STATE_COUNT]);
        assert_eq!(prepared.predict(&[1e300; CANDIDATE_COUNT]), prepared.predict(&[1e3; CANDIDATE_COUNT]));
    }

    #[test]
    fn hostile_numbers_are_corrupt() {
        for bad in [f64::NAN, f64::INFINITY, 1e300] {
            assert!(Model::new(&flat(bad)).unwrap_err().is_corrupt());
        }
        let mut file = flat(0.0);
        file.features[3].scale = 0.0;
        assert!(Model::new(&file).unwrap_err().is_corrupt());
        let mut file = flat(0.0);
        file.outputs[1].weights.pop();
        assert!(Model::new(&file).unwrap_err().is_corrupt());
    }

    #[test]
    fn foreign_schema_and_format_are_mismatches() {
        let mut file = flat(0.0);
        file.schema = "0".into();
        assert!(Model::new(&file).unwrap_err().is_mismatch());
        let mut file = flat(0.0);
        file.format += 1;
        assert!(Model::new(&file).unwrap_err().is_mismatch());
    }

    #[test]
    fn json_keeps_every_bit() {
        let file = flat(0.1 + 0.2);
        let text = serde_json::to_string(&file).unwrap();
        let back: ModelFile = serde_json::from_str(&text).unwrap();
        assert_eq!(back.outputs[0].weights[0].to_bits(), (0.1_f64 + 0.2).to_bits());
    }
}
