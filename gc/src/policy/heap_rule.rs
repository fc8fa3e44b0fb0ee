//! What the heap-size rules share: measured rates, and the way from a heap size to knobs.
//!
//! Such a rule says how much room the heap gets beyond what lives; it knows nothing of regions or ages, so all other
//! knobs keep their starting values. It exists to be compared with: the policies built on it are the ones that other
//! collectors use.
//!
//! Invariants
//! - R1. Rates are sums over sums, both decaying: a short cycle says less than a long one.
//! - R2. What lives is what the last marking found; before the first, nothing is known to live, and the room alone counts.

use super::{CycleKind, Envelope, Knobs, Snapshot};

/// Weight of the past in the rate of allocation and in the speed of collection (MemBalancer's α_g and α_s).
const RATE_PAST_WEIGHT: f64 = 0.95;
const SPEED_PAST_WEIGHT: f64 = 0.5;
/// Cost of marking before anything was measured.
const MARK_NS_PER_BYTE: f64 = 1.0;
/// Room that a heap has at least: Go starts with 4 MiB.
pub(super) const ROOM_BYTES_MIN: f64 = (4 << 20) as f64;
/// Marking doesn't start before this share of the room is used (Go's pacer has the same bound).
const TRIGGER_SHARE: f64 = 0.7;
/// Share of the limit that is not counted on, as in [`AdaptiveThreshold`](super::AdaptiveThreshold).
const RESERVE_SHARE: f64 = 0.15;

/// A quotient of two decaying sums.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Rate {
    amount: f64,
    per: f64,
}

impl Rate {
    fn add(&mut self, past_weight: f64, amount: f64, per: f64) {
        self.amount = self.amount * past_weight + amount;
        self.per = self.per * past_weight + per;
    }

    fn get(&self) -> Option<f64> {
        (self.per > 0.0).then(|| self.amount / self.per)
    }
}

/// The rates that the rules ask for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rates {
    /// Bytes that became old, and bytes of eden, by nanosecond of the program's CPU time.
    old: Rate,
    eden: Rate,
    /// Nanoseconds of CPU time that a young pause takes, by pause.
    young_pause: Rate,
    /// Nanoseconds of CPU time by byte found live, over whole collections of the old space.
    collection: Rate,
    marking_wall_ns: Rate,
    /// The collection of the old space under way: bytes that its marking found, its cost so far.
    marked_bytes: f64,
    collection_ns: f64,
}

impl Rates {
    /// Takes in the pause that a snapshot ends.
    pub(super) fn add(&mut self, snapshot: &Snapshot) {
        let cpu_ns = snapshot.mutator_cpu_ns as f64;
        let old_bytes = snapshot.promoted_bytes as f64 + snapshot.large_allocated_bytes as f64;
        self.old.add(RATE_PAST_WEIGHT, old_bytes, cpu_ns);
        self.eden.add(RATE_PAST_WEIGHT, snapshot.allocated_bytes as f64, cpu_ns);
        let pause_ns = snapshot.pause_cpu_ns as f64;
        match snapshot.kind {
            CycleKind::Mixed => self.collection_ns += (pause_ns - self.young_pause_ns().unwrap_or(0.0)).max(0.0),
            CycleKind::Full => {}
            CycleKind::Young | CycleKind::ConcurrentStart | CycleKind::PrepareMixed => {
                self.young_pause.add(RATE_PAST_WEIGHT, pause_ns, 1.0);
            }
        }
        if snapshot.marked_bytes > 0 {
            if self.marked_bytes > 0.0 {
                self.collection.add(SPEED_PAST_WEIGHT, self.collection_ns, self.marked_bytes);
            }
            (self.marked_bytes, self.collection_ns) = (snapshot.marked_bytes as f64, snapshot.mark_ns as f64);
            if snapshot.kind != CycleKind::Full {
                self.marking_wall_ns.add(SPEED_PAST_WEIGHT, snapshot.mark_wall_ns as f64, 1.0);
            }
        }
    }

    /// Growth of the old space.
    pub(super) fn old_bytes_per_ns(&self) -> f64 {
        self.old.get().unwrap_or(0.0)
    }

    /// Allocation in eden.
    pub(super) fn eden_bytes_per_ns(&self) -> f64 {
        self.eden.get().unwrap_or(0.0)
    }

    /// CPU time of a young pause; nothing before the first.
    pub(super) fn young_pause_ns(&self) -> Option<f64> {
        self.young_pause.get()
    }

    /// CPU time of collecting the old space by byte that lives in it.
    pub(super) fn collection_ns_per_byte(&self) -> f64 {
        let marking_ns = || (self.marked_bytes > 0.0).then(|| self.collection_ns / self.marked_bytes);
        self.collection.get().or_else(marking_ns).unwrap_or(MARK_NS_PER_BYTE)
    }
}

/// A heap size in parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Room {
    /// Beyond what lives in the old space.
    pub(super) old_bytes: f64,
    /// For young objects.
    pub(super) young_bytes: f64,
}

