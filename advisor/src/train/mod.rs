//! Fitting the cost models to journals, with linfa.
//!
//! [`fit`] is a pure function of its input: the same runs give the same model, bit for bit. Nothing here reads files or
//! clocks; the shell runs the workloads and writes the result.
//!
//! What is learnt from is a *hold*: the cycles during which the exploring policy kept one random draw of knobs. A hold
//! gives one row, from the state before it. Later cycles of a hold would be rows as well, but their states already show
//! what the knobs did, and a fit to them would credit the state with the knobs' work.

mod card;
mod gram;
mod rows;
mod solve;

use std::fmt;

pub use tenure_gc::Cycle;

use crate::features::{CANDIDATE_COUNT, CANDIDATE_FEATURES, STATE_COUNT, STATE_FEATURES};
use crate::model::{FORMAT, FeatureFit, ModelFile, OUTPUT_COUNT, OUTPUTS, OutputFit, schema};
use gram::Gram;
use rows::{Row, rows_of};

/// Features of a row: state first, then candidate.
pub(crate) const WIDTH: usize = STATE_COUNT + CANDIDATE_COUNT;
/// With fewer rows than this there is nothing to be learnt about so many features.
const ROWS_MIN: usize = 4 * WIDTH;
/// Rows taken of one family, so that a talkative one does not drown the others.
const FAMILY_ROWS_MAX: usize = 4000;

/// One run of a workload.
#[derive(Clone, Debug)]
pub struct Run {
    /// The workload's family. Models are judged on families they were not fitted to.
    pub family: String,
    /// Its cycles, in order.
    pub cycles: Vec<Cycle>,
}

/// What goes into the model and its card besides the data.
#[derive(Clone, Debug)]
pub struct Options {
    /// The seed that the exploration ran with.
    pub seed: u64,
    /// The date of training, for the card.
    pub date: String,
    /// What the data are, in a sentence.
    pub trained_on: String,
}

/// How good an output's fit is on families that it was not fitted to.
#[derive(Clone, Debug)]
pub struct OutputMetrics {
    /// The output.
    pub name: &'static str,
    /// `elastic-net` or `ridge`, whichever did better.
    pub method: &'static str,
    /// Its penalty.
    pub penalty: f64,
    /// Mean absolute error.
    pub error: f64,
    /// Coefficient of determination.
    pub r2: f64,
    /// The same within runs, each run's mean taken out: how much of what the *knobs and phases* do is explained.
    pub r2_within_runs: f64,
}

/// How good the fit is, and on how much.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Rows used.
    pub rows: usize,
    /// Rows left out, because a number in them was none.
    pub rows_left_out: usize,
    /// Runs used.
    pub runs: usize,
    /// Families, with their rows.
    pub families: Vec<(String, usize)>,
    /// By output.
    pub outputs: Vec<OutputMetrics>,
}

/// The result of a training.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The model, ready to be written as JSON.
    pub model: ModelFile,
    /// Its card.
    pub card_markdown: String,
    /// The figures on the card.
    pub metrics: Metrics,
}

/// Why there is no model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainError {
    message: String,
}

impl TrainError {
    fn new(message: impl Into<String>) -> TrainError {
        TrainError { message: message.into() }
    }
}

impl fmt::Display for TrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TrainError {}

