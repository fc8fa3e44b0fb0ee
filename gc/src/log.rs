//! The log: unified-log lines as OpenJDK's G1 writes them, so that GCViewer and GCToolKit read them.
//!
//! Regions of many sizes are printed as counts of 1 MiB, the nominal `Heap Region Size`; true sizes are on tags of our own,
//! which those tools skip.

use std::fmt::Write as _;
use std::io::Write;

use crate::phases::PausePhase;
use crate::policy::CycleKind;
use crate::report::{MarkEvent, MarkReport, Observer, PauseReport};
use crate::sink::{OnError, Sink};

/// Writes the log: an observer of the heap.
pub struct LogWriter {
    sink: Sink,
    line: String,
}

const MIB: u64 = 1 << 20;

fn seconds(ns: u64) -> f64 {
    ns as f64 * 1e-9
}

fn milliseconds(ns: u64) -> f64 {
    ns as f64 * 1e-6
}

/// The words for a kind of pause.
pub fn pause_name(kind: CycleKind) -> &'static str {
    match kind {
        CycleKind::Young => "Pause Young (Normal)",
        CycleKind::ConcurrentStart => "Pause Young (Concurrent Start)",
        CycleKind::PrepareMixed => "Pause Young (Prepare Mixed)",
        CycleKind::Mixed => "Pause Young (Mixed)",
        CycleKind::Full => "Pause Full",
    }
}

impl LogWriter {
    /// Starts a log.
    pub fn new(out: Box<dyn Write + Send>, on_error: OnError) -> LogWriter {
        let mut log = LogWriter { sink: Sink::new(out, on_error), line: String::new() };
        log.sink.write(b"[0.000s][info][gc] Using G1\n[0.000s][info][gc,init] Heap Region Size: 1M\n");
        log
    }

    fn line(&mut self, at_ns: u64, tags: &str, text: std::fmt::Arguments<'_>) {
        // Formatting into a string cannot fail.
        let _ = writeln!(self.line, "[{:.3}s][info][{tags}] {text}", seconds(at_ns));
    }
}

