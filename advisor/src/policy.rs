//! The advisor as a policy of the heap: measures, asks the guard whose turn it is, lets the planner decide, and learns
//! what came of it.
//!
//! The adaptive policy's decision (level 0) is computed in every cycle; it is the fallback and the centre of the
//! planner's trust region.
//!
//! Invariants
//! - A1. `decide` and `observe` neither allocate nor fail, whatever numbers they are given.
//! - A2. Without a usable model every decision is the adaptive policy's own, with [`Reason::NoModel`], and counted.
//! - A3. A knob that no plan has moved follows the adaptive policy.
//! - A4. A frozen knob has its value in every decision, whoever makes it.
//! - A5. The model decides at most 100 times a second, and as seldom as [`Pace`] lets it; what stands in between costs no prediction. Nor
//!   does more often the adaptive policy's turn, after its warm-up and but for probes.
//! - A6. In the shadow the knobs in force are the adaptive policy's; what the advisor would have stands beside them.

use std::sync::Arc;

use tenure_gc::policy::{Decision, Envelope, Knobs, Outcome, Overrides, Policy, Reason, Snapshot};

use crate::class::Classifier;
use crate::coordinate::{Coordinate, NO_STEPS, PLANNED, PLANNED_COUNT, Steps, steps_between};
use crate::correct::Correction;
use crate::counters::Counters;
use crate::features::{STATE_COUNT, state_features};
use crate::forecast::Forecaster;
use crate::foresight::Foresight;
use crate::goal::{Goal, Weights};
use crate::guard::{Guard, Outlook, Turn, WARMUP};
use crate::history::{History, Measured};
use crate::math::exp;
use crate::model::{Model, Output, Prediction};
use crate::observed::observed;
use crate::pace::{PERIOD_NS_MAX, Pace};
use crate::planner::{Plan, Planner, Situation, predict};
use crate::smooth::Smoother;
use crate::trust::{Needs, Trust};

/// Change of a followed size below which the knob stays as it is.
const FOLLOW_GROWTH: f64 = 1.1;
const FOLLOW_SHRINKAGE: f64 = 0.75;
const FOLLOW_YOUNG: f64 = 1.5;
/// Change of the threshold below which it stays as it is.
const FOLLOW_SHARE: f64 = 0.25;
/// Change of the tenuring age below which it stays as it is.
const FOLLOW_AGE: u8 = 3;
/// Cycles after a full collection or a failed copy in which each change is followed: what room is left, the adaptive policy answers for.
const FOLLOW_AFTER_FAILURE: u32 = 32;
/// Change of the smoothed state from one decision to the next, in standard scores, below which the next may wait.
const CALM_DRIFT: f64 = 0.05;
/// What shows within a probe. Of the others a probe would only bring the next marking nearer, and blame the adaptive policy.
const QUICK: [Coordinate; 4] = [Coordinate::EdenRegion, Coordinate::Young, Coordinate::LargeObject, Coordinate::Age];

/// The learned policy.
pub struct Advisor {
    level0: Box<dyn Policy>,
    learned: Option<Box<Learned>>,
    frozen: Overrides,
    shadow: bool,
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
    /// The state in which the adaptive policy last decided.
    baseline_state: [f64; STATE_COUNT],
    /// The state of the decision before.
    decided_state: [f64; STATE_COUNT],
    /// The last decision, as long as a turn lasts that is worth looking at as seldom as [`Pace`] lets it.
    standing: Option<Standing>,
    pace: Pace,
    /// The knobs to return to after a probe.
    held: Option<Knobs>,
    /// Which of them a plan has moved.
    owned: [bool; PLANNED_COUNT],
    /// Cycles to come in which the others follow each change.
    following: u32,
    pending: Option<Pending>,
}

/// What is needed when the outcome of a decision comes.
#[derive(Clone, Copy)]
struct Pending {
    /// For the knobs in force.
    predicted: Prediction,
    /// For the adaptive policy's; for the ones in force, if those stand in for it.
    baseline: Prediction,
    advised: bool,
    /// A probe or a review: nothing that a plan is to be judged by.
    is_probe: bool,
    pause_goal_ln: f64,
}

