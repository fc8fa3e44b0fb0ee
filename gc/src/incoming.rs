//! Incoming sets: who refers to each large object, so that a dead one is reclaimed at any young pause, without a marking.
//!
//! A large object is watched from its birth. Roots and young objects are looked at in every pause, so a reference from
//! there is not recorded: it *reaches* the object in that pause. A reference from an old or large object is recorded as it
//! is scanned, after it was stored (by the store buffer) or with the copy that holds it. Too many sources, and the object
//! is not watched until the walk after the next marking finds few again. (G1's humongous candidates are of this kind.)
//!
//! It must never decide when to look, nor hold an object alive by itself.
//!
//! Invariants
//! - I1. Between pauses each reference from an old or large object to another object that is watched is in its set, if that
//!   is complete, or names an object on the store buffer.
//! - I2. A source is good only while its object's region has the epoch it was recorded with, and while it refers there.
//!   A source may be dead: then the object lives until a marking says so.
//! - I3. An object has a set if and only if its granules carry `role::WATCHED`.
//! - I4. What is named in the weak table is not watched: a marking alone may free it (rule (g) of the design).

use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::barrier::Entry;
use crate::cycle::Phase;
use crate::heap::Heap;
use crate::mark::is_live;
use crate::memory::GRANULE_SHIFT;
use crate::remembered::RememberedSet;
use crate::rules::{Rule, is_broken};
use crate::shape::ShapeTable;
use crate::space::{Space, role};

/// Sources of a watched object between pauses; within one, twice as many, for some will prove to be stale.
pub(crate) const SOURCES_MAX: usize = 8;
const SOURCES_IN_PAUSE_MAX: usize = 2 * SOURCES_MAX;
/// Large objects held by dead large objects alone are found by looking again, so often in one pause.
const ROUNDS_MAX: u32 = 4;

#[derive(Default)]
struct Set {
    /// Each with the epoch of its region (I2).
    sources: SmallVec<[(Entry, u32); 2]>,
    complete: bool,
}

impl Set {
    /// False if there is no room, or no memory for it.
    fn add(&mut self, source: (Entry, u32)) -> bool {
        if self.sources.contains(&source) {
            return true;
        }
        let fits = self.sources.len() < SOURCES_IN_PAUSE_MAX && self.sources.try_reserve(1).is_ok();
        if fits {
            self.sources.push(source);
        }
        fits
    }
}

/// The incoming sets of a heap's large objects, by their first granules.
#[derive(Default)]
pub(crate) struct Incoming {
    sets: HashMap<u32, Set>,
    /// In a pause: a bit for each granule, set where a watched object was reached.
    reached: Vec<AtomicU64>,
    /// Those whose sets are being built, in the order in which they were given out.
    building: Vec<u32>,
}

impl Incoming {
    /// Watches a new object, to which nothing refers yet, if there is memory for that.
    pub(crate) fn watch(&mut self, space: &mut Space, head: u32) {
        self.watch_with(space, head, true);
    }

    /// False if there is no memory.
    fn watch_with(&mut self, space: &mut Space, head: u32, complete: bool) -> bool {
        let words = (space.memory.granules() as usize).div_ceil(64);
        let more = words - self.reached.len();
        let fits = self.reached.try_reserve_exact(more).is_ok() && self.sets.try_reserve(1).is_ok();
        if fits {
            self.reached.resize_with(words, AtomicU64::default);
            self.sets.insert(head, Set { complete, ..Set::default() });
            space.flag(head, role::WATCHED, true);
        }
        fits
    }

    /// Watches an object no more, because it was freed or has too many sources.
    fn unwatch(&mut self, space: &mut Space, head: u32) {
        if self.sets.remove(&head).is_some() {
            space.flag(head, role::WATCHED, false);
        }
    }

    /// Watches nothing: objects have moved.
    pub(crate) fn clear(&mut self, space: &mut Space) {
        self.building = Vec::new();
        self.sets.drain().for_each(|(head, _)| space.flag(head, role::WATCHED, false));
    }

