//! The heap of the simulation: what a signature and a policy make of each other.
//!
//! Memory is held by *pieces*: all that was allocated in one stretch of the clock, with what it still occupies. What of a
//! piece is alive follows from its age, so nothing is random and the same signature and policy give the same run.
//!
//! Invariants
//! - H1. A piece occupies at least what of it is alive, and less than before only after a pause or a marking that saw it.
//! - H2. Every decision gets one outcome; the last one is unfinished.

use std::collections::VecDeque;

use tenure_gc::Cycle;
use tenure_gc::policy::{CycleKind, Decision, Envelope, Knobs, NextKind, Outcome, Policy, Snapshot};

use super::signature::{Segment, Signature};

/// Share of the pause goal that a mixed pause is planned to take, and share of the heap not worth a mixed pause.
const GOAL_SHARE: f64 = 0.85;
const WASTE_SHARE: f64 = 0.05;
/// Compaction moves everything once more than it marks it.
const COMPACT_COPIES: f64 = 1.5;
/// The old space is looked at in at most so many groups.
const GROUPS_MAX: f64 = 256.0;
const PAUSES_KEPT: usize = 32;
/// What an eden needs at least; with less, the heap is compacted.
const EDEN_BYTES_MIN: f64 = 65_536.0;

/// Where a signature runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Limit of the heap.
    pub limit_bytes: u64,
    /// What pauses should stay below.
    pub pause_goal_ns: u64,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Run {
    /// As a journal has them.
    pub cycles: Vec<Cycle>,
    /// Whether the program ended for want of memory.
    pub out_of_memory: bool,
}

