//! Allocation's slow paths: the next piece of eden, large objects, and what to try when there is no room.
//!
//! It must never know how a collection works, only which to ask for.
//!
//! Invariants
//! - A1. Before a pause the mutator's window is closed: its region's top is the window's.
//! - A2. An object goes to eden unless it is larger than the large-object threshold; an object that needs a larger region
//!   than the knobs say gets one.
//! - A3. Room is asked of a young collection, then of the marking under way, then of a full collection, for a large object
//!   then of one that moves large objects too; then the program gets [`OutOfMemory`]. Each is asked once for an allocation, so
//!   one allocation makes five pauses at the most.
//! - A4. A program that gets nowhere ends: after so many pauses over the GC-overhead limit, a full collection that leaves it
//!   there is the last.

use crate::barrier::{self, Entry};
use crate::cycle::Phase;
use crate::error::OutOfMemory;
use crate::header;
use crate::heap::{Heap, Roots};
use crate::memory::{GRANULE_BYTES, GRANULE_WORDS, Mutator};
use crate::pause::{Cause, Plan};
use crate::reference::Ref;
use crate::rules::{Rule, is_broken};
use crate::shape::ShapeId;
use crate::space::{Buffer, Space, role};
use crate::zeal::Due;

/// Full collections in a row that leave less than [`TIGHT_SHARE`] of the limit, after which the heap is called exhausted:
/// a program that only collects is worse than one that is told.
const TIGHT_FULL_COLLECTIONS_MAX: u32 = 16;
const TIGHT_SHARE: u64 = 50;
/// Large objects of this part of the heap's target are allocated before a pause looks for dead ones, where marking can't start.
const LARGE_SHARE: u64 = 8;

impl Heap {
    /// Allocates a record with a zeroed payload; a safepoint.
    pub fn allocate_record(&mut self, shape: ShapeId, roots: &mut dyn Roots) -> Result<Ref, OutOfMemory> {
        let descriptor = self.descriptor(shape);
        assert!(descriptor.is_record(), "{shape:?} is no record");
        let word = header::new(shape.0, 0);
        self.allocate(word, u64::from(descriptor.words(word)), roots)
    }

    /// Allocates an array of `len` zeroed elements; a safepoint.
    pub fn allocate_array(&mut self, shape: ShapeId, len: u64, roots: &mut dyn Roots) -> Result<Ref, OutOfMemory> {
        let descriptor = self.descriptor(shape);
        assert!(!descriptor.is_record(), "{shape:?} is no array");
        let Ok(short) = u32::try_from(len) else {
            let requested_bytes = len.saturating_mul(8).saturating_add(8);
            return Err(OutOfMemory { requested_bytes, limit_bytes: self.envelope.limit_bytes });
        };
        self.allocate(header::new(shape.0, short), descriptor.array_words(short), roots)
    }

    fn allocate(&mut self, word: u64, words: u64, roots: &mut dyn Roots) -> Result<Ref, OutOfMemory> {
        let allocated = self.try_allocate(word, words, roots);
        if allocated.is_err() && self.census_on_out_of_memory {
            self.out_of_memory_census = Some(self.census(roots));
        }
        allocated
    }

    fn try_allocate(&mut self, word: u64, words: u64, roots: &mut dyn Roots) -> Result<Ref, OutOfMemory> {
        if words * 8 > self.knobs.large_object_bytes {
            return self.allocate_large(word, words, roots);
        }
        let memory = self.memory();
        let window = memory.mutator();
        let at = if window.limit - window.top >= words {
            memory.set_mutator(Mutator { top: window.top + words, ..window });
            window.top as u32
        } else {
            self.refill(words as u32, roots)?
        };
        memory.set_word(at, word);
        memory.fill_words(at + 1, words as u32 - 1, 0);
        Ok(Ref(at))
    }

    /// Finds room for `words` in eden, collecting if there is none.
    fn refill(&mut self, words: u32, roots: &mut dyn Roots) -> Result<u32, OutOfMemory> {
        let bytes = self.close_window();
        let ticked = self.countdowns.tick(bytes.max(1));
        self.advance_marking(bytes, ticked.slice, roots);
        if let Some(due) = ticked.due {
            self.collect_due(due, roots);
        }
        self.shorten_store_buffer(roots);
        if self.is_overloaded() && !self.full_collection_left_room(Cause::Compaction, roots) {
            return Err(OutOfMemory { requested_bytes: u64::from(words) * 8, limit_bytes: self.envelope.limit_bytes });
        }
        if let Some(at) = self.take_eden(words, false) {
            return Ok(at);
        }
        // Where copies fail for want of room, another young collection would only repeat that.
        let copies_fail = self.snapshot.failed_copies > 0 && self.zeal.copy_fail == 0;
        if !copies_fail || self.space.room_bytes() > self.envelope.limit_bytes / 8 {
            self.pause(Plan::Evacuate { mark: false, everything: false }, Cause::Allocation, roots);
            if let Some(at) = self.take_eden(words, false) {
                return Ok(at);
            }
        }
        // A marking under way may find enough at once.
        if self.is_in(Phase::Trace) || self.is_in(Phase::Rebuild) {
            self.stats.marking_waits += 1;
            self.finish_marking(roots);
            self.candidates.prepare();
            if !self.candidates.is_empty() {
                self.pause(Plan::Evacuate { mark: false, everything: false }, Cause::Allocation, roots);
            }
            if let Some(at) = self.take_eden(words, false) {
                return Ok(at);
            }
        }
        if self.full_collection_left_room(Cause::Compaction, roots)
            && let Some(at) = self.take_eden(words, true)
        {
            return Ok(at);
        }
        Err(OutOfMemory { requested_bytes: u64::from(words) * 8, limit_bytes: self.envelope.limit_bytes })
    }

