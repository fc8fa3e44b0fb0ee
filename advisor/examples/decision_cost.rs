//! Measures what the decisions of a recorded run take, made again from its journal:
//! `cargo run --release -p tenure-advisor --example decision_cost -- RUN.tgj…`.
//!
//! Each journal is gone through four times: as it was, and with so much time between cycles that each decision plans; with caches warm, and
//! with more than they hold walked over before each decision, as a program would have. Under an instruction counter (`--once`), the run
//! as it was is gone through once, without a stopwatch.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use tenure_advisor::Advisor;
use tenure_gc::Cycle;
use tenure_gc::journal::Journal;
use tenure_gc::policy::{Envelope, Policy, Reason, Snapshot};

/// More than a core's own caches hold.
const CACHE_BYTES: usize = 4 << 20;
const LINE_BYTES: usize = 64;
/// Enough for a plan in each cycle, however long a plan may stand.
const STEP_NS: u64 = 1_000_000_000;

/// What the decisions of a run took: those that planned, and the others.
#[derive(Default)]
struct Times {
    plans: Vec<u64>,
    others: Vec<u64>,
    observing: Vec<u64>,
}

fn walk(other: &mut [u8]) {
    other.iter_mut().step_by(LINE_BYTES).for_each(|byte| *byte = byte.wrapping_add(1));
    black_box(other);
}

/// The run's decisions; `step_ns` is added between cycles, and `other` walked over.
fn replay(cycles: &[Cycle], step_ns: u64, other: &mut [u8]) -> Times {
    let (mut advisor, mut times, mut planned_ns) = (Advisor::shipped(), Times::default(), 0);
    for (number, cycle) in cycles.iter().enumerate() {
        let uptime_ns = cycle.snapshot.uptime_ns + number as u64 * step_ns;
        let snapshot = Snapshot { uptime_ns, ..cycle.snapshot };
        let envelope = Envelope::of_limit(snapshot.limit_bytes);
        walk(other);
        let begun = Instant::now();
        let decision = black_box(advisor.decide(&snapshot, &cycle.decision.knobs, &envelope));
        let ns = begun.elapsed().as_nanos() as u64;
        let begun = Instant::now();
        advisor.observe(&cycle.outcome);
        times.observing.push(begun.elapsed().as_nanos() as u64);
        let plans = matches!(decision.reason, Reason::Model | Reason::Undo | Reason::Hold);
        if plans && uptime_ns >= planned_ns {
            times.plans.push(ns);
            planned_ns = uptime_ns + 10_000_000;
        } else {
            times.others.push(ns);
        }
    }
    times
}

fn show(what: &str, mut nanoseconds: Vec<u64>) {
    nanoseconds.sort_unstable();
    let quantile = |q: f64| nanoseconds.get((nanoseconds.len() as f64 * q) as usize).map_or(0.0, |&ns| ns as f64 / 1e3);
    println!(
        "  {what:32} {:6} times: median {:6.2} µs, p95 {:6.2} µs",
        nanoseconds.len(),
        quantile(0.5),
        quantile(0.95)
    );
}

fn main() -> ExitCode {
    let (once, paths): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|argument| argument == "--once");
    let mut other = vec![0; CACHE_BYTES];
    for path in &paths {
        let journal = match Journal::read_file(path.as_ref()) {
            Ok(journal) => journal,
            Err(error) => {
                eprintln!("{path}: {error}");
                return ExitCode::FAILURE;
            }
        };
        if !once.is_empty() {
            replay(&journal.cycles, 0, &mut []);
            continue;
        }
        println!("{path}: {} cycles", journal.cycles.len());
        for (what, other) in [("warm", &mut [][..]), ("cold", &mut other[..])] {
            show(&format!("{what}: plans, if each plans"), replay(&journal.cycles, STEP_NS, other).plans);
            let times = replay(&journal.cycles, 0, other);
            show(&format!("{what}: plans"), times.plans);
            show(&format!("{what}: other decisions"), times.others);
            show(&format!("{what}: outcomes"), times.observing);
        }
    }
    ExitCode::SUCCESS
}
