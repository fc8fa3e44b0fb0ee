//! The slow path of the write barrier: object logging.
//!
//! Before a reference is stored into an object, compiled code tests the object's log bit; if it is set, it comes here,
//! once per object (or chunk of a large array) and cycle. The object goes on the store buffer, which the next pause scans
//! for references into the collection set. Blackburn and McKinley's "In or Out?", and LXR (Zhao, Blackburn, McKinley 2022),
//! are the sources of the idea.
//!
//! It must never know whether a collection is near; it is never a safepoint. While marking runs beside the program, it is
//! also what keeps the snapshot whole: the references of an object are handed over before the first of them changes.
//!
//! Invariants (heap.md's rules (a) and (e))
//! - W1. An old object's log bit is clear if and only if it is on the store buffer as a whole; a chunk's entry in the chunk table
//!   names its array if and only if the chunk is on the store buffer. What does not fit stays armed, and is known to be missing.
//! - W2. At the end of a pause the store buffer is empty and every old object is armed.
//! - W3. An array is chunked only if it starts at a chunk, so no two chunked arrays share a chunk.
//! - W4. While marking traces, a log bit or chunk entry of what lies below its mark limit is changed only after the
//!   references it stands for were handed over, whatever is stored.

use std::ops::Range;

use crate::header;
use crate::memory::{BLOCK_SHIFT, BLOCK_WORDS, Memory};
use crate::room::Room;
use crate::rules::{Rule, is_broken};
use crate::shape::ShapeTable;

/// An object, or one chunk of an array, that may refer into the collection set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Entry {
    pub(crate) object: u32,
    /// Number of the chunk in the address range, or `WHOLE`.
    pub(crate) chunk: u32,
}

impl Entry {
    const WHOLE: u32 = u32::MAX;

    pub(crate) fn whole(object: u32) -> Entry {
        Entry { object, chunk: Entry::WHOLE }
    }

    pub(crate) fn is_whole(self) -> bool {
        self.chunk == Entry::WHOLE
    }

    /// Where it starts.
    pub(crate) fn start(self) -> u32 {
        if self.is_whole() { self.object } else { self.chunk << BLOCK_SHIFT }
    }

    /// The slots that the entry stands for, of an object with `refs` of them.
    pub(crate) fn slots(self, refs: u32) -> Range<u32> {
        if self.is_whole() {
            return 0..refs;
        }
        let payload = u64::from(self.object) + 1;
        let start = u64::from(self.chunk) << BLOCK_SHIFT;
        let slot = |word: u64| (word.saturating_sub(payload) * 2).min(u64::from(refs)) as u32;
        slot(start)..slot(start + u64::from(BLOCK_WORDS))
    }

    /// The entry for one slot of a chunked array.
    pub(crate) fn of_slot(object: u32, slot: u64) -> Entry {
        Entry { object, chunk: (object + 1 + (slot / 2) as u32) >> BLOCK_SHIFT }
    }
}

/// What the slow path writes to.
pub(crate) struct Log<'h> {
    pub(crate) memory: Memory,
    pub(crate) shapes: &'h ShapeTable,
    pub(crate) store_buffer: &'h mut Vec<Entry>,
    /// Set when an entry does not fit: what it stands for stays armed, and the next pause must do without entries.
    pub(crate) entries_lost: &'h mut bool,
    /// While marking traces: references that are about to be overwritten, and whether one of them did not fit.
    pub(crate) overwritten: Option<(&'h mut Vec<u32>, &'h mut bool)>,
    pub(crate) room: Room,
}

impl Log<'_> {
    /// Logs a whole object, if it is armed; returns how many entries that took.
    pub(crate) fn object(&mut self, object: u32) -> u64 {
        let header = self.memory.word(object);
        if !header::is_armed(header) {
            return 0;
        }
        let refs = self.shapes.descriptor(header).refs(header);
        if header::is_chunked(header) {
            return self.slots(object, 0..u64::from(refs));
        }
        self.keep_snapshot(object, 0..refs);
        if !self.room.push(self.store_buffer, Entry::whole(object)) {
            *self.entries_lost = true;
            return 0;
        }
        self.memory.set_word(object, header & !header::LOG);
        1
    }

    /// Logs the chunks of an array that hold `slots`, or the array if it is not chunked; returns how many entries that took.
    pub(crate) fn slots(&mut self, array: u32, slots: Range<u64>) -> u64 {
        let header = self.memory.word(array);
        if !header::is_armed(header) || slots.is_empty() {
            return 0;
        }
        if !header::is_chunked(header) {
            return self.object(array);
        }
        let refs = self.shapes.descriptor(header).refs(header);
        let (first, last) = (Entry::of_slot(array, slots.start), Entry::of_slot(array, slots.end - 1));
        let before = self.store_buffer.len();
        for chunk in first.chunk..=last.chunk {
            if self.memory.logged_array(chunk) != array {
                let entry = Entry { object: array, chunk };
                self.keep_snapshot(array, entry.slots(refs));
                if !self.room.push(self.store_buffer, entry) {
                    *self.entries_lost = true;
                    continue;
                }
                self.memory.set_logged_array(chunk, array);
            }
        }
        (self.store_buffer.len() - before) as u64
    }

    /// Rule (e): what is about to be overwritten was reachable when marking began. What lies above the mark limit need not
    /// be kept: marking doesn't look at it, and its references came from what it does look at.
    fn keep_snapshot(&mut self, object: u32, slots: Range<u32>) {
        let Some((overwritten, lost)) = &mut self.overwritten else { return };
        if is_broken(Rule::KeepSnapshot) {
            return;
        }
        if self.memory.is_below_mark_limit(object) {
            for (_, target) in self.memory.refs(object, slots) {
                if self.memory.is_below_mark_limit(target) && !self.memory.is_marked(target) {
                    **lost |= !self.room.push(overwritten, target);
                }
            }
        }
    }
}

/// Arms what an entry logged.
pub(crate) fn rearm(memory: Memory, entry: Entry, chunked: bool) {
    if is_broken(Rule::Rearm) {
        return;
    }
    if entry.is_whole() {
        memory.set_word(entry.object, header::old(memory.word(entry.object), chunked));
    } else {
        memory.set_logged_array(entry.chunk, 0);
    }
}

/// Arrays with more references than this are logged by chunks (heap.md: above 2 KiB).
pub(crate) const CHUNKED_REFS_MIN: u32 = 512;

/// Whether an old reference array at `at` is logged by chunks.
pub(crate) fn is_chunked_at(at: u32, refs: u32) -> bool {
    refs > CHUNKED_REFS_MIN && at.is_multiple_of(BLOCK_WORDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_each_slot_once() {
        let (object, refs) = (640, 1000);
        let mut slots = Vec::new();
        for chunk in Entry::of_slot(object, 0).chunk..=Entry::of_slot(object, refs - 1).chunk {
            slots.extend(Entry { object, chunk }.slots(refs as u32));
        }
        assert!(slots.into_iter().eq(0..refs as u32));
        for slot in 0..refs {
            assert!(Entry::of_slot(object, slot).slots(refs as u32).contains(&(slot as u32)));
        }
    }
}
