//! The features: what the cost models look at, each listed once with its unit and its formula.
//!
//! Two groups. *State* features depend on the heap's recent past alone and are computed once a decision; *candidate*
//! features depend on the knobs as well and are computed once for each candidate. Next to the knobs themselves stand
//! what a collector engineer would work out by hand — expected evacuation time, marking amortised over the bytes that
//! fit below the threshold, room left at the limit — so that a linear model has little left to learn, and squares and
//! products, so that it has an inside optimum instead of running to the corners.
//!
//! It must never know what a model does with the numbers.
//!
//! Invariants
//! - F1. The order and the names are the model's schema: changing either makes old model files a mismatch.
//! - F2. Finite inputs give finite features.
//! - F3. Training and deciding both come through here; there is no second definition of a feature. A plan's candidates go
//!   through the same formulas [`LANES`] at a time, by a loop that the compiler makes wide instructions of, and have the same bits.

use multiversion::multiversion;
use tenure_gc::policy::Knobs;

use crate::history::{Measured, ratio};
use crate::math::{ln, log2};

/// A feature's description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Unique name.
    pub name: &'static str,
    /// Unit of the value.
    pub unit: &'static str,
    /// What it is.
    pub doc: &'static str,
}

macro_rules! features {
    ($table:ident, $count:ident, $visible:vis $compute:ident($($argument:ident: $type:ty),*), $about:literal;
     $($name:ident, $unit:literal, $doc:literal => $value:expr;)*) => {
        #[doc = concat!("How many ", $about)]
        pub const $count: usize = [$(stringify!($name)),*].len();
        #[doc = concat!("The ", $about)]
        pub const $table: [Feature; $count] =
            [$(Feature { name: stringify!($name), unit: $unit, doc: $doc }),*];
        #[doc = concat!("Computes the ", $about)]
        #[inline(always)]
        $visible fn $compute($($argument: $type),*) -> [f64; $count] {
            [$($value),*]
        }
    };
}

/// Mebibytes as the unit of logarithms of sizes.
const MIB: f64 = 1_048_576.0;
/// Fixed cost of a pause assumed in the expectations; the models learn the true one.
pub(crate) const PAUSE_FLOOR_NS: f64 = 20_000.0;
/// Whether free memory is kept for a tenth of a cycle or less, or for 8000 cycles or more, is all one.
const KEPT_CYCLES_MIN: f64 = 0.1;
const KEPT_CYCLES_LN_MAX: f64 = 9.0;
/// ln of 1000: from ns to µs.
pub(crate) const US_LN: f64 = 6.907_755_278_982_137;

