//! Fitting the cost models to journals, with linfa.
//!
//! [`fit`] is a pure function of its input: the same runs give the same model, bit for bit. Nothing here reads files or
//! clocks; the shell runs the workloads and writes the result.
//!
//! What is learnt from is a *hold*: the cycles during which the exploring policy kept one random draw of knobs. A hold
//! gives one row, from the state before it. Later cycles of a hold would be rows as well, but their states already show
//! what the knobs did, and a fit to them would credit the state with the knobs' work.
//!
//! Two kinds of model are fitted: weighted sums of features ([`solve`]) and a network ([`hidden`], [`readout`]), which is what
//! ships if the knobs it likes cost less on families that it was not fitted to ([`regret`]).

mod card;
pub mod class;
pub mod delayed;
pub mod forecast;
mod gram;
mod held_out;
mod hidden;
mod priors;
mod readout;
mod regret;
mod rows;
mod solve;

use std::fmt;

pub use tenure_gc::Cycle;

use crate::features::{CANDIDATE_COUNT, CANDIDATE_FEATURES, STATE_COUNT, STATE_FEATURES};
use crate::model::{FORMAT, FeatureFit, ModelFile, OUTPUT_COUNT, OUTPUTS, OutputFit, Prediction, schema};
use gram::{Gram, Table};
use held_out::{Kind, Networks};
use regret::Regret;
use rows::{Features, Row, rows_of};

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
    /// The seed that the exploration ran with, and that the network's training begins with.
    pub seed: u64,
    /// The date of training, for the card.
    pub date: String,
    /// What the data are, in a sentence.
    pub trained_on: String,
}

/// How far off predictions of an output are, on families that the model was not fitted to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric {
    /// Mean absolute error.
    pub error: f64,
    /// Coefficient of determination.
    pub r2: f64,
    /// The same within runs, each run's mean taken out: how much of what the *knobs and phases* do is explained.
    pub r2_within_runs: f64,
}

