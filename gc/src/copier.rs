//! One worker of an evacuation: copies what it meets out of the collection set, depth first, and redirects references.
//!
//! Each object is looked at once: what its slots refer to in the collection set is asked for, and some slots later, when it has come
//! from memory, copied.
//!
//! It must never know how many others there are. Alone (`SHARED` is false) it needs no atomic operation; among others it
//! claims each object by exchanging its header, after the copy is made, as G1 does: who loses gives the room back.
//!
//! Invariants, beside those of the evacuation
//! - Y1. The header of an object in the collection set changes once: to forwarded or self-forwarded, by whoever claims it.
//!   Only the claimant scans it, counts it, and marks it.
//! - Y2. Each worker bumps in regions of its own, so no two write the same granule's counts.
//! - Y3. An object with many references is scanned in parts, each of them once.
//! - Y4. It needs no memory to come to its end. The first worker's stack is there from the heap's birth. Copies that find no room on the stack wait in a list threaded through the first
//!   words of their originals, which nobody reads any more (but see M3); what stays where it is and finds none is scanned
//!   with all that stay, from their marks, once the stacks are empty.

use std::ops::Range;

use crate::barrier::{self, Entry};
use crate::evacuate::{Copied, Directions, Evacuation, Source};
use crate::header;
use crate::heap::Roots;
use crate::mark;
use crate::memory::Memory;
use crate::phases::{PausePhase, Watch};
use crate::rules::{Rule, is_broken};
use crate::shape::ShapeTable;
use crate::space::{Buffer, role};
use crate::steal::Hand;

/// In lists of old objects, the header of the entry this many places ahead is asked for, and the line so many words behind it:
/// of most objects that is all.
const PREFETCH_ENTRIES: usize = 16;
const PREFETCH_WORDS: u32 = 4;
/// Among others: objects with more references are scanned by so many at a time, the rest being offered.
const PART_SLOTS: u32 = 4096;
/// Among others: after so many objects a worker looks whether what it offered was taken; then it offers the older half of
/// a stack that has more than so many objects.
const LOOK_EVERY: u32 = 32;
const SPARE_MIN: usize = 4;
/// Among others: survivors' room is handed out by so many bytes.
const ALLOWANCE_BYTES: u64 = 32 << 10;

/// Which tables of a pause had no room for all that was found.
#[derive(Clone, Copy, Default)]
pub(crate) struct Lost {
    pub(crate) retained: bool,
    pub(crate) remembered: bool,
    pub(crate) visited: bool,
}

/// What a worker made and found; put together when the pause ends.
pub(crate) struct Found {
    /// The end of the regions that it fills.
    pub(crate) survivor: Buffer,
    pub(crate) old: Buffer,
    pub(crate) retained: Vec<Entry>,
    /// Entries with a target in a remaining candidate, or a watched one.
    pub(crate) remembered: Vec<(Entry, u32)>,
    /// What the marking that starts is to scan; it is marked.
    pub(crate) visited: Vec<u32>,
    pub(crate) lost: Lost,
    pub(crate) copied: Copied,
    pub(crate) watch: Watch,
}

/// What is left of an object to be scanned: its place, the next slot, and whether it is new where it is.
#[derive(Clone, Copy)]
struct Part {
    object: u32,
    from: u32,
    new: bool,
}

impl Part {
    /// In one word. Parts start at multiples of [`PART_SLOTS`], so the lowest bit is free.
    fn task(self) -> u64 {
        u64::from(self.object) | u64::from(self.from | u32::from(!self.new)) << 32
    }

    fn of_task(task: u64) -> Part {
        let upper = (task >> 32) as u32;
        Part { object: task as u32, from: upper & !1, new: upper & 1 == 0 }
    }
}

/// Slots whose targets' headers were asked for, the oldest first: targets lie anywhere, and waiting for them is most of the
/// cost (Cher, Hosking and Vitek, "Software prefetching for mark-sweep garbage collection", ASPLOS 2004).
#[derive(Default)]
struct Ahead {
    /// Each an object and the number of its slot.
    slots: [(u32, u32); Ahead::PLACES],
    /// How many came and went.
    came: usize,
    went: usize,
}