impl Room {
    /// The knobs of a heap with this room. Marking starts so early that it ends before the room is used up, if what is
    /// promoted meanwhile is as much as lately.
    pub(super) fn knobs(&self, rates: &Rates, snapshot: &Snapshot, envelope: &Envelope) -> Knobs {
        let limit_bytes = envelope.limit_bytes as f64;
        let live_bytes = snapshot.live_bytes as f64;
        let young_bytes = self.young_bytes.clamp(envelope.young_bytes_min as f64, envelope.young_bytes_max as f64);
        let goal_bytes = live_bytes + self.old_bytes;
        let meanwhile_bytes = rates.marking_wall_ns.get().unwrap_or(0.0) * rates.old_bytes_per_ns();
        let start_bytes = (goal_bytes - meanwhile_bytes)
            .max(live_bytes + TRIGGER_SHARE * self.old_bytes)
            .min(limit_bytes * (1.0 - RESERVE_SHARE) - young_bytes);
        let heap_bytes = (goal_bytes + young_bytes).min(limit_bytes);
        Knobs {
            concurrent_start_share: start_bytes / heap_bytes,
            young_bytes: young_bytes as u64,
            heap_target_bytes: heap_bytes as u64,
            ..envelope.initial(snapshot)
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) const MIB: u64 = 1 << 20;

    pub(in super::super) fn envelope(limit_bytes: u64) -> Envelope {
        Envelope {
            region_bytes_min: 64 << 10,
            region_bytes_max: 1 << 20,
            young_bytes_min: MIB,
            young_bytes_max: limit_bytes / 10 * 6,
            limit_bytes,
        }
    }

    /// A cycle of 10 ms in which `eden` was allocated, `promoted` became old, and the pause took 1 ms.
    pub(in super::super) fn cycle(eden_bytes: u64, promoted_bytes: u64) -> Snapshot {
        Snapshot {
            cycle: 1,
            pause_goal_ns: 10_000_000,
            mutator_cpu_ns: 10_000_000,
            mutator_ns: 10_000_000,
            allocated_bytes: eden_bytes,
            young_bytes: eden_bytes,
            promoted_bytes,
            pause_ns: 1_000_000,
            pause_cpu_ns: 1_000_000,
            ..Snapshot::default()
        }
    }

    #[test]
    fn a_long_cycle_counts_for_more_than_a_short_one() {
        let mut rates = Rates::default();
        rates.add(&cycle(10 * MIB, 0));
        rates.add(&Snapshot { mutator_cpu_ns: 1, allocated_bytes: MIB, ..cycle(0, 0) });
        let expected = (10.0 * 0.95 + 1.0) * MIB as f64 / (10e6 * 0.95 + 1.0);
        assert!((rates.eden_bytes_per_ns() - expected).abs() < 1e-9);
    }

    #[test]
    fn a_collection_costs_its_marking_and_what_its_mixed_pauses_took_beyond_young_ones() {
        let mut rates = Rates::default();
        rates.add(&cycle(MIB, 0));
        rates.add(&Snapshot { marked_bytes: 4_000_000, mark_ns: 2_000_000, ..cycle(MIB, 0) });
        assert_eq!(rates.collection_ns_per_byte(), 0.5);
        rates.add(&Snapshot { kind: CycleKind::Mixed, pause_cpu_ns: 3_000_000, ..cycle(MIB, 0) });
        // The next marking completes the account of this one: 2 ms and 2 ms beyond a young pause.
        rates.add(&Snapshot { marked_bytes: 4_000_000, mark_ns: 9_000_000, ..cycle(MIB, 0) });
        assert_eq!(rates.collection_ns_per_byte(), 1.0);
    }

    #[test]
    fn marking_starts_early_enough_but_not_at_once() {
        let envelope = envelope(1000 * MIB);
        let room = Room { old_bytes: (100 * MIB) as f64, young_bytes: (10 * MIB) as f64 };
        let mut rates = Rates::default();
        let mut snapshot = Snapshot { live_bytes: 100 * MIB, limit_bytes: envelope.limit_bytes, ..cycle(MIB, MIB) };
        let start_bytes = |rates: &Rates, snapshot: &Snapshot| {
            let knobs = room.knobs(rates, snapshot, &envelope);
            assert_eq!((knobs.heap_target_bytes, knobs.young_bytes), (210 * MIB, 10 * MIB));
            (knobs.concurrent_start_share * knobs.heap_target_bytes as f64 / MIB as f64).round() as u64
        };
        assert_eq!(start_bytes(&rates, &snapshot), 200);
        // 1 MiB becomes old in 10 ms; marking takes 200 ms, then a minute.
        (snapshot.marked_bytes, snapshot.mark_ns, snapshot.mark_wall_ns) = (100 * MIB, 1, 200_000_000);
        rates.add(&snapshot);
        assert_eq!(start_bytes(&rates, &snapshot), 180);
        snapshot.mark_wall_ns = 60_000_000_000;
        rates.add(&snapshot);
        assert_eq!(start_bytes(&rates, &snapshot), 170);
    }

    #[test]
    fn the_limit_holds() {
        let envelope = envelope(64 * MIB);
        let room = Room { old_bytes: 1e12, young_bytes: 1e12 };
        let snapshot = Snapshot { live_bytes: 30 * MIB, limit_bytes: 64 * MIB, ..Snapshot::default() };
        let knobs = room.knobs(&Rates::default(), &snapshot, &envelope);
        assert_eq!(knobs.heap_target_bytes, 64 * MIB);
        assert!(knobs.young_bytes <= 64 * MIB / 10 * 6);
        assert!(knobs.concurrent_start_share < 0.3);
    }
}
