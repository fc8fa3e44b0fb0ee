//! Evacuation: copies the live objects of the collection set out of it and redirects every reference, with one worker or
//! several; this is what they share, and how their results become one.
//!
//! It must never know how the collection set was chosen, nor what a policy is.
//!
//! Invariants
//! - E1. Every object that leaves a pause reachable has either a copy outside the collection set or stays where it is,
//!   self-forwarded, in a region marked as failed.
//! - E2. Every copy is scanned exactly once, and so is every self-forwarded object, but where stacks find no room: then those are
//!   scanned once more. Of what lies in the collection set, self-forwarded objects alone are marked.
//! - E3. An old object that still refers to a young one after the pause is on the new retained list; one that refers into
//!   a remaining candidate is in its remembered set.
//! - E4. A watched large object that roots or young objects refer to is reached; what else refers to it is recorded.
//! - E5. While marking traces, what is promoted is marked, and what could not be copied too: it lies above the mark limits.
//!   The pause that starts a marking visits the old targets of roots, of survivors and of what it promotes (rule (b)); old
//!   objects below their limits are visited by the marking itself.
//! - E6. A pause may evacuate in several steps, each with a collection set of its own. Before a later one, its regions' remembered
//!   sets name survivors too that refer to them (`takes_more`), and roots are visited again; if a copy failed, none comes.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::barrier::{self, Entry};
use crate::candidates::Candidates;
use crate::copier::{Copier, Found, Lost, News};
use crate::crew::{self, Helped, WORKERS_MAX};
use crate::header;
use crate::heap::Roots;
use crate::incoming::Incoming;
use crate::mark;
use crate::memory::Memory;
use crate::phases::{PausePhase, Phases, Watch};
use crate::room::Room;
use crate::rules::{Rule, is_broken};
use crate::shape::ShapeTable;
use crate::space::{Buffer, Space, role};
use crate::steal::Tasks;

/// Several workers take the lists of old objects by so many entries.
const ENTRIES_AT_ONCE: usize = 128;

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

impl Copied {
    fn add(&mut self, other: &Copied) {
        self.survived_bytes += other.survived_bytes;
        self.promoted_bytes += other.promoted_bytes;
        self.compacted_bytes += other.compacted_bytes;
        self.remembered_entries += other.remembered_entries;
        self.tail_waste_bytes += other.tail_waste_bytes;
        self.failed_copies += other.failed_copies;
        let ages = self.survived_bytes_by_age.iter_mut().zip(other.survived_bytes_by_age);
        ages.for_each(|(sum, bytes)| *sum += bytes);
    }
}

/// How it is to be done.
#[derive(Clone, Copy)]
pub(crate) struct Directions {
    /// From 1 to [`WORKERS_MAX`].
    pub(crate) workers: usize,
    pub(crate) tenuring_age: u8,
    pub(crate) survivor_region_bytes: u64,
    /// Once this much has survived, the rest is promoted.
    pub(crate) survivor_bytes_max: u64,
    pub(crate) old_region_bytes: u64,
    /// Every n-th copy of a worker fails; 0 for none.
    pub(crate) fail_every: u64,
    /// Marking traces: what becomes old is marked (E5).
    pub(crate) mark_promoted: bool,
    pub(crate) room: Room,
    /// In the pause that starts a marking.
    pub(crate) starts_marking: bool,
    /// Candidates that are left may be evacuated in this pause still (E6).
    pub(crate) takes_more: bool,
    /// The phases are timed.
    pub(crate) timed: bool,
}

/// Once all that is reachable is copied: hands over each object that something weak keeps besides, then looks where
/// everything is.
pub(crate) type KeepWeak<'w> = dyn FnMut(&mut dyn FnMut(u32)) + 'w;

/// Lists of old objects that may refer into the collection set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Source {
    /// Written to since the last pause.
    StoreBuffer,
    /// Known since then to refer to survivors.
    Retained,
    /// Known to refer to the old regions that are collected.
    Remembered,
}

impl Source {
    pub(crate) const ALL: [Source; 3] = [Source::StoreBuffer, Source::Retained, Source::Remembered];

    /// Whether its objects are armed again.
    pub(crate) fn is_logged(self) -> bool {
        self != Source::Remembered
    }

    /// What must be noted of its objects.
    pub(crate) fn news(self) -> News {
        if self == Source::Remembered { News::None } else { News::Slots }
    }

