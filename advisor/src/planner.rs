//! The planner: which knobs around the current ones the cost models like best, and whether that is worth a move.
//!
//! It must never know how a prediction is made, nor what the knobs do.
//!
//! Invariants
//! - L1. A plan lies in the trust region: at most a step away from the current knobs — a factor of 2 for sizes, 0.15 for
//!   the threshold — and within reach of the adaptive policy's own choice.
//! - L2. Knobs move only when the predicted gain beats the margin in several plans running; after a move they
//!   rest. Each move raises the margin, a move back more so; a change of the workload lowers it again. So a steady
//!   program comes to rest.
//! - L3. A candidate without finite, believable predictions is no candidate.

use tenure_gc::policy::{Envelope, Knobs};

use crate::correct::Correction;
use crate::features::{CANDIDATE_COUNT, Expected, candidate_features};
use crate::goal::Weights;
use crate::history::Measured;
use crate::model::{Output, Prediction, Prepared};

/// Plans in a row that must want a move.
const PERSISTENCE: u32 = 2;
/// The same for a move of region sizes alone, whose margin is small.
const PERSISTENCE_OF_REGIONS: u32 = 4;
/// Plans a move rests.
const REST: u32 = 4;
/// Predicted gain in cost that a move must beat: 2 % of the collector's time, say.
const MARGIN: f64 = 0.02;
/// The same when region sizes alone move: they hold for regions to come, nothing is converted, so trying one costs
/// next to nothing.
const MARGIN_OF_REGIONS: f64 = 0.004;
/// What each move multiplies the margin with, what each move back does, and the most it reaches.
const CAUTION_PER_MOVE: f64 = 1.25;
const CAUTION_PER_RETURN: f64 = 3.0;
const CAUTION_MAX: f64 = 64.0;
/// How far from the adaptive policy's choice a plan may be: factor of the young size, and threshold.
const YOUNG_REACH: u64 = 4;
const SHARE_REACH: f64 = 0.3;
/// How far outside the trust region held knobs may drift before they are recalled.
const RECALL_FACTOR: f64 = 1.75;
const RECALL_SHARE: f64 = 0.1;
/// Thresholds beyond these are never planned.
const SHARE_MIN: f64 = 0.1;
const SHARE_MAX: f64 = 0.9;
/// Thresholds tried around the current one.
const SHARE_STEP: f64 = 0.15;
const SHARE_STEPS: [f64; 5] = [0.0, -SHARE_STEP, -0.05, 0.05, SHARE_STEP];
/// Young sizes tried, in eighths of the current one.
const YOUNG_EIGHTHS: [u64; 5] = [8, 4, 6, 11, 16];
/// Predicted ln µs of a pause beyond which a model is talking nonsense: 100 s.
const PAUSE_LN_US_MAX: f64 = 18.4;

/// The knobs a plan moves, as signs of their last moves.
type Direction = [i8; 4];

/// What the planner wants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Plan {
    /// These knobs.
    Move(Knobs),
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
    /// The adaptive policy's choice.
    pub level0: &'a Knobs,
    /// The legal bounds.
    pub envelope: &'a Envelope,
}

/// Hysteresis between plans.
#[derive(Clone, Debug)]
pub struct Planner {
    wanted: u32,
    rest: u32,
    caution: f64,
    last: Direction,
}

impl Default for Planner {
    fn default() -> Planner {
        Planner::new()
    }
}

impl Planner {
    /// Nothing planned yet.
    pub fn new() -> Planner {
        Planner { wanted: 0, rest: 0, caution: 1.0, last: [0; 4] }
    }

    /// The workload has changed: old caution says nothing about the new one.
    pub fn workload_changed(&mut self) {
        *self = Planner::new();
    }

