//! Beside the program, after marking: builds the remembered sets of the new candidates, and later clears the marks.
//!
//! It must never write an object, nor read one that was not found live.
//!
//! Invariants
//! - B1. It walks marked objects alone, which stay where they are: no old region is evacuated before it has ended.
//! - B2. With what stores and copies add meanwhile, invariant C1 of the candidates holds when it ends: a reference that is
//!   stored after its slot was read is in an object on the store buffer.
//! - B3. A region that is freed meanwhile is forgotten before.

use std::sync::Arc;

use crate::barrier::{self, Entry};
use crate::incoming::SOURCES_MAX;
use crate::mark::{Budget, blocks_of, marked_in_block};
use crate::memory::{GRANULE_SHIFT, Memory};
use crate::remembered::RememberedSet;
use crate::room::Room;
use crate::shape::ShapeTable;

/// A region to be walked.
#[derive(Clone, Copy)]
pub(crate) struct Source {
    pub(crate) head: u32,
    pub(crate) granules: u32,
    pub(crate) epoch: u32,
}

/// What is to be walked, and for what.
pub(crate) struct Plan {
    /// Highest first: the last one is walked first.
    pub(crate) sources: Vec<Source>,
    /// Number of the candidate, or of the large object behind them, that a granule belongs to, plus one.
    pub(crate) index: Vec<u32>,
    pub(crate) candidates: usize,
    /// The latest epoch of a region.
    pub(crate) walked_epoch: u32,
    /// What the sets may take in all.
    pub(crate) sets_bytes_max: u64,
    pub(crate) room: Room,
}

/// Slots of an array that are read between two looks at the budget.
const SLICE_SLOTS: u32 = 1024;

/// The building of remembered sets.
pub(crate) struct Rebuild {
    memory: Memory,
    shapes: Arc<ShapeTable>,
    /// What is left to walk; the last one comes next.
    sources: Vec<Source>,
    /// The next granule of the last source.
    granule: u32,
    /// A large array under way: its next slot.
    array: Option<(u32, u32)>,
    /// Number of the candidate, or of the large object behind them, that a granule belongs to, plus one.
    index: Vec<u32>,
    /// Number of candidates: the sets of what comes behind them end where they are too large to be of use.
    candidates: usize,
    /// Number of candidates whose sets are still built; the worse ones are given up for want of room.
    kept: usize,
    sets: Vec<RememberedSet>,
    /// What the sets take, and may take.
    sets_bytes: u64,
    sets_bytes_max: u64,
}

impl Rebuild {
    /// A walk over `sources` for the candidates and the large objects behind them that `index` numbers. None where there is no
    /// memory for the sets.
    pub(crate) fn new(memory: Memory, shapes: Arc<ShapeTable>, plan: Plan) -> Option<Rebuild> {
        let Plan { sources, index, candidates, walked_epoch, sets_bytes_max, room } = plan;
        let count = index.iter().max().copied().unwrap_or(0) as usize;
        let granule = sources.last().map_or(0, |source| source.head);
        let mut sets = Vec::new();
        sets.try_reserve_exact(count).ok()?;
        sets.extend((0..count).map(|_| RememberedSet::new(room, walked_epoch)));
        let (kept, array, sets_bytes) = (candidates, None, 0);
        Some(Rebuild {
            memory,
            shapes,
            sources,
            granule,
            array,
            index,
            candidates,
            kept,
            sets,
            sets_bytes,
            sets_bytes_max,
        })
    }

    /// Memory of the sets and the index.
    pub(crate) fn table_bytes(&self) -> u64 {
        let sets = self.sets.capacity() * size_of::<RememberedSet>();
        self.sets_bytes + (sets + self.index.len() * size_of::<u32>()) as u64
    }

    /// What was found: the sets of the candidates, then those of large objects.
    pub(crate) fn into_sets(self) -> Vec<RememberedSet> {
        self.sets
    }

    /// Forgets a region that is freed (B3). Its entries are stale from then on.
    pub(crate) fn forget(&mut self, head: u32) {
        let current = self.sources.last().map(|source| source.head);
        self.sources.retain(|source| source.head != head);
        if current == Some(head) {
            self.array = None;
            self.granule = self.sources.last().map_or(0, |source| source.head);
        }
    }

