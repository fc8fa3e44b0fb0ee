//! The knobs as coordinates: what a plan moves, in steps that are about equally much anywhere.
//!
//! Sizes go by factors, shares by parts, the tenuring age along a ladder. What is decided anew in each cycle, the kind of the
//! next collection, is no coordinate: nothing is held. So a planner steps, jumps and measures distances
//! without knowing any knob by name.
//!
//! It must never know what a knob does.
//!
//! Invariants
//! - K1. Each coordinate stands once in [`PLANNED`], by the name that the heap's own table of knobs has.
//! - K2. No steps change nothing, and the steps from one setting to another are those that lead there, up to rounding.

use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};
use tenure_gc::policy::Knobs;

use crate::math::log2;

/// A knob that plans move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Coordinate {
    /// A step is a factor of 2.
    OldRegion = 0,
    /// A step is a factor of 2.
    EdenRegion = 1,
    /// A step is 0.05 of the heap target.
    Threshold = 2,
    /// Four steps are a factor of 2.
    Young = 3,
    /// A step is a factor of 2.
    LargeObject = 4,
    /// Steps go along [`AGES`].
    Age = 5,
    /// A step is a factor of 2.
    MixedPauses = 6,
    /// A step is 0.1.
    MixedLive = 7,
    /// Four steps are a factor of 2.
    HeapTarget = 8,
    /// A step is a factor of 4.
    UncommitDelay = 9,
}

use Coordinate as C;

/// How many knobs plans move.
pub const PLANNED_COUNT: usize = 10;

/// The knobs that plans move, in order, with their names.
pub const PLANNED: [(Coordinate, &str); PLANNED_COUNT] = [
    (C::OldRegion, "old_region_bytes"),
    (C::EdenRegion, "eden_region_bytes"),
    (C::Threshold, "concurrent_start_share"),
    (C::Young, "young_bytes"),
    (C::LargeObject, "large_object_bytes"),
    (C::Age, "tenuring_age"),
    (C::MixedPauses, "mixed_pause_count"),
    (C::MixedLive, "mixed_live_share"),
    (C::HeapTarget, "heap_target_bytes"),
    (C::UncommitDelay, "uncommit_delay_ns"),
];

/// Steps by coordinate, from one setting to another.
pub type Steps = [i8; PLANNED_COUNT];

/// No steps.
pub const NO_STEPS: Steps = [0; PLANNED_COUNT];

/// Tenuring ages between which steps go.
const AGES: [u8; 6] = [0, 1, 2, 4, 8, 15];
/// Most quarters of an octave that one move takes.
const QUARTERS_MAX: i8 = 8;
/// 2^(k/4) for k from −8 to 8.
const QUARTERS: [f64; 2 * QUARTERS_MAX as usize + 1] = [
    0.25,
    0.297_301_778_750_680_26,
    0.353_553_390_593_273_8,
    0.420_448_207_626_857_27,
    0.5,
    0.594_603_557_501_360_5,
    FRAC_1_SQRT_2,
    0.840_896_415_253_714_5,
    1.0,
    1.189_207_115_002_721,
    SQRT_2,
    1.681_792_830_507_429,
    2.0,
    2.378_414_230_005_442,
    2.828_427_124_746_190_3,
    3.363_585_661_014_858,
    4.0,
];

impl Coordinate {
    /// `knobs` so many steps away; what is legal is the envelope's business.
    pub fn stepped(self, knobs: &Knobs, steps: i8) -> Knobs {
        let shifted = |value: u64, by: i8| {
            if by >= 0 { value.saturating_mul(1 << by.min(62)) } else { value >> (-by).min(63) }
        };
        let quarters = |value: u64| {
            (value as f64 * QUARTERS[(steps.clamp(-QUARTERS_MAX, QUARTERS_MAX) + QUARTERS_MAX) as usize]) as u64
        };
        let mut to = *knobs;
        match self {
            C::OldRegion => to.old_region_bytes = shifted(knobs.old_region_bytes, steps),
            C::EdenRegion => to.eden_region_bytes = shifted(knobs.eden_region_bytes, steps),
            C::Threshold => to.concurrent_start_share = knobs.concurrent_start_share + 0.05 * f64::from(steps),
            C::Young => to.young_bytes = quarters(knobs.young_bytes),
            C::LargeObject => to.large_object_bytes = shifted(knobs.large_object_bytes, steps),
            C::Age => {
                let rung = (rung(knobs.tenuring_age) + i32::from(steps)).clamp(0, AGES.len() as i32 - 1);
                to.tenuring_age = if steps == 0 { knobs.tenuring_age } else { AGES[rung as usize] };
            }
            C::MixedPauses => {
                to.mixed_pause_count = shifted(u64::from(knobs.mixed_pause_count), steps).clamp(1, 64) as u32;
            }
            C::MixedLive => to.mixed_live_share = knobs.mixed_live_share + 0.1 * f64::from(steps),
            C::HeapTarget => to.heap_target_bytes = quarters(knobs.heap_target_bytes),
            C::UncommitDelay => to.uncommit_delay_ns = shifted(knobs.uncommit_delay_ns, 2 * steps),
        }
        to
    }