/// A decision that stands until the next is due.
#[derive(Clone, Copy)]
struct Standing {
    decision: Decision,
    pending: Pending,
    by_model: bool,
}

/// Who wants what.
struct Wishes<'a> {
    level0: &'a Knobs,
    envelope: &'a Envelope,
    frozen: &'a Overrides,
    /// The advisor's knobs don't come into force.
    shadow: bool,
}

impl Wishes<'_> {
    /// `knobs` with what is frozen, within the legal bounds around `held` (A4).
    fn legal(&self, knobs: Knobs, held: &Knobs) -> Knobs {
        self.envelope.clamp(&self.frozen.apply(knobs), held)
    }
}

impl Advisor {
    /// The longest that a decision of the model's stands, in ns of the heap's uptime.
    pub const STANDING_NS_MAX: u64 = PERIOD_NS_MAX;

    /// An advisor over `level0`, the policy it falls back to; without a model it is `level0` under another name.
    pub(crate) fn over(level0: Box<dyn Policy>, model: Option<Arc<Model>>) -> Advisor {
        let forecasts = model.as_ref().map_or_else(Arc::default, |model| Arc::clone(model.forecasts()));
        let learned = model.map(|model| Box::new(Learned::new(model, Goal::default())));
        let counters = Arc::new(Counters::new(forecasts));
        Advisor { level0, learned, frozen: Overrides::default(), shadow: false, counters }
    }

    /// The same advisor with another goal.
    pub fn with_goal(mut self, goal: Goal) -> Advisor {
        if let Some(learned) = &mut self.learned {
            learned.weights = goal.weights();
        }
        self
    }

    /// The same advisor with knobs that always have these values: what is left to the advisor shows what the knob is worth.
    pub fn with_frozen(mut self, knobs: Overrides) -> Advisor {
        self.frozen = knobs;
        self
    }

