//! The concurrent cycle: marking from its start to the end, as a heap sees it.
//!
//! 1. *Start*: a young pause sets the mark limits and visits the roots, the survivors and what it promotes.
//! 2. *Trace*: markers beside the program, or slices at its safepoints, mark from there and from what the barrier hands over.
//! 3. *Remark*: a pause visits what was handed over last, counts, drops and frees what is dead, and chooses candidates.
//! 4. *Rebuild*: beside the program, the candidates' remembered sets are built, and the incoming sets of large objects that
//!    had too many sources.
//! 5. *Cleanup*: a pause takes them over; mixed pauses may come now.
//! 6. *Clear*: beside the program, the marks are cleared.
//!
//! Without either, 4 and 5 are left out. If the pause of 1 reclaims so much that no marking is called for, 6 comes at once. A full collection ends a cycle at any point.
//!
//! It must never copy an object. Which thread marks makes no difference to what is marked.
//!
//! Invariants (the letters are the rules of heap.md)
//! - N1 (i). Between start and cleanup no old region is evacuated; there are no candidates when a cycle starts.
//! - N2 (e). While a cycle traces, each reference that is overwritten in an object below its mark limit is handed over first.
//! - N3 (h). What remark finds dead is in no buffer afterwards.
//! - N4. Within a pause the heap has the job, so no marker reads a table that the pause writes.

use std::cmp::Reverse;
use std::sync::Arc;

use hashbrown::HashSet;

use crate::barrier;
use crate::candidates;
use crate::clock;
use crate::crew::{self, Helped};
use crate::handle::AllRoots;
use crate::heap::{Heap, Roots};
use crate::mark::{self, Budget, Tracer, is_live, is_reached};
use crate::marker::{self, Handed, Job, Shared};
use crate::rebuild::{self, Clear, Rebuild, Source};
use crate::report::{MarkEvent, MarkReport};
use crate::rules::{Rule, is_broken};
use crate::space::{Space, role};
use crate::verify;
use crate::weak::Scope;

/// Overwritten references are handed over by so many.
const HANDED_MIN: usize = 1024;
/// Times that tracing goes on because the program handed something over after it had seemed done; then remark does the rest.
const REMARK_TRIES: u32 = 4;
/// In slices, a safepoint traces so many slots, and one more for so many bytes allocated since the one before.
const SLICE_SLOTS: u64 = 4096;
const SLICE_BYTES_PER_SLOT: u64 = 4;
/// The slots that the program traces when what it overwrites piles up.
const ASSIST_SLOTS: u64 = 1 << 15;
/// The slots of a slice that zeal asks for.
const ZEAL_SLICE_SLOTS: u64 = 64;

/// Workers clear the marks of so many granules at a time.
const CLEARED_AT_ONCE: usize = 256;

/// Where a cycle is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    Trace,
    Rebuild,
    Clear,
}

/// A cycle under way.
pub(crate) struct Concurrent {
    pub(crate) phase: Phase,
    shared: Arc<Shared>,
    /// The job, while the heap has it (N4).
    job: Job,
    /// Markers work beside the program; else it is done in slices.
    beside: bool,
    /// Overwritten references, not handed over yet.
    pub(crate) overwritten: Vec<u32>,
    /// One of them did not fit, or is missing otherwise: the cycle can't come to a result.
    pub(crate) lost: bool,
    /// Candidates are made of all old regions.
    everything: bool,
    /// For the log: what the cycle is called.
    number: u64,
    start_ns: u64,
    /// CPU time of the cycle so far.
    cpu_ns: u64,
    tries: u32,
    /// Memory of stack, buffers and remembered sets, when the heap last had the job.
    pub(crate) table_bytes: u64,
    /// Under verification: what was reachable and to be marked at the start.
    snapshot: Option<HashSet<u32>>,
}

/// What marking cost, for the snapshot of the next evacuation pause.
#[derive(Clone, Copy, Default)]
pub(crate) struct Marked {
    pub(crate) cpu_ns: u64,
    pub(crate) wall_ns: u64,
    pub(crate) bytes: u64,
    pub(crate) freed_bytes: u64,
}

impl Heap {
    /// Whether a cycle is in this phase.
    pub(crate) fn is_in(&self, phase: Phase) -> bool {
        self.concurrent.as_ref().is_some_and(|cycle| cycle.phase == phase)
    }

