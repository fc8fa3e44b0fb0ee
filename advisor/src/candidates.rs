//! The candidates of a plan: single steps, pairs and triples of steps, and jumps to settings known to be of use.
//!
//! It must never know what a candidate costs.
//!
//! Invariants
//! - N1. A candidate is legal, keeps what is frozen, and differs from the knobs in force in each knob that it is said to move.
//! - N2. At most 500, and no allocation.

use tenure_gc::policy::{Envelope, Knobs, Overrides};

use crate::coordinate::{Coordinate as C, NO_STEPS, PLANNED, PLANNED_COUNT, Steps, steps_between};
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

/// Calls `visit` with each candidate around `current`, and the steps that lead there.
pub fn each(current: &Knobs, jumps: &[Knobs], bounds: &Bounds<'_>, mut visit: impl FnMut(&Knobs, &Steps)) {
    let mut offer = |wanted: &Knobs, steps: &Steps| {
        let near = bounds.trust.nearest(wanted);
        let knobs = bounds.frozen.apply(bounds.envelope.clamp(&near, current));
        let moves = |coordinate: C| coordinate.copied(current, &knobs) != knobs;
        if PLANNED.iter().zip(steps).all(|((coordinate, _), steps)| *steps == 0 || moves(*coordinate)) {
            visit(&knobs, steps);
        }
    };
    for (coordinate, tried) in SINGLES {
        for &by in tried {
            offer(&coordinate.stepped(current, by), &with(&NO_STEPS, coordinate, by));
        }
    }
    for ((first, firsts), (second, seconds)) in PAIRS {
        for &by in firsts {
            let (knobs, steps) = (first.stepped(current, by), with(&NO_STEPS, first, by));
            for &by in seconds {
                offer(&second.stepped(&knobs, by), &with(&steps, second, by));
            }
        }
    }
    for by in YOUNG_OF_TRIPLES {
        let (knobs, steps) = (C::Young.stepped(current, by), with(&NO_STEPS, C::Young, by));
        for by in HEAP_OF_TRIPLES {
            let (knobs, steps) = (C::HeapTarget.stepped(&knobs, by), with(&steps, C::HeapTarget, by));
            for by in THRESHOLD_OF_TRIPLES {
                offer(&C::Threshold.stepped(&knobs, by), &with(&steps, C::Threshold, by));
            }
        }
    }
    for jump in jumps {
        for by in YOUNG_OF_JUMPS {
            let near = bounds.trust.nearest(&C::Young.stepped(jump, by));
            let knobs = bounds.frozen.apply(bounds.envelope.clamp(&near, current));
            let steps = steps_between(current, &knobs);
            if steps != NO_STEPS && steps.iter().zip(RATES).all(|(steps, most)| steps.unsigned_abs() <= most) {
                visit(&knobs, &steps);
            }
        }
    }
}

fn with(steps: &Steps, coordinate: C, by: i8) -> Steps {
    let mut steps = *steps;
    steps[coordinate as usize] = by;
    steps
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