impl Ahead {
    const PLACES: usize = 8;

    fn is_empty(&self) -> bool {
        self.came == self.went
    }

    fn is_full(&self) -> bool {
        self.came - self.went == Ahead::PLACES
    }

    fn push(&mut self, slot: (u32, u32)) {
        self.slots[self.came % Ahead::PLACES] = slot;
        self.came += 1;
    }

    fn pop(&mut self) -> Option<(u32, u32)> {
        (self.came > self.went).then(|| {
            self.went += 1;
            self.slots[(self.went - 1) % Ahead::PLACES]
        })
    }
}

/// What the lists may not know yet of an object that is scanned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// That it is where it is, since this pause.
    Object,
    /// What its slots refer to: they were written to.
    Slots,
    /// Nothing: what it refers to outside the collection set was noted when it was stored (C1, E3, E4).
    None,
}

/// What a target outside the collection set must have for anything to be done about it.
const NOTED: u8 = role::YOUNG | role::CANDIDATE | role::WATCHED;

/// A worker.
pub(crate) struct Copier<'e, 'h, const SHARED: bool> {
    evacuation: &'e Evacuation<'h>,
    memory: Memory,
    shapes: &'e ShapeTable,
    directions: Directions,
    stack: Vec<u32>,
    ahead: Ahead,
    /// The first of the originals whose copies wait in the list of Y4; 0 for none.
    threaded: u32,
    /// Among others alone.
    hand: Option<Hand<'e>>,
    /// What may still survive in young regions by this worker's doing; the last object may exceed it.
    survivor_bytes_left: i64,
    /// What survived, in bytes by the age before.
    survived_bytes_by_age: [u64; 16],
    copies: u64,
    found: Found,
}

impl<'e, 'h, const SHARED: bool> Copier<'e, 'h, SHARED> {
    /// `old` is the region that its promotion fills.
    pub(crate) fn new(evacuation: &'e Evacuation<'h>, old: Buffer) -> Copier<'e, 'h, SHARED> {
        let directions = evacuation.directions;
        Copier {
            evacuation,
            memory: evacuation.memory,
            shapes: evacuation.shapes,
            directions,
            stack: Vec::new(),
            ahead: Ahead::default(),
            threaded: 0,
            hand: SHARED.then(|| evacuation.tasks.hand()),
            survivor_bytes_left: if SHARED { 0 } else { directions.survivor_bytes_max.min(i64::MAX as u64) as i64 },
            survived_bytes_by_age: [0; 16],
            copies: 0,
            found: Found {
                survivor: Buffer::default(),
                old,
                retained: Vec::new(),
                remembered: Vec::new(),
                visited: Vec::new(),
                lost: Lost::default(),
                copied: Copied::default(),
                watch: Watch::start(directions.timed),
            },
        }
    }

    /// Uses a stack that is there already.
    pub(crate) fn with_stack(self, stack: Vec<u32>) -> Self {
        Copier { stack, ..self }
    }