    /// Whether a cycle may start: none is under way, no candidates are left of the last (N1), and the system has memory for it.
    pub(crate) fn may_start_marking(&self) -> bool {
        (self.candidates.is_empty() || is_broken(Rule::NoCandidates))
            && self.concurrent.as_ref().is_none_or(|cycle| cycle.phase == Phase::Clear)
            && self.room.has_pieces()
    }

    // -- the job, between program and pause

    /// A pause begins: the heap takes the job from its marker (N4).
    pub(crate) fn stop_marker(&mut self) {
        if let Some(cycle) = &mut self.concurrent
            && matches!(cycle.job, Job::None)
        {
            cycle.job = cycle.shared.take();
            let overwritten = cycle.overwritten.capacity() * size_of::<u32>();
            cycle.table_bytes = overwritten as u64 + cycle.job.table_bytes();
            let cpu_ns = cycle.shared.take_cpu_ns();
            cycle.cpu_ns += cpu_ns;
            self.measure.concurrent_cpu_ns += cpu_ns;
        }
    }

    /// A pause ends: markers go on.
    pub(crate) fn resume_marker(&mut self) {
        let Some(cycle) = &mut self.concurrent else { return };
        cycle.shared.give(std::mem::take(&mut cycle.job));
        cycle.beside = cycle.beside && marker::submit(&cycle.shared);
    }

    fn give(&mut self, phase: Phase, job: Job) {
        let cycle = self.concurrent.as_mut().expect("a cycle is under way");
        (cycle.phase, cycle.job) = (phase, job);
    }

    /// The barrier's references go to the marker once there are enough. Where markers don't come to them in time, the program
    /// takes part in the tracing, so that the buffers are bounded whatever it overwrites, and however slow the markers are.
    pub(crate) fn hand_over_many(&mut self) {
        if self.concurrent.as_ref().is_some_and(|cycle| cycle.overwritten.len() >= HANDED_MIN) && self.hand_over().many
        {
            self.trace_here(ASSIST_SLOTS, Shared::assist);
            if let Some(cycle) = &mut self.concurrent {
                // What did not fit before, if anything, fits now.
                cycle.shared.hand_over(&mut cycle.overwritten);
            }
            self.resubmit();
        }
    }

    /// The marker goes on, if there is one: the program's thread had stopped it.
    fn resubmit(&mut self) {
        if let Some(cycle) = &mut self.concurrent {
            cycle.beside = cycle.beside && marker::submit(&cycle.shared);
        }
    }

    /// The barrier's references go to the marker.
    fn hand_over(&mut self) -> Handed {
        let Some(cycle) = &mut self.concurrent else { return Handed::default() };
        let handed = cycle.shared.hand_over(&mut cycle.overwritten);
        if handed.again && cycle.beside {
            cycle.beside = marker::submit(&cycle.shared);
        }
        handed
    }

    /// Rule (g): what was read from a weak slot while a cycle traces is marked, for nothing else may refer to it.
    pub(crate) fn keep_read(&mut self, object: u32) {
        if let Some(cycle) = &mut self.concurrent
            && cycle.phase == Phase::Trace
            && !is_reached(self.space.memory, object)
            && !is_broken(Rule::MarkWeakReads)
        {
            cycle.lost |= !self.room.push(&mut cycle.overwritten, object);
        }
    }

    /// In a pause while a cycle traces: an object of its snapshot is about to be freed (rule (i)).
    pub(crate) fn visit_last(&mut self, object: u32) {
        if let Some(Concurrent { job: Job::Trace(tracer), .. }) = &mut self.concurrent {
            tracer.visit_last(object);
        }
    }

    // -- the phases

    /// Within the pause that starts a cycle, before it copies anything: sets the limits and gives the tracer for the roots.
    pub(crate) fn begin_marking(&mut self, everything: bool) -> Tracer {
        debug_assert!(self.may_start_marking(), "N1");
        self.end_clearing();
        mark::begin(&mut self.space, false);
        let number = self.next_gc_number + 1;
        self.concurrent = Some(Concurrent {
            phase: Phase::Trace,
            shared: Arc::new(Shared::new(self.alarm.clone(), self.room)),
            job: Job::None,
            beside: self.marks_beside,
            overwritten: Vec::new(),
            lost: false,
            everything,
            number,
            start_ns: self.measure.now_ns(),
            cpu_ns: 0,
            tries: 0,
            table_bytes: 0,
            snapshot: None,
        });
        self.new_tracer()
    }

