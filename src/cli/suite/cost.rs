//! What a run cost: six numbers of its cycles, and the formula that makes one of them.
//!
//! The formula and its weights are the book's (The advisor, How it is judged), where they stood before the first evaluation.
//! They are written down here once more, apart from the planner's: who is judged must not be able to move the measure.
//!
//! A real run and a simulated one give the same cycles, so both are judged by this. Under the work clock, times are counts
//! of work, and so is the cost.

use serde_json::{Value, json};
use tenure::{Cycle, CycleKind};
use tenure_advisor::Goal;

/// One figure of a run.
pub type Figure = fn(&Figures) -> f64;

/// What a run's cycles add up to.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Figures {
    /// Cycles that ended.
    pub cycles: u64,
    /// CPU time of the collector.
    pub gc_cpu_ns: f64,
    /// Allocated by the program.
    pub allocated_bytes: f64,
    /// 95th percentile of the pauses.
    pub pause_ns_p95: f64,
    /// The most that was committed in a cycle, mean over cycles.
    pub committed_bytes: f64,
    /// Cycles that ended in a full collection or a failed copy.
    pub failures: u64,
    /// Pauses longer than the goal.
    pub missed: u64,
    /// Copied in pauses.
    pub copied_bytes: f64,
    /// Found live by markings.
    pub marked_bytes: f64,
    /// CPU time of the process; of a simulated one, of program and collector.
    pub process_cpu_ns: f64,
}

/// Weights of the logarithms of collector time by byte, pause and memory, of the share of failures, and of the logarithm by which
/// the pause exceeds the goal.
struct Weights {
    gc: f64,
    pause: f64,
    memory: f64,
    failures: f64,
    violation: f64,
}

fn weights(goal: Goal) -> Weights {
    match goal {
        Goal::Throughput => Weights { gc: 1.0, pause: 0.05, memory: 0.2, failures: 2.0, violation: 2.0 },
        Goal::Latency => Weights { gc: 0.4, pause: 1.0, memory: 0.1, failures: 3.0, violation: 4.0 },
        Goal::Memory => Weights { gc: 0.4, pause: 0.05, memory: 1.0, failures: 2.0, violation: 2.0 },
    }
}

impl Figures {
    /// Of a run's cycles; nothing if none ended.
    pub fn of(cycles: &[Cycle], pause_goal_ns: u64) -> Option<Figures> {
        let ended: Vec<&Cycle> = cycles.iter().filter(|cycle| !cycle.outcome.unfinished).collect();
        let mut pauses: Vec<u64> = ended.iter().map(|cycle| cycle.outcome.pause_ns).collect();
        pauses.sort_unstable();
        let rank = (pauses.len() * 95).div_ceil(100).checked_sub(1)?;
        let sum = |of: fn(&Cycle) -> u64| ended.iter().map(|cycle| of(cycle) as f64).sum::<f64>();
        let failed = |cycle: &&&Cycle| cycle.outcome.kind == CycleKind::Full || cycle.outcome.failed_copies > 0;
        let gc_cpu_ns = sum(|cycle| cycle.outcome.gc_cpu_ns);
        Some(Figures {
            cycles: ended.len() as u64,
            gc_cpu_ns,
            allocated_bytes: sum(|cycle| cycle.outcome.allocated_bytes),
            pause_ns_p95: pauses[rank] as f64,
            committed_bytes: sum(|cycle| cycle.outcome.committed_bytes_max) / ended.len() as f64,
            failures: ended.iter().filter(failed).count() as u64,
            missed: pauses.iter().filter(|ns| **ns > pause_goal_ns).count() as u64,
            copied_bytes: sum(|cycle| cycle.outcome.copied_bytes),
            marked_bytes: cycles.iter().map(|cycle| cycle.snapshot.marked_bytes as f64).sum(),
            process_cpu_ns: gc_cpu_ns + sum(|cycle| cycle.outcome.mutator_ns),
        })
    }

    /// The cost under a goal: a sum of logarithms, so a difference of costs is the logarithm of a ratio.
    pub fn cost(&self, goal: Goal, pause_goal_ns: u64) -> f64 {
        let w = weights(goal);
        // A run without any of these has no cost to speak of; 1 stands in for 0.
        let ln = |number: f64| number.max(1.0).ln();
        let by_byte = self.gc_cpu_ns.max(1.0) / self.allocated_bytes.max(1.0);
        let excess = (ln(self.pause_ns_p95) - (pause_goal_ns as f64).ln()).max(0.0);
        w.gc * by_byte.ln()
            + w.pause * ln(self.pause_ns_p95)
            + w.memory * ln(self.committed_bytes)
            + w.failures * self.failures as f64 / self.cycles.max(1) as f64
            + w.violation * excess
    }

