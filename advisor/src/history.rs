//! The recent past of one heap, boiled down to robust rates.
//!
//! It keeps the last [`WINDOW`] cycles as plain ratios and answers with their medians, so that one outlier — a page
//! fault storm, a descheduled thread — moves nothing. (G1's threshold was thrown off by single outliers, JDK-8379846.)
//!
//! It must never know what a model is, nor why the knobs are what they are.
//!
//! Invariants
//! - H1. Fixed size; nothing here allocates.
//! - H2. Every number in [`Measured`] is finite, whatever the snapshots hold: ratios with an empty denominator are 0.

use crate::math::ln;
use crate::order::sorted;
use crate::pace::Signs;
use tenure_gc::policy::{CycleKind, Knobs, Snapshot};

/// Cycles kept.
pub const WINDOW: usize = 8;
/// Marks kept: they are rare, so they get a ring of their own.
const MARKS: usize = 4;
/// Assumed until the first marking was measured, nanoseconds per live byte.
const MARK_NS_PER_BYTE_PRIOR: f64 = 0.5;
/// Added to copied bytes before dividing, so that the fixed cost of an empty pause does not look like an infinite rate.
const COPY_BYTES_FLOOR: f64 = 65_536.0;
/// What each cycle leaves of the most that ever survived.
const SURVIVAL_FADING: f64 = 0.98;

/// One cycle as ratios.
#[derive(Clone, Copy, Debug, Default)]
struct Cycle {
    allocation_bytes_per_ns: f64,
    survival: f64,
    promotion: f64,
    large: f64,
    copy_ns_per_byte: f64,
    remembered_per_kib: f64,
    barrier_per_kib: f64,
    compacted_per_freed: f64,
    tail_share: f64,
    gc_share: f64,
    full: f64,
    failed: f64,
}

/// What the last cycles say about a heap: rates are medians over [`WINDOW`] cycles, occupancies are of the last pause.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// Allocated bytes, large objects included, per nanosecond of the program's CPU time: on a busy machine the clock on
    /// the wall tells of others.
    pub allocation_bytes_per_ns: f64,
    /// Interquartile range of the allocation rate over its median.
    pub allocation_spread: f64,
    /// Share of the young bytes that a pause copied.
    pub survival: f64,
    /// Interquartile range of survival.
    pub survival_spread: f64,
    /// Bytes that became old, per allocated byte: promoted and large ones.
    pub promotion: f64,
    /// Share of the allocated bytes that were large objects.
    pub large: f64,
    /// CPU of a pause without its marking, per copied byte.
    pub copy_ns_per_byte: f64,
    /// CPU of marking per live byte.
    pub mark_ns_per_byte: f64,
    /// Remembered entries scanned per KiB allocated.
    pub remembered_per_kib: f64,
    /// Slow paths of the write barrier per KiB allocated.
    pub barrier_per_kib: f64,
    /// Old bytes copied per old byte freed, over the window.
    pub compacted_per_freed: f64,
    /// Free tails over committed bytes.
    pub tail_share: f64,
    /// Collector's share of CPU, of the window.
    pub gc_share: f64,
    /// Full collections per cycle of the window.
    pub full_rate: f64,
    /// Share of cycles of the window with failed copies.
    pub failed_rate: f64,
    /// Limit of the heap.
    pub limit_bytes: f64,
    /// The heap target in the cycle just ended, at most the limit.
    pub heap_bytes: f64,
    /// Committed now.
    pub committed_bytes: f64,
    /// Old and large bytes now.
    pub old_bytes: f64,
    /// Live old and large bytes: of the last marking, and what was promoted since counts as live. Never above `old_bytes`.
    pub live_bytes: f64,
    /// Bytes that survived the last pause in young regions.
    pub survivor_bytes: f64,
    /// Bytes that collecting the candidates would free.
    pub reclaimable_bytes: f64,
    /// Largest free run.
    pub largest_free_bytes: f64,
    /// Pauses since the last marking, at most 64.
    pub cycles_since_mark: f64,
    /// Median pause of the heap's own window.
    pub pause_ns_p50: f64,
    /// 95th percentile of it.
    pub pause_ns_p95: f64,
    /// ln of the user's goal in ns.
    pub pause_goal_ln: f64,
    /// Size of old regions in the cycle just ended, under which the rates were measured.
    pub old_region_bytes: f64,
    /// Size of eden regions in it.
    pub eden_region_bytes: f64,
    /// Threshold in it.
    pub concurrent_start_share: f64,
    /// Young size in it.
    pub young_bytes: f64,
}

impl Measured {
    /// The same at a glance.
    pub fn signs(&self) -> Signs {
        Signs {
            allocation_bytes_per_ns: self.allocation_bytes_per_ns,
            survival: self.survival,
            promotion: self.promotion,
            old_bytes: self.old_bytes,
            limit_bytes: self.limit_bytes,
            failed: self.full_rate + self.failed_rate > 0.0,
        }
    }
}

/// A ring of recent cycles.
#[derive(Clone, Debug)]
pub struct History {
    cycles: [Cycle; WINDOW],
    seen: u64,
    marks: [f64; MARKS],
    marks_seen: u64,
    full_collections: u64,
    survival_at_most: f64,
}