    /// In a pause: a root or a young object refers to a watched object.
    #[inline]
    pub(crate) fn reach(&self, object: u32) {
        let granule = object >> GRANULE_SHIFT;
        let (bits, bit) = (&self.reached[granule as usize / 64], 1 << (granule % 64));
        // Several workers may: each object costs them one exchange.
        if bits.load(Ordering::Relaxed) & bit == 0 {
            bits.fetch_or(bit, Ordering::Relaxed);
        }
    }

    fn is_reached(&self, head: u32) -> bool {
        self.reached[head as usize / 64].load(Ordering::Relaxed) >> (head % 64) & 1 != 0
    }

    /// Records that an old or large object refers to a watched one. An object's references to itself need no record.
    pub(crate) fn add(&mut self, space: &mut Space, entry: Entry, object: u32) {
        let (from, to) = (space.head_of(entry.object), object >> GRANULE_SHIFT);
        if from != to && !self.sets.get_mut(&to).is_none_or(|set| set.add((entry, space.region(from).epoch))) {
            self.unwatch(space, to);
        }
    }

    /// Whether I1 holds for a reference from `entries` to a watched object.
    pub(crate) fn knows(&self, space: &Space, entries: &[Entry], object: u32) -> bool {
        let to = object >> GRANULE_SHIFT;
        self.sets.get(&to).is_none_or(|set| {
            let known = |entry: &Entry| {
                let from = space.head_of(entry.object);
                from == to || set.sources.contains(&(*entry, space.region(from).epoch))
            };
            !set.complete || entries.iter().any(known)
        })
    }

    // -- sets found by walking what is marked

    /// After a marking, while its marks are there: forgets sources that it found dead, and begins to watch those of `space`
    /// that could not be watched; their sets are completed by [`adopt`](Incoming::adopt).
    pub(crate) fn begin_building(&mut self, space: &mut Space) {
        for set in self.sets.values_mut() {
            set.sources.retain(|(entry, _)| is_live(space, entry.object));
        }
        self.building = Vec::new();
        for at in 0..space.large.len() {
            let head = space.large[at];
            let wanted = !self.sets.contains_key(&head) && !space.region(head).weakly_named;
            if wanted && self.building.try_reserve(1).is_ok() && self.watch_with(space, head, false) {
                self.building.push(head);
            }
        }
    }

    /// The regions of those whose sets are being built.
    pub(crate) fn building(&self) -> &[u32] {
        &self.building
    }

    /// There will be no walk: what was to be found by it is watched no more.
    pub(crate) fn stop_building(&mut self, space: &mut Space) {
        for head in std::mem::take(&mut self.building) {
            self.unwatch(space, head);
        }
    }

    /// Completes the sets that [`begin_building`](Incoming::begin_building) began.
    pub(crate) fn adopt(&mut self, space: &mut Space, sets: impl Iterator<Item = RememberedSet>) {
        for (head, found) in std::mem::take(&mut self.building).into_iter().zip(sets) {
            let Some(set) = self.sets.get_mut(&head) else { continue };
            set.complete = true;
            if !found.is_whole() || !found.good(space).all(|source| set.add(source)) {
                self.unwatch(space, head);
            }
        }
    }

    // -- at the end of a pause

    /// Whether nothing refers to a watched object, the program included.
    fn is_dead(&mut self, space: &Space, shapes: &ShapeTable, head: u32) -> bool {
        if self.is_reached(head) {
            return false;
        }
        let Some(set) = self.sets.get_mut(&head).filter(|set| set.complete) else { return false };
        let good = set.sources.iter().position(|source| is_good(space, shapes, *source, head));
        if let Some(at) = good {
            // Next time it is looked at first.
            set.sources.swap(0, at);
        }
        good.is_none()
    }

