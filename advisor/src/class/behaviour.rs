//! What a program's allocation looks like from the collector's side: a few shares and rates over the last eight cycles or so.
//!
//! Sums decay, and ratios are taken of the sums: a cycle weighs by its bytes, so an empty one says nothing.
//!
//! Invariants
//! - V1. Finite, whatever snapshots hold.
//! - V2. Order and names of [`FEATURES`] are part of the model's schema.

#[cfg(feature = "train")]
use tenure_gc::policy::Snapshot;

use crate::math::ln;
use crate::pause::Pause;

/// How much a cycle's weight shrinks with each one that comes.
const KEEP: f64 = 0.875;

/// What is looked at, in order. Shares are looked at by their roots, because most of them are near zero and differ there.
pub(crate) const FEATURES: [&str; FEATURE_COUNT] = [
    "survival_root",
    "promotion_root",
    "large_root",
    "old_freed_root",
    "allocation_log",
    "allocation_spread",
    "survival_spread",
    "growth",
];
/// How many there are.
pub(crate) const FEATURE_COUNT: usize = 8;

/// Places in [`FEATURES`].
#[cfg(feature = "train")]
pub(crate) mod at {
    pub(crate) const SURVIVAL: usize = 0;
    pub(crate) const PROMOTION: usize = 1;
    pub(crate) const LARGE: usize = 2;
    pub(crate) const OLD_FREED: usize = 3;
    pub(crate) const ALLOCATION_SPREAD: usize = 5;
    pub(crate) const SURVIVAL_SPREAD: usize = 6;
    pub(crate) const GROWTH: usize = 7;
}

/// Decaying sums of one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Behaviour {
    seen: u64,
    weight: f64,
    allocated: f64,
    large: f64,
    promoted: f64,
    old_freed: f64,
    mutator_ns: f64,
    young: f64,
    copied: f64,
    rate_ln: f64,
    rate_deviation: f64,
    survival_deviation: f64,
    /// Bytes that live, and how they changed.
    live: f64,
    live_change: f64,
}

impl Behaviour {
    /// Takes in the snapshot of a pause.
    #[cfg(feature = "train")]
    pub(crate) fn observe(&mut self, snapshot: &Snapshot) {
        self.take_in(&Pause::of(snapshot));
    }

    /// Takes in a pause.
    pub(crate) fn take_in(&mut self, pause: &Pause) {
        let rate_ln = ln(pause.allocated_bytes / pause.mutator_cpu_ns.max(1) as f64 + 1e-4);
        let survival = (pause.copied_bytes / (pause.young_bytes.max(1) as f64)).min(1.0);
        let before = (self.rate_ln / self.weight.max(1e-9), ratio(self.copied, self.young).min(1.0));
        let (rate_off, survival_off, grown) = if self.seen == 0 {
            (0.0, 0.0, 0.0)
        } else {
            (rate_ln - before.0, survival - before.1, pause.live_bytes - self.live)
        };
        self.live = pause.live_bytes;
        self.seen += 1;
        for (sum, value) in [
            (&mut self.weight, 1.0),
            (&mut self.allocated, pause.allocated_bytes),
            (&mut self.large, pause.large_bytes),
            (&mut self.promoted, pause.promoted_bytes),
            (&mut self.old_freed, pause.old_freed_bytes),
            (&mut self.mutator_ns, pause.mutator_cpu_ns as f64),
            (&mut self.young, pause.young_bytes as f64),
            (&mut self.copied, pause.copied_bytes),
            (&mut self.rate_ln, rate_ln),
            (&mut self.rate_deviation, rate_off.abs().min(2.0)),
            (&mut self.survival_deviation, survival_off.abs()),
            (&mut self.live_change, grown),
        ] {
            *sum = KEEP * *sum + value;
        }
    }

    /// Cycles seen.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    /// The features, in the order of [`FEATURES`].
    pub(crate) fn features(&self) -> [f64; FEATURE_COUNT] {
        [
            ratio(self.copied, self.young).min(1.0).sqrt(),
            ratio(self.promoted, self.allocated).min(1.0).sqrt(),
            ratio(self.large, self.allocated).min(1.0).sqrt(),
            ratio(self.old_freed, self.allocated).min(2.0).sqrt(),
            ln(ratio(self.allocated, self.mutator_ns) + 1e-4),
            ratio(self.rate_deviation, self.weight),
            ratio(self.survival_deviation, self.weight),
            ratio(self.live_change, self.allocated).clamp(-1.0, 1.0),
        ]
    }
}

/// `a / b`, 0 where nothing was.
fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}
