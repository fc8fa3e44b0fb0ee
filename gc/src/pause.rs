//! A pause from end to end: what is collected, measured, decided and reported, in that order.
//!
//! It must never know how a policy decides, nor copy or mark an object itself.
//!
//! Invariants
//! - Z1. After a pause the store buffer is empty, every old object is armed, eden is empty, and no granule carries
//!   `role::COLLECTED`.
//! - Z2. Candidates exist only between a marking and the pauses that collect them; marking starts with none.
//! - Z3. Each of these pauses makes one snapshot, answers one decision, and makes the next one. (Those of the concurrent
//!   cycle, in `cycle`, do not.)

use crate::barrier;
use crate::candidates::Readiness;
use crate::clock;
use crate::compact::Compaction;
use crate::crew::Helped;
use crate::cycle::Phase;
use crate::evacuate::{Copied, Directions, Evacuation};
use crate::handle::AllRoots;
use crate::header;
use crate::heap::{Heap, Roots};
use crate::mark::SPARE_STACK_OBJECTS;
use crate::memory::Mutator;
use crate::mixed;
use crate::phases::{PausePhase, Phases, Watch};
use crate::policy::{CycleKind, NextKind, Outcome, Snapshot};
use crate::report::{Cycle, Occupancy, PauseReport};
use crate::rules::{Rule, is_broken};
use crate::space::{Buffer, Space, role};
use crate::verify;
use crate::weak::{Scope, WeakTable};

/// What a pause is asked to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Plan {
    /// Evacuate; `mark` starts a marking; `everything` makes candidates of all old regions, or collects all candidates.
    Evacuate {
        mark: bool,
        everything: bool,
    },
    Full,
    /// As `Full`, and large objects are moved until there is a run of free granules for this many words.
    LastDitch {
        words: u64,
    },
}

/// Fewer bytes to be copied are not worth waking a helper for. Measured on two cores: it comes after 50 to 100 µs, in which
/// one worker alone copies a tenth of that.
const PARALLEL_BYTES_MIN: u64 = 1 << 20;
/// Share of the pause goal that a mixed pause is planned to take.
pub(crate) const GOAL_SHARE: f64 = 0.85;
/// The GC-overhead limit: so many pauses in a row with this share of the CPU, that leave less than the limit ÷
/// `OVERHEAD_ROOM`. (HotSpot's GCTimeLimit is 98 %, its GCHeapFreeLimit 2 %, over 5 full collections.)
const OVERHEAD_PAUSES: u32 = 64;
const OVERHEAD_SHARE: f64 = 0.98;
const OVERHEAD_ROOM: u64 = 20;

/// Why a pause came; the words are those that log analysers know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cause {
    Allocation,
    LargeAllocation,
    Compaction,
    Asked,
}

impl Cause {
    fn text(self) -> &'static str {
        match self {
            Cause::Allocation => "G1 Evacuation Pause",
            Cause::LargeAllocation => "G1 Humongous Allocation",
            Cause::Compaction => "G1 Compaction Pause",
            Cause::Asked => "System.gc()",
        }
    }
}

/// What the work of a pause came to.
#[derive(Default)]
struct Work {
    kind: CycleKind,
    copied: Copied,
    young_bytes: u64,
    young_regions_bytes: u64,
    old_freed_bytes: u64,
    mark_ns: u64,
    marked_bytes: u64,
    /// What young and old regions were predicted to take by the rates of young ones.
    young_predicted_ns: f64,
    old_predicted_ns: f64,
    /// All of it, as its steps began.
    predicted_ns: f64,
    optional_steps: u32,
    helped: Helped,
    phases: Phases,
}

impl Work {
    fn copied_bytes(&self) -> u64 {
        self.copied.survived_bytes + self.copied.promoted_bytes + self.copied.compacted_bytes
    }

    fn freed_bytes(&self) -> u64 {
        let left = self.copied.survived_bytes + self.copied.promoted_bytes;
        self.young_bytes.saturating_sub(left) + self.old_freed_bytes.saturating_sub(self.copied.compacted_bytes)
    }
}

/// The roots and the weak table, which a compaction rewrites alike.
struct WithWeak<'r> {
    roots: &'r mut dyn Roots,
    weak: &'r mut WeakTable,
}