    /// Share of pauses longer than the goal.
    pub fn missed_share(&self) -> f64 {
        self.missed as f64 / self.cycles.max(1) as f64
    }

    /// As a line of the results has it.
    pub fn to_json(self) -> Value {
        json!({
            "cycles": self.cycles,
            "gc_cpu_ns": self.gc_cpu_ns,
            "allocated_bytes": self.allocated_bytes,
            "pause_ns_p95": self.pause_ns_p95,
            "committed_bytes": self.committed_bytes,
            "failures": self.failures,
            "missed": self.missed,
            "copied_bytes": self.copied_bytes,
            "marked_bytes": self.marked_bytes,
            "process_cpu_ns": self.process_cpu_ns,
        })
    }

    /// From such a line.
    pub fn from_json(value: &Value) -> Option<Figures> {
        let number = |name: &str| value[name].as_f64();
        let count = |name: &str| value[name].as_u64();
        Some(Figures {
            cycles: count("cycles")?,
            gc_cpu_ns: number("gc_cpu_ns")?,
            allocated_bytes: number("allocated_bytes")?,
            pause_ns_p95: number("pause_ns_p95")?,
            committed_bytes: number("committed_bytes")?,
            failures: count("failures")?,
            missed: count("missed")?,
            copied_bytes: number("copied_bytes")?,
            marked_bytes: number("marked_bytes")?,
            process_cpu_ns: number("process_cpu_ns")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenure::{Decision, Knobs, Outcome, Reason, Snapshot};
    use tenure_gc::policy::Envelope;

    const GOAL_NS: u64 = 10_000_000;

    fn cycle(number: u64, pause_ns: u64, kind: CycleKind, unfinished: bool) -> Cycle {
        let knobs: Knobs = Envelope::of_limit(1 << 26).initial(&Snapshot::default());
        let outcome = Outcome {
            cycle: number,
            kind,
            unfinished,
            pause_ns,
            gc_cpu_ns: 2 * pause_ns,
            mutator_ns: 5 * pause_ns,
            allocated_bytes: 1000,
            committed_bytes_max: 100 * number,
            ..Outcome::default()
        };
        Cycle { snapshot: Snapshot::default(), decision: Decision::plain(knobs, Reason::Static), outcome }
    }

    #[test]
    fn the_six_numbers_come_from_the_cycles_that_ended() {
        let mut cycles: Vec<Cycle> = (1..=20).map(|n| cycle(n, n * 1_000_000, CycleKind::Young, false)).collect();
        cycles[4].outcome.kind = CycleKind::Full;
        cycles[5].outcome.failed_copies = 3;
        cycles.push(cycle(21, 0, CycleKind::Young, true));
        let figures = Figures::of(&cycles, GOAL_NS).unwrap();
        assert_eq!((figures.cycles, figures.failures, figures.missed), (20, 2, 10));
        assert_eq!((figures.pause_ns_p95, figures.committed_bytes), (19e6, 1050.0));
        assert_eq!((figures.gc_cpu_ns, figures.allocated_bytes), (420e6, 20_000.0));
        assert_eq!(figures.process_cpu_ns, 420e6 + 1050e6);
        assert_eq!(Figures::from_json(&figures.to_json()), Some(figures));
        assert_eq!(Figures::of(&cycles[20..], GOAL_NS), None);
    }

    #[test]
    fn costs_are_exchange_rates_between_percentages() {
        let one = Figures {
            cycles: 100,
            gc_cpu_ns: 1e9,
            allocated_bytes: 1e9,
            pause_ns_p95: 5e6,
            committed_bytes: 1e7,
            ..Figures::default()
        };
        let cost = |figures: &Figures, goal| figures.cost(goal, GOAL_NS);
        let difference = |other: Figures, goal| cost(&other, goal) - cost(&one, goal);
        // one per cent of the collector's time is worth five of memory
        let dear = Figures { gc_cpu_ns: 1.01e9, ..one };
        let large = Figures { committed_bytes: 1e7 * 1.01_f64.powi(5), ..one };
        assert!((difference(dear, Goal::Throughput) - difference(large, Goal::Throughput)).abs() < 1e-12);
        // pauses cost little below the goal, much above
        let slow = Figures { pause_ns_p95: 10e6, ..one };
        let slower = Figures { pause_ns_p95: 20e6, ..one };
        assert!((difference(slow, Goal::Throughput) - 0.05 * 2_f64.ln()).abs() < 1e-12);
        assert!((difference(slower, Goal::Latency) - (4_f64.ln() + 4.0 * 2_f64.ln())).abs() < 1e-12);
        let failing = Figures { failures: 10, ..one };
        assert!((difference(failing, Goal::Memory) - 0.2).abs() < 1e-12);
    }
}
