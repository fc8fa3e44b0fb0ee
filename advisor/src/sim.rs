//! A small simulator of the heap, for controlling the controller: constant, ramp, step, burst and outlier signals, the
//! same in every run.
//!
//! A [`Program`] is a list of phases with their own allocation behaviour; a [`Simulation`] answers knobs with the
//! snapshot and outcome of one cycle. The physics are those of a generational region collector in a dozen lines:
//! survival falls with young size, marking costs live bytes, small old regions cost remembered entries and bookkeeping,
//! large ones drag live bytes along when they are compacted. Its numbers say nothing about the real heap; it ranks
//! controllers and finds their oscillations.

use tenure_gc::policy::{CycleKind, Decision, Envelope, Knobs, Outcome, Policy, Snapshot};

const MIB: f64 = 1_048_576.0;

/// A deterministic source of randomness (splitmix64, Steele et al., OOPSLA'14).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A source from a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in 0..1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in `low..high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A factor around 1, log-normal in shape.
    fn noise(&mut self, spread: f64) -> f64 {
        let sum: f64 = (0..4).map(|_| self.unit() - 0.5).sum();
        (sum * spread).exp()
    }
}

/// How a program allocates for some cycles.
#[derive(Clone, Copy, Debug)]
pub struct Phase {
    /// How long it lasts.
    pub cycles: u64,
    /// Allocation rate.
    pub bytes_per_ns: f64,
    /// Share of the young bytes that survive however long one waits.
    pub lasting: f64,
    /// Young size at which everything alive at once is about an eden's worth: larger edens survive less.
    pub turnover_bytes: f64,
    /// Share of allocation in large objects.
    pub large: f64,
    /// Live old bytes that the program keeps; what exceeds them is garbage.
    pub live_bytes: f64,
    /// How scattered old garbage is, 0 to 1: scattered garbage makes large regions costly to compact.
    pub scatter: f64,
    /// Remembered entries per KiB allocated, at 1 MiB regions.
    pub remembered_per_kib: f64,
}

/// A program and its machine.
#[derive(Clone, Debug)]
pub struct Program {
    /// What it does, one after another, over and over.
    pub phases: Vec<Phase>,
    /// Limit of its heap.
    pub limit_bytes: u64,
    /// Machine: copying a byte.
    pub copy_ns_per_byte: f64,
    /// Spread of the noise on times.
    pub noise: f64,
    /// Every so many cycles, one takes twenty times as long; 0 for never.
    pub outlier_every: u64,
}

/// A heap that runs a program.
#[derive(Clone, Debug)]
pub struct Simulation {
    program: Program,
    random: Random,
    cycle: u64,
    uptime_ns: f64,
    old_bytes: f64,
    old_live_bytes: f64,
    marked_live_bytes: f64,
    garbage_known_bytes: f64,
    mixed_left: u32,
    mixed_bytes: f64,
    since_mark: u64,
    full_collections: u64,
    pauses: Vec<f64>,
    sizes: Vec<u64>,
}

/// What one cycle led to.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The state at its end.
    pub snapshot: Snapshot,
    /// What came of the knobs it ran with.
    pub outcome: Outcome,
}

impl Simulation {
    /// An empty heap.
    pub fn new(program: Program, seed: u64) -> Simulation {
        Simulation {
            program,
            random: Random::new(seed),
            cycle: 0,
            uptime_ns: 0.0,
            old_bytes: 0.0,
            old_live_bytes: 0.0,
            marked_live_bytes: 0.0,
            garbage_known_bytes: 0.0,
            mixed_left: 0,
            mixed_bytes: 0.0,
            since_mark: u64::MAX,
            full_collections: 0,
            pauses: Vec::new(),
            sizes: Vec::new(),
        }
    }

    /// Its legal knobs.
    pub fn envelope(&self) -> Envelope {
        let limit_bytes = self.program.limit_bytes;
        Envelope {
            region_bytes_min: 64 << 10,
            region_bytes_max: (1 << (limit_bytes / 64).max(64 << 10).ilog2()).min(32 << 20),
            young_bytes_min: 1 << 20,
            young_bytes_max: limit_bytes * 6 / 10,
            limit_bytes,
        }
    }

    fn phase(&self) -> Phase {
        let total: u64 = self.program.phases.iter().map(|p| p.cycles).sum();
        let mut at = self.cycle % total;
        for phase in &self.program.phases {
            if at < phase.cycles {
                return *phase;
            }
            at -= phase.cycles;
        }
        unreachable!("a cycle lies in one of the phases")
    }

