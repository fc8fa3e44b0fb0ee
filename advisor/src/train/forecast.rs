//! Fitting and judging the forecasts.
//!
//! The linear model is linfa's elastic net on standardised features, without an intercept, fitted to the change of a quantity's
//! logarithm over a horizon. Least squares would serve the few cycles that can't be foretold; so rows are weighted again by
//! the inverse of their error, twice over (iteratively reweighted least squares: Schlossmacher 1973), which leads
//! towards least absolute errors, in which forecasts are judged. Each run has the square root of its rows as its say.
//!
//! Everything is judged on families that were left out: the experts, the blend as it runs in a heap, and its bounds. The
//! decaying average that it is held against is one over time (bytes over ns), with the gain that does best on the very rows it
//! is judged on, which flatters it.

use ndarray::{Array1, Array2, ShapeBuilder};
use tenure_gc::Cycle;

use crate::forecast::blend::{Blend, EXPERTS, Experts, Said, experts};
use crate::forecast::model::change;
use crate::forecast::series::{FEATURE_COUNT, FEATURES, GAINS, Series};
use crate::forecast::{ForecastFile, HORIZON_COUNT, HORIZONS, HorizonFit, QUANTITIES, Quantity, Sample};

use super::Run;
use super::solve::elastic_net;

/// Cycles that a series must have seen before it is learnt from or judged.
const HISTORY_MIN: usize = 4;
/// Rows taken of one run, evenly spread.
const RUN_ROWS_MAX: usize = 200;
const PASSES: usize = 3;
/// Errors below this weigh alike.
const ERROR_FLOOR: f64 = 0.02;
/// The elastic net's penalty, relative to the target's deviation.
const PENALTY: f64 = 0.003;
const JITTER: f64 = 1e-6;
/// A rate whose logarithm deviates by less, in the root mean square, stands still.
const VARIES: f64 = 0.1;
/// Share of outcomes beyond each bound.
const TAIL: f64 = 0.05;

/// How good forecasts are on a family that was left out of the fit: mean absolute errors in logarithms, runs counting alike.
#[derive(Clone, Debug)]
pub struct ForecastScore {
    /// What is foretold.
    pub quantity: &'static str,
    /// Over how many cycles.
    pub cycles: usize,
    /// The family left out.
    pub family: String,
    /// Its runs in which the quantity varies by more than 10 %.
    pub runs: usize,
    /// Of the last value.
    pub last: f64,
    /// Of the decaying average with the gain that is best over all families.
    pub average: f64,
    /// Of the linear model alone.
    pub model: f64,
    /// Of the blend, which is what an advisor uses.
    pub blend: f64,
    /// Share of outcomes within the bounds.
    pub covered: f64,
}

impl ForecastScore {
    /// The blend's error over the better baseline's.
    pub fn ratio(&self) -> f64 {
        self.blend / self.last.min(self.average)
    }
}

/// A state of one run.
struct Row {
    features: [f64; FEATURE_COUNT],
    /// What the experts say, the linear model left at the last value.
    experts: Experts,
    /// What came, relative to the last value, by horizon.
    came: [Option<f64>; HORIZON_COUNT],
}

/// One quantity in one run.
struct Track {
    family: usize,
    rows: Vec<Row>,
    varies: bool,
}

/// Fits the forecasts to runs and judges them.
pub fn fit(runs: &[Run]) -> (ForecastFile, Vec<ForecastScore>) {
    let mut families: Vec<&str> = runs.iter().map(|run| run.family.as_str()).collect();
    families.sort_unstable();
    families.dedup();
    let (mut fits, mut scores) = (Vec::new(), Vec::new());
    for quantity in Quantity::ALL {
        let track = |run: &Run| {
            let family = families.binary_search(&run.family.as_str()).expect("listed");
            track(quantity, family, &run.cycles)
        };
        let tracks: Vec<Track> = runs.iter().map(track).collect();
        for horizon in 0..HORIZON_COUNT {
            let (fit, judged) = fit_horizon(&tracks, quantity, horizon, &families);
            fits.push(fit);
            scores.extend(judged);
        }
    }
    (ForecastFile { features: FEATURES.map(str::to_owned).to_vec(), fits }, scores)
}