    /// A plan for the coming cycle.
    pub fn plan(&mut self, situation: &Situation<'_>) -> Plan {
        let stay = situation.cost(situation.current);
        let (mut best, mut best_of_regions) =
            ((f64::INFINITY, *situation.current), (f64::INFINITY, *situation.current));
        situation.each_candidate(|knobs| {
            let Some(cost) = situation.cost(&knobs) else { return };
            if cost < best.0 {
                best = (cost, knobs);
            }
            if cost < best_of_regions.0 && is_region_move(situation.current, &knobs) {
                best_of_regions = (cost, knobs);
            }
        });
        let (Some(stay), true) = (stay, best.0.is_finite()) else {
            self.wanted = 0;
            return Plan::Unbelievable;
        };
        self.rest = self.rest.saturating_sub(1);
        let mut persistence = PERSISTENCE;
        if stay - best.0 <= MARGIN * self.caution {
            best = best_of_regions;
            persistence = PERSISTENCE_OF_REGIONS;
            if stay - best.0 <= MARGIN_OF_REGIONS * self.caution {
                self.wanted = 0;
                return Plan::Hold;
            }
        }
        self.wanted += 1;
        if self.wanted < persistence || self.rest > 0 {
            return Plan::Hold;
        }
        let direction = direction(situation.current, &best.1);
        let returns = direction.iter().zip(&self.last).any(|(new, old)| new * old < 0);
        self.caution *= if returns { CAUTION_PER_RETURN } else { CAUTION_PER_MOVE };
        self.caution = self.caution.min(CAUTION_MAX);
        for (last, new) in self.last.iter_mut().zip(direction) {
            if new != 0 {
                *last = new;
            }
        }
        self.wanted = 0;
        self.rest = REST;
        Plan::Move(best.1)
    }
}

impl Situation<'_> {
    /// Predictions for `knobs`, before correction.
    pub fn predict(&self, knobs: &Knobs) -> Prediction {
        predict(self.measured, self.prepared, knobs)
    }

    /// The cost of `knobs`; none if the predictions are no numbers or beyond belief.
    fn cost(&self, knobs: &Knobs) -> Option<f64> {
        let prediction = self.correction.apply(&self.predict(knobs));
        let believable =
            prediction.iter().all(|p| p.is_finite()) && prediction[Output::Pause as usize].abs() < PAUSE_LN_US_MAX;
        let deviation = self.correction.deviation()[Output::Pause as usize];
        let cost = self.weights.cost(&prediction, deviation, self.measured.pause_goal_ln);
        (believable && cost.is_finite()).then_some(cost)
    }

    /// Calls `visit` with each candidate: the grid of steps around the current knobs, inside the trust region (L1).
    fn each_candidate(&self, mut visit: impl FnMut(Knobs)) {
        let current = self.current;
        let trust = Trust::around(self.level0, self.envelope);
        let legal = self.envelope.region_bytes_min..=self.envelope.region_bytes_max;
        for old_region_bytes in neighbours(current.old_region_bytes) {
            for eden_region_bytes in neighbours(current.eden_region_bytes) {
                if !legal.contains(&old_region_bytes) || !legal.contains(&eden_region_bytes) {
                    continue;
                }
                let regions = Knobs { old_region_bytes, eden_region_bytes, ..*current };
                let moved = u8::from(old_region_bytes != current.old_region_bytes)
                    + u8::from(eden_region_bytes != current.eden_region_bytes);
                for (i, step) in SHARE_STEPS.into_iter().enumerate() {
                    for (j, eighths) in YOUNG_EIGHTHS.into_iter().enumerate() {
                        // The corners of the grid add nothing but time: at most three knobs move at once, and the
                        // half steps only with at most one region size.
                        if moved == 2 && (i > 2 || j > 2) || moved == 1 && i > 2 && j > 2 {
                            continue;
                        }
                        let share = current.concurrent_start_share + step;
                        let young = (current.young_bytes / 8).saturating_mul(eighths);
                        visit(trust.nearest(&Knobs { concurrent_start_share: share, young_bytes: young, ..regions }));
                    }
                }
            }
        }
    }
}

