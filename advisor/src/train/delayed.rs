//! Whether effects that come late can be learnt: fitted Q iteration (Ernst, Geurts and Wehenkel, JMLR 2005) on recorded holds.
//!
//! A hold's knobs are paid for later as well: what a high threshold saves now, a full collection may cost three holds on. Q(s, k) is
//! the cost of holding knobs k from state s on, and of the cheapest knobs ever after, each hold discounted by γ. It is fitted to
//! c + γ · min Q(s′, k′) again and again, by linfa-linalg's ridge on the same features as the cost models'; k′ are the knobs of the
//! next hold and its rivals ([`super::rows`]), draws of one policy. Each run's mean is taken out of both sides: how dear a
//! workload is, no knob can help.
//!
//! It is judged as the models are ([`super::regret`]), but by what came after, too: of the rivals in a row the one of least Q in
//! the state before the first is taken, and what counts is the mean cost of that hold and the [`AFTER`] ones behind it, each
//! weighing less by [`JUDGED`], whatever knobs those had. γ = 0 is the planner's own view of one step, by the same regressor on the
//! same rows; so what a larger γ gains on that is what there is to be learnt of delay.

use std::fmt::Write;

use ndarray::{Array1, Array2};

use super::gram::{Gram, joined, without_run_means};
use super::regret::{GOALS, Regret};
use super::rows::{Features, Row, features};
use super::solve;
use super::{Data, Run, WIDTH, held_out, ranges, scores};
use crate::goal::Weights;
use crate::model::OUTPUT_COUNT;

/// Discounts of the holds to come that are tried.
const DISCOUNTS: [f64; 3] = [0.0, 0.5, 0.8];
/// Fits, each to what the one before says of the holds to come: 0.8 to the 16th is 3 %.
const ITERATIONS: usize = 16;
/// Penalty of the ridge, of standardised features.
const PENALTY: f64 = 0.03;
/// Holds behind the one taken that are judged with it, and what each weighs of the one before.
const AFTER: usize = 3;
const JUDGED: f64 = 0.8;

/// Regrets of the holds that each discount likes, on families left out of its fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Delayed {
    /// By discount: means by family, in units of the cost.
    pub of_discount: Vec<Vec<f64>>,
    /// Of choosing blindly, by family.
    pub blind: Vec<f64>,
}

/// A hold in standard scores, with what else could have been held.
struct Hold {
    run: usize,
    family: usize,
    fold: usize,
    rivals: usize,
    features: Features,
    /// The knobs of its rivals in the state before it.
    choices: Vec<Features>,
    /// By goal.
    costs: [f64; GOALS.len()],
}

/// Judges fitted Q on the holds of some runs; none if there are too few.
pub fn judge(runs: &[Run]) -> Option<Delayed> {
    let Data { rows, families, .. } = Data::of(runs).ok()?;
    let holds = holds(&rows, families.len().min(held_out::FOLDS));
    let folds = 1 + holds.iter().map(|hold| hold.fold).max()?;
    let others: Vec<Others<'_>> = (0..folds).map(|fold| Others::of(&holds, fold)).collect();
    let mut sums = vec![vec![(0.0, 0.0); families.len()]; DISCOUNTS.len() + 1];
    for (goal, _) in GOALS.iter().enumerate() {
        for (at, discount) in DISCOUNTS.into_iter().enumerate() {
            let fitted: Vec<Features> =
                others.iter().map(|others| others.fit(goal, discount)).collect::<Option<_>>()?;
            for (family, regret, blind) in regrets(&holds, &fitted, goal) {
                let add = |sum: &mut (f64, f64), regret: f64| *sum = (sum.0 + regret, sum.1 + 1.0);
                add(&mut sums[at][family], regret);
                if at == 0 {
                    add(&mut sums[DISCOUNTS.len()][family], blind);
                }
            }
        }
    }
    let mut of_discount: Vec<Vec<f64>> =
        sums.iter().map(|families| families.iter().map(|(sum, count)| sum / count).collect()).collect();
    let blind = of_discount.pop()?;
    Some(Delayed { of_discount, blind })
}

