//! The advisor as a policy of the heap: measures, asks the guard whose turn it is, lets the planner decide, and learns
//! what came of it.
//!
//! The adaptive policy's decision (level 0) is computed in every cycle; it is the fallback and the centre of the
//! planner's trust region.
//!
//! Invariants
//! - A1. `decide` and `observe` neither allocate nor fail, whatever numbers they are given.
//! - A2. Without a usable model every decision is the adaptive policy's own, with [`Reason::NoModel`], and counted.
//! - A3. The knobs that the model does not choose follow the adaptive policy.

use std::sync::Arc;

use tenure_gc::policy::{Decision, Envelope, Knobs, Outcome, Policy, Reason, Snapshot};

use crate::class::Classifier;
use crate::correct::Correction;
use crate::counters::Counters;
use crate::features::{STATE_COUNT, state_features};
use crate::forecast::Forecaster;
use crate::foresight::Foresight;
use crate::goal::{Goal, Weights};
use crate::guard::{Guard, Outlook, Turn};
use crate::history::{History, Measured};
use crate::math::exp;
use crate::model::{Model, Output, Prediction};
use crate::observed::observed;
use crate::planner::{Plan, Planner, Situation, Trust, predict};
use crate::smooth::Smoother;

/// Plans are at least this far apart: 200 a second. In between, knobs are held.
const PLAN_PERIOD_NS: u64 = 5_000_000;
/// Change of a followed size below which the knob stays as it is.
const FOLLOW_GROWTH: f64 = 1.1;
const FOLLOW_SHRINKAGE: f64 = 0.75;
/// Change of the tenuring age below which it stays as it is.
const FOLLOW_AGE: u8 = 3;

/// The learned policy.
pub struct Advisor {
    level0: Box<dyn Policy>,
    learned: Option<Box<Learned>>,
    counters: Arc<Counters>,
}

/// All that only exists with a model.
struct Learned {
    model: Arc<Model>,
    weights: Weights,
    foresight: Foresight,
    history: History,
    smoother: Smoother,
    correction: Correction,
    planner: Planner,
    guard: Guard,
    baseline_state: [f64; STATE_COUNT],
    last_plan_ns: Option<u64>,
    /// The knobs to return to after a probe.
    held: Option<Knobs>,
    pending: Option<Pending>,
}

/// What is needed when the outcome of a decision comes.
#[derive(Clone, Copy)]
struct Pending {
    predicted: Prediction,
    advised: bool,
    pause_goal_ln: f64,
}

impl Advisor {
    /// An advisor over `level0`, the policy it falls back to; without a model it is `level0` under another name.
    pub(crate) fn over(level0: Box<dyn Policy>, model: Option<Arc<Model>>) -> Advisor {
        let learned = model.map(|model| Box::new(Learned::new(model, Goal::default())));
        Advisor { level0, learned, counters: Arc::new(Counters::default()) }
    }

    /// The same advisor with another goal.
    pub fn with_goal(mut self, goal: Goal) -> Advisor {
        if let Some(learned) = &mut self.learned {
            learned.weights = goal.weights();
        }
        self
    }

    /// Whether there is a model.
    pub fn has_model(&self) -> bool {
        self.learned.is_some()
    }

    /// A forecaster with this advisor's model that has seen nothing yet.
    pub fn forecaster(&self) -> Forecaster {
        Forecaster::new(
            self.learned.as_ref().map_or_else(Arc::default, |learned| Arc::clone(learned.model.forecasts())),
        )
    }

    /// A classifier with this advisor's model that has seen nothing yet.
    pub fn classifier(&self) -> Classifier {
        Classifier::new(self.learned.as_ref().map_or_else(Arc::default, |learned| Arc::clone(learned.model.classes())))
    }

    /// What the advisor's decisions were, and what it tells of the run; stays readable when the heap owns the advisor.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }
}

impl Policy for Advisor {
    fn name(&self) -> &'static str {
        "advisor"
    }

    fn decide(&mut self, snapshot: &Snapshot, current: &Knobs, envelope: &Envelope) -> Decision {
        let mut level0 = self.level0.decide(snapshot, current, envelope);
        level0.knobs = envelope.clamp(&level0.knobs, current);
        let decision = match &mut self.learned {
            None => Decision { reason: Reason::NoModel, ..level0 },
            Some(learned) => learned.decide(snapshot, current, &level0.knobs, envelope),
        };
        self.counters.count(decision.reason);
        if let Some(learned) = &self.learned {
            learned.foresight.tell(self.counters.told());
        }
        decision
    }

    fn observe(&mut self, outcome: &Outcome) {
        self.level0.observe(outcome);
        if let Some(learned) = &mut self.learned {
            learned.observe(outcome);
        }
    }
}

impl Learned {
    fn new(model: Arc<Model>, goal: Goal) -> Learned {
        Learned {
            weights: goal.weights(),
            foresight: Foresight::new(&model),
            history: History::new(),
            smoother: Smoother::default(),
            correction: Correction::new(model.errors()),
            planner: Planner::new(),
            guard: Guard::new(),
            baseline_state: [0.0; STATE_COUNT],
            last_plan_ns: None,
            held: None,
            pending: None,
            model,
        }
    }