    /// The steps that lead from one setting to another.
    pub fn steps(self, from: &Knobs, to: &Knobs) -> i8 {
        // Most knobs of two settings are the same, which needs no logarithm.
        let octaves = |a: u64, b: u64| if a == b { 0.0 } else { log2(b.max(1) as f64 / a.max(1) as f64) };
        let steps = match self {
            C::OldRegion => octaves(from.old_region_bytes, to.old_region_bytes),
            C::EdenRegion => octaves(from.eden_region_bytes, to.eden_region_bytes),
            C::Threshold => (to.concurrent_start_share - from.concurrent_start_share) / 0.05,
            C::Young => 4.0 * octaves(from.young_bytes, to.young_bytes),
            C::LargeObject => octaves(from.large_object_bytes, to.large_object_bytes),
            C::Age => f64::from(rung(to.tenuring_age) - rung(from.tenuring_age)),
            C::MixedPauses => octaves(u64::from(from.mixed_pause_count), u64::from(to.mixed_pause_count)),
            C::MixedLive => (to.mixed_live_share - from.mixed_live_share) / 0.1,
            C::HeapTarget => 4.0 * octaves(from.heap_target_bytes, to.heap_target_bytes),
            C::UncommitDelay => octaves(from.uncommit_delay_ns, to.uncommit_delay_ns) / 2.0,
        };
        steps.round() as i8
    }

    /// Whether this knob is the same in both.
    #[inline]
    pub fn is_same(self, a: &Knobs, b: &Knobs) -> bool {
        match self {
            C::OldRegion => a.old_region_bytes == b.old_region_bytes,
            C::EdenRegion => a.eden_region_bytes == b.eden_region_bytes,
            C::Threshold => a.concurrent_start_share == b.concurrent_start_share,
            C::Young => a.young_bytes == b.young_bytes,
            C::LargeObject => a.large_object_bytes == b.large_object_bytes,
            C::Age => a.tenuring_age == b.tenuring_age,
            C::MixedPauses => a.mixed_pause_count == b.mixed_pause_count,
            C::MixedLive => a.mixed_live_share == b.mixed_live_share,
            C::HeapTarget => a.heap_target_bytes == b.heap_target_bytes,
            C::UncommitDelay => a.uncommit_delay_ns == b.uncommit_delay_ns,
        }
    }

    /// Whether this is one of the three that the trust region bounds, each by the others.
    pub fn is_size(self) -> bool {
        matches!(self, C::Young | C::HeapTarget | C::Threshold)
    }

    /// `to` with this knob of `from`.
    pub fn copied(self, from: &Knobs, to: &Knobs) -> Knobs {
        let mut knobs = *to;
        match self {
            C::OldRegion => knobs.old_region_bytes = from.old_region_bytes,
            C::EdenRegion => knobs.eden_region_bytes = from.eden_region_bytes,
            C::Threshold => knobs.concurrent_start_share = from.concurrent_start_share,
            C::Young => knobs.young_bytes = from.young_bytes,
            C::LargeObject => knobs.large_object_bytes = from.large_object_bytes,
            C::Age => knobs.tenuring_age = from.tenuring_age,
            C::MixedPauses => knobs.mixed_pause_count = from.mixed_pause_count,
            C::MixedLive => knobs.mixed_live_share = from.mixed_live_share,
            C::HeapTarget => knobs.heap_target_bytes = from.heap_target_bytes,
            C::UncommitDelay => knobs.uncommit_delay_ns = from.uncommit_delay_ns,
        }
        knobs
    }
}

/// The steps of all coordinates that lead from one setting to another.
pub fn steps_between(from: &Knobs, to: &Knobs) -> Steps {
    PLANNED.map(|(coordinate, _)| coordinate.steps(from, to))
}

/// The rung of the ladder that an age stands on, or the one below.
fn rung(age: u8) -> i32 {
    AGES.iter().rposition(|rung| *rung <= age).unwrap_or(0) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::candidate_features;
    use crate::history::Measured;
    use tenure_gc::policy::{Envelope, KNOB_FIELDS, Snapshot};

    fn knobs() -> Knobs {
        let snapshot = Snapshot { limit_bytes: 1 << 30, ..Snapshot::default() };
        let knobs = Envelope::of_limit(1 << 30).initial(&snapshot);
        Knobs { tenuring_age: 4, heap_target_bytes: 1 << 28, ..knobs }
    }

    #[test]
    fn coordinates_have_the_heaps_names_and_their_own_places() {
        for (at, (coordinate, name)) in PLANNED.into_iter().enumerate() {
            assert_eq!(coordinate as usize, at);
            let field = KNOB_FIELDS.iter().find(|field| field.name == name).expect(name);
            let moved = coordinate.stepped(&knobs(), 1);
            assert_ne!(field.bits(&moved), field.bits(&knobs()), "{name}");
            assert_eq!(coordinate.copied(&knobs(), &moved), knobs(), "{name}");
        }
    }

    /// What no feature tells a model, a plan moves blindly.
    #[test]
    fn models_see_every_knob_that_plans_move() {
        let m = Measured {
            survival: 0.1,
            promotion: 0.05,
            large: 0.1,
            copy_ns_per_byte: 1.0,
            mark_ns_per_byte: 1.0,
            allocation_bytes_per_ns: 1e-3,
            reclaimable_bytes: 1e7,
            old_bytes: 5e7,
            live_bytes: 3e7,
            limit_bytes: 1e9,
            ..Measured::default()
        };
        let seen = |knobs: &Knobs| candidate_features(&m, knobs);
        for (coordinate, name) in PLANNED {
            assert_ne!(seen(&coordinate.stepped(&knobs(), 1)), seen(&knobs()), "{name} up");
            assert_ne!(seen(&coordinate.stepped(&knobs(), -1)), seen(&knobs()), "{name} down");
        }
    }

    #[test]
    fn steps_lead_where_they_say() {
        for (at, (coordinate, name)) in PLANNED.into_iter().enumerate() {
            assert_eq!(coordinate.stepped(&knobs(), 0), knobs(), "{name}");
            for steps in [-1, 1] {
                let mut expected = NO_STEPS;
                expected[at] = steps;
                assert_eq!(steps_between(&knobs(), &coordinate.stepped(&knobs(), steps)), expected, "{name}");
            }
        }
    }
}
