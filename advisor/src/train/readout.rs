//! From a trained hidden layer to the network of a model file: weights in 8 bits, and a readout that linfa fits to the hidden
//! units as they are *after* rounding, so that it makes up for what rounding took.

use ndarray::Array1;

use crate::features::STATE_COUNT;
use crate::model::{FeatureFit, OUTPUT_COUNT, Prediction};
use crate::network::{HIDDEN, Network, NetworkFit, NetworkOutput};

use super::Standard;
use super::gram::{Gram, joined, without_run_means};
use super::hidden::{Layer, RUN_SHARE};
use super::rows::Features;
use super::solve::{matrix, ridge};

/// The largest weight and the largest activation.
const STEPS: f64 = 127.0;
/// Penalty of the readout; the units' scale is 1.
const PENALTY: f64 = 1e-4;
/// The share of rows whose units may lie beyond the last step.
const BEYOND: usize = 1000;

/// A readout in floating point: by output, offset and weights of units scaled to 1.
type Readout = Vec<(f64, Vec<f64>)>;

/// The network in floating point, the twin of the one in 8 bits.
pub(super) struct Twin {
    layer: Layer,
    readout: Readout,
}

impl Twin {
    pub(super) fn new(layer: Layer, rows: &[&Standard]) -> Option<Twin> {
        let readout = readout(rows, |row| layer.units(&row.features).map(f64::from).to_vec())?;
        Some(Twin { layer, readout })
    }

    pub(super) fn predict(&self, standard: &Features) -> Prediction {
        let units = self.layer.units(standard);
        std::array::from_fn(|output| {
            let (offset, weights) = &self.readout[output];
            offset + units.iter().zip(weights).map(|(&unit, weight)| f64::from(unit) * weight).sum::<f64>()
        })
    }

    /// This network in 8 bits.
    pub(super) fn quantised(&self, rows: &[&Standard], ranges: &[FeatureFit]) -> Option<NetworkFit> {
        let layer = &self.layer;
        let units: Vec<[f32; HIDDEN]> = rows.iter().map(|row| layer.units(&row.features)).collect();
        let mut weights = vec![[0; HIDDEN]; ranges.len()];
        let (mut bias, mut scale) = ([0; HIDDEN], [0.0; HIDDEN]);
        for unit in 0..HIDDEN {
            // A feature is low + n · (high − low) ÷ 127: its step goes into the weight, its low end into the bias.
            let of_step = |feature: usize| {
                let range = &ranges[feature];
                f64::from(layer.weights[feature][unit]) * (range.high - range.low) / STEPS / range.scale
            };
            let of_low = |feature: usize| {
                let range = &ranges[feature];
                f64::from(layer.weights[feature][unit]) * (range.low - range.mean) / range.scale
            };
            let largest = (0..ranges.len()).map(|feature| of_step(feature).abs()).fold(0.0, f64::max);
            let top = top(units.iter().map(|units| units[unit]).collect());
            if largest == 0.0 || top == 0.0 {
                continue;
            }
            let step = largest / STEPS;
            for (feature, weights) in weights.iter_mut().enumerate() {
                weights[unit] = (of_step(feature) / step).round() as i8;
            }
            let low = (0..ranges.len()).map(of_low).sum::<f64>();
            bias[unit] = ((f64::from(layer.bias[unit]) + low) / step).round() as i32;
            scale[unit] = (step * STEPS / top) as f32;
        }
        let blank = NetworkOutput { scale: 0.0, offset: 0.0, weights: [0; HIDDEN] };
        let fit = NetworkFit::new(&weights, &bias, &scale, &[blank; OUTPUT_COUNT]);
        let network = Network::new(&fit, ranges).ok()?;
        let readout = readout(rows, |row| {
            let (state, candidate) = split(&row.raw);
            let [hidden] = network.hidden(&network.prepare(state), &candidate.map(|value| [value]));
            hidden.map(|unit| f64::from(unit) / STEPS).to_vec()
        })?;
        let outputs: Vec<NetworkOutput> =
            readout.into_iter().map(|(offset, weights)| round(offset, &weights)).collect();
        Some(NetworkFit::new(&weights, &bias, &scale, &outputs))
    }
}

/// State and candidate features of a row.
pub(super) fn split(features: &Features) -> (&[f64; STATE_COUNT], &[f64; super::WIDTH - STATE_COUNT]) {
    let (state, candidate) = features.split_at(STATE_COUNT);
    (state.try_into().expect("so many"), candidate.try_into().expect("so many"))
}

/// What a unit hardly ever exceeds.
fn top(mut values: Vec<f32>) -> f64 {
    values.sort_unstable_by(f32::total_cmp);
    values.len().checked_sub(1 + values.len() / BEYOND).map_or(0.0, |at| f64::from(values[at]))
}

fn round(offset: f64, weights: &[f64]) -> NetworkOutput {
    let largest = weights.iter().map(|weight| weight.abs()).fold(0.0, f64::max);
    let step = if largest > 0.0 { largest / STEPS } else { 1.0 };
    NetworkOutput {
        // weights are of units whose last step is 1
        scale: step / STEPS,
        offset,
        weights: std::array::from_fn(|unit| (weights[unit] / step).round() as i8),
    }
}

/// Ridge from the units to the targets, by linfa-linalg, with most of each run's mean taken out as in training.
fn readout(rows: &[&Standard], units: impl Fn(&Standard) -> Vec<f64>) -> Option<Readout> {
    let values: Vec<Vec<f64>> = rows.iter().map(|row| joined(&units(row), &row.targets)).collect();
    let runs: Vec<usize> = rows.iter().map(|row| row.run).collect();
    let (mut pooled, mut centred) = (Gram::empty(HIDDEN), Gram::empty(HIDDEN));
    values.iter().for_each(|row| pooled.add(row));
    without_run_means(&values, &runs, RUN_SHARE).iter().for_each(|row| centred.add(row));
    let all: Vec<usize> = (0..HIDDEN).collect();
    let covariance = matrix(&centred, &all);
    (0..OUTPUT_COUNT)
        .map(|output| {
            let target = Array1::from_iter(all.iter().map(|&unit| centred.target_covariance(unit, output)));
            let weights = ridge(&covariance, &target, PENALTY)?;
            let at_mean: f64 = weights.iter().enumerate().map(|(unit, weight)| weight * pooled.mean(unit)).sum();
            Some((pooled.target_mean(output) - at_mean, weights))
        })
        .collect()
}
