//! Every field of snapshot, knobs, decision and outcome, listed once by name: journals store them and learners read them
//! through these tables.
//!
//! A field that is missing here does not compile.

use super::{CycleKind, Decision, Knobs, NextKind, Outcome, Reason, Snapshot};

/// A value that a field can have: 64 bits in a journal, a number for a learner.
trait Plain: Copy {
    fn to_bits(self) -> u64;
    fn from_bits(bits: u64) -> Option<Self>;
    fn to_number(self) -> f64;
}

macro_rules! plain_integers {
    ($($type:ty),*) => {$(
        impl Plain for $type {
            fn to_bits(self) -> u64 {
                u64::from(self)
            }

            fn from_bits(bits: u64) -> Option<$type> {
                <$type>::try_from(bits).ok()
            }

            fn to_number(self) -> f64 {
                self as f64
            }
        }
    )*};
}

plain_integers!(u8, u32, u64);

impl Plain for f64 {
    fn to_bits(self) -> u64 {
        f64::to_bits(self)
    }

    fn from_bits(bits: u64) -> Option<f64> {
        Some(f64::from_bits(bits))
    }

    fn to_number(self) -> f64 {
        self
    }
}

impl Plain for bool {
    fn to_bits(self) -> u64 {
        u64::from(self)
    }

    fn from_bits(bits: u64) -> Option<bool> {
        (bits < 2).then_some(bits == 1)
    }

    fn to_number(self) -> f64 {
        f64::from(u8::from(self))
    }
}

macro_rules! plain_enum {
    ($type:ident: $($variant:ident),*) => {
        impl Plain for $type {
            fn to_bits(self) -> u64 {
                self as u64
            }

            fn from_bits(bits: u64) -> Option<$type> {
                [$($type::$variant),*].into_iter().find(|variant| *variant as u64 == bits)
            }

            fn to_number(self) -> f64 {
                f64::from(self as u8)
            }
        }
    };
}

plain_enum!(NextKind: ByThreshold, StartMarking, SkipMixed);
plain_enum!(CycleKind: Young, ConcurrentStart, PrepareMixed, Mixed, Full);
plain_enum!(Reason: Static, Adaptive, Warmup, Model, Hold, NoModel, OutOfDistribution, Guard, Probe, Explore, Adversarial, Rule, Survey, Undo);

/// A named field of `T`.
pub struct Field<T: 'static> {
    /// Its name in the struct, unit last.
    pub name: &'static str,
    get: fn(&T) -> u64,
    set: fn(&mut T, u64) -> bool,
    number: fn(&T) -> f64,
}

impl<T> Field<T> {
    /// The 64 bits that a journal holds: integers widened, floats bit for bit.
    pub fn bits(&self, of: &T) -> u64 {
        (self.get)(of)
    }

    /// Sets the field from a journal's bits; false if no value has them.
    pub fn set_bits(&self, of: &mut T, bits: u64) -> bool {
        (self.set)(of, bits)
    }

    /// The value as a number: flags are 0 or 1, enums their number.
    pub fn number(&self, of: &T) -> f64 {
        (self.number)(of)
    }
}

macro_rules! fields {
    ($(#[$doc:meta])* $table:ident, $all:ident: $type:ident { $($field:ident),* $(,)? } $(but $($other:ident),*)?) => {
        $(#[$doc])*
        pub const $table: &[Field<$type>] = &[$(
            Field {
                name: stringify!($field),
                get: |of| Plain::to_bits(of.$field),
                set: |of, bits| Plain::from_bits(bits).map(|value| of.$field = value).is_some(),
                number: |of| Plain::to_number(of.$field),
            },
        )*];

        /// The bits of all of them, in order. No call for each: a journal's writer finds its code out of the caches, as a rule.
        #[inline]
        pub(crate) fn $all(of: &$type) -> [u64; $table.len()] {
            [$(Plain::to_bits(of.$field)),*]
        }

        // Every field is listed, or named as an exception.
        const _: fn(&$type) = |of| {
            let $type { $($field: _,)* $($($other: _,)*)? } = of;
        };
    };
}

fields! {
    /// The fields of a [`Snapshot`].
    SNAPSHOT_FIELDS, snapshot_bits: Snapshot {
        cycle, kind, uptime_ns, pause_goal_ns, limit_bytes, committed_bytes, survivor_bytes, old_bytes, large_bytes,
        live_bytes, largest_free_bytes, mutator_ns, mutator_cpu_ns, allocated_bytes, large_allocated_bytes,
        barrier_slow_paths, eden_refills, pause_ns, pause_cpu_ns, concurrent_cpu_ns, mark_ns, mark_wall_ns, marked_bytes, survived_bytes, promoted_bytes,
        compacted_bytes, young_bytes, old_freed_bytes, remembered_entries, tail_waste_bytes, failed_copies, old_regions,
        region_sizes_alive, candidate_regions, candidate_reclaimable_bytes, pause_ns_p50, pause_ns_p95, pause_misses,
        gc_cpu_share, full_collections, cycles_since_mark,
    }
}

fields! {
    /// The fields of [`Knobs`].
    KNOB_FIELDS, knob_bits: Knobs {
        old_region_bytes, eden_region_bytes, concurrent_start_share, young_bytes, large_object_bytes, tenuring_age,
        mixed_pause_count, mixed_live_share, heap_target_bytes, uncommit_delay_ns, next_kind, idle_delay_ns,
    }
}

fields! {
    /// The fields of a [`Decision`], its knobs and the advised ones apart.
    DECISION_FIELDS, decision_bits: Decision {
        reason, predicted_pause_ns, predicted_gc_ns_per_byte, propensity,
    } but knobs, advised
}

fields! {
    /// The fields of an [`Outcome`].
    OUTCOME_FIELDS, outcome_bits: Outcome {
        cycle, kind, unfinished, pause_ns, gc_cpu_ns, mutator_ns, allocated_bytes, copied_bytes, freed_bytes,
        committed_bytes_max, remembered_entries, tail_waste_bytes, failed_copies,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_back_and_nonsense_does_not() {
        let mut snapshot = Snapshot::default();
        for (at, field) in SNAPSHOT_FIELDS.iter().enumerate() {
            let bits = if field.name == "kind" { 3 } else { at as u64 };
            assert!(field.set_bits(&mut snapshot, bits), "{}", field.name);
            assert_eq!(field.bits(&snapshot), bits, "{}", field.name);
        }
        assert_eq!(snapshot.kind, CycleKind::Mixed);
        assert!(SNAPSHOT_FIELDS.iter().map(|field| field.bits(&snapshot)).eq(snapshot_bits(&snapshot)));
        let kind = &SNAPSHOT_FIELDS[1];
        assert!(!kind.set_bits(&mut snapshot, 9));
        assert_eq!(kind.number(&snapshot), 3.0);
    }
}
