//! The candidates of a plan: single steps, pairs and triples of steps, and jumps to settings known to be of use.
//!
//! Sizes are bounded [`LANES`] candidates at a time, by the formulas that bound one: the compiler makes wide instructions of the loop.
//!
//! It must never know what a candidate costs.
//!
//! Invariants
//! - N1. A candidate is legal, keeps what is frozen, and differs from the knobs in force in each knob that it is said to move.
//! - N2. At most 500, and no allocation.

use multiversion::multiversion;
use tenure_gc::policy::{Envelope, Knobs, Overrides};

use crate::coordinate::{Coordinate as C, NO_STEPS, PLANNED_COUNT, Steps, steps_between};
use crate::features::LANES;
use crate::trust::Trust;

/// A knob and the steps tried of it.
type Tried = (C, &'static [i8]);
/// Steps tried of one knob alone.
const SINGLES: [Tried; 10] = [
    (C::OldRegion, &[-2, -1, 1, 2]),
    (C::EdenRegion, &[-2, -1, 1, 2]),
    (C::Threshold, &[-6, -3, -1, 1, 3, 6]),
    (C::Young, &[-8, -6, -4, -2, -1, 1, 2, 4, 6, 8]),
    (C::LargeObject, &[-2, -1, 1, 2]),
    (C::Age, &[-3, -2, -1, 1, 2, 3]),
    (C::MixedPauses, &[-1, 1]),
    (C::MixedLive, &[-1, 1]),
    (C::HeapTarget, &[-4, -2, -1, 1, 2, 4]),
    (C::UncommitDelay, &[-1, 1]),
];
/// Most steps tried of a pair's second knob.
const STEPS_OF_PAIRS: usize = 5;
/// Steps tried of two knobs that depend on each other.
const PAIRS: [(Tried, Tried); 7] = [
    ((C::Young, &[-8, -4, -2, 2, 4, 8]), (C::HeapTarget, &[-4, -2, 2, 4])),
    ((C::Young, &[-8, -4, -2, 2, 4, 8]), (C::Threshold, &[-3, -1, 1, 3])),
    ((C::Young, &[-8, -4, 4, 8]), (C::Age, &[-3, -2, -1, 1, 2])),
    ((C::Young, &[-4, 4, 8]), (C::EdenRegion, &[-1, 1])),
    ((C::HeapTarget, &[-4, -2, 2, 4]), (C::Threshold, &[-6, -3, 3, 6])),
    ((C::OldRegion, &[-1, 1]), (C::Threshold, &[-3, 3])),
    ((C::MixedPauses, &[-1, 1]), (C::MixedLive, &[-1, 1])),
];
/// Steps tried of the three that size the heap.
const YOUNG_OF_TRIPLES: [i8; 4] = [-8, -4, 4, 8];
const HEAP_OF_TRIPLES: [i8; 2] = [-4, 4];
const THRESHOLD_OF_TRIPLES: [i8; 2] = [-3, 3];
/// Young sizes tried around a setting that is jumped to.
const YOUNG_OF_JUMPS: [i8; 3] = [0, -2, 2];

/// Most steps of a jump, by knob: what single steps reach.
const RATES: [u8; PLANNED_COUNT] = [2, 2, 6, 8, 2, 5, 3, 2, 4, 2];

/// What bounds candidates.
#[derive(Clone, Copy, Debug)]
pub struct Bounds<'a> {
    /// The legal bounds.
    pub envelope: &'a Envelope,
    /// How far from the adaptive policy's choice.
    pub trust: &'a Trust,
    /// Knobs that stay as they are.
    pub frozen: &'a Overrides,
}