/// Fits a model to `runs`.
///
/// Penalties and methods are chosen, and the metrics measured, by leaving out one family at a time.
///
/// # Errors
/// Too few rows or families, or data in which nothing varies.
pub fn fit(runs: &[Run], options: &Options) -> Result<Trained, TrainError> {
    let mut rows_left_out = 0;
    let mut rows: Vec<Row> = Vec::new();
    let mut families: Vec<(String, usize)> = Vec::new();
    for (run, data) in runs.iter().enumerate() {
        if !families.iter().any(|(name, _)| *name == data.family) {
            families.push((data.family.clone(), 0));
        }
        rows.extend(rows_of(data, run, &mut rows_left_out));
    }
    families.sort();
    for row in &mut rows {
        let family = families.binary_search_by(|(name, _)| name.cmp(&runs[row.run].family));
        row.family = family.expect("every run's family was listed");
    }
    let rows = thin(rows, &mut families);
    families_suffice(&families, rows.len())?;

    let ranges = ranges(&rows);
    let standard: Vec<Standard> = rows.iter().map(|row| standardise(row, &ranges)).collect();
    let table = Gram::table(&standard, families.len());
    let mut outputs = Vec::new();
    let mut metrics = Vec::new();
    for (output, name) in OUTPUTS.iter().enumerate() {
        let (fitted, measured) = solve::choose(&table, &standard, output)
            .ok_or_else(|| TrainError::new(format!("output {name} cannot be fitted: nothing varies")))?;
        outputs.push(OutputFit {
            name: (*name).into(),
            method: measured.method.into(),
            intercept: fitted.intercept,
            weights: fitted.weights.to_vec(),
            held_out_error: measured.error,
            held_out_r2: measured.r2,
        });
        metrics.push(measured);
    }
    let mut distances: Vec<f64> = rows.iter().map(|row| distance(row, &ranges)).collect();
    distances.sort_unstable_by(f64::total_cmp);
    let model = ModelFile {
        format: FORMAT,
        schema: format!("{:016x}", schema()),
        trained_on: options.trained_on.clone(),
        seed: options.seed,
        rows: rows.len() as u64,
        features: ranges,
        distance_max: distances[(distances.len() - 1) * 99 / 100],
        outputs,
    };
    let used_runs = (0..runs.len()).filter(|run| rows.iter().any(|row| row.run == *run)).count();
    let metrics = Metrics { rows: rows.len(), rows_left_out, runs: used_runs, families, outputs: metrics };
    let card_markdown = card::write(&model, &metrics, options);
    Ok(Trained { model, card_markdown, metrics })
}

/// Counts each family's rows and keeps at most [`FAMILY_ROWS_MAX`] of each, evenly spread.
fn thin(rows: Vec<Row>, families: &mut [(String, usize)]) -> Vec<Row> {
    for row in &rows {
        families[row.family].1 += 1;
    }
    let counts: Vec<usize> = families.iter().map(|(_, count)| *count).collect();
    let mut seen = vec![0; families.len()];
    let kept: Vec<Row> = rows
        .into_iter()
        .filter(|row| {
            let (at, all) = (seen[row.family], counts[row.family]);
            seen[row.family] += 1;
            let keep = FAMILY_ROWS_MAX.min(all);
            (at + 1) * keep / all > at * keep / all
        })
        .collect();
    for family in families.iter_mut() {
        family.1 = family.1.min(FAMILY_ROWS_MAX);
    }
    kept
}

fn families_suffice(families: &[(String, usize)], rows: usize) -> Result<(), TrainError> {
    if rows < ROWS_MIN {
        return Err(TrainError::new(format!(
            "{rows} usable rows are too few, {ROWS_MIN} are needed: run more workloads, or longer ones, with journals \
             of the explore policy"
        )));
    }
    if families.iter().filter(|(_, count)| *count > 0).count() < 2 {
        return Err(TrainError::new(
            "one family of workloads is too few: a model is judged on families it has not seen",
        ));
    }
    Ok(())
}

/// A row in standard scores, with its run and family.
pub(crate) struct Standard {
    pub(crate) run: usize,
    pub(crate) family: usize,
    pub(crate) features: [f64; WIDTH],
    pub(crate) targets: [f64; OUTPUT_COUNT],
}

fn standardise(row: &Row, ranges: &[FeatureFit]) -> Standard {
    let features = std::array::from_fn(|i| {
        let range = &ranges[i];
        (row.features[i].max(range.low).min(range.high) - range.mean) / range.scale
    });
    Standard { run: row.run, family: row.family, features, targets: row.targets }
}

/// Mean, deviation and the range without the outermost half per cent, of the clamped values.
fn ranges(rows: &[Row]) -> Vec<FeatureFit> {
    (STATE_FEATURES.iter().chain(&CANDIDATE_FEATURES).enumerate())
        .map(|(i, feature)| {
            let mut values: Vec<f64> = rows.iter().map(|row| row.features[i]).collect();
            values.sort_unstable_by(f64::total_cmp);
            let cut = values.len() / 200;
            let (low, high) = (values[cut], values[values.len() - 1 - cut]);
            let count = values.len() as f64;
            let mean = values.iter().map(|v| v.clamp(low, high)).sum::<f64>() / count;
            let variance = values.iter().map(|v| (v.clamp(low, high) - mean).powi(2)).sum::<f64>() / count;
            let scale = if variance.sqrt() > 1e-9 { variance.sqrt() } else { 1.0 };
            FeatureFit { name: feature.name.into(), mean, scale, low, high }
        })
        .collect()
}

fn distance(row: &Row, ranges: &[FeatureFit]) -> f64 {
    let square = |i: usize| ((row.features[i] - ranges[i].mean) / ranges[i].scale).powi(2);
    (0..STATE_COUNT).map(square).sum::<f64>() / STATE_COUNT as f64
}
