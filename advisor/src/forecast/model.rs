//! The fitted part of forecasts: what stands in a model file, and the same, checked and laid out.
//!
//! Invariants
//! - W1. Every number of a [`ForecastModel`] is finite and bounded, so every change it foretells is.
//! - W2. A change is clamped to a factor of e^2 either way.

use serde::{Deserialize, Serialize};

use super::blend::Experts;
use super::series::{FEATURE_COUNT, FEATURES};
use super::{EXPERTS, HORIZON_COUNT, HORIZONS, QUANTITIES, QUANTITY_COUNT};
use crate::error::ModelError;

/// Weights beyond this are no fitted model.
const WEIGHT_MAX: f64 = 1e3;
/// Bounds further away than this many errors are none.
const BAND_MAX: f64 = 100.0;
const CHANGE_MAX: f64 = 2.0;
/// Assumed where nothing was fitted: errors, in logarithms, and the distances of bounds.
const ERROR_UNFITTED: f64 = 0.2;
const BAND_UNFITTED: [f64; 2] = [-2.5, 2.5];

/// The forecasts' section of a model file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForecastFile {
    /// Names of the features, in the order of weights.
    pub features: Vec<String>,
    /// One fit for each quantity and horizon, by quantity.
    pub fits: Vec<HorizonFit>,
}

/// One quantity at one horizon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HorizonFit {
    /// The quantity.
    pub quantity: String,
    /// The horizon in cycles.
    pub cycles: u64,
    /// Weights of the features, as they come: the fit's standard deviations are divided out. There is no intercept.
    pub weights: Vec<f64>,
    /// Mean absolute errors of the experts, in logarithms, on families left out: to begin with.
    pub errors: Vec<f64>,
    /// Where one in twenty comes out below, and above, in units of the blend's recent error; on families left out.
    pub band: [f64; 2],
}

/// The checked weights.
#[derive(Clone, Debug)]
pub struct ForecastModel {
    /// A feature's for all horizons stand side by side, which are worked out together.
    weights: [[[f64; HORIZON_COUNT]; FEATURE_COUNT]; QUANTITY_COUNT],
    errors: [[Experts; HORIZON_COUNT]; QUANTITY_COUNT],
    bands: [[[f64; 2]; HORIZON_COUNT]; QUANTITY_COUNT],
}

/// Without weights: the model's expert says the last value.
impl Default for ForecastModel {
    fn default() -> ForecastModel {
        ForecastModel {
            weights: [[[0.0; HORIZON_COUNT]; FEATURE_COUNT]; QUANTITY_COUNT],
            errors: [[[ERROR_UNFITTED; EXPERTS]; HORIZON_COUNT]; QUANTITY_COUNT],
            bands: [[BAND_UNFITTED; HORIZON_COUNT]; QUANTITY_COUNT],
        }
    }
}

impl ForecastModel {
    /// Checks the section of a model file.
    ///
    /// # Errors
    /// [`ModelError::is_mismatch`] for other features, quantities or horizons, [`ModelError::is_corrupt`] for unusable numbers.
    pub fn new(file: &ForecastFile) -> Result<ForecastModel, ModelError> {
        if !file.features.iter().map(String::as_str).eq(FEATURES) || file.fits.len() != QUANTITY_COUNT * HORIZON_COUNT {
            return Err(ModelError::mismatch("its forecasts are of other features or horizons"));
        }
        let mut model = ForecastModel::default();
        for (at, fit) in file.fits.iter().enumerate() {
            let (q, h) = (at / HORIZON_COUNT, at % HORIZON_COUNT);
            if fit.quantity != QUANTITIES[q] || fit.cycles != HORIZONS[h] as u64 {
                return Err(ModelError::mismatch("its forecasts are in another order"));
            }
            let usable = |numbers: &[f64], most: f64| numbers.iter().all(|n| n.abs() <= most);
            let lengths = fit.weights.len() == FEATURE_COUNT && fit.errors.len() == EXPERTS;
            let numbers =
                usable(&fit.weights, WEIGHT_MAX) && usable(&fit.errors, WEIGHT_MAX) && usable(&fit.band, BAND_MAX);
            if !lengths || !numbers || fit.band[0] > 0.0 || fit.band[1] < 0.0 {
                return Err(ModelError::corrupt(format!("the forecast of {} has unusable numbers", fit.quantity)));
            }
            model.weights[q].iter_mut().zip(&fit.weights).for_each(|(weights, weight)| weights[h] = *weight);
            model.errors[q][h].copy_from_slice(&fit.errors);
            model.bands[q][h] = fit.band;
        }
        Ok(model)
    }

    /// The changes of a quantity that the linear model expects over each horizon, in logarithms.
    pub(super) fn changes(&self, quantity: usize, features: &[f64; FEATURE_COUNT]) -> [f64; HORIZON_COUNT] {
        changes(&self.weights[quantity], features)
    }

    pub(super) fn errors(&self, quantity: usize, horizon: usize) -> &Experts {
        &self.errors[quantity][horizon]
    }

    pub(super) fn band(&self, quantity: usize, horizon: usize) -> [f64; 2] {
        self.bands[quantity][horizon]
    }
}

/// The weighted sums, clamped, of as many horizons as there are weights for each feature.
fn changes<const N: usize>(weights: &[[f64; N]; FEATURE_COUNT], features: &[f64; FEATURE_COUNT]) -> [f64; N] {
    let mut sums = [0.0; N];
    for (weights, feature) in weights.iter().zip(features) {
        sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight * feature);
    }
    sums.map(|sum| sum.clamp(-CHANGE_MAX, CHANGE_MAX))
}

/// The same of one horizon.
#[cfg(feature = "train")]
pub(crate) fn change(weights: &[f64; FEATURE_COUNT], features: &[f64; FEATURE_COUNT]) -> f64 {
    let [change] = changes(&weights.map(|weight| [weight]), features);
    change
}
