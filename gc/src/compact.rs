//! Full compaction: slides the live objects of regions to the low end of those regions, in place.
//!
//! It must never need room to do so, and never touch large or permanent objects but for their references. As a last ditch it moves
//! large objects too, toward the high end, until the free granules make a run that is long enough for another (G1 since
//! JDK 21).
//!
//! After marking, three passes in address order, as in the Compressor (Kermany and Petrank 2006), but with the region
//! walls kept: *plan* gives each block of 64 words the place its first object goes to; *redirect* rewrites every
//! reference from the plan and the bitmap; *slide* moves the objects. No header is overwritten before its object moves,
//! so lengths survive. The regions are dealt out in turn, to each worker a list, and what lies in a list stays in it, so
//! workers need not know of each other within a pass (G1 has a compaction point for each worker too).
//!
//! Regions that are nearly full of live objects stay as they are (G1: MarkSweepDeadRatio), unless room is short; so do
//! those with pins.
//!
//! Invariants
//! - F1. Objects that start in one block stay together: the n-th goes where the block goes plus the sizes before it.
//! - F2. The place of an object is never above the object, in the order of its list of regions; so nothing is overwritten
//!   before it has moved. (A block enters a region at its bottom or behind earlier blocks, and it fits its own region.)
//! - F3. After it all objects are old and armed, and no young region is left.
//! - F4. Regions that are compacted, and large objects that move, carry `role::COLLECTED` meanwhile, and no others do.
//! - F5. It asks the system for no memory: the regions stay in one list, of which each worker's list is every n-th, and their new tops
//!   lie in a table that has room for them (R6).

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::barrier;
use crate::crew::{self, Helped, WORKERS_MAX};
use crate::header;
use crate::heap::Roots;
use crate::mark::{marked_in_block, words_at};
use crate::memory::{BLOCK_SHIFT, BLOCK_WORDS, GRANULE_WORDS, Memory};
use crate::phases::{PausePhase, Watch};
use crate::shape::ShapeTable;
use crate::space::{Buffer, POISON, Space, role};

/// A region stays where it is if its dead words are at most one in so many (G1: MarkSweepDeadRatio = 5 %) …
const DEAD_PER_REGION: u64 = 20;
/// … and all that stays dead by this is at most one byte in so many of the room that will be left.
const DEAD_PER_ROOM: u64 = 20;

/// What a compaction came to.
pub(crate) struct Compacted {
    /// The open ends of the last regions in use.
    pub(crate) open: [Buffer; WORKERS_MAX],
    pub(crate) moved_bytes: u64,
    pub(crate) helped: Helped,
    pub(crate) watch: Watch,
}

/// A compaction under way.
pub(crate) struct Compaction<'h> {
    space: &'h mut Space,
    shapes: &'h ShapeTable,
    workers: usize,
    /// All regions: first those to be compacted, lowest first, then those whose objects stay where they are, pinned and
    /// nearly full ones.
    heads: Vec<u32>,
    /// How many are to be compacted.
    moving: usize,
    watch: Watch,
}

