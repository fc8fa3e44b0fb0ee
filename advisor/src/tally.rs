//! What a setting of the knobs has come to: sums over the cycles in which it was in force.
//!
//! Sums, not means of logarithms: a marking every fiftieth cycle is most of what some programs pay, and it must weigh what it costs.
//! Older cycles fade, so that a tally tells of the present.
//!
//! Invariants
//! - Y1. An outcome without allocation, or with numbers that make no sense, counts as none.

use tenure_gc::policy::Outcome;

use crate::features::US_LN;
use crate::goal::Weights;
use crate::math::ln;
use crate::model::{OUTPUT_COUNT, Output, Prediction};
use crate::observed::{footprint, gc_per_byte, risk};

/// What each cycle leaves of the ones before.
const FADING: f64 = 31.0 / 32.0;
/// Standard deviations between the mean and the 95th percentile of a normal distribution; pauses are about log-normal.
const P95_DEVIATIONS: f64 = 1.645;

/// The sums.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    cycles: f64,
    gc_ns: f64,
    allocated_bytes: f64,
    committed_bytes: f64,
    failures: f64,
    pause_ln: f64,
    pause_ln_squared: f64,
}

impl Tally {
    /// Takes in a cycle.
    pub fn add(&mut self, outcome: &Outcome) {
        if outcome.allocated_bytes == 0 || outcome.pause_ns == 0 {
            return;
        }
        let pause_ln = ln(outcome.pause_ns as f64);
        let faded = |sum: f64, new: f64| sum * FADING + new;
        *self = Tally {
            cycles: faded(self.cycles, 1.0),
            gc_ns: faded(self.gc_ns, outcome.gc_cpu_ns as f64),
            allocated_bytes: faded(self.allocated_bytes, outcome.allocated_bytes as f64),
            committed_bytes: faded(self.committed_bytes, outcome.committed_bytes_max as f64),
            failures: faded(self.failures, risk(outcome)),
            pause_ln: faded(self.pause_ln, pause_ln),
            pause_ln_squared: faded(self.pause_ln_squared, pause_ln * pause_ln),
        };
    }

    /// Cycles in it, those that have faded in part.
    pub fn cycles(&self) -> f64 {
        self.cycles
    }

    /// The cost by these weights under a pause goal, ln ns.
    pub fn cost(&self, weights: &Weights, pause_goal_ln: f64) -> f64 {
        let per_cycle = |sum: f64| sum / self.cycles;
        let pause = per_cycle(self.pause_ln);
        let spread = (per_cycle(self.pause_ln_squared) - pause * pause).max(0.0).sqrt();
        let mut outputs: Prediction = [0.0; OUTPUT_COUNT];
        outputs[Output::Pause as usize] = pause + P95_DEVIATIONS * spread - US_LN;
        outputs[Output::GcPerByte as usize] = gc_per_byte(self.gc_ns as u64, self.allocated_bytes as u64);
        outputs[Output::Footprint as usize] = footprint(per_cycle(self.committed_bytes) as u64);
        outputs[Output::Risk as usize] = per_cycle(self.failures);
        weights.cost(&outputs, 0.0, pause_goal_ln)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goal::Goal;

    fn cycle(gc_cpu_ns: u64, pause_ns: u64) -> Outcome {
        Outcome { gc_cpu_ns, pause_ns, allocated_bytes: 1 << 20, committed_bytes_max: 64 << 20, ..Outcome::default() }
    }

    fn cost(cycles: impl IntoIterator<Item = Outcome>) -> f64 {
        let mut tally = Tally::default();
        cycles.into_iter().for_each(|outcome| tally.add(&outcome));
        tally.cost(&Goal::Throughput.weights(), 10e6_f64.ln())
    }

    #[test]
    fn a_rare_dear_cycle_weighs_what_it_costs() {
        let even = cost((0..64).map(|_| cycle(2_000_000, 1_000_000)));
        let spells = cost((0..64).map(|n| cycle(if n % 16 == 0 { 23_000_000 } else { 1_000_000 }, 1_000_000)));
        assert!(spells > even, "{spells} against {even}");
    }

    #[test]
    fn pauses_over_the_goal_show_though_most_meet_it() {
        let short = cost((0..64).map(|_| cycle(2_000_000, 4_000_000)));
        let long = cost((0..64).map(|n| cycle(2_000_000, if n % 8 == 0 { 40_000_000 } else { 4_000_000 })));
        assert!(long > short + 0.5, "{long} against {short}");
    }

    #[test]
    fn what_allocated_nothing_counts_as_none() {
        let mut tally = Tally::default();
        tally.add(&Outcome { allocated_bytes: 0, ..cycle(5, 5) });
        assert_eq!(tally, Tally::default());
        tally.add(&cycle(5, 5));
        assert_eq!(tally.cycles(), 1.0);
    }
}
