//! Marking: finds what is reachable and counts it by granule, into tables beside the heap.
//!
//! It must never write a header or a field, nor know what is done with the result, nor on which thread it runs: beside the
//! program, in slices at its safepoints, or within a pause. The tables that it writes have one writer at a time, but for
//! the workers of a pause, which mark *among* others: by atomic exchange, sharing what is left to scan.
//!
//! A snapshot is marked as it was when marking began (Yuasa 1990): what was reachable then is marked, whatever the program
//! does meanwhile, because the write barrier hands over each reference before it is overwritten.
//!
//! Invariants
//! - K1. After marking, every object that was reachable when it began and lies below the mark limit of its granule is
//!   marked. Limits are the tops of old regions and large objects at that time, and 0 for everything else; so young and
//!   newer objects, and what lies in regions opened or freed since, are known by one load and never read (rules (c), (j)).
//! - K2. The live words of a granule are the sizes of the marked objects that start in it.
//! - K3. Without a marking under way, all limits are 0; marks and live words are 0 too, once the last cycle has ended.
//! - K4. The stack is bounded. What does not fit is marked and counted, and marked objects are scanned once more for what
//!   they refer to, until a scan leaves nothing out. So marking needs no memory to come to its end. Where the system has
//!   none, a full collection has the stack that was there from the heap's birth: without any, a scan might find one object.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::crew::{self, Helped};
use crate::header;
use crate::memory::{BLOCK_SHIFT, GRANULE_SHIFT, Memory};
use crate::room::Room;
use crate::rules::{Rule, is_broken};
use crate::shape::ShapeTable;
use crate::space::Space;
use crate::steal::{Hand, Tasks};

/// How far ahead on the mark stack headers are asked for.
const PREFETCH_OBJECTS: usize = 6;
/// So many references wait between the request for mark and header and the look at them.
const AHEAD_REFERENCES: usize = 16;
/// Arrays are scanned by so many slots at a time, so that marking can stop within one.
const SLICE_SLOTS: u32 = 1024;
/// Slots between two looks at whether to stop (rule: stops within 200 µs when asked).
const POLL_SLOTS: u64 = 128;
/// Among others: slots between two looks at whether what was offered was taken.
const LOOK_SLOTS: u64 = 512;
/// Room of the mark stack: at least this many objects, and one for so many bytes of the heap's limit.
const STACK_OBJECTS_MIN: usize = 1 << 14;
const STACK_BYTES_PER_OBJECT: u64 = 2048;
/// Room of the stack that a heap is born with.
pub(crate) const SPARE_STACK_OBJECTS: usize = 1 << 12;

/// How much work may be done before it stops.
pub(crate) struct Budget<'a> {
    slots: u64,
    next_poll: u64,
    stop: Option<&'a AtomicBool>,
    /// What it began with.
    all: u64,
}

impl Budget<'static> {
    /// To the end.
    pub(crate) fn unbounded() -> Budget<'static> {
        Budget::slots(u64::MAX)
    }

    /// So many slots, about.
    pub(crate) fn slots(slots: u64) -> Budget<'static> {
        Budget { slots, next_poll: 0, stop: None, all: slots }
    }
}

impl<'a> Budget<'a> {
    /// Until the flag is set.
    pub(crate) fn until(stop: &'a AtomicBool) -> Budget<'a> {
        Budget { slots: u64::MAX, next_poll: u64::MAX - POLL_SLOTS, stop: Some(stop), all: u64::MAX }
    }

    /// A part of it, to be taken off it afterwards.
    pub(crate) fn part(&self, slots: u64) -> Budget<'a> {
        let slots = slots.min(self.slots);
        let next_poll = if self.stop.is_some() { slots.saturating_sub(POLL_SLOTS) } else { 0 };
        Budget { slots, next_poll, stop: self.stop, all: slots }
    }

    /// What was taken off it.
    pub(crate) fn spent(&self) -> u64 {
        self.all - self.slots
    }

    /// Takes work off the budget; true when it is spent.
    #[inline(always)]
    pub(crate) fn spend(&mut self, slots: u64) -> bool {
        self.slots = self.slots.saturating_sub(slots);
        if self.slots <= self.next_poll {
            let Some(stop) = self.stop else { return self.slots == 0 };
            self.next_poll = self.slots.saturating_sub(POLL_SLOTS);
            return self.slots == 0 || stop.load(Ordering::Relaxed);
        }
        false
    }
}

