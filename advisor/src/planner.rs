//! The planner: which knobs around the current ones the cost models like best, and whether that is worth a move.
//!
//! It must never know how a prediction is made, nor what the knobs do.
//!
//! Invariants
//! - L1. A plan is one of the candidates: within the steps of one move from the knobs in force, and within reach of the
//!   adaptive policy's own choice.
//! - L2. Knobs move only when the predicted gain beats the margin in several plans running, and the margin is the wider the
//!   further the move and the less certain the model. While a move is being tried nothing else moves. Each move raises the
//!   margin; a change of the workload lowers it again. So a steady program comes to rest.
//! - L3. A candidate without finite, believable predictions is no candidate.
//! - L4. A move that turns out dearer than what was before is undone. What counts is what the cycles came to ([`Tally`]), not what
//!   a model says of them: the state in which it would be asked is of the move's own making.

use multiversion::multiversion;
use tenure_gc::policy::{Envelope, Knobs, Outcome, Overrides};

use crate::candidates::{self, Bounds};
use crate::coordinate::{NO_STEPS, Steps, steps_between};
use crate::correct::Correction;
use crate::features::{CANDIDATE_COUNT, LANES, candidate_columns, candidate_features};
use crate::goal::Weights;
use crate::history::Measured;
use crate::model::{Output, Prediction, Predictions, Prepared};
use crate::tally::Tally;
use crate::trust::Trust;

/// Plans in a row that must want a move. They double each time that the model loses its turn, but for the first, which may be
/// chance; and so often at the most.
const PERSISTENCE: u32 = 2;
const DOUBLINGS_MAX: u32 = 5;
/// Predicted gain in cost that a move must beat: 1 % of the collector's time, say.
const MARGIN: f64 = 0.01;
/// Of the deviation of the model's errors, what is added to the margin of a move of one octave; it grows as the square root.
const DOUBT: f64 = 0.1;
/// Steps of a young size that are an octave.
const STEPS_PER_OCTAVE: f64 = 4.0;
/// What each move multiplies the margin with, what each move undone does, and the most it reaches.
const CAUTION_PER_MOVE: f64 = 1.2;
const CAUTION_PER_RETURN: f64 = 2.0;
const CAUTION_MAX: f64 = 4096.0;
/// What losing its turn multiplies it with, and what a change of the workload divides it by.
const CAUTION_PER_FALLBACK: f64 = 4.0;
/// Cycles after a move, and before it, by which it is judged: fewer say nothing.
const TRIAL: f64 = 6.0;
const BEFORE: f64 = 3.0;
/// Predicted ln µs of a pause beyond which a model is talking nonsense: 100 s.
const PAUSE_LN_US_MAX: f64 = 18.4;

/// What the planner wants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Plan {
    /// These knobs, so many steps away.
    Move(Knobs, Steps),
    /// The knobs before the last move, so many steps away.
    Undo(Knobs, Steps),
    /// The knobs as they are.
    Hold,
    /// No candidate had a believable prediction.
    Unbelievable,
}

/// All that a plan depends on.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The measured state, smoothed.
    pub measured: &'a Measured,
    /// The model, with the state taken in.
    pub prepared: &'a Prepared<'a>,
    /// This run's correction.
    pub correction: &'a Correction,
    /// The cost.
    pub weights: &'a Weights,
    /// The knobs in force.
    pub current: &'a Knobs,
    /// Settings known to be of use: the adaptive policy's choice, and what did well in the program's class.
    pub jumps: &'a [Knobs],
    /// The legal bounds.
    pub envelope: &'a Envelope,
    /// Bounds around the adaptive policy's choice.
    pub trust: &'a Trust,
    /// Knobs that stay as they are.
    pub frozen: &'a Overrides,
}

/// Hysteresis between plans.
#[derive(Clone, Debug)]
pub struct Planner {
    wanted: u32,
    /// Turns lost.
    lost: u32,
    caution: f64,
    /// What the knobs in force have come to.
    here: Tally,
    /// The knobs before the last move and what they came to, until it has proved itself.
    before: Option<(Knobs, Tally)>,
}

impl Default for Planner {
    fn default() -> Planner {
        Planner::new()
    }
}

impl Planner {
    /// Nothing planned yet.
    pub fn new() -> Planner {
        Planner { wanted: 0, lost: 0, caution: 1.0, here: Tally::default(), before: None }
    }

    /// The workload has changed: old caution says little about the new one.
    pub fn workload_changed(&mut self) {
        let caution = (self.caution / CAUTION_PER_FALLBACK).max(1.0);
        *self = Planner { lost: self.lost.saturating_sub(1), caution, ..Planner::new() };
    }

    /// The guard has taken the turn away: the model promised too much.
    pub fn overruled(&mut self) {
        self.wanted = 0;
        self.before = None;
        self.lost += 1;
        self.caution = (self.caution * CAUTION_PER_FALLBACK).min(CAUTION_MAX);
    }