/// Bounds around the adaptive policy's choice (L1).
#[derive(Clone, Copy, Debug)]
pub struct Trust {
    young_bytes: (u64, u64),
    share: (f64, f64),
}

impl Trust {
    /// The bounds around `level0`.
    pub fn around(level0: &Knobs, envelope: &Envelope) -> Trust {
        let (least, most) = (envelope.young_bytes_min, envelope.young_bytes_max.max(envelope.young_bytes_min));
        let share = level0.concurrent_start_share;
        Trust {
            young_bytes: (
                (level0.young_bytes / YOUNG_REACH).clamp(least, most),
                level0.young_bytes.saturating_mul(YOUNG_REACH).clamp(least, most),
            ),
            share: (
                (share - SHARE_REACH).clamp(SHARE_MIN, SHARE_MAX),
                (share + SHARE_REACH).clamp(SHARE_MIN, SHARE_MAX),
            ),
        }
    }

    /// What one step from `knobs` reaches.
    pub fn step(knobs: &Knobs, envelope: &Envelope) -> Trust {
        let (least, most) = (envelope.young_bytes_min, envelope.young_bytes_max.max(envelope.young_bytes_min));
        let share = knobs.concurrent_start_share;
        Trust {
            young_bytes: (
                (knobs.young_bytes / 2).clamp(least, most),
                knobs.young_bytes.saturating_mul(2).clamp(least, most),
            ),
            share: (share - SHARE_STEP, share + SHARE_STEP),
        }
    }

    /// `knobs`, unless they are well outside; then the nearest inside. The slack between keeps a bound that wavers from
    /// dragging the knobs along.
    pub fn recall(&self, knobs: &Knobs) -> Knobs {
        let near = self.nearest(knobs);
        let factor =
            knobs.young_bytes.max(near.young_bytes) as f64 / knobs.young_bytes.min(near.young_bytes).max(1) as f64;
        let distance = (knobs.concurrent_start_share - near.concurrent_start_share).abs();
        Knobs {
            young_bytes: if factor > RECALL_FACTOR { near.young_bytes } else { knobs.young_bytes },
            concurrent_start_share: if distance > RECALL_SHARE {
                near.concurrent_start_share
            } else {
                knobs.concurrent_start_share
            },
            ..*knobs
        }
    }

    /// The nearest knobs inside.
    pub fn nearest(&self, knobs: &Knobs) -> Knobs {
        Knobs {
            young_bytes: knobs.young_bytes.clamp(self.young_bytes.0, self.young_bytes.1),
            concurrent_start_share: knobs.concurrent_start_share.clamp(self.share.0, self.share.1),
            ..*knobs
        }
    }
}

/// Predictions for `knobs` in the state `measured`, which `prepared` has taken in.
pub fn predict(measured: &Measured, prepared: &Prepared<'_>, knobs: &Knobs) -> Prediction {
    let expected = Expected::new(measured, knobs);
    let features: [f64; CANDIDATE_COUNT] = candidate_features(measured, knobs, &expected);
    prepared.predict(&features)
}

/// A region size and the next ones.
fn neighbours(bytes: u64) -> [u64; 3] {
    [bytes, bytes / 2, bytes.saturating_mul(2)]
}

/// Whether nothing but region sizes differs.
fn is_region_move(from: &Knobs, to: &Knobs) -> bool {
    from.young_bytes == to.young_bytes && from.concurrent_start_share == to.concurrent_start_share
}

