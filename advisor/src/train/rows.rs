//! From the cycles of a run to rows of features and targets.

use tenure_gc::Cycle;
use tenure_gc::policy::Knobs;

use crate::features::{STATE_COUNT, candidate_features, state_features};
use crate::history::{History, Measured};
use crate::model::{OUTPUT_COUNT, Output, Prediction};
use crate::observed::{footprint, gc_per_byte, observed, risk};

use super::{Run, WIDTH};

/// Cycles that must have been seen before a row is taken.
const HISTORY_MIN: u64 = 4;
/// Cycles of a hold that count for its row.
const HOLD_MAX: usize = 8;
/// Holds in a row that are compared with each other: their states differ little, their knobs a lot.
pub(super) const RIVALS: usize = 8;

/// State features, then candidate features.
pub(super) type Features = [f64; WIDTH];

/// A hold as the model sees it.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) run: usize,
    pub(super) family: usize,
    /// The state before it, and its knobs.
    pub(super) measured: Measured,
    pub(super) knobs: Knobs,
    pub(super) features: Features,
    /// The same knobs as seen from the state before the first of its rivals: what a planner would have compared there.
    pub(super) from_first: Features,
    /// Which holds of the run it is compared with.
    pub(super) rivals: usize,
    /// ln of the user's goal in ns.
    pub(super) pause_goal_ln: f64,
    pub(super) targets: Prediction,
}

/// The rows of a run; `left_out` counts the holds in which a number is none.
pub(super) fn rows_of(run: &Run, index: usize, left_out: &mut usize) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut history = History::new();
    let mut first = None;
    for (at, cycle) in run.cycles.iter().enumerate() {
        history.push(&cycle.snapshot);
        let Some(before) = at.checked_sub(1).map(|i| &run.cycles[i]) else { continue };
        if before.decision.knobs == cycle.decision.knobs || history.seen() < HISTORY_MIN {
            continue;
        }
        let held = hold(&run.cycles[at..]);
        if held.is_empty() {
            continue;
        }
        let knobs = &cycle.decision.knobs;
        let measured = history.measure(&cycle.snapshot, &before.decision.knobs);
        if rows.len().is_multiple_of(RIVALS) {
            first = Some(measured);
        }
        let features = features(&measured, knobs);
        let row = Row {
            run: index,
            family: 0,
            measured,
            knobs: *knobs,
            features,
            from_first: first.as_ref().map_or(features, |first| self::features(first, knobs)),
            rivals: rows.len() / RIVALS,
            pause_goal_ln: measured.pause_goal_ln,
            targets: targets(held),
        };
        if row.features.iter().chain(&row.from_first).chain(&row.targets).all(|value| value.is_finite()) {
            rows.push(row);
        } else {
            *left_out += 1;
        }
    }
    rows
}

/// What a model is told of `knobs` in a state.
pub(super) fn features(measured: &Measured, knobs: &Knobs) -> Features {
    let mut features = [0.0; WIDTH];
    let (state, candidate) = features.split_at_mut(STATE_COUNT);
    state.copy_from_slice(&state_features(measured));
    candidate.copy_from_slice(&candidate_features(measured, knobs));
    features
}

/// The cycles from the first on that ran to their end with its knobs.
fn hold(cycles: &[Cycle]) -> &[Cycle] {
    let same = |cycle: &&Cycle| cycles[0].decision.knobs == cycle.decision.knobs && !cycle.outcome.unfinished;
    &cycles[..cycles.iter().take(HOLD_MAX).take_while(same).count()]
}

/// What the hold's cycles cost, in the order of [`crate::model::Output`].
fn targets(held: &[Cycle]) -> Prediction {
    let count = held.len() as f64;
    let pauses = || held.iter().map(|c| observed(&c.outcome)[Output::Pause as usize]);
    let pause = pauses().sum::<f64>() / count;
    let longest = pauses().fold(f64::NEG_INFINITY, f64::max);
    let gc_cpu_ns = held.iter().map(|c| c.outcome.gc_cpu_ns).sum();
    let allocated = held.iter().map(|c| c.outcome.allocated_bytes).sum();
    let committed = held.iter().map(|c| c.outcome.committed_bytes_max).max().unwrap_or(0);
    let mut targets = [0.0; OUTPUT_COUNT];
    targets[Output::Pause as usize] = pause;
    targets[Output::GcPerByte as usize] = gc_per_byte(gc_cpu_ns, allocated);
    targets[Output::Footprint as usize] = footprint(committed);
    targets[Output::Risk as usize] = held.iter().map(|c| risk(&c.outcome)).fold(0.0, f64::max);
    targets[Output::PauseTail as usize] = longest - pause;
    targets
}