    fn new_tracer(&self) -> Tracer {
        let overflow = self.zeal.mark_stack;
        Tracer::new(self.memory(), Arc::clone(&self.shapes), self.envelope.limit_bytes, overflow, self.room)
    }

    /// The roots are visited: tracing may begin when the pause ends.
    pub(crate) fn begin_tracing(&mut self, tracer: Tracer, roots: &mut dyn Roots) {
        self.give(Phase::Trace, Job::Trace(tracer));
        if self.verify {
            let memory = self.memory();
            let mut snapshot = verify::reachable(self, roots);
            snapshot.retain(|object| memory.is_below_mark_limit(*object));
            self.concurrent.as_mut().expect("begun above").snapshot = Some(snapshot);
        }
    }

    /// At a safepoint outside pauses, after `bytes` were allocated: marks a slice, if nobody does it beside; and makes the
    /// pauses that are due.
    pub(crate) fn advance_marking(&mut self, bytes: u64, slice_due: bool, roots: &mut dyn Roots) {
        self.answer_alarm();
        let Some(cycle) = &self.concurrent else { return };
        if !cycle.beside && !cycle.shared.is_finished() {
            let slots = match (self.zeal.slices(), slice_due) {
                (true, false) => 0,
                (true, true) => ZEAL_SLICE_SLOTS,
                (false, _) => SLICE_SLOTS + bytes / SLICE_BYTES_PER_SLOT,
            };
            if slots > 0 {
                self.mark_slice(slots);
            }
        }
        self.finish_phase(roots);
    }

    /// Before a large object of so many bytes: where such may fill the heap before the marker has come to its end, the program
    /// takes part in the tracing, by a share that goes with the bytes (Go's mutator assist).
    pub(crate) fn assist_marking(&mut self, bytes: u64) {
        let beside = self.concurrent.as_ref().is_some_and(|cycle| cycle.beside && !cycle.shared.is_finished());
        if beside && self.is_in(Phase::Trace) && self.is_short_of_room() {
            self.hand_over();
            self.trace_here(bytes / SLICE_BYTES_PER_SLOT, Shared::assist);
            self.resubmit();
        }
    }

    fn mark_slice(&mut self, slots: u64) {
        self.hand_over();
        self.trace_here(slots, Shared::advance);
    }