/// One marking under way.
pub(crate) struct Tracer {
    memory: Memory,
    shapes: Arc<ShapeTable>,
    stack: Vec<u32>,
    stack_max: usize,
    /// Large arrays, each with its next slot.
    arrays: Vec<(u32, u32)>,
    /// References still to be looked at: what the barrier handed over.
    handed: Vec<u32>,
    /// References whose marks and headers were asked for, in turn; 0 for none (Garner, Blackburn and Frampton, "Effective
    /// prefetch for mark-sweep garbage collection", ISMM 2007).
    ahead: [u32; AHEAD_REFERENCES],
    next_ahead: usize,
    room: Room,
    /// Something did not fit on the stack (K4).
    overflowed: bool,
    /// The next granule whose marked objects are scanned once more.
    rescan: Option<u32>,
    /// Other workers mark too.
    among: bool,
    marked_words: u64,
}

impl Tracer {
    /// A marking in a heap with this limit; `overflow_zeal` makes the stack as small as can be.
    pub(crate) fn new(
        memory: Memory,
        shapes: Arc<ShapeTable>,
        limit_bytes: u64,
        overflow_zeal: bool,
        room: Room,
    ) -> Tracer {
        let most = STACK_OBJECTS_MIN.max((limit_bytes / STACK_BYTES_PER_OBJECT) as usize);
        Tracer {
            memory,
            shapes,
            stack: Vec::new(),
            stack_max: if overflow_zeal { 8 } else { most },
            arrays: Vec::new(),
            handed: Vec::new(),
            ahead: [0; AHEAD_REFERENCES],
            next_ahead: 0,
            room,
            overflowed: false,
            rescan: None,
            among: false,
            marked_words: 0,
        }
    }

    /// Uses a stack that is there already.
    pub(crate) fn with_stack(self, stack: Vec<u32>) -> Tracer {
        debug_assert!(stack.is_empty() && self.stack.is_empty());
        Tracer { stack, ..self }
    }

    /// Its stack, for the next one.
    pub(crate) fn into_stack(self) -> Vec<u32> {
        self.stack
    }

    /// A tracer that marks among `workers` in all; this one is another of them.
    fn among(&self, workers: usize) -> Tracer {
        let (memory, shapes, stack_max) = (self.memory, Arc::clone(&self.shapes), self.stack_max / workers);
        Tracer {
            memory,
            shapes,
            stack: Vec::new(),
            stack_max: stack_max.max(8),
            arrays: Vec::new(),
            handed: Vec::new(),
            ahead: [0; AHEAD_REFERENCES],
            next_ahead: 0,
            room: self.room,
            overflowed: false,
            rescan: None,
            among: true,
            marked_words: 0,
        }
    }

    /// Bytes marked so far.
    pub(crate) fn marked_bytes(&self) -> u64 {
        self.marked_words * 8
    }

    /// Memory of the stack and the buffers.
    pub(crate) fn table_bytes(&self) -> u64 {
        let words = self.stack.capacity() + self.handed.capacity() + 2 * self.arrays.capacity();
        (words * size_of::<u32>()) as u64
    }

    /// References that were overwritten since the marking began. They come before what is on the stack, so that the buffers
    /// stay as short as whoever hands over lets them be.
    pub(crate) fn hand_over(&mut self, references: &mut Vec<u32>) {
        if self.handed.is_empty() {
            std::mem::swap(&mut self.handed, references);
        } else {
            references.drain(..).for_each(|object| self.visit(object));
        }
    }

    /// Rule (j), before anything of the object is read.
    #[inline(always)]
    fn is_to_mark(&self, object: u32) -> bool {
        self.memory.is_below_mark_limit(object) || is_broken(Rule::LimitFirst) && object != 0
    }

    /// Visits a root, or a field of a marked object, once others have been asked for.
    #[inline(always)]
    pub(crate) fn visit(&mut self, object: u32) {
        if self.is_to_mark(object) {
            self.memory.prefetch_mark(object);
            self.memory.prefetch(object);
            let place = &mut self.ahead[self.next_ahead % AHEAD_REFERENCES];
            let before = std::mem::replace(place, object);
            self.next_ahead += 1;
            self.visit_now(before);
        }
    }

    /// Visits what waits.
    fn visit_ahead(&mut self) {
        for at in self.next_ahead..self.next_ahead + AHEAD_REFERENCES {
            let object = std::mem::take(&mut self.ahead[at % AHEAD_REFERENCES]);
            self.visit_now(object);
        }
    }

    #[inline(always)]
    fn visit_now(&mut self, object: u32) {
        // Rule (h): what was freed since it was asked for lies below no limit any more.
        if self.is_to_mark(object) && !self.memory.is_marked(object) {
            if self.among {
                if !self.memory.mark_among(object) {
                    return;
                }
            } else {
                self.memory.mark(object);
            }
            self.push(object);
        }
    }

    /// Takes over what the workers of a pause visited: marked already, not scanned yet.
    pub(crate) fn adopt(&mut self, visited: Vec<u32>) {
        visited.into_iter().for_each(|object| self.push(object));
    }

