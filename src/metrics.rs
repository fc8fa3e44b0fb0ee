//! Live figures of the collector through the `metrics` facade: whatever recorder the process installs gets them.
//!
//! | name | kind | unit |
//! |---|---|---|
//! | `tenure_gc_pauses_total{kind}` | counter, those of concurrent cycles among them | pauses |
//! | `tenure_gc_pause_seconds` | histogram | seconds |
//! | `tenure_gc_cpu_seconds_total` | gauge that only grows; markers beside the program among it | seconds |
//! | `tenure_gc_allocated_bytes_total`, `tenure_gc_copied_bytes_total` | counter | bytes |
//! | `tenure_gc_failed_copies_total`, `tenure_gc_barrier_slow_paths_total` | counter | |
//! | `tenure_heap_committed_bytes`, `tenure_heap_limit_bytes`, `tenure_heap_live_bytes` | gauge | bytes |
//! | `tenure_heap_old_bytes`, `tenure_heap_large_bytes`, `tenure_heap_survivor_bytes` | gauge | bytes |
//! | `tenure_gc_young_bytes`, `tenure_gc_old_region_bytes`, `tenure_gc_eden_region_bytes` | gauge: knobs | bytes |

use metrics::{counter, gauge, histogram};
use tenure_gc::policy::CycleKind;
use tenure_gc::{MarkEvent, MarkReport, Observer, PauseReport, Stats};

/// Tells the process's recorder of each pause.
#[derive(Debug)]
pub struct MetricsObserver {
    gc_cpu_ns: u64,
}

const KINDS: [&str; 7] = ["young", "concurrent_start", "prepare_mixed", "mixed", "full", "remark", "cleanup"];
const COUNTERS: [&str; 4] = [
    "tenure_gc_allocated_bytes_total",
    "tenure_gc_copied_bytes_total",
    "tenure_gc_failed_copies_total",
    "tenure_gc_barrier_slow_paths_total",
];

impl Default for MetricsObserver {
    /// What counts from zero is known to the recorder from now on, so a program that never collects has figures too.
    fn default() -> MetricsObserver {
        KINDS.into_iter().for_each(|kind| counter!("tenure_gc_pauses_total", "kind" => kind).increment(0));
        COUNTERS.into_iter().for_each(|name| counter!(name).increment(0));
        gauge!("tenure_gc_cpu_seconds_total").set(0.0);
        MetricsObserver { gc_cpu_ns: 0 }
    }
}

impl MetricsObserver {
    /// Brings the figures up to now, where no pause has: to be called when a program has ended.
    pub fn finish(stats: &Stats, limit_bytes: u64) {
        counter!("tenure_gc_allocated_bytes_total").absolute(stats.allocated_bytes);
        counter!("tenure_gc_barrier_slow_paths_total").absolute(stats.barrier_slow_paths);
        gauge!("tenure_gc_cpu_seconds_total").set(stats.gc_cpu_ns as f64 * 1e-9);
        gauge!("tenure_heap_committed_bytes").set(stats.committed_bytes as f64);
        gauge!("tenure_heap_limit_bytes").set(limit_bytes as f64);
    }
}

fn kind_name(kind: CycleKind) -> &'static str {
    match kind {
        CycleKind::Young => "young",
        CycleKind::ConcurrentStart => "concurrent_start",
        CycleKind::PrepareMixed => "prepare_mixed",
        CycleKind::Mixed => "mixed",
        CycleKind::Full => "full",
    }
}

impl Observer for MetricsObserver {
    fn pause(&mut self, report: &PauseReport) {
        let snapshot = &report.snapshot;
        self.gc_cpu_ns += snapshot.pause_cpu_ns + snapshot.concurrent_cpu_ns;
        counter!("tenure_gc_pauses_total", "kind" => kind_name(report.kind)).increment(1);
        histogram!("tenure_gc_pause_seconds").record(report.pause_ns as f64 * 1e-9);
        gauge!("tenure_gc_cpu_seconds_total").set(self.gc_cpu_ns as f64 * 1e-9);
        let allocated_bytes = snapshot.allocated_bytes + snapshot.large_allocated_bytes;
        let copied_bytes = snapshot.survived_bytes + snapshot.promoted_bytes + snapshot.compacted_bytes;
        counter!("tenure_gc_allocated_bytes_total").increment(allocated_bytes);
        counter!("tenure_gc_copied_bytes_total").increment(copied_bytes);
        counter!("tenure_gc_failed_copies_total").increment(snapshot.failed_copies);
        counter!("tenure_gc_barrier_slow_paths_total").increment(snapshot.barrier_slow_paths);
        let knobs = &report.decision.knobs;
        for (name, bytes) in [
            ("tenure_heap_committed_bytes", snapshot.committed_bytes),
            ("tenure_heap_limit_bytes", snapshot.limit_bytes),
            ("tenure_heap_live_bytes", snapshot.live_bytes),
            ("tenure_heap_old_bytes", snapshot.old_bytes),
            ("tenure_heap_large_bytes", snapshot.large_bytes),
            ("tenure_heap_survivor_bytes", snapshot.survivor_bytes),
            ("tenure_gc_young_bytes", knobs.young_bytes),
            ("tenure_gc_old_region_bytes", knobs.old_region_bytes),
            ("tenure_gc_eden_region_bytes", knobs.eden_region_bytes),
        ] {
            gauge!(name).set(bytes as f64);
        }
    }

    fn marking(&mut self, report: &MarkReport) {
        let kind = match report.event {
            MarkEvent::Remark => "remark",
            MarkEvent::Cleanup => "cleanup",
            MarkEvent::Start | MarkEvent::End | MarkEvent::Undo | MarkEvent::Abort => return,
        };
        counter!("tenure_gc_pauses_total", "kind" => kind).increment(1);
        histogram!("tenure_gc_pause_seconds").record(report.length_ns as f64 * 1e-9);
    }
}