features! { STATE_FEATURES, STATE_COUNT, pub state_features(m: &Measured), "state features.";
    allocation_rate, "ln bytes/ns", "allocation rate of the program" => ln(m.allocation_bytes_per_ns + 1e-4);
    allocation_spread, "1", "interquartile range of the allocation rate over its median" => m.allocation_spread;
    survival, "share", "share of young bytes that a pause copies" => m.survival;
    survival_log, "ln share", "the same, resolved near zero" => ln(m.survival + 1e-3);
    survival_spread, "share", "interquartile range of survival" => m.survival_spread;
    promotion, "share", "bytes that become old per allocated byte" => m.promotion;
    promotion_log, "ln share", "the same, resolved near zero" => ln(m.promotion + 1e-4);
    large, "share", "share of allocated bytes in large objects" => m.large;
    copy_rate, "ln ns/byte", "CPU of evacuation per copied byte" => ln(m.copy_ns_per_byte + 1e-3);
    mark_rate, "ln ns/byte", "CPU of marking per live byte" => ln(m.mark_ns_per_byte + 1e-3);
    occupancy, "share", "old and large bytes over the heap target" => ratio(m.old_bytes, m.heap_bytes);
    live, "share", "live old and large bytes over the heap target" => ratio(m.live_bytes, m.heap_bytes);
    garbage, "share", "bytes of old space known to be reclaimable over old bytes" => ratio(m.reclaimable_bytes, m.old_bytes).min(1.0);
    committed, "share", "committed bytes over the heap target" => ratio(m.committed_bytes, m.heap_bytes);
    heap_now, "log2 64MiB", "heap target in the cycle just ended" => log2(m.heap_bytes / MIB) - 6.0;
    heap_limit, "log2 1", "heap target over the limit" => log2(m.heap_bytes / m.limit_bytes);
    largest_free, "share", "largest free run over the heap target" => ratio(m.largest_free_bytes, m.heap_bytes).min(4.0);
    survivors_log, "ln MiB", "bytes in survivor regions" => ln(m.survivor_bytes / MIB + 0.01);
    remembered_log, "ln 1/KiB", "remembered entries scanned per KiB allocated" => ln(m.remembered_per_kib + 1e-3);
    barrier_log, "ln 1/KiB", "slow paths of the write barrier per KiB allocated" => ln(m.barrier_per_kib + 1e-3);
    compaction, "byte/byte", "old bytes copied per old byte freed" => m.compacted_per_freed;
    tails, "share", "free tails over committed bytes" => m.tail_share;
    gc_share, "share", "collector's share of CPU" => m.gc_share;
    pause_log, "ln us", "median pause of the last 32" => ln(m.pause_ns_p50 / 1e3 + 1.0);
    pause_tail, "ln 1", "95th percentile of the pause over its median" => ln((m.pause_ns_p95 + 1e3) / (m.pause_ns_p50 + 1e3));
    full_rate, "1/cycle", "full collections in the window" => m.full_rate;
    failed_rate, "1/cycle", "cycles with failed copies in the window" => m.failed_rate;
    old_region_now, "log2 MiB", "size of old regions in the cycle just ended" => log2(m.old_region_bytes / MIB + 1e-3);
    eden_region_now, "log2 MiB", "size of eden regions in the cycle just ended" => log2(m.eden_region_bytes / MIB + 1e-3);
    threshold_now, "share", "threshold in the cycle just ended" => m.concurrent_start_share;
    young_now, "log2 8MiB", "young size in the cycle just ended" => log2(m.young_bytes / MIB + 1e-3) - 3.0;
    since_mark, "ln cycles", "pauses since the last marking" => ln(m.cycles_since_mark + 1.0);
}

/// Candidates whose features are computed at once: as many as numbers in the widest registers.
pub const LANES: usize = 8;
/// Candidate features of [`LANES`] candidates, by feature.
pub type Columns = [[f64; LANES]; CANDIDATE_COUNT];

/// What the knobs are expected to lead to, worked out from measured rates.
struct Expected {
    old_log: f64,
    eden_log: f64,
    heap_log: f64,
    of_young: OfYoung,
    share: f64,
    age: f64,
    occupancy: f64,
    live: f64,
    garbage: f64,
    young_share: f64,
    remembered: f64,
    /// Room between old occupancy and the threshold, share of the heap target; negative above it.
    room: f64,
    /// Marking per allocated byte, if a marking pays for the bytes that fit between live and threshold.
    mark_ns_per_byte: f64,
    /// Part of the limit in use when eden is full and its survivors are copied.
    tightness: f64,
    /// Committed bytes needed.
    footprint_bytes: f64,
    /// Part of the heap target in open regions' unused halves.
    open_tails: f64,
    large_log: f64,
    /// ln of the cycles for which free memory is kept, within bounds.
    kept_cycles_ln: f64,
    /// Committed bytes that the coming cycle doesn't need, share of the heap target.
    slack: f64,
}

