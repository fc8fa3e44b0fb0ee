//! Evacuation: copies the live objects of the collection set out of it, depth first, and redirects every reference.
//!
//! It must never know how the collection set was chosen, nor what a policy is. One worker, no atomics.
//!
//! Invariants
//! - E1. Every object that leaves a pause reachable has either a copy outside the collection set or stays where it is,
//!   self-forwarded, in a region marked as failed.
//! - E2. Every copy and every self-forwarded object is scanned exactly once.
//! - E3. An old object that still refers to a young one after the pause is on the new retained list; one that refers into
//!   a remaining candidate is in its remembered set.
//! - E4. A watched large object that roots or young objects refer to is reached; what else refers to it is recorded.
//! - E5. While marking traces, what is promoted is marked, and what could not be copied too: it lies above the mark limits.
//!   The pause that starts a marking visits the old targets of roots, of survivors and of what it promotes (rule (b)); old
//!   objects below their limits are visited by the marking itself.

use crate::barrier::{self, Entry};
use crate::candidates::{Candidates, RememberedSet};
use crate::header;
use crate::heap::Roots;
use crate::incoming::Incoming;
use crate::mark::Tracer;
use crate::memory::Memory;
use crate::rules::{Rule, is_broken};
use crate::shape::ShapeTable;
use crate::space::{Buffer, Space, role};

/// In arrays, the header of the target this many slots ahead is asked for: targets lie anywhere, and waiting for them is
/// most of the cost.
const PREFETCH_SLOTS: u32 = 8;

/// What an evacuation did.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Copied {
    pub(crate) survived_bytes: u64,
    pub(crate) promoted_bytes: u64,
    pub(crate) compacted_bytes: u64,
    pub(crate) remembered_entries: u64,
    pub(crate) tail_waste_bytes: u64,
    pub(crate) failed_copies: u64,
    /// Of what survived, the bytes by new age.
    pub(crate) survived_bytes_by_age: [u64; 16],
}

/// How it is to be done.
#[derive(Clone, Copy)]
pub(crate) struct Directions {
    pub(crate) tenuring_age: u8,
    pub(crate) survivor_region_bytes: u64,
    /// Once this much has survived, the rest is promoted.
    pub(crate) survivor_bytes_max: u64,
    pub(crate) old_region_bytes: u64,
    /// Every n-th copy fails; 0 for none.
    pub(crate) fail_every: u64,
    /// Marking traces: what becomes old is marked (E5).
    pub(crate) mark_promoted: bool,
}

/// One evacuation under way.
pub(crate) struct Evacuation<'h> {
    memory: Memory,
    shapes: &'h ShapeTable,
    space: &'h mut Space,
    candidates: &'h mut Candidates,
    incoming: &'h mut Incoming,
    directions: Directions,
    survivor: Buffer,
    old: Buffer,
    stack: Vec<u32>,
    retained: Vec<Entry>,
    failed: Vec<u32>,
    copied: Copied,
    copies: u64,
    /// In the pause that starts a marking.
    tracer: Option<Tracer>,
}