impl Roots for WithWeak<'_> {
    fn visit(&mut self, visit: &mut dyn FnMut(&mut u64)) {
        self.roots.visit(visit);
        self.weak.redirect(visit);
    }
}

impl Heap {
    pub(crate) fn pause(&mut self, plan: Plan, cause: Cause, roots: &mut dyn Roots) {
        if self.never_collect {
            return;
        }
        // What refers to young objects is not known: a collection that asks the roots alone must do.
        let evacuates = matches!(plan, Plan::Evacuate { .. });
        let plan = if self.entries_lost && evacuates { Plan::Full } else { plan };
        let observed = !self.observers.is_empty();
        self.close_window();
        self.measure.charge(clock::Work::Allocated(self.measure.allocated_bytes + self.measure.large_allocated_bytes));
        let start = self.measure.begin_pause(observed);
        self.space.now_ms = (start.at_ns / 1_000_000) as u32;
        self.stop_marker();
        let before = self.occupancy();
        let roots = &mut AllRoots { program: roots, handles: std::mem::take(&mut self.handles) };
        let pinned = self.pin_for_zeal();
        let mut work = match plan {
            Plan::Evacuate { mark, everything } => self.evacuate(mark, everything, cause, start.cpu_ns, roots),
            Plan::Full => self.compact_all(None, roots),
            Plan::LastDitch { words } => self.compact_all(Some(words), roots),
        };
        self.unpin_for_zeal(pinned);
        let mut watch = Watch::start(self.measure.is_timed());
        self.eden = Buffer::default();
        self.memory().set_mutator(Mutator::default());
        self.window_start = 0;
        self.uncommit();
        self.watch_limit();
        watch.lap(PausePhase::Finish);
        work.phases.after(&watch.phases);
        if self.verify {
            verify::verify(self, roots);
        }
        self.handles = std::mem::take(&mut roots.handles);
        self.measure.charge(clock::Work::Pause);
        let helpers_cpu_ns = if self.measure.is_timed() { work.helped.cpu_ns } else { 0 };
        let (pause_ns, pause_cpu_ns, system_ns) = self.measure.end_pause(&start, observed, helpers_cpu_ns);
        self.resume_marker();
        match work.kind {
            CycleKind::Full => {}
            // Its optional steps have told what old regions cost.
            CycleKind::Mixed if work.optional_steps > 0 => {}
            CycleKind::Mixed => {
                self.measure.add_old_cost(pause_cpu_ns as f64 - work.young_predicted_ns, work.old_predicted_ns);
            }
            CycleKind::Young | CycleKind::ConcurrentStart | CycleKind::PrepareMixed => {
                self.measure.add_evacuation(pause_cpu_ns, work.copied_bytes(), work.copied.remembered_entries);
            }
        }
        self.watch_overhead(pause_cpu_ns, start.mutator_cpu_ns);

        let snapshot = Snapshot {
            pause_ns,
            pause_cpu_ns,
            mutator_ns: start.mutator_ns,
            mutator_cpu_ns: start.mutator_cpu_ns,
            concurrent_cpu_ns: self.measure.concurrent_cpu_ns,
            ..self.measured(&work, start.at_ns + pause_ns)
        };
        self.stats.add(&snapshot, work.copied_bytes(), work.freed_bytes());
        self.stats.phases.after(&work.phases);
        self.stats.committed_bytes_max = self.stats.committed_bytes_max.max(self.space.committed_bytes_max());
        let metadata_bytes = self.metadata_bytes();
        self.stats.add_metadata(metadata_bytes, self.space.committed_bytes());
        let knobs = self.knobs;
        self.answer_and_decide(snapshot, &work);
        self.measure.reset_counters();
        self.space.reset_committed_max();
        self.eden_words_left = self.knobs.young_bytes / 8;
        self.bound_store_buffer();

        let report = PauseReport {
            number: self.next_gc_number,
            kind: work.kind,
            cause: cause.text(),
            start_ns: start.at_ns,
            pause_ns,
            user_ns: pause_cpu_ns - system_ns,
            system_ns,
            critical_cpu_ns: pause_cpu_ns - helpers_cpu_ns + work.helped.longer_cpu_ns,
            predicted_ns: work.predicted_ns as u64,
            optional_steps: work.optional_steps,
            phases: work.phases,
            before,
            after: if observed { self.occupancy() } else { before },
            metadata_bytes,
            snapshot,
            decision: self.decision,
            knobs,
            policy: self.policy.name(),
        };
        for observer in &mut self.observers {
            observer.pause(&report);
        }
        self.next_gc_number += 1;
        if work.kind == CycleKind::ConcurrentStart {
            self.report_marking_start();
        }
        self.drop_dead_resources();
    }

