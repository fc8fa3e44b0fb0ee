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
use crate::model::OUTPUTS;

use super::gram::{Gram, Table};
use super::{OutputMetrics, Standard, WIDTH};

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

#[derive(Clone, Copy)]
enum Method {
    ElasticNet(f64),
    Ridge(f64),
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Method::ElasticNet(_) => "elastic-net",
            Method::Ridge(_) => "ridge",
        }
    }

    fn penalty(self) -> f64 {
        match self {
            Method::ElasticNet(penalty) | Method::Ridge(penalty) => penalty,
        }
    }
}

/// The best fit for `output` by leaving out one family at a time, refitted to all. None if nothing can be fitted.
pub(super) fn choose(table: &Table, rows: &[Standard], output: usize) -> Option<(Fitted, OutputMetrics)> {
    let methods = ELASTIC_NET.map(Method::ElasticNet).into_iter().chain(RIDGE.map(Method::Ridge));
    let mut best: Option<(Method, Score)> = None;
    for method in methods {
        let Some(score) = held_out(table, rows, output, method) else { continue };
        if best.as_ref().is_none_or(|(_, least)| score.squares_within < least.squares_within) {
            best = Some((method, score));
        }
    }
    let (method, score) = best?;
    let within = Gram::without(&table.within, None);
    let pooled = Gram::without(&table.pooled, None);
    let fitted = fit(&within, &pooled, output, method)?;
    let count = rows.len() as f64;
    let r2 = |squares: f64, variance: f64| if variance > 0.0 { 1.0 - squares / count / variance } else { 0.0 };
    let metrics = OutputMetrics {
        name: OUTPUTS[output],
        method: method.name(),
        penalty: method.penalty(),
        error: score.absolute / count,
        r2: r2(score.squares, pooled.target_variance(output)),
        r2_within_runs: r2(score.squares_within, within.target_variance(output)),
    };
    Some((fitted, metrics))
}

/// Errors on left-out families, summed over rows.
struct Score {
    absolute: f64,
    squares: f64,
    squares_within: f64,
}

fn held_out(table: &Table, rows: &[Standard], output: usize, method: Method) -> Option<Score> {
    let mut score = Score { absolute: 0.0, squares: 0.0, squares_within: 0.0 };
    for family in 0..table.pooled.len() {
        let within = Gram::without(&table.within, Some(family));
        let pooled = Gram::without(&table.pooled, Some(family));
        if pooled.count() == 0.0 {
            continue;
        }
        let fitted = fit(&within, &pooled, output, method)?;
        let mut by_run: std::collections::BTreeMap<usize, (f64, f64, f64)> = std::collections::BTreeMap::new();
        for row in rows.iter().filter(|row| row.family == family) {
            let error = row.targets[output] - predict(&fitted, &row.features);
            score.absolute += error.abs();
            score.squares += error * error;
            let (sum, squares, count) = by_run.entry(row.run).or_default();
            *sum += error;
            *squares += error * error;
            *count += 1.0;
        }
        // What is left of the errors when each run's mean error is taken out.
        score.squares_within += by_run.values().map(|(sum, squares, count)| squares - sum * sum / count).sum::<f64>();
    }
    score.squares_within.is_finite().then_some(score)
}

fn predict(fitted: &Fitted, features: &[f64; WIDTH]) -> f64 {
    fitted.intercept + features.iter().zip(&fitted.weights).map(|(x, w)| x * w).sum::<f64>()
}

/// Both stages.
fn fit(within: &Gram, pooled: &Gram, output: usize, method: Method) -> Option<Fitted> {
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

fn matrix(gram: &Gram, features: &[usize]) -> Array2<f64> {
    let n = features.len();
    // Column-major: linfa's coordinate descent goes by columns.
    Array2::from_shape_fn((n, n).f(), |(i, j)| {
        gram.covariance(features[i], features[j]) + if i == j { JITTER } else { 0.0 }
    })
}

fn ridge(covariance: &Array2<f64>, target: &Array1<f64>, penalty: f64) -> Option<Vec<f64>> {
    let mut penalised = covariance.clone();
    penalised.diag_mut().mapv_inplace(|v| v + penalty);
    let solution = penalised.solvec(&target.view().insert_axis(Axis(1))).ok()?;
    Some(solution.column(0).to_vec())
}

fn elastic_net(covariance: &Array2<f64>, target: &Array1<f64>, penalty: f64) -> Option<Vec<f64>> {
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
