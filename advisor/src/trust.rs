//! The trust region: how far from the adaptive policy's choice, and from what is held, plans may go.
//!
//! A plan buys no memory for a collector that costs little, and no more than makes it cost little: its share of the CPU is what a
//! young size or heap target beyond the adaptive policy's could lower, in proportion at the best.
//!
//! Three more of its bounds are no distances but reserves, because what a model learnt in calm it also advises before a storm. A heap
//! target holds what is there already, and the young regions and their survivors beside what will be there when marking starts: one that
//! doesn't is outgrown before it is of use. A young size is one of which a pause can be expected to meet its goal, by the rates
//! measured (G1's young sizing does the same sum). And marking starts while there is still room for the young regions, and for as much of
//! them to survive as did lately: G1 starts at what its heap, less a reserve, less the young size, less what is promoted
//! while it marks, can hold (`G1AdaptiveIHOPControl`).
//!
//! It must never know what a candidate costs.
//!
//! Invariants
//! - T1. The adaptive policy's own threshold, heap target and young size are never out of reach for want of room or time: that far, it is the
//!   one who answers for them.
//! - T2. Knobs that lie on a bound don't follow each of its moves: thresholds and heap targets go in steps, and a young size that
//!   is held may stay.

use tenure_gc::policy::Knobs;

use crate::features::PAUSE_FLOOR_NS;
use crate::history::Measured;
use crate::math::exp;

/// How far from the adaptive policy's choice: factors of young size and heap target.
const YOUNG_REACH: u64 = 16;
const HEAP_REACH: u64 = 8;
/// How far from what is held, at once: factors, and a difference of thresholds.
const YOUNG_RATE: u64 = 4;
const HEAP_RATE: u64 = 2;
const SHARE_RATE: f64 = 0.3;
/// Thresholds beyond these are never planned.
const SHARE_MIN: f64 = 0.1;
const SHARE_MAX: f64 = 0.9;
/// Steps of the threshold that leaves room.
const SHARE_STEPS: f64 = 20.0;
/// Of the limit, what is never reckoned with (G1ReservePercent).
const RESERVE: f64 = 0.1;
/// The heap target is at least this many times what old regions and large objects hold, and the young size on top.
const HEAP_PER_OCCUPIED: f64 = 1.1;
/// Steps of the heap target that holds what is there, in a doubling.
const HEAP_STEPS: u64 = 8;
/// Share of the pause goal that evacuating the young regions may take.
const PAUSE_SHARE: f64 = 0.7;
/// Collector's share of the CPU below which no memory is bought to lower it; the adaptive policy lets its heap grow from there.
const GC_SHARE_MIN: f64 = 0.04;
/// The share that memory is bought for, and no lower one.
const GC_SHARE_GOAL: f64 = 0.02;
/// No evacuation is believed to cost less a byte.
const NS_PER_BYTE_MIN: f64 = 1e-9;

/// What the heap must have room for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Needs {
    /// Limit of the heap.
    pub limit_bytes: f64,
    /// In old regions and large objects.
    pub old_bytes: f64,
    /// Share of the young bytes that survived at the most, of late.
    pub survival: f64,
    /// Young bytes of which a pause is expected to meet its goal.
    pub young_bytes_in_time: f64,
    /// Factor of the sizes that are held by which they may grow, for what the collector costs.
    pub growth: f64,
}

impl Needs {
    /// Of a state. `survival` is the share of young bytes that survived at the most, of late.
    pub fn of(now: &Measured, smooth: &Measured, survival: f64) -> Needs {
        let usual = (smooth.survival + smooth.survival_spread).min(1.0);
        let ns_per_young_byte = usual * smooth.copy_ns_per_byte + NS_PER_BYTE_MIN;
        let gc_share = smooth.gc_share.min(now.gc_share);
        let pause_ns = exp(smooth.pause_goal_ln) * PAUSE_SHARE - PAUSE_FLOOR_NS;
        Needs {
            limit_bytes: now.limit_bytes,
            old_bytes: now.old_bytes,
            survival,
            young_bytes_in_time: (pause_ns / ns_per_young_byte).max(0.0),
            growth: if gc_share >= GC_SHARE_MIN { gc_share / GC_SHARE_GOAL } else { 1.0 },
        }
    }
}