    /// Zeal: pins a region for this pause.
    fn pin_for_zeal(&mut self) -> Option<u32> {
        if self.zeal.pin == 0 || !self.countdowns.tick_pin() {
            return None;
        }
        let regions = || self.space.eden.iter().chain(&self.space.survivors).chain(&self.space.old);
        let head = *regions().nth(self.measure.pauses as usize % regions().count().max(1))?;
        self.space.pin(Space::bottom(head), true);
        Some(head)
    }

    /// The region may move again, unless it was freed because nothing in it lives.
    fn unpin_for_zeal(&mut self, pinned: Option<u32>) {
        if let Some(head) = pinned {
            let in_use = role::of(self.space.memory.role(head)) != role::FREE;
            if in_use && self.space.head_of(Space::bottom(head)) == head && self.space.region(head).pins > 0 {
                self.space.pin(Space::bottom(head), false);
            }
        }
    }

    /// Counts pauses in a row that took nearly all of the CPU and left next to no room; see [`Heap::is_overloaded`].
    fn watch_overhead(&mut self, pause_cpu_ns: u64, mutator_cpu_ns: u64) {
        let overloaded = pause_cpu_ns as f64 > OVERHEAD_SHARE * (pause_cpu_ns + mutator_cpu_ns) as f64
            && self.space.room_bytes() < self.envelope.limit_bytes / OVERHEAD_ROOM;
        self.overhead_pauses = if overloaded { self.overhead_pauses + 1 } else { 0 };
    }

    /// The GC-overhead limit: the collector has run for so many pauses while the program got nowhere. It bounds what an
    /// exhausted heap may cost, whatever kind of pause each allocation ended in.
    pub(crate) fn is_overloaded(&self) -> bool {
        self.overhead_pauses >= OVERHEAD_PAUSES
    }

    /// Whether marking should start, given that `extra_bytes` of large objects come: G1's threshold on old and large
    /// bytes; and, where live objects alone exceed it, only after half of what was free after the last marking is used.
    pub(crate) fn mark_is_due(&self, extra_bytes: u64) -> bool {
        self.is_above_threshold(extra_bytes) && self.may_start_marking()
    }

    /// Whether old and large bytes call for a marking, whether or not one may start.
    pub(crate) fn is_above_threshold(&self, extra_bytes: u64) -> bool {
        let heap_bytes = self.knobs.heap_target_bytes.min(self.envelope.limit_bytes);
        let occupied_bytes = self.occupied_bytes() + extra_bytes;
        let after_mark_bytes = self.occupied_after_mark_bytes;
        let step_bytes = heap_bytes.saturating_sub(after_mark_bytes).max(heap_bytes / 16) / 2;
        let threshold_bytes = (self.knobs.concurrent_start_share * heap_bytes as f64) as u64;
        occupied_bytes > threshold_bytes
            && (after_mark_bytes < threshold_bytes || occupied_bytes > after_mark_bytes + step_bytes)
    }

    /// Whether so little of the limit is left that a pause must free what it can.
    pub(crate) fn is_short_of_room(&self) -> bool {
        self.space.room_bytes() < self.envelope.limit_bytes / 4
    }

    /// Bytes in old regions and large objects.
    pub(crate) fn occupied_bytes(&self) -> u64 {
        self.space.used_bytes_of(&self.space.old) + self.space.capacity_bytes_of(&self.space.large)
    }

    /// Keeps a stack for the next pause. One that has grown long goes back, if a short one is to be had.
    pub(crate) fn keep_stack(&mut self, stack: Vec<u32>) {
        debug_assert!(stack.is_empty());
        self.spare_stack = stack;
        if self.spare_stack.capacity() > 16 * SPARE_STACK_OBJECTS {
            let mut short = Vec::new();
            if short.try_reserve_exact(SPARE_STACK_OBJECTS).is_ok() {
                self.spare_stack = short;
            }
        }
    }