/// Which way each knob goes.
fn direction(from: &Knobs, to: &Knobs) -> Direction {
    let sign = |ordering: std::cmp::Ordering| ordering as i8;
    [
        sign(to.old_region_bytes.cmp(&from.old_region_bytes)),
        sign(to.eden_region_bytes.cmp(&from.eden_region_bytes)),
        sign(to.concurrent_start_share.total_cmp(&from.concurrent_start_share)),
        sign(to.young_bytes.cmp(&from.young_bytes)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::{CANDIDATE_FEATURES, STATE_COUNT, state_features};
    use crate::goal::Goal;
    use crate::history::History;
    use crate::model::{Model, ModelFile, tests::flat};
    use tenure_gc::policy::Snapshot;

    const ENVELOPE: Envelope = Envelope {
        region_bytes_min: 64 << 10,
        region_bytes_max: 4 << 20,
        young_bytes_min: 1 << 20,
        young_bytes_max: 64 << 20,
        limit_bytes: 256 << 20,
    };

    /// A model whose cost falls with `feature`.
    fn likes(feature: &str, weight: f64) -> ModelFile {
        let mut file = flat(0.0);
        let index = CANDIDATE_FEATURES.iter().position(|f| f.name == feature).unwrap();
        file.outputs[Output::GcPerByte as usize].weights[STATE_COUNT + index] = -weight;
        file
    }

    fn plans(file: &ModelFile, count: usize) -> (Vec<Knobs>, usize) {
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
        let correction = Correction::new(&[0.1; crate::model::OUTPUT_COUNT]);
        let mut planner = Planner::new();
        let mut knobs = vec![level0];
        let mut unbelievable = 0;
        for _ in 0..count {
            let current = *knobs.last().unwrap();
            let plan = planner.plan(&Situation {
                measured: &measured,
                prepared: &prepared,
                correction: &correction,
                weights: &Goal::Throughput.weights(),
                current: &current,
                level0: &level0,
                envelope: &ENVELOPE,
            });
            match plan {
                Plan::Move(next) => knobs.push(next),
                Plan::Hold => {}
                Plan::Unbelievable => unbelievable += 1,
            }
        }
        (knobs, unbelievable)
    }

    #[test]
    fn it_walks_to_the_bound_in_steps_of_two_and_rests() {
        let (knobs, _) = plans(&likes("old_region", 1.0), 60);
        let sizes: Vec<u64> = knobs.iter().map(|k| k.old_region_bytes).collect();
        assert_eq!(sizes, [1 << 20, 2 << 20, 4 << 20]);
    }

    #[test]
    fn indifferent_models_move_nothing() {
        let (knobs, _) = plans(&flat(0.0), 60);
        assert_eq!(knobs.len(), 1);
    }

    #[test]
    fn the_trust_region_holds() {
        let (knobs, _) = plans(&likes("young", 3.0), 100);
        let (first, last) = (knobs[0], knobs.last().unwrap());
        assert!(last.young_bytes > first.young_bytes && last.young_bytes <= first.young_bytes * YOUNG_REACH);
        let (knobs, _) = plans(&likes("threshold", -9.0), 100);
        let last = knobs.last().unwrap();
        assert!((last.concurrent_start_share - (0.45 - SHARE_REACH)).abs() < 1e-9, "{}", last.concurrent_start_share);
        for pair in knobs.windows(2) {
            assert!((pair[0].concurrent_start_share - pair[1].concurrent_start_share).abs() < 0.15 + 1e-9);
        }
    }

    #[test]
    fn nonsense_is_not_believed() {
        let (knobs, unbelievable) = plans(&flat(9e5), 20);
        assert_eq!((knobs.len(), unbelievable), (1, 20));
    }

    #[test]
    fn about_150_candidates_are_looked_at() {
        let snapshot = Snapshot { limit_bytes: 256 << 20, ..Snapshot::default() };
        let model = Model::new(&flat(0.0)).unwrap();
        let measured = Measured { limit_bytes: 1e8, pause_goal_ln: 16.1, ..Measured::default() };
        let level0 = ENVELOPE.initial(&snapshot);
        let situation = Situation {
            measured: &measured,
            prepared: &model.prepare(&state_features(&measured)),
            correction: &Correction::new(&[0.1; crate::model::OUTPUT_COUNT]),
            weights: &Goal::Memory.weights(),
            current: &level0,
            level0: &level0,
            envelope: &ENVELOPE,
        };
        let mut count = 0;
        situation.each_candidate(|_| count += 1);
        assert!((140..=170).contains(&count), "{count}");
    }
}