/// Bounds around the adaptive policy's choice and the knobs that are held.
#[derive(Clone, Copy, Debug)]
pub struct Trust {
    young_bytes: (u64, u64),
    heap_bytes: (u64, u64),
    share: (f64, f64),
    /// The adaptive policy's, in steps, and bytes.
    level0_steps: f64,
    level0_heap_bytes: u64,
    /// For old regions and young ones together.
    usable_bytes: f64,
    /// Bytes used for each byte of young size, at the most.
    per_young: f64,
}

impl Trust {
    /// The bounds around `level0`, as far as they are reached at once from `held`; a heap target is never below what is
    /// needed, whatever is held.
    pub fn around(level0: &Knobs, held: &Knobs, needs: &Needs) -> Trust {
        let bounds = |level0: u64, held: u64, reach: u64, rate: u64| {
            let within = |bytes: u64| bytes.clamp(held / rate, held.saturating_mul(rate));
            (within(level0 / reach), within(level0.saturating_mul(reach)))
        };
        let (young_least, young_most) = bounds(level0.young_bytes, held.young_bytes, YOUNG_REACH, YOUNG_RATE);
        // What is held may stay: it doesn't follow each move of the rates (T2), and pauses that miss their goal cost enough.
        let grown = |held: u64| (held as f64 * needs.growth) as u64;
        let young_kept = level0.young_bytes.max(held.young_bytes);
        let worth_it = grown(held.young_bytes).min(needs.young_bytes_in_time as u64);
        let young_most = young_most.min(young_kept.max(worth_it));
        let (least, most) = bounds(level0.heap_target_bytes, held.heap_target_bytes, HEAP_REACH, HEAP_RATE);
        let heap_kept = level0.heap_target_bytes.max(held.heap_target_bytes);
        let most = most.min(heap_kept.max(grown(held.heap_target_bytes)));
        let occupied = (needs.old_bytes * HEAP_PER_OCCUPIED) as u64 + held.young_bytes;
        let least = least.max(stepped(occupied));
        let share = held.concurrent_start_share;
        Trust {
            young_bytes: (young_least.min(young_most), young_most),
            heap_bytes: (least, most.max(least)),
            share: ((share - SHARE_RATE).clamp(SHARE_MIN, SHARE_MAX), (share + SHARE_RATE).clamp(SHARE_MIN, SHARE_MAX)),
            level0_steps: (level0.concurrent_start_share * SHARE_STEPS).ceil(),
            level0_heap_bytes: level0.heap_target_bytes,
            usable_bytes: needs.limit_bytes * (1.0 - RESERVE),
            per_young: 1.0 + needs.survival,
        }
    }

    /// The nearest knobs inside.
    #[inline(always)]
    pub fn nearest(&self, knobs: &Knobs) -> Knobs {
        // `max` and `min`, not `clamp`, which asserts: a loop over candidates has no branches.
        let within = |bytes: u64, (least, most): (u64, u64)| bytes.max(least).min(most);
        let young_bytes = within(knobs.young_bytes, self.young_bytes);
        let (least, most) = self.heap_bytes;
        let young = young_bytes as f64 * self.per_young;
        let occupied_share = (knobs.concurrent_start_share * HEAP_PER_OCCUPIED).min(SHARE_MAX);
        let at_start = (young / (1.0 - occupied_share)) as u64;
        let least = within(at_start.min(self.level0_heap_bytes), (least, most));
        let heap_target_bytes = within(knobs.heap_target_bytes, (least, most));
        let room = (self.usable_bytes - young) / heap_target_bytes.max(1) as f64;
        let stepped = ((room * SHARE_STEPS) as i64 as f64).max(self.level0_steps) / SHARE_STEPS;
        let share = knobs.concurrent_start_share.min(stepped).max(self.share.0).min(self.share.1);
        Knobs { young_bytes, heap_target_bytes, concurrent_start_share: share, ..*knobs }
    }
}