    /// How many workers are worth it where about so many bytes are to be copied or compacted, one worker is predicted to take
    /// `alone_ns`, and each needs `regions_bytes` for regions of its own. Several take more CPU time in all than one, so they work
    /// where one would miss the pause goal if it took twice what is predicted.
    pub(crate) fn workers_for(&mut self, bytes: u64, alone_ns: f64, regions_bytes: u64) -> usize {
        if self.workers_max.max(self.zeal.workers) == 1 || !self.room.has_pieces() {
            return 1;
        }
        if self.zeal.workers > 0 {
            return self.zeal.workers;
        }
        let room_bytes = if regions_bytes == 0 { 0 } else { bytes + 2 * self.workers_max as u64 * regions_bytes };
        let late = 2.0 * alone_ns > self.pause_goal_ns as f64 * GOAL_SHARE;
        let pays = late && bytes >= PARALLEL_BYTES_MIN && self.space.room_bytes() >= room_bytes;
        if pays && self.help.is_wanted() { self.workers_max } else { 1 }
    }

    /// The pause's own thread had used `start_cpu_ns` when it began.
    fn evacuate(
        &mut self,
        mark: bool,
        everything: bool,
        cause: Cause,
        start_cpu_ns: u64,
        roots: &mut dyn Roots,
    ) -> Work {
        let mut watch = Watch::start(self.measure.is_timed());
        let tracing_already = self.is_in(Phase::Trace) || self.is_in(Phase::Rebuild);
        let called_for = self.knobs.next_kind == NextKind::StartMarking && self.may_start_marking();
        let mark = !tracing_already && (mark || called_for || self.mark_is_due(0)) && self.room.has_pieces();
        let mut tracer = None;
        if mark {
            if !is_broken(Rule::NoCandidates) {
                self.candidates.clear(&mut self.space);
            }
            tracer = Some(self.begin_marking(everything));
        }
        let mut work = Work::default();
        let mut collected = std::mem::take(&mut self.space.eden);
        collected.append(&mut self.space.survivors);
        work.young_bytes = self.space.used_bytes_of(&collected);
        work.young_regions_bytes = self.space.capacity_bytes_of(&collected);
        let young_count = collected.len();
        for head in &collected {
            self.space.flag(*head, role::COLLECTED, true);
        }
        let young_copy_bytes = (work.young_bytes as f64 * self.measure.survival_expected().min(1.0)) as u64;
        // The store buffer is known now, what candidates add to it is not.
        let entries = (self.store_buffer.len() + self.retained.len()) as u64;
        work.young_predicted_ns = self.measure.pause_ns_expected(young_copy_bytes, entries);
        self.candidates.drop_lost(&mut self.space);
        let readiness = self.candidates.prepare();
        let mut remembered = Vec::new();
        let skips = self.knobs.next_kind == NextKind::SkipMixed && !self.is_short_of_room() && !everything;
        if readiness == Readiness::Mixed && !skips {
            let taken = self.take_share(everything, young_copy_bytes, work.young_predicted_ns, &mut collected);
            (remembered, work.old_predicted_ns) = (taken.entries, taken.predicted_ns);
        }
        let mixed = collected.len() > young_count;
        let taken_bytes = self.space.used_bytes_of(&collected[young_count..]);
        for open in &mut self.old {
            if open.head != 0 && self.space.capacity_bytes(open.head) != self.knobs.old_region_bytes {
                *open = Buffer::default();
            }
        }

        let regions_bytes = self.knobs.eden_region_bytes + self.knobs.old_region_bytes;
        work.predicted_ns = work.young_predicted_ns + work.old_predicted_ns * self.measure.old_cost();
        let workers = self.workers_for(young_copy_bytes + taken_bytes, work.predicted_ns, regions_bytes);
        let directions = Directions {
            workers,
            tenuring_age: self.tenuring_age.min(self.knobs.tenuring_age),
            // Each worker fills regions of its own.
            survivor_region_bytes: self.knobs.eden_region_bytes / workers as u64,
            survivor_bytes_max: self.survivor_capacity_bytes(),
            old_region_bytes: self.knobs.old_region_bytes,
            fail_every: self.zeal.copy_fail,
            mark_promoted: self.is_in(Phase::Trace),
            room: self.room,
            starts_marking: tracer.is_some(),
            takes_more: mixed && !self.candidates.is_empty(),
            timed: self.measure.is_timed(),
        };
        watch.lap(PausePhase::Prepare);
        let sources = [&self.store_buffer[..], &self.retained[..], &remembered[..]];
        let evacuation =
            Evacuation::new(&mut self.space, &self.shapes, &self.incoming, directions, &collected, sources);
        let mut stack = std::mem::take(&mut self.spare_stack);
        let mut evacuated = evacuation.run(&mut stack, &mut self.old, roots);
        self.charge_copies(&evacuated.copied);
        if workers > 1 {
            self.help.learn(&evacuated.helped, evacuated.waited_ns);
        }
        if directions.takes_more {
            let until_ns = start_cpu_ns + (self.pause_goal_ns as f64 * GOAL_SHARE) as u64;
            let optional = self.take_optional(directions, until_ns, &mut evacuated, &mut collected, &mut stack, roots);
            work.predicted_ns += optional.predicted_ns;
            work.optional_steps = optional.steps;
        }
        let scope = if mixed { Scope::Whole } else { Scope::Recent };
        let mut weak = mixed::keep_weak(&mut self.weak, self.space.memory, &self.shapes, scope);
        let sources = [&[][..]; 3];
        let evacuation =
            Evacuation::new(&mut self.space, &self.shapes, &self.incoming, directions, &collected, sources);
        let kept = evacuation.keep_weak(&mut stack, &mut self.old, &mut weak);
        drop(weak);
        self.charge_copies(&kept.copied);
        evacuated.after(self.room, self.memory(), kept);
        watch.phases.after(&evacuated.phases);
        watch.skip();
        evacuated.settle(&mut self.space, &self.shapes, &collected, directions.mark_promoted);
        evacuated.remember(&mut self.space, &mut self.candidates, &mut self.incoming);
        self.retained = evacuated.retained;
        self.entries_lost = evacuated.lost.retained;
        work.copied = evacuated.copied;
        work.helped = evacuated.helped;
        if let Some(tracer) = &mut tracer {
            tracer.adopt(evacuated.visited);
        }
        if evacuated.lost.visited
            && let Some(cycle) = &mut self.concurrent
        {
            cycle.lost = true;
        }
        self.store_buffer.clear();
        self.tenuring_age = self.tenuring_age(&work.copied.survived_bytes_by_age);

        for (at, head) in collected.iter().copied().enumerate() {
            if self.space.region(head).failed {
                // Live, dead and moved objects side by side: it is old now, and nothing walks it before the next marking.
                let bottom = Space::bottom(head);
                let region = self.space.region_mut(head);
                region.failed = false;
                region.tams = bottom;
                self.space.set_role(head, role::OLD);
                self.space.old.push(head);
                continue;
            }
            if at >= young_count {
                work.old_freed_bytes += self.space.used_words(head) * 8;
            }
            self.space.free_region(head);
        }
        self.keep_stack(stack);
        // The list keeps its room (R6).
        collected.clear();
        self.space.eden = collected;
        let large_freed_bytes = self.reclaim_large(mark);
        work.old_freed_bytes += large_freed_bytes;
        watch.lap(PausePhase::Free);
        self.measure.add_survival(work.young_bytes, work.copied.survived_bytes + work.copied.promoted_bytes);
        let marked_before = self.marked.wall_ns > 0;
        self.measure.cycles_since_mark =
            if marked_before { 0 } else { self.measure.cycles_since_mark.saturating_add(1) };
        work.kind = match (mark, readiness, mixed) {
            (true, ..) => CycleKind::ConcurrentStart,
            (_, _, true) => CycleKind::Mixed,
            (_, Readiness::Prepare, _) => CycleKind::PrepareMixed,
            _ => CycleKind::Young,
        };
        if let Some(tracer) = tracer {
            if cause == Cause::Asked || called_for || self.is_above_threshold(0) {
                self.begin_tracing(tracer, roots);
            } else {
                self.undo_marking(tracer);
            }
        }
        if mixed || large_freed_bytes > 0 {
            // What marking found dead leaves with the candidates only.
            self.occupied_after_mark_bytes = self.occupied_after_mark_bytes.min(self.occupied_bytes());
        }
        work.phases = watch.phases;
        work
    }

