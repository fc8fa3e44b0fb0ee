//! The fitted classes: what stands in a model file, and the same, checked and laid out.
//!
//! Invariants
//! - K1. Every number of a [`ClassModel`] is finite, and every variance positive.
//! - K2. Features are clamped to the range of the data, so a foreign state looks like the nearest known one.

use serde::{Deserialize, Serialize};
use tenure_gc::policy::{Envelope, Knobs};

use super::behaviour::{FEATURE_COUNT, FEATURES};
use super::{CLASSES_MAX, WorkloadClass};
use crate::error::ModelError;
use crate::math::{exp, ln};

/// Standard scores beyond this are no fitted centre.
const SCORE_MAX: f64 = 1e3;
const VARIANCE_MIN: f64 = 1e-6;

/// The classes' section of a model file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassFile {
    /// Names of the features.
    pub features: Vec<String>,
    /// Mean, deviation, least and most of each feature in the data.
    pub ranges: Vec<[f64; 4]>,
    /// The classes.
    pub classes: Vec<ClassFit>,
}

/// One class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassFit {
    /// Its name, see [`WorkloadClass::name`].
    pub name: String,
    /// Share of the windows in the data.
    pub share: f64,
    /// Means of the features, as standard scores.
    pub mean: Vec<f64>,
    /// Their variances.
    pub variance: Vec<f64>,
    /// What did well.
    pub prior: ClassPrior,
}

/// Knobs that did well in a class: means over the cheapest quarter of its holds, where they differ from the mean of all
/// by more than chance would have it; none otherwise. Sizes are log2 of shares, so that they carry over to other heaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClassPrior {
    /// log2 of the old regions' size over the largest legal one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_region_log2: Option<f64>,
    /// log2 of the eden regions' size over the largest legal one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eden_region_log2: Option<f64>,
    /// Marking starts at this share of the heap target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrent_start_share: Option<f64>,
    /// log2 of the young size over the limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub young_log2: Option<f64>,
    /// log2 of the heap target over the limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heap_target_log2: Option<f64>,
    /// Tenuring age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenuring_age: Option<f64>,
}

impl ClassPrior {
    /// `knobs` with what did well, where anything did; bounds are the envelope's and the planner's business.
    pub fn over(&self, knobs: &Knobs, envelope: &Envelope) -> Knobs {
        let size = |log2: Option<f64>, of: u64, otherwise: u64| {
            log2.map_or(otherwise, |log2| (of as f64 * exp(log2 * std::f64::consts::LN_2)) as u64)
        };
        let (region, limit) = (envelope.region_bytes_max, envelope.limit_bytes);
        Knobs {
            old_region_bytes: size(self.old_region_log2, region, knobs.old_region_bytes),
            eden_region_bytes: size(self.eden_region_log2, region, knobs.eden_region_bytes),
            concurrent_start_share: self.concurrent_start_share.unwrap_or(knobs.concurrent_start_share),
            young_bytes: size(self.young_log2, limit, knobs.young_bytes),
            heap_target_bytes: size(self.heap_target_log2, limit, knobs.heap_target_bytes),
            tenuring_age: self.tenuring_age.map_or(knobs.tenuring_age, |age| age.round() as u8),
            ..*knobs
        }
    }

    fn is_usable(&self) -> bool {
        let all = [
            self.old_region_log2,
            self.eden_region_log2,
            self.concurrent_start_share,
            self.young_log2,
            self.heap_target_log2,
            self.tenuring_age,
        ];
        all.into_iter().flatten().all(|value| value.abs() <= 64.0)
    }
}

/// The checked classes.
#[derive(Clone, Debug, Default)]
pub struct ClassModel {
    count: usize,
    ranges: [[f64; 4]; FEATURE_COUNT],
    classes: [Class; CLASSES_MAX],
}

#[derive(Clone, Copy, Debug, Default)]
struct Class {
    name: WorkloadClass,
    mean: [f64; FEATURE_COUNT],
    /// One over the variances.
    precision: [f64; FEATURE_COUNT],
    /// ln of share over the root of the variances' product.
    weight_ln: f64,
    prior: ClassPrior,
}

