//! The throughput goal: how large young is worth being, so that its pauses take no more than a share of the CPU.
//!
//! A program that keeps next to nothing pays next to nothing for its pauses, however many there are; a larger eden would be memory
//! touched for nothing. HotSpot's Parallel collector has such a goal (GCTimeRatio) beside those for pauses and footprint.
//!
//! It must never know the pause goal, nor how much room there is: they bound young from elsewhere.
//!
//! Invariants
//! - T1. Young halves at an eighth of the share at which it doubles. Half the size at most doubles the number of pauses, so no move
//!   calls for the move back, and a steady program comes to rest.
//! - T2. What bounds young otherwise moves nothing here: only a size that was tried and cost too much is left for a larger one.

use super::{CycleKind, Snapshot};

/// Share of the CPU that young pauses may take before young grows, and below which it shrinks.
const SHARE_MAX: f64 = 0.03;
const SHARE_MIN: f64 = SHARE_MAX / 8.0;
/// Pauses must have taken so much before a share of it says anything.
const EVIDENCE_NS: f64 = 1e6;
/// A share is taken over so many pauses at the most.
const PAUSES_MAX: u32 = 64;
/// The most it grows by at once.
const GROWTH_MAX: f64 = 8.0;

/// What a pause and the cycle before it cost, in nanoseconds of CPU time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Costs {
    /// Evacuating young regions.
    pub(super) young_ns: f64,
    /// Marking, what mixed pauses copy of candidates, full collections.
    pub(super) old_ns: f64,
    /// The program.
    pub(super) mutator_ns: f64,
}

impl Costs {
    /// The costs of the cycle that a snapshot ends.
    pub(super) fn of(snapshot: &Snapshot) -> Costs {
        let pause_ns = snapshot.pause_cpu_ns as f64;
        let young_share = match snapshot.kind {
            CycleKind::Full => 0.0,
            CycleKind::Mixed => {
                let young_bytes = snapshot.survived_bytes as f64 + snapshot.promoted_bytes as f64;
                let compacted_bytes = snapshot.compacted_bytes as f64;
                1.0 - compacted_bytes / (young_bytes + compacted_bytes).max(1.0)
            }
            CycleKind::Young | CycleKind::ConcurrentStart | CycleKind::PrepareMixed => 1.0,
        };
        Costs {
            young_ns: pause_ns * young_share,
            old_ns: pause_ns * (1.0 - young_share) + snapshot.concurrent_cpu_ns as f64,
            mutator_ns: snapshot.mutator_cpu_ns as f64,
        }
    }

    pub(super) fn sum_ns(&self) -> f64 {
        self.young_ns + self.old_ns + self.mutator_ns
    }
}

/// The size that the goal asks for, and what is known of its cost.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ThroughputGoal {
    bytes: f64,
    bytes_min: f64,
    /// Since the last look at the share.
    young_ns: f64,
    all_ns: f64,
    pauses: u32,
}

impl ThroughputGoal {
    /// Young starts with this size, and is never made smaller for the goal's sake.
    pub(super) fn starting_at(bytes: f64) -> ThroughputGoal {
        ThroughputGoal { bytes, bytes_min: bytes, ..ThroughputGoal::default() }
    }

    /// The size beyond which young costs little.
    pub(super) fn bytes(&self) -> f64 {
        self.bytes
    }

    /// Takes in a cycle in which young had this size.
    pub(super) fn add(&mut self, costs: &Costs, young_bytes: f64) {
        self.young_ns += costs.young_ns;
        self.all_ns += costs.sum_ns();
        self.pauses += 1;
        let share = self.young_ns / self.all_ns.max(1.0);
        if self.young_ns >= EVIDENCE_NS && share > SHARE_MAX {
            // Rounding to whole bytes is no other bound (T2).
            if young_bytes > 0.99 * self.bytes {
                self.bytes *= (share / SHARE_MAX).log2().floor().exp2().clamp(2.0, GROWTH_MAX);
            }
        } else if self.pauses < PAUSES_MAX {
            return;
        } else if share < SHARE_MIN {
            self.bytes = (self.bytes / 2.0).max(self.bytes_min);
        }
        *self = ThroughputGoal { bytes: self.bytes, bytes_min: self.bytes_min, ..ThroughputGoal::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: f64 = 1_048_576.0;

    /// Sizes after cycles in which a pause takes 100 µs and so much a byte, a byte of allocation a nanosecond.
    fn run(goal: &mut ThroughputGoal, ns_per_byte: f64, cycles: u32) -> Vec<f64> {
        let cycle = |_| {
            let young_bytes = goal.bytes();
            let costs = Costs { young_ns: 1e5 + young_bytes * ns_per_byte, old_ns: 0.0, mutator_ns: young_bytes };
            goal.add(&costs, young_bytes.floor());
            goal.bytes()
        };
        (0..cycles).map(cycle).collect()
    }

    #[test]
    fn young_stays_where_its_pauses_cost_little() {
        let mut goal = ThroughputGoal::starting_at(4.0 * MIB);
        assert!(run(&mut goal, 0.0, 1000).iter().all(|bytes| *bytes == 4.0 * MIB));
    }

    #[test]
    fn young_grows_until_its_pauses_cost_little_and_rests() {
        let mut goal = ThroughputGoal::starting_at(MIB);
        let sizes = run(&mut goal, 0.0, 1000);
        // 100 µs are 9 % of what 1 MiB takes, and 2.3 % of what 4 MiB take.
        assert_eq!((sizes[10], sizes[500], sizes[999]), (2.0 * MIB, 4.0 * MIB, 4.0 * MIB));
    }

    #[test]
    fn young_shrinks_when_a_phase_is_over_and_never_below_its_start() {
        let mut goal = ThroughputGoal::starting_at(4.0 * MIB);
        // What a byte costs no size can mend: it grows as long as it is let.
        let grown_bytes = run(&mut goal, 0.05, 10).pop().expect("ten sizes");
        assert!(grown_bytes > 32.0 * MIB, "{grown_bytes}");
        assert_eq!(run(&mut goal, 0.0, 2000).pop(), Some(16.0 * MIB));
        // A size that something else bounds says nothing of a larger one.
        let dear = Costs { young_ns: 1e7, old_ns: 0.0, mutator_ns: 1e7 };
        (0..100).for_each(|_| goal.add(&dear, 4.0 * MIB));
        assert_eq!(goal.bytes(), 16.0 * MIB);
        let free = Costs { young_ns: 0.0, old_ns: 0.0, mutator_ns: 1e7 };
        (0..1000).for_each(|_| goal.add(&free, 4.0 * MIB));
        assert_eq!(goal.bytes(), 4.0 * MIB);
    }
}