impl<'h> Compaction<'h> {
    /// In a heap that was just marked, with an empty store buffer and no candidates. Large objects move if that makes room for
    /// one of `large_words`.
    pub(crate) fn new(
        space: &'h mut Space,
        shapes: &'h ShapeTable,
        workers: usize,
        watch: Watch,
        large_words: Option<u64>,
    ) -> Compaction<'h> {
        if let Some(words) = large_words {
            space.plan_large_moves(words);
        }
        let mut heads = std::mem::take(&mut space.old);
        heads.append(&mut space.eden);
        heads.append(&mut space.survivors);
        let moving = put_staying_last(space, &mut heads);
        for head in &heads {
            space.set_role(*head, role::OLD);
        }
        for head in &heads[..moving] {
            space.flag(*head, role::COLLECTED, true);
        }
        space.tops.clear();
        space.tops.extend(heads[..moving].iter().map(|head| AtomicU32::new(Space::bottom(*head))));
        Compaction { space, shapes, workers, heads, moving, watch }
    }

    pub(crate) fn run(mut self, roots: &mut dyn Roots) -> Compacted {
        let (workers, mut watch) = (self.workers, self.watch);
        let passes = Passes { memory: self.space.memory, shapes: self.shapes, space: self.space };
        let list = |number| List { heads: &self.heads[..self.moving], number, workers };
        let mut helped = crew::share(workers, workers, &|number| passes.plan(list(number)));
        watch.lap(PausePhase::Plan);

        roots.visit(&mut |slot| *slot = u64::from(passes.place(*slot as u32)));
        let (regions, large) = (self.heads.len(), &passes.space.large);
        helped.after(&crew::share(workers, regions + large.len(), &|at| {
            passes.redirect(if at < regions { self.heads[at] } else { large[at - regions] });
        }));
        watch.lap(PausePhase::Redirect);

        let moved_words = AtomicU64::new(0);
        let staying = &self.heads[self.moving..];
        helped.after(&crew::share(workers, workers + staying.len(), &|number| {
            if number < workers {
                moved_words.fetch_add(passes.slide(list(number)), Ordering::Relaxed);
            } else {
                passes.stay(staying[number - workers]);
            }
        }));
        let mut moved_words = moved_words.into_inner();
        for at in 0..self.space.large.len() {
            moved_words += self.space.move_large(at);
        }
        self.space.memory.release_forwards();
        watch.lap(PausePhase::Slide);
        let open = self.end();
        Compacted { open, moved_bytes: moved_words * 8, helped, watch }
    }

    /// Frees the regions that are empty now; the others are old. Returns the open end of each list.
    fn end(&mut self) -> [Buffer; WORKERS_MAX] {
        let mut open = [Buffer::default(); WORKERS_MAX];
        let mut tops = std::mem::take(&mut self.space.tops);
        for (at, head) in self.heads[..self.moving].iter_mut().enumerate() {
            let (bottom, end, top) = (Space::bottom(*head), self.space.end(*head), *tops[at].get_mut());
            if top == bottom {
                self.space.free_region(*head);
                *head = 0;
                continue;
            }
            self.space.set_role(*head, role::OLD);
            let region = self.space.region_mut(*head);
            (region.top, region.live_words) = (top, top - bottom);
            open[at % self.workers] = Buffer { top, limit: end, head: *head };
            if self.space.poison {
                self.space.memory.fill_words(top, end - top, POISON);
            }
        }
        tops.clear();
        self.space.tops = tops;
        self.heads.retain(|head| *head != 0);
        self.heads.sort_unstable();
        for head in &self.heads {
            let region = self.space.region_mut(*head);
            (region.tams, region.failed) = (Space::bottom(*head), false);
        }
        self.space.old = std::mem::take(&mut self.heads);
        open
    }
}

/// Puts what stays where it is behind the rest, each part lowest first; returns how many are to be compacted.
fn put_staying_last(space: &Space, heads: &mut [u32]) -> usize {
    let live_words = |head: u32| u64::from(space.region(head).live_words);
    let dead_words = |head: u32| u64::from(space.region(head).granules) * u64::from(GRANULE_WORDS) - live_words(head);
    let is_full = |head: &u32| dead_words(*head) * DEAD_PER_REGION <= dead_words(*head) + live_words(*head);
    let dead_bytes: u64 = heads.iter().copied().filter(is_full).map(dead_words).sum::<u64>() * 8;
    let live_bytes: u64 = heads.iter().copied().map(live_words).sum::<u64>() * 8;
    let room_bytes = (space.room_bytes() + space.capacity_bytes_of(heads)).saturating_sub(live_bytes);
    let may_stay = dead_bytes * DEAD_PER_ROOM <= room_bytes;
    let stays = |head: &u32| space.region(*head).pins > 0 || may_stay && is_full(head);
    heads.sort_unstable_by_key(|head| (stays(head), *head));
    heads.partition_point(|head| !stays(head))
}

/// The regions of one worker: every so many of those that are compacted.
#[derive(Clone, Copy)]
struct List<'h> {
    heads: &'h [u32],
    number: usize,
    workers: usize,
}