    /// Takes in what a cycle came to under the knobs of the last plan.
    pub fn observe(&mut self, outcome: &Outcome) {
        self.here.add(outcome);
    }

    /// Whether no move is wanted, and none is on trial.
    pub fn is_at_rest(&self) -> bool {
        self.wanted == 0 && self.before.is_none()
    }

    /// A plan for the coming cycle.
    pub fn plan(&mut self, situation: &Situation<'_>) -> Plan {
        let stay = predict(situation.measured, situation.prepared, situation.current);
        let [stay] = costs(situation, &stay.map(|value| [value]), &[NO_STEPS]);
        if stay.is_nan() {
            return self.unbelievable();
        }
        if situation.correction.is_trying() {
            return Plan::Hold;
        }
        if let Some((before, came_to)) = self.before {
            if self.here.cycles() < TRIAL {
                return Plan::Hold;
            }
            self.before = None;
            let cost = |tally: &Tally| tally.cost(situation.weights, situation.measured.pause_goal_ln);
            if came_to.cycles() >= BEFORE && cost(&self.here) > cost(&came_to) {
                self.wanted = 0;
                self.caution = (self.caution * CAUTION_PER_RETURN).min(CAUTION_MAX);
                self.here = came_to;
                return Plan::Undo(before, steps_between(situation.current, &before));
            }
        }
        let doubt = DOUBT * situation.weights.deviation(situation.correction.deviation());
        let mut best = (f64::INFINITY, f64::INFINITY, *situation.current, NO_STEPS);
        let mut columns = [[0.0; LANES]; CANDIDATE_COUNT];
        let bounds = Bounds { envelope: situation.envelope, trust: situation.trust, frozen: situation.frozen };
        candidates::each(situation.current, situation.jumps, &bounds, |batch| {
            candidate_columns(situation.measured, batch.knobs(), &mut columns);
            let costs = costs(situation, &situation.prepared.predict_all(&columns), batch.steps());
            for (lane, cost) in costs.into_iter().enumerate().take(batch.count()) {
                let (knobs, steps) = (&batch.knobs()[lane], &batch.steps()[lane]);
                let margin = MARGIN * self.caution + doubt * octaves(steps).sqrt();
                if cost + margin < best.0 + best.1 {
                    best = (cost, margin, *knobs, *steps);
                }
            }
        });
        let (cost, margin, knobs, steps) = best;
        if !cost.is_finite() {
            return self.unbelievable();
        }
        if stay - cost <= margin {
            self.wanted = 0;
            return Plan::Hold;
        }
        self.wanted += 1;
        if self.wanted < PERSISTENCE << self.lost.saturating_sub(1).min(DOUBLINGS_MAX) {
            return Plan::Hold;
        }
        self.wanted = 0;
        self.caution = (self.caution * CAUTION_PER_MOVE).min(CAUTION_MAX);
        self.before = Some((*situation.current, std::mem::take(&mut self.here)));
        Plan::Move(knobs, steps)
    }

    fn unbelievable(&mut self) -> Plan {
        self.wanted = 0;
        Plan::Unbelievable
    }
}

/// How far a move goes.
fn octaves(steps: &Steps) -> f64 {
    f64::from(steps.iter().map(|steps| u32::from(steps.unsigned_abs())).sum::<u32>()) / STEPS_PER_OCTAVE
}

/// The costs of knobs so many steps from the current ones, of which this is predicted; NaN where predictions are no numbers or beyond
/// belief (L3).
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512cd+avx512bw", "x86_64+avx2"))]
fn costs<const N: usize>(situation: &Situation<'_>, predictions: &Predictions<N>, steps: &[Steps; N]) -> [f64; N] {
    let predictions = situation.correction.apply_all(predictions, steps);
    let deviation = situation.correction.deviation()[Output::Pause as usize];
    let mut costs = [f64::NAN; N];
    for (lane, cost) in costs.iter_mut().enumerate() {
        let prediction: Prediction = std::array::from_fn(|output| predictions[output][lane]);
        let is_finite = prediction.iter().fold(true, |all, value| all & value.is_finite());
        let value = situation.weights.cost(&prediction, deviation, situation.measured.pause_goal_ln);
        let is_believable = is_finite & (prediction[Output::Pause as usize].abs() < PAUSE_LN_US_MAX);
        *cost = if is_believable & value.is_finite() { value } else { f64::NAN };
    }
    costs
}

