//! Limits that change while the program runs: a control group's, and pressure on the machine's memory.
//!
//! Asked at the end of pauses, at most once a second. It must never know where the figures come from.
//!
//! Invariants
//! - T1. The limit in force is the least of the configured one and what the source says, never below the least legal one.
//!   When it falls below what is in use, nothing is taken away: the next allocations collect, and fail if that is in vain.

use crate::heap::{Heap, LIMIT_BYTES_MIN};
use crate::memory::GRANULE_BYTES;

/// What a system allows at the moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SystemMemory {
    /// The most the heap should take; nothing if the system doesn't say.
    pub limit_bytes: Option<u64>,
    /// Whether tasks wait for memory, so that what is free should be given back at once.
    pub pressure: bool,
}

/// Where a heap learns what the system allows.
pub trait MemorySource: Send {
    /// As it is now. Called within a pause: it should be quick.
    fn now(&mut self) -> SystemMemory;
}

/// A source and when to ask it again.
pub(crate) struct LimitWatch {
    source: Box<dyn MemorySource>,
    configured_bytes: u64,
    next_ns: u64,
}

const ASK_EVERY_NS: u64 = 1_000_000_000;

impl LimitWatch {
    pub(crate) fn new(source: Box<dyn MemorySource>, configured_bytes: u64) -> LimitWatch {
        LimitWatch { source, configured_bytes, next_ns: 0 }
    }
}

impl Heap {
    /// Asks the source, if it is time to.
    pub(crate) fn watch_limit(&mut self) {
        let now_ns = self.measure.now_ns();
        let Some(watch) = self.limit_watch.as_mut().filter(|watch| now_ns >= watch.next_ns) else { return };
        watch.next_ns = now_ns + ASK_EVERY_NS;
        let memory = watch.source.now();
        let limit_bytes = memory.limit_bytes.unwrap_or(u64::MAX).min(watch.configured_bytes);
        if limit_bytes != self.envelope.limit_bytes {
            self.set_limit_bytes(limit_bytes);
        }
        if memory.pressure {
            self.stats.pressure_events += 1;
            self.space.uncommit(0, 0, 0);
        }
    }

    /// Another limit, from now on. Takes no memory away from live objects (T1).
    pub fn set_limit_bytes(&mut self, limit_bytes: u64) {
        let limit_bytes = limit_bytes.max(LIMIT_BYTES_MIN) / GRANULE_BYTES as u64 * GRANULE_BYTES as u64;
        let limit_bytes = self.space.set_limit_bytes(limit_bytes);
        self.envelope = crate::policy::Envelope::of_limit(limit_bytes);
    }
}
