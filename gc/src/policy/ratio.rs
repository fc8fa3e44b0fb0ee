//! The constant ratio: the heap may grow by a fixed share of what lives before it is collected again.
//!
//! This is Go's GOGC, and what most collectors without a better idea do: the heap goal is L·(1 + ratio), with at least
//! 4 MiB × ratio of room, and marking starts in time to end at the goal (`gcController` in Go's `runtime/mgcpacer.go`).
//! Go has no generations; here half of the room is for young objects. The pause goal is not looked at.

use super::heap_rule::{ROOM_BYTES_MIN, Rates, Room};
use super::{Decision, Envelope, Knobs, Outcome, Policy, Reason, Snapshot};

/// The constant ratio.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    ratio: f64,
    rates: Rates,
}

impl Ratio {
    /// Room over live bytes, unless said otherwise (GOGC=100).
    pub const ROOM_PER_LIVE: f64 = 1.0;

    /// The policy with this room over live bytes, above 0.
    pub fn new(ratio: f64) -> Ratio {
        Ratio { ratio, rates: Rates::default() }
    }
}

impl Policy for Ratio {
    fn name(&self) -> &'static str {
        "ratio"
    }

    fn decide(&mut self, snapshot: &Snapshot, current: &Knobs, envelope: &Envelope) -> Decision {
        if snapshot.cycle > 0 {
            self.rates.add(snapshot);
        }
        let live_bytes = (snapshot.live_bytes + snapshot.survivor_bytes) as f64;
        let half_bytes = live_bytes.max(ROOM_BYTES_MIN) * self.ratio / 2.0;
        let room = Room { old_bytes: half_bytes, young_bytes: half_bytes };
        let knobs = room.knobs(&self.rates, snapshot, envelope);
        Decision::plain(envelope.clamp(&knobs, current), Reason::Rule)
    }

    fn observe(&mut self, _: &Outcome) {}
}

#[cfg(test)]
mod tests {
    use super::super::heap_rule::tests::{MIB, cycle, envelope};
    use super::*;

    fn heap_and_young(ratio: f64, live_bytes: u64) -> (u64, u64) {
        let envelope = envelope(4096 * MIB);
        let snapshot = Snapshot { live_bytes, limit_bytes: envelope.limit_bytes, ..cycle(MIB, MIB) };
        let knobs = Ratio::new(ratio).decide(&snapshot, &envelope.initial(&snapshot), &envelope).knobs;
        (knobs.heap_target_bytes / MIB, knobs.young_bytes / MIB)
    }

    #[test]
    fn the_heap_is_live_bytes_times_one_and_the_ratio() {
        assert_eq!(heap_and_young(1.0, 100 * MIB), (200, 50));
        assert_eq!(heap_and_young(0.5, 100 * MIB), (150, 25));
        assert_eq!(heap_and_young(2.0, 100 * MIB), (300, 100));
    }

    #[test]
    fn a_small_heap_has_four_mebibytes_times_the_ratio() {
        assert_eq!(heap_and_young(1.0, 0), (4, 2));
        assert_eq!(heap_and_young(4.0, MIB), (17, 8));
    }
}
