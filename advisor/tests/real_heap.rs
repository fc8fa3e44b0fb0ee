//! The advisor on the real heap, with time counted as work so that no machine's mood decides: it moves region sizes and thresholds when a program changes its ways,
//! and lets a steady program be.

mod support;

use std::collections::BTreeSet;

use support::{Phase, run};
use tenure_advisor::{Advisor, ModelFile};
use tenure_gc::policy::Reason;
use tenure_gc::{Cycle, WorkClock};

const LIMIT_BYTES: u64 = 192 << 20;
const PAUSE_GOAL_NS: u64 = 10_000_000;

/// Hardly anything lasts.
const LIGHT: Phase = Phase {
    bytes: 512 << 20,
    slots: 2000,
    keep_one_in: 200,
    in_turn: false,
    words: 32,
    large_one_in: 0,
    rewrites: 0,
    work: 0,
};

/// Much lasts, and is replaced at random.
const HEAVY: Phase = Phase { slots: 250_000, keep_one_in: 2, ..LIGHT };

/// A model of one opinion, whatever model ships: eden regions should be large where much survives, and small elsewhere.
fn opinionated() -> Advisor {
    let mut file: ModelFile = serde_json::from_str(include_str!("data/simulated_model.json")).expect("a model");
    file.distance_max = 1e9;
    for feature in &mut file.features {
        (feature.mean, feature.scale, feature.low, feature.high) = (0.0, 1.0, -1e3, 1e3);
    }
    for output in &mut file.outputs {
        output.held_out_error = 0.05;
        output.weights.fill(0.0);
    }
    for (name, weight) in [("eden_region", 0.1), ("eden_region_survival", -1.0)] {
        let at = file.features.iter().position(|feature| feature.name == name).expect("a feature");
        file.outputs[1].weights[at] = weight;
    }
    Advisor::from_model(&file).expect("a model")
}

fn journal(phases: &[Phase]) -> Vec<Cycle> {
    run(phases, LIMIT_BYTES, PAUSE_GOAL_NS, Box::new(opinionated()), 1, Box::new(WorkClock::default())).0
}

#[test]
fn a_phase_shift_moves_region_sizes_and_thresholds() {
    let cycles = journal(&[LIGHT, HEAVY, LIGHT, HEAVY, LIGHT]);
    let old: BTreeSet<u64> = cycles.iter().map(|c| c.decision.knobs.old_region_bytes).collect();
    let eden: BTreeSet<u64> = cycles.iter().map(|c| c.decision.knobs.eden_region_bytes).collect();
    let sizes: BTreeSet<u64> = old.union(&eden).copied().collect();
    let thresholds: BTreeSet<u64> =
        cycles.iter().map(|c| (c.decision.knobs.concurrent_start_share * 100.0) as u64).collect();
    assert!(sizes.len() >= 3, "{sizes:?} in {} cycles", cycles.len());
    assert!(thresholds.len() >= 3, "{thresholds:?}");
    assert!(cycles.iter().any(|c| c.snapshot.region_sizes_alive >= 2));
    assert!(cycles.iter().any(|c| c.decision.reason == Reason::Model));
}

#[test]
fn a_steady_program_is_let_be_after_its_warm_up() {
    let cycles = journal(&[Phase { bytes: 2 << 30, slots: 60_000, keep_one_in: 8, ..LIGHT }]);
    let settled = &cycles[cycles.len() / 2..];
    let region_sizes: BTreeSet<(u64, u64)> =
        settled.iter().map(|c| (c.decision.knobs.old_region_bytes, c.decision.knobs.eden_region_bytes)).collect();
    let thresholds: BTreeSet<u64> = settled.iter().map(|c| c.decision.knobs.concurrent_start_share.to_bits()).collect();
    assert_eq!(region_sizes.len(), 1, "{region_sizes:?}");
    assert_eq!(thresholds.len(), 1, "{} in {} cycles", thresholds.len(), settled.len());
}
