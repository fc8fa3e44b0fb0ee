//! Sufficient statistics of a linear fit: sums of products of standardised features and targets, per family.
//!
//! Least squares with any penalty needs nothing else of the data, so leaving a family out is a subtraction, and a fit
//! costs the same for a thousand rows as for a million. Sums are taken in the order of the rows: the same data give the
//! same bits.

use std::collections::BTreeMap;

use crate::model::OUTPUT_COUNT;

use super::{Standard, WIDTH};

/// Features, targets and the constant.
const ALL: usize = WIDTH + OUTPUT_COUNT + 1;

/// Sums of products over some rows.
#[derive(Clone)]
pub(super) struct Gram {
    sums: Vec<f64>,
}

/// The statistics of a data set: pooled, and within runs.
pub(super) struct Table {
    /// By family, of the rows as they are.
    pub(super) pooled: Vec<Gram>,
    /// By family, of the rows with each run's mean taken out. In these, a workload's level cannot pass for an effect of
    /// the knobs (the "within" estimator of panel data, Mundlak 1961).
    pub(super) within: Vec<Gram>,
}

impl Gram {
    fn empty() -> Gram {
        Gram { sums: vec![0.0; ALL * ALL] }
    }

    /// The statistics of `rows`.
    pub(super) fn table(rows: &[Standard], families: usize) -> Table {
        let mut means: BTreeMap<usize, ([f64; ALL], f64)> = BTreeMap::new();
        for row in rows {
            let (sum, count) = means.entry(row.run).or_insert(([0.0; ALL], 0.0));
            for (s, v) in sum.iter_mut().zip(extended(row)) {
                *s += v;
            }
            *count += 1.0;
        }
        let mut table = Table { pooled: vec![Gram::empty(); families], within: vec![Gram::empty(); families] };
        for row in rows {
            let values = extended(row);
            table.pooled[row.family].add(&values);
            let (sum, count) = &means[&row.run];
            let mut centred: [f64; ALL] = std::array::from_fn(|i| values[i] - sum[i] / count);
            centred[ALL - 1] = 1.0;
            table.within[row.family].add(&centred);
        }
        table
    }

    fn add(&mut self, values: &[f64; ALL]) {
        for (i, &a) in values.iter().enumerate() {
            let row = &mut self.sums[i * ALL..i * ALL + i + 1];
            for (sum, &b) in row.iter_mut().zip(values) {
                *sum += a * b;
            }
        }
    }

    /// The sum of the statistics of all families but one.
    pub(super) fn without(families: &[Gram], left_out: Option<usize>) -> Gram {
        let mut total = Gram::empty();
        for gram in families.iter().enumerate().filter(|(i, _)| Some(*i) != left_out).map(|(_, gram)| gram) {
            for (sum, value) in total.sums.iter_mut().zip(&gram.sums) {
                *sum += value;
            }
        }
        total
    }

    fn at(&self, i: usize, j: usize) -> f64 {
        self.sums[i.max(j) * ALL + i.min(j)]
    }

    /// Number of rows.
    pub(super) fn count(&self) -> f64 {
        self.at(ALL - 1, ALL - 1)
    }

    /// Mean of a feature.
    pub(super) fn mean(&self, feature: usize) -> f64 {
        self.at(feature, ALL - 1) / self.count()
    }

    /// Mean of a target.
    pub(super) fn target_mean(&self, output: usize) -> f64 {
        self.mean(WIDTH + output)
    }

    /// Mean product of two features around their means.
    pub(super) fn covariance(&self, i: usize, j: usize) -> f64 {
        self.at(i, j) / self.count() - self.mean(i) * self.mean(j)
    }

    /// Mean product of a feature and a target around their means.
    pub(super) fn target_covariance(&self, feature: usize, output: usize) -> f64 {
        self.covariance(feature, WIDTH + output)
    }

    /// Variance of a target.
    pub(super) fn target_variance(&self, output: usize) -> f64 {
        self.covariance(WIDTH + output, WIDTH + output)
    }
}

fn extended(row: &Standard) -> [f64; ALL] {
    std::array::from_fn(|i| {
        if i < WIDTH {
            row.features[i]
        } else if i < WIDTH + OUTPUT_COUNT {
            row.targets[i - WIDTH]
        } else {
            1.0
        }
    })
}
