//! Full compaction: slides the live objects of regions to the low end of those regions, in place.
//!
//! It must never need room to do so, and never touch large or permanent objects but for their references.
//!
//! After marking, three passes in address order, as in the Compressor (Kermany and Petrank 2006), but with the region
//! walls kept: *plan* gives each block of 64 words the place its first object goes to; *redirect* rewrites every
//! reference from the plan and the bitmap; *slide* moves the objects. No header is overwritten before its object moves,
//! so lengths survive. The regions are dealt out to lists, one for each worker, and what lies in a list stays in it, so
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
//! - F4. Regions that are compacted carry `role::COLLECTED` meanwhile, and no others do.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

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

/// A region, as the passes see it.
#[derive(Clone, Copy)]
struct Area {
    head: u32,
    end: u32,
    tams: u32,
}

impl Area {
    fn bottom(self) -> u32 {
        Space::bottom(self.head)
    }

    /// Its blocks up to the top when marking began.
    fn blocks(self) -> std::ops::Range<u32> {
        self.bottom() >> BLOCK_SHIFT..self.tams.div_ceil(BLOCK_WORDS)
    }
}

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
    passes: Passes<'h>,
    workers: usize,
    /// Regions to be compacted, by list, lowest first.
    lists: Vec<Vec<Area>>,
    /// Regions whose objects stay where they are: pinned and nearly full ones; and large objects.
    staying: Vec<Area>,
    large: Vec<Area>,
    watch: Watch,
}

impl<'h> Compaction<'h> {
    /// In a heap that was just marked, with an empty store buffer and no candidates.
    pub(crate) fn new(space: &'h mut Space, shapes: &'h ShapeTable, workers: usize, watch: Watch) -> Compaction<'h> {
        let mut heads: Vec<u32> = [&space.eden, &space.survivors, &space.old].into_iter().flatten().copied().collect();
        heads.sort_unstable();
        let staying = take_staying(space, &mut heads);
        (space.eden, space.survivors, space.old) = (Vec::new(), Vec::new(), Vec::new());
        for head in heads.iter().chain(&staying) {
            space.set_role(*head, role::OLD);
        }
        for head in &heads {
            space.flag(*head, role::COLLECTED, true);
        }
        let area = |head: &u32| Area { head: *head, end: space.end(*head), tams: space.region(*head).tams };
        let mut lists = vec![Vec::new(); workers];
        for (at, head) in heads.iter().enumerate() {
            lists[at % workers].push(area(head));
        }
        let (staying, large) = (staying.iter().map(area).collect(), space.large.iter().map(area).collect());
        let passes = Passes { memory: space.memory, shapes };
        Compaction { space, passes, workers, lists, staying, large, watch }
    }

    pub(crate) fn run(mut self, roots: &mut dyn Roots) -> Compacted {
        let (passes, lists, staying) = (self.passes, &self.lists, &self.staying);
        let tops: Vec<_> = lists.iter().map(|_| Mutex::new(Vec::new())).collect();
        let mut helped = crew::share(self.workers, lists.len(), &|list| {
            *tops[list].lock().expect("nothing panics while it is held") = passes.plan(&lists[list]);
        });
        self.watch.lap(PausePhase::Plan);

        roots.visit(&mut |slot| *slot = u64::from(passes.place(*slot as u32)));
        let areas: Vec<Area> = lists.iter().flatten().chain(staying).chain(&self.large).copied().collect();
        helped.after(&crew::share(self.workers, areas.len(), &|area| passes.redirect(areas[area])));
        self.watch.lap(PausePhase::Redirect);

        let moved_words = AtomicU64::new(0);
        helped.after(&crew::share(self.workers, lists.len() + staying.len(), &|number| {
            if let Some(list) = lists.get(number) {
                moved_words.fetch_add(passes.slide(list), Ordering::Relaxed);
            } else {
                passes.stay(staying[number - lists.len()]);
            }
        }));
        passes.memory.release_forwards();
        self.watch.lap(PausePhase::Slide);

        let tops =
            tops.into_iter().map(|tops| tops.into_inner().expect("nothing panicked while it was held")).collect();
        let open = self.end(tops);
        Compacted { open, moved_bytes: moved_words.into_inner() * 8, helped, watch: self.watch }
    }

    /// Frees the regions that are empty now; the others are old. Returns the open end of each list.
    fn end(&mut self, tops: Vec<Vec<u32>>) -> [Buffer; WORKERS_MAX] {
        let mut open = [Buffer::default(); WORKERS_MAX];
        let mut old = Vec::new();
        for (list, tops) in tops.into_iter().enumerate() {
            for (area, top) in self.lists[list].iter().zip(tops) {
                if top == area.bottom() {
                    self.space.free_region(area.head);
                    continue;
                }
                self.space.set_role(area.head, role::OLD);
                let region = self.space.region_mut(area.head);
                (region.top, region.live_words) = (top, top - area.bottom());
                open[list] = Buffer { top, limit: area.end, head: area.head };
                if self.space.poison {
                    self.space.memory.fill_words(top, area.end - top, POISON);
                }
                old.push(area.head);
            }
        }
        old.extend(self.staying.iter().map(|area| area.head));
        old.sort_unstable();
        for head in &old {
            let region = self.space.region_mut(*head);
            (region.tams, region.failed) = (Space::bottom(*head), false);
        }
        self.space.old = old;
        open
    }
}