    /// Bytes that survivors may have: young ÷ 8 (SurvivorRatio).
    fn survivor_capacity_bytes(&self) -> u64 {
        self.knobs.young_bytes / 8
    }

    /// The age from which objects are promoted by the next pause: the first up to which survivors fill more than half of
    /// their room (TargetSurvivorRatio = 50), as G1's age table has it. The knob is the most it can be.
    fn tenuring_age(&self, survived_bytes_by_age: &[u64; 16]) -> u8 {
        let desired_bytes = self.survivor_capacity_bytes() / 2;
        let mut sum_bytes = 0;
        let filled = survived_bytes_by_age.iter().skip(1).position(|bytes| {
            sum_bytes += bytes;
            sum_bytes > desired_bytes
        });
        filled.map_or(15, |age| age as u8 + 1)
    }

    fn compact_all(&mut self, large_words: Option<u64>, roots: &mut dyn Roots) -> Work {
        let mut watch = Watch::start(self.measure.is_timed());
        let mut work = Work { kind: CycleKind::Full, ..Work::default() };
        self.abort_marking();
        for young in [&self.space.eden, &self.space.survivors] {
            work.young_bytes += self.space.used_bytes_of(young);
            work.young_regions_bytes += self.space.capacity_bytes_of(young);
        }
        let old_before_bytes = self.space.used_bytes_of(&self.space.old);
        self.candidates.clear(&mut self.space);
        self.incoming.clear(&mut self.space);
        for entry in self.store_buffer.drain(..) {
            let word = self.space.memory.word(entry.object);
            let refs = self.shapes.descriptor(word).refs(word);
            barrier::rearm(
                self.space.memory,
                entry,
                header::is_chunked(word)
                    || self.shapes.descriptor(word).is_ref_array() && barrier::is_chunked_at(entry.object, refs),
            );
        }
        self.retained.clear();
        let workers = self.workers_for(work.young_bytes + old_before_bytes, f64::INFINITY, 0);
        watch.lap(PausePhase::Prepare);
        self.entries_lost = false;
        let start_ns = self.measure.now_ns();
        (work.marked_bytes, work.helped) = self.mark_all(roots, workers);
        self.measure.charge(clock::Work::Marked(work.marked_bytes));
        work.mark_ns = self.measure.now_ns() - start_ns;
        let large_freed_bytes = self.free_dead_large();
        watch.lap(PausePhase::Mark);
        let mut roots = WithWeak { roots, weak: &mut self.weak };
        let compaction = Compaction::new(&mut self.space, &self.shapes, workers, watch, large_words);
        let compacted = compaction.run(&mut roots);
        (self.old, work.copied.compacted_bytes) = (compacted.open, compacted.moved_bytes);
        work.helped.after(&compacted.helped);
        watch = compacted.watch;
        let helped = self.forget_marks(workers);
        work.helped.after(&helped);
        watch.lap(PausePhase::Free);
        work.phases = watch.phases;
        work.phases.workers = 1 + work.helped.helpers as u32;
        let live_bytes = self.space.used_bytes_of(&self.space.old);
        // All that was young and lives is old now, wherever it was moved.
        work.old_freed_bytes = (old_before_bytes + work.young_bytes).saturating_sub(live_bytes) + large_freed_bytes;
        self.measure.live_bytes = self.occupied_bytes();
        self.measure.cycles_since_mark = 0;
        self.measure.full_collections += 1;
        self.occupied_after_mark_bytes = self.occupied_bytes();
        self.charge_copies(&work.copied);
        work
    }