    fn collect_due(&mut self, due: Due, roots: &mut dyn Roots) {
        let plan = match due {
            Due::Young => Plan::Evacuate { mark: false, everything: false },
            Due::Mark => Plan::Evacuate { mark: true, everything: false },
            Due::Move => {
                self.pause(Plan::Evacuate { mark: true, everything: true }, Cause::Asked, roots);
                self.finish_marking(roots);
                Plan::Evacuate { mark: false, everything: true }
            }
            Due::Full => Plan::Full,
        };
        self.pause(plan, Cause::Asked, roots);
    }

    /// Collects everything; false if that was in vain too often.
    fn full_collection_left_room(&mut self, cause: Cause, roots: &mut dyn Roots) -> bool {
        self.pause(Plan::Full, cause, roots);
        if self.space.room_bytes() < self.envelope.limit_bytes / TIGHT_SHARE {
            self.tight_full_collections += 1;
        } else {
            self.tight_full_collections = 0;
        }
        let overloaded = self.is_overloaded();
        if overloaded {
            // Whoever handles the error gets another chance.
            self.overhead_pauses = 0;
        }
        self.tight_full_collections < TIGHT_FULL_COLLECTIONS_MAX && !overloaded
    }

    /// Writes the mutator's window back to its region and counts what was allocated in it; returns those bytes.
    pub(crate) fn close_window(&mut self) -> u64 {
        let window = self.memory().mutator();
        let bytes = (window.top - self.window_start) * 8;
        self.measure.allocated_bytes += bytes;
        if let Some(sampling) = &mut self.sampling {
            sampling.count(bytes);
        }
        self.eden_words_left += window.limit - window.top;
        if self.eden.head != 0 {
            self.eden.top = window.top as u32;
            self.space.region_mut(self.eden.head).top = self.eden.top;
        }
        self.memory().set_mutator(Mutator { top: window.top, limit: window.top });
        self.window_start = window.top;
        bytes
    }

    /// Room for an object of `words` in eden: from the open region, or a new one. None when eden has had its share, or
    /// the room that survivors will need would be touched; `last_resort` ignores both.
    fn take_eden(&mut self, words: u32, last_resort: bool) -> Option<u32> {
        let first = self.space.eden.is_empty() || last_resort;
        if u64::from(words) > self.eden_words_left && !first {
            return None;
        }
        if let Some(at) = self.eden.bump(words) {
            self.open_window(words);
            return Some(at);
        }
        let room_bytes = self.space.room_bytes();
        let reserve_bytes = if first { 0 } else { self.copy_reserve_bytes() };
        let usable_bytes = room_bytes.saturating_sub(reserve_bytes);
        if usable_bytes < (u64::from(words) * 8).max(GRANULE_BYTES as u64) {
            return None;
        }
        // Not larger than what is usable, nor than the rest of eden's share makes sense.
        let left_bytes = (self.eden_words_left * 8).next_power_of_two().max(GRANULE_BYTES as u64);
        let mut wanted_bytes = self.knobs.eden_region_bytes.min(1 << usable_bytes.ilog2()).min(left_bytes);
        if self.measure.pauses == 0 {
            // A small program never touches more than a little: the first cycle starts with a granule and doubles.
            let opened_bytes = self.space.capacity_bytes_of(&self.space.eden);
            wanted_bytes = wanted_bytes.min(opened_bytes.max(GRANULE_BYTES as u64).next_power_of_two());
        }
        let mut opened = self.space.open_region(role::EDEN, wanted_bytes, words)?;
        self.measure.eden_refills += 1;
        let at = opened.bump(words)?;
        // Go on in whichever has more room left.
        if opened.limit - opened.top >= self.eden.limit - self.eden.top {
            self.measure.tail_waste_bytes += u64::from(self.eden.limit - self.eden.top) * 8;
            self.eden = opened;
        } else {
            self.measure.allocated_bytes += u64::from(words) * 8;
            self.measure.tail_waste_bytes += u64::from(opened.limit - opened.top) * 8;
            self.space.region_mut(opened.head).top = opened.top;
            self.eden_words_left = self.eden_words_left.saturating_sub(u64::from(words));
            return Some(at);
        }
        self.open_window(words);
        Some(at)
    }