    /// Runs one cycle with `knobs`.
    pub fn step(&mut self, knobs: &Knobs) -> Step {
        let phase = self.phase();
        let limit = self.program.limit_bytes as f64;
        let machine = self.program.copy_ns_per_byte;
        let old_region = knobs.old_region_bytes as f64;
        let eden_region = knobs.eden_region_bytes as f64;
        let young = (knobs.young_bytes as f64).min((limit - self.old_bytes).max(MIB));
        let allocated = young / (1.0 - phase.large).max(0.1);
        let large = allocated - young;
        let refills = young / eden_region;
        let mutator_ns = (allocated / phase.bytes_per_ns + refills * 2_000.0) * self.random.noise(self.program.noise);

        let fresh = phase.turnover_bytes / (phase.turnover_bytes + young);
        let survival = (phase.lasting + (1.0 - phase.lasting) * 0.3 * fresh).min(1.0);
        let kept = 1.0 - f64::from(knobs.tenuring_age) / 15.0 * 0.5 * (1.0 - phase.lasting);
        let copied = young * survival;
        let promoted = copied * kept.clamp(0.1, 1.0) * 0.6;
        self.old_bytes += promoted + large;
        self.old_live_bytes = (self.old_live_bytes + promoted + large).min(phase.live_bytes.max(MIB));

        let remembered =
            phase.remembered_per_kib * allocated / 1024.0 * (0.5 + 0.5 * MIB / (old_region + 64.0 * 1024.0)).min(6.0);
        let mut kind = CycleKind::Young;
        let mut cpu = 20_000.0 + copied * machine + remembered * 12.0 + refills * 300.0;
        let (mut mark_ns, mut compacted, mut freed, mut marked) = (0.0, 0.0, 0.0, 0.0);
        if self.mixed_left > 0 {
            kind = CycleKind::Mixed;
            // A region of scattered garbage holds live bytes that must be copied to free it; the larger, the more.
            let dragged = phase.scatter * old_region / (old_region + 2.0 * MIB);
            freed = (self.mixed_bytes * (1.0 - 0.5 * dragged)).min(self.garbage_known_bytes);
            compacted = freed * 2.0 * dragged;
            cpu += compacted * machine + freed / old_region * 4_000.0;
            self.old_bytes -= freed;
            self.garbage_known_bytes -= freed;
            self.mixed_left -= 1;
        } else if self.old_bytes > knobs.concurrent_start_share * (knobs.heap_target_bytes as f64).min(limit) {
            kind = CycleKind::ConcurrentStart;
            marked = self.old_live_bytes;
            mark_ns = marked * machine * 0.6 + self.old_bytes / old_region * 500.0;
            self.marked_live_bytes = self.old_live_bytes;
            self.garbage_known_bytes = (self.old_bytes - self.old_live_bytes).max(0.0);
            self.mixed_left = knobs.mixed_pause_count;
            self.mixed_bytes = self.garbage_known_bytes / f64::from(knobs.mixed_pause_count);
            self.since_mark = 0;
        }
        if self.old_bytes + young * 0.1 > limit * 0.97 {
            kind = CycleKind::Full;
            cpu += self.old_bytes * machine * 2.5;
            freed += self.old_bytes - self.old_live_bytes;
            self.old_bytes = self.old_live_bytes;
            self.marked_live_bytes = self.old_live_bytes;
            self.garbage_known_bytes = 0.0;
            self.mixed_left = 0;
            self.full_collections += 1;
        }
        let outlier =
            self.program.outlier_every > 0 && self.cycle % self.program.outlier_every == self.program.outlier_every - 1;
        let factor = self.random.noise(self.program.noise) * if outlier { 20.0 } else { 1.0 };
        let (pause_ns, mark_ns) = (cpu * factor, mark_ns * factor);
        let tails = old_region * 0.5 + eden_region * 0.5;
        let committed = (self.old_bytes + young + copied + tails).min(limit);

        self.uptime_ns += mutator_ns + pause_ns;
        self.pauses.push(pause_ns);
        if self.sizes.last() != Some(&knobs.old_region_bytes) {
            self.sizes.push(knobs.old_region_bytes);
        }
        self.cycle += 1;
        self.since_mark = if marked > 0.0 { 0 } else { self.since_mark.saturating_add(1) };
        let mut recent: Vec<f64> = self.pauses.iter().rev().take(32).copied().collect();
        recent.sort_unstable_by(f64::total_cmp);
        let snapshot = Snapshot {
            cycle: self.cycle,
            kind,
            uptime_ns: self.uptime_ns as u64,
            pause_goal_ns: 10_000_000,
            limit_bytes: self.program.limit_bytes,
            committed_bytes: committed as u64,
            survivor_bytes: (copied - promoted) as u64,
            old_bytes: self.old_bytes as u64,
            live_bytes: self.marked_live_bytes as u64,
            largest_free_bytes: (limit - committed).max(0.0) as u64,
            mutator_ns: mutator_ns as u64,
            mutator_cpu_ns: mutator_ns as u64,
            allocated_bytes: young as u64,
            large_allocated_bytes: large as u64,
            barrier_slow_paths: (remembered * 0.5) as u64,
            eden_refills: refills as u64,
            pause_ns: pause_ns as u64,
            pause_cpu_ns: pause_ns as u64,
            concurrent_cpu_ns: mark_ns as u64,
            mark_ns: mark_ns as u64,
            mark_wall_ns: mark_ns as u64,
            marked_bytes: marked as u64,
            survived_bytes: (copied - promoted) as u64,
            promoted_bytes: promoted as u64,
            compacted_bytes: compacted as u64,
            young_bytes: young as u64,
            old_freed_bytes: freed as u64,
            remembered_entries: remembered as u64,
            tail_waste_bytes: tails as u64,
            old_regions: (self.old_bytes / old_region) as u32,
            region_sizes_alive: self.sizes.len().min(3) as u32,
            candidate_regions: self.mixed_left,
            candidate_reclaimable_bytes: self.garbage_known_bytes as u64,
            pause_ns_p50: recent[recent.len() / 2] as u64,
            pause_ns_p95: recent[recent.len() * 95 / 100] as u64,
            pause_misses: recent.iter().filter(|&&p| p > 1e7).count() as f64 / recent.len() as f64,
            gc_cpu_share: (pause_ns + mark_ns) / (pause_ns + mark_ns + mutator_ns),
            full_collections: self.full_collections,
            cycles_since_mark: self.since_mark,
            ..Snapshot::default()
        };
        let outcome = Outcome {
            cycle: self.cycle,
            kind,
            pause_ns: pause_ns as u64,
            gc_cpu_ns: (pause_ns + mark_ns) as u64,
            mutator_ns: mutator_ns as u64,
            allocated_bytes: allocated as u64,
            copied_bytes: (copied + compacted) as u64,
            freed_bytes: (young + freed) as u64,
            committed_bytes_max: committed as u64,
            remembered_entries: remembered as u64,
            tail_waste_bytes: tails as u64,
            ..Outcome::default()
        };
        Step { snapshot, outcome }
    }