/// Predictions for `knobs` in the state `measured`, which `prepared` has taken in.
pub fn predict(measured: &Measured, prepared: &Prepared<'_>, knobs: &Knobs) -> Prediction {
    prepared.predict(&candidate_features(measured, knobs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::{CANDIDATE_FEATURES, STATE_COUNT, state_features};
    use crate::goal::Goal;
    use crate::history::History;
    use crate::model::{Model, ModelFile, OUTPUT_COUNT, tests::flat};
    use crate::trust::Needs;
    use tenure_gc::policy::Snapshot;

    const ENVELOPE: Envelope = Envelope {
        region_bytes_min: 64 << 10,
        region_bytes_max: 4 << 20,
        young_bytes_min: 64 << 10,
        young_bytes_max: 150 << 20,
        limit_bytes: 256 << 20,
    };

    /// A model whose cost falls with `feature`.
    fn likes(feature: &str, weight: f64) -> ModelFile {
        let mut file = flat(0.0);
        let index = CANDIDATE_FEATURES.iter().position(|f| f.name == feature).unwrap();
        file.outputs[Output::GcPerByte as usize].weights[STATE_COUNT + index] = -weight;
        file
    }

    /// The knobs that planning leads through, where each move comes to what `truth` says of its steps beyond the prediction.
    fn plans(file: &ModelFile, count: usize, truth: impl Fn(&Steps) -> f64) -> (Vec<Knobs>, usize) {
        let snapshot = Snapshot {
            limit_bytes: 256 << 20,
            pause_goal_ns: 10_000_000,
            mutator_ns: 1_000_000,
            ..Snapshot::default()
        };
        let model = Model::new(file).unwrap();
        let mut history = History::new();
        history.push(&snapshot);
        let level0 = ENVELOPE.initial(&snapshot);
        let measured = history.measure(&snapshot, &level0);
        let state = state_features(&measured);
        let prepared = model.prepare(&state);
        let mut correction = Correction::new(&[0.05; OUTPUT_COUNT]);
        let mut planner = Planner::new();
        let (mut knobs, mut unbelievable, mut error) = (vec![level0], 0, 0.0);
        for _ in 0..count {
            let current = *knobs.last().unwrap();
            let plan = planner.plan(&Situation {
                measured: &measured,
                prepared: &prepared,
                correction: &correction,
                weights: &Goal::Throughput.weights(),
                current: &current,
                jumps: &[level0],
                envelope: &ENVELOPE,
                trust: &Trust::around(
                    &level0,
                    &current,
                    &Needs { limit_bytes: 256e6, young_bytes_in_time: 256e6, growth: 16.0, ..Needs::default() },
                ),
                frozen: &Overrides::default(),
            });
            match plan {
                Plan::Move(next, steps) | Plan::Undo(next, steps) => {
                    correction.moved(&steps);
                    error += truth(&steps);
                    knobs.push(next);
                }
                Plan::Hold => {}
                Plan::Unbelievable => unbelievable += 1,
            }
            let predicted = predict(&measured, &prepared, knobs.last().unwrap());
            let mut observed = predicted;
            observed[Output::GcPerByte as usize] += error;
            correction.observe(&predicted, &observed);
            let allocated_bytes = 1 << 20;
            planner.observe(&Outcome {
                pause_ns: 1_000_000,
                gc_cpu_ns: (observed[Output::GcPerByte as usize].exp() * f64::from(allocated_bytes)) as u64,
                allocated_bytes: allocated_bytes as u64,
                committed_bytes_max: 64 << 20,
                ..Outcome::default()
            });
        }
        (knobs, unbelievable)
    }

    #[test]
    fn it_walks_to_the_bound_and_rests() {
        let (knobs, _) = plans(&likes("old_region", 1.0), 100, |_| 0.0);
        let sizes: Vec<u64> = knobs.iter().map(|k| k.old_region_bytes).collect();
        assert_eq!(sizes, [1 << 20, 4 << 20]);
    }

    #[test]
    fn indifferent_models_move_nothing() {
        let (knobs, _) = plans(&flat(0.0), 60, |_| 0.0);
        assert_eq!(knobs.len(), 1);
    }

    #[test]
    fn a_good_setting_far_away_is_reached_within_a_hundred_plans() {
        let (knobs, _) = plans(&likes("young", 3.0), 100, |_| 0.0);
        assert!(knobs.last().unwrap().young_bytes >= 16 * knobs[0].young_bytes);
    }

    #[test]
    fn a_move_that_does_not_pay_is_undone_and_not_repeated() {
        let dear = |steps: &Steps| 0.4 * f64::from(steps[crate::coordinate::Coordinate::OldRegion as usize]);
        let (knobs, _) = plans(&likes("old_region", 0.3), 100, dear);
        let sizes: Vec<u64> = knobs.iter().map(|k| k.old_region_bytes >> 20).collect();
        assert_eq!(sizes[..3], [1, 4, 1], "{sizes:?}");
        assert!(sizes[3..].iter().all(|size| *size <= 1), "{sizes:?}");
    }

    #[test]
    fn nonsense_is_not_believed() {
        let (knobs, unbelievable) = plans(&flat(9e5), 20, |_| 0.0);
        assert_eq!((knobs.len(), unbelievable), (1, 20));
    }
}
