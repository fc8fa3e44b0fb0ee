//! The candidates of a plan: single steps, pairs and triples of steps, and jumps to settings known to be of use.
//!
//! It must never know what a candidate costs.
//!
//! Invariants
//! - N1. A candidate is legal, keeps what is frozen, and differs from the knobs in force in each knob that it is said to move.
//! - N2. At most 500, and no allocation.

use tenure_gc::policy::{Envelope, Knobs, Overrides};

use crate::coordinate::{Coordinate as C, NO_STEPS, PLANNED_COUNT, Steps, steps_between};
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

    /// `current` with one knob so many steps away: within the bounds, but for a size, which the bounds tie to others.
    fn rung(&self, coordinate: C, by: i8, current: &Knobs) -> Knobs {
        let stepped = coordinate.stepped(current, by);
        if coordinate.is_size() { stepped } else { self.nearest(&stepped, current) }
    }
}

/// Calls `visit` with each candidate around `current`, which lies within the bounds, and the steps that lead there.
pub fn each(current: &Knobs, jumps: &[Knobs], bounds: &Bounds<'_>, mut visit: impl FnMut(&Knobs, &Steps)) {
    let mut offer = |knobs: &Knobs, moved: &[(C, i8)]| {
        if moved.iter().all(|(coordinate, _)| !coordinate.is_same(current, knobs)) {
            let mut steps = NO_STEPS;
            moved.iter().for_each(|(coordinate, by)| steps[*coordinate as usize] = *by);
            visit(knobs, &steps);
        }
    };
    for (coordinate, tried) in SINGLES {
        for &by in tried {
            let rung = bounds.rung(coordinate, by, current);
            let knobs = if coordinate.is_size() { bounds.nearest_sizes(&rung, current) } else { rung };
            offer(&knobs, &[(coordinate, by)]);
        }
    }
    // What bounds a knob, heap target and threshold aside, is nothing of the others: a pair is put together of two rungs, and one that leads
    // nowhere alone leads nowhere in company. Sizes are bounded when they stand together.
    for ((first, firsts), (second, seconds)) in PAIRS {
        let mut rungs = [*current; STEPS_OF_PAIRS];
        rungs.iter_mut().zip(seconds).for_each(|(rung, &by)| *rung = bounds.rung(second, by, current));
        for &one in firsts {
            let rung = bounds.rung(first, one, current);
            if first != C::HeapTarget && first.is_same(current, &bounds.nearest_sizes(&rung, current)) {
                continue;
            }
            for (of_second, &two) in rungs.iter().zip(seconds) {
                let knobs =
                    if first.is_size() { first.copied(&rung, of_second) } else { second.copied(of_second, &rung) };
                offer(&bounds.nearest_sizes(&knobs, current), &[(first, one), (second, two)]);
            }
        }
    }
    for young in YOUNG_OF_TRIPLES {
        let knobs = C::Young.stepped(current, young);
        for heap in HEAP_OF_TRIPLES {
            let knobs = C::HeapTarget.stepped(&knobs, heap);
            for threshold in THRESHOLD_OF_TRIPLES {
                let knobs = C::Threshold.stepped(&knobs, threshold);
                let moved = [(C::Young, young), (C::HeapTarget, heap), (C::Threshold, threshold)];
                offer(&bounds.nearest_sizes(&knobs, current), &moved);
            }
        }
    }
    for jump in jumps {
        for by in YOUNG_OF_JUMPS {
            let knobs = bounds.nearest(&C::Young.stepped(jump, by), current);
            let steps = steps_between(current, &knobs);
            if steps != NO_STEPS && steps.iter().zip(RATES).all(|(steps, most)| steps.unsigned_abs() <= most) {
                visit(&knobs, &steps);
            }
        }
    }
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
        each(&current, &[initial], &bounds, |knobs, steps| all.push((*knobs, *steps)));
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