impl ClassModel {
    /// Checks the section of a model file.
    ///
    /// # Errors
    /// [`ModelError::is_mismatch`] for other features, [`ModelError::is_corrupt`] for unusable numbers or names.
    pub fn new(file: &ClassFile) -> Result<ClassModel, ModelError> {
        if !file.features.iter().map(String::as_str).eq(FEATURES) || file.ranges.len() != FEATURE_COUNT {
            return Err(ModelError::mismatch("its classes are of other features"));
        }
        if file.classes.len() > CLASSES_MAX {
            return Err(ModelError::corrupt("it has too many classes"));
        }
        let mut model = ClassModel { count: file.classes.len(), ..ClassModel::default() };
        for (range, found) in model.ranges.iter_mut().zip(&file.ranges) {
            let [_, deviation, low, high] = *found;
            if !found.iter().all(|n| n.is_finite()) || deviation <= 0.0 || low > high {
                return Err(ModelError::corrupt("its classes have no usable range"));
            }
            *range = *found;
        }
        for (class, fit) in model.classes.iter_mut().zip(&file.classes) {
            let name = WorkloadClass::ALL.into_iter().find(|class| class.name() == fit.name);
            let usable = fit.mean.len() == FEATURE_COUNT
                && fit.variance.len() == FEATURE_COUNT
                && fit.mean.iter().all(|mean| mean.abs() <= SCORE_MAX)
                && fit.variance.iter().all(|variance| (VARIANCE_MIN..=SCORE_MAX).contains(variance))
                && (f64::MIN_POSITIVE..=1.0).contains(&fit.share)
                && fit.prior.is_usable();
            let Some(name) = name.filter(|_| usable) else {
                return Err(ModelError::corrupt(format!("class {} has unusable numbers", fit.name)));
            };
            *class = Class {
                name,
                mean: std::array::from_fn(|i| fit.mean[i]),
                precision: std::array::from_fn(|i| 1.0 / fit.variance[i]),
                weight_ln: ln(fit.share) - 0.5 * fit.variance.iter().map(|variance| ln(*variance)).sum::<f64>(),
                prior: fit.prior,
            };
        }
        Ok(model)
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn class(&self, at: usize) -> WorkloadClass {
        self.classes[at].name
    }

    pub(super) fn prior(&self, at: usize) -> &ClassPrior {
        &self.classes[at].prior
    }

    /// The class with the greatest probability; unknown without classes.
    #[cfg(feature = "train")]
    pub(crate) fn most_likely(&self, features: &[f64; FEATURE_COUNT]) -> WorkloadClass {
        let probabilities = self.probabilities(features);
        let best = (0..self.count).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
        best.map_or(WorkloadClass::Unknown, |at| self.classes[at].name)
    }

    /// The probability of each class, given features as they come.
    pub(crate) fn probabilities(&self, features: &[f64; FEATURE_COUNT]) -> [f64; CLASSES_MAX] {
        let scores = standardise(&self.ranges, features);
        let mut logs = [f64::NEG_INFINITY; CLASSES_MAX];
        for (log, class) in logs.iter_mut().zip(&self.classes[..self.count]) {
            let distance: f64 =
                (0..FEATURE_COUNT).map(|i| (scores[i] - class.mean[i]).powi(2) * class.precision[i]).sum();
            *log = class.weight_ln - 0.5 * distance;
        }
        let most = logs.into_iter().fold(f64::NEG_INFINITY, f64::max);
        if most == f64::NEG_INFINITY {
            return [0.0; CLASSES_MAX];
        }
        let odds = logs.map(|log| exp(log - most));
        let sum: f64 = odds.iter().sum();
        odds.map(|odds| odds / sum)
    }
}

/// Standard scores of features, clamped to their ranges; mean, deviation, least and most of each.
pub(crate) fn standardise(ranges: &[[f64; 4]; FEATURE_COUNT], features: &[f64; FEATURE_COUNT]) -> [f64; FEATURE_COUNT] {
    std::array::from_fn(|i| {
        let [mean, deviation, low, high] = ranges[i];
        (features[i].max(low).min(high) - mean) / deviation
    })
}