impl Expected {
    /// The expectations for `knobs` in the state `m`.
    #[inline(always)]
    fn new(m: &Measured, knobs: &Knobs) -> Expected {
        let young = knobs.young_bytes.max(1) as f64;
        let heap = (knobs.heap_target_bytes as f64).max(1.0).min(m.limit_bytes);
        let share = knobs.concurrent_start_share;
        let kept_cycles = knobs.uncommit_delay_ns as f64 * m.allocation_bytes_per_ns / young;
        // Promotion fills the space between live bytes and the threshold; each filling pays one marking of the live bytes.
        let room_bytes = (share * heap - m.live_bytes).max(0.02 * heap);
        let filling_bytes = (room_bytes / (m.promotion + 1e-4)).max(young);
        let needed = (share * heap).max(m.old_bytes) + young * (1.0 + m.survival);
        let occupancy = m.old_bytes / heap;
        Expected {
            old_log: log2_mib(knobs.old_region_bytes),
            eden_log: log2_mib(knobs.eden_region_bytes),
            heap_log: log2(heap / MIB) - 6.0,
            of_young: OfYoung::new(m, young),
            share,
            age: f64::from(knobs.tenuring_age) / 15.0,
            occupancy,
            live: m.live_bytes / heap,
            garbage: ratio(m.reclaimable_bytes, m.old_bytes).min(1.0),
            young_share: young / heap,
            remembered: m.remembered_per_kib.min(16.0),
            room: share - occupancy,
            mark_ns_per_byte: (m.live_bytes + young * m.survival) * m.mark_ns_per_byte / filling_bytes,
            tightness: (m.old_bytes + m.survivor_bytes + young * (1.0 + m.survival)) / m.limit_bytes,
            footprint_bytes: needed.min(m.limit_bytes),
            open_tails: (knobs.old_region_bytes + knobs.eden_region_bytes) as f64 / heap,
            large_log: log2(knobs.large_object_bytes.max(1) as f64 / MIB),
            kept_cycles_ln: ln(kept_cycles + KEPT_CYCLES_MIN).min(KEPT_CYCLES_LN_MAX),
            slack: ((m.committed_bytes - m.old_bytes - young * (1.0 + m.survival)) / heap).clamp(0.0, 1.0),
        }
    }
}

/// What follows from the young size alone.
struct OfYoung {
    /// log2 of it in 8 MiB.
    log: f64,
    /// ln ns of the evacuation of one young pause.
    evacuation_ln: f64,
    /// ln ns of it per allocated byte.
    evacuation_per_byte_ln: f64,
    /// Evacuation per allocated byte.
    evacuation_ns_per_byte: f64,
    /// ln MiB of what is committed, or of occupancy and young if that is more.
    committed_ln: f64,
}

impl OfYoung {
    #[inline(always)]
    fn new(m: &Measured, bytes: f64) -> OfYoung {
        let evacuation_ns = PAUSE_FLOOR_NS + bytes * m.survival * m.copy_ns_per_byte;
        let (evacuation_ln, young_ln) = (ln(evacuation_ns), ln(bytes));
        OfYoung {
            log: young_ln / std::f64::consts::LN_2 - 23.0,
            evacuation_ln,
            evacuation_per_byte_ln: evacuation_ln - young_ln,
            evacuation_ns_per_byte: evacuation_ns / bytes,
            committed_ln: ln(m.committed_bytes.max(m.old_bytes + bytes) / MIB + 0.01),
        }
    }
}

/// log2 of a power-of-two size in MiB: the exponent of the number, exact and without a logarithm.
#[inline(always)]
fn log2_mib(bytes: u64) -> f64 {
    f64::from(((bytes.max(1) as f64).to_bits() >> 52) as i32 - 1043)
}

/// The candidate features of `knobs` in the state `m`.
#[inline(always)]
pub fn candidate_features(m: &Measured, knobs: &Knobs) -> [f64; CANDIDATE_COUNT] {
    of_candidate(m, knobs, &Expected::new(m, knobs))
}

/// The same of [`LANES`] candidates at once. No formula branches or calls anything, so that the loop over candidates becomes one of wide
/// instructions.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512cd+avx512bw", "x86_64+avx2"))]
pub fn candidate_columns(m: &Measured, knobs: &[Knobs; LANES], columns: &mut Columns) {
    for lane in 0..LANES {
        let features = candidate_features(m, &knobs[lane]);
        for (column, feature) in columns.iter_mut().zip(features) {
            column[lane] = feature;
        }
    }
}