impl Default for History {
    fn default() -> History {
        History::new()
    }
}

impl History {
    /// Nothing seen yet.
    pub fn new() -> History {
        History {
            cycles: [Cycle::default(); WINDOW],
            seen: 0,
            marks: [MARK_NS_PER_BYTE_PRIOR; MARKS],
            marks_seen: 0,
            full_collections: 0,
            survival_at_most: 1.0,
        }
    }

    /// Share of young bytes that must be reckoned to survive: the most that did, fading; all, before anything was seen.
    pub fn survival_at_most(&self) -> f64 {
        self.survival_at_most
    }

    /// Cycles seen since the beginning.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Takes in the snapshot of a pause.
    pub fn push(&mut self, snapshot: &Snapshot) {
        let allocated = (snapshot.allocated_bytes + snapshot.large_allocated_bytes) as f64;
        let copied = (snapshot.survived_bytes + snapshot.promoted_bytes + snapshot.compacted_bytes) as f64;
        let young_copied = (snapshot.survived_bytes + snapshot.promoted_bytes) as f64;
        let kib = allocated / 1024.0;
        let mark_within_ns = if snapshot.kind == CycleKind::Full { snapshot.mark_ns } else { 0 };
        let evacuation_ns = snapshot.pause_cpu_ns.saturating_sub(mark_within_ns) as f64;
        let gc_cpu_ns = snapshot.pause_cpu_ns as f64 + snapshot.concurrent_cpu_ns as f64;
        let survival = ratio(young_copied, snapshot.young_bytes as f64).min(1.0);
        self.survival_at_most = survival.max(SURVIVAL_FADING * self.survival_at_most);
        self.cycles[(self.seen % WINDOW as u64) as usize] = Cycle {
            allocation_bytes_per_ns: ratio(allocated, snapshot.mutator_cpu_ns as f64),
            survival,
            promotion: ratio((snapshot.promoted_bytes + snapshot.large_allocated_bytes) as f64, allocated).min(1.0),
            large: ratio(snapshot.large_allocated_bytes as f64, allocated),
            copy_ns_per_byte: evacuation_ns / (copied + COPY_BYTES_FLOOR),
            remembered_per_kib: ratio(snapshot.remembered_entries as f64, kib),
            barrier_per_kib: ratio(snapshot.barrier_slow_paths as f64, kib),
            compacted_per_freed: ratio(snapshot.compacted_bytes as f64, snapshot.old_freed_bytes as f64).min(16.0),
            tail_share: ratio(snapshot.tail_waste_bytes as f64, snapshot.committed_bytes as f64).min(1.0),
            gc_share: ratio(gc_cpu_ns, gc_cpu_ns + snapshot.mutator_cpu_ns.max(1) as f64),
            full: f64::from(snapshot.full_collections > self.full_collections || snapshot.kind == CycleKind::Full),
            failed: f64::from(snapshot.failed_copies > 0),
        };
        self.full_collections = snapshot.full_collections;
        if snapshot.mark_ns > 0 && snapshot.marked_bytes > 0 {
            self.marks[(self.marks_seen % MARKS as u64) as usize] =
                snapshot.mark_ns as f64 / (snapshot.marked_bytes as f64 + COPY_BYTES_FLOOR);
            self.marks_seen += 1;
        }
        self.seen += 1;
    }

    /// What the newest cycle showed, which `snapshot` ended.
    pub fn newest(&self, snapshot: &Snapshot) -> Signs {
        let cycle = &self.cycles[(self.seen.saturating_sub(1) % WINDOW as u64) as usize];
        Signs {
            allocation_bytes_per_ns: cycle.allocation_bytes_per_ns,
            survival: cycle.survival,
            promotion: cycle.promotion,
            old_bytes: occupied(snapshot).0,
            limit_bytes: snapshot.limit_bytes.max(1) as f64,
            failed: cycle.full + cycle.failed > 0.0,
        }
    }