impl Observer for LogWriter {
    fn pause(&mut self, report: &PauseReport) {
        self.line.clear();
        let (number, name, cause) = (report.number, pause_name(report.kind), report.cause);
        let end_ns = report.start_ns + report.pause_ns;
        self.line(report.start_ns, "gc,start    ", format_args!("GC({number}) {name} ({cause})"));
        let (before, after) = (&report.before, &report.after);
        let regions = |bytes: u64| bytes.div_ceil(MIB);
        let next_young = regions(report.decision.knobs.young_bytes);
        for (role, from, to, room) in [
            ("Eden", before.eden_bytes, after.eden_bytes, Some(next_young)),
            ("Survivor", before.survivor_bytes, after.survivor_bytes, Some(next_young.div_ceil(8))),
            ("Old", before.old_bytes, after.old_bytes, None),
            ("Humongous", before.large_bytes, after.large_bytes, None),
        ] {
            let room = room.map(|room| format!("({room})")).unwrap_or_default();
            let (from, to) = (regions(from), regions(to));
            self.line(end_ns, "gc,heap     ", format_args!("GC({number}) {role} regions: {from}->{to}{room}"));
        }
        let phases = &report.phases;
        for phase in PausePhase::ALL.into_iter().filter(|phase| phases.sum_ns(*phase) > 0) {
            let (longest, sum) = (milliseconds(phases.longest_ns(phase)), milliseconds(phases.sum_ns(phase)));
            let text = if phase.is_shared() {
                format_args!(
                    "GC({number})     {} (ms): Max: {longest:.2}, Sum: {sum:.2}, Workers: {}",
                    phase.name(),
                    phases.workers
                )
            } else {
                format_args!("GC({number})   {}: {longest:.2}ms", phase.name())
            };
            self.line(end_ns, "gc,phases   ", text);
        }
        let snapshot = &report.snapshot;
        let (kilobytes, took) = (|bytes: u64| bytes / 1024, milliseconds(report.pause_ns));
        self.line(
            end_ns,
            "gc,regions  ",
            format_args!(
                "GC({number}) {} sizes alive, {} old regions, {} candidates with {}K to free, {} remembered entries, {}K in tails, {} failed copies",
                snapshot.region_sizes_alive,
                snapshot.old_regions,
                snapshot.candidate_regions,
                kilobytes(snapshot.candidate_reclaimable_bytes),
                snapshot.remembered_entries,
                kilobytes(snapshot.tail_waste_bytes),
                snapshot.failed_copies,
            ),
        );
        let knobs = &report.decision.knobs;
        self.line(
            end_ns,
            "gc,policy   ",
            format_args!(
                "GC({number}) {} ({:?}): old region {}K, eden region {}K, young {}K, start {:.1}%, age {}, large above {}K, heap target {}K",
                report.policy,
                report.decision.reason,
                kilobytes(knobs.old_region_bytes),
                kilobytes(knobs.eden_region_bytes),
                kilobytes(knobs.young_bytes),
                knobs.concurrent_start_share * 100.0,
                knobs.tenuring_age,
                kilobytes(knobs.large_object_bytes),
                kilobytes(knobs.heap_target_bytes),
            ),
        );
        let (from, to, all) =
            (kilobytes(before.used_bytes), kilobytes(after.used_bytes), kilobytes(after.committed_bytes));
        self.line(
            end_ns,
            "gc          ",
            format_args!("GC({number}) {name} ({cause}) {from}K->{to}K({all}K) {took:.3}ms"),
        );
        let (user, system, real) = (seconds(report.user_ns), seconds(report.system_ns), seconds(report.pause_ns));
        self.line(
            end_ns,
            "gc,cpu      ",
            format_args!("GC({number}) User={user:.2}s Sys={system:.2}s Real={real:.2}s"),
        );
        self.sink.write(self.line.as_bytes());
    }

    fn marking(&mut self, report: &MarkReport) {
        self.line.clear();
        let number = report.number;
        let (end_ns, took) = (report.start_ns + report.length_ns, milliseconds(report.length_ns));
        let kilobytes = |bytes: u64| bytes / 1024;
        let (from, to, all) = (
            kilobytes(report.before.used_bytes),
            kilobytes(report.after.used_bytes),
            kilobytes(report.after.committed_bytes),
        );
        const PLAIN: &str = "gc          ";
        match report.event {
            MarkEvent::Start => {
                self.line(end_ns, PLAIN, format_args!("GC({number}) Concurrent Mark Cycle"));
            }
            MarkEvent::Remark | MarkEvent::Cleanup => {
                let name = if report.event == MarkEvent::Remark { "Pause Remark" } else { "Pause Cleanup" };
                self.line(report.start_ns, "gc,start    ", format_args!("GC({number}) {name}"));
                self.line(end_ns, PLAIN, format_args!("GC({number}) {name} {from}K->{to}K({all}K) {took:.3}ms"));
                let (user, system, real) =
                    (seconds(report.user_ns), seconds(report.system_ns), seconds(report.length_ns));
                let text = format_args!("GC({number}) User={user:.2}s Sys={system:.2}s Real={real:.2}s");
                self.line(end_ns, "gc,cpu      ", text);
            }
            MarkEvent::End => {
                self.line(end_ns, PLAIN, format_args!("GC({number}) Concurrent Mark Cycle {took:.3}ms"));
            }
            MarkEvent::Undo => {
                self.line(end_ns, PLAIN, format_args!("GC({number}) Concurrent Undo Cycle {took:.3}ms"));
            }
            MarkEvent::Abort => {
                self.line(end_ns, "gc,marking  ", format_args!("GC({number}) Concurrent Mark Abort"));
                self.line(end_ns, PLAIN, format_args!("GC({number}) Concurrent Mark Cycle {took:.3}ms"));
            }
        }
        self.sink.write(self.line.as_bytes());
    }
}