impl Bounds<'_> {
    /// The nearest knobs inside, with what is frozen.
    fn nearest(&self, wanted: &Knobs, current: &Knobs) -> Knobs {
        self.frozen.apply(self.envelope.clamp(&self.trust.nearest(wanted), current))
    }

    /// The same where only the sizes that the trust region bounds may lie outside.
    #[inline(always)]
    fn nearest_sizes(&self, wanted: &Knobs, current: &Knobs) -> Knobs {
        let near = self.envelope.clamp_sizes(&self.trust.nearest(wanted), current);
        Knobs {
            young_bytes: self.frozen.young_bytes.unwrap_or(near.young_bytes),
            heap_target_bytes: self.frozen.heap_target_bytes.unwrap_or(near.heap_target_bytes),
            concurrent_start_share: self.frozen.concurrent_start_share.unwrap_or(near.concurrent_start_share),
            ..*wanted
        }
    }

    /// `current`, which lies within the bounds, with one knob so many steps away: within the bounds too, but for a size, which the
    /// bounds tie to others. None if that leads nowhere.
    fn rung(&self, coordinate: C, by: i8, current: &Knobs) -> Option<Knobs> {
        let stepped = coordinate.stepped(current, by);
        if coordinate.is_size() {
            return Some(stepped);
        }
        let knobs = self.frozen.apply(self.envelope.clamp(&stepped, current));
        (!coordinate.is_same(current, &knobs)).then_some(knobs)
    }
}

/// The sizes of all of them within the bounds.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512cd+avx512bw", "x86_64+avx2"))]
fn bound_sizes(bounds: &Bounds<'_>, current: &Knobs, candidates: &mut [Knobs; LANES]) {
    for knobs in candidates {
        *knobs = bounds.nearest_sizes(knobs, current);
    }
}

/// Some candidates, and the steps that lead to each.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    knobs: [Knobs; LANES],
    steps: [Steps; LANES],
    count: usize,
}

impl Batch {
    /// None, with `knobs` in their places.
    fn new(knobs: &Knobs) -> Batch {
        Batch { knobs: [*knobs; LANES], steps: [NO_STEPS; LANES], count: 0 }
    }

    fn push(&mut self, knobs: &Knobs, steps: &Steps) {
        (self.knobs[self.count], self.steps[self.count]) = (*knobs, *steps);
        self.count += 1;
    }

    fn is_full(&self) -> bool {
        self.count == LANES
    }

    /// The knobs of all places, those beyond [`count`](Batch::count) among them, which are any.
    pub fn knobs(&self) -> &[Knobs; LANES] {
        &self.knobs
    }

    /// The steps of all places.
    pub fn steps(&self) -> &[Steps; LANES] {
        &self.steps
    }

    /// How many candidates there are.
    pub fn count(&self) -> usize {
        self.count
    }
}

/// What candidates go through on their way: those that lead nowhere are lost, the others come out in batches, in order.
struct Sieve<'a, Visit> {
    current: &'a Knobs,
    bounds: &'a Bounds<'a>,
    /// With sizes that are not bounded yet.
    offered: Batch,
    bounded: Batch,
    visit: Visit,
}

impl<Visit: FnMut(&Batch)> Sieve<'_, Visit> {
    /// Takes knobs that are within the bounds but for their sizes.
    fn offer(&mut self, knobs: &Knobs, moved: &[(C, i8)]) {
        let mut steps = NO_STEPS;
        moved.iter().for_each(|(coordinate, by)| steps[*coordinate as usize] = *by);
        self.offered.push(knobs, &steps);
        if self.offered.is_full() {
            self.sift();
        }
    }

    /// Bounds the sizes of what was offered, and passes on those that differ from the current ones where they were moved.
    fn sift(&mut self) {
        bound_sizes(self.bounds, self.current, &mut self.offered.knobs);
        let offered = self.offered;
        for (knobs, steps) in offered.knobs.iter().zip(&offered.steps).take(offered.count) {
            let leads = |size: C| steps[size as usize] == 0 || !size.is_same(self.current, knobs);
            if leads(C::Young) & leads(C::HeapTarget) & leads(C::Threshold) {
                self.pass(knobs, steps);
            }
        }
        self.offered.count = 0;
    }

    /// Takes knobs that are a candidate.
    fn pass(&mut self, knobs: &Knobs, steps: &Steps) {
        self.bounded.push(knobs, steps);
        if self.bounded.is_full() {
            self.show();
        }
    }

    fn show(&mut self) {
        (self.visit)(&self.bounded);
        self.bounded.count = 0;
    }
}