    pub(crate) fn phase(self) -> PausePhase {
        match self {
            Source::StoreBuffer => PausePhase::StoreBuffer,
            Source::Retained => PausePhase::Retained,
            Source::Remembered => PausePhase::Remembered,
        }
    }
}

/// One evacuation under way: what its workers share.
pub(crate) struct Evacuation<'h> {
    pub(crate) memory: Memory,
    pub(crate) shapes: &'h ShapeTable,
    pub(crate) incoming: &'h Incoming,
    pub(crate) directions: Directions,
    pub(crate) tasks: Tasks,
    /// The regions of the collection set.
    collected: &'h [u32],
    /// A self-forwarded object found no room on a stack.
    unscanned: AtomicBool,
    /// Taken to open and close regions alone.
    space: Mutex<&'h mut Space>,
    sources: [&'h [Entry]; 3],
    /// The next entry of each source that nobody has taken.
    next: [AtomicUsize; 3],
    /// What is left of the survivors' room.
    survivor_bytes_left: AtomicU64,
}

impl<'h> Evacuation<'h> {
    /// The collection set carries `role::COLLECTED`.
    pub(crate) fn new(
        space: &'h mut Space,
        shapes: &'h ShapeTable,
        incoming: &'h Incoming,
        directions: Directions,
        collected: &'h [u32],
        sources: [&'h [Entry]; 3],
    ) -> Evacuation<'h> {
        Evacuation {
            memory: space.memory,
            shapes,
            incoming,
            directions,
            // Who is alone shares nothing.
            tasks: Tasks::new(if directions.workers > 1 { directions.workers } else { 0 }),
            collected,
            unscanned: AtomicBool::new(false),
            space: Mutex::new(space),
            sources,
            next: Default::default(),
            survivor_bytes_left: AtomicU64::new(directions.survivor_bytes_max),
        }
    }

    /// Copies all that is reachable. `old` are the regions that promotion fills, by worker; `stack` is the first worker's.
    pub(crate) fn run(self, stack: &mut Vec<u32>, old: &mut [Buffer; WORKERS_MAX], roots: &mut dyn Roots) -> Evacuated {
        let (found, helped) = if self.directions.workers == 1 {
            self.work::<false>(stack, old, roots)
        } else {
            self.work::<true>(stack, old, roots)
        };
        self.end(found, helped, old)
    }

    /// Once all that is reachable is copied, by steps before this one: `weak` says what else is to be kept.
    pub(crate) fn keep_weak(
        self,
        stack: &mut Vec<u32>,
        old: &mut [Buffer; WORKERS_MAX],
        weak: &mut KeepWeak<'_>,
    ) -> Evacuated {
        let mut found = [const { None }; WORKERS_MAX];
        let mut mine = Copier::<'_, '_, false>::new(&self, old[0]).with_stack(std::mem::take(stack));
        weak(&mut |object| mine.keep(object));
        mine.lap(PausePhase::Weak);
        *stack = mine.take_stack();
        found[0] = Some(mine.into_found());
        self.end(found, Helped::default(), old)
    }

    fn end(self, found: [Option<Found>; WORKERS_MAX], helped: Helped, old: &mut [Buffer; WORKERS_MAX]) -> Evacuated {
        for (old, found) in old.iter_mut().zip(&found) {
            *old = found.as_ref().map_or(*old, |found| found.old);
        }
        self.merge(found, helped)
    }

    fn work<const SHARED: bool>(
        &self,
        stack: &mut Vec<u32>,
        old: &[Buffer; WORKERS_MAX],
        roots: &mut dyn Roots,
    ) -> ([Option<Found>; WORKERS_MAX], Helped) {
        let found = Mutex::new([const { None }; WORKERS_MAX]);
        let mut mine = Copier::<'_, '_, SHARED>::new(self, old[0]).with_stack(std::mem::take(stack));
        let theirs = |number: usize| {
            let mut copier = Copier::<'_, '_, true>::new(self, old[number]);
            Source::ALL.into_iter().for_each(|source| copier.scan_source(source));
            copier.drain_all();
            found.lock().expect("nothing panics while the results are held")[number] = Some(copier.into_found());
        };
        let ((), helped) = crew::together(self.directions.workers - 1, &theirs, || {
            mine.roots(roots);
            Source::ALL.into_iter().for_each(|source| mine.scan_source(source));
            mine.drain_all();
        });
        mine.scan_what_stayed();
        let mut found = found.into_inner().expect("nothing panics while the results are held");
        *stack = mine.take_stack();
        found[0] = Some(mine.into_found());
        (found, helped)
    }

