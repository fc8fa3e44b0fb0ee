//! Measures how long a decision takes: `cargo run --release -p tenure-advisor --features train --example decision_time`.
//!
//! Each decision here makes a plan, the dearest kind; in a running heap plans are at least 5 ms apart.

use std::time::Instant;

use tenure_advisor::Advisor;
use tenure_advisor::sim::{Random, Simulation, families};
use tenure_gc::policy::{Decision, Envelope, Knobs, Outcome, Policy, Snapshot};

/// The advisor under a stopwatch.
struct Timed {
    advisor: Advisor,
    uptime_ns: u64,
    nanoseconds: Vec<u64>,
}

impl Policy for Timed {
    fn name(&self) -> &'static str {
        "timed"
    }

    fn decide(&mut self, snapshot: &Snapshot, current: &Knobs, envelope: &Envelope) -> Decision {
        self.uptime_ns += 10_000_000;
        let snapshot = Snapshot { uptime_ns: self.uptime_ns, ..*snapshot };
        let start = Instant::now();
        let decision = self.advisor.decide(&snapshot, current, envelope);
        self.nanoseconds.push(start.elapsed().as_nanos() as u64);
        decision
    }

    fn observe(&mut self, outcome: &Outcome) {
        self.advisor.observe(outcome);
    }
}

fn main() {
    let mut timed = Timed { advisor: Advisor::shipped(), uptime_ns: 0, nanoseconds: Vec::new() };
    for (_, program) in families(&mut Random::new(1)) {
        timed.advisor = Advisor::shipped();
        Simulation::new(program, 1).run(&mut timed, 5000, |_, _, _| {});
    }
    let mut times = timed.nanoseconds;
    times.sort_unstable();
    let quantile = |q: f64| times[((times.len() - 1) as f64 * q) as usize] as f64 / 1e3;
    println!(
        "{} decisions: median {:.1} µs, p95 {:.1} µs, p99 {:.1} µs",
        times.len(),
        quantile(0.5),
        quantile(0.95),
        quantile(0.99)
    );
}
