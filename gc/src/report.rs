//! What observers are told: each pause as it ends, and each cycle as its decision is answered.

use crate::phases::Phases;
use crate::policy::{CycleKind, Decision, Knobs, Outcome, Snapshot};

/// One decision with what it was made from and what came of it. This is a row of a journal.
#[derive(Clone, Copy, Debug)]
pub struct Cycle {
    /// Measured at the end of the pause at which the decision was made.
    pub snapshot: Snapshot,
    /// As it went into force: its knobs are clamped.
    pub decision: Decision,
    /// What came of it.
    pub outcome: Outcome,
}

/// Bytes in regions, by role: capacities of the regions, not sizes of the objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Occupancy {
    /// Eden regions.
    pub eden_bytes: u64,
    /// Survivor regions.
    pub survivor_bytes: u64,
    /// Old regions.
    pub old_bytes: u64,
    /// Large objects.
    pub large_bytes: u64,
    /// From bottoms to tops of all of them.
    pub used_bytes: u64,
    /// Backed by memory.
    pub committed_bytes: u64,
}

/// One pause.
#[derive(Clone, Copy, Debug)]
pub struct PauseReport {
    /// Its number, from 0, in one sequence with concurrent cycles.
    pub number: u64,
    /// What it did.
    pub kind: CycleKind,
    /// Why it came: the words of the log line.
    pub cause: &'static str,
    /// Since the heap was made.
    pub start_ns: u64,
    /// Its length.
    pub pause_ns: u64,
    /// CPU time in user mode, of all workers.
    pub user_ns: u64,
    /// CPU time in the kernel, of the program's thread.
    pub system_ns: u64,
    /// CPU time of its longest worker and of what one thread did alone: how long it would take on idle cores.
    pub critical_cpu_ns: u64,
    /// What its work was predicted to take, by one worker alone; 0 if it was a full collection.
    pub predicted_ns: u64,
    /// Steps of a mixed pause after the first, for which there was time left.
    pub optional_steps: u32,
    /// What it spent its time on.
    pub phases: Phases,
    /// The heap when it began.
    pub before: Occupancy,
    /// The heap when it ended.
    pub after: Occupancy,
    /// What the collector took beside the heap when it ended.
    pub metadata_bytes: u64,
    /// Measured at its end.
    pub snapshot: Snapshot,
    /// Made at its end.
    pub decision: Decision,
    /// The knobs it ran with.
    pub knobs: Knobs,
    /// Who made the decision.
    pub policy: &'static str,
}

/// What happened in a concurrent cycle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MarkEvent {
    /// It began, in the pause before.
    Start,
    /// The pause that ends tracing.
    Remark,
    /// The pause that completes the candidates' remembered sets.
    Cleanup,
    /// It came to its end.
    End,
    /// It ended because it was not needed any more.
    Undo,
    /// A full collection ended it.
    Abort,
}

/// One event of a concurrent cycle.
#[derive(Clone, Copy, Debug)]
pub struct MarkReport {
    /// The cycle's number, in one sequence with the pauses.
    pub number: u64,
    /// What happened.
    pub event: MarkEvent,
    /// When it began, since the heap was made: a pause, or the cycle at its end.
    pub start_ns: u64,
    /// How long that took.
    pub length_ns: u64,
    /// CPU time of a pause in user mode.
    pub user_ns: u64,
    /// CPU time of a pause in the kernel.
    pub system_ns: u64,
    /// The heap when a pause began.
    pub before: Occupancy,
    /// The heap when it ended.
    pub after: Occupancy,
    /// Live in old regions and large objects, by the last marking.
    pub live_bytes: u64,
}

/// Is told what the heap does. Called inside pauses: it should be quick, and must not use the heap.
pub trait Observer: Send {
    /// A pause ended.
    fn pause(&mut self, report: &PauseReport) {
        let _ = report;
    }

    /// Something happened in a concurrent cycle.
    fn marking(&mut self, report: &MarkReport) {
        let _ = report;
    }

    /// A decision got its outcome. Comes before the report of the pause that ended its cycle.
    fn cycle(&mut self, cycle: &Cycle) {
        let _ = cycle;
    }
}
