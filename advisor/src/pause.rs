//! What forecasts and classes look at of a snapshot: little enough to be kept until somebody asks.
//!
//! It must never know what is made of it.

use tenure_gc::policy::Snapshot;

use crate::history::occupied;

/// One pause, and the cycle that it ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pause {
    /// Its number; 0 of a heap's birth, where nothing was measured yet.
    pub(crate) cycle: u64,
    /// Since the heap was made.
    pub(crate) uptime_ns: u64,
    /// CPU time that the program's thread used.
    pub(crate) mutator_cpu_ns: u64,
    /// In young regions when it began.
    pub(crate) young_bytes: u64,
    /// Large objects included.
    pub(crate) allocated_bytes: f64,
    /// Large objects alone.
    pub(crate) large_bytes: f64,
    /// What became old: promoted and large objects.
    pub(crate) promoted_bytes: f64,
    /// Copied from young regions.
    pub(crate) copied_bytes: f64,
    /// Freed in old regions.
    pub(crate) old_freed_bytes: f64,
    /// What lives: of old space at the last marking, as far as it can still be there, and survivors.
    pub(crate) live_bytes: f64,
}

impl Pause {
    pub(crate) fn of(snapshot: &Snapshot) -> Pause {
        let (_, marked_bytes) = occupied(snapshot);
        Pause {
            cycle: snapshot.cycle,
            uptime_ns: snapshot.uptime_ns,
            mutator_cpu_ns: snapshot.mutator_cpu_ns,
            young_bytes: snapshot.young_bytes,
            allocated_bytes: snapshot.allocated_bytes as f64 + snapshot.large_allocated_bytes as f64,
            large_bytes: snapshot.large_allocated_bytes as f64,
            promoted_bytes: snapshot.promoted_bytes as f64 + snapshot.large_allocated_bytes as f64,
            copied_bytes: snapshot.survived_bytes as f64 + snapshot.promoted_bytes as f64,
            old_freed_bytes: snapshot.old_freed_bytes as f64,
            live_bytes: marked_bytes + snapshot.survivor_bytes as f64,
        }
    }
}