    /// The program's own thread does so much of the job.
    fn trace_here(&mut self, slots: u64, trace: fn(&Shared, &mut Budget<'_>)) {
        let cycle = self.concurrent.as_ref().expect("the caller saw a cycle");
        let start_ns = self.measure.cpu_ns();
        trace(&cycle.shared, &mut Budget::slots(slots));
        // Slices are the program's thread's time, so they count as a pause would.
        let cpu_ns = self.measure.cpu_ns().saturating_sub(start_ns);
        self.measure.charge(clock::Work::Marked(slots * 8));
        self.measure.add_slice(cpu_ns);
        self.concurrent.as_mut().expect("as above").cpu_ns += cpu_ns;
    }

    /// Makes the pause that a finished phase calls for.
    pub(crate) fn finish_phase(&mut self, roots: &mut dyn Roots) {
        let Some(cycle) = &mut self.concurrent else { return };
        // A snapshot with gaps is not worth tracing further.
        let given_up = cycle.lost && cycle.phase == Phase::Trace;
        if !cycle.shared.is_finished() && !given_up {
            return;
        }
        match cycle.phase {
            Phase::Trace => {
                if cycle.tries < REMARK_TRIES {
                    cycle.tries += 1;
                    if self.hand_over().again {
                        return;
                    }
                }
                self.remark(roots);
            }
            Phase::Rebuild => self.cleanup(roots),
            Phase::Clear => {
                let cpu_ns = cycle.shared.take_cpu_ns();
                self.measure.concurrent_cpu_ns += cpu_ns;
                self.concurrent = None;
            }
        }
    }

    /// Brings the cycle under way to its cleanup at once.
    pub(crate) fn finish_marking(&mut self, roots: &mut dyn Roots) {
        if self.is_in(Phase::Trace) {
            self.remark(roots);
        }
        if self.is_in(Phase::Rebuild) {
            self.cleanup(roots);
        }
    }

    /// The pause that ends tracing.
    fn remark(&mut self, roots: &mut dyn Roots) {
        if self.concurrent.as_ref().is_some_and(|cycle| cycle.lost) {
            self.mark_pause(roots, MarkEvent::Remark, Heap::abort_marking);
            return;
        }
        self.mark_pause(roots, MarkEvent::Remark, |heap| {
            heap.finish_tracing();
            let open = heap.old.map(|buffer| buffer.head);
            heap.marked.freed_bytes += heap.free_dead(&open);
            let everything = heap.concurrent.as_ref().is_some_and(|cycle| cycle.everything);
            let (live_share, heap_bytes) = if everything {
                (1.0, 0)
            } else {
                (heap.knobs.mixed_live_share, heap.knobs.heap_target_bytes.min(heap.envelope.limit_bytes))
            };
            heap.candidates.choose(&mut heap.space, live_share, heap_bytes, &open);
            match heap.rebuild() {
                Some(rebuild) => heap.give(Phase::Rebuild, Job::Rebuild(rebuild)),
                None => {
                    heap.candidates.clear(&mut heap.space);
                    heap.incoming.stop_building(&mut heap.space);
                    heap.end_marking();
                }
            }
        });
    }

    /// The walk that is to find what refers to candidates, and to large objects whose sources are not known. None if there
    /// are neither, or no memory for it.
    fn rebuild(&mut self) -> Option<Rebuild> {
        self.incoming.begin_building(&mut self.space);
        let large = self.incoming.building();
        if self.candidates.is_empty() && large.is_empty() {
            return None;
        }
        let plan = rebuild::Plan {
            sources: self.sources()?,
            index: self.candidates.index(&self.space, large)?,
            candidates: self.candidates.len(),
            walked_epoch: self.space.epoch(),
            sets_bytes_max: candidates::remembered_bytes_max(&self.space),
            room: self.room,
        };
        Rebuild::new(self.memory(), Arc::clone(&self.shapes), plan)
    }

    /// Marks what is left, checks the snapshot, and counts.
    fn finish_tracing(&mut self) {
        let cycle = self.concurrent.as_mut().expect("remark ends a tracing");
        let Job::Trace(mut tracer) = std::mem::take(&mut cycle.job) else { unreachable!("remark ends a tracing") };
        tracer.hand_over(&mut cycle.overwritten);
        tracer.drain(&mut Budget::unbounded());
        self.end_weak(&mut tracer);
        self.marked.bytes = tracer.marked_bytes();
        let memory = self.memory();
        if let Some(snapshot) = self.concurrent.as_mut().and_then(|cycle| cycle.snapshot.take()) {
            for object in snapshot {
                assert!(
                    !memory.is_below_mark_limit(object) || memory.is_marked(object),
                    "heap verification: snapshot: {object:#x} was reachable when marking began, and is not marked"
                );
            }
        }
        self.measure.live_bytes = mark::end(&mut self.space, false) * 8;
    }

    /// What was to be reached is: marks what weak pairs keep beyond that, then forgets what is not reached (rule (g)).
    fn end_weak(&mut self, tracer: &mut Tracer) {
        let memory = self.memory();
        let reached = |object| is_reached(memory, object);
        self.weak.keep_values(Scope::Whole, memory, &self.shapes, reached, &mut |value| {
            tracer.visit(value);
            tracer.drain(&mut Budget::unbounded());
        });
        let is_young = |object| memory.role_at(object) & role::YOUNG != 0;
        self.weak.sweep(Scope::Whole, |object| is_reached(memory, object).then_some(object), is_young);
    }

    /// After a marking: drops what is dead from the buffers (N3), frees what is dead as a whole, `open` excepted; returns the
    /// bytes freed.
    fn free_dead(&mut self, open: &[u32]) -> u64 {
        let space = &self.space;
        let is_live = |object| is_live(space, object) || is_broken(Rule::DropDead);
        self.retained.retain(|entry| is_live(entry.object));
        self.store_buffer.retain(|entry| {
            let live = is_live(entry.object);
            if !live && !entry.is_whole() {
                // The chunk byte belongs to the address, not to the array that was there.
                barrier::rearm(space.memory, *entry, true);
            }
            live
        });
        let mut freed_bytes = self.free_dead_large();
        let mut old = std::mem::take(&mut self.space.old);
        old.retain(|head| {
            let dead = self.space.region(*head).live_words == 0 && !open.contains(head);
            if dead {
                freed_bytes += self.space.used_words(*head) * 8;
                self.space.free_region(*head);
            }
            !dead
        });
        self.space.old = old;
        freed_bytes
    }

    /// Frees the large objects that marking did not reach; returns their bytes.
    pub(crate) fn free_dead_large(&mut self) -> u64 {
        let mut freed_bytes = 0;
        let mut large = std::mem::take(&mut self.space.large);
        large.retain(|head| {
            let live = self.space.memory.is_marked(Space::bottom(*head));
            if !live {
                freed_bytes += self.space.capacity_bytes(*head);
                self.free_large(*head);
            }
            live
        });
        self.space.large = large;
        freed_bytes
    }

    /// In a pause: a large object is freed while the walk for remembered sets may still come to it.
    pub(crate) fn forget_in_rebuild(&mut self, head: u32) {
        if let Some(Concurrent { job: Job::Rebuild(rebuild), .. }) = &mut self.concurrent {
            rebuild.forget(head);
        }
    }

    /// What may refer to candidates, highest first. None if there is no memory for the list.
    fn sources(&self) -> Option<Vec<Source>> {
        let mut sources = Vec::new();
        sources.try_reserve_exact(self.space.tenured().count()).ok()?;
        sources.extend(self.space.tenured().map(|head| {
            let region = self.space.region(head);
            Source { head, granules: region.granules, epoch: region.epoch }
        }));
        sources.sort_unstable_by_key(|source| Reverse(source.head));
        Some(sources)
    }

    /// The pause that ends the rebuild.
    fn cleanup(&mut self, roots: &mut dyn Roots) {
        self.mark_pause(roots, MarkEvent::Cleanup, |heap| {
            let cycle = heap.concurrent.as_mut().expect("cleanup ends a rebuild");
            let Job::Rebuild(mut rebuild) = std::mem::take(&mut cycle.job) else {
                unreachable!("cleanup ends a rebuild")
            };
            let everything = cycle.everything;
            rebuild.run(&mut Budget::unbounded());
            let mut sets = rebuild.into_sets().into_iter();
            heap.candidates.adopt(&mut sets);
            heap.incoming.adopt(&mut heap.space, sets);
            if everything {
                heap.candidates.prepare();
            }
            heap.end_marking();
        });
    }

    /// The result of marking is complete; what is left is to clear the marks.
    fn end_marking(&mut self) {
        self.occupied_after_mark_bytes = self.occupied_bytes();
        let cycle = self.concurrent.as_ref().expect("a cycle is under way");
        let (start_ns, cpu_ns) = (cycle.start_ns, cycle.cpu_ns);
        let now_ns = self.measure.now_ns();
        self.marked.wall_ns = now_ns.saturating_sub(start_ns);
        self.marked.cpu_ns = cpu_ns;
        let job = Job::Clear(Clear::new(self.memory()));
        self.give(Phase::Clear, job);
    }

    /// Clears the marks that are left of the last cycle.
    fn end_clearing(&mut self) {
        if let Some(mut cycle) = self.concurrent.take() {
            debug_assert_eq!(cycle.phase, Phase::Clear);
            if let Job::Clear(clear) = &mut cycle.job {
                clear.run(&mut Budget::unbounded());
            }
        }
    }

    /// Within a pause: ends a cycle without a result. Marks, limits and candidates are gone after it.
    pub(crate) fn abort_marking(&mut self) {
        let Some(mut cycle) = self.concurrent.take() else { return };
        if let Job::Trace(tracer) = std::mem::take(&mut cycle.job) {
            self.abandon(tracer);
        }
        self.clear_marks();
        self.candidates.clear(&mut self.space);
        if cycle.phase != Phase::Clear {
            self.mark_event(MarkEvent::Abort, cycle.number, cycle.start_ns, self.measure.now_ns());
        }
    }

    /// In the pause that started a cycle: large objects that it reclaimed make the cycle needless (G1's Concurrent Undo
    /// Cycle). What is marked already is cleared beside the program.
    pub(crate) fn undo_marking(&mut self, tracer: Tracer) {
        self.abandon(tracer);
        let job = Job::Clear(Clear::new(self.memory()));
        self.give(Phase::Clear, job);
    }

    fn abandon(&self, tracer: Tracer) {
        tracer.abandon();
        for head in self.space.tenured() {
            self.space.memory.set_mark_limit(head, self.space.region(head).granules, 0);
        }
    }

    fn clear_marks(&self) {
        Clear::new(self.memory()).run(&mut Budget::unbounded());
    }

    /// Within a full collection: marks everything that is reachable now, young objects too; returns the bytes marked
    /// and what helpers came to.
    pub(crate) fn mark_all(&mut self, roots: &mut dyn Roots, workers: usize) -> (u64, Helped) {
        mark::begin(&mut self.space, true);
        let mut tracer = self.new_tracer().with_stack(std::mem::take(&mut self.spare_stack));
        roots.visit(&mut |slot| tracer.visit(*slot as u32));
        let helped = tracer.drain_together(workers);
        self.end_weak(&mut tracer);
        mark::end(&mut self.space, true);
        let marked_bytes = tracer.marked_bytes();
        self.keep_stack(tracer.into_stack());
        (marked_bytes, helped)
    }

    /// After a full collection: its marks are of no use any more.
    pub(crate) fn forget_marks(&mut self, workers: usize) -> Helped {
        let memory = self.memory();
        let parts = (memory.granules() as usize).div_ceil(CLEARED_AT_ONCE);
        crew::share(workers, parts, &|part| {
            let granules = part * CLEARED_AT_ONCE..((part + 1) * CLEARED_AT_ONCE).min(memory.granules() as usize);
            granules.for_each(|granule| memory.clear_marks(granule as u32));
        })
    }

    /// A pause of the cycle: no copying, no decision of the policy. Its cost is part of the cycle's.
    fn mark_pause(&mut self, roots: &mut dyn Roots, event: MarkEvent, work: impl FnOnce(&mut Heap)) {
        let observed = !self.observers.is_empty();
        self.close_window();
        let start = self.measure.begin_pause(observed);
        self.space.now_ms = (start.at_ns / 1_000_000) as u32;
        self.stop_marker();
        let before = self.occupancy();
        let number = self.concurrent.as_ref().map_or(0, |cycle| cycle.number);
        let roots = &mut AllRoots { program: roots, handles: std::mem::take(&mut self.handles) };
        work(self);
        if self.verify {
            verify::verify(self, roots);
        }
        self.handles = std::mem::take(&mut roots.handles);
        self.measure.charge(clock::Work::Pause);
        let (pause_ns, cpu_ns, system_ns) = self.measure.end_mark_pause(&start, observed);
        self.marked.cpu_ns += cpu_ns;
        if let Some(cycle) = &mut self.concurrent {
            cycle.cpu_ns += cpu_ns;
        }
        self.stats.add_mark_pause(pause_ns);
        self.resume_marker();
        let report = MarkReport {
            number,
            event,
            start_ns: start.at_ns,
            length_ns: pause_ns,
            user_ns: cpu_ns - system_ns,
            system_ns,
            before,
            after: self.occupancy(),
            live_bytes: self.measure.live_bytes,
        };
        self.observers.iter_mut().for_each(|observer| observer.marking(&report));
        if let Some(cycle) = &self.concurrent
            && cycle.phase == Phase::Clear
        {
            let start_ns = cycle.start_ns;
            self.mark_event(MarkEvent::End, number, start_ns, self.measure.now_ns());
        }
        self.drop_dead_resources();
    }

    /// Tells of something that is no pause.
    pub(crate) fn mark_event(&mut self, event: MarkEvent, number: u64, start_ns: u64, end_ns: u64) {
        let now = if self.observers.is_empty() { Default::default() } else { self.occupancy() };
        let report = MarkReport {
            number,
            event,
            start_ns,
            length_ns: end_ns.saturating_sub(start_ns),
            user_ns: 0,
            system_ns: 0,
            before: now,
            after: now,
            live_bytes: self.measure.live_bytes,
        };
        self.observers.iter_mut().for_each(|observer| observer.marking(&report));
    }

    /// The pause that started a cycle has ended: the cycle has a name and a beginning; or it was undone.
    pub(crate) fn report_marking_start(&mut self) {
        if let Some(cycle) = &self.concurrent {
            let (number, now_ns) = (cycle.number, self.measure.now_ns());
            let event = if cycle.phase == Phase::Clear { MarkEvent::Undo } else { MarkEvent::Start };
            self.next_gc_number = number + 1;
            self.mark_event(event, number, now_ns, now_ns);
        }
    }
}