features! { CANDIDATE_FEATURES, CANDIDATE_COUNT, of_candidate(m: &Measured, k: &Knobs, e: &Expected), "candidate features.";
    old_region, "log2 MiB", "size of old regions" => e.old_log;
    old_region_squared, "(log2 MiB)^2", "its square" => e.old_log * e.old_log;
    eden_region, "log2 MiB", "size of eden regions" => e.eden_log;
    eden_region_squared, "(log2 MiB)^2", "its square" => e.eden_log * e.eden_log;
    threshold, "share", "concurrent start threshold" => e.share;
    threshold_squared, "share^2", "its square" => e.share * e.share;
    young, "log2 8MiB", "young size" => e.of_young.log;
    young_squared, "(log2 8MiB)^2", "its square" => e.of_young.log * e.of_young.log;
    heap, "log2 64MiB", "heap target" => e.heap_log;
    heap_squared, "(log2 64MiB)^2", "its square" => e.heap_log * e.heap_log;
    age, "share", "tenuring age over 15" => e.age;
    age_squared, "share^2", "its square" => e.age * e.age;
    mixed_live, "share", "largest live share of a candidate" => k.mixed_live_share;
    mixed_pause, "share", "share of the candidates that one mixed pause takes" => 1.0 / f64::from(k.mixed_pause_count.max(1));
    evacuation_log, "ln us", "expected evacuation of a young pause" => e.of_young.evacuation_ln - US_LN;
    evacuation_per_byte_log, "ln ns/byte", "the same per allocated byte" => e.of_young.evacuation_per_byte_ln;
    goal_room, "ln 1", "pause goal over the expected evacuation" => (m.pause_goal_ln - e.of_young.evacuation_ln).clamp(-4.0, 6.0);
    room, "share", "threshold minus old occupancy" => e.room;
    room_short, "share", "how far old occupancy is above the threshold" => (-e.room).max(0.0);
    mark_due, "0 or 1", "whether the next pause is expected to start marking" => f64::from(e.room - e.young_share * m.promotion < 0.0);
    mark_per_byte_log, "ln ns/byte", "marking amortised over what fits below the threshold" => ln(e.mark_ns_per_byte + 1e-4);
    work_per_byte_log, "ln ns/byte", "evacuation and amortised marking" => ln(e.of_young.evacuation_ns_per_byte + e.mark_ns_per_byte);
    tightness, "share", "old, young and copied bytes over the limit" => e.tightness;
    tightness_excess, "share", "the part of it above 0.85" => (e.tightness - 0.85).max(0.0);
    footprint_log, "ln MiB", "threshold or occupancy, plus young" => ln(e.footprint_bytes / MIB);
    committed_log, "ln MiB", "committed, or occupancy plus young if that is more" => e.of_young.committed_ln;
    open_tails, "share", "open regions over the heap target" => e.open_tails;
    old_region_promotion, "log2 MiB", "old region size times promotion" => e.old_log * m.promotion;
    old_region_large, "log2 MiB", "old region size times share of large objects" => e.old_log * m.large;
    old_region_live, "log2 MiB", "old region size times live share" => e.old_log * e.live;
    old_region_garbage, "log2 MiB", "old region size times reclaimable share" => e.old_log * e.garbage;
    old_region_remembered, "log2 MiB/KiB", "old region size times remembered entries" => e.old_log * e.remembered;
    old_region_compaction, "log2 MiB", "old region size times bytes copied per byte freed" => e.old_log * m.compacted_per_freed.min(4.0);
    old_region_threshold, "log2 MiB", "old region size times threshold" => e.old_log * e.share;
    eden_region_young, "log2^2", "eden region size times young size" => e.eden_log * e.of_young.log;
    eden_region_survival, "log2 MiB", "eden region size times survival" => e.eden_log * m.survival;
    eden_region_tightness, "log2 MiB", "eden region size times tightness" => e.eden_log * e.tightness;
    threshold_promotion, "share", "threshold times promotion" => e.share * m.promotion;
    threshold_live, "share", "threshold times live share" => e.share * e.live;
    threshold_garbage, "share", "threshold times reclaimable share" => e.share * e.garbage;
    young_survival, "log2 8MiB", "young size times survival" => e.of_young.log * m.survival;
    young_promotion, "log2 8MiB", "young size times promotion" => e.of_young.log * m.promotion;
    young_occupancy, "log2 8MiB", "young size times old occupancy" => e.of_young.log * e.occupancy;
    age_survival, "share", "tenuring age times survival" => e.age * m.survival;
    age_promotion, "share", "tenuring age times promotion" => e.age * m.promotion;
    mixed_live_garbage, "share", "largest live share of a candidate times reclaimable share" => k.mixed_live_share * e.garbage;
    mixed_pause_garbage, "share", "share of the candidates in one mixed pause times reclaimable share" => e.garbage / f64::from(k.mixed_pause_count.max(1));
    large_object, "log2 MiB", "threshold of large objects" => e.large_log;
    large_object_large, "log2 MiB", "threshold of large objects times their share" => e.large_log * m.large;
    kept_cycles_log, "ln cycles", "cycles for which free memory is kept, by the uncommit delay" => e.kept_cycles_ln;
    kept_cycles_slack, "ln cycles", "the same times what is committed and not needed over the heap target" => e.kept_cycles_ln * e.slack;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coordinate::PLANNED;
    use crate::history::History;
    use tenure_gc::policy::{Envelope, Snapshot};

    #[test]
    fn names_are_unique() {
        let mut names: Vec<&str> = STATE_FEATURES.iter().chain(&CANDIDATE_FEATURES).map(|f| f.name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn an_empty_heap_has_finite_features() {
        let snapshot = Snapshot::default();
        let mut history = History::new();
        history.push(&snapshot);
        let envelope = Envelope {
            region_bytes_min: 64 << 10,
            region_bytes_max: 1 << 20,
            young_bytes_min: 64 << 10,
            young_bytes_max: 8 << 20,
            limit_bytes: 64 << 20,
        };
        let knobs = envelope.initial(&snapshot);
        let m = history.measure(&snapshot, &knobs);
        assert!(state_features(&m).iter().all(|v| v.is_finite()));
        for (value, feature) in candidate_features(&m, &knobs).iter().zip(&CANDIDATE_FEATURES) {
            assert!(value.is_finite(), "{}", feature.name);
        }
    }

    #[test]
    fn candidates_side_by_side_have_the_bits_of_each_alone() {
        let m = Measured {
            survival: 0.1,
            promotion: 0.05,
            copy_ns_per_byte: 1.0,
            mark_ns_per_byte: 0.5,
            allocation_bytes_per_ns: 1e-3,
            live_bytes: 3e7,
            old_bytes: 5e7,
            reclaimable_bytes: 1e7,
            limit_bytes: 1e9,
            ..Measured::default()
        };
        let start = Envelope::of_limit(1 << 30).initial(&Snapshot { limit_bytes: 1 << 30, ..Snapshot::default() });
        for by in [-2, -1, 1, 2] {
            for moved in PLANNED.windows(LANES) {
                let knobs = std::array::from_fn(|lane| moved[lane].0.stepped(&start, by));
                let mut columns = [[0.0; LANES]; CANDIDATE_COUNT];
                candidate_columns(&m, &knobs, &mut columns);
                for (lane, knobs) in knobs.iter().enumerate() {
                    let alone = candidate_features(&m, knobs);
                    let bits = |values: [f64; CANDIDATE_COUNT]| values.map(f64::to_bits);
                    assert_eq!(bits(columns.map(|column| column[lane])), bits(alone), "{knobs:?}");
                }
            }
        }
    }

    #[test]
    fn a_larger_young_size_costs_a_longer_evacuation_and_less_of_it_per_byte() {
        let m = Measured {
            survival: 0.1,
            copy_ns_per_byte: 1.0,
            limit_bytes: 256.0 * MIB,
            pause_goal_ln: 16.1,
            ..Measured::default()
        };
        let envelope = Envelope {
            region_bytes_min: 64 << 10,
            region_bytes_max: 4 << 20,
            young_bytes_min: 1 << 20,
            young_bytes_max: 64 << 20,
            limit_bytes: 256 << 20,
        };
        let small = envelope.initial(&Snapshot { limit_bytes: 256 << 20, ..Snapshot::default() });
        let large = Knobs { young_bytes: small.young_bytes * 2, ..small };
        let (a, b) = (Expected::new(&m, &small), Expected::new(&m, &large));
        assert!(b.of_young.evacuation_ln > a.of_young.evacuation_ln);
        assert!(b.of_young.evacuation_ns_per_byte < a.of_young.evacuation_ns_per_byte);
    }
}