/// Calls `visit` with each candidate around `current`, which lies within the bounds: some at a time, and fewer in the last batch.
pub fn each(current: &Knobs, jumps: &[Knobs], bounds: &Bounds<'_>, visit: impl FnMut(&Batch)) {
    let (offered, bounded) = (Batch::new(current), Batch::new(current));
    let mut sieve = Sieve { current, bounds, offered, bounded, visit };
    for (coordinate, tried) in SINGLES {
        for &by in tried {
            if let Some(knobs) = bounds.rung(coordinate, by, current) {
                sieve.offer(&knobs, &[(coordinate, by)]);
            }
        }
    }
    // What bounds a knob, heap target and threshold aside, is nothing of the others: a pair is put together of two rungs, and one that leads
    // nowhere alone leads nowhere in company. Sizes are bounded when they stand together.
    for ((first, firsts), (second, seconds)) in PAIRS {
        let mut rungs = [None; STEPS_OF_PAIRS];
        rungs.iter_mut().zip(seconds).for_each(|(rung, &by)| *rung = bounds.rung(second, by, current));
        for &one in firsts {
            let Some(rung) = bounds.rung(first, one, current) else { continue };
            for (of_second, &two) in rungs.iter().zip(seconds) {
                if let Some(of_second) = of_second {
                    sieve.offer(&first.copied(&rung, of_second), &[(first, one), (second, two)]);
                }
            }
        }
    }
    for young in YOUNG_OF_TRIPLES {
        let knobs = C::Young.stepped(current, young);
        for heap in HEAP_OF_TRIPLES {
            let knobs = C::HeapTarget.stepped(&knobs, heap);
            for threshold in THRESHOLD_OF_TRIPLES {
                let knobs = C::Threshold.stepped(&knobs, threshold);
                sieve.offer(&knobs, &[(C::Young, young), (C::HeapTarget, heap), (C::Threshold, threshold)]);
            }
        }
    }
    sieve.sift();
    for jump in jumps {
        for by in YOUNG_OF_JUMPS {
            let knobs = bounds.nearest(&C::Young.stepped(jump, by), current);
            let steps = steps_between(current, &knobs);
            if steps != NO_STEPS && steps.iter().zip(RATES).all(|(steps, most)| steps.unsigned_abs() <= most) {
                sieve.pass(&knobs, &steps);
            }
        }
    }
    sieve.show();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::Needs;
    use tenure_gc::policy::Snapshot;

    fn collect(frozen: &str) -> (Knobs, Vec<(Knobs, Steps)>) {
        let envelope = Envelope::of_limit(1 << 30);
        let initial = envelope.initial(&Snapshot { limit_bytes: 1 << 30, ..Snapshot::default() });
        let frozen: Overrides = frozen.parse().unwrap();
        let current = frozen.apply(Knobs { heap_target_bytes: 1 << 28, tenuring_age: 4, ..initial });
        let trust = Trust::around(
            &current,
            &current,
            &Needs { limit_bytes: 1e9, young_bytes_in_time: 1e9, growth: 16.0, ..Needs::default() },
        );
        let mut all = Vec::new();
        let bounds = Bounds { envelope: &envelope, trust: &trust, frozen: &frozen };
        each(&current, &[initial], &bounds, |batch| {
            all.extend(batch.knobs.into_iter().zip(batch.steps).take(batch.count));
        });
        (current, all)
    }

    #[test]
    fn there_are_150_to_500_all_legal_and_all_different_from_what_is_in_force() {
        let (current, all) = collect("");
        assert!((150..=500).contains(&all.len()), "{}", all.len());
        let envelope = Envelope::of_limit(1 << 30);
        for (knobs, steps) in &all {
            assert_ne!(*knobs, current);
            assert_eq!(envelope.clamp(knobs, &current), *knobs);
            assert_ne!(*steps, NO_STEPS, "{knobs:?}");
        }
    }

    #[test]
    fn what_is_frozen_stays() {
        let (current, all) = collect("young_bytes = 8M\nconcurrent_start_share = 0.4");
        assert!(!all.is_empty());
        for (knobs, steps) in &all {
            assert_eq!(knobs.young_bytes, current.young_bytes);
            assert_eq!((steps[C::Young as usize], steps[C::Threshold as usize]), (0, 0));
        }
    }
}