    /// Walks until all is done (true) or the budget is spent.
    pub(crate) fn run(&mut self, budget: &mut Budget<'_>) -> bool {
        while let Some(&source) = self.sources.last() {
            let slots = if let Some((array, from)) = self.array.take() {
                self.walk_slice(source, array, from)
            } else if self.granule < source.head + source.granules {
                self.granule += 1;
                self.walk_granule(source, self.granule - 1)
            } else {
                self.sources.pop();
                self.granule = self.sources.last().map_or(0, |source| source.head);
                1
            };
            if budget.spend(u64::from(slots)) {
                return false;
            }
        }
        true
    }

    fn walk_granule(&mut self, source: Source, granule: u32) -> u32 {
        if self.memory.live_words(granule) == 0 {
            return 1;
        }
        let memory = self.memory;
        let mut slots = 1;
        for object in blocks_of(granule).flat_map(|block| marked_in_block(memory, block)) {
            let word = memory.word(object);
            let refs = self.shapes.descriptor(word).refs(word);
            // A granule ends with at most one array that is larger than a granule is.
            if refs > SLICE_SLOTS && self.array.is_none() {
                self.array = Some((object, 0));
            } else {
                self.walk_slots(source, object, 0..refs);
                slots += refs + 1;
            }
        }
        slots
    }

    fn walk_slice(&mut self, source: Source, array: u32, from: u32) -> u32 {
        let refs = self.shapes.descriptor(self.memory.word(array)).refs(self.memory.word(array));
        let end = refs.min(from.saturating_add(SLICE_SLOTS));
        if end < refs {
            self.array = Some((array, end));
        }
        self.walk_slots(source, array, from..end);
        end - from + 1
    }

    fn walk_slots(&mut self, source: Source, object: u32, slots: std::ops::Range<u32>) {
        let word = self.memory.word(object);
        let descriptor = self.shapes.descriptor(word);
        let by_chunk = descriptor.is_ref_array() && barrier::is_chunked_at(object, descriptor.refs(word));
        let own = self.index[source.head as usize];
        for (slot, target) in self.memory.refs(object, slots) {
            let candidate = self.index[(target >> GRANULE_SHIFT) as usize];
            if candidate != 0 && candidate != own {
                let entry = if by_chunk { Entry::of_slot(object, u64::from(slot)) } else { Entry::whole(object) };
                let number = candidate as usize - 1;
                if number < self.candidates && number >= self.kept {
                    continue;
                }
                let set = &mut self.sets[number];
                if number < self.candidates || set.len() <= SOURCES_MAX && !set.contains(entry, source.epoch) {
                    let before = set.table_bytes();
                    set.add_walked(entry, source.epoch);
                    self.sets_bytes = self.sets_bytes + set.table_bytes() - before;
                    if self.sets_bytes > self.sets_bytes_max {
                        self.give_up_worst();
                    }
                }
            }
        }
    }

    /// The candidate that is least worth it is none any more.
    #[cold]
    fn give_up_worst(&mut self) {
        if let Some(worst) = self.kept.checked_sub(1) {
            self.sets_bytes -= self.sets[worst].table_bytes();
            self.sets[worst].lose();
            self.kept = worst;
        }
    }
}

/// The clearing of marks.
pub(crate) struct Clear {
    memory: Memory,
    granule: u32,
}

impl Clear {
    pub(crate) fn new(memory: Memory) -> Clear {
        Clear { memory, granule: 0 }
    }

    /// Clears until all is done (true) or the budget is spent.
    pub(crate) fn run(&mut self, budget: &mut Budget<'_>) -> bool {
        while self.granule < self.memory.granules() {
            let slots = if self.memory.live_words(self.granule) == 0 { 1 } else { 128 };
            self.memory.clear_marks(self.granule);
            self.granule += 1;
            if budget.spend(slots) {
                return self.granule == self.memory.granules();
            }
        }
        true
    }
}
