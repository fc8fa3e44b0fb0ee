//! Totals of a heap's life.

use std::fmt;

use hdrhistogram::Histogram;

use crate::mmu::MMU_WINDOWS_NS;
use crate::phases::Phases;
use crate::policy::{CycleKind, Snapshot};
use crate::room::Room;

/// Totals since the heap was made. Bytes and nanoseconds, as the names say.
#[derive(Clone, Debug)]
pub struct Stats {
    /// Pauses of each kind, by [`CycleKind`]'s number.
    pub pauses_by_kind: [u64; 5],
    /// Pauses of concurrent cycles: remarks and cleanups.
    pub mark_pauses: u64,
    /// Times that an allocation had to wait until marking had found room.
    pub marking_waits: u64,
    /// Longest pause.
    pub pause_ns_max: u64,
    /// All pauses together.
    pub pause_ns_total: u64,
    /// CPU time of the collector, markers beside the program among it.
    pub gc_cpu_ns: u64,
    /// CPU time of the program's thread up to the last pause.
    pub mutator_cpu_ns: u64,
    /// Allocated, large objects included.
    pub allocated_bytes: u64,
    /// Copied, all destinations, compaction included.
    pub copied_bytes: u64,
    /// Freed, eden included.
    pub freed_bytes: u64,
    /// Found live by all markings.
    pub marked_bytes: u64,
    /// Objects that could not be copied.
    pub failed_copies: u64,
    /// Objects and chunks that the write barrier logged.
    pub barrier_slow_paths: u64,
    /// Entries scanned in store buffer and remembered sets.
    pub remembered_entries: u64,
    /// Committed now.
    pub committed_bytes: u64,
    /// Committed at the most.
    pub committed_bytes_max: u64,
    /// Decisions that fell back to the adaptive policy; counted by the embedder.
    pub policy_fallbacks: u64,
    /// Host resources whose drop panicked.
    pub resource_panics: u64,
    /// Memory of the host's that counts toward the limit, now.
    pub host_bytes: u64,
    /// What the collector takes beside the heap, now: tables, buffers, remembered sets.
    pub metadata_bytes: u64,
    /// The most of it that the end of a pause saw.
    pub metadata_bytes_max: u64,
    /// How often the system was found short of memory.
    pub pressure_events: u64,
    /// The least share of any window of [`MMU_WINDOWS_NS`] that pauses left to the program.
    pub mmu: [f64; MMU_WINDOWS_NS.len()],
    /// What evacuating and compacting pauses spent their time on.
    pub phases: Phases,
    metadata_shares: Shares,
    pauses_ns: Times,
    to_safepoint_ns: Times,
}

/// Nanoseconds, to two digits.
#[derive(Clone)]
struct Times(Histogram<u64>);

impl fmt::Debug for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} times", self.0.len())
    }
}

impl Times {
    fn new() -> Times {
        Times(Histogram::new(2).expect("two digits are a legal precision"))
    }

    fn add(&mut self, ns: u64) {
        record(&mut self.0, ns);
    }

    fn buckets(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let upper_bound = |value| self.0.highest_equivalent(value);
        self.0.iter_recorded().map(move |bucket| (upper_bound(bucket.value_iterated_to()), bucket.count_at_value()))
    }
}

/// Counts a value; as the highest so far, if the system has no memory for a longer histogram.
fn record(histogram: &mut Histogram<u64>, value: u64) {
    if value <= histogram.high() || Room::default().has_pieces() {
        histogram.auto(true);
        histogram.record(value).expect("an auto-resizing histogram holds every value");
    } else {
        histogram.saturating_record(value);
    }
}

/// Shares of what was committed, in parts of a million.
#[derive(Clone)]
struct Shares(Histogram<u64>);

impl fmt::Debug for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} shares", self.0.len())
    }
}

impl Stats {
    pub(crate) fn new() -> Stats {
        Stats {
            pauses_by_kind: [0; 5],
            mark_pauses: 0,
            marking_waits: 0,
            pause_ns_max: 0,
            pause_ns_total: 0,
            gc_cpu_ns: 0,
            mutator_cpu_ns: 0,
            allocated_bytes: 0,
            copied_bytes: 0,
            freed_bytes: 0,
            marked_bytes: 0,
            failed_copies: 0,
            barrier_slow_paths: 0,
            remembered_entries: 0,
            committed_bytes: 0,
            committed_bytes_max: 0,
            policy_fallbacks: 0,
            resource_panics: 0,
            host_bytes: 0,
            metadata_bytes: 0,
            metadata_bytes_max: 0,
            pressure_events: 0,
            mmu: [1.0; MMU_WINDOWS_NS.len()],
            phases: Phases::default(),
            metadata_shares: Shares(Histogram::new(3).expect("three digits are a legal precision")),
            pauses_ns: Times::new(),
            to_safepoint_ns: Times::new(),
        }
    }