/// How good a kind of model is on families that it was not fitted to.
#[derive(Clone, Debug, PartialEq)]
pub struct KindMetrics {
    /// What kind it is.
    pub name: &'static str,
    /// By output.
    pub outputs: Vec<Metric>,
    /// How much more the knobs it likes best cost than the best ones tried, mean over families.
    pub regret: f64,
    /// The same by family; NaN where there is nothing to compare.
    pub regret_by_family: Vec<f64>,
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
    /// By output: how the weighted sums were fitted, and with what penalty.
    pub methods: Vec<(&'static str, f64)>,
    /// The kinds of models that were fitted.
    pub kinds: Vec<KindMetrics>,
    /// Which of them the model is.
    pub shipped: usize,
    /// The regret of choosing blindly.
    pub regret_blind: f64,
    /// The same by family.
    pub regret_blind_by_family: Vec<f64>,
}

impl Metrics {
    /// The figures of the model that ships.
    pub fn of_shipped(&self) -> &KindMetrics {
        &self.kinds[self.shipped]
    }
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

/// Fits a model to the runs of all families but one, on which it can then be judged.
///
/// # Errors
/// As [`fit`].
pub fn fit_without(runs: &[Run], options: &Options, family: &str) -> Result<Trained, TrainError> {
    let others: Vec<Run> = runs.iter().filter(|run| run.family != family).cloned().collect();
    fit(&others, options)
}

/// Fits a model of weighted sums, whichever kind does better: for comparisons.
///
/// # Errors
/// As [`fit`].
pub fn fit_linear(runs: &[Run], options: &Options) -> Result<Trained, TrainError> {
    fit_kind(runs, options, Some(Kind::Linear))
}

/// Fits a network in 8 bits, whichever kind does better: for comparisons.
///
/// # Errors
/// As [`fit`].
pub fn fit_network(runs: &[Run], options: &Options) -> Result<Trained, TrainError> {
    fit_kind(runs, options, Some(Kind::Network))
}

/// Fits a model to `runs`.
///
/// Penalties, methods and the kind of model are chosen, and the metrics measured, by leaving out folds of whole families.
///
/// # Errors
/// Too few rows or families, or data in which nothing varies.
pub fn fit(runs: &[Run], options: &Options) -> Result<Trained, TrainError> {
    fit_kind(runs, options, None)
}

/// The fit, of the kind asked for or of the better one.
fn fit_kind(runs: &[Run], options: &Options, wanted: Option<Kind>) -> Result<Trained, TrainError> {
    let Data { rows, rows_left_out, families } = Data::of(runs)?;
    let ranges = ranges(&rows);
    let distances = distances(&rows, &ranges);
    let folds = families.len().min(held_out::FOLDS);
    let rows: Vec<Standard> = rows.into_iter().map(|row| Standard::of(row, &ranges, folds)).collect();
    let table = Table::of(&rows, folds);
    let unfit = || TrainError::new("the data cannot be fitted: nothing varies");
    let methods: Vec<solve::Method> = (0..OUTPUT_COUNT)
        .map(|output| solve::choose(&table, &rows, output))
        .collect::<Option<_>>()
        .ok_or_else(unfit)?;

    let linear = held_out::linear(&rows, &table, &methods).ok_or_else(unfit)?;
    let (twin, network) = held_out::networks(&rows, &ranges, folds, options.seed).ok_or_else(unfit)?;
    let mut blind = Vec::new();
    let kinds: Vec<KindMetrics> = (Kind::ALL.iter().zip([linear, twin, network]))
        .map(|(kind, said)| {
            let regret = Regret::of(&rows, &said, families.len());
            blind = regret.blind;
            KindMetrics {
                name: kind.name(),
                outputs: held_out::metrics(&rows, &said, &table),
                regret: Regret::mean(&regret.of_model),
                regret_by_family: regret.of_model,
            }
        })
        .collect();
    let regret = |kind: Kind| kinds[kind as usize].regret;
    let better = if regret(Kind::Network) < regret(Kind::Linear) { Kind::Network } else { Kind::Linear };
    let ships = wanted.unwrap_or(better);

    let mut outputs: Vec<OutputFit> = (OUTPUTS.iter().zip(&kinds[ships as usize].outputs))
        .map(|(name, metric)| OutputFit {
            name: (*name).into(),
            method: "network".into(),
            intercept: 0.0,
            weights: Vec::new(),
            held_out_error: metric.error,
            held_out_r2: metric.r2,
        })
        .collect();
    let network = if ships == Kind::Network {
        let all: Vec<&Standard> = rows.iter().collect();
        Some(Networks::train(&all, &ranges, options.seed).ok_or_else(unfit)?.fit)
    } else {
        let (within, pooled) = (Gram::without(&table.within, None), Gram::without(&table.pooled, None));
        for (output, fit) in outputs.iter_mut().enumerate() {
            let fitted = solve::fit(&within, &pooled, output, methods[output]).ok_or_else(unfit)?;
            fit.method = methods[output].name().into();
            fit.intercept = fitted.intercept;
            fit.weights = fitted.weights.to_vec();
        }
        None
    };
    let (forecasts, forecast_scores) = forecast::fit(runs);
    let classes = class::fit(runs);
    let model = ModelFile {
        format: FORMAT,
        schema: format!("{:016x}", schema()),
        trained_on: options.trained_on.clone(),
        seed: options.seed,
        rows: rows.len() as u64,
        features: ranges,
        distance_max: distances[(distances.len() - 1) * 99 / 100],
        outputs,
        network,
        forecasts: Some(forecasts),
        classes: classes.as_ref().map(|(file, _)| file.clone()),
    };
    let metrics = Metrics {
        rows: rows.len(),
        rows_left_out,
        runs: rows.chunk_by(|a, b| a.run == b.run).count(),
        families,
        methods: methods.iter().map(|method| (method.name(), method.penalty())).collect(),
        kinds,
        shipped: ships as usize,
        regret_blind: Regret::mean(&blind),
        regret_blind_by_family: blind,
    };
    let card_markdown = card::write(&model, &metrics, options)
        + &forecast::card(&forecast_scores)
        + &classes.map_or_else(String::new, |(file, report)| class::card(&file, &report));
    Ok(Trained { model, card_markdown, metrics })
}

/// The usable rows of some runs, those of a run together.
struct Data {
    rows: Vec<Row>,
    rows_left_out: usize,
    /// By name, with their rows.
    families: Vec<(String, usize)>,
}

impl Data {
    fn of(runs: &[Run]) -> Result<Data, TrainError> {
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
        Ok(Data { rows, rows_left_out, families })
    }
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

/// A row in standard scores.
pub(crate) struct Standard {
    pub(crate) run: usize,
    pub(crate) family: usize,
    /// The part of the data that it is left out with.
    fold: usize,
    raw: Features,
    raw_from_first: Features,
    features: Features,
    from_first: Features,
    rivals: usize,
    pause_goal_ln: f64,
    pub(crate) targets: Prediction,
}

impl Standard {
    fn of(row: Row, ranges: &[FeatureFit], folds: usize) -> Standard {
        let scores = |features: &Features| scores(features, ranges);
        Standard {
            run: row.run,
            family: row.family,
            fold: row.family % folds,
            features: scores(&row.features),
            from_first: scores(&row.from_first),
            raw: row.features,
            raw_from_first: row.from_first,
            rivals: row.rivals,
            pause_goal_ln: row.pause_goal_ln,
            targets: row.targets,
        }
    }
}

/// Standard scores of features, those beyond the range taken to lie on its ends.
fn scores(features: &Features, ranges: &[FeatureFit]) -> Features {
    std::array::from_fn(|i| {
        let range = &ranges[i];
        (features[i].max(range.low).min(range.high) - range.mean) / range.scale
    })
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
            let variance = values.iter().map(|v| v.clamp(low, high) - mean).map(|d| d * d).sum::<f64>() / count;
            let scale = if variance.sqrt() > 1e-9 { variance.sqrt() } else { 1.0 };
            FeatureFit { name: feature.name.into(), mean, scale, low, high }
        })
        .collect()
}

/// How far each row's state is from the typical one, in order.
fn distances(rows: &[Row], ranges: &[FeatureFit]) -> Vec<f64> {
    let distance = |row: &Row| {
        let square = |i: usize| {
            let score = (row.features[i] - ranges[i].mean) / ranges[i].scale;
            score * score
        };
        (0..STATE_COUNT).map(square).sum::<f64>() / STATE_COUNT as f64
    };
    let mut distances: Vec<f64> = rows.iter().map(distance).collect();
    distances.sort_unstable_by(f64::total_cmp);
    distances
}