    fn decide(&mut self, snapshot: &Snapshot, current: &Knobs, level0: &Knobs, envelope: &Envelope) -> Decision {
        self.history.push(snapshot);
        self.foresight.observe(snapshot);
        let now = self.history.measure(snapshot, current);
        let (smooth, changed) = self.smoother.update(&now);
        if changed {
            self.planner.workload_changed();
            self.guard.workload_changed();
        }
        let state = state_features(&smooth);
        let model = Arc::clone(&self.model);
        let prepared = model.prepare(&state);
        if self.history.seen() <= crate::guard::WARMUP || self.guard.is_measuring_baseline() {
            self.baseline_state = state;
        }
        // After a probe the knobs in force are the adaptive policy's; the plan goes on from the ones held before it.
        let held = self.held.unwrap_or(*current);
        let outlook = Outlook {
            distance: prepared.distance(),
            distance_max: model.distance_max(),
            outside: prepared.outside(),
            drift: model.drift(&state, &self.baseline_state),
            moved: moved(&held, level0),
        };
        let turn = self.guard.turn(self.history.seen() - 1, &outlook);
        let (knobs, reason) = match turn {
            Turn::Warmup => self.yield_to(level0, Reason::Warmup),
            Turn::Foreign => self.yield_to(level0, Reason::OutOfDistribution),
            Turn::Fallback => self.yield_to(level0, Reason::Guard),
            Turn::Probe => {
                self.held = Some(held);
                // What takes longer than a probe to tell stays: a lower threshold would only pull the next marking
                // into the probe, and blame the adaptive policy for it.
                let probe = Knobs {
                    old_region_bytes: held.old_region_bytes,
                    concurrent_start_share: held.concurrent_start_share,
                    ..*level0
                };
                (probe, Reason::Probe)
            }
            Turn::Model => {
                let base = follow(&held, level0, envelope);
                let situation = Situation {
                    measured: &smooth,
                    prepared: &prepared,
                    correction: &self.correction,
                    weights: &self.weights,
                    current: &base,
                    level0,
                    envelope,
                };
                let planned =
                    self.last_plan_ns.is_none_or(|last| snapshot.uptime_ns >= last.saturating_add(PLAN_PERIOD_NS));
                // Knobs just pulled towards the adaptive policy's have made their step.
                let pulled =
                    base.young_bytes != held.young_bytes || base.concurrent_start_share != held.concurrent_start_share;
                let plan = if planned && !pulled {
                    self.last_plan_ns = Some(snapshot.uptime_ns);
                    self.planner.plan(&situation)
                } else {
                    Plan::Hold
                };
                match plan {
                    Plan::Move(knobs) => self.advise(envelope.clamp(&knobs, &base), Reason::Model),
                    Plan::Hold => self.advise(base, Reason::Hold),
                    Plan::Unbelievable => {
                        self.guard.distrust();
                        self.yield_to(level0, Reason::Guard)
                    }
                }
            }
        };
        self.answer(&now, knobs, reason, turn)
    }

    /// The model's knobs, to be held.
    fn advise(&mut self, knobs: Knobs, reason: Reason) -> (Knobs, Reason) {
        self.held = Some(knobs);
        (knobs, reason)
    }

    /// The adaptive policy's knobs; what the model held is forgotten.
    fn yield_to(&mut self, level0: &Knobs, reason: Reason) -> (Knobs, Reason) {
        self.held = None;
        (*level0, reason)
    }

    /// The decision, with what is predicted of it from the state as it is now.
    fn answer(&mut self, now: &Measured, knobs: Knobs, reason: Reason, turn: Turn) -> Decision {
        let predicted = predict(now, &self.model.prepare(&state_features(now)), &knobs);
        let corrected = self.correction.apply(&predicted);
        self.pending = Some(Pending {
            predicted,
            advised: matches!(turn, Turn::Model) && reason != Reason::Guard,
            pause_goal_ln: now.pause_goal_ln,
        });
        Decision {
            predicted_pause_ns: exp(corrected[Output::Pause as usize]) * 1e3,
            predicted_gc_ns_per_byte: exp(corrected[Output::GcPerByte as usize]),
            ..Decision::plain(knobs, reason)
        }
    }

    fn observe(&mut self, outcome: &Outcome) {
        let Some(pending) = self.pending.take() else { return };
        if outcome.unfinished {
            return;
        }
        let outputs = observed(outcome);
        self.correction.observe(&pending.predicted, &outputs);
        // The first cycles of a program are its start-up; they are no baseline.
        if self.history.seen() > 2 {
            self.guard.record(pending.advised, self.weights.cost(&outputs, 0.0, pending.pause_goal_ln));
        }
    }
}

/// `held` with the knobs that the model does not choose brought after `level0`'s, small changes left out, and the ones
/// that it does choose kept within reach of `level0`'s.
fn follow(held: &Knobs, level0: &Knobs, envelope: &Envelope) -> Knobs {
    let growth = level0.heap_target_bytes as f64 / held.heap_target_bytes.max(1) as f64;
    let target_moves = !(FOLLOW_SHRINKAGE..=FOLLOW_GROWTH).contains(&growth);
    let age_moves = level0.tenuring_age.abs_diff(held.tenuring_age) >= FOLLOW_AGE;
    let wanted = Knobs {
        large_object_bytes: level0.large_object_bytes,
        tenuring_age: if age_moves { level0.tenuring_age } else { held.tenuring_age },
        mixed_pause_count: level0.mixed_pause_count,
        mixed_live_share: level0.mixed_live_share,
        heap_target_bytes: if target_moves { level0.heap_target_bytes } else { held.heap_target_bytes },
        uncommit_delay_ns: level0.uncommit_delay_ns,
        ..*held
    };
    let near = Trust::around(level0, envelope).recall(&wanted);
    envelope.clamp(&Trust::step(held, envelope).nearest(&near), held)
}

/// Whether a probe would differ from what is held, in a way that could cost.
fn moved(held: &Knobs, level0: &Knobs) -> bool {
    held.eden_region_bytes != level0.eden_region_bytes
        || !(0.8..=1.25).contains(&(held.young_bytes as f64 / level0.young_bytes.max(1) as f64))
}