    /// Visits what an object refers to that will not be there any more when its turn comes.
    pub(crate) fn visit_last(&mut self, object: u32) {
        self.scan_slots(object, 0..self.refs(object));
    }

    /// An object that is marked waits to be scanned.
    #[inline(always)]
    fn push(&mut self, object: u32) {
        if self.stack.len() < self.stack.capacity().min(self.stack_max) || self.grow() {
            self.stack.push(object);
        } else {
            self.overflow(object);
        }
    }

    #[cold]
    fn grow(&mut self) -> bool {
        let left = self.stack_max.saturating_sub(self.stack.len());
        let more = self.stack.len().max(1024).min(left);
        more > 0 && (self.room.has(&mut self.stack, more) || self.room.has(&mut self.stack, 1))
    }

    /// K4: an object that is marked and does not fit on the stack.
    #[cold]
    fn overflow(&mut self, object: u32) {
        let words = self.shapes.descriptor(self.memory.word(object)).words(self.memory.word(object));
        self.count(object, words);
        self.overflowed = true;
    }

    #[inline(always)]
    fn count(&mut self, object: u32, words: u32) {
        self.marked_words += u64::from(words);
        if self.among {
            self.memory.add_live_words_among(object, words);
        } else {
            self.memory.add_live_words(object, words);
        }
    }

    /// Visits what slots refer to.
    #[inline(always)]
    fn scan_slots(&mut self, object: u32, slots: Range<u32>) {
        for (_, target) in self.memory.refs(object, slots) {
            self.visit(target);
        }
    }

    /// Number of references of an object.
    fn refs(&self, object: u32) -> u32 {
        let word = self.memory.word(object);
        self.shapes.descriptor(word).refs(word)
    }

    /// Marks until nothing is left (true) or the budget is spent.
    pub(crate) fn drain(&mut self, budget: &mut Budget<'_>) -> bool {
        loop {
            let slots = if let Some(object) = self.handed.pop() {
                self.visit(object);
                1
            } else if let Some(object) = self.stack.pop() {
                // The children of a large array wait for long: what comes soon is asked for again.
                if let Some(soon) = self.stack.len().checked_sub(PREFETCH_OBJECTS) {
                    self.memory.prefetch(self.stack[soon]);
                }
                // Rule (h): what was freed since it was pushed lies below no limit any more.
                if self.is_to_mark(object) { self.scan(object) } else { 1 }
            } else if self.ahead != [0; AHEAD_REFERENCES] {
                self.visit_ahead();
                1
            } else if let Some((array, from)) = self.arrays.pop() {
                if self.is_to_mark(array) { self.scan_slice(array, from) } else { 1 }
            } else if let Some(granule) = self.rescan {
                self.rescan_granule(granule)
            } else if self.overflowed {
                self.overflowed = false;
                self.rescan = Some(0);
                1
            } else {
                return true;
            };
            if budget.spend(u64::from(slots)) {
                return false;
            }
        }
    }

    /// Scans a newly marked object; returns the slots it took.
    #[inline(always)]
    fn scan(&mut self, object: u32) -> u32 {
        // Rule (j): of the header, shape and length alone are looked at; they never change.
        let word = self.memory.word(object);
        let descriptor = self.shapes.descriptor(word);
        self.count(object, descriptor.words(word));
        let refs = descriptor.refs(word);
        if refs > SLICE_SLOTS && self.room.push(&mut self.arrays, (object, 0)) {
            return 1;
        }
        self.scan_slots(object, 0..refs);
        refs + 1
    }

    fn scan_slice(&mut self, array: u32, from: u32) -> u32 {
        let refs = self.refs(array);
        let end = refs.min(from.saturating_add(SLICE_SLOTS));
        if end < refs {
            // Into the place it was taken from.
            self.arrays.push((array, end));
        }
        self.scan_slots(array, from..end);
        end - from + 1
    }

    /// Scans the marked objects of a granule for what did not fit on the stack.
    fn rescan_granule(&mut self, granule: u32) -> u32 {
        let next = granule + 1;
        self.rescan = (next < self.memory.granules()).then_some(next);
        if self.memory.live_words(granule) == 0 {
            return 1;
        }
        let mut slots = 1;
        let memory = self.memory;
        for object in blocks_of(granule).flat_map(|block| marked_in_block(memory, block)) {
            if !self.memory.is_below_mark_limit(object) {
                continue;
            }
            let refs = self.refs(object);
            slots += refs + 1;
            if refs <= SLICE_SLOTS || !self.room.push(&mut self.arrays, (object, 0)) {
                self.scan_slots(object, 0..refs);
            }
        }
        slots
    }

    // -- among the workers of a pause