/// The next size that holds `bytes`, of [`HEAP_STEPS`] in each doubling.
fn stepped(bytes: u64) -> u64 {
    let octave = 1 << bytes.max(HEAP_STEPS).ilog2();
    bytes.next_multiple_of(octave / HEAP_STEPS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenure_gc::policy::{Envelope, Snapshot};

    const MIB: u64 = 1 << 20;

    fn level0() -> Knobs {
        let initial =
            Envelope::of_limit(256 * MIB).initial(&Snapshot { limit_bytes: 256 * MIB, ..Snapshot::default() });
        Knobs { young_bytes: 40 * MIB, concurrent_start_share: 0.45, ..initial }
    }

    #[test]
    fn a_heap_target_is_never_below_what_is_needed() {
        let level0 = level0();
        let needs = Needs { old_bytes: 400.0 * MIB as f64, ..Needs::default() };
        let near = Trust::around(&level0, &level0, &needs).nearest(&level0);
        assert_eq!(near.heap_target_bytes, 480 * MIB);
    }

    #[test]
    fn a_heap_target_holds_the_young_regions_beside_what_is_there_when_marking_starts() {
        let level0 = Knobs { heap_target_bytes: 200 * MIB, ..level0() };
        let needs = Needs { limit_bytes: 1024.0 * MIB as f64, ..Needs::default() };
        let target = |share: f64, young_bytes: u64| {
            let wish = Knobs { young_bytes, heap_target_bytes: 60 * MIB, concurrent_start_share: share, ..level0 };
            let trust = Trust::around(&level0, &Knobs { heap_target_bytes: 100 * MIB, ..wish }, &needs);
            trust.nearest(&wish).heap_target_bytes / MIB
        };
        assert_eq!(target(0.2, 40 * MIB), 60);
        assert_eq!(target(0.5, 40 * MIB), 88);
        assert_eq!(target(0.9, 40 * MIB), 200, "the adaptive policy's own");
    }

    #[test]
    fn a_young_size_is_no_larger_than_a_pause_can_copy_unless_it_is_the_adaptive_policys() {
        let level0 = level0();
        let rates = |survival: f64| Measured {
            survival,
            gc_share: 0.2,
            copy_ns_per_byte: 1.0,
            pause_goal_ln: 10e6_f64.ln(),
            limit_bytes: 256.0 * MIB as f64,
            ..Measured::default()
        };
        let young_bytes = |survival: f64| {
            let needs = Needs::of(&rates(survival), &rates(survival), survival);
            let wish = Knobs { young_bytes: 150 * MIB, ..level0 };
            Trust::around(&level0, &level0, &needs).nearest(&wish).young_bytes
        };
        assert_eq!(young_bytes(0.01), 150 * MIB);
        // 6.98 ms at 0.1 ns for each byte
        assert_eq!(young_bytes(0.1) / 1_000_000, 69);
        assert_eq!(young_bytes(0.9), 40 * MIB);
    }

    #[test]
    fn no_memory_is_bought_for_a_collector_that_costs_little_and_no_more_than_it_may_save() {
        let level0 = Knobs { heap_target_bytes: 100 * MIB, ..level0() };
        let wish = Knobs { young_bytes: 140 * MIB, heap_target_bytes: 200 * MIB, ..level0 };
        let granted = |gc_share: f64| {
            let limit_bytes = 256.0 * MIB as f64;
            let now = Measured { gc_share, pause_goal_ln: 10e6_f64.ln(), limit_bytes, ..Measured::default() };
            let near = Trust::around(&level0, &level0, &Needs::of(&now, &now, 0.0)).nearest(&wish);
            (near.young_bytes / MIB, near.heap_target_bytes / MIB)
        };
        assert_eq!(granted(0.02), (40, 100));
        assert_eq!(granted(0.05), (100, 200));
        assert_eq!(granted(0.1), (140, 200));
    }

    #[test]
    fn marking_starts_while_there_is_room_for_the_young_regions_and_what_survives_of_them() {
        let level0 = level0();
        let late = |survival: f64, young_bytes: u64| {
            let (limit_bytes, young_bytes_in_time) = (256.0 * MIB as f64, 256.0 * MIB as f64);
            let needs = Needs { limit_bytes, survival, young_bytes_in_time, ..Needs::default() };
            let mut held = Knobs { concurrent_start_share: 0.8, young_bytes, ..level0 };
            let nearest = |held: &Knobs| Trust::around(&level0, held, &needs).nearest(held);
            assert!(nearest(&held).concurrent_start_share >= 0.8 - SHARE_RATE);
            for _ in 0..2 {
                held = nearest(&held);
            }
            held.concurrent_start_share
        };
        assert_eq!(late(0.0, 10 * MIB), 0.8);
        assert_eq!(late(0.0, 40 * MIB), 0.7);
        assert_eq!(late(1.0, 40 * MIB), 0.55);
        assert_eq!(late(1.0, 100 * MIB), 0.45, "the adaptive policy's own");
    }
}