impl List<'_> {
    /// Where a list's n-th region is among all.
    fn index(self, at: usize) -> usize {
        self.number + at * self.workers
    }

    fn heads(self) -> impl Iterator<Item = u32> {
        self.heads.iter().skip(self.number).step_by(self.workers).copied()
    }
}

/// What the passes do to a list, or to a region.
#[derive(Clone, Copy)]
struct Passes<'h> {
    memory: Memory,
    shapes: &'h ShapeTable,
    space: &'h Space,
}

impl Passes<'_> {
    /// The blocks of a region up to its top when marking began.
    fn blocks(self, head: u32) -> std::ops::Range<u32> {
        Space::bottom(head) >> BLOCK_SHIFT..self.space.region(head).tams.div_ceil(BLOCK_WORDS)
    }

    fn marked_in(self, head: u32) -> impl Iterator<Item = u32> {
        self.blocks(head).flat_map(move |block| marked_in_block(self.memory, block))
    }

    /// Where everything goes: fills the forwarding table and the table of new tops.
    fn plan(self, list: List<'_>) {
        let (memory, tops) = (self.memory, &self.space.tops);
        let mut to = 0;
        for head in list.heads() {
            for block in self.blocks(head) {
                let mut words = 0;
                let mut aligned = false;
                for object in marked_in_block(memory, block) {
                    words += words_at(memory, self.shapes, object);
                    aligned |= header::is_chunked(memory.word(object));
                }
                if words == 0 {
                    continue;
                }
                let at = loop {
                    let index = list.index(to);
                    let top = tops[index].load(Ordering::Relaxed);
                    let top = if aligned { top.next_multiple_of(BLOCK_WORDS) } else { top };
                    if self.space.end(list.heads[index]).checked_sub(top).is_some_and(|room| room >= words) {
                        break top;
                    }
                    to += 1;
                };
                debug_assert!(list.heads[list.index(to)] < head || at <= block << BLOCK_SHIFT | 63, "F2");
                memory.set_forward(block, at);
                tops[list.index(to)].store(at + words, Ordering::Relaxed);
            }
        }
    }

    /// The new place of a live object, or nil's.
    #[inline(always)]
    fn place(self, object: u32) -> u32 {
        if object == 0 || self.memory.role_at(object) & role::COLLECTED == 0 {
            return object;
        }
        let block = object >> BLOCK_SHIFT;
        let before = self.memory.marks(block) & ((1 << (object % BLOCK_WORDS)) - 1);
        let mut at = self.memory.forward(block);
        let mut bits = before;
        while bits != 0 {
            at += words_at(self.memory, self.shapes, (block << BLOCK_SHIFT) + bits.trailing_zeros());
            bits &= bits - 1;
        }
        at
    }

    fn redirect(self, head: u32) {
        for object in self.marked_in(head) {
            let word = self.memory.word(object);
            for (index, target) in self.memory.refs(object, 0..self.shapes.descriptor(word).refs(word)) {
                let to = self.place(target);
                if to != target {
                    self.memory.set_slot(object, index, to);
                }
            }
        }
    }

    /// Moves the objects of a list; returns the words that moved.
    fn slide(self, list: List<'_>) -> u64 {
        let mut moved_words = 0;
        for block in list.heads().flat_map(|head| self.blocks(head)) {
            let mut to = self.memory.forward(block);
            for object in marked_in_block(self.memory, block) {
                let word = self.memory.word(object);
                let words = self.shapes.descriptor(word).words(word);
                if to != object {
                    self.memory.move_words(object, to, words);
                    moved_words += u64::from(words);
                }
                self.arm(to, word);
                to += words;
            }
        }
        moved_words
    }

    /// Makes the objects of a region old where they are; nothing walks its dead ones.
    fn stay(self, head: u32) {
        for object in self.marked_in(head) {
            self.arm(object, self.memory.word(object));
        }
    }

    fn arm(self, object: u32, word: u64) {
        let descriptor = self.shapes.descriptor(word);
        let chunked = descriptor.is_ref_array() && barrier::is_chunked_at(object, descriptor.refs(word));
        self.memory.set_word(object, header::old(word, chunked));
    }
}