fn holds(rows: &[Row], folds: usize) -> Vec<Hold> {
    let ranges = ranges(rows);
    let mut holds = Vec::with_capacity(rows.len());
    for rivals in rows.chunk_by(|a, b| (a.run, a.rivals) == (b.run, b.rivals)) {
        for row in rivals {
            let said = |rival: &Row| scores(&features(&row.measured, &rival.knobs), &ranges);
            holds.push(Hold {
                run: row.run,
                family: row.family,
                fold: row.family % folds,
                rivals: row.rivals,
                features: scores(&row.features, &ranges),
                choices: rivals.iter().map(said).collect(),
                costs: GOALS.map(|goal| cost(&goal.weights(), row)),
            });
        }
    }
    holds
}

fn cost(weights: &Weights, row: &Row) -> f64 {
    weights.cost(&row.targets, 0.0, row.pause_goal_ln)
}

fn dot(weights: &Features, features: &Features) -> f64 {
    weights.iter().zip(features).map(|(weight, feature)| weight * feature).sum()
}

/// The holds of all folds but one, as far as a fit to them doesn't depend on costs.
struct Others<'h> {
    /// Each with the one behind it; a run's last hold has none and is no row.
    pairs: Vec<(&'h Hold, &'h Hold)>,
    /// Features, each run's mean taken out.
    centred: Vec<Vec<f64>>,
    covariance: Array2<f64>,
}

impl Others<'_> {
    fn of(holds: &[Hold], left_out: usize) -> Others<'_> {
        let pairs: Vec<(&Hold, &Hold)> = (holds.windows(2).map(|pair| (&pair[0], &pair[1])))
            .filter(|(hold, next)| hold.run == next.run && hold.fold != left_out)
            .collect();
        // Targets come from the fit before; the statistics are of the features alone.
        let values: Vec<Vec<f64>> =
            pairs.iter().map(|(hold, _)| joined(&hold.features, &[0.0; OUTPUT_COUNT])).collect();
        let runs: Vec<usize> = pairs.iter().map(|(hold, _)| hold.run).collect();
        let centred = without_run_means(&values, &runs, 1.0);
        let mut gram = Gram::empty(WIDTH);
        centred.iter().for_each(|row| gram.add(row));
        let all: Vec<usize> = (0..WIDTH).collect();
        Others { pairs, covariance: solve::matrix(&gram, &all), centred }
    }

    /// Weights of Q; none if nothing can be fitted.
    fn fit(&self, goal: usize, discount: f64) -> Option<Features> {
        let mut weights = [0.0; WIDTH];
        for _ in 0..if discount > 0.0 { ITERATIONS } else { 1 } {
            let best = |next: &Hold| next.choices.iter().map(|c| dot(&weights, c)).fold(f64::INFINITY, f64::min);
            let mut target: Array1<f64> = Array1::zeros(WIDTH);
            for ((hold, next), row) in self.pairs.iter().zip(&self.centred) {
                let to_come = if discount > 0.0 { discount * best(next) } else { 0.0 };
                // Rows are centred, so the targets needn't be.
                let cost = hold.costs[goal] + to_come;
                target.iter_mut().zip(row).for_each(|(sum, feature)| *sum += cost * feature);
            }
            let fitted = solve::ridge(&self.covariance, &(target / self.pairs.len() as f64), PENALTY)?;
            weights = std::array::from_fn(|i| fitted[i]);
        }
        weights.iter().all(|weight| weight.is_finite()).then_some(weights)
    }
}

/// For each group of rivals: its family, the regret of the one of least Q, and that of choosing blindly.
fn regrets(holds: &[Hold], fitted: &[Features], goal: usize) -> Vec<(usize, f64, f64)> {
    let mut regrets = Vec::new();
    for of_run in holds.chunk_by(|a, b| a.run == b.run) {
        let judged = |at: usize| {
            let (mut sum, mut weight, mut all) = (0.0, 1.0, 0.0);
            for hold in &of_run[at..=at + AFTER] {
                sum += weight * hold.costs[goal];
                all += weight;
                weight *= JUDGED;
            }
            sum / all
        };
        let mut begin = 0;
        for rivals in of_run.chunk_by(|a, b| a.rivals == b.rivals) {
            let whole = rivals.len().min(of_run.len().saturating_sub(begin + AFTER));
            let costs: Vec<f64> = (begin..begin + whole).map(judged).collect();
            begin += rivals.len();
            if whole < 2 {
                continue;
            }
            let weights = &fitted[rivals[0].fold];
            let liked = (0..whole)
                .min_by(|a, b| dot(weights, &rivals[0].choices[*a]).total_cmp(&dot(weights, &rivals[0].choices[*b])))
                .unwrap_or(0);
            let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
            let mean = costs.iter().sum::<f64>() / costs.len() as f64;
            regrets.push((rivals[0].family, costs[liked] - least, mean - least));
        }
    }
    regrets
}