    pub(crate) fn charge_copies(&self, copied: &Copied) {
        let bytes = copied.survived_bytes + copied.promoted_bytes + copied.compacted_bytes;
        self.measure.charge(clock::Work::Copied(bytes));
        self.measure.charge(clock::Work::Scanned(copied.remembered_entries));
    }

    /// Gives memory back as the knobs say, except what the next cycle will need.
    fn uncommit(&mut self) {
        let keep_bytes = (self.knobs.young_bytes as f64 * (1.0 + self.measure.survival_expected().min(1.0))) as u64;
        let delay_ms = (self.knobs.uncommit_delay_ns / 1_000_000).min(u64::from(u32::MAX)) as u32;
        self.space.uncommit(self.knobs.heap_target_bytes, keep_bytes, delay_ms);
    }

    pub(crate) fn occupancy(&self) -> Occupancy {
        let space = &self.space;
        let used = |heads: &[u32]| space.used_bytes_of(heads);
        Occupancy {
            eden_bytes: space.capacity_bytes_of(&space.eden),
            survivor_bytes: space.capacity_bytes_of(&space.survivors),
            old_bytes: space.capacity_bytes_of(&space.old),
            large_bytes: space.capacity_bytes_of(&space.large),
            used_bytes: used(&space.eden) + used(&space.survivors) + used(&space.old) + used(&space.large),
            committed_bytes: space.committed_bytes(),
        }
    }

