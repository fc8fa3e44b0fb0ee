//! The fits themselves, and the choice among them.
//!
//! A fit has two stages. The weights of the candidate features come from the data *within* runs, where only knobs and
//! phases vary; with those fixed, the weights of the state features and the intercept come from the pooled data, which
//! know how workloads differ in level. Each stage is linfa's: the elastic net's coordinate descent, or a ridge by
//! linfa-linalg's Cholesky factors, whichever does better on families left out.
//!
//! The elastic net runs on a factor R of the covariance matrix instead of the rows: with C = RᵀR and Rᵀy = c it has the
//! same minimum, over 70 rows instead of 30,000.

use linfa::prelude::*;
use linfa_elasticnet::ElasticNetParams;
use linfa_linalg::cholesky::{Cholesky, SolveC};
use linfa_linalg::triangular::{SolveTriangular, UPLO};
use ndarray::{Array1, Array2, Axis, ShapeBuilder};

use crate::features::STATE_COUNT;

use super::gram::{Gram, Table};
use super::{Standard, WIDTH};

/// Added to the diagonal of covariance matrices, whose features partly depend on each other.
const JITTER: f64 = 1e-6;
/// Penalty of the second stage.
const LEVEL_PENALTY: f64 = 0.01;
/// Share of the elastic net's penalty that is absolute.
const L1_RATIO: f64 = 0.5;
/// Penalties tried, relative to the target's deviation for the elastic net.
const ELASTIC_NET: [f64; 3] = [0.003, 0.01, 0.03];
const RIDGE: [f64; 3] = [0.003, 0.03, 0.3];
/// Where coordinate descent stops. Features that depend on each other make its tail long and worthless.
const TOLERANCE: f64 = 1e-4;
const ITERATIONS_MAX: u32 = 500;

/// Weights of standardised features.
pub(super) struct Fitted {
    pub(super) intercept: f64,
    pub(super) weights: [f64; WIDTH],
}

impl Fitted {
    /// The prediction for standardised features.
    pub(super) fn predict(&self, features: &[f64; WIDTH]) -> f64 {
        self.intercept + features.iter().zip(&self.weights).map(|(x, w)| x * w).sum::<f64>()
    }
}

/// How an output is fitted, with its penalty.
#[derive(Clone, Copy)]
pub(super) enum Method {
    ElasticNet(f64),
    Ridge(f64),
}

impl Method {
    pub(super) fn name(self) -> &'static str {
        match self {
            Method::ElasticNet(_) => "elastic-net",
            Method::Ridge(_) => "ridge",
        }
    }

    pub(super) fn penalty(self) -> f64 {
        match self {
            Method::ElasticNet(penalty) | Method::Ridge(penalty) => penalty,
        }
    }
}

/// The method that does best for `output` on folds left out. None if nothing can be fitted.
pub(super) fn choose(table: &Table, rows: &[Standard], output: usize) -> Option<Method> {
    let methods = ELASTIC_NET.map(Method::ElasticNet).into_iter().chain(RIDGE.map(Method::Ridge));
    let mut best: Option<(Method, f64)> = None;
    for method in methods {
        let Some(squares) = squares_within(table, rows, output, method) else { continue };
        if best.is_none_or(|(_, least)| squares < least) {
            best = Some((method, squares));
        }
    }
    best.map(|(method, _)| method)
}

/// Squared errors on left-out folds, each run's mean error taken out.
fn squares_within(table: &Table, rows: &[Standard], output: usize, method: Method) -> Option<f64> {
    let mut squares_within = 0.0;
    for fold in 0..table.pooled.len() {
        let within = Gram::without(&table.within, Some(fold));
        let pooled = Gram::without(&table.pooled, Some(fold));
        if pooled.count() == 0.0 {
            continue;
        }
        let fitted = fit(&within, &pooled, output, method)?;
        for of_run in rows.chunk_by(|a, b| a.run == b.run).filter(|of_run| of_run[0].fold == fold) {
            let errors = || of_run.iter().map(|row| row.targets[output] - fitted.predict(&row.features));
            let sum: f64 = errors().sum();
            squares_within += errors().map(|error| error * error).sum::<f64>() - sum * sum / of_run.len() as f64;
        }
    }
    squares_within.is_finite().then_some(squares_within)
}

/// Both stages.
pub(super) fn fit(within: &Gram, pooled: &Gram, output: usize, method: Method) -> Option<Fitted> {
    let all: Vec<usize> = (0..WIDTH).collect();
    let covariance = Array1::from_iter(all.iter().map(|&i| within.target_covariance(i, output)));
    let first = match method {
        Method::ElasticNet(penalty) => {
            let penalty = penalty * within.target_variance(output).max(0.0).sqrt();
            elastic_net(&matrix(within, &all), &covariance, penalty)?
        }
        Method::Ridge(penalty) => ridge(&matrix(within, &all), &covariance, penalty)?,
    };
    let states: Vec<usize> = (0..STATE_COUNT).collect();
    let residual = Array1::from_iter(states.iter().map(|&i| {
        let explained: f64 = (STATE_COUNT..WIDTH).map(|j| first[j] * pooled.covariance(i, j)).sum();
        pooled.target_covariance(i, output) - explained
    }));
    let second = ridge(&matrix(pooled, &states), &residual, LEVEL_PENALTY)?;
    let weights: [f64; WIDTH] = std::array::from_fn(|i| if i < STATE_COUNT { second[i] } else { first[i] });
    let at_mean: f64 = weights.iter().enumerate().map(|(i, w)| w * pooled.mean(i)).sum();
    let fitted = Fitted { intercept: pooled.target_mean(output) - at_mean, weights };
    let finite = fitted.intercept.is_finite() && fitted.weights.iter().all(|w| w.is_finite());
    finite.then_some(fitted)
}

pub(super) fn matrix(gram: &Gram, features: &[usize]) -> Array2<f64> {
    let n = features.len();
    // Column-major: linfa's coordinate descent goes by columns.
    Array2::from_shape_fn((n, n).f(), |(i, j)| {
        gram.covariance(features[i], features[j]) + if i == j { JITTER } else { 0.0 }
    })
}

pub(super) fn ridge(covariance: &Array2<f64>, target: &Array1<f64>, penalty: f64) -> Option<Vec<f64>> {
    let mut penalised = covariance.clone();
    penalised.diag_mut().mapv_inplace(|v| v + penalty);
    let solution = penalised.solvec(&target.view().insert_axis(Axis(1))).ok()?;
    Some(solution.column(0).to_vec())
}

pub(super) fn elastic_net(covariance: &Array2<f64>, target: &Array1<f64>, penalty: f64) -> Option<Vec<f64>> {
    let lower = covariance.cholesky().ok()?;
    let n = target.len() as f64;
    // linfa halves the mean over rows; with √n in the factor, its mean over n rows is the sum that C stands for.
    let y = lower.solve_triangular(&target.view().insert_axis(Axis(1)), UPLO::Lower).ok()?.column(0).to_owned();
    let mut x = Array2::zeros((target.len(), target.len()).f());
    x.assign(&lower.t());
    x *= n.sqrt();
    let dataset = Dataset::new(x, y * n.sqrt());
    let fitted = ElasticNetParams::new()
        .penalty(penalty)
        .l1_ratio(L1_RATIO)
        .with_intercept(false)
        .tolerance(TOLERANCE)
        .max_iterations(ITERATIONS_MAX)
        .fit(&dataset)
        .ok()?;
    Some(fitted.hyperplane().to_vec())
}
