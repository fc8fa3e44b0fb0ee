//! The square-root rule: room in proportion to the root of what lives, how fast it grows and what a collection costs.
//!
//! Kirisame, Shenoy and Panchekha, "Optimal heap limits for reducing browser memory use" (OOPSLA'22): with L bytes alive, g
//! bytes allocated a second and s bytes collected a second, room E costs L·g ÷ (E·s) of the CPU. Where a byte of memory
//! is worth the share c of it, the least of both together is at E = √(L·g ÷ (c·s)).
//!
//! L ÷ s is the time T of one collection, so the rule reads E = √(g·T ÷ c), and young objects have room by the same
//! rule: g is what is allocated in eden, T a young pause. The pause goal bounds that room by proportion.

use super::heap_rule::{ROOM_BYTES_MIN, Rates, Room};
use super::{Decision, Envelope, Knobs, Outcome, Policy, Reason, Snapshot};

/// Share of the goal that a pause may take, for predictions are means.
const GOAL_SHARE: f64 = 0.85;

/// The square-root rule.
#[derive(Clone, Copy, Debug)]
pub struct SquareRoot {
    price_per_byte: f64,
    rates: Rates,
    young_bytes: f64,
}

impl SquareRoot {
    /// Share of a CPU that a MiB of memory is worth, unless said otherwise.
    pub const PRICE_PER_MIB: f64 = 0.0005;

    /// The rule at a price of memory: the share of a CPU that a MiB is worth, above 0.
    pub fn new(price_per_mib: f64) -> SquareRoot {
        let price_per_byte = price_per_mib / f64::from(1 << 20);
        SquareRoot { price_per_byte, rates: Rates::default(), young_bytes: 0.0 }
    }

    /// √(g·T ÷ c).
    fn room_bytes(&self, bytes_per_ns: f64, collection_ns: f64) -> f64 {
        (bytes_per_ns * collection_ns / self.price_per_byte).sqrt()
    }

    fn room(&mut self, snapshot: &Snapshot) -> Room {
        let collection_ns = snapshot.live_bytes as f64 * self.rates.collection_ns_per_byte();
        let old_bytes = self.room_bytes(self.rates.old_bytes_per_ns(), collection_ns).max(ROOM_BYTES_MIN);
        if let Some(pause_ns) = self.rates.young_pause_ns() {
            let wanted_bytes = self.room_bytes(self.rates.eden_bytes_per_ns(), pause_ns);
            let goal_ns = snapshot.pause_goal_ns as f64 * GOAL_SHARE;
            let most_bytes = self.young_bytes * goal_ns / pause_ns.max(1.0);
            // At most doubled or halved at once: the pause was measured at the size as it is.
            self.young_bytes = wanted_bytes.min(most_bytes).clamp(self.young_bytes / 2.0, self.young_bytes * 2.0);
        }
        Room { old_bytes, young_bytes: self.young_bytes }
    }
}

impl Policy for SquareRoot {
    fn name(&self) -> &'static str {
        "sqrt"
    }

    fn decide(&mut self, snapshot: &Snapshot, current: &Knobs, envelope: &Envelope) -> Decision {
        if snapshot.cycle == 0 {
            self.young_bytes = current.young_bytes as f64;
        } else {
            // The size that the heap ran with is what its pauses tell of.
            self.young_bytes = self.young_bytes.max(envelope.young_bytes_min as f64);
            self.rates.add(snapshot);
        }
        let room = self.room(snapshot);
        let knobs = room.knobs(&self.rates, snapshot, envelope);
        self.young_bytes = knobs.young_bytes as f64;
        Decision::plain(envelope.clamp(&knobs, current), Reason::Rule)
    }

    fn observe(&mut self, _: &Outcome) {}
}

#[cfg(test)]
mod tests {
    use super::super::heap_rule::tests::{MIB, cycle, envelope};
    use super::*;

    /// The rule after many cycles that are all like this one; the room of the old space and of the young, in MiB.
    fn settled(price_per_mib: f64, snapshot: &Snapshot) -> (f64, f64) {
        let envelope = envelope(4096 * MIB);
        let mut rule = SquareRoot::new(price_per_mib);
        let mut knobs = envelope.initial(snapshot);
        rule.decide(&Snapshot { cycle: 0, ..*snapshot }, &knobs, &envelope);
        for _ in 0..50 {
            knobs = rule.decide(snapshot, &knobs, &envelope).knobs;
        }
        let room_bytes = knobs.heap_target_bytes - snapshot.live_bytes - knobs.young_bytes;
        (room_bytes as f64 / MIB as f64, knobs.young_bytes as f64 / MIB as f64)
    }

    /// 200 MiB live, marked at 1 ns a byte; 1 MiB becomes old in 10 ms.
    fn marked() -> Snapshot {
        let live_bytes = 200 * MIB;
        Snapshot { live_bytes, marked_bytes: live_bytes, mark_ns: live_bytes, ..cycle(MIB, MIB) }
    }

    #[test]
    fn room_is_the_root_of_live_bytes_times_growth_over_price_times_speed() {
        // E² = L·g ÷ (c·s), all in MiB and seconds: 200 · 100 ÷ (0.0005 · (1e9 ÷ 2^20)).
        let expected = (200.0 * 100.0 / (0.0005 * 1e9 / f64::from(1 << 20))).sqrt();
        let (old, _) = settled(0.0005, &marked());
        assert!((old / expected - 1.0).abs() < 0.01, "{old} {expected}");
        // Four times the growth, or a fourth of the price: twice the room.
        let (faster, _) = settled(0.0005, &Snapshot { promoted_bytes: 4 * MIB, ..marked() });
        let (cheaper, _) = settled(0.000_125, &marked());
        assert!((faster / old - 2.0).abs() < 0.01 && (cheaper / old - 2.0).abs() < 0.01, "{old} {faster} {cheaper}");
    }

    #[test]
    fn young_has_room_by_the_same_rule_as_far_as_pauses_allow() {
        // g = 500 MiB a second, T = 1 ms: √(500 · 0.001 ÷ 0.0005) MiB.
        let snapshot = cycle(5 * MIB, 0);
        let (_, young) = settled(0.0005, &snapshot);
        assert!((young - 1000.0_f64.sqrt()).abs() < 0.1, "{young}");
        // Pauses over the goal shrink it, whatever memory costs.
        let slow = Snapshot { pause_ns: 20_000_000, pause_cpu_ns: 20_000_000, ..snapshot };
        assert_eq!(settled(1e-9, &slow).1, 1.0);
    }

    #[test]
    fn a_heap_in_which_nothing_grows_keeps_the_least_room() {
        assert_eq!(settled(0.0005, &Snapshot { promoted_bytes: 0, ..marked() }).0, 4.0);
    }
}