    /// The snapshot at the end of a pause, but for its times.
    fn measured(&mut self, work: &Work, uptime_ns: u64) -> Snapshot {
        let marked = std::mem::take(&mut self.marked);
        let measure = &self.measure;
        Snapshot {
            cycle: measure.pauses + 1,
            kind: work.kind,
            uptime_ns,
            pause_goal_ns: self.pause_goal_ns,
            limit_bytes: self.envelope.limit_bytes,
            committed_bytes: self.space.committed_bytes(),
            survivor_bytes: self.space.used_bytes_of(&self.space.survivors),
            old_bytes: self.space.used_bytes_of(&self.space.old),
            large_bytes: self.space.capacity_bytes_of(&self.space.large),
            live_bytes: measure.live_bytes,
            largest_free_bytes: self.space.largest_free_bytes(),
            allocated_bytes: measure.allocated_bytes,
            large_allocated_bytes: measure.large_allocated_bytes,
            barrier_slow_paths: measure.barrier_slow_paths,
            eden_refills: measure.eden_refills,
            mark_ns: work.mark_ns + marked.cpu_ns,
            mark_wall_ns: work.mark_ns + marked.wall_ns,
            marked_bytes: work.marked_bytes + marked.bytes,
            survived_bytes: work.copied.survived_bytes,
            promoted_bytes: work.copied.promoted_bytes,
            compacted_bytes: work.copied.compacted_bytes,
            young_bytes: work.young_bytes,
            old_freed_bytes: work.old_freed_bytes + marked.freed_bytes,
            remembered_entries: work.copied.remembered_entries,
            tail_waste_bytes: work.copied.tail_waste_bytes + measure.tail_waste_bytes,
            failed_copies: work.copied.failed_copies,
            old_regions: self.space.old.len() as u32,
            region_sizes_alive: self.space.sizes_alive(),
            candidate_regions: self.candidates.len() as u32,
            candidate_reclaimable_bytes: self.candidates.reclaimable_bytes(),
            pause_ns_p50: measure.pause_ns_quantile(0.5),
            pause_ns_p95: measure.pause_ns_quantile(0.95),
            pause_misses: measure.pause_misses(self.pause_goal_ns),
            gc_cpu_share: measure.gc_cpu_share(),
            full_collections: measure.full_collections,
            cycles_since_mark: measure.cycles_since_mark,
            ..Snapshot::default()
        }
    }

    /// Answers the decision in force by its outcome, then makes the next one.
    fn answer_and_decide(&mut self, snapshot: Snapshot, work: &Work) {
        let outcome = Outcome {
            cycle: snapshot.cycle,
            kind: snapshot.kind,
            unfinished: false,
            pause_ns: snapshot.pause_ns,
            gc_cpu_ns: snapshot.pause_cpu_ns + snapshot.concurrent_cpu_ns,
            mutator_ns: snapshot.mutator_ns,
            allocated_bytes: snapshot.allocated_bytes + snapshot.large_allocated_bytes,
            copied_bytes: work.copied_bytes(),
            freed_bytes: work.freed_bytes(),
            committed_bytes_max: self.space.committed_bytes_max(),
            remembered_entries: snapshot.remembered_entries,
            tail_waste_bytes: snapshot.tail_waste_bytes,
            failed_copies: snapshot.failed_copies,
        };
        self.policy.observe(&outcome);
        let cycle = Cycle { snapshot: self.snapshot, decision: self.decision, outcome };
        for observer in &mut self.observers {
            observer.cycle(&cycle);
        }
        if let Some(policy) = self.next_policy.take() {
            self.policy = policy;
        }
        let mut decision = self.policy.decide(&snapshot, &self.knobs, &self.envelope);
        decision.knobs = self.envelope.clamp(&decision.knobs, &self.knobs);
        decision.advised = self.envelope.clamp(&decision.advised, &self.knobs);
        self.knobs = decision.knobs;
        self.decision = decision;
        self.snapshot = snapshot;
    }
}