/// Runs a signature under a policy, from its beginning to its end or until memory runs out.
pub fn simulate(signature: &Signature, setting: &Setting, policy: &mut dyn Policy) -> Run {
    let mut heap = Heap::new(signature, setting);
    let mut snapshot = heap.birth();
    let mut knobs = heap.envelope.initial(&snapshot);
    let mut cycles = Vec::new();
    loop {
        let mut decision: Decision = policy.decide(&snapshot, &knobs, &heap.envelope);
        knobs = heap.envelope.clamp(&decision.knobs, &knobs);
        decision.knobs = knobs;
        match heap.cycle(&knobs) {
            Ok((next, outcome)) => {
                policy.observe(&outcome);
                cycles.push(Cycle { snapshot, decision, outcome });
                snapshot = next;
            }
            Err(end) => {
                let outcome = Outcome { cycle: snapshot.cycle + 1, unfinished: true, ..Outcome::default() };
                policy.observe(&outcome);
                cycles.push(Cycle { snapshot, decision, outcome });
                return Run { cycles, out_of_memory: end == End::OutOfMemory };
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Program,
    OutOfMemory,
}

/// What was allocated in one stretch of the clock.
#[derive(Clone, Copy, Debug)]
struct Piece {
    segment: usize,
    large: bool,
    born: (f64, f64),
    /// As it was allocated.
    bytes: f64,
    /// What it occupies now.
    held: f64,
    /// Pauses survived while young.
    age: u8,
}

/// Old pieces that a mixed pause takes together.
#[derive(Clone, Debug)]
struct Group {
    pieces: Vec<Piece>,
    held: f64,
    live: f64,
}

/// A marking under way.
#[derive(Clone, Copy, Debug)]
struct Marking {
    clock: f64,
    end_ns: f64,
    cpu_ns: f64,
    bytes: f64,
}

/// Sums of one cycle, for its snapshot.
#[derive(Default)]
struct Sums {
    kind: CycleKind,
    mutator_ns: f64,
    eden: f64,
    large: f64,
    young: f64,
    survived: f64,
    promoted: f64,
    compacted: f64,
    freed: f64,
    old_freed: f64,
    remembered: f64,
    refills: f64,
    pause_ns: f64,
    mark_ns: f64,
    concurrent_ns: f64,
    marked: f64,
    committed_max: f64,
}

struct Heap<'s> {
    signature: &'s Signature,
    setting: Setting,
    envelope: Envelope,
    clock: f64,
    now_ns: f64,
    cycle: u64,
    survivors: Vec<Piece>,
    old: Vec<Piece>,
    large: Vec<Piece>,
    candidates: VecDeque<Group>,
    /// Groups for each mixed pause, and whether the pause that prepares them is still to come.
    mixed_share: usize,
    prepare: bool,
    marking: Option<Marking>,
    live_bytes: f64,
    after_mark_bytes: f64,
    since_mark: u64,
    tenuring_age: u8,
    survival: f64,
    committed: f64,
    full_collections: u64,
    pauses_ns: VecDeque<(f64, f64, f64)>,
}

fn held(pieces: &[Piece]) -> f64 {
    pieces.iter().map(|piece| piece.held).sum()
}

impl<'s> Heap<'s> {
    fn new(signature: &'s Signature, setting: &Setting) -> Heap<'s> {
        Heap {
            signature,
            setting: *setting,
            envelope: Envelope::of_limit(setting.limit_bytes),
            clock: 0.0,
            now_ns: 0.0,
            cycle: 0,
            survivors: Vec::new(),
            old: Vec::new(),
            large: Vec::new(),
            candidates: VecDeque::new(),
            mixed_share: 0,
            prepare: false,
            marking: None,
            live_bytes: 0.0,
            after_mark_bytes: 0.0,
            since_mark: u64::MAX,
            tenuring_age: 15,
            survival: 0.25,
            committed: 0.0,
            full_collections: 0,
            pauses_ns: VecDeque::new(),
        }
    }

    fn birth(&self) -> Snapshot {
        let Setting { limit_bytes, pause_goal_ns } = self.setting;
        Snapshot { limit_bytes, pause_goal_ns, cycles_since_mark: u64::MAX, ..Snapshot::default() }
    }

    fn live(&self, piece: &Piece, clock: f64) -> f64 {
        let segment: &Segment = &self.signature.segments[piece.segment];
        let lifetimes = if piece.large { &segment.large_lifetimes } else { &segment.lifetimes };
        let alive = lifetimes.alive((clock - piece.born.1).max(0.0), (clock - piece.born.0).max(0.0));
        (piece.bytes * alive).min(piece.held)
    }

    fn old_held(&self) -> f64 {
        held(&self.old) + self.candidates.iter().map(|group| group.held).sum::<f64>()
    }

    /// Runs the program until its young room is used, then pauses.
    fn cycle(&mut self, knobs: &Knobs) -> Result<(Snapshot, Outcome), End> {
        let mut sums = Sums::default();
        let occupied = self.old_held() + held(&self.large) + held(&self.survivors);
        let room = self.setting.limit_bytes as f64 - occupied;
        let eden_bytes = (knobs.young_bytes as f64).min(room / (1.0 + self.survival.min(1.0)));
        let mut young = std::mem::take(&mut self.survivors);
        if eden_bytes >= EDEN_BYTES_MIN {
            self.allocate(knobs, eden_bytes, room, &mut young, &mut sums)?;
        }
        sums.committed_max = occupied + sums.eden + sums.large + knobs.old_region_bytes as f64 * 0.5;
        self.end_marking(knobs, &mut sums);
        sums.young = held(&young);
        self.pause(knobs, young, &mut sums);
        let occupied = self.old_held() + held(&self.large) + held(&self.survivors);
        let short = self.setting.limit_bytes as f64 - occupied < 2.0 * EDEN_BYTES_MIN;
        if short || eden_bytes < EDEN_BYTES_MIN {
            self.compact(&mut sums);
            let room = self.setting.limit_bytes as f64 - self.live_bytes;
            if room < 4.0 * EDEN_BYTES_MIN {
                return Err(End::OutOfMemory);
            }
        }
        Ok(self.end(knobs, sums))
    }

    /// Allocates until eden is full, or large objects ask for a pause.
    fn allocate(
        &mut self,
        knobs: &Knobs,
        eden_bytes: f64,
        room: f64,
        young: &mut Vec<Piece>,
        sums: &mut Sums,
    ) -> Result<(), End> {
        while sums.eden < eden_bytes - 1.0 {
            let Some((number, end)) = self.signature.at(self.clock) else { return Err(End::Program) };
            let segment = &self.signature.segments[number];
            let mut bytes = end - self.clock;
            if segment.large_share < 1.0 {
                bytes = bytes.min((eden_bytes - sums.eden) / (1.0 - segment.large_share));
            }
            if segment.large_share > 0.0 {
                let left = (room - sums.eden - sums.large).max(EDEN_BYTES_MIN);
                bytes = bytes.min(left / 2.0).max(1.0);
            }
            let born = (self.clock, self.clock + bytes);
            self.clock = born.1;
            let add = |large: bool, share: f64, to: &mut Vec<Piece>| {
                let bytes = bytes * share;
                if bytes > 0.0 {
                    to.push(Piece { segment: number, large, born, bytes, held: bytes, age: 0 });
                }
                bytes
            };
            sums.eden += add(false, 1.0 - segment.large_share, young);
            sums.large += add(true, segment.large_share, &mut self.large);
            sums.mutator_ns += bytes * segment.mutator_ns_per_byte;
            sums.remembered += bytes * segment.remembered_per_byte;
            let full = sums.eden + sums.large > room * 0.9;
            if segment.large_share > 0.0 && (full || self.mark_is_due(knobs)) {
                break;
            }
        }
        sums.refills = sums.eden / knobs.eden_region_bytes as f64;
        self.now_ns += sums.mutator_ns;
        Ok(())
    }

    /// As the heap has it: the threshold on old and large bytes, and where live ones alone exceed it, half of what was free.
    fn mark_is_due(&self, knobs: &Knobs) -> bool {
        let heap_bytes = knobs.heap_target_bytes as f64;
        let occupied = self.old_held() + held(&self.large);
        let threshold = knobs.concurrent_start_share * heap_bytes;
        let step = (heap_bytes - self.after_mark_bytes).max(heap_bytes / 16.0) / 2.0;
        self.marking.is_none()
            && self.candidates.is_empty()
            && occupied > threshold
            && (self.after_mark_bytes < threshold || occupied > self.after_mark_bytes + step)
    }

    /// If marking has come to its end: what it found dead as a whole is freed, and candidates are chosen.
    fn end_marking(&mut self, knobs: &Knobs, sums: &mut Sums) {
        let Some(marking) = self.marking.filter(|marking| marking.end_ns <= self.now_ns) else { return };
        self.marking = None;
        (sums.mark_ns, sums.concurrent_ns, sums.marked) = (marking.cpu_ns, marking.cpu_ns, marking.bytes);
        self.live_bytes = marking.bytes;
        let before = self.old_held() + held(&self.large);
        self.free_dead_large(marking.clock);
        let target = (knobs.old_region_bytes as f64).max(held(&self.old) / GROUPS_MAX);
        let mut kept = Vec::new();
        let mut groups: Vec<Group> = Vec::new();
        let mut open = Group { pieces: Vec::new(), held: 0.0, live: 0.0 };
        for piece in std::mem::take(&mut self.old) {
            if piece.born.1 > marking.clock {
                kept.push(piece);
                continue;
            }
            let parts = (piece.held / target).ceil().max(1.0);
            let live = self.live(&piece, marking.clock);
            let part = Piece { bytes: piece.bytes / parts, held: piece.held / parts, ..piece };
            for _ in 0..parts as usize {
                open.pieces.push(part);
                open.held += part.held;
                open.live += live / parts;
                if open.held >= target {
                    groups.push(std::mem::replace(&mut open, Group { pieces: Vec::new(), held: 0.0, live: 0.0 }));
                }
            }
        }
        groups.push(open);
        // Within a region the dead are not apart from the living: a region goes only when nothing in it lives.
        groups.retain(|group| group.live > group.held * 0.005);
        let (mut chosen, others): (Vec<Group>, Vec<Group>) =
            groups.into_iter().partition(|group| group.live <= group.held * knobs.mixed_live_share);
        let reclaimable: f64 = chosen.iter().map(|group| group.held - group.live).sum();
        kept.extend(others.into_iter().flat_map(|group| group.pieces));
        if reclaimable < WASTE_SHARE * knobs.heap_target_bytes as f64 {
            kept.extend(chosen.drain(..).flat_map(|group| group.pieces));
        }
        self.old = kept;
        chosen.sort_by(|a, b| (a.live / a.held).total_cmp(&(b.live / b.held)));
        self.mixed_share = chosen.len().div_ceil(knobs.mixed_pause_count as usize).max(1);
        self.prepare = !chosen.is_empty();
        self.candidates = chosen.into();
        self.after_mark_bytes = self.old_held() + held(&self.large);
        sums.old_freed += (before - self.after_mark_bytes).max(0.0);
        self.since_mark = 0;
    }

    fn free_dead_large(&mut self, clock: f64) {
        let mut large = std::mem::take(&mut self.large);
        for piece in large.iter_mut().filter(|piece| piece.born.1 <= clock) {
            piece.held = self.live(piece, clock);
        }
        large.retain(|piece| piece.held > 1.0);
        self.large = large;
    }

    /// Copies what lives in young pieces, and in candidates if it is their turn; starts marking if it is due.
    fn pause(&mut self, knobs: &Knobs, young: Vec<Piece>, sums: &mut Sums) {
        let may_start = self.marking.is_none() && self.candidates.is_empty();
        if may_start && knobs.next_kind == NextKind::StartMarking || self.mark_is_due(knobs) {
            sums.kind = CycleKind::ConcurrentStart;
        }
        let room = self.setting.limit_bytes as f64 - self.old_held() - held(&self.large) - sums.young;
        let skips = knobs.next_kind == NextKind::SkipMixed && room >= self.setting.limit_bytes as f64 / 4.0;
        let threshold_age = self.tenuring_age.min(knobs.tenuring_age);
        let mut by_age = [0.0; 16];
        for piece in young {
            let live = self.live(&piece, self.clock);
            if live < 1.0 {
                continue;
            }
            let mut moved = Piece { held: live, ..piece };
            if piece.age >= threshold_age {
                sums.promoted += live;
                self.old.push(moved);
            } else {
                moved.age += 1;
                sums.survived += live;
                by_age[usize::from(moved.age.min(15))] += live;
                self.survivors.push(moved);
            }
        }
        self.tenuring_age = tenuring_age(&by_age, knobs.young_bytes as f64 / 16.0);
        let costs = &self.signature.costs;
        let young_ns = costs.pause_ns + costs.copy_ns_per_byte * (sums.survived + sums.promoted);
        if self.prepare {
            self.prepare = false;
            sums.kind = CycleKind::PrepareMixed;
        } else if !self.candidates.is_empty() && !skips {
            sums.kind = CycleKind::Mixed;
            let budget_ns = self.setting.pause_goal_ns as f64 * GOAL_SHARE - young_ns;
            for taken in 0.. {
                let Some(group) = self.candidates.front() else { break };
                let over = costs.copy_ns_per_byte * (sums.compacted + group.live) > budget_ns;
                if taken >= self.mixed_share && over {
                    break;
                }
                let group = self.candidates.pop_front().expect("there is one in front");
                sums.old_freed += group.held;
                for piece in group.pieces {
                    let live = self.live(&piece, self.clock);
                    sums.compacted += live;
                    if live >= 1.0 {
                        self.old.push(Piece { held: live, ..piece });
                    }
                }
            }
            self.after_mark_bytes = self.after_mark_bytes.min(self.old_held() + held(&self.large));
        }
        // Large objects that nothing refers to any more go at any pause.
        self.free_dead_large(self.clock);
        sums.pause_ns = young_ns + costs.copy_ns_per_byte * sums.compacted;
        if sums.kind == CycleKind::ConcurrentStart {
            let bytes = self.old.iter().chain(&self.large).map(|piece| self.live(piece, self.clock)).sum::<f64>();
            let cpu_ns = bytes * costs.mark_ns_per_byte;
            let end_ns = self.now_ns + sums.pause_ns + cpu_ns;
            self.marking = Some(Marking { clock: self.clock, end_ns, cpu_ns, bytes });
        }
        let share = (sums.survived + sums.promoted) / sums.young.max(1.0);
        self.survival = 0.7 * self.survival + 0.3 * share;
    }

    /// A full collection on top of the pause: only what lives is left.
    fn compact(&mut self, sums: &mut Sums) {
        sums.kind = CycleKind::Full;
        self.marking = None;
        self.old.extend(std::mem::take(&mut self.candidates).into_iter().flat_map(|group| group.pieces));
        let before = held(&self.old) + held(&self.large);
        let survivors = std::mem::take(&mut self.survivors);
        self.old.extend(survivors);
        let mut old = std::mem::take(&mut self.old);
        old.iter_mut().for_each(|piece| piece.held = self.live(piece, self.clock));
        old.retain(|piece| piece.held >= 1.0);
        self.old = old;
        self.free_dead_large(self.clock);
        self.live_bytes = held(&self.old) + held(&self.large);
        self.after_mark_bytes = self.live_bytes;
        self.since_mark = 0;
        self.full_collections += 1;
        let costs = &self.signature.costs;
        sums.marked = self.live_bytes;
        sums.mark_ns = self.live_bytes * costs.mark_ns_per_byte;
        sums.pause_ns += sums.mark_ns + held(&self.old) * costs.copy_ns_per_byte * COMPACT_COPIES;
        sums.old_freed += (before - self.live_bytes).max(0.0);
    }

    /// The cycle's snapshot and outcome.
    fn end(&mut self, knobs: &Knobs, mut sums: Sums) -> (Snapshot, Outcome) {
        self.cycle += 1;
        self.now_ns += sums.pause_ns;
        if sums.marked == 0.0 {
            self.since_mark = self.since_mark.saturating_add(1);
        }
        let tails = (knobs.old_region_bytes + knobs.eden_region_bytes) as f64 * 0.5;
        let used = self.old_held() + held(&self.large) + held(&self.survivors) + tails;
        let copied = sums.survived + sums.promoted + sums.compacted;
        let limit = self.setting.limit_bytes as f64;
        sums.committed_max = (sums.committed_max + copied).max(self.committed).min(limit);
        let kept = used + knobs.young_bytes as f64 * (1.0 + self.survival.min(1.0));
        self.committed = sums.committed_max.min((knobs.heap_target_bytes as f64).max(kept)).max(used).min(limit);
        let gc_ns = sums.pause_ns + sums.concurrent_ns;
        self.pauses_ns.push_back((sums.pause_ns, gc_ns, sums.mutator_ns));
        if self.pauses_ns.len() > PAUSES_KEPT {
            self.pauses_ns.pop_front();
        }
        let mut recent: Vec<f64> = self.pauses_ns.iter().map(|pause| pause.0).collect();
        recent.sort_by(f64::total_cmp);
        let goal_ns = self.setting.pause_goal_ns as f64;
        let sum = |of: fn(&(f64, f64, f64)) -> f64| self.pauses_ns.iter().map(of).sum::<f64>();
        let reclaimable: f64 = self.candidates.iter().map(|group| group.held - group.live).sum();
        sums.freed = sums.young - sums.survived - sums.promoted + (sums.old_freed - sums.compacted).max(0.0);
        let snapshot = Snapshot {
            cycle: self.cycle,
            kind: sums.kind,
            uptime_ns: self.now_ns as u64,
            committed_bytes: self.committed as u64,
            survivor_bytes: held(&self.survivors) as u64,
            old_bytes: self.old_held() as u64,
            large_bytes: held(&self.large) as u64,
            live_bytes: self.live_bytes as u64,
            largest_free_bytes: (limit - used).max(0.0) as u64,
            mutator_ns: sums.mutator_ns as u64,
            mutator_cpu_ns: sums.mutator_ns as u64,
            allocated_bytes: sums.eden as u64,
            large_allocated_bytes: sums.large as u64,
            barrier_slow_paths: sums.remembered as u64,
            eden_refills: sums.refills as u64,
            pause_ns: sums.pause_ns as u64,
            pause_cpu_ns: sums.pause_ns as u64,
            concurrent_cpu_ns: sums.concurrent_ns as u64,
            mark_ns: sums.mark_ns as u64,
            mark_wall_ns: sums.mark_ns as u64,
            marked_bytes: sums.marked as u64,
            survived_bytes: sums.survived as u64,
            promoted_bytes: sums.promoted as u64,
            compacted_bytes: sums.compacted as u64,
            young_bytes: sums.young as u64,
            old_freed_bytes: sums.old_freed as u64,
            remembered_entries: sums.remembered as u64,
            tail_waste_bytes: tails as u64,
            old_regions: (self.old_held() / knobs.old_region_bytes as f64).ceil() as u32,
            region_sizes_alive: 1,
            candidate_regions: self.candidates.len() as u32,
            candidate_reclaimable_bytes: reclaimable as u64,
            pause_ns_p50: recent[recent.len() / 2] as u64,
            pause_ns_p95: recent[recent.len() * 95 / 100] as u64,
            pause_misses: recent.iter().filter(|ns| **ns > goal_ns).count() as f64 / recent.len() as f64,
            gc_cpu_share: sum(|p| p.1) / (sum(|p| p.1) + sum(|p| p.2)).max(1.0),
            full_collections: self.full_collections,
            cycles_since_mark: self.since_mark,
            ..self.birth()
        };
        let outcome = Outcome {
            cycle: self.cycle,
            kind: sums.kind,
            pause_ns: sums.pause_ns as u64,
            gc_cpu_ns: gc_ns as u64,
            mutator_ns: sums.mutator_ns as u64,
            allocated_bytes: (sums.eden + sums.large) as u64,
            copied_bytes: copied as u64,
            freed_bytes: sums.freed as u64,
            committed_bytes_max: sums.committed_max as u64,
            remembered_entries: sums.remembered as u64,
            tail_waste_bytes: tails as u64,
            ..Outcome::default()
        };
        (snapshot, outcome)
    }
}

/// The first age up to which survivors fill more than their room.
fn tenuring_age(survived_by_age: &[f64; 16], room: f64) -> u8 {
    let mut sum = 0.0;
    for (age, bytes) in survived_by_age.iter().enumerate() {
        sum += bytes;
        if sum > room {
            return age as u8;
        }
    }
    15
}