    pub(crate) fn take_stack(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.stack)
    }

    pub(crate) fn into_found(self) -> Found {
        debug_assert!(self.stack.is_empty() && self.ahead.is_empty() && self.threaded == 0);
        let mut found = self.found;
        found.copied.survived_bytes = self.survived_bytes_by_age.iter().sum();
        // Nothing of age 15 survives: that is promoted.
        found.copied.survived_bytes_by_age[1..].copy_from_slice(&self.survived_bytes_by_age[..15]);
        found
    }

    pub(crate) fn lap(&mut self, phase: PausePhase) {
        self.found.watch.lap(phase);
    }

    // -- where references come from

    /// Roots in stacks and handles.
    pub(crate) fn roots(&mut self, roots: &mut dyn Roots) {
        roots.visit(&mut |slot| {
            *slot = u64::from(self.redirect(*slot as u32));
        });
        self.lap(PausePhase::Roots);
        if SHARED {
            self.spare();
        }
        self.drain();
        self.lap(PausePhase::Copy);
    }

    /// This worker's share of a list of old objects, and what they refer to. What is itself collected is dropped: its copy
    /// is scanned.
    pub(crate) fn scan_source(&mut self, source: Source) {
        let evacuation = self.evacuation;
        while let Some(entries) = evacuation.next_entries::<SHARED>(source) {
            for (at, entry) in entries.iter().enumerate() {
                if let Some(far) = entries.get(at + PREFETCH_ENTRIES) {
                    self.memory.prefetch(far.start());
                    self.memory.prefetch(far.start() + PREFETCH_WORDS);
                }
                self.scan_entry(*entry, source);
            }
            self.lap(source.phase());
            self.drain();
            self.lap(PausePhase::Copy);
        }
    }

    fn scan_entry(&mut self, entry: Entry, source: Source) {
        let logged = source.is_logged();
        if self.memory.role_at(entry.object) & role::COLLECTED == 0 {
            self.found.copied.remembered_entries += 1;
            let refs = self.refs(entry.object);
            self.scan_slots(entry.object, entry.slots(refs), source.news());
            let left = self.directions.mark_promoted && is_broken(Rule::RearmWhileMarking);
            if logged && !left {
                barrier::rearm(self.memory, entry, barrier::is_chunked_at(entry.object, refs));
            }
        } else if logged && !entry.is_whole() {
            // The chunk byte belongs to the address, not to the array that leaves it.
            barrier::rearm(self.memory, entry, true);
        }
    }

    /// An object that something weak keeps, and all it refers to.
    pub(crate) fn keep(&mut self, object: u32) {
        self.redirect(object);
        self.drain();
        self.scan_what_stayed();
    }

    // -- what is left to scan

    fn hand(&self) -> &Hand<'e> {
        self.hand.as_ref().expect("a worker among others has a hand")
    }

    /// Scans what this worker has.
    pub(crate) fn drain(&mut self) {
        let mut scanned = 0;
        loop {
            if let Some(object) = self.stack.pop() {
                self.scan_new(object);
                if SHARED {
                    scanned += 1;
                    if scanned % LOOK_EVERY == 0 {
                        self.spare();
                    }
                }
            } else if let Some((object, index)) = self.ahead.pop() {
                self.finish(object, index);
            } else if self.threaded != 0 {
                let original = self.threaded;
                self.threaded = self.memory.word(original + 1) as u32;
                self.scan_new(header::upper(self.memory.word(original)));
            } else if SHARED && let Some(task) = self.hand().take_back() {
                self.scan_part(Part::of_task(task));
            } else {
                return;
            }
        }
    }

    /// A copy waits to be scanned (Y4).
    #[inline(always)]
    fn push(&mut self, copy: u32, original: u32) {
        if !self.directions.room.push(&mut self.stack, copy) {
            self.memory.set_word(original + 1, u64::from(self.threaded));
            self.threaded = original;
        }
    }

    /// Alone again: scans what stays where it is and found no room on a stack.
    pub(crate) fn scan_what_stayed(&mut self) {
        let evacuation = self.evacuation;
        while evacuation.take_unscanned() {
            for object in evacuation.what_stayed() {
                self.scan_new(object);
                self.drain();
            }
        }
    }

    /// Scans what the others have, until nobody has anything.
    pub(crate) fn drain_all(&mut self) {
        while let Some(task) = self.hand.as_mut().and_then(Hand::steal) {
            self.lap(PausePhase::Termination);
            self.scan_part(Part::of_task(task));
            self.drain();
            self.lap(PausePhase::Copy);
        }
        self.lap(PausePhase::Termination);
    }

    /// Offers the older half of the stack, if all that was offered before was taken.
    #[inline]
    fn spare(&mut self) {
        let Some(hand) = &self.hand else { return };
        if self.stack.len() > SPARE_MIN && hand.is_empty() {
            let oldest = (self.stack.len() / 2).min(hand.room());
            for object in self.stack.drain(..oldest) {
                hand.offer(Part { object, from: 0, new: true }.task());
            }
        }
    }

    /// Number of references of an object.
    #[inline(always)]
    fn refs(&self, object: u32) -> u32 {
        let word = self.memory.word(object);
        self.shapes.descriptor(word).refs(word)
    }

    #[inline(always)]
    fn scan_new(&mut self, object: u32) {
        self.scan_slots(object, 0..self.refs(object), News::Object);
    }

    fn scan_part(&mut self, part: Part) {
        let news = if part.new { News::Object } else { News::Slots };
        self.scan_slots(part.object, part.from..self.refs(part.object), news);
    }

    /// The slots to be scanned now; the others are offered (Y3).
    #[inline(always)]
    fn first_part(&mut self, object: u32, slots: Range<u32>, new: bool) -> Range<u32> {
        if SHARED && slots.len() > PART_SLOTS as usize && self.hand().room() > 0 {
            // Parts start at multiples, wherever the first slot is.
            let from = (slots.start / PART_SLOTS + 1) * PART_SLOTS;
            self.hand().offer(Part { object, from, new }.task());
            return slots.start..from;
        }
        slots
    }

    /// Scans slots of an object that is outside the collection set, or stays in it.
    #[inline(always)]
    fn scan_slots(&mut self, object: u32, slots: Range<u32>, news: News) {
        let new = news == News::Object;
        for (index, target) in self.memory.refs(object, self.first_part(object, slots, new)) {
            let byte = self.memory.role_at(target);
            if byte & role::COLLECTED != 0 {
                self.memory.prefetch(target);
                if self.ahead.is_full()
                    && let Some((object, index)) = self.ahead.pop()
                {
                    self.finish(object, index);
                }
                self.ahead.push((object, index));
            } else if byte & NOTED != 0 && news != News::None || self.directions.starts_marking {
                self.note(object, index, target, byte, new);
            }
        }
    }

    /// Redirects a slot that refers into the collection set, or did so when its turn was still to come: what two lists name is
    /// scanned twice.
    #[inline(never)]
    fn finish(&mut self, object: u32, index: u32) {
        let target = self.memory.slot(object, index);
        let byte = self.memory.role_at(target);
        if byte & role::COLLECTED == 0 {
            return;
        }
        let to = self.forward(target, byte);
        // What failed to be copied is old from now on, so it is neither young nor a candidate.
        if to != target {
            self.set_slot(object, index, to);
            if self.memory.role_at(to) & role::YOUNG != 0 && !self.is_survivor(object) {
                self.retain(object, index);
            }
        }
    }

    /// A slot refers to something outside the collection set that a list must name (E3, E4), or marking visit (E5).
    fn note(&mut self, object: u32, index: u32, target: u32, byte: u8, new: bool) {
        if self.is_survivor(object) {
            self.reach(target, byte);
            self.visit(target);
            if self.directions.takes_more && byte & role::CANDIDATE != 0 {
                self.remember(object, index, target);
            }
            return;
        }
        if new {
            self.visit(target);
        }
        if byte & (role::CANDIDATE | role::WATCHED) != 0 {
            self.remember(object, index, target);
        } else if byte & role::YOUNG != 0 {
            self.retain(object, index);
        }
    }

    /// Whether an object is young after the pause.
    #[inline(always)]
    fn is_survivor(&self, object: u32) -> bool {
        self.memory.role_at(object) & (role::YOUNG | role::COLLECTED) == role::YOUNG
    }

    /// What names a slot of an old object in a list.
    fn entry_of(&self, object: u32, index: u32) -> Entry {
        let word = self.memory.word(object);
        let descriptor = self.shapes.descriptor(word);
        if descriptor.is_ref_array() && barrier::is_chunked_at(object, descriptor.refs(word)) {
            Entry::of_slot(object, u64::from(index))
        } else {
            Entry::whole(object)
        }
    }

    fn remember(&mut self, object: u32, index: u32, target: u32) {
        let entry = self.entry_of(object, index);
        self.found.lost.remembered |= !self.directions.room.push(&mut self.found.remembered, (entry, target));
    }

    /// An old object refers to a young one after the pause (E3).
    fn retain(&mut self, object: u32, index: u32) {
        let entry = self.entry_of(object, index);
        if self.found.retained.last() != Some(&entry) {
            self.found.lost.retained |= !self.directions.room.push(&mut self.found.retained, entry);
        }
    }

    // -- references

    #[inline(always)]
    fn set_slot(&self, object: u32, index: u32, value: u32) {
        if SHARED {
            self.memory.set_slot_release(object, index, value);
        } else {
            self.memory.set_slot(object, index, value);
        }
    }

    #[inline(always)]
    fn redirect(&mut self, target: u32) -> u32 {
        if target == 0 {
            return target;
        }
        let byte = self.memory.role_at(target);
        if byte & role::COLLECTED != 0 {
            return self.forward(target, byte);
        }
        self.reach(target, byte);
        self.visit(target);
        target
    }

    /// A root or a young object refers to something outside the collection set (E4).
    #[inline(always)]
    fn reach(&self, target: u32, byte: u8) {
        if byte & role::WATCHED != 0 {
            self.evacuation.incoming.reach(target);
        }
    }

    /// In the pause that starts a marking: a target that it is to scan.
    #[inline(always)]
    fn visit(&mut self, target: u32) {
        if self.directions.starts_marking
            && self.memory.is_below_mark_limit(target)
            && !self.memory.is_marked(target)
            && !is_broken(Rule::MarkTargets)
        {
            if SHARED {
                if !self.memory.mark_among(target) {
                    return;
                }
            } else {
                self.memory.mark(target);
            }
            if !self.directions.room.push(&mut self.found.visited, target) {
                self.found.lost.visited = true;
                mark::abandon(self.memory, &[target]);
            }
        }
    }

    /// The new place of an object of the collection set, whose role is `byte`.
    #[inline(always)]
    fn forward(&mut self, object: u32, byte: u8) -> u32 {
        let word = if SHARED { self.memory.word_acquire(object) } else { self.memory.word(object) };
        if header::is_forwarded(word) {
            header::upper(word)
        } else if header::is_untouched(word) {
            self.copy(object, word, byte)
        } else {
            object
        }
    }

    /// Changes the header of an object of the collection set (Y1); if another worker was faster, its place by that.
    #[inline(always)]
    fn claim(&mut self, object: u32, word: u64, new: u64) -> Result<(), u32> {
        if !SHARED {
            self.memory.set_word(object, new);
            return Ok(());
        }
        self.memory
            .exchange_word(object, word, new)
            .map_err(|word| if header::is_forwarded(word) { header::upper(word) } else { object })
    }

    // -- copies

    /// Copies an object of the collection set, whose role is `byte`; its new place.
    #[inline(always)]
    fn copy(&mut self, object: u32, word: u64, byte: u8) -> u32 {
        let descriptor = self.shapes.descriptor(word);
        let words = descriptor.words(word);
        let age = header::age(word);
        if byte & role::PINNED != 0 || self.directions.fail_every != 0 && self.fails() {
            return self.stay(object, word);
        }
        if byte & role::YOUNG == 0 || age >= self.directions.tenuring_age || !self.may_survive() {
            return self.promote(object, word, byte);
        }
        let Some(to) = self.found.survivor.bump(words).or_else(|| self.open_survivor(words)) else {
            return self.promote(object, word, byte);
        };
        self.memory.copy_payload(object, to, words);
        self.memory.set_word(to, header::survivor(word, age + 1));
        if let Err(other) = self.claim(object, word, header::forwarded(word, to)) {
            self.found.survivor.give_back(to, words);
            return other;
        }
        let bytes = u64::from(words) * 8;
        self.survivor_bytes_left -= bytes as i64;
        self.survived_bytes_by_age[usize::from(age)] += bytes;
        if descriptor.refs(word) != 0 {
            self.push(to, object);
        }
        to
    }

    /// Copies an object to an old region.
    fn promote(&mut self, object: u32, word: u64, byte: u8) -> u32 {
        let descriptor = self.shapes.descriptor(word);
        let words = descriptor.words(word);
        let refs = descriptor.refs(word);
        let chunked = descriptor.is_ref_array() && refs > barrier::CHUNKED_REFS_MIN;
        let to = if chunked { self.found.old.bump_aligned(words) } else { self.found.old.bump(words) };
        let Some(to) = to.or_else(|| self.open_old(words)) else {
            return self.stay(object, word);
        };
        self.memory.copy_payload(object, to, words);
        self.memory.set_word(to, header::old(word, chunked));
        if let Err(other) = self.claim(object, word, header::forwarded(word, to)) {
            self.found.old.give_back(to, words);
            return other;
        }
        if self.directions.mark_promoted && !is_broken(Rule::NewIsLive) {
            if SHARED {
                // In the first block above a mark limit, others may mark what lies below it.
                self.memory.mark_among(to);
            } else {
                self.memory.mark(to);
            }
            self.memory.add_live_words(to, words);
        }
        let bytes = u64::from(words) * 8;
        if byte & role::YOUNG != 0 {
            self.found.copied.promoted_bytes += bytes;
        } else {
            self.found.copied.compacted_bytes += bytes;
        }
        if refs != 0 {
            self.push(to, object);
        }
        to
    }

    /// Zeal: whether this copy is to fail.
    #[cold]
    fn fails(&mut self) -> bool {
        self.copies += 1;
        self.copies.is_multiple_of(self.directions.fail_every)
    }

    /// Whether there is room for survivors left.
    #[inline(always)]
    fn may_survive(&mut self) -> bool {
        self.survivor_bytes_left > 0 || SHARED && self.more_may_survive()
    }

    #[cold]
    fn more_may_survive(&mut self) -> bool {
        self.survivor_bytes_left += self.evacuation.survivor_allowance(ALLOWANCE_BYTES) as i64;
        self.survivor_bytes_left > 0
    }

    /// No room for a copy: the object stays, and its region with it.
    #[cold]
    fn stay(&mut self, object: u32, word: u64) -> u32 {
        if let Err(other) = self.claim(object, word, header::self_forwarded(word)) {
            return other;
        }
        // Marks say what stayed: no region of the collection set has any other.
        self.memory.mark_among(object);
        self.memory.add_live_words_among(object, 1);
        if !self.directions.room.push(&mut self.stack, object) {
            self.evacuation.leave_unscanned();
        }
        self.found.copied.failed_copies += 1;
        object
    }

    #[cold]
    fn open_survivor(&mut self, words: u32) -> Option<u32> {
        self.open(role::SURVIVOR, self.directions.survivor_region_bytes, words, |found| &mut found.survivor)
    }

    #[cold]
    fn open_old(&mut self, words: u32) -> Option<u32> {
        self.open(role::OLD, self.directions.old_region_bytes, words, |found| &mut found.old)
    }

    /// Room for `words` in a new region, which is filled from now on if it has more room left than the one before.
    fn open(&mut self, kind: u8, bytes: u64, words: u32, filling: fn(&mut Found) -> &mut Buffer) -> Option<u32> {
        let mut opened = self.evacuation.open(kind, bytes, words)?;
        let at = opened.bump(words);
        let filling = filling(&mut self.found);
        if opened.room() >= filling.room() {
            std::mem::swap(&mut opened, filling);
        }
        self.close(opened);
        at
    }

    fn close(&mut self, buffer: Buffer) {
        if buffer.head != 0 {
            self.evacuation.close(buffer);
            self.found.copied.tail_waste_bytes += u64::from(buffer.room()) * 8;
        }
    }
}
