//! How a program that does not allocate comes to a safepoint, and how long that takes.
//!
//! Allocations are safepoints, but a loop may go on for long without one while a marker has come to its end beside it. So
//! the heap is given an alarm: whoever wants the program rings it, the program's polls see that, and come here.
//!
//! It must never know how a program polls, nor what is wanted of it beyond this heap.
//!
//! Invariants
//! - S1. An alarm is rung after what it is rung for can be seen, and taken back before that is looked at; so none is lost,
//!   and one rung meanwhile only makes the program look once more.
//! - S2. Time to safepoint is counted from the first ring that was not answered yet to the safepoint that answers it, in CPU
//!   time of the program's thread, which other work on the machine does not stretch. A program that waits in native code, or does not run, is within reach: its time begins when it goes on.

use std::sync::Arc;

use crate::barrier::Entry;
use crate::heap::{Heap, Roots};
use crate::pause::{Cause, Plan};

/// A store buffer is long when it takes one byte in so many committed ones, but never below so many bytes.
const STORE_BUFFER_PART: u64 = 256;
const STORE_BUFFER_BYTES_MIN: u64 = 1 << 19;

/// What brings a program to a safepoint; rung by any thread.
pub trait Alarm: Send + Sync {
    /// Somebody wants the program at a safepoint.
    fn ring(&self);

    /// The program is at one: takes the alarm back; for how many nanoseconds of its CPU time it
    /// was wanted, if it was.
    fn take(&self) -> Option<u64>;
}

impl Heap {
    /// Sets what brings the program to a safepoint while it does not allocate. Without an alarm, what is due waits for the
    /// next allocation.
    pub fn set_alarm(&mut self, alarm: Arc<dyn Alarm>) {
        if self.zeal.poll > 0 {
            alarm.ring();
        }
        self.alarm = Some(alarm);
    }

    /// A safepoint that allocates nothing, for a program whose alarm was rung: makes the pauses that are due.
    pub fn safepoint(&mut self, roots: &mut dyn Roots) {
        self.answer_alarm();
        self.finish_phase(roots);
        self.shorten_store_buffer(roots);
        if self.zeal.poll > 0 {
            if self.countdowns.tick_poll() {
                self.pause(Plan::Evacuate { mark: false, everything: false }, Cause::Asked, roots);
            }
            if let Some(alarm) = &self.alarm {
                alarm.ring();
            }
        }
    }

    /// Whether the store buffer has become so long that a pause should come before eden is full.
    #[inline]
    pub(crate) fn is_store_buffer_long(&self) -> bool {
        self.store_buffer.len() >= self.store_buffer_long
    }

    /// The store buffer is long: brings the program to a safepoint, once.
    #[cold]
    pub(crate) fn ring_for_store_buffer(&mut self) {
        if !std::mem::replace(&mut self.store_buffer_rung, true)
            && let Some(alarm) = &self.alarm
        {
            alarm.ring();
        }
    }

    /// At a safepoint: empties a long store buffer by a young pause, which is shorter than the one that would come later. A
    /// program that writes to old objects all over the heap would fill a buffer as long as they are many.
    pub(crate) fn shorten_store_buffer(&mut self, roots: &mut dyn Roots) {
        if self.is_store_buffer_long() {
            self.pause(Plan::Evacuate { mark: false, everything: false }, Cause::Allocation, roots);
        }
    }

    /// After a pause: how long the store buffer may become until the next.
    pub(crate) fn bound_store_buffer(&mut self) {
        let bytes = (self.space.committed_bytes() / STORE_BUFFER_PART).max(STORE_BUFFER_BYTES_MIN);
        self.store_buffer_long = bytes as usize / size_of::<Entry>();
        self.store_buffer_rung = false;
    }

    /// The program is at a safepoint: if it was wanted there, counts how long that took.
    pub(crate) fn answer_alarm(&mut self) {
        if let Some(waited_ns) = self.alarm.as_ref().and_then(|alarm| alarm.take())
            && self.zeal.poll == 0
        {
            self.stats.add_time_to_safepoint(waited_ns);
        }
    }
}
