//! How long a decision of the model's stands: the shortest period after anything that a plan would answer to, twice as long after
//! each plan that found nothing to do.
//!
//! A plan takes several times as long as all else that an advisor does in a cycle, and most plans hold. What could make the next one
//! do otherwise shows in the numbers of a single cycle, which cost next to nothing to look at.
//!
//! It must never know what a decision was, nor what it costs.
//!
//! Invariants
//! - E1. Two decisions are at least [`PERIOD_NS_MIN`] apart, and one stands for [`PERIOD_NS_MAX`] at the most.
//! - E2. A step of the workload or of the limit, more occupied than there was of late, and any failure end a decision's time as soon as E1
//!   lets them. Occupancy is a sawtooth; what rises to where it has been, or falls, is nothing new.

use crate::history::Measured;
use crate::smooth::has_stepped;

/// 100 decisions a second.
pub const PERIOD_NS_MIN: u64 = 10_000_000;
/// As long as a handful of frames, or requests: no one notices a better setting that comes so late.
pub const PERIOD_NS_MAX: u64 = 16 * PERIOD_NS_MIN;
/// What is occupied beyond what was of late, as a share of the heap target: a part of the room in which marking must end.
const OCCUPANCY_STEP: f64 = 1.0 / 16.0;
/// What each decision leaves of the most that was ever occupied.
const PEAK_FADING: f64 = 0.98;

/// What a cycle shows at a glance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Signs {
    /// Allocated bytes per nanosecond of the program's CPU time.
    pub allocation_bytes_per_ns: f64,
    /// Share of the young bytes that the pause copied.
    pub survival: f64,
    /// Bytes that became old, per allocated byte.
    pub promotion: f64,
    /// In old regions and large objects.
    pub old_bytes: f64,
    /// Limit of the heap.
    pub limit_bytes: f64,
    /// Whether everything was collected, or a copy failed.
    pub failed: bool,
}

/// Cycles in a row that make a step of the workload; one is an outlier.
const STEPPED_CYCLES: u32 = 2;

/// When the next decision is due.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    period_ns: u64,
    decided_ns: u64,
    /// The state that was decided for.
    state: Measured,
    /// The most that was occupied before that, fading, and since.
    peak_bytes: f64,
    highest_bytes: f64,
    /// Cycles in a row that were of another workload than the state.
    stepped: u32,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            period_ns: PERIOD_NS_MIN,
            decided_ns: 0,
            state: Measured::default(),
            peak_bytes: 0.0,
            highest_bytes: 0.0,
            stepped: 0,
        }
    }
}

impl Pace {
    /// A decision was made for the state `smooth`; `at_rest`, if nothing was found to do, and nothing is under way.
    pub fn decided(&mut self, uptime_ns: u64, now: &Measured, smooth: &Measured, at_rest: bool) {
        let period_ns = if at_rest { (2 * self.period_ns).min(PERIOD_NS_MAX) } else { PERIOD_NS_MIN };
        let peak_bytes = self.highest_bytes.max(now.old_bytes).max(PEAK_FADING * self.peak_bytes);
        let highest_bytes = now.old_bytes;
        *self = Pace { period_ns, decided_ns: uptime_ns, state: *smooth, peak_bytes, highest_bytes, stepped: 0 };
    }

    /// The next decision must not wait.
    pub fn hurry(&mut self) {
        self.period_ns = PERIOD_NS_MIN;
    }

    /// Whether a decision is due, after a cycle that showed this.
    pub fn is_due(&mut self, uptime_ns: u64, signs: &Signs) -> bool {
        self.highest_bytes = self.highest_bytes.max(signs.old_bytes);
        let risen_bytes = signs.old_bytes - self.peak_bytes;
        self.stepped = if has_stepped(&self.state, signs) { self.stepped + 1 } else { 0 };
        if signs.failed || risen_bytes > OCCUPANCY_STEP * self.state.heap_bytes || self.stepped >= STEPPED_CYCLES {
            self.hurry();
        }
        uptime_ns >= self.decided_ns.saturating_add(self.period_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: f64 = 1_048_576.0;

    fn calm() -> Signs {
        Signs {
            allocation_bytes_per_ns: 1.0,
            survival: 0.1,
            promotion: 0.02,
            old_bytes: 40.0 * MIB,
            limit_bytes: 256.0 * MIB,
            failed: false,
        }
    }

    /// Decided at `uptime_ns`, in the state that [`calm`] shows.
    fn decided(pace: &mut Pace, uptime_ns: u64, at_rest: bool) {
        let signs = calm();
        let state = Measured {
            allocation_bytes_per_ns: signs.allocation_bytes_per_ns,
            survival: signs.survival,
            promotion: signs.promotion,
            old_bytes: signs.old_bytes,
            heap_bytes: 100.0 * MIB,
            limit_bytes: signs.limit_bytes,
            ..Measured::default()
        };
        pace.decided(uptime_ns, &state, &state, at_rest);
    }

    /// How long a decision made now stands, in the shortest periods.
    fn stands(pace: &Pace, signs: &Signs) -> u64 {
        let due = |periods: &u64| {
            let mut pace = *pace;
            pace.is_due(pace.decided_ns, signs);
            pace.is_due(pace.decided_ns + periods * PERIOD_NS_MIN, signs)
        };
        (0..=16).find(due).expect("no decision stands for longer")
    }

    #[test]
    fn plans_that_find_nothing_to_do_are_ever_further_apart_and_one_that_does_ends_that() {
        let (mut pace, mut periods) = (Pace::default(), Vec::new());
        for at_rest in [false, true, true, true, true, true, false, true] {
            decided(&mut pace, 7, at_rest);
            periods.push(stands(&pace, &calm()));
        }
        assert_eq!(periods, [1, 2, 4, 8, 16, 16, 1, 2]);
    }

    #[test]
    fn whatever_a_plan_would_answer_to_brings_the_next_one() {
        let mut pace = Pace::default();
        (0..8).for_each(|_| decided(&mut pace, 0, true));
        for signs in [
            Signs { allocation_bytes_per_ns: 2.1, ..calm() },
            Signs { allocation_bytes_per_ns: 0.4, ..calm() },
            Signs { survival: 0.2, ..calm() },
            Signs { promotion: 0.12, ..calm() },
            Signs { old_bytes: 47.0 * MIB, ..calm() },
            Signs { limit_bytes: 128.0 * MIB, ..calm() },
            Signs { failed: true, ..calm() },
            Signs { survival: f64::NAN, allocation_bytes_per_ns: f64::NAN, ..calm() },
        ] {
            assert_eq!(stands(&pace, &signs), 1, "{signs:?}");
        }
        let nearly = Signs { allocation_bytes_per_ns: 1.6, survival: 0.15, old_bytes: 44.0 * MIB, ..calm() };
        assert_eq!(stands(&pace, &nearly), 16);
        pace.hurry();
        assert_eq!(stands(&pace, &calm()), 1);
    }

    #[test]
    fn a_sawtooth_is_nothing_new_after_its_first_tooth() {
        let mut pace = Pace::default();
        let mut decisions = Vec::new();
        for cycle in 0..64_u64 {
            let signs = Signs { old_bytes: (40.0 + 4.0 * (cycle % 8) as f64) * MIB, ..calm() };
            if pace.is_due(cycle * PERIOD_NS_MIN, &signs) {
                decisions.push(cycle);
                decided(&mut pace, cycle * PERIOD_NS_MIN, true);
            }
        }
        assert_eq!(decisions, [1, 3, 5, 7, 9, 13, 21, 37, 53], "the first rise ends at 7");
    }
}