/// The card's section.
pub fn card(delayed: &Delayed) -> String {
    let mut card = String::new();
    // Writing to a string cannot fail.
    let _ = parts(&mut card, delayed);
    card
}

fn parts(out: &mut String, delayed: &Delayed) -> std::fmt::Result {
    writeln!(out, "\n## Effects that come late\n")?;
    writeln!(
        out,
        "Fitted Q, which also counts the cheapest holds to come, discounted by γ: regret as above, but of the hold taken and"
    )?;
    writeln!(
        out,
        "the {AFTER} behind it together, on families left out. γ = 0 is the same regressor's view of one hold.\n"
    )?;
    writeln!(out, "| | blind choice | {} |", DISCOUNTS.map(|discount| format!("γ = {discount}")).join(" | "))?;
    writeln!(out, "|---|---|{}", "---|".repeat(DISCOUNTS.len()))?;
    write!(out, "| mean of families | {:.3} |", Regret::mean(&delayed.blind))?;
    delayed.of_discount.iter().try_for_each(|regrets| write!(out, " {:.3} |", Regret::mean(regrets)))?;
    write!(out, "\n| families better, worse than with γ = 0 | | |")?;
    for regrets in &delayed.of_discount[1..] {
        let pairs = || regrets.iter().zip(&delayed.of_discount[0]);
        let (better, worse) = (pairs().filter(|(q, one)| q < one).count(), pairs().filter(|(q, one)| q > one).count());
        write!(out, " {better}, {worse} |")?;
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds of a world in which a knob is cheap at once and dear in the hold after.
    fn world(runs: usize) -> Vec<Hold> {
        let mut seed = 1_u32;
        let mut draw = move || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (f64::from(seed >> 16) / 32_768.0 - 1.0) * 3.0_f64.sqrt()
        };
        let mut holds = Vec::new();
        for run in 0..runs {
            // The state shows what was held before.
            let mut held = 0.0;
            for group in 0..4 {
                let knobs: [f64; 8] = std::array::from_fn(|_| draw());
                for knob in knobs {
                    let said = |knob: f64| -> Features {
                        std::array::from_fn(|i| match i {
                            0 => held,
                            1 => knob,
                            _ => 0.0,
                        })
                    };
                    holds.push(Hold {
                        run,
                        family: run % 2,
                        fold: run % 2,
                        rivals: group,
                        features: said(knob),
                        choices: knobs.iter().map(|knob| said(*knob)).collect(),
                        costs: [3.0 * held - knob; GOALS.len()],
                    });
                    held = knob;
                }
            }
        }
        holds
    }

    #[test]
    fn one_step_takes_what_is_cheap_now_and_q_what_is_cheap_in_the_end() {
        let holds = world(40);
        let mean = |discount: f64| {
            let fitted: Vec<Features> = (0..2).map(|fold| Others::of(&holds, fold).fit(0, discount).unwrap()).collect();
            let regrets = regrets(&holds, &fitted, 0);
            let sum = |of: fn(&(usize, f64, f64)) -> f64| regrets.iter().map(of).sum::<f64>() / regrets.len() as f64;
            (fitted[0][1], sum(|r| r.1), sum(|r| r.2))
        };
        let ((one, of_one, blind), (q, of_q, _)) = (mean(0.0), mean(0.8));
        assert!((one + 1.0).abs() < 0.2, "{one}");
        assert!(q > 1.0, "− 1 now, and 0.8 of 3 more then: {q}");
        assert!(of_q < blind && blind < of_one, "{of_q} {blind} {of_one}");
    }
}