    /// A self-forwarded object found no room on a stack.
    pub(crate) fn leave_unscanned(&self) {
        self.unscanned.store(true, Ordering::Relaxed);
    }

    /// Whether one did since the last call.
    pub(crate) fn take_unscanned(&self) -> bool {
        self.unscanned.swap(false, Ordering::Relaxed)
    }

    /// The self-forwarded objects.
    pub(crate) fn what_stayed(&self) -> impl Iterator<Item = u32> {
        let memory = self.memory;
        self.collected.iter().flat_map(move |head| {
            let granules = {
                let space = self.space.lock().expect("nothing panics while the space is held");
                space.region(*head).granules
            };
            marked_in_region(memory, *head, granules)
        })
    }

    /// The next entries of a source for one worker; alone, it gets all.
    pub(crate) fn next_entries<const SHARED: bool>(&self, source: Source) -> Option<&'h [Entry]> {
        let (entries, next) = (self.sources[source as usize], &self.next[source as usize]);
        let at_once = if SHARED { ENTRIES_AT_ONCE } else { entries.len() };
        let from = next.fetch_add(at_once, Ordering::Relaxed);
        (from < entries.len()).then(|| &entries[from..entries.len().min(from + at_once)])
    }

    /// Up to `bytes` of the survivors' room.
    pub(crate) fn survivor_allowance(&self, bytes: u64) -> u64 {
        // Once nothing is left each worker asks for each object; then none may write what all read.
        if self.survivor_bytes_left.load(Ordering::Relaxed) == 0 {
            return 0;
        }
        let take = |left: u64| Some(left.saturating_sub(bytes));
        let left = self.survivor_bytes_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        left.unwrap_or(0).min(bytes)
    }

    pub(crate) fn open(&self, kind: u8, bytes: u64, words_min: u32) -> Option<Buffer> {
        let mut space = self.space.lock().expect("nothing panics while the space is held");
        space.open_region(kind, bytes, words_min)
    }

    pub(crate) fn close(&self, buffer: Buffer) {
        let mut space = self.space.lock().expect("nothing panics while the space is held");
        space.region_mut(buffer.head).top = buffer.top;
    }

    /// Puts the workers' results together.
    fn merge(self, found: [Option<Found>; WORKERS_MAX], helped: Helped) -> Evacuated {
        let space = self.space.into_inner().expect("nothing panics while the space is held");
        let waited_ns = found[0].as_ref().map_or(0, |mine| mine.watch.phases.sum_ns(PausePhase::Termination));
        let (memory, room) = (self.memory, self.directions.room);
        let mut all = Evacuated { helped, waited_ns, ..Evacuated::default() };
        let mut watch = Watch::start(self.directions.timed);
        for mut found in found.into_iter().flatten() {
            all.phases.beside(&found.watch.phases);
            for buffer in [found.survivor, found.old] {
                if buffer.head != 0 {
                    space.region_mut(buffer.head).top = buffer.top;
                    found.copied.tail_waste_bytes += u64::from(buffer.room()) * 8;
                }
            }
            all.copied.add(&found.copied);
            let lists = (&mut found.retained, &mut found.visited, &mut found.remembered);
            all.append(room, memory, lists, found.lost);
        }
        all.order_retained();
        watch.lap(PausePhase::Free);
        all.phases.after(&watch.phases);
        all
    }
}

/// Moves all items of one table to another; false if they don't fit.
fn append<T>(room: Room, to: &mut Vec<T>, from: &mut Vec<T>) -> bool {
    if to.is_empty() {
        std::mem::swap(to, from);
        return true;
    }
    let fits = room.has(to, from.len());
    if fits {
        to.append(from);
    }
    fits
}

/// What an evacuation came to.
#[derive(Default)]
pub(crate) struct Evacuated {
    pub(crate) copied: Copied,
    pub(crate) retained: Vec<Entry>,
    /// What the marking that starts is to scan.
    pub(crate) visited: Vec<u32>,
    pub(crate) lost: Lost,
    pub(crate) helped: Helped,
    /// How long the pause's own thread waited for the others.
    pub(crate) waited_ns: u64,
    pub(crate) phases: Phases,
    remembered: Vec<(Entry, u32)>,
}