    /// The same advisor in the shadow: it decides and is recorded, but the adaptive policy's knobs are in force.
    pub fn in_shadow(mut self) -> Advisor {
        self.shadow = true;
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
        level0.knobs = envelope.clamp(&self.frozen.apply(level0.knobs), current);
        let decision = match &mut self.learned {
            None => Decision { reason: Reason::NoModel, advised: level0.knobs, ..level0 },
            Some(learned) => {
                let (frozen, shadow) = (&self.frozen, self.shadow);
                let wishes = Wishes { level0: &level0.knobs, envelope, frozen, shadow };
                learned.history.push(snapshot);
                let has_failed = learned.history.newest(snapshot).failed;
                learned.following = if has_failed { FOLLOW_AFTER_FAILURE } else { learned.following.saturating_sub(1) };
                learned.foresight.observe(snapshot, self.counters.told());
                learned.stand(snapshot, &wishes).unwrap_or_else(|| {
                    learned.foresight.classify(self.counters.told());
                    learned.decide(snapshot, current, &wishes)
                })
            }
        };
        self.counters.count(decision.reason);
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
            decided_state: [0.0; STATE_COUNT],
            standing: None,
            pace: Pace::default(),
            held: None,
            owned: [false; PLANNED_COUNT],
            following: 0,
            pending: None,
            model,
        }
    }

    /// The last decision once more, if the next is not due: what came of the knobs is learnt in each cycle, but the state
    /// that they were chosen for is hardly another. In the adaptive policy's turn that is whatever it decides now.
    fn stand(&mut self, snapshot: &Snapshot, wishes: &Wishes<'_>) -> Option<Decision> {
        let standing = self.standing?;
        let is_due = self.pace.is_due(snapshot.uptime_ns, &self.history.newest(snapshot));
        if is_due || !(standing.by_model || self.guard.goes_on()) {
            return None;
        }
        self.pending = Some(standing.pending);
        if !standing.by_model {
            return Some(Decision { knobs: *wishes.level0, advised: *wishes.level0, ..standing.decision });
        }
        let held = self.follow(&standing.decision.advised, wishes.level0);
        let advised = wishes.legal(held, &held);
        let knobs = if wishes.shadow { *wishes.level0 } else { advised };
        Some(Decision { knobs, advised, reason: Reason::Hold, ..standing.decision })
    }

    fn decide(&mut self, snapshot: &Snapshot, current: &Knobs, wishes: &Wishes<'_>) -> Decision {
        let now = self.history.measure(snapshot, current);
        let (smooth, changed) = self.smoother.update(&now);
        if changed {
            self.planner.workload_changed();
            self.correction.forget_directions();
            self.guard.workload_changed();
        }
        let state = state_features(&smooth);
        let model = Arc::clone(&self.model);
        let prepared = model.prepare(&state);
        // After a probe the knobs in force are the adaptive policy's; the plan goes on from the ones held before it.
        let held = self.held.unwrap_or(*wishes.level0);
        let probe = QUICK.iter().fold(held, |knobs, quick| quick.copied(wishes.level0, &knobs));
        let seen = self.history.seen() - 1;
        let outlook = Outlook {
            distance: prepared.distance(),
            distance_max: model.distance_max(),
            outside: prepared.outside(),
            drift: if seen < WARMUP { 0.0 } else { model.drift(&state, &self.baseline_state) },
            moved: steps_between(&probe, &held) != NO_STEPS,
            planned: self.owned.contains(&true),
        };
        let turn = self.guard.turn(seen, &outlook);
        if turn != Turn::Model {
            self.baseline_state = state;
            self.correction.interrupted();
        }
        if turn == Turn::Fallback && self.held.is_some() {
            self.planner.overruled();
        }
        let (advised, reason) = match turn {
            Turn::Warmup => self.yield_to(wishes.level0, Reason::Warmup),
            Turn::Foreign => self.yield_to(wishes.level0, Reason::OutOfDistribution),
            Turn::Fallback => self.yield_to(wishes.level0, Reason::Guard),
            Turn::Probe => {
                self.held = Some(held);
                (probe, Reason::Probe)
            }
            Turn::Review => {
                self.held = Some(held);
                (*wishes.level0, Reason::Probe)
            }
            Turn::Model => {
                let needs = Needs::of(&now, &smooth, self.history.survival_at_most());
                let trust = Trust::around(wishes.level0, &held, &needs);
                let base = wishes.legal(trust.nearest(&self.follow(&held, wishes.level0)), &held);
                let prior = self.foresight.prior().map(|prior| prior.over(wishes.level0, wishes.envelope));
                let known = [*wishes.level0, prior.unwrap_or(*wishes.level0)];
                let situation = Situation {
                    measured: &smooth,
                    prepared: &prepared,
                    correction: &self.correction,
                    weights: &self.weights,
                    current: &base,
                    jumps: if known[0] == known[1] { &known[..1] } else { &known },
                    envelope: wishes.envelope,
                    trust: &trust,
                    frozen: wishes.frozen,
                };
                match self.planner.plan(&situation) {
                    Plan::Move(knobs, steps) => self.advise(knobs, &steps, Reason::Model, wishes),
                    Plan::Undo(knobs, steps) => self.advise(knobs, &steps, Reason::Undo, wishes),
                    Plan::Hold => self.advise(base, &NO_STEPS, Reason::Hold, wishes),
                    Plan::Unbelievable => {
                        self.guard.distrust();
                        self.yield_to(wishes.level0, Reason::Guard)
                    }
                }
            }
        };
        let by_model = matches!(reason, Reason::Model | Reason::Undo | Reason::Hold);
        let (decision, pending) = self.answer(&now, advised, reason, by_model, wishes);
        self.pending = Some(pending);
        let stands = by_model || matches!(turn, Turn::Fallback | Turn::Foreign | Turn::Review);
        self.standing = stands.then_some(Standing { decision, pending, by_model });
        let calm = !changed && model.drift(&state, &self.decided_state) < CALM_DRIFT;
        let at_rest = calm && reason == Reason::Hold && self.planner.is_at_rest() && !self.correction.is_trying();
        self.pace.decided(snapshot.uptime_ns, &now, &smooth, at_rest && !self.guard.is_uneasy());
        self.decided_state = state;
        decision
    }

    /// The model's knobs, to be held.
    fn advise(&mut self, knobs: Knobs, steps: &Steps, reason: Reason, wishes: &Wishes<'_>) -> (Knobs, Reason) {
        self.held = Some(knobs);
        if *steps != NO_STEPS {
            self.owned.iter_mut().zip(steps).for_each(|(owned, steps)| *owned |= *steps != 0);
            // What doesn't come into force can't be tried.
            if !wishes.shadow {
                self.correction.moved(steps);
            }
        }
        (knobs, reason)
    }

    /// The adaptive policy's knobs; what the model held is forgotten.
    fn yield_to(&mut self, level0: &Knobs, reason: Reason) -> (Knobs, Reason) {
        self.held = None;
        self.owned = [false; PLANNED_COUNT];
        (*level0, reason)
    }

    /// `held` with what the adaptive policy decides anew in each cycle, and the knobs that no plan has moved brought after the
    /// adaptive policy's (A3).
    fn follow(&self, held: &Knobs, level0: &Knobs) -> Knobs {
        let mut knobs = Knobs { next_kind: level0.next_kind, idle_delay_ns: level0.idle_delay_ns, ..*held };
        for ((coordinate, _), owned) in PLANNED.into_iter().zip(self.owned) {
            if !owned && (self.following > 0 || is_worth_following(coordinate, held, level0)) {
                knobs = coordinate.copied(level0, &knobs);
            }
        }
        knobs
    }

    /// The decision, with what is predicted of it from the state as it is now.
    fn answer(
        &self,
        now: &Measured,
        advised: Knobs,
        reason: Reason,
        by_model: bool,
        wishes: &Wishes<'_>,
    ) -> (Decision, Pending) {
        let knobs = if wishes.shadow { *wishes.level0 } else { advised };
        // As long as no plan has moved anything, what it costs is what the adaptive policy costs.
        let by_model = by_model && !wishes.shadow && self.owned.contains(&true);
        let model = Arc::clone(&self.model);
        let prepared = model.prepare(&state_features(now));
        let predicted = predict(now, &prepared, &knobs);
        let baseline = if by_model { predict(now, &prepared, wishes.level0) } else { predicted };
        let corrected = self.correction.apply(&predicted, &NO_STEPS);
        let decision = Decision {
            advised,
            predicted_pause_ns: exp(corrected[Output::Pause as usize]) * 1e3,
            predicted_gc_ns_per_byte: exp(corrected[Output::GcPerByte as usize]),
            ..Decision::plain(knobs, reason)
        };
        let (is_probe, pause_goal_ln) = (reason == Reason::Probe, now.pause_goal_ln);
        (decision, Pending { predicted, baseline, advised: by_model, is_probe, pause_goal_ln })
    }

    fn observe(&mut self, outcome: &Outcome) {
        let Some(pending) = self.pending.take() else { return };
        if outcome.unfinished {
            return;
        }
        let outputs = observed(outcome);
        self.correction.observe(&pending.predicted, &outputs);
        if !pending.is_probe {
            self.planner.observe(outcome);
        }
        // The first cycles of a program are its start-up; they are no baseline.
        if self.history.seen() > 2 {
            let cost = |outputs: &Prediction| self.weights.cost(outputs, 0.0, pending.pause_goal_ln);
            self.guard.record(pending.advised, cost(&outputs), cost(&pending.baseline));
            if self.guard.is_uneasy() {
                self.pace.hurry();
            }
        }
    }
}

/// Whether a knob has gone so far from what is held that it is worth a change.
fn is_worth_following(coordinate: Coordinate, held: &Knobs, level0: &Knobs) -> bool {
    match coordinate {
        Coordinate::HeapTarget => {
            let growth = level0.heap_target_bytes as f64 / held.heap_target_bytes.max(1) as f64;
            !(FOLLOW_SHRINKAGE..=FOLLOW_GROWTH).contains(&growth)
        }
        Coordinate::Young => {
            let growth = level0.young_bytes as f64 / held.young_bytes.max(1) as f64;
            !(1.0 / FOLLOW_YOUNG..=FOLLOW_YOUNG).contains(&growth)
        }
        Coordinate::Threshold => (level0.concurrent_start_share - held.concurrent_start_share).abs() > FOLLOW_SHARE,
        Coordinate::Age => level0.tenuring_age.abs_diff(held.tenuring_age) >= FOLLOW_AGE,
        _ => true,
    }
}
