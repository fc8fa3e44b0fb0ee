//! Model files: what `train` writes and an advisor reads.

use serde::{Deserialize, Serialize};

use crate::class::ClassFile;
use crate::features::{CANDIDATE_FEATURES, STATE_FEATURES};
use crate::forecast::ForecastFile;
use crate::network::NetworkFit;

use super::OUTPUTS;

/// The format of model files. Goes up when their meaning changes.
pub const FORMAT: u32 = 2;

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
    /// The network that predicts them; without it, the outputs' weights do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkFit>,
    /// What forecasts weigh; without it they are of last values and averages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecasts: Option<ForecastFile>,
    /// The workload classes; without them a class is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<ClassFile>,
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

/// An output, and its weights where features are simply summed up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OutputFit {
    /// Its name.
    pub name: String,
    /// How it was fitted: `elastic-net`, `ridge` or `network`.
    pub method: String,
    /// Value at the mean of all features.
    pub intercept: f64,
    /// Weights of the standardised features; none in a network's outputs.
    pub weights: Vec<f64>,
    /// Mean absolute error on families left out of the fit.
    pub held_out_error: f64,
    /// Coefficient of determination on families left out of the fit.
    pub held_out_r2: f64,
}