fn track(quantity: Quantity, family: usize, cycles: &[Cycle]) -> Track {
    let samples: Vec<Sample> =
        cycles.iter().filter(|cycle| cycle.snapshot.cycle > 0).map(|cycle| Sample::of(&cycle.snapshot)).collect();
    let (mut series, mut rows) = (Series::new(quantity), Vec::new());
    let (mut sum, mut squares) = (0.0, 0.0);
    for (at, sample) in samples.iter().enumerate() {
        let value = Sample::ln_over(quantity, std::iter::once(*sample)).expect("one cycle");
        series.push(sample);
        sum += value;
        squares += value * value;
        if at + 1 < HISTORY_MIN {
            continue;
        }
        let came = HORIZONS.map(|cycles| {
            let coming = samples.get(at + 1..at + 1 + cycles)?;
            Some(Sample::ln_over(quantity, coming.iter().copied())? - value)
        });
        rows.push(Row { features: series.features(), experts: experts(&series, 0.0), came });
    }
    let count = samples.len().max(1) as f64;
    let deviation = (squares / count - (sum / count).powi(2)).max(0.0).sqrt();
    Track { family, rows, varies: deviation > VARIES }
}

fn fit_horizon(
    tracks: &[Track],
    quantity: Quantity,
    horizon: usize,
    families: &[&str],
) -> (HorizonFit, Vec<ForecastScore>) {
    let held_out: Vec<Judged> = (0..families.len())
        .flat_map(|family| {
            let others: Vec<&Track> = tracks.iter().filter(|track| track.family != family).collect();
            let weights = weights_of(&others, horizon);
            let start = mean_errors(&others, horizon, &weights);
            let judge = move |track: &Track| judge(track, horizon, &weights, &start);
            tracks.iter().filter(|track| track.family == family).filter_map(judge).collect::<Vec<_>>()
        })
        .collect();
    let band = band(&held_out);
    let all: Vec<&Track> = tracks.iter().collect();
    let fit = HorizonFit {
        quantity: QUANTITIES[quantity as usize].into(),
        cycles: HORIZONS[horizon] as u64,
        weights: weights_of(&all, horizon).to_vec(),
        errors: average(held_out.iter().map(|judged| judged.errors)).to_vec(),
        band,
    };
    (fit, scores(&held_out, quantity, horizon, families, band))
}

/// A run judged by a model that was not fitted to its family.
struct Judged {
    family: usize,
    varies: bool,
    /// Mean absolute errors.
    errors: Experts,
    blend: f64,
    /// Errors with their sign, in units of the blend's recent error.
    relative: Vec<f64>,
}

/// Lets the blend run over a track as it would in a heap; none if the track is too short.
fn judge(track: &Track, horizon: usize, weights: &[f64; FEATURE_COUNT], start: &Experts) -> Option<Judged> {
    let mut blend = Blend::new(start);
    let mut waiting: Vec<(Said, f64)> = Vec::new();
    let (mut errors, mut own, mut relative) = ([0.0; EXPERTS], 0.0, Vec::new());
    for (at, row) in track.rows.iter().enumerate() {
        if let Some(due) = at.checked_sub(HORIZONS[horizon]) {
            let (said, came) = &waiting[due];
            blend.settle(said, *came);
        }
        let Some(came) = row.came[horizon] else { break };
        let experts = with_model(row, weights);
        // all relative to the row's last value, so that what waits is compared with what came
        let said = blend.foretell(&experts);
        let came = row.experts[0] + came;
        for (sum, expert) in errors.iter_mut().zip(experts) {
            *sum += (came - expert).abs();
        }
        own += (came - said.blend).abs();
        relative.push((came - said.blend) / blend.scale());
        waiting.push((said, came));
    }
    let count = waiting.len() as f64;
    (count > 0.0).then(|| Judged {
        family: track.family,
        varies: track.varies,
        errors: errors.map(|sum| sum / count),
        blend: own / count,
        relative,
    })
}

fn with_model(row: &Row, weights: &[f64; FEATURE_COUNT]) -> Experts {
    let mut experts = row.experts;
    experts[EXPERTS - 1] += change(weights, &row.features);
    experts
}