    /// Adds the pause that this snapshot ends.
    pub(crate) fn add(&mut self, snapshot: &Snapshot, copied_bytes: u64, freed_bytes: u64) {
        self.pauses_by_kind[snapshot.kind as usize] += 1;
        self.add_pause_ns(snapshot.pause_ns);
        self.gc_cpu_ns += snapshot.pause_cpu_ns + snapshot.concurrent_cpu_ns;
        self.mutator_cpu_ns += snapshot.mutator_cpu_ns;
        self.allocated_bytes += snapshot.allocated_bytes + snapshot.large_allocated_bytes;
        self.copied_bytes += copied_bytes;
        self.freed_bytes += freed_bytes;
        self.marked_bytes += snapshot.marked_bytes;
        self.failed_copies += snapshot.failed_copies;
        self.barrier_slow_paths += snapshot.barrier_slow_paths;
        self.remembered_entries += snapshot.remembered_entries;
    }

    /// Adds what the collector took beside the heap at the end of a pause.
    pub(crate) fn add_metadata(&mut self, metadata_bytes: u64, committed_bytes: u64) {
        self.metadata_bytes_max = self.metadata_bytes_max.max(metadata_bytes);
        let share = metadata_bytes * 1_000_000 / committed_bytes.max(1);
        record(&mut self.metadata_shares.0, share);
    }

    /// What the collector took beside the heap as a share of what was committed, at a quantile of the pauses' ends.
    pub fn metadata_share_quantile(&self, quantile: f64) -> f64 {
        self.metadata_shares.0.value_at_quantile(quantile) as f64 * 1e-6
    }

    /// The histogram of pauses: for each bucket its upper bound in nanoseconds and how many pauses it holds.
    pub fn pause_histogram(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.pauses_ns.buckets()
    }

    /// The program was wanted at a safepoint, and came after so long.
    pub(crate) fn add_time_to_safepoint(&mut self, ns: u64) {
        self.to_safepoint_ns.add(ns);
    }

    /// How often the program was wanted at a safepoint while it ran: by a marker that had come to its end, an interrupt, a
    /// deadline.
    pub fn safepoint_requests(&self) -> u64 {
        self.to_safepoint_ns.0.len()
    }

    /// How long it took to come, in its own CPU time, at a quantile from 0 to 1, to two digits; 0 if it was never wanted.
    pub fn time_to_safepoint_ns_quantile(&self, quantile: f64) -> u64 {
        self.to_safepoint_ns.0.value_at_quantile(quantile)
    }

    /// The histogram of these times, as [`pause_histogram`](Stats::pause_histogram).
    pub fn time_to_safepoint_histogram(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.to_safepoint_ns.buckets()
    }

    fn add_pause_ns(&mut self, pause_ns: u64) {
        self.pause_ns_max = self.pause_ns_max.max(pause_ns);
        self.pause_ns_total += pause_ns;
        self.pauses_ns.add(pause_ns);
    }

    /// Adds a pause of a concurrent cycle; its CPU time comes with the next snapshot.
    pub(crate) fn add_mark_pause(&mut self, pause_ns: u64) {
        self.mark_pauses += 1;
        self.add_pause_ns(pause_ns);
    }

    /// Number of pauses that evacuated or compacted; those of concurrent cycles are in `mark_pauses`.
    pub fn pauses(&self) -> u64 {
        self.pauses_by_kind.iter().sum()
    }

    /// Number of full collections.
    pub fn full_collections(&self) -> u64 {
        self.pauses_by_kind[CycleKind::Full as usize]
    }

    /// Length of pauses at a quantile from 0 to 1, to two digits; 0 without pauses.
    pub fn pause_ns_quantile(&self, quantile: f64) -> u64 {
        self.pauses_ns.0.value_at_quantile(quantile).min(self.pause_ns_max)
    }

    /// Median pause.
    pub fn pause_ns_p50(&self) -> u64 {
        self.pause_ns_quantile(0.5)
    }

    /// 99th percentile of the pauses.
    pub fn pause_ns_p99(&self) -> u64 {
        self.pause_ns_quantile(0.99)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_values_themselves() {
        let mut stats = Stats::new();
        (1..=100).for_each(|n| stats.add_mark_pause(n * 1_000_000));
        stats.add_time_to_safepoint(40_000);
        stats.add_metadata(3 << 20, 100 << 20);
        let close = |value: f64, expected: f64| (value / expected - 1.0).abs() < 0.01;
        assert!(close(stats.pause_ns_p50() as f64, 50e6), "{}", stats.pause_ns_p50());
        assert!(close(stats.pause_ns_p99() as f64, 99e6), "{}", stats.pause_ns_p99());
        assert!(close(stats.time_to_safepoint_ns_quantile(0.5) as f64, 40e3));
        assert!(close(stats.metadata_share_quantile(0.5), 0.03));
    }
}