    /// Marks until nothing is left, with up to `workers`.
    pub(crate) fn drain_together(&mut self, workers: usize) -> Helped {
        if workers == 1 {
            self.drain(&mut Budget::unbounded());
            return Helped::default();
        }
        let (tasks, marked_words) = (Tasks::new(workers), AtomicU64::new(0));
        let mut hand = tasks.hand();
        let like = self.among(workers);
        let theirs = |_| {
            let mut tracer = like.among(1);
            tracer.drain_among(&mut tasks.hand());
            marked_words.fetch_add(tracer.marked_words, Ordering::Relaxed);
        };
        self.among = true;
        let ((), helped) = crew::together(workers - 1, &theirs, || self.drain_among(&mut hand));
        self.among = false;
        self.marked_words += marked_words.into_inner();
        helped
    }

    fn drain_among(&mut self, hand: &mut Hand<'_>) {
        loop {
            let done = self.drain(&mut Budget::slots(LOOK_SLOTS));
            if hand.is_empty() {
                self.spare(hand);
            }
            if done {
                match hand.take_back().or_else(|| hand.steal()) {
                    Some(task) => self.take(task),
                    None => return,
                }
            }
        }
    }

    /// Offers the older half of what is left. A task is an object, and for an array its next slot plus one.
    fn spare(&mut self, hand: &Hand<'_>) {
        for (array, from) in self.arrays.drain(..(self.arrays.len() / 2).min(hand.room())) {
            hand.offer(u64::from(array) | (u64::from(from) + 1) << 32);
        }
        for object in self.stack.drain(..(self.stack.len() / 2).min(hand.room())) {
            hand.offer(u64::from(object));
        }
    }

    fn take(&mut self, task: u64) {
        match (task >> 32) as u32 {
            0 => self.push(task as u32),
            next if self.room.push(&mut self.arrays, (task as u32, next - 1)) => {}
            next => self.scan_slots(task as u32, next - 1..self.refs(task as u32)),
        }
    }

    /// Ends a marking that will not be finished.
    pub(crate) fn abandon(self) {
        abandon(self.memory, &self.stack);
    }
}

/// Objects are marked that nobody will scan: they are counted, so that the clearing of marks comes to them (K3).
pub(crate) fn abandon(memory: Memory, objects: &[u32]) {
    objects.iter().for_each(|object| memory.add_live_words_among(*object, 1));
}

/// Begins: what lies in old regions and large objects now is to be marked, and in young regions if they are asked for.
pub(crate) fn begin(space: &mut Space, young_too: bool) {
    space.each_region(young_too, |space, head| {
        let region = space.region_mut(head);
        let (top, granules) = (region.top, region.granules);
        region.tams = top;
        space.memory.set_mark_limit(head, granules, top);
    });
}

/// Ends: counts what was found live in these regions, up to their tops now. Copies made meanwhile are marked too. Returns the
/// live words.
pub(crate) fn end(space: &mut Space, young_too: bool) -> u64 {
    let mut all_words = 0;
    space.each_region(young_too, |space, head| {
        let granules = space.region(head).granules;
        let live_words = (head..head + granules).map(|granule| space.memory.live_words(granule)).sum();
        let region = space.region_mut(head);
        region.live_words = live_words;
        region.tams = region.top;
        space.memory.set_mark_limit(head, granules, 0);
        all_words += u64::from(live_words);
    });
    all_words
}

/// The marked objects that start in one block, lowest first.
pub(crate) struct MarkedInBlock {
    bits: u64,
    base: u32,
}

impl Iterator for MarkedInBlock {
    type Item = u32;

    #[inline(always)]
    fn next(&mut self) -> Option<u32> {
        if self.bits == 0 {
            return None;
        }
        let at = self.bits.trailing_zeros();
        self.bits &= self.bits - 1;
        Some(self.base + at)
    }
}

pub(crate) fn marked_in_block(memory: Memory, block: u32) -> MarkedInBlock {
    MarkedInBlock { bits: memory.marks(block), base: block << BLOCK_SHIFT }
}

/// The blocks of a granule.
pub(crate) fn blocks_of(granule: u32) -> std::ops::Range<u32> {
    let shift = GRANULE_SHIFT - BLOCK_SHIFT;
    granule << shift..(granule + 1) << shift
}

/// Whether the last marking found an object live, or it is younger than that. Only while its marks are there.
pub(crate) fn is_live(space: &Space, object: u32) -> bool {
    object >= space.region(space.head_of(object)).tams || space.memory.is_marked(object)
}

/// While marking: whether an object is reached, or is none that this marking looks at.
pub(crate) fn is_reached(memory: Memory, object: u32) -> bool {
    !memory.is_below_mark_limit(object) || memory.is_marked(object)
}

/// Size in words of the object at `object`.
#[inline(always)]
pub(crate) fn words_at(memory: Memory, shapes: &ShapeTable, object: u32) -> u32 {
    let word = memory.word(object);
    debug_assert!(header::is_untouched(word));
    shapes.descriptor(word).words(word)
}