impl<'h> Evacuation<'h> {
    /// `old` is the region that promotion fills; the collection set carries `role::COLLECTED`.
    pub(crate) fn new(
        space: &'h mut Space,
        shapes: &'h ShapeTable,
        candidates: &'h mut Candidates,
        incoming: &'h mut Incoming,
        directions: Directions,
        old: Buffer,
        tracer: Option<Tracer>,
    ) -> Evacuation<'h> {
        Evacuation {
            memory: space.memory,
            shapes,
            space,
            candidates,
            incoming,
            directions,
            survivor: Buffer::default(),
            old,
            stack: Vec::with_capacity(1024),
            retained: Vec::new(),
            failed: Vec::new(),
            copied: Copied::default(),
            copies: 0,
            tracer,
        }
    }

    pub(crate) fn memory(&self) -> Memory {
        self.memory
    }

    /// Roots in stacks and handles.
    pub(crate) fn roots(&mut self, roots: &mut dyn Roots) {
        roots.visit(&mut |slot| {
            *slot = u64::from(self.redirect(*slot as u32));
        });
        self.drain();
    }

    /// Old objects on the store buffer or the retained list. What is itself collected is dropped: its copy is scanned.
    pub(crate) fn entries(&mut self, entries: &[Entry]) {
        for entry in entries {
            if self.memory.role_at(entry.object) & role::COLLECTED == 0 {
                self.copied.remembered_entries += 1;
                let refs = self.scan_old(*entry, false);
                if self.directions.mark_promoted && is_broken(Rule::RearmWhileMarking) {
                    continue;
                }
                barrier::rearm(self.memory, *entry, barrier::is_chunked_at(entry.object, refs));
            } else if !entry.is_whole() {
                // The chunk byte belongs to the address, not to the array that leaves it.
                barrier::rearm(self.memory, *entry, true);
            }
        }
        self.drain();
    }

    /// What is known to refer into one region of the collection set.
    pub(crate) fn remembered(&mut self, set: RememberedSet) {
        for (entry, epoch) in set.into_entries() {
            let head = self.space.head_of(entry.object);
            let byte = self.memory.role_at(entry.object);
            let stale = role::of(byte) == role::FREE || self.space.region(head).epoch != epoch;
            if !stale && byte & role::COLLECTED == 0 {
                self.copied.remembered_entries += 1;
                self.scan_old(entry, false);
            }
        }
        self.drain();
    }

    /// An object that something weak keeps, and all it refers to.
    pub(crate) fn keep(&mut self, object: u32) {
        self.redirect(object);
        self.drain();
    }

    /// Ends the evacuation: the open old region, the retained list, what stayed in place, and the counts.
    pub(crate) fn finish(mut self) -> (Buffer, Vec<Entry>, Copied, Option<Tracer>) {
        debug_assert!(self.stack.is_empty());
        self.close(self.survivor);
        if self.old.head != 0 {
            self.space.region_mut(self.old.head).top = self.old.top;
            self.copied.tail_waste_bytes += u64::from(self.old.limit - self.old.top) * 8;
        }
        for object in &self.failed {
            // Its region becomes old where it is; there it is neither forwarded nor young any more.
            let word = self.memory.word(*object);
            let descriptor = self.shapes.descriptor(word);
            let chunked = descriptor.is_ref_array() && barrier::is_chunked_at(*object, descriptor.refs(word));
            self.memory.set_word(*object, header::old(word, chunked));
            if self.directions.mark_promoted && !is_broken(Rule::NewIsLive) {
                self.memory.mark(*object);
                self.memory.add_live_words(*object, descriptor.words(word));
            }
        }
        // What was both written to and retained was scanned twice, and is here twice; it must not be here three times
        // after the next pause.
        if is_broken(Rule::Retain) {
            self.retained.clear();
        }
        self.retained.sort_unstable();
        self.retained.dedup();
        (self.old, self.retained, self.copied, self.tracer)
    }

    fn drain(&mut self) {
        while let Some(object) = self.stack.pop() {
            let byte = self.memory.role_at(object);
            if byte & (role::YOUNG | role::COLLECTED) == role::YOUNG {
                self.scan_survivor(object);
            } else {
                self.scan_old(Entry::whole(object), true);
            }
        }
    }

    #[inline]
    fn scan_survivor(&mut self, object: u32) {
        let word = self.memory.word(object);
        let refs = self.shapes.descriptor(word).refs(word);
        for index in 0..refs {
            let target = self.memory.slot(object, index);
            if target == 0 {
                continue;
            }
            let byte = self.memory.role_at(target);
            if byte & role::COLLECTED != 0 {
                let to = self.forward(target);
                self.memory.set_slot(object, index, to);
            } else {
                self.reach(target, byte);
                if let Some(tracer) = &mut self.tracer
                    && !is_broken(Rule::MarkTargets)
                {
                    tracer.visit(target);
                }
            }
        }
    }

    /// A root or a young object refers to something outside the collection set.
    #[inline(always)]
    fn reach(&mut self, target: u32, byte: u8) {
        if byte & role::WATCHED != 0 {
            self.incoming.reach(target);
        }
    }

    /// Scans an object that is old after the pause, or a chunk of one, for E3 and E4; a `new` one for E5 as well.
    /// Returns its number of references.
    fn scan_old(&mut self, entry: Entry, new: bool) -> u32 {
        let object = entry.object;
        let word = self.memory.word(object);
        let descriptor = self.shapes.descriptor(word);
        let refs = descriptor.refs(word);
        let by_chunk = descriptor.is_ref_array() && barrier::is_chunked_at(object, refs);
        let mut retained = None;
        let slots = entry.slots(refs);
        for index in slots.clone() {
            let ahead = index + PREFETCH_SLOTS;
            if ahead < slots.end {
                let target = self.memory.slot(object, ahead);
                if self.memory.role_at(target) & role::COLLECTED != 0 {
                    self.memory.prefetch(target);
                }
            }
            let mut target = self.memory.slot(object, index);
            if target == 0 {
                continue;
            }
            let mut byte = self.memory.role_at(target);
            if byte & role::COLLECTED != 0 {
                let to = self.forward(target);
                if to != target {
                    self.memory.set_slot(object, index, to);
                    target = to;
                    byte = self.memory.role_at(to);
                }
            }
            if new
                && let Some(tracer) = &mut self.tracer
                && !is_broken(Rule::MarkTargets)
            {
                tracer.visit(target);
            }
            // What failed to be copied is old from now on, so it is neither young nor a candidate.
            if byte & (role::YOUNG | role::CANDIDATE | role::WATCHED) != 0 && byte & role::COLLECTED == 0 {
                let finer = if by_chunk { Entry::of_slot(object, u64::from(index)) } else { entry };
                if byte & role::WATCHED != 0 {
                    self.incoming.add(self.space, finer, target);
                } else if byte & role::CANDIDATE != 0 {
                    self.candidates.remember(self.space, finer, target);
                } else if retained != Some(finer) {
                    retained = Some(finer);
                    self.retained.push(finer);
                }
            }
        }
        refs
    }

    #[inline(always)]
    fn redirect(&mut self, target: u32) -> u32 {
        if target == 0 {
            return target;
        }
        let byte = self.memory.role_at(target);
        if byte & role::COLLECTED != 0 {
            return self.forward(target);
        }
        self.reach(target, byte);
        if let Some(tracer) = &mut self.tracer {
            tracer.visit(target);
        }
        target
    }

    /// The new place of an object of the collection set.
    #[inline(always)]
    fn forward(&mut self, object: u32) -> u32 {
        let word = self.memory.word(object);
        if header::is_forwarded(word) {
            header::upper(word)
        } else if header::is_untouched(word) {
            self.copy(object, word)
        } else {
            object
        }
    }

    #[inline]
    fn copy(&mut self, object: u32, word: u64) -> u32 {
        let descriptor = self.shapes.descriptor(word);
        let words = descriptor.words(word);
        let bytes = u64::from(words) * 8;
        let byte = self.memory.role_at(object);
        let young = byte & role::YOUNG != 0;
        let age = header::age(word);
        if byte & role::PINNED != 0 {
            return self.stay(object, word);
        }
        if self.directions.fail_every != 0 {
            self.copies += 1;
            if self.copies.is_multiple_of(self.directions.fail_every) {
                return self.stay(object, word);
            }
        }
        if young
            && age < self.directions.tenuring_age
            && self.copied.survived_bytes < self.directions.survivor_bytes_max
            && let Some(to) = self.survivor.bump(words).or_else(|| self.open_survivor(words))
        {
            self.memory.copy_payload(object, to, words);
            self.memory.set_word(to, header::survivor(word, age + 1));
            self.copied.survived_bytes += bytes;
            self.copied.survived_bytes_by_age[usize::from(age) + 1] += bytes;
            return self.moved(object, word, to, descriptor.refs(word));
        }
        let refs = descriptor.refs(word);
        let chunked = descriptor.is_ref_array() && refs > barrier::CHUNKED_REFS_MIN;
        let to = if chunked { self.old.bump_aligned(words) } else { self.old.bump(words) };
        let Some(to) = to.or_else(|| self.open_old(words)) else {
            return self.stay(object, word);
        };
        self.memory.copy_payload(object, to, words);
        self.memory.set_word(to, header::old(word, chunked));
        if self.directions.mark_promoted && !is_broken(Rule::NewIsLive) {
            self.memory.mark(to);
            self.memory.add_live_words(to, words);
        }
        if young {
            self.copied.promoted_bytes += bytes;
        } else {
            self.copied.compacted_bytes += bytes;
        }
        self.moved(object, word, to, refs)
    }

    #[inline(always)]
    fn moved(&mut self, object: u32, word: u64, to: u32, refs: u32) -> u32 {
        self.memory.set_word(object, header::forwarded(word, to));
        if refs != 0 {
            self.stack.push(to);
        }
        to
    }

    /// No room for a copy: the object stays, and its region with it.
    #[cold]
    fn stay(&mut self, object: u32, word: u64) -> u32 {
        self.memory.set_word(object, header::self_forwarded(word));
        let head = self.space.head_of(object);
        if !self.space.region(head).failed {
            let epoch = self.space.new_epoch();
            let region = self.space.region_mut(head);
            region.failed = true;
            // What was remembered of the region may name an object that has left it: those entries are stale now. The
            // objects that stay are scanned after this and remembered anew.
            region.epoch = epoch;
        }
        self.failed.push(object);
        self.stack.push(object);
        self.copied.failed_copies += 1;
        object
    }

    fn close(&mut self, buffer: Buffer) {
        if buffer.head != 0 {
            self.space.region_mut(buffer.head).top = buffer.top;
            self.copied.tail_waste_bytes += u64::from(buffer.limit - buffer.top) * 8;
        }
    }

    #[cold]
    fn open_survivor(&mut self, words: u32) -> Option<u32> {
        let mut opened = self.space.open_region(role::SURVIVOR, self.directions.survivor_region_bytes, words)?;
        let at = opened.bump(words);
        // Keep filling whichever has more room left.
        if opened.limit - opened.top >= self.survivor.limit - self.survivor.top {
            std::mem::swap(&mut opened, &mut self.survivor);
        }
        self.close(opened);
        at
    }

    #[cold]
    fn open_old(&mut self, words: u32) -> Option<u32> {
        let mut opened = self.space.open_region(role::OLD, self.directions.old_region_bytes, words)?;
        let at = opened.bump(words);
        if opened.limit - opened.top >= self.old.limit - self.old.top {
            std::mem::swap(&mut opened, &mut self.old);
        }
        self.close(opened);
        at
    }
}

/// Where an object is once everything reachable was copied; None if it was not.
pub(crate) fn place(memory: Memory, object: u32) -> Option<u32> {
    if memory.role_at(object) & role::COLLECTED == 0 {
        return Some(object);
    }
    let word = memory.word(object);
    if header::is_untouched(word) {
        None
    } else if header::is_forwarded(word) {
        Some(header::upper(word))
    } else {
        Some(object)
    }
}