/// The experts' mean absolute errors, runs counting alike.
fn mean_errors(tracks: &[&Track], horizon: usize, weights: &[f64; FEATURE_COUNT]) -> Experts {
    let of_track = |track: &&Track| {
        let errors = track.rows.iter().filter_map(|row| {
            let came = row.experts[0] + row.came[horizon]?;
            Some(with_model(row, weights).map(|said| (came - said).abs()))
        });
        let errors: Vec<Experts> = errors.collect();
        (!errors.is_empty()).then(|| average(errors.into_iter()))
    };
    average(tracks.iter().filter_map(of_track))
}

fn average(of: impl Iterator<Item = Experts>) -> Experts {
    let (mut sums, mut count) = ([0.0; EXPERTS], 0.0);
    for errors in of {
        for (sum, error) in sums.iter_mut().zip(errors) {
            *sum += error;
        }
        count += 1.0;
    }
    sums.map(|sum| sum / f64::max(count, 1.0))
}

/// The quantiles of what came, each run's outcomes weighing alike.
fn band(judged: &[Judged]) -> [f64; 2] {
    let mut weighted: Vec<(f64, f64)> = Vec::new();
    for run in judged {
        weighted.extend(run.relative.iter().map(|&relative| (relative, 1.0 / run.relative.len() as f64)));
    }
    weighted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all: f64 = weighted.iter().map(|(_, weight)| weight).sum();
    let at = |share: f64| {
        let mut sum = 0.0;
        let found = weighted.iter().find(|(_, weight)| {
            sum += weight;
            sum >= share * all
        });
        found.map_or(0.0, |(relative, _)| *relative)
    };
    [at(TAIL).min(0.0), at(1.0 - TAIL).max(0.0)]
}

fn scores(
    held_out: &[Judged],
    quantity: Quantity,
    horizon: usize,
    families: &[&str],
    band: [f64; 2],
) -> Vec<ForecastScore> {
    let varying: Vec<&Judged> = held_out.iter().filter(|run| run.varies).collect();
    let overall = average(varying.iter().map(|run| run.errors));
    let best = (1..=GAINS.len()).min_by(|&a, &b| overall[a].total_cmp(&overall[b])).expect("there are gains");
    let score = |family: usize| {
        let runs: Vec<&&Judged> = varying.iter().filter(|run| run.family == family).collect();
        let count = runs.len() as f64;
        let errors = average(runs.iter().map(|run| run.errors));
        let inside = |run: &&&Judged| {
            let within = run.relative.iter().filter(|r| (band[0]..=band[1]).contains(*r)).count();
            within as f64 / run.relative.len() as f64
        };
        (!runs.is_empty()).then(|| ForecastScore {
            quantity: QUANTITIES[quantity as usize],
            cycles: HORIZONS[horizon],
            family: families[family].to_owned(),
            runs: runs.len(),
            last: errors[0],
            average: errors[best],
            model: errors[EXPERTS - 1],
            blend: runs.iter().map(|run| run.blend).sum::<f64>() / count,
            covered: runs.iter().map(inside).sum::<f64>() / count,
        })
    };
    (0..families.len()).filter_map(score).collect()
}

/// The weights of the linear model, or none (zeros) where nothing varies.
fn weights_of(tracks: &[&Track], horizon: usize) -> [f64; FEATURE_COUNT] {
    let mut rows: Vec<(&[f64; FEATURE_COUNT], f64, f64)> = Vec::new();
    for track in tracks {
        let usable = track.rows.iter().filter(|row| row.came[horizon].is_some()).count();
        let step = usable.div_ceil(RUN_ROWS_MAX).max(1);
        let weight = 1.0 / (usable.div_ceil(step).max(1) as f64).sqrt();
        let taken = track.rows.iter().filter_map(|row| Some((&row.features, row.came[horizon]?, weight)));
        rows.extend(taken.step_by(step));
    }
    let mut weights = [0.0; FEATURE_COUNT];
    for _ in 0..PASSES {
        match weighted_fit(&rows, &weights) {
            Some(found) => weights = found,
            None => break,
        }
    }
    weights
}

