//! Sufficient statistics of a linear fit: sums of products of features and targets.
//!
//! Least squares with any penalty needs nothing else of the data, so leaving a family out is a subtraction, and a fit
//! costs the same for a thousand rows as for a million. Sums are taken in the order of the rows: the same data give the
//! same bits.

use crate::model::OUTPUT_COUNT;

use super::Standard;

/// Sums of products over some rows of features, targets and the constant 1.
#[derive(Clone)]
pub(super) struct Gram {
    features: usize,
    sums: Vec<f64>,
}

/// The statistics of a data set: pooled, and within runs.
pub(super) struct Table {
    /// By fold, of the rows as they are.
    pub(super) pooled: Vec<Gram>,
    /// By fold, of the rows with each run's mean taken out. In these, a workload's level cannot pass for an effect of
    /// the knobs (the "within" estimator of panel data, Mundlak 1961).
    pub(super) within: Vec<Gram>,
}

impl Table {
    /// The statistics of rows, by fold.
    pub(super) fn of(rows: &[Standard], folds: usize) -> Table {
        let values: Vec<Vec<f64>> = rows.iter().map(|row| joined(&row.features, &row.targets)).collect();
        let runs: Vec<usize> = rows.iter().map(|row| row.run).collect();
        let centred = without_run_means(&values, &runs, 1.0);
        let features = values.first().map_or(0, |row| row.len() - OUTPUT_COUNT);
        let gather = |values: &[Vec<f64>]| {
            let mut grams = vec![Gram::empty(features); folds];
            rows.iter().zip(values).for_each(|(row, values)| grams[row.fold].add(values));
            grams
        };
        Table { pooled: gather(&values), within: gather(&centred) }
    }
}

/// Features and targets side by side.
pub(super) fn joined(features: &[f64], targets: &[f64]) -> Vec<f64> {
    features.iter().chain(targets).copied().collect()
}

/// `rows` with a `share` of their run's mean taken out. Rows of a run stand together.
pub(super) fn without_run_means(rows: &[Vec<f64>], runs: &[usize], share: f64) -> Vec<Vec<f64>> {
    let mut centred = Vec::with_capacity(rows.len());
    let mut begin = 0;
    for of_run in runs.chunk_by(|a, b| a == b) {
        let rows = &rows[begin..begin + of_run.len()];
        begin += of_run.len();
        let mut means = vec![0.0; rows[0].len()];
        for row in rows {
            means.iter_mut().zip(row).for_each(|(mean, value)| *mean += value);
        }
        means.iter_mut().for_each(|mean| *mean *= share / rows.len() as f64);
        centred.extend(rows.iter().map(|row| row.iter().zip(&means).map(|(value, mean)| value - mean).collect()));
    }
    centred
}

impl Gram {
    pub(super) fn empty(features: usize) -> Gram {
        let all = features + OUTPUT_COUNT + 1;
        Gram { features, sums: vec![0.0; all * all] }
    }

    fn all(&self) -> usize {
        self.features + OUTPUT_COUNT + 1
    }

    /// Takes in a row: features, then targets.
    pub(super) fn add(&mut self, values: &[f64]) {
        let all = self.all();
        for (i, &a) in values.iter().enumerate() {
            let row = &mut self.sums[i * all..i * all + i + 1];
            for (sum, &b) in row.iter_mut().zip(values) {
                *sum += a * b;
            }
        }
        for (sum, &value) in self.sums[(all - 1) * all..].iter_mut().zip(values) {
            *sum += value;
        }
        self.sums[all * all - 1] += 1.0;
    }

    /// The sum of the statistics of all folds but one.
    pub(super) fn without(folds: &[Gram], left_out: Option<usize>) -> Gram {
        let mut total = Gram::empty(folds.first().map_or(0, |gram| gram.features));
        for gram in folds.iter().enumerate().filter(|(i, _)| Some(*i) != left_out).map(|(_, gram)| gram) {
            for (sum, value) in total.sums.iter_mut().zip(&gram.sums) {
                *sum += value;
            }
        }
        total
    }

    fn at(&self, i: usize, j: usize) -> f64 {
        self.sums[i.max(j) * self.all() + i.min(j)]
    }

    /// Number of rows.
    pub(super) fn count(&self) -> f64 {
        self.at(self.all() - 1, self.all() - 1)
    }

    /// Mean of a feature.
    pub(super) fn mean(&self, feature: usize) -> f64 {
        self.at(feature, self.all() - 1) / self.count()
    }

    /// Mean of a target.
    pub(super) fn target_mean(&self, output: usize) -> f64 {
        self.mean(self.features + output)
    }

    /// Mean product of two features around their means.
    pub(super) fn covariance(&self, i: usize, j: usize) -> f64 {
        self.at(i, j) / self.count() - self.mean(i) * self.mean(j)
    }

    /// Mean product of a feature and a target around their means.
    pub(super) fn target_covariance(&self, feature: usize, output: usize) -> f64 {
        self.covariance(feature, self.features + output)
    }

    /// Variance of a target.
    pub(super) fn target_variance(&self, output: usize) -> f64 {
        self.covariance(self.features + output, self.features + output)
    }
}