    /// The rates of the window and the occupancies of `snapshot`, the last one pushed; `current` are the knobs of the
    /// cycle that it ended.
    pub fn measure(&self, snapshot: &Snapshot, current: &Knobs) -> Measured {
        let filled = self.seen.min(WINDOW as u64) as usize;
        let cycles = &self.cycles[..filled];
        let of = |field: fn(&Cycle) -> f64| Quartiles::of(cycles.iter().map(field));
        let mean = |field: fn(&Cycle) -> f64| ratio(cycles.iter().map(field).sum(), filled as f64);
        let allocation = of(|c| c.allocation_bytes_per_ns);
        let survival = of(|c| c.survival);
        // Large objects and promotions are lumpy: most cycles have none, so their mean says more than their median.
        let (old_bytes, live_bytes) = occupied(snapshot);
        let marks = self.marks_seen.min(MARKS as u64).max(1) as usize;
        Measured {
            allocation_bytes_per_ns: allocation.median,
            allocation_spread: ratio(allocation.upper - allocation.lower, allocation.median).min(8.0),
            survival: survival.median,
            survival_spread: survival.upper - survival.lower,
            promotion: mean(|c| c.promotion),
            large: mean(|c| c.large),
            copy_ns_per_byte: of(|c| c.copy_ns_per_byte).median,
            mark_ns_per_byte: Quartiles::of(self.marks[..marks].iter().copied()).median,
            remembered_per_kib: of(|c| c.remembered_per_kib).median,
            barrier_per_kib: of(|c| c.barrier_per_kib).median,
            compacted_per_freed: mean(|c| c.compacted_per_freed),
            tail_share: of(|c| c.tail_share).median,
            gc_share: of(|c| c.gc_share).median,
            full_rate: mean(|c| c.full),
            failed_rate: mean(|c| c.failed),
            limit_bytes: snapshot.limit_bytes.max(1) as f64,
            heap_bytes: current.heap_target_bytes.min(snapshot.limit_bytes).max(1) as f64,
            committed_bytes: snapshot.committed_bytes as f64,
            old_bytes,
            live_bytes,
            survivor_bytes: snapshot.survivor_bytes as f64,
            reclaimable_bytes: snapshot.candidate_reclaimable_bytes as f64,
            largest_free_bytes: snapshot.largest_free_bytes as f64,
            cycles_since_mark: snapshot.cycles_since_mark.min(64) as f64,
            pause_ns_p50: snapshot.pause_ns_p50 as f64,
            pause_ns_p95: snapshot.pause_ns_p95 as f64,
            pause_goal_ln: ln(snapshot.pause_goal_ns.max(1) as f64),
            old_region_bytes: current.old_region_bytes as f64,
            eden_region_bytes: current.eden_region_bytes as f64,
            concurrent_start_share: current.concurrent_start_share,
            young_bytes: current.young_bytes as f64,
        }
    }
}

/// Old and large bytes, and what lives of them: of the last marking as far as it can still be there, and all before the first.
pub(crate) fn occupied(snapshot: &Snapshot) -> (f64, f64) {
    let old_bytes = snapshot.old_bytes as f64 + snapshot.large_bytes as f64;
    let live_bytes = if snapshot.live_bytes == 0 { old_bytes } else { (snapshot.live_bytes as f64).min(old_bytes) };
    (old_bytes, live_bytes)
}

/// `a / b`, and 0 where that is no finite number.
pub(crate) fn ratio(a: f64, b: f64) -> f64 {
    let value = a / b;
    if value.is_finite() { value } else { 0.0 }
}

/// Median and quartiles of at most [`WINDOW`] numbers.
struct Quartiles {
    lower: f64,
    median: f64,
    upper: f64,
}

impl Quartiles {
    fn of(values: impl Iterator<Item = f64>) -> Quartiles {
        let mut numbers = [f64::INFINITY; WINDOW];
        let mut len = 0;
        for value in values {
            numbers[len] = value;
            len += 1;
        }
        let sorted = sorted(numbers);
        match len {
            0 => Quartiles { lower: 0.0, median: 0.0, upper: 0.0 },
            _ => Quartiles {
                lower: sorted[(len - 1) / 4],
                median: (sorted[(len - 1) / 2] + sorted[len / 2]) / 2.0,
                upper: sorted[len - 1 - (len - 1) / 4],
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knobs() -> Knobs {
        let envelope = tenure_gc::policy::Envelope {
            region_bytes_min: 64 << 10,
            region_bytes_max: 1 << 20,
            young_bytes_min: 64 << 10,
            young_bytes_max: 8 << 20,
            limit_bytes: 64 << 20,
        };
        envelope.initial(&Snapshot::default())
    }

    fn snapshot(cycle: u64, allocated_bytes: u64) -> Snapshot {
        Snapshot {
            cycle,
            mutator_cpu_ns: 1_000_000,
            allocated_bytes,
            young_bytes: 8 << 20,
            survived_bytes: 1 << 20,
            limit_bytes: 64 << 20,
            ..Snapshot::default()
        }
    }

    #[test]
    fn an_outlier_does_not_move_the_allocation_rate() {
        let mut history = History::new();
        for cycle in 0..7 {
            history.push(&snapshot(cycle, 1_000_000));
        }
        let outlier = snapshot(7, 1_000_000_000);
        history.push(&outlier);
        assert_eq!(history.measure(&outlier, &knobs()).allocation_bytes_per_ns, 1.0);
    }

    #[test]
    fn a_step_shows_within_the_window() {
        let mut history = History::new();
        for cycle in 0..20 {
            history.push(&snapshot(cycle, 1_000_000));
        }
        for cycle in 20..25 {
            history.push(&snapshot(cycle, 4_000_000));
        }
        assert_eq!(history.measure(&snapshot(25, 0), &knobs()).allocation_bytes_per_ns, 4.0);
    }

    #[test]
    fn empty_cycles_give_zeros_not_nan() {
        let mut history = History::new();
        history.push(&Snapshot::default());
        let measured = history.measure(&Snapshot::default(), &knobs());
        assert_eq!(measured.survival, 0.0);
        assert_eq!(measured.allocation_bytes_per_ns, 0.0);
        assert!(measured.copy_ns_per_byte.is_finite());
    }
}