/// Takes out of `heads` what stays where it is.
fn take_staying(space: &Space, heads: &mut Vec<u32>) -> Vec<u32> {
    let live_words = |head: u32| u64::from(space.region(head).live_words);
    let dead_words = |head: u32| u64::from(space.region(head).granules) * u64::from(GRANULE_WORDS) - live_words(head);
    let is_full = |head: &u32| dead_words(*head) * DEAD_PER_REGION <= dead_words(*head) + live_words(*head);
    let dead_bytes: u64 = heads.iter().copied().filter(is_full).map(dead_words).sum::<u64>() * 8;
    let live_bytes: u64 = heads.iter().copied().map(live_words).sum::<u64>() * 8;
    let room_bytes = (space.room_bytes() + space.capacity_bytes_of(heads)).saturating_sub(live_bytes);
    let may_stay = dead_bytes * DEAD_PER_ROOM <= room_bytes;
    heads.extract_if(.., |head| space.region(*head).pins > 0 || may_stay && is_full(head)).collect()
}

/// What the passes do to a list, or to a region.
#[derive(Clone, Copy)]
struct Passes<'h> {
    memory: Memory,
    shapes: &'h ShapeTable,
}

impl Passes<'_> {
    fn marked_in(self, area: Area) -> impl Iterator<Item = u32> {
        area.blocks().flat_map(move |block| marked_in_block(self.memory, block))
    }

    /// Where everything goes: fills the forwarding table and returns the new tops.
    fn plan(self, list: &[Area]) -> Vec<u32> {
        let memory = self.memory;
        let mut tops: Vec<u32> = list.iter().map(|area| area.bottom()).collect();
        let mut to = 0;
        for area in list {
            for block in area.blocks() {
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
                    let top = if aligned { tops[to].next_multiple_of(BLOCK_WORDS) } else { tops[to] };
                    if list[to].end.checked_sub(top).is_some_and(|room| room >= words) {
                        break top;
                    }
                    to += 1;
                };
                debug_assert!(list[to].head < area.head || at <= block << BLOCK_SHIFT | 63, "F2");
                memory.set_forward(block, at);
                tops[to] = at + words;
            }
        }
        tops
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

    fn redirect(self, area: Area) {
        for object in self.marked_in(area) {
            let word = self.memory.word(object);
            for index in 0..self.shapes.descriptor(word).refs(word) {
                let target = self.memory.slot(object, index);
                let to = self.place(target);
                if to != target {
                    self.memory.set_slot(object, index, to);
                }
            }
        }
    }

    /// Moves the objects of a list; returns the words that moved.
    fn slide(self, list: &[Area]) -> u64 {
        let mut moved_words = 0;
        for block in list.iter().flat_map(|area| area.blocks()) {
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
    fn stay(self, area: Area) {
        for object in self.marked_in(area) {
            self.arm(object, self.memory.word(object));
        }
    }

    fn arm(self, object: u32, word: u64) {
        let descriptor = self.shapes.descriptor(word);
        let chunked = descriptor.is_ref_array() && barrier::is_chunked_at(object, descriptor.refs(word));
        self.memory.set_word(object, header::old(word, chunked));
    }
}
