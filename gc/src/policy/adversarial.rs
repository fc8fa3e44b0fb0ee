//! The adversarial policy: random knobs, legal and not, NaN and infinities among them. Whatever it says, programs must
//! compute the same.

use super::random::Random;
use super::{Decision, Envelope, Knobs, NextKind, Outcome, Policy, Reason, Snapshot};

/// The adversarial policy.
#[derive(Clone, Debug)]
pub struct Adversarial {
    random: Random,
}

impl Adversarial {
    /// A policy that says the same nonsense for the same seed.
    pub fn new(seed: u64) -> Adversarial {
        Adversarial { random: Random::new(seed) }
    }

    fn bytes(&mut self, envelope: &Envelope) -> u64 {
        match self.random.below(6) {
            0 => self.random.pick(&[0, 1, u64::MAX, 1 << 63, 3 << 20]),
            1 => self.random.next(),
            2 => self.random.below(envelope.limit_bytes),
            _ => 1 << (14 + self.random.below(14)),
        }
    }

    fn share(&mut self) -> f64 {
        match self.random.below(3) {
            0 => self.random.pick(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, 1e300]),
            _ => self.random.below(1000) as f64 / 1000.0,
        }
    }
}

impl Policy for Adversarial {
    fn name(&self) -> &'static str {
        "adversarial"
    }

    fn decide(&mut self, _: &Snapshot, _: &Knobs, envelope: &Envelope) -> Decision {
        let knobs = Knobs {
            old_region_bytes: self.bytes(envelope),
            eden_region_bytes: self.bytes(envelope),
            concurrent_start_share: self.share(),
            young_bytes: self.bytes(envelope),
            large_object_bytes: self.bytes(envelope),
            tenuring_age: self.random.next() as u8,
            mixed_pause_count: self.random.next() as u32 >> self.random.below(32),
            mixed_live_share: self.share(),
            heap_target_bytes: self.bytes(envelope),
            uncommit_delay_ns: self.bytes(envelope),
            next_kind: self.random.pick(&NextKind::ALL),
            idle_delay_ns: self.bytes(envelope),
        };
        Decision {
            predicted_pause_ns: self.share(),
            predicted_gc_ns_per_byte: self.share(),
            propensity: self.share(),
            ..Decision::plain(knobs, Reason::Adversarial)
        }
    }

    fn observe(&mut self, _: &Outcome) {}
}
