//! The surveying policy: knobs that let a journal tell how long a program's objects live. Never for production.
//!
//! What survives a pause is promoted at once, so each pause tells what share of an eden of that size is alive; eden sizes
//! are drawn from all there are, so the share is known at many ages; marking never rests, so what is alive in the old
//! space is known too.

use super::random::Random;
use super::{Decision, Envelope, Knobs, Outcome, Policy, Reason, Snapshot};

/// Edens up to this size are of interest, or a sixteenth of the limit: a survey needs many pauses.
const YOUNG_BYTES_MAX: u64 = 8 << 20;
/// So small a heap is overdue for marking always.
const HEAP_BYTES: u64 = 4 << 20;

/// The surveying policy.
#[derive(Clone, Copy, Debug)]
pub struct Survey {
    random: Random,
}

impl Survey {
    /// A policy that draws the same sizes for the same seed.
    pub fn new(seed: u64) -> Survey {
        Survey { random: Random::new(seed) }
    }
}

impl Policy for Survey {
    fn name(&self) -> &'static str {
        "survey"
    }

    fn decide(&mut self, snapshot: &Snapshot, current: &Knobs, envelope: &Envelope) -> Decision {
        let most_bytes = (envelope.limit_bytes / 16).min(YOUNG_BYTES_MAX).max(envelope.young_bytes_min);
        let doublings = f64::from((most_bytes / envelope.young_bytes_min).max(1).ilog2());
        let steps = self.random.below(1 << 16) as f64 / f64::from(1 << 16);
        let knobs = Knobs {
            young_bytes: (envelope.young_bytes_min as f64 * (doublings * steps).exp2()) as u64,
            tenuring_age: 0,
            concurrent_start_share: 0.05,
            heap_target_bytes: HEAP_BYTES,
            mixed_pause_count: 2,
            ..envelope.initial(snapshot)
        };
        Decision::plain(envelope.clamp(&knobs, current), Reason::Survey)
    }

    fn observe(&mut self, _: &Outcome) {}
}
