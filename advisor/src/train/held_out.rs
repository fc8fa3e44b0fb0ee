//! What each kind of model says of families that it was not fitted to: the data are split into folds of whole families, and each
//! fold is predicted by models of all the others.

use std::num::NonZero;
use std::thread;

use crate::model::{FeatureFit, OUTPUT_COUNT, Prediction};
use crate::network::{Network, NetworkFit};

use super::gram::{Gram, Table};
use super::readout::{Twin, split};
use super::regret::Said;
use super::rows::Features;
use super::solve::{self, Fitted};
use super::{Metric, Standard, hidden};

/// Folds, where there are families enough.
pub(super) const FOLDS: usize = 6;

/// The kinds of models, in the order of the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Linear,
    /// The network in floating point.
    Twin,
    /// The network in 8 bits.
    Network,
}

impl Kind {
    pub(super) const ALL: [Kind; 3] = [Kind::Linear, Kind::Twin, Kind::Network];

    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Linear => "linear",
            Kind::Twin => "network",
            Kind::Network => "network in 8 bits",
        }
    }
}

/// A fitted network and its twin.
pub(super) struct Networks {
    pub(super) twin: Twin,
    pub(super) fit: NetworkFit,
    network: Network,
}

impl Networks {
    /// Trains on `rows`; none if nothing can be fitted.
    pub(super) fn train(rows: &[&Standard], ranges: &[FeatureFit], seed: u64) -> Option<Networks> {
        let twin = Twin::new(hidden::train(rows, seed), rows)?;
        let fit = twin.quantised(rows, ranges)?;
        let network = Network::new(&fit, ranges).ok()?;
        Some(Networks { twin, fit, network })
    }

    fn predict(&self, raw: &Features) -> Prediction {
        let (state, candidate) = split(raw);
        let predictions = self.network.predict(&self.network.prepare(state), &candidate.map(|value| [value]));
        predictions.map(|[value]| value)
    }
}

/// What linear models of the other folds say of each row.
pub(super) fn linear(rows: &[Standard], table: &Table, methods: &[solve::Method]) -> Option<Said> {
    let fold = |fold: usize| -> Option<Vec<Fitted>> {
        let within = Gram::without(&table.within, Some(fold));
        let pooled = Gram::without(&table.pooled, Some(fold));
        if pooled.count() == 0.0 {
            return Some(Vec::new());
        }
        (0..OUTPUT_COUNT).map(|output| solve::fit(&within, &pooled, output, methods[output])).collect()
    };
    let folds: Vec<Vec<Fitted>> = (0..table.pooled.len()).map(fold).collect::<Option<_>>()?;
    let say = |row: &Standard, features: &Features| -> Prediction {
        std::array::from_fn(|output| folds[row.fold].get(output).map_or(0.0, |fitted| fitted.predict(features)))
    };
    Some(Said {
        own: rows.iter().map(|row| say(row, &row.features)).collect(),
        from_first: rows.iter().map(|row| say(row, &row.from_first)).collect(),
    })
}

/// What networks of the other folds say of each row: in floating point, and in 8 bits. Folds are trained side by side, which
/// changes no bit of them.
pub(super) fn networks(rows: &[Standard], ranges: &[FeatureFit], folds: usize, seed: u64) -> Option<(Said, Said)> {
    let train = |fold: usize| {
        let others: Vec<&Standard> = rows.iter().filter(|row| row.fold != fold).collect();
        Networks::train(&others, ranges, seed)
    };
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(folds);
    let mut trained: Vec<Option<Networks>> = (0..folds).map(|_| None).collect();
    thread::scope(|scope| {
        let work = |worker: usize| (worker..folds).step_by(workers).map(|fold| (fold, train(fold))).collect::<Vec<_>>();
        let running: Vec<_> = (0..workers).map(|worker| scope.spawn(move || work(worker))).collect();
        for worker in running {
            for (fold, networks) in worker.join().expect("training does not panic") {
                trained[fold] = networks;
            }
        }
    });
    let trained: Vec<Networks> = trained.into_iter().collect::<Option<_>>()?;
    let (mut twin, mut network) = (Said::default(), Said::default());
    for row in rows {
        let networks = &trained[row.fold];
        twin.own.push(networks.twin.predict(&row.features));
        twin.from_first.push(networks.twin.predict(&row.from_first));
        network.own.push(networks.predict(&row.raw));
        network.from_first.push(networks.predict(&row.raw_from_first));
    }
    Some((twin, network))
}

/// How far off what was said of each output is.
pub(super) fn metrics(rows: &[Standard], said: &Said, table: &Table) -> Vec<Metric> {
    let (pooled, within) = (Gram::without(&table.pooled, None), Gram::without(&table.within, None));
    let count = rows.len() as f64;
    let r2 = |squares: f64, variance: f64| if variance > 0.0 { 1.0 - squares / count / variance } else { 0.0 };
    (0..OUTPUT_COUNT)
        .map(|output| {
            let (mut absolute, mut squares, mut squares_within, mut begin) = (0.0, 0.0, 0.0, 0);
            for of_run in rows.chunk_by(|a, b| a.run == b.run) {
                let (mut sum, mut of_errors) = (0.0, 0.0);
                for (row, said) in of_run.iter().zip(&said.own[begin..]) {
                    let error = row.targets[output] - said[output];
                    absolute += error.abs();
                    of_errors += error * error;
                    sum += error;
                }
                begin += of_run.len();
                squares += of_errors;
                // what is left of the errors when the run's mean error is taken out
                squares_within += of_errors - sum * sum / of_run.len() as f64;
            }
            Metric {
                error: absolute / count,
                r2: r2(squares, pooled.target_variance(output)),
                r2_within_runs: r2(squares_within, within.target_variance(output)),
            }
        })
        .collect()
}