    /// Runs `cycles` cycles under `policy`. Calls `each` with the snapshot a decision was made for, the decision and
    /// its outcome.
    pub fn run(&mut self, policy: &mut dyn Policy, cycles: u64, mut each: impl FnMut(&Snapshot, &Decision, &Outcome)) {
        let envelope = self.envelope();
        let mut knobs = envelope.initial(&Snapshot { limit_bytes: envelope.limit_bytes, ..Snapshot::default() });
        let mut step = self.step(&knobs);
        for _ in 0..cycles {
            let mut decision = policy.decide(&step.snapshot, &knobs, &envelope);
            knobs = envelope.clamp(&decision.knobs, &knobs);
            decision.knobs = knobs;
            let snapshot = step.snapshot;
            step = self.step(&knobs);
            policy.observe(&step.outcome);
            each(&snapshot, &decision, &step.outcome);
        }
    }
}

/// Families of programs, each with random parameters from `random`.
pub fn families(random: &mut Random) -> Vec<(&'static str, Program)> {
    let mut phase = |lasting: f64, large: f64, live: f64, scatter: f64| Phase {
        cycles: 40 + random.bits() % 200,
        bytes_per_ns: random.between((0.1_f64).ln(), (3.0_f64).ln()).exp(),
        lasting: lasting * random.between(0.5, 1.5),
        turnover_bytes: random.between(0.2, 8.0) * MIB,
        large: large * random.between(0.5, 1.5),
        live_bytes: live * random.between(0.5, 1.5) * MIB,
        scatter: (scatter * random.between(0.6, 1.4)).min(1.0),
        remembered_per_kib: random.between(0.0, 2.0),
    };
    let steady = vec![phase(0.02, 0.0, 20.0, 0.5)];
    let survivors = vec![phase(0.3, 0.0, 60.0, 0.7)];
    let large = vec![phase(0.05, 0.4, 40.0, 0.2)];
    let shifting = vec![phase(0.02, 0.0, 10.0, 0.2), phase(0.4, 0.1, 90.0, 0.9), phase(0.1, 0.3, 30.0, 0.5)];
    let bursts = vec![phase(0.01, 0.0, 5.0, 0.3), phase(0.5, 0.0, 80.0, 0.8)];
    let garbage = vec![phase(0.001, 0.0, 2.0, 0.1)];
    [
        ("steady", steady),
        ("survivors", survivors),
        ("large", large),
        ("shifting", shifting),
        ("bursts", bursts),
        ("garbage", garbage),
    ]
    .map(|(name, phases)| {
        let program = Program {
            phases,
            limit_bytes: (128.0 * MIB * random.between(0.0, 2.5).exp2()) as u64,
            copy_ns_per_byte: random.between(0.4, 1.6),
            noise: 0.2,
            outlier_every: random.bits() % 60,
        };
        (name, program)
    })
    .to_vec()
}