    /// Opens the mutator's window behind the `words` just taken from the open eden region.
    fn open_window(&mut self, words: u32) {
        let Buffer { top, limit, .. } = self.eden;
        self.eden_words_left = self.eden_words_left.saturating_sub(u64::from(words));
        let sample_bytes = self.sampling.map_or(u64::MAX, |sampling| sampling.bytes_left());
        let most = self.eden_words_left.min(self.countdowns.bytes_left().min(sample_bytes) / 8);
        let length = u64::from(limit - top).min(most);
        self.eden_words_left -= length;
        self.window_start = u64::from(top - words);
        self.memory().set_mutator(Mutator { top: u64::from(top), limit: u64::from(top) + length });
    }

    /// Room that the survivors of a pause now would need, by recent survival.
    fn copy_reserve_bytes(&self) -> u64 {
        let young_bytes =
            self.space.capacity_bytes_of(&self.space.eden) + self.space.capacity_bytes_of(&self.space.survivors);
        (young_bytes as f64 * self.measure.survival_expected().min(1.0)) as u64 + GRANULE_BYTES as u64
    }

    fn allocate_large(&mut self, word: u64, words: u64, roots: &mut dyn Roots) -> Result<Ref, OutOfMemory> {
        let requested_bytes = words * 8;
        let out_of_memory = OutOfMemory { requested_bytes, limit_bytes: self.envelope.limit_bytes };
        if requested_bytes > self.envelope.limit_bytes {
            return Err(out_of_memory);
        }
        let bytes = self.close_window() + requested_bytes;
        if let Some(sampling) = &mut self.sampling {
            sampling.count(requested_bytes);
        }
        let ticked = self.countdowns.tick(bytes);
        self.assist_marking(requested_bytes);
        self.advance_marking(bytes, ticked.slice, roots);
        if let Some(due) = ticked.due {
            self.collect_due(due, roots);
        } else if self.mark_is_due(requested_bytes) {
            self.pause(Plan::Evacuate { mark: true, everything: false }, Cause::LargeAllocation, roots);
        } else if self.is_above_threshold(requested_bytes)
            && self.measure.large_allocated_bytes > self.knobs.heap_target_bytes / LARGE_SHARE
        {
            // No marking can start now, but some of what was allocated is dead already, perhaps.
            self.pause(Plan::Evacuate { mark: false, everything: false }, Cause::LargeAllocation, roots);
        }
        self.shorten_store_buffer(roots);
        let mut opened = self.space.open_large(words);
        if opened.is_none() {
            let mark = self.may_start_marking();
            self.pause(Plan::Evacuate { mark, everything: false }, Cause::LargeAllocation, roots);
            opened = self.space.open_large(words);
        }
        if opened.is_none() && (self.is_in(Phase::Trace) || self.is_in(Phase::Rebuild)) {
            self.stats.marking_waits += 1;
            self.finish_marking(roots);
            opened = self.space.open_large(words);
        }
        if opened.is_none() && self.full_collection_left_room(Cause::Compaction, roots) {
            opened = self.space.open_large(words);
        }
        if opened.is_none() && self.space.room_bytes() >= requested_bytes {
            self.pause(Plan::LastDitch { words }, Cause::Compaction, roots);
            opened = self.space.open_large(words);
        }
        let (head, zeroed) = opened.ok_or(out_of_memory)?;
        let (memory, at) = (self.memory(), Space::bottom(head));
        if !zeroed {
            memory.fill_words(at + 1, words as u32 - 1, 0);
        }
        let descriptor = self.shapes.descriptor(word);
        let refs = descriptor.refs(word);
        if refs > 0 {
            // Born logged: it is on the store buffer, so the first stores into it need no slow path.
            let fits = is_broken(Rule::BornLogged) || self.room.push(&mut self.store_buffer, Entry::whole(at));
            memory.set_word(
                at,
                if fits {
                    word
                } else {
                    header::old(word, descriptor.is_ref_array() && barrier::is_chunked_at(at, refs))
                },
            );
            self.entries_lost |= !fits;
        } else {
            memory.set_word(at, header::old(word, false));
        }
        if self.is_in(Phase::Trace) && !is_broken(Rule::NewIsLive) {
            // Born above its mark limit, so it is live to this marking.
            memory.mark(at);
            memory.add_live_words(at, words as u32);
        }
        self.incoming.watch(&mut self.space, head);
        self.measure.large_allocated_bytes += words.div_ceil(u64::from(GRANULE_WORDS)) * GRANULE_BYTES as u64;
        Ok(Ref(at))
    }
}