/// One pass: the elastic net on rows weighted by the inverse of the error that `weights` leave.
fn weighted_fit(
    rows: &[(&[f64; FEATURE_COUNT], f64, f64)],
    weights: &[f64; FEATURE_COUNT],
) -> Option<[f64; FEATURE_COUNT]> {
    let mut products = [[0.0; FEATURE_COUNT]; FEATURE_COUNT];
    let mut targets = [0.0; FEATURE_COUNT];
    let (mut squares, mut all) = (0.0, 0.0);
    for (features, came, weight) in rows {
        let weight = weight / (came - change(weights, features)).abs().max(ERROR_FLOOR);
        for i in 0..FEATURE_COUNT {
            let x = weight * features[i];
            targets[i] += x * came;
            for (j, product) in products[i].iter_mut().enumerate().take(i + 1) {
                *product += x * features[j];
            }
        }
        squares += weight * came * came;
        all += weight;
    }
    if !(all > 0.0 && squares > 0.0) {
        return None;
    }
    // standard scores without centring: zero stays zero
    let scales: [f64; FEATURE_COUNT] = std::array::from_fn(|i| {
        let scale = (products[i][i] / all).sqrt();
        if scale > 1e-9 { scale } else { 1.0 }
    });
    let covariance = Array2::from_shape_fn((FEATURE_COUNT, FEATURE_COUNT).f(), |(i, j)| {
        let product = products[i.max(j)][i.min(j)] / all / (scales[i] * scales[j]);
        product + if i == j { JITTER } else { 0.0 }
    });
    let target = Array1::from_iter((0..FEATURE_COUNT).map(|i| targets[i] / all / scales[i]));
    let found = elastic_net(&covariance, &target, PENALTY * (squares / all).sqrt())?;
    let natural: [f64; FEATURE_COUNT] = std::array::from_fn(|i| found[i] / scales[i]);
    natural.iter().all(|weight| weight.is_finite()).then_some(natural)
}

/// The card's section: by quantity and horizon, against the better of last value and decaying average.
pub(super) fn card(scores: &[ForecastScore]) -> String {
    let mut card = String::from("\n## Forecasts\n\n");
    card += "Mean absolute errors in logarithms on families left out of the fit, runs counting alike, where the quantity varies by\n";
    card += "more than 10 %. *Ratio* is the blend's error over the better baseline's; *worst* is the family where that is greatest.\n\n";
    card += "| quantity | cycles | last value | decaying average | linear model | blend | ratio | worst | within bounds |\n";
    card += "|---|---|---|---|---|---|---|---|---|\n";
    for group in scores.chunk_by(|a, b| (a.quantity, a.cycles) == (b.quantity, b.cycles)) {
        let runs: usize = group.iter().map(|score| score.runs).sum();
        let mean = |of: fn(&ForecastScore) -> f64| {
            group.iter().map(|score| score.runs as f64 * of(score)).sum::<f64>() / runs as f64
        };
        let (last, average, blend) = (mean(|s| s.last), mean(|s| s.average), mean(|s| s.blend));
        let Some(worst) = group.iter().max_by(|a, b| a.ratio().total_cmp(&b.ratio())) else { continue };
        card += &format!(
            "| {} | {} | {last:.3} | {average:.3} | {:.3} | {blend:.3} | {:.2} | {:.2} ({}) | {:.0} % |\n",
            worst.quantity,
            worst.cycles,
            mean(|s| s.model),
            blend / last.min(average),
            worst.ratio(),
            worst.family,
            mean(|s| s.covered) * 100.0
        );
    }
    card += "\nThe allocation rate of the next cycle, by family:\n\n";
    card += "| family | runs | last value | decaying average | linear model | blend | ratio | within bounds |\n";
    card += "|---|---|---|---|---|---|---|---|\n";
    for s in
        scores.iter().filter(|s| s.quantity == QUANTITIES[Quantity::Allocation as usize] && s.cycles == HORIZONS[0])
    {
        card += &format!(
            "| {} | {} | {:.3} | {:.3} | {:.3} | {:.3} | {:.2} | {:.0} % |\n",
            s.family,
            s.runs,
            s.last,
            s.average,
            s.model,
            s.blend,
            s.ratio(),
            s.covered * 100.0
        );
    }
    card
}
