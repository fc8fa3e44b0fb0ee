//! The fitted cost models: what a knob setting is expected to cost.
//!
//! Behind one interface — take in a state, then predict for candidates — stand a weighted sum of standardised features
//! ([`linear`]) and a small network in 8 bits ([`crate::network`]); a model file has the numbers of the one that does
//! better on programs it was not fitted to. Deciding needs only this arithmetic; fitting lives in `train`.
//!
//! Invariants
//! - M1. Every number of a [`Model`] is finite, and every scale positive.
//! - M2. Features are clamped to the range seen in training before they are weighted, so a prediction is never
//!   extrapolated further than the training data reach.
//! - M3. A model with another schema — other features, outputs or knobs — is never made.

mod file;
mod linear;

pub use file::{FORMAT, FeatureFit, ModelFile, OutputFit, schema};

use std::sync::Arc;

use crate::class::ClassModel;
use crate::error::ModelError;
use crate::features::{CANDIDATE_COUNT, STATE_COUNT};
use crate::forecast::ForecastModel;
use crate::network::{Network, StateSums};
use linear::Linear;

/// No error of a fitted model is beyond this.
const ERROR_MAX: f64 = 1e6;

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
    /// ln of the longest pause while the knobs hold over their usual one: what a machine's speed leaves as it is.
    // only a fit names it
    #[cfg_attr(not(feature = "train"), allow(dead_code))]
    PauseTail = 4,
}

/// How many outputs there are.
pub const OUTPUT_COUNT: usize = 5;
/// Their names, in order.
pub const OUTPUTS: [&str; OUTPUT_COUNT] =
    ["pause_ln_us", "gc_ln_ns_per_byte", "footprint_ln_mib", "risk", "pause_tail_ln"];

/// Predictions in the order of [`Output`].
pub type Prediction = [f64; OUTPUT_COUNT];
/// The same of `N` candidates, by output.
pub type Predictions<const N: usize> = [[f64; N]; OUTPUT_COUNT];

/// A checked model, laid out for deciding.
#[derive(Clone, Debug)]
pub struct Model {
    state: [Range; STATE_COUNT],
    distance_max: f64,
    predictor: Predictor,
    errors: Prediction,
    forecasts: Arc<ForecastModel>,
    classes: Arc<ClassModel>,
}

#[derive(Clone, Debug)]
enum Predictor {
    Linear(Box<Linear>),
    Network(Box<Network>),
}

/// How a feature was distributed in training.
#[derive(Clone, Copy, Debug, Default)]
struct Range {
    mean: f64,
    /// One over the scale: a multiplication is a quarter of a division.
    inverse_scale: f64,
    low: f64,
    high: f64,
}

impl Range {
    fn of(fit: &FeatureFit) -> Range {
        Range { mean: fit.mean, inverse_scale: 1.0 / fit.scale, low: fit.low, high: fit.high }
    }

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
        for fit in &file.features {
            let numbers = [fit.mean, fit.scale, fit.low, fit.high];
            if !numbers.iter().all(|n| n.is_finite()) || fit.scale <= 0.0 || fit.low > fit.high {
                return Err(ModelError::corrupt(format!("feature {} has no usable range", fit.name)));
            }
        }
        if !(file.distance_max.is_finite() && file.distance_max > 0.0) {
            return Err(ModelError::corrupt("its distance limit is no positive number"));
        }
        if let Some(fit) =
            file.outputs.iter().find(|fit| fit.held_out_error.is_nan() || fit.held_out_error.abs() > ERROR_MAX)
        {
            return Err(ModelError::corrupt(format!("output {} has no usable error", fit.name)));
        }
        let predictor = match &file.network {
            Some(fit) => Predictor::Network(Box::new(Network::new(fit, &file.features)?)),
            None => Predictor::Linear(Box::new(Linear::new(&file.outputs, &file.features)?)),
        };
        Ok(Model {
            state: std::array::from_fn(|i| Range::of(&file.features[i])),
            distance_max: file.distance_max,
            predictor,
            errors: std::array::from_fn(|output| file.outputs[output].held_out_error),
            forecasts: Arc::new(file.forecasts.as_ref().map(ForecastModel::new).transpose()?.unwrap_or_default()),
            classes: Arc::new(file.classes.as_ref().map(ClassModel::new).transpose()?.unwrap_or_default()),
        })
    }

    /// Parses the text of a model file.
    ///
    /// # Errors
    /// As [`Model::new`], and [`ModelError::is_corrupt`] for text that is no model file.
    pub fn parse(text: &str) -> Result<Model, ModelError> {
        let file: ModelFile = serde_json::from_str(text).map_err(|error| ModelError::corrupt(error.to_string()))?;
        Model::new(&file)
    }

    /// The same model by instructions that every processor has, to measure what the wide ones bring.
    #[cfg(feature = "train")]
    pub fn portable(&self) -> Model {
        let predictor = match &self.predictor {
            Predictor::Linear(linear) => Predictor::Linear(linear.clone()),
            Predictor::Network(network) => Predictor::Network(Box::new(network.portable())),
        };
        Model { predictor, ..self.clone() }
    }

    /// Takes in a state; candidates are then predicted from it.
    pub fn prepare(&self, state: &[f64; STATE_COUNT]) -> Prepared<'_> {
        let (mut distance, mut outside) = (0.0, 0.0);
        for (range, &value) in self.state.iter().zip(state) {
            let score = (value - range.mean) * range.inverse_scale;
            distance += score * score;
            outside += f64::from(value < range.low || value > range.high);
        }
        let part = match &self.predictor {
            Predictor::Linear(linear) => Part::Linear(linear, linear.prepare(state)),
            Predictor::Network(network) => Part::Network(network, network.prepare(state)),
        };
        Prepared { part, distance: distance / STATE_COUNT as f64, outside: outside / STATE_COUNT as f64 }
    }

    /// The forecasts' part.
    pub(crate) fn forecasts(&self) -> &Arc<ForecastModel> {
        &self.forecasts
    }

    /// The workload classes' part.
    pub(crate) fn classes(&self) -> &Arc<ClassModel> {
        &self.classes
    }

    /// Mean absolute errors on held-out data, by output.
    pub fn errors(&self) -> &Prediction {
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
    part: Part<'m>,
    distance: f64,
    outside: f64,
}

#[derive(Clone, Copy, Debug)]
enum Part<'m> {
    Linear(&'m Linear, Prediction),
    Network(&'m Network, StateSums),
}

impl Prepared<'_> {
    /// The predictions for a candidate.
    pub fn predict(&self, candidate: &[f64; CANDIDATE_COUNT]) -> Prediction {
        self.predict_all(&candidate.map(|value| [value])).map(|[value]| value)
    }

    /// The predictions for `N` candidates, whose features stand side by side.
    pub(crate) fn predict_all<const N: usize>(&self, candidates: &[[f64; N]; CANDIDATE_COUNT]) -> Predictions<N> {
        match &self.part {
            Part::Linear(linear, state) => linear.predict(state, candidates),
            Part::Network(network, state) => network.predict(state, candidates),
        }
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
    use crate::features::{CANDIDATE_FEATURES, STATE_FEATURES};

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
            network: None,
            forecasts: None,
            classes: None,
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
