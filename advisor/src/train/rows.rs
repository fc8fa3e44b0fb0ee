//! From the cycles of a run to rows of features and targets.

use tenure_gc::Cycle;
use tenure_gc::policy::Knobs;

use crate::features::{Expected, candidate_features, state_features};
use crate::history::History;
use crate::model::OUTPUT_COUNT;
use crate::observed::{footprint, gc_per_byte, observed, risk};

use super::{Run, WIDTH};

/// Cycles that must have been seen before a row is taken.
const HISTORY_MIN: u64 = 4;
/// Cycles of a hold that count for its row.
const HOLD_MAX: usize = 8;

/// A hold as the model sees it.
pub(super) struct Row {
    pub(super) run: usize,
    pub(super) family: usize,
    pub(super) features: [f64; WIDTH],
    pub(super) targets: [f64; OUTPUT_COUNT],
}

/// The rows of a run; `left_out` counts the holds in which a number is none.
pub(super) fn rows_of(run: &Run, index: usize, left_out: &mut usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut history = History::new();
    for (at, cycle) in run.cycles.iter().enumerate() {
        history.push(&cycle.snapshot);
        let Some(before) = at.checked_sub(1).map(|i| &run.cycles[i]) else { continue };
        if is_one_draw(before, cycle) || history.seen() < HISTORY_MIN {
            continue;
        }
        let held = hold(&run.cycles[at..]);
        if held.is_empty() {
            continue;
        }
        let knobs = &mean_knobs(held);
        let measured = history.measure(&cycle.snapshot, &before.decision.knobs);
        let mut features = [0.0; WIDTH];
        let (state, candidate) = features.split_at_mut(crate::features::STATE_COUNT);
        state.copy_from_slice(&state_features(&measured));
        candidate.copy_from_slice(&candidate_features(&measured, knobs, &Expected::new(&measured, knobs)));
        let targets = targets(held);
        if features.iter().chain(&targets).all(|value| value.is_finite()) {
            rows.push(Row { run: index, family: 0, features, targets });
        } else {
            *left_out += 1;
        }
    }
    rows
}

/// Whether two cycles ran with one draw of the exploring policy: young size and heap target are factors of what the
/// adaptive policy says, and follow it within a draw.
fn is_one_draw(a: &Cycle, b: &Cycle) -> bool {
    let drawn = |cycle: &Cycle| {
        let knobs = &cycle.decision.knobs;
        Knobs { young_bytes: 0, heap_target_bytes: 0, uncommit_delay_ns: 0, ..*knobs }
    };
    drawn(a) == drawn(b)
}

/// The knobs of a hold, with the means of those that follow the adaptive policy.
fn mean_knobs(held: &[Cycle]) -> Knobs {
    let mean = |field: fn(&Knobs) -> u64| {
        held.iter().map(|cycle| u128::from(field(&cycle.decision.knobs))).sum::<u128>() / held.len() as u128
    };
    Knobs {
        young_bytes: mean(|knobs| knobs.young_bytes) as u64,
        heap_target_bytes: mean(|knobs| knobs.heap_target_bytes) as u64,
        ..held[0].decision.knobs
    }
}

/// The cycles from the first on that ran with its draw to their end.
fn hold(cycles: &[Cycle]) -> &[Cycle] {
    let same = |cycle: &&Cycle| is_one_draw(&cycles[0], cycle) && !cycle.outcome.unfinished;
    &cycles[..cycles.iter().take(HOLD_MAX).take_while(same).count()]
}

/// What the hold's cycles cost, in the order of [`crate::model::Output`].
fn targets(held: &[Cycle]) -> [f64; OUTPUT_COUNT] {
    let count = held.len() as f64;
    let pause = held.iter().map(|c| observed(&c.outcome)[0]).sum::<f64>() / count;
    let gc_cpu_ns = held.iter().map(|c| c.outcome.gc_cpu_ns).sum();
    let allocated = held.iter().map(|c| c.outcome.allocated_bytes).sum();
    let committed = held.iter().map(|c| c.outcome.committed_bytes_max).max().unwrap_or(0);
    let risky = held.iter().map(|c| risk(&c.outcome)).fold(0.0, f64::max);
    [pause, gc_per_byte(gc_cpu_ns, allocated), footprint(committed), risky]
}
