//! Regret: what it costs to take the knobs that a model likes best, instead of the best ones.
//!
//! The exploring policy tries knobs one after another, so a few holds in a row are the nearest thing to trying several knobs in
//! one state. [`RIVALS`](super::rows::RIVALS) holds in a row of a run are rivals: the model predicts all of them from the state
//! before the first, as the planner would have, with the run's mean error of each output added, as the online correction
//! would. The regret is the observed cost of the hold it likes best, less the least observed cost. It is taken under each goal;
//! means are over rivals, then over families, so that each family weighs the same.
//!
//! It is an upper bound: the least of several noisy costs is lower than any setting's true cost, for every model alike. So it is
//! given beside that of choosing blindly, whose mean is the same bound's other end.

use crate::goal::Goal;
use crate::model::{OUTPUT_COUNT, Prediction};

use super::Standard;

pub(super) const GOALS: [Goal; 3] = [Goal::Throughput, Goal::Latency, Goal::Memory];

/// What a model said of each row, without having been fitted to its family.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    /// From the state before the row's own hold.
    pub(super) own: Vec<Prediction>,
    /// From the state before the first of its rivals.
    pub(super) from_first: Vec<Prediction>,
}

/// Mean regrets by family, in units of the cost: differences of logarithms.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Regret {
    pub(super) of_model: Vec<f64>,
    /// Of choosing blindly.
    pub(super) blind: Vec<f64>,
}

impl Regret {
    /// The mean over families that have any.
    pub(super) fn mean(by_family: &[f64]) -> f64 {
        let (sum, count) = by_family.iter().filter(|r| r.is_finite()).fold((0.0, 0.0), |(s, n), r| (s + r, n + 1.0));
        sum / count
    }

    pub(super) fn of(rows: &[Standard], said: &Said, families: usize) -> Regret {
        let mut sums = vec![(0.0, 0.0, 0.0); families];
        let mut begin = 0;
        for of_run in rows.chunk_by(|a, b| a.run == b.run) {
            let bias = mean_error(of_run, &said.own[begin..]);
            for rivals in of_run.chunk_by(|a, b| a.rivals == b.rivals) {
                let from_first = &said.from_first[begin..];
                begin += rivals.len();
                if rivals.len() < 2 {
                    continue;
                }
                let sum = &mut sums[rivals[0].family];
                for goal in GOALS {
                    let weights = goal.weights();
                    let goal_ln = rivals[0].pause_goal_ln;
                    let costs: Vec<f64> = rivals.iter().map(|row| weights.cost(&row.targets, 0.0, goal_ln)).collect();
                    let liked = (0..rivals.len())
                        .map(|at| {
                            let corrected = std::array::from_fn(|output| from_first[at][output] + bias[output]);
                            (weights.cost(&corrected, 0.0, goal_ln), at)
                        })
                        .min_by(|a, b| a.0.total_cmp(&b.0))
                        .map_or(0, |(_, at)| at);
                    let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
                    sum.0 += costs[liked] - least;
                    sum.1 += costs.iter().sum::<f64>() / costs.len() as f64 - least;
                    sum.2 += 1.0;
                }
            }
        }
        Regret {
            of_model: sums.iter().map(|(model, _, count)| model / count).collect(),
            blind: sums.iter().map(|(_, blind, count)| blind / count).collect(),
        }
    }
}

fn mean_error(rows: &[Standard], said: &[Prediction]) -> Prediction {
    let mut sums = [0.0; OUTPUT_COUNT];
    for (row, said) in rows.iter().zip(said) {
        sums.iter_mut().enumerate().for_each(|(output, sum)| *sum += row.targets[output] - said[output]);
    }
    sums.map(|sum| sum / rows.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::WIDTH;

    fn rows(costs: &[f64]) -> Vec<Standard> {
        let row = |(at, &cost): (usize, &f64)| Standard {
            run: at / 8,
            family: 0,
            fold: 0,
            raw: [0.0; WIDTH],
            raw_from_first: [0.0; WIDTH],
            features: [0.0; WIDTH],
            from_first: [0.0; WIDTH],
            rivals: at / 4 % 2,
            pause_goal_ln: 20.0,
            targets: std::array::from_fn(|output| if output == 1 { cost } else { 0.0 }),
        };
        costs.iter().enumerate().map(row).collect()
    }

    fn said(costs: &[f64]) -> Said {
        let predictions: Vec<Prediction> = rows(costs).iter().map(|row| row.targets).collect();
        Said { own: predictions.clone(), from_first: predictions }
    }

    #[test]
    fn who_knows_has_none_and_who_errs_pays_the_difference() {
        let costs = [1.0, 2.0, 3.0, 4.0, 8.0, 7.0, 6.0, 5.0];
        let right = Regret::of(&rows(&costs), &said(&costs), 1);
        assert_eq!(right.of_model, [0.0]);
        // weights of the collector's time: 1, 0.4 and 0.4
        let weight = 1.8 / 3.0;
        assert!((right.blind[0] - 1.5 * weight).abs() < 1e-9);
        let wrong = Regret::of(&rows(&costs), &said(&costs.map(|cost| -cost)), 1);
        assert!((wrong.of_model[0] - 3.0 * weight).abs() < 1e-9);
    }

    #[test]
    fn a_level_that_is_off_costs_nothing() {
        let costs = [1.0, 3.0, 2.0, 4.0];
        assert_eq!(Regret::of(&rows(&costs), &said(&costs.map(|cost| cost + 9.0)), 1).of_model, [0.0]);
    }
}