impl Evacuated {
    fn append(
        &mut self,
        room: Room,
        memory: Memory,
        (retained, visited, remembered): (&mut Vec<Entry>, &mut Vec<u32>, &mut Vec<(Entry, u32)>),
        lost: Lost,
    ) {
        self.lost.retained |= lost.retained || !append(room, &mut self.retained, retained);
        self.lost.visited |= lost.visited;
        if !append(room, &mut self.visited, visited) {
            self.lost.visited = true;
            mark::abandon(memory, visited);
        }
        self.lost.remembered |= lost.remembered || !append(room, &mut self.remembered, remembered);
    }

    /// What was both written to and retained was scanned twice, and is here twice; it must not be here three times after the
    /// next pause.
    fn order_retained(&mut self) {
        if is_broken(Rule::Retain) {
            self.retained.clear();
        }
        self.retained.sort_unstable();
        self.retained.dedup();
    }

    /// Adds what a later step of the same pause came to.
    pub(crate) fn after(&mut self, room: Room, memory: Memory, mut later: Evacuated) {
        self.copied.add(&later.copied);
        self.helped.after(&later.helped);
        self.waited_ns += later.waited_ns;
        self.phases.after(&later.phases);
        let lists = (&mut later.retained, &mut later.visited, &mut later.remembered);
        self.append(room, memory, lists, later.lost);
        self.order_retained();
    }

    /// Drops retained objects that are to be evacuated in a later step: their copies are scanned.
    pub(crate) fn release(&mut self, memory: Memory) {
        self.retained.retain(|entry| memory.role_at(entry.object) & role::COLLECTED == 0);
    }

    /// After all steps: what could not be copied stays, in regions that are old from now on; marked if `mark` says so.
    pub(crate) fn settle(&self, space: &mut Space, shapes: &ShapeTable, collected: &[u32], mark: bool) {
        if self.copied.failed_copies > 0 {
            collected.iter().for_each(|head| keep_what_stayed(space, shapes, *head, mark));
        }
    }

    /// Lets the remaining candidates and the watched objects know who refers to them (E3, E4).
    pub(crate) fn remember(&mut self, space: &mut Space, candidates: &mut Candidates, incoming: &mut Incoming) {
        if self.lost.remembered {
            candidates.clear(space);
            incoming.clear(space);
            return;
        }
        for (entry, target) in self.remembered.drain(..) {
            match space.memory.role_at(target) {
                byte if byte & role::CANDIDATE != 0 => candidates.remember(space, entry, target),
                byte if byte & role::WATCHED != 0 => incoming.add(space, entry, target),
                // It had too many sources and is watched no more.
                _ => {}
            }
        }
        candidates.shed(space);
    }
}

/// The marked objects of a region.
fn marked_in_region(memory: Memory, head: u32, granules: u32) -> impl Iterator<Item = u32> {
    let marked = (head..head + granules).filter(move |granule| memory.live_words(*granule) != 0);
    marked.flat_map(mark::blocks_of).flat_map(move |block| mark::marked_in_block(memory, block))
}

/// If objects of a region could not be copied, it becomes old where it is; there they are neither forwarded nor young any
/// more, and marked only if `mark` says so.
fn keep_what_stayed(space: &mut Space, shapes: &ShapeTable, head: u32, mark: bool) {
    let (memory, granules) = (space.memory, space.region(head).granules);
    let mark = mark && !is_broken(Rule::NewIsLive);
    let mut stayed = false;
    for object in marked_in_region(memory, head, granules) {
        stayed = true;
        let word = memory.word(object);
        let descriptor = shapes.descriptor(word);
        let chunked = descriptor.is_ref_array() && barrier::is_chunked_at(object, descriptor.refs(word));
        memory.set_word(object, header::old(word, chunked));
        if mark {
            // One is counted already.
            memory.add_live_words(object, descriptor.words(word) - 1);
        }
    }
    if stayed {
        let epoch = space.new_epoch();
        let region = space.region_mut(head);
        region.failed = true;
        // What was remembered of the region may name an object that has left it: those entries are stale now. What the
        // objects that stay refer to is remembered after this.
        region.epoch = epoch;
        if !mark {
            (head..head + granules).for_each(|granule| memory.clear_marks(granule));
        }
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