    /// Makes room in the sets, and forgets what was reached.
    fn end_pause(&mut self, space: &mut Space, shapes: &ShapeTable) {
        self.reached.iter_mut().for_each(|bits| *bits.get_mut() = 0);
        self.sets.retain(|&head, set| {
            if set.sources.len() > SOURCES_MAX {
                set.sources.retain(|source| is_good(space, shapes, *source, head));
            }
            let full = set.sources.len() > SOURCES_MAX;
            if full {
                space.flag(head, role::WATCHED, false);
            }
            !full
        });
    }

    /// Memory of the sets.
    pub(crate) fn table_bytes(&self) -> u64 {
        let set = size_of::<(u32, Set)>() + 1;
        let spilled: usize =
            self.sets.values().filter(|set| set.sources.spilled()).map(|set| set.sources.capacity()).sum();
        let own = self.sets.capacity() * set + spilled * size_of::<(Entry, u32)>() + self.reached.capacity() * 8;
        (own + self.building.capacity() * 4) as u64
    }
}

/// I2: whether a source still refers to the object at the bottom of `head`.
fn is_good(space: &Space, shapes: &ShapeTable, (entry, epoch): (Entry, u32), head: u32) -> bool {
    let memory = space.memory;
    let in_use = role::of(memory.role_at(entry.object)) != role::FREE;
    if !in_use || space.region(space.head_of(entry.object)).epoch != epoch {
        return false;
    }
    let word = memory.word(entry.object);
    let mut slots = entry.slots(shapes.descriptor(word).refs(word));
    slots.any(|index| memory.slot(entry.object, index) == Space::bottom(head))
}

impl Heap {
    /// At the end of an evacuation: frees the large objects that nothing refers to; returns their bytes. While marking traces,
    /// a large object whose references belong to its snapshot stays (rule (i)), or where room is short has them visited
    /// first: an allocation would wait for the whole marking. In the pause that `starts` it, what is dead is not in the
    /// snapshot.
    pub(crate) fn reclaim_large(&mut self, starts: bool) -> u64 {
        let tracing = self.is_in(Phase::Trace) && !starts;
        let short = self.is_short_of_room();
        let mut freed_bytes = 0;
        for _ in 0..ROUNDS_MAX {
            let before_bytes = freed_bytes;
            let mut large = std::mem::take(&mut self.space.large);
            large.retain(|head| {
                let (at, memory) = (Space::bottom(*head), self.space.memory);
                let word = memory.word(at);
                let is_source = memory.is_below_mark_limit(at) && self.shapes.descriptor(word).refs(word) > 0;
                let is_needed = tracing && is_source && !is_broken(Rule::KeepLarge);
                let is_watched = memory.role(*head) & role::WATCHED != 0;
                let may_go = is_watched && (!is_needed || short);
                let dead = may_go && self.incoming.is_dead(&self.space, &self.shapes, *head);
                if dead {
                    if is_needed {
                        self.visit_last(at);
                    }
                    freed_bytes += self.space.capacity_bytes(*head);
                    self.free_large(*head);
                }
                !dead
            });
            self.space.large = large;
            if freed_bytes == before_bytes {
                break;
            }
            let memory = self.space.memory;
            let is_kept = |object| memory.role_at(object) != role::FREE || is_broken(Rule::DropDead);
            self.retained.retain(|entry| is_kept(entry.object));
        }
        self.incoming.end_pause(&mut self.space, &self.shapes);
        freed_bytes
    }

    /// Frees a dead large object. The caller keeps the list of them (R3).
    pub(crate) fn free_large(&mut self, head: u32) {
        self.incoming.unwatch(&mut self.space, head);
        self.forget_in_rebuild(head);
        self.space.free_region(head);
    }

    /// A large object is about to be named in the weak table (I4).
    pub(crate) fn name_weakly(&mut self, object: u32) {
        if role::of(self.space.memory.role_at(object)) == role::LARGE {
            let head = self.space.head_of(object);
            self.incoming.unwatch(&mut self.space, head);
            self.space.region_mut(head).weakly_named = true;
        }
    }
}
