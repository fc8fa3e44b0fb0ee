//! Memory on its way back to the system: free granules that a thread of the pool uncommits while the program runs (as G1
//! does since JDK 16, JDK-8236926). The system clears page tables for that, which a pause need not wait for.
//!
//! It must never decide which granules, nor touch any that it was not handed.
//!
//! Invariants
//! - G1. Granules that are handed over are neither free nor in use until the space has taken them back. So whoever allocates cannot
//!   be given one of them.
//! - G2. The thread touches a range under the lock, and only while it is on the list. So who takes the list back, to allocate or
//!   because the heap is dropped, waits for one piece at the most, and nothing is touched after that.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::memory::Memory;
use crate::pool::{self, Urgency, Work};

/// The thread takes up to so many granules at a time: 4 MiB.
const PIECE_GRANULES: u32 = 64;

#[derive(Default)]
struct Lists {
    /// What is still committed.
    waiting: Vec<Range<u32>>,
    /// What is not any more.
    done: Vec<Range<u32>>,
}

struct Shared {
    memory: Memory,
    lists: Mutex<Lists>,
}

impl Shared {
    fn lists(&self) -> MutexGuard<'_, Lists> {
        // Nothing panics while it is held.
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Uncommits a piece; false if there was none.
    fn step(&self) -> bool {
        let mut lists = self.lists();
        let Some(last) = lists.waiting.last_mut() else { return false };
        let from = last.start.max(last.end.saturating_sub(PIECE_GRANULES));
        let piece = from..last.end;
        if !self.memory.uncommit(piece.start, piece.len() as u32) {
            // The system does not want it: it stays committed, and goes back as it is.
            return false;
        }
        last.end = from;
        let empty = last.start == from;
        // There is room for each piece (see `add`).
        lists.done.push(piece);
        if empty {
            lists.waiting.pop();
        }
        true
    }
}

impl Work for Shared {
    fn work(&self) {
        while self.step() {}
    }
}

/// What became of granules that were handed over.
pub(crate) enum Returned {
    Uncommitted(Range<u32>),
    Committed(Range<u32>),
}

/// The granules of one heap that are on their way.
pub(crate) struct GiveBack(Arc<Shared>);

impl GiveBack {
    pub(crate) fn new(memory: Memory) -> GiveBack {
        GiveBack(Arc::new(Shared { memory, lists: Mutex::default() }))
    }

    /// Puts granules on the list; false if there is no memory for that.
    pub(crate) fn add(&self, range: Range<u32>) -> bool {
        let mut lists = self.0.lists();
        let pieces = lists.done.len() + lists.waiting.iter().map(pieces_of).sum::<usize>() + pieces_of(&range);
        let more = pieces - lists.done.len();
        let fits = lists.done.try_reserve(more).is_ok() && lists.waiting.try_reserve(1).is_ok();
        if fits {
            lists.waiting.push(range);
        }
        fits
    }

    /// Has a thread work on the list. Where there is none, this one does.
    pub(crate) fn start(&self) {
        if !self.0.lists().waiting.is_empty() && !pool::submit(Arc::clone(&self.0) as Arc<dyn Work>, Urgency::Beside) {
            self.0.work();
        }
    }

    /// Takes back what is uncommitted, and with `all` the rest too, as it is.
    pub(crate) fn take(&self, all: bool, mut each: impl FnMut(Returned)) {
        let mut lists = self.0.lists();
        lists.done.drain(..).for_each(|range| each(Returned::Uncommitted(range)));
        if all {
            lists.waiting.drain(..).for_each(|range| each(Returned::Committed(range)));
        }
    }
}

fn pieces_of(range: &Range<u32>) -> usize {
    range.len().div_ceil(PIECE_GRANULES as usize)
}

impl Drop for GiveBack {
    fn drop(&mut self) {
        // G2: the addresses are about to be unmapped.
        self.take(true, drop);
    }
}
